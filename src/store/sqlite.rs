//! `SQLite`: one file, one writer, readers that never wait for it.

mod copy;
mod encode;
mod together;

pub(super) use copy::{copy, file_of, url_of};

use std::num::NonZeroUsize;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePoolOptions, SqliteRow,
    SqliteSynchronous,
};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, Pool, Sqlite};
use tokio_stream::StreamExt;

use self::encode::arguments;
use super::call::Call;
use super::rows::{Reader, implement_row};
use super::sql_store::{Engine, SqlStore, Work};
use super::{StoreError, migrations};

/// Begins a transaction that will write: nobody else does until it ends.
const BEGIN: &str = "BEGIN IMMEDIATE";
/// How long a statement waits for another process's lock on the file.
const BUSY_WAIT: Duration = Duration::from_secs(5);
/// How long a transaction waits for the one before it.
const WRITER_WAIT: Duration = Duration::from_secs(30);
/// How long a look-up waits for a free connection.
const READER_WAIT: Duration = Duration::from_secs(10);
/// Pages in the write-ahead log before it is copied into the file: 16 MiB of 4 KiB pages.
const CHECKPOINT_PAGES: &str = "16000";
/// What the write-ahead log is cut back to after a copy, in bytes.
const LOG_BYTES_KEPT: &str = "67108864";
/// Page cache of the writer: negative means KiB.
const WRITER_CACHE: &str = "-65536";
/// Page cache of each reader: negative means KiB.
const READER_CACHE: &str = "-16384";
/// Rows that a connection's thread prepares ahead of the reader.
const ROWS_AHEAD: usize = 512;
/// How often a migration tries again while another process holds the file, and how long it rests.
const MIGRATION_TRIES: u32 = 100;
const MIGRATION_REST: Duration = Duration::from_millis(100);

/// A database in a file.
pub type SqliteStore = SqlStore<SqliteEngine>;

/// The connections to the file.
pub struct SqliteEngine {
    writer: Pool<Sqlite>,
    readers: Pool<Sqlite>,
}

impl SqlStore<SqliteEngine> {
    /// Opens the file named by `sqlite://path`; it must exist and have the schema of this program.
    ///
    /// # Errors
    /// [`StoreError::Schema`] if it does not.
    pub async fn open(database_url: &str) -> Result<Self, StoreError> {
        let options = options(database_url)?.create_if_missing(false);
        if !options.get_filename().exists() {
            return Err(StoreError::Schema(format!(
                "there is no database at {}: run `entente migrate` first",
                options.get_filename().display()
            )));
        }
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(WRITER_WAIT)
            .test_before_acquire(false)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(options.clone().pragma("cache_size", WRITER_CACHE))
            .await
            .map_err(|error| statement_error(&error))?;
        let mut connection = writer
            .acquire()
            .await
            .map_err(|error| statement_error(&error))?;
        migrations::check(
            &migrations::sqlite(),
            &mut *connection,
            statement_error,
            is_missing_table,
        )
        .await?;
        drop(connection);
        let readers = SqlitePoolOptions::new()
            .max_connections(reader_count())
            .acquire_timeout(READER_WAIT)
            .test_before_acquire(false)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(options.read_only(true).pragma("cache_size", READER_CACHE))
            .await
            .map_err(|error| statement_error(&error))?;
        Ok(Self {
            engine: SqliteEngine { writer, readers },
        })
    }
}

/// Creates the file if it is missing and brings its schema up to date. Two processes may do so at
/// once: the second waits and finds nothing left to do.
///
/// # Errors
/// [`StoreError::Schema`] if the file is newer than this program or a migration fails.
pub async fn migrate(database_url: &str) -> Result<(), StoreError> {
    create_private(options(database_url)?.get_filename())?;
    let options = options(database_url)?
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal);
    for _ in 1..MIGRATION_TRIES {
        match migrate_once(&options).await {
            // Turning the write-ahead log on does not wait for a lock.
            Err(StoreError::Unavailable(_)) => tokio::time::sleep(MIGRATION_REST).await,
            done => return done,
        }
    }
    migrate_once(&options).await
}

