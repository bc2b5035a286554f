//! `entente export`.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use super::{CliError, Database};
use crate::domain::identity::{PartyId, ScopeId};
use crate::ledger::verify::{OpeningsFor, export_scope};
use crate::server::checkpoint_signer;
use crate::server::environment::SystemRandomness;

/// Write a scope's journal and records as NDJSON, for `entente verify --file` and for safekeeping.
#[derive(Debug, clap::Args)]
pub struct Export {
    #[command(flatten)]
    database: Database,
    /// Scope, such as `partnerships/0199...` or `firms/acme`.
    scope: String,
    /// Include the openings of sealed values that this party may read, such as `party-1`.
    #[arg(long, conflicts_with = "all_openings")]
    party: Option<String>,
    /// Include the openings of all sealed values: for the operator's own safekeeping only.
    #[arg(long)]
    all_openings: bool,
    /// File to write. [default: standard output]
    #[arg(long)]
    file: Option<PathBuf>,
}

impl Export {
    /// # Errors
    /// If the database cannot be read, or the file not written.
    pub async fn run(self) -> Result<ExitCode, CliError> {
        let scope = ScopeId::parse(&self.scope)
            .ok_or("a scope is firms/{firm} or partnerships/{partnership}")?;
        let openings = match (&self.party, self.all_openings) {
            (_, true) => OpeningsFor::Operator,
            (Some(party), false) => OpeningsFor::Party(PartyId::from_text(party)),
            (None, false) => OpeningsFor::Nobody,
        };
        let store = self.database.open().await?;
        let signer = checkpoint_signer(store.as_ref(), &SystemRandomness).await?;
        let out: Box<dyn Write + Send> = match &self.file {
            Some(path) => Box::new(File::create(path)?),
            None => Box::new(std::io::stdout()),
        };
        let mut out = BufWriter::new(out);
        let counts = export_scope(store.as_ref(), &scope, &openings, &signer, &mut out).await?;
        out.flush()?;
        eprintln!(
            "wrote {counts} of {scope}; checkpoints verify by {}",
            signer.verifier_key()
        );
        store.close().await;
        Ok(ExitCode::SUCCESS)
    }
}
