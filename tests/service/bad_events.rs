//! Events that are too many, twice, in disorder, or of another time.

use entente::proto::v1::{self, IngestOutcome};
use prost_types::Timestamp;
use tonic_types::RpcStatusExt;

use super::calls::{Refused, faulty, ok, refuses};
use super::house::{HOUR, House, MINUTE, at};
use super::setting::{NORTH_PSA, Pair, event, opening, status, ticket};

/// Not acceptable.
const BAD: &str = "INVALID_FIELD";

/// Why one event was refused, and for which of its fields.
fn fault(result: &v1::IngestResult) -> (String, Vec<String>) {
    assert_eq!(result.outcome(), IngestOutcome::Refused, "{result:?}");
    assert_eq!((result.sequence, result.hash.as_str()), (0, ""));
    let details = result.error.clone().unwrap().get_error_details();
    let violations = details
        .bad_request()
        .map(|bad| bad.field_violations.clone());
    let fields = violations
        .unwrap_or_default()
        .into_iter()
        .map(|violation| violation.field);
    (
        details.error_info().unwrap().reason.clone(),
        fields.collect(),
    )
}

/// One good event, once in the middle and again at the end, and bad ones around it.
fn good_among_bad(pair: &Pair, id: &v1::ExternalReference) -> Vec<v1::TicketEvent> {
    let good = opening("good", id, 0, 1);
    vec![
        v1::TicketEvent {
            event_id: String::new(),
            ..good.clone()
        },
        v1::TicketEvent {
            event_id: "x".repeat(257),
            ..good.clone()
        },
        v1::TicketEvent {
            ticket: None,
            occur_time: None,
            ..good.clone()
        },
        good.clone(),
        v1::TicketEvent {
            priority: Some(6),
            title: "x".repeat(201),
            ..good.clone()
        },
        v1::TicketEvent {
            status: Some("\u{7}".to_owned()),
            ..status("s", id, 0, "")
        },
        v1::TicketEvent {
            agreement: "partnerships/other/agreements/desk".to_owned(),
            ..event("a", &ticket(NORTH_PSA, "2"), 0)
        },
        v1::TicketEvent {
            agreement: format!("{}/agreements/nothing", pair.name),
            ..event("b", &ticket(NORTH_PSA, "2"), 0)
        },
        good.clone(),
    ]
}

/// 1,000 events at most; one that is bad does not hurt the others; twice is once.
pub async fn batches(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    house.pass(HOUR);
    let mut sla = pair.north.connection.sla();
    let id = ticket(NORTH_PSA, "1");
    let numbered = |count: usize| {
        (0..count)
            .map(|number| event(&format!("e{number}"), &id, 0))
            .collect()
    };
    for count in [0, 1_001] {
        let request = pair.batch(numbered(count));
        faulty(&house, BAD, &["events"], sla.batch_ingest_events(request)).await;
    }
    let events = good_among_bad(&pair, &id);
    let before = house.head(&pair.name).await.sequence;
    let results = pair.ingest(&pair.north, events).await;
    let expected = [
        (0, BAD, vec!["event_id"]),
        (1, BAD, vec!["event_id"]),
        (2, BAD, vec!["ticket", "occur_time"]),
        (4, BAD, vec!["priority", "title"]),
        (5, BAD, vec!["status"]),
        (6, BAD, vec!["agreement"]),
        (7, "AGREEMENT_NOT_ACTIVE", vec!["agreement"]),
    ];
    for (index, reason, fields) in expected {
        let fields: Vec<_> = fields
            .iter()
            .map(|field| format!("events[{index}].{field}"))
            .collect();
        assert_eq!(fault(&results[index]), (reason.to_owned(), fields));
    }
    assert_eq!(results[3].outcome(), IngestOutcome::Applied);
    assert_eq!(results[8].outcome(), IngestOutcome::AlreadyApplied);
    // The ticket with its reference and its first event; nothing else.
    assert_eq!(house.head(&pair.name).await.sequence, before + 3);
    let list = v1::ListTicketsRequest {
        parent: pair.name.clone(),
        ..Default::default()
    };
    assert_eq!(ok(sla.list_tickets(list)).await.tickets.len(), 1);
    house.stop().await;
}

