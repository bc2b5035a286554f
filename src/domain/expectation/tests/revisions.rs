//! Disputes end in acceptance after all, in work done again, or in a revised agreement.

use super::*;

/// How a revised offer comes to nothing.
type End<'test> = &'test dyn Fn(&mut Scene);

/// A scene in which the work was disputed just now.
fn disputed() -> Scene {
    let mut scene = agreed(answers());
    scene.go(OWES, &fulfil()).go(ASKS, &dispute());
    scene
}

/// Other answers: a day later, and one criterion less.
fn revised() -> FiveW {
    let mut five_w = answers();
    five_w.when.deadline = Some(deadline().saturating_add(Span::from_hours(24)));
    five_w.how.criteria.truncate(1);
    five_w
}

#[test]
fn e03_a_revised_offer_becomes_a_new_agreement_and_the_old_one_stays_readable() {
    for (offers, answers_it) in [(ASKS, OWES), (OWES, ASKS)] {
        let mut scene = disputed();
        scene
            .wait(Span::from_hours(1))
            .go(offers, &counter(revised()));
        assert_eq!(scene.state(), ExpectationState::Countered);
        assert_eq!(
            scene.expectation().deadline(),
            Some(deadline()),
            "what was agreed holds"
        );
        assert_eq!(scene.reason(offers, &agree(2)), Reason::NotYourOffer);
        for command in [fulfil(), accept(&[0, 1]), dispute()] {
            assert_eq!(scene.reason(OWES, &command), Reason::InvalidState);
            assert_eq!(scene.reason(ASKS, &command), Reason::InvalidState);
        }
        scene.wait(Span::from_hours(1)).go(answers_it, &agree(2));
        let expectation = scene.expectation();
        assert_eq!(expectation.state, ExpectationState::Agreed);
        assert_eq!(expectation.deadline(), revised().when.deadline);
        let numbers: Vec<_> = expectation
            .agreements
            .iter()
            .map(|it| it.offer_number)
            .collect();
        assert_eq!(numbers, [1, 2]);
        let first = &expectation.fulfilments[0];
        assert_eq!((first.offer_number, first.number), (1, 1));
        assert!(first.dispute.is_some() && first.acceptance.is_none());
        assert_eq!(expectation.offers[0].five_w, answers());
        // The work is judged by what was agreed anew.
        scene.go(OWES, &fulfil());
        let unknown = scene
            .ask(ASKS, &accept(&[0, 1]))
            .expect_err("one criterion only");
        assert_eq!(fields(&unknown), ["criteria_met[1].criterion"]);
        scene.go(ASKS, &accept(&[0]));
        assert_eq!(scene.expectation().fulfilments[1].offer_number, 2);
    }
}

