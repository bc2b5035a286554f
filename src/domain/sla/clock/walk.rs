//! How one clock moves from fact to fact.
//!
//! A clock's life is a list of [`Phase`]s: it runs, is paused, or is stopped. Each phase knows
//! how much had been consumed before it, so the instant at which any amount was consumed is found
//! by a binary search and one question to the calendar.

use super::{
    ChargedParty, ClockEvaluation, ClockRules, ClockState, Crossing, Priority, TargetType,
    TicketFact, TicketState, Verdict, WHOLE_TARGET_BPS,
};
use crate::domain::sla::compiled::CompiledCalendar;
use crate::domain::sla::explain::ExplainRule;
use crate::domain::time::{Span, Timestamp};

/// The least that can be more than a target.
const ONE_MICROSECOND: Span = Span::from_micros(1);

/// The facts in effect as of an instant, in order.
pub(in crate::domain::sla) struct History<'a> {
    /// When the ticket was opened.
    pub(in crate::domain::sla) opened_at: Timestamp,
    /// The event that told the opening.
    opening_event: &'a str,
    /// Each fact with the instant at which it takes effect, which never decreases.
    facts: Vec<(Timestamp, &'a TicketFact)>,
    as_of: Timestamp,
}

impl<'a> History<'a> {
    /// Orders `facts` and leaves aside those that take effect after `as_of`.
    pub(in crate::domain::sla) fn new(facts: &'a [TicketFact], as_of: Timestamp) -> Self {
        let mut ordered: Vec<&TicketFact> = facts.iter().collect();
        ordered.sort_unstable();
        let (opened_at, opening_event) = ordered
            .iter()
            .find_map(|fact| Some((fact.opened_at?, fact.event_id.as_str())))
            .or_else(|| {
                ordered
                    .first()
                    .map(|fact| (fact.occurred_at, fact.event_id.as_str()))
            })
            .unwrap_or((as_of, ""));
        let facts = ordered
            .into_iter()
            .map(|fact| (fact.occurred_at.max(opened_at), fact))
            .take_while(|(at, _)| *at <= as_of)
            .collect();
        Self {
            opened_at,
            opening_event,
            facts,
            as_of,
        }
    }

    /// The ticket's state after the last fact.
    pub(in crate::domain::sla) fn state(&self) -> TicketState {
        let last = self.facts.iter().rev().find_map(|(_, fact)| fact.state);
        last.unwrap_or(TicketState::New)
    }

    /// The ticket's priority after the last fact.
    pub(in crate::domain::sla) fn priority(&self) -> Option<Priority> {
        self.facts.iter().rev().find_map(|(_, fact)| fact.priority)
    }
}

/// What a clock does for the length of a phase, whatever the calendar says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::domain::sla) enum Activity {
    /// It consumes working time.
    Runs,
    /// It stands still, and this party is charged.
    Paused(ChargedParty),
    /// What was promised is done.
    Stopped,
}

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
    /// Working time consumed before it.
    consumed_before: Span,
}

/// One clock on its way through a ticket's facts.
pub(in crate::domain::sla) struct ClockWalk<'a> {
    rules: &'a ClockRules,
    calendar: &'a CompiledCalendar,
    target_type: TargetType,
    /// Ascending, each once. Those crossed are always the first ones, since what was consumed
    /// never decreases; their number is that of `crossings`.
    thresholds_bps: Vec<u32>,
    /// Never empty, ascending in time and in time consumed.
    phases: Vec<Phase<'a>>,
    /// How far the clock has come.
    now: Timestamp,
    /// Working time consumed up to `now`.
    consumed: Span,
    /// The ticket's priority, also while the clock is stopped.
    ticket_priority: Option<Priority>,
    /// The priority in force for this clock: the ticket's, as of the clock's last moment alive.
    priority: Option<Priority>,
    /// What is promised for `priority`.
    target: Option<Span>,
    /// The last target there was.
    last_target: Option<Span>,
    /// Since when the clock has been alive with `target` in force; no verdict is dated earlier.
    judged_since: Timestamp,
    breached_at: Option<Timestamp>,
    crossings: Vec<Crossing>,
}

impl<'a> ClockWalk<'a> {
    /// Follows one clock through `history`. `None` if the ticket is not open yet.
    pub(in crate::domain::sla) fn follow(
        history: &History<'a>,
        rules: &'a ClockRules,
        calendar: &'a CompiledCalendar,
        target_type: TargetType,
    ) -> Option<Self> {
        if history.opened_at > history.as_of {
            return None;
        }
        let mut walk = Self::open(history, rules, calendar, target_type);
        for (at, fact) in &history.facts {
            walk.advance(*at);
            walk.apply(fact);
        }
        walk.advance(history.as_of);
        Some(walk)
    }

