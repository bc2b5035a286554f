//! Properties of the check-up, whatever is measured.

use proptest::collection::vec;
use proptest::prelude::*;

use super::burden::BurdenTally;
use super::measure::Unit;
use super::observation::{Observation, Observed, Sink};
use super::value::CASES_MIN;
use super::{
    CheckupClauses, INTENSITY_MAX, Measure, MeasureThresholds, Report, Symptom, Tally, Value,
    Window,
};
use crate::domain::identity::PartyId;
use crate::domain::record::Kind;
use crate::domain::refusal::Violations;
use crate::domain::time::{Span, Timestamp};

const DAY: Span = Span::from_hours(24);
/// How long before the instant asked about the partnership began.
const DAYS_TOGETHER: i64 = 400;

fn as_of() -> Timestamp {
    // 2026-03-02T08:00:00Z.
    Timestamp::from_micros(1_772_438_400_000_000)
}

fn ago(days: i64) -> Timestamp {
    Timestamp::from_micros(as_of().as_micros() - DAY.as_micros() * days)
}

fn party(number: usize) -> PartyId {
    PartyId::numbered(number)
}

/// One observation, as it is drawn.
#[derive(Clone, Debug)]
struct Seen {
    measure: Measure,
    party: usize,
    days_ago: i64,
    observed: Observed,
    record: u8,
}

fn observed(measure: Measure) -> BoxedStrategy<Observed> {
    match measure.unit() {
        Unit::Share => prop_oneof![
            any::<bool>().prop_map(|counts| Observed::Case { counts }),
            (0_u64..5, 0_u64..5).prop_map(|(part, rest)| Observed::Part {
                part,
                whole: part + rest
            }),
        ]
        .boxed(),
        Unit::Ratio => (0_u64..9)
            .prop_map(|part| Observed::Part { part, whole: 1 })
            .boxed(),
        Unit::Duration => (0_i64..900_000)
            .prop_map(|seconds| Observed::Took(Span::from_seconds(seconds)))
            .boxed(),
        Unit::Age | Unit::Gaps | Unit::Count | Unit::Index => any::<bool>()
            .prop_map(|happened| {
                if happened {
                    Observed::Happened
                } else {
                    Observed::DidNotHappen
                }
            })
            .boxed(),
    }
}

fn seen() -> impl Strategy<Value = Seen> {
    let measure = prop::sample::select(Measure::ALL);
    measure.prop_flat_map(|measure| {
        (1_usize..=2, 0_i64..500, observed(measure), any::<u8>()).prop_map(
            move |(party, days_ago, observed, record)| Seen {
                measure,
                party,
                days_ago,
                observed,
                record,
            },
        )
    })
}

fn clauses() -> CheckupClauses {
    CheckupClauses {
        activity_cadence: Some(Span::from_hours(30 * 24)),
        ..CheckupClauses::default()
    }
}

fn report(seen: &[Seen]) -> Report {
    let window = Window::before(as_of());
    let mut tally = Tally::new(vec![party(1), party(2)], as_of(), window);
    for one in seen {
        tally.take(Observation {
            measure: one.measure,
            party: &party(one.party),
            at: ago(one.days_ago),
            observed: one.observed,
            kind: Kind::Ticket,
            id: &format!("{:03}", one.record),
        });
    }
    let burdens = BurdenTally::new(window);
    Report::new(&tally, &burdens, &clauses(), ago(DAYS_TOGETHER))
}

/// The report if the firms changed places.
fn mirrored(mut report: Report) -> Report {
    for side in report.rows.iter_mut().flat_map(|row| &mut row.sides) {
        side.party = party(if side.party == party(1) { 2 } else { 1 });
    }
    for row in &mut report.rows {
        row.sides.reverse();
    }
    report
}

/// One more of what a measure counts, the worst that there is.
fn one_more(measure: Measure) -> Option<Observed> {
    match measure.unit() {
        Unit::Share => Some(Observed::Case { counts: true }),
        // A person more on a ticket that is there.
        Unit::Ratio => Some(Observed::Part { part: 1, whole: 0 }),
        Unit::Duration => Some(Observed::Took(Span::from_hours(24 * 365))),
        Unit::Count => Some(Observed::Happened),
        Unit::Age | Unit::Gaps | Unit::Index => None,
    }
}

