//! What calls about check-ups answer to whom.

use entente::domain::firm::Permission;
use entente::proto::v1;
use prost::Message;
use tonic::Code;

use super::checkup_pages::{briefing, linking};
use super::table::{Row, rows};

rows! {
    /// The RPCs about check-ups.
    CHECKUP_ROWS:
    // CheckupService
    "CheckupService/GetCheckup" [Read] Ok, Ok, NotFound, |names|
        v1::GetCheckupRequest { name: names.of("partnership"), ..Default::default() };
    "CheckupService/CreateCheckupLink" [Read] Ok, Ok, NotFound, |names|
        linking(&names.of("partnership"));
    "CheckupService/GetBriefing" [Read] Ok, Ok, NotFound, |names|
        briefing(&names.of("partnership"));
}
