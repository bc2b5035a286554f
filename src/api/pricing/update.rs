//! Changes of a quote that change no money, as callers send them.

use super::funding::vendor_money;
use crate::api::convert::timestamp;
use crate::api::faults::Faults;
use crate::api::required;
use crate::domain::identity::ScopeId;
use crate::domain::pricing::quote::QuoteChanges;
use crate::domain::refusal::{Reason, Refusal};
use crate::proto::v1;

/// Most paths of one mask.
const PATHS_MAX: usize = 10;

/// What can be changed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Name,
    Expiry,
    Funds,
}

/// What a request changes: what its mask names; without a mask, what is given.
///
/// # Errors
/// Everything that is wrong with the request.
pub(super) fn changes(
    scope: &ScopeId,
    mask: Option<&prost_types::FieldMask>,
    given: &v1::JointQuote,
) -> Result<QuoteChanges, Refusal> {
    let mut faults = Faults::default();
    let parts = parts(&mut faults, mask, given);
    let mut changes = QuoteChanges::default();
    if parts.contains(&Part::Name) {
        changes.display_name = Some(given.display_name.clone());
    }
    if parts.contains(&Part::Expiry) {
        const FIELD: &str = "joint_quote.expire_time";
        let expiry = given.expire_time.ok_or_else(|| required(FIELD));
        let expiry = expiry.and_then(|expiry| timestamp(FIELD, expiry));
        changes.expires_at = faults.take(expiry.map(Some));
    }
    if parts.contains(&Part::Funds) {
        let field = "joint_quote.vendor_funds";
        let funds = vendor_money(&mut faults, field, scope, &given.vendor_funds);
        changes.vendor_funds = Some(funds);
    }
    faults.finish()?;
    Ok(changes)
}

fn parts(
    faults: &mut Faults,
    mask: Option<&prost_types::FieldMask>,
    given: &v1::JointQuote,
) -> Vec<Part> {
    let paths = mask.map_or(&[][..], |mask| &mask.paths);
    if paths.is_empty() {
        let is_given = |part: &Part| match part {
            Part::Name => !given.display_name.is_empty(),
            Part::Expiry => given.expire_time.is_some(),
            Part::Funds => !given.vendor_funds.is_empty(),
        };
        let all = [Part::Name, Part::Expiry, Part::Funds];
        return all.into_iter().filter(is_given).collect();
    }
    let mut parts = Vec::new();
    for (index, path) in paths.iter().take(PATHS_MAX).enumerate() {
        match path.as_str() {
            "display_name" => parts.push(Part::Name),
            "expire_time" => parts.push(Part::Expiry),
            "vendor_funds" => parts.push(Part::Funds),
            "*" => parts.extend([Part::Name, Part::Expiry, Part::Funds]),
            _ => {
                let field = format!("update_mask.paths[{index}]");
                let rule = "must be display_name, expire_time, vendor_funds, or *";
                faults.add(Reason::InvalidField, field, rule);
            }
        }
    }
    faults.require(
        paths.len() <= PATHS_MAX,
        "update_mask",
        "no more than 10 paths",
    );
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(paths: &[&str]) -> Result<QuoteChanges, Refusal> {
        let mask = prost_types::FieldMask {
            paths: paths.iter().map(|path| (*path).to_owned()).collect(),
        };
        let given = v1::JointQuote {
            display_name: "New".to_owned(),
            ..v1::JointQuote::default()
        };
        changes(&ScopeId::partnership("p"), Some(&mask), &given)
    }

    #[test]
    fn a_mask_says_what_changes() {
        let named = masked(&["display_name"]).unwrap();
        assert_eq!(named.display_name.as_deref(), Some("New"));
        assert_eq!((named.expires_at, named.vendor_funds), (None, None));
        assert_eq!(masked(&[]).unwrap().vendor_funds, None);
        let cleared = masked(&["vendor_funds"]).unwrap();
        assert_eq!(cleared.vendor_funds, Some(Vec::new()));
        assert_eq!(cleared.display_name, None);
        let refusal = masked(&["expire_time", "price"]).unwrap_err();
        let fields: Vec<_> = refusal
            .violations
            .iter()
            .map(|it| it.field.as_str())
            .collect();
        assert_eq!(fields, ["update_mask.paths[1]", "joint_quote.expire_time"]);
        assert_eq!(masked(&["*"; 11]).unwrap_err().violations.len(), 2);
    }
}
