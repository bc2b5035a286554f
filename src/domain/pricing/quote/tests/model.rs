//! Random commands never break what must always hold.

use proptest::prelude::*;

use super::agreed::consent;
use super::assert_genuine;
use super::bench::{Bench, ONE, TWO, bps, conceding, euro, portion};
use crate::domain::aggregate::Aggregate;
use crate::domain::identity::PartyId;
use crate::domain::partnership::clauses::PricingClauses;
use crate::domain::pricing::division::Rounding;
use crate::domain::pricing::quote::portion::{PassThrough, Period, Recurrence};
use crate::domain::pricing::quote::proposal::{
    CustomShare, RecurringConcession, ShortfallChoice, ShortfallPolicy,
};
use crate::domain::pricing::quote::{
    Basis, ConcessionRevision, JointQuote, NewConcession, NewPortion, Portion, QuoteChanges,
    RevisionState,
};
use crate::domain::time::Span;
use crate::domain::world::Stop;

/// Something that may happen.
#[derive(Clone, Debug)]
enum Step {
    Add {
        by: bool,
        /// Whose it is said to be; the sender's if nothing is said.
        of: Option<bool>,
        id: u8,
        price: i64,
        /// What else is said of it, each bit something.
        said: u8,
    },
    Propose {
        by: bool,
        minor: i64,
        share: Option<u32>,
        /// By which rules, each bit one.
        rules: u8,
    },
    Rename {
        by: bool,
    },
    /// The revision is counted back from the latest.
    Approve {
        by: bool,
        back: usize,
    },
    Reject {
        by: bool,
        back: usize,
    },
    Withdraw {
        by: bool,
        back: usize,
    },
    Wait {
        hours: i64,
    },
    Tick,
    Join,
}

fn step() -> impl Strategy<Value = Step> {
    let back = 0..2_usize;
    prop_oneof![
        3 => (any::<bool>(), any::<Option<bool>>(), 0..8_u8, 0..500_i64, 0..8_u8)
            .prop_map(|(by, of, id, price, said)| Step::Add { by, of, id, price, said }),
        4 => (any::<bool>(), -600..900_i64, proptest::option::of(0..=10_000_u32), any::<u8>())
            .prop_map(|(by, minor, share, rules)| Step::Propose { by, minor, share, rules }),
        1 => any::<bool>().prop_map(|by| Step::Rename { by }),
        4 => (any::<bool>(), back.clone()).prop_map(|(by, back)| Step::Approve { by, back }),
        1 => (any::<bool>(), back.clone()).prop_map(|(by, back)| Step::Reject { by, back }),
        1 => (any::<bool>(), back).prop_map(|(by, back)| Step::Withdraw { by, back }),
        2 => (1..200_i64).prop_map(|hours| Step::Wait { hours }),
        1 => Just(Step::Tick),
        1 => Just(Step::Join),
    ]
}

fn is_joined(bench: &Bench, first: bool) -> bool {
    let party = &bench.partnership.parties[usize::from(!first)];
    party.firm.is_some()
}

