//! By which rules a concession is divided: bases, floors, policies, cadences.

use super::bench::{Bench, ONE, TWO, euro, portion, refusal_of};
use super::{assert_genuine, open, shares};
use crate::domain::partnership::Role;
use crate::domain::pricing::division::Rounding;
use crate::domain::pricing::money::{Currency, Money};
use crate::domain::pricing::quote::portion::{Period, Recurrence};
use crate::domain::pricing::quote::proposal::{
    CustomShare, RecurringConcession, ShortfallChoice, ShortfallPolicy,
};
use crate::domain::pricing::quote::{Basis, Cadence, ConcessionSplit, NewConcession, NewPortion};
use crate::domain::refusal::{Reason, Refusal};

fn floored(id: &str, price: i64, floor: i64) -> NewPortion {
    NewPortion {
        floor_price: Some(euro(floor)),
        ..portion(id, price)
    }
}

fn recurring(id: &str, price: i64, period: Period, periods: u16) -> NewPortion {
    NewPortion {
        recurrence: Some(Recurrence { period, periods }),
        ..portion(id, price)
    }
}

fn stated(shares: &[(&str, i64)]) -> Basis {
    let share = |(id, minor): &(&str, i64)| CustomShare {
        portion_id: (*id).to_owned(),
        amount: euro(*minor),
    };
    Basis::Custom(shares.iter().map(share).collect())
}

fn conceding(minor: i64, basis: Basis, shortfall_policy: ShortfallChoice) -> NewConcession {
    NewConcession {
        concession: Some(euro(minor)),
        basis,
        shortfall_policy,
        ..NewConcession::default()
    }
}

fn last(bench: &Bench) -> &ConcessionSplit {
    &bench.quote().revisions.last().unwrap().split
}

fn fields(refusal: &Refusal) -> Vec<&str> {
    let violations = refusal.violations.iter();
    violations.map(|it| it.field.as_str()).collect()
}

/// 100.00 EUR of one party down to 90.00, 100.00 EUR of the other down to nothing.
fn with_floor() -> Bench {
    let mut bench = Bench::active();
    bench
        .create_with(ONE, &[floored("a", 10_000, 9_000)])
        .unwrap();
    bench.add(TWO, portion("b", 10_000)).unwrap();
    bench
}

#[test]
fn p16_the_whole_room_lands_exactly_on_the_floor() {
    let mut bench = with_floor();
    bench.propose(ONE, 11_000, Basis::Price).unwrap();
    let lines = open(last(&bench));
    assert_eq!((lines[0].price_after, lines[1].price_after), (9_000, 0));
    assert!(
        lines
            .iter()
            .all(|line| line.is_at_floor && line.beyond_floor == 0)
    );
    assert!(!last(&bench).undercuts_a_floor());
    bench.propose(ONE, 3_000, Basis::Price).unwrap();
    assert_eq!(shares(last(&bench)), [("a", 1_000), ("b", 2_000)]);
    assert_genuine(&bench);
}

#[test]
fn a_shortfall_is_rejected_absorbed_or_consented_to() {
    let mut bench = with_floor();
    let refusal = refusal_of(bench.propose(ONE, 11_500, Basis::Price));
    assert_eq!(refusal.reason, Reason::ConcessionShortfall);
    let expected = [("shortfall", "5.00 EUR"), ("cadence", "one_time")];
    assert_eq!(
        refusal.metadata,
        expected.map(|(key, value)| (key, value.to_owned()))
    );
    let absorbing = conceding(11_500, Basis::Price, ShortfallChoice::PrimeAbsorbs);
    let refusal = refusal_of(bench.propose_all(ONE, absorbing.clone()));
    assert_eq!(
        fields(&refusal),
        ["shortfall_policy"],
        "nobody is the prime"
    );
    bench.partnership.parties[0].role = Role::Prime;
    bench.put_partnership();
    bench.propose_all(TWO, absorbing).unwrap();
    let split = last(&bench);
    assert_eq!(shares(split), [("a", 1_500), ("b", 10_000)]);
    assert_eq!(open(split)[0].beyond_floor, 500);
    assert!(split.undercuts_a_floor());
    let policy = &split.proposal.shortfall_policy;
    assert!(matches!(policy, ShortfallPolicy::PrimeAbsorbs(prime) if prime.as_str() == ONE));

    let below = ShortfallChoice::BelowFloorWithConsent;
    bench
        .propose_all(TWO, conceding(11_500, Basis::Price, below))
        .unwrap();
    let split = last(&bench);
    assert_eq!(shares(split), [("a", 1_500), ("b", 10_000)]);
    assert_eq!(
        split.proposal.shortfall_policy,
        ShortfallPolicy::BelowFloorWithConsent
    );
    assert_genuine(&bench);
}

