//! What calls about a firm's own calendars and maps answer to whom: to nobody but the firm is there
//! anything.

use entente::domain::firm::Permission;
use entente::proto::v1;
use prost::Message;
use tonic::Code;

use super::adoption::{creating, priority_map, revising, status_map};
use super::setting::always;
use super::signing::listing;
use super::table::{Row, rows};

rows! {
    /// RPCs that also take a firm instead of a partnership.
    FIRM_ROWS:
    "SlaService/CreateCalendar" [Tickets] Ok, NotFound, NotFound, |names|
        creating(&names.of("firm"), "", always());
    "SlaService/UpdateCalendar" [Tickets] Ok, NotFound, NotFound, |names|
        revising(v1::Calendar { name: names.of("own_calendar"), ..always() });
    "SlaService/GetCalendar" [Read] Ok, NotFound, NotFound, |names|
        v1::GetCalendarRequest { name: names.of("own_calendar") };
    "SlaService/ListCalendars" [Read] Ok, NotFound, NotFound, |names|
        v1::ListCalendarsRequest { parent: names.of("firm"), ..Default::default() };
    "SlaService/UpdateStatusMap" [Tickets] Ok, NotFound, NotFound, |names|
        status_map(&names.of("own_status_map"), &["Open"]);
    "SlaService/GetStatusMap" [Read] Ok, NotFound, NotFound, |names|
        v1::GetStatusMapRequest { name: names.of("own_status_map") };
    "SlaService/ListStatusMaps" [Read] Ok, NotFound, NotFound, |names|
        v1::ListStatusMapsRequest { parent: names.of("firm"), ..Default::default() };
    "SlaService/UpdatePriorityMap" [Tickets] Ok, NotFound, NotFound, |names|
        priority_map(&names.of("own_priority_map"), &[("P1", 1)]);
    "SlaService/GetPriorityMap" [Read] Ok, NotFound, NotFound, |names|
        v1::GetPriorityMapRequest { name: names.of("own_priority_map") };
    "SlaService/ListPriorityMaps" [Read] Ok, NotFound, NotFound, |names|
        v1::ListPriorityMapsRequest { parent: names.of("firm"), ..Default::default() };
    "SigningService/ListSigningKeys" [Read] Ok, NotFound, NotFound, |names|
        listing(&names.of("firm"));
}