/// Does `step`; says whether it was accepted and touched the portions.
fn act(bench: &mut Bench, step: &Step) -> bool {
    let firm = |by: bool| if by { ONE } else { TWO };
    let hash = |bench: &Bench, back: usize| {
        let found = bench.quote().revisions.iter().rev().nth(back);
        found.map_or_else(|| "?".to_owned(), |revision| revision.split.hash.clone())
    };
    let done = match *step {
        Step::Add {
            by,
            of,
            id,
            price,
            said,
        } => {
            let new = NewPortion {
                owner: of.map(|of| PartyId::from_text(firm(of))),
                ..said_more(portion(&format!("p{id}"), price), said)
            };
            let speaks_for_another_firm = of.is_some_and(|of| of != by) && is_joined(bench, !by);
            let is_added = bench.add(firm(by), new).is_ok();
            assert!(!(is_added && speaks_for_another_firm));
            return is_added;
        }
        Step::Propose {
            by,
            minor,
            share,
            rules,
        } => {
            let asked = asked(minor, share, rules);
            bench.propose_all(firm(by), asked)
        }
        Step::Rename { by } => {
            let before = bench.quote().revisions.clone();
            let changes = QuoteChanges {
                display_name: Some(format!("By {}", firm(by))),
                ..QuoteChanges::default()
            };
            let renamed = bench.update(firm(by), changes);
            let expires = renamed.as_ref().is_ok_and(|done| done.events.len() > 1);
            assert!(
                expires || bench.quote().revisions == before,
                "no money moves"
            );
            renamed
        }
        Step::Approve { by, back } => {
            let hash = hash(bench, back);
            bench.approve_hash(firm(by), &hash)
        }
        Step::Reject { by, back } => {
            let hash = hash(bench, back);
            bench.reject(firm(by), &hash)
        }
        Step::Withdraw { by, back } => {
            let hash = hash(bench, back);
            bench.withdraw(firm(by), &hash)
        }
        Step::Wait { hours } => {
            bench.now = bench.now.saturating_add(Span::from_hours(hours));
            return false;
        }
        Step::Tick => Ok(bench.tick()),
        Step::Join => {
            bench.join();
            return false;
        }
    };
    assert!(!matches!(done, Err(Stop::Missing(_))));
    false
}

/// A portion with more said of it: a floor, a period, that it is passed through at cost.
fn said_more(portion: NewPortion, said: u8) -> NewPortion {
    let half = portion.price.map(|price| euro(price.minor / 2));
    let recurrence = Recurrence {
        period: Period::Month,
        periods: 12,
    };
    NewPortion {
        floor_price: half.filter(|_| said & 1 > 0),
        recurrence: (said & 0b110 == 0b010).then_some(recurrence),
        pass_through: (said & 0b110 == 0b100).then_some(PassThrough::AtCost),
        ..portion
    }
}

fn asked(minor: i64, share: Option<u32>, rules: u8) -> NewConcession {
    let fixed = |share| bps(&[(ONE, share), (TWO, 10_000 - share)]);
    let custom = CustomShare {
        portion_id: "a".to_owned(),
        amount: euro(minor),
    };
    let monthly = RecurringConcession {
        period: Period::Month,
        amount: euro(minor / 3),
    };
    NewConcession {
        recurring: if rules & 0b1_1000 == 0b1_1000 {
            vec![monthly]
        } else {
            Vec::new()
        },
        rounding: if rules & 1 > 0 {
            Rounding::Ratchet
        } else {
            Rounding::LargestRemainder
        },
        shortfall_policy: if rules & 2 > 0 {
            ShortfallChoice::BelowFloorWithConsent
        } else {
            ShortfallChoice::Reject
        },
        ..conceding(
            euro(minor),
            match share {
                _ if rules & 0b10_0100 == 0b10_0100 => Basis::Custom(vec![custom]),
                Some(share) => fixed(share),
                None => Basis::Price,
            },
        )
    }
}

/// What a revision says agrees with what it asks for.
fn check_split(quote: &JointQuote, revision: &ConcessionRevision) {
    let split = &revision.split;
    let allowed = split.proposal.shortfall_policy == ShortfallPolicy::BelowFloorWithConsent;
    assert!(allowed || !split.undercuts_a_floor(), "floors hold");
    assert!(!split.undercuts_a_floor() || revision.agreed_beforehand.is_empty());
    for line in split.lines() {
        let numbers = line.open().expect("an open line");
        assert!(numbers.price_after >= 0);
        let portion = quote.portions.iter().find(|it| it.id == line.portion_id);
        let is_at_cost = portion.is_some_and(Portion::is_at_cost);
        assert!(!is_at_cost || numbers.share == 0, "nothing falls on it");
    }
    for cadence in &split.cadences {
        assert_eq!(cadence.concession, split.proposal.on(cadence.cadence));
    }
}

