//! What other terms would have made of recorded tickets: two evaluations side by side.

use std::collections::BTreeMap;

use super::attainment::attained_bps;
use super::clock::{
    ClockEvaluation, Priority, ServiceLevelTarget, TargetType, TicketEvaluation, Verdict,
};
use super::compiled::CompiledCalendar;
use super::ticket::Ticket;
use crate::domain::refusal::{Reason, Refusal, Violation};
use crate::domain::time::Timestamp;

/// A period in which tickets were opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Period {
    /// First instant; `None` for no beginning.
    pub from: Option<Timestamp>,
    /// First instant after it; `None` for no end.
    pub to: Option<Timestamp>,
}

impl Period {
    /// Whether the ticket was opened in it. One that nothing is known of was not.
    #[must_use]
    pub fn opened_in(&self, ticket: &Ticket) -> bool {
        opened_at(ticket).is_some_and(|at| {
            self.from.is_none_or(|from| at >= from) && self.to.is_none_or(|to| at < to)
        })
    }
}

/// When a ticket was opened: the first instant given as the opening, else that of the first event.
#[must_use]
pub fn opened_at(ticket: &Ticket) -> Option<Timestamp> {
    let told = ticket.facts.iter().find_map(|fact| fact.opened_at);
    told.or_else(|| ticket.facts.first().map(|fact| fact.occurred_at))
}

/// Refuses targets that a calendar cannot hold from `now` on, each at its place in
/// `{path}.targets`.
///
/// # Errors
/// [`Reason::TargetUnreachable`] with every such target.
pub fn require_reachable(
    path: &str,
    targets: &[ServiceLevelTarget],
    calendar: &CompiledCalendar,
    now: Timestamp,
) -> Result<(), Refusal> {
    let unreachable = targets
        .iter()
        .enumerate()
        .filter(|(_, target)| calendar.add(now, target.duration).is_none());
    let violations: Vec<Violation> = unreachable
        .map(|(index, _)| Violation {
            field: format!("{path}.targets[{index}].duration"),
            description: "the calendar never has that much open time".to_owned(),
        })
        .collect();
    if violations.is_empty() {
        return Ok(());
    }
    Err(Refusal::fields(Reason::TargetUnreachable, violations))
}

/// One cycle of a clock that comes out otherwise: at least one of the two is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClockDifference {
    /// What is promised.
    pub target_type: TargetType,
    /// Which cycle, from 1.
    pub cycle: u32,
    /// As it was; `None` if nothing of the sort was promised.
    pub before: Option<ClockEvaluation>,
    /// As it would have been; `None` likewise.
    pub after: Option<ClockEvaluation>,
}

/// The clocks of one ticket that come out otherwise: in verdict, consumed time, deadline or breach;
/// by type and cycle.
#[must_use]
pub fn differences(before: &TicketEvaluation, after: &TicketEvaluation) -> Vec<ClockDifference> {
    let mut pairs: BTreeMap<(TargetType, u32), [Option<&ClockEvaluation>; 2]> = BTreeMap::new();
    for (side, evaluation) in [before, after].into_iter().enumerate() {
        for clock in &evaluation.clocks {
            let pair = pairs.entry((clock.target_type, clock.cycle)).or_default();
            pair[side] = Some(clock);
        }
    }
    let changed = pairs
        .into_iter()
        .filter(|(_, [before, after])| before.map(outcome) != after.map(outcome));
    changed
        .map(|((target_type, cycle), [before, after])| ClockDifference {
            target_type,
            cycle,
            before: before.cloned(),
            after: after.cloned(),
        })
        .collect()
}

/// What two clocks are compared by.
fn outcome(clock: &ClockEvaluation) -> impl PartialEq + use<> {
    (
        clock.verdict,
        clock.consumed,
        clock.due_at,
        clock.breached_at,
    )
}

/// How many clocks came out how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VerdictCounts {
    /// Stopped without a breach.
    pub met: u64,
    /// With a breach, stopped or not.
    pub breached: u64,
    /// Going on without a breach so far.
    pub running: u64,
    /// Neither kept nor broken.
    pub cancelled: u64,
}

impl VerdictCounts {
    fn count(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Met => self.met += 1,
            Verdict::Breached => self.breached += 1,
            Verdict::Running => self.running += 1,
            Verdict::Cancelled => self.cancelled += 1,
        }
    }

    /// Which part of what is decided was met, in basis points, rounded down; `None` if nothing is.
    #[must_use]
    pub fn attained_bps(&self) -> Option<u32> {
        attained_bps(self.met, self.breached)
    }
}

/// Counts of both sides by target type and priority. At most 30 rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Simulation {
    /// By type and priority: before, and after.
    pub rows: BTreeMap<(TargetType, Priority), [VerdictCounts; 2]>,
    /// Tickets counted.
    pub tickets: u64,
    /// Those of them with a difference.
    pub changed: u64,
}

