//! Remedy plans: what the parties do about a row of the check-up, step by step.
//!
//! A plan says which row it is about and how that looked: as of when, over which window and how bad. Who
//! doubts it asks for the same check-up again. It counts once every firm agreed; every step is said to
//! be done by the party that was to do it.

mod decide;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use super::aggregate::{Aggregate, By, Recorded, events};
use super::checkup::{Symptom, Window};
use super::commitment::Commitment;
use super::identity::PartyId;
use super::partnership::Approval;
use super::partnership::ending::ClosedWithPartnership;
use super::time::Timestamp;

pub use decide::{PlanCommand, PlanDraft, StepDraft, decide};

/// Most steps of one plan.
pub const STEPS_MAX: usize = 50;

/// How far a plan has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanState {
    /// Not every firm has agreed yet.
    Proposed,
    /// Every firm agreed.
    Agreed,
    /// All steps were done.
    Done,
    /// The parties gave it up, or never agreed to it.
    Abandoned,
    /// Closed with its partnership before it was done.
    Closed,
}

impl PlanState {
    /// The name used in lists and errors.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Agreed => "agreed",
            Self::Done => "done",
            Self::Abandoned => "abandoned",
            Self::Closed => "closed",
        }
    }
}

/// How a row of the check-up looked when a plan was made, as its maker says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// The row.
    pub symptom: Symptom,
    /// As of when.
    pub as_of: Timestamp,
    /// The first instant of the window.
    pub from: Timestamp,
    /// The end of the window, exclusive.
    pub to: Timestamp,
    /// How bad it was, 0 to 4; `None` where there was no data.
    pub intensity: Option<u8>,
}

impl Finding {
    /// The window.
    #[must_use]
    pub const fn window(&self) -> Window {
        Window {
            from: self.from,
            to: self.to,
        }
    }
}

/// A step as it is planned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedStep {
    /// What is to be done: a commitment.
    pub action: Commitment,
    /// The party that does it.
    pub owner: PartyId,
    /// Until when.
    pub due: Timestamp,
}

/// A plan as it is proposed, and agreed to by its proposer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanProposed {
    /// The party that proposes it.
    pub party: PartyId,
    /// What it is about.
    pub finding: Finding,
    /// What is to be done, in order; at most [`STEPS_MAX`].
    pub steps: Vec<PlannedStep>,
    /// Whether no other firm had joined, so that it counts at once.
    pub is_asserted: bool,
}

/// A party agreed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanAgreed {
    /// The party.
    pub party: PartyId,
    /// Whether every firm has agreed now.
    pub is_complete: bool,
}

/// A step was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepDone {
    /// The party that says so.
    pub party: PartyId,
    /// Which step, counted from 1.
    pub number: u32,
    /// What there is to say: a commitment.
    pub words: Option<Commitment>,
}

/// What became of a plan, as a party says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanEnded {
    /// The party.
    pub party: PartyId,
    /// Done or abandoned.
    pub state: PlanState,
    /// Why: a commitment.
    pub words: Option<Commitment>,
}

events! {
    /// What happens to a remedy plan.
    PlanEvent {
        /// It was proposed.
        Proposed(PlanProposed) = "remedy_plan.proposed", 1;
        /// A party agreed to it.
        Agreed(PlanAgreed) = "remedy_plan.agreed", 1;
        /// A step was done.
        StepDone(StepDone) = "remedy_plan.step_done", 1;
        /// A party said what became of it.
        Ended(PlanEnded) = "remedy_plan.ended", 1;
        /// It was closed with its partnership.
        Closed(ClosedWithPartnership) = "remedy_plan.closed", 1;
    }
}

/// That a step was done, and who said so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Completion {
    /// What there was to say: a commitment.
    pub words: Option<Commitment>,
    /// Who said so.
    pub by: By,
}

/// A step of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// What is to be done.
    pub planned: PlannedStep,
    /// That it was done, if it was.
    pub done: Option<Completion>,
}

/// What the parties do about a row of the check-up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemedyPlan {
    /// What it is about.
    pub finding: Finding,
    /// What is to be done, in order.
    pub steps: Vec<Step>,
    /// How far it has come.
    pub state: PlanState,
    /// Whether it counts only as the word of one firm.
    pub is_asserted: bool,
    /// Who agreed, the proposer first.
    pub approvals: Vec<Approval>,
    /// What became of it, if somebody said so.
    pub outcome: Option<Completion>,
    /// When it was closed with its partnership, if it was.
    pub closed_at: Option<Timestamp>,
}

impl RemedyPlan {
    fn proposed(proposed: &PlanProposed, recorded: &Recorded) -> Option<Self> {
        let steps = proposed.steps.iter().cloned();
        Some(Self {
            finding: proposed.finding,
            steps: steps
                .map(|planned| Step {
                    planned,
                    done: None,
                })
                .collect(),
            state: if proposed.is_asserted {
                PlanState::Agreed
            } else {
                PlanState::Proposed
            },
            is_asserted: proposed.is_asserted,
            approvals: vec![Approval::of(&proposed.party, recorded)?],
            outcome: None,
            closed_at: None,
        })
    }

    /// The step of that number, counted from 1.
    #[must_use]
    pub fn step(&self, number: u32) -> Option<&Step> {
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        self.steps.get(index)
    }

    fn changed(mut self, event: &PlanEvent, recorded: &Recorded) -> Option<Self> {
        match event {
            PlanEvent::Proposed(_) => return None,
            PlanEvent::Agreed(agreed) => {
                Approval::of(&agreed.party, recorded)?.add_to(&mut self.approvals);
                if agreed.is_complete {
                    self.state = PlanState::Agreed;
                    self.is_asserted = false;
                }
            }
            PlanEvent::StepDone(done) => {
                let index = usize::try_from(done.number).ok()?.checked_sub(1)?;
                self.steps.get_mut(index)?.done = Some(Completion {
                    words: done.words.clone(),
                    by: By::of(&done.party, recorded)?,
                });
            }
            PlanEvent::Ended(ended) => {
                self.state = ended.state;
                self.outcome = Some(Completion {
                    words: ended.words.clone(),
                    by: By::of(&ended.party, recorded)?,
                });
            }
            PlanEvent::Closed(closed) => self.close(closed.at),
        }
        Some(self)
    }
}

impl Aggregate for RemedyPlan {
    type Event = PlanEvent;
    const BODY_VERSION: u32 = 1;

    fn apply(previous: Option<Self>, event: &PlanEvent, recorded: &Recorded) -> Option<Self> {
        match (previous, event) {
            (None, PlanEvent::Proposed(proposed)) => Self::proposed(proposed, recorded),
            (Some(plan), event) => plan.changed(event, recorded),
            (None, _) => None,
        }
    }

    fn state(&self) -> &'static str {
        self.state.as_str()
    }

    fn close(&mut self, at: Timestamp) {
        if matches!(self.state, PlanState::Proposed | PlanState::Agreed) {
            self.state = PlanState::Closed;
            self.closed_at = Some(at);
        }
    }
}
