//! What later evidence does: events that come late, and verdicts that are revised.

use entente::proto::v1::{
    self, IngestOutcome, LateEventState, TargetType, TicketActivity, Verdict,
};

use super::amendments::{clock_of, exclusion, seen};
use super::calls::{ok, refuses};
use super::house::{HOUR, House, MINUTE, at, lasting};
use super::setting::{NORTH_PSA, Pair, SOUTH, SOUTH_PSA, opening, status, ticket};

pub fn countersigning(name: &str, event_id: &str) -> v1::CountersignEventRequest {
    v1::CountersignEventRequest {
        name: name.to_owned(),
        event_id: event_id.to_owned(),
        ..Default::default()
    }
}

pub fn rejecting(name: &str, event_id: &str) -> v1::RejectEventRequest {
    v1::RejectEventRequest {
        name: name.to_owned(),
        event_id: event_id.to_owned(),
        ..Default::default()
    }
}

pub fn linking(name: &str, reference: v1::ExternalReference) -> v1::LinkTicketRequest {
    v1::LinkTicketRequest {
        name: name.to_owned(),
        reference: Some(reference),
        ..Default::default()
    }
}

/// An hour late at most.
pub fn an_hour_late() -> v1::Terms {
    v1::Terms {
        lateness_window: Some(lasting(HOUR)),
        ..Default::default()
    }
}

/// A ticket that south knows, too, by the same number.
async fn shared(pair: &Pair, id: &str) -> String {
    let name = pair.opened(id, 0).await;
    let request = linking(&name, ticket(SOUTH_PSA, id));
    let linked = ok(pair.south.connection.sla().link_ticket(request)).await;
    assert_eq!(linked.name, name);
    assert_eq!(linked.external_references, [ticket(SOUTH_PSA, id)]);
    name
}

/// S03: a pause that is told after a breach, and lies after it, cannot un-breach; a pause that had
/// happened before it can, and the journal says so.
pub async fn s03_verdicts_are_revised_by_evidence_and_not_by_pauses(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    let name = pair.opened("1", 0).await;
    let id = ticket(NORTH_PSA, "1");
    house.pass(5 * HOUR);
    house.sweep().await;
    let before = house.head(&pair.name).await.sequence;
    let breached = Some(at(4 * HOUR));
    let resolution = async || {
        let shown = seen(&pair.south, &name, None, None).await;
        clock_of(&shown, TargetType::Resolution)
    };
    assert_eq!(resolution().await.breach_time, breached);
    let pause = vec![status("p1", &id, 9 * HOUR / 2, "Waiting")];
    pair.ingest(&pair.north, pause).await;
    assert_eq!(resolution().await.verdict(), Verdict::Breached);
    assert_eq!(pair.entries_after(before).await.len(), 1);

    // It had waited for the client for two hours.
    let before = house.head(&pair.name).await.sequence;
    let waited = vec![
        status("p2", &id, HOUR, "Waiting"),
        status("p3", &id, 3 * HOUR, "Open"),
    ];
    let results = pair.ingest(&pair.north, waited).await;
    let again = vec![status("p2", &id, HOUR, "Waiting")];
    let again = pair.ingest(&pair.north, again).await;
    assert_eq!(again[0].outcome(), IngestOutcome::AlreadyApplied);
    assert_eq!(
        (again[0].sequence, &again[0].hash),
        (results[0].sequence, &results[0].hash)
    );
    revised_entries(&pair, before).await;
    house.sweep().await;
    let clock = resolution().await;
    assert_eq!(
        (clock.verdict(), clock.breach_time),
        (Verdict::Running, None)
    );
    let levels = clock.thresholds_reached.iter();
    let levels: Vec<_> = levels
        .map(|level| (level.threshold_bps, level.reach_time))
        .collect();
    assert_eq!(levels, [(5_000, Some(at(4 * HOUR)))]);
    // What was believed while nobody had told of the pauses.
    let believed = seen(&pair.north, &name, None, Some(5 * HOUR - 1)).await;
    assert_eq!(
        clock_of(&believed, TargetType::Resolution).verdict(),
        Verdict::Breached
    );

    // What was withdrawn and comes true after all is raised again.
    let open = vec![status("p4", &id, 5 * HOUR, "Open")];
    pair.ingest(&pair.north, open).await;
    house.pass(3 * HOUR);
    house.sweep().await;
    let clock = resolution().await;
    assert_eq!(clock.verdict(), Verdict::Breached);
    let levels = clock.thresholds_reached.iter();
    let levels: Vec<_> = levels.map(|level| level.threshold_bps).collect();
    assert_eq!(levels, [5_000, 7_500, 10_000]);
    house.stop().await;
}

