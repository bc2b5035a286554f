//! Notices in a partnership of two firms.

mod items;

use proptest::prelude::*;

use super::*;
use crate::domain::checkup::CheckupClauses;
use crate::domain::command::Action;
use crate::domain::partnership::clauses::PricingClauses;
use crate::domain::partnership::terms::{
    FUTURE_TOLERANCE_DEFAULT, NoticeLeadTime, OFFER_VALIDITY_DEFAULT, TermsContent,
};
use crate::domain::refusal::Reason;
use crate::domain::tests::{FIRST, SECOND, Scene, hours, sealed, start};

const ID: &str = "office";
/// The lead time that is agreed for a move.
const DAYS_AGREED: i64 = 5;

fn terms() -> TermsContent {
    TermsContent {
        standing_consents: Vec::new(),
        text: None,
        shares: Vec::new(),
        offer_validity: OFFER_VALIDITY_DEFAULT,
        future_tolerance: FUTURE_TOLERANCE_DEFAULT,
        lateness_window: None,
        exclusion_classes: Vec::new(),
        pricing_clauses: PricingClauses::default(),
        checkup_clauses: CheckupClauses::default(),
        notice_lead_times: vec![NoticeLeadTime {
            kind: NoticeKind::Move,
            lead_time: Span::from_hours(DAYS_AGREED * 24),
        }],
    }
}

fn scene() -> Scene {
    Scene::shared(Some(terms()))
}

fn draft(kind: NoticeKind, planned_at: Option<Timestamp>) -> NoticeDraft {
    NoticeDraft {
        kind,
        title: Some(sealed("The office moves")),
        details: None,
        plan: Plan {
            planned_at,
            ..Plan::default()
        },
        client: None,
        checklist: vec![sealed("lines"), sealed("desks")],
    }
}

fn create(draft: NoticeDraft, is_confirmed: bool) -> Action {
    Action::Notice(NoticeCommand::Create {
        id: Some(ID.to_owned()),
        draft,
        is_confirmed,
        reference: None,
    })
}

fn heads_up() -> Action {
    create(draft(NoticeKind::Move, None), false)
}

fn confirmed(planned_at: Timestamp) -> Action {
    create(draft(NoticeKind::Move, Some(planned_at)), true)
}

fn confirm(planned_at: Option<Timestamp>) -> Action {
    let id = ID.to_owned();
    Action::Notice(NoticeCommand::Confirm { id, planned_at })
}

fn update(parts: Vec<NoticePart>) -> Action {
    let id = ID.to_owned();
    Action::Notice(NoticeCommand::Update { id, parts })
}

fn move_to(planned_at: Timestamp) -> Action {
    update(vec![NoticePart::PlannedAt(Some(planned_at))])
}

fn mark(number: u32, is_done: bool) -> Action {
    Action::Notice(NoticeCommand::MarkItem {
        id: ID.to_owned(),
        number,
        is_done,
    })
}

fn complete() -> Action {
    Action::Notice(NoticeCommand::Complete {
        id: ID.to_owned(),
        message: None,
    })
}

fn withdraw() -> Action {
    Action::Notice(NoticeCommand::Withdraw {
        id: ID.to_owned(),
        reason: Some(sealed("no")),
    })
}

fn notice(scene: &Scene) -> &Notice {
    scene.get(ID)
}

fn given(scene: &Scene) -> Vec<Span> {
    let drills = notice(scene).fire_drills.iter();
    drills.map(|drill| drill.given).collect()
}

#[test]
fn e06_less_than_the_agreed_lead_time_is_a_fire_drill_for_either_firm() {
    for firm in [FIRST, SECOND] {
        let mut scene = scene();
        scene.go(firm, confirmed(hours(DAYS_AGREED * 24)));
        assert_eq!(given(&scene), [], "exactly as much is in time");
        let mut scene = self::scene();
        let instant_early = Span::from_micros(DAYS_AGREED * 24 * 3_600_000_000 - 1);
        scene.go(firm, confirmed(start().saturating_add(instant_early)));
        let drill = FireDrill {
            planned_at: start().saturating_add(instant_early),
            told_at: start(),
            given: instant_early,
            agreed: Span::from_hours(DAYS_AGREED * 24),
        };
        assert_eq!(notice(&scene).fire_drills, [drill]);
    }
}

