//! How one clock moves from step to step of a ticket's history.

use super::cycle::Cycle;
use super::facts::TicketFact;
use super::history::{History, Step, Terms};
use super::program::{Activity, Change, Situation};
use super::rules::{Priority, TargetType};
use super::{ClockEvaluation, ExcludedStretch};
use crate::domain::sla::explain::ExplainRule;
use crate::domain::time::Timestamp;

/// One clock on its way through a ticket's history.
pub(in crate::domain::sla) struct ClockWalk<'a> {
    target_type: TargetType,
    terms: Terms<'a>,
    situation: Situation,
    /// One after the other; only the last one may be alive.
    pub(in crate::domain::sla) cycles: Vec<Cycle<'a>>,
    /// What the clock does or would do if nothing were excluded, and why.
    wanted: (Activity, ExplainRule),
    /// Excluded stretches that have begun and not ended.
    excluded: usize,
    /// How far the clock has come.
    now: Timestamp,
    /// The ticket's priority, also while the clock is stopped.
    priority: Option<Priority>,
    /// The agreed deadline, also while the clock is stopped.
    agreed: Option<Timestamp>,
    /// Whether a cycle has been alive under it.
    agreed_is_taken: bool,
}

impl<'a> ClockWalk<'a> {
    /// Follows one clock through `history`. `None` if the ticket is not open yet.
    pub(in crate::domain::sla) fn follow(
        history: &History<'a>,
        target_type: TargetType,
    ) -> Option<Self> {
        let terms = *history.terms.get(history.first_terms)?;
        if history.opened_at > history.as_of {
            return None;
        }
        let mut walk = Self {
            target_type,
            terms,
            situation: Situation::new(target_type),
            cycles: Vec::new(),
            wanted: (Activity::Idle, ExplainRule::Opened),
            excluded: 0,
            now: history.opened_at,
            priority: None,
            agreed: None,
            agreed_is_taken: false,
        };
        if let Some(first) = walk.situation.at_opening(terms.rules) {
            walk.begin(first, history.opening_event);
        }
        for (at, step) in &history.steps {
            walk.advance(*at);
            walk.take(step, history);
        }
        walk.advance(history.as_of);
        Some(walk)
    }

    /// Every cycle for which something was promised, with its number from 1.
    pub(in crate::domain::sla) fn promised(&self) -> impl Iterator<Item = (u32, &Cycle<'a>)> {
        (1..).zip(self.cycles.iter().filter(|cycle| cycle.is_promised()))
    }

    /// The cycles as they stand now.
    pub(in crate::domain::sla) fn evaluations(&self) -> impl Iterator<Item = ClockEvaluation> {
        self.promised()
            .filter_map(|(number, cycle)| cycle.evaluation(number))
    }

    fn advance(&mut self, to: Timestamp) {
        self.now = to;
        if let Some(cycle) = self.cycles.last_mut() {
            cycle.advance(to);
        }
    }

    fn take(&mut self, step: &Step<'a>, history: &History<'a>) {
        match step {
            Step::Fact(fact) => self.take_fact(fact),
            Step::Terms(index) => {
                if let Some(terms) = history.terms.get(*index) {
                    self.take_terms(*terms);
                }
            }
            Step::Agreed(date) if date.target_type == self.target_type => {
                self.agreed = date.due_at;
                self.agreed_is_taken = false;
                if let Some(cycle) = self.cycles.last_mut().filter(|cycle| cycle.is_alive()) {
                    cycle.agree(date.due_at);
                    self.agreed_is_taken = true;
                }
            }
            Step::Agreed(_) => {}
            Step::ExclusionBegins(stretch) => self.exclude(stretch, 1),
            Step::ExclusionEnds(stretch) => self.exclude(stretch, -1),
            Step::Closed => self.close(),
        }
    }

    /// What is still to be kept is cancelled, also while nothing is counted.
    fn close(&mut self) {
        self.excluded = 0;
        if self.cycles.last().is_some_and(Cycle::is_alive) {
            self.turn((Activity::Cancelled, ExplainRule::NotPromisedAnyMore), "");
        }
    }

