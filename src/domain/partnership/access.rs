//! Who may act on a partnership, and whether it still allows that.

use super::ending::require_workable;
use super::{Partnership, Party};
use crate::domain::identity::FirmId;
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::time::Timestamp;
use crate::domain::world::{Stop, View};

/// The partnership of the view's scope and the party that `firm` is in it.
///
/// # Errors
/// [`Reason::NotFound`] for a stranger, as if there were no such partnership.
pub fn as_party<'world>(
    firm: &FirmId,
    view: &View<'world>,
) -> Result<(&'world Partnership, &'world Party), Stop> {
    let id = view.scope.id();
    let partnership = view
        .find::<Partnership>(id)?
        .ok_or_else(|| Refusal::not_found("partnership"))?;
    let party = partnership
        .party_of(firm)
        .ok_or_else(|| Refusal::not_found("partnership"))?;
    Ok((partnership, party))
}

/// As [`as_party`], for what a firm that left may not do.
///
/// # Errors
/// [`Reason::NotFound`] for a stranger, [`Reason::PartyLeft`] for a firm that left.
pub fn as_present_party<'world>(
    firm: &FirmId,
    view: &View<'world>,
) -> Result<(&'world Partnership, &'world Party), Stop> {
    let (partnership, party) = as_party(firm, view)?;
    require_present(party)?;
    Ok((partnership, party))
}

/// Refuses what a firm that left may not do.
///
/// # Errors
/// [`Reason::PartyLeft`], with when.
pub fn require_present(party: &Party) -> Result<(), Refusal> {
    let Some(left) = &party.left else {
        return Ok(());
    };
    let message = "the firm left the partnership; it may read the journal up to then";
    Err(Refusal::new(Reason::PartyLeft, message)
        .with("party_id", &party.id)
        .with("leave_time", left.at)
        .with("leave_sequence", left.sequence))
}

/// As [`as_present_party`], for what an ended partnership no longer allows.
///
/// # Errors
/// [`Reason::NotFound`] for a stranger, [`Reason::PartyLeft`] for a firm that left,
/// [`Reason::PartnershipEnded`] after the end.
pub fn as_active_party<'world>(
    firm: &FirmId,
    view: &View<'world>,
) -> Result<(&'world Partnership, &'world Party), Stop> {
    let (partnership, party) = as_present_party(firm, view)?;
    require_active(partnership, view.now)?;
    Ok((partnership, party))
}

/// Refuses what an ended partnership no longer allows.
///
/// # Errors
/// [`Reason::PartnershipEnded`] after the end.
pub fn require_active(partnership: &Partnership, now: Timestamp) -> Result<(), Refusal> {
    require_workable(partnership, None, now)
}
