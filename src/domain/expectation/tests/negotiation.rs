//! From offer to consent, or to none.

use super::*;

#[test]
fn e01_silence_expires_an_offer_and_never_agrees() {
    let mut scene = offered(answers());
    let expires_at = scene.expectation().offers[0]
        .expires_at
        .expect("it expires");
    assert_eq!(expires_at, start().saturating_add(OFFER_VALIDITY_DEFAULT));
    assert_eq!(scene.expectation().due_at(), Some(expires_at));
    scene.wait(Span::from_micros(OFFER_VALIDITY_DEFAULT.as_micros() - 1));
    assert_eq!(scene.tick(), Vec::<&str>::new(), "not an instant too early");
    assert_eq!(
        scene.expectation().state_at(scene.now),
        ExpectationState::Offered
    );
    scene.wait(INSTANT);
    assert_eq!(scene.now, expires_at);
    assert_eq!(
        scene.expectation().state_at(scene.now),
        ExpectationState::Expired
    );
    let refusal = scene.ask(OWES, &agree(1)).expect_err("it is over");
    assert_eq!(refusal.reason, Reason::OfferExpired);
    assert!(
        refusal
            .metadata
            .contains(&("expire_time", expires_at.to_string()))
    );
    assert_eq!(scene.tick(), ["expectation.expired"]);
    assert_eq!(scene.tick(), Vec::<&str>::new(), "once");
    assert_eq!(
        scene.reason(OWES, &agree(1)),
        Reason::OfferExpired,
        "swept or not"
    );
    assert_eq!(scene.expectation().agreed(), None);
    assert_eq!(scene.expectation().due_at(), None);
}

#[test]
fn e01_the_deadline_counts_only_once_both_agreed() {
    let mut scene = offered(answers());
    assert_eq!(scene.expectation().agreed(), None);
    scene.wait(Span::from_hours(24 * 7 - 1)).go(OWES, &agree(1));
    let consent = scene.expectation().agreed().cloned().expect("both agreed");
    assert_eq!(
        (consent.party.as_str(), consent.firm),
        ("party-2", Some(firm_id(OWES)))
    );
    assert_eq!((consent.offer_number, consent.at), (1, scene.now));
    assert_eq!(
        scene.expectation().due_at(),
        Some(deadline().saturating_add(INSTANT))
    );
}

#[test]
fn e07_every_earlier_offer_stays_readable() {
    let mut scene = offered(answers());
    let mut later = answers();
    later.when.deadline = Some(deadline().saturating_add(Span::from_hours(24)));
    scene
        .wait(Span::from_hours(1))
        .go(OWES, &counter(later.clone()));
    scene
        .wait(Span::from_hours(1))
        .go(ASKS, &counter(answers()));
    scene.go(OWES, &agree(3));
    let expectation = scene.expectation();
    let told: Vec<_> = expectation
        .offers
        .iter()
        .map(|offer| {
            (
                offer.number,
                offer.party.as_str(),
                offer.firm.as_str(),
                &offer.five_w,
            )
        })
        .collect();
    let (first, second) = (answers(), later);
    assert_eq!(
        told,
        [
            (1, "party-1", ASKS, &first),
            (2, "party-2", OWES, &second),
            (3, "party-1", ASKS, &first)
        ]
    );
    assert_eq!(
        expectation.offers[1].offered_at,
        start().saturating_add(Span::from_hours(1))
    );
    assert_eq!(expectation.offers[1].message, words("rather"));
    assert_eq!(expectation.five_w, first);
}

#[test]
fn e07_offers_are_bounded() {
    let mut scene = offered(answers());
    for number in 1..OFFERS_MAX {
        scene.go(
            if number % 2 == 1 { OWES } else { ASKS },
            &counter(answers()),
        );
    }
    let refusal = scene
        .ask(ASKS, &counter(answers()))
        .expect_err("one too many");
    assert_eq!(refusal.reason, Reason::LimitReached);
    scene.go(ASKS, &agree(100));
}