/// Creates the file if it is missing, for its owner's eyes only: it holds the service's secrets.
/// `SQLite` gives the files beside it the same permissions.
fn create_private(path: &Path) -> Result<(), StoreError> {
    let mut create = std::fs::OpenOptions::new();
    create.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut create, 0o600);
    match create.open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(StoreError::Schema(
            format!("the database {} cannot be created: {error}", path.display()),
        )),
        _ => Ok(()),
    }
}

async fn migrate_once(options: &SqliteConnectOptions) -> Result<(), StoreError> {
    let mut connection = options
        .connect()
        .await
        .map_err(|error| statement_error(&error))?;
    // One transaction around all migrations keeps a second process out until they are done.
    let mut transaction = connection
        .begin_with(BEGIN)
        .await
        .map_err(|error| statement_error(&error))?;
    migrations::run(&migrations::sqlite(), &mut *transaction, statement_error).await?;
    transaction
        .commit()
        .await
        .map_err(|error| commit_error(&error))?;
    connection
        .close()
        .await
        .map_err(|error| statement_error(&error))
}

fn options(database_url: &str) -> Result<SqliteConnectOptions, StoreError> {
    let options = SqliteConnectOptions::from_str(database_url)
        .map_err(|error| StoreError::Schema(format!("the database URL cannot be read: {error}")))?;
    let path = database_url
        .trim_start_matches("sqlite:")
        .trim_start_matches("//");
    if path.is_empty() || path.contains(":memory:") || path.contains("mode=memory") {
        return Err(StoreError::Schema(
            "a database in memory is not supported: name a file, such as sqlite://entente.db"
                .to_owned(),
        ));
    }
    Ok(options
        // FULL: an acknowledged commit survives a power cut.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY_WAIT)
        .foreign_keys(true)
        // Without it, REPLACE would remove a journal entry without asking the trigger.
        .pragma("recursive_triggers", "ON")
        // What is erased is overwritten, and not only forgotten.
        .pragma("secure_delete", "ON")
        .pragma("temp_store", "MEMORY")
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
        .pragma("journal_size_limit", LOG_BYTES_KEPT)
        .row_buffer_size(ROWS_AHEAD))
}

fn reader_count() -> u32 {
    let count = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    u32::try_from(count).unwrap_or(1)
}

#[async_trait]
impl Engine for SqliteEngine {
    type Work = SqliteWork;
    const NAME: &'static str = "sqlite";
    const BATCHES_AT_ONCE: usize = 1;
    const COMMIT_FAILURE_IS_FATAL: bool = true;

    async fn begin(&self) -> Result<SqliteWork, StoreError> {
        let connection = self
            .writer
            .acquire()
            .await
            .map_err(|error| statement_error(&error))?;
        Ok(SqliteWork {
            connection: Some(connection),
            is_begun: false,
        })
    }

    async fn fetch<T: Send + 'static>(
        &self,
        call: Call<'_>,
        reader: Reader<T>,
    ) -> Result<Vec<T>, StoreError> {
        let mut connection = self
            .readers
            .acquire()
            .await
            .map_err(|error| statement_error(&error))?;
        fetch(&mut connection, None, call, reader).await
    }

    async fn execute(&self, call: Call<'_>) -> Result<u64, StoreError> {
        let mut connection = self
            .writer
            .acquire()
            .await
            .map_err(|error| statement_error(&error))?;
        execute(&mut connection, call).await
    }

    /// What was erased is overwritten in the file (`secure_delete`), but older pages stay in the
    /// write-ahead log until it is copied into the file and cut off.
    async fn scrub(&self) -> Result<(), StoreError> {
        let mut connection = self
            .writer
            .acquire()
            .await
            .map_err(|error| statement_error(&error))?;
        control(&mut connection, "PRAGMA wal_checkpoint(TRUNCATE)")
            .await
            .map_err(|error| statement_error(&error))
    }

    async fn close(&self) {
        self.readers.close().await;
        // Last, so that it copies the write-ahead log into the file and removes it.
        self.writer.close().await;
    }
}

