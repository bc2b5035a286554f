//! Storage: the only place that knows SQL.
//!
//! # How it is used
//!
//! The ledger opens one [`Transaction`] per batch, locks the heads of the scopes concerned, loads
//! what the decisions need, writes a [`WriteSet`] and commits. Everything is batch-first: one
//! statement for any number of keys. Readers use [`Store`] directly and never wait for the writer.
//!
//! # Rules for every engine
//!
//! 1. SQL does not compute: it gets, puts, appends, and lists by key range. What two engines could
//!    understand differently is decided in Rust.
//! 2. Text keys compare bytewise; time is microseconds UTC, given by the caller; nothing that
//!    is stored comes from the database's clock.
//! 3. Look-ups of what is not there return nothing; they are no errors. A [`StoreError`] means that
//!    the engine could not do its work.
//! 4. The statements are the files under `sql/`; one text serves both engines unless a file is
//!    named for one of them.
//! 5. Lists are bounded by their `limit`, in the order stated, and stable under inserts.
//!
//! A new engine proves itself with `tests/conformance`.

mod call;
pub mod catalogue;
pub mod deliveries;
mod migrations;
pub mod postgres;
mod rows;
mod sql_store;
pub mod sqlite;

use std::path::{Path, PathBuf};

use async_trait::async_trait;

use self::deliveries::{Deliveries, SubscriptionRow};
use crate::domain::commitment::{Commitment, Opening};
use crate::domain::identity::{ExternalReference, FirmId, ScopeId};
use crate::domain::journal::{Entry, Hash, Head};
use crate::domain::record::{Kind, RecordKey};
use crate::domain::time::Timestamp;

/// Most keys in one look-up and most rows in one list.
pub const BATCH_KEYS_MAX: usize = 10_000;
/// Largest stored body in bytes; the schema checks it too.
pub const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;

/// What went wrong below.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The engine is not reachable or gave up for a passing reason: serialisation, deadlock, lost
    /// connection, a file that stays locked. Running the batch again is right.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// The answer to COMMIT was lost: the batch may or may not be stored.
    #[error("the outcome of the commit is unknown: {0}")]
    CommitUnknown(String),
    /// A statement fails whenever it is run: a violated constraint, a value out of range.
    #[error("the database refused a statement: {0}")]
    Refused(String),
    /// What is stored cannot be understood.
    #[error("stored data is damaged: {0}")]
    Corrupt(String),
    /// The schema is missing, or of another version of the program.
    #[error("{0}")]
    Schema(String),
}

/// A record as its row has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordRow {
    /// Scope, kind and id.
    pub key: RecordKey,
    /// How often it changed, from 1.
    pub revision: u64,
    /// Position of the entry that changed it last.
    pub sequence: u64,
    /// What lists filter by; may be empty.
    pub state: String,
    /// When something will happen by itself.
    pub due_at: Option<Timestamp>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Version of the body.
    pub body_version: u32,
    /// The state as JSON.
    pub body: String,
}

/// A request that was carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestRow {
    /// Where.
    pub scope: ScopeId,
    /// Whose; request ids of two firms never meet.
    pub firm: String,
    /// The caller's id of the request.
    pub request_id: String,
    /// Keyed digest of the request, to notice another request under the same id.
    pub digest: Hash,
    /// Outcome as JSON: where in the journal, and which record; never the answer's body.
    pub outcome: String,
    /// When it may be forgotten; never, where `None`.
    pub expires_at: Option<Timestamp>,
}

/// Key of a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RequestKey {
    /// Where.
    pub scope: ScopeId,
    /// Whose.
    pub firm: String,
    /// The caller's id of the request.
    pub request_id: String,
}

/// An external reference and the record it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferenceRow {
    /// Where the record is.
    pub scope: ScopeId,
    /// The reference.
    pub reference: ExternalReference,
    /// What the record is.
    pub kind: Kind,
    /// Which record.
    pub id: String,
}

/// An external reference with the record it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferencedRow {
    /// The reference.
    pub reference: ReferenceRow,
    /// The record, if it is in the reference's scope.
    pub record: Option<RecordRow>,
}

