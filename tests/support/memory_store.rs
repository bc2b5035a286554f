//! A reference model of the store: everything in memory, in ordered maps, with the locks that
//! PostgreSQL has. Simple enough to be believed, it shows what the contract means, and it lets
//! thousands of simulated seconds pass in one.

pub mod tables;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use entente::domain::commitment::{Commitment, Opening};
use entente::domain::identity::{ExternalReference, ScopeId};
use entente::domain::journal::{Entry, Head};
use entente::domain::record::{Kind, RecordKey};
use entente::domain::time::Timestamp;
use entente::store::{
    BATCH_KEYS_MAX, CredentialRow, DueRow, ListQuery, RecordRow, ReferenceRow, RequestKey, RequestRow, Store,
    StoreError, Transaction, WriteSet, ZoneRow,
};
use tokio::sync::Notify;
use tokio::time::Instant;

use tables::{Tables, record_id, reference_id, request_id};

/// How long a transaction waits for a lock before it gives up, as PostgreSQL is told to.
const LOCK_WAIT: Duration = Duration::from_secs(5);

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
        let shared = Shared { state: Mutex::default(), released: Notify::new(), late_commits };
        Self { shared: Arc::new(shared) }
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

/// A transaction: what it wrote lies over what is committed.
struct MemoryTransaction {
    shared: Arc<Shared>,
    number: u64,
    sets: Vec<WriteSet>,
    written: Tables,
    failed: bool,
}

/// What came of trying to lock a head.
enum Locked {
    Held(Head),
    Absent,
    HeldElsewhere,
}

impl MemoryTransaction {
    fn refuse_after_failure(&self) -> Result<(), StoreError> {
        if self.failed {
            return Err(StoreError::Refused("a statement of this transaction failed before".to_owned()));
        }
        Ok(())
    }

    /// Looks at the rows of this transaction first, then at the committed ones.
    fn find<T>(&self, find: impl Fn(&Tables) -> Option<T>) -> Option<T> {
        find(&self.written).or_else(|| find(&self.shared.state().tables))
    }

    /// Makes a head unless it exists; `None` while another transaction is making it.
    fn try_make(&mut self, scope: &ScopeId) -> Option<()> {
        let mut state = self.shared.state();
        if state.tables.heads.contains_key(scope.as_str()) {
            return Some(());
        }
        let holder = *state.holders.entry(scope.to_string()).or_insert(self.number);
        if holder != self.number {
            return None;
        }
        drop(state);
        self.written.heads.entry(scope.to_string()).or_insert_with(|| Head::new(scope.clone()));
        Some(())
    }

    /// Locks a head. One that another transaction is making is not seen yet.
    fn try_lock(&self, scope: &ScopeId) -> Locked {
        if let Some(head) = self.written.heads.get(scope.as_str()) {
            return Locked::Held(head.clone());
        }
        let mut state = self.shared.state();
        let Some(head) = state.tables.heads.get(scope.as_str()).cloned() else { return Locked::Absent };
        let holder = *state.holders.entry(scope.to_string()).or_insert(self.number);
        if holder == self.number { Locked::Held(head) } else { Locked::HeldElsewhere }
    }

    /// Tries again whenever a transaction ends.
    async fn wait_for<T>(&mut self, mut attempt: impl FnMut(&mut Self) -> Option<T> + Send) -> Result<T, StoreError> {
        let give_up = Instant::now() + LOCK_WAIT;
        let shared = Arc::clone(&self.shared);
        loop {
            let released = shared.released.notified();
            if let Some(done) = attempt(self) {
                return Ok(done);
            }
            if tokio::time::timeout_at(give_up, released).await.is_err() {
                self.failed = true;
                return Err(StoreError::Unavailable("gave up waiting for a lock".to_owned()));
            }
        }
    }

    async fn lock(&mut self, scope: &ScopeId, wait: bool) -> Result<Option<Head>, StoreError> {
        self.wait_for(|transaction| match transaction.try_lock(scope) {
            Locked::Held(head) => Some(Some(head)),
            Locked::HeldElsewhere if wait => None,
            Locked::HeldElsewhere | Locked::Absent => Some(None),
        })
        .await
    }

    /// Writes everything into the committed tables. The rules are checked once more: if a row came
    /// in between, a lock was not respected.
    fn apply(&mut self) -> Result<(), StoreError> {
        let mut state = self.shared.state();
        let mut written = Tables::default();
        for set in &self.sets {
            written.write(set, &state.tables)?;
        }
        let created = std::mem::take(&mut self.written.heads);
        for (key, head) in created {
            if !state.tables.heads.contains_key(&key) {
                written.heads.entry(key).or_insert(head);
            }
        }
        state.tables.absorb(written);
        Ok(())
    }
}

impl Drop for MemoryTransaction {
    fn drop(&mut self) {
        self.shared.state().holders.retain(|_, holder| *holder != self.number);
        self.shared.released.notify_waiters();
    }
}

