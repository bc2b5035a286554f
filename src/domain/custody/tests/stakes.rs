//! What parties tell of their gains.

use super::shared;
use crate::domain::aggregate::Aggregate;
use crate::domain::command::Action;
use crate::domain::custody::stake::{
    ENDED, STANDING, StakeCommand, StakeDisclosure, StakeDraft, StakeNature,
};
use crate::domain::identity::PartyId;
use crate::domain::refusal::Reason;
use crate::domain::sla::calendar::CivilDate;
use crate::domain::tests::{FIRST, SECOND, Scene, sealed};

const ID: &str = "stake";

fn day(month: u8, day: u8) -> CivilDate {
    CivilDate::new(2000, month, day).expect("a date")
}

fn draft() -> StakeDraft {
    StakeDraft {
        id: Some(ID.to_owned()),
        holder: None,
        nature: StakeNature::Commission,
        outside_party: None,
        words: Some(sealed("of the carrier")),
        since: day(1, 1),
    }
}

fn disclose(draft: StakeDraft) -> Action {
    Action::Stake(StakeCommand::Disclose(draft))
}

fn end(until: CivilDate) -> Action {
    Action::Stake(StakeCommand::End {
        id: ID.to_owned(),
        until,
        words: None,
    })
}

fn told(scene: &Scene) -> &StakeDisclosure {
    scene.get(ID)
}

#[test]
fn a_stake_is_told_and_ended_by_whoever_gains() {
    let mut scene = shared();
    scene.go(FIRST, disclose(draft()));
    assert_eq!(told(&scene).told.holder, PartyId::numbered(1));
    assert!(!told(&scene).told.is_asserted && told(&scene).state() == STANDING);
    assert_eq!(
        scene.reason(FIRST, disclose(draft())),
        Reason::AlreadyExists
    );
    assert_eq!(scene.reason(SECOND, end(day(1, 2))), Reason::NotYourCustody);
    let before = CivilDate::new(1999, 12, 31).expect("a date");
    for until in [before, day(1, 4)] {
        assert_eq!(scene.reason(FIRST, end(until)), Reason::InvalidField);
    }
    scene.go(FIRST, end(day(1, 2)));
    assert_eq!(told(&scene).state(), ENDED);
    assert_eq!(scene.ask(FIRST, end(day(1, 2))), Ok(vec![]));
}

#[test]
fn stakes_at_fault() {
    let mut scene = shared();
    let with = |change: fn(&mut StakeDraft)| {
        let mut draft = draft();
        change(&mut draft);
        disclose(draft)
    };
    for (action, reason) in [
        (with(|draft| draft.words = None), Reason::InvalidField),
        (with(|draft| draft.since = day(1, 4)), Reason::InvalidField),
        (
            with(|draft| draft.holder = Some(PartyId::numbered(9))),
            Reason::InvalidField,
        ),
        (
            with(|draft| draft.holder = Some(PartyId::numbered(2))),
            Reason::NotYourCustody,
        ),
        (
            with(|draft| draft.outside_party = Some("absent".to_owned())),
            Reason::NotFound,
        ),
    ] {
        assert_eq!(scene.reason(FIRST, action), reason);
    }
}

#[test]
fn one_firm_alone_notes_what_it_knows_of_the_other() {
    let mut scene = Scene::alone();
    let others = StakeDraft {
        holder: Some(PartyId::numbered(2)),
        ..draft()
    };
    scene.go(FIRST, disclose(others));
    assert!(told(&scene).told.is_asserted);
}
