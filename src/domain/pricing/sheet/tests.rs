//! What a sheet refuses, and what comes of it.

use super::*;
use crate::domain::pricing::allocation::AllocationError;

fn line(id: &str, owner: &str, price: i64) -> Line {
    Line {
        id: id.to_owned(),
        owner: owner.to_owned(),
        price,
        ..Line::default()
    }
}

fn sheet(lines: Vec<Line>, concession: i64) -> Sheet {
    Sheet {
        currency: Currency::from_code("EUR").unwrap(),
        lines,
        concessions: BTreeMap::from([(Cadence::OneTime, concession)]),
    }
}

fn by(measure: Measure) -> Alternative {
    Alternative {
        measure,
        rounding: Rounding::default(),
        shortfall: ShortfallPolicy::default(),
    }
}

fn stated(amounts: &[(&str, i64)]) -> Measure {
    let amounts = amounts
        .iter()
        .map(|(id, amount)| ((*id).to_owned(), *amount));
    Measure::Custom(amounts.collect())
}

fn shares(answers: &[Answer]) -> Vec<(Cadence, Vec<i64>)> {
    let shares = |answer: &Answer| {
        answer
            .division
            .parts
            .iter()
            .map(|part| part.share)
            .collect()
    };
    answers
        .iter()
        .map(|answer| (answer.cadence, shares(answer)))
        .collect()
}

#[test]
fn p19_what_is_due_once_and_what_recurs_is_divided_apart() {
    let mut monthly = line("desk", "bolt", 1_000);
    monthly.cadence = Cadence::Monthly;
    let mut sheet = sheet(
        vec![line("a", "acme", 700), monthly, line("b", "bolt", 300)],
        100,
    );
    sheet.concessions.insert(Cadence::Monthly, 50);
    assert_eq!(sheet.faults(), []);
    let answers = sheet.answer(&by(Measure::Price)).unwrap();
    let expected = [
        (Cadence::OneTime, vec![70, 30]),
        (Cadence::Monthly, vec![50]),
    ];
    assert_eq!(shares(&answers), expected);
    let custom = by(stated(&[("a", 60), ("b", 40), ("desk", 50)]));
    let expected = [
        (Cadence::OneTime, vec![60, 40]),
        (Cadence::Monthly, vec![50]),
    ];
    assert_eq!(shares(&sheet.answer(&custom).unwrap()), expected);
    let custom = by(stated(&[("a", 60), ("b", 40), ("desk", 49)]));
    let refused = sheet.answer(&custom).unwrap_err();
    assert_eq!(
        (refused.cadence, refused.error.reason()),
        (Cadence::Monthly, Reason::WeightsInvalid)
    );
    let custom = by(stated(&[("a", 60), ("c", 40), ("desk", 50)]));
    let refused = sheet.answer(&custom).unwrap_err();
    assert_eq!(
        refused.error,
        DivisionError::SliceUnknown { id: "c".to_owned() }
    );
}

#[test]
fn p16_a_margin_asked_for_is_a_floor_rounded_up() {
    let mut asked = line("a", "acme", 1_000);
    asked.cost = Some(333);
    asked.minimum_margin_bps = Some(1_000);
    // 366.3, and no less than that.
    assert_eq!(asked.least_price(), Some(367));
    asked.floor = Some(400);
    assert_eq!(asked.least_price(), Some(400));
    asked.floor = None;
    let ours = sheet(vec![asked.clone()], 633);
    assert_eq!(ours.faults(), []);
    let answers = ours.answer(&by(Measure::Price)).unwrap();
    let part = &answers[0].division.parts[0];
    assert_eq!((part.price_after, part.is_at_floor), (367, true));
    let refused = sheet(vec![asked], 634)
        .answer(&by(Measure::Price))
        .unwrap_err();
    assert_eq!(refused.error, DivisionError::Shortfall { shortfall: 1 });
    let euro = Currency::from_code("EUR").unwrap();
    assert_eq!(
        refused.error.words(euro),
        "the floors leave 0.01 EUR over that nobody bears"
    );
}

#[test]
fn markups_are_slices_of_their_own_within_their_cap() {
    let mut base = line("licences", "bolt", 10_000);
    base.markup_cap_bps = Some(1_500);
    let mut markup = line("licences-markup", "acme", 1_500);
    markup.markup_on = Some("licences".to_owned());
    let fine = sheet(vec![base.clone(), markup.clone()], 1_000);
    assert_eq!(fine.faults(), []);
    // By price both fall alike; if only the base gives, what was within the cap is beyond it.
    let answers = fine.answer(&by(stated(&[("licences", 1_000)]))).unwrap();
    let over = OverCap {
        id: "licences".to_owned(),
        markups: 1_500,
        most: 1_350,
    };
    assert_eq!(answers[0].over_cap, [over]);
    let answers = fine
        .answer(&by(stated(&[("licences-markup", 1_000)])))
        .unwrap();
    assert_eq!(answers[0].over_cap, []);
    markup.price = 1_501;
    let faults = sheet(vec![base, markup], 1_000).faults();
    assert_eq!(faults.len(), 1);
    assert_eq!(faults[0].place, Place::Line(0, Column::MarkupCap));
    assert_eq!(faults[0].reason, Reason::MarkupCapExceeded);
}

#[test]
fn what_is_passed_on_at_cost_bears_nothing_by_any_measure() {
    let mut through = line("domains", "bolt", 500);
    through.is_at_cost = true;
    let mut own = line("work", "acme", 1_000);
    own.cost = Some(600);
    let sheet = sheet(vec![own, through], 100);
    assert_eq!(sheet.faults(), []);
    for measure in [
        Measure::Cost,
        Measure::Margin,
        Measure::Price,
        Measure::CostBand,
    ] {
        let answers = sheet.answer(&by(measure)).unwrap();
        assert_eq!(shares(&answers), [(Cadence::OneTime, vec![100, 0])]);
    }
}

