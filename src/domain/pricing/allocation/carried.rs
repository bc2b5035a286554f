//! Carries fractions forward from one split to the next, so that over many splits nobody gains.
//!
//! A split by largest remainder leaves each part less than one minor unit from its exact share. The
//! same parties with the same weights lose the same fraction every time. With fractions carried, a
//! part's rank is its remainder plus what earlier splits owe it, and what this one owes is kept in
//! turn. Still only parts with a remainder can get a spare unit.
//!
//! The result depends on the splits before, so the fractions before and after are part of it.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Allocation, AllocationError, Part, allocate};

/// Fractions are counted in billionths of a minor unit.
pub const FRACTIONS_PER_UNIT: i64 = 1_000_000_000;
/// The largest fraction that may be carried either way: 200 minor units. Beyond it the fractions are
/// not ones that this method leaves.
pub const CARRIED_MAX: i64 = 200 * FRACTIONS_PER_UNIT;

/// What a part is owed in fractions, before and after a split, in billionths of a minor unit. More
/// than zero: the part got less than its exact share so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Carried {
    /// The part's id.
    pub id: String,
    /// Owed before.
    pub before: i64,
    /// Owed after.
    pub after: i64,
}

/// A split with fractions carried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CarriedAllocation {
    /// The split. Its ranks follow from remainders and fractions together.
    pub allocation: Allocation,
    /// The fractions of each part, in the order of the shares.
    pub carried: Vec<Carried>,
}

/// Splits `amount` over `parts`; `owed` are the fractions that earlier splits left, by part. A part
/// that is not named is owed nothing.
///
/// # Errors
/// As [`allocate`]; moreover [`AllocationError::CarriedOutOfRange`] for a fraction beyond
/// [`CARRIED_MAX`].
pub fn allocate_carrying(
    amount: i64,
    parts: &[Part],
    owed: &BTreeMap<String, i64>,
) -> Result<CarriedAllocation, AllocationError> {
    let out_of_range =
        |(_, owed): &(&String, &i64)| owed.unsigned_abs() > CARRIED_MAX.unsigned_abs();
    if let Some((id, _)) = owed.iter().find(out_of_range) {
        return Err(AllocationError::CarriedOutOfRange { id: id.clone() });
    }
    let mut allocation = allocate(amount, parts)?;
    // A credit is the mirror of a debit: what is owed counts the other way round.
    let sign = if amount < 0 { -1 } else { 1 };
    let before = |id: &str| sign * owed.get(id).copied().unwrap_or_default();
    let total = allocation.weight_total.max(1);
    let fraction = |remainder: u64| fractions(remainder, total);
    let spare_units = allocation
        .shares
        .iter()
        .filter(|share| share.spare_unit)
        .count();
    let mut ranked: Vec<_> = allocation
        .shares
        .iter_mut()
        .filter(|share| share.remainder > 0)
        .collect();
    ranked.sort_by_key(|share| {
        let claim = fraction(share.remainder) + before(&share.id);
        (Reverse((claim, share.remainder)), share.id.clone())
    });
    for (place, (rank, share)) in (1_u32..).zip(ranked).enumerate() {
        share.rank = Some(rank);
        share.spare_unit = place < spare_units;
        let size = (share.floor + u64::from(share.spare_unit)).cast_signed();
        share.share = sign * size;
    }
    let carried = allocation
        .shares
        .iter()
        .map(|share| {
            let got = i64::from(share.spare_unit) * FRACTIONS_PER_UNIT;
            let after = before(&share.id) + fraction(share.remainder) - got;
            Carried {
                id: share.id.clone(),
                before: sign * before(&share.id),
                after: sign * after,
            }
        })
        .collect();
    Ok(CarriedAllocation {
        allocation,
        carried,
    })
}

/// A remainder in billionths of a minor unit, rounded down. A remainder is less than the total, so
/// this is less than a unit.
fn fractions(remainder: u64, total: u64) -> i64 {
    let scaled = u128::from(remainder) * u128::from(FRACTIONS_PER_UNIT.unsigned_abs());
    i64::try_from(scaled / u128::from(total)).unwrap_or(FRACTIONS_PER_UNIT)
}
