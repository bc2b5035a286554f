//! Firms, their keys, partnerships and those outside them.

use entente::domain::checkup::CheckupClauses;
use entente::domain::command::Action;
use entente::domain::firm::{ApiKeyCreated, FirmCommand, Permission};
use entente::domain::identity::{ExternalReference, FirmId, PartyId};
use entente::domain::notice::NoticeKind;
use entente::domain::outsiders::{Client, OutsideParty, OutsidePartyType, OutsiderCommand};
use entente::domain::partnership::clauses::PricingClauses;
use entente::domain::partnership::ending::EndAsked;
use entente::domain::partnership::standing::{ConcessionConsent, ConsentSubject, StandingConsent};
use entente::domain::partnership::terms::{
    ExclusionClass, NoticeLeadTime, PartyShare, TermsContent,
};
use entente::domain::partnership::{PartnershipCommand, PartnershipOpening, Role};
use entente::domain::time::{Span, Timestamp};
use sha2::{Digest, Sha256};

use super::{Draw, FIRMS, Hint, client_id};

fn hexadecimal(text: &str) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(text))
}

/// An id in a firm's own software.
pub(super) fn reference(firm: &str, reference_type: &str, id: String) -> ExternalReference {
    ExternalReference {
        firm: FirmId::parse(firm).expect("recipes name firms"),
        system: "psa".to_owned(),
        instance: String::new(),
        reference_type: reference_type.to_owned(),
        id,
    }
}

pub(super) fn register(firm: Option<u8>) -> Action {
    let firm = firm.map_or_else(FirmId::operator, |firm| {
        FirmId::parse(FIRMS[usize::from(firm)]).expect("a firm")
    });
    let display_name = format!("The firm {firm}");
    Action::Firm(FirmCommand::Register { firm, display_name })
}

pub(super) fn api_key(draw: &mut Draw, hint: &Hint, at: Timestamp) -> Action {
    if !hint.text.is_empty() && draw.chance(40) {
        return Action::Firm(FirmCommand::RevokeApiKey {
            id: hint.text.clone(),
        });
    }
    let permissions = match draw.number(0..4) {
        0 => Vec::new(),
        1 => vec![Permission::Operator],
        _ => vec![Permission::Read, Permission::Tickets],
    };
    Action::Firm(FirmCommand::CreateApiKey(ApiKeyCreated {
        display_name: "a key".to_owned(),
        permissions,
        digest: hexadecimal(&draw.number(0..u64::MAX).to_string()),
        expires_at: draw.chance(30).then(|| draw.around(at)),
    }))
}

pub(super) fn open(draw: &mut Draw, firm: &str) -> Action {
    let id = format!("P{}", draw.number(0..4));
    let opening = PartnershipOpening {
        display_name: if draw.chance(10) {
            String::new()
        } else {
            "Together".to_owned()
        },
        firm_display_name: firm.to_owned(),
        role: Role::Prime,
        partner_display_name: "The other one".to_owned(),
        partner_role: *draw.one_of(&[Role::Sub, Role::Peer]),
        external_reference: draw.chance(50).then(|| reference(firm, "partner", id)),
    };
    Action::Firm(FirmCommand::OpenPartnership(opening))
}

pub(super) fn invite(draw: &mut Draw, scope: &str) -> Action {
    let validity = if draw.chance(5) {
        Span::ZERO
    } else {
        Span::from_hours(draw.number(1..100))
    };
    Action::Partnership(PartnershipCommand::Invite {
        party: None,
        invited: None,
        digest: hexadecimal(scope),
        validity,
    })
}

pub(super) fn join(draw: &mut Draw, scope: &str, firm: &str) -> Action {
    let digest = if draw.chance(20) {
        hexadecimal("wrong")
    } else {
        hexadecimal(scope)
    };
    Action::Partnership(PartnershipCommand::Join {
        digest,
        display_name: firm.to_owned(),
    })
}

