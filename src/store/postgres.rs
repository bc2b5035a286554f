//! `PostgreSQL`: many replicas of the service on one database.

use std::future::Future;
use std::str::FromStr;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgConnection, PgPoolOptions, PgRow};
use sqlx::{Arguments, ConnectOptions, Connection, Pool, Postgres};

use super::call::{Call, Column, Scalar};
use super::rows::{Reader, implement_row};
use super::sql_store::{Engine, SqlStore, Work};
use super::{StoreError, migrations};

/// Most connections for transactions. The ledger needs one; secrets and purges may want others.
const WRITERS_MAX: u32 = 4;
/// Most connections for look-ups, which never wait for a transaction.
const READERS_MAX: u32 = 12;
/// How long work waits for a free connection, or for the server to come up.
const CONNECTION_WAIT: Duration = Duration::from_secs(10);
/// How long a statement waits for an answer before the server is taken for gone. The server gives
/// up earlier by itself (see [`SESSION`]).
const ANSWER_WAIT: Duration = Duration::from_secs(40);
/// How long an unused connection stays open, and how long any.
const IDLE_MAX: Duration = Duration::from_mins(10);
const LIFETIME_MAX: Duration = Duration::from_mins(30);

/// Settings of every connection, beside which the database's and the role's own do not count.
///
/// Each statement of the catalogue has one right plan, for few rows and for many: through one index,
/// from the keys that were asked for. The statements are written so that `PostgreSQL` finds it with or
/// without statistics; one generic plan then serves all arguments. What remains is a table that was
/// analysed while it was empty: a scan of nothing costs nothing, and the plan stays when the table
/// grows. So scans are switched off for these connections, which run nothing else.
/// `tests/store_plans.rs` checks every plan in all these cases.
pub const SESSION: [(&str, &str); 8] = [
    ("synchronous_commit", "on"),
    ("plan_cache_mode", "force_generic_plan"),
    ("enable_seqscan", "off"),
    ("jit", "off"),
    ("lock_timeout", "5s"),
    ("statement_timeout", "30s"),
    // A replica that was cut off, or hangs, must not keep the heads that it had locked: whoever else has
    // something to do with these scopes waits. Deciding a batch takes milliseconds.
    ("idle_in_transaction_session_timeout", "10s"),
    ("client_min_messages", "warning"),
];

/// READ COMMITTED, whatever the database's default is: heads are locked by row.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";

/// A `PostgreSQL` database.
pub type PostgresStore = SqlStore<PostgresEngine>;

/// The connections to the server.
pub struct PostgresEngine {
    writers: Pool<Postgres>,
    readers: Pool<Postgres>,
}

impl SqlStore<PostgresEngine> {
    /// Connects to `postgres://...`; the database must have the schema of this program.
    ///
    /// # Errors
    /// [`StoreError::Schema`] if it does not, [`StoreError::Unavailable`] if nobody answers.
    pub async fn open(database_url: &str) -> Result<Self, StoreError> {
        let options = options(database_url)?.options(SESSION);
        let writers = pool(&options, WRITERS_MAX).await?;
        let mut connection = writers
            .acquire()
            .await
            .map_err(|error| statement_error(&error))?;
        migrations::check(
            &migrations::postgres(),
            &mut *connection,
            statement_error,
            is_missing_table,
        )
        .await?;
        drop(connection);
        let readers = pool(&options, READERS_MAX).await?;
        Ok(Self {
            engine: PostgresEngine { writers, readers },
        })
    }
}

async fn pool(options: &PgConnectOptions, connections: u32) -> Result<Pool<Postgres>, StoreError> {
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(CONNECTION_WAIT)
        .test_before_acquire(false)
        .idle_timeout(IDLE_MAX)
        .max_lifetime(LIFETIME_MAX)
        .after_connect(|connection, _| Box::pin(refuse_standby(connection)))
        .connect_with(options.clone())
        .await
        .map_err(|error| statement_error(&error))
}

/// Refuses a server that only follows another one, whoever led here: it would answer with what was true
/// a moment ago, and take nothing. Once it has taken over, it may be tried again.
async fn refuse_standby(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let follows: bool = sqlx::query_scalar("SELECT pg_is_in_recovery()")
        .fetch_one(connection)
        .await?;
    if follows {
        return Err(sqlx::Error::Io(std::io::Error::other(
            "the server follows another one and takes no changes",
        )));
    }
    Ok(())
}

/// Brings the schema up to date. Two processes may do so at once: an advisory lock makes the second
/// wait, and it finds nothing left to do.
///
/// # Errors
/// [`StoreError::Schema`] if the database is newer than this program or a migration fails.
pub async fn migrate(database_url: &str) -> Result<(), StoreError> {
    let mut connection = options(database_url)?
        .connect()
        .await
        .map_err(|error| statement_error(&error))?;
    migrations::run(&migrations::postgres(), &mut connection, statement_error).await?;
    connection
        .close()
        .await
        .map_err(|error| statement_error(&error))
}

