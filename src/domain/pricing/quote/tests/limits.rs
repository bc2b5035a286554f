//! How much fits one quote, and what is refused beyond it.

use super::bench::{Bench, ONE, TWO, bps, portion, refusal_of};
use crate::domain::pricing::quote::{
    ALLOCATION_LINES_MAX, Basis, NewPortion, PORTIONS_MAX, REVISIONS_MAX,
};
use crate::domain::refusal::Reason;

/// What the store takes for one record, in bytes.
const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;

#[test]
fn portions_have_one_owner_one_id_and_a_limit() {
    let mut bench = Bench::active();
    let twice = [portion("a", 1), portion("a", 2)];
    assert_eq!(
        refusal_of(bench.create_with(ONE, &twice)).reason,
        Reason::AlreadyExists
    );
    let many: Vec<NewPortion> = (0..=PORTIONS_MAX)
        .map(|number| portion(&format!("p{number}"), 1))
        .collect();
    assert_eq!(
        refusal_of(bench.create_with(ONE, &many)).reason,
        Reason::LimitReached
    );
    bench.create_with(ONE, &many[1..]).unwrap();
    assert_eq!(
        refusal_of(bench.add(TWO, portion("p1", 1))).reason,
        Reason::AlreadyExists
    );
    assert_eq!(
        refusal_of(bench.add(TWO, portion("x", 1))).reason,
        Reason::LimitReached
    );
    assert_eq!(
        refusal_of(bench.add(TWO, portion("x", -1))).violations[0].field,
        "portion.price"
    );
    assert!(
        bench
            .quote()
            .portions
            .iter()
            .all(|portion| portion.owner.as_str() == ONE)
    );
    assert!(refusal_of(bench.propose(ONE, 201, Basis::Price)).reason == Reason::ConcessionTooLarge);
}

#[test]
fn revisions_and_their_lines_are_limited() {
    let mut bench = Bench::active();
    bench.create(ONE, &[("a", 1_000)]);
    for _ in 0..REVISIONS_MAX {
        bench.propose(ONE, 1, Basis::Price).unwrap();
    }
    let refusal = refusal_of(bench.propose(ONE, 1, Basis::Price));
    assert_eq!(
        refusal.metadata[0],
        ("limit", "revisions_per_quote".to_owned())
    );
}

#[test]
fn the_largest_quote_fits_its_record() {
    let mut bench = Bench::active();
    let name = |number: usize| format!("{number:0>63}");
    let price = i64::MAX / 200;
    let long: Vec<NewPortion> = (0..99)
        .map(|number| portion(&name(number), price))
        .collect();
    bench.create_with(ONE, &long).unwrap();
    for number in 99..199 {
        bench.add(TWO, portion(&name(number), price)).unwrap();
    }
    let basis = bps(&[(ONE, 3_333), (TWO, 6_667)]);
    let lines = 201;
    for _ in 0..ALLOCATION_LINES_MAX / lines {
        bench.propose(ONE, -(price - 1), basis.clone()).unwrap();
    }
    let refusal = refusal_of(bench.propose(ONE, 1, basis));
    assert_eq!(
        refusal.metadata[0],
        ("limit", "allocation_lines_per_quote".to_owned())
    );
    let quote = bench.quote();
    let body = serde_json::to_string(quote).unwrap().len();
    // The lines are at their largest here; fewer lines in more revisions add their own part.
    let mut bare = quote.revisions[0].clone();
    bare.split.cadences[0].lines.clear();
    bare.approvals.push(bare.approvals[0].clone());
    let others = REVISIONS_MAX * serde_json::to_string(&bare).unwrap().len();
    assert!(body + others < BODY_BYTES_MAX, "{body} and {others} bytes");
}
