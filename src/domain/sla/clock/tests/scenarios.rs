//! The acceptance scenarios that concern one ticket's clocks, named after their numbers.

use super::*;

#[test]
fn s01_priority_change_keeps_paused_time() {
    let facts = ticket([
        opened(at(MONDAY, 9, 0), 3),
        moved(at(MONDAY, 10, 0), WaitingOnClient),
        prioritised(at(MONDAY, 12, 0), 2),
        moved(at(MONDAY, 14, 0), InProgress),
    ]);
    let clock = resolution(&facts, at(MONDAY, 15, 0));
    assert_eq!(clock.consumed, Span::from_hours(2));
    assert_eq!(clock.target, Span::from_hours(4));
    assert_eq!(clock.due_at, Some(at(MONDAY, 17, 0)));
    assert_eq!(clock.verdict, Verdict::Running);
}

#[test]
fn s02_no_breach_from_time_inside_a_pause() {
    let facts = ticket([
        opened(at(MONDAY, 9, 0), 2),
        moved(at(MONDAY, 13, 0), WaitingOnClient),
        moved(at(WEDNESDAY, 13, 0), Resolved),
    ]);
    let paused = resolution(&facts, at(WEDNESDAY, 12, 0));
    assert_eq!(
        (paused.state, paused.verdict),
        (ClockState::Paused, Verdict::Running)
    );
    assert_eq!((paused.due_at, paused.next_crossing), (None, None));
    assert_eq!(paused.charged_to, Some(ChargedParty::Client));
    let stopped = resolution(&facts, at(WEDNESDAY, 13, 0));
    assert_eq!(
        (stopped.state, stopped.verdict),
        (ClockState::Stopped, Verdict::Met)
    );
    assert_eq!(stopped.consumed, Span::from_hours(4), "exactly the target");
}

#[test]
fn s03_pausing_after_a_breach_keeps_it() {
    let breach = ticket([
        opened(at(MONDAY, 9, 0), 2),
        moved(just_after(at(MONDAY, 13, 0)), WaitingOnClient),
        prioritised(at(MONDAY, 14, 0), 4),
        moved(at(MONDAY, 15, 0), Resolved),
    ]);
    for as_of in [at(MONDAY, 13, 30), at(MONDAY, 14, 0), at(FRIDAY, 9, 0)] {
        let clock = resolution(&breach, as_of);
        assert_eq!(clock.verdict, Verdict::Breached);
        assert_eq!(clock.breached_at, Some(at(MONDAY, 13, 0)));
    }
}

#[test]
fn s04_pause_outside_working_hours_moves_nothing() {
    let unpaused = ticket([opened(at(MONDAY, 15, 0), 3)]);
    let held = ticket([
        opened(at(MONDAY, 15, 0), 3),
        moved(at(MONDAY, 17, 0), WaitingOnClient),
        moved(at(TUESDAY, 9, 0), InProgress),
    ]);
    for minutes in 0..24 * 60 {
        let as_of = at(TUESDAY, 9, minutes);
        assert_eq!(resolution(&held, as_of), resolution(&unpaused, as_of));
    }
    let exactly_used_up = ticket([
        opened(at(MONDAY, 13, 0), 2),
        moved(at(MONDAY, 17, 0), WaitingOnClient),
        moved(at(TUESDAY, 9, 0), InProgress),
    ]);
    let clock = resolution(&exactly_used_up, at(TUESDAY, 10, 0));
    assert_eq!(clock.breached_at, Some(at(MONDAY, 17, 0)));
}

#[test]
fn s05_reopening_resumes_and_solved_time_does_not_count() {
    let facts = ticket([
        opened(at(MONDAY, 9, 0), 3),
        moved(at(MONDAY, 11, 0), Resolved),
        moved(at(TUESDAY, 11, 0), Closed),
        moved(at(WEDNESDAY, 9, 0), InProgress),
        moved(at(WEDNESDAY, 10, 0), Resolved),
    ]);
    let solved = resolution(&facts, at(TUESDAY, 16, 0));
    assert_eq!(
        (solved.verdict, solved.stopped_at),
        (Verdict::Met, Some(at(MONDAY, 11, 0)))
    );
    assert_eq!((solved.charged_to, solved.due_at), (None, None));
    let reopened = resolution(&facts, at(WEDNESDAY, 9, 30));
    assert_eq!(
        (reopened.verdict, reopened.stopped_at),
        (Verdict::Running, None)
    );
    assert_eq!(reopened.consumed, Span::from_minutes(150));
    assert_eq!(reopened.due_at, Some(at(WEDNESDAY, 15, 0)));
    let again = resolution(&facts, at(FRIDAY, 9, 0));
    assert_eq!(
        (again.verdict, again.stopped_at),
        (Verdict::Met, Some(at(WEDNESDAY, 10, 0)))
    );
    assert_eq!(again.consumed, Span::from_hours(3));
}

