//! Expectations that come of tickets: asked for together with a ticket, or later.

use serde::{Deserialize, Serialize};

use super::intake::{NewFact, take};
use super::link::refuse_after_merge;
use super::{FACTS_MAX, Ticket, TicketEvent};
use crate::domain::aggregate::{Aggregate, Recorded};
use crate::domain::command::Decision;
use crate::domain::expectation::{AskedWithTicket, FiveW, refuse_second};
use crate::domain::identity::FirmId;
use crate::domain::partnership::{Partnership, Party};
use crate::domain::record::{Event, EventBody};
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::sla::clock::{Priority, TicketFact};
use crate::domain::sla::in_force::terms_in_force;
use crate::domain::time::Timestamp;
use crate::domain::world::{Stop, View};

/// An expectation came of the ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TicketExpected {
    /// Identifier of the expectation.
    pub expectation: String,
}

/// What it does to a ticket that an expectation came of it. Where nobody told a priority of the
/// ticket, that of the expectation counts from `at` on, until somebody does.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn expect_ticket(
    ticket: &Ticket,
    expectation: &str,
    judged: Option<Priority>,
    at: Timestamp,
    firm: &FirmId,
    partnership: &Partnership,
    view: &View<'_>,
) -> Result<Vec<TicketEvent>, Stop> {
    refuse_after_merge(ticket, None, view)?;
    refuse_second(ticket.expectation.as_ref(), view)?;
    let mut events = vec![TicketEvent::Expected(TicketExpected {
        expectation: expectation.to_owned(),
    })];
    let has_room = ticket.event_count() < FACTS_MAX;
    let Some(priority) = judged.filter(|_| has_room && !ticket.tells_priority()) else {
        return Ok(events);
    };
    let fact = TicketFact {
        // Whatever else is said of the same instant counts instead.
        source_sequence: i64::MIN,
        priority: Some(priority),
        sender: ticket.sender(firm),
        ..TicketFact::at(at, format!("entente:priority:{expectation}"))
    };
    let new = NewFact::of_own(fact, view.now);
    let taken = take(ticket, vec![new], TicketEvent::Recorded, partnership, view)?;
    events.extend(taken.events());
    Ok(events)
}

impl Ticket {
    /// Whether anybody told a priority, in whatever words, whether or not it counts yet.
    fn tells_priority(&self) -> bool {
        let parked = self.parked.iter().map(|parked| &parked.fact);
        let late = self.late.iter().map(|late| &late.fact);
        let mut facts = self.facts.iter().chain(parked).chain(late);
        facts.any(|fact| fact.priority.is_some() || fact.source_priority.is_some())
    }
}

/// The five W that an event carries.
pub(super) struct Asked<'event> {
    pub(super) five_w: &'event FiveW,
    /// When the event happened.
    pub(super) at: Timestamp,
}

/// Adds to the decision on an event of a ticket the draft that the five W make.
pub(super) fn ask(
    asked: &Asked<'_>,
    id: &str,
    before: Option<&Ticket>,
    mut decision: Decision,
    (firm, party): (&FirmId, &Party),
    partnership: &Partnership,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let ticket = after(id, before, &decision, firm, view)?;
    let terms = terms_in_force(&ticket, view)?;
    let own = terms.first().map(|terms| terms.at(view.now));
    let own = own.ok_or_else(|| Refusal::new(Reason::Internal, "a ticket without terms"))?;
    let with_ticket = AskedWithTicket {
        ticket: id,
        agreement: &own.terms.agreement,
        content: &own.content,
        requester: &party.id,
        title: ticket.title.as_ref(),
        five_w: asked.five_w,
    };
    let (drafted, judgement) = with_ticket.draft(partnership, view)?;
    let expectation = view.new_id(1);
    let priority = judgement.priority;
    let told = expect_ticket(
        &ticket,
        &expectation,
        priority,
        asked.at,
        firm,
        partnership,
        view,
    )?;
    // The caller is told of the event itself, whatever follows.
    let last = decision.events.len().checked_sub(1);
    decision.receipt_of = decision.receipt_of.or(last);
    let drafted = drafted.into_iter();
    let drafted = drafted.map(|event| Event::new(&expectation, event));
    let told = told.into_iter().map(|event| Event::new(id, event));
    decision.events.extend(drafted.chain(told));
    Ok(decision)
}

/// The ticket as the decision leaves it.
fn after(
    id: &str,
    before: Option<&Ticket>,
    decision: &Decision,
    firm: &FirmId,
    view: &View<'_>,
) -> Result<Ticket, Refusal> {
    let recorded = Recorded {
        sequence: view.next_sequence,
        at: view.now,
        firm: Some(firm.clone()),
        actor: String::new(),
    };
    let mut state = before.cloned();
    for event in decision.events.iter().filter(|event| event.id == id) {
        if let EventBody::Ticket(event) = &event.body {
            state = Ticket::apply(state, event, &recorded);
        }
    }
    state.ok_or_else(|| Refusal::new(Reason::Internal, "a ticket's event does not fit"))
}
