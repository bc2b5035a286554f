//! Tickets that several firms know, and tickets that became part of another one.

use serde::{Deserialize, Serialize};

use super::{REFERENCES_MAX, Ticket, TicketEvent};
use crate::domain::command::Decision;
use crate::domain::identity::ExternalReference;
use crate::domain::record::{Event, Kind};
use crate::domain::refusal::{Reason, Refusal, Violations};
use crate::domain::text::require_reference;
use crate::domain::time::Timestamp;
use crate::domain::world::{Stop, View};

/// A firm knows the ticket by a further id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TicketLinked {
    /// The id in that firm's software.
    pub reference: ExternalReference,
}

/// Makes a ticket known by a further id. The same again changes nothing.
pub(super) fn link(
    id: &str,
    reference: &ExternalReference,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let mut violations = Violations::default();
    require_reference(&mut violations, "reference", reference);
    violations.finish()?;
    let ticket = view.get::<Ticket>(id)?;
    let decision = Decision::about(Kind::Ticket, id);
    let known = view.referenced(reference)?;
    match known.iter().find(|(kind, _)| *kind == Kind::Ticket) {
        Some((_, other)) if other == id => return Ok(decision),
        Some((_, other)) => {
            let taken = "the reference stands for another ticket";
            let refusal = Refusal::new(Reason::AlreadyExists, taken);
            return Err(refusal.with("ticket", name_of(other, view)).into());
        }
        None => {}
    }
    if ticket.references.len() >= REFERENCES_MAX {
        return Err(Refusal::limit("references_per_ticket", REFERENCES_MAX).into());
    }
    let linked = TicketLinked {
        reference: reference.clone(),
    };
    let linked = Event::new(id, TicketEvent::Linked(linked));
    Ok(decision
        .reference(reference.clone(), Kind::Ticket, id)
        .event(linked))
}

fn name_of(ticket: &str, view: &View<'_>) -> String {
    format!("{}/tickets/{ticket}", view.scope)
}

/// Refuses what comes to a ticket that was merged into another one: everything, or what happened
/// after the merge. What happened before it, or at its very instant, is late evidence.
pub(super) fn refuse_after_merge(
    ticket: &Ticket,
    occurred_at: Option<Timestamp>,
    view: &View<'_>,
) -> Result<(), Stop> {
    let Some(merge) = ticket.merged_by() else {
        return Ok(());
    };
    if occurred_at.is_some_and(|at| at <= merge.occurred_at) {
        return Ok(());
    }
    let refusal = Refusal::new(Reason::TicketMerged, "the ticket was merged into another");
    let Some(target) = &merge.merged_into else {
        return Err(refusal.into());
    };
    let mut into = target.ticket.clone();
    if let (None, Some(reference)) = (&into, &target.reference) {
        // What nobody knew when the tickets were merged may be known by now.
        let known = view.referenced(reference)?;
        let known = known.iter().find(|(kind, _)| *kind == Kind::Ticket);
        into = known.map(|(_, id)| id.clone());
    }
    Err(match into {
        Some(into) => refusal.with("merged_into", name_of(&into, view)).into(),
        None => refusal.into(),
    })
}