    /// Lets a fact take effect now: first the priority, then what was done and the state.
    fn take_fact(&mut self, fact: &'a TicketFact) {
        if let Some(priority) = fact.priority {
            self.priority = Some(priority);
            self.retarget(&fact.event_id);
        }
        let current = self.cycles.last().map(|_| self.wanted.0);
        let Some(change) = self.situation.take(fact, self.terms.rules, current) else {
            return;
        };
        match change {
            Change::To(activity, rule) => self.turn((activity, rule), &fact.event_id),
            Change::Restart(activity, rule) => {
                self.turn((activity, rule), &fact.event_id);
                if let Some(cycle) = self.cycles.last_mut() {
                    cycle.start_over(&fact.event_id);
                }
            }
            Change::NewCycle(activity, rule) => {
                self.turn((Activity::Stopped, rule), &fact.event_id);
                self.begin((activity, rule), &fact.event_id);
            }
        }
    }

    fn begin(&mut self, wanted: (Activity, ExplainRule), event_id: &'a str) {
        self.wanted = wanted;
        let shown = self.shown(wanted);
        let mut cycle = Cycle::begin(self.target_type, self.now, shown, event_id, self.terms);
        cycle.retarget(self.priority, event_id);
        // Of what is promised again and again, one date is for one time.
        if self.agreed_is_taken && self.target_type.recurs() {
            self.agreed = None;
        }
        if self.agreed.is_some() {
            cycle.agree(self.agreed);
            self.agreed_is_taken = true;
        }
        self.cycles.push(cycle);
    }

    /// What is done while something is excluded.
    const fn shown(&self, wanted: (Activity, ExplainRule)) -> (Activity, ExplainRule) {
        if self.excluded > 0 && wanted.0.is_alive() {
            (Activity::Excluded, ExplainRule::Excluded)
        } else {
            wanted
        }
    }

    fn turn(&mut self, wanted: (Activity, ExplainRule), event_id: &'a str) {
        let Some(cycle) = self.cycles.last() else {
            return;
        };
        if wanted.0 == self.wanted.0 {
            return;
        }
        let came_back = !cycle.is_alive();
        self.wanted = wanted;
        let shown = self.shown(wanted);
        let (terms, priority, agreed) = (self.terms, self.priority, self.agreed);
        if let Some(cycle) = self.cycles.last_mut() {
            cycle.turn(shown, event_id, terms);
            if came_back {
                cycle.retarget(priority, event_id);
                if agreed.is_some() {
                    cycle.agree(agreed);
                }
            }
        }
    }

    fn retarget(&mut self, event_id: &'a str) {
        let priority = self.priority;
        if let Some(cycle) = self.cycles.last_mut().filter(|cycle| cycle.is_alive()) {
            cycle.retarget(priority, event_id);
        }
    }

    /// Other terms are in force: another calendar, other promises, other pauses. A clock that they
    /// do not have is cancelled; one that had stopped is not judged again.
    fn take_terms(&mut self, terms: Terms<'a>) {
        self.terms = terms;
        if !self.cycles.last().is_some_and(Cycle::is_alive) {
            return;
        }
        let promised = terms.rules.promises(self.target_type);
        let was_promised = self.cycles.last().is_some_and(Cycle::is_promised);
        self.wanted = if was_promised && !promised {
            (Activity::Cancelled, ExplainRule::NotPromisedAnyMore)
        } else {
            self.situation.alive(terms.rules, ExplainRule::TermsChanged)
        };
        let shown = self.shown(self.wanted);
        if let Some(cycle) = self.cycles.last_mut() {
            cycle.turn(shown, terms.event_id, terms);
        }
        self.retarget(terms.event_id);
    }

    fn exclude(&mut self, stretch: &'a ExcludedStretch, change: isize) {
        self.excluded = self.excluded.saturating_add_signed(change);
        let shown = match (change > 0, self.shown(self.wanted)) {
            (false, (activity, _)) if activity.is_alive() && self.excluded == 0 => {
                (activity, ExplainRule::ExclusionEnded)
            }
            (_, shown) => shown,
        };
        let terms = self.terms;
        if let Some(cycle) = self.cycles.last_mut().filter(|cycle| cycle.is_alive())
            && cycle.phase().activity != shown.0
        {
            cycle.turn(shown, &stretch.id, terms);
        }
    }
}
