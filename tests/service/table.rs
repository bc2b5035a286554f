//! What each RPC answers to whom. An RPC without a row here fails the test.

use entente::domain::firm::Permission;
use entente::proto::v1;
use prost::Message;
use tonic::Code;

use super::adoption::{adopting, comparing};
use super::amendments::{agreed_date, approving, declining, proposing, withdrawing};
use super::arithmetic::{between, deadlines, elapsed, in_open_time};
use super::claims::{claiming, judging, limiting, matching, needing, reviewing};
use super::contacts::{contact, correcting, deleting, escalating, introducing, uncovered};
use super::credits::crediting;
use super::evidence::{countersigning, linking, rejecting};
use super::house::HOUR;
use super::leaving::leaving;
use super::notices::{confirming, giving, marking, moving, retitling};
use super::setting::{
    NORTH, NORTH_PSA, SOUTH, accepting, agreeing, always, five_w, fulfilling, invitation, joining,
    offering, opening, partnership, target, ticket,
};
use super::stage::Names;
use super::trio::{further, unwelcoming, welcoming};

/// What one RPC answers. Without a key, and with one that is wrong or revoked, it is always
/// `UNAUTHENTICATED`; with one of the own firm that lacks a permission, `PERMISSION_DENIED`.
pub struct Row {
    /// `service/Method`.
    pub rpc: &'static str,
    /// What a key needs; the calls below are made with keys that have just this.
    pub needs: &'static [Permission],
    /// What a key may have instead.
    pub or: Option<Permission>,
    /// To the firm that created what is asked about.
    pub own: Code,
    /// To the other firm of the partnership.
    pub partner: Code,
    /// To a firm that has nothing to do with it, with a key that may do everything.
    pub stranger: Code,
    /// The request.
    pub request: fn(&Names) -> Vec<u8>,
}

fn read_key() -> v1::ApiKey {
    v1::ApiKey {
        display_name: "New".to_owned(),
        permissions: vec![v1::Permission::Read.into()],
        ..Default::default()
    }
}

/// A client with a certificate.
pub fn trusted(certificate_dns_name: &str) -> v1::TrustedIdentity {
    let kind = v1::identity::Kind::CertificateDnsName(certificate_dns_name.to_owned());
    v1::TrustedIdentity {
        display_name: "New".to_owned(),
        identity: Some(v1::Identity { kind: Some(kind) }),
        permissions: vec![v1::Permission::Read.into()],
        ..Default::default()
    }
}

fn agreement(names: &Names) -> v1::Agreement {
    v1::Agreement {
        display_name: "New".to_owned(),
        kind: v1::AgreementKind::Ola.into(),
        obligor: NORTH.to_owned(),
        beneficiary: SOUTH.to_owned(),
        targets: vec![target(v1::TargetType::Resolution, 1, HOUR)],
        calendar: names.of("calendar"),
        ..Default::default()
    }
}

fn status_map(names: &Names) -> v1::StatusMap {
    v1::StatusMap {
        name: names.of("status_map"),
        system: NORTH_PSA.to_owned(),
        entries: vec![v1::StatusMapEntry {
            status: "New".to_owned(),
            state: v1::TicketState::New.into(),
        }],
        ..Default::default()
    }
}

fn priority_map(names: &Names) -> v1::PriorityMap {
    v1::PriorityMap {
        name: names.of("priority_map"),
        system: NORTH_PSA.to_owned(),
        entries: vec![v1::PriorityMapEntry {
            source_priority: "P1".to_owned(),
            priority: 1,
        }],
        ..Default::default()
    }
}

