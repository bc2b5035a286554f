//! Explanations: case by case, and that they add up for any facts.

use proptest::prelude::*;

use super::*;
use crate::domain::sla::calendar::Weekday;
use crate::domain::sla::clock::tests::properties::{
    any_calendar, any_facts, any_instant, any_rules,
};
use crate::domain::sla::clock::tests::{
    MONDAY, TUESDAY, at, moved, opened, rules, ticket, weekdays, weekly,
};
use crate::domain::sla::clock::{ClockRules, Terms, TicketFact, TicketState, evaluate};
use crate::domain::sla::compiled::CompiledCalendar;
use TargetType::Resolution;

/// The last cycle of one clock under terms that never change.
fn explain(
    facts: &[TicketFact],
    rules: &ClockRules,
    calendar: &CompiledCalendar,
    target_type: TargetType,
    as_of: Timestamp,
) -> Result<Vec<ClockInterval>, ExplainError> {
    let terms = [Terms {
        from: Timestamp::EARLIEST,
        event_id: "",
        rules,
        calendar,
    }];
    let case = Case::under(facts, &terms);
    Ok(explain_case(&case, target_type, None, as_of)?.intervals)
}

/// An interval's start, state, event, rule, charged party and hours charged.
type Line = (
    Timestamp,
    ClockState,
    &'static str,
    ExplainRule,
    Option<ChargedParty>,
    i64,
);

fn hand_offs() -> [Line; 6] {
    use ChargedParty::{Beneficiary, Client, Obligor, OutsideParty};
    use ClockState::{OutsideHours, Paused, Running};
    use ExplainRule::{
        CalendarClosed, Opened, Resumed, WaitsOnClient, WaitsOnOutsideParty, WaitsOnPartner,
    };
    [
        (
            at(MONDAY, 9, 0),
            Running,
            "event-1",
            Opened,
            Some(Obligor),
            1,
        ),
        (
            at(MONDAY, 10, 0),
            Paused,
            "event-2",
            WaitsOnClient,
            Some(Client),
            2,
        ),
        (
            at(MONDAY, 12, 0),
            Paused,
            "event-3",
            WaitsOnPartner,
            Some(Beneficiary),
            3,
        ),
        (
            at(MONDAY, 15, 0),
            Paused,
            "event-4",
            WaitsOnOutsideParty,
            Some(OutsideParty),
            4,
        ),
        (
            at(TUESDAY, 11, 0),
            Running,
            "event-5",
            Resumed,
            Some(Obligor),
            6,
        ),
        (
            at(TUESDAY, 17, 0),
            OutsideHours,
            "event-5",
            CalendarClosed,
            None,
            0,
        ),
    ]
}

#[test]
fn s17_every_hand_off_is_an_interval_charged_to_its_party() {
    let facts = ticket([
        opened(at(MONDAY, 9, 0), 3),
        moved(at(MONDAY, 10, 0), TicketState::WaitingOnClient),
        moved(at(MONDAY, 12, 0), TicketState::WaitingOnPartner),
        moved(at(MONDAY, 15, 0), TicketState::WaitingOnOutsideParty),
        moved(at(TUESDAY, 11, 0), TicketState::InProgress),
    ]);
    let as_of = at(TUESDAY, 18, 0);
    let intervals = explain(&facts, &rules(), &weekdays(9, 17), Resolution, as_of).unwrap();
    let expected = hand_offs();
    assert_eq!(intervals.len(), expected.len());
    let ends = expected.iter().skip(1).map(|next| next.0).chain([as_of]);
    for ((interval, line), to) in intervals.iter().zip(expected).zip(ends) {
        let (from, state, event_id, rule, charged_to, hours) = line;
        assert_eq!((interval.from, interval.to), (from, to));
        assert_eq!((interval.state, interval.rule), (state, rule));
        assert_eq!(
            (interval.event_id.as_str(), interval.charged_to),
            (event_id, charged_to)
        );
        assert_eq!(interval.charged, Span::from_hours(hours));
    }
}

