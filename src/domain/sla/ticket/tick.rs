//! What happens to a ticket as time passes: levels are reached, and journalled.

use super::{
    Deadline, Evaluated, ThresholdJournalled, ThresholdReached, Ticket, TicketEvent, WatchMoved,
};
use crate::domain::command::Decision;
use crate::domain::record::{Event, Kind};
use crate::domain::sla::agreement::{Agreement, AgreementState};
use crate::domain::sla::clock::{ClockEvaluation, Crossing, LevelAt, Verdict};
use crate::domain::sla::in_force::{TermsInForce, terms_in_force};
use crate::domain::time::Timestamp;
use crate::domain::world::{Stop, View};

/// The clocks of a ticket for each side's promises.
pub(super) fn evaluate_ticket(
    ticket: &Ticket,
    as_of: Timestamp,
    view: &View<'_>,
) -> Result<Vec<Evaluated>, Stop> {
    let in_force = terms_in_force(ticket, view)?.into_iter();
    let evaluated = in_force.map(|terms| Evaluated {
        evaluation: terms.clocks(ticket, as_of),
        terms,
    });
    Ok(evaluated.collect())
}

/// Journals every level that was reached and is not journalled yet, in the order in which they
/// were reached. An ended agreement raises nothing more.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn tick(id: &str, view: &View<'_>) -> Result<Decision, Stop> {
    let ticket = view.get::<Ticket>(id)?;
    if ticket.due_at.is_none_or(|due_at| due_at > view.now) {
        return Ok(Decision::about(Kind::Ticket, id));
    }
    look(id, ticket, view)
}

/// Looks at an open ticket although it is not due: its terms have changed, and with them the
/// instants at which it has to be looked at.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn refresh(id: &str, view: &View<'_>) -> Result<Decision, Stop> {
    let ticket = view.get::<Ticket>(id)?;
    if ticket.state.is_finished() && ticket.due_at.is_none() {
        return Ok(Decision::about(Kind::Ticket, id));
    }
    look(id, ticket, view)
}

fn look(id: &str, ticket: &Ticket, view: &View<'_>) -> Result<Decision, Stop> {
    let decision = Decision::about(Kind::Ticket, id);
    let mut evaluations = Vec::new();
    for evaluated in evaluate_ticket(ticket, view.now, view)? {
        let agreement = &evaluated.terms.at(view.now).terms.agreement;
        if view.get::<Agreement>(agreement)?.state != AgreementState::Ended {
            evaluations.push(evaluated);
        }
    }
    let reached = newly_reached(ticket, &evaluations);
    let mut after = ticket.clone();
    after.reached.extend(reached.iter().cloned());
    let due_at = after.next_look(&evaluations);
    if reached.is_empty() {
        let moved = (due_at != ticket.due_at).then_some(WatchMoved { due_at });
        return Ok(moved.into_iter().fold(decision, |decision, moved| {
            decision.event(Event::new(id, TicketEvent::WatchMoved(moved)))
        }));
    }
    let events = reached
        .into_iter()
        .map(|reached| journalled(reached, ticket, &evaluations, due_at, view.now));
    Ok(events.fold(decision, |decision, event| {
        decision.event(Event::new(id, event))
    }))
}

/// The entry for a level. Where people are to be told, it has in it what they need to know.
fn journalled(
    reached: ThresholdReached,
    ticket: &Ticket,
    evaluations: &[Evaluated],
    due_at: Option<Timestamp>,
    now: Timestamp,
) -> TicketEvent {
    let is_breach = reached.level == LevelAt::BREACH;
    let (deadlines, references) = if reached.escalation_levels.is_empty() {
        (Vec::new(), Vec::new())
    } else {
        (deadlines(evaluations, now), ticket.references.clone())
    };
    let journalled = ThresholdJournalled {
        reached,
        deadlines,
        references,
        due_at,
    };
    if is_breach {
        TicketEvent::Breached(journalled)
    } else {
        TicketEvent::ThresholdReached(journalled)
    }
}

/// Every deadline that is still to be kept, or was missed and is still open.
fn deadlines(evaluations: &[Evaluated], now: Timestamp) -> Vec<Deadline> {
    let open = |clock: &&ClockEvaluation| {
        clock.stopped_at.is_none() && clock.verdict != Verdict::Cancelled
    };
    let of_one = |evaluated: &Evaluated| -> Vec<Deadline> {
        let clocks = evaluated.evaluation.clocks.iter().filter(open);
        clocks
            .map(|clock| Deadline {
                agreement: evaluated.terms.at(now).terms.agreement.clone(),
                target_type: clock.target_type,
                cycle: clock.cycle,
                due_at: clock.due_at,
            })
            .collect()
    };
    evaluations.iter().flat_map(of_one).collect()
}

fn newly_reached(ticket: &Ticket, evaluations: &[Evaluated]) -> Vec<ThresholdReached> {
    let mut reached: Vec<ThresholdReached> = Vec::new();
    for evaluated in evaluations {
        for clock in &evaluated.evaluation.clocks {
            let new = clock
                .crossings
                .iter()
                .filter(|crossing| !ticket.has_reached(&evaluated.terms, clock, crossing.level));
            reached
                .extend(new.map(|crossing| reached_by(ticket, &evaluated.terms, clock, crossing)));
        }
    }
    reached.sort_by(|one, other| {
        let order = |of: &ThresholdReached| (of.at, of.level, of.target_type, of.cycle);
        order(one)
            .cmp(&order(other))
            .then_with(|| one.agreement.cmp(&other.agreement))
    });
    reached
}

fn reached_by(
    ticket: &Ticket,
    in_force: &TermsInForce,
    clock: &ClockEvaluation,
    crossing: &Crossing,
) -> ThresholdReached {
    let pinned = in_force.at(crossing.at);
    let levels = pinned.content.escalation_levels.iter();
    let raised = levels
        .filter(|level| level.at == crossing.level && level.is_about(clock.target_type))
        .map(|level| level.name.clone());
    ThresholdReached {
        agreement: pinned.terms.agreement.clone(),
        target_type: clock.target_type,
        cycle: clock.cycle,
        level: crossing.level,
        escalation_levels: raised.collect(),
        at: crossing.at,
        priority: crossing.priority,
        target: crossing.target,
        backfill: ticket
            .backfilled_until
            .is_some_and(|until| crossing.at <= until),
    }
}
