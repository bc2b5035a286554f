//! What tickets are judged by besides agreements: calendars with the time zone data they pin, and
//! maps from a firm's own statuses to states.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::calendar::{CalendarSpecification, pinned_zone, refusal_at};
use super::clock::TicketState;
use super::compiled::CompiledCalendar;
use crate::domain::aggregate::{Aggregate, Recorded, events};
use crate::domain::command::Decision;
use crate::domain::identity::{ExternalReference, FirmId};
use crate::domain::outsiders::already_exists;
use crate::domain::partnership::as_active_party;
use crate::domain::record::{Event, Kind};
use crate::domain::refusal::{Reason, Refusal, Violations};
use crate::domain::text::{require_display_name, require_token};
use crate::domain::time::Timestamp;
use crate::domain::world::{Stop, View};

/// Most revisions of one calendar.
pub const CALENDAR_REVISIONS_MAX: u32 = 1_000;
/// Most entries of one status map.
pub const STATUS_MAP_ENTRIES_MAX: usize = 500;
/// Longest status of a firm's own software, in bytes.
pub const STATUS_BYTES_MAX: usize = 128;
/// How many tickets an unmapped status shows as examples.
pub const EXAMPLE_TICKETS_MAX: usize = 10;

/// Reference type under which a status map is found by firm, system and instance.
const STATUS_MAP_REFERENCE: &str = "entente-status-map";

/// Time zone data that calendars of this scope pin. Its record's id is the digest; the bytes are
/// in the `zone` table and in every export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Zone {
    /// IANA name.
    pub time_zone: String,
    /// Length of the `TZif` bytes.
    pub tzif_bytes: u32,
}

events! {
    /// What happens to time zone data.
    ZoneEvent {
        /// A calendar pinned it.
        Pinned(Zone) = "zone.pinned", 1;
    }
}

impl Aggregate for Zone {
    type Event = ZoneEvent;
    const BODY_VERSION: u32 = 1;

    fn apply(previous: Option<Self>, event: &ZoneEvent, _recorded: &Recorded) -> Option<Self> {
        let ZoneEvent::Pinned(pinned) = event;
        previous.is_none().then(|| pinned.clone())
    }
}

/// A calendar: its name and its latest revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calendar {
    /// Its name for people.
    pub display_name: String,
    /// Number of the latest revision, from 1.
    pub latest_revision: u32,
}

/// A calendar got a new revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalendarRevised {
    /// Its name for people, from now on.
    pub display_name: String,
    /// Number of the revision.
    pub revision: u32,
}

events! {
    /// What happens to a calendar.
    CalendarEvent {
        /// It got its first or a further revision.
        Revised(CalendarRevised) = "calendar.revised", 1;
    }
}

impl Aggregate for Calendar {
    type Event = CalendarEvent;
    const BODY_VERSION: u32 = 1;

    fn apply(_previous: Option<Self>, event: &CalendarEvent, _recorded: &Recorded) -> Option<Self> {
        let CalendarEvent::Revised(revised) = event;
        Some(Self {
            display_name: revised.display_name.clone(),
            latest_revision: revised.revision,
        })
    }
}

/// One revision of a calendar, never changed. Its record's id is `{calendar}@{revision}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalendarRevision {
    /// What the firm wrote down.
    pub specification: CalendarSpecification,
    /// SHA-256 of the zone's `TZif` bytes, hexadecimal.
    pub zone_digest: String,
}

impl CalendarRevision {
    /// The record id of a revision.
    #[must_use]
    pub fn id_of(calendar: &str, revision: u32) -> String {
        format!("{calendar}@{revision}")
    }
}

events! {
    /// What happens to a calendar revision.
    CalendarRevisionEvent {
        /// It was written down.
        Created(CalendarRevision) = "calendar_revision.created", 1;
    }
}

impl Aggregate for CalendarRevision {
    type Event = CalendarRevisionEvent;
    const BODY_VERSION: u32 = 1;

    fn apply(
        previous: Option<Self>,
        event: &CalendarRevisionEvent,
        _recorded: &Recorded,
    ) -> Option<Self> {
        let CalendarRevisionEvent::Created(created) = event;
        previous.is_none().then(|| created.clone())
    }
}

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

