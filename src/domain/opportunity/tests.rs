//! Opportunities in a partnership of two firms.

use super::*;
use crate::domain::command::Action;
use crate::domain::opportunity::decide::{OpportunityChange, OpportunityCommand, OpportunityDraft};
use crate::domain::record::Kind;
use crate::domain::refusal::Reason;
use crate::domain::tests::{FIRST, SECOND, Scene, sealed};

const ID: &str = "new-site";

fn draft() -> OpportunityDraft {
    OpportunityDraft {
        id: Some(ID.to_owned()),
        display_name: "New site".to_owned(),
        client: None,
        brought_by: None,
        plan: Some(sealed("call on them")),
        quotes: Vec::new(),
        reference: None,
    }
}

fn create(draft: OpportunityDraft) -> Action {
    Action::Opportunity(OpportunityCommand::Create(draft))
}

fn update(change: OpportunityChange) -> Action {
    let id = ID.to_owned();
    Action::Opportunity(OpportunityCommand::Update { id, change })
}

fn qualify(qualification: Qualification, reason: Option<Commitment>) -> Action {
    Action::Opportunity(OpportunityCommand::Qualify {
        id: ID.to_owned(),
        qualification,
        facts: Some(sealed("they have a budget")),
        reason,
    })
}

fn spend(minutes: u32, is_client_facing: bool, date: CivilDate) -> Action {
    Action::Opportunity(OpportunityCommand::RecordEffort {
        id: ID.to_owned(),
        minutes,
        is_client_facing,
        date,
        note: None,
    })
}

fn close(state: OpportunityState, reason: Option<SaleReason>) -> Action {
    Action::Opportunity(OpportunityCommand::Close {
        id: ID.to_owned(),
        state,
        reason,
        words: Some(sealed("that was it")),
    })
}

fn opportunity(scene: &Scene) -> &Opportunity {
    scene.get(ID)
}

fn recorded() -> Scene {
    let mut scene = Scene::shared(None);
    scene.go(FIRST, create(draft()));
    scene
}

/// The first day of a scene.
fn today() -> CivilDate {
    CivilDate::new(2000, 1, 2).expect("a date")
}

#[test]
fn effort_is_added_up_by_party_and_by_who_saw_it() {
    let mut scene = recorded();
    for (firm, minutes, seen) in [
        (SECOND, 30, true),
        (FIRST, 45, false),
        (SECOND, 15, true),
        (SECOND, 10, false),
    ] {
        scene.go(firm, spend(minutes, seen, today()));
    }
    let total = |number, seen, drafted| EffortTotal {
        party: PartyId::numbered(number),
        client_facing_minutes: seen,
        drafted_minutes: drafted,
    };
    let expected = [total(1, 0, 45), total(2, 45, 10)];
    assert_eq!(opportunity(&scene).effort_totals(), expected);
}

#[test]
fn effort_at_fault() {
    let mut scene = recorded();
    let tomorrow = CivilDate::new(2000, 1, 3).expect("a date");
    let later = CivilDate::new(2000, 1, 4).expect("a date");
    let before = CivilDate::new(1999, 12, 31).expect("a date");
    for (minutes, date) in [
        (0, today()),
        (EFFORT_MINUTES_MAX + 1, today()),
        (1, later),
        (1, before),
    ] {
        let reason = scene.reason(FIRST, spend(minutes, true, date));
        assert_eq!(reason, Reason::InvalidField, "{minutes} on {date}");
    }
    // It is tomorrow already where the day begins first.
    scene.go(FIRST, spend(EFFORT_MINUTES_MAX, true, tomorrow));
    for _ in 1..EFFORT_ENTRIES_MAX {
        scene.go(FIRST, spend(1, true, today()));
    }
    let full = scene.reason(SECOND, spend(1, true, today()));
    assert_eq!(full, Reason::LimitReached);
}

