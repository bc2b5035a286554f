//! A database of a test's own.

use std::sync::Arc;

use entente::store::{Store, Transaction, WriteSet};
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection, raw_sql};

use crate::postgres_cluster;

/// A database that no other test uses.
pub struct Database {
    pub url: String,
    pub store: Arc<dyn Store>,
    /// `SQLite`'s file is in it; it goes with this value.
    _folder: Option<tempfile::TempDir>,
}

impl Database {
    pub async fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = format!("sqlite://{}/test.db", folder.path().display());
        entente::store::migrate(&url)
            .await
            .expect("the schema is made");
        let store = entente::store::open(&url).await.expect("the store opens");
        Self {
            url,
            store,
            _folder: Some(folder),
        }
    }

    pub async fn postgres() -> Self {
        Self::at(postgres_cluster::shared().create_database().await).await
    }

    /// The database behind a URL, which somebody else takes away.
    pub async fn at(url: String) -> Self {
        let store = entente::store::open(&url).await.expect("the store opens");
        Self {
            url,
            store,
            _folder: None,
        }
    }

    pub fn is_sqlite(&self) -> bool {
        self.store.engine() == "sqlite"
    }

    /// A second, independent connection to the same database, as another process would have.
    pub async fn open_again(&self) -> Arc<dyn Store> {
        entente::store::open(&self.url)
            .await
            .expect("the store opens again")
    }

    pub async fn begin(&self) -> Box<dyn Transaction + '_> {
        self.store.begin().await.expect("a transaction begins")
    }

    /// Writes and commits.
    pub async fn write(&self, set: &WriteSet) {
        let mut transaction = self.begin().await;
        transaction.write(set).await.expect("the set is written");
        transaction.commit().await.expect("the set is committed");
    }

    /// Runs statements past the store.
    pub async fn run(&self, statements: &str) -> Result<(), sqlx::Error> {
        let statements = AssertSqlSafe(statements.to_owned());
        if self.is_sqlite() {
            let mut connection = SqliteConnection::connect(&self.url).await?;
            raw_sql(statements).execute(&mut connection).await?;
            connection.close().await
        } else {
            let mut connection = PgConnection::connect(&self.url).await?;
            raw_sql(statements).execute(&mut connection).await?;
            connection.close().await
        }
    }
}
