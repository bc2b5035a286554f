//! What the records of this service have in common, as the contract writes it.

use crate::api::convert::to_firm;
use crate::api::listing::name_in;
use crate::domain::aggregate::By;
use crate::domain::identity::{PartyId, ScopeId};

/// A party; `None` for an empty one.
pub(super) fn party(id: &str) -> Option<PartyId> {
    (!id.is_empty()).then(|| PartyId::from_text(id))
}

/// Parties; up to one more than are allowed, so that it is noticed.
pub(super) fn parties(ids: &[String]) -> Vec<PartyId> {
    let most = crate::domain::partnership::PARTIES_MAX + 1;
    let some = ids.iter().take(most);
    some.map(|id| PartyId::from_text(id)).collect()
}

/// Parties as the contract shows them.
pub(super) fn to_parties(parties: &[PartyId]) -> Vec<String> {
    parties.iter().map(ToString::to_string).collect()
}

/// Who said something: party and firm.
pub(super) fn to_by(by: &By) -> (String, String) {
    (by.party.to_string(), to_firm(Some(&by.firm)))
}

/// The name of a record that may not be named; empty then.
pub(super) fn to_name(scope: &ScopeId, collection: &str, id: Option<&String>) -> String {
    id.map_or_else(String::new, |id| name_in(scope, collection, id))
}
