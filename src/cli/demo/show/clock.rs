//! Shows one ticket's clock interval by interval.

use std::collections::BTreeMap;

use prost_types::Duration;

use super::words::{
    NOTHING, charged, clock_state, length, moment, percent, same_day, time_of_day, to_the_second,
    verdict,
};
use crate::cli::demo::desk::HARBOUR;
use crate::cli::demo::history::Explained;
use crate::cli::demo::quarter::{LocalTime, MINUTE};
use crate::cli::demo::stage::seconds;
use crate::cli::page::Page;
use crate::proto::v1;

/// The whole, in basis points.
const WHOLE_BPS: i64 = 10_000;

/// Adds the section about one clock.
pub fn show(page: &mut Page, explained: &Explained, time: &LocalTime) {
    page.heading("2. One clock, second by second");
    let Explained {
        number,
        ticket,
        clock,
        intervals,
        events,
    } = explained;
    page.say(&format!(
        "Ticket {number} of Harbour IT: \"{}\". Harbour IT owes Nightdesk a resolution within {} \
         of its office hours (priority {}).",
        ticket.title,
        length(clock.target),
        clock.priority,
    ));
    page.gap();
    let labels = labels(events);
    let rules = rules(intervals);
    let used = used(intervals);
    let shown = |interval| row(interval, &labels, &rules, time);
    let mut rows: Vec<[String; 8]> = intervals.iter().map(shown).collect();
    let mut sum = ["Sum", "", "", "", "", "", "", ""].map(str::to_owned);
    sum[7] = to_the_second(Some(used));
    rows.push(sum);
    let header = [
        "From",
        "To",
        "Clock",
        "Event",
        "Why",
        "Charged to",
        "Charged",
        "Used",
    ];
    page.table(header, rows, &[6, 7], &[3]);
    for (letter, rule) in &rules {
        page.hang(&format!("{letter}  "), rule);
    }
    page.gap();
    page.say(&format!(
        "The clock shows {} of {} ({}): {}.",
        length(clock.consumed),
        length(clock.target),
        percent(clock.percent_used_bps, WHOLE_BPS),
        verdict(clock.verdict()),
    ));
    let equal = clock.consumed == Some(used);
    let compared = if equal {
        "exactly the same"
    } else {
        "NOT THE SAME"
    };
    page.say(&format!(
        "The intervals add up to {}: {compared}.",
        length(Some(used))
    ));
    show_priorities(page, events, time);
    page.say(&format!("Who took the open hours: {}.", taken(intervals)));
}

/// What the intervals used, added up to the nanosecond.
fn used(intervals: &[v1::ClockInterval]) -> Duration {
    let mut sum = Duration::default();
    for used in intervals.iter().filter_map(|interval| interval.consumed) {
        sum.seconds += used.seconds;
        sum.nanos += used.nanos;
        sum.normalize();
    }
    sum
}

/// What each event did, in the PSA's own words.
fn labels(events: &[v1::TicketEvent]) -> BTreeMap<&str, String> {
    let label = |event: &v1::TicketEvent| {
        let priority = event
            .priority
            .map(|priority| format!("priority {priority}"));
        let parts: Vec<String> = event.status.iter().cloned().chain(priority).collect();
        parts.join(", ")
    };
    events
        .iter()
        .map(|event| (event.event_id.as_str(), label(event)))
        .collect()
}

/// Each rule once, with a letter, in the order of appearance.
fn rules(intervals: &[v1::ClockInterval]) -> Vec<(char, &str)> {
    let mut rules: Vec<(char, &str)> = Vec::new();
    for interval in intervals {
        if rules.iter().all(|(_, rule)| *rule != interval.rule) {
            let letter = ('a'..='z').nth(rules.len()).unwrap_or('z');
            rules.push((letter, &interval.rule));
        }
    }
    rules
}

fn row(
    interval: &v1::ClockInterval,
    labels: &BTreeMap<&str, String>,
    rules: &[(char, &str)],
    time: &LocalTime,
) -> [String; 8] {
    let (start, end) = (interval.start_time, interval.end_time);
    let counts = |span: Option<Duration>| {
        if span.is_some_and(|span| span.seconds > 0) {
            to_the_second(span)
        } else {
            String::new()
        }
    };
    let rule = rules.iter().find(|(_, rule)| *rule == interval.rule);
    let who = charged(interval.charged_to.as_ref());
    [
        moment(time, start),
        if same_day(time, start, end) {
            time_of_day(time, end)
        } else {
            moment(time, end)
        },
        clock_state(interval.state()).to_owned(),
        labels
            .get(interval.event_id.as_str())
            .cloned()
            .unwrap_or_default(),
        rule.map(|(letter, _)| letter.to_string())
            .unwrap_or_default(),
        if who == NOTHING { String::new() } else { who },
        counts(interval.charged),
        counts(interval.consumed),
    ]
}

/// Each change of the priority, and what it did to the target.
fn show_priorities(page: &mut Page, events: &[v1::TicketEvent], time: &LocalTime) {
    let within = |priority: i32| {
        let index = usize::try_from(priority - 1).ok();
        let minutes = index.and_then(|index| HARBOUR.resolution_minutes.get(index));
        length(minutes.map(|minutes| seconds(minutes * MINUTE)))
    };
    let mut before: Option<i32> = None;
    for event in events {
        if let (Some(old), Some(new)) = (before, event.priority) {
            page.say(&format!(
                "Priority {old} became {new} on {}: {} instead of {} from then on, and what was \
                 used before still counts.",
                moment(time, event.occur_time),
                within(new),
                within(old),
            ));
        }
        before = event.priority.or(before);
    }
}

/// How much of the open hours each was charged with.
fn taken(intervals: &[v1::ClockInterval]) -> String {
    let mut taken: BTreeMap<String, i64> = BTreeMap::new();
    for interval in intervals {
        if let (Some(_), Some(span)) = (&interval.charged_to, interval.charged) {
            *taken
                .entry(charged(interval.charged_to.as_ref()))
                .or_default() += span.seconds;
        }
    }
    let parts = taken
        .iter()
        .map(|(who, spent)| format!("{who} {}", length(Some(seconds(*spent)))));
    parts.collect::<Vec<_>>().join(", ")
}
