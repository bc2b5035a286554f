//! Notices: what one firm plans and tells the other beforehand, and whether it told it in time.
//!
//! A heads-up tells what may come, and roughly when. Once it is confirmed, its planned instant is
//! compared with the lead time that the firms agreed on for such a notice. Whoever gives less
//! causes a fire drill, and nothing that happens later removes it.

mod decide;
mod events;
mod items;
mod judge;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use super::aggregate::{Aggregate, Recorded};
use super::commitment::Commitment;
use super::identity::{FirmId, PartyId};
use super::refusal::Violations;
use super::time::{Span, Timestamp};

pub use decide::{ChecklistDraft, NoticeCommand, NoticeDraft, NoticePart, decide};
pub use events::{
    ItemExpected, ItemMarked, NoticeConfirmed, NoticeCreated, NoticeEnded, NoticeEvent,
    NoticeUpdated,
};

pub use items::{expect_item, follow};
pub use judge::{LeadTime, LeadTimeRule};

/// Most items of one checklist.
pub const CHECKLIST_ITEMS_MAX: usize = 50;
/// Most fire drills of one notice: it cannot be moved to an earlier instant more often. That it came
/// early in the end is one more.
pub const FIRE_DRILLS_MAX: usize = 20;

/// What is planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// Somebody begins to work at the client.
    NewStarter,
    /// Somebody leaves the client.
    Leaver,
    /// An office, a server or a line is moved.
    Move,
    /// Something begins to be used in earnest.
    GoLive,
    /// Something will be out of use while it is worked on.
    Maintenance,
    /// What matters most to the firm or its client changes.
    ChangeOfPriorities,
    /// Something else.
    Other,
}

impl NoticeKind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::NewStarter,
        Self::Leaver,
        Self::Move,
        Self::GoLive,
        Self::Maintenance,
        Self::ChangeOfPriorities,
        Self::Other,
    ];
}

/// How far a notice has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeState {
    /// It may come, roughly then.
    HeadsUp,
    /// It will come, at the planned instant.
    Confirmed,
    /// It has come.
    Done,
    /// It will not come.
    Withdrawn,
    /// Closed with its partnership while it was still ahead.
    Closed,
}

impl NoticeState {
    /// The name used in lists and errors.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HeadsUp => "heads_up",
            Self::Confirmed => "confirmed",
            Self::Done => "done",
            Self::Withdrawn => "withdrawn",
            Self::Closed => "closed",
        }
    }

    /// Whether it is still ahead.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::HeadsUp | Self::Confirmed)
    }
}

/// When it is to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Not before this instant, as far as is known.
    pub earliest: Option<Timestamp>,
    /// Not after this instant, as far as is known.
    pub latest: Option<Timestamp>,
    /// At this instant; a confirmed notice has one.
    pub planned_at: Option<Timestamp>,
}

impl Plan {
    fn check(&self, violations: &mut Violations) {
        let instants = [
            (self.earliest, "notice.window.earliest_time"),
            (self.latest, "notice.window.latest_time"),
            (self.planned_at, "notice.planned_time"),
        ];
        for (instant, field) in instants {
            let storable = instant.is_none_or(Timestamp::is_storable);
            violations.require(storable, field, "between the years 2000 and 2099");
        }
        if let (Some(earliest), Some(latest)) = (self.earliest, self.latest) {
            let rule = "must not be before earliest_time";
            violations.require(earliest <= latest, "notice.window.latest_time", rule);
        }
    }
}

/// Who ticked an item off, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// The party.
    pub party: PartyId,
    /// The firm that the party was.
    pub firm: FirmId,
    /// When.
    pub at: Timestamp,
}

/// Something that has to be thought of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChecklistItem {
    /// Counts the items that the notice ever had from 1; it never becomes another item's.
    pub number: u32,
    /// What: a commitment.
    pub text: Commitment,
    /// Who ticked it off; `None` while it is not done.
    pub done: Option<Mark>,
    /// Identifier of the expectation that it became, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expectation: Option<String>,
}

/// A planned instant that left the other firm less time than was agreed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FireDrill {
    /// For when it was planned.
    pub planned_at: Timestamp,
    /// When the other firm was told so for certain.
    pub told_at: Timestamp,
    /// From being told to the planned instant; negative if that was over by then.
    pub given: Span,
    /// The least lead time by the terms then in force.
    pub agreed: Span,
}

