//! Why a clock shows what it shows: its life, stretch by stretch, with the event and the rule
//! behind each.

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use super::clock::cycle::Phase;
use super::clock::history::History;
use super::clock::program::Activity;
use super::clock::walk::ClockWalk;
use super::clock::{Case, ChargedParty, ClockState, TargetType};
use crate::domain::time::{Span, Timestamp};

/// Most intervals of one explanation, a hundred thousand: ten a day for 27 years.
pub const INTERVALS_MAX: usize = 100_000;

/// Why a clock was in the state of an interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExplainRule {
    /// It runs from the opening.
    Opened,
    /// It runs again after a pause.
    Resumed,
    /// It runs again after the ticket was finished.
    Reopened,
    /// It is paused while the client is awaited.
    WaitsOnClient,
    /// It is paused while the other firm is awaited.
    WaitsOnPartner,
    /// It is paused while an outside party is awaited.
    WaitsOnOutsideParty,
    /// It is paused by a state in which nobody else is awaited.
    PausedByState,
    /// It stands still because the calendar is closed.
    CalendarClosed,
    /// It stopped because the first response was given.
    Responded,
    /// It stopped because the ticket was resolved or closed.
    Finished,
    /// It runs because the other side wrote, and awaits an answer.
    MessageReceived,
    /// It stopped because the message was answered.
    Answered,
    /// It runs until the other side is told the next time.
    Updated,
    /// It stopped because the plan was told.
    Planned,
    /// It stopped because a workaround was given.
    WorkedAround,
    /// It runs because this side is waited for.
    BallCrossed,
    /// It stopped because this side gave the ball back.
    BallReturned,
    /// It stands still because the ball is in the other court.
    BallElsewhere,
    /// It stands still because both sides agreed not to count this time.
    Excluded,
    /// It goes on after a time that is not counted.
    ExclusionEnded,
    /// It was cancelled because the ticket was merged into another one.
    Merged,
    /// It was cancelled because the terms now in force promise nothing of the sort.
    NotPromisedAnyMore,
    /// It goes on under other terms.
    TermsChanged,
    /// After a reopening, what was consumed before counts no more.
    Restarted,
    /// After a change of the target, what was consumed before counts no more.
    CountsFromChange,
    /// After a change of the target, what was consumed before counts in proportion.
    CountsProRata,
}

impl ExplainRule {
    /// The rule in plain words.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Opened => "The clock runs from the opening of the ticket.",
            Self::Resumed => "The state that paused the clock was left, so it runs again.",
            Self::Reopened => {
                "The ticket was reopened, so the clock goes on from where it had stopped."
            }
            Self::WaitsOnClient => {
                "An answer of the client is awaited, so the clock is paused and the client is \
                 charged."
            }
            Self::WaitsOnPartner => {
                "An answer of the other firm is awaited, so the clock is paused and that firm is \
                 charged."
            }
            Self::WaitsOnOutsideParty => {
                "An outside party is awaited, so the clock is paused and the outside party is \
                 charged."
            }
            Self::PausedByState => "The agreement pauses the clock in this state of the ticket.",
            Self::CalendarClosed => "The agreed calendar is closed, so no time is consumed.",
            Self::Responded => "The first response was given, so the clock stopped.",
            Self::Finished => {
                "The ticket was resolved or closed, so the clock stopped; this time does not count."
            }
            Self::MessageReceived => {
                "The other side wrote and awaits an answer, so the clock runs from there."
            }
            Self::Answered => "The message was answered, so the clock stopped.",
            Self::Updated => {
                "The other side was told how it stands; the next update is due in turn."
            }
            Self::Planned => "The plan for the resolution was told, so the clock stopped.",
            Self::WorkedAround => "A workaround was given, so the clock stopped.",
            Self::BallCrossed => "This side is waited for, so its clock runs.",
            Self::BallReturned => "This side gave the ball back, so its clock stopped.",
            Self::BallElsewhere => "The ball is in the other court, so this side owes nothing now.",
            Self::Excluded => "Both sides agreed not to count this time.",
            Self::ExclusionEnded => "The time that is not counted is over, so the clock goes on.",
            Self::Merged => "The ticket was merged into another one, so the clock was cancelled.",
            Self::NotPromisedAnyMore => {
                "The terms now in force promise nothing of the sort, so the clock was cancelled."
            }
            Self::TermsChanged => "Other terms came into force; the clock goes on under them.",
            Self::Restarted => {
                "The ticket was reopened and the clock begins again at zero, as agreed."
            }
            Self::CountsFromChange => {
                "The target changed, and as agreed it is allowed anew from the change on."
            }
            Self::CountsProRata => {
                "The target changed, and as agreed the used part of the old one counts as the same \
                 part of the new one."
            }
        }
    }

    /// The rule by which a pause charges `party`.
    pub(in crate::domain::sla) const fn paused_for(party: ChargedParty) -> Self {
        match party {
            ChargedParty::Client => Self::WaitsOnClient,
            ChargedParty::Beneficiary => Self::WaitsOnPartner,
            ChargedParty::OutsideParty => Self::WaitsOnOutsideParty,
            ChargedParty::Obligor => Self::PausedByState,
        }
    }
}

/// A stretch of a clock's life: from `from`, up to but without `to`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockInterval {
    /// First instant.
    pub from: Timestamp,
    /// First instant after it; later than [`Self::from`].
    pub to: Timestamp,
    /// What the clock did.
    pub state: ClockState,
    /// The event that made the clock run, pause or stop, also if the calendar was closed then.
    pub event_id: String,
    /// Why the clock did so.
    pub rule: ExplainRule,
    /// Who is charged with [`Self::charged`]; nobody outside working hours or while stopped.
    pub charged_to: Option<ChargedParty>,
    /// Working time in this interval, which its party is charged with. Sums by party compare
    /// what each of them took of the same working hours.
    pub charged: Span,
    /// Working time that the clock counted: all of it while running, else none.
    pub consumed: Span,
}

