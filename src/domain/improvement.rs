//! Improvements: what is to be better from now on, because of something that was not good.
//!
//! Its owner says that an improvement is done, and another party that it really is. Nothing is ever
//! done for good: every party may open it again, and everything that was said stays.

mod decide;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use super::aggregate::{Aggregate, By, Recorded, events};
use super::commitment::Commitment;
use super::expectation::Expectation;
use super::identity::PartyId;
use super::interaction::feedback::Feedback;
use super::interaction::survey::Survey;
use super::notice::Notice;
use super::partnership::ending::ClosedWithPartnership;
use super::sla::ticket::Ticket;
use super::time::Timestamp;
use super::world::{Stop, View};

pub use decide::{ImprovementCommand, ImprovementDraft, decide, require_owner};

/// Most records that one improvement comes of.
pub const SOURCES_MAX: usize = 10;
/// Most steps of one improvement.
pub const STEPS_MAX: usize = 100;

/// A record of the partnership that shows what was not good.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Identifier of a ticket.
    Ticket(String),
    /// Identifier of an expectation.
    Expectation(String),
    /// Identifier of a notice.
    Notice(String),
    /// Identifier of a survey.
    Survey(String),
    /// Identifier of feedback.
    Feedback(String),
}

impl Source {
    fn require_existing(&self, view: &View<'_>) -> Result<(), Stop> {
        match self {
            Self::Ticket(id) => view.get::<Ticket>(id).map(|_| ()),
            Self::Expectation(id) => view.get::<Expectation>(id).map(|_| ()),
            Self::Notice(id) => view.get::<Notice>(id).map(|_| ()),
            Self::Survey(id) => view.get::<Survey>(id).map(|_| ()),
            Self::Feedback(id) => view.get::<Feedback>(id).map(|_| ()),
        }
    }
}

/// How far an improvement has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImprovementState {
    /// It is still to be done.
    Open,
    /// Its owner says that it is done.
    Done,
    /// Another party says so, too.
    Verified,
    /// It was given up.
    Dropped,
    /// Closed with its partnership before it was done.
    Closed,
}

impl ImprovementState {
    /// The name used in lists and errors.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Done => "done",
            Self::Verified => "verified",
            Self::Dropped => "dropped",
            Self::Closed => "closed",
        }
    }
}

/// An improvement as it is recorded first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImprovementCreated {
    /// The party that records it.
    pub party: PartyId,
    /// What was not good: a commitment; given unless there are sources.
    pub cause: Option<Commitment>,
    /// The records from which that is known, each once; at most [`SOURCES_MAX`].
    pub sources: Vec<Source>,
    /// What is to be done: a commitment.
    pub action: Commitment,
    /// The party that does it.
    pub owner: PartyId,
    /// Until when.
    pub due: Timestamp,
}

/// What a party said of an improvement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepTaken {
    /// The party.
    pub party: PartyId,
    /// What it is by that.
    pub state: ImprovementState,
    /// In words: a commitment.
    pub words: Option<Commitment>,
    /// Whether no other firm had joined that could have said otherwise.
    pub is_asserted: bool,
}

events! {
    /// What happens to an improvement.
    ImprovementEvent {
        /// It was recorded.
        Created(ImprovementCreated) = "improvement.created", 1;
        /// It was done, verified, opened again or given up.
        Moved(StepTaken) = "improvement.moved", 1;
        /// It was closed with its partnership.
        Closed(ClosedWithPartnership) = "improvement.closed", 1;
    }
}

/// What was said of an improvement, and by whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImprovementStep {
    /// What it was by that.
    pub state: ImprovementState,
    /// In words: a commitment.
    pub words: Option<Commitment>,
    /// Who said so.
    pub by: By,
    /// Whether no other firm had joined that could have said otherwise.
    pub is_asserted: bool,
}

/// Something that is to be better from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Improvement {
    /// What it is, as it was recorded; never changed.
    pub created: ImprovementCreated,
    /// How far it has come.
    pub state: ImprovementState,
    /// What was said since, oldest first; at most [`STEPS_MAX`].
    pub steps: Vec<ImprovementStep>,
    /// When it was closed with its partnership, if it was.
    pub closed_at: Option<Timestamp>,
}

impl Improvement {
    /// Who said last that it is in `state`, and when.
    #[must_use]
    pub fn last_step(&self, state: ImprovementState) -> Option<&ImprovementStep> {
        self.steps.iter().rfind(|step| step.state == state)
    }
}

impl Aggregate for Improvement {
    type Event = ImprovementEvent;
    const BODY_VERSION: u32 = 1;

    fn apply(
        previous: Option<Self>,
        event: &ImprovementEvent,
        recorded: &Recorded,
    ) -> Option<Self> {
        match (previous, event) {
            (None, ImprovementEvent::Created(created)) => Some(Self {
                created: created.clone(),
                state: ImprovementState::Open,
                steps: Vec::new(),
                closed_at: None,
            }),
            (Some(mut improvement), ImprovementEvent::Moved(taken)) => {
                improvement.state = taken.state;
                improvement.steps.push(ImprovementStep {
                    state: taken.state,
                    words: taken.words.clone(),
                    by: By::of(&taken.party, recorded)?,
                    is_asserted: taken.is_asserted,
                });
                Some(improvement)
            }
            (Some(mut improvement), ImprovementEvent::Closed(closed)) => {
                improvement.close(closed.at);
                Some(improvement)
            }
            _ => None,
        }
    }

    fn state(&self) -> &'static str {
        self.state.as_str()
    }

    fn close(&mut self, at: Timestamp) {
        if self.state == ImprovementState::Open {
            self.state = ImprovementState::Closed;
            self.closed_at = Some(at);
        }
    }
}
