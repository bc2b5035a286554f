//! `entente import`: tickets of another system, fed through the public gRPC API.
//!
//! An import is a client like any other: it finds or makes what it needs ([`setup`]), reads the
//! file ([`rows`]), sends what happened as history ([`feed`]), and shows what came of it
//! ([`report`]). Every event has an id that follows from the file, so importing a file again, after
//! a crash or by mistake, changes nothing.
#![expect(clippy::doc_markdown, reason = "ServiceNow is a name, not code")]

pub mod feed;
pub mod report;
pub mod rows;
pub mod setup;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use serde::Serialize;

use super::client::{Connection, RequestIds, ServerArguments, connect, failed, retry};
use super::{CliError, Output};
use crate::proto::v1;
use crate::server::environment::SystemRandomness;
use rows::RejectedRow;

/// How many records to ask for in one page.
const PAGE_SIZE: i32 = 500;

/// Feed tickets from another system through the gRPC API.
#[derive(Debug, clap::Args)]
pub struct Import {
    #[command(subcommand)]
    source: Source,
}

#[derive(Debug, Subcommand)]
enum Source {
    /// Read a ServiceNow incident audit export: CSV, one row for each update of an incident.
    #[command(name = "servicenow")]
    ServiceNow(ServiceNow),
}

#[derive(Debug, clap::Args)]
struct ServiceNow {
    /// The export. Needed columns, in any order: number, incident_state, sys_mod_count, opened_at,
    /// sys_updated_at, priority. Times are day-month-year hour:minute in UTC; `?` means missing.
    file: PathBuf,
    #[command(flatten)]
    server: ServerArguments,
    /// Which ServiceNow it comes from, if there are several; each has a partnership of its own.
    #[arg(long, default_value = "", hide_default_value = true)]
    instance: String,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

impl Import {
    /// # Errors
    /// If the file cannot be read, or the server cannot be reached or refuses what an import needs.
    pub async fn run(self) -> Result<ExitCode, CliError> {
        let Source::ServiceNow(import) = self.source;
        import.run().await
    }
}

impl ServiceNow {
    async fn run(self) -> Result<ExitCode, CliError> {
        let shown = self.file.display();
        let file =
            File::open(&self.file).map_err(|error| format!("cannot open {shown}: {error}"))?;
        let request_ids = RequestIds::random(&SystemRandomness);
        let connection = connect(&self.server.server, &self.server.api_key, request_ids).await?;
        let options = Options {
            instance: self.instance,
        };
        let progress = report::Terminal::new(self.output);
        let summary = import_servicenow(&connection, file, &options, &progress).await?;
        progress.finish();
        match self.output {
            Output::Json => {
                println!("{}", serde_json::to_string(&summary)?);
                for unmapped in &summary.unmapped {
                    eprintln!("{unmapped}");
                }
            }
            Output::Text => println!("{}", report::text(&summary)),
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// What an import can be told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Which installation of the system the file comes from: at most 128 bytes; may be empty.
    pub instance: String,
}

/// Hears how an import goes on.
pub trait Progress: Send + Sync {
    /// The file has been read; so many rows will be sent.
    fn begin(&self, rows: u64);
    /// So many more rows were answered.
    fn advance(&self, rows: u64);
    /// A row was left out.
    fn reject(&self, row: &RejectedRow);
}

/// What came of an import.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Incidents of which at least one row is in, now or from before.
    pub incidents: u64,
    /// Rows that became part of a ticket.
    pub events_applied: u64,
    /// Rows that were in already, from an earlier import or from an equal row before.
    pub events_already_applied: u64,
    /// Rows that are kept until a status map explains their status.
    pub events_parked: u64,
    /// Rows that were left out; each was reported with its line.
    pub rows_rejected: u64,
    /// The clocks of all tickets of the partnership, as of now.
    pub targets: Targets,
    /// Resource name of the partnership.
    #[serde(skip)]
    pub partnership: String,
    /// Statuses that no map explains.
    #[serde(skip)]
    pub unmapped: Vec<Unmapped>,
}

/// How clocks turned out, by target and by priority, `"1"` (highest) to `"5"`. A priority without a
/// clock is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Targets {
    /// From the opening to the first answer.
    pub first_response: BTreeMap<String, Counts>,
    /// From the opening to the resolution.
    pub resolution: BTreeMap<String, Counts>,
}

/// How many clocks turned out how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Stopped within the target.
    pub met: u64,
    /// Passed the target, open ones included.
    pub breached: u64,
    /// Open and within the target.
    pub running: u64,
}

