//! Pages, resource names and messages that cannot be used; and several faults at once.

use entente::proto::v1;
use tonic::Code;

use super::calls::{faulty, ok, refused, refuses};
use super::house::{House, at};
use super::setting::{NORTH_PSA, Pair, always, euros, event, five_w, partnership, portion, ticket};

/// Not acceptable.
const BAD: &str = "INVALID_FIELD";

fn listing(parent: &str, page_size: i32, page_token: &str) -> v1::ListClientsRequest {
    v1::ListClientsRequest {
        parent: parent.to_owned(),
        page_size,
        page_token: page_token.to_owned(),
    }
}

/// Pages of a list belong to the caller and to the list; names have one form.
pub async fn pages_and_resource_names(house: House) {
    let pair = Pair::active(&house).await;
    let mut norths = pair.north.connection.partnerships();
    for number in 0..3 {
        let request = v1::CreateClientRequest {
            parent: pair.name.clone(),
            client: Some(v1::Client {
                display_name: format!("Client {number}"),
                ..Default::default()
            }),
            ..Default::default()
        };
        ok(norths.create_client(request)).await;
    }
    for size in [-1, i32::MIN] {
        faulty(
            &house,
            BAD,
            &["page_size"],
            norths.list_clients(listing(&pair.name, size, "")),
        )
        .await;
        let request = v1::ListEntriesRequest {
            parent: pair.name.clone(),
            page_size: size,
            ..Default::default()
        };
        faulty(
            &house,
            BAD,
            &["page_size"],
            pair.north.connection.journal().list_entries(request),
        )
        .await;
    }
    let page = ok(norths.list_clients(listing(&pair.name, 2, ""))).await;
    let token = page.next_page_token;
    assert_eq!(
        ok(norths.list_clients(listing(&pair.name, i32::MAX, &token)))
            .await
            .clients
            .len(),
        1
    );
    foreign_tokens(&house, &pair, &token).await;
    let request = v1::ListEntriesRequest {
        parent: pair.name.clone(),
        after_sequence: -1,
        record_id: "x".to_owned(),
        ..Default::default()
    };
    faulty(
        &house,
        BAD,
        &["record_id", "after_sequence"],
        pair.north.connection.journal().list_entries(request),
    )
    .await;
    names(&house, &pair).await;
    house.stop().await;
}

/// Tokens of another caller, of another list, or of nobody.
async fn foreign_tokens(house: &House, pair: &Pair, token: &str) {
    let mut norths = pair.north.connection.partnerships();
    let invalid = "PAGE_TOKEN_INVALID";
    let mut souths = pair.south.connection.partnerships();
    refuses(
        house,
        invalid,
        souths.list_clients(listing(&pair.name, 2, token)),
    )
    .await;
    let others = v1::ListOutsidePartiesRequest {
        parent: pair.name.clone(),
        page_size: 2,
        page_token: token.to_owned(),
    };
    refuses(house, invalid, norths.list_outside_parties(others)).await;
    let elsewhere = ok(norths.create_partnership(partnership("Another")))
        .await
        .name;
    for (parent, token) in [
        (elsewhere.as_str(), token),
        (&pair.name, "nonsense"),
        (&pair.name, &token[1..]),
        (&pair.name, &"A".repeat(10_000)),
    ] {
        refuses(
            house,
            invalid,
            norths.list_clients(listing(parent, 2, token)),
        )
        .await;
    }
}

async fn names(house: &House, pair: &Pair) {
    let north = &pair.north.connection;
    let long = format!("{}/tickets/{}", pair.name, "a".repeat(64));
    for name in [
        "",
        "partnerships/",
        "tickets/1",
        &pair.name,
        &format!("{}/tickets/", pair.name),
        &format!("/{}/tickets/1", pair.name),
        &format!("{}/tickets/1/", pair.name),
        &format!("{}/tickets/../tickets/1", pair.name),
        &format!("{}/tickets/A", pair.name),
        "partnerships/-/tickets/1",
        &long,
    ] {
        let request = v1::GetTicketRequest {
            name: name.to_owned(),
            ..v1::GetTicketRequest::default()
        };
        faulty(house, BAD, &["name"], north.sla().get_ticket(request)).await;
    }
    for id in ["Firm", "1st", "a_b", "a-", "-a", &"a".repeat(64)] {
        let request = v1::CreateCalendarRequest {
            parent: pair.name.clone(),
            calendar_id: id.to_owned(),
            calendar: Some(always()),
            ..Default::default()
        };
        faulty(
            house,
            BAD,
            &["calendar_id"],
            north.sla().create_calendar(request),
        )
        .await;
        let request = v1::CreateJointQuoteRequest {
            joint_quote_id: id.to_owned(),
            ..pair.quote_request(&[])
        };
        faulty(
            house,
            BAD,
            &["joint_quote_id"],
            north.pricing().create_joint_quote(request),
        )
        .await;
    }
    neighbours(house, pair).await;
}

