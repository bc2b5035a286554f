//! Improvements in a partnership of two firms, or of one.

use super::*;
use crate::domain::command::Action;
use crate::domain::expectation::{ExpectationCommand, FiveW};
use crate::domain::record::Kind;
use crate::domain::refusal::Reason;
use crate::domain::tests::{FIRST, SECOND, Scene, hours, sealed};

const ID: &str = "checklist";

fn draft() -> ImprovementDraft {
    ImprovementDraft {
        id: Some(ID.to_owned()),
        cause: Some(sealed("nobody knew who calls the carrier")),
        sources: Vec::new(),
        action: sealed("write it down"),
        owner: None,
        due: hours(24),
    }
}

fn create(draft: ImprovementDraft) -> Action {
    Action::Improvement(ImprovementCommand::Create(draft))
}

fn say(state: ImprovementState) -> Action {
    Action::Improvement(ImprovementCommand::Move {
        id: ID.to_owned(),
        state,
        words: Some(sealed("here it is")),
    })
}

fn silently(state: ImprovementState) -> Action {
    Action::Improvement(ImprovementCommand::Move {
        id: ID.to_owned(),
        state,
        words: None,
    })
}

fn improvement(scene: &Scene) -> &Improvement {
    scene.get(ID)
}

fn recorded() -> Scene {
    let mut scene = Scene::shared(None);
    scene.go(FIRST, create(draft()));
    scene
}

#[test]
fn its_owner_does_it_and_another_party_verifies() {
    let mut scene = recorded();
    let early = scene.reason(SECOND, silently(ImprovementState::Verified));
    assert_eq!(early, Reason::InvalidState);
    let strange = scene.reason(SECOND, silently(ImprovementState::Done));
    assert_eq!(strange, Reason::NotTheOwner);
    scene.go(FIRST, silently(ImprovementState::Done));
    let again = scene.ask(FIRST, silently(ImprovementState::Done));
    assert_eq!(again, Ok(Vec::new()));
    let own = scene.reason(FIRST, silently(ImprovementState::Verified));
    assert_eq!(own, Reason::SameFirmMayNotAccept);
    scene
        .wait(2)
        .go(SECOND, silently(ImprovementState::Verified));
    let found = improvement(&scene);
    let step = found.last_step(ImprovementState::Verified).expect("said");
    assert_eq!((step.by.at, step.is_asserted), (hours(2), false));
    let dropped = scene.reason(SECOND, say(ImprovementState::Dropped));
    assert_eq!(dropped, Reason::InvalidState);
}

#[test]
fn it_is_opened_again_with_a_reason_and_all_stays() {
    let mut scene = recorded();
    let open = scene.reason(SECOND, say(ImprovementState::Open));
    assert_eq!(open, Reason::InvalidState);
    for _ in 0..2 {
        scene.go(FIRST, silently(ImprovementState::Done));
        let why = scene.reason(SECOND, silently(ImprovementState::Open));
        assert_eq!(why, Reason::InvalidField);
        scene.go(SECOND, say(ImprovementState::Open));
    }
    assert_eq!(improvement(&scene).steps.len(), 4);
    let why = scene.reason(FIRST, silently(ImprovementState::Dropped));
    assert_eq!(why, Reason::InvalidField);
    scene.go(SECOND, say(ImprovementState::Dropped));
    let late = scene.reason(FIRST, silently(ImprovementState::Done));
    assert_eq!(late, Reason::InvalidState);
}

#[test]
fn steps_are_bounded() {
    let mut scene = recorded();
    for _ in 0..STEPS_MAX / 2 {
        scene.go(FIRST, silently(ImprovementState::Done));
        scene.go(SECOND, say(ImprovementState::Open));
    }
    let full = scene.reason(FIRST, silently(ImprovementState::Done));
    assert_eq!(full, Reason::LimitReached);
}

#[test]
fn improvements_at_fault() {
    let mut scene = Scene::shared(None);
    let with = |sources: Vec<Source>| ImprovementDraft {
        cause: None,
        sources,
        ..draft()
    };
    let ticket = || Source::Ticket("none".to_owned());
    for (draft, reason) in [
        (with(Vec::new()), Reason::InvalidField),
        (with(vec![ticket()]), Reason::NotFound),
        (with(vec![ticket(), ticket()]), Reason::InvalidField),
        (with(vec![ticket(); SOURCES_MAX + 1]), Reason::InvalidField),
        (
            with(vec![Source::Notice("none".to_owned())]),
            Reason::NotFound,
        ),
        (
            with(vec![Source::Survey("none".to_owned())]),
            Reason::NotFound,
        ),
        (
            with(vec![Source::Feedback("none".to_owned())]),
            Reason::NotFound,
        ),
    ] {
        assert_eq!(scene.reason(FIRST, create(draft)), reason);
    }
    let mut stranger = draft();
    stranger.owner = Some(PartyId::numbered(9));
    stranger.due = Timestamp::LATEST;
    assert_eq!(scene.reason(FIRST, create(stranger)), Reason::InvalidField);
    scene.go(
        FIRST,
        Action::Expectation(ExpectationCommand::Create {
            agreement: None,
            id: Some("restored".to_owned()),
            title: None,
            five_w: FiveW::default(),
            obligor: PartyId::numbered(1),
            client: None,
            reference: None,
        }),
    );
    let known = with(vec![Source::Expectation("restored".to_owned())]);
    scene.go(SECOND, create(known));
    let again = scene.reason(FIRST, create(draft()));
    assert_eq!(again, Reason::AlreadyExists);
}

#[test]
fn one_firm_alone_asserts_for_whoever_is_not_there() {
    let mut scene = Scene::alone();
    let mut theirs = draft();
    theirs.owner = Some(PartyId::numbered(2));
    scene.go(FIRST, create(theirs));
    scene.go(FIRST, silently(ImprovementState::Done));
    scene.go(FIRST, silently(ImprovementState::Verified));
    assert!(
        improvement(&scene)
            .steps
            .iter()
            .all(|step| step.is_asserted)
    );
    scene.join();
    scene.go(SECOND, say(ImprovementState::Open));
    let now_theirs = scene.reason(FIRST, silently(ImprovementState::Done));
    assert_eq!(now_theirs, Reason::NotTheOwner);
}

#[test]
fn the_end_of_the_partnership_closes_what_was_open() {
    let close = || Action::CloseRecord {
        kind: Kind::Improvement,
        id: ID.to_owned(),
    };
    let mut scene = recorded();
    scene.end();
    scene.go(FIRST, close());
    assert_eq!(improvement(&scene).state, ImprovementState::Closed);
    let mut done = recorded();
    done.go(FIRST, silently(ImprovementState::Done)).end();
    assert_eq!(done.ask(FIRST, close()), Ok(Vec::new()));
}
