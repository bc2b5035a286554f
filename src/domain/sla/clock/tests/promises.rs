//! The six promises: when each clock begins, stops, and begins anew.

use super::*;
use crate::domain::sla::explain::{ExplainRule, explain_case};

/// One promise at priority 1, in hours; states that wait pause.
fn promise(promises: &[(TargetType, i64)]) -> ClockRules {
    let targets = promises
        .iter()
        .map(|(target_type, hours)| ServiceLevelTarget {
            target_type: *target_type,
            priority: priority(1),
            duration: Span::from_hours(*hours),
        });
    ClockRules {
        targets: targets.collect(),
        ..rules()
    }
}

fn marked(at: Timestamp, mark: Mark) -> TicketFact {
    TicketFact {
        marks: BTreeSet::from([mark]),
        ..blank(at)
    }
}

/// (cycle, verdict, consumed minutes, started, stopped) of every cycle of a type.
type Shown = (u32, Verdict, i64, Timestamp, Option<Timestamp>);

fn cycles(
    facts: &[TicketFact],
    rules: &ClockRules,
    target_type: TargetType,
    as_of: Timestamp,
) -> Vec<Shown> {
    let clocks = evaluate(facts, rules, &weekdays(9, 17), as_of).clocks;
    clocks
        .into_iter()
        .filter(|clock| clock.target_type == target_type)
        .map(|clock| {
            (
                clock.cycle,
                clock.verdict,
                clock.consumed.as_micros() / MICROS_PER_MINUTE,
                clock.started_at,
                clock.stopped_at,
            )
        })
        .collect()
}

#[test]
fn s06_next_response_counts_from_the_oldest_unanswered_message() {
    let rules = promise(&[
        (TargetType::FirstResponse, 1),
        (TargetType::NextResponse, 2),
    ]);
    let facts = ticket([
        opened(at(MONDAY, 9, 0), 1),
        // Before the first response, the first response clock counts.
        marked(at(MONDAY, 9, 10), Mark::MessageReceived),
        replied(at(MONDAY, 9, 30)),
        marked(at(MONDAY, 10, 0), Mark::MessageReceived),
        marked(at(MONDAY, 10, 30), Mark::MessageReceived),
        replied(at(MONDAY, 11, 0)),
        // An answer that nobody waits for.
        replied(at(MONDAY, 11, 30)),
        marked(at(MONDAY, 12, 0), Mark::MessageReceived),
        // While the ball is in their court, nothing is owed.
        moved(at(MONDAY, 12, 30), WaitingOnClient),
        moved(at(MONDAY, 15, 0), InProgress),
    ]);
    let expected = vec![
        (
            1,
            Verdict::Met,
            60,
            at(MONDAY, 10, 0),
            Some(at(MONDAY, 11, 0)),
        ),
        (2, Verdict::Running, 90, at(MONDAY, 12, 0), None),
    ];
    assert_eq!(
        cycles(&facts, &rules, TargetType::NextResponse, at(MONDAY, 16, 0)),
        expected
    );
    let first = cycles(&facts, &rules, TargetType::FirstResponse, at(MONDAY, 16, 0));
    assert_eq!(first.len(), 1, "there is one first response");
    assert_eq!(first[0].1, Verdict::Met);
}

#[test]
fn s06_a_message_is_answered_late_and_the_next_one_in_time() {
    let rules = promise(&[(TargetType::NextResponse, 1)]);
    let facts = ticket([
        opened(at(MONDAY, 9, 0), 1),
        replied(at(MONDAY, 9, 0)),
        marked(at(MONDAY, 10, 0), Mark::MessageReceived),
        replied(at(MONDAY, 12, 0)),
        marked(at(MONDAY, 13, 0), Mark::MessageReceived),
        moved(at(MONDAY, 13, 30), Resolved),
    ]);
    let verdicts: Vec<Verdict> =
        cycles(&facts, &rules, TargetType::NextResponse, at(TUESDAY, 9, 0))
            .iter()
            .map(|cycle| cycle.1)
            .collect();
    assert_eq!(verdicts, [Verdict::Breached, Verdict::Met]);
    let clocks = evaluate(&facts, &rules, &weekdays(9, 17), at(TUESDAY, 9, 0)).clocks;
    assert_eq!(clocks[0].breached_at, Some(at(MONDAY, 11, 0)));
    assert_eq!(crossed(&clocks[1]), [(5_000, at(MONDAY, 13, 30))]);
}

