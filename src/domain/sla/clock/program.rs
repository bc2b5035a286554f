//! What a fact asks of a clock, for each type of promise and for each side.

use super::facts::{ChargedParty, Mark, TicketFact, TicketState};
use super::rules::{ClockRules, ReopenRule, Side, TargetType};
use crate::domain::sla::explain::ExplainRule;

/// What a clock does for the length of a phase, whatever the calendar says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::domain::sla) enum Activity {
    /// It consumes working time.
    Runs,
    /// It stands still, and this party is charged.
    Paused(ChargedParty),
    /// The ball is in the other court: nothing is owed, nobody charged.
    Idle,
    /// Both sides agreed not to count this time.
    Excluded,
    /// What was promised is done.
    Stopped,
    /// The promise no longer holds.
    Cancelled,
}

impl Activity {
    /// Whether the promise is still to be kept.
    pub(in crate::domain::sla) const fn is_alive(self) -> bool {
        !matches!(self, Self::Stopped | Self::Cancelled)
    }
}

/// What is to happen to a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// It does something else from now on.
    To(Activity, ExplainRule),
    /// It goes on from zero.
    Restart(Activity, ExplainRule),
    /// The cycle before, if there is one, is over, and a new one begins.
    NewCycle(Activity, ExplainRule),
}

/// What one clock remembers of the messages and gifts that it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// Nothing to remember.
    Nothing,
    /// A message of the other side is unanswered.
    Unanswered,
    /// The plan or the workaround was given.
    Given,
}

/// Where the ticket stands, as far as one clock is concerned.
#[derive(Clone, Copy, Debug)]
pub(super) struct Situation {
    pub target_type: TargetType,
    pub state: TicketState,
    /// Whether the first response was given.
    responded: bool,
    /// What it remembers beside.
    standing: Standing,
    /// How often the ball has crossed to the side that is waited for.
    crossings: u32,
    /// Whether it was merged into another ticket.
    merged: bool,
}

impl Situation {
    pub(super) const fn new(target_type: TargetType) -> Self {
        Self {
            target_type,
            state: TicketState::New,
            responded: false,
            standing: Standing::Nothing,
            crossings: 0,
            merged: false,
        }
    }

    /// What the clock does when the ticket is opened; `None` if it begins later.
    pub(super) fn at_opening(&self, rules: &ClockRules) -> Option<(Activity, ExplainRule)> {
        let from_opening = match rules.side {
            Side::WaitedFor => false,
            Side::Working => !matches!(
                self.target_type,
                TargetType::NextResponse | TargetType::NextUpdate
            ),
        };
        from_opening.then(|| self.alive(rules, ExplainRule::Opened))
    }

    /// What an unfinished ticket's state makes of a clock that is to be kept.
    pub(super) fn alive(
        &self,
        rules: &ClockRules,
        running: ExplainRule,
    ) -> (Activity, ExplainRule) {
        if rules.side == Side::WaitedFor {
            return if self.state == TicketState::WaitingOnPartner {
                (Activity::Runs, ExplainRule::BallCrossed)
            } else {
                (Activity::Idle, ExplainRule::BallElsewhere)
            };
        }
        let party = self.state.charged_while_paused();
        if rules.pausing_states.contains(&self.state) {
            (Activity::Paused(party), ExplainRule::paused_for(party))
        } else {
            (Activity::Runs, running)
        }
    }

    /// Takes a fact in and says what it wants of the clock, which does `current`: `None` if it did
    /// not begin yet. The fact's priority is not looked at.
    pub(super) fn take(
        &mut self,
        fact: &TicketFact,
        rules: &ClockRules,
        current: Option<Activity>,
    ) -> Option<Change> {
        let before = self.state;
        self.state = fact.state.unwrap_or(before);
        if self.merged {
            return None;
        }
        if fact.says(Mark::Merged) {
            self.merged = true;
            let alive = current.is_some_and(Activity::is_alive);
            return alive.then_some(Change::To(Activity::Cancelled, ExplainRule::Merged));
        }
        let change = match rules.side {
            Side::WaitedFor => self.waited_for(before, rules, current),
            Side::Working => self.working(fact, before, rules, current),
        };
        // A cancelled cycle is over; only another one may begin.
        let cancelled = current == Some(Activity::Cancelled);
        change.filter(|change| !cancelled || matches!(change, Change::NewCycle(..)))
    }

    fn working(
        &mut self,
        fact: &TicketFact,
        before: TicketState,
        rules: &ClockRules,
        current: Option<Activity>,
    ) -> Option<Change> {
        let by_state = rules.response_by_state
            && fact
                .state
                .is_some_and(|state| state != TicketState::New && !state.is_finished());
        let responds = fact.says(Mark::Responded) || (by_state && !self.responded);
        let is_first = responds && !self.responded;
        self.responded |= responds;
        match self.target_type {
            TargetType::FirstResponse => self.first_response(fact, is_first, rules, current),
            TargetType::ResolutionPlan => {
                self.given_once(fact, Mark::Planned, ExplainRule::Planned, rules, current)
            }
            TargetType::Workaround => {
                let rule = ExplainRule::WorkedAround;
                self.given_once(fact, Mark::WorkedAround, rule, rules, current)
            }
            TargetType::NextResponse => {
                self.next_response(fact, fact.says(Mark::Responded) || is_first, rules)
            }
            TargetType::NextUpdate => {
                let told = responds || fact.says(Mark::Updated);
                self.next_update(told, before, rules, current)
            }
            TargetType::Resolution => self.by_state(fact, rules, current),
        }
    }

