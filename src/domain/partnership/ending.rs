//! The end of a partnership: what is closed with it, and what is carried on.
//!
//! The partnership alone knows that it is over. Whatever is open and was not carried on is closed by
//! that from then on, for every reader and every decision; the sweeper writes it into the records
//! behind, in portions.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::decide::event;
use super::{Partnership, PartnershipEnded, PartnershipEvent, PartnershipState, as_present_party};
use crate::domain::aggregate::Aggregate;
use crate::domain::command::Decision;
use crate::domain::commitment::Commitment;
use crate::domain::expectation::{Expectation, ExpectationEvent};
use crate::domain::identity::FirmId;
use crate::domain::improvement::{Improvement, ImprovementEvent};
use crate::domain::interaction::activity::{Activity, ActivityEvent};
use crate::domain::interaction::survey::{Survey, SurveyEvent};
use crate::domain::need::{Need, NeedEvent};
use crate::domain::notice::{Notice, NoticeEvent};
use crate::domain::opportunity::{Opportunity, OpportunityEvent};
use crate::domain::pricing::quote::{JointQuote, JointQuoteEvent};
use crate::domain::record::{Event, EventBody, Kind, Stored};
use crate::domain::refusal::{Reason, Refusal, Violations};
use crate::domain::remedy_plan::{PlanEvent, RemedyPlan};
use crate::domain::shared_goal::{GoalEvent, SharedGoal};
use crate::domain::sla::agreement::{Agreement, AgreementEvent};
use crate::domain::sla::ticket::{self, Ticket, TicketEvent};
use crate::domain::time::{Span, Timestamp};
use crate::domain::world::{Stop, View, for_each};

/// Most records that are carried on.
pub const CARRIED_MAX: usize = 100;
/// How long beforehand an end can be announced.
pub const NOTICE_OF_END_MAX: Span = Span::from_hours(366 * 24);
/// The sorts of records that are closed with a partnership, in this order. Tickets come before the
/// agreements by which they are judged.
pub const CLOSED_KINDS: [Kind; 12] = [
    Kind::Expectation,
    Kind::Notice,
    Kind::Need,
    Kind::Opportunity,
    Kind::Activity,
    Kind::Survey,
    Kind::SharedGoal,
    Kind::Improvement,
    Kind::RemedyPlan,
    Kind::Ticket,
    Kind::Agreement,
    Kind::JointQuote,
];

/// What becomes of a record that outlives its partnership.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CarriedOn {
    /// Where it is carried to, as free text: a commitment.
    pub destination: Option<Commitment>,
    /// What else there is to say: a commitment.
    pub note: Option<Commitment>,
}

/// A record that is to be carried on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CarriedRecord {
    /// An expectation or a ticket.
    pub kind: Kind,
    /// Which one.
    pub id: String,
    /// What becomes of it.
    pub carried: CarriedOn,
}

/// A record was closed with its partnership.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClosedWithPartnership {
    /// When the partnership ended.
    pub at: Timestamp,
}

/// How far the sweeper has come with what is closed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Closing {
    /// Which of [`CLOSED_KINDS`] it is at.
    pub kind: usize,
    /// The last record of it that it has been to.
    pub up_to: String,
}

/// Some of the open records were closed, or all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClosingAdvanced {
    /// How far it has come; `None` once it has been everywhere.
    pub closing: Option<Closing>,
}

impl Partnership {
    /// When it ended, if it is over at `now`.
    #[must_use]
    pub fn over_at(&self, now: Timestamp) -> Option<Timestamp> {
        self.ended_at.filter(|ended_at| *ended_at <= now)
    }

    /// How far it has come at `now`, whether or not a sweep has come by to record it.
    #[must_use]
    pub fn state_at(&self, now: Timestamp) -> PartnershipState {
        match self.over_at(now) {
            Some(_) => PartnershipState::Ended,
            None => self.state,
        }
    }

