//! Names and texts that are too long, empty or not text, and enumeration values that do not exist.

use entente::proto::google::r#type::DayOfWeek;
use entente::proto::v1;

use super::calls::{faulty, ok};
use super::house::{House, lasting};
use super::setting::{
    NORTH_PSA, Pair, always, euros, five_w, fulfilling, offering, opening, partnership, target,
    ticket,
};

/// An enumeration value that no version of the contract has.
const UNKNOWN: i32 = 99;
/// Not acceptable.
const BAD: &str = "INVALID_FIELD";

/// What people read: bounded, on one line, without control characters.
pub async fn names_and_texts(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    let north = &pair.north.connection;
    display_names(&house, &pair).await;
    for id in ["x".repeat(129), "a\u{0}b".to_owned()] {
        let request = v1::CreatePartnershipRequest {
            request_id: id.clone(),
            origin: id,
            ..partnership("North and South")
        };
        faulty(
            &house,
            BAD,
            &["request_id", "origin"],
            north.partnerships().create_partnership(request),
        )
        .await;
    }
    free_text(&house, &pair).await;
    external_references(&house, &pair).await;
    house.stop().await;
}

/// Names for people, of whatever.
async fn display_names(house: &House, pair: &Pair) {
    let north = &pair.north.connection;
    for name in [
        "",
        " ",
        &"x".repeat(201),
        "one\ntwo",
        "bell\u{7}",
        &"é".repeat(101),
    ] {
        let request = partnership(name);
        faulty(
            house,
            BAD,
            &["partnership.display_name"],
            north.partnerships().create_partnership(request),
        )
        .await;
        let calendar = v1::Calendar {
            display_name: name.to_owned(),
            ..always()
        };
        let request = v1::CreateCalendarRequest {
            parent: pair.name.clone(),
            calendar: Some(calendar),
            ..Default::default()
        };
        faulty(
            house,
            BAD,
            &["calendar.display_name"],
            north.sla().create_calendar(request),
        )
        .await;
        let agreement = v1::Agreement {
            display_name: name.to_owned(),
            ..pair.desk()
        };
        let request = pair.agreement_request("", agreement);
        faulty(
            house,
            BAD,
            &["agreement.display_name"],
            north.sla().create_agreement(request),
        )
        .await;
        let mut request = pair.quote_request(&[]);
        name.clone_into(&mut request.joint_quote.as_mut().unwrap().display_name);
        faulty(
            house,
            BAD,
            &["joint_quote.display_name"],
            north.pricing().create_joint_quote(request),
        )
        .await;
    }
}

async fn free_text(house: &House, pair: &Pair) {
    let north = &pair.north.connection;
    let draft = pair.draft().await;
    for text in [&"x".repeat(5_001), "\u{1b}[31mred", "nul\u{0}"] {
        let request = v1::OfferExpectationRequest {
            message: text.to_owned(),
            ..offering(&draft.name)
        };
        faulty(
            house,
            BAD,
            &["message"],
            north.expectations().offer_expectation(request),
        )
        .await;
        let mut words = five_w(48);
        text.clone_into(&mut words.who.as_mut().unwrap().description);
        text.clone_into(&mut words.how.as_mut().unwrap().criteria[1]);
        let fields = [
            "expectation.five_w.who.description",
            "expectation.five_w.how.criteria[1]",
        ];
        let request = pair.draft_request(words);
        faulty(
            house,
            BAD,
            &fields,
            north.expectations().create_expectation(request),
        )
        .await;
    }
    criteria(house, pair).await;
    let request = v1::ProposeTermsRequest {
        name: pair.name.clone(),
        terms: Some(v1::Terms {
            text: "x".repeat(20_001),
            ..Default::default()
        }),
        ..Default::default()
    };
    faulty(
        house,
        BAD,
        &["terms.text"],
        north.partnerships().propose_terms(request),
    )
    .await;
    // Work is disputed with a reason, or not at all.
    let agreed = pair.agreed().await;
    let fulfilled = pair.south.connection.expectations();
    ok({ fulfilled }.fulfil_expectation(fulfilling(&agreed.name))).await;
    let request = v1::DisputeFulfilmentRequest {
        name: agreed.name,
        ..Default::default()
    };
    faulty(
        house,
        BAD,
        &["reason"],
        north.expectations().dispute_fulfilment(request),
    )
    .await;
}

/// Criteria, and people, that are too many or none.
async fn criteria(house: &House, pair: &Pair) {
    let north = &pair.north.connection;
    let mut words = five_w(48);
    words.how.as_mut().unwrap().criteria = vec!["one of many".to_owned(); 21];
    let request = pair.draft_request(words);
    faulty(
        house,
        BAD,
        &["expectation.five_w.how.criteria"],
        north.expectations().create_expectation(request),
    )
    .await;
    let mut words = five_w(48);
    words.how.as_mut().unwrap().criteria[0] = String::new();
    let request = pair.draft_request(words);
    faulty(
        house,
        BAD,
        &["expectation.five_w.how.criteria[0]"],
        north.expectations().create_expectation(request),
    )
    .await;
    for people_count in [-1, 1_000_001] {
        let mut words = five_w(48);
        words.who.as_mut().unwrap().people_count = people_count;
        let request = pair.draft_request(words);
        faulty(
            house,
            BAD,
            &["expectation.five_w.who.people_count"],
            north.expectations().create_expectation(request),
        )
        .await;
    }
}

