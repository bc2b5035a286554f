//! A store around another one that lets something happen before and after each call.

use std::sync::Arc;

use async_trait::async_trait;
use entente::domain::commitment::{Commitment, Opening};
use entente::domain::identity::{ExternalReference, ScopeId};
use entente::domain::journal::{Entry, Hash, Head};
use entente::domain::record::RecordKey;
use entente::domain::time::Timestamp;
use entente::store::{
    CredentialRow, DueRow, EntryHash, ListQuery, RecordRow, ReferenceRow, ReferencedRow,
    RequestKey, RequestRow, Store, StoreError, Transaction, WriteSet, ZoneRow,
};

/// A call to the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// A transaction begins.
    Begin,
    /// It locks heads.
    LockHeads,
    /// It loads something.
    Load,
    /// It writes.
    Write,
    /// It commits.
    Commit,
    /// Something is read outside of any transaction.
    Read,
    /// Requests are purged, or a secret is stored, outside of any transaction.
    Purge,
}

/// What happens around each call.
#[async_trait]
pub trait Hook: Send + Sync {
    /// Before the call; an error takes its place.
    async fn before(&self, call: Call) -> Result<(), StoreError>;

    /// After a call that succeeded; an error takes the place of its answer.
    async fn after(&self, call: Call) -> Result<(), StoreError>;

    /// Whether errors are made up, so that a failed commit says nothing about a file.
    fn makes_errors_up(&self) -> bool;
}

/// A store with a hook.
pub struct DecoratedStore {
    /// The store that does the work.
    pub inner: Arc<dyn Store>,
    /// What happens around each call.
    pub hook: Arc<dyn Hook>,
}

struct DecoratedTransaction<'store> {
    inner: Box<dyn Transaction + 'store>,
    hook: Arc<dyn Hook>,
}

/// Runs a call between the hook's two parts.
macro_rules! around {
    ($hook:expr, $call:expr, $work:expr) => {{
        $hook.before($call).await?;
        let answer = $work.await?;
        $hook.after($call).await?;
        Ok(answer)
    }};
}

#[async_trait]
impl Transaction for DecoratedTransaction<'_> {
    async fn lock_heads(
        &mut self,
        scopes: &[ScopeId],
        create: &[ScopeId],
        wait: bool,
    ) -> Result<Vec<Head>, StoreError> {
        around!(
            self.hook,
            Call::LockHeads,
            self.inner.lock_heads(scopes, create, wait)
        )
    }

    async fn records(&mut self, keys: &[RecordKey]) -> Result<Vec<RecordRow>, StoreError> {
        around!(self.hook, Call::Load, self.inner.records(keys))
    }

    async fn requests(&mut self, keys: &[RequestKey]) -> Result<Vec<RequestRow>, StoreError> {
        around!(self.hook, Call::Load, self.inner.requests(keys))
    }

    async fn references(
        &mut self,
        keys: &[(ScopeId, ExternalReference)],
    ) -> Result<Vec<ReferencedRow>, StoreError> {
        around!(self.hook, Call::Load, self.inner.references(keys))
    }

    async fn entry_hashes(
        &mut self,
        keys: &[(ScopeId, u64)],
    ) -> Result<Vec<EntryHash>, StoreError> {
        around!(self.hook, Call::Load, self.inner.entry_hashes(keys))
    }

    async fn zones(&mut self, keys: &[(ScopeId, String)]) -> Result<Vec<ZoneRow>, StoreError> {
        around!(self.hook, Call::Load, self.inner.zones(keys))
    }

    async fn write(&mut self, set: &WriteSet) -> Result<(), StoreError> {
        around!(self.hook, Call::Write, self.inner.write(set))
    }

    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        around!(self.hook, Call::Commit, self.inner.commit())
    }
}

