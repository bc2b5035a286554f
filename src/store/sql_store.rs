//! The contract carried out once for every SQL engine: which call, and which reader of its rows.
//! An engine only has to run calls.

use std::collections::HashSet;
use std::hash;

use async_trait::async_trait;

use super::call::{self, Call};
use super::deliveries::{self, Deliveries};
use super::rows::{self, Reader};
use super::{
    CredentialRow, DueRow, EntryHash, ListQuery, RecordRow, ReferenceRow, ReferencedRow,
    RequestKey, RequestRow, Store, StoreError, Transaction, WriteSet, ZoneRow,
};
use crate::domain::commitment::{Commitment, Opening};
use crate::domain::identity::{ExternalReference, ScopeId};
use crate::domain::journal::{Entry, Hash, Head};
use crate::domain::record::RecordKey;
use crate::domain::time::Timestamp;

/// What an engine has to do.
#[async_trait]
pub(super) trait Engine: Send + Sync + 'static {
    /// Its transactions.
    type Work: Work;
    /// `sqlite` or `postgres`.
    const NAME: &'static str;
    /// See [`Store::batches_at_once`].
    const BATCHES_AT_ONCE: usize;
    /// See [`Store::commit_failure_is_fatal`].
    const COMMIT_FAILURE_IS_FATAL: bool;

    /// Starts a transaction.
    async fn begin(&self) -> Result<Self::Work, StoreError>;
    /// Runs a statement that only reads, outside of any transaction.
    async fn fetch<T: Send + 'static>(
        &self,
        call: Call<'_>,
        reader: Reader<T>,
    ) -> Result<Vec<T>, StoreError>;
    /// Runs a statement that writes, by itself; returns how many rows it touched.
    async fn execute(&self, call: Call<'_>) -> Result<u64, StoreError>;
    /// See [`Store::scrub`].
    async fn scrub(&self) -> Result<(), StoreError> {
        Ok(())
    }
    /// Waits for work under way and closes all connections.
    async fn close(&self);
}

/// A transaction of an engine; dropping it rolls it back.
#[async_trait]
pub(super) trait Work: Send {
    /// Runs a statement that reads.
    async fn fetch<T: Send + 'static>(
        &mut self,
        call: Call<'_>,
        reader: Reader<T>,
    ) -> Result<Vec<T>, StoreError>;
    /// Runs a statement that writes; returns how many rows it touched.
    async fn execute(&mut self, call: Call<'_>) -> Result<u64, StoreError>;
    /// Runs statements that write, each of which takes a batch and nothing else, in order up to the
    /// first that fails; returns how many rows each touched.
    async fn execute_each(&mut self, calls: Vec<Call<'_>>) -> Result<Vec<u64>, StoreError> {
        let mut touched = Vec::with_capacity(calls.len());
        for call in calls {
            touched.push(self.execute(call).await?);
        }
        Ok(touched)
    }
    /// Makes it durable.
    async fn commit(self) -> Result<(), StoreError>;
}

/// A database behind an engine.
pub struct SqlStore<E> {
    pub(super) engine: E,
}

/// A transaction of [`SqlStore`].
///
/// After a statement failed nothing more can be done with it: `PostgreSQL` answers COMMIT with a quiet
/// rollback then, and `SQLite` would commit what came before the failure.
struct SqlTransaction<W> {
    work: W,
    failed: bool,
}

