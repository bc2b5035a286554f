//! Tests of joint quotes: the cases by name here, the model with random commands beside them.

mod agreed;
mod bench;
mod fractions;
mod funding;
mod kept;
mod lifecycle;
mod limits;
mod model;
mod placeholder;
mod portions;
mod rules;

use std::collections::BTreeSet;

use bench::{Bench, ONE, TWO, bps, euro, portion, refusal_of};

use super::{
    Basis, CadenceSplit, ConcessionSplit, JointQuoteEvent, Line, NewPortion, OpenLine, Outcome,
    PORTIONS_MAX, RevisionState,
};
use crate::domain::aggregate::Aggregate;
use crate::domain::pricing::money::{Currency, Money};
use crate::domain::refusal::Reason;

/// A quote of two parties with these prices, and a concession divided over them.
fn divided(prices: [&[(&str, i64)]; 2], concession: i64, basis: &Basis) -> ConcessionSplit {
    let mut bench = Bench::active();
    bench.create(ONE, prices[0]);
    for (id, price) in prices[1] {
        bench.add(TWO, portion(id, *price)).unwrap();
    }
    bench.propose(ONE, concession, basis.clone()).unwrap();
    let quote = bench.quote();
    assert_genuine(&bench);
    quote.revisions[0].split.clone()
}

/// Every revision recomputes to the bit and links to the one before it.
fn assert_genuine(bench: &Bench) {
    let quote = bench.quote();
    let mut previous = super::split::FIRST_PREVIOUS_HASH.to_owned();
    for (number, revision) in (1_u32..).zip(&quote.revisions) {
        let place = bench.place(number, &previous);
        assert!(
            revision.split.is_genuine(place, &quote.portions),
            "{revision:?}"
        );
        assert!(revision.split.adds_up());
        previous.clone_from(&revision.split.hash);
    }
    assert_eq!(quote.last_hash(), previous);
}

fn shares(split: &ConcessionSplit) -> Vec<(&str, i64)> {
    let share = |line: &Line| line.open().expect("an open line").share;
    let lines = split.lines();
    lines
        .map(|line| (line.portion_id.as_str(), share(line)))
        .collect()
}

/// The numbers of every line.
fn open(split: &ConcessionSplit) -> Vec<&OpenLine> {
    split.lines().filter_map(Line::open).collect()
}

/// The one cadence of a quote that is due once.
fn once(split: &ConcessionSplit) -> &CadenceSplit {
    assert_eq!(split.cadences.len(), 1);
    &split.cadences[0]
}

#[test]
fn p01_the_spare_cent_goes_where_the_record_says() {
    let basis = bps(&[(ONE, 7_500), (TWO, 2_500)]);
    let split = divided([&[("cloud", 80_000)], &[("wiring", 20_000)]], 9_999, &basis);
    assert_eq!(shares(&split), [("cloud", 7_499), ("wiring", 2_500)]);
    assert_eq!(split.portion_count(), 2);
}

#[test]
fn p02_shuffled_portions_give_the_same_bytes() {
    let prices = [("a", 333), ("b", 333), ("c", 334), ("d", 17), ("e", 0)];
    let mut reversed = prices;
    reversed.reverse();
    let mut rotated = prices;
    rotated.rotate_left(2);
    let results: BTreeSet<Vec<Vec<u8>>> = [prices, reversed, rotated]
        .iter()
        .map(|prices| {
            let mut bench = Bench::active();
            bench.create(ONE, prices);
            bench
                .propose(ONE, 100, bps(&[(TWO, 0), (ONE, 10_000)]))
                .unwrap();
            bench.propose(ONE, 101, Basis::Price).unwrap();
            bench.payloads()
        })
        .collect();
    assert_eq!(results.len(), 1);

    let added: BTreeSet<String> = [["b", "c"], ["c", "b"]]
        .iter()
        .map(|order| {
            let mut bench = Bench::active();
            bench.create(ONE, &[("a", 1)]);
            for id in order {
                bench.add(TWO, portion(id, 1)).unwrap();
            }
            bench.propose(ONE, 2, Basis::Price).unwrap();
            bench.quote().last_hash().to_owned()
        })
        .collect();
    assert_eq!(added.len(), 1, "the order of adding does not matter either");
}

