//! Words of a firm's own software in events: maps explain them, and what no map explains waits.

use super::decide::PARKED;
use super::{FactParked, PARKED_MAX, Ticket, TicketEvent};
use crate::domain::command::Decision;
use crate::domain::identity::ExternalReference;
use crate::domain::record::Event;
use crate::domain::refusal::Refusal;
use crate::domain::sla::clock::TicketFact;
use crate::domain::sla::settings::{
    PriorityMap, StatusMap, UnmappedWord, UnmappedWordEvent, Word, WordKind, WordSeen,
};
use crate::domain::world::{Stop, View};

/// Adds to `fact`, told of the ticket that its sender knows as `reference`, what maps make of its
/// words. What an earlier map said stays. Returns the words that no map explains.
pub(super) fn explain(
    fact: &mut TicketFact,
    reference: &ExternalReference,
    view: &View<'_>,
) -> Result<Vec<Word>, Stop> {
    let mut unknown = Vec::new();
    let word = |kind, text: &str| Word {
        firm: reference.firm.clone(),
        system: reference.system.clone(),
        instance: reference.instance.clone(),
        kind,
        text: text.to_owned(),
    };
    if let Some(status) = fact.status.as_deref().filter(|_| fact.lacks_state()) {
        fact.state = StatusMap::meaning(reference, status, view)?;
        if fact.state.is_none() {
            unknown.push(word(WordKind::Status, status));
        }
    }
    if let Some(priority) = fact
        .source_priority
        .as_deref()
        .filter(|_| fact.lacks_priority())
    {
        fact.priority = PriorityMap::meaning(reference, priority, view)?;
        if fact.priority.is_none() {
            unknown.push(word(WordKind::Priority, priority));
        }
    }
    Ok(unknown)
}

/// Keeps an event until maps explain its words.
pub(super) fn park(
    id: &str,
    ticket: &Ticket,
    fact: TicketFact,
    unknown: Vec<Word>,
    mut decision: Decision,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    if ticket.parked.len() >= PARKED_MAX {
        return Err(Refusal::limit("parked_events_per_ticket", PARKED_MAX).into());
    }
    let mut waits_for = Vec::new();
    for word in unknown {
        let unmapped = word.id();
        view.find::<UnmappedWord>(&unmapped)?;
        let seen = WordSeen {
            word,
            ticket: id.to_owned(),
        };
        decision = decision.event(Event::new(&unmapped, UnmappedWordEvent::Seen(seen)));
        waits_for.push(unmapped);
    }
    // The event itself comes last: the receipt names the last entry.
    let parked = FactParked { fact, waits_for };
    let mut decision = decision.event(Event::new(id, TicketEvent::Parked(parked)));
    decision.note = PARKED;
    Ok(decision)
}