#[test]
fn e06_a_heads_up_counts_from_its_confirmation() {
    let mut scene = scene();
    let planned_at = hours(30 * 24);
    scene.go(
        FIRST,
        create(draft(NoticeKind::Move, Some(planned_at)), false),
    );
    scene.wait(28 * 24);
    assert_eq!(given(&scene), []);
    scene.go(FIRST, confirm(None));
    assert_eq!(given(&scene), [Span::from_hours(48)]);
    assert_eq!(notice(&scene).confirmed_at, Some(hours(28 * 24)));
}

#[test]
fn e06_what_was_not_agreed_on_is_no_fire_drill() {
    let mut scene = scene();
    scene.go(
        FIRST,
        create(draft(NoticeKind::Leaver, Some(start())), true),
    );
    assert_eq!(given(&scene), []);
    for mut without in [Scene::shared(None), Scene::alone()] {
        without.go(FIRST, confirmed(start()));
        assert_eq!(given(&without), []);
    }
}

#[test]
fn e06_moving_earlier_is_judged_anew_and_nothing_removes_a_fire_drill() {
    let mut scene = scene();
    scene.go(FIRST, confirmed(hours(20 * 24)));
    scene.go(FIRST, move_to(hours(10 * 24)));
    assert_eq!(given(&scene), [], "there is time enough");
    scene.wait(6 * 24).go(FIRST, move_to(hours(12 * 24)));
    scene.go(FIRST, move_to(hours(11 * 24)));
    assert_eq!(given(&scene), [], "told of five days and no less");
    scene.go(FIRST, move_to(hours(10 * 24)));
    assert_eq!(given(&scene), [Span::from_hours(4 * 24)]);
    // Too late, and told when it was over.
    scene.go(FIRST, move_to(hours(5 * 24)));
    let both = [Span::from_hours(4 * 24), Span::from_hours(-24)];
    assert_eq!(given(&scene), both);
    scene.go(FIRST, move_to(hours(90 * 24)));
    scene.put_terms(None);
    scene.go(FIRST, withdraw());
    assert_eq!(given(&scene), both);
}

#[test]
fn e06_what_comes_before_it_was_planned_was_told_of_only_then() {
    let planned_at = hours(20 * 24);
    let mut scene = scene();
    scene.go(FIRST, confirmed(planned_at));
    scene.wait(19 * 24).go(FIRST, complete());
    assert_eq!(given(&scene), [Span::ZERO], "as if it were moved to now");
    assert_eq!(notice(&scene).early_by(), Some(Span::from_hours(24)));
    assert_eq!(
        notice(&scene).plan.planned_at,
        Some(planned_at),
        "as it was told"
    );
    // In time, late, and early by no more than clocks may differ.
    for early in [Span::ZERO, Span::from_hours(-1), FUTURE_TOLERANCE_DEFAULT] {
        let mut scene = self::scene();
        scene.go(FIRST, confirmed(planned_at));
        scene.now = Timestamp::from_micros(planned_at.as_micros() - early.as_micros());
        scene.go(FIRST, complete());
        assert_eq!(given(&scene), []);
        let shown = Some(early).filter(|early| *early > Span::ZERO);
        assert_eq!(notice(&scene).early_by(), shown);
    }
    // Nothing was agreed for it.
    let mut free = self::scene();
    free.go(
        FIRST,
        create(draft(NoticeKind::Leaver, Some(planned_at)), true),
    );
    free.go(FIRST, complete());
    assert_eq!(given(&free), []);
    assert_eq!(notice(&free).early_by(), Some(Span::from_hours(20 * 24)));
}

