//! Decisions on what a quote is made of: creating it, and adding portions to it.

use std::collections::BTreeSet;

use super::decide::{Caller, expired_revision, refuse_expired};
use super::split::{out_of_range, price_total};
use super::{
    JointQuote, JointQuoteEvent, PORTIONS_MAX, Portion, PortionAdded, QuoteCreated, RevisionState,
};
use crate::domain::command::Decision;
use crate::domain::commitment::Commitment;
use crate::domain::firm::refuse_taken;
use crate::domain::identity::{ExternalReference, PartyId, is_chosen_identifier, is_identifier};
use crate::domain::outsiders::{Client, already_exists};
use crate::domain::pricing::money::{Currency, Money};
use crate::domain::record::{Event, Kind};
use crate::domain::refusal::{Reason, Refusal, Violation, Violations};
use crate::domain::text::{require_display_name, require_reference};
use crate::domain::time::Timestamp;
use crate::domain::world::Stop;

/// A portion as a firm describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPortion {
    /// Its identifier within the quote: 1 to 63 of `a-z0-9-`.
    pub portion_id: String,
    /// The party that it belongs to: `None` for the caller's own. A placeholder's may be named by
    /// any firm of the partnership, so that one firm alone can record what both sell; another
    /// firm's never.
    pub owner: Option<PartyId>,
    /// What it is: a commitment to free text.
    pub description: Option<Commitment>,
    /// What the client would pay for it before any concession; in the quote's currency, not
    /// negative.
    pub price: Money,
    /// What it costs its owner, who alone can say so: a commitment; the plain amount never reaches
    /// a decision.
    pub internal_cost: Option<Commitment>,
}

/// What [`super::QuoteCommand::Create`] asks for.
pub(super) struct NewQuote<'command> {
    pub(super) id: &'command Option<String>,
    pub(super) display_name: &'command str,
    pub(super) client: &'command Option<String>,
    pub(super) currency: Currency,
    pub(super) expires_at: Timestamp,
    pub(super) portions: &'command [NewPortion],
    pub(super) references: &'command Option<ExternalReference>,
}

impl NewQuote<'_> {
    /// Refuses fields that are wrong by themselves, all at once.
    fn check(&self, caller: Caller<'_>) -> Result<(), Refusal> {
        let mut violations = Violations::default();
        let chosen = self.id.as_deref().is_none_or(is_chosen_identifier);
        violations.require(
            chosen,
            "joint_quote_id",
            "1 to 63 of a-z, 0-9 and -, a letter first",
        );
        require_display_name(
            &mut violations,
            "joint_quote.display_name",
            self.display_name,
        );
        let ahead = self.expires_at > caller.view.now && self.expires_at.is_storable();
        violations.require(
            ahead,
            "joint_quote.expire_time",
            "must be in the future, before 2100",
        );
        if let Some(reference) = self.references {
            require_reference(
                &mut violations,
                "joint_quote.external_references[0]",
                reference,
            );
        }
        require_portions(&mut violations, self.portions, path_in_quote, caller);
        violations.finish()
    }
}

fn path_in_quote(index: usize) -> String {
    format!("joint_quote.portions[{index}]")
}

/// Decides to create a quote with its first portions.
pub(super) fn create(new: &NewQuote<'_>, caller: Caller<'_>) -> Result<Decision, Stop> {
    let view = caller.view;
    new.check(caller)?;
    let portions = first_portions(new.portions, new.currency, caller.party)?;
    if let Some(client) = new.client {
        view.get::<Client>(client)?;
    }
    let id = new.id.clone().unwrap_or_else(|| view.new_id(0));
    if view.find::<JointQuote>(&id)?.is_some() {
        return Err(already_exists(Kind::JointQuote, &id).into());
    }
    if let Some(reference) = new.references {
        refuse_taken(reference, &view)?;
    }
    let created = QuoteCreated {
        display_name: new.display_name.to_owned(),
        client: new.client.clone(),
        currency: new.currency,
        expires_at: new.expires_at,
        portions,
    };
    let event = Event::new(&id, JointQuoteEvent::Created(created));
    let decision = Decision::about(Kind::JointQuote, &id).event(event);
    Ok(match new.references {
        Some(reference) => decision.reference(reference.clone(), Kind::JointQuote, &id),
        None => decision,
    })
}

/// Collects what is wrong with each portion by itself.
fn require_portions(
    violations: &mut Violations,
    portions: &[NewPortion],
    path: impl Fn(usize) -> String,
    caller: Caller<'_>,
) {
    // A list beyond the limit is refused for its length; its portions need no list of faults.
    for (index, portion) in portions.iter().enumerate().take(PORTIONS_MAX) {
        let path = path(index);
        let named = is_identifier(&portion.portion_id);
        violations.require(
            named,
            &format!("{path}.portion_id"),
            "1 to 63 of a-z, 0-9 and -",
        );
        let priced = portion.price.minor >= 0;
        violations.require(priced, &format!("{path}.price"), "must not be negative");
        if let Some(owner) = &portion.owner {
            require_nameable(violations, &format!("{path}.party_id"), owner, caller);
            let speaks_for_itself = owner == caller.party || portion.internal_cost.is_none();
            let field = format!("{path}.internal_cost");
            violations.require(speaks_for_itself, &field, "only its owner states its cost");
        }
    }
}

