//! An attacker tries every cost with the division itself and comes no nearer than a subject is told.

use std::ops::RangeInclusive;

use proptest::prelude::*;

use super::bench::{Bench, ONE, TWO, euro};
use crate::domain::commitment::{Commitment, Opening, Readers, SALT_BYTES};
use crate::domain::identity::{PartyId, ScopeId};
use crate::domain::partnership::clauses::{PartyLimit, PricingClauses};
use crate::domain::pricing::division::{CostBand, Rounding};
use crate::domain::pricing::quote::blind::{Costs, openly};
use crate::domain::pricing::quote::inference::{Bound, Observer, bounds, coarse};
use crate::domain::pricing::quote::kept::KeptLimits;
use crate::domain::pricing::quote::proposal::{Proposal, ShortfallPolicy};
use crate::domain::pricing::quote::split::RevisionPlace;
use crate::domain::pricing::quote::{
    Basis, Cadence, ConcessionSplit, JointQuote, Line, Portion, QuoteState,
};
use crate::domain::time::Timestamp;

/// What nobody looks at here: that there is one.
fn stated() -> Commitment {
    let nobody = Readers::Parties(Vec::new());
    Opening::seal("portion.internal_cost", "EUR 1", [1; SALT_BYTES], nobody).commitment
}

/// The portion of a party, by number.
fn portion(party: usize, price: i64, floor: Option<i64>) -> Portion {
    Portion {
        id: format!("p{party}"),
        owner: PartyId::numbered(party),
        description: None,
        quantity: 1,
        unit_price: None,
        price: euro(price),
        recurrence: None,
        floor_price: floor.map(euro),
        minimum_margin_bps: None,
        pass_through: None,
        markup_on: None,
        stake: None,
        internal_cost: Some(stated()),
        cost_exchange: None,
        cost_band: None,
    }
}

/// A quote, what is proposed for it, and what the portions cost.
struct Setting {
    quote: JointQuote,
    proposal: Proposal,
    costs: Costs,
    bench: Bench,
}

impl Setting {
    /// One portion for each party with this price, cost and floor.
    fn new(amount: i64, basis: Basis, parties: &[(i64, u64, Option<i64>)]) -> Self {
        let numbered = || (1..).zip(parties);
        let portions = numbered().map(|(party, (price, _, floor))| portion(party, *price, *floor));
        let costs = numbered().map(|(party, (_, cost, _))| (format!("p{party}"), *cost));
        Self {
            quote: JointQuote {
                display_name: "Both".to_owned(),
                client: None,
                currency: euro(0).currency,
                expires_at: Timestamp::EARLIEST,
                state: QuoteState::Open,
                portions: portions.collect(),
                vendor_funds: Vec::new(),
                revisions: Vec::new(),
                disclosure_consents: Vec::new(),
                evaluations: Vec::new(),
                sale: crate::domain::pricing::quote::sale::Sale::default(),
            },
            proposal: Proposal {
                concession: euro(amount),
                recurring: Vec::new(),
                basis,
                rounding: Rounding::LargestRemainder,
                shortfall_policy: ShortfallPolicy::Reject,
                negotiation_round: None,
                vendor_money: Vec::new(),
                terms_revision: None,
                limits: None,
                owed: None,
            },
            costs: costs.collect(),
            bench: Bench::active(),
        }
    }

    fn divided(&self, costs: &Costs) -> Option<ConcessionSplit> {
        let scope = ScopeId::partnership("p");
        let place = RevisionPlace {
            scope: &scope,
            quote: "q",
            number: 1,
            previous_hash: "",
        };
        openly(place, &self.quote, self.proposal.clone(), costs).ok()
    }

    /// What the first party is told.
    fn told(&self, observers: &[Observer]) -> Vec<Bound> {
        let split = self.divided(&self.costs).unwrap();
        let subject = PartyId::numbered(1);
        let costs = Some(&self.costs);
        let told = (&subject, observers);
        bounds(&split, &self.quote, &self.bench.partnership, costs, told)
    }

