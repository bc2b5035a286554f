//! Taking events in: what is new counts, waits for words, or waits for another firm.

use super::lateness::{EventAwaiting, favours, is_late};
use super::revision::{Cause, VerdictRevised, consequences};
use super::tick::evaluate_ticket;
use super::words::{explain, park};
use super::{
    BACKFILL_SETTLES_AFTER, FACTS_MAX, FactParked, FactRecorded, IngestEvent, Ticket, TicketEvent,
};
use crate::domain::command::{Decision, Repeat};
use crate::domain::commitment::Commitment;
use crate::domain::identity::PartyId;
use crate::domain::partnership::Partnership;
use crate::domain::partnership::ending::require_workable;
use crate::domain::record::{Event, Kind};
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::sla::clock::{MergeTarget, TicketFact, TicketState, sort_facts};
use crate::domain::time::Timestamp;
use crate::domain::world::{Stop, View};

/// The note of a decision that parked an event.
pub const PARKED: &str = "parked";
/// The note of a decision on an event that waits for another firm's countersignature.
pub const AWAITING: &str = "awaiting";
/// The note of a decision on an event that another firm did not countersign.
pub const REJECTED: &str = "rejected";

/// An event that the ticket has already. It changes nothing, unless it waited for its words to be
/// mapped and that was done meanwhile.
///
/// What recognises it is its id alone; the title and the agreement, which only the event that opens
/// a ticket settles, are not looked at.
pub(super) fn again(
    id: &str,
    ticket: &Ticket,
    earlier: &TicketFact,
    event: &IngestEvent,
    partnership: &Partnership,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    if !earlier.says_the_same_as(&fact_of(event, ticket, earlier.merged_into.clone())) {
        let reused = Refusal::new(Reason::EventIdReused, "the id was used for something else");
        return Err(reused.with("id", &event.event_id).into());
    }
    let decision = Decision::about(Kind::Ticket, id);
    let parked = ticket.parked(&event.event_id, earlier.sender.as_ref());
    let may_work = require_workable(partnership, ticket.carried.as_ref(), view.now).is_ok();
    if let Some(parked) = parked.filter(|_| may_work) {
        let mut new = NewFact::of_parked(parked, view);
        if explain(&mut new.fact, &event.reference, view)?.is_empty() {
            let taken = take(ticket, vec![new], TicketEvent::Unparked, partnership, view)?;
            return Ok(taken.decided(id, decision));
        }
    }
    let sequence = earlier.recorded.map_or(0, |recorded| recorded.sequence);
    let hash = view.entry_hash(sequence)?;
    let late = ticket
        .late
        .iter()
        .find(|late| late.fact.is_the_same_event_as(earlier) && !late.is_counted());
    let note = match late {
        _ if parked.is_some() => PARKED,
        Some(late) if late.settled.is_some() => REJECTED,
        Some(_) => AWAITING,
        None => "",
    };
    Ok(Decision {
        repeat: Some(Repeat { sequence, hash }),
        note,
        ..decision
    })
}

/// What an event says, as its sender told it to the ticket.
fn fact_of(event: &IngestEvent, ticket: &Ticket, merged_into: Option<MergeTarget>) -> TicketFact {
    let told = event.merged_into.as_ref();
    TicketFact {
        occurred_at: event.occurred_at,
        source_sequence: event.source_sequence,
        event_id: event.event_id.clone(),
        opened_at: event.opened_at,
        priority: event.priority,
        source_priority: event.source_priority.clone(),
        status: event.status.clone(),
        state: None,
        marks: event.marks.clone(),
        person: event.person.clone(),
        reported_at: event.reported_at,
        merged_into: told.map(|told| MergeTarget {
            ticket: told
                .ticket
                .clone()
                .or_else(|| merged_into.and_then(|known| known.ticket)),
            reference: told.reference.clone(),
        }),
        sender: ticket.sender(&event.reference.firm),
        recorded: None,
    }
}

/// Takes in an event that the ticket does not have.
pub(super) fn take_in(
    id: &str,
    ticket: &Ticket,
    event: &IngestEvent,
    partnership: &Partnership,
    decision: Decision,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    if ticket.event_count() >= FACTS_MAX {
        return Err(Refusal::limit("events_per_ticket", FACTS_MAX).into());
    }
    let target = merge_target(id, event, view)?;
    let mut fact = fact_of(event, ticket, target);
    let unknown = explain(&mut fact, &event.reference, view)?;
    if !unknown.is_empty() {
        return park(id, ticket, fact, unknown, event, decision, view);
    }
    let new = NewFact {
        fact,
        backfill: event.backfill,
        came_at: view.now,
        title: event.title.clone().filter(|_| ticket.title.is_none()),
    };
    let taken = take(ticket, vec![new], TicketEvent::Recorded, partnership, view)?;
    Ok(taken.decided(id, decision))
}

/// What is known of the ticket into which an event merges its own.
fn merge_target(
    id: &str,
    event: &IngestEvent,
    view: &View<'_>,
) -> Result<Option<MergeTarget>, Stop> {
    let Some(told) = &event.merged_into else {
        return Ok(None);
    };
    let mut target = told.clone();
    if let Some(reference) = &told.reference {
        let known = view.referenced(reference)?;
        let ticket = known.iter().find(|(kind, _)| *kind == Kind::Ticket);
        target.ticket = ticket.map(|(_, id)| id.clone());
    } else if let Some(ticket) = &told.ticket
        && view.find::<Ticket>(ticket)?.is_none()
    {
        let described = "no such ticket";
        return Err(Refusal::field(Reason::NotFound, "merged_into.ticket", described).into());
    }
    if target.ticket.as_deref() == Some(id) {
        let described = "another ticket";
        return Err(Refusal::field(Reason::InvalidField, "merged_into", described).into());
    }
    Ok(Some(target))
}