fn options(database_url: &str) -> Result<PgConnectOptions, StoreError> {
    let options = PgConnectOptions::from_str(database_url)
        .map_err(|error| StoreError::Schema(format!("the database URL cannot be read: {error}")))?;
    Ok(options.application_name("entente"))
}

impl PostgresEngine {
    /// A connection of `pool` that answers, after one that did not: those that a restart of the
    /// server has cut off are closed on the way.
    async fn answering(pool: &Pool<Postgres>) -> Result<PoolConnection<Postgres>, StoreError> {
        let connections = pool.options().get_max_connections();
        for _ in 0..connections {
            let mut connection = pool
                .acquire()
                .await
                .map_err(|error| statement_error(&error))?;
            if answer(connection.ping()).await.is_ok() {
                return Ok(connection);
            }
            connection.close_on_drop();
        }
        pool.acquire()
            .await
            .map_err(|error| statement_error(&error))
    }

    /// Starts a transaction on `connection`, or closes it.
    async fn begin_on(connection: PoolConnection<Postgres>) -> Result<PostgresWork, sqlx::Error> {
        let mut work = PostgresWork {
            connection: Some(connection),
        };
        if let Some(connection) = &mut work.connection {
            control(connection, BEGIN).await?;
        }
        Ok(work)
    }
}

#[async_trait]
impl Engine for PostgresEngine {
    type Work = PostgresWork;
    const NAME: &'static str = "postgres";
    // While one is decided here, the other is written there.
    const BATCHES_AT_ONCE: usize = 2;
    const COMMIT_FAILURE_IS_FATAL: bool = false;

    async fn begin(&self) -> Result<PostgresWork, StoreError> {
        let connection = self
            .writers
            .acquire()
            .await
            .map_err(|error| statement_error(&error))?;
        match Self::begin_on(connection).await {
            Err(error) if is_lost(&error) => {
                let connection = Self::answering(&self.writers).await?;
                Self::begin_on(connection).await
            }
            done => done,
        }
        .map_err(|error| statement_error(&error))
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
        let rows = match fetch(&mut connection, &call).await {
            Err(error) if is_lost(&error) => {
                drop(connection);
                connection = Self::answering(&self.readers).await?;
                fetch(&mut connection, &call).await
            }
            done => done,
        }
        .map_err(|error| statement_error(&error))?;
        drop(connection);
        rows.iter().map(|row| reader(row)).collect()
    }

    async fn execute(&self, call: Call<'_>) -> Result<u64, StoreError> {
        // In a transaction of its own, for whose COMMIT a lost answer is told apart.
        let mut work = self.begin().await?;
        let touched = work.execute(call).await?;
        work.commit().await?;
        Ok(touched)
    }

    async fn close(&self) {
        self.readers.close().await;
        self.writers.close().await;
    }
}

/// A transaction, which holds its connection until it ends.
pub struct PostgresWork {
    connection: Option<PoolConnection<Postgres>>,
}

impl PostgresWork {
    fn connection(&mut self) -> Result<&mut PoolConnection<Postgres>, StoreError> {
        let ended = || StoreError::Refused("the transaction has ended".to_owned());
        self.connection.as_mut().ok_or_else(ended)
    }
}

#[async_trait]
impl Work for PostgresWork {
    async fn fetch<T: Send + 'static>(
        &mut self,
        call: Call<'_>,
        reader: Reader<T>,
    ) -> Result<Vec<T>, StoreError> {
        let rows = fetch(self.connection()?, &call)
            .await
            .map_err(|error| statement_error(&error))?;
        rows.iter().map(|row| reader(row)).collect()
    }

    async fn execute(&mut self, call: Call<'_>) -> Result<u64, StoreError> {
        let connection = self.connection()?;
        let query = sqlx::query_with(call.statement.postgres, arguments(&call)?);
        let done = answer(query.execute(&mut **connection)).await;
        let done = close_if_lost(connection, done).map_err(|error| statement_error(&error))?;
        Ok(done.rows_affected())
    }

    async fn commit(mut self) -> Result<(), StoreError> {
        control(self.connection()?, "COMMIT")
            .await
            .map_err(|error| commit_error(&error))?;
        self.connection = None;
        Ok(())
    }
}

impl Drop for PostgresWork {
    /// Rolls back what was not committed, before anyone else gets the connection.
    fn drop(&mut self) {
        if let Some(mut connection) = self.connection.take() {
            tokio::spawn(async move {
                if control(&mut connection, "ROLLBACK").await.is_err() {
                    connection.close_on_drop();
                }
            });
        }
    }
}

/// Begins or ends a transaction, in one round trip.
async fn control(
    connection: &mut PoolConnection<Postgres>,
    statement: &'static str,
) -> Result<(), sqlx::Error> {
    let done = answer(sqlx::raw_sql(statement).execute(&mut **connection)).await;
    close_if_lost(connection, done).map(|_| ())
}

