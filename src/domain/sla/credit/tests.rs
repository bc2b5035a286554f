//! Credits: case by case, and that they add up for any facts.

use proptest::prelude::*;

use super::*;
use crate::domain::pricing::money::Currency;
use crate::domain::sla::clock::TargetType::Resolution;
use crate::domain::sla::clock::TicketState::{
    Closed, InProgress, WaitingOnClient, WaitingOnOutsideParty, WaitingOnPartner,
};
use crate::domain::sla::clock::tests::properties::{
    any_calendar, any_facts, any_instant, any_rules,
};
use crate::domain::sla::clock::tests::{MONDAY, at, moved, opened, rules, ticket, weekdays};
use crate::domain::sla::clock::{
    ClockRules, ReopenRule, RetargetRule, TargetReopenRule, Terms, TicketFact, evaluate_case,
};
use crate::domain::sla::compiled::CompiledCalendar;
use crate::domain::sla::explain::explain_case;

type Found = (ClockEvaluation, HeldTime<(), ChargedParty>);

fn court(holder: &Holder<()>) -> ChargedParty {
    match holder {
        Holder::Charged(charged) => *charged,
        Holder::Further(()) => ChargedParty::Obligor,
    }
}

/// The last cycle of the resolution clock, if there is one, and who held what of it.
fn held(
    facts: &[TicketFact],
    rules: &ClockRules,
    calendar: &CompiledCalendar,
    as_of: Timestamp,
    basis: CreditBasis,
) -> Option<Found> {
    let terms = [Terms {
        from: Timestamp::EARLIEST,
        event_id: "",
        rules,
        calendar,
    }];
    let case = Case::under(facts, &terms);
    let mut clocks = evaluate_case(&case, as_of).clocks.into_iter();
    let clock = clocks.rfind(|clock| clock.target_type == Resolution)?;
    let explained = explain_case(&case, Resolution, Some(clock.cycle), as_of).expect("few");
    let pieces = explained.intervals.into_iter();
    let pieces = pieces.map(|interval| ChainInterval {
        interval,
        handed: None,
    });
    let pieces = by_court(pieces.collect(), &courts(&case, as_of)).expect("few");
    let open_time = |_: &ClockInterval, from, to| calendar.elapsed(from, to);
    let asked = (&clock, basis);
    let held = held_time(pieces, &explained.adjustments, asked, court, open_time);
    Some((clock, held))
}

/// Nothing pauses the clock: whoever is awaited, the client waits.
fn promised_to_a_client() -> ClockRules {
    ClockRules {
        pausing_states: Vec::new(),
        ..rules()
    }
}

fn hours(held: &HeldTime<(), ChargedParty>) -> Vec<(ChargedParty, i64)> {
    let totals = held.totals.iter();
    let hour = Span::from_hours(1).as_micros();
    totals
        .map(|(party, total)| (*party, total.as_micros() / hour))
        .collect()
}

/// Target 8 h. The obligor has the ball for 3 h, its partner for 5, the client for 1, an outside party
/// for 1, and the partner for 2 more.
fn handed_on() -> Vec<TicketFact> {
    ticket([
        opened(at(MONDAY, 0, 0), 3),
        moved(at(MONDAY, 3, 0), WaitingOnPartner),
        moved(at(MONDAY, 8, 0), WaitingOnClient),
        moved(at(MONDAY, 9, 0), WaitingOnOutsideParty),
        moved(at(MONDAY, 10, 0), WaitingOnPartner),
        moved(at(MONDAY, 12, 0), Closed),
    ])
}

fn of_handed_on(rules: &ClockRules, basis: CreditBasis) -> Found {
    let always = CompiledCalendar::always_open();
    let found = held(&handed_on(), rules, &always, at(MONDAY, 20, 0), basis);
    found.expect("a clock")
}

fn euros(minor: i64) -> Money {
    Money::from_minor(Currency::from_code("EUR").expect("known"), minor)
}

#[test]
fn whoever_had_the_ball_bears_the_credit() {
    use ChargedParty::{Beneficiary, Client, Obligor, OutsideParty};
    let (clock, held) = of_handed_on(&promised_to_a_client(), CreditBasis::Consumed);
    let expected = [
        (Obligor, 3),
        (Beneficiary, 7),
        (Client, 1),
        (OutsideParty, 1),
    ];
    assert_eq!(hours(&held), expected);
    let firms = [
        ("1".to_owned(), Span::from_hours(3)),
        ("2".to_owned(), Span::from_hours(7)),
    ];
    let split = divide(euros(9_999), &firms, &clock).expect("due");
    let shares: Vec<i64> = split
        .allocation
        .shares
        .iter()
        .map(|share| share.share)
        .collect();
    assert_eq!(shares, [3_000, 6_999]);
    assert_eq!(split.unit, Span::from_seconds(1));
    let sentence = split
        .allocation
        .sentence(&split.allocation.shares[0], split.credit.currency);
    assert!(
        sentence.starts_with("10,800 of 36,000 of 99.99 EUR"),
        "{sentence}"
    );
}