#[test]
fn the_last_word_on_whether_it_is_worth_it_counts_and_all_are_kept() {
    let mut scene = recorded();
    assert_eq!(opportunity(&scene).qualification(), Qualification::NotYet);
    scene.go(FIRST, qualify(Qualification::Qualified, None)).go(
        SECOND,
        qualify(Qualification::NotQualified, Some(sealed("no money"))),
    );
    let found = opportunity(&scene);
    assert_eq!(found.qualification(), Qualification::NotQualified);
    assert_eq!(found.qualifications.len(), 2);
    assert_eq!(found.qualifications[1].by.party, PartyId::numbered(2));
    for (qualification, reason) in [
        (Qualification::NotQualified, None),
        (Qualification::Qualified, Some(sealed("why not"))),
        (Qualification::NotYet, Some(sealed("why not"))),
    ] {
        let refused = scene.reason(FIRST, qualify(qualification, reason));
        assert_eq!(refused, Reason::InvalidField);
    }
}

#[test]
fn plans_are_versions_and_what_is_the_same_changes_nothing() {
    let mut scene = recorded();
    let same = OpportunityChange {
        display_name: Some("New site".to_owned()),
        client: Some(NamedClient { client: None }),
        plan: None,
        quotes: Some(Vec::new()),
    };
    assert_eq!(scene.ask(SECOND, update(same)), Ok(Vec::new()));
    let next = OpportunityChange {
        display_name: Some("Newer site".to_owned()),
        plan: Some(sealed("call again")),
        ..OpportunityChange::default()
    };
    scene.go(SECOND, update(next));
    let found = opportunity(&scene);
    assert_eq!(found.display_name, "Newer site");
    let authors: Vec<_> = found
        .plans
        .iter()
        .map(|plan| plan.by.party.as_str())
        .collect();
    assert_eq!(authors, ["party-1", "party-2"]);
}

#[test]
fn clients_and_quotes_must_exist() {
    let mut scene = Scene::shared(None);
    let with = |client: Option<&str>, quotes: &[&str]| OpportunityDraft {
        client: client.map(str::to_owned),
        quotes: quotes.iter().map(|quote| (*quote).to_owned()).collect(),
        ..draft()
    };
    for (draft, reason) in [
        (with(Some("nobody"), &[]), Reason::NotFound),
        (with(None, &["nothing"]), Reason::NotFound),
        (with(None, &["q", "q"]), Reason::InvalidField),
        (with(None, &["q"; QUOTES_MAX + 1]), Reason::InvalidField),
    ] {
        assert_eq!(scene.reason(FIRST, create(draft)), reason);
    }
    let mut unknown = draft();
    unknown.brought_by = Some(PartyId::numbered(9));
    assert_eq!(scene.reason(FIRST, create(unknown)), Reason::InvalidField);
    scene.go(FIRST, create(draft()));
    assert_eq!(scene.reason(SECOND, create(draft())), Reason::AlreadyExists);
}

#[test]
fn how_it_ended_is_said_once() {
    let mut scene = recorded();
    for state in [OpportunityState::Lost, OpportunityState::NotQualified] {
        assert_eq!(
            scene.reason(FIRST, close(state, None)),
            Reason::InvalidField
        );
    }
    let lost = || close(OpportunityState::Lost, Some(SaleReason::Timing));
    scene.go(FIRST, lost());
    assert_eq!(scene.ask(SECOND, lost()), Ok(Vec::new()));
    let otherwise = close(OpportunityState::Lost, Some(SaleReason::Price));
    assert_eq!(scene.reason(SECOND, otherwise), Reason::InvalidState);
    let again = close(OpportunityState::Won, None);
    assert_eq!(scene.reason(SECOND, again), Reason::InvalidState);
    let late = qualify(Qualification::Qualified, None);
    assert_eq!(scene.reason(SECOND, late), Reason::InvalidState);
    let renamed = OpportunityChange {
        display_name: Some("x".to_owned()),
        ..OpportunityChange::default()
    };
    assert_eq!(scene.reason(SECOND, update(renamed)), Reason::InvalidState);
    // Hours are written down later.
    scene.go(SECOND, spend(5, true, today()));
    assert_eq!(opportunity(&scene).state, OpportunityState::Lost);
}

#[test]
fn the_end_of_the_partnership_closes_what_was_ahead() {
    let mut scene = recorded();
    scene.end();
    let close = Action::CloseRecord {
        kind: Kind::Opportunity,
        id: ID.to_owned(),
    };
    scene.go(FIRST, close);
    let found = opportunity(&scene);
    assert_eq!(found.state, OpportunityState::Closed);
    assert_eq!(found.closed_at, Some(scene.now));
}