#[test]
fn p08_fewer_units_than_portions_keep_their_zero_lines() {
    let split = divided([&[("a", 1), ("b", 1)], &[("c", 1)]], 1, &Basis::Price);
    assert_eq!(shares(&split), [("a", 1), ("b", 0), ("c", 0)]);
    let basis = bps(&[(ONE, 10_000)]);
    let split = divided([&[("a", 100)], &[("b", 100)]], 30, &basis);
    assert_eq!(shares(&split), [("a", 30), ("b", 0)]);
    assert_eq!(
        split.proposal.basis,
        bps(&[(ONE, 10_000), (TWO, 0)]),
        "a party that bears nothing is named"
    );

    let mut bench = Bench::active();
    bench.create(ONE, &[("a", 100), ("b", 0)]);
    bench.add(TWO, portion("c", 100)).unwrap();
    bench.propose(ONE, 30, basis).unwrap();
    bench.approve(TWO).unwrap();
    let quote = bench.quote();
    assert_eq!(
        quote.revisions[0].state,
        RevisionState::Approved,
        "zero lines are approved as well"
    );
    assert_eq!(quote.revisions[0].split.portion_count(), 3);
}

#[test]
fn p14_price_before_less_share_is_price_after() {
    let parties: [&[(&str, i64)]; 2] = [&[("a", 1_000), ("b", 333)], &[("c", 0), ("d", 999)]];
    for concession in [1_i64, 7, 998, -1, -500, -2_332] {
        for basis in [Basis::Price, bps(&[(ONE, 5_000), (TWO, 5_000)])] {
            let split = divided(parties, concession, &basis);
            for line in open(&split) {
                assert_eq!(line.price_before - line.share, line.price_after);
            }
            assert_eq!(once(&split).price_before, 2_332);
            assert_eq!(once(&split).price_after, 2_332 - concession);
            let sum: i64 = open(&split).iter().map(|line| line.share).sum();
            assert_eq!(sum, concession);
            let mut wrong = split.clone();
            let Outcome::Open(line) = &mut wrong.cadences[0].lines[0].outcome else {
                panic!("an open line")
            };
            line.price_after += 1;
            assert!(!wrong.adds_up());
        }
    }
}

#[test]
fn p14_a_surcharge_mirrors_its_concession() {
    for basis in [Basis::Price, bps(&[(ONE, 6_667), (TWO, 3_333)])] {
        let prices: [&[(&str, i64)]; 2] = [&[("a", 701), ("b", 299)], &[("c", 1_000)]];
        let concession = divided(prices, 997, &basis);
        let surcharge = divided(prices, -997, &basis);
        for (down, up) in open(&concession).iter().zip(open(&surcharge)) {
            assert_eq!(down.share, -up.share);
        }
    }
}

#[test]
fn p14_the_whole_price_lands_on_zero() {
    let split = divided(
        [&[("a", 1_001), ("b", 3)], &[("c", 7)]],
        1_011,
        &Basis::Price,
    );
    assert_eq!(once(&split).price_after, 0);
    assert!(open(&split).iter().all(|line| line.price_after == 0));
}

#[test]
fn p15_lines_add_up_for_1_to_200_portions() {
    let owners = [ONE, TWO];
    for count in 1..=PORTIONS_MAX {
        let mut bench = Bench::active();
        bench.create(ONE, &[]);
        for number in 0..count {
            let price = i64::try_from(number * 37 % 501 + 500).unwrap();
            bench
                .add(owners[number % 2], portion(&format!("p{number}"), price))
                .unwrap();
        }
        let total: i64 = bench
            .quote()
            .portions
            .iter()
            .map(|portion| portion.price.minor)
            .sum();
        let concession = total / 3 + 1;
        let share = if count == 1 { 10_000 } else { 4_321 };
        let fixed = bps(&[(ONE, share), (TWO, 10_000 - share)]);
        for basis in [Basis::Price, fixed] {
            bench.propose(ONE, concession, basis).unwrap();
        }
        let quote = bench.quote();
        for revision in &quote.revisions {
            let lines = open(&revision.split);
            assert_eq!(lines.len(), count);
            assert_eq!(lines.iter().map(|line| line.share).sum::<i64>(), concession);
        }
        assert_genuine(&bench);
    }
}

