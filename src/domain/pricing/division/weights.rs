//! The weights that a measure gives, and whether what it states fits the slices.

use std::collections::{BTreeMap, HashSet};

use super::band::CostBand;
use super::{BPS_TOTAL, DivisionError, Measure, Obstacle, Question, Rounding, Slice};
use crate::domain::pricing::allocation::{AllocationError, PARTS_MAX};

/// Everything that can be wrong with the slices alone, or with the question's rules.
pub(super) fn check(slices: &[Slice], question: &Question) -> Result<(), DivisionError> {
    let amount = question.concession;
    if amount == i64::MIN {
        return Err(AllocationError::AmountOutOfRange { amount }.into());
    }
    if slices.is_empty() {
        return Err(AllocationError::NoParts.into());
    }
    if slices.len() > PARTS_MAX {
        let count = slices.len();
        return Err(AllocationError::TooManyParts { count }.into());
    }
    if let Some(slice) = repeated(slices) {
        let id = slice.id.clone();
        return Err(AllocationError::DuplicatePart { id }.into());
    }
    if let Some(slice) = slices.iter().find(|slice| slice.floor > slice.price) {
        let id = slice.id.clone();
        return Err(DivisionError::FloorAbovePrice { id });
    }
    for (owner, limits) in &question.limits {
        let most = limits.most_bps.unwrap_or(BPS_TOTAL);
        if most > BPS_TOTAL || limits.least_bps > most {
            let owner = owner.clone();
            return Err(DivisionError::LimitsInvalid { owner });
        }
        if limits.least_bps > 0 && !sells(slices, owner) {
            let owner = owner.clone();
            return Err(DivisionError::NothingSold { owner });
        }
    }
    check_carrying(slices, question)
}

/// A slice whose id another one has, too.
fn repeated(slices: &[Slice]) -> Option<&Slice> {
    // In the order of their ids, as most quotes are, nothing needs to be remembered.
    if slices.windows(2).all(|pair| pair[0].id < pair[1].id) {
        return None;
    }
    let mut seen = HashSet::with_capacity(slices.len());
    slices.iter().find(|slice| !seen.insert(slice.id.as_str()))
}

fn check_carrying(slices: &[Slice], question: &Question) -> Result<(), DivisionError> {
    if question.owed.is_none() {
        return Ok(());
    }
    let obstacle = if !matches!(question.measure, Measure::Price | Measure::FixedBps(_)) {
        Obstacle::Measure
    } else if question.rounding == Rounding::Ratchet {
        Obstacle::Rounding
    } else if !question.limits.is_empty() {
        Obstacle::Limits
    } else if slices.iter().any(|slice| slice.floor > 0) {
        Obstacle::Floors
    } else {
        return Ok(());
    };
    Err(DivisionError::CannotCarry { obstacle })
}

/// The weight of each slice by the measure.
pub(super) fn weights(slices: &[Slice], question: &Question) -> Result<Vec<u64>, DivisionError> {
    let prices = || slices.iter().map(|slice| slice.price).collect();
    match &question.measure {
        Measure::Cost => slices.iter().map(cost).collect(),
        Measure::Margin => {
            let margin = |slice: &Slice| Ok(slice.price.saturating_sub(cost(slice)?));
            slices.iter().map(margin).collect()
        }
        Measure::CostBand => {
            let band = |slice: &Slice| match slice.band {
                Some(band) => Ok(band.from),
                None => Ok(CostBand::of(cost(slice)?).from),
            };
            slices.iter().map(band).collect()
        }
        Measure::Price => Ok(prices()),
        Measure::FixedBps(shares) => {
            check_shares(slices, shares)?;
            Ok(prices())
        }
        Measure::Custom(stated) => {
            check_stated(slices, stated, question.concession)?;
            let amounts = slices.iter().map(|slice| stated.get(&slice.id));
            Ok(amounts
                .map(|amount| amount.map_or(0, |amount| amount.unsigned_abs()))
                .collect())
        }
    }
}

fn cost(slice: &Slice) -> Result<u64, DivisionError> {
    slice.cost.ok_or_else(|| DivisionError::CostUnknown {
        id: slice.id.clone(),
    })
}

fn check_shares(slices: &[Slice], shares: &BTreeMap<String, u64>) -> Result<(), DivisionError> {
    let total: u128 = shares.values().map(|share| u128::from(*share)).sum();
    if total != u128::from(BPS_TOTAL) {
        return Err(DivisionError::SharesDoNotAddUp { total });
    }
    match shares
        .iter()
        .find(|(owner, bps)| **bps > 0 && !sells(slices, owner))
    {
        Some((owner, _)) => Err(DivisionError::NothingSold {
            owner: owner.clone(),
        }),
        None => Ok(()),
    }
}

fn sells(slices: &[Slice], owner: &str) -> bool {
    slices.iter().any(|slice| slice.owner == owner)
}

fn check_stated(
    slices: &[Slice],
    stated: &BTreeMap<String, i64>,
    concession: i64,
) -> Result<(), DivisionError> {
    let ids: HashSet<&str> = slices.iter().map(|slice| slice.id.as_str()).collect();
    if let Some(id) = stated.keys().find(|id| !ids.contains(id.as_str())) {
        return Err(DivisionError::SliceUnknown { id: id.clone() });
    }
    let sum: i128 = stated.values().map(|amount| i128::from(*amount)).sum();
    let total = i128::from(concession);
    if sum != total {
        return Err(DivisionError::CustomDoesNotAddUp { sum, total });
    }
    // What goes one way for some and the other way for others could not be taken back in part.
    let differs = |amount: i64| amount != 0 && (amount < 0) != (concession < 0);
    match stated.iter().find(|(_, amount)| differs(**amount)) {
        Some((id, _)) => Err(DivisionError::SignsDiffer { id: id.clone() }),
        None => Ok(()),
    }
}
