//! Concessions divided within what the terms say of each party.

use proptest::prelude::*;

use super::bench::{Bench, ONE, TWO, bps, euro, portion, refusal_of};
use super::{assert_genuine, shares};
use crate::domain::identity::PartyId;
use crate::domain::partnership::clauses::{PartyLimit, PricingClauses};
use crate::domain::pricing::division::Rounding;
use crate::domain::pricing::quote::proposal::CustomShare;
use crate::domain::pricing::quote::{Basis, ConcessionSplit, NewConcession, NewPortion};
use crate::domain::refusal::Reason;

fn limit(party: &str, least_bps: Option<u32>, most_bps: Option<u32>) -> PartyLimit {
    PartyLimit {
        party: PartyId::from_text(party),
        least_bps,
        most_bps,
    }
}

fn clauses(party_limits: Vec<PartyLimit>, most_favoured_bps: Option<u32>) -> PricingClauses {
    PricingClauses {
        party_limits,
        most_favoured_bps,
        ..PricingClauses::default()
    }
}

fn kept(minor: i64, basis: Basis) -> NewConcession {
    NewConcession {
        concession: Some(euro(minor)),
        basis,
        keep_limits: true,
        ..NewConcession::default()
    }
}

fn last(bench: &Bench) -> &ConcessionSplit {
    &bench.quote().revisions.last().unwrap().split
}

/// Two parties with 80.00 and 20.00, under these clauses.
fn bench(clauses: PricingClauses) -> Bench {
    let mut bench = Bench::active();
    bench.agree(&[], clauses, Vec::new());
    bench.create(ONE, &[("a", 8_000)]);
    bench.add(TWO, portion("b", 2_000)).unwrap();
    bench
}

#[test]
fn what_one_may_not_bear_goes_to_the_other() {
    let mut bench = bench(clauses(vec![limit(ONE, None, Some(6_000))], None));
    let refusal = refusal_of(bench.propose(ONE, 1_000, Basis::Price));
    assert_eq!(refusal.reason, Reason::ClauseViolated);
    bench.propose_all(ONE, kept(1_000, Basis::Price)).unwrap();
    assert_eq!(shares(last(&bench)), [("a", 600), ("b", 400)]);
    let divisions = last(&bench).divisions(&bench.quote().portions).unwrap();
    let words = divisions[0].1.explain("a", bench.quote().currency).unwrap();
    let expected = "more than the 6.00 that it bears at most by its limits of the whole (round 1)";
    assert!(words.contains(expected), "{words}");
    let fixed = bps(&[(ONE, 9_000), (TWO, 1_000)]);
    bench.propose_all(ONE, kept(1_000, fixed)).unwrap();
    assert_eq!(shares(last(&bench)), [("a", 600), ("b", 400)]);
    // The limits are written out, so other terms later change nothing of what was divided.
    bench.agree(&[], clauses(Vec::new(), None), Vec::new());
    assert_genuine(&bench);
    // A surcharge burdens nobody.
    bench.propose_all(ONE, kept(-1_000, Basis::Price)).unwrap();
    assert_eq!(shares(last(&bench)), [("a", -800), ("b", -200)]);
}

#[test]
fn nobody_gives_more_of_its_prices_than_agreed() {
    let mut bench = bench(clauses(Vec::new(), Some(1_000)));
    let fixed = || bps(&[(ONE, 5_000), (TWO, 5_000)]);
    assert!(bench.propose(ONE, 900, fixed()).is_err());
    bench.propose_all(ONE, kept(900, fixed())).unwrap();
    assert_eq!(shares(last(&bench)), [("a", 700), ("b", 200)]);
    let divisions = last(&bench).divisions(&bench.quote().portions).unwrap();
    let words = divisions[0].1.explain("b", bench.quote().currency).unwrap();
    let expected = "the 2.00 that it bears at most by the limit of its prices (round 1)";
    assert!(words.contains(expected), "{words}");
    let refusal = refusal_of(bench.propose_all(ONE, kept(1_001, fixed())));
    assert_eq!(refusal.reason, Reason::ConcessionShortfall);
}

#[test]
fn a_least_part_is_borne_or_refused_by_its_clause() {
    let mut bench = bench(clauses(vec![limit(TWO, Some(5_000), None)], None));
    bench.propose_all(ONE, kept(1_000, Basis::Price)).unwrap();
    assert_eq!(shares(last(&bench)), [("a", 500), ("b", 500)]);
    // Half of 50.00 is more than all that the other one sells.
    let refusal = refusal_of(bench.propose_all(ONE, kept(5_000, Basis::Price)));
    assert_eq!(refusal.reason, Reason::ClauseViolated);
    let field = "terms.pricing_clauses.party_limits[party-2].least_bps";
    assert_eq!(refusal.violations[0].field, field);
    let stated = Basis::Custom(vec![CustomShare {
        portion_id: "a".to_owned(),
        amount: euro(100),
    }]);
    let refusal = refusal_of(bench.propose_all(ONE, kept(100, stated)));
    assert_eq!(refusal.violations[0].field, "keep_limits");
}

proptest! {
    /// Whatever is divided within the limits breaks none of them, since the same proposal is held against
    /// them as ever: it is never refused for a clause but one that a party cannot bear, and it is refused
    /// for a shortfall only where all together may not bear it.
    #[test]
    fn what_is_divided_within_limits_breaks_none(
        prices in prop::collection::vec((1_i64..50_000, any::<bool>()), 2..8),
        part in 1_i64..=10_000,
        least in 0_u32..=4_000,
        most in 4_000_u32..=10_000,
        favoured in prop::option::of(0_u32..=10_000),
        by_bps in prop::option::of(0_u32..=10_000),
        ratchet in any::<bool>(),
    ) {
        let mut bench = Bench::active();
        let limits = vec![limit(ONE, Some(least), Some(most)), limit(TWO, None, Some(most))];
        bench.agree(&[], clauses(limits, favoured), Vec::new());
        let portions = prices.iter().enumerate();
        let named = portions.map(|(index, (price, is_ones))| {
            (portion(&format!("p{index}"), *price), *is_ones || index == 0)
        });
        let (ones, twos): (Vec<_>, Vec<_>) = named.partition(|(_, is_ones)| *is_ones);
        let ones: Vec<NewPortion> = ones.into_iter().map(|(portion, _)| portion).collect();
        prop_assume!(!twos.is_empty());
        bench.create_with(ONE, &ones).unwrap();
        for (portion, _) in twos {
            bench.add(TWO, portion).unwrap();
        }
        let total: i64 = prices.iter().map(|(price, _)| price).sum();
        let conceded = (total * part / 10_000).max(1);
        let basis = by_bps.map_or(Basis::Price, |first| bps(&[(ONE, first), (TWO, 10_000 - first)]));
        let asked = NewConcession {
            rounding: if ratchet { Rounding::Ratchet } else { Rounding::LargestRemainder },
            ..kept(conceded, basis)
        };
        match bench.propose_all(ONE, asked) {
            Ok(_) => {
                let sum: i64 = shares(last(&bench)).iter().map(|(_, share)| share).sum();
                prop_assert_eq!(sum, conceded);
                assert_genuine(&bench);
            }
            Err(stop) => {
                let refusal = refusal_of::<()>(Err(stop));
                let only_least = refusal.violations.iter().all(|it| it.field.ends_with("least_bps"));
                prop_assert!(
                    refusal.reason == Reason::ConcessionShortfall
                        || (refusal.reason == Reason::ClauseViolated && only_least),
                    "{:?}", refusal
                );
            }
        }
    }
}