/// From 2000 to 2099, to the microsecond, and not from the future.
pub async fn instants(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    let id = ticket(NORTH_PSA, "1");
    let instant = |seconds: i64, nanos: i32| Timestamp { seconds, nanos };
    let late_1999 = instant(946_684_799, 999_999_000);
    let early_2100 = instant(4_102_444_800, 0);
    let head = house.head(&pair.name).await;
    for (reason, time) in [
        (BAD, late_1999),
        (BAD, early_2100),
        (BAD, Timestamp { nanos: 1, ..at(0) }),
        ("OUT_OF_RANGE", instant(i64::MAX, 0)),
        ("OUT_OF_RANGE", instant(i64::MIN, 0)),
        ("EVENT_FROM_THE_FUTURE", at(5 * MINUTE + 1)),
        ("EVENT_FROM_THE_FUTURE", at(1_000 * 24 * HOUR)),
    ] {
        let occurred = v1::TicketEvent {
            occur_time: Some(time),
            ..event("e1", &id, 0)
        };
        let opened = v1::TicketEvent {
            open_time: Some(time),
            ..event("e2", &id, 0)
        };
        let results = pair.ingest(&pair.north, vec![occurred, opened]).await;
        assert_eq!(
            fault(&results[0]),
            (reason.to_owned(), vec!["events[0].occur_time".to_owned()]),
            "{time:?}"
        );
        assert_eq!(
            fault(&results[1]),
            (reason.to_owned(), vec!["events[1].open_time".to_owned()]),
            "{time:?}"
        );
    }
    assert_eq!(house.head(&pair.name).await, head);
    let results = pair
        .ingest(&pair.north, vec![opening("e1", &id, 5 * MINUTE, 1)])
        .await;
    assert_eq!(results[0].outcome(), IngestOutcome::Applied);
    asked_about(&house, &pair, &results[0].ticket, [late_1999, early_2100]).await;
    let expiry = v1::CreateApiKeyRequest {
        parent: "firms/north".to_owned(),
        api_key: Some(v1::ApiKey {
            display_name: "desk".to_owned(),
            permissions: vec![v1::Permission::Read.into()],
            expire_time: Some(at(-1)),
            ..Default::default()
        }),
        ..Default::default()
    };
    faulty(
        &house,
        BAD,
        &["api_key.expire_time"],
        pair.north.connection.admin().create_api_key(expiry),
    )
    .await;
    house.stop().await;
}

async fn asked_about(house: &House, pair: &Pair, ticket: &str, times: [Timestamp; 2]) {
    let mut sla = pair.north.connection.sla();
    for time in times {
        let request = v1::GetTicketRequest {
            name: ticket.to_owned(),
            as_of_time: Some(time),
            ..v1::GetTicketRequest::default()
        };
        let answer: Refused = faulty(
            house,
            "OUT_OF_RANGE",
            &["as_of_time"],
            sla.get_ticket(request),
        )
        .await;
        assert!(answer.metadata.contains_key("minimum"), "{answer:?}");
        let request = v1::GetAttainmentRequest {
            name: pair.name.clone(),
            as_of_time: Some(time),
            ..Default::default()
        };
        refuses(house, "OUT_OF_RANGE", sla.get_attainment(request)).await;
        let mut words = super::setting::five_w(48);
        words.when.as_mut().unwrap().deadline = Some(time);
        let field = ["expectation.five_w.when.deadline"];
        let request = pair.draft_request(words);
        let answer = refuses(
            house,
            BAD,
            pair.north
                .connection
                .expectations()
                .create_expectation(request),
        )
        .await;
        assert_eq!(answer.fields, field);
    }
}