impl<W: Work> SqlTransaction<W> {
    async fn fetch<T: Send + 'static>(
        &mut self,
        call: Call<'_>,
        reader: Reader<T>,
    ) -> Result<Vec<T>, StoreError> {
        self.refuse_after_failure()?;
        let result = self.work.fetch(call, reader).await;
        self.failed |= result.is_err();
        result
    }

    async fn execute(&mut self, call: Call<'_>) -> Result<u64, StoreError> {
        self.refuse_after_failure()?;
        let result = self.work.execute(call).await;
        self.failed |= result.is_err();
        result
    }

    fn refuse_after_failure(&self) -> Result<(), StoreError> {
        if self.failed {
            return Err(StoreError::Refused(
                "a statement of this transaction failed before".to_owned(),
            ));
        }
        Ok(())
    }

    async fn create_heads(&mut self, scopes: &[ScopeId]) -> Result<(), StoreError> {
        let mut heads: Vec<Head> = scopes.iter().cloned().map(Head::new).collect();
        heads.sort_unstable_by(|left, right| left.scope.cmp(&right.scope));
        heads.dedup_by(|left, right| left.scope == right.scope);
        self.execute(call::head_create(&heads)?).await?;
        Ok(())
    }

    async fn write_all(&mut self, set: &WriteSet) -> Result<(), StoreError> {
        let references = distinct(set)?;
        let readers = rows::readers(&set.sealed)?;
        let mut calls = vec![
            call::head_put(&set.heads)?,
            call::journal_append(&set.entries)?,
            call::record_put(&set.records)?,
            call::reference_put(&references)?,
            call::request_put(&set.requests)?,
            call::sealed_put(&set.sealed, &readers)?,
            call::sealed_erase(&set.erased)?,
            call::zone_put(&set.zones)?,
            call::credential_put(&set.credentials)?,
            deliveries::noted(&set.subscriptions)?,
        ];
        calls.retain(|call| call.rows > 0);
        let asked: Vec<(&str, usize)> = calls
            .iter()
            .map(|call| (call.statement.name, call.rows))
            .collect();
        let touched = self.work.execute_each(calls).await?;
        if touched.len() != asked.len() {
            let (told, asked) = (touched.len(), asked.len());
            let why = format!("{told} of {asked} statements answered");
            return Err(StoreError::Unavailable(why));
        }
        for ((name, rows), touched) in asked.into_iter().zip(touched) {
            if let Some(otherwise) = otherwise(name)
                && usize::try_from(touched) != Ok(rows)
            {
                return Err(StoreError::Refused(format!(
                    "{name}: {otherwise} ({touched} of {rows} rows)"
                )));
            }
        }
        Ok(())
    }
}

/// Why a statement may not have touched every one of its rows; `None` if it need not.
fn otherwise(name: &str) -> Option<&'static str> {
    Some(match name {
        "head/put" => "a head would not move forward",
        "journal/append" => "an entry was not added",
        "record/put" => "a record's revision would not grow",
        "reference/put" => "a reference stands for another record",
        "request/put" => "a request was carried out before",
        "credential/put" => "a credential was not stored",
        "subscription/put" => "a subscription was not noted",
        _ => return None,
    })
}

/// Refuses a set that has a key twice, which the engines would treat differently; returns its
/// references, each once.
fn distinct(set: &WriteSet) -> Result<Vec<&ReferenceRow>, StoreError> {
    once("head", set.heads.iter().map(|head| &head.scope))?;
    once("record", set.records.iter().map(|record| &record.key))?;
    once(
        "request",
        set.requests
            .iter()
            .map(|row| (&row.scope, &row.firm, &row.request_id)),
    )?;
    once("credential", set.credentials.iter().map(|row| &row.id))?;
    let subscriptions = set.subscriptions.iter();
    once(
        "subscription",
        subscriptions.map(|row| (&row.scope, &row.id)),
    )?;
    let mut references: Vec<&ReferenceRow> = set.references.iter().collect();
    references.sort_unstable_by_key(|row| (&row.scope, &row.reference, row.kind, &row.id));
    references.dedup();
    once(
        "reference",
        references
            .iter()
            .map(|row| (&row.scope, &row.reference, row.kind)),
    )?;
    Ok(references)
}