fn ordered(scopes: &[ScopeId]) -> Vec<ScopeId> {
    let mut ordered = scopes.to_vec();
    ordered.sort_unstable();
    ordered.dedup();
    ordered
}

#[async_trait]
impl Transaction for MemoryTransaction {
    async fn lock_heads(&mut self, scopes: &[ScopeId], create: &[ScopeId], wait: bool) -> Result<Vec<Head>, StoreError> {
        self.refuse_after_failure()?;
        // Making a head waits for another transaction that makes it, whatever `wait` says.
        for scope in ordered(create) {
            self.wait_for(|transaction| transaction.try_make(&scope)).await?;
        }
        let mut heads = Vec::new();
        for scope in ordered(scopes) {
            heads.extend(self.lock(&scope, wait).await?);
        }
        Ok(heads)
    }

    async fn records(&mut self, keys: &[RecordKey]) -> Result<Vec<RecordRow>, StoreError> {
        self.refuse_after_failure()?;
        Ok(keys.iter().filter_map(|key| self.find(|tables| tables.records.get(&record_id(key)).cloned())).collect())
    }

    async fn requests(&mut self, keys: &[RequestKey]) -> Result<Vec<RequestRow>, StoreError> {
        self.refuse_after_failure()?;
        Ok(keys.iter().filter_map(|key| self.find(|tables| tables.requests.get(&request_id(key)).cloned())).collect())
    }

    async fn references(&mut self, keys: &[(ScopeId, ExternalReference)]) -> Result<Vec<ReferenceRow>, StoreError> {
        self.refuse_after_failure()?;
        let mut found = Vec::new();
        for (scope, reference) in keys {
            for kind in Kind::ALL {
                let key = reference_id(scope.as_str(), reference, *kind);
                found.extend(self.find(|tables| tables.references.get(&key).cloned()));
            }
        }
        Ok(found)
    }

    async fn zones(&mut self, keys: &[(ScopeId, String)]) -> Result<Vec<ZoneRow>, StoreError> {
        self.refuse_after_failure()?;
        Ok(keys.iter().filter_map(|key| self.find(|tables| zone(tables, key))).collect())
    }

    async fn write(&mut self, set: &WriteSet) -> Result<(), StoreError> {
        self.refuse_after_failure()?;
        let shared = Arc::clone(&self.shared);
        let state = shared.state();
        // Heads made by this transaction are at 0, so that any other sequence moves them forward.
        let written = self.written.write(set, &state.tables);
        self.failed = written.is_err();
        self.sets.push(set.clone());
        written
    }

    async fn commit(mut self: Box<Self>) -> Result<(), StoreError> {
        self.refuse_after_failure()?;
        let Some(late) = self.shared.late_commits.as_ref().and_then(|late| late()) else {
            return self.apply();
        };
        tokio::spawn(async move {
            tokio::time::sleep(late.after).await;
            if late.stored
                && let Err(error) = self.apply()
            {
                self.shared.state().faults.push(error.to_string());
            }
        });
        Err(StoreError::CommitUnknown("the commit is still to come".to_owned()))
    }
}

fn zone(tables: &Tables, (scope, digest): &(ScopeId, String)) -> Option<ZoneRow> {
    let tzif = tables.zones.get(&(scope.to_string(), digest.clone()))?;
    Some(ZoneRow { scope: scope.clone(), digest: digest.clone(), tzif: tzif.clone() })
}

