//! What happens to a ticket as time passes: levels are reached, and journalled.

use super::{
    Deadline, Evaluated, ThresholdJournalled, ThresholdReached, Ticket, TicketEvent, WatchMoved,
};
use crate::domain::command::Decision;
use crate::domain::record::{Event, Kind};
use crate::domain::sla::agreement::{Agreement, AgreementState};
use crate::domain::sla::clock::{
    ClockEvaluation, Crossing, LevelAt, TicketFact, Verdict, evaluate,
};
use crate::domain::time::Timestamp;
use crate::domain::world::{Stop, View};

/// The clocks of a ticket with these facts, under each of its agreements. One that has ended in
/// return owes no more.
pub(super) fn evaluate_facts(
    facts: &[TicketFact],
    ticket: &Ticket,
    as_of: Timestamp,
    view: &View<'_>,
) -> Result<Vec<Evaluated>, Stop> {
    let mut evaluations = Vec::new();
    for terms in ticket.terms() {
        let agreement = view.get::<Agreement>(&terms.agreement)?;
        let content = &agreement.content;
        let calendar = view.calendar(&content.calendar, content.calendar_revision)?;
        evaluations.push(Evaluated {
            agreement: terms.agreement,
            evaluation: evaluate(facts, &content.rules(), &calendar, as_of),
        });
    }
    Ok(evaluations)
}

/// Journals every level that was reached and is not journalled yet, in the order in which they
/// were reached. An ended agreement raises nothing more.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn tick(id: &str, view: &View<'_>) -> Result<Decision, Stop> {
    let ticket = view.get::<Ticket>(id)?;
    let decision = Decision::about(Kind::Ticket, id);
    if ticket.due_at.is_none_or(|due_at| due_at > view.now) {
        return Ok(decision);
    }
    let mut evaluations = Vec::new();
    for evaluated in evaluate_facts(&ticket.facts, ticket, view.now, view)? {
        let agreement = view.get::<Agreement>(&evaluated.agreement)?;
        if agreement.state != AgreementState::Ended {
            evaluations.push(evaluated);
        }
    }
    let reached = newly_reached(ticket, &evaluations, view)?;
    let mut after = ticket.clone();
    after.reached.extend(reached.iter().cloned());
    let due_at = after.next_look(&evaluations);
    if reached.is_empty() {
        let moved = WatchMoved { due_at };
        return Ok(decision.event(Event::new(id, TicketEvent::WatchMoved(moved))));
    }
    let events = reached
        .into_iter()
        .map(|reached| journalled(reached, ticket, &evaluations, due_at));
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
) -> TicketEvent {
    let is_breach = reached.level == LevelAt::BREACH;
    let (deadlines, references) = if reached.escalation_levels.is_empty() {
        (Vec::new(), Vec::new())
    } else {
        (deadlines(evaluations), ticket.references.clone())
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
fn deadlines(evaluations: &[Evaluated]) -> Vec<Deadline> {
    let open = |clock: &&ClockEvaluation| {
        clock.stopped_at.is_none() && clock.verdict != Verdict::Cancelled
    };
    let of_one = |evaluated: &Evaluated| -> Vec<Deadline> {
        let clocks = evaluated.evaluation.clocks.iter().filter(open);
        clocks
            .map(|clock| Deadline {
                agreement: evaluated.agreement.clone(),
                target_type: clock.target_type,
                cycle: clock.cycle,
                due_at: clock.due_at,
            })
            .collect()
    };
    evaluations.iter().flat_map(of_one).collect()
}

fn newly_reached(
    ticket: &Ticket,
    evaluations: &[Evaluated],
    view: &View<'_>,
) -> Result<Vec<ThresholdReached>, Stop> {
    let mut reached: Vec<ThresholdReached> = Vec::new();
    for evaluated in evaluations {
        let agreement = view.get::<Agreement>(&evaluated.agreement)?;
        for clock in &evaluated.evaluation.clocks {
            let new = clock.crossings.iter().filter(|crossing| {
                !ticket.has_reached(&evaluated.agreement, clock, crossing.level)
            });
            reached.extend(new.map(|crossing| {
                reached_by(ticket, &evaluated.agreement, agreement, clock, crossing)
            }));
        }
    }
    reached.sort_by(|one, other| {
        let order = |of: &ThresholdReached| (of.at, of.level, of.target_type, of.cycle);
        order(one)
            .cmp(&order(other))
            .then_with(|| one.agreement.cmp(&other.agreement))
    });
    Ok(reached)
}

fn reached_by(
    ticket: &Ticket,
    id: &str,
    agreement: &Agreement,
    clock: &ClockEvaluation,
    crossing: &Crossing,
) -> ThresholdReached {
    let levels = agreement.content.escalation_levels.iter();
    let raised = levels
        .filter(|level| level.at == crossing.level && level.is_about(clock.target_type))
        .map(|level| level.name.clone());
    ThresholdReached {
        agreement: id.to_owned(),
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
