//! What happens to a notice, as the journal keeps it.

use serde::{Deserialize, Serialize};

use super::{ChecklistItem, FireDrill, LeadTime, NoticeKind, Plan};
use crate::domain::aggregate::events;
use crate::domain::commitment::Commitment;
use crate::domain::identity::PartyId;
use crate::domain::partnership::ending::ClosedWithPartnership;
use crate::domain::time::Timestamp;

/// A party gave notice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoticeCreated {
    /// What is planned.
    pub kind: NoticeKind,
    /// The party.
    pub giver: PartyId,
    /// A line for lists: a commitment.
    pub title: Option<Commitment>,
    /// What is planned, in words: a commitment.
    pub details: Option<Commitment>,
    /// When it is to be.
    pub plan: Plan,
    /// Identifier of the client concerned.
    pub client: Option<String>,
    /// What has to be thought of.
    pub checklist: Vec<ChecklistItem>,
    /// Whether it was certain from the beginning.
    pub is_confirmed: bool,
    /// Set if it was, and came later than agreed.
    pub fire_drill: Option<FireDrill>,
    /// By which lead time that was judged; set if it was certain.
    pub lead_time: Option<LeadTime>,
}

/// Its giver changed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoticeUpdated {
    /// The line for lists from now on.
    pub title: Option<Commitment>,
    /// What is planned from now on.
    pub details: Option<Commitment>,
    /// When it is to be from now on.
    pub plan: Plan,
    /// The client concerned from now on.
    pub client: Option<String>,
    /// What has to be thought of from now on.
    pub checklist: Vec<ChecklistItem>,
    /// Set if what was certain was moved to an earlier instant, later than agreed.
    pub fire_drill: Option<FireDrill>,
    /// By which lead time that was judged; set if it was moved so.
    pub lead_time: Option<LeadTime>,
}

/// A heads-up became certain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoticeConfirmed {
    /// When it will be.
    pub planned_at: Timestamp,
    /// Set if that came later than agreed.
    pub fire_drill: Option<FireDrill>,
    /// By which lead time that was judged.
    pub lead_time: LeadTime,
}

/// An item of the checklist was ticked off, or was not done after all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemMarked {
    /// By which party.
    pub party: PartyId,
    /// Number of the item.
    pub number: u32,
    /// Whether it is done.
    pub is_done: bool,
}

/// An item of the checklist became an expectation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemExpected {
    /// Number of the item.
    pub number: u32,
    /// Identifier of the expectation.
    pub expectation: String,
}

/// It has come, or will not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoticeEnded {
    /// How it went, or why it will not come: a commitment.
    pub text: Option<Commitment>,
    /// Set if it came earlier than planned, and so was told later than agreed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fire_drill: Option<FireDrill>,
}

events! {
    /// What happens to a notice.
    NoticeEvent {
        /// It was given.
        Created(NoticeCreated) = "notice.created", 1;
        /// It was changed.
        Updated(NoticeUpdated) = "notice.updated", 1;
        /// It became certain.
        Confirmed(NoticeConfirmed) = "notice.confirmed", 1;
        /// An item of its checklist was ticked off, or no longer is.
        ItemMarked(ItemMarked) = "notice.item_marked", 1;
        /// An item of its checklist became an expectation.
        ItemExpected(ItemExpected) = "notice.item_expected", 1;
        /// It has come.
        Done(NoticeEnded) = "notice.done", 1;
        /// It will not come.
        Withdrawn(NoticeEnded) = "notice.withdrawn", 1;
        /// It was closed with its partnership.
        Closed(ClosedWithPartnership) = "notice.closed", 1;
    }
}
