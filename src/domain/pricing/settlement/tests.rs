//! Settlement statements of two firms. The first one bills the client, so it owes the second.

use super::account::SettlementAccount;
use super::*;
use crate::domain::command::Action;
use crate::domain::pricing::money::Currency;
use crate::domain::pricing::quote::Cadence;
use crate::domain::pricing::tests::{book, euro, reverse, sold};
use crate::domain::refusal::Reason;
use crate::domain::tests::{FIRST, SECOND, Scene, sealed};

/// Nothing is sealed.
fn told(_: &Commitment) -> Option<String> {
    None
}

fn month(text: &str) -> Month {
    Month::parse(text).expect("a month")
}

fn draft_in(with: usize, period: &str, currency: Currency) -> Action {
    Action::Settlement(SettlementCommand::Draft {
        with: PartyId::numbered(with),
        currency,
        period: month(period),
    })
}

fn draft(with: usize, period: &str) -> Action {
    draft_in(with, period, euro(0).currency)
}

fn pair() -> Pair {
    Pair::of(&PartyId::numbered(1), &PartyId::numbered(2)).expect("two parties")
}

fn id(period: &str) -> String {
    SettlementStatement::id_of(&pair(), euro(0).currency, month(period))
}

fn issue(period: &str) -> Action {
    Action::Settlement(SettlementCommand::Issue {
        id: id(period),
        sealed: Readable::default(),
    })
}

fn agree(period: &str, lines: &[u32]) -> Action {
    Action::Settlement(SettlementCommand::Agree {
        id: id(period),
        lines: lines.to_vec(),
    })
}

fn dispute(period: &str, line: u32) -> Action {
    Action::Settlement(SettlementCommand::Dispute {
        id: id(period),
        line,
        words: sealed("never delivered"),
    })
}

fn resolve(period: &str, line: u32, stands: bool) -> Action {
    Action::Settlement(SettlementCommand::Resolve {
        id: id(period),
        line,
        stands,
        words: None,
    })
}

fn settle(period: &str) -> Action {
    Action::Settlement(SettlementCommand::Settle {
        id: id(period),
        words: Some(sealed("by bank")),
        sealed: Readable::default(),
    })
}

fn statement<'scene>(scene: &'scene Scene, period: &str) -> &'scene SettlementStatement {
    scene.get(&id(period))
}

fn state(scene: &Scene, period: &str) -> StatementState {
    statement(scene, period).state
}

/// What was sold, with January's and February's bookings, in March.
fn booked() -> Scene {
    let mut scene = sold();
    scene
        .go(FIRST, book(Cadence::OneTime, 1, "2000-01-31"))
        .go(FIRST, book(Cadence::Monthly, 1, "2000-01-31"))
        .go(SECOND, book(Cadence::Monthly, 2, "2000-02-29"))
        .wait(24 * 60);
    scene
}

#[test]
fn a_statement_has_what_is_owed_for_its_month() {
    let mut scene = booked();
    scene.go(SECOND, draft(1, "2000-01"));
    let lines = &statement(&scene, "2000-01").lines;
    let shown: Vec<_> = lines
        .iter()
        .map(|line| {
            let content = &line.content;
            (
                content.portion_id.as_str(),
                content.period,
                content.share(told).expect("told"),
                content.due(told).expect("told"),
            )
        })
        .collect();
    let expected = [("b", Some(1), 4_000, 36_000), ("d", Some(1), 250, 3_083)];
    assert_eq!(shown, expected);
    let totals = statement(&scene, "2000-01").totals(told).expect("they fit");
    assert_eq!((totals[0].due, totals[1].due), (0, 39_083));
    assert_eq!(
        (totals[1].price_before, totals[1].absorbed),
        (43_333, 4_250)
    );
    let balance = statement(&scene, "2000-01").balance(told);
    assert_eq!(balance, Ok(Some((PartyId::numbered(2), 39_083))));
}

