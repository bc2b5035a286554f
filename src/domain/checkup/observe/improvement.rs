//! Improvements, shared goals and remedy plans: whether what firms mean to do gets done in time.

#[cfg(test)]
mod tests;

use super::Context;
use crate::domain::checkup::observation::Source;
use crate::domain::checkup::{Measure, Sink};
use crate::domain::improvement::{Improvement, ImprovementState};
use crate::domain::remedy_plan::{PlanState, RemedyPlan};
use crate::domain::shared_goal::{GoalState, SharedGoal};
use crate::domain::time::Timestamp;

/// Tells whether an improvement was done in time. One that was opened again is not done.
pub fn observe<'record>(
    improvement: &'record Improvement,
    source: Source<'record>,
    context: Context<'_>,
    sink: &mut impl Sink,
) {
    let created = &improvement.created;
    let done_at = match improvement.state {
        ImprovementState::Done | ImprovementState::Verified => {
            let done = improvement.last_step(ImprovementState::Done);
            done.map(|step| step.by.at)
        }
        ImprovementState::Open => None,
        // Nobody waits for these any more.
        ImprovementState::Dropped | ImprovementState::Closed => return,
    };
    if let Some((at, is_late)) = kept(created.due, done_at, context.as_of) {
        let place = (&created.owner, at);
        source.case(sink, Measure::ImprovementsLate, place, is_late);
    }
}

/// Tells whether a shared goal was reached. While it is agreed and overdue, it was not.
pub fn observe_goal<'record>(
    goal: &'record SharedGoal,
    source: Source<'record>,
    context: Context<'_>,
    sink: &mut impl Sink,
) {
    let said_at = goal.outcome.as_ref().map(|outcome| outcome.by.at);
    let decided = match goal.state {
        GoalState::Reached => said_at.map(|at| (at, false)),
        GoalState::Missed => said_at.map(|at| (at, true)),
        GoalState::Agreed => (goal.due < context.as_of).then_some((goal.due, true)),
        GoalState::Proposed | GoalState::Dropped | GoalState::Closed => None,
    };
    if let Some((at, is_missed)) = decided {
        source.case(sink, Measure::GoalsMissed, (&goal.owner, at), is_missed);
    }
}

/// Tells whether the steps of a plan were done in time.
pub fn observe_plan<'record>(
    plan: &'record RemedyPlan,
    source: Source<'record>,
    context: Context<'_>,
    sink: &mut impl Sink,
) {
    for step in &plan.steps {
        let done_at = step.done.as_ref().map(|done| done.by.at);
        if done_at.is_none() && plan.state != PlanState::Agreed {
            continue;
        }
        if let Some((at, is_late)) = kept(step.planned.due, done_at, context.as_of) {
            let place = (&step.planned.owner, at);
            source.case(sink, Measure::RemedyStepsLate, place, is_late);
        }
    }
}

/// When it was decided whether something was done by `due`, and whether it was too late; `None` while
/// there is time.
fn kept(due: Timestamp, done_at: Option<Timestamp>, as_of: Timestamp) -> Option<(Timestamp, bool)> {
    match done_at {
        Some(done_at) => Some((done_at, done_at > due)),
        None => (due < as_of).then_some((due, true)),
    }
}
