//! Places what the floors left over, by its policy.

use super::step::{Phase, Step, allocated};
use super::{DivisionError, Question, ShortfallPolicy, Slice, part};
use crate::domain::pricing::allocation::AllocationError;

/// The steps of those slices that may bear something of it, with their bearing. Nothing goes below a
/// price of zero, and what is passed through at cost bears nothing.
pub(super) fn place(
    shortfall: u64,
    slices: &[Slice],
    weights: &[u64],
    within: &[i64],
    question: &Question,
) -> Result<Vec<(usize, Step)>, DivisionError> {
    if shortfall == 0 {
        return Ok(Vec::new());
    }
    let not_placed = DivisionError::Shortfall { shortfall };
    let absorber = match &question.shortfall {
        ShortfallPolicy::AbsorbedBy(owner) => Some(owner),
        ShortfallPolicy::BelowFloor => None,
        ShortfallPolicy::Reject => return Err(not_placed),
    };
    // A surcharge finds limits only in what is passed through at cost.
    if question.is_surcharge() {
        return Err(not_placed);
    }
    let mut bearing = Vec::with_capacity(slices.len());
    let mut parts = Vec::with_capacity(slices.len());
    for (index, slice) in slices.iter().enumerate() {
        let left = slice.price.saturating_sub(within[index].unsigned_abs());
        let weight = match absorber {
            // Its own affair: by what is left of its prices.
            Some(_) => left,
            None => weights[index],
        };
        if absorber.is_none_or(|owner| *owner == slice.owner) && !slice.is_passed_through {
            bearing.push(index);
            parts.push(part(&slice.id, weight, Some(left)));
        }
    }
    // Fits, since the concession does.
    let amount = shortfall.cast_signed();
    let phase = match absorber {
        Some(_) => Phase::Absorbed,
        None => Phase::Shortfall,
    };
    let placed = match allocated(phase, amount, &parts, question.rounding) {
        Err(AllocationError::NoWeight { .. } | AllocationError::NoParts) => return Err(not_placed),
        other => other?,
    };
    if placed.shortfall > 0 {
        return Err(not_placed);
    }
    Ok(bearing.into_iter().zip(placed.steps).collect())
}

/// Tells what stated amounts take within the floors from what they take beyond, and returns the sum of
/// the latter. They stay as they are stated; the policy only says whether that may be.
pub(super) fn stated(
    slices: &[Slice],
    question: &Question,
    within: &mut [i64],
    beyond: &mut [i64],
) -> Result<u64, DivisionError> {
    let mut shortfall = 0_u64;
    for (index, slice) in slices.iter().enumerate() {
        let share = within[index];
        if slice.is_passed_through && share != 0 {
            let id = slice.id.clone();
            return Err(DivisionError::PassedThrough { id });
        }
        let over = share.unsigned_abs().saturating_sub(slice.room());
        if question.is_surcharge() || over == 0 {
            continue;
        }
        let may = match &question.shortfall {
            ShortfallPolicy::Reject => false,
            ShortfallPolicy::AbsorbedBy(owner) => *owner == slice.owner,
            ShortfallPolicy::BelowFloor => true,
        };
        if !may {
            let id = slice.id.clone();
            return Err(DivisionError::StatedBelowFloor { id });
        }
        // Both are parts of a stated amount, which is not negative here.
        beyond[index] = over.cast_signed();
        within[index] = share - over.cast_signed();
        shortfall = shortfall.saturating_add(over);
    }
    Ok(shortfall)
}
