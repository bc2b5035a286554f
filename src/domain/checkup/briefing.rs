//! What firms have to talk about: whose turn it is with what, what is due, what changed, and an agenda.
//!
//! Selecting and saying are two steps, since titles are texts that are only loaded for what is told.

mod change;
mod text;

pub use change::{Compared, Reading, most_changed};
pub use text::{Named, Told, agenda, change_text, item_text, text};

use super::measure::Symptom;
use crate::domain::hand_over::{HandOverItem, OpenMatter};
use crate::domain::identity::PartyId;
use crate::domain::record::Kind;
use crate::domain::time::{MICROS_PER_DAY, Timestamp};

/// Most items of each list.
pub const ITEMS_MAX: usize = 25;
/// Most items of an agenda.
pub const AGENDA_MAX: usize = 7;
/// Days in a week.
const WEEK_DAYS: i64 = 7;
/// 1970-01-05, the first Monday, in days since 1970-01-01.
const FIRST_MONDAY: i64 = 4;

/// The week, from Monday on and in UTC, in which an instant lies: its first instant, and the first after
/// it.
#[must_use]
pub fn week_of(at: Timestamp) -> (Timestamp, Timestamp) {
    let day = at.as_micros().div_euclid(MICROS_PER_DAY);
    let monday = day - (day - FIRST_MONDAY).rem_euclid(WEEK_DAYS);
    let instant = |day: i64| Timestamp::from_micros(day.saturating_mul(MICROS_PER_DAY));
    (instant(monday), instant(monday + WEEK_DAYS))
}

/// Something open of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// What sort of record it is.
    pub kind: Kind,
    /// Which one.
    pub id: String,
    /// What is open of it, whose turn it is, and until when.
    pub item: HandOverItem,
}

impl Open {
    /// Earlier is more urgent, and what has no instant is least so.
    fn urgency(&self) -> (bool, Option<Timestamp>, Kind, &str) {
        let until = self.item.until;
        (until.is_none(), until, self.kind, &self.id)
    }

    /// Whether its instant is over.
    #[must_use]
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.item.until.is_some_and(|until| until <= now)
    }
}

/// The most urgent items of one sort, and how many there are in all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Turn {
    /// The most urgent ones, in order.
    pub items: Vec<Open>,
    /// How many there are.
    pub count: u64,
}

impl Turn {
    fn take(&mut self, open: &Open) {
        self.count = self.count.saturating_add(1);
        let place = self
            .items
            .partition_point(|known| known.urgency() < open.urgency());
        if place < ITEMS_MAX {
            self.items.insert(place, open.clone());
            self.items.truncate(ITEMS_MAX);
        }
    }
}

/// What is open, by whose turn it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    party: PartyId,
    until: Timestamp,
    /// What is the party's turn.
    pub own: Turn,
    /// What is others' turn.
    pub others: Turn,
    /// What is due before the week is over.
    pub due: Turn,
}

impl Selection {
    /// Nothing yet: for a party, and for what is due before an instant.
    #[must_use]
    pub fn new(party: PartyId, until: Timestamp) -> Self {
        Self {
            party,
            until,
            own: Turn::default(),
            others: Turn::default(),
            due: Turn::default(),
        }
    }

    /// Notes something that is open.
    pub fn take(&mut self, open: &Open) {
        let matter = open.item.matter;
        if !is_to_do(matter) {
            return;
        }
        // A notice tells what will happen; nobody owes it.
        if matter != OpenMatter::Notice {
            if open.item.parties.contains(&self.party) {
                self.own.take(open);
            }
            if open.item.parties.iter().any(|party| *party != self.party) {
                self.others.take(open);
            }
        }
        if open.item.until.is_some_and(|until| until < self.until) {
            self.due.take(open);
        }
    }

    /// Every item that is told of, some of them twice.
    pub fn items(&self) -> impl Iterator<Item = &Open> {
        let turns = [&self.own, &self.others, &self.due].into_iter();
        turns.flat_map(|turn| turn.items.iter())
    }
}

/// Whether somebody is to do something about it, rather than that it simply goes on.
const fn is_to_do(matter: OpenMatter) -> bool {
    !matches!(
        matter,
        OpenMatter::Agreement
            | OpenMatter::Contact
            | OpenMatter::CustodyItem
            | OpenMatter::Opportunity
            | OpenMatter::Need
    )
}

/// A side of a row of the check-up that shows something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Showing {
    /// Which row.
    pub symptom: Symptom,
    /// Whose conduct.
    pub party: PartyId,
    /// How strongly.
    pub intensity: u8,
    /// What would change it, in words; may be empty.
    pub change: String,
}

#[cfg(test)]
mod tests;
