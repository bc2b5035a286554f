//! Shared goals in a partnership of two firms, or of one.

use super::*;
use crate::domain::command::Action;
use crate::domain::record::Kind;
use crate::domain::refusal::Reason;
use crate::domain::tests::{FIRST, SECOND, Scene, hours, sealed};

const ID: &str = "faster";

fn draft() -> GoalDraft {
    GoalDraft {
        id: Some(ID.to_owned()),
        title: sealed("answer faster"),
        measure: sealed("first answers within the hour"),
        target: sealed("19 of 20"),
        owner: None,
        due: hours(24),
    }
}

fn propose(draft: GoalDraft) -> Action {
    Action::SharedGoal(GoalCommand::Propose(draft))
}

fn agree() -> Action {
    Action::SharedGoal(GoalCommand::Agree { id: ID.to_owned() })
}

fn tell(percent: u8) -> Action {
    Action::SharedGoal(GoalCommand::TellProgress {
        id: ID.to_owned(),
        percent,
        note: None,
    })
}

fn end(state: GoalState) -> Action {
    Action::SharedGoal(GoalCommand::End {
        id: ID.to_owned(),
        state,
        words: None,
    })
}

fn goal(scene: &Scene) -> &SharedGoal {
    scene.get(ID)
}

fn agreed() -> Scene {
    let mut scene = Scene::shared(None);
    scene.go(FIRST, propose(draft())).go(SECOND, agree());
    scene
}

#[test]
fn a_goal_counts_when_both_agreed() {
    let mut scene = Scene::shared(None);
    scene.go(FIRST, propose(draft()));
    assert_eq!(goal(&scene).state, GoalState::Proposed);
    assert_eq!(scene.ask(FIRST, agree()), Ok(Vec::new()));
    assert_eq!(scene.reason(SECOND, tell(5)), Reason::InvalidState);
    let early = scene.reason(SECOND, end(GoalState::Missed));
    assert_eq!(early, Reason::InvalidState);
    scene.wait(1).go(SECOND, agree());
    let found = goal(&scene);
    assert_eq!((found.state, found.is_asserted), (GoalState::Agreed, false));
    assert_eq!(found.agreed_at, Some(hours(1)));
    assert_eq!(scene.ask(SECOND, agree()), Ok(Vec::new()));
}

#[test]
fn another_party_than_the_owner_says_that_it_was_reached() {
    for (state, own) in [
        (GoalState::Reached, Some(Reason::SameFirmMayNotAccept)),
        (GoalState::Missed, None),
        (GoalState::Dropped, None),
    ] {
        let mut scene = agreed();
        let Some(reason) = own else {
            scene.go(FIRST, end(state));
            continue;
        };
        assert_eq!(scene.reason(FIRST, end(state)), reason);
        scene.go(SECOND, end(state));
        assert_eq!(scene.ask(FIRST, end(state)), Ok(Vec::new()));
        let otherwise = scene.reason(FIRST, end(GoalState::Missed));
        assert_eq!(otherwise, Reason::InvalidState);
        assert_eq!(scene.reason(SECOND, agree()), Reason::InvalidState);
    }
}

#[test]
fn progress_is_bounded() {
    let mut scene = agreed();
    assert_eq!(scene.reason(FIRST, tell(101)), Reason::InvalidField);
    for _ in 0..PROGRESS_MAX {
        scene.go(FIRST, tell(100));
    }
    assert_eq!(scene.reason(SECOND, tell(1)), Reason::LimitReached);
}

#[test]
fn goals_at_fault() {
    let mut scene = Scene::shared(None);
    let mut stranger = draft();
    stranger.owner = Some(PartyId::numbered(9));
    assert_eq!(scene.reason(FIRST, propose(stranger)), Reason::InvalidField);
    let mut never = draft();
    never.due = Timestamp::LATEST;
    assert_eq!(scene.reason(FIRST, propose(never)), Reason::InvalidField);
    assert_eq!(scene.reason(FIRST, agree()), Reason::NotFound);
    scene.go(FIRST, propose(draft()));
    let again = scene.reason(SECOND, propose(draft()));
    assert_eq!(again, Reason::AlreadyExists);
    scene.go(SECOND, end(GoalState::Dropped));
    assert_eq!(goal(&scene).state, GoalState::Dropped);
}

#[test]
fn one_firm_alone_asserts_and_whoever_joins_may_agree() {
    let mut scene = Scene::alone();
    scene.go(FIRST, propose(draft()));
    let found = goal(&scene);
    assert_eq!((found.state, found.is_asserted), (GoalState::Agreed, true));
    scene.join();
    scene.go(SECOND, agree());
    let found = goal(&scene);
    assert_eq!((found.state, found.is_asserted), (GoalState::Agreed, false));
    let mut alone = Scene::alone();
    alone.go(FIRST, propose(draft()));
    alone.go(FIRST, end(GoalState::Reached));
    let outcome = goal(&alone).outcome.as_ref().expect("ended");
    assert!(outcome.is_asserted);
}

#[test]
fn the_end_of_the_partnership_closes_what_was_ahead() {
    let close = || Action::CloseRecord {
        kind: Kind::SharedGoal,
        id: ID.to_owned(),
    };
    let mut scene = agreed();
    scene.end();
    scene.go(FIRST, close());
    assert_eq!(goal(&scene).state, GoalState::Closed);
    assert_eq!(goal(&scene).closed_at, Some(scene.now));
    let mut over = agreed();
    over.go(FIRST, end(GoalState::Missed)).end();
    assert_eq!(over.ask(FIRST, close()), Ok(Vec::new()));
}
