//! Every state, every action, both firms: what is allowed leads to the one state it should, and
//! everything else is refused for a stated reason.

use super::*;

/// Every state, and a scene that is in it.
fn scenes() -> Vec<(ExpectationState, Scene)> {
    let draft = || {
        let mut scene = Scene::shared();
        scene.go(ASKS, &create(answers()));
        scene
    };
    let ended = |mut scene: Scene, firm, command: &ExpectationCommand| {
        scene.go(firm, command);
        scene
    };
    let fulfilled = || ended(agreed(answers()), OWES, &fulfil());
    let mut asserted = Scene::alone();
    asserted
        .go(ASKS, &create(answers()))
        .go(ASKS, &offer())
        .join();
    let mut expired = offered(answers());
    expired.wait(OFFER_VALIDITY_DEFAULT).tick();
    let mut missed = agreed(answers());
    missed.now = deadline().saturating_add(INSTANT);
    missed.tick();
    vec![
        (ExpectationState::Draft, draft()),
        (ExpectationState::Asserted, asserted),
        (ExpectationState::Offered, offered(answers())),
        (
            ExpectationState::Countered,
            ended(offered(answers()), OWES, &counter(answers())),
        ),
        (ExpectationState::Agreed, agreed(answers())),
        (ExpectationState::Missed, missed),
        (ExpectationState::Fulfilled, fulfilled()),
        (
            ExpectationState::Accepted,
            ended(fulfilled(), ASKS, &accept(&[0, 1])),
        ),
        (
            ExpectationState::Disputed,
            ended(fulfilled(), ASKS, &dispute()),
        ),
        (
            ExpectationState::Declined,
            ended(offered(answers()), OWES, &decline()),
        ),
        (
            ExpectationState::Withdrawn,
            ended(offered(answers()), ASKS, &withdraw()),
        ),
        (ExpectationState::Expired, expired),
    ]
}

/// Every action that an existing expectation knows, with its name in refusals.
fn actions(last_offer: u32) -> Vec<(&'static str, ExpectationCommand)> {
    let mut later = answers();
    later.when.deadline = Some(deadline().saturating_add(Span::from_hours(24)));
    vec![
        ("UpdateExpectation", update(answers())),
        ("OfferExpectation", offer()),
        ("CounterExpectation", counter(later)),
        ("AgreeExpectation", agree(last_offer)),
        ("DeclineExpectation", decline()),
        ("WithdrawExpectation", withdraw()),
        ("FulfilExpectation", fulfil()),
        ("AcceptFulfilment", accept(&[0, 1])),
        ("DisputeFulfilment", dispute()),
    ]
}

/// Where an action of `firm` leads from `state`, or why it is refused.
fn expected(state: ExpectationState, firm: &str, action: &str) -> Result<ExpectationState, Reason> {
    use ExpectationState as State;
    let asks = firm == ASKS;
    let answer = [
        "CounterExpectation",
        "AgreeExpectation",
        "DeclineExpectation",
    ]
    .contains(&action);
    let withdrawal = action == "WithdrawExpectation";
    match (state, action) {
        (State::Draft, "UpdateExpectation" | "OfferExpectation" | "WithdrawExpectation")
            if !asks =>
        {
            Err(Reason::NotYourOffer)
        }
        (State::Draft, "UpdateExpectation") => Ok(State::Draft),
        (State::Draft, "OfferExpectation") => Ok(State::Offered),
        (State::Draft, "WithdrawExpectation") => Ok(State::Withdrawn),
        (State::Asserted | State::Offered | State::Countered, _) if answer || withdrawal => {
            let own = asks == (state != State::Countered);
            match action {
                _ if own != withdrawal => Err(Reason::NotYourOffer),
                "CounterExpectation" => Ok(State::Countered),
                "AgreeExpectation" => Ok(State::Agreed),
                "DeclineExpectation" => Ok(State::Declined),
                _ => Ok(State::Withdrawn),
            }
        }
        (State::Expired, _) if answer || withdrawal => Err(Reason::OfferExpired),
        (State::Agreed | State::Missed | State::Disputed, "FulfilExpectation") if !asks => {
            Ok(State::Fulfilled)
        }
        (State::Disputed, "CounterExpectation") => Ok(State::Countered),
        (State::Fulfilled | State::Disputed, "AcceptFulfilment") if !asks => {
            Err(Reason::SameFirmMayNotAccept)
        }
        (State::Fulfilled, "DisputeFulfilment") if !asks => Err(Reason::SameFirmMayNotAccept),
        (State::Fulfilled | State::Disputed, "AcceptFulfilment") => Ok(State::Accepted),
        (State::Fulfilled, "DisputeFulfilment") => Ok(State::Disputed),
        _ => Err(Reason::InvalidState),
    }
}