/// A status that no map explains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmapped {
    /// The status as the file spells it.
    pub status: String,
    /// How many events wait for it.
    pub parked: u64,
}

/// Imports a ServiceNow incident audit export through the public API. Rows that cannot be taken are
/// told to `progress` and counted; they never stop the rest.
///
/// # Errors
/// If the file is not such an export, or the server cannot be reached or refuses what an import
/// needs. What was sent until then stays; importing again goes on from there.
pub async fn import_servicenow(
    connection: &Connection,
    reader: impl Read,
    options: &Options,
    progress: &dyn Progress,
) -> Result<Summary, CliError> {
    let read = rows::read(reader)?;
    for row in &read.rejected {
        progress.reject(row);
    }
    progress.begin(u64::try_from(read.rows.len())?);
    let place = setup::prepare(connection, &options.instance).await?;
    let fed = feed::feed(connection, &place, &read.rows, progress).await?;
    let rejected = read.rejected.len() + fed.rejected;
    Ok(Summary {
        incidents: u64::try_from(fed.incidents.len())?,
        events_applied: fed.applied,
        events_already_applied: fed.already_applied,
        events_parked: fed.parked,
        rows_rejected: u64::try_from(rejected)?,
        targets: targets(connection, &place).await?,
        unmapped: unmapped(connection, &place).await?,
        partnership: place.partnership,
    })
}

/// Where an import goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Resource name of the partnership.
    pub partnership: String,
    /// Resource name of the agreement.
    pub agreement: String,
    /// The installation of the system.
    pub instance: String,
}

/// What became of the rows that were sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fed {
    /// Numbers of the incidents of which a row is in.
    pub incidents: BTreeSet<String>,
    /// Rows that became part of a ticket.
    pub applied: u64,
    /// Rows that were in already.
    pub already_applied: u64,
    /// Rows that are kept for a status map.
    pub parked: u64,
    /// Rows that the server refused.
    pub rejected: usize,
}

async fn targets(connection: &Connection, place: &Place) -> Result<Targets, CliError> {
    let sla = connection.sla();
    let request = v1::GetAttainmentRequest {
        name: place.partnership.clone(),
        ..v1::GetAttainmentRequest::default()
    };
    let attainment = retry(|| {
        let (mut sla, request) = (sla.clone(), request.clone());
        async move { sla.get_attainment(request).await }
    });
    let attainment = attainment
        .await
        .map_err(|status| failed("count how the targets were kept", &status))?;
    let mut targets = Targets::default();
    for row in attainment
        .rows
        .iter()
        .filter(|row| row.obligor == setup::OBLIGOR)
    {
        let counts = Counts {
            met: u64::try_from(row.met_count)?,
            breached: u64::try_from(row.breached_count)?,
            running: u64::try_from(row.running_count)?,
        };
        let of_type = match row.r#type() {
            v1::TargetType::FirstResponse => &mut targets.first_response,
            v1::TargetType::Resolution => &mut targets.resolution,
            _ => continue,
        };
        of_type.insert(row.priority.to_string(), counts);
    }
    Ok(targets)
}

async fn unmapped(connection: &Connection, place: &Place) -> Result<Vec<Unmapped>, CliError> {
    let sla = connection.sla();
    let mut found = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = v1::ListUnmappedRequest {
            parent: place.partnership.clone(),
            page_size: PAGE_SIZE,
            page_token,
        };
        let page = retry(|| {
            let (mut sla, request) = (sla.clone(), request.clone());
            async move { sla.list_unmapped(request).await }
        });
        let page = page
            .await
            .map_err(|status| failed("list the unmapped statuses", &status))?;
        for word in page.unmapped_words {
            found.push(Unmapped {
                status: word.word,
                parked: u64::try_from(word.parked_count)?,
            });
        }
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(found);
        }
    }
}