fn check(bench: &Bench) {
    let quote = bench.quote();
    let open: Vec<_> = quote
        .revisions
        .iter()
        .filter(|known| known.state.is_open())
        .collect();
    assert!(open.len() <= 1, "at most one waits");
    let approved = quote
        .revisions
        .iter()
        .filter(|known| known.state == RevisionState::Approved)
        .count();
    assert!(approved <= 1, "at most one is in force");
    assert!(
        quote
            .portions
            .is_sorted_by(|left, right| left.id < right.id)
    );
    for revision in &quote.revisions {
        check_split(quote, revision);
        assert!(revision.approvals[0].party == revision.proposer);
        assert!(revision.approvals.len() <= 2);
        if revision.state == RevisionState::Approved {
            assert_eq!(revision.approvals.len(), 2, "nobody was passed over");
            assert_ne!(revision.approvals[0].party, revision.approvals[1].party);
        }
        for approval in &revision.approvals {
            assert!(approval.at < revision.expires_at);
        }
        assert!(revision.expires_at <= quote.expires_at);
        assert_eq!(
            revision.state == RevisionState::Rejected,
            revision.rejection.is_some()
        );
    }
    for revision in open.into_iter().chain(quote.in_force()) {
        let divided = revision.split.lines().map(|line| line.portion_id.as_str());
        let mut divided: Vec<&str> = divided.collect();
        divided.sort_unstable();
        let portions = quote.portions.iter().map(|portion| portion.id.as_str());
        assert!(portions.eq(divided), "all of the whole");
    }
}

/// The journal alone gives the same state, and so do the stored bytes.
fn check_replay(bench: &Bench) {
    let replayed =
        bench
            .history
            .iter()
            .fold(None, |state: Option<JointQuote>, (event, recorded)| {
                Some(JointQuote::apply(state, event, recorded).expect("the event fits"))
            });
    assert_eq!(replayed.as_ref(), Some(bench.quote()));
    let body = serde_json::to_string(bench.quote()).unwrap();
    assert_eq!(
        &serde_json::from_str::<JointQuote>(&body).unwrap(),
        bench.quote()
    );
}

proptest! {
    #[test]
    fn random_commands_keep_the_rules(
        solo: bool,
        largest_bps in proptest::option::of(0..=10_000_u32),
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let mut bench = if solo { Bench::solo() } else { Bench::active() };
        if !solo && let Some(largest_bps) = largest_bps {
            let clauses = PricingClauses {
                carry_fractions: true,
                ..PricingClauses::default()
            };
            bench.agree(&[], clauses, vec![consent(TWO, largest_bps, &[])]);
        }
        bench.create(ONE, &[("a", 400), ("b", 33)]);
        for step in &steps {
            let frozen = bench.quote().in_force().is_some();
            let touched = act(&mut bench, step);
            prop_assert!(!(frozen && touched), "portions are frozen");
            check(&bench);
            assert_genuine(&bench);
        }
        check_replay(&bench);
        bench.now = bench.quote().expires_at;
        bench.tick();
        prop_assert!(bench.tick().events.is_empty());
        prop_assert!(bench.quote().due_at().is_none());
        check(&bench);
    }

    #[test]
    fn by_price_nobody_bears_more_than_its_price(
        prices in prop::collection::vec(0..i64::MAX / 200, 1..20),
        part in 0.0..1.0_f64,
    ) {
        let total: i64 = prices.iter().sum();
        prop_assume!(total > 0);
        #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "any amount will do")]
        let concession = ((total as f64 * part) as i64).clamp(1, total);
        let named: Vec<String> = (0..prices.len()).map(|number| format!("p{number}")).collect();
        let named: Vec<(&str, i64)> =
            named.iter().map(String::as_str).zip(prices.iter().copied()).collect();
        let mut bench = Bench::active();
        bench.create(ONE, &named);
        prop_assert!(bench.propose(ONE, concession, Basis::Price).is_ok());
        prop_assert!(bench.propose(ONE, total, Basis::Price).is_ok());
        assert_genuine(&bench);
    }
}
