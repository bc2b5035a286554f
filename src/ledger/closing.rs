//! After the end of a partnership: writes into its records, in portions, that they are closed. Reads
//! and decisions do not wait for it.

use super::queue::Urgency;
use super::sweep::{service_command, stored, submit_portion, unavailable};
use super::{Failure, Ledger};
use crate::domain::command::Action;
use crate::domain::partnership::ending::{CLOSED_KINDS, Closing};
use crate::domain::record::{Kind, Record, RecordKey};
use crate::domain::sla::clock::OPEN;
use crate::store::ListQuery;

/// Records closed before the partnership notes how far the closing has come.
pub const RECORDS_PER_STEP: usize = 512;

/// Closes the next portion of records of a partnership that is over. Returns whether that was the
/// last one. Several replicas may do the same portion, which does no harm.
///
/// # Errors
/// If the store fails or commands cannot be taken now; the partnership then stays due.
pub async fn advance(ledger: &Ledger, key: &RecordKey) -> Result<bool, Failure> {
    let Some(Record::Partnership(partnership)) = stored(ledger, key).await? else {
        return Ok(true);
    };
    let is_over = partnership.over_at(ledger.clock().now()).is_some();
    let Some(before) = partnership.closing.filter(|_| is_over) else {
        return Ok(true);
    };
    let mut reached = Closing {
        kind: before.kind + 1,
        up_to: String::new(),
    };
    if let Some(kind) = CLOSED_KINDS.get(before.kind) {
        let query = ListQuery {
            scope: key.scope.clone(),
            kind: *kind,
            state: (*kind == Kind::Ticket).then(|| OPEN.to_owned()),
            after_id: before.up_to.clone(),
            limit: RECORDS_PER_STEP,
        };
        let rows = ledger.store().list_records(&query).await;
        let rows = rows.map_err(|error| unavailable(&error))?;
        if let Some(last) = rows.last().filter(|_| rows.len() == RECORDS_PER_STEP) {
            reached = Closing {
                kind: before.kind,
                up_to: last.key.id.clone(),
            };
        }
        let closes = rows.into_iter().map(|row| {
            let (kind, id) = (row.key.kind, row.key.id);
            service_command(
                &row.key.scope,
                String::new(),
                Action::CloseRecord { kind, id },
            )
        });
        submit_portion(ledger, closes.collect()).await?;
    }
    let is_done = reached.kind >= CLOSED_KINDS.len();
    let note = Action::NoteClosing { before, reached };
    let note = service_command(&key.scope, String::new(), note);
    ledger.submit_alone(note, None, Urgency::Background).await?;
    Ok(is_done)
}