/// Nobody brings portions into a quote for a firm that can do so itself.
fn require_nameable(violations: &mut Violations, field: &str, owner: &PartyId, caller: Caller<'_>) {
    let Some(party) = caller.partnership.party(owner) else {
        violations.add(field, "no such party");
        return;
    };
    let nameable = party.firm.is_none() || party.id == *caller.party;
    let rule = "must be the caller's own party or one that no firm has joined as";
    violations.require(nameable, field, rule);
}

/// The portions of a new quote, ordered by id so that the order of the request does not matter.
fn first_portions(
    portions: &[NewPortion],
    currency: Currency,
    caller: &PartyId,
) -> Result<Vec<Portion>, Refusal> {
    if portions.len() > PORTIONS_MAX {
        return Err(Refusal::limit("portions_per_quote", PORTIONS_MAX));
    }
    refuse_other_currencies(portions, currency, path_in_quote)?;
    let mut seen = BTreeSet::new();
    if let Some(twice) = portions
        .iter()
        .find(|portion| !seen.insert(&portion.portion_id))
    {
        return Err(portion_exists(&twice.portion_id));
    }
    let mut first: Vec<Portion> = portions
        .iter()
        .map(|portion| owned_portion(portion, caller))
        .collect();
    first.sort_by(|left, right| left.id.cmp(&right.id));
    refuse_excess(first.iter())?;
    Ok(first)
}

/// Decides to add a portion.
pub(super) fn add_portion(
    id: &str,
    new: &NewPortion,
    caller: Caller<'_>,
) -> Result<Decision, Stop> {
    let now = caller.view.now;
    let quote = caller.view.get::<JointQuote>(id)?;
    refuse_expired(quote, "AddPortion", now)?;
    if quote.in_force().is_some() {
        return Err(Refusal::invalid_state(RevisionState::Approved.as_str(), "AddPortion").into());
    }
    let mut violations = Violations::default();
    let path = |_| "portion".to_owned();
    require_portions(&mut violations, std::slice::from_ref(new), path, caller);
    violations.finish()?;
    refuse_other_currencies(std::slice::from_ref(new), quote.currency, path)?;
    if quote
        .portions
        .iter()
        .any(|portion| portion.id == new.portion_id)
    {
        return Err(portion_exists(&new.portion_id).into());
    }
    if quote.portions.len() >= PORTIONS_MAX {
        return Err(Refusal::limit("portions_per_quote", PORTIONS_MAX).into());
    }
    let portion = owned_portion(new, caller.party);
    refuse_excess(quote.portions.iter().chain([&portion]))?;
    let superseded = quote.open_at(now).map(|open| open.split.number);
    let mut decision = Decision::about(Kind::JointQuote, id);
    decision.events.extend(expired_revision(id, quote, now));
    let added = PortionAdded {
        portion,
        superseded,
    };
    Ok(decision.event(Event::new(id, JointQuoteEvent::PortionAdded(added))))
}

fn owned_portion(new: &NewPortion, caller: &PartyId) -> Portion {
    Portion {
        id: new.portion_id.clone(),
        owner: new.owner.as_ref().unwrap_or(caller).clone(),
        description: new.description.clone(),
        price: new.price,
        internal_cost: new.internal_cost.clone(),
    }
}

fn refuse_other_currencies(
    portions: &[NewPortion],
    currency: Currency,
    path: impl Fn(usize) -> String,
) -> Result<(), Refusal> {
    let others = || {
        portions
            .iter()
            .enumerate()
            .filter(|(_, new)| new.price.currency != currency)
    };
    let Some((_, first)) = others().next() else {
        return Ok(());
    };
    let violations = others()
        .map(|(index, new)| Violation {
            field: format!("{}.price", path(index)),
            description: described_mismatch(new.price.currency, currency),
        })
        .collect();
    let refusal = Refusal::fields(Reason::CurrencyMismatch, violations);
    Err(refusal
        .with("expected", currency)
        .with("actual", first.price.currency))
}

/// Tells apart two exponents of one code, too: codes change theirs.
pub(super) fn described_mismatch(actual: Currency, expected: Currency) -> String {
    format!(
        "the quote is in {expected} with {} decimal places, not in {actual} with {}",
        expected.exponent(),
        actual.exponent()
    )
}

fn refuse_excess<'portion>(
    portions: impl Iterator<Item = &'portion Portion>,
) -> Result<(), Refusal> {
    let all: Vec<&Portion> = portions.collect();
    price_total(&all)
        .map(|_| ())
        .ok_or_else(|| out_of_range("the sum of all prices"))
}

fn portion_exists(id: &str) -> Refusal {
    Refusal::new(
        Reason::AlreadyExists,
        format!("portion {id} is there already"),
    )
    .with("resource", "portion")
    .with("portion_id", id)
}
