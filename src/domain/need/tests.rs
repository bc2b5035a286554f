//! Needs in a partnership of two firms.

use super::*;
use crate::domain::claim::ClaimCommand;
use crate::domain::command::Action;
use crate::domain::tests::{FIRST, SECOND, Scene, hours, sealed};

const ID: &str = "weekends";

fn ask() -> Action {
    Action::Need(NeedCommand::Ask {
        id: Some(ID.to_owned()),
        statement: sealed("somebody answers on weekends"),
        weight: Weight::Must,
        client: None,
    })
}

fn claim(id: &str, support: Support) -> Action {
    Action::Claim(ClaimCommand::Make {
        id: Some(id.to_owned()),
        maker: None,
        statement: sealed("we do"),
        support,
        client: None,
    })
}

fn match_to(claim: Option<&str>) -> Action {
    let (id, claim) = (ID.to_owned(), claim.map(str::to_owned));
    Action::Need(NeedCommand::Match { id, claim })
}

fn accept(review_at: Timestamp) -> Action {
    let text = sealed("not on Sundays");
    let accepted = LimitationAccepted { text, review_at };
    let id = ID.to_owned();
    Action::Need(NeedCommand::AcceptLimitation { id, accepted })
}

fn review(review_at: Option<Timestamp>) -> Action {
    let message = Some(sealed("still so"));
    let reviewed = LimitationReviewed { review_at, message };
    let id = ID.to_owned();
    Action::Need(NeedCommand::ReviewLimitation { id, reviewed })
}

fn need(scene: &Scene) -> &Need {
    scene.get(ID)
}

fn asked() -> Scene {
    let mut scene = Scene::shared(None);
    scene.go(FIRST, ask());
    scene
}

#[test]
fn a_need_shows_what_its_claim_says() {
    let mut scene = asked();
    assert_eq!(need(&scene).answer(), Answer::Unmatched);
    let limited = Support::Limited {
        how: sealed("till noon"),
    };
    let planned = Support::Planned { from: hours(9) };
    for (id, support, answer) in [
        ("a", Support::Supported, Answer::MetByClaim),
        ("b", limited, Answer::Limited),
        ("c", planned, Answer::Planned),
        ("d", Support::NotOffered, Answer::NotOffered),
    ] {
        scene
            .go(SECOND, claim(id, support))
            .go(SECOND, match_to(Some(id)));
        assert_eq!(need(&scene).answer(), answer);
        assert_eq!(scene.ask(FIRST, match_to(Some(id))), Ok(Vec::new()));
    }
    assert_eq!(scene.reason(FIRST, match_to(Some("e"))), Reason::NotFound);
    scene.go(FIRST, match_to(None));
    assert_eq!(need(&scene).answer(), Answer::Unmatched);
    assert_eq!(scene.ask(FIRST, match_to(None)), Ok(Vec::new()));
}

#[test]
fn a_limitation_comes_back_once_at_its_date() {
    let mut scene = asked();
    assert_eq!(need(&scene).due_at(), None);
    scene.go(FIRST, accept(hours(10)));
    assert_eq!(need(&scene).due_at(), Some(hours(10)));
    scene.wait(9);
    assert!(scene.tick(Kind::Need, ID).is_empty(), "not too early");
    scene.wait(1);
    assert!(need(&scene).is_review_due(scene.now), "swept or not");
    assert_eq!(scene.tick(Kind::Need, ID), ["need.review_due"]);
    assert!(scene.tick(Kind::Need, ID).is_empty(), "once");
    assert_eq!(need(&scene).due_at(), None);
    scene.go(FIRST, review(Some(hours(20))));
    assert!(!need(&scene).is_review_due(scene.now));
    scene.wait(10);
    assert_eq!(scene.tick(Kind::Need, ID), ["need.review_due"]);
    scene.go(FIRST, review(None));
    let limitation = need(&scene).limitation.clone().expect("it stays readable");
    assert_eq!(limitation.ended_at, Some(hours(20)));
    assert!(!need(&scene).is_review_due(hours(1_000)));
    assert_eq!(scene.reason(FIRST, review(None)), Reason::InvalidState);
    scene.go(FIRST, accept(hours(30)));
}

#[test]
fn only_its_asker_puts_up_with_less() {
    let mut scene = asked();
    assert_eq!(scene.reason(SECOND, accept(hours(1))), Reason::InvalidState);
    assert_eq!(scene.reason(FIRST, accept(hours(0))), Reason::InvalidField);
    scene.go(FIRST, accept(hours(1)));
    assert_eq!(scene.reason(FIRST, accept(hours(2))), Reason::InvalidState);
    assert_eq!(scene.reason(SECOND, review(None)), Reason::InvalidState);
    assert_eq!(
        scene.reason(FIRST, review(Some(hours(0)))),
        Reason::InvalidField
    );
}

#[test]
fn what_is_met_is_not_limited() {
    let mut scene = asked();
    scene.go(SECOND, claim("a", Support::Supported));
    scene.go(FIRST, match_to(Some("a")));
    assert_eq!(scene.reason(FIRST, accept(hours(1))), Reason::InvalidState);
}
