//! Progress: how often the other side hears how something stands, and which times it was told.
//!
//! An expectation or a ticket has one such record from its first update on, and an expectation with
//! an update interval from when it was agreed. The interval runs in the obligor's hours; one that
//! passes in silence is a missed update, and the next begins where it ended. Nothing removes a
//! missed update.

mod follow;
mod interval;
#[cfg(test)]
mod tests;
mod told;

use serde::{Deserialize, Serialize};

use super::aggregate::{Aggregate, Recorded, events};
use super::identity::PartyId;
use super::time::{Span, Timestamp};

pub(super) use follow::told_now;
pub use follow::{MISSED_PER_TICK, follow, tick};
pub use told::{CurrentTime, TIMES_MAX, TOLD_MAX, TimeDraft, TimeMatter, TimeSource, TimeTold};
pub(super) use told::{Teller, tell};

/// What updates are about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// Identifier of a ticket.
    Ticket(String),
    /// Identifier of an expectation.
    Expectation(String),
}

impl Subject {
    /// Identifier of its progress: what its name has below the partnership's.
    #[must_use]
    pub fn progress_id(&self) -> String {
        match self {
            Self::Ticket(id) => format!("tickets/{id}"),
            Self::Expectation(id) => format!("expectations/{id}"),
        }
    }
}

/// A revision of a calendar.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PinnedCalendar {
    /// The calendar.
    pub calendar: String,
    /// Which revision of it.
    pub revision: u32,
}

/// How often updates are owed, and how that is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pace {
    /// The party that owes them.
    pub obligor: PartyId,
    /// Open time within which the next one is owed. More than zero.
    pub interval: Span,
    /// In whose hours; `None` around the clock.
    pub calendar: Option<PinnedCalendar>,
    /// Whether updates are owed now: not while the work is said to be done.
    pub is_running: bool,
    /// Where the present interval began.
    pub from: Timestamp,
    /// Where it ends: an update at this instant is in time. `None` while nothing is owed, and if the
    /// calendar never has so much open time.
    pub due_at: Option<Timestamp>,
    /// Intervals that passed in silence, as far as they are recorded.
    pub missed: u64,
    /// Where the last of them ended.
    pub last_missed_at: Option<Timestamp>,
}

/// How something stands, as far as anybody told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    /// What it is about.
    pub subject: Subject,
    /// Updates posted so far, by any party.
    pub updates: u32,
    /// The last one of the party that has to do the work.
    pub last_update_at: Option<Timestamp>,
    /// The agreed update interval; `None` if none is agreed, and for tickets, whose agreements have
    /// targets for it.
    pub pace: Option<Pace>,
    /// The last time told of each matter by each source, at most [`TOLD_MAX`].
    pub told: Vec<CurrentTime>,
}

/// From now on updates are owed in an interval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaceBegun {
    /// Of what.
    pub subject: Subject,
    /// By which party.
    pub obligor: PartyId,
    /// How often.
    pub interval: Span,
    /// In whose hours.
    pub calendar: Option<PinnedCalendar>,
    /// When the first one is due.
    pub due_at: Option<Timestamp>,
}

/// No update is owed any longer, or for the time being.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaceStopped {}

/// Updates are owed again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaceResumed {
    /// When the next one is due.
    pub due_at: Option<Timestamp>,
}

/// Intervals passed in silence, each right after the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpdatesMissed {
    /// How many: one, unless the sweeper was away for so long that a command found more of them.
    pub count: u64,
    /// Where the first one ended.
    pub first_due_at: Timestamp,
    /// Where the last one ended.
    pub last_due_at: Timestamp,
    /// Where the next one ends.
    pub due_at: Option<Timestamp>,
}

/// An update was posted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProgressTold {
    /// About what.
    pub subject: Subject,
    /// Its number.
    pub number: u32,
    /// Whether it is of the party that has to do the work.
    pub is_obligors: bool,
    /// When the next one is due.
    pub due_at: Option<Timestamp>,
    /// The times that it gives or withdraws.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub told: Vec<CurrentTime>,
}

events! {
    /// What happens to the progress of something.
    ProgressEvent {
        /// Updates are owed from now on.
        Begun(PaceBegun) = "progress.interval_begun", 1;
        /// None are owed for now.
        Stopped(PaceStopped) = "progress.interval_stopped", 1;
        /// They are owed again.
        Resumed(PaceResumed) = "progress.interval_resumed", 1;
        /// An interval passed in silence.
        Missed(UpdatesMissed) = "progress.update_missed", 1;
        /// An update was posted.
        Told(ProgressTold) = "progress.told", 1;
    }
}

impl Aggregate for Progress {
    type Event = ProgressEvent;
    const BODY_VERSION: u32 = 1;

    fn apply(previous: Option<Self>, event: &ProgressEvent, recorded: &Recorded) -> Option<Self> {
        let mut progress = match (previous, event) {
            (Some(progress), _) => progress,
            (None, ProgressEvent::Begun(begun)) => Self::new(begun.subject.clone()),
            (None, ProgressEvent::Told(told)) => Self::new(told.subject.clone()),
            (None, _) => return None,
        };
        progress.change(event, recorded.at)?;
        Some(progress)
    }

    fn state(&self) -> &'static str {
        match &self.pace {
            Some(pace) if pace.is_running => "running",
            _ => "",
        }
    }

    /// The first instant at which the present interval has passed.
    fn due_at(&self) -> Option<Timestamp> {
        let due_at = self.pace.as_ref()?.due_at?;
        Some(due_at.saturating_add(Span::from_micros(1)))
    }
}

impl Progress {
    const fn new(subject: Subject) -> Self {
        Self {
            subject,
            updates: 0,
            last_update_at: None,
            pace: None,
            told: Vec::new(),
        }
    }

    fn change(&mut self, event: &ProgressEvent, at: Timestamp) -> Option<()> {
        match event {
            ProgressEvent::Begun(begun) => {
                let before = self.pace.as_ref();
                self.pace = Some(Pace {
                    obligor: begun.obligor.clone(),
                    interval: begun.interval,
                    calendar: begun.calendar.clone(),
                    is_running: true,
                    from: at,
                    due_at: begun.due_at,
                    missed: before.map_or(0, |pace| pace.missed),
                    last_missed_at: before.and_then(|pace| pace.last_missed_at),
                });
            }
            ProgressEvent::Stopped(_) => {
                let pace = self.pace.as_mut()?;
                pace.is_running = false;
                pace.due_at = None;
            }
            ProgressEvent::Resumed(resumed) => {
                let pace = self.pace.as_mut()?;
                pace.is_running = true;
                pace.from = at;
                pace.due_at = resumed.due_at;
            }
            ProgressEvent::Missed(missed) => self.pace.as_mut()?.miss(missed),
            ProgressEvent::Told(told) => {
                self.updates = told.number;
                if told.is_obligors {
                    self.last_update_at = Some(at);
                    if let Some(pace) = self.pace.as_mut().filter(|pace| pace.is_running) {
                        pace.from = at;
                        pace.due_at = told.due_at;
                    }
                }
                for time in &told.told {
                    self.told.retain(|known| !known.is_about_the_same_as(time));
                    self.told.push(time.clone());
                }
            }
        }
        Some(())
    }
}

impl Pace {
    fn miss(&mut self, missed: &UpdatesMissed) {
        self.missed = self.missed.saturating_add(missed.count);
        self.last_missed_at = Some(missed.last_due_at);
        self.from = missed.last_due_at;
        self.due_at = missed.due_at;
    }
}
