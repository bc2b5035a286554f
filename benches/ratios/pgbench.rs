//! The peer on PostgreSQL: pgbench runs the statements of one ticket event, one transaction each,
//! with 32 clients, on a database of the same cluster filled with rows of the same sizes.

use std::fmt::Write;
use std::process::Command;
use std::time::Duration;

use entente::store::catalogue::{
    HEAD_LOCK, HEAD_PUT, JOURNAL_APPEND, RECORD_GET, RECORD_PUT, REFERENCE_GET, Statement,
};
use sqlx::{Connection, PgConnection, Row, raw_sql};

use crate::support::postgres::Cluster;
use crate::world::{PARTNERSHIPS, TICKETS, World};

/// Clients of pgbench.
const CLIENTS: &str = "32";

/// A filled database and the script that runs on it.
pub struct Pgbench<'cluster> {
    cluster: &'cluster Cluster,
    database: String,
    script: tempfile::NamedTempFile,
}

/// Sizes of what one event writes, taken from the database that our ledger filled.
struct Sizes {
    ticket: i64,
    partnership: i64,
    payload: i64,
}

impl<'cluster> Pgbench<'cluster> {
    /// Fills a database of its own with rows of the sizes found in `world`'s.
    pub async fn prepare(cluster: &'cluster Cluster, world: &World) -> Self {
        let ours = cluster.database_url("test_0");
        let mut connection = PgConnection::connect(&ours).await.expect("our database");
        let sizes = sizes(&mut connection).await;
        let url = cluster.create_database().await;
        let database = url.rsplit('/').next().unwrap_or_default().to_owned();
        let mut connection = PgConnection::connect(&url)
            .await
            .expect("the peer's database");
        raw_sql(sqlx::AssertSqlSafe(filling(&sizes)))
            .execute(&mut connection)
            .await
            .expect("rows for the peer");
        raw_sql("ANALYZE")
            .execute(&mut connection)
            .await
            .expect("statistics");
        let script = tempfile::NamedTempFile::new().expect("a script file");
        std::fs::write(script.path(), script_of(&sizes)).expect("the script");
        assert!(!world.partnerships.is_empty());
        Self {
            cluster,
            database,
            script,
        }
    }

    /// Transactions per second over `length`.
    pub fn per_second(&self, length: Duration) -> f64 {
        let (socket, role) = self.cluster.socket();
        let beside = self.cluster.programs().join("pgbench");
        let output = Command::new(if beside.exists() {
            beside.as_path()
        } else {
            "pgbench".as_ref()
        })
        .args([
            "--no-vacuum",
            "--protocol=prepared",
            "--jobs=2",
            "--client",
            CLIENTS,
        ])
        .args(["--time", &length.as_secs().max(1).to_string()])
        .arg("--file")
        .arg(self.script.path())
        .arg("--host")
        .arg(socket)
        .args(["--username", role, &self.database])
        .output()
        .expect("pgbench starts");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success(),
            "pgbench failed: {text}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("tps = "))
            .expect("pgbench says tps");
        line.split(' ')
            .next()
            .and_then(|number| number.parse().ok())
            .expect("a number")
    }
}

async fn sizes(connection: &mut PgConnection) -> Sizes {
    let statement = "SELECT
        (SELECT avg(octet_length(body))::bigint FROM record WHERE kind = 'ticket'),
        (SELECT avg(octet_length(body))::bigint FROM record WHERE kind = 'partnership'),
        (SELECT avg(octet_length(payload))::bigint FROM journal WHERE event_type = 'ticket.event_recorded')";
    let row = raw_sql(statement)
        .fetch_one(connection)
        .await
        .expect("sizes");
    // A ticket grows while it is measured: seven events more, as in the middle of a run.
    let payload: i64 = row.get(2);
    Sizes {
        ticket: row.get::<i64, _>(0) + 7 * payload,
        partnership: row.get(1),
        payload,
    }
}

/// A JSON string of about `bytes` bytes, as a SQL expression.
fn body(bytes: i64) -> String {
    format!("('\"' || repeat('x', {bytes}) || '\"')")
}