    /// There is only one first response.
    fn first_response(
        self,
        fact: &TicketFact,
        is_first: bool,
        rules: &ClockRules,
        current: Option<Activity>,
    ) -> Option<Change> {
        if current == Some(Activity::Stopped) {
            return None;
        }
        if is_first {
            return Some(Change::To(Activity::Stopped, ExplainRule::Responded));
        }
        self.by_state(fact, rules, current)
    }

    /// A plan or a workaround: once it is given, the clock has stopped for good.
    fn given_once(
        &mut self,
        fact: &TicketFact,
        mark: Mark,
        rule: ExplainRule,
        rules: &ClockRules,
        current: Option<Activity>,
    ) -> Option<Change> {
        if self.standing == Standing::Given {
            return None;
        }
        if fact.says(mark) {
            self.standing = Standing::Given;
            let alive = current.is_some_and(Activity::is_alive);
            return alive.then_some(Change::To(Activity::Stopped, rule));
        }
        self.by_state(fact, rules, current)
    }

    /// What the state alone says: finished or not, waiting or not.
    fn by_state(
        self,
        fact: &TicketFact,
        rules: &ClockRules,
        current: Option<Activity>,
    ) -> Option<Change> {
        fact.state?;
        if self.state.is_finished() {
            return Some(Change::To(Activity::Stopped, ExplainRule::Finished));
        }
        if current != Some(Activity::Stopped) {
            let (activity, rule) = self.alive(rules, ExplainRule::Resumed);
            return Some(Change::To(activity, rule));
        }
        let (activity, rule) = self.alive(rules, ExplainRule::Reopened);
        Some(match rules.reopen_rule(self.target_type) {
            ReopenRule::Resume => Change::To(activity, rule),
            ReopenRule::Restart => Change::Restart(activity, rule),
            ReopenRule::NewCycle => Change::NewCycle(activity, rule),
        })
    }

    /// Armed by the oldest unanswered message after the first response, until it is answered.
    fn next_response(
        &mut self,
        fact: &TicketFact,
        answers: bool,
        rules: &ClockRules,
    ) -> Option<Change> {
        let mut change = None;
        let was_unanswered = self.standing == Standing::Unanswered;
        if self.state.is_finished() {
            self.standing = Standing::Nothing;
            return was_unanswered.then_some(Change::To(Activity::Stopped, ExplainRule::Finished));
        }
        if answers && was_unanswered {
            self.standing = Standing::Nothing;
            change = Some(Change::To(Activity::Stopped, ExplainRule::Answered));
        }
        let is_unanswered = self.standing == Standing::Unanswered;
        if fact.says(Mark::MessageReceived) && self.responded && !is_unanswered {
            self.standing = Standing::Unanswered;
            let (activity, rule) = self.alive(rules, ExplainRule::MessageReceived);
            return Some(Change::NewCycle(activity, rule));
        }
        if is_unanswered && fact.state.is_some() {
            let (activity, rule) = self.alive(rules, ExplainRule::Resumed);
            return Some(Change::To(activity, rule));
        }
        change
    }

    /// Begins with the first response, and anew with whatever the other side is told.
    fn next_update(
        self,
        told: bool,
        before: TicketState,
        rules: &ClockRules,
        current: Option<Activity>,
    ) -> Option<Change> {
        if self.state.is_finished() {
            let alive = current.is_some_and(Activity::is_alive);
            return alive.then_some(Change::To(Activity::Stopped, ExplainRule::Finished));
        }
        let reopened = before.is_finished() && self.responded;
        if (told && self.responded) || reopened {
            let rule = if told {
                ExplainRule::Updated
            } else {
                ExplainRule::Reopened
            };
            let (activity, rule) = self.alive(rules, rule);
            return Some(Change::NewCycle(activity, rule));
        }
        let alive = current.is_some_and(Activity::is_alive) && before != self.state;
        alive.then(|| {
            let (activity, rule) = self.alive(rules, ExplainRule::Resumed);
            Change::To(activity, rule)
        })
    }

    /// The clocks of the side that is waited for: the ball crosses, and comes back.
    fn waited_for(
        &mut self,
        before: TicketState,
        rules: &ClockRules,
        current: Option<Activity>,
    ) -> Option<Change> {
        let here = self.state == TicketState::WaitingOnPartner;
        let was_here = before == TicketState::WaitingOnPartner;
        if here && !was_here {
            self.crossings += 1;
            return self.ball_crosses(rules, current);
        }
        let alive = current.is_some_and(Activity::is_alive);
        if self.state.is_finished() {
            return alive.then_some(Change::To(Activity::Stopped, ExplainRule::Finished));
        }
        if was_here && !here && alive {
            let (activity, rule) = match self.target_type {
                TargetType::Resolution => (Activity::Idle, ExplainRule::BallElsewhere),
                _ => (Activity::Stopped, ExplainRule::BallReturned),
            };
            return Some(Change::To(activity, rule));
        }
        None
    }

    fn ball_crosses(self, rules: &ClockRules, current: Option<Activity>) -> Option<Change> {
        let runs = (Activity::Runs, ExplainRule::BallCrossed);
        let fresh = Some(Change::NewCycle(runs.0, runs.1));
        match self.target_type {
            TargetType::FirstResponse => fresh.filter(|_| self.crossings == 1),
            TargetType::NextResponse => {
                let first_is_another = rules.promises(TargetType::FirstResponse);
                fresh.filter(|_| self.crossings > 1 || !first_is_another)
            }
            TargetType::Resolution if current.is_none() => fresh,
            TargetType::Resolution => Some(Change::To(runs.0, runs.1)),
            TargetType::ResolutionPlan | TargetType::NextUpdate | TargetType::Workaround => None,
        }
    }
}
