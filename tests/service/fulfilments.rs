//! Work that is shown criterion by criterion, and what becomes of disputes about it.

use entente::proto::v1::{self, ExpectationState, ExpectationVerdict, OfferOutcome};

use super::calls::{faulty, ok, refuses};
use super::claims::citing;
use super::house::{HOUR, House, at};
use super::setting::{NORTH, Pair, SOUTH, accepting, agreeing, five_w, fulfilling, met, offering};

/// Something in the software of the firm that cites it.
fn mail(id: &str) -> v1::Evidence {
    let external = v1::ExternalReference {
        system: "mail".to_owned(),
        r#type: "message".to_owned(),
        id: id.to_owned(),
        ..Default::default()
    };
    v1::Evidence {
        cited: Some(v1::evidence::Cited::External(external)),
    }
}

fn shown(criterion: u32, evidence: Vec<v1::Evidence>, note: &str) -> v1::CriterionEvidence {
    v1::CriterionEvidence {
        criterion,
        evidence,
        note: note.to_owned(),
    }
}

fn disputing(name: &str, reason: &str, criteria: &[(u32, &str)]) -> v1::DisputeFulfilmentRequest {
    let criteria = criteria
        .iter()
        .map(|(criterion, reason)| v1::CriterionReason {
            criterion: *criterion,
            reason: (*reason).to_owned(),
        });
    v1::DisputeFulfilmentRequest {
        name: name.to_owned(),
        reason: reason.to_owned(),
        criteria_not_met: criteria.collect(),
        ..Default::default()
    }
}

fn countering(name: &str, deadline_hours: i64) -> v1::CounterExpectationRequest {
    v1::CounterExpectationRequest {
        name: name.to_owned(),
        five_w: Some(five_w(deadline_hours)),
        ..Default::default()
    }
}

fn reading(name: &str) -> v1::GetExpectationRequest {
    v1::GetExpectationRequest {
        name: name.to_owned(),
    }
}

