//! Every statement finds its rows through the index meant for it: on an empty database, on one that
//! was analysed while it was empty, on a large one that was never analysed, and on one that was.
//!
//! The first two matter most. A server that has just been installed plans its statements while all
//! tables are empty, and keeps these plans.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

#[path = "support/load.rs"]
mod load;
#[path = "support/postgres.rs"]
mod postgres;

use entente::store::catalogue::{self, Statement};
use sqlx::postgres::PgConnectOptions;
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection, Row, SqlSafeStr,
    SqliteConnection, Statement as _, TypeInfo,
};

/// Rows in each table of the large database.
const LARGE: usize = 20_000;

/// This one follows a record's history from its end, and then puts it in order: it filters and sorts
/// what it found, no more.
const FOLLOWED: &str = "journal/list_of_record";

/// How a statement finds its rows.
struct Path {
    statement: &'static str,
    /// The steps of `SQLite`'s plan that touch a table.
    sqlite: &'static [&'static str],
    /// The indexes of `PostgreSQL`'s plan.
    postgres: &'static [&'static str],
}

/// Statements that are not listed here only insert, and touch no table before.
const PATHS: &[Path] = &[
    Path {
        statement: "head/get",
        sqlite: &["head USING PRIMARY KEY (scope_id=?)"],
        postgres: &["head_key"],
    },
    Path {
        statement: "head/lock",
        sqlite: &["head USING PRIMARY KEY (scope_id=?)"],
        postgres: &["head_key"],
    },
    Path {
        statement: "head/lock_free",
        sqlite: &["head USING PRIMARY KEY (scope_id=?)"],
        postgres: &["head_key"],
    },
    Path {
        statement: "head/list",
        sqlite: &["head USING PRIMARY KEY (scope_id>?)"],
        postgres: &["head_key"],
    },
    Path {
        statement: "journal/get_hash",
        sqlite: &["journal USING INDEX sqlite_autoindex_journal_1 (scope_id=? AND sequence=?)"],
        // Each key is in one of the partitions; which one is not known when it is planned.
        postgres: &[
            "journal_00_pkey",
            "journal_01_pkey",
            "journal_02_pkey",
            "journal_03_pkey",
            "journal_04_pkey",
            "journal_05_pkey",
            "journal_06_pkey",
            "journal_07_pkey",
            "journal_08_pkey",
            "journal_09_pkey",
            "journal_10_pkey",
            "journal_11_pkey",
            "journal_12_pkey",
            "journal_13_pkey",
            "journal_14_pkey",
            "journal_15_pkey",
        ],
    },
    Path {
        statement: "journal/list",
        sqlite: &["journal USING INDEX sqlite_autoindex_journal_1 (scope_id=? AND sequence>?)"],
        postgres: &["journal_03_pkey"],
    },
    Path {
        statement: "journal/list_of_record",
        // What is scanned is the history as far as it was followed, not a table.
        sqlite: &[
            "record USING INDEX sqlite_autoindex_record_1 (scope_id=? AND kind=? AND id=?)",
            "journal USING INDEX sqlite_autoindex_journal_1 (scope_id=? AND sequence=?)",
            "SCAN history",
            "journal USING INDEX sqlite_autoindex_journal_1 (scope_id=? AND sequence=?)",
            "SCAN history",
            "SCAN page",
            "journal USING INDEX sqlite_autoindex_journal_1 (scope_id=? AND sequence=?)",
        ],
        postgres: &[
            "record_key",
            "journal_03_pkey",
            "journal_03_pkey",
            "journal_03_pkey",
        ],
    },
    Path {
        statement: "record/get",
        sqlite: &["record USING INDEX sqlite_autoindex_record_1 (scope_id=? AND kind=? AND id=?)"],
        postgres: &["record_key"],
    },
    Path {
        statement: "record/list",
        sqlite: &["record USING INDEX sqlite_autoindex_record_1 (scope_id=? AND kind=? AND id>?)"],
        postgres: &["record_key"],
    },
    Path {
        statement: "record/list_in_state",
        sqlite: &[
            "record USING INDEX record_by_state (scope_id=? AND kind=? AND state=? AND id>?)",
        ],
        postgres: &["record_by_state"],
    },
    Path {
        statement: "record/list_due",
        sqlite: &["record USING COVERING INDEX record_by_due_at (due_at<?)"],
        postgres: &["record_by_due_at"],
    },
    Path {
        statement: "reference/get",
        sqlite: &[
            "reference USING COVERING INDEX reference_by_external_id (firm_id=? AND system=? AND instance=? AND reference_type=? AND external_id=? AND scope_id=?)",
            "record USING INDEX sqlite_autoindex_record_1 (scope_id=? AND kind=? AND id=?) LEFT-JOIN",
        ],
        postgres: &["reference_by_external_id", "record_key"],
    },
    Path {
        statement: "reference/list_anywhere",
        sqlite: &[
            "reference USING COVERING INDEX reference_by_external_id (firm_id=? AND system=? AND instance=? AND reference_type=? AND external_id=?)",
        ],
        postgres: &["reference_by_external_id"],
    },
    Path {
        statement: "reference/list_of_records",
        sqlite: &[
            "reference USING COVERING INDEX reference_by_record (scope_id=? AND kind=? AND record_id=?)",
        ],
        postgres: &["reference_by_record"],
    },
    Path {
        statement: "request/get",
        sqlite: &["request USING PRIMARY KEY (scope_id=? AND firm_id=? AND request_id=?)"],
        postgres: &["request_key"],
    },
    Path {
        statement: "request/purge",
        sqlite: &[
            "request USING PRIMARY KEY (scope_id=? AND firm_id=? AND request_id=?)",
            "request USING COVERING INDEX request_by_expires_at (expires_at<?)",
        ],
        postgres: &["request_by_expires_at"],
    },
    Path {
        statement: "sealed/erase",
        sqlite: &[
            "sealed USING COVERING INDEX sqlite_autoindex_sealed_1 (scope_id=? AND commitment=?)",
        ],
        postgres: &["sealed_key"],
    },
    Path {
        statement: "sealed/get",
        sqlite: &["sealed USING INDEX sqlite_autoindex_sealed_1 (scope_id=? AND commitment=?)"],
        postgres: &["sealed_key"],
    },
    Path {
        statement: "sealed/list",
        sqlite: &["sealed USING INDEX sqlite_autoindex_sealed_1 (scope_id=? AND commitment>?)"],
        postgres: &["sealed_key"],
    },
    Path {
        statement: "zone/get",
        sqlite: &["zone USING INDEX sqlite_autoindex_zone_1 (scope_id=? AND digest=?)"],
        postgres: &["zone_key"],
    },
    Path {
        statement: "credential/get",
        sqlite: &["credential USING PRIMARY KEY (id=?)"],
        postgres: &["credential_key"],
    },
    Path {
        statement: "credential/list_by_digest",
        sqlite: &["credential USING INDEX credential_by_digest (digest=?)"],
        postgres: &["credential_by_digest"],
    },
    Path {
        statement: "credential/touch",
        sqlite: &["credential USING PRIMARY KEY (id=?)"],
        postgres: &["credential_key"],
    },
    Path {
        statement: "subscription/list",
        sqlite: &["subscription USING PRIMARY KEY ((scope_id,id)>(?,?))"],
        postgres: &["subscription_key"],
    },
    Path {
        statement: "delivery/list",
        sqlite: &["delivery USING PRIMARY KEY ((scope_id,subscription_id,source_id)>(?,?,?))"],
        postgres: &["delivery_key"],
    },
    Path {
        statement: "dead_letter/list",
        sqlite: &[
            "dead_letter USING PRIMARY KEY (scope_id=? AND subscription_id=? AND (source_id,sequence)>(?,?))",
        ],
        postgres: &["dead_letter_key"],
    },
    Path {
        statement: "dead_letter/list_due",
        sqlite: &["dead_letter USING INDEX dead_letter_by_due_at (due_at<?)"],
        postgres: &["dead_letter_by_due_at"],
    },
    Path {
        statement: "dead_letter/delete",
        sqlite: &[
            "dead_letter USING PRIMARY KEY (scope_id=? AND subscription_id=? AND source_id=? AND sequence=?)",
        ],
        postgres: &["dead_letter_key"],
    },
    Path {
        statement: "secret/get",
        sqlite: &["secret USING PRIMARY KEY (name=?)"],
        postgres: &["secret_key"],
    },
];

