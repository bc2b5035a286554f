//! All the promises of both sides on one ticket, and who is told when.

use entente::proto::v1::{
    self, AgreementKind, EscalationType, ReopenRule, RetargetRule, TargetType, TicketActivity,
    TicketState, Verdict,
};

use super::calls::ok;
use super::house::{HOUR, House, at, lasting};
use super::setting::{NORTH, NORTH_PSA, Pair, SOUTH, event, opening, status, target, ticket};

/// A minute in seconds.
const MINUTE: i64 = 60;

/// What south owes: everything that can be promised.
fn everything(pair: &Pair) -> v1::Agreement {
    let hours = [
        (TargetType::FirstResponse, 1),
        (TargetType::ResolutionPlan, 2),
        (TargetType::NextResponse, 2),
        (TargetType::NextUpdate, 4),
        (TargetType::Workaround, 6),
        (TargetType::Resolution, 10),
    ];
    let level = |name: &str, at| v1::EscalationLevel {
        name: name.to_owned(),
        r#type: EscalationType::Hierarchical.into(),
        at: Some(at),
        types: vec![TargetType::Resolution.into()],
    };
    v1::Agreement {
        targets: hours
            .iter()
            .flat_map(|(target_type, hours)| {
                [
                    target(*target_type, 1, hours * HOUR),
                    target(*target_type, 2, 2 * hours * HOUR),
                ]
            })
            .collect(),
        response_by_status: false,
        pausing_states: vec![
            TicketState::WaitingOnClient.into(),
            TicketState::WaitingOnPartner.into(),
        ],
        thresholds_bps: vec![10_000],
        retarget_rule: RetargetRule::ProRata.into(),
        reopen_rules: vec![v1::TargetReopenRule {
            r#type: TargetType::Resolution.into(),
            rule: ReopenRule::NewCycle.into(),
        }],
        escalation_levels: vec![
            level(
                "duty-manager",
                v1::escalation_level::At::BeforeDue(lasting(2 * HOUR)),
            ),
            level("owner", v1::escalation_level::At::ThresholdBps(9_000)),
        ],
        ..pair.desk()
    }
}

/// What north owes for being waited for.
fn answers(pair: &Pair) -> v1::Agreement {
    v1::Agreement {
        display_name: "Answers".to_owned(),
        kind: AgreementKind::Reciprocal.into(),
        obligor: NORTH.to_owned(),
        beneficiary: SOUTH.to_owned(),
        targets: vec![
            target(TargetType::NextResponse, 1, HOUR),
            target(TargetType::NextResponse, 2, HOUR),
        ],
        calendar: format!("{}/calendars/always", pair.name),
        ..Default::default()
    }
}

async fn agreed(house: &House) -> Pair {
    let pair = Pair::active(house).await;
    pair.calendar().await;
    pair.agreement("everything", everything(&pair)).await;
    pair.agreement("answers", answers(&pair)).await;
    let mut map = pair.status_map_request(NORTH_PSA);
    map.status_map
        .as_mut()
        .unwrap()
        .entries
        .push(v1::StatusMapEntry {
            status: "With north".to_owned(),
            state: TicketState::WaitingOnPartner.into(),
        });
    ok(pair.north.connection.sla().update_status_map(map)).await;
    pair
}

fn done(
    id: &str,
    ticket: &v1::ExternalReference,
    minutes: i64,
    activity: TicketActivity,
) -> v1::TicketEvent {
    v1::TicketEvent {
        activities: vec![activity.into()],
        ..event(id, ticket, minutes * MINUTE)
    }
}

fn replied(id: &str, ticket: &v1::ExternalReference, minutes: i64) -> v1::TicketEvent {
    v1::TicketEvent {
        response: Some(true),
        ..event(id, ticket, minutes * MINUTE)
    }
}

/// (type, cycle, obligor, verdict, minutes consumed) of every clock.
fn shown(ticket: &v1::Ticket) -> Vec<(TargetType, i32, &str, Verdict, i64)> {
    let clocks = ticket.clocks.iter();
    clocks
        .map(|clock| {
            (
                clock.r#type(),
                clock.cycle,
                clock.obligor.as_str(),
                clock.verdict(),
                clock.consumed.unwrap().seconds / MINUTE,
            )
        })
        .collect()
}

fn a_day_in_the_life(id: &v1::ExternalReference) -> Vec<v1::TicketEvent> {
    vec![
        opening("e01", id, 0, 1),
        replied("e02", id, 30),
        done("e03", id, 60, TicketActivity::PlanGiven),
        done("e04", id, 90, TicketActivity::MessageReceived),
        replied("e05", id, 120),
        // The ball crosses twice; north answers late the second time.
        status("e06", id, 150 * MINUTE, "With north"),
        status("e07", id, 180 * MINUTE, "Open"),
        status("e08", id, 200 * MINUTE, "With north"),
        status("e09", id, 290 * MINUTE, "Open"),
        done("e10", id, 300, TicketActivity::WorkaroundGiven),
        status("e11", id, 360 * MINUTE, "Done"),
        status("e12", id, 400 * MINUTE, "Open"),
    ]
}

