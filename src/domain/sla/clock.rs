//! SLA clocks: what a ticket's events, under agreed rules, make of its service level targets.
//!
//! [`evaluate`] is a pure function of (facts, rules, calendar, instant). Nothing is remembered
//! between two calls, so a late event, an edited calendar or a question about the past needs no
//! repair: ask again.
//!
//! Two clocks may run on a ticket, one for each [`TargetType`]. Both count working time from the
//! ticket's opening. `walk` holds the rules by which one clock moves; this file holds its words.

pub(in crate::domain::sla) mod walk;

#[cfg(test)]
pub(in crate::domain::sla) mod tests;

use serde::{Deserialize, Serialize};

use self::walk::{ClockWalk, History};
use super::compiled::CompiledCalendar;
use crate::domain::time::{Span, Timestamp};

/// The whole of a target, in basis points. As a threshold it means "breached", which needs more
/// than the whole: reaching the deadline exactly is met.
pub const WHOLE_TARGET_BPS: u32 = 10_000;

/// What a service level target promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetType {
    /// A first answer that counts as a response.
    FirstResponse,
    /// The ticket is resolved.
    Resolution,
}

impl TargetType {
    /// Every target type, in the order in which clocks are listed.
    pub const ALL: [Self; 2] = [Self::FirstResponse, Self::Resolution];
}

/// How urgent a ticket is: 1 (highest) to 5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Priority(u8);

/// A number that is not a priority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("priority must be 1 (highest) to 5, not {0}")]
pub struct PriorityOutOfRange(pub u8);

impl Priority {
    /// The most urgent priority.
    pub const HIGHEST: Self = Self(1);
    /// The least urgent priority.
    pub const LOWEST: Self = Self(5);

    /// The priority with this number, or `None` unless it is 1 to 5.
    #[must_use]
    pub const fn new(number: u8) -> Option<Self> {
        if number >= Self::HIGHEST.0 && number <= Self::LOWEST.0 {
            Some(Self(number))
        } else {
            None
        }
    }

    /// The number, 1 (highest) to 5.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for Priority {
    type Error = PriorityOutOfRange;

    fn try_from(number: u8) -> Result<Self, Self::Error> {
        Self::new(number).ok_or(PriorityOutOfRange(number))
    }
}

impl From<Priority> for u8 {
    fn from(priority: Priority) -> Self {
        priority.0
    }
}

/// One promise of an agreement: this much working time for tickets of this priority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceLevelTarget {
    /// What is promised.
    pub target_type: TargetType,
    /// The tickets for which it is promised.
    pub priority: Priority,
    /// Working time allowed, counted from the opening. More than zero.
    pub duration: Span,
}

/// Where a ticket stands, in words that all firms share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TicketState {
    /// Opened; nobody has taken it up.
    New,
    /// The obligor works on it.
    InProgress,
    /// An answer of the client is awaited.
    WaitingOnClient,
    /// An answer of the other firm is awaited.
    WaitingOnPartner,
    /// A vendor, carrier or registrar is awaited.
    WaitingOnOutsideParty,
    /// Said to be solved.
    Resolved,
    /// Finished.
    Closed,
}

/// What lists call a ticket that is not finished.
pub const OPEN: &str = "open";
/// What lists call a ticket that is resolved or closed.
pub const FINISHED: &str = "finished";

impl TicketState {
    /// The name used in lists and errors.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::InProgress => "in_progress",
            Self::WaitingOnClient => "waiting_on_client",
            Self::WaitingOnPartner => "waiting_on_partner",
            Self::WaitingOnOutsideParty => "waiting_on_outside_party",
            Self::Resolved => "resolved",
            Self::Closed => "closed",
        }
    }

    /// Whether no more work is expected: resolved or closed. Every other state is open.
    #[must_use]
    pub const fn is_finished(self) -> bool {
        matches!(self, Self::Resolved | Self::Closed)
    }

    /// [`OPEN`] or [`FINISHED`], see [`Self::is_finished`].
    #[must_use]
    pub const fn stage(self) -> &'static str {
        if self.is_finished() { FINISHED } else { OPEN }
    }

    /// Who is charged with the time while a clock is paused in this state.
    #[must_use]
    pub const fn charged_while_paused(self) -> ChargedParty {
        match self {
            Self::WaitingOnClient => ChargedParty::Client,
            Self::WaitingOnPartner => ChargedParty::Beneficiary,
            Self::WaitingOnOutsideParty => ChargedParty::OutsideParty,
            Self::New | Self::InProgress | Self::Resolved | Self::Closed => ChargedParty::Obligor,
        }
    }
}

/// Who is charged with a stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChargedParty {
    /// The firm that made the promise.
    Obligor,
    /// The party to whom it was made.
    Beneficiary,
    /// The client whose ticket it is.
    Client,
    /// A vendor, carrier or registrar.
    OutsideParty,
}

