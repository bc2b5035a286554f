//! Cost bands, limits of owners, fractions carried, and what may be stated.

use super::*;
use crate::domain::pricing::allocation::carried::FRACTIONS_PER_UNIT;

#[test]
fn bands_follow_each_other_a_tenth_apart() {
    let band = |cost| {
        let band = CostBand::of(cost);
        (band.from, band.to)
    };
    assert_eq!(band(0), (0, 1));
    assert_eq!(band(1), (1, 2));
    assert_eq!(band(10), (10, 11));
    assert_eq!(band(12), (11, 13));
    assert_eq!(band(13), (13, 15));
    assert_eq!(band(u64::MAX).1, u64::MAX);
    for cost in [7, 99, 123_456, 40_000_000, i64::MAX.unsigned_abs()] {
        let (from, to) = band(cost);
        assert!(from <= cost && cost < to, "{cost}");
        assert_eq!(band(to).0, to);
        assert_eq!(band(to - 1), (from, to));
        // No more than a tenth and one minor unit wide.
        assert!(
            u128::from(to - from) * 10 <= u128::from(from) + 10,
            "{cost}"
        );
    }
}

#[test]
fn bands_weigh_by_where_they_begin() {
    let mut slices = three();
    for slice in &mut slices {
        slice.band = slice.cost.map(CostBand::of);
        slice.cost = None;
    }
    let begins: Vec<u64> = slices
        .iter()
        .filter_map(|slice| slice.band)
        .map(|band| band.from)
        .collect();
    let division = divide(&slices, &asked(100_000, Measure::CostBand)).unwrap();
    let weights: Vec<u64> = division.parts.iter().map(|part| part.weight).collect();
    assert_eq!(weights, begins);
    // A cost has its band, so it will do as well.
    let from_costs = divide(&three(), &asked(100_000, Measure::CostBand)).unwrap();
    assert_eq!(from_costs.parts, division.parts);
    slices[0].band = None;
    let refused = DivisionError::CostUnknown { id: "a".to_owned() };
    assert_eq!(divide(&slices, &asked(1, Measure::CostBand)), Err(refused));
}

fn limits(owner: &str, least_bps: u64, most_bps: Option<u64>) -> BTreeMap<String, OwnerLimits> {
    BTreeMap::from([(
        owner.to_owned(),
        OwnerLimits {
            least_bps,
            most_bps,
            most_amount: None,
        },
    )])
}

#[test]
fn owners_bear_within_their_part_of_the_concession() {
    let slices = vec![
        slice("a1", "acme", 6_000, 0, 0),
        slice("a2", "acme", 2_000, 0, 0),
        slice("b", "bolt", 2_000, 0, 0),
    ];
    let mut question = asked(1_000, Measure::Price);
    assert_eq!(shares(&slices, &question), [600, 200, 200]);
    question.limits = limits("acme", 0, Some(5_000));
    assert_eq!(shares(&slices, &question), [375, 125, 500]);
    question.limits = limits("bolt", 2_500, None);
    assert_eq!(shares(&slices, &question), [563, 187, 250]);
    let words = divide(&slices, &question).unwrap();
    let words = words
        .explain("b", Currency::from_code("EUR").unwrap())
        .unwrap();
    assert!(
        words.contains(
            "less than the 2.50 that it bears at least by its limits of the whole (round 1)"
        ),
        "{words}"
    );
    // Nobody is asked for more than it has room for.
    question.limits = limits("bolt", 10_000, None);
    question.concession = 3_000;
    let refused = divide(&slices, &question);
    assert!(
        matches!(
            refused,
            Err(DivisionError::Allocation(
                AllocationError::LimitsCrossed { .. }
            ))
        ),
        "{refused:?}"
    );
    // Limits that are the whole together can be kept to the last unit.
    question.concession = 1;
    question.limits = limits("acme", 5_000, Some(5_000));
    question.limits.extend(limits("bolt", 5_000, Some(5_000)));
    let division = divide(&slices, &question).unwrap();
    assert_eq!(division.shortfall, 0);
    // A surcharge has no such limits.
    question.concession = -1_000;
    assert_eq!(shares(&slices, &question), [-600, -200, -200]);
}

