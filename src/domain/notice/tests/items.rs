//! Items of a checklist that become expectations.

use super::*;
use crate::domain::expectation::{
    CriterionEvidence, Expectation, ExpectationCommand, ExpectationState, FiveW, How, Links,
    NoticeItem, WorkShown,
};

fn expecting(expectation: &str, number: u32) -> Action {
    let create = ExpectationCommand::Create {
        id: Some(expectation.to_owned()),
        title: None,
        five_w: FiveW {
            how: How {
                criteria: vec![sealed("the lines work")],
            },
            ..FiveW::default()
        },
        obligor: PartyId::numbered(2),
        client: None,
        agreement: None,
        reference: None,
    };
    Action::Expectation(ExpectationCommand::CreateLinked {
        create: Box::new(create),
        links: Links {
            ticket: None,
            notice_item: Some(NoticeItem {
                notice: ID.to_owned(),
                number,
            }),
        },
    })
}

fn withdraw_expectation(id: &str) -> Action {
    let id = id.to_owned();
    Action::Expectation(ExpectationCommand::Withdraw { id, reason: None })
}

/// The work of `id`, done and accepted.
fn keep(scene: &mut Scene, id: &str) {
    let id = || id.to_owned();
    let offer = ExpectationCommand::Offer {
        id: id(),
        message: None,
        acknowledges_impossible: false,
    };
    let agree = ExpectationCommand::Agree {
        id: id(),
        offer_number: 1,
        acknowledges_impossible: false,
    };
    let fulfil = ExpectationCommand::Fulfil {
        id: id(),
        message: None,
        shown: WorkShown::default(),
    };
    let accept = ExpectationCommand::AcceptFulfilment {
        id: id(),
        shown: WorkShown {
            criteria: vec![CriterionEvidence {
                index: 0,
                evidence: Vec::new(),
                note: None,
            }],
            ..WorkShown::default()
        },
        on_behalf_of_client: false,
        message: None,
    };
    scene.go(FIRST, Action::Expectation(offer));
    scene.go(SECOND, Action::Expectation(agree));
    scene.go(SECOND, Action::Expectation(fulfil));
    scene.go(FIRST, Action::Expectation(accept));
}

fn items(scene: &Scene) -> Vec<(Option<String>, bool)> {
    let items = notice(scene).checklist.iter();
    let items = items.map(|item| (item.expectation.clone(), item.done.is_some()));
    items.collect()
}

#[test]
fn an_item_becomes_one_expectation_and_its_acceptance_ticks_it_off() {
    let mut scene = scene();
    scene.go(FIRST, heads_up());
    let events = scene.ask(FIRST, expecting("lines", 1)).expect("accepted");
    let both = [
        "expectation.created",
        "expectation.linked",
        "notice.item_expected",
    ];
    assert_eq!(events, both);
    assert_eq!(
        items(&scene),
        [(Some("lines".to_owned()), false), (None, false)]
    );
    let expectation: &Expectation = scene.get("lines");
    let item = expectation.links.notice_item.as_ref().expect("it says so");
    assert_eq!((item.notice.as_str(), item.number), (ID, 1));
    assert_eq!(
        scene.reason(FIRST, expecting("again", 1)),
        Reason::AlreadyExists
    );
    // It is ticked off in one way, and stays on the list.
    assert_eq!(scene.reason(SECOND, mark(1, true)), Reason::InvalidState);
    let without = update(vec![NoticePart::Checklist(Vec::new())]);
    assert_eq!(scene.reason(FIRST, without), Reason::InvalidField);
    keep(&mut scene, "lines");
    assert_eq!(items(&scene)[0], (Some("lines".to_owned()), true));
    let done = notice(&scene).checklist[0].done.clone().expect("it is");
    assert_eq!(
        done.party,
        PartyId::numbered(1),
        "whoever accepted the work"
    );
    assert_eq!(scene.reason(SECOND, mark(1, false)), Reason::InvalidState);
}

#[test]
fn what_came_to_nothing_leaves_the_item_free() {
    let mut scene = scene();
    scene.go(FIRST, heads_up()).go(FIRST, expecting("lines", 1));
    scene.go(FIRST, withdraw_expectation("lines"));
    scene.go(SECOND, mark(1, true)).go(SECOND, mark(1, false));
    scene.go(FIRST, expecting("again", 1));
    assert_eq!(items(&scene)[0], (Some("again".to_owned()), false));
}

#[test]
fn items_that_are_done_or_not_there_become_nothing() {
    let mut scene = scene();
    assert_eq!(scene.reason(FIRST, expecting("lines", 1)), Reason::NotFound);
    scene.go(FIRST, heads_up()).go(FIRST, mark(2, true));
    for number in [2, 3] {
        assert_eq!(
            scene.reason(FIRST, expecting("lines", number)),
            Reason::InvalidField
        );
    }
    scene.go(FIRST, expecting("lines", 1));
    scene.go(FIRST, withdraw());
    assert_eq!(
        scene.reason(FIRST, expecting("desks", 2)),
        Reason::InvalidState
    );
    // What becomes of the work no longer matters to a notice that is over.
    keep(&mut scene, "lines");
    let expectation: &Expectation = scene.get("lines");
    assert_eq!(expectation.state, ExpectationState::Accepted);
    assert!(!items(&scene)[0].1);
}
