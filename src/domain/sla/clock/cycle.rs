//! One cycle of a clock: from where it begins to where it stops, with what was consumed on the way.
//!
//! A cycle's life is a list of [`Phase`]s: it runs, is paused, or is stopped. Each phase knows how
//! much had been consumed before it, so the instant at which any amount was consumed is found by a
//! binary search and one question to the calendar.

use super::history::Terms;
use super::program::Activity;
use super::rules::{LevelAt, Priority, RetargetRule};
use super::{
    ChargedParty, ClockEvaluation, ClockState, Crossing, TargetType, Verdict, WHOLE_TARGET_BPS,
};
use crate::domain::sla::explain::ExplainRule;
use crate::domain::time::{Span, Timestamp};

/// A stretch of a clock's life, up to the next phase. May be of no length at all.
#[derive(Clone, Copy, Debug)]
pub(in crate::domain::sla) struct Phase<'a> {
    /// When it began.
    pub(in crate::domain::sla) from: Timestamp,
    /// What the clock does.
    pub(in crate::domain::sla) activity: Activity,
    /// The event that began it.
    pub(in crate::domain::sla) event_id: &'a str,
    /// Why that event began it.
    pub(in crate::domain::sla) rule: ExplainRule,
    /// Under which terms.
    pub(in crate::domain::sla) terms: Terms<'a>,
    /// Working time consumed before it.
    consumed_before: Span,
}

/// Consumed time that a change of the target, or a restart, no longer counts, or counts otherwise.
#[derive(Clone, Copy, Debug)]
pub(in crate::domain::sla) struct Adjustment<'a> {
    /// When.
    pub(in crate::domain::sla) at: Timestamp,
    /// The event that made it.
    pub(in crate::domain::sla) event_id: &'a str,
    /// By which rule.
    pub(in crate::domain::sla) rule: ExplainRule,
    /// What is added to the consumed time; mostly less than zero.
    pub(in crate::domain::sla) amount: Span,
}

/// One cycle on its way.
#[derive(Clone, Debug)]
pub(in crate::domain::sla) struct Cycle<'a> {
    target_type: TargetType,
    /// Never empty, ascending in time and in time consumed.
    pub(in crate::domain::sla) phases: Vec<Phase<'a>>,
    pub(in crate::domain::sla) adjustments: Vec<Adjustment<'a>>,
    /// How far it has come.
    now: Timestamp,
    /// Working time consumed up to `now`, before adjustments.
    consumed: Span,
    /// What of it does not count against the target.
    uncounted: Span,
    /// The priority in force: the ticket's, as of the cycle's last moment alive.
    priority: Option<Priority>,
    /// What is promised for `priority`.
    target: Option<Span>,
    /// The last target there was.
    last_target: Option<Span>,
    /// A deadline that was agreed, and since when.
    agreed: Option<(Timestamp, Timestamp)>,
    /// Since when the cycle has been alive with `target` in force; nothing is dated earlier.
    judged_since: Timestamp,
    breached_at: Option<Timestamp>,
    crossings: Vec<Crossing>,
    /// The levels still to come under `target`, by what has to be consumed for them, descending: the
    /// next one is the last.
    levels_left: Vec<(Span, LevelAt)>,
}

impl<'a> Cycle<'a> {
    pub(super) fn begin(
        target_type: TargetType,
        from: Timestamp,
        (activity, rule): (Activity, ExplainRule),
        event_id: &'a str,
        terms: Terms<'a>,
    ) -> Self {
        let first = Phase {
            from,
            activity,
            event_id,
            rule,
            terms,
            consumed_before: Span::ZERO,
        };
        Self {
            target_type,
            phases: vec![first],
            adjustments: Vec::new(),
            now: from,
            consumed: Span::ZERO,
            uncounted: Span::ZERO,
            priority: None,
            target: None,
            last_target: None,
            agreed: None,
            judged_since: from,
            breached_at: None,
            crossings: Vec::new(),
            levels_left: Vec::new(),
        }
    }

