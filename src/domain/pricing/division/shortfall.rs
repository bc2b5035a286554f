//! Places what the floors left over, by its policy.

use super::owners::{left_over, most};
use super::step::{Phase, Step, allocated};
use super::{DivisionError, Measure, Question, ShortfallPolicy, Slice, part};
use crate::domain::pricing::allocation::AllocationError;
use crate::domain::pricing::allocation::within::LimitedPart;

/// The steps of each slice, in the order of the slices; none of one that may bear nothing of it. Nothing
/// goes below a price of zero, what is passed through at cost bears nothing, and neither does whoever has
/// no weight, even if nobody else can bear it.
pub(super) fn place(
    shortfall: u64,
    slices: &[Slice],
    weights: &[u64],
    within: &[i64],
    question: &Question,
) -> Result<Vec<Vec<Step>>, DivisionError> {
    if shortfall == 0 {
        return Ok(vec![Vec::new(); slices.len()]);
    }
    // A surcharge finds limits only in what is passed through at cost.
    if question.is_surcharge() || question.shortfall == ShortfallPolicy::Reject {
        return Err(DivisionError::Shortfall { shortfall });
    }
    let left = |(slice, within): (&Slice, &i64)| {
        let left = slice.price.saturating_sub(within.unsigned_abs());
        if slice.is_passed_through { 0 } else { left }
    };
    let left: Vec<u64> = slices.iter().zip(within).map(left).collect();
    // Fits, since the concession does.
    let amount = shortfall.cast_signed();
    let is_by_owner =
        matches!(question.measure, Measure::FixedBps(_)) || !question.limits.is_empty();
    let placed = match &question.shortfall {
        ShortfallPolicy::AbsorbedBy(owner) => {
            absorbed(amount, slices, (&left, within), owner, question)
        }
        _ if is_by_owner => left_over(amount, slices, weights, (&left, within), question)
            .map(|both| (both.steps, both.shortfall)),
        _ => among_all(amount, slices, weights, &left, question),
    };
    match placed {
        Ok((mut steps, 0)) => {
            let passed = slices.iter().zip(&mut steps);
            for (_, steps) in passed.filter(|(slice, _)| slice.is_passed_through) {
                steps.clear();
            }
            Ok(steps)
        }
        Ok(_)
        | Err(DivisionError::Allocation(
            AllocationError::NoWeight { .. } | AllocationError::NoParts,
        )) => Err(DivisionError::Shortfall { shortfall }),
        Err(error) => Err(error),
    }
}

/// The steps of each slice, and what nobody could bear.
type Placed = (Vec<Vec<Step>>, u64);

/// Among all slices by the same measure.
fn among_all(
    amount: i64,
    slices: &[Slice],
    weights: &[u64],
    left: &[u64],
    question: &Question,
) -> Result<Placed, DivisionError> {
    let parts = slices.iter().zip(weights).zip(left);
    let parts: Vec<LimitedPart> = parts
        .map(|((slice, weight), left)| {
            let weight = if slice.is_passed_through { 0 } else { *weight };
            part(&slice.id, weight, Some(*left))
        })
        .collect();
    let placed = allocated(Phase::Shortfall, amount, &parts, question.rounding)?;
    let steps = placed.steps.into_iter().map(|step| vec![step]);
    Ok((steps.collect(), placed.shortfall))
}

/// Among the slices of one owner. That is its own affair, so by what is left of their prices.
fn absorbed(
    amount: i64,
    slices: &[Slice],
    (left, within): (&[u64], &[i64]),
    absorber: &str,
    question: &Question,
) -> Result<Placed, DivisionError> {
    let mut steps = vec![Vec::new(); slices.len()];
    let own = |index: &usize| slices[*index].owner == absorber;
    let own: Vec<usize> = (0..slices.len()).filter(own).collect();
    let borne: u64 = own.iter().map(|index| within[*index].unsigned_abs()).sum();
    let most = most(absorber, question).map(|most| most.saturating_sub(borne));
    if most.is_some_and(|most| most < amount.unsigned_abs()) {
        return Ok((steps, amount.unsigned_abs()));
    }
    let own = own
        .into_iter()
        .filter(|index| !slices[*index].is_passed_through);
    let own: Vec<usize> = own.collect();
    let part = |index: &usize| part(&slices[*index].id, left[*index], Some(left[*index]));
    let parts: Vec<LimitedPart> = own.iter().map(part).collect();
    let placed = allocated(Phase::Absorbed, amount, &parts, question.rounding)?;
    for (index, step) in own.into_iter().zip(placed.steps) {
        steps[index].push(step);
    }
    Ok((steps, placed.shortfall))
}

/// Tells what stated amounts take within the floors from what they take beyond, and returns the sum of
/// the latter. They stay as they are stated; the policy only says whether that may be.
pub(super) fn stated(
    slices: &[Slice],
    question: &Question,
    within: &mut [i64],
    beyond: &mut [i64],
) -> Result<u64, DivisionError> {
    let mut shortfall = 0_u64;
    for (index, slice) in slices.iter().enumerate() {
        let share = within[index];
        if slice.is_passed_through && share != 0 {
            let id = slice.id.clone();
            return Err(DivisionError::PassedThrough { id });
        }
        let over = share.unsigned_abs().saturating_sub(slice.room());
        if question.is_surcharge() || over == 0 {
            continue;
        }
        let may = match &question.shortfall {
            ShortfallPolicy::Reject => false,
            ShortfallPolicy::AbsorbedBy(owner) => *owner == slice.owner,
            ShortfallPolicy::BelowFloor => true,
        };
        if !may {
            let id = slice.id.clone();
            return Err(DivisionError::StatedBelowFloor { id });
        }
        // Both are parts of a stated amount, which is not negative here.
        beyond[index] = over.cast_signed();
        within[index] = share - over.cast_signed();
        shortfall = shortfall.saturating_add(over);
    }
    Ok(shortfall)
}
