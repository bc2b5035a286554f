//! What calls about updates and progress answer to whom.

use entente::domain::firm::Permission;
use entente::proto::v1;
use prost::Message;
use tonic::Code;

use super::table::{Row, rows};
use super::updates::posting;

rows! {
    /// RPCs about updates; a part of the one table.
    UPDATE_ROWS:
    "ExpectationService/PostUpdate" [Tickets] Ok, Ok, NotFound, |names|
        posting(&names.of("to_fulfil"), "it goes on");
    "ExpectationService/GetUpdate" [Read] Ok, Ok, NotFound, |names|
        v1::GetUpdateRequest { name: names.of("update") };
    "ExpectationService/ListUpdates" [Read] Ok, Ok, NotFound, |names|
        v1::ListUpdatesRequest { parent: names.of("to_fulfil"), ..Default::default() };
    "ExpectationService/GetProgress" [Read] Ok, Ok, NotFound, |names|
        v1::GetProgressRequest { name: format!("{}/progress", names.of("to_fulfil")) };
}
