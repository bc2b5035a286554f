//! What the tests of clocks share. Calendars are open on weekdays, in UTC.

mod promises;
pub(in crate::domain::sla) mod properties;
mod rules;
mod scenarios;
mod terms;

use std::collections::BTreeSet;

use super::*;
use crate::domain::sla::calendar::{
    CalendarSpecification, MinuteOfDay, Weekday, WeeklyWindow, pinned_zone,
};
use crate::domain::time::{MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_MINUTE};
use TicketState::{
    Closed, InProgress, New, Resolved, WaitingOnClient, WaitingOnOutsideParty, WaitingOnPartner,
};

/// Days of the week that begins on Monday, 2026-03-02.
pub(in crate::domain::sla) const MONDAY: i64 = 20_514;
pub(in crate::domain::sla) const TUESDAY: i64 = MONDAY + 1;
const WEDNESDAY: i64 = MONDAY + 2;
const FRIDAY: i64 = MONDAY + 4;
const NEXT_MONDAY: i64 = MONDAY + 7;

pub(in crate::domain::sla) fn at(day: i64, hour: i64, minute: i64) -> Timestamp {
    Timestamp::from_micros(
        day * MICROS_PER_DAY + hour * MICROS_PER_HOUR + minute * MICROS_PER_MINUTE,
    )
}

/// Open on weekdays from one full hour to another, in UTC.
pub(in crate::domain) fn weekdays(opens: u16, closes: u16) -> CompiledCalendar {
    let days = &Weekday::ALL[..5];
    weekly(days.iter().map(|day| (*day, opens * 60, closes * 60)))
}

/// Open every week from one minute of a day to another, in UTC.
pub(in crate::domain::sla) fn weekly(
    windows: impl Iterator<Item = (Weekday, u16, u16)>,
) -> CompiledCalendar {
    let minute = |number| MinuteOfDay::from_minutes(number).unwrap();
    let windows = windows.map(|(day, opens, closes)| WeeklyWindow {
        day,
        start: minute(opens),
        end: minute(closes),
    });
    let specification = CalendarSpecification {
        time_zone: "UTC".to_owned(),
        weekly_windows: windows.collect(),
        exceptions: Vec::new(),
    };
    let (_, tzif) = pinned_zone("UTC").unwrap();
    CompiledCalendar::compile(&specification, tzif).unwrap()
}

fn just_after(at: Timestamp) -> Timestamp {
    at.saturating_add(Span::from_micros(1))
}

fn priority(number: u8) -> Priority {
    Priority::new(number).unwrap()
}

/// A fact that says nothing but its instant. Its id is its position among `facts`.
fn blank(occurred_at: Timestamp) -> TicketFact {
    TicketFact {
        event_id: String::new(),
        occurred_at,
        source_sequence: 0,
        opened_at: None,
        priority: None,
        status: None,
        state: None,
        marks: BTreeSet::new(),
        source_priority: None,
        person: None,
        reported_at: None,
        merged_into: None,
        sender: None,
        recorded: None,
    }
}

pub(in crate::domain::sla) fn opened(at: Timestamp, number: u8) -> TicketFact {
    TicketFact {
        opened_at: Some(at),
        priority: Some(priority(number)),
        ..blank(at)
    }
}

fn prioritised(at: Timestamp, number: u8) -> TicketFact {
    TicketFact {
        priority: Some(priority(number)),
        ..blank(at)
    }
}

pub(in crate::domain::sla) fn moved(at: Timestamp, state: TicketState) -> TicketFact {
    TicketFact {
        state: Some(state),
        ..blank(at)
    }
}

fn replied(at: Timestamp) -> TicketFact {
    TicketFact {
        marks: BTreeSet::from([Mark::Responded]),
        ..blank(at)
    }
}

/// Gives the facts ids and sequences in the order in which they are written.
pub(in crate::domain::sla) fn ticket<const N: usize>(facts: [TicketFact; N]) -> Vec<TicketFact> {
    let numbered = facts.into_iter().zip(1..).map(|(fact, number)| TicketFact {
        event_id: format!("event-{number}"),
        source_sequence: number,
        ..fact
    });
    numbered.collect()
}

/// Response in 1 h, 2 h, 4 h, 8 h and resolution in 2 h, 4 h, 8 h, 16 h for priorities 1 to 4;
/// nothing is promised for priority 5.
pub(in crate::domain::sla) fn rules() -> ClockRules {
    let hours = [(1, 1, 2), (2, 2, 4), (3, 4, 8), (4, 8, 16)];
    let targets = hours
        .into_iter()
        .flat_map(|(number, response, resolution)| {
            [
                (TargetType::FirstResponse, response),
                (TargetType::Resolution, resolution),
            ]
            .map(|(target_type, hours)| ServiceLevelTarget {
                target_type,
                priority: priority(number),
                duration: Span::from_hours(hours),
            })
        });
    ClockRules {
        targets: targets.collect(),
        pausing_states: vec![WaitingOnClient, WaitingOnPartner, WaitingOnOutsideParty],
        side: Side::Working,
        response_by_state: false,
        retarget_rule: RetargetRule::Retroactive,
        reopen_rules: Vec::new(),
        thresholds_bps: vec![5_000, 7_500, 10_000],
        escalation_levels: Vec::new(),
    }
}

fn clock(facts: &[TicketFact], as_of: Timestamp, target_type: TargetType) -> ClockEvaluation {
    let ticket = evaluate(facts, &rules(), &weekdays(9, 17), as_of);
    let mut clocks = ticket.clocks.into_iter();
    clocks
        .find(|clock| clock.target_type == target_type)
        .expect("a clock")
}

fn resolution(facts: &[TicketFact], as_of: Timestamp) -> ClockEvaluation {
    clock(facts, as_of, TargetType::Resolution)
}

fn response(facts: &[TicketFact], as_of: Timestamp) -> ClockEvaluation {
    clock(facts, as_of, TargetType::FirstResponse)
}

fn crossed(clock: &ClockEvaluation) -> Vec<(u32, Timestamp)> {
    clock
        .crossings
        .iter()
        .map(|crossing| (bps(crossing.level), crossing.at))
        .collect()
}

fn coming(clock: &ClockEvaluation) -> Option<(u32, Timestamp)> {
    clock
        .next_crossing
        .map(|crossing| (bps(crossing.level), crossing.at))
}

fn bps(level: LevelAt) -> u32 {
    match level {
        LevelAt::Share(bps) => bps,
        LevelAt::BeforeDue(left) => panic!("{left:?} before the deadline is no share"),
    }
}
