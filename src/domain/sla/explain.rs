//! Why a clock shows what it shows: its life, stretch by stretch, with the event and the rule
//! behind each.

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use super::clock::walk::{Activity, ClockWalk, History, Phase};
use super::clock::{ChargedParty, ClockRules, ClockState, TargetType, TicketFact};
use super::compiled::CompiledCalendar;
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

/// The life of one clock up to `as_of`, or up to where it stopped for good.
///
/// The intervals follow each other without gap or overlap from the ticket's opening, and their
/// consumed times add up to exactly what [`evaluate`](super::clock::evaluate) reports. Empty if
/// there is no such clock.
///
/// # Errors
///
/// [`ExplainError::TooManyIntervals`] beyond [`INTERVALS_MAX`].
pub fn explain(
    facts: &[TicketFact],
    rules: &ClockRules,
    calendar: &CompiledCalendar,
    target_type: TargetType,
    as_of: Timestamp,
) -> Result<Vec<ClockInterval>, ExplainError> {
    let history = History::new(facts, as_of);
    let mut explanation = Explanation {
        calendar,
        intervals: Vec::new(),
    };
    if let Some(walk) = ClockWalk::follow(&history, rules, calendar, target_type) {
        let phases = walk.phases();
        for (index, phase) in phases.iter().enumerate() {
            match phases.get(index + 1) {
                Some(next) => explanation.add_phase(phase, next.from)?,
                None if phase.activity == Activity::Stopped => {}
                None => explanation.add_phase(phase, as_of)?,
            }
        }
    }
    Ok(explanation.intervals)
}

/// The intervals found so far.
struct Explanation<'a> {
    calendar: &'a CompiledCalendar,
    intervals: Vec<ClockInterval>,
}

impl Explanation<'_> {
    fn add_phase(&mut self, phase: &Phase<'_>, to: Timestamp) -> Result<(), ExplainError> {
        if phase.from >= to {
            return Ok(());
        }
        match phase.activity {
            Activity::Runs => self.add_run(phase, to),
            Activity::Paused(party) => {
                let mut interval = blank(phase, phase.from, to, ClockState::Paused);
                interval.charged_to = Some(party);
                interval.charged = self.calendar.elapsed(phase.from, to);
                self.push(interval)
            }
            Activity::Stopped => self.push(blank(phase, phase.from, to, ClockState::Stopped)),
        }
    }

    /// Splits a running phase where the calendar opens and closes.
    fn add_run(&mut self, phase: &Phase<'_>, to: Timestamp) -> Result<(), ExplainError> {
        let calendar = self.calendar;
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
