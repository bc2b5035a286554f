//! Credits by court time: what a client is credited for a promise that was broken, divided by whose
//! held time caused that.
//!
//! The clocks say who had the ball, piece by piece, and the largest remainder divides by that to the
//! minor unit. Time that nobody among the firms held (the client's, an outside party's) gives nobody a
//! share. Restarts and changes of the target count here as they do on the clock, so the time counted is
//! exactly what the clock shows as consumed.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::chain::{ChainInterval, Handed, piece, split};
use super::clock::history::{History, Step};
use super::clock::{Case, ChargedParty, ClockEvaluation, ClockState, TicketState};
use super::explain::{ClockAdjustment, ClockInterval, ExplainError, INTERVALS_MAX};
use crate::domain::pricing::allocation::{self, Allocation, AllocationError, PARTS_MAX, Part};
use crate::domain::pricing::money::Money;
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::time::{MICROS_PER_SECOND, Span, Timestamp};

/// Which of the time that somebody held the ball counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreditBasis {
    /// What used the target up, from the beginning on: whoever had the ball early left the less to
    /// those after. Of an agreed date, which comes whatever happens: as [`Self::Held`].
    Consumed,
    /// Of that, what came after the promise was broken.
    Overrun,
    /// All open time of the clock's life, pauses included: the client waited then, too.
    Held,
}

/// Who had the ball.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder<W> {
    /// As the clock or the ticket's state says.
    Charged(ChargedParty),
    /// Somebody further down a chain of tickets.
    Further(W),
}

/// A piece of a clock's life, and who had the ball.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldPiece<W> {
    /// The piece.
    pub interval: ClockInterval,
    /// Who had the ball; `None` outside open hours, or where nothing was owed.
    pub holder: Option<Holder<W>>,
    /// How much of it counts, before adjustments.
    pub counted: Span,
}

/// The pieces of a clock's life, and what each of those who had the ball comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldTime<W, K: Ord> {
    /// Every piece, in the order of time, without gap or overlap.
    pub pieces: Vec<HeldPiece<W>>,
    /// The time of everybody that has any, adjustments included.
    pub totals: BTreeMap<K, Span>,
}

/// While which the ticket says that somebody else than the obligor is awaited, whether or not that
/// pauses a clock.
#[must_use]
pub(in crate::domain::sla) fn courts(
    case: &Case<'_>,
    as_of: Timestamp,
) -> Vec<Handed<ChargedParty>> {
    let history = History::new(case, as_of);
    let mut courts = Vec::new();
    let mut since: Option<(Timestamp, ChargedParty)> = None;
    let states = history.steps.iter().filter_map(|(at, step)| match step {
        Step::Fact(fact) => fact.state.map(|state| (*at, awaited(state))),
        _ => None,
    });
    for (at, awaited) in states.chain([(as_of, None)]) {
        if let Some((from, whom)) = since.filter(|(from, _)| *from < at) {
            let to = at;
            courts.push(Handed { from, to, whom });
        }
        since = awaited.map(|whom| (at, whom));
    }
    courts
}

fn awaited(state: TicketState) -> Option<ChargedParty> {
    let charged = state.charged_while_paused();
    (charged != ChargedParty::Obligor).then_some(charged)
}

/// A piece of a clock's life, and who had the ball in it, if anybody had.
pub type HeldInterval<W> = (ClockInterval, Option<Holder<W>>);

/// Who had the ball in each piece: whoever further down had it; else, while the clock runs, whom the
/// ticket awaits by `courts`; else whom the clock charges.
///
/// # Errors
/// [`ExplainError::TooManyIntervals`] beyond [`INTERVALS_MAX`].
pub fn by_court<W: Clone>(
    pieces: Vec<ChainInterval<W>>,
    courts: &[Handed<ChargedParty>],
) -> Result<Vec<HeldInterval<W>>, ExplainError> {
    let mut held = Vec::with_capacity(pieces.len());
    for ChainInterval { interval, handed } in pieces {
        if let Some(whom) = handed {
            held.push((interval, Some(Holder::Further(whom))));
        } else if interval.state == ClockState::Running {
            let own = split(vec![interval], courts, |_| true, |_, _, _| Span::ZERO)?;
            held.extend(own.into_iter().map(|piece| {
                let whom = piece.handed.unwrap_or(ChargedParty::Obligor);
                (piece.interval, Some(Holder::Charged(whom)))
            }));
        } else {
            let holder = interval.charged_to.map(Holder::Charged);
            held.push((interval, holder));
        }
        if held.len() > INTERVALS_MAX {
            return Err(ExplainError::TooManyIntervals);
        }
    }
    Ok(held)
}

/// Which pieces count, and for what.
#[derive(Clone, Copy, Debug)]
struct Counting<'a> {
    /// Whether pauses count.
    with_pauses: bool,
    /// From when on anything counts.
    from: Option<Timestamp>,
    /// What changed in the count, ascending.
    adjustments: &'a [ClockAdjustment],
}

impl<'a> Counting<'a> {
    fn of(clock: &ClockEvaluation, adjustments: &'a [ClockAdjustment], basis: CreditBasis) -> Self {
        let with_pauses = basis == CreditBasis::Held || clock.is_agreed_date;
        let is_overrun = basis == CreditBasis::Overrun;
        // What came after the breach, and pauses, no change of the target has ever counted.
        let adjusted = !with_pauses && !is_overrun;
        Self {
            with_pauses,
            from: clock.breached_at.filter(|_| is_overrun),
            adjustments: if adjusted { adjustments } else { &[] },
        }
    }

    fn counted(&self, piece: &ClockInterval) -> Span {
        match self.from {
            Some(from) if piece.from < from => Span::ZERO,
            _ if self.with_pauses => piece.charged,
            _ => piece.consumed,
        }
    }
}