#[tokio::test]
async fn sqlite_uses_indexes() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/plans.db", folder.path().display());
    entente::store::migrate(&url).await.unwrap();
    check_sqlite(&url, "empty").await;
    let store = entente::store::open(&url).await.unwrap();
    load::fill(store.as_ref(), LARGE).await;
    check_sqlite(&url, "large").await;
    store.close().await;
    SqliteConnection::connect(&url)
        .await
        .unwrap()
        .execute("ANALYZE")
        .await
        .unwrap();
    check_sqlite(&url, "large and analysed").await;
}

#[tokio::test]
async fn postgres_uses_indexes() {
    let url = postgres::shared().create_database().await;
    check_postgres(&url, "empty").await;
    let store = entente::store::open(&url).await.unwrap();
    load::fill(store.as_ref(), LARGE).await;
    check_postgres(&url, "large").await;
    PgConnection::connect(&url)
        .await
        .unwrap()
        .execute("ANALYZE")
        .await
        .unwrap();
    check_postgres(&url, "large and analysed").await;
    store.close().await;
}

#[tokio::test]
async fn postgres_uses_indexes_even_if_told_that_all_tables_are_empty() {
    let url = postgres::shared().create_database().await;
    PgConnection::connect(&url)
        .await
        .unwrap()
        .execute("VACUUM ANALYZE")
        .await
        .unwrap();
    check_postgres(&url, "empty and analysed").await;
}