fn filling(sizes: &Sizes) -> String {
    format!(
        "INSERT INTO head SELECT 'partnerships/p' || p, 0, decode(repeat('00', 32), 'hex'), 0 FROM generate_series(0, {last_partnership}) p;
        INSERT INTO record (scope_id, kind, id, revision, sequence, state, due_at, created_at, updated_at, body_version, body)
        SELECT 'partnerships/p' || p, kind, kind, 1, 1, '', NULL, 0, 0, 1, {partnership}
        FROM generate_series(0, {last_partnership}) p, (VALUES ('partnership'), ('agreement'), ('status_map')) kinds (kind);
        INSERT INTO record (scope_id, kind, id, revision, sequence, state, due_at, created_at, updated_at, body_version, body)
        SELECT 'partnerships/p' || t % {PARTNERSHIPS}, 'ticket', 'ticket-' || t, 1, 1, 'open', 1, 0, 0, 1, {ticket}
        FROM generate_series(0, {last_ticket}) t;
        INSERT INTO reference (scope_id, firm_id, system, instance, reference_type, external_id, kind, record_id)
        SELECT 'partnerships/p' || t % {PARTNERSHIPS}, 'bench', 'bench', '', 'ticket', 'T' || t, 'ticket', 'ticket-' || t
        FROM generate_series(0, {last_ticket}) t;
        INSERT INTO reference (scope_id, firm_id, system, instance, reference_type, external_id, kind, record_id)
        SELECT 'partnerships/p' || p, 'bench', 'bench', '', 'entente-status-map', 'map', 'status_map', 'status_map'
        FROM generate_series(0, {last_partnership}) p;
        CREATE SEQUENCE bench_event;",
        last_partnership = PARTNERSHIPS - 1,
        last_ticket = TICKETS - 1,
        partnership = body(sizes.partnership),
        ticket = body(sizes.ticket),
    )
}

/// The statements of one event on a ticket that exists, as our ledger runs them for a batch of one.
fn script_of(sizes: &Sizes) -> String {
    let mut script = format!("\\set t random(0, {})\nBEGIN;\n", TICKETS - 1);
    let _ = writeln!(script, "{} \\gset", filled(&HEAD_LOCK, &[one(SCOPE)]));
    for (statement, arguments) in reads().into_iter().chain(writes(sizes)) {
        let _ = writeln!(script, "{};", filled(statement, &arguments));
    }
    script.push_str("COMMIT;\n");
    script
}

/// The partnership of the ticket that was drawn.
const SCOPE: &str = "('partnerships/p' || (:t % 64)::text)";
/// The ticket that was drawn.
const TICKET: &str = "('ticket-' || :t::text)";
/// Any hash.
const HASH: &str = "decode(repeat('ab', 32), 'hex')";

fn one(expression: &str) -> String {
    format!("ARRAY[{expression}]")
}

fn two(first: &str, second: &str) -> String {
    format!("ARRAY[{first}, {second}]")
}

fn text(value: &str) -> String {
    format!("'{value}'::text")
}

fn reads() -> Vec<(&'static Statement, Vec<String>)> {
    let bench = two(&text("bench"), &text("bench"));
    let references = vec![
        two(SCOPE, SCOPE),
        bench.clone(),
        bench,
        two(&text(""), &text("")),
        two(&text("ticket"), &text("entente-status-map")),
        two("('T' || :t::text)", &text("map")),
    ];
    let partnership = text("partnership");
    let agreement = text("agreement");
    vec![
        (&REFERENCE_GET, references),
        (
            &RECORD_GET,
            vec![one(SCOPE), one(&partnership), one(&partnership)],
        ),
        (
            &RECORD_GET,
            vec![one(SCOPE), one(&agreement), one(&agreement)],
        ),
    ]
}

fn writes(sizes: &Sizes) -> Vec<(&'static Statement, Vec<String>)> {
    let number = |value: &str| one(&format!("({value})::bigint"));
    let words = |value: &str| one(&text(value));
    let mut entry = vec![one(SCOPE), number(":sequence + 1"), number("1")];
    entry.extend(["bench", "bench", "", "ticket"].map(words));
    entry.extend([one(TICKET), words("ticket.event_recorded"), number("1")]);
    entry.push(one(&format!("convert_to({}, 'UTF8')", body(sizes.payload))));
    entry.extend([one(HASH), one(HASH), number("NULLIF(:sequence, 0)")]);
    let mut record = vec![
        one(SCOPE),
        words("ticket"),
        one(TICKET),
        number(":sequence + 2"),
        number(":sequence + 1"),
        words("open"),
    ];
    record.extend(["1", "1", "1", "1"].map(number));
    record.push(one(&body(sizes.ticket)));
    vec![
        (
            &HEAD_PUT,
            vec![one(SCOPE), number(":sequence + 1"), one(HASH), number("1")],
        ),
        (&JOURNAL_APPEND, entry),
        (&RECORD_PUT, record),
    ]
}

/// A statement on one line with its parameters written out.
fn filled(statement: &Statement, arguments: &[String]) -> String {
    let mut text: String = statement
        .postgres
        .lines()
        .map(|line| line.split("--").next().unwrap_or_default().trim())
        .collect::<Vec<_>>()
        .join(" ");
    for (index, argument) in arguments.iter().enumerate().rev() {
        text = text.replace(&format!("${}", index + 1), argument);
    }
    text
}