/// A notice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notice {
    /// What is planned; never changed, since the lead time depends on it.
    pub kind: NoticeKind,
    /// How far it has come.
    pub state: NoticeState,
    /// The party that gives it.
    pub giver: PartyId,
    /// A line for lists: a commitment.
    pub title: Option<Commitment>,
    /// What is planned, in words: a commitment.
    pub details: Option<Commitment>,
    /// When it is to be.
    pub plan: Plan,
    /// Identifier of the client concerned.
    pub client: Option<String>,
    /// What has to be thought of, at most [`CHECKLIST_ITEMS_MAX`].
    pub checklist: Vec<ChecklistItem>,
    /// How many items the checklist ever had.
    pub items_numbered: u32,
    /// When it was confirmed.
    pub confirmed_at: Option<Timestamp>,
    /// Where less than the agreed lead time was given, oldest first, at most [`FIRE_DRILLS_MAX`];
    /// never removed.
    pub fire_drills: Vec<FireDrill>,
    /// By which lead time it was judged last; `None` while it is a heads-up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lead_time: Option<LeadTime>,
    /// When it was done or withdrawn.
    pub ended_at: Option<Timestamp>,
    /// Why it was withdrawn, or how it went: a commitment.
    pub ending: Option<Commitment>,
}

impl Aggregate for Notice {
    type Event = NoticeEvent;
    const BODY_VERSION: u32 = 1;

    fn apply(previous: Option<Self>, event: &NoticeEvent, recorded: &Recorded) -> Option<Self> {
        match (previous, event) {
            (None, NoticeEvent::Created(created)) => Some(Self::created(created, recorded)),
            (Some(notice), event) if notice.state.is_open() => notice.changed(event, recorded),
            _ => None,
        }
    }

    fn state(&self) -> &'static str {
        self.state.as_str()
    }

    fn close(&mut self, at: Timestamp) {
        if self.state.is_open() {
            self.state = NoticeState::Closed;
            self.ended_at = Some(at);
        }
    }
}

impl Notice {
    /// By how much it came before the instant for which it was planned; `None` if it did not.
    #[must_use]
    pub fn early_by(&self) -> Option<Span> {
        let came_at = self.ended_at.filter(|_| self.state == NoticeState::Done)?;
        let early = self.plan.planned_at?.since(came_at);
        (early > Span::ZERO).then_some(early)
    }

    fn created(created: &NoticeCreated, recorded: &Recorded) -> Self {
        Self {
            kind: created.kind,
            state: if created.is_confirmed {
                NoticeState::Confirmed
            } else {
                NoticeState::HeadsUp
            },
            giver: created.giver.clone(),
            title: created.title.clone(),
            details: created.details.clone(),
            plan: created.plan,
            client: created.client.clone(),
            items_numbered: highest_number(&created.checklist),
            checklist: created.checklist.clone(),
            confirmed_at: created.is_confirmed.then_some(recorded.at),
            fire_drills: created.fire_drill.iter().cloned().collect(),
            lead_time: created.lead_time,
            ended_at: None,
            ending: None,
        }
    }

    fn changed(mut self, event: &NoticeEvent, recorded: &Recorded) -> Option<Self> {
        match event {
            NoticeEvent::Updated(updated) => {
                self.title.clone_from(&updated.title);
                self.details.clone_from(&updated.details);
                self.plan = updated.plan;
                self.client.clone_from(&updated.client);
                let highest = highest_number(&updated.checklist);
                self.items_numbered = self.items_numbered.max(highest);
                self.checklist.clone_from(&updated.checklist);
                self.fire_drills.extend(updated.fire_drill.clone());
                self.lead_time = updated.lead_time.or(self.lead_time);
            }
            NoticeEvent::Confirmed(confirmed) if self.state == NoticeState::HeadsUp => {
                self.state = NoticeState::Confirmed;
                self.plan.planned_at = Some(confirmed.planned_at);
                self.confirmed_at = Some(recorded.at);
                self.fire_drills.extend(confirmed.fire_drill.clone());
                self.lead_time = Some(confirmed.lead_time);
            }
            NoticeEvent::Created(_) | NoticeEvent::Confirmed(_) => return None,
            NoticeEvent::ItemMarked(marked) => {
                let mark = Mark {
                    party: marked.party.clone(),
                    firm: recorded.firm.clone()?,
                    at: recorded.at,
                };
                let mut items = self.checklist.iter_mut();
                let item = items.find(|item| item.number == marked.number)?;
                item.done = marked.is_done.then_some(mark);
            }
            NoticeEvent::ItemExpected(expected) => {
                let mut items = self.checklist.iter_mut();
                let item = items.find(|item| item.number == expected.number)?;
                item.expectation = Some(expected.expectation.clone());
            }
            NoticeEvent::Done(ended) => self.end(NoticeState::Done, ended, recorded.at),
            NoticeEvent::Withdrawn(ended) => self.end(NoticeState::Withdrawn, ended, recorded.at),
            NoticeEvent::Closed(closed) => self.close(closed.at),
        }
        Some(self)
    }

    fn end(&mut self, state: NoticeState, ended: &NoticeEnded, at: Timestamp) {
        self.state = state;
        self.ending.clone_from(&ended.text);
        self.fire_drills.extend(ended.fire_drill.clone());
        self.ended_at = Some(at);
    }
}

fn highest_number(items: &[ChecklistItem]) -> u32 {
    items.iter().map(|item| item.number).max().unwrap_or(0)
}
