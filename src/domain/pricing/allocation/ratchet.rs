//! Splits a growing amount so that nobody's share ever falls while it grows.
//!
//! By largest remainder, with three parts or more, a concession that grows by one minor unit can
//! take a unit away from somebody (the Alabama paradox). Here every unit goes, one after the other,
//! to the part with the largest `weight / (2 * units so far + 1)` among those that can bear more
//! (Webster, Sainte-Laguë). The first units of a larger amount are those of a smaller one, so shares
//! only grow, and the result does not depend on the steps in which the amount was reached.
//!
//! Units are not counted out one by one: shares rounded at one level for all are a beginning of that
//! sequence, at most one unit for each part away from the whole.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::AllocationError;
use super::within::{LimitedPart, allocate_within};

/// What one part got, and every number that led to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RatchetShare {
    /// The part's id.
    pub id: String,
    /// The part's weight.
    pub weight: u64,
    /// What it bears at most, without sign.
    pub most: Option<u64>,
    /// Its share at the common level, rounded, without sign.
    pub start: u64,
    /// By how many units that was corrected, so that the shares add up.
    pub correction: i64,
    /// The result in minor units, with the amount's sign.
    pub share: i64,
}

/// An amount split so that shares only grow with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RatchetAllocation {
    /// What was to be split, in minor units; negative for a credit.
    pub amount: i64,
    /// One share for each part, in the order in which the parts were given.
    pub shares: Vec<RatchetShare>,
    /// What nobody can bear, without sign.
    pub shortfall: u64,
}

/// Splits `amount` over `parts`, none of which may have pledged anything, by the largest next
/// average. Equal averages go to the smaller id.
///
/// # Errors
/// As [`allocate_within`]; moreover [`AllocationError::LimitsCrossed`] for a part with a pledge: it
/// would jump to it, which is no ratchet.
pub fn allocate_ratchet(
    amount: i64,
    parts: &[LimitedPart],
) -> Result<RatchetAllocation, AllocationError> {
    if let Some(part) = parts.iter().find(|part| part.least > 0) {
        return Err(AllocationError::LimitsCrossed {
            id: part.id.clone(),
        });
    }
    let level = allocate_within(amount, parts)?;
    let borne = amount.unsigned_abs() - level.shortfall;
    let rounded = |part: &LimitedPart| {
        let mut open = level.rest.iter().flat_map(|rest| {
            let total = rest.weight_total;
            rest.shares.iter().map(move |share| (share, total))
        });
        match open.find(|(share, _)| share.id == part.id) {
            // Half a unit is rounded down: its average is not larger than the level's.
            Some((share, total)) => {
                let is_more_than_half = u128::from(share.remainder) * 2 > u128::from(total);
                share.floor + u64::from(is_more_than_half)
            }
            None => level.share_of(&part.id).unsigned_abs(),
        }
    };
    let mut counts: Vec<Count<'_>> = parts
        .iter()
        .map(|part| Count {
            part,
            units: rounded(part),
        })
        .collect();
    let starts: Vec<u64> = counts.iter().map(|count| count.units).collect();
    settle(&mut counts, borne);
    let share = |(count, start): (&Count<'_>, u64)| RatchetShare {
        id: count.part.id.clone(),
        weight: count.part.weight,
        most: count.part.most,
        start,
        correction: count.units.cast_signed() - start.cast_signed(),
        share: if amount < 0 {
            -count.units.cast_signed()
        } else {
            count.units.cast_signed()
        },
    };
    Ok(RatchetAllocation {
        amount,
        shares: counts.iter().zip(starts).map(share).collect(),
        shortfall: level.shortfall,
    })
}

/// How many units a part has so far.
struct Count<'parts> {
    part: &'parts LimitedPart,
    units: u64,
}

impl Count<'_> {
    /// Whether it can bear another unit.
    fn is_open(&self) -> bool {
        self.part.weight > 0 && self.part.most.is_none_or(|most| self.units < most)
    }

    /// Compares the averages with which two parts get their `left`th and `right`th unit; the one
    /// that comes first is greater. A weight times twice a 63-bit count fits 128 bits.
    fn order(&self, unit: u64, other: &Self, other_unit: u64) -> Ordering {
        let odd = |unit: u64| u128::from(unit) * 2 - 1;
        let own = u128::from(self.part.weight) * odd(other_unit);
        let others = u128::from(other.part.weight) * odd(unit);
        own.cmp(&others)
            .then_with(|| other.part.id.cmp(&self.part.id))
    }
}

/// Gives the units that are missing, or takes back the last ones, until there are `borne` together.
fn settle(counts: &mut [Count<'_>], borne: u64) {
    let mut sum: u64 = counts.iter().map(|count| count.units).sum();
    while sum < borne {
        let open = counts.iter_mut().filter(|count| count.is_open());
        let Some(next) =
            open.max_by(|left, right| left.order(left.units + 1, right, right.units + 1))
        else {
            return;
        };
        next.units += 1;
        sum += 1;
    }
    while sum > borne {
        let given = counts.iter_mut().filter(|count| count.units > 0);
        let Some(last) = given.min_by(|left, right| left.order(left.units, right, right.units))
        else {
            return;
        };
        last.units -= 1;
        sum -= 1;
    }
}