/// What can be asked of calendars and status maps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingsCommand {
    /// Writes down a new calendar.
    CreateCalendar {
        /// An identifier that the caller chose; otherwise one is made.
        id: Option<String>,
        /// Its name for people.
        display_name: String,
        /// What it says.
        specification: CalendarSpecification,
    },
    /// Writes down a new revision of a calendar. Clocks keep the revision that they run under.
    ReviseCalendar {
        /// Which calendar.
        id: String,
        /// Its name for people.
        display_name: String,
        /// What it says from now on.
        specification: CalendarSpecification,
    },
    /// Writes down a status map, replacing an earlier one of that id.
    UpdateStatusMap {
        /// Which map.
        id: String,
        /// Whether it may be new.
        allow_missing: bool,
        /// The map; its firm is the caller's.
        map: StatusMap,
    },
}

/// Decides a command on calendars and status maps.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn decide(command: &SettingsCommand, firm: &FirmId, view: &View<'_>) -> Result<Decision, Stop> {
    as_active_party(firm, view)?;
    match command {
        SettingsCommand::CreateCalendar {
            id,
            display_name,
            specification,
        } => {
            let id = id.clone().unwrap_or_else(|| view.new_id(0));
            if view.find::<Calendar>(&id)?.is_some() {
                return Err(already_exists(Kind::Calendar, &id).into());
            }
            revise_calendar(&id, 1, display_name, specification, view)
        }
        SettingsCommand::ReviseCalendar {
            id,
            display_name,
            specification,
        } => {
            let revision = view.get::<Calendar>(id)?.latest_revision + 1;
            if revision > CALENDAR_REVISIONS_MAX {
                return Err(
                    Refusal::limit("calendar_revisions", CALENDAR_REVISIONS_MAX as usize).into(),
                );
            }
            revise_calendar(id, revision, display_name, specification, view)
        }
        SettingsCommand::UpdateStatusMap {
            id,
            allow_missing,
            map,
        } => update_status_map(id, *allow_missing, map, view),
    }
}

fn revise_calendar(
    id: &str,
    revision: u32,
    display_name: &str,
    specification: &CalendarSpecification,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let mut violations = Violations::default();
    require_display_name(&mut violations, "calendar.display_name", display_name);
    violations.finish()?;
    let (name, tzif) = compile(specification)?;
    let zone_digest = digest(tzif);
    let mut decision = Decision::about(Kind::Calendar, id);
    if view.find::<Zone>(&zone_digest)?.is_none() {
        let zone = Zone {
            time_zone: name.to_owned(),
            tzif_bytes: u32::try_from(tzif.len()).unwrap_or(u32::MAX),
        };
        decision = decision.event(Event::new(&zone_digest, ZoneEvent::Pinned(zone)));
        decision.zones.push((zone_digest.clone(), tzif));
    }
    let created = CalendarRevision {
        specification: specification.clone(),
        zone_digest,
    };
    let revised = CalendarRevised {
        display_name: display_name.to_owned(),
        revision,
    };
    let revision_id = CalendarRevision::id_of(id, revision);
    Ok(decision
        .event(Event::new(
            revision_id,
            CalendarRevisionEvent::Created(created),
        ))
        .event(Event::new(id, CalendarEvent::Revised(revised))))
}

/// Checks a specification as thoroughly as its later use will need it.
fn compile(
    specification: &CalendarSpecification,
) -> Result<(&'static str, &'static [u8]), Refusal> {
    let faults = specification.validate();
    if !faults.is_empty() {
        return Err(refusal_at("calendar", &faults));
    }
    let unknown = || {
        Refusal::field(
            Reason::ZoneUnknown,
            "calendar.time_zone",
            "no such time zone",
        )
        .with("time_zone", &specification.time_zone)
    };
    let (name, tzif) = pinned_zone(&specification.time_zone).ok_or_else(unknown)?;
    CompiledCalendar::compile(specification, tzif)
        .map_err(|fault| refusal_at("calendar", &[fault]))?;
    Ok((name, tzif))
}

/// SHA-256 of time zone data, hexadecimal.
#[must_use]
pub fn digest(tzif: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    data_encoding::HEXLOWER.encode(&Sha256::digest(tzif))
}

fn update_status_map(
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
