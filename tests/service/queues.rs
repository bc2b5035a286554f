//! What a dispatcher looks at: open clocks by urgency, and tickets in short.

use entente::proto::google::r#type::DayOfWeek;
use entente::proto::v1::{self, ChargedPartyKind, ClockOrder, ClockState, TargetType};

use super::calls::{faulty, ok, refuses};
use super::house::{HOUR, House, at, lasting};
use super::setting::{NORTH_PSA, Pair, SOUTH, opening, status, ticket};

/// The reason for bad input.
const BAD: &str = "INVALID_FIELD";

/// The request for all open clocks.
fn all(pair: &Pair) -> v1::ListClocksRequest {
    v1::ListClocksRequest {
        parent: pair.name.clone(),
        ..Default::default()
    }
}

/// (the caller's id of the ticket, type) of the clocks found.
fn names(clocks: &[v1::OpenClock]) -> Vec<(String, TargetType)> {
    let name = |clock: &v1::OpenClock| {
        let id = clock.external_references[0].id.clone();
        (id, clock.clock.as_ref().unwrap().r#type())
    };
    clocks.iter().map(name).collect()
}

fn expected(names: &[(&str, TargetType)]) -> Vec<(String, TargetType)> {
    let owned = |(id, target_type): &(&str, TargetType)| ((*id).to_owned(), *target_type);
    names.iter().map(owned).collect()
}

/// Three tickets at the same time: one urgent, one that waits for its client, one that is done.
async fn a_queue(pair: &Pair) -> Vec<String> {
    let id = |number: &str| ticket(NORTH_PSA, number);
    let events = vec![
        opening("e1", &id("1"), 0, 2),
        opening("e1", &id("2"), 0, 1),
        opening("e1", &id("3"), 0, 1),
        status("e2", &id("1"), HOUR / 2, "Waiting"),
        status("e2", &id("3"), HOUR / 2, "Done"),
    ];
    let results = pair.ingest(&pair.north, events).await;
    results[..3]
        .iter()
        .map(|result| result.ticket.clone())
        .collect()
}

/// By working time left, not by the clock on the wall: over a weekend, a deadline on Monday is nearer
/// than one on Sunday.
pub async fn the_most_pressing_clock_comes_first(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    let weekdays =
        (DayOfWeek::Monday.into()..=DayOfWeek::Friday.into()).map(|day| v1::WeeklyWindow {
            day,
            start: "00:00".to_owned(),
            end: "24:00".to_owned(),
        });
    let request = v1::CreateCalendarRequest {
        parent: pair.name.clone(),
        calendar_id: "weekdays".to_owned(),
        calendar: Some(v1::Calendar {
            display_name: "Weekdays".to_owned(),
            time_zone: "UTC".to_owned(),
            weekly_windows: weekdays.collect(),
            ..Default::default()
        }),
        ..Default::default()
    };
    ok(pair.north.connection.sla().create_calendar(request)).await;
    let mut office = pair.desk();
    office.calendar = format!("{}/calendars/weekdays", pair.name);
    office.targets.retain(|target| target.priority == 1);
    for target in &mut office.targets {
        target.duration = Some(lasting(3 * 24 * HOUR));
    }
    pair.agreement("office", office).await;
    let mut first = opening("e1", &ticket(NORTH_PSA, "1"), 0, 2);
    first.agreement = format!("{}/agreements/desk", pair.name);
    let mut second = opening("e1", &ticket(NORTH_PSA, "2"), 0, 1);
    second.agreement = format!("{}/agreements/office", pair.name);
    pair.ingest(&pair.north, vec![first, second]).await;
    house.pass(HOUR);
    let mut sla = pair.south.connection.sla();
    let found = ok(sla.list_clocks(all(&pair))).await;
    let left: Vec<i64> = found
        .clocks
        .iter()
        .map(|clock| clock.time_left.unwrap().seconds / HOUR)
        .collect();
    assert_eq!(left.len(), 4);
    assert!(left.is_sorted(), "{left:?}");
    assert_eq!(left[..2], [1, 9]);
    assert!(
        found
            .clocks
            .iter()
            .all(|clock| clock.external_references.is_empty())
    );
    let by_due = v1::ListClocksRequest {
        order: ClockOrder::DueTime.into(),
        ..all(&pair)
    };
    let found = ok(sla.list_clocks(by_due)).await;
    let due = |clock: &v1::OpenClock| clock.clock.as_ref().unwrap().due_time.unwrap().seconds;
    assert!(found.clocks.is_sorted_by_key(due));
    house.stop().await;
}

/// Requests with one filter each, and what they find in [`a_queue`].
fn filters(pair: &Pair) -> Vec<(v1::ListClocksRequest, Vec<(&'static str, TargetType)>)> {
    let (response, resolution) = (TargetType::FirstResponse, TargetType::Resolution);
    vec![
        (
            v1::ListClocksRequest {
                types: vec![response.into()],
                ..all(pair)
            },
            vec![("2", response)],
        ),
        (
            v1::ListClocksRequest {
                states: vec![ClockState::Paused.into()],
                ..all(pair)
            },
            vec![("1", resolution)],
        ),
        (
            v1::ListClocksRequest {
                charged_to: ChargedPartyKind::Client.into(),
                ..all(pair)
            },
            vec![("1", resolution)],
        ),
        (
            v1::ListClocksRequest {
                charged_party: SOUTH.to_owned(),
                ..all(pair)
            },
            vec![("2", response), ("2", resolution)],
        ),
        (
            v1::ListClocksRequest {
                obligor: "party-1".to_owned(),
                ..all(pair)
            },
            vec![],
        ),
        (
            v1::ListClocksRequest {
                due_before: Some(at(2 * HOUR)),
                ..all(pair)
            },
            vec![("2", response)],
        ),
        (
            v1::ListClocksRequest {
                at_risk_bps: 2_500,
                ..all(pair)
            },
            vec![("2", response), ("2", resolution)],
        ),
    ]
}

pub async fn clocks_are_filtered(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    house.pass(HOUR);
    a_queue(&pair).await;
    let mut sla = pair.north.connection.sla();
    let (response, resolution) = (TargetType::FirstResponse, TargetType::Resolution);
    // A response by state: the first ticket's was given when it began to wait.
    let found = ok(sla.list_clocks(all(&pair))).await;
    assert_eq!(
        names(&found.clocks),
        expected(&[("2", response), ("2", resolution), ("1", resolution)])
    );
    for (request, wanted) in filters(&pair) {
        let found = ok(sla.list_clocks(request)).await;
        assert_eq!(names(&found.clocks), expected(&wanted));
    }
    house.stop().await;
}

/// Filters that nobody could mean are refused by their path.
pub async fn filters_of_clocks_at_fault(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    let mut sla = pair.north.connection.sla();
    for (request, field) in [
        (
            v1::ListClocksRequest {
                types: vec![1, 1],
                ..all(&pair)
            },
            "types[1]",
        ),
        (
            v1::ListClocksRequest {
                states: vec![0],
                ..all(&pair)
            },
            "states[0]",
        ),
        (
            v1::ListClocksRequest {
                charged_to: 9,
                ..all(&pair)
            },
            "charged_to",
        ),
        (
            v1::ListClocksRequest {
                order: 9,
                ..all(&pair)
            },
            "order",
        ),
        (
            v1::ListClocksRequest {
                at_risk_bps: -1,
                ..all(&pair)
            },
            "at_risk_bps",
        ),
    ] {
        faulty(&house, BAD, &[field], sla.list_clocks(request)).await;
    }
    house.stop().await;
}

/// Pages go on from where the last one ended, as of the same instant, whatever happens in between.
pub async fn pages_of_clocks_are_of_one_instant(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    let events = (0..5).map(|number| opening("e1", &ticket(NORTH_PSA, &number.to_string()), 0, 2));
    pair.ingest(&pair.north, events.collect()).await;
    house.pass(HOUR);
    let mut sla = pair.north.connection.sla();
    let whole = ok(sla.list_clocks(all(&pair))).await;
    assert_eq!(whole.clocks.len(), 10);
    let mut paged = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = v1::ListClocksRequest {
            page_size: 3,
            page_token: page_token.clone(),
            ..all(&pair)
        };
        let page = ok(sla.list_clocks(request)).await;
        assert_eq!(page.as_of_time, whole.as_of_time);
        paged.extend(page.clocks);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
        house.pass(HOUR);
    }
    assert_eq!(paged, whole.clocks);
    let first = v1::ListClocksRequest {
        page_size: 3,
        ..all(&pair)
    };
    let token = ok(sla.list_clocks(first)).await.next_page_token;
    let other = v1::ListClocksRequest {
        page_token: token,
        at_risk_bps: 1,
        ..all(&pair)
    };
    refuses(&house, "PAGE_TOKEN_INVALID", sla.list_clocks(other)).await;
    house.stop().await;
}

pub async fn tickets_in_short(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    house.pass(HOUR);
    let names = a_queue(&pair).await;
    let request = |names: &[String]| v1::BatchGetTicketsRequest {
        parent: pair.name.clone(),
        names: names.to_vec(),
    };
    let mut sla = pair.north.connection.sla();
    let wanted = [
        names[1].clone(),
        names[0].clone(),
        names[2].clone(),
        names[1].clone(),
    ];
    let found = ok(sla.batch_get_tickets(request(&wanted))).await.tickets;
    let of = |ticket: &v1::TicketSummary| {
        (
            ticket.ticket.clone(),
            ticket.respond_due_time,
            ticket.resolve_due_time,
            ticket.percent_used_bps,
        )
    };
    let urgent = (names[1].clone(), Some(at(HOUR)), Some(at(4 * HOUR)), 10_000);
    assert_eq!(of(&found[0]), urgent);
    assert_eq!(found[0], found[3]);
    assert_eq!(found[0].waiting_on.as_ref().unwrap().name, SOUTH);
    assert_eq!(of(&found[1]), (names[0].clone(), None, None, 500));
    let kind = found[1].waiting_on.as_ref().unwrap().kind();
    assert_eq!(kind, ChargedPartyKind::Client);
    assert_eq!(of(&found[2]), (names[2].clone(), None, None, 0));
    assert_eq!(found[2].waiting_on, None);
    let strange = format!("{}/tickets/none", pair.name);
    let absent = request(&[names[0].clone(), strange]);
    faulty(
        &house,
        "NOT_FOUND",
        &["names[1]"],
        sla.batch_get_tickets(absent),
    )
    .await;
    faulty(&house, BAD, &["names"], sla.batch_get_tickets(request(&[]))).await;
    let many = request(&vec![names[0].clone(); 501]);
    faulty(&house, BAD, &["names"], sla.batch_get_tickets(many)).await;
    house.stop().await;
}