/// An event whose words are all understood.
#[derive(Clone, Debug)]
pub(super) struct NewFact {
    /// What it says.
    pub(super) fact: TicketFact,
    /// Whether it is imported history.
    backfill: bool,
    /// When it first came.
    came_at: Timestamp,
    /// The ticket's title, if it had none before.
    title: Option<Commitment>,
}

impl NewFact {
    /// Something that is made known here, at `now`.
    pub(super) const fn of_own(fact: TicketFact, now: Timestamp) -> Self {
        Self {
            fact,
            backfill: false,
            came_at: now,
            title: None,
        }
    }

    pub(super) fn of_parked(parked: &FactParked, view: &View<'_>) -> Self {
        let recorded = parked.fact.recorded;
        Self {
            fact: parked.fact.clone(),
            backfill: parked.backfill,
            came_at: recorded.map_or(view.now, |recorded| recorded.at),
            title: None,
        }
    }
}

/// What becomes of new events.
#[derive(Clone, Debug, Default)]
pub(super) struct Taken {
    /// The events themselves, one for each.
    events: Vec<TicketEvent>,
    /// What follows from those that count.
    revised: Vec<VerdictRevised>,
}

impl Taken {
    /// Everything, in the order in which it is journalled.
    pub(super) fn events(self) -> impl Iterator<Item = TicketEvent> {
        let revised = self.revised.into_iter().map(TicketEvent::VerdictRevised);
        self.events.into_iter().chain(revised)
    }

    /// The decision on a single event: the caller is told of the event itself, whatever follows.
    fn decided(self, id: &str, mut decision: Decision) -> Decision {
        if matches!(self.events.first(), Some(TicketEvent::Awaiting(_))) {
            decision.note = AWAITING;
        }
        decision.receipt_of = Some(decision.events.len());
        self.events().fold(decision, |decision, event| {
            decision.event(Event::new(id, event))
        })
    }
}

/// What it makes of a ticket that further facts are known. They count one after the other, unless
/// one came too late to count by its sender's word alone.
pub(super) fn take(
    ticket: &Ticket,
    new: Vec<NewFact>,
    counts: fn(FactRecorded) -> TicketEvent,
    partnership: &Partnership,
    view: &View<'_>,
) -> Result<Taken, Stop> {
    let mut after = ticket.clone();
    let mut taken = Taken::default();
    let mut counted: Vec<NewFact> = Vec::new();
    for new in new {
        if let Some(party) = needs_countersignature(&new, &after, partnership, view)? {
            taken.events.push(TicketEvent::Awaiting(EventAwaiting {
                fact: unrecorded(&new.fact),
                party,
                title: new.title,
            }));
        } else {
            after.facts.push(new.fact.clone());
            counted.push(new);
        }
    }
    if counted.is_empty() {
        return Ok(taken);
    }
    sort_facts(&mut after.facts);
    let ids = counted.iter().map(|new| new.fact.event_id.clone());
    let cause = Cause::Events(ids.collect());
    let (mut revised, mut due_at) = consequences(&after, &cause, view)?;
    if counted.iter().any(|new| new.backfill) {
        let settled = view.now.saturating_add(BACKFILL_SETTLES_AFTER);
        due_at = due_at.map(|at| at.max(settled));
        for change in &mut revised {
            change.due_at = due_at;
        }
    }
    let mut last = ticket.facts.iter().rfind(|fact| fact.state.is_some());
    for new in &counted {
        if new.fact.state.is_some() {
            last = last.max(Some(&new.fact));
        }
        taken.events.push(counts(FactRecorded {
            fact: unrecorded(&new.fact),
            title: new.title.clone(),
            backfill: new.backfill,
            state: last.and_then(|fact| fact.state).unwrap_or(TicketState::New),
            due_at,
        }));
    }
    taken.revised = revised;
    Ok(taken)
}

fn unrecorded(fact: &TicketFact) -> TicketFact {
    TicketFact {
        recorded: None,
        ..fact.clone()
    }
}

/// The party that sent an event which another firm has to confirm, because it is late and favours
/// its sender. Alone in its partnership, a firm has nobody to ask; imported history is exempt.
fn needs_countersignature(
    new: &NewFact,
    ticket: &Ticket,
    partnership: &Partnership,
    view: &View<'_>,
) -> Result<Option<PartyId>, Stop> {
    let window = partnership.lateness_window();
    let alone = partnership.is_alone();
    let told = ticket.facts.iter().filter(|fact| fact.opened_at.is_some());
    let opening = told.min().and_then(|fact| fact.opened_at);
    if new.backfill || alone || !is_late(&new.fact, new.came_at, opening, window) {
        return Ok(None);
    }
    let Some(sender) = partnership.party_of(ticket.firm_of(&new.fact)) else {
        return Ok(None);
    };
    let mut with = ticket.clone();
    with.facts.push(new.fact.clone());
    let before = evaluate_ticket(ticket, view.now, view)?;
    let after = evaluate_ticket(&with, view.now, view)?;
    Ok(favours(&sender.id, &before, &after).then(|| sender.id.clone()))
}