/// The first event of the two takes every level of the resolution back.
async fn revised_entries(pair: &Pair, before: u64) {
    let entries = pair.entries_after(before).await;
    let types: Vec<&str> = entries.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(types[0], "ticket.event_recorded");
    let resolution: Vec<_> = entries
        .iter()
        .filter(|(name, payload)| {
            name == "ticket.verdict_revised" && payload["before"]["target_type"] == "resolution"
        })
        .map(|(_, payload)| {
            (
                payload["before"]["level"]["share"].as_u64().unwrap(),
                payload["now"]["at"].as_i64(),
                payload["cause"]["events"][0].as_str().unwrap(),
            )
        })
        .collect();
    // Waiting from the first hour on, nothing of the resolution is reached.
    assert_eq!(
        resolution,
        [
            (5_000, None, "p2"),
            (7_500, None, "p2"),
            (10_000, None, "p2")
        ]
    );
}

/// A late event that favours its sender waits until the other firm has confirmed it.
pub async fn late_events_await_a_countersignature(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    pair.terms(an_hour_late()).await;
    pair.status_map(&pair.south, SOUTH_PSA).await;
    let name = shared(&pair, "1").await;
    house.pass(6 * HOUR);
    house.sweep().await;
    // South says, two hours after the breach, that it had been done in time.
    let done = vec![status("s1", &ticket(SOUTH_PSA, "1"), 3 * HOUR, "Done")];
    let sent = pair.ingest(&pair.south, done.clone()).await;
    let awaiting = IngestOutcome::AwaitingCountersignature;
    assert_eq!(
        (sent[0].outcome(), sent[0].ticket.as_str()),
        (awaiting, name.as_str())
    );
    let again = pair.ingest(&pair.south, done.clone()).await;
    assert_eq!(again, sent);
    let shown = seen(&pair.north, &name, None, None).await;
    assert_eq!(
        clock_of(&shown, TargetType::Resolution).verdict(),
        Verdict::Breached
    );
    let late = &shown.late_events[0];
    assert_eq!(
        (late.event_id.as_str(), late.party_id.as_str(), late.state()),
        ("s1", SOUTH, LateEventState::Awaiting)
    );
    assert_eq!(
        (late.status.as_str(), late.ticket_state(), late.occur_time),
        ("Done", v1::TicketState::Resolved, Some(at(3 * HOUR)))
    );
    assert_eq!(
        (shown.event_count, shown.state()),
        (1, v1::TicketState::New)
    );
    // Whoever sent it does not confirm it.
    let mut souths = pair.south.connection.sla();
    let own = souths.countersign_event(countersigning(&name, "s1"));
    refuses(&house, "NOT_YOUR_OFFER", own).await;
    let mut norths = pair.north.connection.sla();
    let absent = norths.countersign_event(countersigning(&name, "s9"));
    refuses(&house, "NOT_FOUND", absent).await;

    countersigned(&house, &pair, &name).await;
    let again = pair.ingest(&pair.south, done).await;
    assert_eq!(again[0].outcome(), IngestOutcome::AlreadyApplied);
    house.stop().await;
}

