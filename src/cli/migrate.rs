//! `entente migrate`.

use std::process::ExitCode;

use super::{CliError, Database};
use crate::store;

/// Create the database or bring its schema up to date.
#[derive(Debug, clap::Args)]
pub struct Migrate {
    #[command(flatten)]
    database: Database,
}

impl Migrate {
    /// # Errors
    /// If a migration fails, or the schema is newer than this program.
    pub async fn run(self) -> Result<ExitCode, CliError> {
        store::migrate(&self.database.database_url).await?;
        println!("the schema is up to date");
        Ok(ExitCode::SUCCESS)
    }
}
