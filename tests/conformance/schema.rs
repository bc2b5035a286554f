//! Making the schema, and refusing one that is not this program's.

use entente::store::{StoreError, migrate, open};

use crate::database::Database;
use crate::postgres_cluster;
use crate::rows::{all, record, records};

/// The URL of a database of the same engine that does not have the schema yet. The folder is where a
/// file is; it has to be kept.
async fn fresh(database: &Database) -> (String, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let url = if database.is_sqlite() {
        format!("sqlite://{}/fresh.db", folder.path().display())
    } else {
        postgres_cluster::shared().create_empty_database().await
    };
    (url, folder)
}

async fn refused(url: &str) -> String {
    match open(url).await.err() {
        Some(StoreError::Schema(message)) => message,
        other => panic!("{other:?} where the schema should be refused"),
    }
}

pub async fn migrating_twice_changes_nothing(database: &Database) {
    database.write(&records(vec![record("a", "t1")])).await;
    migrate(&database.url).await.unwrap();
    let again = database.open_again().await;
    assert_eq!(
        again.list_records(&all("a")).await.unwrap(),
        [record("a", "t1")]
    );
    again.close().await;
}

pub async fn migrating_at_once_is_safe(database: &Database) {
    let (url, _folder) = fresh(database).await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let url = url.clone();
        tasks.spawn(async move { migrate(&url).await });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap().unwrap();
    }
    open(&url).await.unwrap().close().await;
}

pub async fn an_empty_database_is_refused(database: &Database) {
    let (url, folder) = fresh(database).await;
    assert!(refused(&url).await.contains("entente migrate"));
    if database.is_sqlite() {
        assert!(
            !folder.path().join("fresh.db").exists(),
            "opening makes no file"
        );
        std::fs::write(folder.path().join("fresh.db"), b"").unwrap();
        assert!(refused(&url).await.contains("entente migrate"));
    }
}

pub async fn a_newer_database_is_refused(database: &Database) {
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                 SELECT 9999, 'later', success, checksum, 0 FROM _sqlx_migrations WHERE version = 1";
    database.run(newer).await.unwrap();
    assert!(refused(&database.url).await.contains("newer"));
    let result = migrate(&database.url).await;
    assert!(
        matches!(&result, Err(StoreError::Schema(message)) if message.contains("newer")),
        "{result:?}"
    );
}

pub async fn an_altered_migration_is_refused(database: &Database) {
    let bytes = if database.is_sqlite() {
        "x'00'"
    } else {
        "'\\x00'"
    };
    let altered = format!("UPDATE _sqlx_migrations SET checksum = {bytes} WHERE version = 1");
    database.run(&altered).await.unwrap();
    assert!(refused(&database.url).await.contains("another wording"));
    let missing = "DELETE FROM _sqlx_migrations WHERE version = 1";
    database.run(missing).await.unwrap();
    assert!(refused(&database.url).await.contains("entente migrate"));
}

#[tokio::test]
async fn only_files_and_servers_can_be_named() {
    for url in [
        "sqlite::memory:",
        "sqlite://",
        "sqlite:",
        "sqlite://x?mode=memory",
        "mysql://x",
        "",
        "x.db",
    ] {
        refused(url).await;
        let result = migrate(url).await;
        assert!(
            matches!(result, Err(StoreError::Schema(_))),
            "{url}: {result:?}"
        );
    }
}

/// The file holds secrets.
#[cfg(unix)]
#[tokio::test]
async fn a_new_file_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/private.db", folder.path().display());
    migrate(&url).await.unwrap();
    let store = open(&url).await.unwrap();
    store.secret("digest", b"x").await.unwrap();
    let mut files = 0;
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let mode = file.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        files += 1;
    }
    assert_eq!(files, 3, "the file itself, its log and the log's index");
    store.close().await;
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        1,
        "closing tidies up"
    );
    let result = migrate("sqlite:///nowhere/at/all.db").await;
    assert!(matches!(result, Err(StoreError::Schema(_))), "{result:?}");
}