/// The hash of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryHash {
    /// The entry's chain.
    pub scope: ScopeId,
    /// The entry's position.
    pub sequence: u64,
    /// Its hash.
    pub hash: Hash,
}

/// An opening and the scope it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedRow {
    /// Where.
    pub scope: ScopeId,
    /// The opening.
    pub opening: Opening,
}

/// Time zone data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneRow {
    /// Where it is pinned.
    pub scope: ScopeId,
    /// SHA-256 of the bytes, hexadecimal.
    pub digest: String,
    /// `TZif` bytes.
    pub tzif: Vec<u8>,
}

/// A credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialRow {
    /// Its public identifier.
    pub id: String,
    /// Whose it is.
    pub firm: FirmId,
    /// What sort; no one can be used as another.
    pub credential_type: String,
    /// SHA-256 of the secret, or of what is trusted instead of one.
    pub digest: Hash,
    /// The digest before the last change, or else the same.
    pub earlier_digest: Hash,
    /// Until when the earlier digest is good as well; not at all, where `None`.
    pub earlier_until: Option<Timestamp>,
    /// What it may do, by name, separated by commas.
    pub permissions: String,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// When it was last used, coarsely. It is not journalled, and a [`WriteSet`] leaves it as it is.
    pub last_used_at: Option<Timestamp>,
}

/// A record that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueRow {
    /// Which record.
    pub key: RecordKey,
    /// Since when.
    pub due_at: Timestamp,
}

/// Everything that one batch writes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WriteSet {
    /// Heads of the scopes that changed.
    pub heads: Vec<Head>,
    /// Journal entries, in any order of scopes, ascending within each.
    pub entries: Vec<Entry>,
    /// Records to insert or replace; each key once.
    pub records: Vec<RecordRow>,
    /// New external references.
    pub references: Vec<ReferenceRow>,
    /// Requests carried out.
    pub requests: Vec<RequestRow>,
    /// New openings; one that is there already stays as it is.
    pub sealed: Vec<SealedRow>,
    /// Openings to erase, after the new ones were added; those that are not there need no erasing.
    pub erased: Vec<(ScopeId, Commitment)>,
    /// New time zone data; one that is there already stays as it is.
    pub zones: Vec<ZoneRow>,
    /// Credentials to insert or replace; each id once.
    pub credentials: Vec<CredentialRow>,
    /// Subscriptions that changed; each once.
    pub subscriptions: Vec<SubscriptionRow>,
}

/// What a list of records asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListQuery {
    /// In which scope.
    pub scope: ScopeId,
    /// Of which kind.
    pub kind: Kind,
    /// Only records in this state.
    pub state: Option<String>,
    /// Only ids greater than this one, bytewise; empty for the beginning.
    pub after_id: String,
    /// At most this many, no more than [`BATCH_KEYS_MAX`].
    pub limit: usize,
}

/// One unit of work: everything in it happens, or nothing.
///
/// Dropping a transaction rolls it back.
#[async_trait]
pub trait Transaction: Send {
    /// Locks and returns the heads of `scopes`, in the order of their names.
    ///
    /// A scope without a head is absent from the answer, and so is one that another transaction
    /// holds, unless `wait` is set. With `create`, heads that are missing among `create` are made
    /// first (sequence 0, genesis hash).
    async fn lock_heads(
        &mut self,
        scopes: &[ScopeId],
        create: &[ScopeId],
        wait: bool,
    ) -> Result<Vec<Head>, StoreError>;

    /// The records under `keys` that exist, in any order.
    async fn records(&mut self, keys: &[RecordKey]) -> Result<Vec<RecordRow>, StoreError>;

    /// The requests under `keys` that were carried out, expired or not, in any order.
    async fn requests(&mut self, keys: &[RequestKey]) -> Result<Vec<RequestRow>, StoreError>;

    /// What the references stand for in the scopes named, in any order.
    async fn references(
        &mut self,
        keys: &[(ScopeId, ExternalReference)],
    ) -> Result<Vec<ReferencedRow>, StoreError>;

