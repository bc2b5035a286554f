//! Every part says how it came about, and its numbers follow from each other.

use super::*;

fn euro() -> Currency {
    Currency::from_code("EUR").unwrap()
}

fn two() -> Vec<Slice> {
    vec![
        slice("laptops", "acme", 750_000, 0, 0),
        slice("setup", "bolt", 250_000, 0, 0),
    ]
}

#[test]
fn p01_a_split_says_who_got_the_spare_cent_and_why() {
    let division = divide(&two(), &asked(9_999, Measure::Price)).unwrap();
    let shares: Vec<i64> = division.parts.iter().map(|part| part.share).collect();
    assert_eq!(shares, [7_499, 2_500]);
    assert_eq!(
        division.explain("laptops", euro()).unwrap(),
        "laptops: price 7,500.00 of 10,000.00; of 99.99 EUR that is 74.9925: whole 74.99, remainder \
         250,000 of 1,000,000 of a minor unit, rank 2, no spare unit, so the share is 74.99 EUR. \
         laptops bears 74.99 EUR: its price falls from 7,500.00 to 7,425.01."
    );
    assert_eq!(
        division.explain("setup", euro()).unwrap(),
        "setup: price 2,500.00 of 10,000.00; of 99.99 EUR that is 24.9975: whole 24.99, remainder \
         750,000 of 1,000,000 of a minor unit, rank 1, one spare unit, so the share is 25.00 EUR. \
         setup bears 25.00 EUR: its price falls from 2,500.00 to 2,475.00."
    );
    assert_eq!(division.explain("phones", euro()), None);
}

#[test]
fn limits_and_their_rounds_are_told() {
    let division = divide(&three(), &asked(900_000, Measure::Cost)).unwrap();
    assert_eq!(
        division.explain("b", euro()).unwrap(),
        "b: cost 25,000.00 of 75,000.00; of 9,000.00 EUR that is more than the 2,000.00 that it bears \
         at most (round 1), so the share is 2,000.00 EUR. b bears 2,000.00 EUR: its price falls from \
         27,000.00 to 25,000.00, its floor."
    );
    assert_eq!(
        division.explain("a", euro()).unwrap(),
        "a: cost 40,000.00 of 50,000.00; of the 7,000.00 left of 9,000.00 EUR that is 5,600.00: whole 5,600.00, no remainder, no spare unit, so the share is 5,600.00 EUR. a bears \
         5,600.00 EUR: its price falls from 50,000.00 to 44,400.00."
    );
}

#[test]
fn both_steps_of_fixed_shares_are_told() {
    let slices = vec![
        slice("a1", "acme", 700, 0, 0),
        slice("a2", "acme", 300, 0, 0),
        slice("b", "bolt", 1_000, 0, 0),
    ];
    let question = asked(101, bps(&[("acme", 6_000), ("bolt", 4_000)]));
    let division = divide(&slices, &question).unwrap();
    assert_eq!(
        division.explain("a2", euro()).unwrap(),
        "acme: 6,000 basis points of 10,000; of 1.01 EUR that is 0.606: whole 0.60, remainder 6,000 of \
         10,000 of a minor unit, rank 1, one spare unit, so the share is 0.61 EUR. a2: price 3.00 of \
         10.00; of 0.61 EUR that is 0.183: whole 0.18, remainder 300 of 1,000 of a minor unit, rank \
         2, no spare unit, so the share is 0.18 EUR. a2 bears 0.18 EUR: its price falls from 3.00 to \
         2.82."
    );
}

#[test]
fn what_is_left_over_and_who_takes_it_is_told() {
    let mut question = asked(1_650_000, Measure::Margin);
    question.shortfall = ShortfallPolicy::AbsorbedBy("acme".to_owned());
    let division = divide(&three(), &question).unwrap();
    let words = division.explain("a", euro()).unwrap();
    assert!(
        words.contains(
            "The floors leave 500.00 EUR over. a: price left 40,000.00 of 40,000.00; of 500.00 EUR that \
             is 500.00"
        ),
        "{words}"
    );
    assert!(
        words.ends_with("from 50,000.00 to 39,500.00, below its floor."),
        "{words}"
    );
    assert_eq!(division.parts[1].steps.len(), 1);
    question.shortfall = ShortfallPolicy::BelowFloor;
    let division = divide(&three(), &question).unwrap();
    let words = division.explain("b", euro()).unwrap();
    assert!(
        words.contains(
            "The floors leave 500.00 EUR over. b: margin 2,000.00 of 16,000.00; of 500.00 EUR"
        ),
        "{words}"
    );
}

#[test]
fn the_ratchet_stated_amounts_surcharges_and_nothing_are_told() {
    let mut question = asked(9_999, Measure::Price);
    question.rounding = Rounding::Ratchet;
    let words = divide(&two(), &question).unwrap().explain("setup", euro());
    assert_eq!(
        words.unwrap(),
        "setup: price 2,500.00, which may bear 2,500.00 at most; at the level common to all that is \
         25.00, nothing to correct, so the share is 25.00 EUR. setup bears 25.00 EUR: its price falls \
         from 2,500.00 to 2,475.00."
    );
    let stated = BTreeMap::from([("setup".to_owned(), 100)]);
    let division = divide(&two(), &asked(100, Measure::Custom(stated))).unwrap();
    assert_eq!(
        division.explain("setup", euro()).unwrap(),
        "setup: 1.00 of 1.00 EUR is stated. setup bears 1.00 EUR: its price falls from 2,500.00 to \
         2,499.00."
    );
    assert_eq!(
        division.explain("laptops", euro()).unwrap(),
        "laptops: 0.00 of 1.00 EUR is stated. laptops bears nothing: its price stays 7,500.00."
    );
    let division = divide(&two(), &asked(-10, Measure::Price)).unwrap();
    assert_eq!(
        division.explain("setup", euro()).unwrap(),
        "setup: price 2,500.00 of 10,000.00; of -0.10 EUR that is -0.025: without the sign, whole 0.02, \
         remainder 500,000 of 1,000,000 of a minor unit, rank 2, no spare unit, so the share is -0.02 \
         EUR. setup bears -0.02 EUR: its price rises from 2,500.00 to 2,500.02."
    );
    let division = divide(&two(), &asked(0, Measure::Margin)).unwrap();
    let words = division.explain("setup", euro()).unwrap();
    assert!(
        words.starts_with("setup: there is nothing to divide"),
        "{words}"
    );
}

#[test]
fn a_division_is_stored_with_its_steps() {
    let mut question = asked(900_000, Measure::Cost);
    let stored = |question: &Question| {
        let division = divide(&three(), question).unwrap();
        let text = serde_json::to_string(&division).unwrap();
        let read: Division = serde_json::from_str(&text).unwrap();
        assert_eq!(read, division);
        text
    };
    let text = stored(&question);
    assert!(
        text.contains(r#""how":{"limit":{"limit":"most","round":1"#),
        "{text}"
    );
    let unknown = text.replacen(r#""round":1"#, r#""round":1,"turn":1"#, 1);
    assert!(serde_json::from_str::<Division>(&unknown).is_err());
    question.rounding = Rounding::Ratchet;
    stored(&question);
    question = asked(900_000, Measure::Price);
    question.limits = BTreeMap::from([("acme".to_owned(), OwnerLimits::default())]);
    stored(&question);
    let text = serde_json::to_string(&question).unwrap();
    assert_eq!(serde_json::from_str::<Question>(&text).unwrap(), question);
}