/// A transaction, which holds the one writing connection until it ends.
///
/// Each statement is a visit to the connection's thread, which costs more than most statements do. So
/// the look-up that comes first takes BEGIN along, and statements that write go together.
pub struct SqliteWork {
    connection: Option<PoolConnection<Sqlite>>,
    /// Whether BEGIN was sent.
    is_begun: bool,
}

impl SqliteWork {
    fn connection(&mut self) -> Result<&mut SqliteConnection, StoreError> {
        let ended = || StoreError::Refused("the transaction has ended".to_owned());
        self.connection.as_deref_mut().ok_or_else(ended)
    }

    /// As [`Self::connection`], with the transaction begun.
    async fn begun(&mut self) -> Result<&mut SqliteConnection, StoreError> {
        if !std::mem::replace(&mut self.is_begun, true) {
            control(self.connection()?, BEGIN)
                .await
                .map_err(|error| statement_error(&error))?;
        }
        self.connection()
    }
}

#[async_trait]
impl Work for SqliteWork {
    async fn fetch<T: Send + 'static>(
        &mut self,
        call: Call<'_>,
        reader: Reader<T>,
    ) -> Result<Vec<T>, StoreError> {
        let before = if std::mem::replace(&mut self.is_begun, true) {
            None
        } else {
            Some(BEGIN)
        };
        fetch(self.connection()?, before, call, reader).await
    }

    async fn execute(&mut self, call: Call<'_>) -> Result<u64, StoreError> {
        execute(self.begun().await?, call).await
    }

    async fn execute_each(&mut self, calls: Vec<Call<'_>>) -> Result<Vec<u64>, StoreError> {
        let (statements, arguments) = together::writes(&calls)?;
        let query = sqlx::query_with(AssertSqlSafe(statements), arguments);
        let mut done = self.begun().await?.fetch_many(query);
        let mut touched = Vec::with_capacity(calls.len());
        while let Some(next) = done.next().await {
            let next = next.map_err(|error| statement_error(&error))?;
            touched.extend(next.left().map(|done| done.rows_affected()));
        }
        Ok(touched)
    }

    async fn commit(mut self) -> Result<(), StoreError> {
        if !self.is_begun {
            self.connection = None;
            return Ok(());
        }
        control(self.connection()?, "COMMIT")
            .await
            .map_err(|error| commit_error(&error))?;
        self.connection = None;
        Ok(())
    }
}

impl Drop for SqliteWork {
    /// Rolls back what was not committed, before anyone else gets the connection.
    fn drop(&mut self) {
        if let Some(mut connection) = self.connection.take()
            && self.is_begun
        {
            tokio::spawn(async move {
                if control(&mut connection, "ROLLBACK").await.is_err() {
                    connection.close_on_drop();
                }
            });
        }
    }
}

/// Begins or ends a transaction.
async fn control(
    connection: &mut SqliteConnection,
    statement: &'static str,
) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(statement)
        .execute(connection)
        .await
        .map(|_| ())
}

/// Runs a statement that reads, and the one `before` on the same visit.
async fn fetch<T>(
    connection: &mut SqliteConnection,
    before: Option<&'static str>,
    call: Call<'_>,
    reader: Reader<T>,
) -> Result<Vec<T>, StoreError> {
    let after = |statement: &str| {
        AssertSqlSafe(match before {
            Some(before) => format!("{before};\n{statement}"),
            None => statement.to_owned(),
        })
    };
    if let Some(statement) = together::statement(&call) {
        let query = sqlx::query_scalar_with(after(&statement), arguments(&call)?);
        let text: String = query
            .fetch_one(connection)
            .await
            .map_err(|error| statement_error(&error))?;
        let rows = together::rows(&text)?;
        return rows.iter().map(|row| reader(row)).collect();
    }
    let query = sqlx::query_with(after(call.statement.sqlite), arguments(&call)?);
    let rows = query
        .fetch_all(connection)
        .await
        .map_err(|error| statement_error(&error))?;
    rows.iter().map(|row| reader(row)).collect()
}

