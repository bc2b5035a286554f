//! Changes of terms and targets, agreed dates, and time that is not counted.

use super::*;
use crate::domain::sla::explain::{ExplainRule, explain_case};

const RESOLUTION: TargetType = TargetType::Resolution;

fn with(retarget_rule: RetargetRule) -> ClockRules {
    ClockRules {
        retarget_rule,
        ..rules()
    }
}

fn under<'a>(rules: &'a ClockRules, calendar: &'a CompiledCalendar, from: Timestamp) -> Terms<'a> {
    Terms {
        from,
        event_id: "change",
        rules,
        calendar,
    }
}

fn clock_of(case: &Case<'_>, target_type: TargetType, as_of: Timestamp) -> ClockEvaluation {
    let clocks = evaluate_case(case, as_of).clocks;
    let mut of_type = clocks
        .into_iter()
        .filter(|clock| clock.target_type == target_type);
    of_type.next().expect("a clock")
}

/// The consumed times of the intervals and the adjustments add up to what the clock shows, and the
/// intervals tile the time.
fn check_sum(case: &Case<'_>, target_type: TargetType, as_of: Timestamp) {
    let clock = clock_of(case, target_type, as_of);
    let explanation = explain_case(case, target_type, Some(1), as_of).unwrap();
    let consumed: i64 = explanation
        .intervals
        .iter()
        .map(|interval| interval.consumed.as_micros())
        .sum();
    let adjusted: i64 = explanation
        .adjustments
        .iter()
        .map(|adjustment| adjustment.amount.as_micros())
        .sum();
    assert_eq!(consumed + adjusted, clock.consumed.as_micros());
    for pair in explanation.intervals.windows(2) {
        assert_eq!(pair[0].to, pair[1].from);
    }
}

#[test]
fn a_change_of_priority_counts_as_agreed() {
    // Four hours of eight are used; then the target becomes two hours.
    let facts = ticket([
        opened(at(MONDAY, 9, 0), 3),
        prioritised(at(MONDAY, 13, 0), 1),
    ]);
    let calendar = weekdays(9, 17);
    let expected = [
        (
            RetargetRule::Retroactive,
            270,
            Some(at(MONDAY, 11, 0)),
            Verdict::Breached,
        ),
        (
            RetargetRule::FromChange,
            30,
            Some(at(MONDAY, 15, 0)),
            Verdict::Running,
        ),
        // Half of the old target was used, so half of the new one is left.
        (
            RetargetRule::ProRata,
            90,
            Some(at(MONDAY, 14, 0)),
            Verdict::Running,
        ),
    ];
    for (rule, minutes, due_at, verdict) in expected {
        let rules = with(rule);
        let terms = [under(&rules, &calendar, Timestamp::EARLIEST)];
        let case = Case::under(&facts, &terms);
        let clock = clock_of(&case, RESOLUTION, at(MONDAY, 13, 30));
        assert_eq!(
            (clock.consumed, clock.due_at, clock.verdict),
            (Span::from_minutes(minutes), due_at, verdict),
            "{rule:?}"
        );
        check_sum(&case, RESOLUTION, at(MONDAY, 13, 30));
    }
}

#[test]
fn a_breach_is_dated_at_the_change_that_caused_it() {
    let facts = ticket([
        opened(at(MONDAY, 9, 0), 3),
        prioritised(at(MONDAY, 13, 0), 1),
    ]);
    let clock = resolution(&facts, at(MONDAY, 13, 30));
    assert_eq!(clock.breached_at, Some(at(MONDAY, 13, 0)));
}

#[test]
fn s08_other_terms_cancel_what_they_do_not_promise() {
    let facts = ticket([opened(at(MONDAY, 9, 0), 1)]);
    let (first, calendar) = (rules(), weekdays(9, 17));
    let mut second = rules();
    second
        .targets
        .retain(|target| target.target_type == RESOLUTION);
    let terms = [
        under(&first, &calendar, Timestamp::EARLIEST),
        under(&second, &calendar, at(MONDAY, 9, 30)),
    ];
    let case = Case::under(&facts, &terms);
    let response = clock_of(&case, TargetType::FirstResponse, at(MONDAY, 12, 0));
    assert_eq!(
        (response.state, response.verdict, response.breached_at),
        (ClockState::Cancelled, Verdict::Cancelled, None)
    );
    let resolution = clock_of(&case, RESOLUTION, at(MONDAY, 10, 30));
    assert_eq!(
        (resolution.verdict, resolution.consumed),
        (Verdict::Running, Span::from_minutes(90))
    );
}

#[test]
fn s20_terms_that_come_later_do_not_judge_what_had_stopped() {
    let facts = ticket([
        opened(at(MONDAY, 9, 0), 2),
        moved(at(MONDAY, 12, 0), Resolved),
    ]);
    let (first, calendar) = (rules(), weekdays(9, 17));
    let mut strict = rules();
    for target in &mut strict.targets {
        target.duration = Span::from_minutes(1);
    }
    let terms = [
        under(&first, &calendar, Timestamp::EARLIEST),
        under(&strict, &calendar, at(MONDAY, 13, 0)),
    ];
    let clock = clock_of(&Case::under(&facts, &terms), RESOLUTION, at(TUESDAY, 9, 0));
    assert_eq!(
        (clock.verdict, clock.target),
        (Verdict::Met, Span::from_hours(4))
    );
}