#[test]
fn e06_what_is_called_something_else_is_told_no_later() {
    let lead_time = |kind, hours| NoticeLeadTime {
        kind,
        lead_time: Span::from_hours(hours),
    };
    let told = |lead_times: Vec<NoticeLeadTime>, kind| {
        let content = TermsContent {
            notice_lead_times: lead_times,
            ..terms()
        };
        let mut scene = Scene::shared(Some(content));
        scene.go(FIRST, create(draft(kind, Some(hours(30))), true));
        let shown = notice(&scene).lead_time.expect("it was judged");
        (shown.rule, shown.agreed, given(&scene).len())
    };
    let two = || {
        vec![
            lead_time(NoticeKind::Move, 48),
            lead_time(NoticeKind::GoLive, 24),
        ]
    };
    let day = Span::from_hours(24);
    let longest = (LeadTimeRule::LongestOfAny, Some(Span::from_hours(48)), 1);
    assert_eq!(told(two(), NoticeKind::Other), longest);
    let own = (LeadTimeRule::OfItsKind, Some(day), 0);
    assert_eq!(told(two(), NoticeKind::GoLive), own);
    let three = [two(), vec![lead_time(NoticeKind::Other, 24)]].concat();
    assert_eq!(told(three, NoticeKind::Other), own);
    let none = (LeadTimeRule::NoneAgreed, None, 0);
    assert_eq!(told(two(), NoticeKind::Leaver), none);
    assert_eq!(told(Vec::new(), NoticeKind::Other), none);
    // A heads-up is judged once it is confirmed.
    let mut scene = scene();
    scene.go(FIRST, heads_up());
    assert_eq!(notice(&scene).lead_time, None);
    scene.go(FIRST, confirm(Some(hours(1))));
    let judged = notice(&scene).lead_time.map(|judged| judged.rule);
    assert_eq!(judged, Some(LeadTimeRule::OfItsKind));
}

#[test]
fn fire_drills_of_a_notice_are_bounded() {
    let mut scene = scene();
    scene.go(FIRST, confirmed(hours(100)));
    for earlier in 1..20 {
        scene.go(FIRST, move_to(hours(100 - earlier)));
    }
    assert_eq!(notice(&scene).fire_drills.len(), FIRE_DRILLS_MAX);
    assert_eq!(scene.reason(FIRST, move_to(hours(2))), Reason::LimitReached);
    scene.go(FIRST, move_to(hours(200)));
}

#[test]
fn only_its_giver_changes_it_and_only_while_it_is_ahead() {
    let mut scene = scene();
    scene.go(SECOND, heads_up());
    let title = || update(vec![NoticePart::Title(None)]);
    for action in [title(), confirm(Some(hours(1))), complete(), withdraw()] {
        assert_eq!(scene.reason(FIRST, action), Reason::NotYourNotice);
    }
    assert_eq!(scene.reason(SECOND, complete()), Reason::InvalidState);
    assert_eq!(scene.reason(SECOND, confirm(None)), Reason::InvalidField);
    scene.go(SECOND, confirm(Some(hours(500))));
    assert_eq!(scene.reason(SECOND, confirm(None)), Reason::InvalidState);
    let unplanned = update(vec![NoticePart::PlannedAt(None)]);
    assert_eq!(scene.reason(SECOND, unplanned), Reason::InvalidField);
    scene.go(SECOND, complete());
    assert_eq!(notice(&scene).state, NoticeState::Done);
    for action in [title(), mark(1, true), complete(), withdraw()] {
        assert_eq!(scene.reason(SECOND, action), Reason::InvalidState);
    }
}

