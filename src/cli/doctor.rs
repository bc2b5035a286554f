//! `entente doctor`.

use std::future::Future;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

use super::{CliError, Database, Output};
use crate::ledger::doctor::{self, Finding, Health};
use crate::ledger::{Clock as _, Randomness as _, formats};
use crate::server::environment::{SystemClock, SystemRandomness};
use crate::store::{Store, StoreError};

/// How long one look may take; a database that hangs is one that is not well.
const LOOK_MAX: Duration = Duration::from_secs(15);
/// Exit code when something is not as it should be.
const EXIT_BAD: u8 = 2;

/// Look whether a database is well: reachable, of this version, its clock, keys that stop working soon,
/// timers that are late, and the ends of some journals.
///
/// Exit code 0 if nothing is bad (warnings included), 2 if something is. It only reads, and may be run
/// at any time; `entente verify` looks at everything and takes longer.
#[derive(Debug, clap::Args)]
pub struct Doctor {
    #[command(flatten)]
    database: Database,
    /// How many journals are looked at.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    scopes: u16,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

/// What was found, as it is printed.
#[derive(Debug, Serialize)]
struct Findings {
    /// The worst of them.
    health: Health,
    /// Each look.
    findings: Vec<Finding>,
}

/// The result of one look that may take only so long.
async fn look<T>(work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    let late = |_| StoreError::Unavailable(format!("no answer within {} s", LOOK_MAX.as_secs()));
    tokio::time::timeout(LOOK_MAX, work).await.map_err(late)?
}

impl Doctor {
    /// # Errors
    /// If the findings cannot be printed.
    pub async fn run(self) -> Result<ExitCode, CliError> {
        let findings = self.examine().await;
        let health = findings.iter().map(|finding| finding.health).max();
        let findings = Findings {
            health: health.unwrap_or(Health::Unknown),
            findings,
        };
        match self.output {
            Output::Json => println!("{}", serde_json::to_string(&findings)?),
            Output::Text => print!("{}", table(&findings)),
        }
        Ok(match findings.health {
            Health::Good | Health::Warning => ExitCode::SUCCESS,
            Health::Bad | Health::Unknown => ExitCode::from(EXIT_BAD),
        })
    }

    async fn examine(&self) -> Vec<Finding> {
        let store = match look(self.database.open()).await {
            Ok(store) => store,
            Err(error) => return not_opened(&error),
        };
        let engine = store.engine();
        let mut findings = vec![
            Finding::new("database", Health::Good, format!("{engine} answers")),
            Finding::new("schema", Health::Good, "as this program has it"),
        ];
        findings.push(match look(formats::active(store.as_ref())).await {
            Ok(active) => doctor::format(active),
            Err(error) => Finding::failed("format", &error),
        });
        findings.push(self.clock(&store).await);
        findings.extend(self.contents(&store).await);
        // A database that hangs must not keep us.
        let _ = tokio::time::timeout(LOOK_MAX, store.close()).await;
        findings
    }

    async fn clock(&self, store: &Arc<dyn Store>) -> Finding {
        let before = SystemClock.now();
        match look(store.time()).await {
            Ok(there) => doctor::clock(before, there, SystemClock.now()),
            Err(error) => Finding::failed("clock", &error),
        }
    }

    async fn contents(&self, store: &Arc<dyn Store>) -> Vec<Finding> {
        let now = SystemClock.now();
        let mut random = [0; size_of::<u32>()];
        SystemRandomness.fill(&mut random);
        let beginning = usize::try_from(u32::from_be_bytes(random)).unwrap_or_default();
        let store = store.as_ref();
        let found = |check, look: Result<Finding, StoreError>| {
            look.unwrap_or_else(|error| Finding::failed(check, &error))
        };
        let due = found("timers", look(doctor::due(store, now)).await);
        let heads = match look(doctor::heads(store)).await {
            Ok(heads) => heads,
            Err(error) => return vec![due, Finding::failed("chains", &error)],
        };
        let keys = found("keys", look(doctor::keys(store, &heads, now)).await);
        let chains = doctor::chains(store, &heads, self.scopes.into(), beginning);
        let chains = found("chains", look(chains).await);
        vec![due, keys, chains]
    }
}

/// What can be said of a database that could not be opened.
fn not_opened(error: &StoreError) -> Vec<Finding> {
    let schema = matches!(error, StoreError::Schema(_));
    let mut findings = if schema {
        vec![Finding::failed("schema", error)]
    } else {
        vec![
            Finding::failed("database", error),
            Finding::new("schema", Health::Unknown, "not looked at"),
        ]
    };
    for check in ["format", "clock", "timers", "keys", "chains"] {
        findings.push(Finding::new(check, Health::Unknown, "not looked at"));
    }
    findings
}

fn table(findings: &Findings) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Disabled);
    for finding in &findings.findings {
        table.add_row([finding.check, word(finding.health), finding.seen.as_str()]);
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim().to_owned()).collect();
    format!("{}\n{}\n", lines.join("\n"), word(findings.health))
}

const fn word(health: Health) -> &'static str {
    match health {
        Health::Good => "good",
        Health::Unknown => "unknown",
        Health::Warning => "WARNING",
        Health::Bad => "BAD",
    }
}
