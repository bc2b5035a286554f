//! Divides a concession over the slices of a quote: who bears which part of it, and why.
//!
//! A basis gives the weights, floors give the limits, and [`allocation`](super::allocation) does the
//! rest. What the floors leave over is the shortfall; a stated policy says what becomes of it. A
//! negative concession is a surcharge: it goes by the same weights, and no floor limits it. Every part
//! keeps the steps that led to it, so it can explain itself.

mod band;
mod error;
mod explain;
mod owners;
mod question;
mod shortfall;
mod step;
#[cfg(test)]
mod tests;
mod weights;

use serde::{Deserialize, Serialize};

use super::allocation::carried::Carried;
use super::allocation::within::LimitedPart;
use super::allocation::{AllocationError, ENGINE_VERSION};

pub use band::CostBand;
pub use error::{DivisionError, Obstacle};
pub use question::{Measure, MeasureKind, OwnerLimits, Question, Rounding, ShortfallPolicy, Slice};
pub use step::{How, Met, Owed, OwnerLimit, Phase, Ratchet, Remainder, Step};

/// Basis points of the whole.
pub const BPS_TOTAL: u64 = 10_000;

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
    /// How that came about, step by step.
    pub steps: Vec<Step>,
}

/// A concession divided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Division {
    /// The concession.
    pub concession: i64,
    /// By what measure it was divided.
    pub measure: MeasureKind,
    /// One part for each slice, zero ones too, in the order of the slices.
    pub parts: Vec<Part>,
    /// What the floors left over, however it was placed.
    pub shortfall: u64,
    /// Sum of all prices before.
    pub price_before: u64,
    /// Sum of all prices after.
    pub price_after: u64,
    /// The fractions owed to each owner of a slice before and after, by owner, if they are carried.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub carried: Vec<Carried>,
    /// Version of the method.
    pub engine_version: u32,
}

/// Divides a concession over `slices`.
///
/// # Errors
/// Every variant of [`DivisionError`].
pub fn divide(slices: &[Slice], question: &Question) -> Result<Division, DivisionError> {
    weights::check(slices, question)?;
    let weights = weights::weights(slices, question)?;
    let (mut steps, mut shortfall, carried) = within(slices, &weights, question)?;
    let shares = steps.iter().map(|steps| last_share(steps));
    let mut within: Vec<i64> = shares.collect();
    let mut beyond = vec![0; slices.len()];
    if let Measure::Custom(_) = question.measure {
        shortfall = shortfall::stated(slices, question, &mut within, &mut beyond)?;
    } else {
        let placed = shortfall::place(shortfall, slices, &weights, &within, question)?;
        for (index, placed) in placed.into_iter().enumerate() {
            beyond[index] = last_share(&placed);
            steps[index].extend(placed);
        }
    }
    let mut parts = Vec::with_capacity(slices.len());
    for (index, (slice, steps)) in slices.iter().zip(steps).enumerate() {
        let shares = (within[index], beyond[index]);
        parts.push(outcome(slice, weights[index], shares, steps)?);
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
        measure: question.measure.kind(),
        shortfall,
        price_before: sum(|part| part.price_before).ok_or_else(out_of_range)?,
        price_after: sum(|part| part.price_after).ok_or_else(out_of_range)?,
        parts,
        carried,
        engine_version: ENGINE_VERSION,
    })
}

/// The steps within the floors, what these leave over, and the fractions carried.
type Within = (Vec<Vec<Step>>, u64, Vec<Carried>);

fn within(slices: &[Slice], weights: &[u64], question: &Question) -> Result<Within, DivisionError> {
    if let Measure::Custom(stated) = &question.measure {
        let step = |(slice, weight): (&Slice, &u64)| Step {
            phase: Phase::Slices,
            amount: question.concession,
            weight: *weight,
            how: How::Stated,
            share: stated.get(&slice.id).copied().unwrap_or_default(),
        };
        let steps = slices.iter().zip(weights).map(|pair| vec![step(pair)]);
        return Ok((steps.collect(), 0, Vec::new()));
    }
    let is_by_owner = matches!(question.measure, Measure::FixedBps(_))
        || !question.limits.is_empty()
        || question.owed.is_some();
    if is_by_owner {
        let both = owners::by_owner(slices, weights, question)?;
        return Ok((both.steps, both.shortfall, both.carried));
    }
    let parts: Vec<LimitedPart> = slices
        .iter()
        .zip(weights)
        .map(|(slice, weight)| part(&slice.id, *weight, limit(slice, question)))
        .collect();
    let amount = question.concession;
    let split = step::allocated(Phase::Slices, amount, &parts, question.rounding)?;
    let steps = split.steps.into_iter().map(|step| vec![step]);
    Ok((steps.collect(), split.shortfall, Vec::new()))
}

/// What came of the last step.
fn last_share(steps: &[Step]) -> i64 {
    steps.last().map_or(0, |step| step.share)
}

fn part(id: &str, weight: u64, most: Option<u64>) -> LimitedPart {
    LimitedPart {
        id: id.to_owned(),
        weight,
        least: 0,
        most,
    }
}

/// What a slice bears at most, without sign; `None` for as much as there is.
const fn limit(slice: &Slice, question: &Question) -> Option<u64> {
    if slice.is_passed_through || !question.is_surcharge() {
        Some(slice.room())
    } else {
        None
    }
}

fn outcome(
    slice: &Slice,
    weight: u64,
    (within, beyond): (i64, i64),
    steps: Vec<Step>,
) -> Result<Part, DivisionError> {
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
        steps,
    })
}
