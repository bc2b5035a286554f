//! The commands of the binary, one file each.

pub mod activate;
pub mod backup;
pub mod checkup;
pub mod client;
pub mod demo;
pub mod doctor;
pub mod export;
pub mod import;
pub mod inspect;
pub mod keys;
pub mod migrate;
pub mod openapi;
pub mod page;
pub mod restore;
pub mod serve;
pub mod split;
pub mod verify;

use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, Subcommand, ValueEnum};

use crate::server::configuration::{DATABASE_URL_DEFAULT, LogFormat};
use crate::server::telemetry::Telemetry;
use crate::store::{self, Store, StoreError};

/// Keeps the promises between IT firms that sell and support together.
#[derive(Debug, Parser)]
#[command(name = "entente", version, about)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the gRPC API.
    Serve(serve::Serve),
    /// Play one quarter of a partnership of two firms and show what came of it.
    Demo(demo::Demo),
    /// Feed tickets from another system through the gRPC API.
    Import(import::Import),
    /// Write a scope's journal and records as NDJSON.
    Export(export::Export),
    /// Check hash chains, checkpoints and that the records follow from the journal.
    Verify(verify::Verify),
    /// Let bodies and events be written in a newer format.
    Activate(activate::Activate),
    /// Look whether a database is well.
    Doctor(doctor::Doctor),
    /// Copy a database in a file while it is in use, and verify the copy.
    Backup(backup::Backup),
    /// Make a database of a backup, or tell that one was restored by other means.
    Restore(restore::Restore),
    /// Print a record and its history.
    Inspect(inspect::Inspect),
    /// Divide a concession over a quote from a file, without a server.
    Split(split::Split),
    /// Create the database or bring its schema up to date.
    Migrate(migrate::Migrate),
    /// Print the contract as an OpenAPI document.
    Openapi(openapi::OpenApi),
    /// Print how a partnership is, on what evidence, and what would change it.
    Checkup(checkup::Checkup),
    /// Manage API keys and trusted identities directly on the database.
    Keys(keys::Keys),
}

/// Where the database is.
#[derive(Clone, Debug, clap::Args)]
pub struct Database {
    /// `sqlite://path` or `postgres://...`.
    #[arg(long, env = "ENTENTE_DATABASE_URL", default_value = DATABASE_URL_DEFAULT, hide_env_values = true)]
    pub database_url: String,
}

impl Database {
    /// Opens the database, whose schema must be up to date.
    ///
    /// # Errors
    /// If it is not reachable, or its schema is not the one expected.
    pub async fn open(&self) -> Result<Arc<dyn Store>, StoreError> {
        store::open(&self.database_url).await
    }
}

/// How results are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    #[default]
    Text,
    /// One JSON object.
    Json,
}

/// Any error at the edge of the program; it is printed, and the exit code is 1.
pub type CliError = Box<dyn std::error::Error + Send + Sync>;

/// Runs the command asked for.
#[must_use]
pub fn run(arguments: Arguments) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run_command(arguments.command)) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run_command(command: Command) -> Result<ExitCode, CliError> {
    if !matches!(command, Command::Serve(_)) {
        Telemetry::start(LogFormat::Text, None)?;
    }
    match command {
        Command::Serve(serve) => serve.run().await,
        Command::Demo(demo) => demo.run().await,
        Command::Import(import) => import.run().await,
        Command::Export(export) => export.run().await,
        Command::Verify(verify) => verify.run().await,
        Command::Activate(activate) => activate.run().await,
        Command::Doctor(doctor) => doctor.run().await,
        Command::Backup(backup) => backup.run().await,
        Command::Restore(restore) => restore.run().await,
        Command::Inspect(inspect) => inspect.run().await,
        Command::Split(split) => split.run(),
        Command::Migrate(migrate) => migrate.run().await,
        Command::Openapi(openapi) => openapi.run(),
        Command::Checkup(checkup) => checkup.run().await,
        Command::Keys(keys) => keys.run().await,
    }
}
