//! Random commands never break what must always hold.

use proptest::prelude::*;

use super::assert_genuine;
use super::bench::{Bench, ONE, TWO, bps, portion};
use crate::domain::aggregate::Aggregate;
use crate::domain::identity::PartyId;
use crate::domain::pricing::quote::{Basis, JointQuote, NewPortion, RevisionState};
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
    },
    Propose {
        by: bool,
        minor: i64,
        share: Option<u32>,
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
        3 => (any::<bool>(), any::<Option<bool>>(), 0..8_u8, 0..500_i64)
            .prop_map(|(by, of, id, price)| Step::Add { by, of, id, price }),
        4 => (any::<bool>(), -600..900_i64, proptest::option::of(0..=10_000_u32))
            .prop_map(|(by, minor, share)| Step::Propose { by, minor, share }),
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
        Step::Add { by, of, id, price } => {
            let new = NewPortion {
                owner: of.map(|of| PartyId::from_text(firm(of))),
                ..portion(&format!("p{id}"), price)
            };
            let speaks_for_another_firm = of.is_some_and(|of| of != by) && is_joined(bench, !by);
            let is_added = bench.add(firm(by), new).is_ok();
            assert!(!(is_added && speaks_for_another_firm));
            return is_added;
        }
        Step::Propose { by, minor, share } => {
            let fixed = |share| bps(&[(ONE, share), (TWO, 10_000 - share)]);
            bench.propose(firm(by), minor, share.map_or(Basis::Price, fixed))
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
        let divided = revision.split.lines().map(|line| &line.portion_id);
        assert!(
            divided.eq(quote.portions.iter().map(|portion| &portion.id)),
            "all of the whole"
        );
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
    fn random_commands_keep_the_rules(solo: bool, steps in prop::collection::vec(step(), 1..60)) {
        let mut bench = if solo { Bench::solo() } else { Bench::active() };
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