/// S05, S06, S07, S17 and S24: every promise of both sides, cycle by cycle.
pub async fn every_promise_of_both_sides(house: House) {
    let pair = agreed(&house).await;
    house.pass(10 * HOUR);
    let id = ticket(NORTH_PSA, "1");
    let name = pair
        .ingest(&pair.north, a_day_in_the_life(&id))
        .await
        .remove(0)
        .ticket;
    let read = |as_of| v1::GetTicketRequest {
        name: name.clone(),
        as_of_time: Some(at(as_of * MINUTE)),
        ..Default::default()
    };
    let found = ok(pair.south.connection.sla().get_ticket(read(420))).await;
    let (met, running, breached) = (Verdict::Met, Verdict::Running, Verdict::Breached);
    assert_eq!(
        shown(&found),
        [
            (TargetType::FirstResponse, 1, SOUTH, met, 30),
            (TargetType::ResolutionPlan, 1, SOUTH, met, 60),
            (TargetType::NextResponse, 1, SOUTH, met, 30),
            // From the first response to the answer, from there to the end, and from the reopening.
            (TargetType::NextUpdate, 1, SOUTH, met, 90),
            (TargetType::NextUpdate, 2, SOUTH, met, 120),
            (TargetType::NextUpdate, 3, SOUTH, running, 20),
            (TargetType::Workaround, 1, SOUTH, met, 180),
            (TargetType::Resolution, 1, SOUTH, met, 240),
            (TargetType::Resolution, 2, SOUTH, running, 20),
            (TargetType::NextResponse, 1, NORTH, met, 30),
            (TargetType::NextResponse, 2, NORTH, breached, 90),
        ]
    );
    let merged = done("e13", &id, 430, TicketActivity::Merged);
    let after = status("e14", &id, 440 * MINUTE, "With north");
    pair.ingest(&pair.north, vec![merged, after]).await;
    let found = ok(pair.south.connection.sla().get_ticket(read(500))).await;
    let open: Vec<_> = shown(&found)
        .into_iter()
        .filter(|clock| ![met, breached].contains(&clock.3))
        .collect();
    let cancelled = Verdict::Cancelled;
    assert_eq!(
        open,
        [
            (TargetType::NextUpdate, 3, SOUTH, cancelled, 30),
            (TargetType::Resolution, 2, SOUTH, cancelled, 30),
        ]
    );
    house.stop().await;
}

fn seconds(value: Option<prost_types::Duration>) -> i64 {
    value.unwrap().seconds
}

/// What the intervals and the adjustments of an explanation add up to, in seconds.
fn counted(explained: &v1::ExplainClockResponse) -> i64 {
    let consumed = explained.intervals.iter().map(|interval| interval.consumed);
    let adjusted = explained.adjustments.iter().map(|change| change.amount);
    consumed.chain(adjusted).map(seconds).sum()
}

/// Each cycle is explained by itself, to the last second, and so is a change of the target.
pub async fn cycles_and_changes_are_explained(house: House) {
    let pair = agreed(&house).await;
    house.pass(10 * HOUR);
    let id = ticket(NORTH_PSA, "1");
    let mut events = a_day_in_the_life(&id);
    // Opened with a target of 20 hours, which becomes one of 10 on the way.
    events[0].priority = Some(2);
    let raised = v1::TicketEvent {
        priority: Some(1),
        ..event("e09a", &id, 295 * MINUTE)
    };
    events.push(raised);
    let name = pair.ingest(&pair.north, events).await.remove(0).ticket;
    let explain = |r#type: TargetType, cycle, agreement: &str| {
        let request = v1::ExplainClockRequest {
            name: name.clone(),
            r#type: r#type.into(),
            as_of_time: Some(at(420 * MINUTE)),
            cycle,
            agreement: match agreement {
                "" => String::new(),
                id => format!("{}/agreements/{id}", pair.name),
            },
            page_size: 500,
            ..Default::default()
        };
        let mut sla = pair.south.connection.sla();
        async move { ok(sla.explain_clock(request)).await }
    };
    for (target_type, cycle, agreement) in [
        (TargetType::Resolution, 1, ""),
        (TargetType::Resolution, 0, "everything"),
        (TargetType::NextUpdate, 2, ""),
        (TargetType::NextResponse, 1, "answers"),
        (TargetType::NextResponse, 2, "answers"),
    ] {
        let explained = explain(target_type, cycle, agreement).await;
        let clock = explained.clock.as_ref().unwrap();
        assert!(cycle == 0 || clock.cycle == cycle);
        assert_eq!(
            counted(&explained),
            seconds(clock.consumed),
            "{target_type:?} {cycle}"
        );
        for neighbours in explained.intervals.windows(2) {
            assert_eq!(neighbours[0].end_time, neighbours[1].start_time);
        }
    }
    let first = explain(TargetType::Resolution, 1, "").await;
    let change = &first.adjustments[0];
    assert_eq!(
        (change.event_id.as_str(), change.time),
        ("e09a", Some(at(295 * MINUTE)))
    );
    // Until then 175 minutes of 20 hours count, and half as many of 10 from then on.
    assert_eq!(seconds(change.amount), -175 * MINUTE / 2);
    assert_eq!(
        seconds(first.clock.as_ref().unwrap().consumed),
        175 * MINUTE / 2 + 65 * MINUTE
    );
    house.stop().await;
}

