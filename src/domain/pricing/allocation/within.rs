//! Splits an amount within limits: nobody bears more than it can, nor less than it pledged.
//!
//! Each part wants `clamp(level * weight, least, most)`, with one level for all, as water finds its
//! own. In rounds, parts whose proportional share lies beyond a limit are fixed at it, and the rest
//! is divided among the others: first those above, if what they are too much together is at least
//! what those below are too little, else those below (Bitran and Hax, 1981). What is left when
//! nobody lies beyond a limit is divided by largest remainder. That cannot break a limit again: a
//! proportional share below an integer limit rounds up to that limit at most.
//!
//! The result does not depend on the order of the parts, and needs no more rounds than parts.

use serde::{Deserialize, Serialize};

use super::{Allocation, AllocationError, checked_weight_total, explained};

/// One part of an amount to be split, with its limits. They are in minor units and without sign: a
/// negative amount is limited like the positive one that it mirrors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitedPart {
    /// What the part is called; unique in one allocation.
    pub id: String,
    /// How much of the amount falls to this part, relative to the other weights. Zero gets zero.
    pub weight: u64,
    /// What it bears at least; only zero for a weight of zero.
    pub least: u64,
    /// What it bears at most; `None` for as much as there is.
    pub most: Option<u64>,
}

/// Which limit a part met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// It bears no less.
    Least,
    /// It can bear no more.
    Most,
}

/// A part that was fixed at a limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fixed {
    /// The part's id.
    pub id: String,
    /// At which limit.
    pub limit: Limit,
    /// In which round, from 1.
    pub round: u32,
    /// What was divided in that round, without sign.
    pub divided: u64,
    /// Sum of the weights over which that round divided.
    pub weight_total: u64,
    /// What it bears, with the amount's sign.
    pub share: i64,
}

/// An amount split within limits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitedAllocation {
    /// What was to be split, in minor units; negative for a credit.
    pub amount: i64,
    /// Who was fixed at a limit, in the order of the rounds, then of the parts as they were given.
    pub fixed: Vec<Fixed>,
    /// How the rest was divided among those that met no limit; `None` if everybody met one.
    pub rest: Option<Allocation>,
    /// What nobody can bear, without sign: beyond the limits of all together.
    pub shortfall: u64,
}

impl LimitedAllocation {
    /// What each part bears, with the amount's sign, in the order of `parts`. They add up to the
    /// amount less the shortfall.
    #[must_use]
    pub fn shares(&self, parts: &[LimitedPart]) -> Vec<i64> {
        let of = |part: &LimitedPart| self.share_of(&part.id);
        parts.iter().map(of).collect()
    }

    /// What a part bears, with the amount's sign; 0 for one that is not there.
    #[must_use]
    pub fn share_of(&self, id: &str) -> i64 {
        let fixed = self.fixed.iter().find(|fixed| fixed.id == id);
        let rest = || {
            let mut shares = self.rest.iter().flat_map(|rest| &rest.shares);
            shares.find(|share| share.id == id).map(|share| share.share)
        };
        fixed
            .map(|fixed| fixed.share)
            .or_else(rest)
            .unwrap_or_default()
    }
}

/// Splits `amount` over `parts` within their limits. What is more than all can bear together stays
/// as the shortfall.
///
/// # Errors
/// As [`allocate`](super::allocate); moreover [`AllocationError::LimitsCrossed`] for a part whose limits exclude each
/// other or that pledged something without a weight, [`AllocationError::PledgedTooMuch`] if the
/// pledges are more than the amount.
pub fn allocate_within(
    amount: i64,
    parts: &[LimitedPart],
) -> Result<LimitedAllocation, AllocationError> {
    checked_weight_total(amount, parts)?;
    check_limits(amount, parts)?;
    let magnitude = amount.unsigned_abs();
    let borne = magnitude.min(most_of_all(parts));
    let mut pool = Pool::new(borne, parts);
    while pool.fix_some() {}
    let sign = if amount < 0 { -1 } else { 1 };
    let rest = pool.rest(sign)?;
    let mut fixed = pool.fixed;
    for fixed in &mut fixed {
        fixed.share *= sign;
    }
    Ok(LimitedAllocation {
        amount,
        fixed,
        rest,
        shortfall: magnitude - borne,
    })
}

