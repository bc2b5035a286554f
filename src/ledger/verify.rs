//! Verification: the hash chains, and that everything else follows from them.
//!
//! The journal is the truth. Each scope's chain is followed from its first entry; every event is
//! decoded and applied again, and what comes out is compared with the records that are stored: in
//! both directions, so that a record that was changed, lost or slipped in is noticed. Time zone
//! data, openings and credentials are checked against what the journal says of them, and signed
//! checkpoints against the entries that they name.
//!
//! The same replay serves a database ([`verify_store`]) and an export of one ([`verify_export`]).
//! It keeps the records of one scope in memory at a time.
//!
//! # Openings
//!
//! Whatever the journal commits to has an opening, or a redaction that says that it was erased
//! (counted as ERASED). A commitment with neither is MISSING, which is a fault. In an export that does
//! not hold all openings nobody can tell those that are not there from those that its reader may not
//! see: they are counted as SEALED, neither passed nor failed. What was erased may still be in exports
//! and backups that were made before.
//!
//! # Exports
//!
//! An export is text, one JSON object a line (NDJSON), and holds one or more scopes after each
//! other. Each scope has, in this order:
//!
//! | `type` | how many | holds |
//! | --- | --- | --- |
//! | `header` | 1 | `format` (`entente.export`), `version` (1), `scope`, `journal_form_version`, `sequence` and `hash` of the last entry, and `openings`: whose follow (`none`, `party`, `all`) |
//! | `checkpoint` | any | `note`: a signed note |
//! | `entry` | all | a journal entry; the bytes of the string `payload` are what is hashed |
//! | `zone` | all that calendars pin | `digest`, and `tzif` in base64 |
//! | `record` | all | a record as it is stored, `body` as JSON |
//! | `opening` | those asked for | `commitment`, `label`, `value`, `salt`, `readers` |
//!
//! Instants are microseconds since 1970-01-01T00:00:00Z; hashes, digests and salts are lower-case
//! hexadecimal. No line is longer than 32 MiB.

mod database;
mod export;
mod import;
mod lines;
mod replay;
mod report;
#[cfg(test)]
mod tests;

pub use database::{verify_store, verify_store_with};
pub use export::{ExportRange, ExportSink, OpeningsFor, export_range, export_scope};
pub use import::verify_export;
pub use report::{Cause, Counts, FAULTS_SHOWN_MAX, Fault, Report, SCOPES_SHOWN_MAX, ScopeCounts};

use super::checkpoint::{self, Checkpoint, CheckpointFault};
use crate::domain::identity::ScopeId;
use crate::store::StoreError;

/// Why a verification or an export could not be carried out. What it *finds* is in the [`Report`].
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The database does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The export cannot be read or written.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The database has no such scope.
    #[error("there is no scope {0}")]
    NoSuchScope(ScopeId),
    /// A line is not one of an export.
    #[error("line {line}: {message}")]
    Malformed {
        /// Counted from 1.
        line: u64,
        /// What is wrong with it.
        message: String,
    },
    /// A payload is not text, so that no export can show it.
    #[error("{scope} entry {sequence}: the payload is not text; verify the database")]
    NotText {
        /// Where.
        scope: ScopeId,
        /// Which entry.
        sequence: u64,
    },
}

/// What a verifier holds against the journal beside the journal itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// The key by which the service signs checkpoints, as a signed note's verifier key. Without
    /// it, checkpoints are counted but not checked.
    pub verifier_key: Option<String>,
    /// Checkpoints that were kept, as signed notes, of any scopes.
    pub checkpoints: Vec<String>,
}

impl Evidence {
    /// Reads a checkpoint; `None`, if there is no key to check it with.
    fn read(&self, note: &str) -> Option<Result<Checkpoint, CheckpointFault>> {
        self.verifier_key
            .as_ref()
            .map(|key| checkpoint::verify(note, key))
    }

    /// Reads the checkpoints that were kept; what is wrong with them is reported.
    fn kept(&self, report: &mut Report) -> Vec<Checkpoint> {
        let mut kept = Vec::with_capacity(self.checkpoints.len());
        for note in &self.checkpoints {
            match self.read(note) {
                None => report.note_unchecked_checkpoint(),
                Some(Ok(checkpoint)) => kept.push(checkpoint),
                Some(Err(fault)) => report.fault(Fault::of_note(fault)),
            }
        }
        kept
    }
}

/// Takes the checkpoints of one scope out of `kept`.
fn take_of(kept: &mut Vec<Checkpoint>, scope: &ScopeId) -> Vec<Checkpoint> {
    kept.extract_if(.., |checkpoint| checkpoint.scope == *scope)
        .collect()
}

/// Checkpoints of scopes that are not there at all.
fn report_left(kept: Vec<Checkpoint>, report: &mut Report) {
    for checkpoint in kept {
        let cause = Cause::CheckpointAhead {
            sequence: checkpoint.sequence,
            last: 0,
        };
        report.fault(Fault::of_scope(&checkpoint.scope, cause));
    }
}
