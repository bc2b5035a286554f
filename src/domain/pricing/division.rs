//! Divides a concession over the slices of a quote: who bears which part of it, and why.
//!
//! A basis gives the weights, floors give the limits, and [`allocation`](super::allocation) does the
//! rest. What the floors leave over is the shortfall; a stated policy says what becomes of it. A
//! negative concession is a surcharge: it goes by the same weights, and no floor limits it.

mod error;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::allocation::ratchet::allocate_ratchet;
use super::allocation::within::{LimitedPart, allocate_within};
use super::allocation::{AllocationError, ENGINE_VERSION};

pub use error::DivisionError;

/// Basis points of the whole.
pub const BPS_TOTAL: u64 = 10_000;

/// What one owner sells within a quote, at one price. Amounts are in minor units of one currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slice {
    /// What it is called; unique within the quote. Ties go to the id that is smaller byte by byte.
    pub id: String,
    /// Who sells it and bears its part.
    pub owner: String,
    /// Its price before any concession.
    pub price: u64,
    /// What it costs its owner, where that is known here.
    #[serde(default)]
    pub cost: Option<u64>,
    /// The least price that its owner declares for it; no more than the price. Default: zero.
    #[serde(default)]
    pub floor: u64,
    /// Whether it is passed through at cost: it bears nothing.
    #[serde(default)]
    pub is_passed_through: bool,
}

impl Slice {
    /// What it can bear: its price down to its floor; nothing, if it is passed through at cost.
    #[must_use]
    pub const fn room(&self) -> u64 {
        if self.is_passed_through {
            0
        } else {
            self.price.saturating_sub(self.floor)
        }
    }
}

/// By what measure a concession is divided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// By what each slice costs.
    Cost,
    /// By what each slice earns: its price less its cost, zero if that is negative.
    Margin,
    /// By each slice's price.
    Price,
    /// By fixed basis points of each owner, 10,000 together; an owner's part by the prices of its
    /// slices.
    FixedBps(BTreeMap<String, u64>),
    /// As stated for each slice, in minor units; together exactly the concession.
    Custom(BTreeMap<String, i64>),
}

/// What becomes of what the floors leave over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShortfallPolicy {
    /// Nothing is divided.
    #[default]
    Reject,
    /// This owner bears it with its own slices, below their floors if need be.
    AbsorbedBy(String),
    /// All bear it by the same measure, below their floors; every owner concerned has to consent to
    /// just that.
    BelowFloor,
}

/// How single minor units are given out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// By largest remainder.
    #[default]
    LargestRemainder,
    /// So that nobody's part falls when the concession grows.
    Ratchet,
}

/// What is to be divided, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// The concession in minor units, all of it so far; negative for a surcharge.
    pub concession: i64,
    /// By what measure.
    pub measure: Measure,
    /// What becomes of what the floors leave over.
    #[serde(default)]
    pub shortfall: ShortfallPolicy,
    /// How single minor units are given out.
    #[serde(default)]
    pub rounding: Rounding,
}

/// What one slice bears, and every number that led to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// The slice's id.
    pub id: String,
    /// Who bears it.
    pub owner: String,
    /// Its weight by the measure.
    pub weight: u64,
    /// What it can bear before its floor.
    pub room: u64,
    /// What it bears within its floor.
    pub within_floor: i64,
    /// What it bears beyond that, by the shortfall's policy.
    pub beyond_floor: i64,
    /// What it bears in all; negative for a surcharge.
    pub share: i64,
    /// Its price before.
    pub price_before: u64,
    /// Its price after.
    pub price_after: u64,
    /// Whether it lies at its floor, with no room left.
    pub is_at_floor: bool,
}

/// A concession divided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Division {
    /// The concession.
    pub concession: i64,
    /// One part for each slice, zero ones too, in the order of the slices.
    pub parts: Vec<Part>,
    /// What the floors left over, however it was placed.
    pub shortfall: u64,
    /// Sum of all prices before.
    pub price_before: u64,
    /// Sum of all prices after.
    pub price_after: u64,
    /// Version of the method.
    pub engine_version: u32,
}

