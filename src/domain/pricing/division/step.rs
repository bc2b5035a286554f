//! The steps that lead to what a slice bears, with every number in them.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::Rounding;
use crate::domain::pricing::allocation::AllocationError;
use crate::domain::pricing::allocation::carried::CarriedAllocation;
use crate::domain::pricing::allocation::ratchet::{RatchetAllocation, allocate_ratchet};
use crate::domain::pricing::allocation::within::{
    Fixed, Limit, LimitedAllocation, LimitedPart, allocate_within,
};

/// What a step divides, and between whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The concession, among the owners.
    Owners,
    /// The concession, or its owner's part of it, among the slices.
    Slices,
    /// What the floors left over, among the owners.
    ShortfallOwners,
    /// What the floors left over, or its owner's part of it, among the slices.
    Shortfall,
    /// What the floors left over, among the slices of the owner that absorbs it, by what is left of
    /// their prices.
    Absorbed,
}

/// One step on the way to what a slice bears. A step among owners stands in every slice of the owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// What is divided, and between whom.
    pub phase: Phase,
    /// What the step divides in all, in minor units; negative for a surcharge.
    pub amount: i64,
    /// The weight in this step.
    pub weight: u64,
    /// How the share came about.
    pub how: How,
    /// What came of it, in minor units, with the amount's sign.
    pub share: i64,
}

/// How a share came about. Amounts are in minor units and without sign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// By largest remainder.
    LargestRemainder(Remainder),
    /// It met a limit and was fixed at it.
    Limit(Met),
    /// By the ratchet.
    Ratchet(Ratchet),
    /// It was stated, not computed.
    Stated,
}

/// A share by largest remainder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remainder {
    /// What was left to divide once others were fixed at their limits.
    pub divided: u64,
    /// Sum of the weights of those between whom it was divided.
    pub weight_total: u64,
    /// Whole minor units of the exact share.
    pub floor: u64,
    /// What is left of the exact share, in parts of the weights' total.
    pub remainder: u64,
    /// Place among the remainders larger than zero, from 1; none for an exact share.
    pub rank: Option<u32>,
    /// Whether it got one of the spare units.
    pub spare_unit: bool,
    /// The fractions owed before and after, if fractions are carried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owed: Option<Owed>,
}

/// Fractions owed, in billionths of a minor unit; more than zero for one that got too little so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Owed {
    /// Before this division.
    pub before: i64,
    /// After it.
    pub after: i64,
}

/// A share that was fixed at a limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Met {
    /// Which limit.
    pub limit: Limit,
    /// In which round, from 1.
    pub round: u32,
    /// What was divided in that round.
    pub divided: u64,
    /// Sum of the weights between which that round divided.
    pub weight_total: u64,
    /// Which of its owner's limits, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner_limit: Option<OwnerLimit>,
}

/// A limit of an owner; see [`OwnerLimits`](super::OwnerLimits).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OwnerLimit {
    /// Its least part of the concession.
    LeastPart,
    /// Its most part of the concession.
    MostPart,
    /// Its most amount.
    MostAmount,
}

/// A share by the ratchet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ratchet {
    /// What it bears at most.
    pub most: Option<u64>,
    /// Its share at the level common to all, rounded.
    pub start: u64,
    /// By how many units that was corrected, so that the shares add up.
    pub correction: i64,
}

/// A step of every part, in the order of the parts, and what nobody could bear.
pub(super) struct Allocated {
    /// The steps.
    pub steps: Vec<Step>,
    /// What is left over, without sign.
    pub shortfall: u64,
}

/// Divides `amount` over `parts` within their limits.
pub(super) fn allocated(
    phase: Phase,
    amount: i64,
    parts: &[LimitedPart],
    rounding: Rounding,
) -> Result<Allocated, AllocationError> {
    Ok(match rounding {
        Rounding::LargestRemainder => by_remainder(phase, &allocate_within(amount, parts)?, parts),
        Rounding::Ratchet => by_ratchet(phase, allocate_ratchet(amount, parts)?),
    })
}

fn by_remainder(phase: Phase, split: &LimitedAllocation, parts: &[LimitedPart]) -> Allocated {
    let amount = split.amount;
    let fixed: HashMap<&str, &Fixed> = split
        .fixed
        .iter()
        .map(|fixed| (fixed.id.as_str(), fixed))
        .collect();
    // Those without a limit kept their order.
    let rest = split.rest.iter().flat_map(|rest| {
        let divided = rest.amount.unsigned_abs();
        let shares = rest.shares.iter();
        shares.map(move |share| {
            let how = How::LargestRemainder(Remainder {
                divided,
                weight_total: rest.weight_total,
                floor: share.floor,
                remainder: share.remainder,
                rank: share.rank,
                spare_unit: share.spare_unit,
                owed: None,
            });
            (how, share.share)
        })
    });
    let mut rest = rest;
    let step = |part: &LimitedPart| {
        let (how, share) = match fixed.get(part.id.as_str()) {
            Some(fixed) => (How::Limit(Met::from(*fixed)), fixed.share),
            None => rest.next()?,
        };
        Some(Step {
            phase,
            amount,
            weight: part.weight,
            how,
            share,
        })
    };
    Allocated {
        steps: parts.iter().filter_map(step).collect(),
        shortfall: split.shortfall,
    }
}

impl From<&Fixed> for Met {
    fn from(fixed: &Fixed) -> Self {
        Self {
            limit: fixed.limit,
            round: fixed.round,
            divided: fixed.divided,
            weight_total: fixed.weight_total,
            owner_limit: None,
        }
    }
}

fn by_ratchet(phase: Phase, split: RatchetAllocation) -> Allocated {
    let amount = split.amount;
    let steps = split.shares.into_iter().map(|share| Step {
        phase,
        amount,
        weight: share.weight,
        how: How::Ratchet(Ratchet {
            most: share.most,
            start: share.start,
            correction: share.correction,
        }),
        share: share.share,
    });
    Allocated {
        steps: steps.collect(),
        shortfall: split.shortfall,
    }
}

/// The steps among owners of a division that carries fractions.
pub(super) fn carried(split: &CarriedAllocation) -> Vec<Step> {
    let allocation = &split.allocation;
    let both = allocation.shares.iter().zip(&split.carried);
    both.map(|(share, carried)| Step {
        phase: Phase::Owners,
        amount: allocation.amount,
        weight: share.weight,
        how: How::LargestRemainder(Remainder {
            divided: allocation.amount.unsigned_abs(),
            weight_total: allocation.weight_total,
            floor: share.floor,
            remainder: share.remainder,
            rank: share.rank,
            spare_unit: share.spare_unit,
            owed: Some(Owed {
                before: carried.before,
                after: carried.after,
            }),
        }),
        share: share.share,
    })
    .collect()
}