fn once<K: hash::Hash + Eq>(
    what: &str,
    keys: impl ExactSizeIterator<Item = K>,
) -> Result<(), StoreError> {
    let mut seen = HashSet::with_capacity(keys.len());
    for key in keys {
        if !seen.insert(key) {
            return Err(StoreError::Refused(format!(
                "a batch has the same {what} twice"
            )));
        }
    }
    Ok(())
}

#[async_trait]
impl<W: Work> Transaction for SqlTransaction<W> {
    async fn lock_heads(
        &mut self,
        scopes: &[ScopeId],
        create: &[ScopeId],
        wait: bool,
    ) -> Result<Vec<Head>, StoreError> {
        if !create.is_empty() {
            self.create_heads(create).await?;
        }
        let mut sorted: Vec<&ScopeId> = scopes.iter().collect();
        sorted.sort_unstable();
        sorted.dedup();
        let mut heads = self
            .fetch(call::head_lock(&sorted, wait)?, rows::head)
            .await?;
        heads.sort_unstable_by(|left, right| left.scope.cmp(&right.scope));
        Ok(heads)
    }

    async fn records(&mut self, keys: &[RecordKey]) -> Result<Vec<RecordRow>, StoreError> {
        self.fetch(call::record_get(keys)?, rows::record).await
    }

    async fn requests(&mut self, keys: &[RequestKey]) -> Result<Vec<RequestRow>, StoreError> {
        self.fetch(call::request_get(keys)?, rows::request).await
    }

    async fn references(
        &mut self,
        keys: &[(ScopeId, ExternalReference)],
    ) -> Result<Vec<ReferencedRow>, StoreError> {
        self.fetch(call::reference_get(keys)?, rows::referenced)
            .await
    }

    async fn entry_hashes(
        &mut self,
        keys: &[(ScopeId, u64)],
    ) -> Result<Vec<EntryHash>, StoreError> {
        self.fetch(call::journal_get_hash(keys)?, rows::entry_hash)
            .await
    }

    async fn zones(&mut self, keys: &[(ScopeId, String)]) -> Result<Vec<ZoneRow>, StoreError> {
        self.fetch(call::zone_get(keys)?, rows::zone).await
    }

    async fn write(&mut self, set: &WriteSet) -> Result<(), StoreError> {
        self.refuse_after_failure()?;
        let result = self.write_all(set).await;
        self.failed |= result.is_err();
        result
    }

    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        self.refuse_after_failure()?;
        self.work.commit().await
    }
}