/// Divides a concession over `slices`.
///
/// # Errors
/// Every variant of [`DivisionError`].
pub fn divide(slices: &[Slice], question: &Question) -> Result<Division, DivisionError> {
    check(slices)?;
    let weights = weights(slices, question)?;
    let is_surcharge = question.concession < 0;
    let limited = |slice: &Slice| (!is_surcharge).then(|| slice.room());
    let (within, shortfall) = match &question.measure {
        Measure::Custom(stated) => (custom(slices, stated), 0),
        Measure::FixedBps(shares) => by_owner(slices, shares, question, limited)?,
        _ => {
            let parts = slices.iter().zip(&weights);
            let parts = parts.map(|(slice, weight)| part(&slice.id, *weight, limited(slice)));
            allocated(
                question.concession,
                &parts.collect::<Vec<_>>(),
                question.rounding,
            )?
        }
    };
    let beyond = place(shortfall, slices, &weights, &within, question)?;
    let mut parts = Vec::with_capacity(slices.len());
    for (index, slice) in slices.iter().enumerate() {
        parts.push(outcome(
            slice,
            weights[index],
            within[index],
            beyond[index],
        )?);
    }
    let sum = |amount: fn(&Part) -> u64| {
        let mut amounts = parts.iter().map(amount);
        amounts.try_fold(0_u64, u64::checked_add)
    };
    let out_of_range = || AllocationError::AmountOutOfRange {
        amount: question.concession,
    };
    Ok(Division {
        concession: question.concession,
        shortfall,
        price_before: sum(|part| part.price_before).ok_or_else(out_of_range)?,
        price_after: sum(|part| part.price_after).ok_or_else(out_of_range)?,
        parts,
        engine_version: ENGINE_VERSION,
    })
}

fn check(slices: &[Slice]) -> Result<(), DivisionError> {
    match slices.iter().find(|slice| slice.floor > slice.price) {
        Some(slice) => Err(DivisionError::FloorAbovePrice {
            id: slice.id.clone(),
        }),
        None => Ok(()),
    }
}

fn part(id: &str, weight: u64, most: Option<u64>) -> LimitedPart {
    LimitedPart {
        id: id.to_owned(),
        weight,
        least: 0,
        most,
    }
}

/// The weight of each slice by the measure.
fn weights(slices: &[Slice], question: &Question) -> Result<Vec<u64>, DivisionError> {
    let known = |slice: &Slice| {
        slice.cost.ok_or_else(|| DivisionError::CostUnknown {
            id: slice.id.clone(),
        })
    };
    match &question.measure {
        Measure::Cost => slices.iter().map(known).collect(),
        Measure::Margin => slices
            .iter()
            .map(|slice| Ok(slice.price.saturating_sub(known(slice)?)))
            .collect(),
        Measure::Price => Ok(slices.iter().map(|slice| slice.price).collect()),
        Measure::FixedBps(shares) => {
            let total: u128 = shares.values().map(|share| u128::from(*share)).sum();
            if total != u128::from(BPS_TOTAL) {
                return Err(DivisionError::SharesDoNotAddUp { total });
            }
            let sells = |owner: &String| slices.iter().any(|slice| slice.owner == *owner);
            if let Some((owner, _)) = shares
                .iter()
                .find(|(owner, bps)| **bps > 0 && !sells(owner))
            {
                return Err(DivisionError::NothingSold {
                    owner: owner.clone(),
                });
            }
            Ok(slices.iter().map(|slice| slice.price).collect())
        }
        Measure::Custom(stated) => {
            let sum: i128 = stated.values().map(|amount| i128::from(*amount)).sum();
            let is_of_a_slice = |id: &String| slices.iter().any(|slice| slice.id == *id);
            if let Some((id, _)) = stated.iter().find(|(id, _)| !is_of_a_slice(id)) {
                return Err(DivisionError::SliceUnknown { id: id.clone() });
            }
            let total = i128::from(question.concession);
            if sum != total {
                return Err(DivisionError::CustomDoesNotAddUp { sum, total });
            }
            let amounts = slices.iter().map(|slice| stated.get(&slice.id));
            Ok(amounts
                .map(|amount| amount.map_or(0, |amount| amount.unsigned_abs()))
                .collect())
        }
    }
}

fn custom(slices: &[Slice], stated: &BTreeMap<String, i64>) -> Vec<i64> {
    let amounts = slices.iter().map(|slice| stated.get(&slice.id).copied());
    amounts.map(Option::unwrap_or_default).collect()
}

