//! `entente verify`.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;
use std::process::ExitCode;

use super::{CliError, Database};
use crate::domain::identity::ScopeId;
use crate::ledger::verify::{Evidence, Report, verify_export, verify_store_with};
use crate::server::checkpoint_signer;
use crate::server::environment::SystemRandomness;

/// Check hash chains, checkpoints and that the records follow from the journal.
///
/// Exit code 0 if all is well, 2 if something is wrong with what was verified, 1 if it could not be
/// verified.
#[derive(Debug, clap::Args)]
pub struct Verify {
    #[command(flatten)]
    database: Database,
    /// Verify an export, offline, instead of a database.
    #[arg(long)]
    file: Option<PathBuf>,
    /// Only this scope of the database. [default: all]
    #[arg(long, conflicts_with = "file")]
    scope: Option<String>,
    /// Verifier key, to check signed checkpoints by: the service's (from `GetServiceInfo`; default: the
    /// database's own), or a firm's own (from `ListSigningKeys`). May be repeated. Of a firm, name all
    /// keys that it ever had: whatever it is said to have signed must be signed by one of them.
    #[arg(long)]
    key: Vec<String>,
    /// A checkpoint that was kept, signed by the service or by a firm: the journal must still contain
    /// what it says. May be repeated.
    #[arg(long)]
    checkpoint: Vec<PathBuf>,
}

/// Exit code when something is wrong with what was verified.
const EXIT_FAULTS: u8 = 2;

impl Verify {
    /// # Errors
    /// If it could not be verified.
    pub async fn run(self) -> Result<ExitCode, CliError> {
        let checkpoints = self
            .checkpoint
            .iter()
            .map(std::fs::read_to_string)
            .collect::<Result<Vec<_>, _>>()?;
        let report = match &self.file {
            Some(path) => {
                let evidence = Evidence {
                    checkpoints,
                    ..Evidence::with_keys(self.key.iter().cloned())
                };
                verify_export(BufReader::new(File::open(path)?), &evidence)?
            }
            None => self.verify_database(checkpoints).await?,
        };
        print!("{report}");
        Ok(if report.is_clean() {
            ExitCode::SUCCESS
        } else {
            ExitCode::from(EXIT_FAULTS)
        })
    }

    async fn verify_database(&self, checkpoints: Vec<String>) -> Result<Report, CliError> {
        let scope = match &self.scope {
            None => None,
            Some(text) => Some(
                ScopeId::parse(text)
                    .ok_or("a scope is firms/{firm} or partnerships/{partnership}")?,
            ),
        };
        let store = self.database.open().await?;
        let mut evidence = Evidence {
            checkpoints,
            ..Evidence::with_keys(self.key.iter().cloned())
        };
        if evidence.verifier_key.is_none() {
            let signer = checkpoint_signer(store.as_ref(), &SystemRandomness).await?;
            evidence.verifier_key = Some(signer.verifier_key());
        }
        let report = verify_store_with(store.as_ref(), scope.as_ref(), &evidence).await?;
        store.close().await;
        Ok(report)
    }
}
