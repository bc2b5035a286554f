//! What is made of answers: by an agreement, and without one.

use proptest::prelude::*;

use super::*;
use crate::domain::expectation::judgement::{
    Basis, DeadlineJudgement, Feasibility, ImpossibleReason, TIGHT_PART, judge,
};
use crate::domain::sla::agreement::{
    AgreementContent, AgreementType, PriorityMatrixEntry, THRESHOLDS_BPS_DEFAULT,
};
use crate::domain::sla::calendar::{CalendarSpecification, MinuteOfDay, Weekday, WeeklyWindow};
use crate::domain::sla::clock::{Priority, RetargetRule, ServiceLevelTarget, TargetType};
use crate::domain::sla::compiled::CompiledCalendar;
use crate::domain::sla::in_force::PinnedTerms;

/// Working hours that a resolution of priority 2 may take.
const TARGET_HOURS: i64 = 8;

/// `minutes` after midnight of Monday, 3 January 2000.
fn monday(minutes: i64) -> Timestamp {
    let days = Span::from_hours(2 * 24);
    let midnight = Timestamp::EARLIEST.saturating_add(days);
    midnight.saturating_add(Span::from_minutes(minutes))
}

fn hour(hours: i64) -> Timestamp {
    monday(hours * 60)
}

/// Monday to Friday, 09:00 to 17:00 UTC.
fn office() -> CompiledCalendar {
    let windows = Weekday::ALL[..5].iter().map(|day| WeeklyWindow {
        day: *day,
        start: MinuteOfDay::from_minutes(9 * 60).expect("a minute"),
        end: MinuteOfDay::from_minutes(17 * 60).expect("a minute"),
    });
    let specification = CalendarSpecification {
        time_zone: "UTC".to_owned(),
        weekly_windows: windows.collect(),
        exceptions: Vec::new(),
    };
    CompiledCalendar::compile_with_bundled_zone(&specification).expect("a calendar")
}

fn content(matrix: &[PriorityMatrixEntry]) -> AgreementContent {
    AgreementContent {
        display_name: "Desk".to_owned(),
        agreement_type: AgreementType::UnderpinningContract,
        obligor: PartyId::numbered(2),
        beneficiary: PartyId::numbered(1),
        client: None,
        targets: vec![ServiceLevelTarget {
            target_type: TargetType::Resolution,
            priority: Priority::new(2).expect("a priority"),
            duration: Span::from_hours(TARGET_HOURS),
        }],
        calendar: "office".to_owned(),
        calendar_revision: 1,
        response_by_state: false,
        pausing_states: Vec::new(),
        thresholds_bps: THRESHOLDS_BPS_DEFAULT.to_vec(),
        retarget_rule: RetargetRule::default(),
        reopen_rules: Vec::new(),
        escalation_levels: Vec::new(),
        priority_matrix: matrix.to_vec(),
    }
}

/// A team is stopped, at 100.01 euros an hour.
fn stopped_team(deadline: Option<Timestamp>) -> FiveW {
    FiveW {
        who: Who {
            scope: Some(ImpactScope::Team),
            ..Who::default()
        },
        what: What {
            severity: Some(Severity::Stopped),
            cost_per_hour: Some(euros(10_001)),
            description: None,
        },
        when: When {
            deadline,
            reason: None,
            update_interval: None,
        },
        ..FiveW::default()
    }
}

fn euros(cents: i64) -> Money {
    Money::from_minor(Currency::from_code("EUR").expect("a currency"), cents)
}

fn by(content: &AgreementContent, five_w: &FiveW, now: Timestamp) -> Judgement {
    let basis = Basis {
        terms: PinnedTerms {
            agreement: "desk".to_owned(),
            revision: 1,
        },
        content,
        calendar: std::sync::Arc::new(office()),
    };
    judge(five_w, Some(&basis), now)
}

fn of_deadline(deadline: Timestamp, now: Timestamp) -> DeadlineJudgement {
    let judgement = by(&content(&[]), &stopped_team(Some(deadline)), now);
    judgement.deadline.expect("a judgement")
}

#[test]
fn e02_a_deadline_is_feasible_tight_or_impossible_to_the_microsecond() {
    // From Monday at nine, eight hours of work end at five.
    let end = hour(17);
    let tight_until = hour(24 + 11);
    for (deadline, expected) in [
        (
            end.saturating_add(Span::from_micros(-1)),
            Feasibility::Impossible,
        ),
        (end, Feasibility::Tight),
        (
            tight_until.saturating_add(Span::from_micros(-1)),
            Feasibility::Tight,
        ),
        (tight_until, Feasibility::Feasible),
    ] {
        let judged = of_deadline(deadline, hour(9));
        assert_eq!(judged.feasibility, expected, "{deadline}");
        assert_eq!(judged.earliest, Some(end));
        assert_eq!(judged.needed, Span::from_hours(TARGET_HOURS));
        let is_impossible = expected == Feasibility::Impossible;
        let why = ImpossibleReason::TooLittleWorkingTime;
        assert_eq!(judged.reason, is_impossible.then_some(why));
    }
}