    /// What the end makes of a record that is read or decided on at `now`.
    pub fn close<T: Aggregate>(&self, record: &mut T, now: Timestamp) {
        if let Some(ended_at) = self.over_at(now) {
            record.close(ended_at);
        }
    }

    pub(super) fn end(&mut self, ended: &PartnershipEnded, at: Timestamp) {
        let from = ended.from.unwrap_or(at);
        self.ended_at = Some(from);
        self.closing = Some(Closing::default());
        if from <= at {
            self.be_over();
        }
    }

    pub(super) fn advance_closing(&mut self, advanced: &ClosingAdvanced) {
        self.closing.clone_from(&advanced.closing);
        self.be_over();
    }

    fn be_over(&mut self) {
        self.state = PartnershipState::Ended;
        self.invitations.clear();
        self.proposed_parties.clear();
    }
}

/// An end as it is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EndAsked {
    /// Why, as free text.
    pub reason: Option<Commitment>,
    /// From when on; `None` for at once.
    pub from: Option<Timestamp>,
    /// What is carried on; everything else is closed.
    pub carried: Vec<CarriedRecord>,
}

pub(super) fn end(
    asked: &EndAsked,
    firm: &FirmId,
    about: Decision,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let (partnership, _) = as_present_party(firm, view)?;
    if partnership.ended_at.is_some() {
        if asked.from.is_none() && asked.carried.is_empty() {
            return Ok(about);
        }
        // What was said about the end stays.
        super::require_active(partnership, view.now)?;
        return Err(Refusal::invalid_state("ending", "EndPartnership").into());
    }
    check(asked, view)?;
    let events = for_each(&asked.carried, |carried| carry(carried, view))?;
    let mut violations = Violations::default();
    for (index, event) in events.iter().enumerate() {
        let field = format!("carried[{index}].name");
        violations.require(event.is_some(), &field, "must be there and open");
    }
    violations.finish()?;
    let ended = PartnershipEnded {
        reason: asked.reason.clone(),
        from: asked.from,
    };
    let about = events.into_iter().flatten().fold(about, Decision::event);
    Ok(about.event(event(view, PartnershipEvent::Ended(ended))))
}

fn check(asked: &EndAsked, view: &View<'_>) -> Result<(), Refusal> {
    let mut violations = Violations::default();
    let latest = view.now.saturating_add(NOTICE_OF_END_MAX);
    let sensible = asked
        .from
        .is_none_or(|from| from >= view.now && from <= latest);
    let rule = "not in the past, and within 366 days";
    violations.require(sensible, "effective_time", rule);
    let most = format!("no more than {CARRIED_MAX}");
    let few = asked.carried.len() <= CARRIED_MAX;
    violations.require(few, "carried", &most);
    let mut seen = BTreeSet::new();
    for (index, carried) in asked.carried.iter().take(CARRIED_MAX).enumerate() {
        let first = seen.insert((carried.kind, &carried.id));
        let field = format!("carried[{index}].name");
        violations.require(first, &field, "each record once");
    }
    violations.finish()
}

/// The event by which an open record is carried on; `None` if it is not there, or not open.
fn carry(carried: &CarriedRecord, view: &View<'_>) -> Result<Option<Event>, Stop> {
    let (id, on) = (carried.id.as_str(), carried.carried.clone());
    let body: EventBody = match carried.kind {
        Kind::Expectation if is_open::<Expectation>(id, view)? => {
            ExpectationEvent::Carried(on).into()
        }
        Kind::Ticket if is_open::<Ticket>(id, view)? => TicketEvent::Carried(on).into(),
        _ => return Ok(None),
    };
    Ok(Some(Event::new(id, body)))
}

/// What is open is what the end would close.
fn is_open<T: Stored + Clone + PartialEq>(id: &str, view: &View<'_>) -> Result<bool, Stop> {
    let found = view.find::<T>(id)?;
    Ok(found.is_some_and(|found| would_close(found, view.now)))
}