    /// Hashes of entries by scope and sequence, in any order; what does not exist is absent.
    async fn entry_hashes(&mut self, keys: &[(ScopeId, u64)])
    -> Result<Vec<EntryHash>, StoreError>;

    /// Time zone data by scope and digest, in any order.
    async fn zones(&mut self, keys: &[(ScopeId, String)]) -> Result<Vec<ZoneRow>, StoreError>;

    /// Writes the set: heads replaced, entries appended, records and credentials put, the rest
    /// inserted where absent. A record is inserted when its revision is 1 and must then be new.
    async fn write(&mut self, set: &WriteSet) -> Result<(), StoreError>;

    /// Makes it durable. [`StoreError::CommitUnknown`] if the engine's answer was lost.
    async fn commit(self: Box<Self>) -> Result<(), StoreError>;
}

/// A database.
#[async_trait]
pub trait Store: Send + Sync {
    /// Starts a unit of work; on `SQLite` it waits for the one writer of this process. What the engine
    /// has to do for it, such as keeping other processes out, it may do with the first look-up or write.
    async fn begin(&self) -> Result<Box<dyn Transaction + '_>, StoreError>;

    /// The records under `keys` that exist, in any order.
    async fn records(&self, keys: &[RecordKey]) -> Result<Vec<RecordRow>, StoreError>;

    /// Records by scope, kind and perhaps state, ascending by id.
    async fn list_records(&self, query: &ListQuery) -> Result<Vec<RecordRow>, StoreError>;

    /// What a reference stands for, in any scope, ascending by scope, kind and id.
    async fn references_anywhere(
        &self,
        reference: &ExternalReference,
        limit: usize,
    ) -> Result<Vec<ReferenceRow>, StoreError>;

    /// The references that stand for the given records, in any order.
    async fn references_of(&self, keys: &[RecordKey]) -> Result<Vec<ReferenceRow>, StoreError>;

    /// Records with `due_at` no later than `now`, the longest due first (then by scope, kind, id).
    async fn due_records(&self, now: Timestamp, limit: usize) -> Result<Vec<DueRow>, StoreError>;

    /// Heads of the scopes named that have one, in any order.
    async fn heads(&self, scopes: &[ScopeId]) -> Result<Vec<Head>, StoreError>;

    /// All heads, ascending by scope, after the one named (empty for the beginning).
    async fn list_heads(&self, after_scope: &str, limit: usize) -> Result<Vec<Head>, StoreError>;

