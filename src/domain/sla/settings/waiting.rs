//! Lists of tickets that wait for a word, so that no record grows without bounds.

use serde::{Deserialize, Serialize};

use super::unmapped::Meaning;
use crate::domain::aggregate::{Aggregate, Recorded, events};
use crate::domain::time::Timestamp;

/// Tickets that wait for a word: at most [`super::WAITING_MAX`]. Its record's id is
/// `{unmapped word}-{number}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WaitingList {
    /// Id of the unmapped word.
    pub word: String,
    /// The tickets that still wait.
    pub tickets: Vec<String>,
    /// What the word means, since that is known.
    pub meaning: Option<Meaning>,
    /// When the sweeper has to look.
    pub due_at: Option<Timestamp>,
}

impl WaitingList {
    /// The record id of a word's list, numbered from 0.
    #[must_use]
    pub fn id_of(word: &str, number: u32) -> String {
        format!("{word}-{number}")
    }
}

/// Tickets were put into a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListFiled {
    /// Id of the unmapped word.
    pub word: String,
    /// The tickets.
    pub tickets: Vec<String>,
}

/// It is known what the word means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListExplained {
    /// What it means.
    pub meaning: Meaning,
}

/// Tickets wait no longer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListReplayed {
    /// How many; the first ones.
    pub tickets: usize,
}

events! {
    /// What happens to a waiting list.
    WaitingListEvent {
        /// It was written down.
        Filed(ListFiled) = "waiting_list.filed", 1;
        /// It is known what the word means.
        Explained(ListExplained) = "waiting_list.explained", 1;
        /// Tickets wait no longer.
        Replayed(ListReplayed) = "waiting_list.replayed", 1;
    }
}

impl Aggregate for WaitingList {
    type Event = WaitingListEvent;
    const BODY_VERSION: u32 = 1;

    fn apply(
        previous: Option<Self>,
        event: &WaitingListEvent,
        recorded: &Recorded,
    ) -> Option<Self> {
        match (previous, event) {
            (None, WaitingListEvent::Filed(filed)) => Some(Self {
                word: filed.word.clone(),
                tickets: filed.tickets.clone(),
                meaning: None,
                due_at: None,
            }),
            (Some(mut list), WaitingListEvent::Explained(explained)) => {
                list.meaning = Some(explained.meaning);
                list.due_at = Some(recorded.at);
                Some(list)
            }
            (Some(mut list), WaitingListEvent::Replayed(replayed)) => {
                let replayed = replayed.tickets.min(list.tickets.len());
                list.tickets.drain(..replayed);
                list.due_at = list.due_at.filter(|_| !list.tickets.is_empty());
                Some(list)
            }
            (None, _) | (Some(_), WaitingListEvent::Filed(_)) => None,
        }
    }

    fn due_at(&self) -> Option<Timestamp> {
        self.due_at
    }
}
