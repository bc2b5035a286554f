//! Both engines mean the same: the same statements with the same arguments and answers, and the same
//! tables, columns, keys, checks and indexes.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

#[path = "support/postgres.rs"]
mod postgres;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use entente::store::catalogue;
use sqlx::{
    AssertSqlSafe, Column, Connection, Executor, PgConnection, Row, SqlSafeStr, SqliteConnection,
    Statement, TypeInfo,
};

/// Statements whose text differs between the engines, and why:
/// batches come as arrays on one engine and as JSON on the other; `PostgreSQL` locks rows.
const OVERRIDES: &[&str] = &[
    "credential/get",
    "credential/put",
    "head/create",
    "head/get",
    "head/lock",
    "head/lock_free",
    "head/put",
    "journal/append",
    "journal/get_hash",
    "journal/list_of_record",
    "record/get",
    "record/put",
    "reference/get",
    "reference/list_of_records",
    "reference/put",
    "request/get",
    "request/purge",
    "request/put",
    "sealed/erase",
    "sealed/get",
    "sealed/put",
    "service/time",
    "subscription/put",
    "zone/get",
    "zone/put",
];

/// How many statements there are.
const STATEMENTS: usize = 45;

/// What only one engine has: `SQLite` knows no TRUNCATE.
const POSTGRES_ONLY_TRIGGERS: &[&str] = &["journal_refuse_truncate"];

fn project(folder: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)
}

async fn sqlite() -> (SqliteConnection, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/parity.db", folder.path().display());
    entente::store::migrate(&url).await.unwrap();
    (SqliteConnection::connect(&url).await.unwrap(), folder)
}

async fn postgres() -> PgConnection {
    PgConnection::connect(&postgres::shared().create_database().await)
        .await
        .unwrap()
}

#[test]
fn statements_with_two_texts_are_listed() {
    let different: Vec<&str> = catalogue::ALL
        .iter()
        .filter(|statement| statement.sqlite != statement.postgres)
        .map(|statement| statement.name)
        .collect();
    let different: BTreeSet<&str> = different.into_iter().collect();
    assert_eq!(different, OVERRIDES.iter().copied().collect());
    let names: BTreeSet<&str> = catalogue::ALL
        .iter()
        .map(|statement| statement.name)
        .collect();
    assert_eq!(
        (names.len(), catalogue::ALL.len()),
        (STATEMENTS, STATEMENTS)
    );
}

#[test]
fn every_file_is_a_statement() {
    let texts: BTreeSet<&str> = catalogue::ALL
        .iter()
        .flat_map(|statement| [statement.sqlite, statement.postgres])
        .collect();
    let mut files = 0;
    for table in std::fs::read_dir(project("src/store/sql")).unwrap() {
        for file in std::fs::read_dir(table.unwrap().path()).unwrap() {
            let file = file.unwrap().path();
            let text = std::fs::read_to_string(&file).unwrap();
            assert!(
                texts.contains(text.as_str()),
                "{} is not in the catalogue",
                file.display()
            );
            assert!(
                text.starts_with("-- "),
                "{} says what it does",
                file.display()
            );
            files += 1;
        }
    }
    assert_eq!(files, texts.len());
}

#[tokio::test]
async fn every_migration_is_part_of_the_program() {
    let names = |folder: &str| -> BTreeSet<String> {
        let files = std::fs::read_dir(project(folder)).unwrap();
        files
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect()
    };
    let files = names("migrations/sqlite");
    assert_eq!(files, names("migrations/postgres"));
    let (mut connection, _folder) = sqlite().await;
    let query = "SELECT version, description FROM _sqlx_migrations ORDER BY version";
    let rows = connection.fetch_all(query).await.unwrap();
    let applied: BTreeSet<String> = rows
        .iter()
        .map(|row| {
            format!(
                "{:04}_{}.sql",
                row.get::<i64, _>(0),
                row.get::<String, _>(1).replace(' ', "_")
            )
        })
        .collect();
    assert_eq!(applied, files);
}

/// What a statement takes and gives, as far as both engines can say.
#[derive(Debug, PartialEq, Eq)]
struct Interface {
    /// Whether it takes a batch, and how many arguments beside it.
    batch: bool,
    scalars: usize,
    /// Names and types of its columns.
    columns: Vec<(String, String)>,
}

#[tokio::test]
async fn statements_take_and_give_the_same() {
    let (mut sqlite, _folder) = sqlite().await;
    let mut postgres = postgres().await;
    for statement in catalogue::ALL {
        let here = sqlite_interface(&mut sqlite, statement.sqlite).await;
        let mut there = postgres_interface(&mut postgres, statement.postgres).await;
        if ["service/ping", "service/time"].contains(&statement.name) {
            // A column that is of no table has no type in SQLite.
            "NULL".clone_into(&mut there.columns[0].1);
        }
        assert_eq!(here, there, "{}", statement.name);
    }
}

