//! Remedy plans in a partnership of two firms, or of one.

use super::*;
use crate::domain::command::Action;
use crate::domain::record::Kind;
use crate::domain::refusal::Reason;
use crate::domain::tests::{FIRST, SECOND, Scene, hours, sealed, start};

const ID: &str = "slower";

fn step(owner: usize) -> StepDraft {
    StepDraft {
        action: sealed("ask first, propose later"),
        owner: Some(PartyId::numbered(owner)),
        due: hours(24),
    }
}

fn draft() -> PlanDraft {
    PlanDraft {
        id: Some(ID.to_owned()),
        finding: Finding {
            symptom: Symptom::ChasingRainbows,
            as_of: start(),
            from: Timestamp::EARLIEST,
            to: start(),
            intensity: Some(3),
        },
        steps: vec![step(1), step(2)],
    }
}

fn propose(draft: PlanDraft) -> Action {
    Action::RemedyPlan(PlanCommand::Propose(draft))
}

fn agree() -> Action {
    Action::RemedyPlan(PlanCommand::Agree { id: ID.to_owned() })
}

fn complete(number: u32) -> Action {
    Action::RemedyPlan(PlanCommand::CompleteStep {
        id: ID.to_owned(),
        number,
        words: None,
    })
}

fn end(state: PlanState) -> Action {
    Action::RemedyPlan(PlanCommand::End {
        id: ID.to_owned(),
        state,
        words: None,
    })
}

fn plan(scene: &Scene) -> &RemedyPlan {
    scene.get(ID)
}

fn agreed() -> Scene {
    let mut scene = Scene::shared(None);
    scene.go(FIRST, propose(draft())).go(SECOND, agree());
    scene
}

#[test]
fn each_party_does_its_own_steps() {
    let mut scene = Scene::shared(None);
    scene.go(FIRST, propose(draft()));
    assert_eq!(scene.reason(FIRST, complete(1)), Reason::InvalidState);
    scene.go(SECOND, agree());
    assert_eq!(plan(&scene).state, PlanState::Agreed);
    assert_eq!(scene.reason(FIRST, complete(2)), Reason::NotTheOwner);
    assert_eq!(scene.reason(FIRST, complete(0)), Reason::InvalidField);
    assert_eq!(scene.reason(FIRST, complete(3)), Reason::InvalidField);
    scene.go(FIRST, complete(1));
    assert_eq!(scene.ask(FIRST, complete(1)), Ok(Vec::new()));
    let early = scene.reason(FIRST, end(PlanState::Done));
    assert_eq!(early, Reason::InvalidState);
    scene.wait(1).go(SECOND, complete(2));
    scene.go(FIRST, end(PlanState::Done));
    assert_eq!(scene.ask(SECOND, end(PlanState::Done)), Ok(Vec::new()));
    let late = scene.reason(SECOND, end(PlanState::Abandoned));
    assert_eq!(late, Reason::InvalidState);
    let done = plan(&scene).step(2).and_then(|step| step.done.as_ref());
    assert_eq!(done.map(|done| done.by.at), Some(hours(1)));
    assert_eq!(plan(&scene).finding.window().to, start());
}

#[test]
fn a_plan_may_be_given_up_at_any_time() {
    let mut proposed = Scene::shared(None);
    proposed.go(FIRST, propose(draft()));
    for mut scene in [proposed, agreed()] {
        scene.go(SECOND, end(PlanState::Abandoned));
        assert_eq!(scene.reason(SECOND, agree()), Reason::InvalidState);
    }
}

#[test]
fn plans_at_fault() {
    let mut scene = Scene::shared(None);
    let with = |change: fn(&mut PlanDraft)| {
        let mut draft = draft();
        change(&mut draft);
        propose(draft)
    };
    for bad in [
        with(|draft| draft.steps.clear()),
        with(|draft| draft.steps = vec![step(1); STEPS_MAX + 1]),
        with(|draft| draft.steps[1] = step(9)),
        with(|draft| draft.steps[1].due = Timestamp::LATEST),
        with(|draft| draft.finding.as_of = hours(1)),
        with(|draft| draft.finding.to = draft.finding.from),
        with(|draft| draft.finding.intensity = Some(5)),
    ] {
        assert_eq!(scene.reason(FIRST, bad), Reason::InvalidField);
    }
    scene.go(FIRST, propose(draft()));
    let again = scene.reason(SECOND, propose(draft()));
    assert_eq!(again, Reason::AlreadyExists);
}

#[test]
fn one_firm_alone_plans_and_whoever_joins_may_agree() {
    let mut scene = Scene::alone();
    scene.go(FIRST, propose(draft())).go(FIRST, complete(2));
    assert!(plan(&scene).is_asserted);
    scene.join();
    scene.go(SECOND, agree());
    assert!(!plan(&scene).is_asserted);
}

#[test]
fn the_end_of_the_partnership_closes_what_was_ahead() {
    let mut scene = agreed();
    scene.end();
    let close = Action::CloseRecord {
        kind: Kind::RemedyPlan,
        id: ID.to_owned(),
    };
    scene.go(FIRST, close);
    assert_eq!(plan(&scene).state, PlanState::Closed);
}
