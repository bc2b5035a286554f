//! Tickets: whether targets are kept, and how it is to have one.

use std::collections::BTreeSet;

use super::{Context, URGENT_PRIORITY};
use crate::domain::checkup::Measure;
use crate::domain::checkup::observation::{Observed, Sink, Source};
use crate::domain::identity::PartyId;
use crate::domain::record::Kind;
use crate::domain::sla::clock::{
    ClockEvaluation, Priority, TargetType, TicketEvaluation, TicketFact, TicketState, Verdict,
};
use crate::domain::sla::in_force::TermsInForce;
use crate::domain::sla::ticket::Ticket;
use crate::domain::time::Timestamp;

/// Tells of a ticket, with the terms that it runs under, its own first.
pub fn observe<'record>(
    id: &'record str,
    ticket: &'record Ticket,
    terms: &'record [TermsInForce],
    context: Context<'record>,
    sink: &mut impl Sink,
) {
    let kind = Kind::Ticket;
    let source = Source { kind, id };
    for terms in terms {
        let obligor = &terms.at(context.as_of).content.obligor;
        let clocks = terms.clocks(ticket, context.as_of);
        observe_clocks(&clocks, obligor, source, sink);
    }
    let reporter = context.partnership.party_of(&ticket.reporter);
    if let Some(reporter) = reporter {
        observe_opening(ticket, &reporter.id, source, sink);
    }
    if let Some(content) = terms.first().map(|terms| &terms.at(context.as_of).content) {
        observe_course(ticket, &content.obligor, source, sink);
        if content.beneficiary != content.obligor {
            observe_urgency(ticket, &content.beneficiary, source, sink);
        }
    }
}

/// Whether targets were missed, each cycle of a clock for itself, when that was decided.
fn observe_clocks<'record>(
    ticket: &TicketEvaluation,
    obligor: &'record PartyId,
    source: Source<'record>,
    sink: &mut impl Sink,
) {
    for clock in &ticket.clocks {
        let Some((at, is_missed)) = decided(clock) else {
            continue;
        };
        let place = (obligor, at);
        source.case(sink, Measure::TargetsMissed, place, is_missed);
        match clock.target_type {
            TargetType::FirstResponse | TargetType::NextResponse => {
                source.case(sink, Measure::ResponsesMissed, place, is_missed);
            }
            TargetType::NextUpdate => source.case(sink, Measure::UpdatesMissed, place, is_missed),
            _ => {}
        }
    }
}

fn decided(clock: &ClockEvaluation) -> Option<(Timestamp, bool)> {
    match clock.verdict {
        Verdict::Met => Some((clock.stopped_at?, false)),
        Verdict::Breached => Some((clock.breached_at?, true)),
        Verdict::Running | Verdict::Cancelled => None,
    }
}

/// How long it took from when the client first spoke until there was a ticket.
fn observe_opening<'record>(
    ticket: &Ticket,
    reporter: &'record PartyId,
    source: Source<'record>,
    sink: &mut impl Sink,
) {
    let spoken = ticket
        .facts
        .iter()
        .filter_map(|fact| fact.reported_at)
        .min();
    let Some((spoken, opened)) = spoken.zip(opened_at(ticket)) else {
        return;
    };
    let took = Observed::Took(opened.since(spoken));
    source.tell(sink, Measure::TimeToOpen, (reporter, opened), took);
}

/// Whether it had to be opened again, when it was first handed on, and how many people took part.
fn observe_course<'record>(
    ticket: &'record Ticket,
    obligor: &'record PartyId,
    source: Source<'record>,
    sink: &mut impl Sink,
) {
    let states = || {
        let facts = ticket.facts.iter();
        facts.filter_map(|fact| fact.state.map(|state| (fact.occurred_at, state)))
    };
    if let Some((finished_at, _)) = states().find(|(_, state)| state.is_finished()) {
        let mut after = states().skip_while(|(_, state)| !state.is_finished());
        let is_reopened = after.any(|(_, state)| !state.is_finished());
        let place = (obligor, finished_at);
        source.case(sink, Measure::ReopenedAfterClosing, place, is_reopened);
    }
    let handed_on = states().find(|(_, state)| *state == TicketState::WaitingOnPartner);
    if let Some(((at, _), opened)) = handed_on.zip(opened_at(ticket)) {
        let took = Observed::Took(at.since(opened));
        source.tell(sink, Measure::TimeToEscalate, (obligor, at), took);
    }
    let people = ticket
        .facts
        .iter()
        .filter_map(|fact| fact.person.as_deref());
    let people: BTreeSet<&str> = people.collect();
    if let Some(opened) = opened_at(ticket).filter(|_| !people.is_empty()) {
        let part = u64::try_from(people.len()).unwrap_or(u64::MAX);
        let observed = Observed::Part { part, whole: 1 };
        source.tell(sink, Measure::PeopleMet, (obligor, opened), observed);
    }
}

/// Whether whoever is served called it urgent at first.
fn observe_urgency<'record>(
    ticket: &Ticket,
    beneficiary: &'record PartyId,
    source: Source<'record>,
    sink: &mut impl Sink,
) {
    let first = ticket.facts.iter().find_map(|fact| fact.priority);
    let Some((priority, opened)) = first.zip(opened_at(ticket)) else {
        return;
    };
    let is_urgent = Priority::new(URGENT_PRIORITY).is_some_and(|urgent| priority <= urgent);
    let place = (beneficiary, opened);
    source.case(sink, Measure::UrgentTickets, place, is_urgent);
}

fn opened_at(ticket: &Ticket) -> Option<Timestamp> {
    let given = ticket.facts.iter().find_map(|fact| fact.opened_at);
    given.or_else(|| {
        ticket
            .facts
            .first()
            .map(|fact: &TicketFact| fact.occurred_at)
    })
}
