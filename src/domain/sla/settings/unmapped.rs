//! Statuses that came with events and that no map explained.

use serde::{Deserialize, Serialize};

use crate::domain::aggregate::{Aggregate, Recorded, events};
use crate::domain::identity::FirmId;
use crate::domain::time::Timestamp;

/// How many tickets an unmapped status shows as examples.
pub const EXAMPLE_TICKETS_MAX: usize = 10;

/// A status that came with an event and that no map knew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnmappedStatus {
    /// Whose status.
    pub firm: FirmId,
    /// Of which product.
    pub system: String,
    /// Of which installation.
    pub instance: String,
    /// The status, as the software spells it.
    pub status: String,
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

impl UnmappedStatus {
    /// The record id for a status of a firm's software.
    #[must_use]
    pub fn id_of(firm: &FirmId, system: &str, instance: &str, status: &str) -> String {
        let hash =
            crate::domain::content_hash("entente.unmapped.v1", &(firm, system, instance, status));
        hash[..32].to_owned()
    }
}

/// An event was parked because of a status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatusSeen {
    /// Whose status.
    pub firm: FirmId,
    /// Of which product.
    pub system: String,
    /// Of which installation.
    pub instance: String,
    /// The status.
    pub status: String,
    /// On which ticket.
    pub ticket: String,
}

/// A map knows the status now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatusMapped {}

events! {
    /// What happens to an unmapped status.
    UnmappedStatusEvent {
        /// An event was parked because of it.
        Seen(StatusSeen) = "unmapped_status.seen", 1;
        /// A map knows it now.
        Mapped(StatusMapped) = "unmapped_status.mapped", 1;
    }
}

impl Aggregate for UnmappedStatus {
    type Event = UnmappedStatusEvent;
    const BODY_VERSION: u32 = 1;

    fn apply(
        previous: Option<Self>,
        event: &UnmappedStatusEvent,
        recorded: &Recorded,
    ) -> Option<Self> {
        match (previous, event) {
            (None, UnmappedStatusEvent::Seen(seen)) => Some(Self {
                firm: seen.firm.clone(),
                system: seen.system.clone(),
                instance: seen.instance.clone(),
                status: seen.status.clone(),
                parked_events: 1,
                first_seen_at: recorded.at,
                last_seen_at: recorded.at,
                example_tickets: vec![seen.ticket.clone()],
                mapped: false,
            }),
            (Some(mut unmapped), UnmappedStatusEvent::Seen(seen)) => {
                unmapped.parked_events += 1;
                unmapped.last_seen_at = recorded.at;
                unmapped.mapped = false;
                let known = unmapped.example_tickets.contains(&seen.ticket);
                if !known && unmapped.example_tickets.len() < EXAMPLE_TICKETS_MAX {
                    unmapped.example_tickets.push(seen.ticket.clone());
                }
                Some(unmapped)
            }
            (Some(mut unmapped), UnmappedStatusEvent::Mapped(_)) => {
                unmapped.mapped = true;
                Some(unmapped)
            }
            (None, UnmappedStatusEvent::Mapped(_)) => None,
        }
    }

    fn state(&self) -> &'static str {
        if self.mapped { "mapped" } else { "open" }
    }
}
