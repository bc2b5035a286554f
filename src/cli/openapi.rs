//! `entente openapi`.

use std::process::ExitCode;

use super::CliError;
use crate::proto;
use crate::server::json::openapi::document;

/// Print the contract as an OpenAPI document.
#[derive(Debug, clap::Args)]
pub struct OpenApi {}

impl OpenApi {
    /// # Errors
    /// If it cannot be written.
    pub fn run(self) -> Result<ExitCode, CliError> {
        let document = serde_json::to_string_pretty(&document(proto::pool()))?;
        println!("{document}");
        Ok(ExitCode::SUCCESS)
    }
}