#[test]
fn p11_stated_shares_are_exactly_the_total() {
    let mut bench = with_floor();
    let refusal = refusal_of(bench.propose(ONE, 1_000, stated(&[("a", 400), ("b", 599)])));
    assert_eq!(refusal.reason, Reason::WeightsInvalid);
    assert_eq!(fields(&refusal), ["custom_shares"]);
    let expected = [
        ("sum", "9.99 EUR"),
        ("total", "10.00 EUR"),
        ("difference", "-0.01 EUR"),
        ("cadence", "one_time"),
    ];
    assert_eq!(
        refusal.metadata,
        expected.map(|(key, value)| (key, value.to_owned()))
    );
    bench
        .propose(ONE, 1_000, stated(&[("b", 600), ("a", 400)]))
        .unwrap();
    assert_eq!(shares(last(&bench)), [("a", 400), ("b", 600)]);
    assert_eq!(
        last(&bench).proposal.basis,
        stated(&[("a", 400), ("b", 600)])
    );
    let below_floor = refusal_of(bench.propose(ONE, 1_100, stated(&[("a", 1_100)])));
    assert_eq!(below_floor.reason, Reason::ConcessionShortfall);
    let yen = Money::from_minor(Currency::from_code("JPY").unwrap(), 5);
    let wrong = Basis::Custom(vec![
        CustomShare {
            portion_id: "c".to_owned(),
            amount: euro(1),
        },
        CustomShare {
            portion_id: "a".to_owned(),
            amount: yen,
        },
        CustomShare {
            portion_id: "a".to_owned(),
            amount: euro(1),
        },
    ]);
    let refusal = refusal_of(bench.propose(ONE, 2, wrong));
    let expected = [
        "custom_shares[0].portion_id",
        "custom_shares[1].amount",
        "custom_shares[2].portion_id",
    ];
    assert_eq!(fields(&refusal), expected);
    assert_eq!(
        refusal_of(bench.propose(ONE, 1, Basis::Custom(Vec::new()))).reason,
        Reason::WeightsInvalid
    );
    assert_genuine(&bench);
}

#[test]
fn what_recurs_is_divided_apart() {
    let mut bench = Bench::active();
    let own = [
        portion("setup", 1_000),
        recurring("care", 300, Period::Month, 36),
    ];
    bench.create_with(ONE, &own).unwrap();
    bench
        .add(TWO, recurring("line", 100, Period::Month, 24))
        .unwrap();
    bench
        .add(TWO, recurring("audit", 500, Period::Year, 3))
        .unwrap();
    let monthly = |minor| RecurringConcession {
        period: Period::Month,
        amount: euro(minor),
    };
    let both = NewConcession {
        concession: Some(euro(100)),
        recurring: vec![monthly(7)],
        ..NewConcession::default()
    };
    bench.propose_all(ONE, both.clone()).unwrap();
    let split = last(&bench);
    let cadences: Vec<_> = split
        .cadences
        .iter()
        .map(|found| (found.cadence, found.concession, found.price_after))
        .collect();
    let expected = [
        (Cadence::OneTime, 100, 900),
        (Cadence::Monthly, 7, 393),
        (Cadence::Yearly, 0, 500),
    ];
    assert_eq!(cadences, expected);
    let expected = [("setup", 100), ("care", 5), ("line", 2), ("audit", 0)];
    assert_eq!(shares(split), expected);
    assert_genuine(&bench);

    let wrong = NewConcession {
        recurring: vec![
            monthly(401),
            RecurringConcession {
                period: Period::Quarter,
                amount: euro(1),
            },
            monthly(1),
        ],
        ..both
    };
    let refusal = refusal_of(bench.propose_all(ONE, wrong));
    let expected = [
        "recurring_concessions[0].amount",
        "recurring_concessions[1].amount",
        "recurring_concessions[2].period",
    ];
    assert_eq!(fields(&refusal), expected);
}

#[test]
fn by_the_ratchet_nobodys_share_falls() {
    let mut bench = Bench::active();
    bench.create(ONE, &[("a", 600), ("b", 600)]);
    bench.add(TWO, portion("c", 200)).unwrap();
    let mut before = vec![0; 3];
    for minor in 1..40 {
        let ratchet = NewConcession {
            concession: Some(euro(minor)),
            rounding: Rounding::Ratchet,
            ..NewConcession::default()
        };
        bench.propose_all(ONE, ratchet).unwrap();
        let after: Vec<i64> = open(last(&bench)).iter().map(|line| line.share).collect();
        let pairs = before.iter().zip(&after);
        assert!(
            pairs.clone().all(|(before, after)| before <= after),
            "{minor}"
        );
        before = after;
    }
    assert_genuine(&bench);
}