/// What one event said about a ticket. Facts are ordered by ([`Self::occurred_at`],
/// [`Self::source_sequence`], [`Self::event_id`]), never by arrival.
///
/// A fact takes effect when it occurred, or at the opening if that is later.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TicketFact {
    // The derived order compares fields as they are listed: the three that order facts come
    // first, the others only settle what an event id given twice would leave open.
    /// When it happened.
    pub occurred_at: Timestamp,
    /// The source's own count, which orders facts of the same instant.
    #[serde(default, skip_serializing_if = "is_default")]
    pub source_sequence: i64,
    /// The event that said it, unique within the ticket.
    pub event_id: String,
    /// When the ticket was opened, if the event said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened_at: Option<Timestamp>,
    /// The priority from now on, if the event said so or its [`Self::source_priority`] stands for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// The priority from now on as the software spells it, if the event said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_priority: Option<String>,
    /// The status from now on as the software spells it, if the event said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The state that the status stands for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<TicketState>,
    /// Whether it was a reply that counts as a response: its sender says so.
    #[serde(default, skip_serializing_if = "is_default")]
    pub responded: bool,
    /// Opaque id of the person whom the client met, if the event said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// When the client first spoke, if the event said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported_at: Option<Timestamp>,
    /// Where the journal has it; `None` until it is recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded: Option<RecordedIn>,
}

impl TicketFact {
    /// Whether the event is the same as `other`, as far as its sender told it.
    #[must_use]
    pub fn says_the_same_as(&self, other: &Self) -> bool {
        self.occurred_at == other.occurred_at
            && self.source_sequence == other.source_sequence
            && self.event_id == other.event_id
            && self.opened_at == other.opened_at
            && self.said_priority() == other.said_priority()
            && self.source_priority == other.source_priority
            && self.status == other.status
            && self.responded == other.responded
            && self.person == other.person
            && self.reported_at == other.reported_at
    }

    /// The priority, where the sender gave the number itself.
    fn said_priority(&self) -> Option<Priority> {
        self.priority.filter(|_| self.source_priority.is_none())
    }

    /// Whether no map has explained the status yet.
    #[must_use]
    pub const fn lacks_state(&self) -> bool {
        self.status.is_some() && self.state.is_none()
    }

    /// Whether no map has explained the priority yet.
    #[must_use]
    pub const fn lacks_priority(&self) -> bool {
        self.source_priority.is_some() && self.priority.is_none()
    }
}

/// Which entry of the journal recorded something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedIn {
    /// The entry's sequence in its scope.
    pub sequence: u64,
    /// The entry's time.
    pub at: Timestamp,
}

/// Whether a field holds what it holds when nothing is said.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Puts facts into the order in which they count.
pub fn sort_facts(facts: &mut [TicketFact]) {
    facts.sort_unstable();
}

/// The pinned terms under which a ticket's clocks run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockRules {
    /// What was promised; of two for the same type and priority the first counts.
    pub targets: Vec<ServiceLevelTarget>,
    /// States in which both clocks stand still.
    pub pausing_states: Vec<TicketState>,
    /// Whether the first state other than [`TicketState::New`] counts as a response.
    pub response_by_state: bool,
    /// Parts of a target, in basis points, whose crossing is recorded. Order does not matter.
    pub thresholds_bps: Vec<u32>,
}

impl ClockRules {
    /// Working time promised for this type and priority, or `None` if nothing was.
    #[must_use]
    pub fn target(&self, target_type: TargetType, priority: Priority) -> Option<Span> {
        self.targets
            .iter()
            .find(|target| target.target_type == target_type && target.priority == priority)
            .map(|target| target.duration)
    }
}

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
    /// What was promised is done.
    Stopped,
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
}

/// The first instant at which a clock had used a part of the target in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Crossing {
    /// The part, in basis points of the target.
    pub threshold_bps: u32,
    /// When it was used up; from [`WHOLE_TARGET_BPS`] on, when more than it was used.
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
    /// What the clock is doing.
    pub state: ClockState,
    /// What it says of the promise.
    pub verdict: Verdict,
    /// The last priority in force while the clock was alive, that is not stopped.
    pub priority: Priority,
    /// The last target in force while the clock was alive. Of an older priority if nothing is
    /// promised for [`Self::priority`]; the clock is not judged meanwhile.
    pub target: Span,
    /// Working time used since the opening, without pauses and without time spent stopped.
    pub consumed: Span,
    /// The ticket's opening.
    pub started_at: Timestamp,
    /// When the clock stopped; `None` while it is alive.
    pub stopped_at: Option<Timestamp>,
    /// First instant at which [`Self::consumed`] equals the target in force, past or predicted
    /// as if nothing more happened. `None` while the clock is paused or stopped, while no target
    /// is in force, and if the calendar never gets there.
    pub due_at: Option<Timestamp>,
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
    /// At most one clock for each target type, in the order of [`TargetType::ALL`]. A clock for
    /// which nothing was promised while it was alive is left out.
    pub clocks: Vec<ClockEvaluation>,
}

/// What `facts` make of a ticket under `rules`, as of `as_of`.
///
/// Facts may come in any order and more than once; those that take effect after `as_of` are
/// left aside. Time is O(n log n) for n facts, whatever the distances between them.
#[must_use]
pub fn evaluate(
    facts: &[TicketFact],
    rules: &ClockRules,
    calendar: &CompiledCalendar,
    as_of: Timestamp,
) -> TicketEvaluation {
    let history = History::new(facts, as_of);
    let clocks = TargetType::ALL
        .into_iter()
        .filter_map(|target_type| {
            ClockWalk::follow(&history, rules, calendar, target_type)?.evaluation()
        })
        .collect();
    TicketEvaluation {
        state: history.state(),
        priority: history.priority(),
        opened_at: history.opened_at,
        clocks,
    }
}