#[test]
fn s07_an_update_is_not_owed_before_the_first_response() {
    let rules = promise(&[(TargetType::FirstResponse, 4), (TargetType::NextUpdate, 2)]);
    let facts = ticket([
        opened(at(MONDAY, 9, 0), 1),
        marked(at(MONDAY, 9, 30), Mark::Updated),
        replied(at(MONDAY, 12, 0)),
        marked(at(MONDAY, 13, 0), Mark::Updated),
        moved(at(MONDAY, 16, 30), Resolved),
    ]);
    let before = cycles(&facts, &rules, TargetType::NextUpdate, at(MONDAY, 11, 0));
    assert_eq!(before, []);
    assert_eq!(
        cycles(&facts, &rules, TargetType::NextUpdate, at(TUESDAY, 9, 0)),
        [
            (
                1,
                Verdict::Met,
                60,
                at(MONDAY, 12, 0),
                Some(at(MONDAY, 13, 0))
            ),
            (
                2,
                Verdict::Breached,
                210,
                at(MONDAY, 13, 0),
                Some(at(MONDAY, 16, 30))
            ),
        ]
    );
}

#[test]
fn plan_and_workaround_are_given_once() {
    let rules = promise(&[(TargetType::ResolutionPlan, 2), (TargetType::Workaround, 3)]);
    let facts = ticket([
        opened(at(MONDAY, 9, 0), 1),
        marked(at(MONDAY, 10, 0), Mark::Planned),
        marked(at(MONDAY, 13, 0), Mark::WorkedAround),
        moved(at(MONDAY, 14, 0), Resolved),
        moved(at(MONDAY, 15, 0), InProgress),
    ]);
    let as_of = at(TUESDAY, 12, 0);
    assert_eq!(
        cycles(&facts, &rules, TargetType::ResolutionPlan, as_of),
        [(
            1,
            Verdict::Met,
            60,
            at(MONDAY, 9, 0),
            Some(at(MONDAY, 10, 0))
        )]
    );
    assert_eq!(
        cycles(&facts, &rules, TargetType::Workaround, as_of),
        [(
            1,
            Verdict::Breached,
            240,
            at(MONDAY, 9, 0),
            Some(at(MONDAY, 13, 0))
        )]
    );
}

#[test]
fn s05_a_reopening_does_what_was_agreed() {
    let facts = ticket([
        opened(at(MONDAY, 9, 0), 1),
        moved(at(MONDAY, 10, 0), Resolved),
        moved(at(MONDAY, 11, 0), InProgress),
    ]);
    let with = |rule| ClockRules {
        reopen_rules: vec![TargetReopenRule {
            target_type: TargetType::Resolution,
            rule,
        }],
        ..promise(&[(TargetType::Resolution, 2)])
    };
    let shown = |rule| {
        cycles(
            &facts,
            &with(rule),
            TargetType::Resolution,
            at(MONDAY, 11, 30),
        )
    };
    let nine = at(MONDAY, 9, 0);
    assert_eq!(
        shown(ReopenRule::Resume),
        [(1, Verdict::Running, 90, nine, None)]
    );
    assert_eq!(
        shown(ReopenRule::Restart),
        [(1, Verdict::Running, 30, nine, None)]
    );
    assert_eq!(
        shown(ReopenRule::NewCycle),
        [
            (1, Verdict::Met, 60, nine, Some(at(MONDAY, 10, 0))),
            (2, Verdict::Running, 30, at(MONDAY, 11, 0), None),
        ]
    );
}

#[test]
fn s24_a_merged_ticket_cancels_its_open_clocks_and_keeps_breaches() {
    let rules = promise(&[
        (TargetType::FirstResponse, 1),
        (TargetType::NextResponse, 1),
        (TargetType::Resolution, 4),
    ]);
    let facts = ticket([
        opened(at(MONDAY, 9, 0), 1),
        marked(at(MONDAY, 11, 0), Mark::Merged),
        replied(at(MONDAY, 12, 0)),
        marked(at(MONDAY, 13, 0), Mark::MessageReceived),
        moved(at(MONDAY, 14, 0), Resolved),
        moved(at(MONDAY, 15, 0), InProgress),
    ]);
    let clocks = evaluate(&facts, &rules, &weekdays(9, 17), at(TUESDAY, 12, 0)).clocks;
    let shown: Vec<_> = clocks
        .iter()
        .map(|clock| (clock.target_type, clock.state, clock.verdict, clock.due_at))
        .collect();
    let cancelled = ClockState::Cancelled;
    assert_eq!(
        shown,
        [
            (
                TargetType::FirstResponse,
                cancelled,
                Verdict::Breached,
                None
            ),
            (TargetType::Resolution, cancelled, Verdict::Cancelled, None),
        ]
    );
    assert!(clocks.iter().all(|clock| clock.next_crossing.is_none()));
}

/// What the other side owes in return.
fn in_return(promises: &[(TargetType, i64)]) -> ClockRules {
    ClockRules {
        side: Side::WaitedFor,
        pausing_states: Vec::new(),
        ..promise(promises)
    }
}

