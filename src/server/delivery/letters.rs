//! Entries that were given up, and that somebody wants to have tried once more.

use super::Deliverer;
use super::post::Outcome;
use super::stream::{LEASE, disable};
use crate::api::status::ApiError;
use crate::api::webhook::outbound;
use crate::domain::subscription::DisableReason;
use crate::store::deliveries::DeadLetterRow;

impl Deliverer {
    /// Posts a dead letter once. What is taken is forgotten; what is not stays dead until asked for.
    pub(super) async fn post_letter(&self, found: DeadLetterRow) -> Result<(), ApiError> {
        let mut row = found;
        row.due_at = Some(self.now().saturating_add(LEASE));
        if !self.note_letter(&mut row).await? {
            return Ok(());
        }
        let subscription = outbound::active(&self.api, &row.scope, &row.subscription).await?;
        let until = outbound::readable_until(&self.api, &row.scope, &row.source).await?;
        let is_readable = until.is_some_and(|until| row.sequence <= until);
        let (Some(subscription), true) = (subscription, is_readable) else {
            return self.bury(row, "the firm may not read it any more").await;
        };
        let store = self.api.ledger.store();
        let before = row.sequence.saturating_sub(1);
        let entries = store.entries(&row.source, before, 1).await?;
        let entry = entries.into_iter().next();
        let Some(entry) = entry.filter(|entry| entry.sequence == row.sequence) else {
            return self.bury(row, "the journal has no such entry").await;
        };
        match self.post(&row.scope, &subscription, entry).await? {
            Outcome::Taken => Ok(self.store()?.delete_dead_letter(&row).await?),
            Outcome::Failed { why, .. } => self.bury(row, &why).await,
            Outcome::Gone => {
                let (scope, id) = (row.scope.clone(), row.subscription.clone());
                self.bury(row, "answered 410").await?;
                disable(self, &scope, &id, DisableReason::TargetGone).await
            }
        }
    }

    /// Leaves a letter dead, with the latest reason.
    async fn bury(&self, mut row: DeadLetterRow, why: &str) -> Result<(), ApiError> {
        row.attempts = row.attempts.saturating_add(1);
        row.due_at = None;
        row.failed_at = self.now();
        why.clone_into(&mut row.last_error);
        self.note_letter(&mut row).await.map(drop)
    }

    async fn note_letter(&self, row: &mut DeadLetterRow) -> Result<bool, ApiError> {
        row.version += 1;
        Ok(self.store()?.put_dead_letter(row).await?)
    }
}
