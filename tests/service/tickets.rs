//! Calendars, agreements, status maps, tickets and their clocks.

use entente::domain::sla::agreement::AGREEMENTS_IN_FORCE_MAX;
use entente::proto::google::r#type::DayOfWeek;
use entente::proto::v1::{
    self, AgreementState, ChargedPartyKind, ClockState, IngestOutcome, TargetType, Verdict,
};

use super::calls::{ok, refuses};
use super::house::{Firm, HOUR, House, MINUTE, at, lasting};
use super::setting::{NORTH_PSA, Pair, always, opening, status, ticket};

fn outcomes(results: &[v1::IngestResult]) -> Vec<IngestOutcome> {
    results.iter().map(v1::IngestResult::outcome).collect()
}

async fn ticket_at(firm: &Firm, name: &str, as_of: Option<i64>) -> v1::Ticket {
    let request = v1::GetTicketRequest {
        name: name.to_owned(),
        as_of_time: as_of.map(at),
        ..v1::GetTicketRequest::default()
    };
    ok(firm.connection.sla().get_ticket(request)).await
}

fn clock(ticket: &v1::Ticket, target_type: TargetType) -> v1::Clock {
    let clock = ticket
        .clocks
        .iter()
        .find(|clock| clock.r#type() == target_type);
    clock.cloned().expect("a clock of that type")
}

/// Revisions of a calendar, and an agreement that pins one and needs both firms.
pub async fn calendars_and_agreements(house: House) {
    let pair = Pair::active(&house).await;
    let created = pair.calendar().await;
    assert_eq!((created.revision, created.time_zone_digest.len()), (1, 64));
    let mut souths = pair.south.connection.sla();
    let office = v1::Calendar {
        time_zone: "Europe/Zurich".to_owned(),
        weekly_windows: vec![v1::WeeklyWindow {
            day: DayOfWeek::Monday.into(),
            start: "22:00".to_owned(),
            end: "06:00".to_owned(),
        }],
        ..always()
    };
    let request = v1::CreateCalendarRequest {
        parent: pair.name.clone(),
        calendar_id: "night".to_owned(),
        calendar: Some(office.clone()),
        ..Default::default()
    };
    let night = ok(souths.create_calendar(request.clone())).await;
    refuses(&house, "ALREADY_EXISTS", souths.create_calendar(request)).await;
    assert_ne!(night.time_zone_digest, created.time_zone_digest);

    let proposed = pair.agreement_request("desk", pair.desk());
    let proposed = ok(souths.create_agreement(proposed)).await;
    assert_eq!(
        (proposed.state(), proposed.calendar_revision),
        (AgreementState::Proposed, 1)
    );
    assert_eq!(proposed.thresholds_bps, [5_000, 7_500, 10_000]);
    let revised = v1::UpdateCalendarRequest {
        calendar: Some(v1::Calendar {
            name: created.name.clone(),
            etag: created.etag.clone(),
            ..office
        }),
        ..Default::default()
    };
    let revised = ok(souths.update_calendar(revised)).await;
    assert_eq!(
        (revised.revision, revised.time_zone_digest),
        (2, night.time_zone_digest)
    );

    agreed(&house, &pair, &proposed).await;
    house.stop().await;
}

/// Nobody alone puts an agreement in force.
async fn agreed(house: &House, pair: &Pair, proposed: &v1::Agreement) {
    let mut souths = pair.south.connection.sla();
    let approval = |hash: &str| v1::ApproveAgreementRequest {
        name: proposed.name.clone(),
        hash: hash.to_owned(),
        ..Default::default()
    };
    let mut norths = pair.north.connection.sla();
    let stale = norths.approve_agreement(approval(&"f".repeat(64)));
    refuses(house, "STALE_HASH", stale).await;
    let own = ok(souths.approve_agreement(approval(&proposed.hash))).await;
    assert_eq!(own.state(), AgreementState::Proposed);
    let active = ok(norths.approve_agreement(approval(&proposed.hash))).await;
    assert_eq!(
        (active.state(), active.calendar_revision),
        (AgreementState::Active, 1)
    );
    let listed = v1::ListAgreementsRequest {
        parent: pair.name.clone(),
        ..Default::default()
    };
    assert_eq!(
        ok(norths.list_agreements(listed)).await.agreements,
        [active]
    );
    let listed = v1::ListCalendarsRequest {
        parent: pair.name.clone(),
        ..Default::default()
    };
    let listed = ok(norths.list_calendars(listed)).await.calendars;
    let names: Vec<_> = listed
        .iter()
        .map(|calendar| calendar.name.rsplit('/').next().unwrap())
        .collect();
    assert_eq!(names, ["always", "night"]);
    let request = v1::EndAgreementRequest {
        name: proposed.name.clone(),
        ..Default::default()
    };
    assert_eq!(
        ok(norths.end_agreement(request)).await.state(),
        AgreementState::Ended
    );
}

/// Priority 1, opened at 0 min; answered at 30; waiting for the client from 60 to 120; done at 150.
pub fn eventful(id: &v1::ExternalReference) -> Vec<v1::TicketEvent> {
    vec![
        opening("e1", id, 0, 1),
        status("e2", id, 30 * MINUTE, "Open"),
        status("e3", id, HOUR, "Waiting"),
        status("e4", id, 2 * HOUR, "Open"),
        status("e5", id, 150 * MINUTE, "Done"),
    ]
}

/// Whatever the order of arrival, a clock shows the same, and its tiles add up.
pub async fn events_in_any_order_and_their_clocks(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    house.pass(6 * HOUR);
    let (forward, backward) = (ticket(NORTH_PSA, "1"), ticket(NORTH_PSA, "2"));
    let mut names = Vec::new();
    for (id, reversed) in [(&forward, false), (&backward, true)] {
        let mut events = eventful(id);
        if reversed {
            events.reverse();
        }
        let results = pair.ingest(&pair.north, events.clone()).await;
        assert_eq!(outcomes(&results), [IngestOutcome::Applied; 5]);
        // Sending them again, in another order, is harmless and answered alike.
        events.swap(0, 4);
        let mut again = pair.ingest(&pair.north, events).await;
        assert_eq!(outcomes(&again), [IngestOutcome::AlreadyApplied; 5]);
        again.swap(0, 4);
        let places = |results: &[v1::IngestResult]| -> Vec<_> {
            results
                .iter()
                .map(|result| (result.sequence, result.hash.clone()))
                .collect()
        };
        assert_eq!(places(&results), places(&again));
        names.push(results[0].ticket.clone());
    }
    let (first, second) = (
        ticket_at(&pair.north, &names[0], None).await,
        ticket_at(&pair.south, &names[1], None).await,
    );
    assert_eq!(first.clocks, second.clocks);
    assert_eq!(
        (first.title.as_str(), first.priority, first.event_count),
        ("Payroll is down", 1, 5)
    );
    assert_eq!(first.external_references, [forward]);
    assert!(
        second.external_references.is_empty(),
        "another firm's reference is shown"
    );
    let resolution = clock(&first, TargetType::Resolution);
    assert_eq!(
        (resolution.verdict(), resolution.consumed),
        (Verdict::Met, Some(lasting(90 * MINUTE)))
    );
    let response = clock(&first, TargetType::FirstResponse);
    assert_eq!(
        (response.stop_time, response.percent_used_bps),
        (Some(at(30 * MINUTE)), 5_000)
    );

    as_of(&pair, &names[0]).await;
    explained(&pair, &names[0], &resolution).await;
    found(&house, &pair, &names[1]).await;
    house.stop().await;
}

/// A firm finds its tickets by its own ids.
async fn found(house: &House, pair: &Pair, name: &str) {
    let lookup = v1::LookupTicketRequest {
        parent: "partnerships/-".to_owned(),
        reference: Some(ticket(NORTH_PSA, "2")),
    };
    assert_eq!(
        ok(pair.north.connection.sla().lookup_ticket(lookup.clone()))
            .await
            .name,
        name
    );
    let theirs = pair.south.connection.sla();
    refuses(house, "NOT_FOUND", { theirs }.lookup_ticket(lookup)).await;
    let list = v1::ListTicketsRequest {
        parent: pair.name.clone(),
        ..Default::default()
    };
    assert_eq!(
        ok(pair.south.connection.sla().list_tickets(list))
            .await
            .tickets
            .len(),
        2
    );
}

/// The same clock at other instants.
async fn as_of(pair: &Pair, name: &str) {
    let at_45 = clock(
        &ticket_at(&pair.south, name, Some(45 * MINUTE)).await,
        TargetType::Resolution,
    );
    assert_eq!(
        (at_45.state(), at_45.verdict()),
        (ClockState::Running, Verdict::Running)
    );
    assert_eq!(
        (at_45.consumed, at_45.due_time),
        (Some(lasting(45 * MINUTE)), Some(at(4 * HOUR)))
    );
    let at_90 = clock(
        &ticket_at(&pair.south, name, Some(90 * MINUTE)).await,
        TargetType::Resolution,
    );
    assert_eq!((at_90.state(), at_90.due_time), (ClockState::Paused, None));
    assert_eq!(at_90.consumed, Some(lasting(HOUR)));
    assert_eq!(at_90.charged_to.unwrap().kind(), ChargedPartyKind::Client);
    let at_130 = clock(
        &ticket_at(&pair.south, name, Some(130 * MINUTE)).await,
        TargetType::Resolution,
    );
    assert_eq!(
        (at_130.consumed, at_130.due_time),
        (Some(lasting(70 * MINUTE)), Some(at(5 * HOUR)))
    );
}

/// The intervals tile the clock's life, on however many pages, and add up to what it shows.
async fn explained(pair: &Pair, name: &str, resolution: &v1::Clock) {
    let mut intervals = Vec::new();
    let mut request = v1::ExplainClockRequest {
        name: name.to_owned(),
        r#type: TargetType::Resolution.into(),
        page_size: 2,
        ..Default::default()
    };
    loop {
        let page = ok(pair.south.connection.sla().explain_clock(request.clone())).await;
        assert_eq!(page.clock.as_ref(), Some(resolution));
        assert!(page.intervals.len() <= 2);
        intervals.extend(page.intervals);
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    assert_eq!(intervals[0].start_time, resolution.start_time);
    assert_eq!(
        intervals[intervals.len() - 1].end_time,
        resolution.stop_time
    );
    for pair in intervals.windows(2) {
        assert_eq!(pair[0].end_time, pair[1].start_time);
    }
    let sum = |part: fn(&v1::ClockInterval) -> i64| intervals.iter().map(part).sum::<i64>();
    let consumed = |interval: &v1::ClockInterval| interval.consumed.unwrap().seconds;
    let charged =
        |interval: &v1::ClockInterval| interval.charged.map_or(0, |charged| charged.seconds);
    assert_eq!((sum(consumed), sum(charged)), (90 * MINUTE, 150 * MINUTE));
    let paused: Vec<_> = intervals
        .iter()
        .filter(|interval| interval.state() == ClockState::Paused)
        .collect();
    assert_eq!(paused.len(), 1);
    assert_eq!(
        (charged(paused[0]), paused[0].event_id.as_str()),
        (HOUR, "e3")
    );
    assert_eq!(
        paused[0].charged_to.as_ref().unwrap().kind(),
        ChargedPartyKind::Client
    );
    assert!(intervals.iter().all(|interval| !interval.rule.is_empty()));
}

/// What no map explains is kept, listed, and explained later.
pub async fn statuses_that_nobody_explained(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    let id = ticket(NORTH_PSA, "7");
    let results = pair
        .ingest(
            &pair.north,
            vec![opening("e1", &id, 0, 1), status("e2", &id, 0, "Zombie")],
        )
        .await;
    assert_eq!(
        outcomes(&results),
        [IngestOutcome::Applied, IngestOutcome::Parked]
    );
    let again = pair
        .ingest(&pair.north, vec![status("e2", &id, 0, "Zombie")])
        .await;
    assert_eq!(outcomes(&again), [IngestOutcome::Parked]);
    let list = v1::ListUnmappedRequest {
        parent: pair.name.clone(),
        ..Default::default()
    };
    let unmapped = ok(pair.north.connection.sla().list_unmapped(list.clone()))
        .await
        .unmapped_words;
    assert_eq!(unmapped.len(), 1);
    assert_eq!(
        (unmapped[0].word.as_str(), unmapped[0].parked_count),
        ("Zombie", 1)
    );
    assert_eq!(unmapped[0].example_tickets, [id]);
    let theirs = ok(pair.south.connection.sla().list_unmapped(list.clone())).await;
    assert!(theirs.unmapped_words.is_empty());
    assert_eq!(
        ticket_at(&pair.south, &results[0].ticket, None)
            .await
            .parked_count,
        1
    );

    let mut request = pair.status_map_request(NORTH_PSA);
    let map = request.status_map.as_mut().unwrap();
    map.entries.push(v1::StatusMapEntry {
        status: "Zombie".to_owned(),
        state: v1::TicketState::Resolved.into(),
    });
    let name = map.name.clone();
    let mut souths = pair.south.connection.sla();
    // Every party reads a map; its own firm alone changes it.
    refuses(
        &house,
        "NOT_FOUND",
        souths.update_status_map(request.clone()),
    )
    .await;
    let revised = ok(pair.north.connection.sla().update_status_map(request)).await;
    assert_eq!(
        (revised.revision, revised.firm.as_str()),
        (2, "firms/north")
    );
    assert_eq!(
        ok(souths.get_status_map(v1::GetStatusMapRequest { name })).await,
        revised
    );
    let unmapped = ok(pair.north.connection.sla().list_unmapped(list)).await;
    assert!(unmapped.unmapped_words.is_empty());
    house.stop().await;
}

/// With as many agreements in force as there may be, a ticket still finds its own.
pub async fn a_ticket_among_many_agreements(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    for number in 1..AGREEMENTS_IN_FORCE_MAX {
        pair.agreement(&format!("other-{number}"), pair.desk())
            .await;
    }
    let first = opening("e1", &ticket(NORTH_PSA, "1"), 0, 1);
    let named = v1::TicketEvent {
        agreement: format!("{}/agreements/desk", pair.name),
        ..first.clone()
    };
    let nameless = pair.ingest(&pair.north, vec![first]).await.remove(0);
    let error = nameless.error.unwrap();
    assert!(error.message.contains("several agreements"), "{error:?}");
    let result = pair.ingest(&pair.north, vec![named]).await.remove(0);
    assert_eq!(result.outcome(), v1::IngestOutcome::Applied, "{result:?}");
    house.stop().await;
}
