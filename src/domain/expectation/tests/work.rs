//! From consent to work that is done, on time, and taken as done.

use super::*;
use crate::domain::evidence::Evidence;

#[test]
fn e03_the_firm_that_did_the_work_cannot_accept_it() {
    let mut scene = agreed(answers());
    scene.go(OWES, &fulfil());
    for command in [accept(&[0, 1]), dispute()] {
        let refusal = scene.ask(OWES, &command).expect_err("its own work");
        assert_eq!(refusal.reason, Reason::SameFirmMayNotAccept);
        assert!(
            refusal
                .metadata
                .contains(&("party_id", "party-2".to_owned()))
        );
    }
    scene.go(ASKS, &accept(&[1, 0]));
    let acceptance = scene.expectation().acceptance().expect("accepted");
    assert_eq!(acceptance.shown, about(&[0, 1]), "in order");
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
    assert_eq!(
        fields(&twice),
        ["criteria_met[2].criterion", "criteria_met[3].criterion"]
    );
    let flood = scene
        .ask(ASKS, &accept(&vec![0; 10_000]))
        .expect_err("too many");
    assert_eq!(
        fields(&flood),
        ["criteria_met", "criteria_met"],
        "and one is open"
    );
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
    assert_eq!(scene.expectation().missed_at(), None);

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
    assert_eq!(scene.expectation().missed_at(), Some(deadline()));
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
    assert_eq!(scene.expectation().missed_at(), Some(deadline()));
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
        criteria: Vec::new(),
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
        expectation.dispute().map(|dispute| dispute.statement.at),
        Some(start())
    );
    assert_eq!(
        expectation.fulfilment().map(|made| made.statement.at),
        Some(start().saturating_add(Span::from_hours(1)))
    );
}

/// Something in a firm's own software.
fn mail(id: &str) -> Evidence {
    Evidence::External(ExternalReference {
        firm: firm_id(ASKS),
        system: "mail".to_owned(),
        instance: String::new(),
        reference_type: "message".to_owned(),
        id: id.to_owned(),
    })
}

fn showing(evidence: Vec<Evidence>, criteria: Vec<(u32, Vec<Evidence>)>) -> WorkShown {
    let criteria = criteria
        .into_iter()
        .map(|(index, evidence)| CriterionEvidence {
            index,
            evidence,
            note: words("see there"),
        });
    WorkShown {
        evidence,
        criteria: criteria.collect(),
    }
}

fn fulfil_with(shown: WorkShown) -> ExpectationCommand {
    ExpectationCommand::Fulfil {
        id: ID.to_owned(),
        message: None,
        shown,
    }
}

fn accept_for_client(shown: WorkShown) -> ExpectationCommand {
    ExpectationCommand::AcceptFulfilment {
        id: ID.to_owned(),
        shown,
        on_behalf_of_client: true,
        message: None,
    }
}

#[test]
fn e03_work_is_shown_criterion_by_criterion() {
    let mut scene = agreed(answers());
    let own = Evidence::Expectation(ID.to_owned());
    let shown = showing(vec![mail("1")], vec![(1, vec![own]), (0, vec![mail("2")])]);
    let unknown = showing(vec![], vec![(2, vec![]), (1, vec![]), (1, vec![])]);
    let refusal = scene
        .ask(OWES, &fulfil_with(unknown))
        .expect_err("no such criterion");
    assert_eq!(
        fields(&refusal),
        ["criteria[0].criterion", "criteria[2].criterion"]
    );
    let missing = showing(vec![Evidence::Ticket("none".to_owned())], vec![]);
    assert_eq!(scene.reason(OWES, &fulfil_with(missing)), Reason::NotFound);
    let broken = showing(vec![mail("")], vec![(0, vec![mail("\u{7}")])]);
    let refusal = scene
        .ask(OWES, &fulfil_with(broken))
        .expect_err("not references");
    let expected = [
        "evidence[0].external.id",
        "criteria[0].evidence[0].external.id",
    ];
    assert_eq!(fields(&refusal), expected);
    let flood = showing(vec![mail("1"); EVIDENCE_MAX], vec![(0, vec![mail("2")])]);
    let refusal = scene.ask(OWES, &fulfil_with(flood)).expect_err("too much");
    assert_eq!(fields(&refusal), ["evidence"]);
    scene.go(OWES, &fulfil_with(shown.clone()));
    let made = scene.expectation().fulfilment().expect("done");
    let indexes: Vec<_> = made.shown.criteria.iter().map(|it| it.index).collect();
    assert_eq!(
        (indexes, &made.shown.evidence),
        (vec![0, 1], &shown.evidence)
    );
}

#[test]
fn e03_who_accepts_for_a_client_shows_by_what() {
    let mut scene = Scene::shared();
    let mut with_client = create(answers());
    if let ExpectationCommand::Create { client, .. } = &mut with_client {
        *client = Some("c".to_owned());
    }
    let client = Client {
        display_name: "Bakery".to_owned(),
    };
    scene.put("c", Record::Client(Box::new(client)));
    scene
        .go(ASKS, &with_client)
        .go(ASKS, &offer())
        .go(OWES, &agree(1))
        .go(OWES, &fulfil());
    let half = showing(vec![], vec![(0, vec![mail("1")]), (1, vec![])]);
    let refusal = scene
        .ask(ASKS, &accept_for_client(half))
        .expect_err("one is not shown");
    assert_eq!(fields(&refusal), ["evidence"]);
    let refusal = scene
        .ask(OWES, &accept_for_client(about(&[0, 1])))
        .expect_err("its own work");
    assert_eq!(refusal.reason, Reason::SameFirmMayNotAccept);
    let each = showing(vec![], vec![(0, vec![mail("1")]), (1, vec![mail("2")])]);
    scene.go(ASKS, &accept_for_client(each));
    let acceptance = scene.expectation().acceptance().expect("accepted");
    assert!(acceptance.on_behalf_of_client);

    let mut scene = agreed(answers());
    scene.go(OWES, &fulfil());
    let whole = WorkShown {
        evidence: vec![mail("1")],
        ..about(&[0, 1])
    };
    let refusal = scene
        .ask(ASKS, &accept_for_client(whole))
        .expect_err("there is no client");
    assert_eq!(fields(&refusal), ["on_behalf_of_client"]);
    scene.go(ASKS, &accept(&[0, 1]));
}

#[test]
fn e03_a_dispute_says_why_as_a_whole_or_for_a_criterion() {
    let mut scene = agreed(answers());
    scene.go(OWES, &fulfil());
    let because = |criteria: &[u32]| ExpectationCommand::DisputeFulfilment {
        id: ID.to_owned(),
        reason: None,
        criteria: criteria
            .iter()
            .map(|index| CriterionReason {
                index: *index,
                reason: sealed("it is not"),
            })
            .collect(),
    };
    let refusal = scene
        .ask(ASKS, &because(&[]))
        .expect_err("no reason at all");
    assert_eq!(fields(&refusal), ["reason"]);
    let refusal = scene
        .ask(ASKS, &because(&[1, 1, 2]))
        .expect_err("no such criterion");
    let expected = [
        "criteria_not_met[1].criterion",
        "criteria_not_met[2].criterion",
    ];
    assert_eq!(fields(&refusal), expected);
    scene.go(ASKS, &because(&[1, 0]));
    let dispute = scene.expectation().dispute().expect("disputed");
    let indexes: Vec<_> = dispute.criteria.iter().map(|it| it.index).collect();
    assert_eq!(indexes, [0, 1]);
}