/// Names that lead elsewhere, and parts that are missing.
async fn neighbours(house: &House, pair: &Pair) {
    let north = &pair.north.connection;
    let other = ok(north
        .partnerships()
        .create_partnership(partnership("Another")))
    .await
    .name;
    let agreement = v1::Agreement {
        calendar: format!("{other}/calendars/always"),
        ..pair.desk()
    };
    let request = pair.agreement_request("", agreement);
    faulty(
        house,
        BAD,
        &["agreement.calendar"],
        north.sla().create_agreement(request),
    )
    .await;
    // Whole parts that are missing are asked for by name.
    let nothing = v1::CreateClientRequest {
        parent: pair.name.clone(),
        ..Default::default()
    };
    faulty(
        house,
        BAD,
        &["client"],
        north.partnerships().create_client(nothing),
    )
    .await;
    let nothing = v1::CreateJointQuoteRequest {
        parent: pair.name.clone(),
        ..Default::default()
    };
    faulty(
        house,
        BAD,
        &["joint_quote"],
        north.pricing().create_joint_quote(nothing),
    )
    .await;
}

/// What is larger than the server takes is refused before it is looked at.
pub async fn messages_too_large(house: House) {
    let pair = Pair::active(&house).await;
    let before = house.heads().await;
    let request = v1::EndPartnershipRequest {
        name: pair.name.clone(),
        reason: "x".repeat(5 * 1024 * 1024),
        ..Default::default()
    };
    // A client without a limit of its own: the generated one has none.
    let channel = house.channel().await;
    let mut client = v1::partnership_service_client::PartnershipServiceClient::new(channel);
    let mut request = tonic::Request::new(request);
    let bearer = format!("Bearer {}", pair.north.api_key).parse().unwrap();
    request.metadata_mut().insert("authorization", bearer);
    let answer = refused(client.end_partnership(request)).await;
    let expected = [Code::OutOfRange, Code::ResourceExhausted];
    assert!(expected.contains(&answer.code), "{answer:?}");
    assert_eq!(house.heads().await, before);
    // Large, but not too large for the transport: the field's own limit holds.
    let request = v1::EndPartnershipRequest {
        name: pair.name.clone(),
        reason: "x".repeat(3 * 1024 * 1024),
        ..Default::default()
    };
    faulty(
        &house,
        BAD,
        &["reason"],
        pair.north
            .connection
            .partnerships()
            .end_partnership(request),
    )
    .await;
    house.stop().await;
}

/// A request with many faults is refused once, with all of them.
pub async fn several_faults_are_all_listed(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    let north = &pair.north.connection;
    let request = v1::CreatePartnershipRequest::default();
    let fields = [
        "role",
        "partner_role",
        "partnership.display_name",
        "partner_display_name",
    ];
    faulty(
        &house,
        BAD,
        &fields,
        north.partnerships().create_partnership(request),
    )
    .await;

    let mut bad = portion("-b", 100);
    bad.price = Some(entente::proto::google::r#type::Money {
        nanos: 5_000_000,
        ..euros(100)
    });
    bad.internal_cost = Some(euros(-100));
    "\u{0}".clone_into(&mut bad.description);
    let mut request = pair.quote_request(&[("a", 100)]);
    let quote = request.joint_quote.as_mut().unwrap();
    quote.display_name = String::new();
    quote.portions.push(bad);
    let answer = refuses(&house, BAD, north.pricing().create_joint_quote(request)).await;
    for field in [
        "display_name",
        "portions[1].portion_id",
        "portions[1].price",
        "portions[1].description",
    ] {
        let field = format!("joint_quote.{field}");
        assert!(
            answer.fields.contains(&field),
            "{field} is not among {:?}",
            answer.fields
        );
    }

    answers(&house, &pair).await;
    let id = ticket(NORTH_PSA, "1");
    let mut request = pair.batch(vec![event("e1", &id, 0)]);
    "partnerships/-".clone_into(&mut request.parent);
    "\u{7}".clone_into(&mut request.origin);
    request.events.clear();
    faulty(
        &house,
        BAD,
        &["parent", "events", "origin"],
        north.sla().batch_ingest_events(request),
    )
    .await;
    house.stop().await;
}

/// Every answer of an expectation is wrong.
async fn answers(house: &House, pair: &Pair) {
    let north = &pair.north.connection;
    let mut words = five_w(48);
    words.who.as_mut().unwrap().people_count = -5;
    words.what.as_mut().unwrap().severity = 99;
    words.when.as_mut().unwrap().deadline = Some(prost_types::Timestamp { nanos: 1, ..at(0) });
    "\u{0}".clone_into(&mut words.r#where.as_mut().unwrap().site);
    words.how.as_mut().unwrap().criteria[0] = String::new();
    let answer = refuses(
        house,
        BAD,
        north
            .expectations()
            .create_expectation(pair.draft_request(words)),
    )
    .await;
    let fields = [
        "who.people_count",
        "what.severity",
        "when.deadline",
        "where.site",
        "how.criteria[0]",
    ];
    for field in fields {
        let field = format!("expectation.five_w.{field}");
        assert!(
            answer.fields.contains(&field),
            "{field} is not among {:?}",
            answer.fields
        );
    }
}
