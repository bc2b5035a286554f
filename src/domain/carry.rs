//! Work that crosses scopes.
//!
//! No transaction touches two scopes. A command that has consequences in another one leaves a
//! [`Carry`] behind, due at once; whoever finds it (the request that caused it, or the sweeper of
//! any replica) submits the carried action there, under a request id made from the carry's own id,
//! and then completes the carry. Both steps are idempotent, so doing them twice does no harm.

use serde::{Deserialize, Serialize};

use super::aggregate::{Aggregate, Recorded, events};
use super::command::Decision;
use super::identity::{FirmId, PartyId, ScopeId};
use super::partnership::PartnershipOpening;
use super::record::{Event, Kind};
use super::time::{Span, Timestamp};
use super::world::{Stop, View};

/// How long a carry waits after it was refused before it is tried again.
pub const RETRY_AFTER: Span = Span::from_minutes(5);

/// What is to be done in the other scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum CarriedAction {
    /// Begin a firm's scope.
    CreateFirm {
        /// The firm's name for people.
        display_name: String,
    },
    /// Begin a partnership's scope.
    CreatePartnership {
        /// The firm that begins it.
        firm: FirmId,
        /// As asked.
        opening: PartnershipOpening,
    },
    /// Note in a firm's scope that it became a party.
    RecordMembership {
        /// Which firm.
        firm: FirmId,
        /// Which partnership.
        partnership: String,
        /// As which party.
        party: PartyId,
    },
}

/// Work for another scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Carry {
    /// Where to.
    pub target: ScopeId,
    /// What.
    pub action: CarriedAction,
    /// When to try; `None` once it is done.
    pub due_at: Option<Timestamp>,
    /// How often it was refused.
    pub refusals: u32,
}

/// Work for another scope was left to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CarryRequested {
    /// Where to.
    pub target: ScopeId,
    /// What.
    pub action: CarriedAction,
}

/// The work was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CarryCompleted {}

/// The work was refused there, and will be tried again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CarryRefused {
    /// The reason given.
    pub reason: String,
}

events! {
    /// What happens to a carry.
    CarryEvent {
        /// It was left to do.
        Requested(CarryRequested) = "carry.requested", 1;
        /// It was done.
        Completed(CarryCompleted) = "carry.completed", 1;
        /// It was refused.
        Refused(CarryRefused) = "carry.refused", 1;
    }
}

impl Aggregate for Carry {
    type Event = CarryEvent;
    const BODY_VERSION: u32 = 1;

    fn apply(previous: Option<Self>, event: &CarryEvent, recorded: &Recorded) -> Option<Self> {
        match (previous, event) {
            (None, CarryEvent::Requested(requested)) => Some(Self {
                target: requested.target.clone(),
                action: requested.action.clone(),
                due_at: Some(recorded.at),
                refusals: 0,
            }),
            (Some(mut carry), CarryEvent::Completed(_)) => {
                carry.due_at = None;
                Some(carry)
            }
            (Some(mut carry), CarryEvent::Refused(_)) => {
                carry.due_at = Some(recorded.at.saturating_add(RETRY_AFTER));
                carry.refusals += 1;
                Some(carry)
            }
            _ => None,
        }
    }

    fn state(&self) -> &'static str {
        if self.due_at.is_some() {
            "pending"
        } else {
            "done"
        }
    }

    fn due_at(&self) -> Option<Timestamp> {
        self.due_at
    }
}

/// How the other scope answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CarryOutcome {
    /// It was done there, now or before.
    Done,
    /// It was refused, for this reason.
    Refused(String),
}

/// Notes how a carry went; a carry that is done stays done.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn settle(id: &str, outcome: &CarryOutcome, view: &View<'_>) -> Result<Decision, Stop> {
    let carry = view.get::<Carry>(id)?;
    let decision = Decision::about(Kind::Carry, id);
    if carry.due_at.is_none() {
        return Ok(decision);
    }
    let event = match outcome {
        CarryOutcome::Done => CarryEvent::Completed(CarryCompleted {}),
        CarryOutcome::Refused(reason) => CarryEvent::Refused(CarryRefused {
            reason: reason.clone(),
        }),
    };
    Ok(decision.event(Event::new(id, event)))
}
