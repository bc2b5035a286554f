//! Words of a firm's own software in events: maps explain them, and what no map explains waits.

use super::intake::PARKED;
use super::{FactParked, IngestEvent, Ticket, TicketEvent};
use crate::domain::command::Decision;
use crate::domain::identity::ExternalReference;
use crate::domain::record::Event;
use crate::domain::sla::clock::TicketFact;
use crate::domain::sla::settings::{
    ListFiled, PriorityMap, StatusMap, UnmappedWord, UnmappedWordEvent, WAITING_MAX, WaitersFiled,
    WaitingList, WaitingListEvent, Word, WordKind, WordSeen,
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
    event: &IngestEvent,
    mut decision: Decision,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let mut waits_for = Vec::new();
    for word in unknown {
        let unmapped = word.id();
        // It changes in any case, so it is needed in any case.
        view.find::<UnmappedWord>(&unmapped)?;
        let joins = !ticket.waits_for(&unmapped);
        if joins {
            decision = make_room(&unmapped, decision, view)?;
        }
        let seen = WordSeen {
            word,
            ticket: id.to_owned(),
            joins,
        };
        decision = decision.event(Event::new(&unmapped, UnmappedWordEvent::Seen(seen)));
        waits_for.push(unmapped);
    }
    // The event itself comes last: the receipt names the last entry.
    let parked = FactParked {
        fact,
        waits_for,
        title: event.title.clone().filter(|_| ticket.title.is_none()),
        backfill: event.backfill,
    };
    let mut decision = decision.event(Event::new(id, TicketEvent::Parked(parked)));
    decision.note = PARKED;
    Ok(decision)
}

/// Puts the tickets that a word's record names into a waiting list, if there is no room for another.
fn make_room(word: &str, decision: Decision, view: &View<'_>) -> Result<Decision, Stop> {
    let Some(unmapped) = view.find::<UnmappedWord>(word)? else {
        return Ok(decision);
    };
    if unmapped.waiting.len() < WAITING_MAX {
        return Ok(decision);
    }
    let list = WaitingListEvent::Filed(ListFiled {
        word: word.to_owned(),
        tickets: unmapped.waiting.clone(),
    });
    let filed = UnmappedWordEvent::Filed(WaitersFiled {
        lists: unmapped.lists_filed + 1,
    });
    let list_id = WaitingList::id_of(word, unmapped.lists_filed);
    view.find::<WaitingList>(&list_id)?;
    Ok(decision
        .event(Event::new(list_id, list))
        .event(Event::new(word, filed)))
}