async fn fetch(
    connection: &mut PoolConnection<Postgres>,
    call: &Call<'_>,
) -> Result<Vec<PgRow>, sqlx::Error> {
    let arguments =
        arguments(call).map_err(|error| sqlx::Error::InvalidArgument(error.to_string()))?;
    let query = sqlx::query_with(call.statement.postgres, arguments);
    let connection_used: &mut PgConnection = connection;
    let done = answer(query.fetch_all(connection_used)).await;
    close_if_lost(connection, done)
}

/// Waits for the server's answer, but not for ever: a network that swallows packets says nothing.
async fn answer<T>(work: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    tokio::time::timeout(ANSWER_WAIT, work)
        .await
        .unwrap_or_else(|_| {
            Err(sqlx::Error::Io(std::io::Error::new(
                std::io::ErrorKind::TimedOut,
                "the server does not answer",
            )))
        })
}

/// Keeps a connection on which nothing can be said any more out of the pool.
fn close_if_lost<T>(
    connection: &mut PoolConnection<Postgres>,
    done: Result<T, sqlx::Error>,
) -> Result<T, sqlx::Error> {
    if let Err(error) = &done
        && is_lost(error)
    {
        connection.close_on_drop();
    }
    done
}

fn arguments(call: &Call<'_>) -> Result<PgArguments, StoreError> {
    let refused = |error| StoreError::Refused(format!("an argument cannot be encoded: {error}"));
    let mut arguments = PgArguments::default();
    for column in &call.columns {
        match column {
            Column::Texts(texts) => arguments.add(texts.as_slice()),
            Column::Integers(integers) => arguments.add(integers.as_slice()),
            Column::OptionalIntegers(integers) => arguments.add(integers.as_slice()),
            Column::Bytes(bytes) => arguments.add(bytes.as_slice()),
        }
        .map_err(refused)?;
    }
    for scalar in &call.scalars {
        match scalar {
            Scalar::Text(text) => arguments.add(*text),
            Scalar::Integer(integer) => arguments.add(*integer),
            Scalar::OptionalInteger(integer) => arguments.add(*integer),
            Scalar::Bytes(bytes) => arguments.add(*bytes),
        }
        .map_err(refused)?;
    }
    Ok(arguments)
}

implement_row!(PgRow);

fn sql_state(error: &sqlx::Error) -> Option<String> {
    Some(error.as_database_error()?.code()?.into_owned())
}

/// Whether the connection is of no use any more.
fn is_lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(_) => sql_state(error).is_some_and(|state| {
            state.starts_with("08") || is_shutdown(&state) || state == IDLE_TOO_LONG
        }),
        _ => false,
    }
}

/// `idle_in_transaction_session_timeout`: the server has closed the connection.
const IDLE_TOO_LONG: &str = "25P03";

/// The server is going down, or not up yet.
fn is_shutdown(state: &str) -> bool {
    state.starts_with("57P0")
}

/// Whether the same statement may succeed when run again.
fn is_passing(state: &str) -> bool {
    // Serialisation failure, deadlock, lock timeout, statement timeout; out of resources.
    matches!(state, "40001" | "40P01" | "55P03" | "57014" | IDLE_TOO_LONG)
        || is_shutdown(state)
        || state.starts_with("08")
        || state.starts_with("53")
}

/// What an error of any statement but COMMIT means.
fn statement_error(error: &sqlx::Error) -> StoreError {
    let text = error.to_string();
    match error {
        sqlx::Error::Database(_) => match sql_state(error) {
            Some(state) if is_passing(&state) => {
                StoreError::Unavailable(format!("{text} ({state})"))
            }
            // Damaged data or index.
            Some(state) if matches!(state.as_str(), "XX001" | "XX002") => StoreError::Corrupt(text),
            state => StoreError::Refused(format!("{text} ({})", state.unwrap_or_default())),
        },
        sqlx::Error::ColumnDecode { .. }
        | sqlx::Error::Decode(_)
        | sqlx::Error::ColumnIndexOutOfBounds { .. } => StoreError::Corrupt(text),
        sqlx::Error::Encode(_) | sqlx::Error::InvalidArgument(_) => StoreError::Refused(text),
        sqlx::Error::Configuration(_) => StoreError::Schema(text),
        _ => StoreError::Unavailable(text),
    }
}

/// What an error of COMMIT means. A server that refuses for a reason of the transaction's own has
/// stored nothing; one that is shutting down may have, while it waited for a standby.
fn commit_error(error: &sqlx::Error) -> StoreError {
    /// Statement completion unknown.
    const UNKNOWN: &str = "40003";
    let definite = sql_state(error).is_some_and(|state| {
        let class = state.get(..2).unwrap_or_default();
        matches!(class, "22" | "23" | "25" | "40") && state != UNKNOWN && state != IDLE_TOO_LONG
    });
    if definite {
        statement_error(error)
    } else {
        StoreError::CommitUnknown(error.to_string())
    }
}

fn is_missing_table(error: &sqlx::Error) -> bool {
    /// Undefined table.
    const UNDEFINED: &str = "42P01";
    sql_state(error).as_deref() == Some(UNDEFINED)
}
