//! The rules of a clock that no acceptance scenario tells apart.

use super::*;

#[test]
fn deadline_reached_exactly_is_met() {
    for (end, verdict) in [
        (at(MONDAY, 11, 0), Verdict::Met),
        (just_after(at(MONDAY, 11, 0)), Verdict::Breached),
    ] {
        let facts = ticket([opened(at(MONDAY, 9, 0), 1), moved(end, Resolved)]);
        assert_eq!(resolution(&facts, at(FRIDAY, 9, 0)).verdict, verdict);
    }
}

#[test]
fn breach_needs_no_length_of_time() {
    // Raised and resolved by one fact, and raised and lowered again within one instant.
    let noon = at(MONDAY, 12, 0);
    let raised_by_the_last = TicketFact {
        state: Some(Resolved),
        ..prioritised(noon, 1)
    };
    let facts = ticket([opened(at(MONDAY, 9, 0), 4), raised_by_the_last]);
    let clock = resolution(&facts, noon);
    assert_eq!(
        (clock.verdict, clock.priority),
        (Verdict::Breached, priority(1))
    );
    let facts = ticket([
        opened(at(MONDAY, 9, 0), 4),
        prioritised(noon, 1),
        prioritised(noon, 4),
    ]);
    let clock = resolution(&facts, noon);
    assert_eq!(
        (clock.verdict, clock.breached_at),
        (Verdict::Breached, Some(noon))
    );
    assert_eq!(
        (clock.priority, clock.due_at),
        (priority(4), Some(at(TUESDAY, 17, 0)))
    );
}

#[test]
fn reopening_at_the_whole_target_is_no_breach_yet() {
    let facts = ticket([
        opened(at(MONDAY, 9, 0), 1),
        moved(at(MONDAY, 11, 0), Resolved),
        moved(at(MONDAY, 13, 0), InProgress),
    ]);
    assert_eq!(
        resolution(&facts, at(MONDAY, 13, 0)).verdict,
        Verdict::Running
    );
    let clock = resolution(&facts, just_after(at(MONDAY, 13, 0)));
    assert_eq!(
        (clock.verdict, clock.breached_at),
        (Verdict::Breached, Some(at(MONDAY, 13, 0)))
    );
}

#[test]
fn clock_counts_from_the_opening_once_a_priority_is_known() {
    let facts = ticket([
        TicketFact {
            opened_at: Some(at(MONDAY, 9, 0)),
            ..blank(at(MONDAY, 9, 30))
        },
        prioritised(at(MONDAY, 12, 0), 2),
    ]);
    let ticket_before = evaluate(&facts, &rules(), &weekdays(9, 17), at(MONDAY, 11, 0));
    assert_eq!(
        (ticket_before.clocks.len(), ticket_before.priority),
        (0, None)
    );
    assert_eq!(ticket_before.opened_at, at(MONDAY, 9, 0));
    let clock = resolution(&facts, at(MONDAY, 12, 0));
    assert_eq!(
        (clock.started_at, clock.consumed),
        (at(MONDAY, 9, 0), Span::from_hours(3))
    );
    assert_eq!(
        response(&facts, at(MONDAY, 12, 0)).breached_at,
        Some(at(MONDAY, 12, 0))
    );
}

#[test]
fn nothing_is_judged_where_nothing_is_promised() {
    let never = ticket([
        opened(at(MONDAY, 9, 0), 5),
        moved(at(FRIDAY, 9, 0), Resolved),
    ]);
    let evaluated = evaluate(&never, &rules(), &weekdays(9, 17), at(FRIDAY, 9, 0));
    assert_eq!(
        (evaluated.clocks.len(), evaluated.priority),
        (0, Some(priority(5)))
    );
    let facts = ticket([
        opened(at(MONDAY, 9, 0), 2),
        prioritised(at(MONDAY, 10, 0), 5),
    ]);
    let clock = resolution(&facts, at(FRIDAY, 9, 0));
    assert_eq!(
        (clock.verdict, clock.priority),
        (Verdict::Running, priority(5))
    );
    assert_eq!((clock.target, clock.due_at), (Span::from_hours(4), None));
    assert_eq!(clock.next_crossing, None);
}