#[test]
fn s14_level_counts_working_time_backwards() {
    let facts = ticket([opened(at(MONDAY, 17, 0), 2)]);
    let as_of = at(MONDAY, 20, 0);
    let ticket = evaluate(&facts, &rules(), &weekdays(8, 18), as_of);
    let clock = &ticket.clocks[1];
    assert_eq!(
        (clock.state, clock.charged_to),
        (ClockState::OutsideHours, None)
    );
    assert_eq!(clock.due_at, Some(at(TUESDAY, 11, 0)));
    let half = (5_000, at(TUESDAY, 9, 0));
    assert_eq!(coming(clock), Some(half));
    let ticket = evaluate(&facts, &rules(), &weekdays(8, 18), at(TUESDAY, 9, 0));
    let one_hour_before = (7_500, at(TUESDAY, 10, 0));
    assert_eq!(crossed(&ticket.clocks[1]), [half]);
    assert_eq!(coming(&ticket.clocks[1]), Some(one_hour_before));
}

#[test]
fn s15_friday_evening_runs_over_to_monday() {
    let facts = ticket([opened(at(FRIDAY, 16, 30), 1)]);
    let clock = response(&facts, at(FRIDAY, 16, 45));
    assert_eq!(clock.due_at, Some(at(NEXT_MONDAY, 9, 30)));
}

#[test]
fn s16_each_threshold_fires_once_in_order_on_its_own_clock() {
    let facts = ticket([
        opened(at(MONDAY, 9, 0), 3),
        prioritised(at(MONDAY, 10, 0), 1),
        prioritised(at(MONDAY, 10, 30), 3),
        prioritised(at(MONDAY, 10, 40), 1),
        prioritised(at(MONDAY, 10, 50), 3),
    ]);
    let clock = resolution(&facts, at(MONDAY, 16, 0));
    let (half, three_quarters) = ((5_000, at(MONDAY, 10, 0)), (7_500, at(MONDAY, 10, 30)));
    assert_eq!(crossed(&clock), [half, three_quarters]);
    let end = (10_000, just_after(at(MONDAY, 17, 0)));
    assert_ne!(
        coming(&clock),
        Some(end),
        "that microsecond is no working time"
    );
    let end = (10_000, just_after(at(TUESDAY, 9, 0)));
    assert_eq!(coming(&clock), Some(end));
    assert_eq!(clock.due_at, Some(at(MONDAY, 17, 0)));
    assert_eq!(
        resolution(&facts, at(TUESDAY, 9, 0)).verdict,
        Verdict::Running
    );
    let over = resolution(&facts, end.1);
    assert_eq!(crossed(&over), [half, three_quarters, end]);
    assert_eq!(
        (over.verdict, over.next_crossing),
        (Verdict::Breached, None)
    );
    assert_eq!(over.breached_at, Some(at(MONDAY, 17, 0)));
    let response = response(&facts, at(MONDAY, 16, 0));
    let at_change = [5_000, 7_500].map(|threshold_bps| (threshold_bps, at(MONDAY, 10, 0)));
    assert_eq!(
        crossed(&response)[..2],
        at_change,
        "exactly the whole target is no breach"
    );
    assert_eq!(response.breached_at, Some(at(MONDAY, 10, 0)));
    assert_eq!(
        crossed(&response)[2],
        (10_000, just_after(at(MONDAY, 10, 0)))
    );
}

#[test]
fn s17_time_is_charged_to_whom_the_ticket_waits_on() {
    use ChargedParty::{Beneficiary, Client, Obligor, OutsideParty};
    let facts = ticket([
        opened(at(MONDAY, 9, 0), 3),
        moved(at(MONDAY, 10, 0), WaitingOnClient),
        moved(at(MONDAY, 11, 0), WaitingOnPartner),
        moved(at(MONDAY, 12, 0), WaitingOnOutsideParty),
        moved(at(MONDAY, 13, 0), InProgress),
    ]);
    let charged =
        [9, 10, 11, 12, 13, 18].map(|hour| resolution(&facts, at(MONDAY, hour, 0)).charged_to);
    let parties = [Obligor, Client, Beneficiary, OutsideParty, Obligor].map(Some);
    assert_eq!(charged[..5], parties);
    assert_eq!(
        charged[5], None,
        "nobody is charged while the calendar is closed"
    );
}

#[test]
fn s18_saying_the_same_again_changes_nothing() {
    let once = ticket([
        opened(at(MONDAY, 9, 0), 2),
        moved(at(MONDAY, 10, 0), WaitingOnClient),
        moved(at(MONDAY, 12, 0), InProgress),
    ]);
    let mut again = once.clone();
    again.extend(once.iter().map(|fact| TicketFact {
        occurred_at: fact.occurred_at.saturating_add(Span::from_minutes(20)),
        event_id: format!("{}-again", fact.event_id),
        opened_at: None,
        ..fact.clone()
    }));
    let as_of = at(MONDAY, 16, 0);
    assert_eq!(resolution(&again, as_of), resolution(&once, as_of));
}

