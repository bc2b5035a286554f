//! A look at databases that are well, that are not, and that do not answer.

use std::path::Path;

use entente::store;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};

use crate::support::desk::Desk;
use crate::support::postgres::{self, Cluster};
use crate::support::program::{self, Server, done, entente, run};

/// What the doctor says of a database, and with which exit code.
async fn examined(url: &str) -> (Value, i32) {
    let arguments = ["doctor", "--database-url", url, "--output", "json"];
    let output = run(&entente(), &arguments).await;
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    (said, output.status.code().unwrap())
}

/// What was found at one look.
fn found<'said>(said: &'said Value, check: &str) -> (&'said str, &'said str) {
    let findings = said["findings"].as_array().unwrap();
    let finding = findings.iter().find(|finding| finding["check"] == check);
    let finding = finding.unwrap_or_else(|| panic!("{check}: {said}"));
    (
        finding["health"].as_str().unwrap(),
        finding["seen"].as_str().unwrap(),
    )
}

async fn all_well(url: &str) {
    let server = Server::start(url).await;
    let desk = Desk::open(url, server.address).await;
    desk.clients(&["first", "second"]).await;
    let (said, code) = examined(url).await;
    assert_eq!((said["health"].as_str(), code), (Some("good"), 0), "{said}");
    let short = ["--expires-in-days", "10"];
    let made = ["keys", "create", "--database-url", url, "--firm", "east"];
    done(&[&made[..], &short[..]].concat()).await;
    let (said, code) = examined(url).await;
    let (health, seen) = found(&said, "keys");
    assert_eq!((health, code), ("warning", 0));
    assert!(seen.contains("firms/east/apiKeys/"), "{seen}");
    let text = done(&["doctor", "--database-url", url]).await;
    assert!(
        text.lines().any(|line| line.starts_with("chains")),
        "{text}"
    );
    server.stop().await;
}

#[tokio::test]
async fn a_database_in_a_file_is_well() {
    let folder = tempfile::tempdir().unwrap();
    all_well(&store::url_of(&folder.path().join("well.db"))).await;
}

#[tokio::test]
async fn a_database_of_postgres_is_well() {
    all_well(&postgres::shared().create_database().await).await;
}

/// A small database in a file, after some statements.
async fn spoiled(file: &Path, statements: &[&str]) -> String {
    let url = store::url_of(file);
    store::migrate(&url).await.unwrap();
    program::key(&url, "acme").await;
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    for statement in statements {
        let statement = AssertSqlSafe((*statement).to_owned());
        sqlx::raw_sql(statement)
            .execute(&mut connection)
            .await
            .unwrap();
    }
    connection.close().await.unwrap();
    url
}

/// Whatever somebody did to it is seen.
#[tokio::test]
async fn what_is_wrong_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let cases: [(&str, &str, &[&str]); 6] = [
        (
            "chains",
            "differs in body",
            &["UPDATE record SET body = replace(body, 'acme', 'acne')"],
        ),
        (
            "chains",
            "records are missing",
            &["DELETE FROM record WHERE kind = 'firm'"],
        ),
        (
            "chains",
            "does not end",
            &["UPDATE head SET sequence = sequence - 1 WHERE sequence > 1"],
        ),
        (
            "chains",
            "entry 1",
            &[
                "DROP TRIGGER journal_refuse_update",
                "UPDATE journal SET payload = x'7b7d' WHERE sequence = 1",
            ],
        ),
        (
            "timers",
            "is a server at work?",
            &["UPDATE record SET due_at = 1772438400000000 WHERE kind = 'firm'"],
        ),
        (
            "schema",
            "newer",
            &["INSERT INTO _sqlx_migrations VALUES (9999, 'later', '2026-01-01', 1, x'00', 0)"],
        ),
    ];
    for (number, (check, expected, statements)) in cases.into_iter().enumerate() {
        let file = folder.path().join(format!("{number}.db"));
        let (said, code) = examined(&spoiled(&file, statements).await).await;
        let (health, seen) = found(&said, check);
        assert_eq!((health, code), ("bad", 2), "{said}");
        assert!(seen.contains(expected), "{expected}: {seen}");
    }
}

/// Nobody there, nothing there, no database of ours.
#[tokio::test]
async fn what_is_not_there_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let missing = store::url_of(&folder.path().join("missing.db"));
    let empty = folder.path().join("empty.db");
    std::fs::write(&empty, "").unwrap();
    let text = folder.path().join("text.db");
    std::fs::write(
        &text,
        "no database, but long enough to be looked at as one".repeat(100),
    )
    .unwrap();
    let nobody = format!("postgres://me@127.0.0.1:{}/x", program::free_port());
    let foreign = postgres::shared().create_empty_database().await;
    for (url, check) in [
        (missing, "schema"),
        (store::url_of(&empty), "schema"),
        (store::url_of(&text), "database"),
        (nobody, "database"),
        (foreign, "schema"),
        ("nonsense".to_owned(), "schema"),
    ] {
        let (said, code) = examined(&url).await;
        assert_eq!((found(&said, check).0, code), ("bad", 2), "{url}: {said}");
        assert_eq!(found(&said, "chains").0, "unknown", "{url}: {said}");
    }
    assert!(!folder.path().join("missing.db").exists());
}

/// A database that hangs, or stands still half way, keeps nobody for long.
#[tokio::test]
async fn a_database_that_hangs() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("postgres://me@{}/x", listener.local_addr().unwrap());
    let cluster = Cluster::start();
    let url = cluster.create_database().await;
    // Somebody holds what everybody has to read.
    let mut held = PgConnection::connect(&url).await.unwrap();
    let lock = "BEGIN; LOCK TABLE head IN ACCESS EXCLUSIVE MODE";
    sqlx::raw_sql(lock).execute(&mut held).await.unwrap();
    let (silent, locked) = tokio::join!(examined(&silent), examined(&url));
    for ((said, code), check) in [(silent, "database"), (locked, "chains")] {
        assert_eq!((found(&said, check).0, code), ("bad", 2), "{said}");
    }
    held.close().await.unwrap();
}
