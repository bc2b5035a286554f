//! What happens to a ticket as time passes: levels are reached, and journalled.

use super::revision::{Cause, LevelNoted, VerdictRevised, revised};
use super::{
    Deadline, Evaluated, ThresholdJournalled, ThresholdReached, Ticket, TicketEvent, WatchMoved,
};
use crate::domain::command::Decision;
use crate::domain::partnership::Partnership;
use crate::domain::record::{Event, Kind};
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::sla::agreement::{Agreement, AgreementRevision};
use crate::domain::sla::clock::{ClockEvaluation, Crossing, LevelAt, Verdict};
use crate::domain::sla::in_force::{TermsInForce, terms_in_force};
use crate::domain::time::Timestamp;
use crate::domain::world::{Stop, View, for_each};

/// The clocks of a ticket for each side's promises.
pub(super) fn evaluate_ticket(
    ticket: &Ticket,
    as_of: Timestamp,
    view: &View<'_>,
) -> Result<Vec<Evaluated>, Stop> {
    let mut ticket = ticket.clone();
    if let Some(partnership) = view.find::<Partnership>(view.scope.id())? {
        partnership.close(&mut ticket, view.now);
    }
    let ticket = &ticket;
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
    let mut evaluations = evaluate_ticket(ticket, view.now, view)?;
    // Every event and amendment has revised what it changed; so what is left is by other terms.
    let revised = revised_by_terms(ticket, &evaluations, view.now);
    let mut after = ticket.clone();
    for change in &revised {
        let fits = after.revise(change, view.now);
        fits.ok_or_else(|| Refusal::new(Reason::Internal, "a level was lost"))?;
    }
    let in_force = for_each(&evaluations, |evaluated| {
        let agreement = &evaluated.terms.at(view.now).terms.agreement;
        let agreement = view.get::<Agreement>(agreement)?;
        // An agreement that ended with the partnership still holds for what outlives that.
        Ok(agreement.state.is_in_force() || agreement.closed_at.is_some())
    })?;
    let mut in_force = in_force.into_iter();
    evaluations.retain(|_| in_force.next().unwrap_or_default());
    let reached = newly_reached(&after, &evaluations);
    let noted = reached.iter().cloned();
    after
        .reached
        .extend(noted.map(|reached| LevelNoted::new(reached, view.now)));
    let due_at = after.next_look(&evaluations);
    let mut events: Vec<TicketEvent> = Vec::new();
    for change in revised {
        events.push(TicketEvent::VerdictRevised(VerdictRevised {
            due_at,
            ..change
        }));
    }
    for reached in reached {
        events.push(journalled(reached, ticket, &evaluations, due_at, view.now));
    }
    if events.is_empty() && due_at != ticket.due_at {
        events.push(TicketEvent::WatchMoved(WatchMoved { due_at }));
    }
    Ok(events.into_iter().fold(decision, |decision, event| {
        decision.event(Event::new(id, event))
    }))
}

/// Verdicts that are no longer what was journalled because of the terms in force now.
fn revised_by_terms(
    ticket: &Ticket,
    evaluations: &[Evaluated],
    now: Timestamp,
) -> Vec<VerdictRevised> {
    let mut revised = revised(ticket, evaluations, &Cause::Terms(String::new()));
    for change in &mut revised {
        let about = |evaluated: &&Evaluated| evaluated.terms.is_about(&change.before.agreement);
        if let Some(evaluated) = evaluations.iter().find(about) {
            let terms = &evaluated.terms.at(now).terms;
            let id = AgreementRevision::id_of(&terms.agreement, terms.revision);
            change.cause = Cause::Terms(id);
        }
    }
    revised
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