#[test]
fn nothing_comes_on_two_statements() {
    let mut scene = booked();
    scene.go(SECOND, draft(1, "2000-01"));
    assert_eq!(scene.ask(FIRST, draft(2, "2000-01")), Ok(Vec::new()));
    // A draft takes what comes later.
    scene.go(FIRST, book(Cadence::Monthly, 3, "2000-01-30"));
    scene
        .go(FIRST, draft(2, "2000-01"))
        .go(FIRST, issue("2000-01"));
    assert_eq!(statement(&scene, "2000-01").lines.len(), 3);
    assert_eq!(
        scene.reason(SECOND, draft(1, "2000-01")),
        Reason::InvalidState
    );
    scene.go(SECOND, draft(1, "2000-02"));
    let periods = statement(&scene, "2000-02").lines.iter();
    let periods: Vec<_> = periods.map(|line| line.content.period).collect();
    assert_eq!(periods, [Some(2)]);
    let account: &SettlementAccount = scene.get(&pair().account_id(euro(0).currency));
    assert!(account.pending.is_empty());
    assert_eq!(
        scene.reason(SECOND, draft(1, "2000-03")),
        Reason::InvalidState
    );
}

#[test]
fn what_comes_late_says_which_month_it_corrects() {
    let mut scene = booked();
    scene
        .go(SECOND, draft(1, "2000-01"))
        .go(SECOND, issue("2000-01"));
    let late = reverse(&scene, Cadence::OneTime, 1_000, "2000-01-31");
    scene.go(FIRST, late);
    assert_eq!(
        scene.reason(FIRST, draft(2, "2000-01")),
        Reason::InvalidState
    );
    scene.go(FIRST, draft(2, "2000-02"));
    let corrected: Vec<_> = statement(&scene, "2000-02")
        .lines
        .iter()
        .map(|line| (line.content.corrects, line.content.due(told)))
        .collect();
    assert_eq!(
        corrected,
        [(None, Some(3_083)), (Some(month("2000-01")), Some(400)),]
    );
    let before = scene.ask(FIRST, draft(2, "1999-12")).expect_err("too late");
    assert_eq!(before.reason, Reason::InvalidField);
}

#[test]
fn p21_a_credit_lowers_what_was_absorbed() {
    let mut scene = booked();
    let taken_back = reverse(&scene, Cadence::OneTime, 9_999, "2000-01-31");
    scene.go(FIRST, taken_back).go(SECOND, draft(1, "2000-01"));
    let totals = statement(&scene, "2000-01").totals(told).expect("they fit");
    let south = &totals[1];
    // All of the 40.00 that was borne once came back; the 2.50 of the month did not.
    assert_eq!(
        (south.price_before, south.absorbed, south.due),
        (43_333, 250, 43_083)
    );
}

#[test]
fn p19_currencies_are_never_added() {
    let mut scene = booked();
    let dollar = Currency::from_code("USD").expect("known");
    assert_eq!(
        scene.reason(SECOND, draft_in(1, "2000-01", dollar)),
        Reason::InvalidState
    );
    scene.go(SECOND, draft(1, "2000-01"));
    assert_eq!(statement(&scene, "2000-01").currency, euro(0).currency);
    assert_ne!(
        pair().account_id(dollar),
        pair().account_id(euro(0).currency)
    );
}

