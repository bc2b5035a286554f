//! What other terms would have made of recorded tickets.

use entente::proto::google::r#type::DayOfWeek;
use entente::proto::v1::{self, AgreementKind, TargetType, TicketState, Verdict};

use super::calls::{faulty, ok, refuses};
use super::house::{HOUR, House, MINUTE, at, lasting};
use super::setting::{NORTH, NORTH_PSA, Pair, event, opening, status, target, ticket};

/// Not acceptable.
const BAD: &str = "INVALID_FIELD";

/// Resolutions of priority 1 in half the time, a workaround for priority 2, and no pauses.
fn stricter(pair: &Pair) -> v1::Agreement {
    v1::Agreement {
        targets: vec![
            target(TargetType::FirstResponse, 1, HOUR),
            target(TargetType::Resolution, 1, 2 * HOUR),
            target(TargetType::FirstResponse, 2, 2 * HOUR),
            target(TargetType::Resolution, 2, 10 * HOUR),
            target(TargetType::Workaround, 2, HOUR),
        ],
        pausing_states: Vec::new(),
        // Left open: as in the agreement.
        kind: AgreementKind::Unspecified.into(),
        obligor: String::new(),
        calendar: String::new(),
        ..pair.desk()
    }
}

fn asking(pair: &Pair) -> v1::SimulateAgreementRequest {
    v1::SimulateAgreementRequest {
        name: format!("{}/agreements/desk", pair.name),
        draft: Some(stricter(pair)),
        ..Default::default()
    }
}

/// Three tickets: resolved in three hours, resolved in five of which three waited, and one that goes
/// on from the second hour. Their names in this order.
async fn three(pair: &Pair) -> Vec<String> {
    let ids = ["1", "2", "3"].map(|id| ticket(NORTH_PSA, id));
    let [quick, waiting, open] = &ids;
    let events = vec![
        opening("a1", quick, 0, 1),
        status("a2", quick, 30 * MINUTE, "Open"),
        status("a3", quick, 3 * HOUR, "Done"),
        opening("b1", waiting, 0, 1),
        status("b2", waiting, 10 * MINUTE, "Open"),
        status("b3", waiting, HOUR, "Waiting"),
        status("b4", waiting, 4 * HOUR, "Open"),
        status("b5", waiting, 5 * HOUR, "Done"),
        opening("c1", open, HOUR, 2),
        status("c2", open, HOUR + 10 * MINUTE, "Open"),
    ];
    let results = pair.ingest(&pair.north, events).await;
    [0, 3, 8].map(|index| results[index].ticket.clone()).into()
}

/// Type, and the verdicts before and after.
type Line = (String, TargetType, Option<Verdict>, Option<Verdict>);

fn lines(differences: &[v1::ClockDifference]) -> Vec<Line> {
    let verdict =
        |outcome: &Option<v1::ClockOutcome>| outcome.as_ref().map(v1::ClockOutcome::verdict);
    differences
        .iter()
        .map(|difference| {
            (
                difference.ticket.clone(),
                difference.r#type(),
                verdict(&difference.before),
                verdict(&difference.after),
            )
        })
        .collect()
}

/// Met, breached, running and cancelled of one row.
fn counted(counts: Option<&v1::VerdictCounts>) -> [i64; 4] {
    counts.map_or([0; 4], |counts| {
        [
            counts.met_count,
            counts.breached_count,
            counts.running_count,
            counts.cancelled_count,
        ]
    })
}