/// Why a clock could not be explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExplainError {
    /// There are more than [`INTERVALS_MAX`] intervals.
    #[error("the explanation has more than {INTERVALS_MAX} intervals")]
    TooManyIntervals,
}

/// Consumed time that a change no longer counts, or counts otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockAdjustment {
    /// When.
    pub at: Timestamp,
    /// The event that made it.
    pub event_id: String,
    /// By which rule.
    pub rule: ExplainRule,
    /// What is added to the consumed time; mostly less than zero.
    pub amount: Span,
}

/// The life of one cycle of a clock.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockExplanation {
    /// Its stretches: they follow each other without gap or overlap.
    pub intervals: Vec<ClockInterval>,
    /// What changed in the count. The consumed times of the intervals and these amounts add up to
    /// exactly what [`evaluate_case`](super::clock::evaluate_case) reports.
    pub adjustments: Vec<ClockAdjustment>,
}

/// The life of one cycle of a clock up to `as_of`, or up to where it stopped for good. `None` asks
/// for the last cycle. Empty if there is no such clock or cycle.
///
/// # Errors
///
/// [`ExplainError::TooManyIntervals`] beyond [`INTERVALS_MAX`].
pub fn explain_case(
    case: &Case<'_>,
    target_type: TargetType,
    cycle: Option<u32>,
    as_of: Timestamp,
) -> Result<ClockExplanation, ExplainError> {
    let history = History::new(case, as_of);
    let Some(walk) = ClockWalk::follow(&history, target_type) else {
        return Ok(ClockExplanation::default());
    };
    let asked = walk
        .promised()
        .filter(|(number, _)| cycle.is_none_or(|asked| asked == *number))
        .last();
    let Some((_, cycle)) = asked else {
        return Ok(ClockExplanation::default());
    };
    let mut explanation = Explanation::default();
    for (index, phase) in cycle.phases.iter().enumerate() {
        match cycle.phases.get(index + 1) {
            Some(next) => explanation.add_phase(phase, next.from)?,
            None if !phase.activity.is_alive() => {}
            None => explanation.add_phase(phase, as_of)?,
        }
    }
    let adjustments = cycle.adjustments.iter().map(|adjustment| ClockAdjustment {
        at: adjustment.at,
        event_id: adjustment.event_id.to_owned(),
        rule: adjustment.rule,
        amount: adjustment.amount,
    });
    Ok(ClockExplanation {
        intervals: explanation.intervals,
        adjustments: adjustments.collect(),
    })
}

/// The intervals found so far.
#[derive(Default)]
struct Explanation {
    intervals: Vec<ClockInterval>,
}

impl Explanation {
    fn add_phase(&mut self, phase: &Phase<'_>, to: Timestamp) -> Result<(), ExplainError> {
        if phase.from >= to {
            return Ok(());
        }
        match phase.activity {
            Activity::Runs => self.add_run(phase, to),
            Activity::Paused(party) => {
                let mut interval = blank(phase, phase.from, to, ClockState::Paused);
                interval.charged_to = Some(party);
                interval.charged = phase.terms.calendar.elapsed(phase.from, to);
                self.push(interval)
            }
            Activity::Idle => self.push(blank(phase, phase.from, to, ClockState::Idle)),
            Activity::Excluded => self.push(blank(phase, phase.from, to, ClockState::Excluded)),
            Activity::Stopped => self.push(blank(phase, phase.from, to, ClockState::Stopped)),
            Activity::Cancelled => self.push(blank(phase, phase.from, to, ClockState::Cancelled)),
        }
    }

    /// Splits a running phase where the calendar opens and closes.
    fn add_run(&mut self, phase: &Phase<'_>, to: Timestamp) -> Result<(), ExplainError> {
        let calendar = phase.terms.calendar;
        let mut from = phase.from;
        for (opens, closes) in calendar.open_intervals(phase.from, to) {
            self.add_closed(phase, from, opens)?;
            let mut interval = blank(phase, opens, closes, ClockState::Running);
            interval.charged_to = Some(ChargedParty::Obligor);
            interval.charged = closes.since(opens);
            interval.consumed = interval.charged;
            self.push(interval)?;
            from = closes;
        }
        self.add_closed(phase, from, to)
    }

    fn add_closed(
        &mut self,
        phase: &Phase<'_>,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<(), ExplainError> {
        if from >= to {
            return Ok(());
        }
        let mut interval = blank(phase, from, to, ClockState::OutsideHours);
        interval.rule = ExplainRule::CalendarClosed;
        self.push(interval)
    }

    fn push(&mut self, interval: ClockInterval) -> Result<(), ExplainError> {
        if self.intervals.len() >= INTERVALS_MAX {
            return Err(ExplainError::TooManyIntervals);
        }
        self.intervals.push(interval);
        Ok(())
    }
}

/// An interval of a phase in which nothing is consumed and nobody charged.
fn blank(phase: &Phase<'_>, from: Timestamp, to: Timestamp, state: ClockState) -> ClockInterval {
    ClockInterval {
        from,
        to,
        state,
        event_id: phase.event_id.to_owned(),
        rule: phase.rule,
        charged_to: None,
        charged: Span::ZERO,
        consumed: Span::ZERO,
    }
}