#[test]
fn weights_are_checked_as_a_whole() {
    let mut bench = Bench::active();
    bench.create(ONE, &[("a", 1_000)]);
    let cases = [
        (bps(&[]), "none, and no terms"),
        (bps(&[(ONE, 9_999)]), "too little"),
        (bps(&[(ONE, 5_000), (ONE, 5_000)]), "twice the same"),
        (bps(&[(ONE, 10_000), ("party-9", 0)]), "unknown"),
        (bps(&[(ONE, 5_000), (TWO, 5_000)]), "owns no portion"),
        (Basis::FixedBps(vec![bench::share(ONE, 0); 17]), "too many"),
    ];
    for (basis, why) in cases {
        let refusal = refusal_of(bench.propose(ONE, 10, basis));
        assert_eq!(refusal.reason, Reason::WeightsInvalid, "{why}");
        assert!(
            !refusal.violations.is_empty() && refusal.metadata[0].0 == "sum_bps",
            "{why}"
        );
    }
    bench.add(TWO, portion("b", 0)).unwrap();
    let all_of_two = bps(&[(ONE, 0), (TWO, 10_000)]);
    let refusal = refusal_of(bench.propose(ONE, 10, all_of_two));
    assert_eq!(
        refusal.reason,
        Reason::ConcessionShortfall,
        "nothing that could bear it"
    );
    bench
        .propose(ONE, 10, bps(&[(ONE, 5_000), (TWO, 5_000)]))
        .unwrap();
    let quote = bench.quote();
    assert_eq!(shares(&quote.revisions[0].split), [("a", 10), ("b", 0)]);
}

#[test]
fn shares_of_the_terms_stand_in_where_none_are_given() {
    let mut bench = Bench::active();
    bench.terms(&[(TWO, 3_000), (ONE, 7_000)]);
    bench.create(ONE, &[("a", 1_000)]);
    bench.add(TWO, portion("b", 1_000)).unwrap();
    bench.propose(ONE, 100, bps(&[])).unwrap();
    let split = &bench.quote().revisions[0].split;
    assert_eq!(
        split.proposal.basis,
        bps(&[(ONE, 7_000), (TWO, 3_000)]),
        "written out, in order"
    );
    assert_eq!(shares(split), [("a", 70), ("b", 30)]);
}

#[test]
fn nobody_bears_more_than_the_price() {
    let mut bench = Bench::active();
    bench.create(ONE, &[("a", 1_000)]);
    bench.add(TWO, portion("b", 10)).unwrap();
    let refusal = refusal_of(bench.propose(ONE, 1_011, Basis::Price));
    assert_eq!(refusal.reason, Reason::ConcessionTooLarge);
    assert!(
        refusal
            .metadata
            .contains(&("price", "10.10 EUR".to_owned()))
    );
    assert_eq!(
        refusal_of(bench.propose(ONE, -1_011, Basis::Price)).reason,
        Reason::ConcessionTooLarge
    );
    assert_eq!(
        refusal_of(bench.propose(ONE, i64::MIN, Basis::Price)).reason,
        Reason::ConcessionTooLarge
    );
    // What one cannot bear falls to the other.
    bench
        .propose(ONE, 100, bps(&[(ONE, 5_000), (TWO, 5_000)]))
        .unwrap();
    let quote = bench.quote();
    assert_eq!(shares(&quote.revisions[0].split), [("a", 90), ("b", 10)]);
    bench
        .propose(ONE, -100, bps(&[(ONE, 5_000), (TWO, 5_000)]))
        .unwrap();
    assert_eq!(
        refusal_of(bench.propose(ONE, 0, Basis::Price)).reason,
        Reason::InvalidField
    );
}

#[test]
fn amounts_beyond_64_bits_are_refused() {
    let mut bench = Bench::active();
    bench.create(ONE, &[("a", i64::MAX - 1)]);
    assert_eq!(
        refusal_of(bench.add(TWO, portion("b", 2))).reason,
        Reason::OutOfRange
    );
    bench.add(TWO, portion("b", 1)).unwrap();
    bench.propose(ONE, i64::MAX, Basis::Price).unwrap();
    assert_eq!(once(&bench.quote().revisions[0].split).price_after, 0);
    let refusal = refusal_of(bench.propose(ONE, -1, Basis::Price));
    assert_eq!(
        (refusal.reason, refusal.metadata[0].1.as_str()),
        (Reason::OutOfRange, "price_after")
    );
    let mut other = Bench::active();
    let both = [portion("a", i64::MAX), portion("b", 1)];
    assert_eq!(
        refusal_of(other.create_with(ONE, &both)).reason,
        Reason::OutOfRange
    );
}

