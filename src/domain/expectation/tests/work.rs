//! From consent to work that is done, on time, and taken as done.

use super::*;

#[test]
fn e03_the_firm_that_did_the_work_cannot_accept_it() {
    let mut scene = agreed(answers());
    scene.go(OWES, &fulfil());
    for command in [accept(&[0, 1]), dispute()] {
        let refusal = scene.ask(OWES, &command).expect_err("its own work");
        assert_eq!(refusal.reason, Reason::SameFirmMayNotAccept);
        assert_eq!(refusal.metadata, [("party_id", "party-2".to_owned())]);
    }
    scene.go(ASKS, &accept(&[1, 0]));
    let acceptance = scene.expectation().acceptance.clone().expect("accepted");
    assert_eq!(acceptance.criteria_met, [0, 1]);
    assert_eq!(acceptance.statement.firm, Some(firm_id(ASKS)));
}

#[test]
fn e03_acceptance_covers_every_criterion_once() {
    let mut scene = agreed(answers());
    scene.go(OWES, &fulfil());
    let open = scene.ask(ASKS, &accept(&[1])).expect_err("one is open");
    assert_eq!(
        (open.reason, fields(&open)),
        (Reason::InvalidField, vec!["criteria_met"])
    );
    assert!(open.message.contains("not met: 0;"), "{open}");
    let twice = scene
        .ask(ASKS, &accept(&[0, 1, 0, 2]))
        .expect_err("twice, and unknown");
    assert_eq!(fields(&twice), ["criteria_met[2]", "criteria_met[3]"]);
    let flood = scene
        .ask(ASKS, &accept(&vec![7; 10_000]))
        .expect_err("too many");
    assert_eq!(fields(&flood), ["criteria_met"]);
    assert_eq!(scene.state(), ExpectationState::Fulfilled);
}

#[test]
fn e03_a_party_that_owes_itself_is_judged_by_the_other() {
    let mut scene = Scene::shared();
    let mut promise = create(FiveW::default());
    if let ExpectationCommand::Create { obligor, .. } = &mut promise {
        *obligor = PartyId::numbered(1);
    }
    scene
        .go(ASKS, &promise)
        .go(ASKS, &offer())
        .go(OWES, &agree(1));
    assert_eq!(scene.reason(OWES, &fulfil()), Reason::InvalidState);
    scene.go(ASKS, &fulfil());
    assert_eq!(
        scene.reason(ASKS, &accept(&[])),
        Reason::SameFirmMayNotAccept
    );
    scene.go(OWES, &accept(&[]));
    assert_eq!(scene.state(), ExpectationState::Accepted);
}

#[test]
fn work_at_the_deadline_is_in_time_and_an_instant_later_is_not() {
    let mut scene = agreed(answers());
    scene.now = deadline();
    assert_eq!(scene.tick(), Vec::<&str>::new());
    assert_eq!(
        scene.ask(OWES, &fulfil()),
        Ok(vec!["expectation.fulfilled"])
    );
    assert_eq!(scene.expectation().missed_at, None);

    let mut scene = agreed(answers());
    scene.now = deadline().saturating_add(INSTANT);
    assert_eq!(scene.expectation().due_at(), Some(scene.now));
    assert_eq!(
        scene.expectation().missed_as_of(scene.now),
        Some(deadline())
    );
    assert_eq!(scene.expectation().missed_as_of(deadline()), None);
    assert_eq!(scene.tick(), ["expectation.missed"]);
    assert_eq!(scene.tick(), Vec::<&str>::new(), "once");
    assert_eq!(scene.expectation().due_at(), None);
    assert_eq!(
        scene.ask(OWES, &fulfil()),
        Ok(vec!["expectation.fulfilled"])
    );
    assert_eq!(scene.expectation().missed_at, Some(deadline()));
}

#[test]
fn late_work_is_late_even_if_no_sweep_came_by() {
    let mut scene = agreed(answers());
    scene.now = deadline().saturating_add(Span::from_hours(1));
    assert_eq!(scene.state(), ExpectationState::Agreed);
    let events = scene.ask(OWES, &fulfil());
    assert_eq!(
        events,
        Ok(vec!["expectation.missed", "expectation.fulfilled"])
    );
    assert_eq!(scene.expectation().missed_at, Some(deadline()));
    assert_eq!(scene.tick(), Vec::<&str>::new());
}

#[test]
fn only_the_obligor_fulfils_and_disputed_work_can_be_done_again() {
    let mut scene = agreed(answers());
    let refusal = scene.ask(ASKS, &fulfil()).expect_err("it does not owe");
    assert_eq!(refusal.reason, Reason::InvalidState);
    assert!(
        refusal
            .metadata
            .contains(&("obligor", "party-2".to_owned()))
    );
    scene.go(OWES, &fulfil());
    let silent = ExpectationCommand::DisputeFulfilment {
        id: ID.to_owned(),
        reason: None,
    };
    let refusal = scene.ask(ASKS, &silent).expect_err("it does not say why");
    assert_eq!(fields(&refusal), ["reason"]);
    scene.go(ASKS, &dispute());
    assert_eq!(scene.state(), ExpectationState::Disputed);
    scene
        .wait(Span::from_hours(1))
        .go(OWES, &fulfil())
        .go(ASKS, &accept(&[0, 1]));
    let expectation = scene.expectation();
    assert_eq!(
        expectation.dispute.as_ref().map(|said| said.at),
        Some(start())
    );
    assert_eq!(
        expectation.fulfilment.as_ref().map(|said| said.at),
        Some(start().saturating_add(Span::from_hours(1)))
    );
}
