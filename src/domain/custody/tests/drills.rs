//! Drills for a client's leaving.

use super::{CLIENT, create, draft, shared};
use crate::domain::command::Action;
use crate::domain::custody::exit_drill::{
    DRILL_ITEMS_MAX, DrillCounts, DrillGap, ExitDrill, GapKind, RunExitDrill,
};
use crate::domain::custody::item::{CustodyCommand, Owner, TestDraft};
use crate::domain::custody::request::{RequestCommand, RequestDraft};
use crate::domain::identity::PartyId;
use crate::domain::refusal::Reason;
use crate::domain::tests::{FIRST, SECOND, Scene, sealed};
use crate::domain::time::Span;

fn drill(id: &str, items: &[&str]) -> Action {
    Action::ExitDrill(RunExitDrill {
        id: Some(id.to_owned()),
        client: CLIENT.to_owned(),
        items: items.iter().map(|item| (*item).to_owned()).collect(),
        counts: DrillCounts {
            contacts: 3,
            ..DrillCounts::default()
        },
        export_digest: "00".repeat(32),
    })
}

fn test(id: &str, is_passed: bool) -> Action {
    Action::Custody(CustodyCommand::Test {
        id: id.to_owned(),
        test: TestDraft {
            at: None,
            is_passed,
            note: None,
        },
    })
}

fn gaps(scene: &Scene, id: &str) -> Vec<(GapKind, Option<String>)> {
    let found = scene.get::<ExitDrill>(id).run.gaps.iter().cloned();
    found.map(|DrillGap { kind, item }| (kind, item)).collect()
}

fn of(kind: GapKind, item: &str) -> (GapKind, Option<String>) {
    (kind, Some(item.to_owned()))
}

#[test]
fn a_drill_finds_what_is_missing() {
    let mut scene = shared();
    scene.go(FIRST, drill("first", &[]));
    assert_eq!(gaps(&scene, "first"), [(GapKind::NothingRecorded, None)]);
    let mut unplaced = draft("b");
    unplaced.location = None;
    unplaced.holder = Some(PartyId::numbered(1));
    let mut anothers = draft("c");
    anothers.owner = Owner::Party(PartyId::numbered(1));
    for item in [draft("a"), unplaced, anothers] {
        scene.go(FIRST, create(item));
    }
    let all = ["a", "b", "c"];
    scene.go(SECOND, drill("second", &all));
    let expected = [
        of(GapKind::NeverTested, "a"),
        of(GapKind::NeverTested, "b"),
        of(GapKind::NoLocation, "b"),
    ];
    assert_eq!(gaps(&scene, "second"), expected);
    let run = &scene.get::<ExitDrill>("second").run;
    assert_eq!((run.counts.custody_items, run.counts.contacts), (2, 3));
    assert_eq!(run.holders, [PartyId::numbered(1), PartyId::numbered(2)]);
    scene.go(FIRST, test("a", true)).go(FIRST, test("b", false));
    scene.wait(365 * 24).go(FIRST, drill("third", &all));
    let expected = [of(GapKind::TestFailed, "b"), of(GapKind::NoLocation, "b")];
    assert_eq!(gaps(&scene, "third"), expected);
    scene.wait(1).go(FIRST, drill("fourth", &all));
    assert_eq!(gaps(&scene, "fourth")[0], of(GapKind::TestedLongAgo, "a"));
}

#[test]
fn a_drill_finds_what_is_withheld() {
    let mut scene = shared();
    scene
        .go(FIRST, create(draft("a")))
        .go(FIRST, test("a", true));
    let asking = Action::HandOver(RequestCommand::Create(RequestDraft {
        id: Some("request".to_owned()),
        items: vec!["a".to_owned()],
        on_behalf_of: None,
        reason: None,
        within: Span::from_hours(2),
        calendar: None,
    }));
    scene.go(FIRST, asking).go(FIRST, drill("first", &["a"]));
    assert_eq!(gaps(&scene, "first"), []);
    let withhold = Action::HandOver(RequestCommand::Withhold {
        id: "request".to_owned(),
        reason: sealed("an invoice is open"),
    });
    scene.go(SECOND, withhold);
    scene.wait(3).go(FIRST, drill("second", &["a"]));
    let expected = [of(GapKind::Withheld, "a"), of(GapKind::Overdue, "a")];
    assert_eq!(gaps(&scene, "second"), expected);
    let run = &scene.get::<ExitDrill>("second").run;
    assert_eq!(run.counts.hand_over_requests, 1);
}

#[test]
fn drills_at_fault() {
    let mut scene = shared();
    scene.go(FIRST, drill("first", &[]));
    let again = scene.reason(FIRST, drill("first", &[]));
    assert_eq!(again, Reason::AlreadyExists);
    let absent = scene.reason(FIRST, drill("second", &["absent"]));
    assert_eq!(absent, Reason::NotFound);
    let many = scene.reason(FIRST, drill("second", &["a"; DRILL_ITEMS_MAX + 1]));
    assert_eq!(many, Reason::LimitReached);
    let mut clientless = Scene::shared(None);
    assert_eq!(clientless.reason(FIRST, drill("x", &[])), Reason::NotFound);
}
