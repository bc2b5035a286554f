//! Words that came with events and that no map explained, and the tickets that wait for them.
//!
//! A word's record knows the tickets whose parked events wait for it: the latest by itself, those
//! before them in waiting lists of a limited length. When a map explains the word, its record is due
//! at once. The sweeper then tells the lists what the word means, which makes them due in turn, and
//! replays the tickets of the record itself. What is waited for has the meaning that the first map
//! gave it, however late the sweeper comes by.

use serde::{Deserialize, Serialize};

use crate::domain::aggregate::{Aggregate, Recorded, events};
use crate::domain::identity::FirmId;
use crate::domain::sla::clock::{Priority, TicketState};
use crate::domain::time::Timestamp;

/// How many tickets an unmapped word shows as examples.
pub const EXAMPLE_TICKETS_MAX: usize = 10;
/// Most tickets in the record of an unmapped word, and in a waiting list.
pub const WAITING_MAX: usize = 50;

/// What sort of word it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WordKind {
    /// A status, which status maps explain.
    Status,
    /// A priority, which priority maps explain.
    Priority,
}

/// What a word means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Meaning {
    /// What a status means.
    State(TicketState),
    /// What a priority means.
    Priority(Priority),
}

impl From<TicketState> for Meaning {
    fn from(state: TicketState) -> Self {
        Self::State(state)
    }
}

impl From<Priority> for Meaning {
    fn from(priority: Priority) -> Self {
        Self::Priority(priority)
    }
}

/// A word of a firm's own software.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Word {
    /// Whose word.
    pub firm: FirmId,
    /// Of which product.
    pub system: String,
    /// Of which installation; may be empty.
    pub instance: String,
    /// What sort of word it is.
    pub kind: WordKind,
    /// The word as the software spells it.
    pub text: String,
}

impl Word {
    /// The id of the record that is kept while no map explains the word.
    #[must_use]
    pub fn id(&self) -> String {
        let hash = crate::domain::content_hash("entente.unmapped.v1", self);
        hash[..32].to_owned()
    }
}

/// A word that came with an event and that no map knew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnmappedWord {
    /// Which word.
    pub word: Word,
    /// How many events were parked because of it since no map knows it.
    pub parked_events: u64,
    /// When the first of them was recorded.
    pub first_seen_at: Timestamp,
    /// When the last of them was recorded.
    pub last_seen_at: Timestamp,
    /// Some of the tickets.
    pub example_tickets: Vec<String>,
    /// Tickets that wait and are in no list yet: at most [`WAITING_MAX`].
    pub waiting: Vec<String>,
    /// How many lists of waiting tickets were filed, ever.
    pub lists_filed: u32,
    /// How many of them were told what the word means.
    pub lists_explained: u32,
    /// What it means, since a map explained it; `None` while no map does.
    pub meaning: Option<Meaning>,
    /// When the sweeper has to look.
    pub due_at: Option<Timestamp>,
}

/// An event was parked because of a word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WordSeen {
    /// Which word.
    pub word: Word,
    /// On which ticket.
    pub ticket: String,
    /// Whether the ticket did not wait for the word already.
    pub joins: bool,
}

/// The waiting tickets of a word's record were put into a list of their own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WaitersFiled {
    /// How many lists there are now.
    pub lists: u32,
}

/// A map knows the word now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WordMapped {
    /// What it says.
    pub meaning: Meaning,
}

/// Waiting lists were told what the word means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WordExplained {
    /// How many lists know by now.
    pub lists: u32,
}

/// Tickets of a word's record wait no longer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WaitersReplayed {
    /// How many; the first ones.
    pub tickets: usize,
}

events! {
    /// What happens to an unmapped word.
    UnmappedWordEvent {
        /// An event was parked because of it.
        Seen(WordSeen) = "unmapped_word.seen", 1;
        /// Its waiting tickets were put into a list.
        Filed(WaitersFiled) = "unmapped_word.filed", 1;
        /// A map knows it now.
        Mapped(WordMapped) = "unmapped_word.mapped", 1;
        /// Waiting lists were told what it means.
        Explained(WordExplained) = "unmapped_word.explained", 1;
        /// Waiting tickets wait no longer.
        Replayed(WaitersReplayed) = "unmapped_word.replayed", 1;
    }
}

impl Aggregate for UnmappedWord {
    type Event = UnmappedWordEvent;
    const BODY_VERSION: u32 = 1;

    fn apply(
        previous: Option<Self>,
        event: &UnmappedWordEvent,
        recorded: &Recorded,
    ) -> Option<Self> {
        let mut unmapped = match (previous, event) {
            (Some(unmapped), _) => unmapped,
            (None, UnmappedWordEvent::Seen(seen)) => Self::new(&seen.word, recorded.at),
            (None, _) => return None,
        };
        match event {
            UnmappedWordEvent::Seen(seen) => unmapped.see(seen, recorded.at),
            UnmappedWordEvent::Filed(filed) => {
                unmapped.waiting.clear();
                unmapped.lists_filed = filed.lists;
            }
            UnmappedWordEvent::Mapped(mapped) => {
                unmapped.meaning = Some(mapped.meaning);
                unmapped.due_at = Some(recorded.at);
                // All that waits may be in lists that were told before.
                unmapped.settle();
            }
            UnmappedWordEvent::Explained(explained) => {
                unmapped.lists_explained = explained.lists;
                unmapped.settle();
            }
            UnmappedWordEvent::Replayed(replayed) => {
                let replayed = replayed.tickets.min(unmapped.waiting.len());
                unmapped.waiting.drain(..replayed);
                unmapped.settle();
            }
        }
        Some(unmapped)
    }

    fn state(&self) -> &'static str {
        if self.is_open() { "open" } else { "mapped" }
    }

    fn due_at(&self) -> Option<Timestamp> {
        self.due_at
    }
}

impl UnmappedWord {
    fn new(word: &Word, at: Timestamp) -> Self {
        Self {
            word: word.clone(),
            parked_events: 0,
            first_seen_at: at,
            last_seen_at: at,
            example_tickets: Vec::new(),
            waiting: Vec::new(),
            lists_filed: 0,
            lists_explained: 0,
            meaning: None,
            due_at: None,
        }
    }

    /// Whether no map knows the word.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.meaning.is_none()
    }

    /// No map knows the word, whatever one said before: all that still waits, waits for the next.
    fn see(&mut self, seen: &WordSeen, at: Timestamp) {
        if self.parked_events == 0 {
            self.first_seen_at = at;
            self.example_tickets.clear();
        }
        self.parked_events += 1;
        self.last_seen_at = at;
        self.meaning = None;
        self.due_at = None;
        let known = self.example_tickets.contains(&seen.ticket);
        if !known && self.example_tickets.len() < EXAMPLE_TICKETS_MAX {
            self.example_tickets.push(seen.ticket.clone());
        }
        // It may still be here although its events were sent again and counted.
        if seen.joins && !self.waiting.contains(&seen.ticket) {
            self.waiting.push(seen.ticket.clone());
        }
    }

    /// Nothing is left to do once nobody waits who was not told.
    fn settle(&mut self) {
        if self.waiting.is_empty() && self.lists_explained == self.lists_filed {
            self.due_at = None;
            self.parked_events = 0;
        }
    }
}
