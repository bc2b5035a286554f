//! Words that came with events and that no map explained.

use serde::{Deserialize, Serialize};

use crate::domain::aggregate::{Aggregate, Recorded, events};
use crate::domain::identity::FirmId;
use crate::domain::sla::clock::{Priority, TicketState};
use crate::domain::time::Timestamp;

/// How many tickets an unmapped word shows as examples.
pub const EXAMPLE_TICKETS_MAX: usize = 10;

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
    /// How many events are parked because of it.
    pub parked_events: u64,
    /// When the first of them was recorded.
    pub first_seen_at: Timestamp,
    /// When the last of them was recorded.
    pub last_seen_at: Timestamp,
    /// Some of the tickets.
    pub example_tickets: Vec<String>,
    /// Whether a map knows it by now.
    pub mapped: bool,
}

/// An event was parked because of a word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WordSeen {
    /// Which word.
    pub word: Word,
    /// On which ticket.
    pub ticket: String,
}

/// A map knows the word now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WordMapped {}

events! {
    /// What happens to an unmapped word.
    UnmappedWordEvent {
        /// An event was parked because of it.
        Seen(WordSeen) = "unmapped_word.seen", 1;
        /// A map knows it now.
        Mapped(WordMapped) = "unmapped_word.mapped", 1;
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
        match (previous, event) {
            (None, UnmappedWordEvent::Seen(seen)) => Some(Self {
                word: seen.word.clone(),
                parked_events: 1,
                first_seen_at: recorded.at,
                last_seen_at: recorded.at,
                example_tickets: vec![seen.ticket.clone()],
                mapped: false,
            }),
            (Some(mut unmapped), UnmappedWordEvent::Seen(seen)) => {
                unmapped.parked_events += 1;
                unmapped.last_seen_at = recorded.at;
                unmapped.mapped = false;
                let known = unmapped.example_tickets.contains(&seen.ticket);
                if !known && unmapped.example_tickets.len() < EXAMPLE_TICKETS_MAX {
                    unmapped.example_tickets.push(seen.ticket.clone());
                }
                Some(unmapped)
            }
            (Some(mut unmapped), UnmappedWordEvent::Mapped(_)) => {
                unmapped.mapped = true;
                Some(unmapped)
            }
            (None, UnmappedWordEvent::Mapped(_)) => None,
        }
    }

    fn state(&self) -> &'static str {
        if self.mapped { "mapped" } else { "open" }
    }
}