#[async_trait]
impl Store for MemoryStore {
    async fn begin(&self) -> Result<Box<dyn Transaction + '_>, StoreError> {
        let mut state = self.shared.state();
        state.transactions += 1;
        Ok(Box::new(MemoryTransaction {
            shared: Arc::clone(&self.shared),
            number: state.transactions,
            sets: Vec::new(),
            written: Tables::default(),
            failed: false,
        }))
    }

    async fn records(&self, keys: &[RecordKey]) -> Result<Vec<RecordRow>, StoreError> {
        Ok(self.read(|tables| keys.iter().filter_map(|key| tables.records.get(&record_id(key))).cloned().collect()))
    }

    async fn list_records(&self, query: &ListQuery) -> Result<Vec<RecordRow>, StoreError> {
        let in_state = |row: &&RecordRow| query.state.as_ref().is_none_or(|state| *state == row.state);
        Ok(self.read(|tables| {
            let rows = tables.records.values().filter(|row| row.key.scope == query.scope && row.key.kind == query.kind);
            let rows = rows.filter(|row| row.key.id > query.after_id).filter(in_state);
            rows.take(query.limit.min(BATCH_KEYS_MAX)).cloned().collect()
        }))
    }

    async fn references_anywhere(&self, reference: &ExternalReference, limit: usize) -> Result<Vec<ReferenceRow>, StoreError> {
        let mut found: Vec<ReferenceRow> = self
            .read(|tables| tables.references.values().filter(|row| row.reference == *reference).cloned().collect());
        found.sort_by(|left, right| {
            (&left.scope, left.kind.as_str(), &left.id).cmp(&(&right.scope, right.kind.as_str(), &right.id))
        });
        found.truncate(limit.min(BATCH_KEYS_MAX));
        Ok(found)
    }

    async fn references_of(&self, keys: &[RecordKey]) -> Result<Vec<ReferenceRow>, StoreError> {
        let stands_for = |row: &&ReferenceRow| keys.contains(&RecordKey::new(&row.scope, row.kind, row.id.as_str()));
        Ok(self.read(|tables| tables.references.values().filter(stands_for).cloned().collect()))
    }

    async fn due_records(&self, now: Timestamp, limit: usize) -> Result<Vec<DueRow>, StoreError> {
        let mut due: Vec<DueRow> = self.read(|tables| {
            let due = |row: &RecordRow| row.due_at.filter(|due_at| *due_at <= now);
            tables.records.values().filter_map(|row| Some(DueRow { key: row.key.clone(), due_at: due(row)? })).collect()
        });
        due.sort_by_key(|row| (row.due_at, record_id(&row.key)));
        due.truncate(limit.min(BATCH_KEYS_MAX));
        Ok(due)
    }

    async fn heads(&self, scopes: &[ScopeId]) -> Result<Vec<Head>, StoreError> {
        Ok(self.read(|tables| scopes.iter().filter_map(|scope| tables.heads.get(scope.as_str())).cloned().collect()))
    }

    async fn list_heads(&self, after_scope: &str, limit: usize) -> Result<Vec<Head>, StoreError> {
        Ok(self.read(|tables| {
            let heads = tables.heads.values().filter(|head| head.scope.as_str() > after_scope);
            heads.take(limit.min(BATCH_KEYS_MAX)).cloned().collect()
        }))
    }

    async fn entries(&self, scope: &ScopeId, after_sequence: u64, limit: usize) -> Result<Vec<Entry>, StoreError> {
        let entries = |tables: &Tables| {
            let of_scope = (scope.to_string(), after_sequence + 1)..=(scope.to_string(), u64::MAX);
            tables.journal.range(of_scope).take(limit.min(BATCH_KEYS_MAX)).map(|(_, entry)| entry.clone()).collect()
        };
        Ok(self.read(entries))
    }

    async fn entries_of(&self, key: &RecordKey, after_sequence: u64, limit: usize) -> Result<Vec<Entry>, StoreError> {
        let mut entries = self.entries(&key.scope, after_sequence, usize::MAX).await?;
        entries.retain(|entry| entry.kind == key.kind.as_str() && entry.id == key.id);
        entries.truncate(limit.min(BATCH_KEYS_MAX));
        Ok(entries)
    }

    async fn openings(&self, scope: &ScopeId, commitments: &[Commitment]) -> Result<Vec<Opening>, StoreError> {
        let key = |commitment: &Commitment| (scope.to_string(), commitment.as_str().to_owned());
        Ok(self.read(|tables| commitments.iter().filter_map(|wanted| tables.sealed.get(&key(wanted))).cloned().collect()))
    }

    async fn list_openings(&self, scope: &ScopeId, after: &str, limit: usize) -> Result<Vec<Opening>, StoreError> {
        Ok(self.read(|tables| {
            let rows = tables.sealed.iter().filter(|((of, commitment), _)| of == scope.as_str() && commitment.as_str() > after);
            rows.take(limit.min(BATCH_KEYS_MAX)).map(|(_, opening)| opening.clone()).collect()
        }))
    }

    async fn zones(&self, keys: &[(ScopeId, String)]) -> Result<Vec<ZoneRow>, StoreError> {
        Ok(self.read(|tables| keys.iter().filter_map(|key| zone(tables, key)).collect()))
    }

    async fn credential(&self, id: &str) -> Result<Option<CredentialRow>, StoreError> {
        Ok(self.read(|tables| tables.credentials.get(id).cloned()))
    }

    async fn secret(&self, name: &str, fresh: &[u8]) -> Result<Vec<u8>, StoreError> {
        let mut state = self.shared.state();
        Ok(state.tables.secrets.entry(name.to_owned()).or_insert_with(|| fresh.to_vec()).clone())
    }

    async fn purge_requests(&self, now: Timestamp, limit: usize) -> Result<u64, StoreError> {
        let mut state = self.shared.state();
        let expired = |row: &RequestRow| row.expires_at.filter(|expires_at| *expires_at < now);
        let requests = &state.tables.requests;
        let mut gone: Vec<_> = requests.iter().filter_map(|(key, row)| Some((expired(row)?, key.clone()))).collect();
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

    fn commit_failure_is_fatal(&self) -> bool {
        false
    }

    async fn close(&self) {}
}