/// The fault of a sheet whose second line is changed: its column, and what is wrong.
fn fault_of(change: fn(&mut Line)) -> (Column, String) {
    let mut changed = line("a", "acme", 1_000);
    change(&mut changed);
    let mut monthly = line("m", "bolt", 10);
    monthly.cadence = Cadence::Monthly;
    let mut base = line("c", "bolt", 1_000);
    base.markup_cap_bps = Some(100);
    let faults = sheet(vec![line("b", "bolt", 1_000), changed, monthly, base], 1).faults();
    assert_eq!(faults.len(), 1, "{faults:?}");
    match faults[0].place {
        Place::Line(1, column) => (column, faults[0].description.clone()),
        other => panic!("{other:?}"),
    }
}

/// A change, and the column and the words of its fault.
type Change = (fn(&mut Line), Column, &'static str);

fn check_faults(changes: &[Change]) {
    for (change, column, words) in changes {
        let (at, description) = fault_of(*change);
        assert_eq!(at, *column, "{description}");
        assert!(description.contains(words), "{description}");
    }
}

#[test]
fn every_fault_of_an_amount_is_named_with_its_place() {
    check_faults(&[
        (
            |line| line.id = "b".to_owned(),
            Column::Id,
            "more than once",
        ),
        (|line| line.id.clear(), Column::Id, "1 to 100 bytes"),
        (
            |line| line.owner = "a\nb".to_owned(),
            Column::Owner,
            "control",
        ),
        (|line| line.cost = Some(-1), Column::Cost, "negative"),
        (|line| line.floor = Some(-1), Column::Floor, "negative"),
        (
            |line| line.floor = Some(1_001),
            Column::Floor,
            "10.01 is above the price 10.00",
        ),
        (
            |line| line.minimum_margin_bps = Some(1),
            Column::MinimumMargin,
            "needs a cost",
        ),
        (
            |line| {
                line.cost = Some(1_000);
                line.minimum_margin_bps = Some(1);
            },
            Column::MinimumMargin,
            "more than the price",
        ),
    ]);
    let negative = sheet(vec![line("a", "acme", -1), line("b", "acme", 5)], 1).faults();
    assert_eq!(negative[0].place, Place::Line(0, Column::Price));
}

#[test]
fn every_fault_of_passing_on_is_named_with_its_place() {
    check_faults(&[
        (
            |line| line.markup_cap_bps = Some(100_001),
            Column::MarkupCap,
            "100000",
        ),
        (
            |line| {
                line.is_at_cost = true;
                line.markup_cap_bps = Some(1);
            },
            Column::MarkupCap,
            "nobody",
        ),
        (
            |line| {
                line.is_at_cost = true;
                line.cost = Some(999);
            },
            Column::Cost,
            "the price",
        ),
        (
            |line| line.markup_on = Some("x".to_owned()),
            Column::MarkupOn,
            "no such",
        ),
        (
            |line| line.markup_on = Some("a".to_owned()),
            Column::MarkupOn,
            "another owner",
        ),
        (
            |line| line.markup_on = Some("m".to_owned()),
            Column::MarkupOn,
            "same times",
        ),
        (
            |line| line.markup_on = Some("b".to_owned()),
            Column::MarkupOn,
            "no markup cap",
        ),
    ]);
}

#[test]
fn p25_amounts_beyond_64_bits_are_out_of_range() {
    let most = sheet(
        vec![line("a", "acme", i64::MAX), line("b", "bolt", 0)],
        i64::MAX,
    );
    assert_eq!(most.faults(), []);
    assert_eq!(
        shares(&most.answer(&by(Measure::Price)).unwrap()),
        [(Cadence::OneTime, vec![i64::MAX, 0])]
    );
    let beyond = sheet(vec![line("a", "acme", i64::MAX), line("b", "bolt", 1)], 1).faults();
    assert_eq!(
        (beyond[0].place, beyond[0].reason),
        (Place::Lines, Reason::OutOfRange)
    );
    let mut costly = sheet(
        vec![
            line("a", "acme", 1),
            line("b", "bolt", 1),
            line("c", "bolt", 1),
        ],
        1,
    );
    for line in &mut costly.lines {
        line.cost = Some(i64::MAX);
    }
    let refused = costly.answer(&by(Measure::Cost)).unwrap_err();
    assert_eq!(
        refused.error,
        DivisionError::Allocation(AllocationError::WeightsOutOfRange)
    );
    assert_eq!(refused.error.reason(), Reason::OutOfRange);
}

#[test]
fn what_is_conceded_fits_what_is_sold() {
    let places = |sheet: &Sheet| {
        let faults = sheet.faults();
        faults
            .iter()
            .map(|fault| (fault.place, fault.reason))
            .collect::<Vec<_>>()
    };
    let mut ours = sheet(vec![line("a", "acme", 100)], 101);
    let place = Place::Concession(Cadence::OneTime);
    assert_eq!(places(&ours), [(place, Reason::ConcessionTooLarge)]);
    ours.concessions = BTreeMap::from([(Cadence::Yearly, 1)]);
    let place = Place::Concession(Cadence::Yearly);
    assert_eq!(places(&ours), [(place, Reason::InvalidField)]);
    ours.concessions.clear();
    assert_eq!(places(&ours), [(Place::Concessions, Reason::InvalidField)]);
    ours.lines.clear();
    assert_eq!(places(&ours), [(Place::Lines, Reason::InvalidField)]);
}