#[test]
fn after_the_breach_only_the_later_count() {
    use ChargedParty::{Beneficiary, Client, OutsideParty};
    let (_, held) = of_handed_on(&promised_to_a_client(), CreditBasis::Overrun);
    let expected = [(Beneficiary, 2), (Client, 1), (OutsideParty, 1)];
    assert_eq!(hours(&held), expected);
}

#[test]
fn pauses_count_only_where_held_time_does() {
    use ChargedParty::{Beneficiary, Client, Obligor, OutsideParty};
    let facts = ticket([
        opened(at(MONDAY, 0, 0), 3),
        moved(at(MONDAY, 1, 0), WaitingOnPartner),
        moved(at(MONDAY, 5, 0), InProgress),
        moved(at(MONDAY, 14, 0), Closed),
    ]);
    let always = CompiledCalendar::always_open();
    let of = |basis| held(&facts, &rules(), &always, at(MONDAY, 20, 0), basis);
    let (_, consumed) = of(CreditBasis::Consumed).expect("a clock");
    assert_eq!(hours(&consumed), [(Obligor, 10)]);
    let (_, all) = of(CreditBasis::Held).expect("a clock");
    assert_eq!(hours(&all), [(Obligor, 10), (Beneficiary, 4)]);
    let (_, handed_on) = of_handed_on(&rules(), CreditBasis::Held);
    let expected = [
        (Obligor, 3),
        (Beneficiary, 7),
        (Client, 1),
        (OutsideParty, 1),
    ];
    assert_eq!(hours(&handed_on), expected);
}

#[test]
fn what_a_restart_forgets_nobody_bears() {
    use ChargedParty::{Beneficiary, Obligor};
    let restarting = ClockRules {
        reopen_rules: vec![TargetReopenRule {
            target_type: Resolution,
            rule: ReopenRule::Restart,
        }],
        ..promised_to_a_client()
    };
    let facts = ticket([
        opened(at(MONDAY, 0, 0), 3),
        moved(at(MONDAY, 6, 0), Closed),
        moved(at(MONDAY, 7, 0), WaitingOnPartner),
        moved(at(MONDAY, 13, 0), InProgress),
        moved(at(MONDAY, 17, 0), Closed),
    ]);
    let always = CompiledCalendar::always_open();
    let as_of = at(MONDAY, 20, 0);
    let basis = CreditBasis::Consumed;
    let (clock, held) = held(&facts, &restarting, &always, as_of, basis).expect("a clock");
    assert_eq!(hours(&held), [(Obligor, 4), (Beneficiary, 6)]);
    assert_eq!(clock.consumed, Span::from_hours(10));
}

#[test]
fn credits_that_are_not_due() {
    let always = CompiledCalendar::always_open();
    let early = held(
        &handed_on(),
        &promised_to_a_client(),
        &always,
        at(MONDAY, 2, 0),
        CreditBasis::Consumed,
    );
    let (kept, _) = early.expect("a clock");
    let one = [("1".to_owned(), Span::from_hours(1))];
    let reason = |firms: &[(String, Span)], clock| {
        let refused = divide(euros(1), firms, clock);
        refused.expect_err("not due").reason
    };
    assert_eq!(reason(&one, &kept), Reason::CreditNotDue);
    let (broken, _) = of_handed_on(&promised_to_a_client(), CreditBasis::Consumed);
    assert_eq!(reason(&[], &broken), Reason::NobodyHeldTime);
    let none = [("1".to_owned(), Span::ZERO)];
    assert_eq!(reason(&none, &broken), Reason::NobodyHeldTime);
    let many: Vec<_> = (0..=PARTS_MAX)
        .map(|number| (number.to_string(), Span::from_hours(1)))
        .collect();
    assert_eq!(reason(&many, &broken), Reason::ResultTooLarge);
    let fine = [
        ("1".to_owned(), Span::from_micros(1)),
        ("2".to_owned(), Span::from_micros(2)),
    ];
    let split = divide(euros(300), &fine, &broken).expect("due");
    assert_eq!(split.unit, Span::from_micros(1));
    assert_eq!(split.allocation.shares[1].share, 200);
}