#[test]
fn s05_solved_time_is_a_state_of_its_own() {
    let facts = ticket([
        opened(at(MONDAY, 9, 0), 3),
        moved(at(MONDAY, 10, 0), TicketState::Resolved),
        moved(at(MONDAY, 11, 0), TicketState::Closed),
        moved(at(MONDAY, 13, 0), TicketState::InProgress),
        moved(at(MONDAY, 14, 0), TicketState::Closed),
    ]);
    let as_of = at(TUESDAY, 18, 0);
    let intervals = explain(&facts, &rules(), &weekdays(9, 17), Resolution, as_of).unwrap();
    let [worked, solved, reopened] = intervals.as_slice() else {
        panic!("{intervals:?}")
    };
    assert_eq!(
        (worked.rule, worked.event_id.as_str()),
        (ExplainRule::Opened, "event-1")
    );
    assert_eq!(
        (solved.state, solved.rule),
        (ClockState::Stopped, ExplainRule::Finished)
    );
    assert_eq!(
        (solved.event_id.as_str(), solved.charged_to),
        ("event-2", None)
    );
    assert_eq!(
        (reopened.rule, reopened.from),
        (ExplainRule::Reopened, at(MONDAY, 13, 0))
    );
    assert_eq!(
        reopened.to,
        at(MONDAY, 14, 0),
        "nothing after the clock stopped for good"
    );
}

#[test]
fn nothing_promised_is_nothing_to_explain() {
    let facts = ticket([opened(at(MONDAY, 9, 0), 5)]);
    let as_of = at(TUESDAY, 9, 0);
    let intervals = explain(&facts, &rules(), &weekdays(9, 17), Resolution, as_of);
    assert_eq!(intervals, Ok(Vec::new()));
}

#[test]
fn explanation_has_a_maximum() {
    // Open for the first half of every hour of four days: 96 times a week, and closed as often.
    let days = &Weekday::ALL[..4];
    let halves = days
        .iter()
        .flat_map(|day| (0..24).map(|hour| (*day, hour * 60, hour * 60 + 30)));
    let calendar = weekly(halves);
    let facts = ticket([opened(at(MONDAY, 0, 0), 3)]);
    let (weeks, rest) = (INTERVALS_MAX / 192, INTERVALS_MAX % 192);
    let minutes = i64::try_from(weeks * 7 * 24 * 60 + rest * 30).unwrap();
    let explained = |as_of| explain(&facts, &rules(), &calendar, Resolution, as_of);
    let longest = explained(at(MONDAY, 0, minutes)).unwrap();
    assert_eq!(longest.len(), INTERVALS_MAX);
    let one_more = explained(at(MONDAY, 0, minutes + 1));
    assert_eq!(one_more, Err(ExplainError::TooManyIntervals));
}

#[test]
fn every_rule_has_its_own_sentence() {
    use ExplainRule::{
        CalendarClosed, Finished, Opened, PausedByState, Reopened, Responded, Resumed,
        WaitsOnClient, WaitsOnOutsideParty, WaitsOnPartner,
    };
    let rules = [
        Opened,
        Resumed,
        Reopened,
        WaitsOnClient,
        WaitsOnPartner,
        WaitsOnOutsideParty,
        PausedByState,
        CalendarClosed,
        Responded,
        Finished,
    ];
    let sentences: std::collections::BTreeSet<_> =
        rules.into_iter().map(ExplainRule::sentence).collect();
    assert_eq!(sentences.len(), rules.len());
    assert!(sentences.iter().all(|sentence| sentence.ends_with('.')));
}

proptest! {
    #[test]
    fn intervals_tile_the_life_of_the_clock_and_add_up(
        facts in any_facts(),
        rules in any_rules(),
        calendar in any_calendar(),
        as_of in any_instant(),
    ) {
        let ticket = evaluate(&facts, &rules, &calendar, as_of);
        for target_type in TargetType::ALL {
            let intervals = explain(&facts, &rules, &calendar, target_type, as_of).unwrap();
            let clock = ticket.clocks.iter().find(|clock| clock.target_type == target_type);
            let Some(clock) = clock else {
                prop_assert_eq!(intervals, Vec::new());
                continue;
            };
            let mut reached = clock.started_at;
            let mut consumed = Span::ZERO;
            for interval in &intervals {
                prop_assert_eq!(interval.from, reached);
                prop_assert!(interval.from < interval.to);
                let working = calendar.elapsed(interval.from, interval.to);
                let runs = interval.state == ClockState::Running;
                prop_assert_eq!(interval.consumed, if runs { working } else { Span::ZERO });
                let charged = if interval.charged_to.is_some() { working } else { Span::ZERO };
                prop_assert_eq!(interval.charged, charged);
                consumed = consumed.saturating_add(interval.consumed);
                reached = interval.to;
            }
            prop_assert_eq!(reached, clock.stopped_at.unwrap_or(as_of));
            prop_assert_eq!(consumed, clock.consumed);
        }
    }
}
