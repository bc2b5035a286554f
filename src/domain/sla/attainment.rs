//! Attainment: how many promises each obligor met, breached, and has still running.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::clock::{Priority, TargetType, TicketEvaluation, Verdict};

/// The promises of one obligor, of one type and for one priority.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttainmentRow {
    /// Who made the promises.
    pub obligor: String,
    /// What was promised.
    pub target_type: TargetType,
    /// The last priority in force while the clock was alive.
    pub priority: Priority,
    /// Clocks that stopped without a breach.
    pub met: u64,
    /// Clocks with a breach, stopped or not.
    pub breached: u64,
    /// Clocks that go on without a breach so far.
    pub running: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    met: u64,
    breached: u64,
    running: u64,
}

/// Counts of clocks by obligor, target type and priority, each cycle for itself. At most 30 for each
/// obligor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attainment {
    obligors: BTreeMap<String, BTreeMap<(TargetType, Priority), Counts>>,
}

impl Attainment {
    /// Nothing counted yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts the clocks of one ticket. Count each ticket once: the same again counts again.
    pub fn accumulate(&mut self, obligor: &str, ticket: &TicketEvaluation) {
        if ticket.clocks.is_empty() {
            return; // An obligor with nothing to count has no rows.
        }
        let rows = self.obligors.entry(obligor.to_owned()).or_default();
        for clock in &ticket.clocks {
            let key = (clock.target_type, clock.priority);
            let counts = rows.entry(key).or_default();
            match clock.verdict {
                Verdict::Met => counts.met += 1,
                Verdict::Breached => counts.breached += 1,
                Verdict::Running => counts.running += 1,
                // Neither kept nor broken.
                Verdict::Cancelled => {}
            }
        }
    }

    /// The counts, ordered by obligor, target type and priority.
    #[must_use]
    pub fn rows(&self) -> Vec<AttainmentRow> {
        let counted = self.obligors.iter().flat_map(|(obligor, rows)| {
            rows.iter().map(move |(key, counts)| (obligor, key, counts))
        });
        counted
            .map(|(obligor, (target_type, priority), counts)| AttainmentRow {
                obligor: obligor.clone(),
                target_type: *target_type,
                priority: *priority,
                met: counts.met,
                breached: counts.breached,
                running: counts.running,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::sla::clock::TicketState::{Resolved, WaitingOnClient};
    use crate::domain::sla::clock::evaluate;
    use crate::domain::sla::clock::tests::{
        MONDAY, TUESDAY, at, moved, opened, rules, ticket, weekdays,
    };
    use TargetType::{FirstResponse, Resolution};

    #[test]
    fn counts_clocks_by_obligor_type_and_priority() {
        let as_of = at(TUESDAY, 9, 0);
        let met = ticket([
            opened(at(MONDAY, 9, 0), 2),
            moved(at(MONDAY, 10, 0), Resolved),
        ]);
        let breached = ticket([
            opened(at(MONDAY, 9, 0), 2),
            moved(at(MONDAY, 15, 0), Resolved),
        ]);
        let running = ticket([
            opened(at(MONDAY, 16, 0), 1),
            moved(at(MONDAY, 16, 30), WaitingOnClient),
        ]);
        let late = ticket([opened(at(MONDAY, 9, 0), 1)]);
        let mut attainment = Attainment::new();
        for (obligor, facts) in [
            ("west", &late),
            ("north", &met),
            ("north", &breached),
            ("north", &met),
            ("north", &running),
        ] {
            let evaluated = evaluate(facts, &rules(), &weekdays(9, 17), as_of);
            attainment.accumulate(obligor, &evaluated);
        }
        let expected = [
            ("north", FirstResponse, 1, [0, 0, 1]),
            ("north", FirstResponse, 2, [2, 1, 0]),
            ("north", Resolution, 1, [0, 0, 1]),
            ("north", Resolution, 2, [2, 1, 0]),
            ("west", FirstResponse, 1, [0, 1, 0]),
            ("west", Resolution, 1, [0, 1, 0]),
        ];
        let expected = expected.map(|(obligor, target_type, number, [met, breached, running])| {
            let priority = Priority::new(number).unwrap();
            let obligor = obligor.to_owned();
            AttainmentRow {
                obligor,
                target_type,
                priority,
                met,
                breached,
                running,
            }
        });
        assert_eq!(attainment.rows(), expected);
    }
}
