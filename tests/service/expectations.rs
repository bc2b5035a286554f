//! Expectations: offered, countered, agreed, then kept or not.

use entente::proto::v1::{self, ExpectationState};

use super::calls::{ok, refuses};
use super::house::{HOUR, House};
use super::setting::{NORTH, Pair, SOUTH, accepting, agreeing, five_w, fulfilling, met, offering};

fn countering(name: &str, deadline_hours: i64) -> v1::CounterExpectationRequest {
    v1::CounterExpectationRequest {
        name: name.to_owned(),
        five_w: Some(five_w(deadline_hours)),
        message: format!("in {deadline_hours} hours"),
        ..Default::default()
    }
}

fn reading(name: &str) -> v1::GetExpectationRequest {
    v1::GetExpectationRequest {
        name: name.to_owned(),
    }
}

/// Every offer stays readable with who made it and when (E07), and only both together agree (E01).
pub async fn from_draft_to_accepted_with_counter_offers(house: House) {
    let pair = Pair::active(&house).await;
    let (mut norths, mut souths) = (
        pair.north.connection.expectations(),
        pair.south.connection.expectations(),
    );
    let request = pair.draft_request(v1::FiveW::default());
    let empty = ok(norths.create_expectation(request)).await;
    assert_eq!(
        (empty.state(), empty.unanswered.len()),
        (ExpectationState::Draft, 5)
    );
    assert_eq!(
        (empty.requester.as_str(), empty.obligor.as_str()),
        (NORTH, SOUTH)
    );
    let update = v1::UpdateExpectationRequest {
        expectation: Some(v1::Expectation {
            name: empty.name.clone(),
            five_w: Some(five_w(48)),
            etag: empty.etag.clone(),
            ..Default::default()
        }),
        ..Default::default()
    };
    // Both firms read a draft; its author alone changes it.
    assert_eq!(
        ok(souths.get_expectation(reading(&empty.name)))
            .await
            .state(),
        ExpectationState::Draft
    );
    let theirs = souths.update_expectation(update.clone());
    refuses(&house, "NOT_YOUR_OFFER", theirs).await;
    let draft = ok(norths.update_expectation(update)).await;
    assert!(draft.unanswered.is_empty() && draft.five_w == Some(five_w(48)));

    house.pass(60);
    ok(norths.offer_expectation(offering(&draft.name))).await;
    let own = norths.agree_expectation(agreeing(&draft.name, 1));
    refuses(&house, "NOT_YOUR_OFFER", own).await;
    house.pass(60);
    let countered = ok(souths.counter_expectation(countering(&draft.name, 72))).await;
    assert_eq!(countered.state(), ExpectationState::Countered);
    house.pass(60);
    ok(norths.counter_expectation(countering(&draft.name, 60))).await;
    let unseen = souths.agree_expectation(agreeing(&draft.name, 2));
    refuses(&house, "INVALID_STATE", unseen).await;
    assert!(countered.agree_time.is_none());
    let agreed = ok(souths.agree_expectation(agreeing(&draft.name, 3))).await;
    assert_eq!(agreed.state(), ExpectationState::Agreed);
    assert_eq!(agreed.agree_time, Some(super::house::at(180)));
    let offers: Vec<_> = agreed.offers.iter().collect();
    let by: Vec<_> = offers
        .iter()
        .map(|offer| (offer.number, offer.party_id.as_str(), offer.firm.as_str()))
        .collect();
    assert_eq!(
        by,
        [
            (1, NORTH, "firms/north"),
            (2, SOUTH, "firms/south"),
            (3, NORTH, "firms/north")
        ]
    );
    for (offer, (hours, seconds)) in offers.iter().zip([(48, 60), (72, 120), (60, 180)]) {
        assert_eq!(offer.five_w, Some(five_w(hours)), "offer {}", offer.number);
        assert_eq!(offer.offer_time, Some(super::house::at(seconds)));
    }
    kept(&house, &pair, &agreed.name).await;
    house.stop().await;
}

async fn kept(house: &House, pair: &Pair, name: &str) {
    let (mut norths, mut souths) = (
        pair.north.connection.expectations(),
        pair.south.connection.expectations(),
    );
    let not_mine = norths.fulfil_expectation(fulfilling(name));
    refuses(house, "INVALID_STATE", not_mine).await;
    let fulfilled = ok(souths.fulfil_expectation(fulfilling(name))).await;
    assert_eq!(fulfilled.fulfilment.unwrap().message, "done");
    let accepted = ok(norths.accept_fulfilment(accepting(name, &[1, 0]))).await;
    assert_eq!(accepted.state(), ExpectationState::Accepted);
    let acceptance = accepted.acceptance.clone().unwrap();
    assert_eq!(
        (acceptance.party_id.as_str(), acceptance.criteria_met),
        (NORTH, vec![met(0), met(1)])
    );
    // Both firms see the very same, and it is found by its state.
    let seen = ok(souths.get_expectation(reading(name))).await;
    assert_eq!(seen, accepted);
    let by_state = |state: ExpectationState| v1::ListExpectationsRequest {
        parent: pair.name.clone(),
        state: state.into(),
        ..Default::default()
    };
    let found = ok(souths.list_expectations(by_state(ExpectationState::Accepted))).await;
    assert_eq!(found.expectations, [accepted]);
    let none = ok(souths.list_expectations(by_state(ExpectationState::Agreed))).await;
    assert!(none.expectations.is_empty());
}

