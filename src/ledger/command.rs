//! What is known of a command before it is decided.

use std::collections::{HashMap, HashSet};

use super::batch::Outcome;
use crate::domain::command::{Action, Command};
use crate::domain::firm::FirmCommand;
use crate::domain::identity::{FirmId, ScopeId};
use crate::domain::journal::Head;
use crate::domain::partnership::PartnershipCommand;
use crate::domain::record::{Kind, RecordKey};
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::sla::settings::{PriorityMap, StatusMap};
use crate::domain::sla::ticket::TicketCommand;
use crate::domain::world::Need;
use crate::store::RequestKey;

/// What is known of a command whose scope could not be locked.
pub(super) fn without_head(
    command: &Command,
    heads: &HashMap<ScopeId, Head>,
    held: &HashSet<ScopeId>,
) -> Option<Outcome> {
    if heads.contains_key(&command.scope) {
        return None;
    }
    if held.contains(&command.scope) {
        return Some(Outcome::HeldElsewhere);
    }
    let refusal = match &command.action {
        // A code for no partnership at all is answered like any wrong code.
        Action::Partnership(PartnershipCommand::Join { .. }) => Refusal::new(
            Reason::InvitationInvalid,
            "the code is wrong, used or expired",
        ),
        _ => Refusal::not_found(if command.scope.is_firm() {
            "firm"
        } else {
            "partnership"
        }),
    };
    Some(Outcome::Answered(Err(refusal)))
}

/// Only what the service itself carries, and the operator's first command, may begin a scope: a
/// stranger cannot leave empty heads behind.
pub(super) fn begins_scope(command: &Command) -> bool {
    match &command.action {
        Action::Firm(FirmCommand::Create { .. })
        | Action::Partnership(PartnershipCommand::Create(_)) => true,
        Action::Firm(FirmCommand::Register { .. }) => command.scope == FirmId::operator().scope(),
        _ => false,
    }
}

/// Timers, settled carries and a ticket's events are idempotent by the state that they find: a ticket
/// knows the ids of its events for ever.
pub(super) fn is_remembered(command: &Command) -> bool {
    !matches!(
        command.action,
        Action::Tick { .. }
            | Action::ActivateFormat(_)
            | Action::RefreshTicket { .. }
            | Action::NoteRefresh { .. }
            | Action::CloseRecord { .. }
            | Action::NoteClosing { .. }
            | Action::SettleCarry { .. }
            | Action::TellRestored
            | Action::DisableSubscription { .. }
            | Action::Ticket(TicketCommand::Ingest(_))
    )
}

pub(super) fn request_key(command: &Command) -> RequestKey {
    RequestKey {
        scope: command.scope.clone(),
        firm: command
            .firm
            .as_ref()
            .map(|firm| firm.as_str().to_owned())
            .unwrap_or_default(),
        request_id: command.request_id.clone(),
    }
}

/// What a command is known to need; it asks for anything else by itself.
pub(super) fn first_needs(command: &Command) -> Vec<Need> {
    let scope = &command.scope;
    let record = |kind, id: &str| Need::Record(RecordKey::new(scope, kind, id));
    let kind = if scope.is_firm() {
        Kind::Firm
    } else {
        Kind::Partnership
    };
    let mut needs = vec![record(kind, scope.id())];
    match &command.action {
        Action::Ticket(TicketCommand::Ingest(event)) => {
            let reference = &event.reference;
            let (firm, system, instance) =
                (&reference.firm, &reference.system, &reference.instance);
            needs.push(Need::Reference(scope.clone(), reference.clone()));
            if event.status.is_some() {
                let map = StatusMap::reference(firm, system, instance);
                needs.push(Need::Reference(scope.clone(), map));
            }
            if event.source_priority.is_some() {
                let map = PriorityMap::reference(firm, system, instance);
                needs.push(Need::Reference(scope.clone(), map));
            }
        }
        Action::Tick { kind, id } | Action::CloseRecord { kind, id } => {
            needs.push(record(*kind, id));
        }
        Action::RefreshTicket { id } => needs.push(record(Kind::Ticket, id)),
        Action::NoteRefresh { id, .. } => needs.push(record(Kind::Agreement, id)),
        Action::Quote(command) => {
            let quote = command.quote();
            needs.extend(quote.map(|id| record(Kind::JointQuote, id)));
        }
        Action::SettleCarry { id, .. } => needs.push(record(Kind::Carry, id)),
        _ => {}
    }
    needs
}