#[test]
fn an_offer_is_agreed_by_number() {
    let mut scene = offered(answers());
    scene.go(OWES, &counter(answers()));
    for stale in [0, 1, 3] {
        let refusal = scene
            .ask(ASKS, &agree(stale))
            .expect_err("not the last one");
        assert_eq!(refusal.reason, Reason::InvalidState);
        let told = [
            ("state", "countered"),
            ("action", "AgreeExpectation"),
            ("offer_number", "2"),
        ];
        for (key, value) in told {
            let told = (key, value.to_owned());
            assert!(refusal.metadata.contains(&told), "{refusal:?}");
        }
    }
    assert_eq!(scene.reason(OWES, &agree(2)), Reason::NotYourOffer);
    scene.go(ASKS, &agree(2));
}

#[test]
fn an_offer_does_not_outlive_its_deadline() {
    let mut five_w = answers();
    let soon = start().saturating_add(Span::from_hours(2));
    five_w.when.deadline = Some(soon);
    let mut scene = offered(five_w);
    assert_eq!(scene.expectation().offers[0].expires_at, Some(soon));
    scene.wait(Span::from_hours(2));
    for command in [agree(1), decline(), counter(answers())] {
        assert_eq!(scene.reason(OWES, &command), Reason::OfferExpired);
    }
    assert_eq!(scene.reason(ASKS, &withdraw()), Reason::OfferExpired);
}

#[test]
fn a_deadline_is_in_the_future_when_it_is_offered() {
    let mut five_w = answers();
    five_w.when.deadline = Some(start());
    let mut scene = Scene::shared();
    scene.go(ASKS, &create(five_w.clone()));
    let refusal = scene.ask(ASKS, &offer()).expect_err("it is now");
    assert_eq!(fields(&refusal), ["expectation.five_w.when.deadline"]);
    let mut scene = offered(answers());
    let refusal = scene.ask(OWES, &counter(five_w)).expect_err("it is now");
    assert_eq!(fields(&refusal), ["five_w.when.deadline"]);
}

#[test]
fn one_firm_alone_asserts_and_the_other_may_agree_once_it_joined() {
    let mut scene = Scene::alone();
    scene.go(ASKS, &create(answers()));
    assert_eq!(scene.ask(ASKS, &offer()), Ok(vec!["expectation.asserted"]));
    assert_eq!(scene.state(), ExpectationState::Asserted);
    assert_eq!(scene.expectation().due_at(), None);
    assert_eq!(scene.reason(ASKS, &agree(1)), Reason::NotYourOffer);
    assert_eq!(
        scene.reason(OWES, &agree(1)),
        Reason::NotFound,
        "a stranger still"
    );
    scene.wait(Span::from_hours(24 * 8)).join();
    assert_eq!(scene.tick(), Vec::<&str>::new());
    assert_eq!(scene.ask(OWES, &agree(1)), Ok(vec!["expectation.agreed"]));
    assert_eq!(scene.expectation().offers[0].expires_at, Some(deadline()));
}

#[test]
fn nobody_agrees_to_an_assertion_whose_deadline_is_behind() {
    let mut scene = Scene::alone();
    scene.go(ASKS, &create(answers())).go(ASKS, &offer());
    scene.join();
    scene.now = deadline();
    assert_eq!(scene.reason(OWES, &agree(1)), Reason::OfferExpired);
    assert_eq!(
        scene.expectation().state_at(scene.now),
        ExpectationState::Asserted
    );
    scene.go(ASKS, &withdraw());

    let mut scene = Scene::alone();
    scene.go(ASKS, &create(FiveW::default())).go(ASKS, &offer());
    assert_eq!(scene.expectation().offers[0].expires_at, None);
    scene.join();
    scene.wait(Span::from_hours(24 * 365)).go(OWES, &agree(1));
    assert_eq!(
        scene.expectation().due_at(),
        None,
        "without a deadline nothing is missed"
    );
}

#[test]
fn two_firms_are_enough_to_offer_even_beside_a_placeholder() {
    let parties = vec![party(1, Some(ASKS)), party(2, Some(OWES)), party(3, None)];
    let mut scene = Scene::with_parties(parties);
    scene.go(ASKS, &create(answers()));
    assert_eq!(scene.ask(ASKS, &offer()), Ok(vec!["expectation.offered"]));
}