#[async_trait]
impl Store for DecoratedStore {
    async fn begin(&self) -> Result<Box<dyn Transaction + '_>, StoreError> {
        self.hook.before(Call::Begin).await?;
        let inner = self.inner.begin().await?;
        self.hook.after(Call::Begin).await?;
        Ok(Box::new(DecoratedTransaction {
            inner,
            hook: Arc::clone(&self.hook),
        }))
    }

    async fn records(&self, keys: &[RecordKey]) -> Result<Vec<RecordRow>, StoreError> {
        around!(self.hook, Call::Read, self.inner.records(keys))
    }

    async fn list_records(&self, query: &ListQuery) -> Result<Vec<RecordRow>, StoreError> {
        around!(self.hook, Call::Read, self.inner.list_records(query))
    }

    async fn references_anywhere(
        &self,
        reference: &ExternalReference,
        limit: usize,
    ) -> Result<Vec<ReferenceRow>, StoreError> {
        around!(
            self.hook,
            Call::Read,
            self.inner.references_anywhere(reference, limit)
        )
    }

    async fn references_of(&self, keys: &[RecordKey]) -> Result<Vec<ReferenceRow>, StoreError> {
        around!(self.hook, Call::Read, self.inner.references_of(keys))
    }

    async fn due_records(&self, now: Timestamp, limit: usize) -> Result<Vec<DueRow>, StoreError> {
        around!(self.hook, Call::Read, self.inner.due_records(now, limit))
    }

    async fn heads(&self, scopes: &[ScopeId]) -> Result<Vec<Head>, StoreError> {
        around!(self.hook, Call::Read, self.inner.heads(scopes))
    }

    async fn list_heads(&self, after_scope: &str, limit: usize) -> Result<Vec<Head>, StoreError> {
        around!(
            self.hook,
            Call::Read,
            self.inner.list_heads(after_scope, limit)
        )
    }

    async fn entries(
        &self,
        scope: &ScopeId,
        after_sequence: u64,
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        around!(
            self.hook,
            Call::Read,
            self.inner.entries(scope, after_sequence, limit)
        )
    }

    async fn entries_of(
        &self,
        key: &RecordKey,
        after_sequence: u64,
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        around!(
            self.hook,
            Call::Read,
            self.inner.entries_of(key, after_sequence, limit)
        )
    }

    async fn openings(
        &self,
        scope: &ScopeId,
        commitments: &[Commitment],
    ) -> Result<Vec<Opening>, StoreError> {
        around!(
            self.hook,
            Call::Read,
            self.inner.openings(scope, commitments)
        )
    }

    async fn list_openings(
        &self,
        scope: &ScopeId,
        after: &str,
        limit: usize,
    ) -> Result<Vec<Opening>, StoreError> {
        around!(
            self.hook,
            Call::Read,
            self.inner.list_openings(scope, after, limit)
        )
    }

    async fn zones(&self, keys: &[(ScopeId, String)]) -> Result<Vec<ZoneRow>, StoreError> {
        around!(self.hook, Call::Read, self.inner.zones(keys))
    }

    async fn credentials(&self, ids: &[String]) -> Result<Vec<CredentialRow>, StoreError> {
        around!(self.hook, Call::Read, self.inner.credentials(ids))
    }

    async fn credentials_by_digest(
        &self,
        digest: &Hash,
        limit: usize,
    ) -> Result<Vec<CredentialRow>, StoreError> {
        let found = self.inner.credentials_by_digest(digest, limit);
        around!(self.hook, Call::Read, found)
    }

    async fn touch_credential(&self, id: &str, now: Timestamp) -> Result<(), StoreError> {
        around!(self.hook, Call::Read, self.inner.touch_credential(id, now))
    }

    async fn secret(&self, name: &str, fresh: &[u8]) -> Result<Vec<u8>, StoreError> {
        around!(self.hook, Call::Purge, self.inner.secret(name, fresh))
    }

    async fn purge_requests(&self, now: Timestamp, limit: usize) -> Result<u64, StoreError> {
        around!(
            self.hook,
            Call::Purge,
            self.inner.purge_requests(now, limit)
        )
    }

    async fn ping(&self) -> Result<(), StoreError> {
        around!(self.hook, Call::Read, self.inner.ping())
    }

    fn engine(&self) -> &'static str {
        self.inner.engine()
    }

    fn batches_at_once(&self) -> usize {
        self.inner.batches_at_once()
    }

    fn commit_failure_is_fatal(&self) -> bool {
        self.inner.commit_failure_is_fatal() && !self.hook.makes_errors_up()
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}