/// What would have come out otherwise, ticket by ticket and in all; and nothing is written.
pub async fn a_draft_over_recorded_history(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    house.pass(10 * HOUR);
    let names = three(&pair).await;
    let before = house.heads().await;
    let mut sla = pair.south.connection.sla();
    let found = ok(sla.simulate_agreement(asking(&pair))).await;
    let (met, breached) = (Some(Verdict::Met), Some(Verdict::Breached));
    let mut expected = [
        (names[0].clone(), TargetType::Resolution, met, breached),
        (names[1].clone(), TargetType::Resolution, met, breached),
        (names[2].clone(), TargetType::Workaround, None, breached),
    ];
    // Tickets that came together have no order of their own.
    expected.sort_by(|one, other| one.0.cmp(&other.0));
    assert_eq!(lines(&found.differences), expected);
    let mut differences = found.differences.iter();
    let second = differences.find(|found| found.ticket == names[1]).unwrap();
    let (was, would) = (
        second.before.as_ref().unwrap(),
        second.after.as_ref().unwrap(),
    );
    assert_eq!(was.consumed, Some(lasting(2 * HOUR)));
    assert_eq!(would.consumed, Some(lasting(5 * HOUR)));
    assert_eq!(
        (was.breach_time, would.breach_time),
        (None, Some(at(2 * HOUR)))
    );
    assert_eq!((found.ticket_count, found.changed_ticket_count), (3, 3));
    let rows: Vec<_> = found
        .attainment
        .iter()
        .map(|row| {
            let (before, after) = (row.before.as_ref(), row.after.as_ref());
            (row.r#type(), row.priority, counted(before), counted(after))
        })
        .collect();
    assert_eq!(
        rows,
        [
            (TargetType::FirstResponse, 1, [2, 0, 0, 0], [2, 0, 0, 0]),
            (TargetType::FirstResponse, 2, [1, 0, 0, 0], [1, 0, 0, 0]),
            (TargetType::Workaround, 2, [0; 4], [0, 1, 0, 0]),
            (TargetType::Resolution, 1, [2, 0, 0, 0], [0, 2, 0, 0]),
            (TargetType::Resolution, 2, [0, 0, 1, 0], [0, 0, 1, 0]),
        ]
    );
    let attained = found.attainment[3].after.as_ref().unwrap().attained_bps;
    assert_eq!(attained, Some(0));
    let later = v1::SimulateAgreementRequest {
        start_time: Some(at(1)),
        ..asking(&pair)
    };
    let found = ok(sla.simulate_agreement(later)).await;
    assert_eq!((found.ticket_count, found.differences.len()), (1, 1));
    assert_eq!(house.heads().await, before, "a simulation wrote something");
    house.stop().await;
}

fn office() -> v1::CalendarSpecification {
    let days = DayOfWeek::Monday.into()..=DayOfWeek::Friday.into();
    v1::CalendarSpecification {
        time_zone: "UTC".to_owned(),
        weekly_windows: days
            .map(|day| v1::WeeklyWindow {
                day,
                start: "08:00".to_owned(),
                end: "17:00".to_owned(),
            })
            .collect(),
        exceptions: Vec::new(),
    }
}

/// The same promises in other hours: a calendar in the request, or one of the partnership.
pub async fn other_hours_over_recorded_history(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    house.pass(20 * HOUR);
    let names = three(&pair).await;
    let mut sla = pair.north.connection.sla();
    let written = v1::SimulateAgreementRequest {
        draft: None,
        draft_calendar: Some(office()),
        ..asking(&pair)
    };
    let found = ok(sla.simulate_agreement(written)).await;
    let (running, breached) = (Some(Verdict::Running), Some(Verdict::Breached));
    let expected = (names[2].clone(), TargetType::Resolution, breached, running);
    assert_eq!(lines(&found.differences), [expected]);
    let would = found.differences[0].after.as_ref().unwrap();
    // Eight hours on Monday, and two on Tuesday.
    assert_eq!(would.consumed, Some(lasting(8 * HOUR)));
    assert_eq!(would.due_time, Some(at(26 * HOUR)));
    let creating = v1::CreateCalendarRequest {
        parent: pair.name.clone(),
        calendar_id: "office".to_owned(),
        calendar: Some(v1::Calendar {
            display_name: "Office".to_owned(),
            time_zone: "UTC".to_owned(),
            weekly_windows: office().weekly_windows,
            ..Default::default()
        }),
        ..Default::default()
    };
    let office = ok(sla.create_calendar(creating)).await;
    let stored = v1::SimulateAgreementRequest {
        draft: Some(v1::Agreement {
            calendar: office.name,
            ..pair.desk()
        }),
        calendar_revision: 1,
        ..asking(&pair)
    };
    let again = ok(sla.simulate_agreement(stored.clone())).await;
    assert_eq!(again.differences, found.differences);
    assert_eq!(again.attainment, found.attainment);
    let absent = v1::SimulateAgreementRequest {
        calendar_revision: 2,
        ..stored
    };
    faulty(
        &house,
        "NOT_FOUND",
        &["calendar_revision"],
        sla.simulate_agreement(absent),
    )
    .await;
    house.stop().await;
}

/// Pages go on where the last one ended, and know what was known then.
pub async fn pages_of_differences_are_of_one_instant(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    house.pass(10 * HOUR);
    three(&pair).await;
    // One ticket with several differences: each cycle is one.
    let many = ticket(NORTH_PSA, "4");
    let mut events = vec![opening("d1", &many, 0, 2)];
    events.extend((1..6).map(|number| v1::TicketEvent {
        response: Some(true),
        activities: vec![v1::TicketActivity::UpdateGiven.into()],
        ..event(&format!("d{}", number + 1), &many, number * HOUR)
    }));
    pair.ingest(&pair.north, events).await;
    let draft = v1::Agreement {
        targets: vec![
            target(TargetType::Resolution, 1, HOUR),
            target(TargetType::NextUpdate, 2, 30 * MINUTE),
        ],
        ..pair.desk()
    };
    let asking = v1::SimulateAgreementRequest {
        draft: Some(draft),
        ..asking(&pair)
    };
    let mut sla = pair.north.connection.sla();
    let whole = ok(sla.simulate_agreement(asking.clone())).await;
    assert!(whole.differences.len() > 10, "{}", whole.differences.len());
    let (mut found, mut page_token, mut is_first) = (Vec::new(), String::new(), true);
    loop {
        let request = v1::SimulateAgreementRequest {
            page_size: 3,
            page_token: page_token.clone(),
            ..asking.clone()
        };
        let page = ok(sla.simulate_agreement(request)).await;
        assert_eq!(page.as_of_time, whole.as_of_time);
        if is_first {
            assert_eq!(page.attainment, whole.attainment);
            assert_eq!(page.ticket_count, 4);
            // Nothing of what comes now is on the other pages.
            house.pass(HOUR);
            let late = ["1", "9"].map(|id| opening("z1", &ticket(NORTH_PSA, id), 0, 1));
            pair.ingest(&pair.north, late.into()).await;
        } else {
            assert_eq!((page.attainment.len(), page.ticket_count), (0, 0));
        }
        is_first = false;
        found.extend(page.differences);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(found, whole.differences);
    let first = v1::SimulateAgreementRequest {
        page_size: 3,
        ..asking.clone()
    };
    let token = ok(sla.simulate_agreement(first)).await.next_page_token;
    let other = v1::SimulateAgreementRequest {
        page_token: token,
        start_time: Some(at(0)),
        ..asking
    };
    refuses(&house, "PAGE_TOKEN_INVALID", sla.simulate_agreement(other)).await;
    house.stop().await;
}

/// A draft is checked as if it were to be agreed, and all that is wrong is said.
pub async fn drafts_at_fault(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    let mut sla = pair.north.connection.sla();
    let nothing = v1::SimulateAgreementRequest {
        draft: None,
        ..asking(&pair)
    };
    faulty(&house, BAD, &["draft"], sla.simulate_agreement(nothing)).await;
    let much = v1::SimulateAgreementRequest {
        start_time: Some(at(HOUR)),
        end_time: Some(at(0)),
        calendar_revision: -1,
        draft: Some(v1::Agreement {
            kind: AgreementKind::Reciprocal.into(),
            obligor: NORTH.to_owned(),
            targets: vec![target(TargetType::Resolution, 6, HOUR)],
            thresholds_bps: vec![-5],
            ..pair.desk()
        }),
        ..asking(&pair)
    };
    let fields = [
        "end_time",
        "calendar_revision",
        "draft.kind",
        "draft.obligor",
        "draft.targets[0].priority",
        "draft.thresholds_bps[0]",
    ];
    faulty(&house, BAD, &fields, sla.simulate_agreement(much)).await;
    let rules = v1::SimulateAgreementRequest {
        draft: Some(v1::Agreement {
            targets: Vec::new(),
            pausing_states: vec![TicketState::InProgress.into()],
            ..pair.desk()
        }),
        ..asking(&pair)
    };
    let fields = ["draft.targets", "draft.pausing_states"];
    faulty(&house, BAD, &fields, sla.simulate_agreement(rules)).await;
    calendars_at_fault(&house, &pair).await;
    house.stop().await;
}

async fn calendars_at_fault(house: &House, pair: &Pair) {
    let mut sla = pair.north.connection.sla();
    let both = v1::SimulateAgreementRequest {
        draft: Some(pair.desk()),
        draft_calendar: Some(office()),
        ..asking(pair)
    };
    faulty(
        house,
        BAD,
        &["draft_calendar"],
        sla.simulate_agreement(both),
    )
    .await;
    let absent = v1::SimulateAgreementRequest {
        draft: Some(v1::Agreement {
            calendar: format!("{}/calendars/none", pair.name),
            ..pair.desk()
        }),
        ..asking(pair)
    };
    let field = ["draft.calendar"];
    faulty(house, "NOT_FOUND", &field, sla.simulate_agreement(absent)).await;
    let with = |calendar| v1::SimulateAgreementRequest {
        draft_calendar: Some(calendar),
        ..asking(pair)
    };
    let nowhere = v1::CalendarSpecification {
        time_zone: "Europe/Atlantis".to_owned(),
        ..office()
    };
    let field = ["draft_calendar.time_zone"];
    let call = sla.simulate_agreement(with(nowhere));
    faulty(house, "ZONE_UNKNOWN", &field, call).await;
    let never = v1::CalendarSpecification {
        weekly_windows: Vec::new(),
        ..office()
    };
    let call = sla.simulate_agreement(with(never));
    refuses(house, "CALENDAR_NEVER_OPENS", call).await;
    let mut minute = office();
    minute.weekly_windows.truncate(1);
    "08:01".clone_into(&mut minute.weekly_windows[0].end);
    let mut long = with(minute);
    let year = target(TargetType::Resolution, 1, 366 * 24 * HOUR);
    long.draft.as_mut().unwrap().targets[1] = year;
    let field = ["draft.targets[1].duration"];
    let call = sla.simulate_agreement(long);
    faulty(house, "TARGET_UNREACHABLE", &field, call).await;
}

/// Beyond ten thousand tickets a period is asked for, and then helps.
pub async fn too_many_tickets_ask_for_a_period(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    house.pass(10 * HOUR);
    for thousand in 0..11 {
        let events = (0..1_000).map(|number| {
            let id = ticket(NORTH_PSA, &format!("{thousand}-{number}"));
            opening("e1", &id, thousand * MINUTE, 1)
        });
        let results = pair.ingest(&pair.north, events.collect()).await;
        assert!(results.iter().all(|result| result.error.is_none()));
    }
    let mut sla = pair.north.connection.sla();
    let call = sla.simulate_agreement(asking(&pair));
    let refused = refuses(&house, "RESULT_TOO_LARGE", call).await;
    assert_eq!(refused.metadata["maximum"], "10000");
    let desk = asking(&pair).name;
    let checking = v1::CheckChainRequest {
        upstream_agreement: desk.clone(),
        downstream_agreement: desk,
        ..Default::default()
    };
    let call = sla.check_chain(checking.clone());
    refuses(&house, "RESULT_TOO_LARGE", call).await;
    let some = v1::CheckChainRequest {
        start_time: Some(at(MINUTE)),
        ..checking
    };
    assert_eq!(ok(sla.check_chain(some)).await.ticket_count, 10_000);
    let some = v1::SimulateAgreementRequest {
        start_time: Some(at(MINUTE)),
        page_size: 1,
        ..asking(&pair)
    };
    let found = ok(sla.simulate_agreement(some)).await;
    assert_eq!(found.ticket_count, 10_000);
    house.stop().await;
}
