//! A reference model of the store: everything in memory, in ordered maps, with the locks that
//! `PostgreSQL` has. Simple enough to be believed, it shows what the contract means, and it lets
//! thousands of simulated seconds pass in one.
//!
//! It leaves out what the ledger does not rely on: limits of numbers and texts, and closing.

pub mod tables;
mod transaction;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use entente::domain::commitment::{Commitment, Opening};
use entente::domain::identity::{ExternalReference, ScopeId};
use entente::domain::journal::{Entry, Hash, Head};
use entente::domain::record::RecordKey;
use entente::domain::time::Timestamp;
use entente::store::{
    BATCH_KEYS_MAX, CredentialRow, DueRow, ListQuery, RecordRow, ReferenceRow, RequestRow, Store,
    StoreError, Transaction, ZoneRow,
};
use tokio::sync::Notify;

use tables::{Tables, few, record_id};
use transaction::MemoryTransaction;

/// A COMMIT whose answer was lost while the server still works on it, and holds every lock.
#[derive(Clone, Copy, Debug)]
pub struct LateCommit {
    /// How long that takes.
    pub after: Duration,
    /// Whether the transaction is stored in the end, or rolled back.
    pub stored: bool,
}

/// Says of each COMMIT whether it is a late one.
pub type LateCommits = Box<dyn Fn() -> Option<LateCommit> + Send + Sync>;

/// A database in memory; clones share it.
#[derive(Clone)]
pub struct MemoryStore {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    released: Notify,
    late_commits: Option<LateCommits>,
}

#[derive(Default)]
struct State {
    tables: Tables,
    /// Which transaction holds which head, made already or about to be.
    holders: HashMap<String, u64>,
    transactions: u64,
    faults: Vec<String>,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new(None)
    }
}

