//! placeholder until the demo is written
use std::process::ExitCode;
use super::CliError;
/// Demo.
#[derive(Debug, clap::Args)]
pub struct Demo {}
impl Demo {
    /// # Errors
    /// None.
    pub async fn run(self) -> Result<ExitCode, CliError> { Ok(ExitCode::SUCCESS) }
}
