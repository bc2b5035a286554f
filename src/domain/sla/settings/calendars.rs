//! Calendars with their revisions, and the time zone data that those pin.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::adoption::{AdoptedFrom, require_same_origin};
use crate::domain::aggregate::{Aggregate, Recorded, events};
use crate::domain::command::Decision;
use crate::domain::outsiders::already_exists;
use crate::domain::record::{Event, Kind};
use crate::domain::refusal::{Reason, Refusal, Violations};
use crate::domain::sla::calendar::{CalendarSpecification, pinned_zone, refusal_at};
use crate::domain::sla::combination::CalendarCombination;
use crate::domain::sla::compiled::CompiledCalendar;
use crate::domain::text::require_display_name;
use crate::domain::world::{Stop, View};

/// Most revisions of one calendar.
pub const CALENDAR_REVISIONS_MAX: u32 = 1_000;

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
    /// Where the latest revision was adopted from; `None` if it was written by hand.
    pub adopted_from: Option<AdoptedFrom>,
}

/// A calendar got a new revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalendarRevised {
    /// Its name for people, from now on.
    pub display_name: String,
    /// Number of the revision.
    pub revision: u32,
    /// Where the revision was adopted from; `None` if it was written by hand.
    pub adopted_from: Option<AdoptedFrom>,
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
            adopted_from: revised.adopted_from.clone(),
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

/// A revision of a firm's own calendar with all that it means, on its way into a partnership.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalendarAdoption {
    /// The calendar's id in the partnership.
    pub id: String,
    /// Its name for people, from now on.
    pub display_name: String,
    /// What the revision says.
    pub content: AdoptedContent,
    /// Which revision it is.
    pub from: AdoptedFrom,
}

/// What a revision on its way into a partnership says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AdoptedContent {
    /// It is made of windows.
    Windows {
        /// The windows.
        specification: CalendarSpecification,
        /// IANA name of the zone that it pins.
        zone_name: String,
        /// The `TZif` bytes that it pins.
        tzif: Arc<[u8]>,
    },
    /// It is made of two others of the firm, and therefore refused.
    Combination(CalendarCombination),
}

/// Writes down a new calendar.
pub(in crate::domain::sla) fn create(
    id: Option<&str>,
    display_name: &str,
    specification: &CalendarSpecification,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let id = id.map_or_else(|| view.new_id(0), str::to_owned);
    if view.find::<Calendar>(&id)?.is_some() {
        return Err(already_exists(Kind::Calendar, &id).into());
    }
    write_by_hand(&id, 1, display_name, specification, view)
}

/// Writes down a new revision of a calendar.
pub(super) fn revise(
    id: &str,
    display_name: &str,
    specification: &CalendarSpecification,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let revision = view.get::<Calendar>(id)?.next_revision(None)?;
    write_by_hand(id, revision, display_name, specification, view)
}

/// Takes a revision of a firm's own calendar over; the one that is there already changes nothing.
pub(super) fn adopt(adoption: &CalendarAdoption, view: &View<'_>) -> Result<Decision, Stop> {
    let CalendarAdoption {
        id,
        display_name,
        content,
        from,
    } = adoption;
    let (specification, zone_name, tzif) = match content {
        AdoptedContent::Windows {
            specification,
            zone_name,
            tzif,
        } => (specification, zone_name, tzif),
        AdoptedContent::Combination(combination) => {
            return Err(not_adoptable(from, combination).into());
        }
    };
    let revision = match view.find::<Calendar>(id)? {
        None => 1,
        Some(existing) if existing.adopted_from.as_ref() == Some(from) => {
            return Ok(Decision::about(Kind::Calendar, id));
        }
        Some(existing) => existing.next_revision(Some(from))?,
    };
    check_name(display_name)?;
    CompiledCalendar::compile(specification, tzif)
        .map_err(|fault| refusal_at("source", &[fault]))?;
    let written = Written {
        id,
        revision,
        display_name,
        specification,
        zone_name,
        tzif,
        adopted_from: Some(from),
    };
    written.decide(view)
}

