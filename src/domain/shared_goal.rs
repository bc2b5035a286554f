//! Shared goals: what the parties want to reach together, and by what they will know that they did.
//!
//! A goal counts once every firm agreed to it. That it was reached is said by another party than the
//! one that answers for it. Where no other firm has joined, the one that is there says everything, and
//! it is asserted.

mod decide;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use super::aggregate::{Aggregate, By, Recorded, events};
use super::commitment::Commitment;
use super::identity::PartyId;
use super::partnership::Approval;
use super::partnership::ending::ClosedWithPartnership;
use super::time::Timestamp;

pub use decide::{GoalCommand, GoalDraft, decide};

/// Most reports of progress of one goal.
pub const PROGRESS_MAX: usize = 200;
/// All of the way, in percent.
pub const PERCENT_MAX: u8 = 100;

/// How far a goal has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GoalState {
    /// Not every firm has agreed yet.
    Proposed,
    /// Every firm agreed.
    Agreed,
    /// It was reached.
    Reached,
    /// It was not.
    Missed,
    /// The parties gave it up, or never agreed to it.
    Dropped,
    /// Closed with its partnership before anybody said what became of it.
    Closed,
}

impl GoalState {
    /// The name used in lists and errors.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Agreed => "agreed",
            Self::Reached => "reached",
            Self::Missed => "missed",
            Self::Dropped => "dropped",
            Self::Closed => "closed",
        }
    }
}

/// A goal as it is proposed, and agreed to by its proposer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GoalProposed {
    /// The party that proposes it.
    pub party: PartyId,
    /// What is to be reached: a commitment to a line.
    pub title: Commitment,
    /// By what the parties measure it: a commitment.
    pub measure: Commitment,
    /// What that measure is to be: a commitment.
    pub target: Commitment,
    /// The party that answers for it.
    pub owner: PartyId,
    /// When it is to be reached.
    pub due: Timestamp,
    /// Whether no other firm had joined, so that it counts at once.
    pub is_asserted: bool,
}

/// A party agreed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GoalAgreed {
    /// The party.
    pub party: PartyId,
    /// Whether every firm has agreed now.
    pub is_complete: bool,
}

/// How a goal stands, as a party says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProgressTold {
    /// The party.
    pub party: PartyId,
    /// How much of the way is done, in percent: up to [`PERCENT_MAX`].
    pub percent: u8,
    /// In words: a commitment.
    pub note: Option<Commitment>,
}

/// What became of a goal, as a party says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GoalEnded {
    /// The party.
    pub party: PartyId,
    /// Reached, missed or dropped.
    pub state: GoalState,
    /// Why: a commitment.
    pub words: Option<Commitment>,
    /// Whether no other firm had joined that could have said otherwise.
    pub is_asserted: bool,
}

events! {
    /// What happens to a shared goal.
    GoalEvent {
        /// It was proposed.
        Proposed(GoalProposed) = "shared_goal.proposed", 1;
        /// A party agreed to it.
        Agreed(GoalAgreed) = "shared_goal.agreed", 1;
        /// A party told how it stands.
        ProgressTold(ProgressTold) = "shared_goal.progress_told", 1;
        /// A party said what became of it.
        Ended(GoalEnded) = "shared_goal.ended", 1;
        /// It was closed with its partnership.
        Closed(ClosedWithPartnership) = "shared_goal.closed", 1;
    }
}

/// A report of progress.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GoalProgress {
    /// How much of the way is done, in percent.
    pub percent: u8,
    /// In words: a commitment.
    pub note: Option<Commitment>,
    /// Who said so.
    pub by: By,
}

/// What became of a goal, and who said so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GoalOutcome {
    /// Why: a commitment.
    pub words: Option<Commitment>,
    /// Who said so.
    pub by: By,
    /// Whether no other firm had joined that could have said otherwise.
    pub is_asserted: bool,
}

/// Something that the parties want to reach together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SharedGoal {
    /// What is to be reached: a commitment.
    pub title: Commitment,
    /// By what the parties measure it: a commitment.
    pub measure: Commitment,
    /// What that measure is to be: a commitment.
    pub target: Commitment,
    /// The party that answers for it.
    pub owner: PartyId,
    /// When it is to be reached.
    pub due: Timestamp,
    /// How far it has come.
    pub state: GoalState,
    /// Whether it counts only as the word of one firm.
    pub is_asserted: bool,
    /// Who agreed, the proposer first.
    pub approvals: Vec<Approval>,
    /// When every firm had agreed, or the only one.
    pub agreed_at: Option<Timestamp>,
    /// What was told about how it stands, oldest first; at most [`PROGRESS_MAX`].
    pub progress: Vec<GoalProgress>,
    /// What became of it, if somebody said so.
    pub outcome: Option<GoalOutcome>,
    /// When it was closed with its partnership, if it was.
    pub closed_at: Option<Timestamp>,
}

impl SharedGoal {
    fn proposed(proposed: &GoalProposed, recorded: &Recorded) -> Option<Self> {
        let counts = proposed.is_asserted;
        Some(Self {
            title: proposed.title.clone(),
            measure: proposed.measure.clone(),
            target: proposed.target.clone(),
            owner: proposed.owner.clone(),
            due: proposed.due,
            state: if counts {
                GoalState::Agreed
            } else {
                GoalState::Proposed
            },
            is_asserted: counts,
            approvals: vec![Approval::of(&proposed.party, recorded)?],
            agreed_at: counts.then_some(recorded.at),
            progress: Vec::new(),
            outcome: None,
            closed_at: None,
        })
    }

    fn changed(mut self, event: &GoalEvent, recorded: &Recorded) -> Option<Self> {
        match event {
            GoalEvent::Proposed(_) => return None,
            GoalEvent::Agreed(agreed) => {
                Approval::of(&agreed.party, recorded)?.add_to(&mut self.approvals);
                if agreed.is_complete {
                    self.state = GoalState::Agreed;
                    self.is_asserted = false;
                    self.agreed_at = Some(recorded.at);
                }
            }
            GoalEvent::ProgressTold(told) => self.progress.push(GoalProgress {
                percent: told.percent,
                note: told.note.clone(),
                by: By::of(&told.party, recorded)?,
            }),
            GoalEvent::Ended(ended) => {
                self.state = ended.state;
                self.outcome = Some(GoalOutcome {
                    words: ended.words.clone(),
                    by: By::of(&ended.party, recorded)?,
                    is_asserted: ended.is_asserted,
                });
            }
            GoalEvent::Closed(closed) => self.close(closed.at),
        }
        Some(self)
    }
}

impl Aggregate for SharedGoal {
    type Event = GoalEvent;
    const BODY_VERSION: u32 = 1;

    fn apply(previous: Option<Self>, event: &GoalEvent, recorded: &Recorded) -> Option<Self> {
        match (previous, event) {
            (None, GoalEvent::Proposed(proposed)) => Self::proposed(proposed, recorded),
            (Some(goal), event) => goal.changed(event, recorded),
            (None, _) => None,
        }
    }

    fn state(&self) -> &'static str {
        self.state.as_str()
    }

    fn close(&mut self, at: Timestamp) {
        if matches!(self.state, GoalState::Proposed | GoalState::Agreed) {
            self.state = GoalState::Closed;
            self.closed_at = Some(at);
        }
    }
}