async fn execute(connection: &mut SqliteConnection, call: Call<'_>) -> Result<u64, StoreError> {
    let query = sqlx::query_with(call.statement.sqlite, arguments(&call)?);
    let done = query
        .execute(connection)
        .await
        .map_err(|error| statement_error(&error))?;
    Ok(done.rows_affected())
}

implement_row!(SqliteRow);

/// The primary result code, without what extends it.
fn primary_code(error: &sqlx::Error) -> Option<u32> {
    let code: u32 = error.as_database_error()?.code()?.parse().ok()?;
    Some(code & 0xff)
}

// Primary result codes of SQLite.
const BUSY: u32 = 5;
const LOCKED: u32 = 6;
const OUT_OF_MEMORY: u32 = 7;
const INTERRUPTED: u32 = 9;
const INPUT_OUTPUT: u32 = 10;
const DAMAGED: u32 = 11;
const FULL: u32 = 13;
const CANNOT_OPEN: u32 = 14;
const LOCK_PROTOCOL: u32 = 15;
const CONSTRAINT: u32 = 19;
const NOT_A_DATABASE: u32 = 26;

/// What an error of any statement but COMMIT means.
fn statement_error(error: &sqlx::Error) -> StoreError {
    let text = error.to_string();
    match error {
        sqlx::Error::Database(_) => match primary_code(error) {
            Some(
                BUSY | LOCKED | OUT_OF_MEMORY | INTERRUPTED | INPUT_OUTPUT | FULL | CANNOT_OPEN
                | LOCK_PROTOCOL,
            ) => StoreError::Unavailable(text),
            Some(DAMAGED | NOT_A_DATABASE) => StoreError::Corrupt(text),
            _ => StoreError::Refused(text),
        },
        sqlx::Error::ColumnDecode { .. }
        | sqlx::Error::Decode(_)
        | sqlx::Error::ColumnIndexOutOfBounds { .. } => StoreError::Corrupt(text),
        sqlx::Error::Encode(_) | sqlx::Error::InvalidArgument(_) => StoreError::Refused(text),
        sqlx::Error::Configuration(_) => StoreError::Schema(text),
        _ => StoreError::Unavailable(text),
    }
}

/// What an error of COMMIT means. Only a lock and a violated constraint leave no doubt that nothing
/// was stored.
fn commit_error(error: &sqlx::Error) -> StoreError {
    match primary_code(error) {
        Some(BUSY | LOCKED | CONSTRAINT) => statement_error(error),
        _ => StoreError::CommitUnknown(error.to_string()),
    }
}

fn is_missing_table(error: &sqlx::Error) -> bool {
    const GENERAL: u32 = 1;
    primary_code(error) == Some(GENERAL)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn pragma(pool: &Pool<Sqlite>, name: &'static str) -> String {
        let query = sqlx::AssertSqlSafe(format!("PRAGMA {name}"));
        let row = sqlx::query(query).fetch_one(pool).await.unwrap();
        sqlx::Row::try_get_unchecked(&row, 0).unwrap()
    }

    /// What durability and the journal's protection rest on is set on the connections themselves.
    #[tokio::test]
    async fn connections_have_their_settings() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/settings.db", folder.path().display());
        migrate(&url).await.unwrap();
        let store = SqliteStore::open(&url).await.unwrap();
        let (writer, readers) = (&store.engine.writer, &store.engine.readers);
        assert_eq!(pragma(writer, "journal_mode").await, "wal");
        assert_eq!(pragma(writer, "synchronous").await, "2", "FULL");
        assert_eq!(pragma(writer, "recursive_triggers").await, "1");
        assert_eq!(pragma(writer, "foreign_keys").await, "1");
        assert_eq!(pragma(writer, "secure_delete").await, "1");
        assert_eq!(pragma(writer, "wal_autocheckpoint").await, CHECKPOINT_PAGES);
        assert_eq!(pragma(writer, "cache_size").await, WRITER_CACHE);
        assert_eq!(pragma(readers, "cache_size").await, READER_CACHE);
        let write = sqlx::query("DELETE FROM record").execute(readers).await;
        assert!(write.is_err(), "readers only read");
    }
}