    /// How near the first party is told that somebody comes.
    fn within(&self, observer: Observer) -> Option<u64> {
        let told = self.told(&[observer]);
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].cadence, Cadence::OneTime);
        told[0].within
    }

    /// Half of the width of all costs of the first party that leave what is seen as it is.
    fn attacked(&self, observer: &Observer, thinkable: RangeInclusive<u64>) -> u64 {
        let first = PartyId::numbered(1);
        let lines = |costs: &Costs| -> Option<Vec<Line>> {
            let split = self.divided(costs)?;
            let lines = split.cadences.into_iter().flat_map(|it| it.lines);
            let is_seen = |line: &Line| match observer {
                Observer::Party(party) => line.owner == *party,
                Observer::AllOthers => line.owner != first,
            };
            Some(lines.filter(is_seen).collect())
        };
        let seen = lines(&self.costs).unwrap();
        let mut costs = self.costs.clone();
        let fitting = thinkable.filter(|cost| {
            costs.insert("p1".to_owned(), *cost);
            lines(&costs).is_some_and(|found| found == seen)
        });
        let fitting: Vec<u64> = fitting.collect();
        assert!(fitting.contains(&self.costs["p1"]));
        (fitting.last().unwrap() - fitting[0]).div_ceil(2)
    }
}

fn second() -> Observer {
    Observer::Party(PartyId::numbered(2))
}

#[test]
fn widths_are_coarse_and_never_more() {
    for (width, expected) in [
        (0, 0),
        (1, 1),
        (4, 2),
        (5, 5),
        (17, 10),
        (50, 50),
        (99, 50),
        (u64::MAX, 10_000_000_000_000_000_000),
    ] {
        assert_eq!(coarse(width), expected);
    }
}

#[test]
fn forty_and_sixty_thousand() {
    // 5,000.00 by 40,000.00 and 60,000.00: the second one sees that it bears 3,000.00.
    let parties = [(5_000_000, 4_000_000, None), (7_000_000, 6_000_000, None)];
    let setting = Setting::new(500_000, Basis::Cost, &parties);
    assert_eq!(setting.attacked(&second(), 3_999_900..=4_000_100), 16);
    assert_eq!(setting.within(second()), Some(10));
    // What both earn is less, so it is known better.
    let setting = Setting::new(500_000, Basis::Margin, &parties);
    assert_eq!(setting.attacked(&second(), 3_999_900..=4_000_100), 4);
    assert_eq!(setting.within(second()), Some(2));
}

#[test]
fn a_limit_hides_all_that_lies_beyond_it() {
    // The subject bears its 50 and no more, whatever it costs from half of the other's on.
    let parties = [(1_000, 600, Some(950)), (1_000, 100, None)];
    let setting = Setting::new(100, Basis::Cost, &parties);
    let attacked = setting.attacked(&second(), 0..=1_000);
    assert_eq!(attacked, 451);
    assert_eq!(setting.within(second()), Some(200));
    // A band that all see leaves less.
    let mut banded = Setting::new(100, Basis::Cost, &parties);
    let band = CostBand::of(600);
    banded.quote.portions[0].cost_band = Some(band);
    let all = band.from..=band.to - 1;
    let half = (band.to - 1 - band.from).div_ceil(2);
    assert_eq!(banded.attacked(&second(), all), half);
    assert_eq!(banded.within(second()), Some(20));
}