#[test]
fn limits_that_cannot_be_are_refused() {
    let refused = |limits: BTreeMap<String, OwnerLimits>| {
        let mut question = asked(100, Measure::Price);
        question.limits = limits;
        divide(&three(), &question).unwrap_err()
    };
    let invalid = DivisionError::LimitsInvalid {
        owner: "acme".to_owned(),
    };
    assert_eq!(refused(limits("acme", 0, Some(10_001))), invalid);
    assert_eq!(refused(limits("acme", 10_001, None)), invalid);
    assert_eq!(refused(limits("acme", 5_001, Some(5_000))), invalid);
    let nothing = DivisionError::NothingSold {
        owner: "crow".to_owned(),
    };
    assert_eq!(refused(limits("crow", 1, None)), nothing);
}

#[test]
fn p07_fractions_carried_keep_every_owner_within_a_unit() {
    let slices = vec![slice("x", "acme", 75, 0, 0), slice("y", "bolt", 25, 0, 0)];
    for measure in [Measure::Price, bps(&[("acme", 7_500), ("bolt", 2_500)])] {
        let mut owed = BTreeMap::new();
        let mut borne = [0, 0];
        for round in 1..=400_i64 {
            let mut question = asked(3, measure.clone());
            question.owed = Some(owed.clone());
            let division = divide(&slices, &question).unwrap();
            for (sum, part) in borne.iter_mut().zip(&division.parts) {
                *sum += part.share;
            }
            // Exactly 2.25 and 0.75 in each round.
            assert!(
                (borne[0] * 100 - round * 225).abs() < 100,
                "{borne:?} after {round}"
            );
            for carried in division.carried {
                let before = owed.get(&carried.id).copied().unwrap_or_default();
                assert_eq!(carried.before, before);
                assert!(carried.after.abs() < FRACTIONS_PER_UNIT);
                owed.insert(carried.id, carried.after);
            }
        }
        assert_eq!(borne, [900, 300]);
    }
    // Without, the same owner loses a quarter of a cent every time.
    assert_eq!(shares(&slices, &asked(3, Measure::Price)), [2, 1]);
}

#[test]
fn fractions_are_carried_by_owner_and_told() {
    let slices = vec![
        slice("x1", "acme", 50, 0, 0),
        slice("x2", "acme", 25, 0, 0),
        slice("y", "bolt", 25, 0, 0),
    ];
    let mut question = asked(3, Measure::Price);
    question.owed = Some(BTreeMap::from([("acme".to_owned(), 600_000_000)]));
    let division = divide(&slices, &question).unwrap();
    let shares: Vec<i64> = division.parts.iter().map(|part| part.share).collect();
    assert_eq!(shares, [2, 1, 0]);
    let after: Vec<(&str, i64)> = division
        .carried
        .iter()
        .map(|carried| (carried.id.as_str(), carried.after))
        .collect();
    assert_eq!(after, [("acme", -150_000_000), ("bolt", 750_000_000)]);
    let words = division
        .explain("x1", Currency::from_code("EUR").unwrap())
        .unwrap();
    assert!(
        words.contains("(fractions owed: 0.6 before, -0.15 after)"),
        "{words}"
    );
    // What bears nothing weighs nothing.
    let mut slices = slices;
    slices[0].is_passed_through = true;
    question.concession = 50;
    let division = divide(&slices, &question).unwrap();
    let shares: Vec<i64> = division.parts.iter().map(|part| part.share).collect();
    assert_eq!(shares, [0, 25, 25]);
    question.concession = 51;
    let refused = divide(&slices, &question);
    assert_eq!(refused, Err(DivisionError::Shortfall { shortfall: 1 }));
}

