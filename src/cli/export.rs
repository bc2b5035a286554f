//! `entente export`.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use super::client::{ApiKey, RequestIds, connect, failed};
use super::{CliError, Database};
use crate::domain::identity::{PartyId, ScopeId};
use crate::ledger::verify::{OpeningsFor, export_scope};
use crate::proto::v1;
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
    /// Ask a server for it instead of the database, with a key that may read: `host:port`. What the
    /// key's firm may read is included, and nothing else.
    #[arg(long, requires = "api_key", conflicts_with_all = ["party", "all_openings"])]
    server: Option<String>,
    /// The API key. Others on this machine can read command lines: prefer the variable.
    #[arg(long, env = "ENTENTE_API_KEY", hide_env_values = true)]
    api_key: Option<ApiKey>,
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
        let mut out = BufWriter::new(self.out()?);
        if let (Some(server), Some(key)) = (&self.server, &self.api_key) {
            let bytes = from_server(server, key, &scope, &mut out).await?;
            eprintln!("wrote {bytes} bytes of {scope}");
            return Ok(ExitCode::SUCCESS);
        }
        let store = self.database.open().await?;
        let signer = checkpoint_signer(store.as_ref(), &SystemRandomness).await?;
        let counts = export_scope(store.as_ref(), &scope, &openings, &signer, &mut out).await?;
        out.flush()?;
        eprintln!(
            "wrote {counts} of {scope}; checkpoints verify by {}",
            signer.verifier_key()
        );
        store.close().await;
        Ok(ExitCode::SUCCESS)
    }

    fn out(&self) -> Result<Box<dyn Write + Send>, CliError> {
        Ok(match &self.file {
            Some(path) => Box::new(File::create(path)?),
            None => Box::new(std::io::stdout()),
        })
    }
}

/// Writes what the server streams; how many bytes that were.
async fn from_server(
    server: &str,
    key: &ApiKey,
    scope: &ScopeId,
    out: &mut (dyn Write + Send),
) -> Result<u64, CliError> {
    let connection = connect(server, key, RequestIds::random(&SystemRandomness)).await?;
    let request = v1::ExportJournalRequest {
        name: scope.as_str().to_owned(),
    };
    let failed = |status| failed("the export", &status);
    let answer = connection.journal().export_journal(request).await;
    let mut stream = answer.map_err(failed)?.into_inner();
    let mut bytes = 0;
    while let Some(chunk) = stream.message().await.map_err(failed)? {
        out.write_all(&chunk.data)?;
        bytes += chunk.data.len() as u64;
    }
    out.flush()?;
    Ok(bytes)
}
