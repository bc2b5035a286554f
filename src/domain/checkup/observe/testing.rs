//! What observers are tested with: records of a scene, and what the check-up makes of them.

use super::Context;
use crate::domain::checkup::burden::BurdenTally;
use crate::domain::checkup::{CheckupClauses, Figure, Measure, Report, Tally, Window};
use crate::domain::identity::PartyId;
use crate::domain::partnership::Partnership;
use crate::domain::record::Record;
use crate::domain::tests::Scene;
use crate::domain::time::{Span, Timestamp};

/// The check-up of records, an hour after the scene's present.
pub(super) fn look(scene: &Scene, records: &[Record]) -> Report {
    let as_of = scene.now.saturating_add(Span::from_hours(1));
    let window = Window::before(as_of);
    let partnership = scene.get::<Partnership>("p");
    let parties = partnership.parties.iter().map(|party| party.id.clone());
    let mut tally = Tally::new(parties.collect(), as_of, window);
    let context = Context { partnership, as_of };
    for (number, record) in records.iter().enumerate() {
        super::record(&number.to_string(), record, context, &mut tally);
    }
    let burdens = BurdenTally::new(window);
    let clauses = CheckupClauses::default();
    Report::new(&tally, &burdens, &clauses, Timestamp::EARLIEST)
}

/// What a measure came to for the party of that number.
pub(super) fn figure(report: &Report, party: usize, measure: Measure) -> &Figure {
    let found = report.figure(&PartyId::numbered(party), measure);
    found.expect("every measure has a figure")
}

/// Its level; `None` without data.
pub(super) fn level(report: &Report, party: usize, measure: Measure) -> Option<i64> {
    Some(figure(report, party, measure).value?.level())
}

/// Its intensity; `None` without data.
pub(super) fn intensity(report: &Report, party: usize, measure: Measure) -> Option<u8> {
    figure(report, party, measure).intensity
}

/// Requires that one more of the bad never lowers the intensity, that enough of it is at its worst, and
/// that none of it is 0. `records` makes so many good and so many bad ones of party 1.
pub(super) fn assert_monotone(
    scene: &Scene,
    measure: Measure,
    records: impl Fn(usize, usize) -> Vec<Record>,
) {
    let found = |good, bad| {
        let report = look(scene, &records(good, bad));
        intensity(&report, 1, measure)
    };
    assert_eq!(found(0, 0), None, "{measure:?} without data");
    assert_eq!(found(4, 0), Some(0), "{measure:?} without any of it");
    assert_eq!(found(0, 4), Some(4), "{measure:?} with nothing else");
    let grown: Vec<_> = (0..12).map(|bad| found(3, bad)).collect();
    assert!(grown.is_sorted(), "{measure:?}: {grown:?}");
}
