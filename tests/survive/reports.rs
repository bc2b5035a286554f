//! Views for reports: their columns stay, and mean the same on both engines.

use std::sync::Arc;

use entente::domain::identity::ScopeId;
use entente::domain::record::Kind;
use entente::domain::time::Span;
use entente::ledger::queue::Urgency;
use entente::store::{self, ListQuery};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};

use super::backup::furnished;
use crate::support::clocks::ManualClock;
use crate::support::postgres;
use crate::support::workload::{Planner, START};

/// Commands tried before reports are looked at.
const COMMANDS: usize = 700;

/// A view and its columns, as they were released: columns may be added at the end of a view that was not
/// released yet, and of no other.
const VIEWS: [(&str, Kind, &[&str]); 3] = [
    (
        "report_tickets_v1",
        Kind::Ticket,
        &[
            "partnership_id",
            "ticket_id",
            "reporter_firm_id",
            "external_system",
            "external_id",
            "agreement_id",
            "agreement_revision",
            "state",
            "stage",
            "facts_count",
            "levels_reached_count",
            "create_time",
            "update_time",
        ],
    ),
    (
        "report_expectations_v1",
        Kind::Expectation,
        &[
            "partnership_id",
            "expectation_id",
            "requester_party_id",
            "obligor_party_id",
            "client_id",
            "agreement_id",
            "state",
            "offers_count",
            "agreements_count",
            "fulfilments_count",
            "create_time",
            "update_time",
        ],
    ),
    (
        "report_quotes_v1",
        Kind::JointQuote,
        &[
            "partnership_id",
            "quote_id",
            "display_name",
            "client_id",
            "currency_code",
            "state",
            "portions_count",
            "revisions_count",
            "expire_time",
            "create_time",
            "update_time",
        ],
    ),
];

/// Works on a database one command after the other; how many records of each view's kind there are then.
async fn worked_on(url: &str) -> Vec<usize> {
    let clock = ManualClock::new(START);
    let (ledger, writer) = furnished(url, Arc::new(clock.clone())).await;
    let store = Arc::clone(ledger.store());
    let mut planner = Planner::new(7, 1_000);
    for _ in 0..COMMANDS {
        let recipe = planner.next(store.as_ref(), ledger.clock().now()).await;
        let _ = ledger
            .submit(recipe.command(), None, Urgency::Interactive)
            .await;
        clock.advance(Span::from_seconds(30));
    }
    ledger.close();
    writer.await.unwrap();
    let heads = store.list_heads("", 100).await.unwrap();
    let mut counts = Vec::new();
    for (_, kind, _) in VIEWS {
        let mut count = 0;
        for head in &heads {
            count += records(store.as_ref(), &head.scope, kind).await;
        }
        counts.push(count);
    }
    store.close().await;
    counts
}

async fn records(store: &dyn store::Store, scope: &ScopeId, kind: Kind) -> usize {
    let query = ListQuery {
        scope: scope.clone(),
        kind,
        state: None,
        after_id: String::new(),
        limit: 1_000,
    };
    store.list_records(&query).await.unwrap().len()
}

fn sorted(texts: &[String]) -> Vec<Value> {
    let mut rows: Vec<Value> = texts
        .iter()
        .map(|text| serde_json::from_str(text).unwrap())
        .collect();
    rows.sort_by_key(ToString::to_string);
    rows
}

/// All rows of a view as objects, and its columns in their order.
async fn on_sqlite(url: &str, view: &str) -> (Vec<Value>, Vec<String>) {
    let mut connection = SqliteConnection::connect(url).await.unwrap();
    let columns = format!("SELECT name FROM pragma_table_info('{view}') ORDER BY cid");
    let columns: Vec<String> = sqlx::query_scalar(AssertSqlSafe(columns))
        .fetch_all(&mut connection)
        .await
        .unwrap();
    let pairs: Vec<String> = columns
        .iter()
        .map(|name| format!("'{name}', {name}"))
        .collect();
    let rows = format!("SELECT json_object({}) FROM {view}", pairs.join(", "));
    let rows = sqlx::query_scalar(AssertSqlSafe(rows)).fetch_all(&mut connection);
    let rows: Vec<String> = rows.await.unwrap();
    let rows = sorted(&rows);
    connection.close().await.unwrap();
    (rows, columns)
}

async fn on_postgres(url: &str, view: &str) -> (Vec<Value>, Vec<String>) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let columns = format!(
        "SELECT attname::text FROM pg_attribute WHERE attrelid = '{view}'::regclass AND attnum > 0 \
         ORDER BY attnum"
    );
    let columns = sqlx::query_scalar(AssertSqlSafe(columns)).fetch_all(&mut connection);
    let columns = columns.await.unwrap();
    let rows = format!("SELECT row_to_json({view})::text FROM {view}");
    let rows = sqlx::query_scalar(AssertSqlSafe(rows)).fetch_all(&mut connection);
    let rows: Vec<String> = rows.await.unwrap();
    let rows = sorted(&rows);
    connection.close().await.unwrap();
    (rows, columns)
}

#[tokio::test]
async fn columns_stay_and_mean_the_same_on_both_engines() {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = store::url_of(&folder.path().join("reports.db"));
    let postgres = postgres::shared().create_database().await;
    let counts = worked_on(&sqlite).await;
    assert_eq!(counts, worked_on(&postgres).await);
    let papers = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reports.md");
    let papers = std::fs::read_to_string(papers).unwrap();
    for ((view, _, columns), count) in VIEWS.into_iter().zip(counts) {
        let (rows, listed) = on_sqlite(&sqlite, view).await;
        let (others, listed_there) = on_postgres(&postgres, view).await;
        assert_eq!(listed, columns, "{view}");
        assert_eq!(listed_there, columns, "{view}");
        assert!(count > 0, "no record for {view}");
        assert_eq!(rows.len(), count, "{view}");
        assert_eq!(rows, others, "{view}");
        for row in &rows {
            let state = row["state"].as_str();
            assert!(state.is_some_and(|state| !state.is_empty()), "{row}");
            assert!(
                row["create_time"].as_str().unwrap().starts_with("2026-03-"),
                "{row}"
            );
        }
        assert!(papers.contains(&format!("`{view}`")), "{view}");
        for column in columns {
            assert!(papers.contains(&format!("`{column}`")), "{view}: {column}");
        }
    }
}