/// First over the owners by their basis points, then each one's part over its own slices by price.
/// An owner bears no more than its slices can.
fn by_owner(
    slices: &[Slice],
    shares: &BTreeMap<String, u64>,
    question: &Question,
    limited: impl Fn(&Slice) -> Option<u64>,
) -> Result<(Vec<i64>, u64), DivisionError> {
    let room = |owner: &str| {
        of(slices, owner).try_fold(0_u64, |room, slice| {
            Some(room.saturating_add(limited(slice)?))
        })
    };
    let owners: Vec<LimitedPart> = shares
        .iter()
        .map(|(owner, bps)| part(owner, *bps, room(owner)))
        .collect();
    let (amounts, shortfall) = allocated(question.concession, &owners, question.rounding)?;
    let mut found = BTreeMap::new();
    for (owner, amount) in owners.iter().zip(amounts) {
        let own: Vec<LimitedPart> = of(slices, &owner.id)
            .map(|slice| part(&slice.id, slice.price, limited(slice)))
            .collect();
        if own.is_empty() {
            continue;
        }
        let (parts, left) = allocated(amount, &own, question.rounding)?;
        if left > 0 {
            // Only slices without a price can leave something over that their owner had room for.
            return Err(DivisionError::NothingSold {
                owner: owner.id.clone(),
            });
        }
        found.extend(own.into_iter().map(|slice| slice.id).zip(parts));
    }
    let within = slices.iter().map(|slice| found.get(&slice.id).copied());
    Ok((within.map(Option::unwrap_or_default).collect(), shortfall))
}

/// The slices of an owner.
fn of<'slices>(
    slices: &'slices [Slice],
    owner: &'slices str,
) -> impl Iterator<Item = &'slices Slice> {
    slices.iter().filter(move |slice| slice.owner == owner)
}

/// The shares in the order of `parts`, and what they leave over.
fn allocated(
    amount: i64,
    parts: &[LimitedPart],
    rounding: Rounding,
) -> Result<(Vec<i64>, u64), AllocationError> {
    Ok(match rounding {
        Rounding::LargestRemainder => {
            let split = allocate_within(amount, parts)?;
            (split.shares(parts), split.shortfall)
        }
        Rounding::Ratchet => {
            let split = allocate_ratchet(amount, parts)?;
            let shares = split.shares.iter().map(|share| share.share);
            (shares.collect(), split.shortfall)
        }
    })
}

/// Places what the floors left over, by its policy. Nothing goes below a price of zero, and what is
/// passed through at cost bears nothing.
fn place(
    shortfall: u64,
    slices: &[Slice],
    weights: &[u64],
    within: &[i64],
    question: &Question,
) -> Result<Vec<i64>, DivisionError> {
    if shortfall == 0 {
        return Ok(vec![0; slices.len()]);
    }
    let not_placed = DivisionError::Shortfall { shortfall };
    let absorber = match &question.shortfall {
        ShortfallPolicy::Reject => return Err(not_placed),
        ShortfallPolicy::AbsorbedBy(owner) => Some(owner),
        ShortfallPolicy::BelowFloor => None,
    };
    let mut parts = Vec::with_capacity(slices.len());
    for (index, slice) in slices.iter().enumerate() {
        let left = slice.price.saturating_sub(within[index].unsigned_abs());
        let bears = absorber.is_none_or(|owner| *owner == slice.owner) && !slice.is_passed_through;
        let weight = match absorber {
            // Its own affair: by what is left of its prices.
            Some(_) => left,
            None => weights[index],
        };
        let weight = if bears { weight } else { 0 };
        parts.push(part(&slice.id, weight, Some(left)));
    }
    // Fits, since the concession does.
    let (placed, left) = match allocated(shortfall.cast_signed(), &parts, question.rounding) {
        Err(AllocationError::NoWeight { .. }) => return Err(not_placed),
        other => other?,
    };
    if left > 0 {
        return Err(not_placed);
    }
    Ok(placed)
}

fn outcome(slice: &Slice, weight: u64, within: i64, beyond: i64) -> Result<Part, DivisionError> {
    let out_of_range = || AllocationError::AmountOutOfRange { amount: within };
    let share = within.checked_add(beyond).ok_or_else(out_of_range)?;
    let after = i128::from(slice.price) - i128::from(share);
    let Ok(price_after) = u64::try_from(after) else {
        return Err(DivisionError::BelowZero {
            id: slice.id.clone(),
        });
    };
    Ok(Part {
        id: slice.id.clone(),
        owner: slice.owner.clone(),
        weight,
        room: slice.room(),
        within_floor: within,
        beyond_floor: beyond,
        share,
        price_before: slice.price,
        price_after,
        is_at_floor: share >= 0 && share.unsigned_abs() >= slice.room(),
    })
}
