//! Attainment: how many promises each obligor met, breached, and has still running.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::clock::{
    ClockEvaluation, Priority, TargetType, TicketEvaluation, Verdict, WHOLE_TARGET_BPS,
};
use crate::domain::time::Timestamp;

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

impl AttainmentRow {
    /// Which part of what is decided was met, in basis points, rounded down; `None` if nothing is.
    #[must_use]
    pub fn attained_bps(&self) -> Option<u32> {
        attained_bps(self.met, self.breached)
    }

    /// What is left of the error budget of an objective (`OpenSLO`): the breaches that it allows among
    /// what is decided, less those that there are, as a part of what is allowed, in basis points,
    /// rounded down. `None` if nothing is decided, or if the objective allows no breach at all.
    #[must_use]
    pub fn budget_left_bps(&self, objective_bps: u32) -> Option<i64> {
        let whole = i128::from(WHOLE_TARGET_BPS);
        let decided = i128::from(self.met) + i128::from(self.breached);
        let allowed = decided * (whole - i128::from(objective_bps));
        if allowed <= 0 {
            return None;
        }
        let spent = i128::from(self.breached) * whole;
        i64::try_from(((allowed - spent) * whole).div_euclid(allowed)).ok()
    }
}

/// Which part of what is decided was met, in basis points, rounded down; `None` if nothing is.
pub(super) fn attained_bps(met: u64, breached: u64) -> Option<u32> {
    let decided = u128::from(met) + u128::from(breached);
    let part = u128::from(met) * u128::from(WHOLE_TARGET_BPS);
    u32::try_from(part.checked_div(decided)?).ok()
}

/// Which clocks count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// From when on something has to be decided, if that matters.
    pub from: Option<Timestamp>,
    /// Before when something has to be decided, or to have begun if it is not, if that matters.
    pub to: Option<Timestamp>,
    /// Of which types; empty for all.
    pub types: BTreeSet<TargetType>,
    /// Of which priorities; empty for all.
    pub priorities: BTreeSet<Priority>,
}

impl Selection {
    fn takes(&self, clock: &ClockEvaluation) -> bool {
        let decided_at = match clock.verdict {
            Verdict::Met => clock.stopped_at,
            Verdict::Breached => clock.breached_at,
            Verdict::Running | Verdict::Cancelled => None,
        };
        let in_time = match decided_at {
            Some(at) => self.from.is_none_or(|from| at >= from) && self.to.is_none_or(|to| at < to),
            None => self.to.is_none_or(|to| clock.started_at < to),
        };
        in_time
            && clock.verdict != Verdict::Cancelled
            && (self.types.is_empty() || self.types.contains(&clock.target_type))
            && (self.priorities.is_empty() || self.priorities.contains(&clock.priority))
    }
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

    /// Counts the clocks of one ticket that `selection` takes. Count each ticket once: the same again
    /// counts again.
    pub fn accumulate(&mut self, obligor: &str, ticket: &TicketEvaluation, selection: &Selection) {
        let clocks = ticket.clocks.iter().filter(|clock| selection.takes(clock));
        let mut clocks = clocks.peekable();
        if clocks.peek().is_none() {
            return; // An obligor with nothing to count has no rows.
        }
        let rows = self.obligors.entry(obligor.to_owned()).or_default();
        for clock in clocks {
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
            attainment.accumulate(obligor, &evaluated, &Selection::default());
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

    #[test]
    fn a_period_counts_what_was_decided_in_it() {
        let facts = [
            // Met on Monday at 10, breached on Monday at 13, running from Monday 16.
            ticket([
                opened(at(MONDAY, 9, 0), 2),
                moved(at(MONDAY, 10, 0), Resolved),
            ]),
            ticket([opened(at(MONDAY, 9, 0), 2)]),
            ticket([opened(at(MONDAY, 16, 0), 2)]),
        ];
        let count = |from, to| {
            let mut attainment = Attainment::new();
            let selection = Selection {
                from,
                to,
                types: BTreeSet::from([Resolution]),
                priorities: BTreeSet::from([Priority::new(2).unwrap()]),
            };
            for facts in &facts {
                let evaluated = evaluate(facts, &rules(), &weekdays(9, 17), at(TUESDAY, 9, 0));
                attainment.accumulate("north", &evaluated, &selection);
            }
            let rows = attainment.rows();
            rows.first().map(|row| [row.met, row.breached, row.running])
        };
        let hour = |hour| Some(at(MONDAY, hour, 0));
        assert_eq!(count(None, None), Some([1, 1, 1]));
        assert_eq!(count(hour(10), hour(13)), Some([1, 0, 0]));
        assert_eq!(count(hour(11), hour(16)), Some([0, 1, 0]));
        assert_eq!(count(hour(14), None), Some([0, 0, 1]));
        assert_eq!(count(None, hour(10)), None);
    }

    #[test]
    fn budgets_are_exact() {
        let row = |met, breached| AttainmentRow {
            obligor: "north".into(),
            target_type: Resolution,
            priority: Priority::HIGHEST,
            met,
            breached,
            running: 0,
        };
        // Of a hundred decided, an objective of 95 % allows five breaches.
        assert_eq!(row(98, 2).attained_bps(), Some(9_800));
        assert_eq!(row(98, 2).budget_left_bps(9_500), Some(6_000));
        assert_eq!(row(95, 5).budget_left_bps(9_500), Some(0));
        assert_eq!(row(90, 10).budget_left_bps(9_500), Some(-10_000));
        assert_eq!(row(2, 1).attained_bps(), Some(6_666));
        assert_eq!(row(2, 1).budget_left_bps(5_000), Some(3_333));
        assert_eq!(row(0, 0).attained_bps(), None);
        assert_eq!(row(0, 0).budget_left_bps(5_000), None);
        assert_eq!(row(1, 0).budget_left_bps(10_000), None);
        assert_eq!(row(u64::MAX, u64::MAX).attained_bps(), Some(5_000));
    }
}