    pub(super) fn phase(&self) -> &Phase<'a> {
        // `begin` puts in the first phase and none is ever taken out.
        &self.phases[self.phases.len() - 1]
    }

    pub(super) fn is_alive(&self) -> bool {
        self.phase().activity.is_alive()
    }

    /// Whether anything was promised while it was alive.
    pub(in crate::domain::sla) fn is_promised(&self) -> bool {
        self.last_target.is_some() || self.agreed.is_some()
    }

    /// Lets time pass up to `to`, then looks for levels reached on the way.
    pub(super) fn advance(&mut self, to: Timestamp) {
        let phase = *self.phase();
        self.now = to;
        if phase.activity == Activity::Runs {
            let run = phase.terms.calendar.elapsed(phase.from, to);
            self.consumed = phase.consumed_before.saturating_add(run);
        }
        if phase.activity.is_alive() {
            self.judge();
        }
    }

    /// Does something else from now on.
    pub(super) fn turn(
        &mut self,
        (activity, rule): (Activity, ExplainRule),
        event_id: &'a str,
        terms: Terms<'a>,
    ) {
        let came_back = !self.is_alive() && activity.is_alive();
        self.phases.push(Phase {
            from: self.now,
            activity,
            event_id,
            rule,
            terms,
            consumed_before: self.consumed,
        });
        if came_back {
            self.judged_since = self.now;
        }
    }

    /// What was consumed so far counts no more.
    pub(super) fn start_over(&mut self, event_id: &'a str) {
        self.count(Span::ZERO, event_id, ExplainRule::Restarted);
        self.judged_since = self.now;
    }

    /// From now on so much counts as consumed.
    fn count(&mut self, counted: Span, event_id: &'a str, rule: ExplainRule) {
        let amount = counted.saturating_sub(self.counted());
        if amount != Span::ZERO {
            self.uncounted = self.consumed.saturating_sub(counted);
            self.adjustments.push(Adjustment {
                at: self.now,
                event_id,
                rule,
                amount,
            });
        }
    }

    /// Consumed time that counts against the target.
    fn counted(&self) -> Span {
        self.consumed.saturating_sub(self.uncounted)
    }

    /// Puts a priority in force for this cycle, which is alive, and judges it at once: the new
    /// target may have been exceeded already.
    pub(super) fn retarget(&mut self, priority: Option<Priority>, event_id: &'a str) {
        let rules = self.phase().terms.rules;
        self.priority = priority;
        let target = priority.and_then(|priority| rules.target(self.target_type, priority));
        if target != self.target {
            self.judged_since = self.now;
            self.target = target;
        }
        if let (Some(old), Some(new)) = (self.last_target, target)
            && old != new
        {
            match rules.retarget_rule {
                RetargetRule::Retroactive => {}
                RetargetRule::FromChange => {
                    self.count(Span::ZERO, event_id, ExplainRule::CountsFromChange);
                }
                RetargetRule::ProRata => {
                    let counted = same_part(self.counted(), old, new);
                    self.count(counted, event_id, ExplainRule::CountsProRata);
                }
            }
        }
        self.last_target = target.or(self.last_target);
        self.levels_left = self.find_levels_left();
        self.judge();
    }

    /// Takes over a deadline that was agreed, or that it was taken back.
    pub(super) fn agree(&mut self, due_at: Option<Timestamp>) {
        self.agreed = due_at.map(|due_at| (due_at, self.now));
        self.judged_since = self.now;
        self.judge();
    }

    /// Records what the target in force makes of the time consumed up to now.
    fn judge(&mut self) {
        if let Some((due_at, since)) = self.agreed {
            if self.breached_at.is_none() && self.now > due_at {
                self.breached_at = Some(due_at.max(since));
                self.cross(LevelAt::BREACH, due_at.max(since));
            }
            return;
        }
        let Some(target) = self.target else {
            return;
        };
        let counted = self.counted();
        while let Some((amount, level)) = self.levels_left.last().copied() {
            if amount > counted {
                break;
            }
            self.levels_left.pop();
            self.cross(level, self.dated(amount));
        }
        if self.breached_at.is_none() && counted > target {
            self.breached_at = Some(self.dated(target));
        }
    }

    fn cross(&mut self, level: LevelAt, at: Timestamp) {
        let (Some(priority), false) = (self.priority, self.has_crossed(level)) else {
            return;
        };
        // Levels are reached in order, also where a change brings several at once.
        let at = self.crossings.last().map_or(at, |last| at.max(last.at));
        self.crossings.push(Crossing {
            level,
            at,
            priority,
            target: self.target.or(self.last_target).unwrap_or(Span::ZERO),
        });
    }

    fn has_crossed(&self, level: LevelAt) -> bool {
        self.crossings
            .iter()
            .any(|crossing| crossing.level == level)
    }

    /// What [`Self::levels_left`] has to be under the target and the terms now in force.
    fn find_levels_left(&self) -> Vec<(Span, LevelAt)> {
        let Some(target) = self.target else {
            return Vec::new();
        };
        let levels = self.phase().terms.rules.levels(self.target_type);
        let mut left: Vec<(Span, LevelAt)> = levels
            .into_iter()
            .filter(|level| !self.has_crossed(*level))
            .map(|level| (level.amount(target), level))
            .collect();
        left.sort_unstable_by(|one, other| other.cmp(one));
        left
    }

    /// When an amount that counts by now began to count under the target in force.
    fn dated(&self, amount: Span) -> Timestamp {
        self.reached_at(amount)
            .unwrap_or(self.now)
            .min(self.now)
            .max(self.judged_since)
    }

    /// First instant at which `amount` was counted, or will be if the clock runs and goes on.
    /// `None` if the calendar never gets there.
    fn reached_at(&self, amount: Span) -> Option<Timestamp> {
        let amount = amount.saturating_add(self.uncounted);
        // A phase ends with what its successor begins with; the last one is still going on.
        let index = self.phases[1..].partition_point(|next| next.consumed_before < amount);
        let phase = &self.phases[index];
        let rest = amount.saturating_sub(phase.consumed_before);
        if rest <= Span::ZERO {
            return Some(phase.from); // Nothing is consumed at once, even while closed.
        }
        phase.terms.calendar.add(phase.from, rest)
    }

    /// The cycle as it stands now; `None` if nothing was promised while it was alive.
    pub(super) fn evaluation(&self, number: u32) -> Option<ClockEvaluation> {
        let target = self.last_target.or_else(|| self.agreed_length())?;
        let priority = self.priority?;
        let (state, charged_to) = self.state();
        let predicted = if self.phase().activity == Activity::Runs {
            self.target.filter(|_| self.agreed.is_none())
        } else {
            None
        };
        let agreed_due = self
            .agreed
            .map(|(due_at, _)| due_at)
            .filter(|_| self.is_alive());
        let counted = self.counted();
        Some(ClockEvaluation {
            target_type: self.target_type,
            cycle: number,
            state,
            verdict: self.verdict(),
            priority,
            target,
            consumed: counted,
            started_at: self.phases[0].from,
            stopped_at: (!self.is_alive()).then(|| self.phase().from),
            due_at: agreed_due.or_else(|| predicted.and_then(|target| self.reached_at(target))),
            is_agreed_date: self.agreed.is_some(),
            breached_at: self.breached_at,
            charged_to,
            used_bps: self.used_bps(target),
            next_crossing: self.next_crossing(predicted, agreed_due),
            crossings: self.crossings.clone(),
        })
    }

    /// Working time from the beginning to the agreed deadline.
    fn agreed_length(&self) -> Option<Span> {
        let (due_at, _) = self.agreed?;
        let first = &self.phases[0];
        Some(first.terms.calendar.elapsed(first.from, due_at))
    }

    /// How much of the target is used, in basis points, rounded down. Towards an agreed date it is
    /// the part of the way there, whatever was paused.
    fn used_bps(&self, target: Span) -> u64 {
        let Some(length) = self.agreed_length() else {
            return part_bps(self.counted(), target);
        };
        let first = &self.phases[0];
        let until = if self.is_alive() {
            self.now
        } else {
            self.phase().from
        };
        part_bps(first.terms.calendar.elapsed(first.from, until), length)
    }

    fn state(&self) -> (ClockState, Option<ChargedParty>) {
        let phase = self.phase();
        match phase.activity {
            Activity::Stopped => (ClockState::Stopped, None),
            Activity::Cancelled => (ClockState::Cancelled, None),
            Activity::Idle => (ClockState::Idle, None),
            Activity::Excluded => (ClockState::Excluded, None),
            Activity::Paused(party) => (ClockState::Paused, Some(party)),
            Activity::Runs if phase.terms.calendar.is_open(self.now) => {
                (ClockState::Running, Some(ChargedParty::Obligor))
            }
            Activity::Runs => (ClockState::OutsideHours, None),
        }
    }

    fn verdict(&self) -> Verdict {
        if self.breached_at.is_some() {
            return Verdict::Breached;
        }
        match self.phase().activity {
            Activity::Stopped => Verdict::Met,
            Activity::Cancelled => Verdict::Cancelled,
            _ => Verdict::Running,
        }
    }

    fn next_crossing(
        &self,
        predicted: Option<Span>,
        agreed_due: Option<Timestamp>,
    ) -> Option<Crossing> {
        let priority = self.priority?;
        if let Some(due_at) = agreed_due {
            return (!self.has_crossed(LevelAt::BREACH)).then(|| Crossing {
                level: LevelAt::BREACH,
                at: due_at.saturating_add(Span::from_micros(1)),
                priority,
                target: self.last_target.unwrap_or(Span::ZERO),
            });
        }
        let target = predicted?;
        let mut levels = self.levels_left.iter().rev();
        let (amount, level) = *levels.find(|(_, level)| !self.has_crossed(*level))?;
        let at = self.reached_at(amount)?;
        Some(Crossing {
            level,
            at,
            priority,
            target,
        })
    }
}

/// What is of `new` the same part as `counted` is of `old`, rounded down to a microsecond.
fn same_part(counted: Span, old: Span, new: Span) -> Span {
    let scaled = i128::from(counted.as_micros()) * i128::from(new.as_micros());
    let part = scaled.checked_div_euclid(i128::from(old.as_micros()));
    let micros = part.and_then(|part| i64::try_from(part).ok());
    Span::from_micros(micros.unwrap_or(i64::MAX))
}

/// Consumed time in basis points of a target, rounded down; the most there is for no target.
fn part_bps(consumed: Span, target: Span) -> u64 {
    let part = i128::from(consumed.as_micros()) * i128::from(WHOLE_TARGET_BPS);
    let used = part.checked_div_euclid(i128::from(target.as_micros()));
    used.and_then(|used| u64::try_from(used).ok())
        .unwrap_or(u64::MAX)
}