/// A plan that was made while the tables were empty still serves when they are large.
#[tokio::test]
async fn postgres_keeps_a_good_plan() {
    let url = postgres::shared().create_database().await;
    let mut connection = connect(&url).await;
    let statement = catalogue::ALL
        .iter()
        .find(|statement| statement.name == "record/get")
        .unwrap();
    let before = postgres_plan(&mut connection, 0, statement).await;
    let store = entente::store::open(&url).await.unwrap();
    load::fill(store.as_ref(), LARGE).await;
    let keys = "'{partnerships/large}', '{ticket}', '{00000002}'";
    let explain = format!(
        "EXPLAIN (ANALYZE, BUFFERS OFF, COSTS OFF, TIMING OFF, SUMMARY OFF) EXECUTE plan_0({keys})"
    );
    let rows = connection.fetch_all(AssertSqlSafe(explain)).await.unwrap();
    let after: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(indexes(&before), indexes(&after), "{after:#?}");
    assert!(
        !after.iter().any(|step| step.contains("Removed by")),
        "{after:#?}"
    );
    store.close().await;
}

fn path(statement: &Statement) -> Option<&'static Path> {
    PATHS.iter().find(|path| path.statement == statement.name)
}

async fn check_sqlite(url: &str, database: &str) {
    let mut connection = SqliteConnection::connect(url).await.unwrap();
    for statement in catalogue::ALL {
        let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", statement.sqlite));
        let rows = connection.fetch_all(explain).await.unwrap();
        let plan: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
        let tables: Vec<&str> = plan.iter().filter_map(|step| table_step(step)).collect();
        let expected = path(statement).map_or(&[][..], |path| path.sqlite);
        assert_eq!(
            tables, expected,
            "{}, {database}: {plan:#?}",
            statement.name
        );
        let sorts = plan.iter().any(|step| step.contains("TEMP B-TREE"));
        let sorts = sorts && statement.name != FOLLOWED;
        assert!(!sorts, "{} sorts, {database}: {plan:#?}", statement.name);
    }
    connection.close().await.unwrap();
}

