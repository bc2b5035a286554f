//! What tickets are judged by besides agreements: calendars with the time zone data they pin, and
//! maps that say what the words of a firm's own software mean.

pub mod adoption;
mod calendars;
pub mod difference;
mod maps;
mod unmapped;
mod waiting;

use super::calendar::CalendarSpecification;
use crate::domain::command::Decision;
use crate::domain::firm::Firm;
use crate::domain::identity::FirmId;
use crate::domain::partnership::as_active_party;
use crate::domain::record::Kind;
use crate::domain::refusal::Refusal;
use crate::domain::world::{Stop, View};

pub(super) use calendars::{compile, create as create_calendar};

pub use adoption::AdoptedFrom;
pub use calendars::{
    AdoptedContent, CALENDAR_REVISIONS_MAX, Calendar, CalendarAdoption, CalendarEvent,
    CalendarRevised, CalendarRevision, CalendarRevisionEvent, Zone, ZoneEvent, digest,
};
pub use maps::{
    Mapped, PRIORITY_MAP_ENTRIES_MAX, PriorityMap, PriorityMapEvent, SOURCE_PRIORITY_BYTES_MAX,
    STATUS_BYTES_MAX, STATUS_MAP_ENTRIES_MAX, StatusMap, StatusMapEvent, WordMap,
};
pub use unmapped::{
    EXAMPLE_TICKETS_MAX, Meaning, UnmappedWord, UnmappedWordEvent, WAITING_MAX, WaitersFiled,
    WaitersReplayed, Word, WordExplained, WordKind, WordMapped, WordSeen,
};
pub use waiting::{ListExplained, ListFiled, ListReplayed, WaitingList, WaitingListEvent};

/// What can be asked of calendars and maps.
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
    /// Takes a revision of a firm's own calendar over into a partnership.
    AdoptCalendar(CalendarAdoption),
    /// Writes down a status map, replacing an earlier one of that id.
    UpdateStatusMap {
        /// Which map.
        id: String,
        /// Whether it may be new.
        allow_missing: bool,
        /// The map; its firm is the caller's. It says itself whether it is adopted.
        map: StatusMap,
    },
    /// Writes down a priority map, replacing an earlier one of that id.
    UpdatePriorityMap {
        /// Which map.
        id: String,
        /// Whether it may be new.
        allow_missing: bool,
        /// The map; its firm is the caller's. It says itself whether it is adopted.
        map: PriorityMap,
    },
}

/// Decides a command on calendars and maps.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn decide(command: &SettingsCommand, firm: &FirmId, view: &View<'_>) -> Result<Decision, Stop> {
    require_keeper(firm, view)?;
    match command {
        SettingsCommand::CreateCalendar {
            id,
            display_name,
            specification,
        } => calendars::create(id.as_deref(), display_name, specification, view),
        SettingsCommand::ReviseCalendar {
            id,
            display_name,
            specification,
        } => calendars::revise(id, display_name, specification, view),
        SettingsCommand::AdoptCalendar(adoption) => {
            as_active_party(firm, view)?;
            adoption::require_own(Kind::Calendar, firm, &adoption.from)?;
            calendars::adopt(adoption, view)
        }
        SettingsCommand::UpdateStatusMap {
            id,
            allow_missing,
            map,
        } => maps::update(id, *allow_missing, map, view),
        SettingsCommand::UpdatePriorityMap {
            id,
            allow_missing,
            map,
        } => maps::update(id, *allow_missing, map, view),
    }
}

/// Whether `firm` may write settings down in the view's scope: its own, or that of a partnership to
/// which it belongs.
///
/// # Errors
/// [`crate::domain::refusal::Reason::NotFound`] for anybody else, as if there were no such scope;
/// [`crate::domain::refusal::Reason::PartnershipEnded`] after the end.
pub fn require_keeper(firm: &FirmId, view: &View<'_>) -> Result<(), Stop> {
    if !view.scope.is_firm() {
        as_active_party(firm, view)?;
        return Ok(());
    }
    if firm.scope() != *view.scope {
        return Err(Refusal::not_found("firm").into());
    }
    view.get::<Firm>(view.scope.id())?;
    Ok(())
}

#[cfg(test)]
mod tests;
