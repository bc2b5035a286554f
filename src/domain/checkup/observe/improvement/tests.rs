//! What improvements, goals and plans tell: whether they are kept to.

use super::*;
use crate::domain::aggregate::By;
use crate::domain::checkup::Symptom;
use crate::domain::checkup::observe::testing::{assert_monotone, level, look};
use crate::domain::identity::{FirmId, PartyId};
use crate::domain::improvement::{ImprovementCreated, ImprovementStep};
use crate::domain::record::Record;
use crate::domain::remedy_plan::{Completion, Finding, PlannedStep, Step};
use crate::domain::shared_goal::GoalOutcome;
use crate::domain::tests::{FIRST, Scene, hours, sealed, start};

/// When everything is due.
const DUE: i64 = 10;

fn by(at: Timestamp) -> By {
    By {
        party: PartyId::numbered(1),
        firm: FirmId::parse(FIRST).expect("an identifier"),
        at,
    }
}

/// Done after so many hours, if it was.
fn improvement(done: Option<i64>) -> Record {
    let steps = done.map(|done| ImprovementStep {
        state: ImprovementState::Done,
        words: None,
        by: by(hours(done)),
        is_asserted: false,
    });
    Record::Improvement(Box::new(Improvement {
        created: ImprovementCreated {
            party: PartyId::numbered(2),
            cause: None,
            sources: Vec::new(),
            action: sealed("write it down"),
            owner: PartyId::numbered(1),
            due: hours(DUE),
        },
        state: if done.is_some() {
            ImprovementState::Done
        } else {
            ImprovementState::Open
        },
        steps: steps.into_iter().collect(),
        closed_at: None,
    }))
}

fn goal(state: GoalState) -> Record {
    let is_over = matches!(state, GoalState::Reached | GoalState::Missed);
    let outcome = is_over.then(|| GoalOutcome {
        words: None,
        by: by(hours(DUE)),
        is_asserted: false,
    });
    Record::SharedGoal(Box::new(SharedGoal {
        title: sealed("answer faster"),
        measure: sealed("first answers within the hour"),
        target: sealed("19 of 20"),
        owner: PartyId::numbered(1),
        due: hours(DUE),
        state,
        is_asserted: false,
        approvals: Vec::new(),
        agreed_at: None,
        progress: Vec::new(),
        outcome,
        closed_at: None,
    }))
}

fn plan(state: PlanState, done: Option<i64>) -> Record {
    Record::RemedyPlan(Box::new(RemedyPlan {
        finding: Finding {
            symptom: Symptom::PoorService,
            as_of: start(),
            from: Timestamp::EARLIEST,
            to: start(),
            intensity: None,
        },
        steps: vec![Step {
            planned: PlannedStep {
                action: sealed("call them"),
                owner: PartyId::numbered(1),
                due: hours(DUE),
            },
            done: done.map(|done| Completion {
                words: None,
                by: by(hours(done)),
            }),
        }],
        state,
        is_asserted: false,
        approvals: Vec::new(),
        outcome: None,
        closed_at: None,
    }))
}

/// So much of the one, then so much of the other.
fn mixed(good: &Record, bad: &Record, counts: (usize, usize)) -> Vec<Record> {
    let mut records = vec![good.clone(); counts.0];
    records.extend(vec![bad.clone(); counts.1]);
    records
}

fn later() -> Scene {
    let mut scene = Scene::shared(None);
    scene.wait(48);
    scene
}

#[test]
fn improvements_in_time_and_late() {
    let scene = later();
    let measure = Measure::ImprovementsLate;
    for late in [improvement(Some(DUE + 1)), improvement(None)] {
        assert_monotone(&scene, measure, |good, bad| {
            mixed(&improvement(Some(DUE)), &late, (good, bad))
        });
    }
    let report = look(&scene, &[improvement(None)]);
    assert_eq!(level(&report, 2, measure), None, "it is not theirs");
    let early = Scene::shared(None);
    let report = look(&early, &[improvement(None)]);
    assert_eq!(level(&report, 1, measure), None, "there is time");
}

#[test]
fn goals_reached_and_missed() {
    let scene = later();
    let measure = Measure::GoalsMissed;
    for missed in [GoalState::Missed, GoalState::Agreed] {
        assert_monotone(&scene, measure, |good, bad| {
            mixed(&goal(GoalState::Reached), &goal(missed), (good, bad))
        });
    }
    for nothing in [GoalState::Proposed, GoalState::Dropped, GoalState::Closed] {
        let report = look(&scene, &[goal(nothing)]);
        assert_eq!(level(&report, 1, measure), None, "{nothing:?}");
    }
}

#[test]
fn steps_in_time_and_late() {
    let scene = later();
    let measure = Measure::RemedyStepsLate;
    let good = plan(PlanState::Done, Some(DUE));
    for late in [
        plan(PlanState::Done, Some(DUE + 1)),
        plan(PlanState::Agreed, None),
    ] {
        assert_monotone(&scene, measure, |good_ones, bad| {
            mixed(&good, &late, (good_ones, bad))
        });
    }
    for nothing in [PlanState::Proposed, PlanState::Abandoned] {
        let report = look(&scene, &[plan(nothing, None)]);
        assert_eq!(level(&report, 1, measure), None, "{nothing:?}");
    }
}