/// The refusal of a combination: in the partnership, what it pins could stand under other ids and
/// revisions. It names what to adopt and combine instead.
fn not_adoptable(from: &AdoptedFrom, combination: &CalendarCombination) -> Refusal {
    let [first, second] = combination.operands.each_ref().map(|operand| {
        let source = AdoptedFrom {
            firm: from.firm.clone(),
            id: operand.calendar.clone(),
            revision: u64::from(operand.revision),
        };
        format!("{}@{}", source.source(Kind::Calendar), operand.revision)
    });
    let message = "made of two others: adopt these, and combine them in the partnership";
    Refusal::field(Reason::CombinationNotAdoptable, "source", message)
        .with("first", first)
        .with("second", second)
}

impl Calendar {
    /// Number of the revision after the latest, which comes from where `adopted_from` says.
    ///
    /// # Errors
    /// [`Reason::AdoptionConflict`], or [`Reason::LimitReached`] after the last one.
    pub fn next_revision(&self, adopted_from: Option<&AdoptedFrom>) -> Result<u32, Refusal> {
        require_same_origin(Kind::Calendar, self.adopted_from.as_ref(), adopted_from)?;
        if self.latest_revision >= CALENDAR_REVISIONS_MAX {
            let maximum = CALENDAR_REVISIONS_MAX as usize;
            return Err(Refusal::limit("calendar_revisions", maximum));
        }
        Ok(self.latest_revision + 1)
    }
}

fn write_by_hand(
    id: &str,
    revision: u32,
    display_name: &str,
    specification: &CalendarSpecification,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    check_name(display_name)?;
    let Compiled {
        zone_name, tzif, ..
    } = compile(specification)?;
    let written = Written {
        id,
        revision,
        display_name,
        specification,
        zone_name,
        tzif,
        adopted_from: None,
    };
    written.decide(view)
}

fn check_name(display_name: &str) -> Result<(), Refusal> {
    let mut violations = Violations::default();
    require_display_name(&mut violations, "calendar.display_name", display_name);
    violations.finish()
}

/// A revision that is in order and has only to be written down.
struct Written<'calendar> {
    id: &'calendar str,
    revision: u32,
    display_name: &'calendar str,
    specification: &'calendar CalendarSpecification,
    zone_name: &'calendar str,
    tzif: &'calendar [u8],
    adopted_from: Option<&'calendar AdoptedFrom>,
}

impl Written<'_> {
    fn decide(&self, view: &View<'_>) -> Result<Decision, Stop> {
        let zone_digest = digest(self.tzif);
        let mut decision = Decision::about(Kind::Calendar, self.id);
        if view.find::<Zone>(&zone_digest)?.is_none() {
            let zone = Zone {
                time_zone: self.zone_name.to_owned(),
                tzif_bytes: u32::try_from(self.tzif.len()).unwrap_or(u32::MAX),
            };
            decision = decision.event(Event::new(&zone_digest, ZoneEvent::Pinned(zone)));
            let tzif = Arc::from(self.tzif);
            decision.zones.push((zone_digest.clone(), tzif));
        }
        let created = CalendarRevision {
            specification: self.specification.clone(),
            zone_digest,
        };
        let revised = CalendarRevised {
            display_name: self.display_name.to_owned(),
            revision: self.revision,
            adopted_from: self.adopted_from.cloned(),
        };
        let revision_id = CalendarRevision::id_of(self.id, self.revision);
        Ok(decision
            .event(Event::new(
                revision_id,
                CalendarRevisionEvent::Created(created),
            ))
            .event(Event::new(self.id, CalendarEvent::Revised(revised))))
    }
}

/// A specification that is sound.
pub(in crate::domain::sla) struct Compiled {
    /// IANA name of the zone.
    zone_name: &'static str,
    /// The zone's data.
    tzif: &'static [u8],
    /// The calendar, ready for use.
    pub(in crate::domain::sla) calendar: CompiledCalendar,
}

/// Checks a specification as thoroughly as its later use will need it.
pub(in crate::domain::sla) fn compile(
    specification: &CalendarSpecification,
) -> Result<Compiled, Refusal> {
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
    let calendar = CompiledCalendar::compile(specification, tzif)
        .map_err(|fault| refusal_at("calendar", &[fault]))?;
    Ok(Compiled {
        zone_name: name,
        tzif,
        calendar,
    })
}

/// SHA-256 of time zone data, hexadecimal.
#[must_use]
pub fn digest(tzif: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    data_encoding::HEXLOWER.encode(&Sha256::digest(tzif))
}