async fn external_references(house: &House, pair: &Pair) {
    let reference = v1::ExternalReference {
        system: String::new(),
        instance: "x".repeat(129),
        r#type: "tick\u{7f}et".to_owned(),
        id: "x".repeat(129),
    };
    let request = v1::CreateClientRequest {
        parent: pair.name.clone(),
        client: Some(v1::Client {
            display_name: "Brandt Freight".to_owned(),
            external_references: vec![reference],
            ..Default::default()
        }),
        ..Default::default()
    };
    let parts = ["system", "type", "id", "instance"];
    let fields = parts.map(|part| format!("client.external_references[0].{part}"));
    let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
    faulty(
        house,
        BAD,
        &fields,
        pair.north.connection.partnerships().create_client(request),
    )
    .await;
}

/// Values that are not stated, or that no enumeration has.
pub async fn enumerations(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    let results = pair
        .ingest(
            &pair.north,
            vec![opening("e1", &ticket(NORTH_PSA, "1"), 0, 1)],
        )
        .await;
    let north = &pair.north.connection;
    for value in [0, UNKNOWN, -1] {
        let request = v1::CreatePartnershipRequest {
            role: value,
            partner_role: value,
            ..partnership("North and South")
        };
        faulty(
            &house,
            BAD,
            &["role", "partner_role"],
            north.partnerships().create_partnership(request),
        )
        .await;
        let request = v1::CreateOutsidePartyRequest {
            parent: pair.name.clone(),
            outside_party: Some(v1::OutsideParty {
                display_name: "Coastal Fibre".to_owned(),
                kind: value,
                ..Default::default()
            }),
            ..Default::default()
        };
        faulty(
            &house,
            BAD,
            &["outside_party.kind"],
            north.partnerships().create_outside_party(request),
        )
        .await;
        let request = v1::CreateApiKeyRequest {
            parent: "firms/north".to_owned(),
            api_key: Some(v1::ApiKey {
                display_name: "desk".to_owned(),
                permissions: vec![1, value],
                ..Default::default()
            }),
            ..Default::default()
        };
        faulty(
            &house,
            BAD,
            &["api_key.permissions[1]"],
            north.admin().create_api_key(request),
        )
        .await;
        let request = v1::ExplainClockRequest {
            name: results[0].ticket.clone(),
            r#type: value,
            ..Default::default()
        };
        faulty(&house, BAD, &["type"], north.sla().explain_clock(request)).await;
        service_levels(&house, &pair, value).await;
        amounts(&house, &pair, value).await;
    }
    filters_and_answers(&house, &pair).await;
    house.stop().await;
}

/// Where 0 has a meaning, other values still have none.
async fn filters_and_answers(house: &House, pair: &Pair) {
    let north = &pair.north.connection;
    // In a filter and in an answer that may be missing, 0 has a meaning.
    for value in [UNKNOWN, -1] {
        let request = v1::ListTicketsRequest {
            parent: pair.name.clone(),
            state: value,
            ..Default::default()
        };
        faulty(house, BAD, &["state"], north.sla().list_tickets(request)).await;
        let request = v1::ListExpectationsRequest {
            parent: pair.name.clone(),
            state: value,
            ..Default::default()
        };
        faulty(
            house,
            BAD,
            &["state"],
            north.expectations().list_expectations(request),
        )
        .await;
        let mut words = five_w(48);
        words.who.as_mut().unwrap().scope = value;
        words.what.as_mut().unwrap().severity = value;
        words.r#where.as_mut().unwrap().place = value;
        let fields = ["who.scope", "what.severity", "where.place"]
            .map(|field| format!("expectation.five_w.{field}"));
        let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
        let request = pair.draft_request(words);
        faulty(
            house,
            BAD,
            &fields,
            north.expectations().create_expectation(request),
        )
        .await;
    }
}

async fn service_levels(house: &House, pair: &Pair, value: i32) {
    let north = &pair.north.connection;
    let agreement = v1::Agreement {
        kind: value,
        targets: vec![
            target(v1::TargetType::Resolution, 1, 60),
            // One beyond the last.
            v1::ServiceLevelTarget {
                r#type: 7,
                priority: 2,
                duration: Some(lasting(60)),
            },
            v1::ServiceLevelTarget {
                r#type: value,
                priority: 0,
                duration: Some(lasting(60)),
            },
        ],
        pausing_states: vec![value],
        ..pair.desk()
    };
    let fields = [
        "agreement.kind",
        "agreement.targets[1].type",
        "agreement.targets[2].type",
        "agreement.targets[2].priority",
        "agreement.pausing_states[0]",
    ];
    let request = pair.agreement_request("", agreement);
    faulty(house, BAD, &fields, north.sla().create_agreement(request)).await;
    let mut request = pair.status_map_request("other");
    request.status_map.as_mut().unwrap().entries[2].state = value;
    faulty(
        house,
        BAD,
        &["status_map.entries[2].state"],
        north.sla().update_status_map(request),
    )
    .await;
    let mut calendar = always();
    calendar.weekly_windows[DayOfWeek::Wednesday as usize].day = value;
    let request = v1::CreateCalendarRequest {
        parent: pair.name.clone(),
        calendar: Some(calendar),
        ..Default::default()
    };
    faulty(
        house,
        BAD,
        &["calendar.weekly_windows[3].day"],
        north.sla().create_calendar(request),
    )
    .await;
}

async fn amounts(house: &House, pair: &Pair, value: i32) {
    let quote = pair.quote(&[("a", 100)], &[]).await;
    let request = v1::ProposeConcessionRequest {
        name: quote.name,
        concession: Some(euros(10)),
        basis: value,
        ..Default::default()
    };
    faulty(
        house,
        BAD,
        &["basis"],
        pair.north.connection.pricing().propose_concession(request),
    )
    .await;
}