#[test]
fn from_draft_to_settled() {
    let mut scene = booked();
    scene.go(FIRST, draft(2, "2000-01"));
    assert_eq!(
        scene.reason(SECOND, agree("2000-01", &[])),
        Reason::InvalidState
    );
    scene.go(FIRST, issue("2000-01"));
    assert_eq!(scene.reason(FIRST, issue("2000-01")), Reason::InvalidState);
    assert_eq!(
        scene.reason(FIRST, agree("2000-01", &[])),
        Reason::NotYourStatement
    );
    assert_eq!(
        scene.reason(SECOND, agree("2000-01", &[3])),
        Reason::InvalidField
    );
    scene.go(SECOND, agree("2000-01", &[2]));
    assert_eq!(state(&scene, "2000-01"), StatementState::Issued);
    assert_eq!(
        scene.reason(SECOND, agree("2000-01", &[2])),
        Reason::InvalidField
    );
    assert_eq!(
        scene.reason(SECOND, settle("2000-01")),
        Reason::InvalidState
    );
    scene.go(SECOND, agree("2000-01", &[]));
    assert_eq!(state(&scene, "2000-01"), StatementState::Agreed);
    assert_eq!(
        scene.reason(FIRST, settle("2000-01")),
        Reason::NotYourStatement
    );
    scene.go(SECOND, settle("2000-01"));
    assert_eq!(state(&scene, "2000-01"), StatementState::Settled);
    assert_eq!(
        scene.reason(SECOND, settle("2000-01")),
        Reason::InvalidState
    );
    assert_eq!(
        scene.reason(SECOND, dispute("2000-01", 1)),
        Reason::InvalidState
    );
}

#[test]
fn a_dispute_ends_when_one_of_the_two_gives_way() {
    for (stands, firm, other, due) in [(true, SECOND, FIRST, 39_083), (false, FIRST, SECOND, 3_083)]
    {
        let mut scene = booked();
        scene
            .go(FIRST, draft(2, "2000-01"))
            .go(FIRST, issue("2000-01"));
        assert_eq!(
            scene.reason(FIRST, dispute("2000-01", 1)),
            Reason::NotYourStatement
        );
        scene.go(SECOND, dispute("2000-01", 1));
        assert_eq!(
            scene.reason(SECOND, dispute("2000-01", 1)),
            Reason::InvalidState
        );
        scene.go(SECOND, agree("2000-01", &[]));
        assert_eq!(state(&scene, "2000-01"), StatementState::Disputed);
        assert_eq!(
            scene.reason(SECOND, settle("2000-01")),
            Reason::InvalidState
        );
        let wrong = scene.reason(other, resolve("2000-01", 1, stands));
        assert_eq!(wrong, Reason::NotYourStatement);
        let open = scene.reason(firm, resolve("2000-01", 2, stands));
        assert_eq!(open, Reason::InvalidState);
        scene.go(firm, resolve("2000-01", 1, stands));
        assert_eq!(state(&scene, "2000-01"), StatementState::Agreed);
        let balance = statement(&scene, "2000-01").balance(told);
        assert_eq!(balance, Ok(Some((PartyId::numbered(2), due))));
        scene.go(SECOND, settle("2000-01"));
    }
}

#[test]
fn what_is_owed_is_owed_after_the_end_as_well() {
    let mut scene = booked();
    scene.end();
    let early = scene.reason(FIRST, book(Cadence::Monthly, 3, "2000-03-01"));
    assert_eq!(early, Reason::PartnershipEnded);
    scene
        .go(FIRST, draft(2, "2000-02"))
        .go(FIRST, issue("2000-02"))
        .go(SECOND, agree("2000-02", &[]))
        .go(SECOND, settle("2000-02"));
}

#[test]
fn statements_at_fault() {
    let mut scene = booked();
    for (with, period) in [(1, "2000-01"), (2, "2000-04")] {
        assert_eq!(
            scene.reason(FIRST, draft(with, period)),
            Reason::InvalidField
        );
    }
    assert_eq!(
        scene.reason(FIRST, draft(3, "2000-01")),
        Reason::InvalidState
    );
    assert_eq!(scene.reason(FIRST, issue("2000-01")), Reason::NotFound);
}

#[test]
fn totals_that_do_not_fit_are_refused() {
    let mut scene = booked();
    scene.go(FIRST, draft(2, "2000-01"));
    let mut huge = statement(&scene, "2000-01").clone();
    for line in &mut huge.lines {
        line.content.price_before = i64::MAX;
    }
    assert_eq!(
        huge.totals(told).expect_err("too much").reason,
        Reason::OutOfRange
    );
    assert_eq!(
        huge.balance(told).expect_err("too much").reason,
        Reason::OutOfRange
    );
}