#[test]
fn a_clause_that_was_kept_hides_too() {
    let parties = [(10_000, 5_000, None), (10_000, 4_000, None)];
    let mut setting = Setting::new(1_000, Basis::Cost, &parties);
    let limit = |party: &str, most_bps| PartyLimit {
        party: PartyId::from_text(party),
        least_bps: None,
        most_bps,
    };
    let clauses = |limit| PricingClauses {
        party_limits: vec![limit],
        ..PricingClauses::default()
    };
    let free = setting.within(second()).unwrap();
    setting
        .bench
        .agree(&[], clauses(limit(TWO, Some(5_000))), Vec::new());
    // The terms that it was proposed under are others now.
    assert_eq!(setting.within(second()), None);
    setting.proposal.terms_revision = Some(1);
    assert_eq!(setting.within(second()), Some(free));
    let kept = clauses(limit(ONE, Some(3_000)));
    setting.proposal.limits = Some(KeptLimits {
        party_limits: kept.party_limits.clone(),
        most_favoured_bps: None,
    });
    setting.bench.agree(&[], kept, Vec::new());
    let attacked = setting.attacked(&second(), 0..=10_000);
    let within = setting.within(second()).unwrap();
    assert!(within <= attacked && within > free, "{within} {attacked}");
}

#[test]
fn what_cannot_be_said_is_said() {
    let parties = [(1_000, 600, None), (1_000, 100, None)];
    let setting = Setting::new(100, Basis::Cost, &parties);
    let split = setting.divided(&setting.costs).unwrap();
    let subject = PartyId::numbered(1);
    let told = (&subject, &[second()][..]);
    let partnership = &setting.bench.partnership;
    // Without the costs.
    let found = bounds(&split, &setting.quote, partnership, None, told);
    assert_eq!((found.len(), found[0].within), (1, None));
    // A floor that follows from a cost is found by asking often enough.
    let mut floored = Setting::new(100, Basis::Price, &parties);
    floored.quote.portions[0].minimum_margin_bps = Some(1_000);
    assert_eq!(floored.within(second()), None);
    // By prices alone nothing is told.
    let open = Setting::new(100, Basis::Price, &parties);
    assert!(open.told(&[second()]).is_empty());
}

#[test]
fn together_the_others_come_nearer_than_each() {
    let parties = [
        (500_000, 400_000, None),
        (500_000, 300_000, None),
        (500_000, 200_000, None),
    ];
    let setting = Setting::new(90_000, Basis::Cost, &parties);
    let together = setting.attacked(&Observer::AllOthers, 399_900..=400_100);
    assert!(together <= setting.attacked(&second(), 399_900..=400_100));
    assert_eq!(
        (together, setting.within(Observer::AllOthers)),
        (11, Some(10))
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever limits are met and however it is rounded: whoever tries every cost, alone or together with
    /// all others, finds no less than the subject was told.
    #[test]
    fn nobody_comes_nearer_than_the_subject_was_told(
        parties in prop::collection::vec((50_i64..200, 0_u64..200, prop::option::of(0_i64..100)), 2..5),
        part in 1_i64..=100,
        is_margin in any::<bool>(),
        ratchet in any::<bool>(),
        most in prop::option::of(1_000_u32..10_000),
    ) {
        let total: i64 = parties.iter().map(|(price, _, _)| price).sum();
        let basis = if is_margin { Basis::Margin } else { Basis::Cost };
        let floored = parties.iter().map(|(price, cost, floor)| (*price, *cost, floor.map(|floor| price * floor / 100)));
        let floored: Vec<_> = floored.collect();
        let mut setting = Setting::new(total * part / 200 + 1, basis, &floored);
        if ratchet {
            setting.proposal.rounding = Rounding::Ratchet;
        }
        setting.proposal.limits = most.map(|most| KeptLimits {
            party_limits: vec![PartyLimit { party: PartyId::numbered(2), least_bps: None, most_bps: Some(most) }],
            most_favoured_bps: None,
        });
        prop_assume!(setting.divided(&setting.costs).is_some());
        let price = u64::try_from(parties[0].0).unwrap();
        let thinkable = 0..=price.max(parties[0].1);
        for observer in [second(), Observer::AllOthers] {
            let within = setting.within(observer.clone()).unwrap();
            let attacked = setting.attacked(&observer, thinkable.clone());
            prop_assert!(within <= attacked, "{within} {attacked}");
            // Between two, what is told is no less than is there but for making it coarse.
            if parties.len() == 2 {
                prop_assert!(attacked <= within * 5 / 2 + 3, "{within} {attacked}");
            }
        }
    }
}