#[test]
fn what_excludes_carrying_is_named() {
    let refused = |change: fn(&mut Question, &mut Vec<Slice>)| {
        let mut slices = vec![slice("x", "acme", 75, 10, 0)];
        let mut question = asked(3, Measure::Price);
        question.owed = Some(BTreeMap::new());
        change(&mut question, &mut slices);
        match divide(&slices, &question) {
            Err(DivisionError::CannotCarry { obstacle }) => obstacle,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(
        refused(|question, _| question.measure = Measure::Cost),
        Obstacle::Measure
    );
    assert_eq!(
        refused(|question, _| question.rounding = Rounding::Ratchet),
        Obstacle::Rounding
    );
    assert_eq!(
        refused(|question, _| question.limits = limits("acme", 0, None)),
        Obstacle::Limits
    );
    assert_eq!(refused(|_, slices| slices[0].floor = 1), Obstacle::Floors);
}

fn stated(amounts: &[(&str, i64)]) -> Measure {
    let amounts = amounts
        .iter()
        .map(|(id, amount)| ((*id).to_owned(), *amount));
    Measure::Custom(amounts.collect())
}

#[test]
fn stated_amounts_keep_floors_signs_and_pass_through() {
    let mut question = asked(200_001, stated(&[("b", 200_001)]));
    let refused = DivisionError::StatedBelowFloor { id: "b".to_owned() };
    assert_eq!(divide(&three(), &question), Err(refused.clone()));
    question.shortfall = ShortfallPolicy::AbsorbedBy("acme".to_owned());
    assert_eq!(divide(&three(), &question), Err(refused));
    for policy in [
        ShortfallPolicy::BelowFloor,
        ShortfallPolicy::AbsorbedBy("bolt".to_owned()),
    ] {
        question.shortfall = policy;
        let division = divide(&three(), &question).unwrap();
        let part = &division.parts[1];
        assert_eq!(
            (part.within_floor, part.beyond_floor, division.shortfall),
            (200_000, 1, 1)
        );
    }
    let question = asked(100, stated(&[("a", 150), ("b", -50)]));
    let refused = DivisionError::SignsDiffer { id: "b".to_owned() };
    assert_eq!(divide(&three(), &question), Err(refused));
    let mut slices = three();
    slices[0].is_passed_through = true;
    let refused = DivisionError::PassedThrough { id: "a".to_owned() };
    for concession in [100, -100] {
        let question = asked(concession, stated(&[("a", concession)]));
        assert_eq!(divide(&slices, &question), Err(refused.clone()));
    }
}

#[test]
fn a_surcharge_spares_what_is_passed_through() {
    let mut slices = three();
    slices[0].is_passed_through = true;
    assert_eq!(
        shares(&slices, &asked(-350, Measure::Cost)),
        [0, -250, -100]
    );
    for slice in &mut slices {
        slice.is_passed_through = true;
    }
    let mut question = asked(-350, Measure::Cost);
    question.shortfall = ShortfallPolicy::BelowFloor;
    let refused = divide(&slices, &question);
    assert_eq!(refused, Err(DivisionError::Shortfall { shortfall: 350 }));
}

#[test]
fn slices_are_checked_whatever_the_measure() {
    let custom = asked(0, stated(&[]));
    let refused = |slices: &[Slice]| match divide(slices, &custom) {
        Err(DivisionError::Allocation(error)) => error,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(&[]), AllocationError::NoParts);
    let twice = vec![slice("a", "acme", 1, 0, 0); 2];
    assert_eq!(
        refused(&twice),
        AllocationError::DuplicatePart { id: "a".to_owned() }
    );
    let many: Vec<Slice> = (0..201)
        .map(|index| slice(&format!("{index}"), "acme", 1, 0, 0))
        .collect();
    assert_eq!(refused(&many), AllocationError::TooManyParts { count: 201 });
    let least = divide(&three(), &asked(i64::MIN, Measure::Price));
    let amount = i64::MIN;
    assert_eq!(
        least,
        Err(AllocationError::AmountOutOfRange { amount }.into())
    );
}