impl MemoryStore {
    /// An empty database, some of whose commits may be late.
    pub fn new(late_commits: Option<LateCommits>) -> Self {
        let shared = Shared {
            state: Mutex::default(),
            released: Notify::new(),
            late_commits,
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Everything that is committed.
    pub fn tables(&self) -> Tables {
        self.shared.state().tables.clone()
    }

    /// What went wrong where nobody could be told: a late commit that broke a rule.
    pub fn faults(&self) -> Vec<String> {
        self.shared.state().faults.clone()
    }

    fn read<T>(&self, read: impl FnOnce(&Tables) -> T) -> T {
        read(&self.shared.state().tables)
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn zone(tables: &Tables, (scope, digest): &(ScopeId, String)) -> Option<ZoneRow> {
    let tzif = tables.zones.get(&(scope.to_string(), digest.clone()))?;
    Some(ZoneRow {
        scope: scope.clone(),
        digest: digest.clone(),
        tzif: tzif.clone(),
    })
}

#[async_trait]
impl Store for MemoryStore {
    async fn begin(&self) -> Result<Box<dyn Transaction + '_>, StoreError> {
        let mut state = self.shared.state();
        state.transactions += 1;
        Ok(Box::new(MemoryTransaction::new(
            Arc::clone(&self.shared),
            state.transactions,
        )))
    }

    async fn records(&self, keys: &[RecordKey]) -> Result<Vec<RecordRow>, StoreError> {
        few(keys)?;
        Ok(self.read(|tables| {
            keys.iter()
                .filter_map(|key| tables.records.get(&record_id(key)))
                .cloned()
                .collect()
        }))
    }

    async fn list_records(&self, query: &ListQuery) -> Result<Vec<RecordRow>, StoreError> {
        let in_state =
            |row: &&RecordRow| query.state.as_ref().is_none_or(|state| *state == row.state);
        Ok(self.read(|tables| {
            let rows = tables
                .records
                .values()
                .filter(|row| row.key.scope == query.scope && row.key.kind == query.kind);
            let rows = rows
                .filter(|row| row.key.id > query.after_id)
                .filter(in_state);
            rows.take(query.limit.min(BATCH_KEYS_MAX))
                .cloned()
                .collect()
        }))
    }

    async fn references_anywhere(
        &self,
        reference: &ExternalReference,
        limit: usize,
    ) -> Result<Vec<ReferenceRow>, StoreError> {
        let mut found: Vec<ReferenceRow> = self.read(|tables| {
            tables
                .references
                .values()
                .filter(|row| row.reference == *reference)
                .cloned()
                .collect()
        });
        found.sort_by(|left, right| {
            (&left.scope, left.kind.as_str(), &left.id).cmp(&(
                &right.scope,
                right.kind.as_str(),
                &right.id,
            ))
        });
        found.truncate(limit.min(BATCH_KEYS_MAX));
        Ok(found)
    }

    async fn references_of(&self, keys: &[RecordKey]) -> Result<Vec<ReferenceRow>, StoreError> {
        few(keys)?;
        let stands_for = |row: &&ReferenceRow| {
            keys.contains(&RecordKey::new(&row.scope, row.kind, row.id.as_str()))
        };
        Ok(self.read(|tables| {
            tables
                .references
                .values()
                .filter(stands_for)
                .cloned()
                .collect()
        }))
    }

    async fn due_records(&self, now: Timestamp, limit: usize) -> Result<Vec<DueRow>, StoreError> {
        let mut due: Vec<DueRow> = self.read(|tables| {
            let due = |row: &RecordRow| row.due_at.filter(|due_at| *due_at <= now);
            tables
                .records
                .values()
                .filter_map(|row| {
                    Some(DueRow {
                        key: row.key.clone(),
                        due_at: due(row)?,
                    })
                })
                .collect()
        });
        due.sort_by_key(|row| (row.due_at, record_id(&row.key)));
        due.truncate(limit.min(BATCH_KEYS_MAX));
        Ok(due)
    }

    async fn heads(&self, scopes: &[ScopeId]) -> Result<Vec<Head>, StoreError> {
        few(scopes)?;
        Ok(self.read(|tables| {
            scopes
                .iter()
                .filter_map(|scope| tables.heads.get(scope.as_str()))
                .cloned()
                .collect()
        }))
    }

    async fn list_heads(&self, after_scope: &str, limit: usize) -> Result<Vec<Head>, StoreError> {
        Ok(self.read(|tables| {
            let heads = tables
                .heads
                .values()
                .filter(|head| head.scope.as_str() > after_scope);
            heads.take(limit.min(BATCH_KEYS_MAX)).cloned().collect()
        }))
    }

    async fn entries(
        &self,
        scope: &ScopeId,
        after_sequence: u64,
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        let entries = |tables: &Tables| {
            let of_scope = (scope.to_string(), after_sequence.saturating_add(1))
                ..=(scope.to_string(), u64::MAX);
            tables
                .journal
                .range(of_scope)
                .take(limit.min(BATCH_KEYS_MAX))
                .map(|(_, entry)| entry.clone())
                .collect()
        };
        Ok(self.read(entries))
    }

    async fn entries_of(
        &self,
        key: &RecordKey,
        after_sequence: u64,
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        let mut entries = self.entries(&key.scope, after_sequence, usize::MAX).await?;
        entries.retain(|entry| entry.kind == key.kind.as_str() && entry.id == key.id);
        entries.truncate(limit.min(BATCH_KEYS_MAX));
        Ok(entries)
    }

    async fn openings(
        &self,
        scope: &ScopeId,
        commitments: &[Commitment],
    ) -> Result<Vec<Opening>, StoreError> {
        few(commitments)?;
        let key = |commitment: &Commitment| (scope.to_string(), commitment.as_str().to_owned());
        Ok(self.read(|tables| {
            commitments
                .iter()
                .filter_map(|wanted| tables.sealed.get(&key(wanted)))
                .cloned()
                .collect()
        }))
    }

    async fn list_openings(
        &self,
        scope: &ScopeId,
        after: &str,
        limit: usize,
    ) -> Result<Vec<Opening>, StoreError> {
        Ok(self.read(|tables| {
            let rows = tables.sealed.iter().filter(|((of, commitment), _)| {
                of == scope.as_str() && commitment.as_str() > after
            });
            rows.take(limit.min(BATCH_KEYS_MAX))
                .map(|(_, opening)| opening.clone())
                .collect()
        }))
    }

    async fn zones(&self, keys: &[(ScopeId, String)]) -> Result<Vec<ZoneRow>, StoreError> {
        few(keys)?;
        Ok(self.read(|tables| keys.iter().filter_map(|key| zone(tables, key)).collect()))
    }

    async fn credentials(&self, ids: &[String]) -> Result<Vec<CredentialRow>, StoreError> {
        few(ids)?;
        let ids: BTreeSet<&String> = ids.iter().collect();
        Ok(self.read(|tables| {
            let found = ids.iter().filter_map(|id| tables.credentials.get(*id));
            found.cloned().collect()
        }))
    }

    async fn credentials_by_digest(
        &self,
        digest: &Hash,
        limit: usize,
    ) -> Result<Vec<CredentialRow>, StoreError> {
        Ok(self.read(|tables| {
            let rows = tables.credentials.values();
            let found = rows.filter(|row| row.digest == *digest);
            found.take(limit.min(BATCH_KEYS_MAX)).cloned().collect()
        }))
    }

    async fn touch_credential(&self, id: &str, now: Timestamp) -> Result<(), StoreError> {
        if let Some(row) = self.shared.state().tables.credentials.get_mut(id) {
            row.last_used_at = Some(now);
        }
        Ok(())
    }

    async fn secret(&self, name: &str, fresh: &[u8]) -> Result<Vec<u8>, StoreError> {
        let mut state = self.shared.state();
        Ok(state
            .tables
            .secrets
            .entry(name.to_owned())
            .or_insert_with(|| fresh.to_vec())
            .clone())
    }

    async fn purge_requests(&self, now: Timestamp, limit: usize) -> Result<u64, StoreError> {
        let mut state = self.shared.state();
        let expired = |row: &RequestRow| row.expires_at.filter(|expires_at| *expires_at < now);
        let requests = &state.tables.requests;
        let mut gone: Vec<_> = requests
            .iter()
            .filter_map(|(key, row)| Some((expired(row)?, key.clone())))
            .collect();
        gone.sort();
        gone.truncate(limit.min(BATCH_KEYS_MAX));
        for (_, key) in &gone {
            state.tables.requests.remove(key);
        }
        Ok(gone.len() as u64)
    }

    async fn ping(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn engine(&self) -> &'static str {
        "memory"
    }

    fn batches_at_once(&self) -> usize {
        1
    }

    fn commit_failure_is_fatal(&self) -> bool {
        false
    }

    async fn close(&self) {}
}