    /// Entries of a scope after `after_sequence`, ascending.
    async fn entries(
        &self,
        scope: &ScopeId,
        after_sequence: u64,
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError>;

    /// Entries that changed one record, after `after_sequence`, ascending. They are followed from
    /// the record's `sequence` back through each entry's `previous_sequence`.
    async fn entries_of(
        &self,
        key: &RecordKey,
        after_sequence: u64,
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError>;

    /// The openings of `commitments` in a scope that exist, in any order.
    async fn openings(
        &self,
        scope: &ScopeId,
        commitments: &[Commitment],
    ) -> Result<Vec<Opening>, StoreError>;

    /// All openings of a scope, ascending by commitment, after the one named.
    async fn list_openings(
        &self,
        scope: &ScopeId,
        after: &str,
        limit: usize,
    ) -> Result<Vec<Opening>, StoreError>;

    /// Time zone data by scope and digest, in any order.
    async fn zones(&self, keys: &[(ScopeId, String)]) -> Result<Vec<ZoneRow>, StoreError>;

    /// Credentials by their public identifiers, in any order.
    async fn credentials(&self, ids: &[String]) -> Result<Vec<CredentialRow>, StoreError>;

    /// Credentials by their digest, ascending by identifier.
    async fn credentials_by_digest(
        &self,
        digest: &Hash,
        limit: usize,
    ) -> Result<Vec<CredentialRow>, StoreError>;

    /// Notes when a credential was used, if there is one.
    async fn touch_credential(&self, id: &str, now: Timestamp) -> Result<(), StoreError>;

    /// The service's own secret under `name`: `fresh` is stored if there is none yet, and what is
    /// stored is returned, so that all replicas agree on one.
    async fn secret(&self, name: &str, fresh: &[u8]) -> Result<Vec<u8>, StoreError>;

    /// Forgets requests that expired before `now`, at most `limit`; returns how many.
    async fn purge_requests(&self, now: Timestamp, limit: usize) -> Result<u64, StoreError>;

    /// Leaves as little as the engine can of what was erased: on `SQLite`, nothing in the file or
    /// beside it, unless a reader is at work just then. Elsewhere it is for the engine's own upkeep.
    async fn scrub(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// What the deliverer of subscriptions asks of it; `None` if it keeps nothing of that.
    fn deliveries(&self) -> Option<&dyn Deliveries> {
        None
    }

    /// Whether the database answers.
    async fn ping(&self) -> Result<(), StoreError>;

    /// What the database's clock shows, if it has one. Nothing is decided by it: it is for whoever
    /// wonders whether clocks agree.
    async fn time(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(None)
    }

    /// `sqlite` or `postgres`.
    fn engine(&self) -> &'static str;

    /// How many units of work it runs well at the same time, for as long as they do not wait for
    /// each other's locks: one where there is one writer.
    fn batches_at_once(&self) -> usize;

    /// Whether an I/O error at COMMIT must end the process, because nothing can be known about the
    /// file any more.
    fn commit_failure_is_fatal(&self) -> bool;

    /// Waits for work under way and closes all connections.
    async fn close(&self);
}

/// Opens `sqlite://path` or `postgres://...` and checks that the schema is the one expected.
///
/// # Errors
/// [`StoreError::Schema`] if it is missing, older or newer; run [`migrate`] first.
pub async fn open(database_url: &str) -> Result<std::sync::Arc<dyn Store>, StoreError> {
    if database_url.starts_with("sqlite:") {
        return Ok(std::sync::Arc::new(
            sqlite::SqliteStore::open(database_url).await?,
        ));
    }
    if is_postgres(database_url) {
        return Ok(std::sync::Arc::new(
            postgres::PostgresStore::open(database_url).await?,
        ));
    }
    Err(StoreError::Schema(
        "a database URL begins with sqlite: or postgres:".to_owned(),
    ))
}

/// Creates the database where that is possible (`SQLite`) and brings its schema up to date.
///
/// # Errors
/// A migration that fails, or a schema newer than this program.
pub async fn migrate(database_url: &str) -> Result<(), StoreError> {
    if database_url.starts_with("sqlite:") {
        return sqlite::migrate(database_url).await;
    }
    if is_postgres(database_url) {
        return postgres::migrate(database_url).await;
    }
    Err(StoreError::Schema(
        "a database URL begins with sqlite: or postgres:".to_owned(),
    ))
}

/// The file of a `SQLite` database.
///
/// # Errors
/// [`StoreError::Schema`] if the URL names none.
pub fn file_of(database_url: &str) -> Result<PathBuf, StoreError> {
    sqlite::file_of(database_url)
}

/// The URL of a `SQLite` database in a file.
#[must_use]
pub fn url_of(file: &Path) -> String {
    sqlite::url_of(file)
}

/// Copies a `SQLite` database, as it is at one moment, into the empty file `target`, and makes the copy
/// durable. The database may be in use; nobody waits for the copy. It may be one of an older program.
///
/// # Errors
/// If either cannot be used, or what is copied is damaged; what was written of `target` then is of no
/// use.
pub async fn copy(database_url: &str, target: &Path) -> Result<(), StoreError> {
    if is_postgres(database_url) {
        return Err(StoreError::Schema(
            "PostgreSQL is copied by its own programs, such as pg_basebackup".to_owned(),
        ));
    }
    sqlite::copy(database_url, target).await
}

/// Whether the URL names a `PostgreSQL` database.
#[must_use]
pub fn is_postgres(database_url: &str) -> bool {
    database_url.starts_with("postgres:") || database_url.starts_with("postgresql:")
}