/// Writes a row for each line: the RPC, what a key needs, what the own firm, its partner and a
/// stranger are answered, and the request.
macro_rules! rows {
    ($(#[$meta:meta])* $table:ident: $($rpc:literal [$($needs:ident)* $(/ $or:ident)?] $own:ident, $partner:ident, $stranger:ident,
        |$names:pat_param| $request:expr;)*) => {
        $(#[$meta])*
        pub const $table: &[Row] = &[$(Row {
            rpc: concat!("entente.v1.", $rpc),
            needs: &[$(Permission::$needs),*],
            or: rows!(@or $($or)?),
            own: Code::$own,
            partner: Code::$partner,
            stranger: Code::$stranger,
            request: |$names| $request.encode_to_vec(),
        }),*];
    };
    (@or) => { None };
    (@or $or:ident) => { Some(Permission::$or) };
}

pub(super) use rows;

rows! {
    /// The RPCs of the contract, but for those that have tables of their own.
    ROWS:
    // AdminService
    "AdminService/CreateFirm" [] PermissionDenied, PermissionDenied, PermissionDenied, |_|
        v1::CreateFirmRequest {
            firm_id: "new".to_owned(),
            firm: Some(v1::Firm {
                display_name: "New".to_owned(),
                ..Default::default()
            }),
            ..Default::default()
        };
    "AdminService/GetFirm" [] Ok, NotFound, NotFound, |names|
        v1::GetFirmRequest { name: names.of("firm") };
    "AdminService/ListFirms" [] Ok, Ok, Ok, |_| v1::ListFirmsRequest::default();
    "AdminService/CreateApiKey" [Admin] Ok, NotFound, NotFound, |names|
        v1::CreateApiKeyRequest {
            parent: names.of("firm"),
            api_key: Some(read_key()),
            ..Default::default()
        };
    "AdminService/ListApiKeys" [Admin] Ok, NotFound, NotFound, |names|
        v1::ListApiKeysRequest { parent: names.of("firm"), ..Default::default() };
    "AdminService/RotateApiKey" [Admin] Ok, NotFound, NotFound, |names|
        v1::RotateApiKeyRequest { name: names.of("api_key"), ..Default::default() };
    "AdminService/RevokeApiKey" [Admin] Ok, NotFound, NotFound, |names|
        v1::RevokeApiKeyRequest { name: names.of("api_key"), ..Default::default() };
    "AdminService/CreateTrustedIdentity" [] PermissionDenied, PermissionDenied, PermissionDenied, |names|
        v1::CreateTrustedIdentityRequest {
            parent: names.of("firm"),
            trusted_identity: Some(trusted("new.example")),
            ..Default::default()
        };
    "AdminService/ListTrustedIdentities" [Admin] Ok, NotFound, NotFound, |names|
        v1::ListTrustedIdentitiesRequest { parent: names.of("firm"), ..Default::default() };
    "AdminService/RevokeTrustedIdentity" [Admin] Ok, NotFound, NotFound, |names|
        v1::RevokeTrustedIdentityRequest {
            name: names.of("trusted_identity"),
            ..Default::default()
        };
    // PartnershipService
    "PartnershipService/WhoAmI" [] Ok, Ok, Ok, |_| v1::WhoAmIRequest {};
    "PartnershipService/GetServiceInfo" [] Ok, Ok, Ok, |_| v1::GetServiceInfoRequest {};
    "PartnershipService/CreatePartnership" [Admin] Ok, Ok, Ok, |_| partnership("One more");
    "PartnershipService/GetPartnership" [Read] Ok, Ok, NotFound, |names|
        v1::GetPartnershipRequest { name: names.of("partnership") };
    "PartnershipService/ListPartnerships" [Read] Ok, Ok, Ok, |_|
        v1::ListPartnershipsRequest::default();
    "PartnershipService/ProposeParty" [Admin Approve] Ok, Ok, NotFound, |names|
        further(&names.of("over"));
    "PartnershipService/ApproveParty" [Approve] Ok, Ok, NotFound, |names|
        welcoming(&names.of("over"), "party-3");
    "PartnershipService/DeclineParty" [Approve] Ok, Ok, NotFound, |names|
        unwelcoming(&names.of("over"), "party-4");
    "PartnershipService/LeavePartnership" [Admin Approve]
        FailedPrecondition, FailedPrecondition, NotFound, |names| leaving(&names.of("over"));
    "PartnershipService/InvitePartner" [Admin] Ok, NotFound, NotFound, |names|
        invitation(&names.of("solo"));
    "PartnershipService/JoinPartnership" [Admin] AlreadyExists, Ok, NotFound, |names|
        joining(&names.of("code"));
    "PartnershipService/GetHandOverList" [Read] Ok, Ok, NotFound, |names|
        v1::GetHandOverListRequest {
            name: names.of("partnership"),
            ..Default::default()
        };
    "PartnershipService/EndPartnership" [Admin Approve] Ok, Ok, NotFound, |names|
        v1::EndPartnershipRequest { name: names.of("over"), ..Default::default() };
    "PartnershipService/ApproveTerms" [Approve] Ok, Ok, NotFound, |names|
        v1::ApproveTermsRequest {
            name: names.of("partnership"),
            hash: names.of("terms_hash"),
            ..Default::default()
        };
    "PartnershipService/ProposeTerms" [Approve] Ok, Ok, NotFound, |names|
        v1::ProposeTermsRequest {
            name: names.of("partnership"),
            terms: Some(v1::Terms::default()),
            ..Default::default()
        };
    "PartnershipService/GetTermsRevision" [Read] Ok, Ok, NotFound, |names|
        v1::GetTermsRevisionRequest {
            name: format!("{}/termsRevisions/1", names.of("partnership")),
        };
    "PartnershipService/ListTermsRevisions" [Read] Ok, Ok, NotFound, |names|
        v1::ListTermsRevisionsRequest {
            parent: names.of("partnership"),
            ..Default::default()
        };
    "PartnershipService/GetTermsDifference" [Read] Ok, Ok, NotFound, |names|
        v1::GetTermsDifferenceRequest {
            name: names.of("partnership"),
            to_revision: 1,
            ..Default::default()
        };
    "PartnershipService/AnswerAssertions" [Approve] Ok, Ok, NotFound, |names|
        v1::AnswerAssertionsRequest {
            name: names.of("partnership"),
            endorse_all: true,
            ..Default::default()
        };
    "PartnershipService/CreateClient" [Tickets / Quotes] Ok, Ok, NotFound, |names|
        v1::CreateClientRequest {
            parent: names.of("partnership"),
            client: Some(v1::Client {
                display_name: "New".to_owned(),
                ..Default::default()
            }),
            ..Default::default()
        };
    "PartnershipService/GetClient" [Read] Ok, Ok, NotFound, |names|
        v1::GetClientRequest { name: names.of("client") };
    "PartnershipService/ListClients" [Read] Ok, Ok, NotFound, |names|
        v1::ListClientsRequest { parent: names.of("partnership"), ..Default::default() };
    "PartnershipService/CreateOutsideParty" [Tickets / Quotes] Ok, Ok, NotFound, |names|
        v1::CreateOutsidePartyRequest {
            parent: names.of("partnership"),
            outside_party: Some(v1::OutsideParty {
                display_name: "New".to_owned(),
                kind: v1::OutsidePartyKind::Vendor.into(),
                ..Default::default()
            }),
            ..Default::default()
        };
    "PartnershipService/GetOutsideParty" [Read] Ok, Ok, NotFound, |names|
        v1::GetOutsidePartyRequest { name: names.of("outside_party") };
    "PartnershipService/ListOutsideParties" [Read] Ok, Ok, NotFound, |names|
        v1::ListOutsidePartiesRequest { parent: names.of("partnership"), ..Default::default() };
    "PartnershipService/CreateContact" [Tickets] Ok, Ok, NotFound, |names| {
        let parent = names.of("partnership");
        introducing(&parent, "", contact(&parent, "always", 1, &[1]))
    };
    "PartnershipService/UpdateContact" [Tickets] Ok, FailedPrecondition, NotFound, |names|
        correcting(v1::Contact {
            name: names.of("contact"),
            ..contact(&names.of("partnership"), "always", 2, &[1])
        });
    "PartnershipService/DeleteContact" [Tickets] Ok, FailedPrecondition, NotFound, |names|
        deleting(&names.of("former_contact"));
    "PartnershipService/GetContact" [Read] Ok, Ok, NotFound, |names|
        v1::GetContactRequest { name: names.of("contact") };
    "PartnershipService/ListContacts" [Read] Ok, Ok, NotFound, |names|
        v1::ListContactsRequest { parent: names.of("partnership"), ..Default::default() };
    "PartnershipService/GetCoverageGaps" [Read] Ok, Ok, NotFound, |names|
        uncovered(&names.of("partnership"), SOUTH, &[]);
    "PartnershipService/GetEscalationPath" [Read] Ok, Ok, NotFound, |names|
        escalating(&names.of("partnership"), SOUTH, 1);
    // ExpectationService
    "ExpectationService/CreateExpectation" [Quotes] Ok, Ok, NotFound, |names|
        v1::CreateExpectationRequest {
            parent: names.of("partnership"),
            expectation: Some(v1::Expectation::default()),
            ..Default::default()
        };
    "ExpectationService/UpdateExpectation" [Quotes] Ok, FailedPrecondition, NotFound, |names|
        v1::UpdateExpectationRequest {
            expectation: Some(v1::Expectation {
                name: names.of("draft"),
                title: "New".to_owned(),
                ..Default::default()
            }),
            ..Default::default()
        };
    "ExpectationService/GetExpectation" [Read] Ok, Ok, NotFound, |names|
        v1::GetExpectationRequest { name: names.of("draft") };
    "ExpectationService/ListExpectations" [Read] Ok, Ok, NotFound, |names|
        v1::ListExpectationsRequest { parent: names.of("partnership"), ..Default::default() };
    "ExpectationService/OfferExpectation" [Approve] Ok, FailedPrecondition, NotFound, |names|
        offering(&names.of("to_offer"));
    "ExpectationService/CounterExpectation" [Approve] FailedPrecondition, Ok, NotFound, |names|
        v1::CounterExpectationRequest {
            name: names.of("to_counter"),
            five_w: Some(five_w(24)),
            ..Default::default()
        };
    "ExpectationService/AgreeExpectation" [Approve] FailedPrecondition, Ok, NotFound, |names|
        agreeing(&names.of("to_agree"), 1);
    "ExpectationService/DeclineExpectation" [Approve] FailedPrecondition, Ok, NotFound, |names|
        v1::DeclineExpectationRequest { name: names.of("to_decline"), ..Default::default() };
    "ExpectationService/WithdrawExpectation" [Approve] Ok, FailedPrecondition, NotFound, |names|
        v1::WithdrawExpectationRequest { name: names.of("to_withdraw"), ..Default::default() };
    "ExpectationService/FulfilExpectation" [Approve] FailedPrecondition, Ok, NotFound, |names|
        fulfilling(&names.of("to_fulfil"));
    "ExpectationService/AcceptFulfilment" [Approve] Ok, FailedPrecondition, NotFound, |names|
        accepting(&names.of("to_accept"), &[0, 1]);
    "ExpectationService/DisputeFulfilment" [Approve] Ok, FailedPrecondition, NotFound, |names|
        v1::DisputeFulfilmentRequest {
            name: names.of("to_dispute"),
            reason: "no".to_owned(),
            ..Default::default()
        };
    "ExpectationService/GetOfferDifference" [Read] Ok, Ok, NotFound, |names|
        v1::GetOfferDifferenceRequest {
            name: names.of("to_dispute"),
            from_number: 1,
            to_number: 1,
        };
    "ExpectationService/ExplainExpectationClock" [Read] Ok, Ok, NotFound, |names|
        v1::ExplainExpectationClockRequest {
            name: names.of("to_dispute"),
            ..Default::default()
        };
    "ExpectationService/CreateNotice" [Quotes] Ok, Ok, NotFound, |names|
        giving(&names.of("partnership"), moving(None), false);
    "ExpectationService/UpdateNotice" [Quotes] Ok, FailedPrecondition, NotFound, |names|
        retitling(&names.of("notice"), "New");
    "ExpectationService/ConfirmNotice" [Quotes] Ok, FailedPrecondition, NotFound, |names|
        confirming(&names.of("to_confirm"), Some(HOUR));
    "ExpectationService/MarkNoticeItem" [Quotes] Ok, Ok, NotFound, |names|
        marking(&names.of("notice"), 1, true);
    "ExpectationService/CompleteNotice" [Quotes] Ok, FailedPrecondition, NotFound, |names|
        v1::CompleteNoticeRequest { name: names.of("to_complete"), ..Default::default() };
    "ExpectationService/WithdrawNotice" [Quotes] Ok, FailedPrecondition, NotFound, |names|
        v1::WithdrawNoticeRequest { name: names.of("to_call_off"), ..Default::default() };
    "ExpectationService/GetNotice" [Read] Ok, Ok, NotFound, |names|
        v1::GetNoticeRequest { name: names.of("notice") };
    "ExpectationService/ListNotices" [Read] Ok, Ok, NotFound, |names|
        v1::ListNoticesRequest { parent: names.of("partnership"), ..Default::default() };
    "ExpectationService/GetFireDrillCounts" [Read] Ok, Ok, NotFound, |names|
        v1::GetFireDrillCountsRequest { name: names.of("partnership"), ..Default::default() };
    "ExpectationService/CreateClaim" [Quotes] Ok, Ok, NotFound, |names|
        claiming(&names.of("partnership"), v1::SupportLevel::Supported);
    "ExpectationService/RecordClaimOutcome" [Approve] FailedPrecondition, Ok, NotFound, |names|
        judging(&names.of("claim"), v1::ClaimOutcome::Kept, &names.of("draft"));
    "ExpectationService/GetClaim" [Read] Ok, Ok, NotFound, |names|
        v1::GetClaimRequest { name: names.of("claim") };
    "ExpectationService/ListClaims" [Read] Ok, Ok, NotFound, |names|
        v1::ListClaimsRequest { parent: names.of("partnership"), ..Default::default() };
    "ExpectationService/CreateNeed" [Quotes] Ok, Ok, NotFound, |names|
        needing(&names.of("partnership"));
    "ExpectationService/MatchNeed" [Quotes] Ok, Ok, NotFound, |names|
        matching(&names.of("need"), &names.of("claim"));
    "ExpectationService/AcceptLimitation" [Approve] Ok, FailedPrecondition, NotFound, |names|
        limiting(&names.of("to_limit"), HOUR);
    "ExpectationService/ReviewLimitation" [Approve] Ok, FailedPrecondition, NotFound, |names|
        reviewing(&names.of("to_review"), Some(2 * HOUR));
    "ExpectationService/GetNeed" [Read] Ok, Ok, NotFound, |names|
        v1::GetNeedRequest { name: names.of("need") };
    "ExpectationService/ListNeeds" [Read] Ok, Ok, NotFound, |names|
        v1::ListNeedsRequest { parent: names.of("partnership"), ..Default::default() };
    // SlaService
    "SlaService/CreateCalendar" [Tickets] Ok, Ok, NotFound, |names|
        v1::CreateCalendarRequest {
            parent: names.of("partnership"),
            calendar: Some(always()),
            ..Default::default()
        };
    "SlaService/UpdateCalendar" [Tickets] Ok, Ok, NotFound, |names|
        v1::UpdateCalendarRequest {
            calendar: Some(v1::Calendar {
                name: names.of("calendar"),
                ..always()
            }),
            ..Default::default()
        };
    "SlaService/GetCalendar" [Read] Ok, Ok, NotFound, |names|
        v1::GetCalendarRequest { name: names.of("calendar") };
    "SlaService/ListCalendars" [Read] Ok, Ok, NotFound, |names|
        v1::ListCalendarsRequest { parent: names.of("partnership"), ..Default::default() };
    "SlaService/ComputeDeadline" [Read] Ok, Ok, Ok, |_| deadlines(vec![in_open_time(HOUR)]);
    "SlaService/ComputeElapsed" [Read] Ok, Ok, Ok, |_| elapsed(vec![between(0, HOUR)]);
    "SlaService/CreateAgreement" [Approve] Ok, Ok, NotFound, |names|
        v1::CreateAgreementRequest {
            parent: names.of("partnership"),
            agreement: Some(agreement(names)),
            ..Default::default()
        };
    "SlaService/ApproveAgreement" [Approve] Ok, Ok, NotFound, |names|
        v1::ApproveAgreementRequest {
            name: names.of("proposed"),
            hash: names.of("proposed_hash"),
            ..Default::default()
        };
    "SlaService/ListAgreementTemplates" [Read] Ok, Ok, Ok, |_|
        v1::ListAgreementTemplatesRequest::default();
    "SlaService/ReviseAgreement" [Approve] Ok, Ok, NotFound, |names|
        v1::ReviseAgreementRequest {
            name: names.of("agreement"),
            agreement: Some(v1::Agreement {
                kind: v1::AgreementKind::UnderpinningContract.into(),
                obligor: SOUTH.to_owned(),
                beneficiary: NORTH.to_owned(),
                ..agreement(names)
            }),
            ..Default::default()
        };
    "SlaService/EndAgreement" [Approve] Ok, Ok, NotFound, |names|
        v1::EndAgreementRequest { name: names.of("ending"), ..Default::default() };
    "SlaService/GetAgreement" [Read] Ok, Ok, NotFound, |names|
        v1::GetAgreementRequest { name: names.of("agreement"), ..Default::default() };
    "SlaService/ListAgreements" [Read] Ok, Ok, NotFound, |names|
        v1::ListAgreementsRequest { parent: names.of("partnership"), ..Default::default() };
    "SlaService/UpdateStatusMap" [Tickets] Ok, NotFound, NotFound, |names|
        v1::UpdateStatusMapRequest { status_map: Some(status_map(names)), ..Default::default() };
    "SlaService/GetStatusMap" [Read] Ok, Ok, NotFound, |names|
        v1::GetStatusMapRequest { name: names.of("status_map") };
    "SlaService/ListStatusMaps" [Read] Ok, Ok, NotFound, |names|
        v1::ListStatusMapsRequest { parent: names.of("partnership"), ..Default::default() };
    "SlaService/UpdatePriorityMap" [Tickets] Ok, NotFound, NotFound, |names|
        v1::UpdatePriorityMapRequest {
            priority_map: Some(priority_map(names)),
            ..Default::default()
        };
    "SlaService/GetPriorityMap" [Read] Ok, Ok, NotFound, |names|
        v1::GetPriorityMapRequest { name: names.of("priority_map") };
    "SlaService/ListPriorityMaps" [Read] Ok, Ok, NotFound, |names|
        v1::ListPriorityMapsRequest { parent: names.of("partnership"), ..Default::default() };
    "SlaService/AdoptRevision" [Tickets] Ok, NotFound, NotFound, |names|
        adopting(&names.of("partnership"), &names.of("own_calendar"));
    "SlaService/GetAdoptionDifference" [Read] Ok, NotFound, NotFound, |names|
        comparing(&names.of("adopted"), 0);
    "SlaService/BatchIngestEvents" [Tickets] Ok, Ok, NotFound, |names|
        v1::BatchIngestEventsRequest {
            parent: names.of("partnership"),
            events: vec![opening("e9", &ticket(NORTH_PSA, "9"), 0, 1)],
            ..Default::default()
        };
    "SlaService/ListUnmapped" [Read] Ok, Ok, NotFound, |names|
        v1::ListUnmappedRequest { parent: names.of("partnership"), ..Default::default() };
    "SlaService/GetTicket" [Read] Ok, Ok, NotFound, |names|
        v1::GetTicketRequest { name: names.of("ticket"), ..Default::default() };
    "SlaService/LookupTicket" [Read] Ok, NotFound, NotFound, |names|
        v1::LookupTicketRequest {
            parent: names.of("partnership"),
            reference: Some(ticket(NORTH_PSA, "1")),
        };
    "SlaService/ListTickets" [Read] Ok, Ok, NotFound, |names|
        v1::ListTicketsRequest { parent: names.of("partnership"), ..Default::default() };
    "SlaService/BatchGetTickets" [Read] Ok, Ok, NotFound, |names|
        v1::BatchGetTicketsRequest {
            parent: names.of("partnership"),
            names: vec![names.of("ticket")],
        };
    "SlaService/ListClocks" [Read] Ok, Ok, NotFound, |names|
        v1::ListClocksRequest { parent: names.of("partnership"), ..Default::default() };
    "SlaService/ExplainClock" [Read] Ok, Ok, NotFound, |names|
        v1::ExplainClockRequest {
            name: names.of("ticket"),
            r#type: v1::TargetType::Resolution.into(),
            ..Default::default()
        };
    "SlaService/GetAttainment" [Read] Ok, Ok, NotFound, |names|
        v1::GetAttainmentRequest { name: names.of("partnership"), ..Default::default() };
    "SlaService/SimulateAgreement" [Read] Ok, Ok, NotFound, |names|
        v1::SimulateAgreementRequest {
            name: names.of("agreement"),
            calendar_revision: 1,
            ..Default::default()
        };
    "SlaService/CreateTicketLink" [Tickets] Ok, NotFound, NotFound, |names|
        v1::CreateTicketLinkRequest {
            parent: names.of("firm"),
            ticket_link: Some(v1::TicketLink {
                upstream: names.of("other_ticket"),
                downstream: names.of("ticket"),
                ..Default::default()
            }),
            ..Default::default()
        };
    "SlaService/DeleteTicketLink" [Tickets] Ok, NotFound, NotFound, |names|
        v1::DeleteTicketLinkRequest { name: names.of("ticket_link"), ..Default::default() };
    "SlaService/GetChainCharges" [Read] Ok, Ok, NotFound, |names|
        v1::GetChainChargesRequest {
            name: names.of("ticket"),
            r#type: v1::TargetType::Resolution.into(),
            ..Default::default()
        };
    "SlaService/ComputeCreditSplit" [Read] FailedPrecondition, FailedPrecondition, NotFound, |names|
        crediting(&names.of("ticket"), 100);
    "SlaService/CheckChain" [Read] Ok, Ok, NotFound, |names|
        v1::CheckChainRequest {
            upstream_agreement: names.of("agreement"),
            downstream_agreement: names.of("proposed"),
            ..Default::default()
        };
    "SlaService/ListTicketLinks" [Read] Ok, NotFound, NotFound, |names|
        v1::ListTicketLinksRequest { parent: names.of("firm"), ..Default::default() };
    "SlaService/ProposeAmendment" [Tickets] Ok, Ok, NotFound, |names|
        proposing(&names.of("amended"), agreed_date(Some(HOUR)));
    "SlaService/ApproveAmendment" [Approve] Ok, Ok, NotFound, |names|
        approving(&names.of("amended"), "1");
    "SlaService/DeclineAmendment" [Approve] FailedPrecondition, Ok, NotFound, |names|
        declining(&names.of("amended"), "2");
    "SlaService/WithdrawAmendment" [Tickets] Ok, FailedPrecondition, NotFound, |names|
        withdrawing(&names.of("amended"), "3");
    "SlaService/LinkTicket" [Tickets] Ok, Ok, NotFound, |names|
        linking(&names.of("amended"), ticket("another", "1"));
    "SlaService/CountersignEvent" [Approve] FailedPrecondition, Ok, NotFound, |names|
        countersigning(&names.of("amended"), "late-1");
    "SlaService/RejectEvent" [Approve] FailedPrecondition, Ok, NotFound, |names|
        rejecting(&names.of("amended"), "late-2");
}
