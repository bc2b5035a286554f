//! Activities in a partnership of two firms.

use super::*;
use crate::domain::command::Action;
use crate::domain::interaction::InteractionCommand;
use crate::domain::record::Kind;
use crate::domain::refusal::Reason;
use crate::domain::tests::{FIRST, SECOND, Scene, hours, sealed};

fn ask(command: ActivityCommand) -> Action {
    Action::Interaction(InteractionCommand::Activity(command))
}

fn draft() -> ActivityDraft {
    ActivityDraft {
        inviter: None,
        invited: Vec::new(),
        kind: ActivityKind::Review,
        purpose: ActivityPurpose::Growth,
        title: sealed("the year ahead"),
        planned_at: Some(hours(48)),
        held: None,
    }
}

fn held(at: i64, present: &[usize]) -> HeldDraft {
    HeldDraft {
        held_at: hours(at),
        present: present.iter().copied().map(PartyId::numbered).collect(),
        note: None,
    }
}

fn answer(id: &str, invited: Option<usize>, accepts: bool) -> Action {
    ask(ActivityCommand::Answer {
        id: id.to_owned(),
        invited: invited.map(PartyId::numbered),
        accepts,
        reason: (!accepts).then(|| sealed("no time")),
    })
}

fn record(id: &str, held: HeldDraft) -> Action {
    let id = id.to_owned();
    ask(ActivityCommand::RecordHeld { id, held })
}

fn cancel(id: &str) -> Action {
    let id = id.to_owned();
    ask(ActivityCommand::Cancel { id, reason: None })
}

fn planned(scene: &mut Scene) -> String {
    let id = scene.next_id();
    scene.go(FIRST, ask(ActivityCommand::Create(draft())));
    id
}

fn state(scene: &Scene, id: &str) -> ActivityState {
    scene.get::<Activity>(id).state
}

#[test]
fn the_invited_answer_and_may_change_their_mind() {
    let mut scene = Scene::shared(None);
    let id = planned(&mut scene);
    assert_eq!(state(&scene, &id), ActivityState::Invited);
    let own = scene.reason(FIRST, answer(&id, None, true));
    assert_eq!(own, Reason::NotYoursToAnswer);
    let foreign = scene.reason(FIRST, answer(&id, Some(2), true));
    assert_eq!(foreign, Reason::InvalidField);
    scene.go(SECOND, answer(&id, None, false));
    assert_eq!(state(&scene, &id), ActivityState::Declined);
    assert_eq!(scene.ask(SECOND, answer(&id, None, false)), Ok(Vec::new()));
    scene.go(SECOND, answer(&id, None, true));
    assert_eq!(state(&scene, &id), ActivityState::Accepted);
    assert_eq!(scene.get::<Activity>(&id).answers.len(), 1);
    scene.wait(50);
    scene.go(SECOND, record(&id, held(48, &[2, 1])));
    assert_eq!(state(&scene, &id), ActivityState::Held);
    let same = scene.ask(FIRST, record(&id, held(48, &[1, 2])));
    assert_eq!(same, Ok(Vec::new()));
    for over in [
        record(&id, held(49, &[1])),
        answer(&id, None, false),
        cancel(&id),
    ] {
        let firm = if over == cancel(&id) { FIRST } else { SECOND };
        assert_eq!(scene.reason(firm, over), Reason::InvalidState);
    }
}

#[test]
fn activities_at_fault() {
    let mut scene = Scene::shared(None);
    scene.wait(1);
    let faulty = |change: fn(&mut ActivityDraft)| {
        let mut draft = draft();
        change(&mut draft);
        ask(ActivityCommand::Create(draft))
    };
    for (action, fields) in [
        (faulty(|draft| draft.planned_at = None), 1),
        (
            faulty(|draft| draft.inviter = Some(PartyId::numbered(2))),
            1,
        ),
        (
            faulty(|draft| draft.invited = vec![PartyId::numbered(9); 2]),
            3,
        ),
        (
            faulty(|draft| draft.invited = vec![PartyId::numbered(1)]),
            1,
        ),
        (faulty(|draft| draft.held = Some(held(2, &[]))), 2),
        (faulty(|draft| draft.held = Some(held(0, &[1, 9]))), 1),
    ] {
        let refusal = scene.ask(FIRST, action).expect_err("it is at fault");
        assert_eq!(refusal.reason, Reason::InvalidField);
        assert_eq!(refusal.violations.len(), fields, "{refusal:?}");
    }
    let id = planned(&mut scene);
    let early = scene.reason(SECOND, record(&id, held(5, &[1])));
    assert_eq!(early, Reason::InvalidField);
    assert_eq!(scene.reason(SECOND, cancel(&id)), Reason::NotYoursToAnswer);
    scene.go(FIRST, cancel(&id));
    assert_eq!(scene.ask(FIRST, cancel(&id)), Ok(Vec::new()));
    let late = scene.reason(SECOND, answer(&id, None, true));
    assert_eq!(late, Reason::InvalidState);
}

#[test]
fn one_firm_alone_records_what_took_place() {
    let mut scene = Scene::alone();
    scene.wait(1);
    let id = scene.next_id();
    let over = ActivityDraft {
        inviter: Some(PartyId::numbered(2)),
        planned_at: None,
        held: Some(held(0, &[1, 2])),
        ..draft()
    };
    scene.go(FIRST, ask(ActivityCommand::Create(over)));
    let activity = scene.get::<Activity>(&id);
    assert_eq!(activity.state, ActivityState::Held);
    assert_eq!(activity.invitation.planned_at, hours(0));
    assert!(activity.invitation.is_asserted);
    assert_eq!(activity.invitation.invited, [PartyId::numbered(1)]);
    let id = planned(&mut scene);
    scene.go(FIRST, answer(&id, Some(2), true));
    assert_eq!(state(&scene, &id), ActivityState::Accepted);
}

#[test]
fn the_end_of_the_partnership_closes_what_was_ahead() {
    let mut scene = Scene::shared(None);
    let id = planned(&mut scene);
    scene.end();
    let close = Action::CloseRecord {
        kind: Kind::Activity,
        id: id.clone(),
    };
    scene.go(FIRST, close);
    assert_eq!(state(&scene, &id), ActivityState::Closed);
    assert_eq!(scene.get::<Activity>(&id).closed_at, Some(scene.now));
}
