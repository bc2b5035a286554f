//! Updates that are posted here count as events of the ticket, like those of a firm's own software.

use std::collections::BTreeSet;

use super::intake::{NewFact, take};
use super::link::refuse_after_merge;
use super::{FACTS_MAX, Ticket, TicketEvent};
use crate::domain::identity::{FirmId, PartyId};
use crate::domain::partnership::Partnership;
use crate::domain::refusal::Refusal;
use crate::domain::sla::clock::{Mark, TicketFact};
use crate::domain::sla::in_force::terms_in_force;
use crate::domain::world::{Stop, View};

/// Whether an update of `party` is one of the ticket's obligor, and what it does to the ticket: the
/// obligor's counts as the update that is promised next. What others tell keeps no promise.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn tell_update(
    ticket: &Ticket,
    firm: &FirmId,
    party: &PartyId,
    partnership: &Partnership,
    view: &View<'_>,
) -> Result<(bool, Vec<TicketEvent>), Stop> {
    refuse_after_merge(ticket, Some(view.now), view)?;
    let terms = terms_in_force(ticket, view)?;
    let own = terms.first();
    let is_obligors = own.is_some_and(|own| own.at(view.now).content.obligor == *party);
    if !is_obligors {
        return Ok((false, Vec::new()));
    }
    if ticket.event_count() >= FACTS_MAX {
        return Err(Refusal::limit("events_per_ticket", FACTS_MAX).into());
    }
    let fact = TicketFact {
        marks: BTreeSet::from([Mark::Updated]),
        sender: ticket.sender(firm),
        ..TicketFact::at(view.now, format!("entente:update:{}", view.new_id(0)))
    };
    let new = NewFact::of_own(fact, view.now);
    let taken = take(ticket, vec![new], TicketEvent::Recorded, partnership, view)?;
    Ok((true, taken.events().collect()))
}