async fn sqlite_interface(connection: &mut SqliteConnection, text: &'static str) -> Interface {
    let prepared = connection.prepare(text.into_sql_str()).await.unwrap();
    let parameters = prepared.parameters().unwrap().right().unwrap();
    let batch = text.contains("jsonb_each($1)");
    let columns = prepared.columns().iter();
    let columns = columns.map(|column| {
        (
            column.name().to_owned(),
            column.type_info().name().to_owned(),
        )
    });
    Interface {
        batch,
        scalars: parameters - usize::from(batch),
        columns: columns.collect(),
    }
}

async fn postgres_interface(connection: &mut PgConnection, text: &'static str) -> Interface {
    let prepared = connection.prepare(text.into_sql_str()).await.unwrap();
    let parameters = prepared.parameters().unwrap().left().unwrap();
    let arrays = parameters
        .iter()
        .filter(|kind| kind.name().ends_with("[]"))
        .count();
    let first_are_arrays = parameters[..arrays]
        .iter()
        .all(|kind| kind.name().ends_with("[]"));
    assert!(first_are_arrays, "a batch comes first: {text}");
    let columns = prepared.columns().iter();
    let columns = columns.map(|column| {
        (
            column.name().to_owned(),
            logical_type(column.type_info().name()),
        )
    });
    Interface {
        batch: arrays > 0,
        scalars: parameters.len() - arrays,
        columns: columns.collect(),
    }
}

fn logical_type(postgres: &str) -> String {
    match postgres.to_ascii_uppercase().as_str() {
        "TEXT" => "TEXT",
        "INT8" | "BIGINT" => "INTEGER",
        "BYTEA" => "BLOB",
        other => panic!("a column of type {other}"),
    }
    .to_owned()
}

/// A table in words that fit both engines.
#[derive(Debug, Default, PartialEq, Eq)]
struct Table {
    /// Name, type, and whether NULL is allowed, in order.
    columns: Vec<(String, String, bool)>,
    /// Name and columns of the primary key.
    key: (String, Vec<String>),
    /// Conditions by name.
    checks: BTreeMap<String, String>,
    /// Columns, whether unique, and the condition of each further index.
    indexes: BTreeMap<String, (Vec<String>, bool, String)>,
    triggers: BTreeSet<String>,
}

#[tokio::test]
async fn schemas_are_the_same() {
    let (mut sqlite, _folder) = sqlite().await;
    let here = sqlite_schema(&mut sqlite).await;
    let there = postgres_schema(&mut postgres().await).await;
    assert_eq!(
        here.keys().collect::<Vec<_>>(),
        there.keys().collect::<Vec<_>>()
    );
    assert!(here.len() >= 9);
    for (name, mut table) in here {
        if name == "journal" {
            table.triggers.extend(
                POSTGRES_ONLY_TRIGGERS
                    .iter()
                    .map(|trigger| (*trigger).to_owned()),
            );
        }
        assert!(
            !table.columns.is_empty() && !table.checks.is_empty(),
            "{name}"
        );
        assert_eq!(table, there[&name], "{name}");
    }
}

/// A condition without what the engines write differently.
fn condition(text: &str) -> String {
    let text: String = text
        .chars()
        .filter(|letter| !letter.is_whitespace() && !"()".contains(*letter))
        .collect();
    let text = text.replace("::text", "").replace("''", "EMPTY");
    let text = text.strip_prefix("CHECK").unwrap_or(&text);
    match text.strip_suffix("::jsonISNOTNULL") {
        Some(column) => format!("json_valid{column}"),
        None => text.to_owned(),
    }
}

async fn sqlite_rows(
    connection: &mut SqliteConnection,
    query: String,
) -> Vec<sqlx::sqlite::SqliteRow> {
    connection.fetch_all(AssertSqlSafe(query)).await.unwrap()
}

async fn sqlite_schema(connection: &mut SqliteConnection) -> BTreeMap<String, Table> {
    let query = "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE '\\_%' ESCAPE '\\' \
                 AND name NOT LIKE 'sqlite%'";
    let mut schema = BTreeMap::new();
    for row in sqlite_rows(connection, query.to_owned()).await {
        let name: String = row.get(0);
        let mut table = Table::default();
        sqlite_columns(connection, &name, &mut table).await;
        sqlite_constraints(row.get(1), &mut table);
        sqlite_indexes(connection, &name, &mut table).await;
        let query = format!(
            "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = '{name}'"
        );
        let triggers = sqlite_rows(connection, query).await;
        table.triggers = triggers.iter().map(|row| row.get(0)).collect();
        let query = format!("SELECT strict FROM pragma_table_list('{name}')");
        assert_eq!(
            sqlite_rows(connection, query).await[0].get::<i64, _>(0),
            1,
            "{name} is STRICT"
        );
        schema.insert(name, table);
    }
    schema
}

async fn sqlite_columns(connection: &mut SqliteConnection, name: &str, table: &mut Table) {
    let query = format!(
        r#"SELECT name, type, "notnull", pk FROM pragma_table_xinfo('{name}') ORDER BY cid"#
    );
    let mut key: Vec<(i64, String)> = Vec::new();
    for row in sqlite_rows(connection, query).await {
        let column: String = row.get(0);
        let position: i64 = row.get(3);
        if position > 0 {
            key.push((position, column.clone()));
        }
        table
            .columns
            .push((column, row.get(1), row.get::<i64, _>(2) == 0));
    }
    key.sort();
    table.key.1 = key.into_iter().map(|(_, column)| column).collect();
}

