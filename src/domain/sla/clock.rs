//! SLA clocks: what a ticket's events, under agreed rules, make of its service level targets.
//!
//! [`evaluate_case`] is a pure function of (facts, terms, what was agreed, instant). Nothing is
//! remembered between two calls, so a late event, an edited calendar or a question about the past
//! needs no repair: ask again.
//!
//! A ticket has a clock for each [`TargetType`] that is promised. A clock runs in cycles: most have
//! one; a promise that is made again and again, such as the next response, has one for each time.
//! `rules` and `facts` hold the words, `history` puts everything in order, `program` says what a
//! fact asks of which clock, `walk` follows one clock through the history and `cycle` counts.

pub(in crate::domain::sla) mod cycle;
mod facts;
pub(in crate::domain::sla) mod history;
pub(in crate::domain::sla) mod program;
mod rules;
pub(in crate::domain::sla) mod walk;

#[cfg(test)]
pub(in crate::domain) mod tests;

use serde::{Deserialize, Serialize};

use self::history::History;
use self::walk::ClockWalk;
use super::compiled::CompiledCalendar;
use crate::domain::time::{Span, Timestamp};

pub use self::facts::{
    ChargedParty, ExcludedStretch, FINISHED, Mark, MergeTarget, OPEN, RecordedIn, TicketFact,
    TicketState, sort_facts,
};
pub use self::history::{Case, Terms};
pub use self::rules::{
    AgreedDate, ClockRules, EscalationLevel, EscalationType, LevelAt, Priority, PriorityOutOfRange,
    ReopenRule, RetargetRule, ServiceLevelTarget, Side, TargetReopenRule, TargetType,
    WHOLE_TARGET_BPS,
};

/// What a clock is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockState {
    /// Working time is being consumed.
    Running,
    /// A pausing state holds it, within working hours or not.
    Paused,
    /// It would run, but the calendar is closed.
    OutsideHours,
    /// The ball is in the other court, so nothing is owed.
    Idle,
    /// Both sides agreed not to count this time.
    Excluded,
    /// What was promised is done.
    Stopped,
    /// The promise no longer holds: the ticket was merged, or runs under other terms.
    Cancelled,
}

impl ClockState {
    /// Whether the promise is still to be kept now.
    #[must_use]
    pub const fn is_alive(self) -> bool {
        !matches!(self, Self::Stopped | Self::Cancelled | Self::Idle)
    }
}

/// What a clock says of its promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Not done, and no target was exceeded.
    Running,
    /// Done, and no target was exceeded. Reaching a target exactly is met.
    Met,
    /// A target was exceeded while it was in force. Nothing that happens later removes a breach.
    Breached,
    /// The promise ceased to hold before it was kept or broken.
    Cancelled,
}

/// The first instant at which a clock had reached a level of the target in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Crossing {
    /// Which level.
    pub level: LevelAt,
    /// When it was reached; from the whole target on, when more than it was used.
    pub at: Timestamp,
    /// The priority in force then.
    pub priority: Priority,
    /// The target in force then.
    pub target: Span,
}

/// One clock as of an instant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockEvaluation {
    /// What is promised.
    pub target_type: TargetType,
    /// Which cycle of the clock, from 1.
    pub cycle: u32,
    /// What the clock is doing.
    pub state: ClockState,
    /// What it says of the promise.
    pub verdict: Verdict,
    /// The last priority in force while the clock was alive, that is not stopped.
    pub priority: Priority,
    /// The last target in force while the clock was alive. Of an older priority if nothing is
    /// promised for [`Self::priority`]; the clock is not judged meanwhile.
    pub target: Span,
    /// Working time used since the cycle began, without pauses and without time spent stopped, and
    /// as the rules for changes of the target count it.
    pub consumed: Span,
    /// Where the cycle began: mostly the ticket's opening.
    pub started_at: Timestamp,
    /// When the clock stopped; `None` while it is alive.
    pub stopped_at: Option<Timestamp>,
    /// First instant at which [`Self::consumed`] equals the target in force, past or predicted
    /// as if nothing more happened. `None` while the clock is paused or stopped, while no target
    /// is in force, and if the calendar never gets there. Where a date was agreed, that date, whether
    /// the clock is paused or not.
    pub due_at: Option<Timestamp>,
    /// Whether an agreed date is in force in place of the target.
    pub is_agreed_date: bool,
    /// The deadline that was passed first. If a change of priority or a reopening put a target
    /// in force that was exceeded already, the instant of that change. `None` without a breach.
    pub breached_at: Option<Timestamp>,
    /// Who is being charged with time: nobody while stopped or outside working hours.
    pub charged_to: Option<ChargedParty>,
    /// [`Self::consumed`] in basis points of [`Self::target`], rounded down.
    pub used_bps: u64,
    /// The thresholds crossed, each once, in ascending order of threshold and of time.
    pub crossings: Vec<Crossing>,
    /// The next crossing if nothing more happens. `None` where [`Self::due_at`] would be, and
    /// after the last threshold.
    pub next_crossing: Option<Crossing>,
}

/// A ticket as of an instant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TicketEvaluation {
    /// Where the ticket stands; [`TicketState::New`] until a fact says otherwise.
    pub state: TicketState,
    /// The priority in force; `None` until a fact says one.
    pub priority: Option<Priority>,
    /// The first instant given as the opening, else that of the first fact. Facts after the
    /// asked instant count here too, as the opening of a ticket does not change with the
    /// question. Without any fact, the asked instant.
    pub opened_at: Timestamp,
    /// The cycles of each clock, in the order of [`TargetType::ALL`] and then of the cycles. One
    /// for which nothing was promised while it was alive is left out.
    pub clocks: Vec<ClockEvaluation>,
}

/// What `facts` make of a ticket under `rules`, as of `as_of`; see [`evaluate_case`].
#[must_use]
pub fn evaluate(
    facts: &[TicketFact],
    rules: &ClockRules,
    calendar: &CompiledCalendar,
    as_of: Timestamp,
) -> TicketEvaluation {
    let terms = [Terms {
        from: Timestamp::EARLIEST,
        event_id: "",
        rules,
        calendar,
    }];
    evaluate_case(&Case::under(facts, &terms), as_of)
}

/// What a case makes of its ticket, as of `as_of`.
///
/// Facts may come in any order and more than once; what takes effect after `as_of` is left aside.
/// Time is O(n log n) for n facts, whatever the distances between them.
#[must_use]
pub fn evaluate_case(case: &Case<'_>, as_of: Timestamp) -> TicketEvaluation {
    let history = History::new(case, as_of);
    let clocks = TargetType::ALL
        .into_iter()
        .filter(|target_type| case.promises(*target_type))
        .filter_map(|target_type| ClockWalk::follow(&history, target_type))
        .flat_map(|walk| walk.evaluations().collect::<Vec<_>>())
        .collect();
    TicketEvaluation {
        state: history.state(),
        priority: history.priority(),
        opened_at: history.opened_at,
        clocks,
    }
}