#[test]
fn every_transition_is_as_the_table_says() {
    let mut allowed = 0;
    for firm in [ASKS, OWES] {
        for position in 0..actions(1).len() {
            for (state, mut scene) in scenes() {
                assert_eq!(scene.state(), state);
                let last_offer = if state == ExpectationState::Countered {
                    2
                } else {
                    1
                };
                let (action, command) = actions(last_offer).swap_remove(position);
                let wanted = expected(state, firm, action);
                let found = scene.ask(firm, &command);
                if let Err(refusal) = &found
                    && refusal.reason == Reason::InvalidState
                {
                    assert!(
                        refusal
                            .metadata
                            .contains(&("state", state.as_str().to_owned()))
                    );
                    assert!(refusal.metadata.contains(&("action", action.to_owned())));
                }
                allowed += usize::from(found.is_ok());
                let found = found
                    .map(|_| scene.state())
                    .map_err(|refusal| refusal.reason);
                assert_eq!(found, wanted, "{firm} {action} in {state:?}");
            }
        }
    }
    // Draft 3, three kinds of open offer 4 each, three kinds of owed work 1 each, fulfilled 2, and
    // of what is disputed a revised offer of either side and acceptance after all.
    assert_eq!(allowed, 3 + 3 * 4 + 3 + 2 + 3);
}

#[test]
fn events_that_do_not_fit_are_not_applied() {
    let events: Vec<_> = scenes()
        .into_iter()
        .flat_map(|(_, scene)| scene.journal)
        .collect();
    let mut fitting = std::collections::BTreeSet::new();
    for (state, scene) in scenes() {
        for (event, recorded) in &events {
            let EventBody::Expectation(body) = &event.body else {
                panic!("{event:?}")
            };
            let after = Expectation::apply(Some(scene.expectation().clone()), body, recorded);
            if after.is_some() {
                fitting.insert(format!("{} after {}", body.event_type(), state.as_str()));
            }
            let begins = matches!(body, ExpectationEvent::Created(_));
            assert_eq!(Expectation::apply(None, body, recorded).is_some(), begins);
        }
    }
    // No offer is withdrawn or expired here but from a state in which it stood.
    assert_eq!(fitting.len(), 3 + 3 * 4 + 2 + 1 + 3 + 2 + 3, "{fitting:#?}");
}

#[test]
fn what_only_a_firm_can_say_needs_a_firm() {
    for (_, scene) in scenes() {
        let mut state = None;
        for (event, recorded) in &scene.journal {
            let EventBody::Expectation(body) = &event.body else {
                panic!("{event:?}")
            };
            let nobody = Recorded {
                firm: None,
                actor: String::new(),
                ..recorded.clone()
            };
            let by_itself = matches!(
                body,
                ExpectationEvent::Created(_)
                    | ExpectationEvent::Expired(_)
                    | ExpectationEvent::Missed(_)
            );
            assert_eq!(
                Expectation::apply(state.clone(), body, &nobody).is_some(),
                by_itself
            );
            state = Expectation::apply(state, body, recorded);
        }
    }
}

#[test]
fn a_tick_happens_exactly_when_it_is_due() {
    for (state, mut scene) in scenes() {
        let due_at = scene.expectation().due_at();
        let is_due = matches!(
            state,
            ExpectationState::Offered
                | ExpectationState::Countered
                | ExpectationState::Agreed
                | ExpectationState::Disputed
        );
        assert_eq!(due_at.is_some(), is_due, "{state:?}");
        scene.now = due_at.unwrap_or(Timestamp::LATEST);
        assert_eq!(scene.tick().len(), usize::from(is_due), "{state:?}");
        assert_eq!(scene.tick().len(), 0, "once");
        assert_eq!(scene.expectation().due_at(), None);
    }
}

#[test]
fn states_have_different_names() {
    let names: std::collections::BTreeSet<_> = scenes()
        .iter()
        .map(|(state, scene)| (state.as_str(), scene.expectation().state()))
        .collect();
    assert_eq!(names.len(), 12);
    assert!(names.iter().all(|(name, stored)| name == stored));
}