#[test]
fn e02_why_a_deadline_is_impossible() {
    // On Friday at five the office closes until Monday.
    let friday = hour(4 * 24 + 17);
    let over = of_deadline(hour(7 * 24 + 9), friday);
    assert_eq!(over.reason, Some(ImpossibleReason::NoWorkingTime));
    assert_eq!(over.available, Span::ZERO);
    assert_eq!(over.earliest, Some(hour(7 * 24 + 17)));
    let past = of_deadline(friday, friday);
    assert_eq!(past.reason, Some(ImpossibleReason::DeadlinePast));
    let short = of_deadline(hour(7 * 24 + 10), friday);
    assert_eq!(short.reason, Some(ImpossibleReason::TooLittleWorkingTime));
    assert_eq!(short.available, Span::from_hours(1));
}

#[test]
fn the_matrix_of_the_agreement_makes_the_priority() {
    let five_w = stopped_team(Some(hour(17)));
    let own = [PriorityMatrixEntry {
        scope: ImpactScope::Team,
        severity: Severity::Stopped,
        priority: Priority::LOWEST,
    }];
    let judged = by(&content(&own), &five_w, hour(9));
    assert_eq!(judged.priority, Some(Priority::LOWEST));
    assert_eq!(judged.deadline, None, "no target for that priority");
    let judged = by(&content(&[]), &five_w, hour(9));
    assert_eq!(judged.priority, Priority::new(2));
    let alone = judge(&five_w, None, hour(9));
    assert_eq!(alone.priority, Priority::new(2));
    assert_eq!((alone.deadline, alone.terms), (None, None));
    let mut open = five_w;
    open.what.severity = None;
    let judged = by(&content(&[]), &open, hour(9));
    assert_eq!((judged.priority, judged.deadline), (None, None));
}

#[test]
fn delay_costs_open_hours_and_is_rounded_down() {
    let per_hour = euros(10_001);
    // Three and a half hours of Friday afternoon, then half an hour of Monday.
    let now = monday((4 * 24 + 13) * 60 + 30);
    let deadline = monday((7 * 24 + 9) * 60 + 30);
    let cost = by(&content(&[]), &stopped_team(Some(deadline)), now)
        .cost_of_delay
        .expect("a cost");
    assert_eq!(cost.per_hour, per_hour);
    assert_eq!(cost.per_day, Some(euros(80_008)), "eight open hours");
    assert_eq!(cost.until_deadline, Some(euros(40_004)));
    let minute = now.saturating_add(Span::from_minutes(1));
    let cost = judge(&stopped_team(Some(minute)), None, now)
        .cost_of_delay
        .expect("a cost");
    assert_eq!(cost.per_day, Some(euros(240_024)), "all hours cost");
    assert_eq!(cost.until_deadline, Some(euros(166)), "of 166.68 cents");
    let mut dear = stopped_team(None);
    dear.what.cost_per_hour = Some(euros(i64::MAX));
    let cost = judge(&dear, None, now).cost_of_delay.expect("a cost");
    assert_eq!((cost.per_day, cost.until_deadline), (None, None));
}

proptest! {
    /// The earliest feasible deadline is the boundary itself, whenever it is asked for.
    #[test]
    fn e02_the_earliest_feasible_deadline_is_just_feasible(minutes in 0..30 * 24 * 60_i64) {
        let now = monday(minutes);
        let earliest = of_deadline(hour(60 * 24), now).earliest.expect("open hours");
        let at_it = of_deadline(earliest, now);
        prop_assert_eq!(at_it.feasibility, Feasibility::Tight);
        prop_assert_eq!(at_it.available, at_it.needed);
        let before = of_deadline(earliest.saturating_add(Span::from_micros(-1)), now);
        prop_assert_eq!(before.feasibility, Feasibility::Impossible);
        prop_assert_eq!(before.earliest, Some(earliest));
        let roomy = office().add(now, Span::from_hours(TARGET_HOURS + TARGET_HOURS / TIGHT_PART));
        let roomy = of_deadline(roomy.expect("open hours"), now);
        prop_assert_eq!(roomy.feasibility, Feasibility::Feasible);
    }
}