#[test]
fn a_revised_offer_that_comes_to_nothing_leads_back_to_the_dispute() {
    let declined = |scene: &mut Scene| {
        scene.go(OWES, &decline());
    };
    let withdrawn = |scene: &mut Scene| {
        scene.go(ASKS, &withdraw());
    };
    let expired = |scene: &mut Scene| {
        scene.wait(OFFER_VALIDITY_DEFAULT);
        assert_eq!(
            scene.expectation().state_at(scene.now),
            ExpectationState::Disputed
        );
        assert_eq!(scene.tick(), ["expectation.expired"]);
    };
    let ends: [(OfferOutcome, End<'_>); 3] = [
        (OfferOutcome::Declined, &declined),
        (OfferOutcome::Withdrawn, &withdrawn),
        (OfferOutcome::Expired, &expired),
    ];
    for (outcome, end) in ends {
        let mut scene = disputed();
        scene.go(ASKS, &counter(revised()));
        end(&mut scene);
        assert_eq!(scene.state(), ExpectationState::Disputed, "{outcome:?}");
        let expectation = scene.expectation();
        let ended = expectation.offers[1].end.as_ref().expect("it is over");
        assert_eq!(ended.outcome, outcome);
        assert_eq!(expectation.ending, None, "the expectation goes on");
        let (answers_now, _) = expectation.answers_at(scene.now);
        assert_eq!(answers_now, &answers(), "what was agreed counts");
        let late = scene.ask(OWES, &agree(2)).expect_err("it is over");
        let told = ("last_offer_outcome", outcome.as_str().to_owned());
        assert!(late.metadata.contains(&told), "{late:?}");
        scene.go(OWES, &counter(revised())).go(ASKS, &agree(3));
        assert_eq!(scene.state(), ExpectationState::Agreed);
    }
}

#[test]
fn what_ran_out_unswept_does_not_stand_in_the_way() {
    for (firm, command, event) in [
        (OWES, fulfil(), "expectation.fulfilled"),
        (ASKS, accept(&[0, 1]), "expectation.fulfilment_accepted"),
        (OWES, counter(revised()), "expectation.countered"),
    ] {
        let mut scene = disputed();
        scene
            .go(ASKS, &counter(revised()))
            .wait(OFFER_VALIDITY_DEFAULT);
        assert_eq!(scene.state(), ExpectationState::Countered);
        assert_eq!(scene.reason(OWES, &agree(2)), Reason::OfferExpired);
        let events = scene.ask(firm, &command);
        assert_eq!(events, Ok(vec!["expectation.expired", event]));
    }
}

#[test]
fn the_deadline_passes_while_a_revised_offer_waits() {
    let mut scene = disputed();
    scene.now = Timestamp::from_micros(deadline().as_micros() - 1);
    scene.go(ASKS, &counter(revised()));
    scene.now = deadline().saturating_add(INSTANT);
    assert_eq!(scene.expectation().due_at(), Some(scene.now));
    assert_eq!(scene.tick(), ["expectation.missed"]);
    assert_eq!(
        scene.state(),
        ExpectationState::Countered,
        "the offer still stands"
    );
    scene.go(OWES, &agree(2));
    let expectation = scene.expectation();
    assert_eq!(expectation.state, ExpectationState::Agreed);
    assert_eq!(expectation.missed_at(), Some(deadline()), "a miss stays");
    assert_eq!(expectation.agreements[1].missed_at, None);
    scene.now = deadline().saturating_add(Span::from_hours(25));
    assert_eq!(scene.tick(), ["expectation.missed"]);
    assert_eq!(scene.state(), ExpectationState::Missed);
    assert_eq!(
        scene.expectation().missed_at(),
        Some(deadline()),
        "the first one"
    );
}

#[test]
fn a_revised_offer_is_judged_and_named_like_any_other() {
    let mut scene = disputed();
    let mut past = answers();
    past.when.deadline = Some(scene.now);
    let refusal = scene.ask(ASKS, &counter(past)).expect_err("it is now");
    assert_eq!(fields(&refusal), ["five_w.when.deadline"]);
    let seen = |number| ExpectationCommand::Counter {
        id: ID.to_owned(),
        offer_number: Some(number),
        five_w: revised(),
        message: None,
        acknowledges_impossible: false,
    };
    scene.go(ASKS, &seen(1));
    let late = scene
        .ask(OWES, &seen(1))
        .expect_err("there is another one by now");
    assert_eq!(late.reason, Reason::InvalidState);
    for told in [
        ("state", "countered"),
        ("action", "CounterExpectation"),
        ("offer_number", "2"),
        ("offer_outcome", "agreed"),
        ("last_offer_number", "2"),
        ("last_offer_outcome", "open"),
        ("etag", "\"1\""),
    ] {
        let (key, value) = told;
        let found = late.metadata.iter().find(|(name, _)| *name == key);
        let value = if key == "etag" {
            format!("\"{}\"", 6)
        } else {
            value.to_owned()
        };
        assert_eq!(found.map(|(_, value)| value), Some(&value), "{key}");
    }
    scene.go(OWES, &seen(2));
    assert_eq!(
        scene.expectation().offers[1]
            .end
            .as_ref()
            .map(|end| end.outcome),
        Some(OfferOutcome::Superseded)
    );
}

#[test]
fn fulfilments_are_bounded() {
    let mut scene = agreed(answers());
    for _ in 1..FULFILMENTS_MAX {
        scene.go(OWES, &fulfil()).go(ASKS, &dispute());
    }
    scene.go(OWES, &fulfil()).go(ASKS, &dispute());
    assert_eq!(scene.reason(OWES, &fulfil()), Reason::LimitReached);
    assert_eq!(scene.expectation().fulfilments.len(), FULFILMENTS_MAX);
    // There is a way out: the other side may still accept.
    scene.go(ASKS, &accept(&[0, 1]));
    assert_eq!(scene.state(), ExpectationState::Accepted);
}