/// From its countersignature on it counts, and what was believed before is not forgotten.
async fn countersigned(house: &House, pair: &Pair, name: &str) {
    let mut norths = pair.north.connection.sla();
    house.pass(MINUTE);
    let before = house.head(&pair.name).await.sequence;
    let signed = ok(norths.countersign_event(countersigning(name, "s1"))).await;
    let clock = clock_of(&signed, TargetType::Resolution);
    assert_eq!(
        (clock.verdict(), clock.stop_time),
        (Verdict::Met, Some(at(3 * HOUR)))
    );
    assert_eq!(signed.late_events[0].state(), LateEventState::Countersigned);
    let entries = pair.entries_after(before).await;
    assert_eq!(entries[0].0, "ticket.event_countersigned");
    let revised = entries[1..].iter().map(|(name, payload)| {
        assert_eq!(name, "ticket.verdict_revised");
        payload["cause"]["events"][0].as_str().unwrap()
    });
    // The breach of the resolution. Three quarters of it were used at three, when it was done.
    assert_eq!(revised.collect::<Vec<_>>(), ["s1"]);
    assert_eq!(
        ok(norths.countersign_event(countersigning(name, "s1"))).await,
        signed
    );
    let rejected = norths.reject_event(rejecting(name, "s1"));
    refuses(house, "INVALID_STATE", rejected).await;
    let then = seen(&pair.north, name, None, Some(6 * HOUR)).await;
    assert_eq!(then.late_events[0].state(), LateEventState::Awaiting);
    assert_eq!(
        clock_of(&then, TargetType::Resolution).verdict(),
        Verdict::Breached
    );
}

/// What does not favour its sender counts however late, and so does history.
pub async fn what_counts_however_late(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    pair.terms(an_hour_late()).await;
    pair.status_map(&pair.south, SOUTH_PSA).await;
    let name = shared(&pair, "1").await;
    house.pass(3 * HOUR);
    let (norths_id, souths_id) = (ticket(NORTH_PSA, "1"), ticket(SOUTH_PSA, "1"));
    // North says that it answered: this eases south's clocks. Both firms call their event e2.
    let told = vec![status("e2", &norths_id, HOUR / 2, "Open")];
    let told = pair.ingest(&pair.north, told).await;
    assert_eq!(told[0].outcome(), IngestOutcome::Applied);
    // Just in the window, and just out of it.
    let in_time = vec![status("e2", &souths_id, 2 * HOUR, "Waiting")];
    let in_time = pair.ingest(&pair.south, in_time).await;
    assert_eq!(in_time[0].outcome(), IngestOutcome::Applied);
    let late = vec![status("e3", &souths_id, 2 * HOUR - 1, "Waiting")];
    let late = pair.ingest(&pair.south, late).await;
    assert_eq!(late[0].outcome(), IngestOutcome::AwaitingCountersignature);
    // A ticket that north opens late charges south with time.
    let opened = vec![opening("e1", &ticket(NORTH_PSA, "2"), 0, 1)];
    let opened = pair.ingest(&pair.north, opened).await;
    assert_eq!(opened[0].outcome(), IngestOutcome::AwaitingCountersignature);
    let shown = seen(&pair.south, &opened[0].ticket, None, None).await;
    assert_eq!((shown.open_time, shown.event_count), (None, 0));
    assert_eq!(shown.title, "Payroll is down");
    let mut request = pair.batch(vec![opening("e1", &ticket(NORTH_PSA, "3"), 0, 1)]);
    request.backfill = true;
    let imported = ok(pair.north.connection.sla().batch_ingest_events(request)).await;
    assert_eq!(imported.results[0].outcome(), IngestOutcome::Applied);
    // Rejected, it is remembered, and counts for nothing.
    let mut norths = pair.north.connection.sla();
    let rejected = ok(norths.reject_event(rejecting(&name, "e3"))).await;
    assert_eq!(rejected.late_events[0].state(), LateEventState::Rejected);
    assert_eq!(rejected.event_count, 3);
    let again = vec![status("e3", &souths_id, 2 * HOUR - 1, "Waiting")];
    let again = pair.ingest(&pair.south, again).await;
    assert_eq!(again[0].outcome(), IngestOutcome::Rejected);
    assert_eq!(again[0].sequence, late[0].sequence);
    house.stop().await;
}