    /// A clock at the opening of its ticket.
    fn open(
        history: &History<'a>,
        rules: &'a ClockRules,
        calendar: &'a CompiledCalendar,
        target_type: TargetType,
    ) -> Self {
        let mut thresholds_bps = rules.thresholds_bps.clone();
        thresholds_bps.sort_unstable();
        thresholds_bps.dedup();
        let (activity, rule) =
            alive_in(TicketState::New, rules).unwrap_or((Activity::Runs, ExplainRule::Opened));
        let opening = Phase {
            from: history.opened_at,
            activity,
            event_id: history.opening_event,
            rule,
            consumed_before: Span::ZERO,
        };
        Self {
            rules,
            calendar,
            target_type,
            thresholds_bps,
            phases: vec![opening],
            now: history.opened_at,
            consumed: Span::ZERO,
            ticket_priority: None,
            priority: None,
            target: None,
            last_target: None,
            judged_since: history.opened_at,
            breached_at: None,
            crossings: Vec::new(),
        }
    }

    /// The phases of the clock's life; empty if nothing was promised while it was alive.
    pub(in crate::domain::sla) fn phases(&self) -> &[Phase<'a>] {
        if self.last_target.is_some() {
            &self.phases
        } else {
            &[]
        }
    }

    fn phase(&self) -> &Phase<'a> {
        // `open` puts in the first phase and none is ever taken out.
        &self.phases[self.phases.len() - 1]
    }

    fn is_stopped(&self) -> bool {
        self.phase().activity == Activity::Stopped
    }

    /// Lets time pass up to `to`, then looks for thresholds crossed on the way.
    fn advance(&mut self, to: Timestamp) {
        let phase = *self.phase();
        self.now = to;
        if phase.activity == Activity::Runs {
            let run = self.calendar.elapsed(phase.from, to);
            self.consumed = phase.consumed_before.saturating_add(run);
            self.judge();
        }
    }

    /// Lets a fact take effect now: first the priority, then the response and the state.
    fn apply(&mut self, fact: &'a TicketFact) {
        if let Some(priority) = fact.priority {
            self.ticket_priority = Some(priority);
            if !self.is_stopped() {
                self.take_ticket_priority();
            }
        }
        if self.is_stopped() && self.target_type == TargetType::FirstResponse {
            return; // There is only one first response.
        }
        let Some((activity, rule)) = self.called_for_by(fact) else {
            return;
        };
        let was = self.phase().activity;
        if activity == was {
            return;
        }
        self.phases.push(Phase {
            from: self.now,
            activity,
            event_id: &fact.event_id,
            rule,
            consumed_before: self.consumed,
        });
        if was == Activity::Stopped {
            self.judged_since = self.now;
            self.take_ticket_priority();
        }
    }

    /// What a fact wants this clock to do, and why; `None` if it says nothing about that.
    fn called_for_by(&self, fact: &TicketFact) -> Option<(Activity, ExplainRule)> {
        let awaits_response = self.target_type == TargetType::FirstResponse;
        if awaits_response && fact.responded {
            return Some((Activity::Stopped, ExplainRule::Responded));
        }
        let state = fact.state?;
        if state.is_finished() {
            return Some((Activity::Stopped, ExplainRule::Finished));
        }
        if awaits_response && self.rules.response_by_state && state != TicketState::New {
            return Some((Activity::Stopped, ExplainRule::Responded));
        }
        let running = if self.is_stopped() {
            ExplainRule::Reopened
        } else {
            ExplainRule::Resumed
        };
        Some(alive_in(state, self.rules).unwrap_or((Activity::Runs, running)))
    }

    /// Puts the ticket's priority in force for this clock, which is alive, and judges it at once:
    /// the new target may have been exceeded already.
    fn take_ticket_priority(&mut self) {
        self.priority = self.ticket_priority;
        let target = self
            .priority
            .and_then(|priority| self.rules.target(self.target_type, priority));
        if target != self.target {
            self.judged_since = self.now;
            self.target = target;
        }
        self.last_target = target.or(self.last_target);
        self.judge();
    }

    /// Records what the target in force makes of the time consumed up to now.
    fn judge(&mut self) {
        let (Some(target), Some(priority)) = (self.target, self.priority) else {
            return;
        };
        while let Some(&threshold_bps) = self.thresholds_bps.get(self.crossings.len()) {
            let amount = threshold_amount(target, threshold_bps);
            if amount > self.consumed {
                break;
            }
            let at = self.dated(amount);
            self.crossings.push(Crossing {
                threshold_bps,
                at,
                priority,
                target,
            });
        }
        if self.breached_at.is_none() && self.consumed > target {
            self.breached_at = Some(self.dated(target));
        }
    }

    /// When an amount that is consumed by now began to count under the target in force.
    fn dated(&self, amount: Span) -> Timestamp {
        self.reached_at(amount)
            .unwrap_or(self.now)
            .max(self.judged_since)
    }

    /// First instant at which `amount` was consumed, or will be if the clock runs and goes on.
    /// `None` if the calendar never gets there.
    fn reached_at(&self, amount: Span) -> Option<Timestamp> {
        // A phase ends with what its successor begins with; the last one is still going on.
        let index = self.phases[1..].partition_point(|next| next.consumed_before < amount);
        let phase = &self.phases[index];
        let rest = amount.saturating_sub(phase.consumed_before);
        if rest <= Span::ZERO {
            return Some(phase.from); // Nothing is consumed at once, even while closed.
        }
        self.calendar.add(phase.from, rest)
    }

    /// The clock as it stands now; `None` if nothing was promised while it was alive.
    pub(in crate::domain::sla) fn evaluation(self) -> Option<ClockEvaluation> {
        let target = self.last_target?;
        let priority = self.priority?;
        let (state, charged_to) = self.state();
        let predicted = if self.phase().activity == Activity::Runs {
            self.target
        } else {
            None
        };
        Some(ClockEvaluation {
            target_type: self.target_type,
            state,
            verdict: self.verdict(),
            priority,
            target,
            consumed: self.consumed,
            started_at: self.phases[0].from,
            stopped_at: self.is_stopped().then(|| self.phase().from),
            due_at: predicted.and_then(|target| self.reached_at(target)),
            breached_at: self.breached_at,
            charged_to,
            used_bps: used_bps(self.consumed, target),
            next_crossing: predicted.and_then(|target| self.next_crossing(target)),
            crossings: self.crossings,
        })
    }

    fn state(&self) -> (ClockState, Option<ChargedParty>) {
        match self.phase().activity {
            Activity::Stopped => (ClockState::Stopped, None),
            Activity::Paused(party) => (ClockState::Paused, Some(party)),
            Activity::Runs if self.calendar.is_open(self.now) => {
                (ClockState::Running, Some(ChargedParty::Obligor))
            }
            Activity::Runs => (ClockState::OutsideHours, None),
        }
    }

    fn verdict(&self) -> Verdict {
        if self.breached_at.is_some() {
            Verdict::Breached
        } else if self.is_stopped() {
            Verdict::Met
        } else {
            Verdict::Running
        }
    }

    fn next_crossing(&self, target: Span) -> Option<Crossing> {
        let threshold_bps = *self.thresholds_bps.get(self.crossings.len())?;
        let at = self.reached_at(threshold_amount(target, threshold_bps))?;
        Some(Crossing {
            threshold_bps,
            at,
            priority: self.priority?,
            target,
        })
    }
}

