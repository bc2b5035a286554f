//! Requests to hand over, and their clock.

use super::{CLIENT, create, draft, shared, with_client};
use crate::domain::aggregate::Aggregate;
use crate::domain::command::Action;
use crate::domain::custody::item::{CustodyCommand, CustodyItem, CustodyState, Owner};
use crate::domain::custody::request::{
    HandOverRequest, ITEMS_MAX, RequestCommand, RequestDraft, RequestState, WITHIN_MAX, WITHIN_MIN,
};
use crate::domain::identity::PartyId;
use crate::domain::record::Kind;
use crate::domain::refusal::Reason;
use crate::domain::sla::compiled::CompiledCalendar;
use crate::domain::tests::{FIRST, SECOND, Scene, hours, sealed};
use crate::domain::time::Span;

const ID: &str = "request";
const ITEMS: [&str; 2] = ["domain", "zone"];
/// Time to hand over, in hours.
const WITHIN: i64 = 48;

fn wanted() -> RequestDraft {
    RequestDraft {
        id: Some(ID.to_owned()),
        items: ITEMS.map(str::to_owned).to_vec(),
        on_behalf_of: Some(CLIENT.to_owned()),
        reason: Some(sealed("they change providers")),
        within: Span::from_hours(WITHIN),
        calendar: None,
    }
}

fn asking(draft: RequestDraft) -> Action {
    Action::HandOver(RequestCommand::Create(draft))
}

fn release() -> Action {
    Action::HandOver(RequestCommand::Release {
        id: ID.to_owned(),
        words: None,
    })
}

fn confirm() -> Action {
    Action::HandOver(RequestCommand::Confirm {
        id: ID.to_owned(),
        words: None,
    })
}

fn withhold() -> Action {
    Action::HandOver(RequestCommand::Withhold {
        id: ID.to_owned(),
        reason: sealed("an invoice is open"),
    })
}

fn withdraw() -> Action {
    Action::HandOver(RequestCommand::Withdraw {
        id: ID.to_owned(),
        reason: None,
    })
}

/// The second party holds two things, and the first may ask for them.
fn held(mut scene: Scene) -> Scene {
    for id in ITEMS {
        scene.go(FIRST, create(draft(id)));
    }
    scene
}

fn requested() -> Scene {
    let mut scene = held(shared());
    scene.go(FIRST, asking(wanted()));
    scene
}

fn request(scene: &Scene) -> &HandOverRequest {
    scene.get(ID)
}

fn states(scene: &Scene) -> [(CustodyState, bool); 2] {
    ITEMS.map(|id| {
        let item = scene.get::<CustodyItem>(id);
        (item.state, item.request.is_some())
    })
}

#[test]
fn what_is_asked_for_is_released_and_confirmed() {
    let mut scene = requested();
    assert_eq!(states(&scene), [(CustodyState::Held, true); 2]);
    assert_eq!(scene.reason(FIRST, release()), Reason::NotYourCustody);
    assert_eq!(scene.reason(FIRST, confirm()), Reason::InvalidState);
    scene.wait(12).go(SECOND, release());
    assert_eq!(scene.ask(SECOND, release()), Ok(vec![]));
    assert_eq!(scene.reason(SECOND, withhold()), Reason::InvalidState);
    assert_eq!(states(&scene), [(CustodyState::Held, true); 2]);
    assert_eq!(scene.reason(SECOND, confirm()), Reason::NotYourCustody);
    // Whoever asked takes its time; the holder's clock has stopped.
    scene.wait(100).go(FIRST, confirm());
    assert_eq!(states(&scene), [(CustodyState::HandedOver, false); 2]);
    let found = request(&scene);
    let clock = found.clock(&CompiledCalendar::always_open(), scene.now);
    assert_eq!(clock.used, Span::from_hours(12));
    assert_eq!(clock.left, Span::from_hours(WITHIN - 12));
    assert!(!clock.is_overdue && found.due_at().is_none());
    assert_eq!(scene.ask(FIRST, confirm()), Ok(vec![]));
    assert_eq!(scene.reason(FIRST, withdraw()), Reason::InvalidState);
    assert_eq!(scene.tick(Kind::HandOverRequest, ID), Vec::<&str>::new());
}

#[test]
fn what_is_late_is_journalled_once() {
    let mut scene = requested();
    scene.go(SECOND, withhold());
    scene.wait(WITHIN);
    // At the last instant it is in time.
    assert!(!request(&scene).is_overdue_at(scene.now));
    assert_eq!(scene.tick(Kind::HandOverRequest, ID), Vec::<&str>::new());
    let due_at = request(&scene).due_at().expect("it waits");
    assert_eq!(due_at, scene.now.saturating_add(Span::from_micros(1)));
    scene.now = due_at;
    let overdue = ["hand_over_request.overdue"];
    assert_eq!(scene.tick(Kind::HandOverRequest, ID), overdue);
    assert_eq!(scene.tick(Kind::HandOverRequest, ID), Vec::<&str>::new());
    assert_eq!(request(&scene).due_at(), None);
    let released = scene.ask(SECOND, release());
    assert_eq!(released, Ok(vec!["hand_over_request.released"]));
    let found = request(&scene);
    assert_eq!(found.overdue_at, Some(hours(WITHIN)));
    assert!(found.is_overdue_at(scene.now) && found.withheld.is_some());
}