/// An event that was parked in time counts when its word is explained; one that came late waits then
/// for the other firm.
pub async fn parked_events_may_have_come_late(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    pair.terms(an_hour_late()).await;
    let name = shared(&pair, "1").await;
    house.pass(2 * HOUR);
    let id = ticket(SOUTH_PSA, "1");
    let events = vec![
        status("in-time", &id, HOUR, "Open"),
        status("late", &id, HOUR / 2, "Done"),
    ];
    let results = pair.ingest(&pair.south, events).await;
    let parked = |result: &v1::IngestResult| result.outcome() == IngestOutcome::Parked;
    assert!(results.iter().all(parked));
    house.pass(5 * HOUR);
    pair.status_map(&pair.south, SOUTH_PSA).await;
    house.sweep().await;
    let shown = seen(&pair.north, &name, None, None).await;
    assert_eq!((shown.parked_count, shown.event_count), (0, 2));
    assert_eq!(shown.state(), v1::TicketState::InProgress);
    assert_eq!(shown.late_events.len(), 1);
    assert_eq!(shown.late_events[0].event_id, "late");
    let again = vec![status("late", &id, HOUR / 2, "Done")];
    let again = pair.ingest(&pair.south, again).await;
    let awaiting = IngestOutcome::AwaitingCountersignature;
    assert_eq!(again[0].outcome(), awaiting);
    assert!(again[0].sequence > results[1].sequence);
    house.stop().await;
}

/// An exclusion that both agree takes a breach back, and what was known before stays.
pub async fn an_exclusion_revises_what_was_journalled(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    let name = pair.opened("1", 0).await;
    let answered = vec![status("e2", &ticket(NORTH_PSA, "1"), 0, "Open")];
    pair.ingest(&pair.north, answered).await;
    house.pass(5 * HOUR);
    house.sweep().await;
    let before = house.head(&pair.name).await.sequence;
    let excluded = pair.amended(&name, exclusion(HOUR, 3 * HOUR, "")).await;
    let clock = clock_of(&excluded, TargetType::Resolution);
    assert_eq!(
        (clock.verdict(), clock.due_time),
        (Verdict::Running, Some(at(6 * HOUR)))
    );
    let entries = pair.entries_after(before).await;
    let types: Vec<&str> = entries.iter().map(|(name, _)| name.as_str()).collect();
    let revised = "ticket.verdict_revised";
    assert_eq!(
        types,
        [
            "ticket.amendment_proposed",
            "ticket.amendment_approved",
            revised,
            revised,
            revised
        ]
    );
    for (_, payload) in &entries[2..] {
        assert_eq!(payload["cause"]["amendment"], "1");
        assert_eq!(payload["before"]["target_type"], "resolution");
    }
    // Half of it was reached at two, and is at four; three quarters were at three, and are at five.
    let now: Vec<_> = entries[2..]
        .iter()
        .map(|(_, payload)| &payload["now"]["at"])
        .collect();
    let micros = |hours: i64| serde_json::json!(at(hours * HOUR).seconds * 1_000_000);
    assert_eq!(now, [&micros(4), &micros(5), &serde_json::Value::Null]);
    house.pass(2 * HOUR);
    house.sweep().await;
    let shown = seen(&pair.south, &name, None, None).await;
    let clock = clock_of(&shown, TargetType::Resolution);
    assert_eq!(
        (clock.verdict(), clock.breach_time),
        (Verdict::Breached, Some(at(6 * HOUR)))
    );
    assert_eq!(clock.thresholds_reached.len(), 3);
    house.stop().await;
}