#[test]
fn currencies_are_never_mixed() {
    let yen = Money::from_minor(Currency::from_code("JPY").unwrap(), 5);
    let mut bench = Bench::active();
    let foreign = NewPortion {
        price: Some(yen),
        ..portion("a", 0)
    };
    let refusal = refusal_of(bench.create_with(ONE, &[portion("b", 1), foreign.clone()]));
    assert_eq!(refusal.reason, Reason::CurrencyMismatch);
    assert_eq!(refusal.violations[0].field, "joint_quote.portions[1].price");
    bench.create(ONE, &[("b", 10)]);
    assert_eq!(
        refusal_of(bench.add(TWO, foreign)).reason,
        Reason::CurrencyMismatch
    );
    let refusal = refusal_of(bench.propose_money(ONE, yen, Basis::Price));
    assert_eq!(refusal.reason, Reason::CurrencyMismatch);
    assert_eq!(
        refusal.metadata,
        [("expected", "EUR".to_owned()), ("actual", "JPY".to_owned())]
    );
    // The same code under another exponent is another currency.
    let coarse = serde_json::from_str(r#"{"code": "EUR", "exponent": 0}"#).unwrap();
    let refusal = refusal_of(bench.propose_money(ONE, Money::from_minor(coarse, 1), Basis::Price));
    assert_eq!(refusal.reason, Reason::CurrencyMismatch);
}

#[test]
fn form_1_of_the_hash_never_changes() {
    let basis = bps(&[(ONE, 7_500), (TWO, 2_500)]);
    let split = divided([&[("cloud", 80_000)], &[("wiring", 20_000)]], 9_999, &basis);
    assert_eq!(
        split.hash,
        "ac42f8996b911256db021eeb0248a85035dd14fd13ab57557f36f741832b2679"
    );
}

#[test]
fn everything_agreed_counts_in_the_hash() {
    let mut bench = Bench::active();
    bench.create(ONE, &[("a", 1_000)]);
    bench.propose(ONE, 10, Basis::Price).unwrap();
    let quote = bench.quote().clone();
    let split = &quote.revisions[0].split;
    let place = bench.place(1, super::split::FIRST_PREVIOUS_HASH);
    let hash = |split: &ConcessionSplit, quote: &super::JointQuote| {
        split.hash_over(place, &quote.portions.iter().collect::<Vec<_>>())
    };
    assert_eq!(hash(split, &quote), split.hash);
    let changes: [fn(&mut ConcessionSplit); 6] = [
        |split| split.number += 1,
        |split| split.proposal.concession = euro(11),
        |split| split.proposal.basis = bps(&[]),
        |split| split.cadences[0].shortfall += 1,
        |split| split.previous_hash.replace_range(..1, "1"),
        |split| split.engine_version += 1,
    ];
    for change in changes {
        let mut other = split.clone();
        change(&mut other);
        assert_ne!(hash(&other, &quote), split.hash, "{other:?}");
        assert!(!other.is_genuine(place, &quote.portions));
    }
    let mut other = quote.clone();
    other.portions[0].internal_cost = Some(bench::commitment("cost"));
    assert_ne!(
        hash(split, &other),
        split.hash,
        "a cost cannot be changed later"
    );
}

#[test]
fn unknown_fields_and_misplaced_events_are_refused() {
    let mut bench = Bench::active();
    bench.create(ONE, &[("a", 1_000)]);
    let quote = bench.quote().clone();
    let mut body = serde_json::to_value(&quote).unwrap();
    body["later"] = 1.into();
    assert!(serde_json::from_value::<super::JointQuote>(body).is_err());
    let recorded = bench.recorded(ONE);
    let (created, none) = (bench.created_event(), super::JointQuote::apply);
    assert!(none(Some(quote.clone()), &created, &recorded).is_none());
    let expired = super::ConcessionExpired {
        number: 1,
        hash: String::new(),
    };
    let expired = JointQuoteEvent::ConcessionExpired(expired);
    assert!(none(None, &expired, &recorded).is_none());
    assert!(none(Some(quote), &expired, &recorded).is_none());
}
