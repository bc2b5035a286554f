//! Updates: what a firm tells the other, or the client, about how something stands.
//!
//! An update is never changed. It stands under what it is about, an expectation or a ticket, and is
//! counted there from 1. The obligor's updates keep the agreed interval of an expectation and, on a
//! ticket, the promise of a next update.

use serde::{Deserialize, Serialize};

use super::aggregate::{Aggregate, Recorded, events};
use super::command::Decision;
use super::commitment::Commitment;
use super::expectation::{Expectation, ExpectationState};
use super::identity::{FirmId, PartyId};
use super::partnership::ending::{CarriedOn, require_workable};
use super::partnership::{Partnership, Party, as_present_party};
use super::progress::{
    Progress, ProgressEvent, ProgressTold, Subject, Teller, TimeDraft, TimeTold, told_now,
};
use super::record::{Event, Kind};
use super::refusal::{Refusal, Violations};
use super::sla::ticket::{Ticket, TicketEvent, tell_update};
use super::time::Timestamp;
use super::world::{Stop, View};

/// Most updates about one expectation or ticket.
pub const UPDATES_MAX: u32 = 10_000;

/// To whom an update is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// The parties among themselves.
    Partners,
    /// The client, and with it the parties.
    Client,
}

/// A party told how something stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpdatePosted {
    /// About what.
    pub subject: Subject,
    /// Counts the updates about it from 1.
    pub number: u32,
    /// The party.
    pub party: PartyId,
    /// To whom.
    pub audience: Audience,
    /// In its words: a commitment.
    pub text: Option<Commitment>,
    /// The times that it tells.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub times: Vec<TimeTold>,
    /// Whether it is of the party that has to do the work.
    pub is_obligors: bool,
}

events! {
    /// What happens to an update.
    UpdateEvent {
        /// It was posted.
        Posted(UpdatePosted) = "update.posted", 1;
    }
}

/// An update.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Update {
    /// What was posted; never changed.
    pub posted: UpdatePosted,
    /// The firm that the party was.
    pub firm: FirmId,
    /// When.
    pub at: Timestamp,
}

impl Aggregate for Update {
    type Event = UpdateEvent;
    const BODY_VERSION: u32 = 1;

    fn apply(previous: Option<Self>, event: &UpdateEvent, recorded: &Recorded) -> Option<Self> {
        let UpdateEvent::Posted(posted) = event;
        let firm = recorded.firm.clone()?;
        previous.is_none().then(|| Self {
            posted: posted.clone(),
            firm,
            at: recorded.at,
        })
    }
}

impl Update {
    /// What every id of an update about `subject` begins with, and no other.
    #[must_use]
    pub fn ids_of(subject: &Subject) -> String {
        format!("{}/updates/", subject.progress_id())
    }

    /// The record id of an update. Ids are in the order of the numbers.
    #[must_use]
    pub fn id_of(subject: &Subject, number: u32) -> String {
        format!("{}{number:05}", Self::ids_of(subject))
    }
}

/// An update to post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostUpdate {
    /// About what.
    pub subject: Subject,
    /// To whom.
    pub audience: Audience,
    /// In words.
    pub text: Option<Commitment>,
    /// The times that it tells.
    pub times: Vec<TimeDraft>,
}

/// Decides to post an update.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn decide(post: &PostUpdate, firm: &FirmId, view: &View<'_>) -> Result<Decision, Stop> {
    let (partnership, party) = as_present_party(firm, view)?;
    require_workable(partnership, carried_on(&post.subject, view)?, view.now)?;
    let mut violations = Violations::default();
    let says_something = post.text.is_some() || !post.times.is_empty();
    violations.require(
        says_something,
        "update.text",
        "a text or a time must be told",
    );
    violations.finish()?;
    let (is_obligors, on_ticket) = on_subject(&post.subject, firm, party, partnership, view)?;
    let progress_id = post.subject.progress_id();
    let progress = view.find::<Progress>(&progress_id)?;
    let earlier = progress.map_or(0, |progress| progress.updates);
    if earlier >= UPDATES_MAX {
        let most = usize::try_from(UPDATES_MAX).unwrap_or(usize::MAX);
        return Err(Refusal::limit("updates about one thing", most).into());
    }
    let number = earlier + 1;
    let teller = Teller {
        subject: &post.subject,
        progress,
        partnership,
        party: &party.id,
        audience: post.audience,
        number,
        view: *view,
    };
    let (times, told) = super::progress::tell(&teller, &post.times)?;
    let id = Update::id_of(&post.subject, number);
    let posted = UpdatePosted {
        subject: post.subject.clone(),
        number,
        party: party.id.clone(),
        audience: post.audience,
        text: post.text.clone(),
        times,
        is_obligors,
    };
    let mut decision = Decision::about(Kind::Update, &id);
    let (missed, due_at) = if is_obligors {
        told_now(progress, view)?
    } else {
        (None, None)
    };
    if let Some(missed) = missed {
        let missed = ProgressEvent::Missed(missed);
        decision = decision.event(Event::new(&progress_id, missed));
    }
    decision.receipt_of = Some(decision.events.len());
    decision = decision.event(Event::new(&id, UpdateEvent::Posted(posted)));
    let subject = post.subject.clone();
    let told = ProgressEvent::Told(ProgressTold {
        subject,
        number,
        is_obligors,
        due_at,
        told,
    });
    decision = decision.event(Event::new(&progress_id, told));
    if let Subject::Ticket(ticket) = &post.subject {
        let events = on_ticket.into_iter();
        return Ok(events.fold(decision, |decision, event| {
            decision.event(Event::new(ticket, event))
        }));
    }
    Ok(decision)
}

/// Whether the party has to do the work, and what its update does to a ticket.
fn on_subject(
    subject: &Subject,
    firm: &FirmId,
    party: &Party,
    partnership: &Partnership,
    view: &View<'_>,
) -> Result<(bool, Vec<TicketEvent>), Stop> {
    match subject {
        Subject::Expectation(id) => {
            let expectation = view.get::<Expectation>(id)?;
            let state = expectation.state_at(view.now);
            if !takes_updates(expectation, state) {
                return Err(Refusal::invalid_state(state.as_str(), "PostUpdate").into());
            }
            Ok((expectation.obligor == party.id, Vec::new()))
        }
        Subject::Ticket(id) => {
            let ticket = view.get::<Ticket>(id)?;
            tell_update(ticket, firm, &party.id, partnership, view)
        }
    }
}

/// What becomes of the subject of an update, if it outlives its partnership.
fn carried_on<'world>(
    subject: &Subject,
    view: &View<'world>,
) -> Result<Option<&'world CarriedOn>, Stop> {
    Ok(match subject {
        Subject::Expectation(id) => view
            .find::<Expectation>(id)?
            .and_then(|expectation| expectation.carried.as_ref()),
        Subject::Ticket(id) => view
            .find::<Ticket>(id)?
            .and_then(|ticket| ticket.carried.as_ref()),
    })
}

/// Whether there is something to tell: it stands, and its work is not taken yet.
fn takes_updates(expectation: &Expectation, state: ExpectationState) -> bool {
    let is_said = matches!(
        state,
        ExpectationState::Asserted | ExpectationState::Fulfilled
    );
    is_said || expectation.stands_agreed(state)
}
