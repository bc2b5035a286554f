//! Spreads an amount evenly over time.
//!
//! Periods have a natural order, so the remainder needs no ranks: period `k` of `n` gets what the
//! first `k` should have together, rounded down, less what the first `k - 1` got. The amounts differ
//! by at most one minor unit and add up exactly at the end, and nearly so at any time before.

use super::AllocationError;

/// Most periods that an amount is spread over: ten years of months.
pub const PERIODS_MAX: u32 = 120;

/// What each of `periods` periods gets of `amount`, in order.
///
/// # Errors
/// [`AllocationError::NoParts`] for no period, [`AllocationError::TooManyParts`] beyond
/// [`PERIODS_MAX`], [`AllocationError::AmountOutOfRange`] for an amount without an opposite.
pub fn spread(amount: i64, periods: u32) -> Result<Vec<i64>, AllocationError> {
    if amount == i64::MIN {
        return Err(AllocationError::AmountOutOfRange { amount });
    }
    if periods == 0 {
        return Err(AllocationError::NoParts);
    }
    if periods > PERIODS_MAX {
        let count = usize::try_from(periods).unwrap_or(usize::MAX);
        return Err(AllocationError::TooManyParts { count });
    }
    let sign = if amount < 0 { -1 } else { 1 };
    let so_far = |count: u32| {
        let product = u128::from(amount.unsigned_abs()) * u128::from(count);
        // At most the amount itself.
        i64::try_from(product / u128::from(periods)).unwrap_or(i64::MAX)
    };
    Ok((1..=periods)
        .map(|period| sign * (so_far(period) - so_far(period - 1)))
        .collect())
}