proptest! {
    #[test]
    fn the_order_of_records_means_nothing(seen in vec(seen(), 0..60), turn in 0_usize..60) {
        let mut turned = seen.clone();
        turned.rotate_left(turn.min(seen.len()));
        let mut backwards = turned.clone();
        backwards.reverse();
        prop_assert_eq!(report(&seen), report(&turned));
        prop_assert_eq!(report(&seen), report(&backwards));
    }

    #[test]
    fn swapped_firms_have_the_mirrored_report(seen in vec(seen(), 0..60)) {
        let mut swapped = seen.clone();
        for one in &mut swapped {
            one.party = 3 - one.party;
        }
        prop_assert_eq!(mirrored(report(&seen)), report(&swapped));
    }

    #[test]
    fn more_of_the_bad_never_lowers_an_intensity(
        seen in vec(seen(), 0..40),
        measure in prop::sample::select(Measure::ALL),
        days_ago in 1_i64..360,
    ) {
        let Some(observed) = one_more(measure) else { return Ok(()); };
        let mut worse = seen.clone();
        worse.push(Seen { measure, party: 1, days_ago, observed, record: 0 });
        let (before, after) = (report(&seen), report(&worse));
        let of = |report: &Report| report.figure(&party(1), measure).and_then(|figure| figure.intensity);
        prop_assert!(of(&before) <= of(&after), "{:?} {:?}", of(&before), of(&after));
        for (before, after) in before.rows.iter().zip(&after.rows) {
            prop_assert!(before.intensity <= after.intensity);
            prop_assert!(before.sides[0].frequency.present <= after.sides[0].frequency.present
                || before.symptom != measure.symptom());
            prop_assert_eq!(&before.sides[1], &after.sides[1]);
        }
    }

    #[test]
    fn longer_silence_never_lowers_an_intensity(
        seen in vec(seen(), 0..40),
        measure in prop::sample::select(Measure::ALL),
    ) {
        if !matches!(measure.unit(), Unit::Age | Unit::Gaps) { return Ok(()); }
        let is_happening = |one: &Seen| one.measure == measure && one.observed == Observed::Happened;
        let mut silent = seen.clone();
        // What would have happened last did not.
        let Some(last) = (0..seen.len()).filter(|index| is_happening(&seen[*index])).min_by_key(|index| seen[*index].days_ago) else { return Ok(()); };
        silent[last].observed = Observed::DidNotHappen;
        let of = |report: &Report, who| report.figure(&party(who), measure).and_then(|figure| figure.intensity);
        let who = seen[last].party;
        prop_assert!(of(&report(&seen), who) <= of(&report(&silent), who));
    }

    #[test]
    fn what_would_change_it_changes_it(seen in vec(seen(), 1..80)) {
        for side in report(&seen).rows.iter().flat_map(|row| &row.sides) {
            for figure in &side.figures {
                let (Some(change), Some(value), Some(thresholds)) =
                    (figure.change, figure.value, figure.thresholds) else {
                    prop_assert!(figure.intensity.unwrap_or(0) == 0);
                    continue;
                };
                prop_assert!(!change.sentence(figure.measure).is_empty());
                prop_assert!(value.level() >= change.below);
                let changed = |fewer: u64, more: u64| match value {
                    Value::Share { part, whole } => Value::Share { part: part - fewer, whole: whole + more },
                    Value::Ratio { part, whole } => Value::Ratio { part: part - fewer, whole: whole + more },
                    Value::Count(count) => Value::Count(count - fewer),
                    other => other,
                };
                if let Some(fewer) = change.fewer {
                    prop_assert!(fewer > 0);
                    prop_assert!(changed(fewer, 0).level() < change.below);
                    prop_assert!(changed(fewer - 1, 0).level() >= change.below);
                    prop_assert!(changed(fewer, 0).intensity(&thresholds) <= change.to_intensity);
                }
                if let Some(more) = change.more {
                    prop_assert!(changed(0, more).level() < change.below);
                    prop_assert!(more == 0 || changed(0, more - 1).level() >= change.below);
                }
            }
        }
    }
}

#[test]
fn nothing_recorded_is_no_data_and_never_a_number() {
    let report = report(&[]);
    assert_eq!(report.rows.len(), Symptom::ALL.len());
    for row in &report.rows {
        assert_eq!(row.intensity, None);
        for side in &row.sides {
            assert_eq!(side.intensity, None);
            assert_eq!((side.frequency.present, side.frequency.known), (0, 0));
            for figure in &side.figures {
                assert_eq!((figure.value, figure.intensity), (None, None));
                assert!(
                    figure
                        .quarters
                        .iter()
                        .all(|quarter| quarter.value.is_none())
                );
                assert_eq!(figure.change, None);
            }
        }
    }
}

