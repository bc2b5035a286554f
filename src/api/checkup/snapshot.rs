//! A partnership's journal as it was at an instant.

use crate::api::Api;
use crate::api::status::ApiError;
use crate::domain::identity::ScopeId;
use crate::domain::journal::{Hash, Head};
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;
use crate::domain::world::Versioned;
use crate::ledger::{history, rows};
use crate::store::RecordRow;

/// Which entries of a scope count: those up to one that was the last at an instant.
///
/// Records are read as they are now. One that changed since is made again from its own entries; so a
/// look at the past costs more the more has changed since, and no more memory.
#[derive(Clone, Debug)]
pub(super) struct Snapshot {
    /// The scope's head as it was found; what is recorded later counts for nobody who uses this.
    head: Head,
    /// The last entry that counts.
    sequence: u64,
}

impl Snapshot {
    /// The snapshot of an instant; without one, of the present.
    ///
    /// # Errors
    /// If the store fails.
    pub(super) async fn find(
        api: &Api,
        scope: &ScopeId,
        as_of: Option<Timestamp>,
    ) -> Result<Self, ApiError> {
        let heads = api
            .ledger
            .store()
            .heads(std::slice::from_ref(scope))
            .await?;
        let head = heads.into_iter().next();
        let head = head.ok_or_else(|| Refusal::not_found("partnership"))?;
        let sequence = match as_of.filter(|as_of| *as_of < head.recorded_at) {
            None => head.sequence,
            Some(as_of) => last_by(api, &head, as_of).await?,
        };
        Ok(Self { head, sequence })
    }

    /// Sequence and hash of the scope's head as it was found, by which a report is known again.
    pub(super) fn head(&self) -> (u64, Hash) {
        (self.head.sequence, self.head.hash)
    }

    /// When the scope's last entry was recorded.
    pub(super) const fn recorded_at(&self) -> Timestamp {
        self.head.recorded_at
    }

    /// The last entry that counts.
    pub(super) const fn sequence(&self) -> u64 {
        self.sequence
    }

    /// A record as it was; `None` if there was none yet.
    ///
    /// # Errors
    /// If the store fails, or the row cannot be read.
    pub(super) async fn of(
        &self,
        api: &Api,
        row: &RecordRow,
    ) -> Result<Option<Versioned>, ApiError> {
        if self.has(row) {
            return Ok(Some(rows::decode_row(row)?));
        }
        let store = api.ledger.store().as_ref();
        Ok(history::as_of(store, &row.key, self.sequence).await?)
    }

    /// Whether a record is still as it was.
    pub(super) const fn has(&self, row: &RecordRow) -> bool {
        row.sequence <= self.sequence
    }
}

/// The last entry recorded at an instant or before, 0 if there is none. Entries of a scope are ascending
/// by time, so it is found in few steps.
async fn last_by(api: &Api, head: &Head, as_of: Timestamp) -> Result<u64, ApiError> {
    let (mut known, mut later) = (0, head.sequence);
    while later - known > 1 {
        let middle = known + (later - known) / 2;
        let store = api.ledger.store();
        let entries = store.entries(&head.scope, middle - 1, 1).await?;
        let is_later = entries
            .first()
            .is_none_or(|entry| entry.recorded_at > as_of);
        if is_later {
            later = middle;
        } else {
            known = middle;
        }
    }
    Ok(known)
}
