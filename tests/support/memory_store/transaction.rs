//! Transactions of the reference model, and the locks that they hold.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use entente::domain::identity::{ExternalReference, ScopeId};
use entente::domain::journal::Head;
use entente::domain::record::{Kind, RecordKey};
use entente::store::{
    EntryHash, RecordRow, ReferenceRow, ReferencedRow, RequestKey, RequestRow, StoreError,
    Transaction, WriteSet, ZoneRow,
};
use tokio::time::Instant;

use super::tables::{Tables, few, record_id, reference_id, request_id};
use super::{Shared, zone};

/// How long a transaction waits for a lock before it gives up, as `PostgreSQL` is told to.
const LOCK_WAIT: Duration = Duration::from_secs(5);

/// A transaction: what it wrote lies over what is committed.
pub(super) struct MemoryTransaction {
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
    /// The transaction of that number.
    pub(super) fn new(shared: Arc<Shared>, number: u64) -> Self {
        Self {
            shared,
            number,
            sets: Vec::new(),
            written: Tables::default(),
            failed: false,
        }
    }

    fn refuse_after_failure(&self) -> Result<(), StoreError> {
        if self.failed {
            return Err(StoreError::Refused(
                "a statement of this transaction failed before".to_owned(),
            ));
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
        let holder = *state
            .holders
            .entry(scope.to_string())
            .or_insert(self.number);
        if holder != self.number {
            return None;
        }
        drop(state);
        self.written
            .heads
            .entry(scope.to_string())
            .or_insert_with(|| Head::new(scope.clone()));
        Some(())
    }

    /// Locks a head. One that another transaction is making is not seen yet.
    fn try_lock(&self, scope: &ScopeId) -> Locked {
        if let Some(head) = self.written.heads.get(scope.as_str()) {
            return Locked::Held(head.clone());
        }
        let mut state = self.shared.state();
        let Some(head) = state.tables.heads.get(scope.as_str()).cloned() else {
            return Locked::Absent;
        };
        let holder = *state
            .holders
            .entry(scope.to_string())
            .or_insert(self.number);
        if holder == self.number {
            Locked::Held(head)
        } else {
            Locked::HeldElsewhere
        }
    }

    /// Tries again whenever a transaction ends.
    async fn wait_for<T>(
        &mut self,
        mut attempt: impl FnMut(&mut Self) -> Option<T> + Send,
    ) -> Result<T, StoreError> {
        let give_up = Instant::now() + LOCK_WAIT;
        let shared = Arc::clone(&self.shared);
        loop {
            let released = shared.released.notified();
            if let Some(done) = attempt(self) {
                return Ok(done);
            }
            if tokio::time::timeout_at(give_up, released).await.is_err() {
                self.failed = true;
                return Err(StoreError::Unavailable(
                    "gave up waiting for a lock".to_owned(),
                ));
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
        self.shared
            .state()
            .holders
            .retain(|_, holder| *holder != self.number);
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
    async fn lock_heads(
        &mut self,
        scopes: &[ScopeId],
        create: &[ScopeId],
        wait: bool,
    ) -> Result<Vec<Head>, StoreError> {
        self.refuse_after_failure()?;
        few(scopes)?;
        // Making a head waits for another transaction that makes it, whatever `wait` says.
        for scope in ordered(create) {
            self.wait_for(|transaction| transaction.try_make(&scope))
                .await?;
        }
        let mut heads = Vec::new();
        for scope in ordered(scopes) {
            heads.extend(self.lock(&scope, wait).await?);
        }
        Ok(heads)
    }

    async fn records(&mut self, keys: &[RecordKey]) -> Result<Vec<RecordRow>, StoreError> {
        self.refuse_after_failure()?;
        few(keys)?;
        Ok(keys
            .iter()
            .filter_map(|key| self.find(|tables| tables.records.get(&record_id(key)).cloned()))
            .collect())
    }

    async fn requests(&mut self, keys: &[RequestKey]) -> Result<Vec<RequestRow>, StoreError> {
        self.refuse_after_failure()?;
        few(keys)?;
        Ok(keys
            .iter()
            .filter_map(|key| self.find(|tables| tables.requests.get(&request_id(key)).cloned()))
            .collect())
    }

    async fn references(
        &mut self,
        keys: &[(ScopeId, ExternalReference)],
    ) -> Result<Vec<ReferencedRow>, StoreError> {
        self.refuse_after_failure()?;
        few(keys)?;
        let mut found = Vec::new();
        for (scope, reference) in keys {
            for kind in Kind::ALL {
                let key = reference_id(scope.as_str(), reference, *kind);
                found.extend(self.find(|tables| tables.references.get(&key).cloned()));
            }
        }
        let with_record = |reference: ReferenceRow| {
            let key = RecordKey::new(&reference.scope, reference.kind, reference.id.as_str());
            let record = self.find(|tables| tables.records.get(&record_id(&key)).cloned());
            ReferencedRow { reference, record }
        };
        Ok(found.into_iter().map(with_record).collect())
    }

    async fn entry_hashes(
        &mut self,
        keys: &[(ScopeId, u64)],
    ) -> Result<Vec<EntryHash>, StoreError> {
        self.refuse_after_failure()?;
        few(keys)?;
        let hash = |(scope, sequence): &(ScopeId, u64)| {
            let key = (scope.to_string(), *sequence);
            let entry = self.find(|tables| tables.journal.get(&key).cloned())?;
            Some(EntryHash {
                scope: scope.clone(),
                sequence: *sequence,
                hash: entry.hash,
            })
        };
        Ok(keys.iter().filter_map(hash).collect())
    }

    async fn zones(&mut self, keys: &[(ScopeId, String)]) -> Result<Vec<ZoneRow>, StoreError> {
        self.refuse_after_failure()?;
        few(keys)?;
        Ok(keys
            .iter()
            .filter_map(|key| self.find(|tables| zone(tables, key)))
            .collect())
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
        Err(StoreError::CommitUnknown(
            "the commit is still to come".to_owned(),
        ))
    }
}