#[test]
fn every_measure_has_a_row_and_ascending_thresholds() {
    for symptom in Symptom::ALL {
        assert!(!symptom.question().is_empty());
        let mut own = Measure::ALL
            .iter()
            .filter(|measure| measure.symptom() == symptom);
        let is_judged = own.any(|measure| measure.default_thresholds().is_some());
        assert!(is_judged, "{symptom:?}");
    }
    for measure in Measure::ALL {
        if let Some(thresholds) = measure.default_thresholds() {
            assert!(thresholds[0] > 0, "{measure:?}");
            assert!(
                thresholds.windows(2).all(|pair| pair[0] < pair[1]),
                "{measure:?}"
            );
        }
    }
}

#[test]
fn a_quarter_shows_what_was_in_it() {
    let missed = |days_ago, counts| Seen {
        measure: Measure::TargetsMissed,
        party: 2,
        days_ago,
        observed: Observed::Case { counts },
        record: u8::try_from(days_ago % 200).unwrap(),
    };
    // Three a quarter: none missed in the spring, all of them in the winter.
    let mut seen: Vec<Seen> = (0..3).map(|day| missed(300 + day, false)).collect();
    seen.extend((0..3).map(|day| missed(30 + day, true)));
    let report = report(&seen);
    let row = report.row(Symptom::NoMutualRespect).unwrap();
    let side = &row.sides[1];
    assert_eq!((side.frequency.present, side.frequency.known), (1, 2));
    assert_eq!(side.intensity, Some(INTENSITY_MAX));
    let figure = report.figure(&party(2), Measure::TargetsMissed).unwrap();
    let quarters: Vec<Option<u8>> = figure
        .quarters
        .iter()
        .map(|quarter| quarter.intensity)
        .collect();
    assert_eq!(quarters, [None, Some(0), None, None, Some(4)]);
    let (part, whole) = (3, 6);
    assert_eq!(figure.value, Some(Value::Share { part, whole }));
    assert_eq!(figure.value.unwrap().text(Unit::Share), "50 % (3 of 6)");
    assert_eq!(figure.cases, 3);
    let ids: Vec<&str> = figure.links.iter().map(|link| link.id.as_str()).collect();
    assert_eq!(ids, ["030", "031", "032"]);
    let change = figure.change.unwrap();
    assert_eq!((change.to_intensity, change.below), (3, 4_000));
    assert_eq!((change.fewer, change.more), (Some(1), Some(2)));
    assert_eq!(
        change.sentence(Measure::TargetsMissed),
        "With 1 fewer of them, or 2 more of the other sort, it is below 40 %, which is intensity 3."
    );
    assert_eq!(row.sides[0].intensity, None);
}

#[test]
fn few_cases_say_little() {
    let thresholds = [500, 1_000, 2_000, 4_000];
    for whole in 1..=CASES_MIN {
        let value = Value::Share { part: whole, whole };
        let expected = if whole < CASES_MIN { 1 } else { INTENSITY_MAX };
        assert_eq!(value.intensity(&thresholds), expected);
    }
    let healthy = Value::Share { part: 0, whole: 1 };
    assert_eq!(healthy.intensity(&thresholds), 0);
}

#[test]
fn terms_may_judge_otherwise() {
    let own = MeasureThresholds {
        measure: Measure::TargetsMissed,
        levels: [1, 2, 3, 9_999],
    };
    let clauses = CheckupClauses {
        thresholds: vec![own],
        activity_cadence: None,
    };
    assert_eq!(clauses.thresholds_of(own.measure), Some(own.levels));
    let usual = Measure::FireDrills;
    assert_eq!(clauses.thresholds_of(usual), usual.default_thresholds());
    let mut fields = Vec::new();
    clauses.fields(&mut |path, value| fields.push((path, value)));
    let path = "checkup_clauses.thresholds[targets_missed].levels".to_owned();
    assert_eq!(fields, [(path, "1, 2, 3, 9999".to_owned())]);
    let mut violations = Violations::default();
    clauses.check(&mut violations);
    assert!(violations.finish().is_ok());
}

#[test]
fn thresholds_at_fault_are_named() {
    let of = |levels| MeasureThresholds {
        measure: Measure::TargetsMissed,
        levels,
    };
    let clauses = CheckupClauses {
        thresholds: vec![of([1, 2, 2, 3]), of([0, 1, 2, 3])],
        activity_cadence: Some(Span::from_hours(24)),
    };
    let mut violations = Violations::default();
    clauses.check(&mut violations);
    let refusal = violations.finish().unwrap_err();
    let fields: Vec<&str> = refusal
        .violations
        .iter()
        .map(|violation| violation.field.as_str())
        .collect();
    assert_eq!(
        fields,
        [
            "terms.checkup_clauses.thresholds[0].levels",
            "terms.checkup_clauses.thresholds[1].measure",
            "terms.checkup_clauses.thresholds[1].levels",
            "terms.checkup_clauses.activity_cadence",
        ]
    );
}