fn would_close<T: Aggregate + Clone + PartialEq>(record: &T, at: Timestamp) -> bool {
    let mut closed = record.clone();
    closed.close(at);
    closed != *record
}

/// Writes into a record what the end of its partnership has made of it.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn close_record(kind: Kind, id: &str, view: &View<'_>) -> Result<Decision, Stop> {
    let decision = Decision::about(kind, id);
    let partnership = view.get::<Partnership>(view.scope.id())?;
    let Some(at) = partnership.over_at(view.now) else {
        return Ok(decision);
    };
    let closed = ClosedWithPartnership { at };
    match kind {
        Kind::Expectation => {
            close_one::<Expectation>(id, at, ExpectationEvent::Closed(closed), decision, view)
        }
        Kind::Notice => close_one::<Notice>(id, at, NoticeEvent::Closed(closed), decision, view),
        Kind::Need => close_one::<Need>(id, at, NeedEvent::Closed(closed), decision, view),
        Kind::Opportunity => {
            close_one::<Opportunity>(id, at, OpportunityEvent::Closed(closed), decision, view)
        }
        Kind::Survey => {
            let closed = SurveyEvent::ClosedWithPartnership(closed);
            close_one::<Survey>(id, at, closed, decision, view)
        }
        Kind::Activity => {
            close_one::<Activity>(id, at, ActivityEvent::Closed(closed), decision, view)
        }
        Kind::SharedGoal => {
            close_one::<SharedGoal>(id, at, GoalEvent::Closed(closed), decision, view)
        }
        Kind::RemedyPlan => {
            close_one::<RemedyPlan>(id, at, PlanEvent::Closed(closed), decision, view)
        }
        Kind::Improvement => {
            close_one::<Improvement>(id, at, ImprovementEvent::Closed(closed), decision, view)
        }
        Kind::Ticket => {
            // What was reached before the end is journalled before it is closed.
            let decision = ticket::refresh(id, view)?;
            close_one::<Ticket>(id, at, TicketEvent::Closed(closed), decision, view)
        }
        Kind::Agreement => {
            close_one::<Agreement>(id, at, AgreementEvent::Closed(closed), decision, view)
        }
        Kind::JointQuote => {
            close_one::<JointQuote>(id, at, JointQuoteEvent::Closed(closed), decision, view)
        }
        _ => Ok(decision),
    }
}

fn close_one<T: Stored + Clone + PartialEq>(
    id: &str,
    at: Timestamp,
    closed: impl Into<EventBody>,
    decision: Decision,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let is_open = would_close(view.get::<T>(id)?, at);
    Ok(if is_open {
        decision.event(Event::new(id, closed))
    } else {
        decision
    })
}

/// Notes how far the closing has come, from `before` to `reached`. What another sweeper noted
/// meanwhile changes nothing.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn note_closing(
    before: &Closing,
    reached: &Closing,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let about = Decision::about(Kind::Partnership, view.scope.id());
    let partnership = view.get::<Partnership>(view.scope.id())?;
    let is_due = partnership.over_at(view.now).is_some();
    if !is_due || partnership.closing.as_ref() != Some(before) {
        return Ok(about);
    }
    let is_done = reached.kind >= CLOSED_KINDS.len();
    let advanced = ClosingAdvanced {
        closing: (!is_done).then(|| reached.clone()),
    };
    Ok(about.event(event(view, PartnershipEvent::ClosingAdvanced(advanced))))
}

/// Refuses work on a record of a partnership that is over, unless it was carried on.
///
/// # Errors
/// [`Reason::PartnershipEnded`].
pub fn require_workable(
    partnership: &Partnership,
    carried: Option<&CarriedOn>,
    now: Timestamp,
) -> Result<(), Refusal> {
    match (carried, partnership.over_at(now)) {
        (None, Some(ended_at)) => {
            let message = "the partnership has ended";
            Err(Refusal::new(Reason::PartnershipEnded, message).with("end_time", ended_at))
        }
        _ => Ok(()),
    }
}
