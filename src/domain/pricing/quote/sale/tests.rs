//! What becomes of a quote of two firms.

use proptest::prelude::*;

use super::*;
use crate::domain::command::Action;
use crate::domain::pricing::quote::{JointQuoteEvent, QuoteCommand};
use crate::domain::pricing::tests::{
    QUOTE, conceded, euro, monthly, once, propose, quote, quoted, reverse, sold, win,
};
use crate::domain::refusal::Reason;
use crate::domain::tests::{FIRST, SECOND, Scene, sealed};

fn lose() -> Action {
    Action::Sale(SaleCommand::Lose {
        id: QUOTE.to_owned(),
        reason: SaleReason::Price,
        words: Some(sealed("too much")),
    })
}

fn win_at(prices: &[(Cadence, i64)]) -> Action {
    let prices = prices
        .iter()
        .map(|(cadence, price)| (*cadence, euro(*price)));
    Action::Sale(SaleCommand::Win {
        id: QUOTE.to_owned(),
        prices: prices.collect(),
    })
}

#[test]
fn what_differs_from_what_was_agreed_is_shown() {
    let mut scene = Scene::shared(None);
    quoted(
        &mut scene,
        vec![once("a", 60_000)],
        vec![monthly("d", 3_333, 6)],
    );
    conceded(&mut scene, 9_999, 0);
    let prices = [(Cadence::OneTime, 50_000), (Cadence::Monthly, 3_333)];
    scene.go(SECOND, win_at(&prices));
    let won = &quote(&scene).sale.won[0];
    assert_eq!(won.by.party, PartyId::numbered(2));
    let shown: Vec<_> = won
        .prices
        .iter()
        .map(|price| (price.cadence, price.agreed, price.difference_to_agreed))
        .collect();
    let expected = [(Cadence::OneTime, 50_001, -1), (Cadence::Monthly, 3_333, 0)];
    assert_eq!(shown, expected);
}

#[test]
fn each_party_corrects_its_word_once_and_all_words_stay() {
    let mut scene = sold();
    for (firm, on_top) in [(FIRST, 1), (SECOND, 2), (SECOND, 3)] {
        let word = win(&scene, on_top);
        scene.go(firm, word);
    }
    let differences: Vec<_> = quote(&scene)
        .sale
        .won
        .iter()
        .map(|word| word.prices[0].difference_to_agreed)
        .collect();
    assert_eq!(differences, [0, 1, 2, 3]);
    for firm in [FIRST, SECOND] {
        let word = win(&scene, 9);
        assert_eq!(scene.reason(firm, word), Reason::LimitReached);
    }
}

#[test]
fn the_same_word_again_changes_nothing() {
    let mut scene = sold();
    let again = win(&scene, 0);
    assert_eq!(scene.ask(FIRST, again), Ok(Vec::new()));
}

#[test]
fn every_cadence_has_its_price() {
    let mut scene = Scene::shared(None);
    quoted(
        &mut scene,
        vec![once("a", 60_000)],
        vec![monthly("d", 3_333, 6)],
    );
    for prices in [
        &[][..],
        &[(Cadence::OneTime, 1)],
        &[(Cadence::OneTime, 1), (Cadence::Yearly, 1)],
        &[(Cadence::OneTime, 1), (Cadence::OneTime, 1)],
        &[(Cadence::OneTime, -1), (Cadence::Monthly, 1)],
    ] {
        assert_eq!(scene.reason(FIRST, win_at(prices)), Reason::InvalidField);
    }
}

#[test]
fn a_quote_that_is_decided_is_frozen() {
    for ending in [win_at(&[(Cadence::OneTime, 100_000)]), lose()] {
        let mut scene = Scene::shared(None);
        quoted(&mut scene, vec![once("a", 60_000)], vec![once("b", 40_000)]);
        propose(&mut scene, 100, 0);
        let hash = quote(&scene).last_hash().to_owned();
        scene.go(SECOND, ending);
        let waiting = &quote(&scene).revisions[0];
        assert_eq!(waiting.state, RevisionState::Superseded);
        let id = || QUOTE.to_owned();
        let portion = once("c", 1);
        let refused = [
            QuoteCommand::AddPortion { id: id(), portion },
            QuoteCommand::ApproveConcession {
                id: id(),
                hash: hash.clone(),
            },
            QuoteCommand::WithdrawConcession { id: id(), hash },
        ];
        for command in refused {
            assert_eq!(
                scene.reason(FIRST, Action::Quote(command)),
                Reason::InvalidState
            );
        }
        let other = Action::Sale(SaleCommand::Lose {
            id: id(),
            reason: SaleReason::Scope,
            words: None,
        });
        assert_eq!(scene.reason(FIRST, other), Reason::InvalidState);
        // Time ends nothing that is decided.
        scene.wait(2_000);
        let kind = crate::domain::record::Kind::JointQuote;
        assert_eq!(scene.tick(kind, QUOTE), Vec::<&str>::new());
        let state = quote(&scene).state_at(scene.now);
        assert!(matches!(state, QuoteState::Won | QuoteState::Lost));
    }
}