/// Silence is EXPIRED, never agreement (E01), whether or not the sweeper has been there.
pub async fn silence_is_expired_and_never_consent(house: House) {
    let pair = Pair::active(&house).await;
    let offered = pair.offer().await;
    let mut souths = pair.south.connection.expectations();
    assert_eq!(
        offered.offers[0].expire_time,
        Some(super::house::at(48 * HOUR))
    );
    house.pass(48 * HOUR - 1);
    assert_eq!(house.sweep().await.found, 0);
    assert_eq!(
        ok(souths.get_expectation(reading(&offered.name)))
            .await
            .state(),
        ExpectationState::Offered
    );
    house.pass(1);
    let late = souths.agree_expectation(agreeing(&offered.name, 1));
    refuses(&house, "OFFER_EXPIRED", late).await;
    let unswept = ok(souths.get_expectation(reading(&offered.name))).await;
    assert_eq!(unswept.state(), ExpectationState::Expired);
    let before = house.head(&pair.name).await.sequence;
    assert_eq!(house.sweep().await.advanced, 1);
    assert_eq!(house.sweep().await.found, 0);
    assert_eq!(house.head(&pair.name).await.sequence, before + 1);
    let expired = ok(souths.get_expectation(reading(&offered.name))).await;
    assert_eq!(
        (expired.state(), expired.agree_time),
        (ExpectationState::Expired, None)
    );
    assert_eq!(expired.offers.len(), 1);
    let late = souths.agree_expectation(agreeing(&offered.name, 1));
    let answer = refuses(&house, "OFFER_EXPIRED", late).await;
    assert!(answer.metadata.contains_key("expire_time"), "{answer:?}");

    // What was agreed and not done by its deadline is MISSED, and stays so when it is done.
    let request = pair.draft_request(five_w(100));
    let draft = ok(pair
        .north
        .connection
        .expectations()
        .create_expectation(request))
    .await;
    ok(pair
        .north
        .connection
        .expectations()
        .offer_expectation(offering(&draft.name)))
    .await;
    ok(souths.agree_expectation(agreeing(&draft.name, 1))).await;
    house.pass(53 * HOUR);
    assert_eq!(house.sweep().await.advanced, 1);
    let fulfilled = ok(souths.fulfil_expectation(fulfilling(&draft.name))).await;
    assert_eq!(fulfilled.state(), ExpectationState::Fulfilled);
    assert_eq!(fulfilled.missed_time, Some(super::house::at(100 * HOUR)));
    house.stop().await;
}

/// The firm that did the work cannot accept it, and acceptance is of every criterion (E03).
pub async fn whoever_did_the_work_does_not_accept_it(house: House) {
    let pair = Pair::active(&house).await;
    let agreed = pair.agreed().await;
    let name = agreed.name.as_str();
    let (mut norths, mut souths) = (
        pair.north.connection.expectations(),
        pair.south.connection.expectations(),
    );
    let early = norths.accept_fulfilment(accepting(name, &[0, 1]));
    refuses(&house, "INVALID_STATE", early).await;
    ok(souths.fulfil_expectation(fulfilling(name))).await;
    let own = souths.accept_fulfilment(accepting(name, &[0, 1]));
    refuses(&house, "SAME_FIRM_MAY_NOT_ACCEPT", own).await;
    let dispute = v1::DisputeFulfilmentRequest {
        name: name.to_owned(),
        reason: "it is not logged".to_owned(),
        ..Default::default()
    };
    let own = souths.dispute_fulfilment(dispute.clone());
    refuses(&house, "SAME_FIRM_MAY_NOT_ACCEPT", own).await;
    for criteria in [&[0][..], &[], &[0, 0], &[0, 1, 2]] {
        let partly = norths.accept_fulfilment(accepting(name, criteria));
        let answer = refuses(&house, "INVALID_FIELD", partly).await;
        assert!(
            answer
                .fields
                .iter()
                .all(|field| field.starts_with("criteria_met")),
            "{answer:?}"
        );
    }
    let disputed = ok(norths.dispute_fulfilment(dispute)).await;
    assert_eq!(disputed.state(), ExpectationState::Disputed);
    assert_eq!(disputed.dispute.unwrap().reason, "it is not logged");
    ok(souths.fulfil_expectation(fulfilling(name))).await;
    ok(norths.accept_fulfilment(accepting(name, &[0, 1]))).await;

    let declined = pair.offer().await;
    let request = v1::DeclineExpectationRequest {
        name: declined.name,
        reason: "too soon".to_owned(),
        ..Default::default()
    };
    let ending = ok(souths.decline_expectation(request))
        .await
        .ending
        .unwrap();
    assert_eq!(
        (ending.firm.as_str(), ending.reason.as_str()),
        ("firms/south", "too soon")
    );
    let request = v1::WithdrawExpectationRequest {
        name: pair.offer().await.name,
        ..Default::default()
    };
    refuses(
        &house,
        "NOT_YOUR_OFFER",
        souths.withdraw_expectation(request.clone()),
    )
    .await;
    let withdrawn = ok(norths.withdraw_expectation(request)).await;
    assert_eq!(withdrawn.state(), ExpectationState::Withdrawn);
    house.stop().await;
}