/// How and why an unfinished ticket's state holds a clock; `None` if it lets the clock run.
fn alive_in(state: TicketState, rules: &ClockRules) -> Option<(Activity, ExplainRule)> {
    let party = state.charged_while_paused();
    rules
        .pausing_states
        .contains(&state)
        .then_some((Activity::Paused(party), ExplainRule::paused_for(party)))
}

/// The least consumed time that crosses a threshold: its part of the target, rounded up to a
/// microsecond, and more than the target from [`WHOLE_TARGET_BPS`] on.
fn threshold_amount(target: Span, threshold_bps: u32) -> Span {
    let whole = i128::from(WHOLE_TARGET_BPS);
    let part = i128::from(target.as_micros()) * i128::from(threshold_bps);
    let rounded_up = (part + whole - 1).div_euclid(whole);
    let amount = Span::from_micros(i64::try_from(rounded_up).unwrap_or(i64::MAX));
    if threshold_bps < WHOLE_TARGET_BPS {
        amount
    } else {
        amount.max(target.saturating_add(ONE_MICROSECOND))
    }
}

/// Consumed time in basis points of a target, rounded down; the most there is for no target.
fn used_bps(consumed: Span, target: Span) -> u64 {
    let part = i128::from(consumed.as_micros()) * i128::from(WHOLE_TARGET_BPS);
    let used = part.checked_div_euclid(i128::from(target.as_micros()));
    used.and_then(|used| u64::try_from(used).ok())
        .unwrap_or(u64::MAX)
}