#[test]
fn each_calendar_counts_while_it_is_in_force() {
    let facts = ticket([opened(at(MONDAY, 15, 0), 2)]);
    let rules = rules();
    let (short, long) = (weekdays(9, 17), weekdays(9, 21));
    let terms = [
        under(&rules, &short, Timestamp::EARLIEST),
        under(&rules, &long, at(TUESDAY, 12, 0)),
    ];
    let case = Case::under(&facts, &terms);
    // Monday 15-17, Tuesday 9-12 under the first; until 21 under the second.
    let clock = clock_of(&case, RESOLUTION, at(TUESDAY, 20, 0));
    assert_eq!(clock.consumed, Span::from_hours(2 + 3 + 8));
    assert_eq!(clock.breached_at, Some(at(TUESDAY, 11, 0)));
    check_sum(&case, RESOLUTION, at(TUESDAY, 20, 0));
    let as_if_at_once = [under(&rules, &long, Timestamp::EARLIEST)];
    let other = clock_of(
        &Case::under(&facts, &as_if_at_once),
        RESOLUTION,
        at(TUESDAY, 20, 0),
    );
    assert_eq!(other.consumed, Span::from_hours(6 + 11));
}

#[test]
fn s25_an_agreed_date_is_not_moved_by_a_pause() {
    let facts = ticket([
        opened(at(MONDAY, 9, 0), 1),
        moved(at(MONDAY, 10, 0), WaitingOnClient),
        moved(at(WEDNESDAY, 10, 0), Resolved),
    ]);
    let (rules, calendar) = (rules(), weekdays(9, 17));
    let terms = [under(&rules, &calendar, Timestamp::EARLIEST)];
    let agreed = |due_at| {
        [AgreedDate {
            target_type: RESOLUTION,
            from: at(MONDAY, 9, 30),
            due_at: Some(due_at),
        }]
    };
    let tuesday = agreed(at(TUESDAY, 12, 0));
    let case = Case {
        agreed_dates: &tuesday,
        ..Case::under(&facts, &terms)
    };
    let paused = clock_of(&case, RESOLUTION, at(TUESDAY, 11, 0));
    assert_eq!(
        (paused.due_at, paused.is_agreed_date, paused.verdict),
        (Some(at(TUESDAY, 12, 0)), true, Verdict::Running)
    );
    let late = clock_of(&case, RESOLUTION, at(WEDNESDAY, 12, 0));
    assert_eq!(
        (late.verdict, late.breached_at),
        (Verdict::Breached, Some(at(TUESDAY, 12, 0)))
    );
    // Reaching the date exactly is met.
    let wednesday = agreed(at(WEDNESDAY, 10, 0));
    let case = Case {
        agreed_dates: &wednesday,
        ..case
    };
    assert_eq!(
        clock_of(&case, RESOLUTION, at(FRIDAY, 9, 0)).verdict,
        Verdict::Met
    );
}

#[test]
fn an_agreed_date_that_is_taken_back_leaves_the_target() {
    let facts = ticket([opened(at(MONDAY, 9, 0), 1)]);
    let (rules, calendar) = (rules(), weekdays(9, 17));
    let terms = [under(&rules, &calendar, Timestamp::EARLIEST)];
    let dates = [
        AgreedDate {
            target_type: RESOLUTION,
            from: at(MONDAY, 9, 30),
            due_at: Some(at(FRIDAY, 9, 0)),
        },
        AgreedDate {
            target_type: RESOLUTION,
            from: at(MONDAY, 12, 0),
            due_at: None,
        },
    ];
    let case = Case {
        agreed_dates: &dates,
        ..Case::under(&facts, &terms)
    };
    assert_eq!(
        clock_of(&case, RESOLUTION, at(MONDAY, 11, 59)).verdict,
        Verdict::Running
    );
    let clock = clock_of(&case, RESOLUTION, at(MONDAY, 12, 0));
    assert_eq!(
        (clock.verdict, clock.breached_at),
        (Verdict::Breached, Some(at(MONDAY, 12, 0)))
    );
}