/// What of a clock's life counts, by who had the ball; `key` names whoever had it in the totals.
/// `open_time` tells how much of a part of an interval lies in the hours that it is charged by.
#[must_use]
pub fn held_time<W: Clone, K: Ord>(
    pieces: Vec<(ClockInterval, Option<Holder<W>>)>,
    adjustments: &[ClockAdjustment],
    (clock, basis): (&ClockEvaluation, CreditBasis),
    key: impl Fn(&Holder<W>) -> K,
    open_time: impl Fn(&ClockInterval, Timestamp, Timestamp) -> Span,
) -> HeldTime<W, K> {
    let counting = Counting::of(clock, adjustments, basis);
    let mut cuts: Vec<Timestamp> = counting
        .adjustments
        .iter()
        .map(|change| change.at)
        .collect();
    cuts.extend(counting.from);
    cuts.sort_unstable();
    let mut ahead = counting.adjustments.iter().peekable();
    let (mut all, mut totals) = (Vec::new(), BTreeMap::new());
    for (interval, holder) in pieces {
        for interval in cut(&interval, &cuts, &open_time) {
            while let Some(change) = ahead.next_if(|change| change.at <= interval.from) {
                adjust(&mut totals, change.amount);
            }
            let counted = counting.counted(&interval);
            if let Some(holder) = holder.as_ref().filter(|_| counted > Span::ZERO) {
                let total: &mut Span = totals.entry(key(holder)).or_default();
                *total = total.saturating_add(counted);
            }
            let holder = holder.clone();
            all.push(HeldPiece {
                interval,
                holder,
                counted,
            });
        }
    }
    for change in ahead {
        adjust(&mut totals, change.amount);
    }
    let pieces = all;
    HeldTime { pieces, totals }
}

/// An interval, cut at those of the instants that lie within it, if anybody is charged with it.
fn cut(
    interval: &ClockInterval,
    cuts: &[Timestamp],
    open_time: &impl Fn(&ClockInterval, Timestamp, Timestamp) -> Span,
) -> Vec<ClockInterval> {
    let first = cuts.partition_point(|cut| *cut <= interval.from);
    let within = cuts[first..].iter().take_while(|cut| **cut < interval.to);
    let (mut parts, mut from) = (Vec::new(), interval.from);
    for to in within.chain([&interval.to]) {
        if from < *to && interval.charged_to.is_some() {
            parts.push(piece(interval, from, *to, open_time));
            from = *to;
        }
    }
    if parts.is_empty() {
        parts.push(interval.clone());
    }
    parts
}

/// Changes what was counted so far, of everybody in the same proportion and in all by exactly
/// `amount`; to less than nothing it never becomes.
fn adjust<H: Ord>(totals: &mut BTreeMap<H, Span>, amount: Span) {
    let before = totals
        .values()
        .copied()
        .fold(Span::ZERO, Span::saturating_add);
    let after = before.saturating_add(amount).as_micros().max(0);
    let weights: Vec<Part> = (0..).zip(totals.values()).map(part).collect();
    // More holders than an allocation has parts are more than a chain of tickets has parties.
    let Ok(shares) = allocation::shares(after, &weights) else {
        return;
    };
    for (total, share) in totals.values_mut().zip(shares) {
        *total = Span::from_micros(share);
    }
}

fn part((place, total): (usize, &Span)) -> Part {
    Part {
        id: format!("{place:04}"),
        weight: u64::try_from(total.as_micros()).unwrap_or_default(),
    }
}

/// A credit, divided among the firms that held the ball.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreditSplit {
    /// What was divided.
    pub credit: Money,
    /// The division: weights are in [`Self::unit`]; shares are in the order of the holders.
    pub allocation: Allocation,
    /// In what weights are counted: seconds where all of them are whole, else microseconds.
    pub unit: Span,
}

/// Divides `credit`, in minor units above zero, by the time of each firm. Ids decide between equal
/// remainders.
///
/// # Errors
/// [`Reason::CreditNotDue`] if the clock's promise was not broken, [`Reason::NobodyHeldTime`] if none
/// of `firms` held any time, [`Reason::ResultTooLarge`] beyond [`PARTS_MAX`] firms.
pub fn divide(
    credit: Money,
    firms: &[(String, Span)],
    clock: &ClockEvaluation,
) -> Result<CreditSplit, Refusal> {
    if clock.breached_at.is_none() {
        let message = "the promise was not broken, so there is nothing to credit";
        return Err(Refusal::new(Reason::CreditNotDue, message));
    }
    if firms.len() > PARTS_MAX {
        let refusal = Refusal::new(Reason::ResultTooLarge, "too many parties held time");
        return Err(refusal.with("limit", "parties").with("maximum", PARTS_MAX));
    }
    let second = Span::from_seconds(1);
    let is_whole = |time: &Span| time.as_micros() % MICROS_PER_SECOND == 0;
    let unit = if firms.iter().all(|(_, time)| is_whole(time)) {
        second
    } else {
        Span::from_micros(1)
    };
    let parts: Vec<Part> = firms
        .iter()
        .map(|(id, time)| Part {
            id: id.clone(),
            weight: u64::try_from(time.as_micros() / unit.as_micros()).unwrap_or_default(),
        })
        .collect();
    match allocation::allocate(credit.minor, &parts) {
        Ok(allocation) => Ok(CreditSplit {
            credit,
            allocation,
            unit,
        }),
        Err(AllocationError::NoParts | AllocationError::NoWeight { .. }) => {
            let message = "none of the firms held any of the time that counts";
            Err(Refusal::new(Reason::NobodyHeldTime, message))
        }
        Err(fault) => Err(Refusal::new(Reason::OutOfRange, fault.to_string())),
    }
}