/// Each criterion with its evidence, by both sides, and for the client if it has one (E03).
pub async fn e03_criterion_by_criterion_with_evidence(house: House) {
    let pair = Pair::active(&house).await;
    let (mut norths, mut souths) = (
        pair.north.connection.expectations(),
        pair.south.connection.expectations(),
    );
    let request = v1::CreateClientRequest {
        parent: pair.name.clone(),
        client: Some(v1::Client {
            display_name: "Brandt Freight".to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    };
    let client = ok(pair.north.connection.partnerships().create_client(request)).await;
    let mut request = pair.draft_request(five_w(48));
    request.expectation.as_mut().unwrap().client = client.name;
    let name = ok(norths.create_expectation(request)).await.name;
    ok(norths.offer_expectation(offering(&name))).await;
    ok(souths.agree_expectation(agreeing(&name, 1))).await;
    let other = pair.draft().await.name;
    let done = v1::FulfilExpectationRequest {
        criteria: vec![
            shown(1, vec![mail("m-1")], "see the log"),
            shown(0, vec![citing(&other)], ""),
        ],
        evidence: vec![mail("m-2")],
        ..fulfilling(&name)
    };
    fulfilments_at_fault(&house, &pair, &done).await;
    let fulfilled = ok(souths.fulfil_expectation(done.clone())).await;
    let made = fulfilled.fulfilment.unwrap();
    let in_order: Vec<_> = done.criteria.iter().rev().cloned().collect();
    assert_eq!((made.criteria, made.evidence), (in_order, done.evidence));

    let accept = |criteria_met, evidence| v1::AcceptFulfilmentRequest {
        criteria_met,
        evidence,
        on_behalf_of_client: true,
        ..accepting(&name, &[])
    };
    let half = vec![shown(0, vec![mail("m-3")], ""), met(1)];
    let call = norths.accept_fulfilment(accept(half.clone(), vec![]));
    faulty(&house, "INVALID_FIELD", &["evidence"], call).await;
    let own = souths.accept_fulfilment(accept(half.clone(), vec![mail("m-4")]));
    let own = refuses(&house, "SAME_FIRM_MAY_NOT_ACCEPT", own).await;
    assert_eq!(
        (
            own.metadata["party_id"].as_str(),
            own.metadata["state"].as_str()
        ),
        (SOUTH, "fulfilled")
    );
    assert!(
        own.message.contains("not by the one that did it"),
        "{own:?}"
    );
    let accepted = ok(norths.accept_fulfilment(accept(half.clone(), vec![mail("m-4")]))).await;
    assert_eq!(accepted.state(), ExpectationState::Accepted);
    let acceptance = accepted.acceptance.clone().unwrap();
    assert_eq!(
        (acceptance.criteria_met, acceptance.evidence),
        (half, vec![mail("m-4")])
    );
    assert!(acceptance.on_behalf_of_client);
    assert_eq!(ok(souths.get_expectation(reading(&name))).await, accepted);

    without_a_client(&house, &pair).await;
    house.stop().await;
}

/// Nobody accepts for a client that is not there.
async fn without_a_client(house: &House, pair: &Pair) {
    let mut norths = pair.north.connection.expectations();
    let mut souths = pair.south.connection.expectations();
    let agreed = pair.agreed().await.name;
    ok(souths.fulfil_expectation(fulfilling(&agreed))).await;
    let request = v1::AcceptFulfilmentRequest {
        on_behalf_of_client: true,
        evidence: vec![mail("m-5")],
        ..accepting(&agreed, &[0, 1])
    };
    let nobody = norths.accept_fulfilment(request);
    faulty(house, "INVALID_FIELD", &["on_behalf_of_client"], nobody).await;
}

async fn fulfilments_at_fault(house: &House, pair: &Pair, done: &v1::FulfilExpectationRequest) {
    let mut souths = pair.south.connection.expectations();
    let elsewhere = "partnerships/another/tickets/t1";
    let broken = v1::FulfilExpectationRequest {
        criteria: vec![
            shown(
                0,
                vec![citing(elsewhere), v1::Evidence::default()],
                &"x".repeat(1_001),
            ),
            shown(0, vec![], "\u{7}"),
        ],
        evidence: vec![citing("t1")],
        ..done.clone()
    };
    let fields = [
        "evidence[0].record",
        "criteria[0].evidence[0].record",
        "criteria[0].evidence[1]",
        "criteria[0].note",
        "criteria[1].note",
    ];
    let call = souths.fulfil_expectation(broken);
    faulty(house, "INVALID_FIELD", &fields, call).await;
    let broken = v1::FulfilExpectationRequest {
        criteria: vec![met(2), met(1), met(1), shown(0, vec![mail("\u{7}")], "")],
        ..done.clone()
    };
    let call = souths.fulfil_expectation(broken);
    let fields = [
        "criteria[3].evidence[0].external.id",
        "criteria[0].criterion",
        "criteria[2].criterion",
    ];
    faulty(house, "INVALID_FIELD", &fields, call).await;
    let absent = v1::FulfilExpectationRequest {
        evidence: vec![citing(&format!("{}/tickets/none", pair.name))],
        ..done.clone()
    };
    refuses(house, "NOT_FOUND", souths.fulfil_expectation(absent)).await;
    let flood = v1::FulfilExpectationRequest {
        evidence: vec![mail("m"); 50],
        ..done.clone()
    };
    let call = souths.fulfil_expectation(flood);
    faulty(house, "INVALID_FIELD", &["evidence"], call).await;
    let flood = v1::FulfilExpectationRequest {
        criteria: vec![met(0); 21],
        ..done.clone()
    };
    let call = souths.fulfil_expectation(flood);
    faulty(house, "INVALID_FIELD", &["criteria"], call).await;
}

/// A dispute ends in a revised agreement, whoever offers it; what was before stays readable.
pub async fn e03_a_dispute_ends_in_a_revised_agreement(house: House) {
    let pair = Pair::active(&house).await;
    let (mut norths, mut souths) = (
        pair.north.connection.expectations(),
        pair.south.connection.expectations(),
    );
    let name = pair.agreed().await.name;
    ok(souths.fulfil_expectation(fulfilling(&name))).await;
    let unreasoned = norths.dispute_fulfilment(disputing(&name, "", &[(0, "")]));
    let fields = ["criteria_not_met[0].reason"];
    faulty(&house, "INVALID_FIELD", &fields, unreasoned).await;
    let disputed = ok(norths.dispute_fulfilment(disputing(&name, "", &[(1, "no log")]))).await;
    let dispute = disputed.dispute.unwrap();
    assert_eq!(
        (dispute.reason.as_str(), dispute.party_id.as_str()),
        ("", NORTH)
    );
    assert_eq!(dispute.criteria_not_met[0].reason, "no log");

    what_comes_to_nothing(&house, &pair, &name).await;
    ok(souths.counter_expectation(countering(&name, 72))).await;
    let agreed = ok(norths.agree_expectation(agreeing(&name, 4))).await;
    assert_eq!(agreed.state(), ExpectationState::Agreed);
    assert_eq!(agreed.missed_time, None, "at the deadline is in time");
    let of: Vec<_> = agreed.agreements.iter().map(|it| it.offer_number).collect();
    assert_eq!(of, [1, 4]);
    assert_eq!(agreed.clock.as_ref().unwrap().deadline, Some(at(72 * HOUR)));
    let done = ok(souths.fulfil_expectation(fulfilling(&name))).await;
    let rounds: Vec<_> = done
        .fulfilments
        .iter()
        .map(|round| (round.number, round.offer_number))
        .collect();
    assert_eq!(rounds, [(1, 1), (2, 4)]);
    assert_eq!(
        done.fulfilments[0]
            .dispute
            .as_ref()
            .unwrap()
            .criteria_not_met[0]
            .reason,
        "no log"
    );
    ok(norths.accept_fulfilment(accepting(&name, &[0, 1]))).await;
    house.stop().await;
}

/// Revised offers that are declined or run out lead back to the dispute; two days pass.
async fn what_comes_to_nothing(house: &House, pair: &Pair, name: &str) {
    let mut norths = pair.north.connection.expectations();
    let mut souths = pair.south.connection.expectations();
    ok(souths.counter_expectation(countering(name, 60))).await;
    let revised = ok(norths.get_expectation(reading(name))).await;
    assert_eq!(revised.state(), ExpectationState::Countered);
    assert_eq!(revised.five_w, Some(five_w(60)));
    let request = v1::DeclineExpectationRequest {
        name: name.to_owned(),
        reason: "too late".to_owned(),
        ..Default::default()
    };
    let declined = ok(norths.decline_expectation(request)).await;
    assert_eq!(
        (declined.state(), declined.ending),
        (ExpectationState::Disputed, None)
    );
    assert_eq!(declined.five_w, Some(five_w(48)), "what was agreed counts");
    let offer = &declined.offers[1];
    assert_eq!(offer.outcome(), OfferOutcome::Declined);
    assert_eq!(offer.ending.as_ref().unwrap().reason, "too late");
    ok(norths.counter_expectation(countering(name, 47))).await;
    house.pass(48 * HOUR);
    let expired = ok(norths.get_expectation(reading(name))).await;
    assert_eq!(expired.state(), ExpectationState::Disputed, "unswept");
    assert_eq!(expired.offers[2].outcome(), OfferOutcome::Expired);
    let by_state = v1::ListExpectationsRequest {
        parent: pair.name.clone(),
        state: ExpectationState::Disputed.into(),
        ..Default::default()
    };
    let found = ok(souths.list_expectations(by_state)).await.expectations;
    assert_eq!(found, [expired]);
    let late = souths.agree_expectation(agreeing(name, 3));
    let late = refuses(house, "OFFER_EXPIRED", late).await;
    assert_eq!(late.metadata["state"], "disputed");
    house.sweep().await;
}

/// A dispute that is given up never held: the miss that was journalled meanwhile is revised.
pub async fn e03_a_dispute_ends_in_acceptance_after_all(house: House) {
    let pair = Pair::active(&house).await;
    let mut norths = pair.north.connection.expectations();
    let mut souths = pair.south.connection.expectations();
    let name = pair.disputed().await.name;
    house.pass(48 * HOUR + 1);
    let late = ok(norths.get_expectation(reading(&name))).await;
    assert_eq!(
        (late.state(), late.missed_time),
        (ExpectationState::Disputed, Some(at(48 * HOUR)))
    );
    assert_eq!(late.clock.unwrap().verdict(), ExpectationVerdict::Missed);
    let before = house.head(&pair.name).await.sequence;
    house.sweep().await;
    house.sweep().await;
    assert_eq!(
        house.head(&pair.name).await.sequence,
        before + 1,
        "one miss"
    );
    let own = souths.accept_fulfilment(accepting(&name, &[0, 1]));
    refuses(&house, "SAME_FIRM_MAY_NOT_ACCEPT", own).await;
    let accepted = ok(norths.accept_fulfilment(accepting(&name, &[0, 1]))).await;
    assert_eq!(
        (accepted.state(), accepted.missed_time),
        (ExpectationState::Accepted, None)
    );
    let clock = accepted.clock.unwrap();
    assert_eq!(
        (clock.verdict(), clock.stop_time),
        (ExpectationVerdict::Met, Some(at(0)))
    );
    let request = v1::ListEntriesRequest {
        parent: pair.name.clone(),
        record_kind: "expectation".to_owned(),
        page_size: 500,
        ..Default::default()
    };
    let entries = ok(pair.south.connection.journal().list_entries(request))
        .await
        .entries;
    let types: Vec<_> = entries
        .iter()
        .rev()
        .take(3)
        .map(|entry| entry.r#type.as_str())
        .collect();
    let expected = ["miss_revised", "fulfilment_accepted", "missed"];
    assert_eq!(types, expected.map(|name| format!("expectation.{name}")));
    house.stop().await;
}