#[test]
fn s19_target_is_that_of_the_priority_at_the_time() {
    let facts = ticket([
        opened(at(MONDAY, 9, 0), 4),
        replied(at(MONDAY, 11, 0)),
        prioritised(at(MONDAY, 13, 0), 1),
    ]);
    let as_of = at(MONDAY, 16, 0);
    let response = response(&facts, as_of);
    assert_eq!(
        (response.verdict, response.priority),
        (Verdict::Met, priority(4))
    );
    let resolution = resolution(&facts, as_of);
    assert_eq!(
        (resolution.verdict, resolution.priority),
        (Verdict::Breached, priority(1))
    );
    assert_eq!(
        resolution.breached_at,
        Some(at(MONDAY, 13, 0)),
        "when it was raised"
    );
    assert_eq!(
        resolution.due_at,
        Some(at(MONDAY, 11, 0)),
        "counted from the opening"
    );
}

#[test]
fn s20_finished_clock_is_judged_again_only_from_a_reopening() {
    let finished = [
        opened(at(MONDAY, 9, 0), 4),
        moved(at(MONDAY, 12, 0), Resolved),
        prioritised(at(MONDAY, 13, 0), 1),
    ];
    let facts = ticket(finished.clone());
    let as_of = at(FRIDAY, 9, 0);
    let clock = resolution(&facts, as_of);
    assert_eq!((clock.verdict, clock.priority), (Verdict::Met, priority(4)));
    let [first, second, third] = finished;
    let facts = ticket([first, second, third, moved(at(TUESDAY, 9, 0), InProgress)]);
    let clock = resolution(&facts, as_of);
    assert_eq!(
        (clock.verdict, clock.priority),
        (Verdict::Breached, priority(1))
    );
    assert_eq!(clock.breached_at, Some(at(TUESDAY, 9, 0)));
    assert_eq!(crossed(&clock).last(), Some(&(10_000, at(TUESDAY, 9, 0))));
}

#[test]
fn s23_no_rounding_and_no_dependence_on_input_order() {
    let mut facts = ticket([
        opened(at(MONDAY, 9, 0), 1),
        moved(just_after(at(MONDAY, 11, 0)), Resolved),
    ]);
    facts.reverse();
    let clock = resolution(&facts, at(FRIDAY, 9, 0));
    assert_eq!(clock.consumed, Span::from_micros(2 * MICROS_PER_HOUR + 1));
    assert_eq!((clock.verdict, clock.used_bps), (Verdict::Breached, 10_000));
    sort_facts(&mut facts);
    assert_eq!(facts[0].event_id, "event-1");
}

#[test]
fn s24_resolving_closes_the_open_response_clock() {
    for state in [Resolved, Closed] {
        let facts = ticket([opened(at(MONDAY, 9, 0), 2), moved(at(MONDAY, 10, 0), state)]);
        let clock = response(&facts, at(FRIDAY, 9, 0));
        assert_eq!(
            (clock.verdict, clock.stopped_at),
            (Verdict::Met, Some(at(MONDAY, 10, 0)))
        );
    }
    let facts = ticket([
        opened(at(MONDAY, 9, 0), 2),
        moved(at(MONDAY, 12, 0), Resolved),
        moved(at(MONDAY, 13, 0), InProgress),
    ]);
    let clock = response(&facts, at(FRIDAY, 9, 0));
    assert_eq!(
        (clock.verdict, clock.state),
        (Verdict::Breached, ClockState::Stopped)
    );
    assert_eq!(
        clock.consumed,
        Span::from_hours(3),
        "reopening does not touch it"
    );
}

#[test]
fn s25_duration_target_is_moved_by_a_pause() {
    let facts = ticket([
        opened(at(MONDAY, 9, 0), 2),
        moved(at(MONDAY, 10, 0), WaitingOnOutsideParty),
        moved(at(MONDAY, 11, 30), InProgress),
    ]);
    assert_eq!(
        resolution(&facts, at(MONDAY, 9, 30)).due_at,
        Some(at(MONDAY, 13, 0))
    );
    assert_eq!(
        resolution(&facts, at(MONDAY, 11, 30)).due_at,
        Some(at(MONDAY, 14, 30))
    );
}

#[test]
fn s26_source_says_what_counts_as_a_response() {
    let note = ticket([
        opened(at(MONDAY, 9, 0), 2),
        moved(at(MONDAY, 10, 0), InProgress),
    ]);
    assert_eq!(
        response(&note, at(MONDAY, 10, 30)).state,
        ClockState::Running
    );
    let by_state = ClockRules {
        response_by_state: true,
        ..rules()
    };
    let ticket = evaluate(&note, &by_state, &weekdays(9, 17), at(MONDAY, 10, 30));
    assert_eq!(ticket.clocks[0].stopped_at, Some(at(MONDAY, 10, 0)));
}