#[test]
fn s17_when_the_ball_crosses_the_other_clock_runs() {
    let facts = ticket([
        opened(at(MONDAY, 9, 0), 1),
        moved(at(MONDAY, 10, 0), WaitingOnPartner),
        moved(at(MONDAY, 11, 0), InProgress),
        moved(at(MONDAY, 12, 0), WaitingOnPartner),
        moved(at(MONDAY, 15, 0), WaitingOnClient),
        moved(at(MONDAY, 16, 0), Resolved),
    ]);
    let back = in_return(&[(TargetType::NextResponse, 2), (TargetType::Resolution, 8)]);
    assert_eq!(
        cycles(&facts, &back, TargetType::NextResponse, at(TUESDAY, 9, 0)),
        [
            (
                1,
                Verdict::Met,
                60,
                at(MONDAY, 10, 0),
                Some(at(MONDAY, 11, 0))
            ),
            (
                2,
                Verdict::Breached,
                180,
                at(MONDAY, 12, 0),
                Some(at(MONDAY, 15, 0))
            ),
        ]
    );
    assert_eq!(
        cycles(&facts, &back, TargetType::Resolution, at(TUESDAY, 9, 0)),
        [(
            1,
            Verdict::Met,
            240,
            at(MONDAY, 10, 0),
            Some(at(MONDAY, 16, 0))
        )]
    );
    // What one side's clock counts while it runs, the other side's is paused: together they tile
    // the ticket's open time up to where a third is waited for.
    let own = promise(&[(TargetType::Resolution, 8)]);
    let working = cycles(&facts, &own, TargetType::Resolution, at(MONDAY, 15, 0));
    let waited = cycles(&facts, &back, TargetType::Resolution, at(MONDAY, 15, 0));
    assert_eq!(working[0].2 + waited[0].2, 6 * 60);
}

#[test]
fn the_first_answer_in_return_may_be_promised_apart() {
    let facts = ticket([
        opened(at(MONDAY, 9, 0), 1),
        moved(at(MONDAY, 10, 0), WaitingOnPartner),
        moved(at(MONDAY, 10, 30), InProgress),
        moved(at(MONDAY, 11, 0), WaitingOnPartner),
    ]);
    let back = in_return(&[
        (TargetType::FirstResponse, 1),
        (TargetType::NextResponse, 2),
    ]);
    let as_of = at(MONDAY, 11, 30);
    let first = cycles(&facts, &back, TargetType::FirstResponse, as_of);
    let next = cycles(&facts, &back, TargetType::NextResponse, as_of);
    assert_eq!(
        (first.len(), first[0].2, next.len(), next[0].2),
        (1, 30, 1, 30)
    );
    assert_eq!(next[0].3, at(MONDAY, 11, 0));
}

#[test]
fn before_the_ball_crosses_nothing_is_owed_in_return() {
    let facts = ticket([opened(at(MONDAY, 9, 0), 1)]);
    let back = in_return(&[(TargetType::Resolution, 1)]);
    assert!(
        evaluate(&facts, &back, &weekdays(9, 17), at(TUESDAY, 9, 0))
            .clocks
            .is_empty()
    );
}

#[test]
fn every_cycle_is_explained_by_itself() {
    let rules = promise(&[(TargetType::NextResponse, 2)]);
    let facts = ticket([
        opened(at(MONDAY, 9, 0), 1),
        replied(at(MONDAY, 9, 0)),
        marked(at(MONDAY, 10, 0), Mark::MessageReceived),
        replied(at(MONDAY, 11, 0)),
        marked(at(MONDAY, 16, 0), Mark::MessageReceived),
    ]);
    let calendar = weekdays(9, 17);
    let terms = [Terms {
        from: Timestamp::EARLIEST,
        event_id: "",
        rules: &rules,
        calendar: &calendar,
    }];
    let case = Case::under(&facts, &terms);
    let as_of = at(TUESDAY, 9, 30);
    let explained = |cycle| {
        let explanation = explain_case(&case, TargetType::NextResponse, cycle, as_of).unwrap();
        let intervals = explanation.intervals.into_iter();
        intervals
            .map(|interval| (interval.from, interval.to, interval.rule))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        explained(Some(1)),
        [(
            at(MONDAY, 10, 0),
            at(MONDAY, 11, 0),
            ExplainRule::MessageReceived
        )]
    );
    let last = [
        (
            at(MONDAY, 16, 0),
            at(MONDAY, 17, 0),
            ExplainRule::MessageReceived,
        ),
        (
            at(MONDAY, 17, 0),
            at(TUESDAY, 9, 0),
            ExplainRule::CalendarClosed,
        ),
        (at(TUESDAY, 9, 0), as_of, ExplainRule::MessageReceived),
    ];
    assert_eq!(explained(Some(2)), last);
    assert_eq!(explained(None), last);
    assert_eq!(explained(Some(3)), []);
}
