//! Parked events count as soon as maps explain their words: the sweeper's part of it.

use super::intake::{NewFact, take};
use super::{FactExplained, FactParked, Ticket, TicketEvent};
use crate::domain::command::Decision;
use crate::domain::partnership::Partnership;
use crate::domain::record::{Event, Kind};
use crate::domain::sla::settings::{
    ListExplained, ListReplayed, Meaning, UnmappedWord, UnmappedWordEvent, WaitersReplayed,
    WaitingList, WaitingListEvent, WordExplained,
};
use crate::domain::world::{Stop, View, for_each};

/// Most waiting lists that one tick tells what their word means.
const LISTS_PER_TICK: u32 = 100;
/// Parked events after which a tick takes up no further ticket.
const EVENTS_PER_TICK: usize = 1_000;

/// What follows from a map having explained a word: its waiting lists are told, and then the events
/// of the tickets that its record names count. It goes on with the next tick where there are many.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn tick_word(id: &str, view: &View<'_>) -> Result<Decision, Stop> {
    let unmapped = view.get::<UnmappedWord>(id)?;
    let mut decision = Decision::about(Kind::UnmappedWord, id);
    let due = unmapped.due_at.is_some_and(|due_at| due_at <= view.now);
    let Some(meaning) = unmapped.meaning.filter(|_| due) else {
        return Ok(decision);
    };
    let told = unmapped.lists_explained;
    let lists = unmapped.lists_filed.min(told + LISTS_PER_TICK);
    if lists > told {
        let ids = (told..lists).map(|number| WaitingList::id_of(id, number));
        let ids: Vec<String> = ids.collect();
        for_each(&ids, |list| view.get::<WaitingList>(list).map(|_| ()))?;
        for list in ids {
            let explained = WaitingListEvent::Explained(ListExplained { meaning });
            decision = decision.event(Event::new(list, explained));
        }
        let explained = UnmappedWordEvent::Explained(WordExplained { lists });
        decision = decision.event(Event::new(id, explained));
    }
    if lists < unmapped.lists_filed || unmapped.waiting.is_empty() {
        return Ok(decision);
    }
    let (decision, tickets) = replay(id, meaning, &unmapped.waiting, decision, view)?;
    let replayed = UnmappedWordEvent::Replayed(WaitersReplayed { tickets });
    Ok(decision.event(Event::new(id, replayed)))
}

/// Lets the events of a waiting list's tickets count, once it is known what the word means.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn tick_list(id: &str, view: &View<'_>) -> Result<Decision, Stop> {
    let list = view.get::<WaitingList>(id)?;
    let decision = Decision::about(Kind::WaitingList, id);
    let due = list.due_at.is_some_and(|due_at| due_at <= view.now);
    let Some(meaning) = list.meaning.filter(|_| due) else {
        return Ok(decision);
    };
    let (decision, tickets) = replay(&list.word, meaning, &list.tickets, decision, view)?;
    let replayed = WaitingListEvent::Replayed(ListReplayed { tickets });
    Ok(decision.event(Event::new(id, replayed)))
}

/// Replays the events that wait for a word, ticket by ticket. Returns for how many tickets that is
/// done.
fn replay(
    word: &str,
    meaning: Meaning,
    tickets: &[String],
    mut decision: Decision,
    view: &View<'_>,
) -> Result<(Decision, usize), Stop> {
    let loaded = for_each(tickets, |id| Ok((id, view.find::<Ticket>(id)?)))?;
    let mut events = 0;
    let few = loaded.iter().take_while(|(_, ticket)| {
        let more = events < EVENTS_PER_TICK;
        events += ticket.map_or(0, |ticket| ticket.parked.len());
        more
    });
    let few: Vec<_> = few.collect();
    let done = few.len();
    let there = few
        .into_iter()
        .filter_map(|(id, ticket)| Some((id, (*ticket)?)));
    for (id, events) in for_each(there, |(id, ticket)| {
        Ok((id, replay_ticket(ticket, word, meaning, view)?))
    })? {
        for event in events {
            decision = decision.event(Event::new(id.as_str(), event));
        }
    }
    Ok((decision, done))
}

/// What becomes of a ticket's events that wait for a word, in the order in which they happened.
fn replay_ticket(
    ticket: &Ticket,
    word: &str,
    meaning: Meaning,
    view: &View<'_>,
) -> Result<Vec<TicketEvent>, Stop> {
    let waiting = ticket.parked.iter().filter(|parked| parked.waits_for(word));
    let mut waiting: Vec<FactParked> = waiting.cloned().collect();
    waiting.sort_by(|one, other| one.fact.cmp(&other.fact));
    let mut events = Vec::new();
    let mut ready = Vec::new();
    for mut parked in waiting {
        parked.explain(word, meaning);
        if parked.waits_for.is_empty() {
            ready.push(NewFact::of_parked(&parked, view));
        } else {
            events.push(TicketEvent::Explained(FactExplained {
                event_id: parked.fact.event_id,
                word: word.to_owned(),
                meaning,
            }));
        }
    }
    let partnership = view.get::<Partnership>(view.scope.id())?;
    let taken = take(ticket, ready, TicketEvent::Unparked, partnership, view)?;
    events.extend(taken.events());
    Ok(events)
}