pub(super) fn propose_terms(draw: &mut Draw) -> Action {
    let first = draw.number(0..=10_000);
    let second = if draw.chance(5) { 7 } else { 10_000 - first };
    let share = |number, share_bps| PartyShare {
        party: PartyId::numbered(number),
        share_bps,
    };
    let of_concessions = StandingConsent {
        id: "small-discounts".to_owned(),
        subject: ConsentSubject::Concession,
        party: PartyId::numbered(draw.number(1..=2)),
        shortest_notice: Span::ZERO,
        largest_cost_per_hour: None,
        allows_on_site: false,
        until: Timestamp::LATEST,
        concession: Some(ConcessionConsent {
            largest_bps: draw.number(0..=10_000),
            bases: Vec::new(),
        }),
    };
    let clauses = PricingClauses {
        most_favoured_bps: draw.chance(30).then(|| draw.number(2_000..=10_000)),
        unrenewed_concession_bps: draw.chance(50).then(|| draw.number(0..=10_000)),
        carry_fractions: draw.chance(50),
        ..PricingClauses::default()
    };
    Action::Partnership(PartnershipCommand::ProposeTerms(TermsContent {
        text: draw.maybe_text("terms.text"),
        shares: if draw.chance(30) {
            Vec::new()
        } else {
            vec![share(1, first), share(2, second)]
        },
        offer_validity: Span::from_hours(draw.number(0..48)),
        future_tolerance: Span::from_minutes(draw.number(0..=63)),
        lateness_window: draw
            .chance(50)
            .then(|| Span::from_minutes(draw.number(0..=90))),
        exclusion_classes: vec![ExclusionClass {
            id: "maintenance".to_owned(),
            display_name: "Planned maintenance".to_owned(),
            longest: Span::from_minutes(draw.number(1..900)),
        }],
        standing_consents: vec![
            StandingConsent {
                id: "small-jobs".to_owned(),
                subject: ConsentSubject::Expectation,
                party: PartyId::numbered(2),
                shortest_notice: Span::from_minutes(draw.number(0..=90)),
                largest_cost_per_hour: None,
                allows_on_site: draw.chance(50),
                until: Timestamp::LATEST.saturating_add(Span::from_hours(-draw.number(0..=9))),
                concession: None,
            },
            of_concessions,
        ],
        pricing_clauses: clauses,
        checkup_clauses: CheckupClauses::default(),
        notice_lead_times: vec![NoticeLeadTime {
            kind: NoticeKind::GoLive,
            lead_time: Span::from_minutes(draw.number(1..900)),
        }],
    }))
}

pub(super) fn approve_terms(hint: &Hint) -> Action {
    Action::Partnership(PartnershipCommand::ApproveTerms {
        hash: hint.text.clone(),
    })
}

pub(super) fn end(draw: &mut Draw) -> Action {
    Action::Partnership(PartnershipCommand::End(EndAsked {
        reason: draw.maybe_text("partnership.end_reason"),
        ..EndAsked::default()
    }))
}

pub(super) fn client(draw: &mut Draw, number: u8, firm: &str) -> Action {
    Action::Outsider(OutsiderCommand::CreateClient {
        id: draw.chance(80).then(|| client_id(number)),
        client: Client {
            display_name: format!("Client {number}"),
        },
        reference: draw
            .chance(50)
            .then(|| reference(firm, "company", format!("C{number}"))),
    })
}

pub(super) fn outside_party(draw: &mut Draw, number: u8) -> Action {
    let display_name = if draw.chance(10) {
        "a\u{0007}bell".to_owned()
    } else {
        format!("Vendor {number}")
    };
    let party_type = *draw.one_of(&[OutsidePartyType::Vendor, OutsidePartyType::Carrier]);
    Action::Outsider(OutsiderCommand::CreateOutsideParty {
        id: draw.chance(80).then(|| format!("vendor-{number}")),
        outside_party: OutsideParty {
            display_name,
            party_type,
        },
        reference: None,
    })
}
