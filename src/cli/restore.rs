//! `entente restore`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::backup::{EXIT_FAULTS, put_in_place, refuse_taken, verified, working_place};
use super::{CliError, Database};
use crate::ledger::restoration;
use crate::ledger::verify::verify_store;
use crate::server::{Application, Environment};
use crate::store;

/// Make a database of a backup, or tell that one was restored by other means.
///
/// Every journal gets an entry that says after which of its entries a new epoch begins. Whoever watches
/// and had come no further goes on without a gap; whoever saw later entries learns that these are gone
/// (`JOURNAL_DIVERGED`) and where to go on.
///
/// Exit code 0 if the database is there and verified; 2 if something is wrong with the journal or its
/// records, 1 if it could not be restored. Nothing is left behind then, and nothing was told.
#[derive(Debug, clap::Args)]
pub struct Restore {
    #[command(flatten)]
    database: Database,
    /// The backup, as `entente backup` wrote it. The database, a file, must not exist.
    #[arg(required_unless_present = "in_place")]
    backup: Option<PathBuf>,
    /// The database itself was put back by other means, such as `PostgreSQL`'s recovery to a point in
    /// time or a snapshot of its disk: verify it and tell so. No server may be at work on it.
    #[arg(long, conflicts_with = "backup")]
    in_place: bool,
}

impl Restore {
    /// # Errors
    /// If it could not be restored.
    pub async fn run(self) -> Result<ExitCode, CliError> {
        let url = &self.database.database_url;
        match &self.backup {
            Some(backup) => restore(backup, &store::file_of(url)?).await,
            None => tell_verified(url).await,
        }
    }
}

async fn restore(backup: &Path, file: &Path) -> Result<ExitCode, CliError> {
    refuse_taken(file)?;
    let (folder, copy) = working_place(file)?;
    store::copy(&store::url_of(backup), &copy).await?;
    store::migrate(&store::url_of(&copy)).await?;
    let report = verified(&copy).await?;
    if !report.is_clean() {
        eprint!("{report}");
        return Ok(ExitCode::from(EXIT_FAULTS));
    }
    let scopes = tell(&store::url_of(&copy)).await?;
    put_in_place(copy, file)?;
    drop(folder);
    println!(
        "{}: {scopes} scopes, {} entries, verified; a new epoch begins in each",
        file.display(),
        report.totals.entries
    );
    Ok(ExitCode::SUCCESS)
}

async fn tell_verified(url: &str) -> Result<ExitCode, CliError> {
    let database = store::open(url).await?;
    let report = verify_store(database.as_ref(), None).await;
    database.close().await;
    let report = report?;
    if !report.is_clean() {
        eprint!("{report}");
        return Ok(ExitCode::from(EXIT_FAULTS));
    }
    let scopes = tell(url).await?;
    let entries = report.totals.entries;
    println!("{scopes} scopes, {entries} entries, verified; a new epoch begins in each");
    Ok(ExitCode::SUCCESS)
}

async fn tell(url: &str) -> Result<u64, CliError> {
    let environment = Environment {
        sweeping: false,
        ..Environment::default()
    };
    let application = Application::start(store::open(url).await?, environment).await?;
    let told = restoration::tell(&application.api.ledger).await;
    application.stop().await;
    Ok(told?)
}