#[test]
fn facts_before_the_opening_take_effect_at_the_opening() {
    let early = TicketFact {
        opened_at: Some(at(MONDAY, 10, 0)),
        ..opened(at(MONDAY, 9, 0), 1)
    };
    let facts = ticket([TicketFact {
        opened_at: Some(at(MONDAY, 10, 0)),
        ..early
    }]);
    let before = evaluate(&facts, &rules(), &weekdays(9, 17), at(MONDAY, 9, 30));
    assert_eq!(
        (before.clocks.len(), before.opened_at),
        (0, at(MONDAY, 10, 0))
    );
    assert_eq!(
        resolution(&facts, at(MONDAY, 11, 0)).consumed,
        Span::from_hours(1)
    );
}

#[test]
fn no_facts_make_no_clocks() {
    let as_of = at(MONDAY, 9, 0);
    let ticket = evaluate(&[], &rules(), &weekdays(9, 17), as_of);
    assert_eq!(
        (ticket.state, ticket.opened_at, ticket.clocks.len()),
        (New, as_of, 0)
    );
}

#[test]
fn words_are_checked_where_they_come_in() {
    assert_eq!(Priority::new(0), None);
    assert_eq!(Priority::new(6), None);
    assert_eq!(Priority::try_from(6), Err(PriorityOutOfRange(6)));
    assert!(serde_json::from_str::<Priority>("6").is_err());
    assert_eq!(
        serde_json::from_str::<Priority>("5").unwrap(),
        Priority::LOWEST
    );
    assert_eq!(
        serde_json::to_string(&WaitingOnOutsideParty).unwrap(),
        "\"waiting_on_outside_party\""
    );
    let fact = serde_json::to_string(&prioritised(at(MONDAY, 9, 0), 1)).unwrap();
    assert!(serde_json::from_str::<TicketFact>(&fact).is_ok());
    assert!(serde_json::from_str::<TicketFact>(&fact.replace("priority", "urgency")).is_err());
}

#[test]
fn thresholds_are_listed_in_any_order_and_rounded_up() {
    let mut rules = ClockRules {
        thresholds_bps: vec![7_500, 10_000, 5_000, 7_500],
        ..rules()
    };
    rules.targets = vec![ServiceLevelTarget {
        target_type: TargetType::Resolution,
        priority: priority(1),
        duration: Span::from_micros(3),
    }];
    let start = at(MONDAY, 9, 0);
    let facts = ticket([opened(start, 1)]);
    let evaluated = |micros| {
        let as_of = start.saturating_add(Span::from_micros(micros));
        evaluate(&facts, &rules, &weekdays(9, 17), as_of)
            .clocks
            .remove(0)
    };
    let crossings = [(5_000, 2), (7_500, 3), (10_000, 4)];
    let crossings = crossings.map(|(threshold_bps, micros)| {
        (
            threshold_bps,
            start.saturating_add(Span::from_micros(micros)),
        )
    });
    assert_eq!(crossed(&evaluated(1)), []);
    assert_eq!(crossed(&evaluated(2)), crossings[..1]);
    assert_eq!(crossed(&evaluated(9)), crossings);
}

#[test]
fn opening_outside_working_hours_consumes_nothing_until_they_begin() {
    let facts = ticket([opened(at(MONDAY, 6, 0), 1)]);
    let early = resolution(&facts, at(MONDAY, 8, 59));
    assert_eq!(
        (early.state, early.consumed),
        (ClockState::OutsideHours, Span::ZERO)
    );
    assert_eq!(
        (early.started_at, early.due_at),
        (at(MONDAY, 6, 0), Some(at(MONDAY, 11, 0)))
    );
}
