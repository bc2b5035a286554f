//! Fractions carried from one approved concession to the next.

use super::bench::{Bench, ONE, TWO, bps, euro, portion, refusal_of};
use super::{assert_genuine, shares};
use crate::domain::partnership::clauses::PricingClauses;
use crate::domain::pricing::quote::{Basis, NewPortion, RevisionState};
use crate::domain::refusal::Reason;

/// Billionths of a cent.
const CENT: i64 = 1_000_000_000;

fn carrying() -> Bench {
    let mut bench = Bench::active();
    let clauses = PricingClauses {
        carry_fractions: true,
        ..PricingClauses::default()
    };
    bench.agree(&[], clauses, Vec::new());
    bench.create(ONE, &[("a", 10_000)]);
    bench.add(TWO, portion("b", 10_000)).unwrap();
    bench
}

fn quarters() -> Basis {
    bps(&[(ONE, 7_500), (TWO, 2_500)])
}

#[test]
fn p07_small_amounts_do_not_always_fall_on_the_same() {
    let mut bench = carrying();
    bench.propose(ONE, 3, quarters()).unwrap();
    let first = &bench.quote().revisions[0];
    assert_eq!(shares(&first.split), [("a", 2), ("b", 1)]);
    assert_eq!(bench.owed(ONE), 0, "nothing is carried before all approved");
    bench.approve(TWO).unwrap();
    assert_eq!((bench.owed(ONE), bench.owed(TWO)), (CENT / 4, -CENT / 4));
    // A later quote begins with what the first one left; here a second world with its state.
    let carried = &bench.quote().revisions[0].split.cadences[0].carried;
    let after: Vec<_> = carried
        .iter()
        .map(|found| (found.before, found.after))
        .collect();
    assert_eq!(after, [(0, CENT / 4), (0, -CENT / 4)]);
    // The same concession anew takes the first one's place, so it is divided as that was.
    bench.propose(TWO, 3, quarters()).unwrap();
    bench.approve(ONE).unwrap();
    assert_eq!((bench.owed(ONE), bench.owed(TWO)), (CENT / 4, -CENT / 4));
    bench.propose(ONE, 0, quarters()).unwrap();
    bench.approve(TWO).unwrap();
    assert_eq!((bench.owed(ONE), bench.owed(TWO)), (0, 0), "taken back");
    assert_genuine(&bench);
}

#[test]
fn where_it_cannot_be_carried_it_is_not() {
    let mut bench = carrying();
    let floored = NewPortion {
        floor_price: Some(euro(1)),
        ..portion("c", 10_000)
    };
    bench.add(TWO, floored).unwrap();
    bench.propose(ONE, 7, Basis::Price).unwrap();
    bench.approve(TWO).unwrap();
    let split = &bench.quote().revisions[0].split;
    assert!(split.proposal.owed.is_none() && split.cadences[0].carried.is_empty());
    assert_eq!(bench.quote().revisions[0].state, RevisionState::Approved);
    assert_genuine(&bench);
}

#[test]
fn a_proposal_on_other_fractions_is_stale() {
    let mut bench = carrying();
    bench.propose(ONE, 3, quarters()).unwrap();
    bench.owe(&[(ONE, 5), (TWO, -5)]);
    let refusal = refusal_of(bench.approve(TWO));
    assert_eq!(refusal.reason, Reason::StaleFractions);
    assert_eq!(refusal.metadata, [("currency", "EUR".to_owned())]);
    bench.propose(ONE, 3, quarters()).unwrap();
    bench.approve(TWO).unwrap();
    assert_eq!(
        (bench.owed(ONE), bench.owed(TWO)),
        (CENT / 4 + 5, -CENT / 4 - 5)
    );
    assert_genuine(&bench);
}
