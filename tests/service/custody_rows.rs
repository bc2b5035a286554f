//! What calls about what is held answer to whom.

use entente::domain::firm::Permission;
use entente::proto::v1;
use prost::Message;
use tonic::Code;

use super::custody::{holding, relocating, retiring, testing};
use super::exits::{disclosing, ending, running};
use super::hand_overs::{asking, confirming, releasing, withdrawing, withholding};
use super::house::HOUR;
use super::table::{Row, rows};

rows! {
    /// The RPCs of what is held for others.
    CUSTODY_ROWS:
    "CustodyService/CreateCustodyItem" [Quotes] Ok, Ok, NotFound, |names|
        holding(&names.of("partnership"), &names.of("client"));
    "CustodyService/UpdateCustodyItem" [Quotes] Ok, FailedPrecondition, NotFound, |names|
        relocating(&names.of("custody_item"), "the safe");
    "CustodyService/RecordHandOverTest" [Quotes] Ok, Ok, NotFound, |names|
        testing(&names.of("custody_item"), v1::HandOverTestOutcome::Passed);
    "CustodyService/RetireCustodyItem" [Quotes] Ok, FailedPrecondition, NotFound, |names|
        retiring(&names.of("item_to_retire"));
    "CustodyService/GetCustodyItem" [Read] Ok, Ok, NotFound, |names|
        v1::GetCustodyItemRequest { name: names.of("custody_item") };
    "CustodyService/ListCustodyItems" [Read] Ok, Ok, NotFound, |names|
        v1::ListCustodyItemsRequest { parent: names.of("partnership"), ..Default::default() };
    // Whoever holds something asks nobody for it.
    "CustodyService/CreateHandOverRequest" [Quotes] InvalidArgument, Ok, NotFound, |names|
        asking(&names.of("partnership"), &[&names.of("item_to_ask_for")], HOUR);
    "CustodyService/ReleaseHandOver" [Quotes] Ok, FailedPrecondition, NotFound, |names|
        releasing(&names.of("to_release"));
    "CustodyService/ConfirmHandOver" [Quotes] FailedPrecondition, Ok, NotFound, |names|
        confirming(&names.of("to_receive"));
    "CustodyService/WithholdHandOver" [Quotes] Ok, FailedPrecondition, NotFound, |names|
        withholding(&names.of("to_withhold"));
    "CustodyService/WithdrawHandOverRequest" [Quotes] FailedPrecondition, Ok, NotFound, |names|
        withdrawing(&names.of("to_take_back_asked"));
    "CustodyService/GetHandOverRequest" [Read] Ok, Ok, NotFound, |names|
        v1::GetHandOverRequestRequest { name: names.of("to_release") };
    "CustodyService/ListHandOverRequests" [Read] Ok, Ok, NotFound, |names|
        v1::ListHandOverRequestsRequest {
            parent: names.of("partnership"),
            ..Default::default()
        };
    "CustodyService/DiscloseStake" [Quotes] Ok, Ok, NotFound, |names|
        disclosing(&names.of("partnership"));
    "CustodyService/EndStakeDisclosure" [Quotes] Ok, FailedPrecondition, NotFound, |names|
        ending(&names.of("stake"));
    "CustodyService/GetStakeDisclosure" [Read] Ok, Ok, NotFound, |names|
        v1::GetStakeDisclosureRequest { name: names.of("stake") };
    "CustodyService/ListStakeDisclosures" [Read] Ok, Ok, NotFound, |names|
        v1::ListStakeDisclosuresRequest {
            parent: names.of("partnership"),
            ..Default::default()
        };
    "CustodyService/RunExitDrill" [Quotes] Ok, Ok, NotFound, |names|
        running(&names.of("partnership"), &names.of("client"));
    "CustodyService/GetExitDrill" [Read] Ok, Ok, NotFound, |names|
        v1::GetExitDrillRequest { name: names.of("exit_drill") };
    "CustodyService/ListExitDrills" [Read] Ok, Ok, NotFound, |names|
        v1::ListExitDrillsRequest { parent: names.of("partnership"), ..Default::default() };
}
