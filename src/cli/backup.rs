//! `entente backup`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use serde::Serialize;
use tempfile::{Builder, TempDir, TempPath};

use super::{CliError, Database, Output};
use crate::ledger::verify::{Report, verify_store};
use crate::store;

/// Exit code when something is wrong with what was copied.
pub(super) const EXIT_FAULTS: u8 = 2;

/// Copy a database in a file while it is in use, and verify the copy.
///
/// Exit code 0 if there is a copy and all is well with it; 2 if the journal or its records are not as
/// they should be, 1 if it could not be copied. There is a file only with exit code 0. It holds the
/// service's secrets: keep it as well as the database.
#[derive(Debug, clap::Args)]
pub struct Backup {
    #[command(flatten)]
    database: Database,
    /// The file to write; it must not exist.
    file: PathBuf,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

/// What was copied, as it is printed.
#[derive(Debug, Serialize)]
struct Copied {
    /// The copy.
    file: PathBuf,
    /// Its size.
    bytes: u64,
    /// Scopes in it.
    scopes: u64,
    /// Journal entries in it.
    entries: u64,
    /// How long it took, with verifying.
    milliseconds: u128,
}

impl Backup {
    /// # Errors
    /// If it could not be copied.
    pub async fn run(self) -> Result<ExitCode, CliError> {
        let began = Instant::now();
        refuse_taken(&self.file)?;
        let (folder, copy) = working_place(&self.file)?;
        store::copy(&self.database.database_url, &copy).await?;
        let report = verified(&copy).await?;
        if !report.is_clean() {
            eprint!("{report}");
            return Ok(ExitCode::from(EXIT_FAULTS));
        }
        put_in_place(copy, &self.file)?;
        drop(folder);
        let copied = Copied {
            bytes: std::fs::metadata(&self.file)?.len(),
            file: self.file,
            scopes: report.scopes_count,
            entries: report.totals.entries,
            milliseconds: began.elapsed().as_millis(),
        };
        match self.output {
            Output::Json => println!("{}", serde_json::to_string(&copied)?),
            Output::Text => println!(
                "{}: {} scopes, {} entries, {} bytes, verified",
                copied.file.display(),
                copied.scopes,
                copied.entries,
                copied.bytes
            ),
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Refuses to write where something is, or where an engine would find something that belongs to another
/// database of that name.
pub(super) fn refuse_taken(file: &Path) -> Result<(), CliError> {
    for beside in ["", "-wal", "-shm", "-journal"] {
        let mut name = file.as_os_str().to_owned();
        name.push(beside);
        let path = PathBuf::from(name);
        if path.symlink_metadata().is_ok() {
            return Err(format!("{} exists; nothing was written", path.display()).into());
        }
    }
    Ok(())
}

/// An empty file in a folder of its own beside `file`, for its owner's eyes only. What is in the folder
/// goes with it.
pub(super) fn working_place(file: &Path) -> Result<(TempDir, PathBuf), CliError> {
    let folder = Builder::new()
        .prefix(".entente-")
        .tempdir_in(folder_of(file))
        .map_err(|error| format!("{} cannot be written: {error}", file.display()))?;
    let copy = folder.path().join("entente.db");
    let mut create = std::fs::OpenOptions::new();
    create.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut create, 0o600);
    create.open(&copy)?;
    Ok((folder, copy))
}

/// Verifies a database in a file, which nobody else uses.
pub(super) async fn verified(file: &Path) -> Result<Report, CliError> {
    let database = store::open(&store::url_of(file)).await?;
    let report = verify_store(database.as_ref(), None).await;
    database.close().await;
    Ok(report?)
}

/// Gives the copy its name, unless something has that name by now.
pub(super) fn put_in_place(copy: PathBuf, file: &Path) -> Result<(), CliError> {
    TempPath::try_from_path(copy)?
        .persist_noclobber(file)
        .map_err(|error| format!("{}: {}", file.display(), error.error))?;
    // The name, too, has to be there after a power cut.
    std::fs::File::open(folder_of(file))?.sync_all()?;
    Ok(())
}

fn folder_of(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}
