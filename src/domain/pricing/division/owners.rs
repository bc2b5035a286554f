//! Divides among the owners first, then each one's part over its own slices.

use std::collections::BTreeMap;

use super::step::{Allocated, How, OwnerLimit, Phase, Step, allocated, carried};
use super::{BPS_TOTAL, DivisionError, Measure, OwnerLimits, Question, Slice, limit, part};
use crate::domain::pricing::allocation::carried::{Carried, allocate_carrying};
use crate::domain::pricing::allocation::within::{Limit, LimitedPart};
use crate::domain::pricing::allocation::{AllocationError, Part};

/// What came of two steps.
pub(super) struct ByOwner {
    /// Both steps of each slice, in the order of the slices.
    pub steps: Vec<Vec<Step>>,
    /// What nobody could bear, without sign.
    pub shortfall: u64,
    /// The fractions of each owner, if fractions are carried.
    pub carried: Vec<Carried>,
}

/// One owner, and the places of its slices.
#[derive(Default)]
struct Owner {
    weight: u64,
    /// What its slices can bear; `None` for as much as there is.
    room: Option<u64>,
    slices: Vec<usize>,
}

/// What is divided in two steps, and what each slice can bear of it; `None` for as much as there is.
struct Sliced<'slices> {
    slices: &'slices [Slice],
    weights: &'slices [u64],
    limits: Vec<Option<u64>>,
    question: &'slices Question,
}

/// Divides in two steps. An owner bears no more than its slices can.
pub(super) fn by_owner(
    slices: &[Slice],
    weights: &[u64],
    question: &Question,
) -> Result<ByOwner, DivisionError> {
    let two_steps = Sliced {
        slices,
        weights,
        limits: slices.iter().map(|slice| limit(slice, question)).collect(),
        question,
    };
    let owners = two_steps.owners()?;
    let (first, carried) = first_step(&owners, question)?;
    Ok(ByOwner {
        steps: two_steps.second_step(Phase::Slices, &owners, &first)?,
        shortfall: first.shortfall,
        carried,
    })
}

/// Divides what the floors left over in two steps, as [`by_owner`] the concession: an owner without a
/// weight bears nothing of it. `left` is what each slice can still bear, `within` what it bears already.
pub(super) fn left_over(
    shortfall: i64,
    slices: &[Slice],
    weights: &[u64],
    (left, within): (&[u64], &[i64]),
    question: &Question,
) -> Result<ByOwner, DivisionError> {
    let two_steps = Sliced {
        slices,
        weights,
        limits: left.iter().map(|left| Some(*left)).collect(),
        question,
    };
    let owners = two_steps.owners()?;
    let limited = |(name, owner): (&&str, &Owner)| {
        let borne = owner
            .slices
            .iter()
            .map(|index| within[*index].unsigned_abs());
        let most = most(name, question).map(|most| most.saturating_sub(borne.sum()));
        let room = owner.room.unwrap_or(u64::MAX);
        part(
            name,
            owner.weight,
            Some(most.map_or(room, |most| most.min(room))),
        )
    };
    let parts: Vec<LimitedPart> = owners.iter().map(limited).collect();
    let first = allocated(Phase::ShortfallOwners, shortfall, &parts, question.rounding)?;
    Ok(ByOwner {
        steps: two_steps.second_step(Phase::Shortfall, &owners, &first)?,
        shortfall: first.shortfall,
        carried: Vec::new(),
    })
}

impl<'slices> Sliced<'slices> {
    /// All owners of slices, by name.
    fn owners(&self) -> Result<BTreeMap<&'slices str, Owner>, DivisionError> {
        let mut owners: BTreeMap<&str, Owner> = BTreeMap::new();
        for (index, slice) in self.slices.iter().enumerate() {
            let owner = owners.entry(&slice.owner).or_insert_with(|| Owner {
                room: Some(0),
                ..Owner::default()
            });
            owner.slices.push(index);
            let weight = self.weights[index];
            if weight == 0 {
                continue;
            }
            owner.room = owner
                .room
                .zip(self.limits[index])
                .map(|(sum, room)| sum.saturating_add(room));
            // Where fractions are carried nobody may meet a limit, so what bears nothing weighs nothing.
            if self.question.owed.is_none() || !slice.is_passed_through {
                let sum = owner.weight.checked_add(weight);
                owner.weight = sum.ok_or(AllocationError::WeightsOutOfRange)?;
            }
        }
        if let Measure::FixedBps(shares) = &self.question.measure {
            for (name, owner) in &mut owners {
                owner.weight = shares.get(*name).copied().unwrap_or_default();
            }
        }
        Ok(owners)
    }

    /// Divides what each owner bears over its own slices. Both steps of each slice, in their order.
    fn second_step(
        &self,
        phase: Phase,
        owners: &BTreeMap<&str, Owner>,
        first: &Allocated,
    ) -> Result<Vec<Vec<Step>>, DivisionError> {
        let mut steps = vec![Vec::new(); self.slices.len()];
        for ((name, owner), step) in owners.iter().zip(&first.steps) {
            let own = owner.slices.iter().map(|index| {
                let id = &self.slices[*index].id;
                part(id, self.weights[*index], self.limits[*index])
            });
            let own: Vec<LimitedPart> = own.collect();
            let nothing_sold = || DivisionError::NothingSold {
                owner: (*name).to_owned(),
            };
            let second = match allocated(phase, step.share, &own, self.question.rounding) {
                Err(AllocationError::NoWeight { .. }) => return Err(nothing_sold()),
                other => other?,
            };
            if second.shortfall > 0 {
                return Err(nothing_sold());
            }
            for (index, own) in owner.slices.iter().zip(second.steps) {
                steps[*index] = vec![step.clone(), own];
            }
        }
        Ok(steps)
    }
}