#[test]
fn only_an_owner_says_what_became_of_it() {
    let mut scene = Scene::shared(None);
    quoted(&mut scene, vec![once("a", 60_000)], Vec::new());
    assert_eq!(scene.reason(SECOND, lose()), Reason::NotAPortionOwner);
    let prices = [(Cadence::OneTime, 1)];
    assert_eq!(
        scene.reason(SECOND, win_at(&prices)),
        Reason::NotAPortionOwner
    );
    scene.go(FIRST, lose());
    assert_eq!(scene.reason(FIRST, win_at(&prices)), Reason::InvalidState);
}

#[test]
fn a_quote_that_expired_may_have_been_won() {
    let mut scene = Scene::shared(None);
    quoted(&mut scene, vec![once("a", 60_000)], vec![once("b", 40_000)]);
    scene.wait(2_000);
    scene.go(FIRST, win_at(&[(Cadence::OneTime, 100_000)]));
    assert_eq!(quote(&scene).state_at(scene.now), QuoteState::Won);
}

/// What was taken back of each portion so far.
fn taken(scene: &Scene) -> Vec<i64> {
    let portions = quote(scene).portions.iter();
    portions
        .map(|portion| quote(scene).sale.reversed(&portion.id, |_| None))
        .collect::<Option<_>>()
        .expect("nothing is sealed")
}

#[test]
fn p12_a_reversal_names_the_revision_and_mirrors_it() {
    let mut scene = sold();
    let Action::Sale(SaleCommand::Reverse(mut asked)) =
        reverse(&scene, Cadence::OneTime, 5_000, "2000-01-02")
    else {
        panic!("a reversal");
    };
    for hash in [String::new(), "0".repeat(64)] {
        asked.hash = hash;
        let refused = Action::Sale(SaleCommand::Reverse(asked.clone()));
        assert_eq!(scene.reason(FIRST, refused), Reason::StaleHash);
    }
    asked.hash = quote(&scene).last_hash().to_owned();
    scene.go(FIRST, Action::Sale(SaleCommand::Reverse(asked)));
    // 99.99 was borne as 59.99 and 40.00: of these, half.
    let agreed = quote(&scene).agreed();
    let shares = agreed[0].lines.iter().map(|line| line.share);
    assert_eq!(shares.collect::<Vec<_>>(), [Some(5_999), Some(4_000)]);
    assert_eq!(taken(&scene), [3_000, 2_000, 0, 0]);
    let recorded = &quote(&scene).sale.reversals[0].reversed;
    assert_eq!((recorded.number, recorded.revision), (1, 1));
}

#[test]
fn p13_partial_reversals_end_at_exactly_zero() {
    let mut scene = sold();
    for amount in [3_333, 3_333, 3_332] {
        let part = reverse(&scene, Cadence::OneTime, amount, "2000-01-02");
        scene.go(SECOND, part);
    }
    let more = reverse(&scene, Cadence::OneTime, 2, "2000-01-02");
    let refusal = scene.ask(FIRST, more).expect_err("only a cent is left");
    assert_eq!(refusal.reason, Reason::ReversalTooLarge);
    let left = refusal.metadata.iter().find(|(key, _)| *key == "left");
    assert_eq!(left, Some(&("left", "0.01 EUR".to_owned())));
    let last = reverse(&scene, Cadence::OneTime, 1, "2000-01-02");
    scene.go(FIRST, last);
    assert_eq!(taken(&scene), [5_999, 4_000, 0, 0]);
    let more = reverse(&scene, Cadence::OneTime, 1, "2000-01-02");
    assert_eq!(scene.reason(FIRST, more), Reason::ReversalTooLarge);
}

#[test]
fn what_recurs_is_taken_back_of_its_whole_term() {
    let mut scene = sold();
    // 10.00 a month are borne as 7.50 for twelve months and 2.50 for six.
    let whole = 750 * 12 + 250 * 6;
    let more = reverse(&scene, Cadence::Monthly, whole + 1, "2000-01-02");
    assert_eq!(scene.reason(FIRST, more), Reason::ReversalTooLarge);
    let all = reverse(&scene, Cadence::Monthly, whole, "2000-01-02");
    scene.go(FIRST, all);
    assert_eq!(taken(&scene), [0, 0, 9_000, 1_500]);
}

