//! What calls about opportunities and what comes after a sale answer to whom.

use entente::domain::firm::Permission;
use entente::proto::v1;
use prost::Message;
use tonic::Code;

use super::opportunities::{ending, hoping, qualifying, renaming, spending};
use super::table::{Row, rows};

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
}