fn any_terms() -> impl Strategy<Value = ClockRules> {
    let retarget = proptest::sample::select(vec![
        RetargetRule::Retroactive,
        RetargetRule::FromChange,
        RetargetRule::ProRata,
    ]);
    let reopen = proptest::sample::select(vec![
        ReopenRule::Resume,
        ReopenRule::Restart,
        ReopenRule::NewCycle,
    ]);
    (any_rules(), retarget, reopen).prop_map(|(rules, retarget_rule, rule)| ClockRules {
        retarget_rule,
        reopen_rules: vec![TargetReopenRule {
            target_type: Resolution,
            rule,
        }],
        ..rules
    })
}

proptest! {
    /// What everybody held adds up to what the clock shows, and the credit to itself.
    #[test]
    fn time_and_money_add_up(
        facts in any_facts(),
        rules in any_terms(),
        calendar in any_calendar(),
        as_of in any_instant(),
        credit in 1..10_000_000_i64,
    ) {
        let found = held(&facts, &rules, &calendar, as_of, CreditBasis::Consumed);
        let Some((clock, time)) = found else { return Ok(()) };
        let sum = |time: &HeldTime<(), ChargedParty>| {
            time.totals.values().copied().fold(Span::ZERO, Span::saturating_add)
        };
        prop_assert_eq!(sum(&time), clock.consumed);
        let mut reached = clock.started_at;
        for piece in &time.pieces {
            prop_assert_eq!(piece.interval.from, reached);
            reached = piece.interval.to;
        }
        let firms: Vec<_> = time
            .totals
            .iter()
            .filter(|(party, _)| matches!(party, ChargedParty::Obligor | ChargedParty::Beneficiary))
            .map(|(party, total)| (format!("{party:?}"), *total))
            .collect();
        match divide(euros(credit), &firms, &clock) {
            Ok(split) => {
                let shares = split.allocation.shares.iter();
                prop_assert_eq!(shares.map(|share| share.share).sum::<i64>(), credit);
                for (share, (_, total)) in split.allocation.shares.iter().zip(&firms) {
                    prop_assert!(*total > Span::ZERO || share.share == 0);
                }
            }
            Err(refusal) if clock.breached_at.is_none() => {
                prop_assert_eq!(refusal.reason, Reason::CreditNotDue);
            }
            Err(refusal) => {
                prop_assert_eq!(refusal.reason, Reason::NobodyHeldTime);
                prop_assert!(firms.iter().all(|(_, total)| *total == Span::ZERO));
            }
        }
    }

    /// What is held is all that is charged, and an overrun is part of what was consumed.
    #[test]
    fn held_time_is_all_that_is_charged(
        facts in any_facts(),
        rules in any_terms(),
        calendar in any_calendar(),
        as_of in any_instant(),
    ) {
        let of = |basis| held(&facts, &rules, &calendar, as_of, basis);
        let Some((clock, all)) = of(CreditBasis::Held) else { return Ok(()) };
        let counted = all.pieces.iter().map(|piece| piece.counted);
        let counted = counted.fold(Span::ZERO, Span::saturating_add);
        let charged = all.pieces.iter().map(|piece| piece.interval.charged);
        prop_assert_eq!(counted, charged.fold(Span::ZERO, Span::saturating_add));
        let Some((_, overrun)) = of(CreditBasis::Overrun) else { return Ok(()) };
        for piece in &overrun.pieces {
            let is_late = clock.breached_at.is_none_or(|at| piece.interval.from >= at);
            let expected = if is_late { piece.interval.consumed } else { Span::ZERO };
            prop_assert_eq!(piece.counted, expected);
        }
    }
}

#[test]
fn courts_follow_the_state_of_the_ticket() {
    let calendar = weekdays(9, 17);
    let rules = rules();
    let terms = [Terms {
        from: Timestamp::EARLIEST,
        event_id: "",
        rules: &rules,
        calendar: &calendar,
    }];
    let facts = handed_on();
    let case = Case::under(&facts, &terms);
    let found: Vec<_> = courts(&case, at(MONDAY, 11, 0))
        .into_iter()
        .map(|court| (court.from, court.to, court.whom))
        .collect();
    let expected = [
        (
            at(MONDAY, 3, 0),
            at(MONDAY, 8, 0),
            ChargedParty::Beneficiary,
        ),
        (at(MONDAY, 8, 0), at(MONDAY, 9, 0), ChargedParty::Client),
        (
            at(MONDAY, 9, 0),
            at(MONDAY, 10, 0),
            ChargedParty::OutsideParty,
        ),
        (
            at(MONDAY, 10, 0),
            at(MONDAY, 11, 0),
            ChargedParty::Beneficiary,
        ),
    ];
    assert_eq!(found, expected);
}
