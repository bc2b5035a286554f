//! Attainment, in both directions and over a period.

use entente::proto::v1::{self, TargetType};

use super::calls::{faulty, ok};
use super::house::{HOUR, House, at};
use super::setting::{NORTH, NORTH_PSA, Pair, SOUTH, SOUTH_PSA, event, opening, status, ticket};
use super::tickets::eventful;

/// South owes north and north owes south; each is counted by itself.
pub async fn attainment_in_both_directions(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    let back = v1::Agreement {
        obligor: NORTH.to_owned(),
        beneficiary: SOUTH.to_owned(),
        kind: v1::AgreementKind::Ola.into(),
        ..pair.desk()
    };
    pair.agreement("back", back).await;
    pair.status_map(&pair.south, SOUTH_PSA).await;
    house.pass(6 * HOUR);
    // With two agreements in force a ticket has to name one.
    let nameless = pair
        .ingest(&pair.north, vec![event("e0", &ticket(NORTH_PSA, "0"), 0)])
        .await;
    let error = nameless[0].error.clone().unwrap();
    assert!(error.message.contains("agreement"), "{error:?}");
    let named = |agreement: &str, mut events: Vec<v1::TicketEvent>| {
        events[0].agreement = format!("{}/agreements/{agreement}", pair.name);
        events
    };
    let met = named("desk", eventful(&ticket(NORTH_PSA, "1")));
    let open = named(
        "desk",
        vec![opening("e1", &ticket(NORTH_PSA, "2"), 5 * HOUR, 1)],
    );
    let breached = ticket(SOUTH_PSA, "1");
    let breached = vec![
        opening("e1", &breached, 0, 1),
        status("e2", &breached, 5 * HOUR, "Done"),
    ];
    pair.ingest(&pair.north, [met, open].concat()).await;
    pair.ingest(&pair.south, named("back", breached)).await;
    let request = v1::GetAttainmentRequest {
        name: pair.name.clone(),
        ..Default::default()
    };
    let attainment = ok(pair.south.connection.sla().get_attainment(request.clone())).await;
    let row = |obligor: &str, target_type: TargetType, counts: (i64, i64, i64)| v1::AttainmentRow {
        obligor: obligor.to_owned(),
        r#type: target_type.into(),
        priority: 1,
        met_count: counts.0,
        breached_count: counts.1,
        running_count: counts.2,
        attained_bps: match (counts.0, counts.1) {
            (0, 0) => None,
            (met, breached) => Some(i32::try_from(10_000 * met / (met + breached)).unwrap()),
        },
        budget_left_bps: None,
    };
    let expected = [
        row(NORTH, TargetType::FirstResponse, (0, 1, 0)),
        row(NORTH, TargetType::Resolution, (0, 1, 0)),
        row(SOUTH, TargetType::FirstResponse, (1, 0, 1)),
        row(SOUTH, TargetType::Resolution, (1, 0, 1)),
    ];
    assert_eq!(attainment.rows, expected);
    let earlier = v1::GetAttainmentRequest {
        as_of_time: Some(at(HOUR / 2)),
        ..request
    };
    let earlier = ok(pair.north.connection.sla().get_attainment(earlier)).await;
    assert_eq!(
        earlier.rows[1],
        row(NORTH, TargetType::Resolution, (0, 0, 1))
    );
    house.stop().await;
}

/// Attainment of a period, a direction, a type and a priority, with what is left of the budget.
pub async fn attainment_of_a_period(house: House) {
    let pair = Pair::with_a_desk(&house).await;
    house.pass(24 * HOUR);
    let mut events = Vec::new();
    // Nine are resolved within the hour, the tenth never; so it is breached after four hours.
    for number in 0..10 {
        let id = ticket(NORTH_PSA, &number.to_string());
        events.push(opening("e1", &id, 0, 1));
        if number > 0 {
            events.push(status("e2", &id, HOUR, "Done"));
        }
    }
    pair.ingest(&pair.north, events).await;
    let mut sla = pair.north.connection.sla();
    let all = v1::GetAttainmentRequest {
        name: pair.name.clone(),
        types: vec![TargetType::Resolution.into()],
        objective_bps: 8_000,
        ..Default::default()
    };
    let mut rows = async |request| {
        let rows = ok(sla.get_attainment(request)).await.rows;
        let shown = rows.iter().map(|row| {
            let counts = (row.met_count, row.breached_count, row.running_count);
            (counts, row.attained_bps, row.budget_left_bps)
        });
        shown.collect::<Vec<_>>()
    };
    // Two of ten may be breached; one is.
    let whole = ((9, 1, 0), Some(9_000), Some(5_000));
    assert_eq!(rows(all.clone()).await, [whole]);
    let until_three = v1::GetAttainmentRequest {
        end_time: Some(at(3 * HOUR)),
        ..all.clone()
    };
    let early = ((9, 0, 1), Some(10_000), Some(10_000));
    assert_eq!(rows(until_three).await, [early]);
    let from_two = v1::GetAttainmentRequest {
        start_time: Some(at(2 * HOUR)),
        ..all.clone()
    };
    let late = ((0, 1, 0), Some(0), Some(-40_000));
    assert_eq!(rows(from_two).await, [late]);
    for nothing in [
        v1::GetAttainmentRequest {
            obligor: NORTH.to_owned(),
            ..all.clone()
        },
        v1::GetAttainmentRequest {
            priorities: vec![2],
            ..all.clone()
        },
    ] {
        assert_eq!(rows(nothing).await, []);
    }
    let mut sla = pair.north.connection.sla();
    let bad = v1::GetAttainmentRequest {
        start_time: Some(at(HOUR)),
        end_time: Some(at(HOUR)),
        types: vec![6, 7],
        priorities: vec![1, 1],
        objective_bps: 10_000,
        ..all
    };
    let fields = ["end_time", "types[1]", "priorities[1]", "objective_bps"];
    faulty(&house, "INVALID_FIELD", &fields, sla.get_attainment(bad)).await;
    house.stop().await;
}
