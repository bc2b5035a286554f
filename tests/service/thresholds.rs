//! Thresholds: each once, in order, on its own clock, whichever sweeper finds it (S16).

use entente::proto::v1::{self, TargetType};

use super::calls::ok;
use super::house::{HOUR, House, at};
use super::setting::{NORTH_PSA, Pair, opening, status, ticket};

/// A flag as the journal has it: what happened, on which clock, and at which part of its target.
type Flag = (String, String, u64);

async fn flags(pair: &Pair) -> Vec<Flag> {
    let request = v1::ListEntriesRequest {
        parent: pair.name.clone(),
        record_kind: "ticket".to_owned(),
        page_size: 500,
        ..Default::default()
    };
    let entries = ok(pair.south.connection.journal().list_entries(request))
        .await
        .entries;
    let raised = ["ticket.threshold_reached", "ticket.breached"];
    let entries = entries
        .into_iter()
        .filter(|entry| raised.contains(&entry.r#type.as_str()));
    let flags = entries.map(|entry| {
        assert_eq!((entry.firm.as_str(), entry.actor.as_str()), ("", ""));
        let payload: serde_json::Value = serde_json::from_slice(&entry.payload).unwrap();
        let reached = &payload["reached"];
        let clock = reached["target_type"].as_str().unwrap().to_owned();
        (
            entry.r#type,
            clock,
            reached["level"]["share"].as_u64().unwrap(),
        )
    });
    flags.collect()
}

fn flag(event_type: &str, clock: &str, threshold_bps: u64) -> Flag {
    (
        format!("ticket.{event_type}"),
        clock.to_owned(),
        threshold_bps,
    )
}

/// A response in 2 hours and a resolution in 10, answered after 90 minutes and never resolved.
pub async fn each_threshold_once_in_order(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    let id = ticket(NORTH_PSA, "1");
    let name = pair
        .ingest(&pair.north, vec![opening("e1", &id, 0, 2)])
        .await
        .remove(0)
        .ticket;
    let mut expected = Vec::new();
    let reached = "threshold_reached";
    // Seconds that pass, and what is found then.
    let steps = [
        (HOUR - 1, vec![]),
        (1, vec![flag(reached, "first_response", 5_000)]),
        (HOUR / 2, vec![flag(reached, "first_response", 7_500)]),
        (7 * HOUR / 2 - 1, vec![]),
        (1, vec![flag(reached, "resolution", 5_000)]),
        // Nobody looked for a while: both are found at once, in their order.
        (
            6 * HOUR,
            vec![
                flag(reached, "resolution", 7_500),
                flag("breached", "resolution", 10_000),
            ],
        ),
        (1_000 * HOUR, vec![]),
    ];
    for (step, (seconds, found)) in steps.into_iter().enumerate() {
        house.pass(seconds);
        house.sweep().await;
        // Looking again finds nothing new.
        house.sweep().await;
        expected.extend(found);
        assert_eq!(flags(&pair).await, expected, "step {step}");
        if step == 2 {
            pair.ingest(&pair.north, vec![status("e2", &id, 3 * HOUR / 2, "Open")])
                .await;
        }
    }
    let request = v1::GetTicketRequest {
        name,
        ..Default::default()
    };
    let shown = ok(pair.south.connection.sla().get_ticket(request)).await;
    let shown = shown
        .clocks
        .iter()
        .find(|clock| clock.r#type() == TargetType::Resolution)
        .unwrap();
    let times: Vec<_> = shown
        .thresholds_reached
        .iter()
        .map(|reached| (reached.threshold_bps, reached.reach_time))
        .collect();
    let hours = |hours: i64| Some(at(hours * HOUR));
    assert_eq!(
        times[..2],
        [(5_000, hours(5)), (7_500, Some(at(15 * HOUR / 2)))]
    );
    // At the target exactly it is still met: the flag is of the first instant after it.
    let after = Some(prost_types::Timestamp {
        nanos: 1_000,
        ..at(10 * HOUR)
    });
    assert_eq!((times[2], shown.breach_time), ((10_000, after), hours(10)));
    house.stop().await;
}

/// S09: under an agreement that has ended, clocks run on but raise nothing more.
pub async fn an_ended_agreement_raises_nothing_more(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    let id = ticket(NORTH_PSA, "1");
    let name = pair
        .ingest(&pair.north, vec![opening("e1", &id, 0, 1)])
        .await
        .remove(0)
        .ticket;
    house.pass(HOUR / 2);
    house.sweep().await;
    let before = flags(&pair).await;
    assert_eq!(before, [flag("threshold_reached", "first_response", 5_000)]);
    let request = v1::EndAgreementRequest {
        name: format!("{}/agreements/desk", pair.name),
        ..Default::default()
    };
    ok(pair.north.connection.sla().end_agreement(request)).await;
    house.pass(10 * HOUR);
    house.sweep().await;
    house.sweep().await;
    assert_eq!(flags(&pair).await, before);
    let request = v1::GetTicketRequest {
        name,
        ..Default::default()
    };
    let shown = ok(pair.south.connection.sla().get_ticket(request)).await;
    let breached = |clock: &v1::Clock| clock.verdict() == v1::Verdict::Breached;
    assert!(shown.clocks.iter().all(breached), "{shown:?}");
    house.stop().await;
}

/// Two sweepers at once, as of two replicas: every flag is raised once.
pub async fn two_sweepers_find_one_threshold(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    let tickets = 20;
    let events =
        (0..tickets).map(|number| opening("e1", &ticket(NORTH_PSA, &number.to_string()), 0, 1));
    pair.ingest(&pair.north, events.collect()).await;
    house.pass(3 * HOUR);
    tokio::join!(house.sweep(), house.sweep(), house.sweep());
    house.sweep().await;
    let found = flags(&pair).await;
    // Three of the response, two of the resolution.
    assert_eq!(found.len(), 5 * tickets);
    for part in ["first_response", "resolution"] {
        let of_clock = found.iter().filter(|flag| flag.1 == part).count();
        assert_eq!(
            of_clock,
            if part == "resolution" {
                2 * tickets
            } else {
                3 * tickets
            }
        );
    }
    house.stop().await;
}
