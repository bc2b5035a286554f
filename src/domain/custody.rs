//! What one holds for others, and how they get it back: domains, administrator accounts, licences and
//! backups, the requests to hand them over, the drills for a client's leaving, and who gains by what.
//!
//! Nothing here waits for a partnership to be active: whoever holds what is a client's owes it after
//! the end as well, and that is when it is asked for.

pub mod exit_drill;
pub mod item;
pub mod request;
pub mod secret;
pub mod stake;

#[cfg(test)]
mod tests;

use super::identity::PartyId;
use super::partnership::{Partnership, Party};
use super::refusal::{Reason, Refusal};

/// Whether nobody stands there to act for itself: no firm has joined as that party, or it left.
fn is_absent(partnership: &Partnership, party: &PartyId) -> bool {
    !partnership.party(party).is_some_and(Party::is_present)
}

/// Whether `own` may act for `party`: it is that party, or nobody stands there.
fn acts_for(partnership: &Partnership, own: &Party, party: &PartyId) -> bool {
    own.id == *party || is_absent(partnership, party)
}

/// Refuses what is for one of `parties` alone.
fn require_one_of(
    parties: &[&PartyId],
    partnership: &Partnership,
    own: &Party,
    action: &str,
) -> Result<(), Refusal> {
    if parties
        .iter()
        .any(|party| acts_for(partnership, own, party))
    {
        return Ok(());
    }
    let mut names: Vec<&str> = parties.iter().map(|party| party.as_str()).collect();
    names.dedup();
    let names = names.join(",");
    let message = format!("{action} is for {names} to do");
    Err(Refusal::new(Reason::NotYourCustody, message)
        .with("party_ids", names)
        .with("action", action))
}

/// Refuses a party that the partnership does not have.
fn require_party(partnership: &Partnership, party: &PartyId, field: &str) -> Result<(), Refusal> {
    if partnership.party(party).is_some() {
        return Ok(());
    }
    let rule = "must be a party of the partnership";
    Err(Refusal::field(Reason::InvalidField, field, rule))
}
