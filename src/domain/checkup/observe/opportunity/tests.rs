//! What opportunities tell: of somebody who chases rainbows, and of somebody who does not.

use super::*;
use crate::domain::aggregate::By;
use crate::domain::checkup::observe::testing::{assert_monotone, intensity, level, look};
use crate::domain::commitment::Commitment;
use crate::domain::identity::FirmId;
use crate::domain::interaction::presentation::PresentationRecorded;
use crate::domain::opportunity::{
    ClientPlan, EffortEntry, EffortSpent, OpportunityOutcome, QualificationStatement,
};
use crate::domain::record::Record;
use crate::domain::sla::calendar::CivilDate;
use crate::domain::tests::{FIRST, Scene, sealed};
use crate::domain::time::Timestamp;

/// How an opportunity went.
#[derive(Clone, Copy)]
struct Course {
    party: usize,
    state: OpportunityState,
    is_planned: bool,
    is_qualified: bool,
    is_shown: bool,
}

const fn good(party: usize) -> Course {
    Course {
        party,
        state: OpportunityState::Won,
        is_planned: true,
        is_qualified: true,
        is_shown: true,
    }
}

const fn bad(party: usize) -> Course {
    Course {
        party,
        state: OpportunityState::Lost,
        is_planned: false,
        is_qualified: false,
        is_shown: false,
    }
}

fn by(party: usize, at: Timestamp) -> By {
    By {
        party: PartyId::numbered(party),
        firm: FirmId::parse(FIRST).expect("an identifier"),
        at,
    }
}

fn some(holds: bool, text: &str) -> Option<Commitment> {
    holds.then(|| sealed(text))
}

fn opportunity(course: Course, at: Timestamp) -> Record {
    let by = by(course.party, at);
    let spent = EffortSpent {
        party: by.party.clone(),
        minutes: 60,
        is_client_facing: course.is_shown,
        date: CivilDate::new(2000, 1, 2).expect("a date"),
        note: None,
    };
    let plan = some(course.is_planned, "call on them").map(|text| ClientPlan {
        text,
        by: by.clone(),
    });
    let facts = some(course.is_qualified, "they have a budget");
    let said = facts.map(|facts| QualificationStatement {
        qualification: Qualification::Qualified,
        facts: Some(facts),
        reason: None,
        by: by.clone(),
    });
    let is_over = course.state != OpportunityState::Open;
    let outcome = is_over.then(|| OpportunityOutcome {
        reason: None,
        words: None,
        by: by.clone(),
    });
    Record::Opportunity(Box::new(Opportunity {
        display_name: "New site".to_owned(),
        client: None,
        brought_by: by.party.clone(),
        state: course.state,
        qualifications: said.into_iter().collect(),
        effort: vec![EffortEntry { spent, at }],
        plans: plan.into_iter().collect(),
        quotes: Vec::new(),
        outcome,
        closed_at: None,
    }))
}

fn presented(presenter: usize, at: Timestamp) -> Record {
    Record::ClientPresentation(Box::new(ClientPresentation {
        recorded: PresentationRecorded {
            party: PartyId::numbered(1),
            presenter: PartyId::numbered(presenter),
            presented_at: at,
            opportunity: None,
            quote: None,
            client: None,
            owners: Vec::new(),
            note: None,
            is_asserted: false,
        },
        by: by(1, at),
        answers: Vec::new(),
    }))
}

fn several(scene: &Scene, count: usize, course: Course) -> Vec<Record> {
    vec![opportunity(course, scene.now); count]
}

const ROW: [Measure; 4] = [
    Measure::OpportunitiesNotWon,
    Measure::PursuedUnqualified,
    Measure::WithoutClientPlan,
    Measure::TimeOnDrafts,
];

#[test]
fn one_firm_chases_rainbows_and_the_other_does_not() {
    for (chaser, other) in [(1, 2), (2, 1)] {
        let scene = Scene::shared(None);
        let mut records = several(&scene, 4, bad(chaser));
        records.extend(several(&scene, 4, good(other)));
        let report = look(&scene, &records);
        for measure in ROW {
            assert_eq!(intensity(&report, chaser, measure), Some(4), "{measure:?}");
            assert_eq!(intensity(&report, other, measure), Some(0), "{measure:?}");
        }
        // Hundredths of minutes for each sale; without a sale there is nothing to divide by.
        let minutes = Measure::MinutesPerWin;
        assert_eq!(level(&report, other, minutes), Some(6_000));
        assert_eq!(level(&report, chaser, minutes), None);
        assert_eq!(intensity(&report, other, minutes), None);
    }
}

#[test]
fn more_of_it_never_looks_better() {
    let scene = Scene::shared(None);
    for measure in ROW {
        assert_monotone(&scene, measure, |good_ones, bad_ones| {
            let mut records = several(&scene, good_ones, good(1));
            records.extend(several(&scene, bad_ones, bad(1)));
            records
        });
    }
}

#[test]
fn what_is_still_ahead_has_no_end_and_drafts_show_nothing() {
    let mut scene = Scene::shared(None);
    let open = |course| Course {
        state: OpportunityState::Open,
        ..course
    };
    scene.wait(24 * 100);
    let drafts = several(&scene, 3, open(bad(1)));
    let report = look(&scene, &drafts);
    for measure in &ROW[..3] {
        assert_eq!(level(&report, 1, *measure), None, "{measure:?}");
    }
    assert_eq!(intensity(&report, 1, Measure::TimeOnDrafts), Some(4));
    let last = Measure::LastShown;
    assert_eq!(
        level(&report, 1, last),
        Some(101),
        "never, since the beginning"
    );
    assert_eq!(intensity(&report, 1, last), Some(1));
    assert_eq!(level(&report, 2, last), None, "nothing is known of it");
    let presentation = presented(2, scene.now);
    let mut presented = drafts.clone();
    presented.push(presentation);
    let report = look(&scene, &presented);
    assert_eq!(level(&report, 2, last), Some(0));
    assert_eq!(intensity(&report, 1, last), Some(1), "somebody else did");
    let mut shown = drafts;
    shown.extend(several(&scene, 1, open(good(1))));
    let report = look(&scene, &shown);
    assert_eq!(intensity(&report, 1, last), Some(0));
}