/// The part of a step that says which table it reads and how; a scan is shown whole.
fn table_step(step: &str) -> Option<&str> {
    if let Some(table) = step.strip_prefix("SEARCH ") {
        return Some(table);
    }
    let harmless = step.contains("VIRTUAL TABLE") || step == "SCAN CONSTANT ROW";
    (step.starts_with("SCAN") && !harmless).then_some(step)
}

/// Connects with the settings that the store's connections have.
async fn connect(url: &str) -> PgConnection {
    let options: PgConnectOptions = url.parse().unwrap();
    options
        .options(entente::store::postgres::SESSION)
        .connect()
        .await
        .unwrap()
}

async fn check_postgres(url: &str, database: &str) {
    let mut connection = connect(url).await;
    for (number, statement) in catalogue::ALL.iter().enumerate() {
        let plan = postgres_plan(&mut connection, number, statement).await;
        let expected = path(statement).map_or(&[][..], |path| path.postgres);
        assert_eq!(
            indexes(&plan),
            expected,
            "{}, {database}: {plan:#?}",
            statement.name
        );
        let bad = |step: &String| {
            let node = node(step);
            // What an index does not answer: rows that are read and thrown away, or put in order.
            let wasteful = node.starts_with("Filter:")
                || node.starts_with("Join Filter:")
                || node.starts_with("Sort  (");
            node.starts_with("Seq Scan") || (wasteful && statement.name != FOLLOWED)
        };
        assert!(
            !plan.iter().any(bad),
            "{}, {database}: {plan:#?}",
            statement.name
        );
    }
    connection.close().await.unwrap();
}

/// A line of a plan without what draws the tree.
fn node(step: &str) -> &str {
    step.trim_start().trim_start_matches("->").trim_start()
}

/// The indexes that a plan reads.
fn indexes(plan: &[String]) -> Vec<&str> {
    plan.iter()
        .map(|step| node(step))
        .filter(|step| step.starts_with("Index") && step.contains(" using "))
        .filter_map(|step| step.split(" using ").nth(1)?.split(' ').next())
        .collect()
}

/// The plan that `PostgreSQL` makes for all arguments; some have to be given all the same, because it
/// drops the partitions that they rule out.
async fn postgres_plan(
    connection: &mut PgConnection,
    number: usize,
    statement: &Statement,
) -> Vec<String> {
    let text = AssertSqlSafe(statement.postgres.to_owned()).into_sql_str();
    let prepared = connection.prepare(text).await.unwrap();
    let parameters = prepared.parameters().unwrap().left().unwrap();
    let arguments: Vec<&str> = parameters
        .iter()
        .map(|kind| argument(kind.name()))
        .collect();
    let prepare = format!("PREPARE plan_{number} AS {}", statement.postgres);
    connection.execute(AssertSqlSafe(prepare)).await.unwrap();
    let arguments = if arguments.is_empty() {
        String::new()
    } else {
        format!("({})", arguments.join(", "))
    };
    let explain = format!("EXPLAIN EXECUTE plan_{number}{arguments}");
    let rows = connection.fetch_all(AssertSqlSafe(explain)).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

fn argument(kind: &str) -> &'static str {
    match kind {
        "TEXT" => "'partnerships/large'",
        "INT8" => "7",
        "BYTEA" => r"'\x00'",
        "TEXT[]" => "'{partnerships/large}'",
        "INT8[]" => "'{7}'",
        "BYTEA[]" => r"'{\\x00}'",
        other => panic!("an argument of type {other}"),
    }
}