#[async_trait]
impl<E: Engine> Store for SqlStore<E> {
    async fn begin(&self) -> Result<Box<dyn Transaction + '_>, StoreError> {
        let work = self.engine.begin().await?;
        Ok(Box::new(SqlTransaction {
            work,
            failed: false,
        }))
    }

    async fn records(&self, keys: &[RecordKey]) -> Result<Vec<RecordRow>, StoreError> {
        self.engine
            .fetch(call::record_get(keys)?, rows::record)
            .await
    }

    async fn list_records(&self, query: &ListQuery) -> Result<Vec<RecordRow>, StoreError> {
        self.engine
            .fetch(call::record_list(query)?, rows::record)
            .await
    }

    async fn references_anywhere(
        &self,
        reference: &ExternalReference,
        limit: usize,
    ) -> Result<Vec<ReferenceRow>, StoreError> {
        self.engine
            .fetch(
                call::reference_list_anywhere(reference, limit)?,
                rows::reference,
            )
            .await
    }

    async fn references_of(&self, keys: &[RecordKey]) -> Result<Vec<ReferenceRow>, StoreError> {
        self.engine
            .fetch(call::reference_list_of_records(keys)?, rows::reference)
            .await
    }

    async fn due_records(&self, now: Timestamp, limit: usize) -> Result<Vec<DueRow>, StoreError> {
        self.engine
            .fetch(call::record_list_due(now, limit), rows::due)
            .await
    }

    async fn heads(&self, scopes: &[ScopeId]) -> Result<Vec<Head>, StoreError> {
        self.engine.fetch(call::head_get(scopes)?, rows::head).await
    }

    async fn list_heads(&self, after_scope: &str, limit: usize) -> Result<Vec<Head>, StoreError> {
        self.engine
            .fetch(call::head_list(after_scope, limit)?, rows::head)
            .await
    }

    async fn entries(
        &self,
        scope: &ScopeId,
        after_sequence: u64,
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        self.engine
            .fetch(
                call::journal_list(scope, after_sequence, limit)?,
                rows::entry,
            )
            .await
    }

    async fn entries_of(
        &self,
        key: &RecordKey,
        after_sequence: u64,
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        self.engine
            .fetch(
                call::journal_list_of_record(key, after_sequence, limit)?,
                rows::entry,
            )
            .await
    }

    async fn openings(
        &self,
        scope: &ScopeId,
        commitments: &[Commitment],
    ) -> Result<Vec<Opening>, StoreError> {
        self.engine
            .fetch(call::sealed_get(scope, commitments)?, rows::opening)
            .await
    }

    async fn list_openings(
        &self,
        scope: &ScopeId,
        after: &str,
        limit: usize,
    ) -> Result<Vec<Opening>, StoreError> {
        self.engine
            .fetch(call::sealed_list(scope, after, limit)?, rows::opening)
            .await
    }

    async fn zones(&self, keys: &[(ScopeId, String)]) -> Result<Vec<ZoneRow>, StoreError> {
        self.engine.fetch(call::zone_get(keys)?, rows::zone).await
    }

    async fn credentials(&self, ids: &[String]) -> Result<Vec<CredentialRow>, StoreError> {
        self.engine
            .fetch(call::credential_get(ids)?, rows::credential)
            .await
    }

    async fn credentials_by_digest(
        &self,
        digest: &Hash,
        limit: usize,
    ) -> Result<Vec<CredentialRow>, StoreError> {
        self.engine
            .fetch(
                call::credential_list_by_digest(digest, limit),
                rows::credential,
            )
            .await
    }

    async fn touch_credential(&self, id: &str, now: Timestamp) -> Result<(), StoreError> {
        self.engine
            .execute(call::credential_touch(id, now)?)
            .await?;
        Ok(())
    }

    async fn secret(&self, name: &str, fresh: &[u8]) -> Result<Vec<u8>, StoreError> {
        if let Some(stored) = self
            .engine
            .fetch(call::secret_get(name)?, rows::secret)
            .await?
            .pop()
        {
            return Ok(stored);
        }
        self.engine.execute(call::secret_put(name, fresh)?).await?;
        let stored = self
            .engine
            .fetch(call::secret_get(name)?, rows::secret)
            .await?
            .pop();
        stored.ok_or_else(|| StoreError::Corrupt(format!("the secret {name} vanished")))
    }

    async fn purge_requests(&self, now: Timestamp, limit: usize) -> Result<u64, StoreError> {
        self.engine.execute(call::request_purge(now, limit)).await
    }

    async fn scrub(&self) -> Result<(), StoreError> {
        self.engine.scrub().await
    }

    fn deliveries(&self) -> Option<&dyn Deliveries> {
        Some(self)
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.engine
            .fetch(call::service_ping(), rows::answer)
            .await
            .map(|_| ())
    }

    async fn time(&self) -> Result<Option<Timestamp>, StoreError> {
        let answer = self.engine.fetch(call::service_time(), rows::answer);
        let micros = answer.await?.pop();
        Ok(micros.map(Timestamp::from_micros))
    }

    fn engine(&self) -> &'static str {
        E::NAME
    }

    fn batches_at_once(&self) -> usize {
        E::BATCHES_AT_ONCE
    }

    fn commit_failure_is_fatal(&self) -> bool {
        E::COMMIT_FAILURE_IS_FATAL
    }

    async fn close(&self) {
        self.engine.close().await;
    }
}
