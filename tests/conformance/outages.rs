//! What an engine makes of its server or its file going away.

use std::time::Duration;

use entente::store::StoreError;
use sqlx::{Connection, SqliteConnection, raw_sql};

use crate::database::Database;
use crate::postgres_cluster::{Cluster, Settings};
use crate::rows::{all, record, records};

/// A `PostgreSQL` server that one test may stop.
async fn server() -> (Cluster, Database) {
    let cluster = Cluster::start_with(Settings { fsync: false });
    let url = cluster.create_database().await;
    let database = Database::at(url).await;
    (cluster, database)
}

#[tokio::test]
async fn postgres_goes_on_after_a_restart() {
    let (cluster, database) = server().await;
    database.write(&records(vec![record("a", "t1")])).await;
    // Several idle connections, all of which the restart cuts off.
    let queries: Vec<_> = (0..6).map(|_| all("a")).collect();
    let several = queries
        .iter()
        .map(|query| database.store.list_records(query));
    for found in join_all(several).await {
        assert_eq!(found.unwrap().len(), 1);
    }
    cluster.stop_immediate();
    cluster.start_again();
    for _ in 0..8 {
        assert_eq!(
            database.store.list_records(&all("a")).await.unwrap().len(),
            1
        );
    }
    database.write(&records(vec![record("a", "t2")])).await;
    cluster.stop_immediate();
    cluster.start_again();
    database
        .store
        .secret("first statement after a restart", b"x")
        .await
        .unwrap();
    assert_eq!(
        database.store.list_records(&all("a")).await.unwrap().len(),
        2
    );
}

#[tokio::test]
async fn postgres_that_is_gone_is_unavailable() {
    let (cluster, database) = server().await;
    let mut transaction = database.begin().await;
    transaction
        .write(&records(vec![record("a", "t1")]))
        .await
        .unwrap();
    cluster.stop_immediate();
    let result = transaction.write(&records(vec![record("a", "t2")])).await;
    assert!(
        matches!(result, Err(StoreError::Unavailable(_))),
        "{result:?}"
    );
    drop(transaction);
    let result = database.store.list_records(&all("a")).await;
    assert!(
        matches!(result, Err(StoreError::Unavailable(_))),
        "{result:?}"
    );
    let result = database.store.begin().await.err();
    assert!(
        matches!(result, Some(StoreError::Unavailable(_))),
        "{result:?}"
    );
    cluster.start_again();
    assert_eq!(database.store.list_records(&all("a")).await.unwrap(), []);
}

#[tokio::test]
async fn postgres_that_goes_before_commit_leaves_doubt() {
    let (cluster, database) = server().await;
    let mut transaction = database.begin().await;
    transaction
        .write(&records(vec![record("a", "t1")]))
        .await
        .unwrap();
    cluster.stop_immediate();
    let result = transaction.commit().await;
    assert!(
        matches!(result, Err(StoreError::CommitUnknown(_))),
        "{result:?}"
    );
    assert!(!database.store.commit_failure_is_fatal());
    cluster.start_again();
    assert_eq!(database.store.list_records(&all("a")).await.unwrap(), []);
}

/// Ends all of the database's transactions from without.
async fn terminate(database: &Database) {
    let terminate = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                     WHERE datname = current_database() AND state = 'idle in transaction'";
    database.run(terminate).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
}

/// The server says that it ends the connection; that says nothing about the commit, which may have
/// been waiting for a standby.
#[tokio::test]
async fn postgres_that_ends_a_connection_leaves_doubt_about_its_commit() {
    let database = Database::postgres().await;
    let mut transaction = database.begin().await;
    transaction
        .write(&records(vec![record("a", "t1")]))
        .await
        .unwrap();
    terminate(&database).await;
    let result = transaction.commit().await;
    assert!(
        matches!(result, Err(StoreError::CommitUnknown(_))),
        "{result:?}"
    );

    let mut transaction = database.begin().await;
    terminate(&database).await;
    let result = transaction.write(&records(vec![record("a", "t1")])).await;
    assert!(
        matches!(result, Err(StoreError::Unavailable(_))),
        "{result:?}"
    );
    drop(transaction);
    database.write(&records(vec![record("a", "t2")])).await;
    assert_eq!(
        database.store.list_records(&all("a")).await.unwrap(),
        [record("a", "t2")]
    );
}

#[tokio::test]
async fn sqlite_that_stays_locked_is_unavailable() {
    let database = Database::sqlite().await;
    assert!(database.store.commit_failure_is_fatal());
    let mut other = SqliteConnection::connect(&database.url).await.unwrap();
    raw_sql("BEGIN IMMEDIATE")
        .execute(&mut other)
        .await
        .unwrap();
    // Readers go on.
    assert_eq!(database.store.list_records(&all("a")).await.unwrap(), []);
    let mut transaction = database.store.begin().await.unwrap();
    let result = transaction.records(&[]).await;
    assert!(
        matches!(result, Err(StoreError::Unavailable(_))),
        "{result:?}"
    );
    let again = transaction.records(&[]).await;
    assert!(matches!(again, Err(StoreError::Refused(_))), "{again:?}");
    drop(transaction);
    let waiting = async { database.write(&records(vec![record("a", "t1")])).await };
    let releasing = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    };
    tokio::join!(waiting, releasing);
    assert_eq!(
        database.store.list_records(&all("a")).await.unwrap(),
        [record("a", "t1")]
    );
}

#[tokio::test]
async fn sqlite_that_is_no_database_is_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("text.db");
    std::fs::write(&path, "This is not a database. ".repeat(1_000)).unwrap();
    let result = entente::store::open(&format!("sqlite://{}", path.display()))
        .await
        .err();
    assert!(matches!(result, Some(StoreError::Corrupt(_))), "{result:?}");
}

/// Waits for all of them at once.
async fn join_all<T>(futures: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut futures: Vec<_> = futures.map(Box::pin).collect();
    let mut results: Vec<Option<T>> = futures.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, result) in futures.iter_mut().zip(&mut results) {
            if result.is_none()
                && let std::task::Poll::Ready(value) = future.as_mut().poll(context)
            {
                *result = Some(value);
            }
        }
        if results.iter().all(Option::is_some) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    results.into_iter().flatten().collect()
}