/// Reads the named constraints from a table's own text, one a line.
fn sqlite_constraints(text: &str, table: &mut Table) {
    for line in text.lines() {
        let Some(constraint) = line.trim().strip_prefix("CONSTRAINT ") else {
            continue;
        };
        let (name, rest) = constraint.trim_end_matches(',').split_once(' ').unwrap();
        if rest.starts_with("CHECK") {
            table.checks.insert(name.to_owned(), condition(rest));
        } else {
            assert!(rest.starts_with("PRIMARY KEY"), "{line}");
            name.clone_into(&mut table.key.0);
        }
    }
}

async fn sqlite_indexes(connection: &mut SqliteConnection, name: &str, table: &mut Table) {
    let query = format!(
        "SELECT list.name, list.\"unique\", coalesce(schema.sql, '') \
         FROM pragma_index_list('{name}') AS list JOIN sqlite_schema AS schema ON schema.name = list.name \
         WHERE list.origin = 'c'"
    );
    for row in sqlite_rows(connection, query).await {
        let index: String = row.get(0);
        let query = format!("SELECT name FROM pragma_index_info('{index}') ORDER BY seqno");
        let columns = sqlite_rows(connection, query)
            .await
            .iter()
            .map(|row| row.get(0))
            .collect();
        let text: String = row.get(2);
        let predicate = text
            .split_once(" WHERE ")
            .map_or(String::new(), |(_, predicate)| condition(predicate));
        table
            .indexes
            .insert(index, (columns, row.get::<i64, _>(1) == 1, predicate));
    }
}

async fn postgres_schema(connection: &mut PgConnection) -> BTreeMap<String, Table> {
    let query = "SELECT relname::text, oid::bigint FROM pg_class \
                 WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') \
                 AND NOT relispartition AND relname <> '_sqlx_migrations'";
    let mut schema = BTreeMap::new();
    for row in connection.fetch_all(query).await.unwrap() {
        let table = postgres_table(connection, row.get(1)).await;
        schema.insert(row.get(0), table);
    }
    schema
}

async fn postgres_table(connection: &mut PgConnection, table: i64) -> Table {
    let columns = "SELECT attname::text, format_type(atttypid, NULL), NOT attnotnull FROM pg_attribute \
                   WHERE attrelid = $1::oid AND attnum > 0 AND NOT attisdropped ORDER BY attnum";
    let checks = "SELECT conname::text, pg_get_constraintdef(oid) FROM pg_constraint \
                  WHERE conrelid = $1::oid AND contype = 'c'";
    let triggers =
        "SELECT tgname::text FROM pg_trigger WHERE tgrelid = $1::oid AND NOT tgisinternal";
    let mut found = Table::default();
    for row in postgres_rows(connection, columns, table).await {
        found
            .columns
            .push((row.get(0), logical_type(row.get(1)), row.get(2)));
    }
    for row in postgres_rows(connection, checks, table).await {
        found.checks.insert(row.get(0), condition(row.get(1)));
    }
    for row in postgres_rows(connection, triggers, table).await {
        found.triggers.insert(row.get(0));
    }
    let indexes = "SELECT class.relname::text, indisunique, indisprimary, \
                   coalesce(pg_get_expr(indpred, indrelid), ''), \
                   array(SELECT pg_get_indexdef(indexrelid, position, true) \
                         FROM generate_series(1, indnkeyatts::int) AS position ORDER BY position) \
                   FROM pg_index JOIN pg_class AS class ON class.oid = indexrelid WHERE indrelid = $1::oid";
    for row in postgres_rows(connection, indexes, table).await {
        let (name, columns): (String, Vec<String>) = (row.get(0), row.get(4));
        if row.get(2) {
            found.key = (name, columns);
        } else {
            found
                .indexes
                .insert(name, (columns, row.get(1), condition(row.get(3))));
        }
    }
    found
}

async fn postgres_rows(
    connection: &mut PgConnection,
    query: &'static str,
    table: i64,
) -> Vec<sqlx::postgres::PgRow> {
    sqlx::query(query)
        .bind(table)
        .fetch_all(connection)
        .await
        .unwrap()
}

/// What is indexed compares bytewise, whatever the database's own collation is.
#[tokio::test]
async fn indexed_text_compares_bytewise() {
    let mut connection = postgres().await;
    let query = "SELECT class.relname || ' ' || pg_get_indexdef(indexrelid, position, true) \
                 FROM pg_index JOIN pg_class AS class ON class.oid = indexrelid \
                 CROSS JOIN LATERAL generate_series(1, indnkeyatts::int) AS position \
                 WHERE class.relnamespace = 'public'::regnamespace AND indcollation[position - 1] <> 0 \
                 AND indcollation[position - 1] <> (SELECT oid FROM pg_collation WHERE collname = 'C')";
    let rows = connection.fetch_all(query).await.unwrap();
    let others: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(others, [] as [&str; 0]);
}
