//! Activities: what the parties plan with each other beside their daily work, who comes, and whether
//! it took place.

mod decide;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::domain::aggregate::{Aggregate, By, Recorded, events};
use crate::domain::commitment::Commitment;
use crate::domain::identity::PartyId;
use crate::domain::partnership::ending::ClosedWithPartnership;
use crate::domain::time::Timestamp;

pub use decide::{ActivityCommand, ActivityDraft, HeldDraft, decide};

/// What sort of activity it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActivityKind {
    /// Looking together at how the partnership goes.
    Review,
    /// One teaches the other.
    Training,
    /// Something shown to many, over the network.
    Webinar,
    /// One visits the other, or both a client.
    Visit,
    /// Telling each other where one is going.
    Roadmap,
    /// Anything else.
    Other,
}

/// What an activity is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActivityPurpose {
    /// Growing together.
    Growth,
    /// Keeping up what there is.
    Support,
}

/// How far an activity has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActivityState {
    /// Nobody has accepted yet.
    Invited,
    /// Somebody has.
    Accepted,
    /// All who are invited declined.
    Declined,
    /// It took place.
    Held,
    /// Whoever invited called it off.
    Cancelled,
    /// Closed with its partnership while it was still ahead.
    Closed,
}

impl ActivityState {
    /// The name used in lists and errors.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invited => "invited",
            Self::Accepted => "accepted",
            Self::Declined => "declined",
            Self::Held => "held",
            Self::Cancelled => "cancelled",
            Self::Closed => "closed",
        }
    }

    /// Whether it may still take place.
    #[must_use]
    pub const fn is_ahead(self) -> bool {
        matches!(self, Self::Invited | Self::Accepted | Self::Declined)
    }
}

/// Parties were invited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActivityInvited {
    /// The party that recorded it.
    pub party: PartyId,
    /// The party that invites.
    pub inviter: PartyId,
    /// The parties that are invited, each once.
    pub invited: Vec<PartyId>,
    /// What sort of activity it is.
    pub kind: ActivityKind,
    /// What it is for.
    pub purpose: ActivityPurpose,
    /// Its title: a commitment.
    pub title: Commitment,
    /// When it is to take place.
    pub planned_at: Timestamp,
    /// Whether no other firm had joined that could have said otherwise.
    pub is_asserted: bool,
}

/// A party that is invited answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActivityAnswered {
    /// The party that says so.
    pub party: PartyId,
    /// The party that is invited.
    pub invited: PartyId,
    /// Whether it comes.
    pub accepts: bool,
    /// Why it does not: a commitment.
    pub reason: Option<Commitment>,
}

/// What a party that is invited said last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActivityAnswer {
    /// The party that is invited.
    pub invited: PartyId,
    /// Whether it comes.
    pub accepts: bool,
    /// Why it does not: a commitment.
    pub reason: Option<Commitment>,
    /// Who said so.
    pub by: By,
}

/// It took place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActivityHeld {
    /// The party that says so.
    pub party: PartyId,
    /// When it took place.
    pub held_at: Timestamp,
    /// The parties that were there, in the order of their ids.
    pub present: Vec<PartyId>,
    /// What is worth noting: a commitment.
    pub note: Option<Commitment>,
}

/// It was called off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActivityCancelled {
    /// By which party.
    pub party: PartyId,
    /// Why: a commitment.
    pub reason: Option<Commitment>,
}

events! {
    /// What happens to an activity.
    ActivityEvent {
        /// Parties were invited.
        Invited(ActivityInvited) = "activity.invited", 1;
        /// One of them answered.
        Answered(ActivityAnswered) = "activity.answered", 1;
        /// It took place.
        Held(ActivityHeld) = "activity.held", 1;
        /// It was called off.
        Cancelled(ActivityCancelled) = "activity.cancelled", 1;
        /// It was closed with its partnership.
        Closed(ClosedWithPartnership) = "activity.closed", 1;
    }
}

/// An activity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Activity {
    /// Who invited whom to what.
    pub invitation: ActivityInvited,
    /// Who recorded that.
    pub by: By,
    /// How far it has come.
    pub state: ActivityState,
    /// What those who are invited said, each its last word, in the order of their first.
    pub answers: Vec<ActivityAnswer>,
    /// That it took place.
    pub held: Option<ActivityHeld>,
    /// Why it was called off: a commitment.
    pub cancel_reason: Option<Commitment>,
    /// When it was closed with its partnership, if it was.
    pub closed_at: Option<Timestamp>,
}

impl Activity {
    /// Whether a party invited or is invited.
    #[must_use]
    pub fn concerns(&self, party: &PartyId) -> bool {
        self.invitation.inviter == *party || self.invitation.invited.contains(party)
    }

    fn invited(invitation: &ActivityInvited, recorded: &Recorded) -> Option<Self> {
        Some(Self {
            by: By::of(&invitation.party, recorded)?,
            invitation: invitation.clone(),
            state: ActivityState::Invited,
            answers: Vec::new(),
            held: None,
            cancel_reason: None,
            closed_at: None,
        })
    }

    fn answer(&mut self, answered: &ActivityAnswered, recorded: &Recorded) -> Option<()> {
        let answer = ActivityAnswer {
            invited: answered.invited.clone(),
            accepts: answered.accepts,
            reason: answered.reason.clone(),
            by: By::of(&answered.party, recorded)?,
        };
        let mut answers = self.answers.iter_mut();
        match answers.find(|earlier| earlier.invited == answer.invited) {
            Some(earlier) => *earlier = answer,
            None => self.answers.push(answer),
        }
        let declined = self.answers.iter().filter(|answer| !answer.accepts).count();
        self.state = if declined < self.answers.len() {
            ActivityState::Accepted
        } else if declined == self.invitation.invited.len() {
            ActivityState::Declined
        } else {
            ActivityState::Invited
        };
        Some(())
    }

    fn changed(mut self, event: &ActivityEvent, recorded: &Recorded) -> Option<Self> {
        match event {
            ActivityEvent::Invited(_) => return None,
            ActivityEvent::Answered(answered) => self.answer(answered, recorded)?,
            ActivityEvent::Held(held) => {
                self.state = ActivityState::Held;
                self.held = Some(held.clone());
            }
            ActivityEvent::Cancelled(cancelled) => {
                self.state = ActivityState::Cancelled;
                self.cancel_reason.clone_from(&cancelled.reason);
            }
            ActivityEvent::Closed(closed) => self.close(closed.at),
        }
        Some(self)
    }
}

impl Aggregate for Activity {
    type Event = ActivityEvent;
    const BODY_VERSION: u32 = 1;

    fn apply(previous: Option<Self>, event: &ActivityEvent, recorded: &Recorded) -> Option<Self> {
        match (previous, event) {
            (None, ActivityEvent::Invited(invitation)) => Self::invited(invitation, recorded),
            (Some(activity), event) => activity.changed(event, recorded),
            (None, _) => None,
        }
    }

    fn state(&self) -> &'static str {
        self.state.as_str()
    }

    fn close(&mut self, at: Timestamp) {
        if self.state.is_ahead() {
            self.state = ActivityState::Closed;
            self.closed_at = Some(at);
        }
    }
}