impl Simulation {
    /// Counts a ticket, and returns where it comes out otherwise. Count each ticket once.
    pub fn add(
        &mut self,
        before: &TicketEvaluation,
        after: &TicketEvaluation,
    ) -> Vec<ClockDifference> {
        for (side, evaluation) in [before, after].into_iter().enumerate() {
            for clock in &evaluation.clocks {
                let row = self.rows.entry((clock.target_type, clock.priority));
                row.or_default()[side].count(clock.verdict);
            }
        }
        let differences = differences(before, after);
        self.tickets += 1;
        self.changed += u64::from(!differences.is_empty());
        differences
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::sla::clock::TicketState::{Resolved, WaitingOnClient};
    use crate::domain::sla::clock::tests::properties::{
        any_calendar, any_facts, any_instant, any_rules,
    };
    use crate::domain::sla::clock::tests::{
        MONDAY, TUESDAY, at, moved, opened, rules, ticket, weekdays,
    };
    use crate::domain::sla::clock::{ClockRules, evaluate};
    use crate::domain::time::Span;
    use TargetType::{FirstResponse, Resolution};

    /// The terms of the tests with resolutions in half the time, and no pauses.
    fn stricter() -> ClockRules {
        let mut rules = rules();
        for target in &mut rules.targets {
            if target.target_type == Resolution {
                target.duration = Span::from_micros(target.duration.as_micros() / 2);
            }
        }
        rules.pausing_states.clear();
        rules
    }

    #[test]
    fn verdicts_consumption_and_deadlines_are_compared() {
        let facts = ticket([
            opened(at(MONDAY, 9, 0), 2),
            moved(at(MONDAY, 10, 0), WaitingOnClient),
            moved(at(MONDAY, 13, 0), Resolved),
        ]);
        let as_of = at(TUESDAY, 9, 0);
        let calendar = weekdays(9, 17);
        let before = evaluate(&facts, &rules(), &calendar, as_of);
        let after = evaluate(&facts, &stricter(), &calendar, as_of);
        let mut simulation = Simulation::default();
        let changes = simulation.add(&before, &after);
        let lines: Vec<_> = changes
            .iter()
            .map(|change| {
                let side = |clock: &Option<ClockEvaluation>| {
                    clock.as_ref().map(|clock| (clock.verdict, clock.consumed))
                };
                (
                    change.target_type,
                    side(&change.before),
                    side(&change.after),
                )
            })
            .collect();
        let [hour, four] = [1, 4].map(Span::from_hours);
        assert_eq!(
            lines,
            [
                // Within two hours while waiting does not count, and four hours if it does.
                (
                    FirstResponse,
                    Some((Verdict::Met, hour)),
                    Some((Verdict::Breached, four))
                ),
                (
                    Resolution,
                    Some((Verdict::Met, hour)),
                    Some((Verdict::Breached, four))
                ),
            ]
        );
        assert_eq!((simulation.tickets, simulation.changed), (1, 1));
        let key = (Resolution, Priority::new(2).unwrap());
        let [before, after] = simulation.rows[&key];
        assert_eq!(before.attained_bps(), Some(10_000));
        assert_eq!((after.met, after.breached), (0, 1));
    }

    #[test]
    fn what_only_one_side_promises_is_a_difference() {
        let facts = ticket([opened(at(MONDAY, 9, 0), 5)]);
        let as_of = at(MONDAY, 12, 0);
        let mut wider = rules();
        wider.targets.push(ServiceLevelTarget {
            target_type: Resolution,
            priority: Priority::LOWEST,
            duration: Span::from_hours(40),
        });
        let calendar = weekdays(9, 17);
        let before = evaluate(&facts, &rules(), &calendar, as_of);
        let after = evaluate(&facts, &wider, &calendar, as_of);
        let changes = differences(&before, &after);
        assert_eq!(changes.len(), 1);
        assert!(changes[0].before.is_none());
        assert!(changes[0].after.is_some());
    }

    #[test]
    fn every_target_out_of_reach_is_listed() {
        let mut targets = rules().targets;
        let calendar = weekdays(9, 17);
        let now = at(MONDAY, 9, 0);
        assert_eq!(require_reachable("draft", &targets, &calendar, now), Ok(()));
        for index in [1, 3] {
            targets[index].duration = Span::from_hours(1_000_000);
        }
        let refusal = require_reachable("draft", &targets, &calendar, now).unwrap_err();
        assert_eq!(refusal.reason, Reason::TargetUnreachable);
        let fields: Vec<_> = refusal
            .violations
            .iter()
            .map(|fault| &fault.field)
            .collect();
        assert_eq!(
            fields,
            ["draft.targets[1].duration", "draft.targets[3].duration"]
        );
    }

    proptest! {
        /// The same terms make no difference, and other terms are counted in full on both sides.
        #[test]
        fn the_same_terms_make_no_difference(
            facts in any_facts(),
            [one, two] in [any_rules(), any_rules()],
            calendar in any_calendar(),
            as_of in any_instant(),
        ) {
            let before = evaluate(&facts, &one, &calendar, as_of);
            prop_assert_eq!(differences(&before, &before), []);
            let after = evaluate(&facts, &two, &calendar, as_of);
            let mut simulation = Simulation::default();
            let changes = simulation.add(&before, &after);
            let count = |side: usize| {
                let counts = simulation.rows.values().map(|row| row[side]);
                counts.map(|c| c.met + c.breached + c.running + c.cancelled).sum::<u64>()
            };
            prop_assert_eq!(count(0), before.clocks.len() as u64);
            prop_assert_eq!(count(1), after.clocks.len() as u64);
            for change in changes {
                prop_assert_ne!(&change.before, &change.after);
            }
        }
    }
}
