//! What the deliverer of subscriptions keeps: how far it has come, and what was not taken. None of it
//! is in the journal; it says nothing that a firm relies on later.

use async_trait::async_trait;

use super::call::{self, delivery};
use super::rows;
use super::sql_store::{Engine, SqlStore};
use super::{BATCH_KEYS_MAX, StoreError};
use crate::domain::identity::ScopeId;
use crate::domain::time::Timestamp;

/// Most rows of one list.
pub const ROWS_MAX: usize = BATCH_KEYS_MAX;

/// A subscription that there is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubscriptionRow {
    /// The firm's scope.
    pub scope: ScopeId,
    /// The subscription's id.
    pub id: String,
    /// `active` or `disabled`.
    pub state: String,
}

/// How far the posting of one journal to one subscription has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryRow {
    /// The firm's scope.
    pub scope: ScopeId,
    /// The subscription's id.
    pub subscription: String,
    /// Whose entries.
    pub source: ScopeId,
    /// The last entry that was posted or given up.
    pub sequence: u64,
    /// How often the next one was tried.
    pub attempts: u32,
    /// When it is tried next; while a replica is at it, when another one may take over.
    pub due_at: Timestamp,
    /// Since when nothing was taken.
    pub failing_since: Option<Timestamp>,
    /// Why the last attempt failed; empty if it did not.
    pub last_error: String,
    /// Grows by one with every change.
    pub version: u64,
}

/// An entry that a subscription's target did not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetterRow {
    /// The firm's scope.
    pub scope: ScopeId,
    /// The subscription's id.
    pub subscription: String,
    /// The entry's scope.
    pub source: ScopeId,
    /// The entry's sequence.
    pub sequence: u64,
    /// How often it was tried.
    pub attempts: u32,
    /// Why the last attempt failed.
    pub last_error: String,
    /// When it was given up.
    pub failed_at: Timestamp,
    /// When it is tried once more.
    pub due_at: Option<Timestamp>,
    /// Grows by one with every change.
    pub version: u64,
}

/// Where a list of subscriptions' things goes on: after this one; empty parts for the beginning.
pub type After<'a, const N: usize> = [&'a str; N];

/// What the deliverer asks of a database. Writes are each a transaction of their own.
#[async_trait]
pub trait Deliveries: Send + Sync {
    /// Subscriptions of all firms, ascending by scope and id.
    async fn subscriptions(
        &self,
        after: After<'_, 2>,
        limit: usize,
    ) -> Result<Vec<SubscriptionRow>, StoreError>;

    /// Notes where the posting of `row.source` begins, unless it has begun.
    async fn create_delivery(&self, row: &DeliveryRow) -> Result<(), StoreError>;

    /// How far all posting has come, ascending by scope, subscription and source.
    async fn deliveries(
        &self,
        after: After<'_, 3>,
        limit: usize,
    ) -> Result<Vec<DeliveryRow>, StoreError>;

    /// Puts `row` in the place of the one with the version before; whether that was still there.
    async fn put_delivery(&self, row: &DeliveryRow) -> Result<bool, StoreError>;

    /// Adds a dead letter, or puts it in the place of the one with the version before; whether that
    /// could be done.
    async fn put_dead_letter(&self, row: &DeadLetterRow) -> Result<bool, StoreError>;

    /// The dead letters of a subscription after a source and a sequence, ascending.
    async fn dead_letters(
        &self,
        scope: &ScopeId,
        subscription: &str,
        after: (&str, u64),
        limit: usize,
    ) -> Result<Vec<DeadLetterRow>, StoreError>;

    /// Dead letters of all firms to be tried once more, the longest due first.
    async fn due_dead_letters(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<DeadLetterRow>, StoreError>;

    /// Forgets a dead letter.
    async fn delete_dead_letter(&self, row: &DeadLetterRow) -> Result<(), StoreError>;
}

#[async_trait]
impl<E: Engine> Deliveries for SqlStore<E> {
    async fn subscriptions(
        &self,
        after: After<'_, 2>,
        limit: usize,
    ) -> Result<Vec<SubscriptionRow>, StoreError> {
        let call = delivery::list_subscriptions(after, limit)?;
        self.engine.fetch(call, rows::subscription).await
    }

    async fn create_delivery(&self, row: &DeliveryRow) -> Result<(), StoreError> {
        self.engine.execute(delivery::create(row)?).await.map(drop)
    }

    async fn deliveries(
        &self,
        after: After<'_, 3>,
        limit: usize,
    ) -> Result<Vec<DeliveryRow>, StoreError> {
        let call = delivery::list(after, limit)?;
        self.engine.fetch(call, rows::delivery).await
    }

    async fn put_delivery(&self, row: &DeliveryRow) -> Result<bool, StoreError> {
        let touched = self.engine.execute(delivery::put(row)?).await?;
        Ok(touched > 0)
    }

    async fn put_dead_letter(&self, row: &DeadLetterRow) -> Result<bool, StoreError> {
        let touched = self.engine.execute(delivery::put_dead_letter(row)?).await?;
        Ok(touched > 0)
    }

    async fn dead_letters(
        &self,
        scope: &ScopeId,
        subscription: &str,
        after: (&str, u64),
        limit: usize,
    ) -> Result<Vec<DeadLetterRow>, StoreError> {
        let call = delivery::list_dead_letters(scope, subscription, after, limit)?;
        self.engine.fetch(call, rows::dead_letter).await
    }

    async fn due_dead_letters(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<DeadLetterRow>, StoreError> {
        let call = delivery::list_due_dead_letters(now, limit);
        self.engine.fetch(call, rows::dead_letter).await
    }

    async fn delete_dead_letter(&self, row: &DeadLetterRow) -> Result<(), StoreError> {
        let call = delivery::delete_dead_letter(row)?;
        self.engine.execute(call).await.map(drop)
    }
}

/// What a batch notes of its subscriptions.
pub(super) fn noted(rows: &[SubscriptionRow]) -> Result<call::Call<'_>, StoreError> {
    delivery::put_subscriptions(rows)
}
