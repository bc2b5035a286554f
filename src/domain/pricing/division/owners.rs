//! Divides among the owners first, then each one's part over its own slices.

use std::collections::BTreeMap;

use super::step::{Allocated, Phase, Step, allocated, carried};
use super::{BPS_TOTAL, DivisionError, Measure, Question, Slice, limit, part};
use crate::domain::pricing::allocation::carried::{Carried, allocate_carrying};
use crate::domain::pricing::allocation::within::LimitedPart;
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

/// Divides in two steps. An owner bears no more than its slices can.
pub(super) fn by_owner(
    slices: &[Slice],
    weights: &[u64],
    question: &Question,
) -> Result<ByOwner, DivisionError> {
    let owners = owners(slices, weights, question)?;
    let (first, carried) = first_step(&owners, question)?;
    let mut steps = vec![Vec::new(); slices.len()];
    for ((name, owner), step) in owners.iter().zip(&first.steps) {
        let own: Vec<LimitedPart> = owner
            .slices
            .iter()
            .map(|index| {
                let slice = &slices[*index];
                part(&slice.id, weights[*index], limit(slice, question))
            })
            .collect();
        let nothing_sold = || DivisionError::NothingSold {
            owner: (*name).to_owned(),
        };
        let second = match allocated(Phase::Slices, step.share, &own, question.rounding) {
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
    Ok(ByOwner {
        steps,
        shortfall: first.shortfall,
        carried,
    })
}

/// All owners of slices, by name.
fn owners<'slices>(
    slices: &'slices [Slice],
    weights: &[u64],
    question: &Question,
) -> Result<BTreeMap<&'slices str, Owner>, DivisionError> {
    let mut owners: BTreeMap<&str, Owner> = BTreeMap::new();
    for (index, slice) in slices.iter().enumerate() {
        let owner = owners.entry(&slice.owner).or_insert_with(|| Owner {
            room: Some(0),
            ..Owner::default()
        });
        owner.slices.push(index);
        let weight = weights[index];
        if weight == 0 {
            continue;
        }
        let room = limit(slice, question);
        owner.room = owner
            .room
            .zip(room)
            .map(|(sum, room)| sum.saturating_add(room));
        // Where fractions are carried nobody may meet a limit, so what bears nothing weighs nothing.
        if question.owed.is_none() || !slice.is_passed_through {
            let sum = owner.weight.checked_add(weight);
            owner.weight = sum.ok_or(AllocationError::WeightsOutOfRange)?;
        }
    }
    if let Measure::FixedBps(shares) = &question.measure {
        for (name, owner) in &mut owners {
            owner.weight = shares.get(*name).copied().unwrap_or_default();
        }
    }
    Ok(owners)
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
        let first = allocated(Phase::Owners, amount, &parts, question.rounding)?;
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
    if question.is_surcharge() {
        return part;
    }
    if let Some(limits) = question.limits.get(name) {
        let of_concession =
            |bps: u64| u128::from(question.concession.unsigned_abs()) * u128::from(bps);
        let total = u128::from(BPS_TOTAL);
        // No more than the concession, since the limits were checked.
        let least = of_concession(limits.least_bps) / total;
        part.least = u64::try_from(least).unwrap_or(u64::MAX);
        if let Some(bps) = limits.most_bps {
            let most = of_concession(bps).div_ceil(total);
            let most = u64::try_from(most).unwrap_or(u64::MAX);
            part.most = Some(part.most.map_or(most, |room| room.min(most)));
        }
    }
    part
}