#[test]
fn what_both_sides_exclude_is_not_counted() {
    let facts = ticket([opened(at(MONDAY, 9, 0), 1)]);
    let (rules, calendar) = (rules(), weekdays(9, 17));
    let terms = [under(&rules, &calendar, Timestamp::EARLIEST)];
    let stretch = |id: &str, from, to| ExcludedStretch {
        id: id.to_owned(),
        from,
        to,
    };
    // They overlap, and the second reaches over the night.
    let excluded = [
        stretch("power-cut", at(MONDAY, 10, 0), at(MONDAY, 12, 0)),
        stretch("flood", at(MONDAY, 11, 0), at(TUESDAY, 9, 30)),
    ];
    let case = Case {
        excluded: &excluded,
        ..Case::under(&facts, &terms)
    };
    let clock = clock_of(&case, RESOLUTION, at(MONDAY, 16, 0));
    assert_eq!(
        (clock.state, clock.consumed, clock.due_at, clock.charged_to),
        (ClockState::Excluded, Span::from_hours(1), None, None)
    );
    let after = clock_of(&case, RESOLUTION, at(TUESDAY, 10, 0));
    assert_eq!(
        (after.state, after.consumed, after.due_at),
        (
            ClockState::Running,
            Span::from_minutes(90),
            Some(at(TUESDAY, 10, 30))
        )
    );
    check_sum(&case, RESOLUTION, at(TUESDAY, 10, 0));
    let explanation = explain_case(&case, RESOLUTION, None, at(TUESDAY, 10, 0)).unwrap();
    let rules: Vec<ExplainRule> = explanation
        .intervals
        .iter()
        .map(|interval| interval.rule)
        .collect();
    assert_eq!(
        rules,
        [
            ExplainRule::Opened,
            ExplainRule::Excluded,
            ExplainRule::ExclusionEnded
        ]
    );
}

#[test]
fn s14_levels_by_working_time_before_due_and_by_share_come_in_order() {
    let mut rules = rules();
    let level = |name: &str, at| EscalationLevel {
        name: name.to_owned(),
        escalation_type: EscalationType::Functional,
        at,
        target_types: vec![RESOLUTION],
    };
    rules.escalation_levels = vec![
        level("an hour before", LevelAt::BeforeDue(Span::from_hours(1))),
        level("sooner than that", LevelAt::BeforeDue(Span::from_hours(3))),
        level("late", LevelAt::Share(9_000)),
    ];
    rules.thresholds_bps = vec![10_000];
    // S14: 08-18, four hours, Monday 17:00: due Tuesday 11:00, the level an hour before at 10:00.
    let facts = ticket([opened(at(MONDAY, 17, 0), 2)]);
    let calendar = weekdays(8, 18);
    let clocks = evaluate(&facts, &rules, &calendar, at(TUESDAY, 12, 0)).clocks;
    let of = |target_type| {
        let clock = clocks
            .iter()
            .find(|clock| clock.target_type == target_type)
            .unwrap();
        let crossings = clock.crossings.iter();
        crossings
            .map(|crossing| (crossing.level, crossing.at))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        of(RESOLUTION),
        [
            (LevelAt::BeforeDue(Span::from_hours(3)), at(MONDAY, 18, 0)),
            (LevelAt::BeforeDue(Span::from_hours(1)), at(TUESDAY, 10, 0)),
            (LevelAt::Share(9_000), at(TUESDAY, 10, 36)),
            (LevelAt::BREACH, just_after(at(TUESDAY, 11, 0))),
        ]
    );
    assert_eq!(
        of(TargetType::FirstResponse),
        [(LevelAt::BREACH, just_after(at(TUESDAY, 9, 0)))]
    );
}

/// A date for the next update is for one update, and not for those that follow.
#[test]
fn an_agreed_date_of_what_recurs_is_for_one_time() {
    let told = |at: Timestamp| TicketFact {
        marks: [Mark::Updated].into(),
        ..blank(at)
    };
    let facts = ticket([
        opened(at(MONDAY, 9, 0), 1),
        replied(at(MONDAY, 10, 0)),
        told(at(MONDAY, 12, 0)),
        told(at(MONDAY, 13, 0)),
    ]);
    let mut rules = rules();
    rules.targets.push(ServiceLevelTarget {
        target_type: TargetType::NextUpdate,
        priority: priority(1),
        duration: Span::from_hours(1),
    });
    let calendar = weekdays(9, 17);
    let terms = [under(&rules, &calendar, Timestamp::EARLIEST)];
    for (agreed_at, due_at, expected) in [
        // The cycle from ten on was under way, and those after it have their duration again.
        (
            at(MONDAY, 10, 30),
            at(MONDAY, 12, 30),
            [Verdict::Met, Verdict::Met, Verdict::Running],
        ),
        // Agreed before there was any: it is for the first one.
        (
            at(MONDAY, 9, 30),
            at(MONDAY, 12, 30),
            [Verdict::Met, Verdict::Met, Verdict::Running],
        ),
        (
            at(MONDAY, 10, 30),
            at(MONDAY, 11, 30),
            [Verdict::Breached, Verdict::Met, Verdict::Running],
        ),
    ] {
        let dates = [AgreedDate {
            target_type: TargetType::NextUpdate,
            from: agreed_at,
            due_at: Some(due_at),
        }];
        let case = Case {
            agreed_dates: &dates,
            ..Case::under(&facts, &terms)
        };
        let clocks = evaluate_case(&case, at(MONDAY, 13, 30)).clocks;
        let updates = clocks
            .iter()
            .filter(|clock| clock.target_type == TargetType::NextUpdate);
        let verdicts: Vec<Verdict> = updates.map(|clock| clock.verdict).collect();
        assert_eq!(verdicts, expected);
    }
}
