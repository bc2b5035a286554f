//! What calls about joint quotes and journals answer to whom.

use entente::domain::firm::Permission;
use entente::proto::v1;
use prost::Message;
use tonic::Code;

use super::evaluations::evaluating;
use super::house::{HOUR, at};
use super::redaction::redacting;
use super::setting::{NORTH, euros, portion};
use super::signing::{Pen, approval};
use super::table::{Row, rows};

fn quote() -> v1::JointQuote {
    v1::JointQuote {
        display_name: "New".to_owned(),
        currency: "EUR".to_owned(),
        expire_time: Some(at(HOUR)),
        ..Default::default()
    }
}

/// North's signature of its approval.
fn signature(key: &str, quote: &str, hash: &str) -> v1::Signature {
    v1::Signature {
        signing_key: key.to_owned(),
        signature: Pen::new("north", 91).sign(&approval(quote, NORTH, hash)),
    }
}

rows! {
    /// The RPCs of joint quotes and of journals.
    PRICING_ROWS:
    // PricingService
    "PricingService/CreateJointQuote" [Quotes] Ok, Ok, NotFound, |names|
        v1::CreateJointQuoteRequest {
            parent: names.of("partnership"),
            joint_quote: Some(quote()),
            ..Default::default()
        };
    "PricingService/AddPortion" [Quotes] Ok, Ok, NotFound, |names|
        v1::AddPortionRequest {
            name: names.of("quote"),
            portion: Some(portion(&names.of("caller"), 100)),
            ..Default::default()
        };
    "PricingService/UpdateJointQuote" [Quotes] Ok, Ok, NotFound, |names|
        v1::UpdateJointQuoteRequest {
            joint_quote: Some(v1::JointQuote {
                name: names.of("quote"),
                display_name: names.of("caller"),
                ..Default::default()
            }),
            ..Default::default()
        };
    "PricingService/GetJointQuote" [Read] Ok, Ok, NotFound, |names|
        v1::GetJointQuoteRequest { name: names.of("quote") };
    "PricingService/ListJointQuotes" [Read] Ok, Ok, NotFound, |names|
        v1::ListJointQuotesRequest { parent: names.of("partnership"), ..Default::default() };
    "PricingService/ProposeConcession" [Quotes Approve] Ok, Ok, NotFound, |names|
        v1::ProposeConcessionRequest {
            name: names.of("quote"),
            concession: Some(euros(200)),
            basis: v1::AllocationBasis::Price.into(),
            ..Default::default()
        };
    "PricingService/ApproveConcession" [Approve] Ok, Ok, NotFound, |names|
        v1::ApproveConcessionRequest {
            name: names.of("to_approve"),
            hash: names.of("approve_hash"),
            ..Default::default()
        };
    "PricingService/EvaluateConcession" [Quotes] Ok, Ok, NotFound, |names|
        evaluating(&names.of("quote"), &[(100, v1::AllocationBasis::Price)]);
    "PricingService/GetDisclosureImpact" [Read] Ok, Ok, NotFound, |names|
        v1::GetDisclosureImpactRequest { name: names.of("quote"), ..Default::default() };
    "PricingService/ConsentToDisclosure" [Approve] Ok, Ok, NotFound, |names|
        v1::ConsentToDisclosureRequest { name: names.of("quote"), ..Default::default() };
    "PricingService/WithdrawDisclosureConsent" [Approve] Ok, Ok, NotFound, |names|
        v1::WithdrawDisclosureConsentRequest { name: names.of("quote"), ..Default::default() };
    "PricingService/SignConcession" [Approve] Ok, NotFound, NotFound, |names|
        v1::SignConcessionRequest {
            name: names.of("quote"),
            hash: names.of("quote_hash"),
            signature: Some(signature(&names.of("signing_key"), &names.of("quote"), &names.of("quote_hash"))),
            ..Default::default()
        };
    "PricingService/RejectConcession" [Approve] FailedPrecondition, Ok, NotFound, |names|
        v1::RejectConcessionRequest {
            name: names.of("to_reject"),
            hash: names.of("reject_hash"),
            ..Default::default()
        };
    "PricingService/WithdrawConcession" [Approve] Ok, FailedPrecondition, NotFound, |names|
        v1::WithdrawConcessionRequest {
            name: names.of("to_take_back"),
            hash: names.of("take_back_hash"),
            ..Default::default()
        };
    "PricingService/ExplainAllocation" [Read] Ok, Ok, NotFound, |names|
        v1::ExplainAllocationRequest { name: names.of("quote"), ..Default::default() };
    // JournalService
    "JournalService/ListEntries" [Read] Ok, Ok, NotFound, |names|
        v1::ListEntriesRequest { parent: names.of("partnership"), ..Default::default() };
    "JournalService/ExportJournal" [Read] Ok, Ok, NotFound, |names|
        v1::ExportJournalRequest { name: names.of("partnership") };
    "JournalService/Watch" [Read] Ok, Ok, NotFound, |names|
        v1::WatchRequest {
            scopes: vec![v1::WatchScope {
                scope: names.of("partnership"),
                ..Default::default()
            }],
        };
    "JournalService/Redact" [Admin] Ok, FailedPrecondition, NotFound, |names|
        redacting(&names.of("partnership"), "contact", &names.of("contact"), &["contact.person"]);
    "JournalService/GetCheckpoint" [Read] Ok, Ok, NotFound, |names|
        v1::GetCheckpointRequest { name: names.of("partnership") };
}
