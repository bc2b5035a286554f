//! e: all six clocks of a ticket with thirty events, against one question to another program.

use std::collections::BTreeSet;
use std::hint::black_box;
use std::time::{Duration, Instant};

use entente::domain::sla::clock::{
    ClockRules, Mark, Priority, ReopenRule, RetargetRule, ServiceLevelTarget, Side, TargetType,
    TicketFact, TicketState, evaluate,
};
use entente::domain::time::{MICROS_PER_DAY, MICROS_PER_HOUR, Span, Timestamp};

use super::Rounds;
use super::calendar::{BEGIN, ours, workclock};
use super::table::Table;

/// Events of the ticket.
const EVENTS: i64 = 30;
/// How many times it is evaluated between two looks at the clock.
const AT_A_TIME: u32 = 20;

fn rules() -> ClockRules {
    let target = |target_type, number: u8| ServiceLevelTarget {
        target_type,
        priority: Priority::new(number).expect("a priority"),
        duration: Span::from_hours(8 * i64::from(number)),
    };
    let targets = TargetType::ALL.into_iter();
    ClockRules {
        side: Side::Working,
        targets: targets
            .flat_map(|target_type| (1..=3).map(move |number| target(target_type, number)))
            .collect(),
        pausing_states: vec![TicketState::WaitingOnClient, TicketState::WaitingOnPartner],
        response_by_state: false,
        retarget_rule: RetargetRule::Retroactive,
        reopen_rules: vec![entente::domain::sla::clock::TargetReopenRule {
            target_type: TargetType::Resolution,
            rule: ReopenRule::Resume,
        }],
        thresholds_bps: vec![5_000, 7_500, 10_000],
        escalation_levels: Vec::new(),
    }
}

/// Thirty events over a month: states, messages, answers, and three changes of priority.
fn facts() -> Vec<TicketFact> {
    let states = [
        TicketState::InProgress,
        TicketState::WaitingOnClient,
        TicketState::InProgress,
        TicketState::WaitingOnPartner,
        TicketState::InProgress,
    ];
    let marks = [Mark::MessageReceived, Mark::Responded, Mark::Updated];
    let numbers = 0..EVENTS;
    let fact = |number: i64| {
        let place = usize::try_from(number).expect("small");
        TicketFact {
            occurred_at: Timestamp::from_micros(BEGIN + number * 23 * MICROS_PER_HOUR),
            source_sequence: 0,
            event_id: format!("event-{number}"),
            opened_at: (number == 0).then(|| Timestamp::from_micros(BEGIN)),
            priority: (number % 10 == 0)
                .then(|| Priority::new(u8::try_from(number / 10 + 1).expect("1 to 3")))
                .flatten(),
            source_priority: None,
            status: None,
            state: Some(states[place % states.len()]),
            marks: BTreeSet::from([marks[place % marks.len()]]),
            person: None,
            reported_at: None,
            merged_into: None,
            sender: None,
            recorded: None,
        }
    };
    numbers.map(fact).collect()
}

fn nanoseconds(length: Duration, mut work: impl FnMut(i64)) -> f64 {
    let begun = Instant::now();
    let mut done = 0_u32;
    while begun.elapsed() < length {
        for step in 0..AT_A_TIME {
            work(i64::from((done + step) % 5_800));
        }
        done += AT_A_TIME;
    }
    begun.elapsed().as_secs_f64() * 1e9 / f64::from(done)
}

pub fn measure(rounds: Rounds, table: &mut Table) {
    let (calendar, theirs) = (ours(), workclock());
    let (rules, facts) = (rules(), facts());
    let as_of = Timestamp::from_micros(BEGIN + 40 * MICROS_PER_DAY);
    let shown = evaluate(&facts, &rules, &calendar, as_of);
    let types: BTreeSet<_> = shown.clocks.iter().map(|clock| clock.target_type).collect();
    assert_eq!(
        types.len(),
        TargetType::ALL.len(),
        "all six clocks have run"
    );
    let length = rounds.length / 10;
    let (mut ours, mut peer) = (Vec::new(), Vec::new());
    for _ in 0..rounds.count {
        ours.push(nanoseconds(length, |hour| {
            let as_of = Timestamp::from_micros(as_of.as_micros() + hour);
            black_box(evaluate(
                black_box(&facts),
                &rules,
                &calendar,
                black_box(as_of),
            ));
        }));
        peer.push(nanoseconds(length, |hour| {
            let from = BEGIN + hour * MICROS_PER_HOUR + 1;
            let instant = |at| jiff::Timestamp::from_microsecond(at).expect("an instant");
            black_box(theirs.between(instant(from), instant(from + MICROS_PER_DAY)));
        }));
    }
    let what = "e six clocks over 30 events, against workclock over 1 day";
    table.add(what, "ns", ours, peer);
}