/// S14 and S16: each level once and in order, whoever looks, with all that people need to know.
pub async fn escalations_tell_everything_once(house: House) {
    let pair = agreed(&house).await;
    let id = ticket(NORTH_PSA, "1");
    pair.ingest(
        &pair.north,
        vec![opening("e1", &id, 0, 1), replied("e2", &id, 0)],
    )
    .await;
    house.pass(8 * HOUR);
    house.sweep().await;
    house.pass(HOUR);
    tokio::join!(house.sweep(), house.sweep());
    house.pass(HOUR + 1);
    tokio::join!(house.sweep(), house.sweep());
    house.sweep().await;
    let request = v1::ListEntriesRequest {
        parent: pair.name.clone(),
        record_kind: "ticket".to_owned(),
        page_size: 500,
        ..Default::default()
    };
    let entries = ok(pair.south.connection.journal().list_entries(request))
        .await
        .entries;
    let mut raised = Vec::new();
    for entry in entries {
        let payload: serde_json::Value = serde_json::from_slice(&entry.payload).unwrap();
        let levels = &payload["reached"]["escalation_levels"];
        let Some(levels) = levels.as_array() else {
            continue;
        };
        assert_eq!(payload["reached"]["target_type"], "resolution");
        assert_eq!(payload["references"][0]["id"], "1");
        assert_eq!(payload["references"][0]["firm"], "north");
        let deadlines = payload["deadlines"].as_array().unwrap();
        let open: Vec<&str> = deadlines
            .iter()
            .map(|deadline| deadline["target_type"].as_str().unwrap())
            .collect();
        assert_eq!(
            open,
            ["resolution_plan", "next_update", "workaround", "resolution"]
        );
        for level in levels {
            let at = payload["reached"]["at"].clone();
            raised.push((entry.r#type.clone(), level.as_str().unwrap().to_owned(), at));
        }
    }
    let names: Vec<_> = raised
        .iter()
        .map(|(event_type, level, _)| (event_type.as_str(), level.as_str()))
        .collect();
    let reached = "ticket.threshold_reached";
    assert_eq!(names, [(reached, "duty-manager"), (reached, "owner")]);
    let micros = |hours: i64| serde_json::json!(at(hours * HOUR).seconds * 1_000_000);
    assert_eq!((&raised[0].2, &raised[1].2), (&micros(8), &micros(9)));
    house.stop().await;
}

/// What is true now about then, and what was believed then.
pub async fn what_was_known_at_an_instant(house: House) {
    let pair = agreed(&house).await;
    let id = ticket(NORTH_PSA, "1");
    let name = pair
        .ingest(&pair.north, vec![opening("e1", &id, 0, 1)])
        .await
        .remove(0)
        .ticket;
    house.pass(5 * HOUR);
    // Told five hours later: there was an answer after half an hour.
    pair.ingest(&pair.north, vec![replied("e2", &id, 30)]).await;
    let read = |as_of: Option<i64>, known_at: Option<i64>| v1::GetTicketRequest {
        name: name.clone(),
        as_of_time: as_of.map(at),
        known_at_time: known_at.map(at),
    };
    let mut sla = pair.south.connection.sla();
    let mut verdict = async |request| {
        let found = ok(sla.get_ticket(request)).await;
        let first = found.clocks.into_iter().next().unwrap();
        assert_eq!(first.r#type(), TargetType::FirstResponse);
        (first.verdict(), found.event_count)
    };
    let (three, five) = (Some(3 * HOUR), Some(5 * HOUR));
    assert_eq!(verdict(read(three, None)).await, (Verdict::Met, 2));
    assert_eq!(verdict(read(three, three)).await, (Verdict::Breached, 1));
    assert_eq!(verdict(read(None, three)).await, (Verdict::Breached, 1));
    assert_eq!(verdict(read(three, five)).await, (Verdict::Met, 2));
    house.stop().await;
}
