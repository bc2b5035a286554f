//! Status maps: what the statuses of a firm's own software mean.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::unmapped::{StatusMapped, UnmappedStatus, UnmappedStatusEvent};
use crate::domain::aggregate::{Aggregate, Recorded, events};
use crate::domain::command::Decision;
use crate::domain::identity::{ExternalReference, FirmId};
use crate::domain::record::{Event, Kind};
use crate::domain::refusal::{Refusal, Violations};
use crate::domain::sla::clock::TicketState;
use crate::domain::text::require_token;
use crate::domain::world::{Stop, View};

/// Most entries of one status map.
pub const STATUS_MAP_ENTRIES_MAX: usize = 500;
/// Longest status of a firm's own software, in bytes.
pub const STATUS_BYTES_MAX: usize = 128;

/// Reference type under which a status map is found by firm, system and instance.
const STATUS_MAP_REFERENCE: &str = "entente-status-map";

/// What the statuses of one firm's own software mean.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatusMap {
    /// Whose statuses.
    pub firm: FirmId,
    /// Of which product.
    pub system: String,
    /// Of which installation; may be empty.
    pub instance: String,
    /// State by status, as the software spells it.
    pub entries: BTreeMap<String, TicketState>,
}

impl StatusMap {
    /// The reference under which the map for a firm's software is found.
    #[must_use]
    pub fn reference(firm: &FirmId, system: &str, instance: &str) -> ExternalReference {
        ExternalReference {
            firm: firm.clone(),
            system: system.to_owned(),
            instance: instance.to_owned(),
            reference_type: STATUS_MAP_REFERENCE.to_owned(),
            id: "map".to_owned(),
        }
    }
}

events! {
    /// What happens to a status map.
    StatusMapEvent {
        /// It was written down anew.
        Replaced(StatusMap) = "status_map.replaced", 1;
    }
}

impl Aggregate for StatusMap {
    type Event = StatusMapEvent;
    const BODY_VERSION: u32 = 1;

    fn apply(
        _previous: Option<Self>,
        event: &StatusMapEvent,
        _recorded: &Recorded,
    ) -> Option<Self> {
        let StatusMapEvent::Replaced(replaced) = event;
        Some(replaced.clone())
    }
}
/// Writes down a status map, replacing an earlier one of that id.
pub(super) fn update(
    id: &str,
    allow_missing: bool,
    map: &StatusMap,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    check_status_map(map)?;
    let reference = StatusMap::reference(&map.firm, &map.system, &map.instance);
    let existing = view.find::<StatusMap>(id)?;
    match existing {
        None if !allow_missing => return Err(Refusal::not_found("status_map").into()),
        None => crate::domain::firm::refuse_taken(&reference, view)?,
        Some(existing) => check_same_software(existing, map)?,
    }
    let mut decision = Decision::about(Kind::StatusMap, id);
    if existing == Some(map) {
        return Ok(decision);
    }
    decision = decision.event(Event::new(id, StatusMapEvent::Replaced(map.clone())));
    for status in map.entries.keys() {
        let unmapped_id = UnmappedStatus::id_of(&map.firm, &map.system, &map.instance, status);
        let open = view
            .find::<UnmappedStatus>(&unmapped_id)?
            .is_some_and(|unmapped| !unmapped.mapped);
        if open {
            let mapped = UnmappedStatusEvent::Mapped(StatusMapped {});
            decision = decision.event(Event::new(unmapped_id, mapped));
        }
    }
    Ok(match existing {
        None => decision.reference(reference, Kind::StatusMap, id),
        Some(_) => decision,
    })
}

fn check_status_map(map: &StatusMap) -> Result<(), Refusal> {
    let mut violations = Violations::default();
    require_token(
        &mut violations,
        "status_map.system",
        &map.system,
        crate::domain::identity::REFERENCE_PART_BYTES_MAX,
    );
    violations.require(
        !map.entries.is_empty(),
        "status_map.entries",
        "at least one entry",
    );
    let few = map.entries.len() <= STATUS_MAP_ENTRIES_MAX;
    violations.require(
        few,
        "status_map.entries",
        &format!("no more than {STATUS_MAP_ENTRIES_MAX} entries"),
    );
    for status in map.entries.keys() {
        require_token(
            &mut violations,
            "status_map.entries.status",
            status,
            STATUS_BYTES_MAX,
        );
    }
    violations.finish()
}

/// Another firm's map looks as if it were not there.
fn check_same_software(existing: &StatusMap, map: &StatusMap) -> Result<(), Refusal> {
    if existing.firm != map.firm {
        return Err(Refusal::not_found("status_map"));
    }
    let same = existing.system == map.system && existing.instance == map.instance;
    let mut violations = Violations::default();
    violations.require(
        same,
        "status_map.system",
        "system and instance cannot be changed",
    );
    violations.finish()
}
