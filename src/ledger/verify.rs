//! Verification: the hash chains, and that everything else follows from them.
//!
//! The journal is the truth. Each scope's chain is followed from its first entry; every event is
//! decoded and applied again, and what comes out is compared with the records that are stored: in
//! both directions, so that a record that was changed, lost or slipped in is noticed. Time zone
//! data, openings and credentials are checked against what the journal says of them, and signed
//! checkpoints against the entries that they name. What firms signed is checked with their keys.
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
//! | `checkpoint` | any | `note`: a signed note; the first of the last entry, then the latest that each firm cosigned |
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
mod sales;
#[cfg(test)]
mod tests;

pub use database::{verify_store, verify_store_with};
pub use export::{ExportRange, ExportSink, OpeningsFor, export_range, export_scope};
pub use import::verify_export;
pub(super) use replay::differences;
pub use report::{Cause, Counts, FAULTS_SHOWN_MAX, Fault, Report, SCOPES_SHOWN_MAX, ScopeCounts};

use std::collections::BTreeMap;

use super::checkpoint::{self, Checkpoint, CheckpointFault};
use crate::domain::identity::ScopeId;
use crate::domain::signing::PublicKey;
use crate::store::StoreError;

/// Begins the name under which a firm signs; the firm's id follows.
const FIRMS: &str = "firms/";

/// The keys that a verifier knows to be of firms, by firm.
type Trusted = BTreeMap<String, Vec<PublicKey>>;

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
    /// The key by which the service signs checkpoints, as a signed note's verifier key. With neither it
    /// nor a firm's key, checkpoints are counted but not checked.
    pub verifier_key: Option<String>,
    /// Keys by which firms sign, as verifier keys under their names: `firms/{firm}`. Whatever the journal
    /// says that such a firm signed must be signed by one of these; so name all that a firm ever had.
    pub firm_keys: Vec<String>,
    /// Checkpoints that were kept, as signed notes, of any scopes, signed by the service or by a firm.
    pub checkpoints: Vec<String>,
}

impl Evidence {
    /// Takes verifier keys: those under the name of a firm are firms' keys, any other is the service's;
    /// of several, the last one.
    #[must_use]
    pub fn with_keys(keys: impl IntoIterator<Item = String>) -> Self {
        let mut evidence = Self::default();
        for key in keys {
            if key.starts_with(FIRMS) {
                evidence.firm_keys.push(key);
            } else {
                evidence.verifier_key = Some(key);
            }
        }
        evidence
    }

    /// Whether there is any key to check checkpoints with.
    fn has_key(&self) -> bool {
        self.verifier_key.is_some() || !self.firm_keys.is_empty()
    }

    /// Reads a checkpoint; `None`, if there is no key to check it with.
    fn read(&self, note: &str) -> Option<Result<Checkpoint, CheckpointFault>> {
        let keys = self.verifier_key.iter().chain(&self.firm_keys);
        let keys: Vec<&String> = keys.collect();
        (!keys.is_empty()).then(|| checkpoint::verify(note, &keys))
    }

    /// As [`Self::read`], of an export's own checkpoint: without the service's key, one that no firm
    /// cosigned is not checked.
    fn read_own(&self, note: &str) -> Option<Result<Checkpoint, CheckpointFault>> {
        let may_lack_ours = self.verifier_key.is_none();
        let not_signed = Err(CheckpointFault::NotSigned);
        self.read(note)
            .filter(|read| !(may_lack_ours && *read == not_signed))
    }

    /// The keys of each firm of which any is given, by the firm's id.
    fn trusted(&self) -> Trusted {
        let mut trusted = Trusted::default();
        for key in &self.firm_keys {
            if let Some((name, key)) = checkpoint::parse_key(key)
                && let Some(firm) = name.strip_prefix(FIRMS)
            {
                trusted.entry(firm.to_owned()).or_default().push(key);
            }
        }
        trusted
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
