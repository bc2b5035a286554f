//! What later evidence does to verdicts: levels that were journalled are taken back or dated anew,
//! and the journal says so.

use serde::{Deserialize, Serialize};

use super::tick::evaluate_ticket;
use super::{Evaluated, ThresholdReached, Ticket, TicketEvent};
use crate::domain::aggregate::{Aggregate, Recorded};
use crate::domain::identity::FirmId;
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::sla::clock::Crossing;
use crate::domain::time::Timestamp;
use crate::domain::world::{Stop, View};

/// Most levels that were taken back and that a ticket still remembers; the journal has them all.
pub const WITHDRAWN_MAX: usize = 200;

/// A level as a ticket remembers it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LevelNoted {
    /// Which, and when it was reached.
    pub reached: ThresholdReached,
    /// When that was journalled.
    pub noted_at: Timestamp,
    /// When it was taken back, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn_at: Option<Timestamp>,
}

impl LevelNoted {
    /// A level journalled at an instant.
    #[must_use]
    pub const fn new(reached: ThresholdReached, noted_at: Timestamp) -> Self {
        Self {
            reached,
            noted_at,
            withdrawn_at: None,
        }
    }

    /// Goes back to what was known at an instant. Returns whether it was known.
    pub(super) fn was_known_at(&mut self, at: Timestamp) -> bool {
        self.withdrawn_at = self.withdrawn_at.filter(|withdrawn| *withdrawn <= at);
        self.noted_at <= at
    }
}

/// What changed a verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Events that count from now on, by their ids.
    Events(Vec<String>),
    /// What firms agreed, or what counts no more: the amendment's id.
    Amendment(String),
    /// Terms that a repin brought to the ticket: the id of the agreement's revision.
    Terms(String),
}

/// A level that was journalled was not reached, or not then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerdictRevised {
    /// What was journalled.
    pub before: ThresholdReached,
    /// When the level was reached as it looks now; `None` if it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub now: Option<Crossing>,
    /// What changed it.
    pub cause: Cause,
    /// When the sweeper has to look again.
    pub due_at: Option<Timestamp>,
}

/// The levels of a ticket that its clocks, as they are evaluated now, do not have, or have at
/// another instant, in the order in which they had been reached.
#[must_use]
pub fn revised(ticket: &Ticket, evaluations: &[Evaluated], cause: &Cause) -> Vec<VerdictRevised> {
    let mut revised = Vec::new();
    for reached in ticket.levels() {
        let about = |evaluated: &&Evaluated| evaluated.terms.is_about(&reached.agreement);
        let evaluated = evaluations.iter().find(about);
        let now = evaluated.and_then(|evaluated| crossing(evaluated, reached));
        if now.is_none_or(|now| now.at != reached.at) {
            revised.push(VerdictRevised {
                before: reached.clone(),
                now: now.copied(),
                cause: cause.clone(),
                due_at: None,
            });
        }
    }
    revised.sort_by_key(|revised| (revised.before.at, revised.before.level));
    revised
}

fn crossing<'evaluated>(
    evaluated: &'evaluated Evaluated,
    reached: &ThresholdReached,
) -> Option<&'evaluated Crossing> {
    let mut clocks = evaluated.evaluation.clocks.iter();
    let clock = clocks
        .find(|clock| clock.target_type == reached.target_type && clock.cycle == reached.cycle)?;
    let mut crossings = clock.crossings.iter();
    crossings.find(|crossing| crossing.level == reached.level)
}

/// What follows from something that changes what a ticket's clocks are made of: the event itself,
/// as `event` makes it with the instant of the next look, and then the verdicts that it revises.
///
/// # Errors
/// What has to be loaded first.
pub(super) fn with_revisions(
    ticket: &Ticket,
    cause: &Cause,
    firm: &FirmId,
    event: impl Fn(Option<Timestamp>) -> TicketEvent,
    view: &View<'_>,
) -> Result<Vec<TicketEvent>, Stop> {
    let recorded = Recorded {
        sequence: view.next_sequence,
        at: view.now,
        firm: Some(firm.clone()),
        actor: String::new(),
    };
    let after = Ticket::apply(Some(ticket.clone()), &event(ticket.due_at), &recorded);
    let after = after.ok_or_else(|| Refusal::new(Reason::Internal, "an event does not fit"))?;
    let (revised, due_at) = consequences(&after, cause, view)?;
    let mut events = vec![event(due_at)];
    events.extend(revised.into_iter().map(TicketEvent::VerdictRevised));
    Ok(events)
}

/// The verdicts that are no longer what was journalled, and when the sweeper has to look at a
/// ticket that is as it will be.
pub(super) fn consequences(
    after: &Ticket,
    cause: &Cause,
    view: &View<'_>,
) -> Result<(Vec<VerdictRevised>, Option<Timestamp>), Stop> {
    let evaluations = evaluate_ticket(after, view.now, view)?;
    let mut revised = revised(after, &evaluations, cause);
    if revised.is_empty() {
        return Ok((revised, after.next_look(&evaluations)));
    }
    let mut settled = after.clone();
    for change in &revised {
        settled
            .revise(change, view.now)
            .ok_or_else(|| Refusal::new(Reason::Internal, "a level was lost"))?;
    }
    let due_at = settled.next_look(&evaluations);
    for change in &mut revised {
        change.due_at = due_at;
    }
    Ok((revised, due_at))
}

impl Ticket {
    /// Takes a level back, and notes it anew where it was reached at another instant.
    pub(super) fn revise(&mut self, change: &VerdictRevised, at: Timestamp) -> Option<()> {
        let standing = self
            .reached
            .iter_mut()
            .find(|level| level.withdrawn_at.is_none() && level.reached == change.before)?;
        standing.withdrawn_at = Some(at);
        if let Some(now) = &change.now {
            let reached = ThresholdReached {
                at: now.at,
                priority: now.priority,
                target: now.target,
                ..change.before.clone()
            };
            self.reached.push(LevelNoted::new(reached, at));
        }
        let withdrawn = self
            .reached
            .iter()
            .filter(|level| level.withdrawn_at.is_some());
        let mut too_many = withdrawn.count().saturating_sub(WITHDRAWN_MAX);
        self.reached.retain(|level| {
            let goes = too_many > 0 && level.withdrawn_at.is_some();
            too_many -= usize::from(goes);
            !goes
        });
        Some(())
    }
}