fn check_limits(amount: i64, parts: &[LimitedPart]) -> Result<(), AllocationError> {
    let crossed = |part: &&LimitedPart| {
        let most = if part.weight == 0 { Some(0) } else { part.most };
        most.is_some_and(|most| most < part.least)
    };
    if let Some(part) = parts.iter().find(crossed) {
        return Err(AllocationError::LimitsCrossed {
            id: part.id.clone(),
        });
    }
    let pledged: u128 = parts.iter().map(|part| u128::from(part.least)).sum();
    if pledged > u128::from(amount.unsigned_abs()) {
        return Err(AllocationError::PledgedTooMuch { amount });
    }
    Ok(())
}

/// What all parts can bear together, `u64::MAX` if that is more.
fn most_of_all(parts: &[LimitedPart]) -> u64 {
    let bearing = parts.iter().filter(|part| part.weight > 0);
    bearing.fold(0_u64, |sum, part| {
        sum.saturating_add(part.most.unwrap_or(u64::MAX))
    })
}

/// What is still to be divided, and between whom.
struct Pool<'parts> {
    left: u64,
    weight_total: u64,
    open: Vec<&'parts LimitedPart>,
    fixed: Vec<Fixed>,
    round: u32,
}

impl<'parts> Pool<'parts> {
    fn new(left: u64, parts: &'parts [LimitedPart]) -> Self {
        Self {
            left,
            weight_total: parts.iter().map(|part| part.weight).sum(),
            open: parts.iter().collect(),
            fixed: Vec::new(),
            round: 0,
        }
    }

    /// How far the proportional share of a part lies beyond a limit, in parts of the weights' total;
    /// zero within it. Products of two 64-bit numbers fit 128 bits.
    fn beyond(&self, part: &LimitedPart, limit: Limit) -> u128 {
        let wanted = u128::from(self.left) * u128::from(part.weight);
        let at = |bound: u64| u128::from(bound) * u128::from(self.weight_total);
        match limit {
            Limit::Least => at(part.least).saturating_sub(wanted),
            Limit::Most => part.most.map_or(0, |most| wanted.saturating_sub(at(most))),
        }
    }

    /// Fixes those beyond the limit that matters more; whether there were any.
    fn fix_some(&mut self) -> bool {
        // Neither sum overflows: the shares wanted are `left * weight_total` together, and the
        // pledges are no more than what is left.
        let all = |limit| self.open.iter().map(|part| self.beyond(part, limit)).sum();
        let (too_much, too_little): (u128, u128) = (all(Limit::Most), all(Limit::Least));
        if too_much == 0 && too_little == 0 {
            return false;
        }
        let limit = if too_much >= too_little {
            Limit::Most
        } else {
            Limit::Least
        };
        self.round += 1;
        let (met, open): (Vec<_>, Vec<_>) = std::mem::take(&mut self.open)
            .into_iter()
            .partition(|part| self.beyond(part, limit) > 0);
        let (divided, weight_total) = (self.left, self.weight_total);
        for part in met {
            let bound = match limit {
                Limit::Least => part.least,
                Limit::Most => part.most.unwrap_or(u64::MAX),
            };
            self.left -= bound;
            self.weight_total -= part.weight;
            self.fixed.push(Fixed {
                id: part.id.clone(),
                limit,
                round: self.round,
                divided,
                weight_total,
                // No more than what was divided, which fits.
                share: bound.cast_signed(),
            });
        }
        self.open = open;
        true
    }

    fn rest(&self, sign: i64) -> Result<Option<Allocation>, AllocationError> {
        if self.open.is_empty() {
            return Ok(None);
        }
        explained(self.left.cast_signed() * sign, &self.open).map(Some)
    }
}
