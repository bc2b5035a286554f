//! What calls about who bears concessions answer to whom.

use entente::domain::firm::Permission;
use entente::proto::v1;
use prost::Message;
use tonic::Code;

use super::fairness::evening_out;
use super::table::{Row, rows};

rows! {
    /// The RPCs about who bears concessions.
    FAIRNESS_ROWS:
    // FairnessService
    "FairnessService/GetBurdenIndex" [Read] Ok, Ok, NotFound, |names|
        v1::GetBurdenIndexRequest { name: names.of("partnership"), ..Default::default() };
    // Whoever may ask is told what is wrong with it.
    "FairnessService/ProposeParity" [Read] InvalidArgument, InvalidArgument, NotFound, |names|
        evening_out(&names.of("partnership"), 0);
}
