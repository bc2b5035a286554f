//! After a repin: goes through the open tickets of a partnership, so that the sweeper looks at each
//! when its clocks say so now. Reads do not wait for it.

use super::queue::Urgency;
use super::sweep::{service_command, stored, submit_portion, unavailable};
use super::{Failure, Ledger};
use crate::domain::command::{Action, Command};
use crate::domain::record::{Kind, Record, RecordKey};
use crate::domain::sla::agreement::{Agreement, Refresh};
use crate::domain::sla::clock::OPEN;
use crate::store::{ListQuery, RecordRow};

/// Tickets looked at before the agreement notes how far the refresh has come.
pub const TICKETS_PER_STEP: usize = 512;

/// Looks at the next portion of open tickets for an agreement that is due. Returns whether that was
/// the last one. Several replicas may do the same portion, which does no harm.
///
/// # Errors
/// If the store fails or commands cannot be taken now; the agreement then stays due.
pub async fn advance(ledger: &Ledger, key: &RecordKey) -> Result<bool, Failure> {
    let began_at = ledger.clock().now();
    let Some(agreement) = due_agreement(ledger, key).await? else {
        return Ok(true);
    };
    let before = agreement.refresh;
    let mut reached = before.clone().unwrap_or(Refresh {
        began_at,
        repins: agreement.repins.len(),
        up_to: String::new(),
    });
    let query = ListQuery {
        scope: key.scope.clone(),
        kind: Kind::Ticket,
        state: Some(OPEN.to_owned()),
        after_id: reached.up_to.clone(),
        limit: TICKETS_PER_STEP,
    };
    let tickets = ledger.store().list_records(&query).await;
    let tickets = tickets.map_err(|error| unavailable(&error))?;
    let is_done = tickets.len() < TICKETS_PER_STEP;
    if let Some(last) = tickets.last() {
        reached.up_to.clone_from(&last.key.id);
    }
    let looks = tickets.iter().map(look).collect();
    submit_portion(ledger, looks).await?;
    let action = Action::NoteRefresh {
        id: key.id.clone(),
        before,
        reached,
        is_done,
    };
    let note = service_command(&key.scope, String::new(), action);
    ledger.submit_alone(note, None, Urgency::Background).await?;
    Ok(is_done)
}

fn look(row: &RecordRow) -> Command {
    let id = row.key.id.clone();
    service_command(&row.key.scope, String::new(), Action::RefreshTicket { id })
}

async fn due_agreement(ledger: &Ledger, key: &RecordKey) -> Result<Option<Agreement>, Failure> {
    Ok(match stored(ledger, key).await? {
        Some(Record::Agreement(agreement)) if agreement.due_at.is_some() => Some(*agreement),
        _ => None,
    })
}