#[test]
fn both_firms_tick_items_off() {
    let mut scene = scene();
    scene.go(FIRST, heads_up());
    scene.go(SECOND, mark(2, true));
    assert_eq!(scene.ask(FIRST, mark(2, true)), Ok(Vec::new()));
    let done = notice(&scene).checklist[1].done.clone().expect("it is");
    assert_eq!(done.party, PartyId::numbered(2));
    assert_eq!(scene.reason(FIRST, mark(3, true)), Reason::InvalidField);
    scene.go(FIRST, mark(2, false));
    assert_eq!(notice(&scene).checklist[1].done, None);
}

#[test]
fn a_checklist_is_replaced_and_keeps_numbers_and_marks() {
    let mut scene = scene();
    scene.go(FIRST, heads_up()).go(SECOND, mark(2, true));
    let item = |number, text| ChecklistDraft {
        number,
        text: sealed(text),
    };
    let items = |items| update(vec![NoticePart::Checklist(items)]);
    scene.go(FIRST, items(vec![item(0, "keys"), item(2, "all desks")]));
    let shown = |scene: &Scene| -> Vec<(u32, bool)> {
        let items = notice(scene).checklist.iter();
        items
            .map(|item| (item.number, item.done.is_some()))
            .collect()
    };
    assert_eq!(shown(&scene), [(3, false), (2, true)]);
    // The number of an item that is gone is not used again.
    assert_eq!(
        scene.reason(FIRST, items(vec![item(1, "lines")])),
        Reason::InvalidField
    );
    let twice = items(vec![item(2, "a"), item(2, "b")]);
    assert_eq!(scene.reason(FIRST, twice), Reason::InvalidField);
    scene.go(FIRST, items(Vec::new()));
    scene.go(FIRST, items(vec![item(0, "again")]));
    assert_eq!(shown(&scene), [(4, false)]);
    let many = vec![item(0, "x"); CHECKLIST_ITEMS_MAX + 1];
    assert_eq!(scene.reason(FIRST, items(many)), Reason::InvalidField);
}

#[test]
fn windows_and_instants_are_in_order() {
    let mut scene = scene();
    scene.go(FIRST, heads_up());
    let window = |earliest, latest| update(vec![NoticePart::Window(earliest, latest)]);
    let reversed = window(Some(hours(2)), Some(hours(1)));
    assert_eq!(scene.reason(FIRST, reversed), Reason::InvalidField);
    scene.go(FIRST, window(Some(hours(1)), None));
    let ancient = Timestamp::from_micros(0);
    assert_eq!(scene.reason(FIRST, move_to(ancient)), Reason::InvalidField);
    assert_eq!(
        scene.reason(FIRST, confirm(Some(ancient))),
        Reason::InvalidField
    );
}

#[test]
fn an_update_that_says_nothing_new_changes_nothing() {
    let mut scene = scene();
    scene.go(FIRST, confirmed(hours(1)));
    assert_eq!(scene.ask(FIRST, move_to(hours(1))), Ok(Vec::new()));
    assert_eq!(notice(&scene).fire_drills.len(), 1);
}

proptest! {
    /// However a notice is moved: each fire drill is short of what was agreed, and none goes away.
    #[test]
    fn fire_drills_only_grow(moves in proptest::collection::vec((0_i64..200, 0_i64..400), 1..15)) {
        let mut scene = scene();
        scene.go(FIRST, confirmed(hours(300)));
        for (waited, planned) in moves {
            let before = notice(&scene).clone();
            scene.wait(waited);
            let now = scene.now;
            let planned_at = now.saturating_add(Span::from_hours(planned));
            scene.ask(FIRST, move_to(planned_at)).expect("it is its giver's");
            let after = notice(&scene);
            let agreed = Span::from_hours(DAYS_AGREED * 24);
            let is_late = Some(planned_at) < before.plan.planned_at
                && planned_at.since(now) < agreed;
            prop_assert!(after.fire_drills.starts_with(&before.fire_drills));
            let grown = after.fire_drills.len() - before.fire_drills.len();
            prop_assert_eq!(grown, usize::from(is_late));
        }
    }
}