fn first_step(
    owners: &BTreeMap<&str, Owner>,
    question: &Question,
) -> Result<(Allocated, Vec<Carried>), DivisionError> {
    let Some(owed) = &question.owed else {
        let parts: Vec<LimitedPart> = owners
            .iter()
            .map(|(name, owner)| limited(name, owner, question))
            .collect();
        let amount = question.concession;
        let mut first = allocated(Phase::Owners, amount, &parts, question.rounding)?;
        for ((name, owner), step) in owners.iter().zip(&mut first.steps) {
            if let How::Limit(met) = &mut step.how {
                met.owner_limit = limit_met(name, owner, question, met.limit, step.share);
            }
        }
        return Ok((first, Vec::new()));
    };
    let part = |(name, owner): (&&str, &Owner)| Part {
        id: (*name).to_owned(),
        weight: owner.weight,
    };
    let parts: Vec<Part> = owners.iter().map(part).collect();
    let split = allocate_carrying(question.concession, &parts, owed)?;
    let steps = carried(&split);
    let beyond = owners.values().zip(&steps).map(|(owner, step)| {
        let room = owner.room.unwrap_or(u64::MAX);
        step.share.unsigned_abs().saturating_sub(room)
    });
    let shortfall = beyond.sum();
    if shortfall > 0 {
        return Err(DivisionError::Shortfall { shortfall });
    }
    Ok((Allocated { steps, shortfall }, split.carried))
}

/// An owner as a part of the concession: within what its slices can bear, and within its limits.
fn limited(name: &str, owner: &Owner, question: &Question) -> LimitedPart {
    let mut part = part(name, owner.weight, owner.room);
    if let Some(limits) = limits_of(name, question) {
        let least = of_concession(limits.least_bps, question) / u128::from(BPS_TOTAL);
        // No more than the concession, since the limits were checked.
        part.least = u64::try_from(least).unwrap_or(u64::MAX);
    }
    if let Some(most) = most(name, question) {
        part.most = Some(part.most.map_or(most, |room| room.min(most)));
    }
    part
}

/// What an owner bears at most of the concession, whatever its slices can; `None` without such a limit.
pub(super) fn most(name: &str, question: &Question) -> Option<u64> {
    let amount = limits_of(name, question)?.most_amount;
    most_part(name, question).into_iter().chain(amount).min()
}

/// As [`most`], by its part of the concession alone.
fn most_part(name: &str, question: &Question) -> Option<u64> {
    let bps = limits_of(name, question)?.most_bps?;
    let most = of_concession(bps, question).div_ceil(u128::from(BPS_TOTAL));
    Some(u64::try_from(most).unwrap_or(u64::MAX))
}

/// The limits of an owner; a surcharge has none.
fn limits_of<'question>(
    name: &str,
    question: &'question Question,
) -> Option<&'question OwnerLimits> {
    let limits = question.limits.get(name);
    limits.filter(|_| !question.is_surcharge())
}

/// Which of its limits an owner met with this share; `None` if it was what its slices can bear.
fn limit_met(
    name: &str,
    owner: &Owner,
    question: &Question,
    limit: Limit,
    share: i64,
) -> Option<OwnerLimit> {
    let share = Some(share.unsigned_abs());
    if limit == Limit::Least {
        return Some(OwnerLimit::LeastPart);
    }
    if owner.room == share {
        None
    } else if most_part(name, question) == share {
        Some(OwnerLimit::MostPart)
    } else {
        Some(OwnerLimit::MostAmount)
    }
}

fn of_concession(bps: u64, question: &Question) -> u128 {
    u128::from(question.concession.unsigned_abs()) * u128::from(bps)
}