#[test]
fn an_answer_after_the_time_says_first_that_it_is_late() {
    for (firm, answer, event) in [
        (SECOND, release(), "hand_over_request.released"),
        (SECOND, withhold(), "hand_over_request.withheld"),
    ] {
        let mut scene = requested();
        scene.wait(WITHIN + 1);
        let events = scene.ask(firm, answer).expect("accepted");
        assert_eq!(events, ["hand_over_request.overdue", event]);
        assert_eq!(scene.tick(Kind::HandOverRequest, ID), Vec::<&str>::new());
    }
    let mut scene = requested();
    scene.wait(WITHIN + 1);
    let events = scene.ask(FIRST, withdraw()).expect("accepted");
    assert_eq!(events[0], "hand_over_request.overdue");
    assert!(request(&scene).is_overdue_at(scene.now));
}

#[test]
fn what_is_taken_back_can_be_asked_for_again() {
    let mut scene = requested();
    let again = || {
        asking(RequestDraft {
            id: Some("again".to_owned()),
            ..wanted()
        })
    };
    assert_eq!(scene.reason(FIRST, again()), Reason::InvalidState);
    let retire = Action::Custody(CustodyCommand::Retire {
        id: ITEMS[0].to_owned(),
        reason: None,
    });
    assert_eq!(scene.reason(SECOND, retire), Reason::InvalidState);
    assert_eq!(scene.reason(SECOND, withdraw()), Reason::NotYourCustody);
    // Also when it was released, and nothing came.
    scene.go(SECOND, release()).go(FIRST, withdraw());
    assert_eq!(states(&scene), [(CustodyState::Held, false); 2]);
    assert_eq!(request(&scene).state, RequestState::Withdrawn);
    assert_eq!(scene.ask(FIRST, withdraw()), Ok(vec![]));
    scene.go(FIRST, again());
}

#[test]
fn requests_at_fault() {
    let mut scene = held(shared());
    let mut own = draft("own");
    own.holder = Some(PartyId::numbered(1));
    own.owner = Owner::Party(PartyId::numbered(2));
    scene.go(FIRST, create(own));
    let with = |change: fn(&mut RequestDraft)| {
        let mut draft = wanted();
        change(&mut draft);
        asking(draft)
    };
    for (action, reason) in [
        (with(|draft| draft.items.clear()), Reason::InvalidField),
        (
            with(|draft| draft.items[1] = ITEMS[0].to_owned()),
            Reason::InvalidField,
        ),
        (
            with(|draft| draft.items = vec![ITEMS[0].to_owned(); ITEMS_MAX + 1]),
            Reason::InvalidField,
        ),
        (
            with(|draft| draft.items[1] = "absent".to_owned()),
            Reason::NotFound,
        ),
        // Of two holders, one of whom asks.
        (
            with(|draft| draft.items[1] = "own".to_owned()),
            Reason::InvalidField,
        ),
        (
            with(|draft| draft.on_behalf_of = Some("absent".to_owned())),
            Reason::NotFound,
        ),
        (
            with(|draft| draft.calendar = Some("absent".to_owned())),
            Reason::NotFound,
        ),
        (
            with(|draft| draft.within = WITHIN_MIN.saturating_sub(Span::from_micros(1))),
            Reason::InvalidField,
        ),
        (
            with(|draft| draft.within = WITHIN_MAX.saturating_add(Span::from_micros(1))),
            Reason::InvalidField,
        ),
    ] {
        assert_eq!(scene.reason(FIRST, action), reason);
    }
    assert_eq!(
        scene.reason(SECOND, asking(wanted())),
        Reason::InvalidField,
        "the holder asks nobody"
    );
    let for_a_client = |on_behalf_of: Option<&str>| {
        asking(RequestDraft {
            items: vec!["own".to_owned()],
            on_behalf_of: on_behalf_of.map(str::to_owned),
            ..wanted()
        })
    };
    let refused = scene.reason(SECOND, for_a_client(Some(CLIENT)));
    assert_eq!(refused, Reason::InvalidField, "it is no client's");
    scene.go(SECOND, for_a_client(None));
    assert_eq!(scene.reason(FIRST, asking(wanted())), Reason::AlreadyExists);
}

#[test]
fn one_firm_alone_notes_what_the_other_answers() {
    let mut scene = held(with_client(Scene::alone()));
    scene.go(FIRST, asking(wanted()));
    assert!(request(&scene).asked.is_asserted);
    scene.go(FIRST, withhold()).go(FIRST, release());
    let released = request(&scene).released.as_ref().expect("released");
    assert!(released.is_asserted);
    assert_eq!(released.by.party, PartyId::numbered(1));
    scene.go(FIRST, confirm());
    assert!(
        !request(&scene)
            .received
            .as_ref()
            .expect("received")
            .is_asserted
    );
}

#[test]
fn requests_outlive_the_partnership() {
    let mut scene = held(shared());
    scene.end();
    scene.wait(1).go(FIRST, asking(wanted()));
    scene.wait(WITHIN + 1);
    let overdue = ["hand_over_request.overdue"];
    assert_eq!(scene.tick(Kind::HandOverRequest, ID), overdue);
    scene.go(SECOND, release()).go(FIRST, confirm());
    assert_eq!(states(&scene), [(CustodyState::HandedOver, false); 2]);
}
