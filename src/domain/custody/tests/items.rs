//! Items on their own.

use super::{CLIENT, create, draft, shared, with_client};
use crate::domain::command::Action;
use crate::domain::custody::item::{
    CustodyChange, CustodyCommand, CustodyDraft, CustodyItem, CustodyKind, CustodyState,
    NamedOutsideParty, Owner, TESTS_SHOWN_MAX, TestDraft,
};
use crate::domain::identity::PartyId;
use crate::domain::outsiders::{OutsideParty, OutsidePartyType};
use crate::domain::record::Record;
use crate::domain::refusal::Reason;
use crate::domain::tests::{FIRST, SECOND, Scene, hours, sealed};
use crate::domain::time::Timestamp;

const ID: &str = "domain";

fn test(at: Option<Timestamp>, is_passed: bool) -> Action {
    Action::Custody(CustodyCommand::Test {
        id: ID.to_owned(),
        test: TestDraft {
            at,
            is_passed,
            note: Some(sealed("tried")),
        },
    })
}

fn update(change: CustodyChange) -> Action {
    let id = ID.to_owned();
    Action::Custody(CustodyCommand::Update { id, change })
}

fn retire() -> Action {
    Action::Custody(CustodyCommand::Retire {
        id: ID.to_owned(),
        reason: None,
    })
}

fn renaming(name: &str) -> CustodyChange {
    CustodyChange {
        display_name: Some(name.to_owned()),
        ..CustodyChange::default()
    }
}

fn item(scene: &Scene) -> &CustodyItem {
    scene.get(ID)
}

#[test]
fn an_item_tells_who_said_what() {
    let mut scene = shared();
    scene.go(FIRST, create(draft(ID)));
    let found = item(&scene);
    assert_eq!(found.recorded.party, PartyId::numbered(1));
    assert_eq!(found.holder, PartyId::numbered(2));
    assert!(!found.is_asserted && found.last_test().is_none());
    scene.wait(48);
    scene.go(SECOND, test(Some(hours(2)), true));
    scene.go(FIRST, test(Some(hours(1)), false));
    let last = item(&scene).last_test().expect("two were recorded");
    // The later date counts, whichever was recorded last.
    assert!(last.said.is_passed && last.said.party == PartyId::numbered(2));
    assert_eq!(
        scene.reason(FIRST, test(Some(hours(49)), true)),
        Reason::InvalidField
    );
    let before = Timestamp::from_micros(0);
    assert_eq!(
        scene.reason(FIRST, test(Some(before), true)),
        Reason::InvalidField
    );
}

#[test]
fn only_the_latest_tests_are_shown() {
    let mut scene = shared();
    scene.go(FIRST, create(draft(ID)));
    for _ in 0..=TESTS_SHOWN_MAX {
        scene.wait(1).go(SECOND, test(None, true));
    }
    let found = item(&scene);
    assert_eq!(found.tests.len(), TESTS_SHOWN_MAX);
    assert_eq!(found.tests[0].said.at, hours(2));
}

#[test]
fn an_item_is_changed_by_its_holder_and_by_whoever_recorded_it() {
    let mut scene = shared();
    let mut own = draft(ID);
    own.holder = None;
    scene.go(FIRST, create(own));
    assert_eq!(
        scene.reason(SECOND, update(renaming("x"))),
        Reason::NotYourCustody
    );
    assert_eq!(scene.reason(SECOND, retire()), Reason::NotYourCustody);
    scene.go(FIRST, update(renaming("brandt.test")));
    assert_eq!(
        scene.ask(FIRST, update(renaming("brandt.test"))),
        Ok(vec![])
    );
    assert_eq!(
        scene.reason(FIRST, update(renaming(""))),
        Reason::InvalidField
    );
    let mut other = draft("other");
    other.display_name = "other.example".to_owned();
    scene.go(FIRST, create(other));
    let change = |name: &str| {
        Action::Custody(CustodyCommand::Update {
            id: "other".to_owned(),
            change: renaming(name),
        })
    };
    scene
        .go(FIRST, change("a.example"))
        .go(SECOND, change("b.example"));
    scene.go(FIRST, retire());
    assert_eq!(item(&scene).state, CustodyState::Retired);
    assert_eq!(scene.ask(FIRST, retire()), Ok(vec![]));
    assert_eq!(
        scene.reason(FIRST, update(renaming("y"))),
        Reason::InvalidState
    );
    assert_eq!(scene.reason(FIRST, test(None, true)), Reason::InvalidState);
}

#[test]
fn what_an_item_names_must_be_there() {
    let mut scene = shared();
    let with = |change: fn(&mut CustodyDraft)| {
        let mut draft = draft(ID);
        change(&mut draft);
        create(draft)
    };
    let absent = "absent";
    for (action, reason) in [
        (
            with(|draft| draft.owner = Owner::Client("absent".to_owned())),
            Reason::NotFound,
        ),
        (
            with(|draft| draft.outside_party = Some("absent".to_owned())),
            Reason::NotFound,
        ),
        (
            with(|draft| draft.owner = Owner::Party(PartyId::numbered(9))),
            Reason::InvalidField,
        ),
        (
            with(|draft| draft.holder = Some(PartyId::numbered(9))),
            Reason::InvalidField,
        ),
        (
            with(|draft| draft.display_name.clear()),
            Reason::InvalidField,
        ),
    ] {
        assert_eq!(scene.reason(FIRST, action), reason);
    }
    scene.go(FIRST, create(draft(ID)));
    assert_eq!(
        scene.reason(SECOND, create(draft(ID))),
        Reason::AlreadyExists
    );
    let naming = |outside_party: Option<&str>| {
        update(CustodyChange {
            outside_party: Some(NamedOutsideParty {
                outside_party: outside_party.map(str::to_owned),
            }),
            ..CustodyChange::default()
        })
    };
    assert_eq!(scene.reason(FIRST, naming(Some(absent))), Reason::NotFound);
    let registrar = OutsideParty {
        display_name: "Registrar".to_owned(),
        party_type: OutsidePartyType::Registrar,
    };
    scene.put("registrar", Record::OutsideParty(Box::new(registrar)));
    scene
        .go(FIRST, naming(Some("registrar")))
        .go(SECOND, naming(None));
    assert_eq!(item(&scene).outside_party, None);
}

#[test]
fn one_firm_alone_asserts_what_the_other_holds() {
    let mut scene = with_client(Scene::alone());
    scene.go(FIRST, create(draft(ID)));
    assert!(item(&scene).is_asserted);
    scene.go(FIRST, test(None, false));
    assert!(item(&scene).tests[0].said.is_asserted);
    // The firm that joins may set it right, since it is the holder.
    scene.join();
    scene.go(SECOND, update(renaming("brandt.test")));
}

#[test]
fn what_is_held_outlives_the_partnership() {
    let mut scene = shared();
    scene.go(FIRST, create(draft(ID)));
    scene.wait(1).end();
    scene.wait(1).go(FIRST, test(None, true));
    let change = CustodyChange {
        kind: Some(CustodyKind::Dns),
        location: Some(sealed("elsewhere")),
        ..CustodyChange::default()
    };
    scene.go(SECOND, update(change));
    assert_eq!(item(&scene).owner.client(), Some(CLIENT));
    assert_eq!(item(&scene).state, CustodyState::Held);
}