#[test]
fn reversals_at_fault() {
    let mut scene = sold();
    for (cadence, amount, reason) in [
        (Cadence::OneTime, 0, Reason::InvalidField),
        (Cadence::OneTime, -1, Reason::ReversalTooLarge),
        (Cadence::OneTime, i64::MAX, Reason::ReversalTooLarge),
        (Cadence::Yearly, 1, Reason::InvalidField),
    ] {
        let asked = reverse(&scene, cadence, amount, "2000-01-02");
        assert_eq!(scene.reason(FIRST, asked), reason, "{amount}");
    }
    let far = reverse(&scene, Cadence::OneTime, 1, "1999-12-31");
    assert_eq!(scene.reason(FIRST, far), Reason::InvalidField);
    let mut open = Scene::shared(None);
    quoted(&mut open, vec![once("a", 60_000)], Vec::new());
    let early = reverse(&open, Cadence::OneTime, 1, "2000-01-02");
    assert_eq!(open.reason(FIRST, early), Reason::InvalidState);
    open.go(FIRST, win_at(&[(Cadence::OneTime, 60_000)]));
    let nothing = reverse(&open, Cadence::OneTime, 1, "2000-01-02");
    assert_eq!(open.reason(FIRST, nothing), Reason::InvalidState);
}

#[test]
fn reversals_are_bounded() {
    let mut scene = sold();
    for _ in 0..REVERSALS_MAX {
        let part = reverse(&scene, Cadence::OneTime, 1, "2000-01-02");
        scene.go(FIRST, part);
    }
    let more = reverse(&scene, Cadence::OneTime, 1, "2000-01-02");
    assert_eq!(scene.reason(FIRST, more), Reason::LimitReached);
}

#[test]
fn what_is_stored_comes_back() {
    let mut scene = sold();
    let part = reverse(&scene, Cadence::Monthly, 7, "2000-01-02");
    scene.go(FIRST, part);
    let stored = serde_json::to_string(quote(&scene)).expect("written");
    let read: JointQuote = serde_json::from_str(&stored).expect("read");
    assert_eq!(&read, quote(&scene));
    let reversal = &quote(&scene).sale.reversals[0].reversed;
    let event = JointQuoteEvent::ConcessionReversed(Box::new(reversal.clone()));
    let payload = event.payload().expect("written");
    let read = JointQuoteEvent::decode(event.event_type(), event.event_version(), &payload);
    assert_eq!(read.expect("read"), event);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// In whatever steps: nothing is taken twice, every step adds up, and in the end nothing is left.
    #[test]
    fn p13_in_any_steps(
        prices in (1_i64..100_000, 1_i64..100_000, 1_i64..100_000),
        conceded_bps in 1_i64..10_000,
        steps in proptest::collection::vec(1_i64..10_000, 1..8),
    ) {
        let mut scene = Scene::shared(None);
        let (a, b, c) = prices;
        quoted(&mut scene, vec![once("a", a), once("b", b)], vec![once("c", c)]);
        let concession = ((a + b + c) * conceded_bps / 10_000).max(1);
        conceded(&mut scene, concession, 0);
        let won = win(&scene, 0);
        scene.go(FIRST, won);
        let shares: Vec<i64> = quote(&scene).agreed()[0]
            .lines
            .iter()
            .map(|line| line.share.expect("told"))
            .collect();
        let mut left = concession;
        for step in steps {
            let amount = (left * step / 10_000).max(1).min(left);
            if left == 0 {
                break;
            }
            let part = reverse(&scene, Cadence::OneTime, amount, "2000-01-02");
            scene.go(SECOND, part);
            left -= amount;
            let so_far = taken(&scene);
            prop_assert_eq!(so_far.iter().sum::<i64>(), concession - left);
            for (taken, share) in so_far.iter().zip(&shares) {
                prop_assert!((0..=*share).contains(taken));
            }
        }
        if left > 0 {
            let rest = reverse(&scene, Cadence::OneTime, left, "2000-01-02");
            scene.go(FIRST, rest);
        }
        prop_assert_eq!(taken(&scene), shares);
        let more = reverse(&scene, Cadence::OneTime, 1, "2000-01-02");
        prop_assert_eq!(scene.reason(FIRST, more), Reason::ReversalTooLarge);
    }
}
