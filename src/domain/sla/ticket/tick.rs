//! What happens to tickets as time passes: thresholds are reached.

use super::{ThresholdJournalled, ThresholdReached, Ticket, TicketEvent, WatchMoved};
use crate::domain::command::Decision;
use crate::domain::record::{Event, Kind};
use crate::domain::sla::agreement::{Agreement, AgreementState};
use crate::domain::sla::clock::{TicketEvaluation, TicketFact, WHOLE_TARGET_BPS, evaluate};
use crate::domain::time::Timestamp;
use crate::domain::world::{Stop, View};

/// The clocks that `facts` make of the ticket.
pub(super) fn evaluate_facts(
    facts: &[TicketFact],
    ticket: &Ticket,
    as_of: Timestamp,
    view: &View<'_>,
) -> Result<TicketEvaluation, Stop> {
    let agreement = view.get::<Agreement>(&ticket.agreement)?;
    let calendar = view.calendar(
        &agreement.content.calendar,
        agreement.content.calendar_revision,
    )?;
    Ok(evaluate(
        facts,
        &agreement.content.rules(),
        &calendar,
        as_of,
    ))
}

/// Journals every threshold that was crossed and is not journalled yet, in the order in which they
/// were crossed. An ended agreement raises nothing more.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn tick(id: &str, view: &View<'_>) -> Result<Decision, Stop> {
    let ticket = view.get::<Ticket>(id)?;
    let decision = Decision::about(Kind::Ticket, id);
    if ticket.due_at.is_none_or(|due_at| due_at > view.now) {
        return Ok(decision);
    }
    let agreement = view.get::<Agreement>(&ticket.agreement)?;
    if agreement.state == AgreementState::Ended {
        let moved = WatchMoved { due_at: None };
        return Ok(decision.event(Event::new(id, TicketEvent::WatchMoved(moved))));
    }
    let evaluation = evaluate_facts(&ticket.facts, ticket, view.now, view)?;
    let crossed = newly_crossed(ticket, &evaluation);
    let mut after = ticket.clone();
    after.reached.extend(crossed.iter().cloned());
    let due_at = after.next_look(&evaluation);
    if crossed.is_empty() {
        let moved = WatchMoved { due_at };
        return Ok(decision.event(Event::new(id, TicketEvent::WatchMoved(moved))));
    }
    Ok(crossed.into_iter().fold(decision, |decision, reached| {
        let breach = reached.threshold_bps == WHOLE_TARGET_BPS;
        let journalled = ThresholdJournalled { reached, due_at };
        let event = if breach {
            TicketEvent::Breached(journalled)
        } else {
            TicketEvent::ThresholdReached(journalled)
        };
        decision.event(Event::new(id, event))
    }))
}

fn newly_crossed(ticket: &Ticket, evaluation: &TicketEvaluation) -> Vec<ThresholdReached> {
    let mut crossed: Vec<ThresholdReached> = Vec::new();
    for clock in &evaluation.clocks {
        for crossing in &clock.crossings {
            if !ticket.has_reached(clock.target_type, crossing.threshold_bps) {
                crossed.push(ThresholdReached {
                    target_type: clock.target_type,
                    threshold_bps: crossing.threshold_bps,
                    at: crossing.at,
                    priority: crossing.priority,
                    target: crossing.target,
                    backfill: ticket
                        .backfilled_until
                        .is_some_and(|until| crossing.at <= until),
                });
            }
        }
    }
    crossed.sort_by_key(|reached| (reached.at, reached.threshold_bps, reached.target_type));
    crossed
}