/// S24: a merged ticket is over: its clocks are cancelled, and nothing later is taken.
pub async fn s24_nothing_comes_to_a_ticket_after_its_merge(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    let (kept, gone) = (pair.opened("1", 0).await, pair.opened("2", 0).await);
    house.pass(2 * HOUR);
    let id = ticket(NORTH_PSA, "2");
    let merge = v1::TicketEvent {
        activities: vec![TicketActivity::Merged.into()],
        merged_into: Some(v1::MergeTarget {
            target: Some(v1::merge_target::Target::Reference(ticket(NORTH_PSA, "1"))),
        }),
        ..super::setting::event("m", &id, HOUR)
    };
    let results = pair.ingest(&pair.north, vec![merge.clone()]).await;
    assert_eq!(results[0].outcome(), IngestOutcome::Applied);
    let shown = seen(&pair.south, &gone, None, None).await;
    assert_eq!(
        (shown.merged_into.as_str(), shown.merge_time),
        (kept.as_str(), Some(at(HOUR)))
    );
    assert!(
        shown
            .clocks
            .iter()
            .all(|clock| clock.verdict() == Verdict::Cancelled)
    );
    let head = house.head(&pair.name).await;
    let events = vec![status("late", &id, HOUR + 1, "Open"), merge];
    let results = pair.ingest(&pair.north, events).await;
    assert_eq!(results[0].outcome(), IngestOutcome::Refused);
    assert_eq!(results[0].ticket, gone);
    let refused = results[0].error.clone().unwrap();
    let details = tonic_types::RpcStatusExt::get_error_details(&refused);
    let info = details.error_info().unwrap();
    assert_eq!(
        (info.reason.as_str(), info.metadata.get("merged_into")),
        ("TICKET_MERGED", Some(&kept))
    );
    assert_eq!(results[1].outcome(), IngestOutcome::AlreadyApplied);
    let mut norths = pair.north.connection.sla();
    let request = super::amendments::proposing(&gone, exclusion(0, HOUR, ""));
    let refused = refuses(&house, "TICKET_MERGED", norths.propose_amendment(request)).await;
    assert_eq!(refused.metadata.get("merged_into"), Some(&kept));
    assert_eq!(house.head(&pair.name).await, head);
    // What happened before the merge is evidence still.
    let before = vec![status("early", &id, HOUR / 2, "Open")];
    let results = pair.ingest(&pair.north, before).await;
    assert_eq!(results[0].outcome(), IngestOutcome::Applied);
    let open = v1::ListTicketsRequest {
        parent: pair.name.clone(),
        state: v1::TicketState::InProgress.into(),
        ..Default::default()
    };
    assert_eq!(ok(norths.list_tickets(open)).await.tickets, []);
    house.stop().await;
}

/// One ticket with the ids of both firms, which escalations carry.
pub async fn one_ticket_with_both_firms_ids(house: House) {
    let pair = Pair::active(&house).await;
    pair.calendar().await;
    let level = v1::EscalationLevel {
        name: "duty-manager".to_owned(),
        r#type: v1::EscalationType::Hierarchical.into(),
        at: Some(v1::escalation_level::At::ThresholdBps(6_000)),
        types: Vec::new(),
    };
    let desk = v1::Agreement {
        escalation_levels: vec![level],
        ..pair.desk()
    };
    pair.agreement("desk", desk).await;
    pair.status_map(&pair.north, NORTH_PSA).await;
    pair.status_map(&pair.south, SOUTH_PSA).await;
    let (name, other) = (shared(&pair, "1").await, pair.opened("2", 0).await);
    let mut souths = pair.south.connection.sla();
    let linked = linking(&name, ticket(SOUTH_PSA, "1"));
    let head = house.head(&pair.name).await;
    ok(souths.link_ticket(linked)).await;
    assert_eq!(house.head(&pair.name).await, head, "the same again");
    let taken = souths.link_ticket(linking(&other, ticket(SOUTH_PSA, "1")));
    let taken = refuses(&house, "ALREADY_EXISTS", taken).await;
    assert_eq!(taken.metadata.get("ticket"), Some(&name));
    // South's software finds it, and answers by its own number.
    let lookup = v1::LookupTicketRequest {
        parent: "partnerships/-".to_owned(),
        reference: Some(ticket(SOUTH_PSA, "1")),
    };
    assert_eq!(ok(souths.lookup_ticket(lookup)).await.name, name);
    house.pass(HOUR / 2);
    let answered = vec![status("e1", &ticket(SOUTH_PSA, "1"), HOUR / 2, "Open")];
    let answered = pair.ingest(&pair.south, answered).await;
    assert_eq!(
        (answered[0].outcome(), answered[0].ticket.as_str()),
        (IngestOutcome::Applied, name.as_str())
    );
    let shown = seen(&pair.north, &name, None, None).await;
    let response = clock_of(&shown, TargetType::FirstResponse);
    assert_eq!((response.verdict(), shown.event_count), (Verdict::Met, 2));
    house.pass(2 * HOUR);
    house.sweep().await;
    let entries = pair.entries_after(0).await;
    let raised = entries.iter().find(|(_, payload)| {
        payload["reached"]["escalation_levels"][0] == "duty-manager"
            && payload["reached"]["target_type"] == "resolution"
    });
    let references = raised.unwrap().1["references"].as_array().unwrap();
    let firms = references
        .iter()
        .map(|reference| reference["firm"].as_str());
    assert_eq!(firms.collect::<Vec<_>>(), [Some("north"), Some("south")]);
    house.stop().await;
}
