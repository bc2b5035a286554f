//! Takes back an amount that was split, in the proportions in which it was split.
//!
//! A reversal never calculates anew: recorded shares are its weights, and what was not taken back of
//! each is the most that can be. Therefore partial reversals in any steps end at exactly zero for
//! everybody.

use super::AllocationError;
use super::within::{LimitedAllocation, LimitedPart, allocate_within};

/// A share as it was recorded, and what earlier reversals took back of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The part's id.
    pub id: String,
    /// Its recorded share, with the sign of the amount that was split.
    pub share: i64,
    /// What was taken back of it so far, with the same sign.
    pub reversed: i64,
}

/// Splits `amount`, which is taken back, over the recorded shares. It has the sign of what was split:
/// to take back 5.00 of a concession of 20.00, give 5.00.
///
/// # Errors
/// [`AllocationError::NotReversible`] if it is more than is left, of the other sign, or if the
/// recorded shares are not of one sign or were taken back too far; otherwise as [`allocate_within`].
pub fn reverse(amount: i64, recorded: &[Recorded]) -> Result<LimitedAllocation, AllocationError> {
    let mut parts = Vec::with_capacity(recorded.len());
    for part in recorded {
        let left = part.share.checked_sub(part.reversed);
        let fits = |number: i64| number == 0 || (number < 0) == (amount < 0);
        let left = left.filter(|left| [part.share, part.reversed, *left].into_iter().all(fits));
        let Some(left) = left else {
            return Err(AllocationError::NotReversible { amount });
        };
        parts.push(LimitedPart {
            id: part.id.clone(),
            weight: part.share.unsigned_abs(),
            least: 0,
            most: Some(left.unsigned_abs()),
        });
    }
    let taken = allocate_within(amount, &parts)?;
    if taken.shortfall > 0 {
        return Err(AllocationError::NotReversible { amount });
    }
    Ok(taken)
}
