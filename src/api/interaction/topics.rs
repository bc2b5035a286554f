//! Records that surveys and feedback are about, by their names.

use crate::api::convert::parse_name;
use crate::api::listing::name_in;
use crate::domain::identity::ScopeId;
use crate::domain::interaction::topic::Topic;
use crate::domain::refusal::{Reason, Refusal};

/// A record of the same partnership; `None` for an empty name.
///
/// # Errors
/// [`Reason::InvalidField`], naming `field`.
pub(super) fn topic(field: &str, scope: &ScopeId, name: &str) -> Result<Option<Topic>, Refusal> {
    const RULE: &str =
        "must be a ticket, an expectation, an opportunity or a joint quote of the same partnership";
    if name.is_empty() {
        return Ok(None);
    }
    let wrong = || Refusal::field(Reason::InvalidField, field, RULE);
    let sort = name.split('/').nth(2).ok_or_else(wrong)?;
    let (shape, topic): (_, fn(String) -> Topic) = match sort {
        "tickets" => ("partnerships/*/tickets/*", Topic::Ticket),
        "expectations" => ("partnerships/*/expectations/*", Topic::Expectation),
        "opportunities" => ("partnerships/*/opportunities/*", Topic::Opportunity),
        "jointQuotes" => ("partnerships/*/jointQuotes/*", Topic::JointQuote),
        _ => return Err(wrong()),
    };
    let [partnership, id] = parse_name(field, name, shape)?;
    if ScopeId::partnership(&partnership) == *scope {
        return Ok(Some(topic(id)));
    }
    Err(wrong())
}

/// The record's name; empty for none.
pub(super) fn to_topic(scope: &ScopeId, topic: Option<&Topic>) -> String {
    match topic {
        None => String::new(),
        Some(Topic::Ticket(id)) => name_in(scope, "tickets", id),
        Some(Topic::Expectation(id)) => name_in(scope, "expectations", id),
        Some(Topic::Opportunity(id)) => name_in(scope, "opportunities", id),
        Some(Topic::JointQuote(id)) => name_in(scope, "jointQuotes", id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_of_the_same_partnership() {
        let scope = ScopeId::partnership("p1");
        assert_eq!(topic("t", &scope, ""), Ok(None));
        for sort in ["tickets", "expectations", "opportunities", "jointQuotes"] {
            let name = format!("partnerships/p1/{sort}/x");
            let read = topic("t", &scope, &name).unwrap();
            assert_eq!(to_topic(&scope, read.as_ref()), name);
        }
        for bad in [
            "x",
            "partnerships/p1/clients/x",
            "partnerships/p2/tickets/x",
            "partnerships/p1/tickets/",
        ] {
            let refusal = topic("t", &scope, bad).unwrap_err();
            assert_eq!(refusal.violations[0].field, "t", "{bad}");
        }
    }
}
