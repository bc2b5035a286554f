//! What calls about opportunities and what comes after a sale answer to whom.

use entente::domain::firm::Permission;
use entente::proto::v1;
use prost::Message;
use tonic::Code;

use super::documents::{exporting_quote, exporting_statement};
use super::opportunities::{ending, hoping, qualifying, renaming, spending};
use super::sales::{MARCH, booking, losing, reversing, winning};
use super::setting::NORTH;
use super::settlements::{agreeing, disputing, drafting, issuing, resolving, settling};
use super::stage::Names;
use super::table::{Row, rows};

/// Whether the other firm calls.
fn is_south(names: &Names) -> bool {
    names.of("caller") == "south"
}

/// Each firm books another period.
fn period(names: &Names) -> i32 {
    if is_south(names) { 6 } else { 5 }
}

rows! {
    /// The RPCs of opportunities, and of what comes after a sale.
    SALE_ROWS:
    // OpportunityService
    "OpportunityService/CreateOpportunity" [Quotes] Ok, Ok, NotFound, |names|
        hoping(&names.of("partnership"));
    "OpportunityService/UpdateOpportunity" [Quotes] Ok, Ok, NotFound, |names|
        renaming(&names.of("opportunity"), &names.of("caller"));
    "OpportunityService/SetQualification" [Quotes] Ok, Ok, NotFound, |names|
        qualifying(&names.of("opportunity"), v1::Qualification::Qualified);
    "OpportunityService/RecordEffort" [Quotes] Ok, Ok, NotFound, |names|
        spending(&names.of("opportunity"), 5, true);
    "OpportunityService/CloseOpportunity" [Quotes] Ok, Ok, NotFound, |names|
        ending(
            &names.of("to_close"),
            v1::OpportunityState::Won,
            v1::SaleReason::Unspecified,
        );
    "OpportunityService/GetOpportunity" [Read] Ok, Ok, NotFound, |names|
        v1::GetOpportunityRequest { name: names.of("opportunity") };
    "OpportunityService/ListOpportunities" [Read] Ok, Ok, NotFound, |names|
        v1::ListOpportunitiesRequest { parent: names.of("partnership"), ..Default::default() };
    // SaleService
    "SaleService/WinQuote" [Approve] Ok, Ok, NotFound, |names|
        winning(&names.of("to_win"), 1_000);
    "SaleService/LoseQuote" [Approve] Ok, Ok, NotFound, |names|
        losing(&names.of("to_lose"));
    "SaleService/ReverseConcession" [Approve] Ok, Ok, NotFound, |names|
        reversing(&names.of("sold"), &names.of("sold_hash"), 1);
    "SaleService/BookPeriod" [Quotes] Ok, Ok, NotFound, |names|
        booking(&names.of("sold"), v1::Cadence::Monthly, period(names), MARCH);
    "SaleService/GetBooking" [Read] Ok, Ok, NotFound, |names|
        v1::GetBookingRequest { name: names.of("booking") };
    "SaleService/ListBookings" [Read] Ok, Ok, NotFound, |names|
        v1::ListBookingsRequest { parent: names.of("sold"), ..Default::default() };
    "SaleService/ExportJointQuote" [Read] Ok, Ok, NotFound, |names|
        exporting_quote(
            &names.of("sold"),
            v1::ExportFormat::Csv,
            v1::Cadence::Unspecified,
        );
    // SettlementService
    "SettlementService/DraftSettlementStatement" [Quotes] InvalidArgument, Ok, NotFound, |names|
        drafting(&names.of("partnership"), NORTH, "2026-03");
    "SettlementService/IssueSettlementStatement" [Approve] Ok, Ok, NotFound, |names|
        issuing(&names.of(if is_south(names) { "issue_south" } else { "issue_north" }));
    "SettlementService/AgreeSettlementLines" [Approve] FailedPrecondition, Ok, NotFound, |names|
        agreeing(&names.of("issued"), &[1]);
    "SettlementService/DisputeSettlementLine" [Approve] FailedPrecondition, Ok, NotFound, |names|
        disputing(&names.of("issued"), 2);
    "SettlementService/ResolveSettlementLine" [Approve] FailedPrecondition, Ok, NotFound, |names|
        resolving(&names.of("issued"), 2, v1::SettlementResolution::Stands);
    "SettlementService/SettleSettlementStatement" [Approve] FailedPrecondition, Ok, NotFound, |names|
        settling(&names.of("issued"));
    "SettlementService/GetSettlementStatement" [Read] Ok, Ok, NotFound, |names|
        v1::GetSettlementStatementRequest { name: names.of("issued") };
    "SettlementService/ExportSettlementStatement" [Read] Ok, Ok, NotFound, |names|
        exporting_statement(&names.of("issued"), v1::ExportFormat::Ubl);
    "SettlementService/ListSettlementStatements" [Read] Ok, Ok, NotFound, |names|
        v1::ListSettlementStatementsRequest {
            parent: names.of("partnership"),
            ..Default::default()
        };
}
