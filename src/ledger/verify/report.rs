//! What a verification found.

use std::fmt::{Display, Formatter, Result as Written};

use crate::domain::identity::ScopeId;
use crate::domain::journal::ChainFault;
use crate::ledger::checkpoint::CheckpointFault;

/// Faults that a report names; beyond it they are only counted.
pub const FAULTS_SHOWN_MAX: usize = 100;
/// Scopes that a report names; beyond it they are only counted.
pub const SCOPES_SHOWN_MAX: usize = 1_000;

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    /// The chain is broken.
    #[error(transparent)]
    Chain(ChainFault),
    /// The last entry is not the one that the head names.
    #[error("the chain ends at entry {found}, but the head says {expected}, or has another hash")]
    HeadDiffers {
        /// Sequence of the head.
        expected: u64,
        /// Sequence of the last entry.
        found: u64,
    },
    /// The event cannot be read, or does not fit what happened before.
    #[error("the event cannot be applied: {0}")]
    EventUnusable(String),
    /// The entry does not name the one that changed the same record before.
    #[error("the entry does not name the one that changed the record before")]
    HistoryUnlinked,
    /// A record follows from the journal but is not stored.
    #[error("the record is missing")]
    RecordMissing,
    /// A record is stored but does not follow from the journal.
    #[error("the record does not follow from the journal")]
    RecordUnfounded,
    /// A record is stored otherwise than it follows from the journal.
    #[error("the record differs from the journal in: {}", .0.join(", "))]
    RecordDiffers(Vec<&'static str>),
    /// The record changed each time that it was read.
    #[error("the record kept changing while it was verified; try again")]
    RecordUnsettled,
    /// The row by which a key is recognised is not what the key's record says.
    #[error("the credential differs from the record of the key")]
    CredentialDiffers,
    /// The row by which an external reference is looked up does not say what its record says.
    #[error("the row of the external reference differs from its record")]
    ReferenceDiffers,
    /// Time zone data does not have the digest under which it is stored.
    #[error("the time zone data {0} was altered")]
    ZoneAltered(String),
    /// Time zone data that a calendar pins is not there.
    #[error("the time zone data {0} is missing")]
    ZoneMissing(String),
    /// An opening does not open its commitment.
    #[error("the opening of {0} is not genuine")]
    OpeningFalse(String),
    /// The journal commits to a value whose opening is not there, and no redaction says why.
    #[error("MISSING: the opening of {0} is not there, and nobody redacted it")]
    OpeningMissing(String),
    /// An opening that was redacted is there.
    #[error("the opening of {0} was redacted and is there nevertheless")]
    OpeningNotErased(String),
    /// What a firm is said to have signed does not have the signature of the key named.
    #[error("a signature is not one of its key over what it is said to be for")]
    SignatureFalse,
    /// A key signed for a firm that is none of those that the verifier knows to be that firm's.
    #[error("signed by the key {0}, which is none of those given for the firm")]
    SignatureForeign(String),
    /// Dividing a concession again does not give what its revision says.
    #[error("revision {0} of the concession is not what dividing it again gives")]
    DivisionFalse(usize),
    /// A booking is not what follows from the revision that it is of.
    #[error("what is booked of {0} is not what its revision says")]
    BookingFalse(String),
    /// A reversal is not what taking back again gives.
    #[error("reversal {0} is not what taking back again gives")]
    ReversalFalse(u32),
    /// A line of a statement is not what the booking or the reversal says that it comes of.
    #[error("line {0} of the statement is not what it comes of")]
    StatementFalse(u32),
    /// A checkpoint cannot be accepted.
    #[error("a checkpoint is not accepted: {0}")]
    CheckpointRefused(CheckpointFault),
    /// A checkpoint is of another scope than the export in which it stands.
    #[error("a checkpoint is of another scope: {0}")]
    CheckpointElsewhere(ScopeId),
    /// A checkpoint names another hash than the entry has.
    #[error("entry {0} is not the one that a checkpoint was signed for")]
    CheckpointContradicted(u64),
    /// A checkpoint names an entry that the journal no longer has.
    #[error("a checkpoint was signed for entry {sequence}, but the journal ends at {last}")]
    CheckpointAhead {
        /// Sequence of the checkpoint.
        sequence: u64,
        /// Sequence of the last entry.
        last: u64,
    },
    /// A key was given, but there is no checkpoint that it could vouch for.
    #[error("no checkpoint signed by the key given")]
    CheckpointMissing,
}

/// Something that is not as it should be, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// In which scope, if in one.
    pub scope: Option<ScopeId>,
    /// At which entry, if at one.
    pub sequence: Option<u64>,
    /// Kind and id of the record concerned, if there is one.
    pub record: Option<(String, String)>,
    /// What is wrong.
    pub cause: Cause,
}

impl Fault {
    pub(super) fn of_scope(scope: &ScopeId, cause: Cause) -> Self {
        Self {
            scope: Some(scope.clone()),
            sequence: None,
            record: None,
            cause,
        }
    }

    pub(super) fn of_note(fault: CheckpointFault) -> Self {
        Self {
            scope: None,
            sequence: None,
            record: None,
            cause: Cause::CheckpointRefused(fault),
        }
    }

    pub(super) fn at(mut self, sequence: u64) -> Self {
        self.sequence = Some(sequence);
        self
    }

    pub(super) fn on(mut self, kind: &str, id: &str) -> Self {
        self.record = Some((kind.to_owned(), id.to_owned()));
        self
    }
}

impl Display for Fault {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> Written {
        if let Some(scope) = &self.scope {
            write!(formatter, "{scope} ")?;
        }
        if let Some(sequence) = self.sequence {
            write!(formatter, "entry {sequence} ")?;
        }
        if let Some((kind, id)) = &self.record {
            write!(formatter, "{kind} {id} ")?;
        }
        write!(formatter, "- {}", self.cause)
    }
}

/// How much was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Journal entries.
    pub entries: u64,
    /// Records compared.
    pub records: u64,
    /// Pieces of time zone data.
    pub zones: u64,
    /// Openings.
    pub openings: u64,
    /// Values whose opening was erased, as a redaction says.
    pub erased: u64,
    /// Values whose opening the verifier may not see: neither passed nor failed.
    pub sealed: u64,
    /// Credentials compared.
    pub credentials: u64,
    /// Checkpoints whose signature and entry were checked.
    pub checkpoints: u64,
    /// Signatures of firms that were checked.
    pub signatures: u64,
    /// Concessions that were divided again; those whose costs or shares are sealed are left out.
    pub divisions: u64,
    /// Lines of bookings, reversals and settlement statements that were worked out again; those for which
    /// openings are not there are left out.
    pub sales: u64,
}

impl Counts {
    fn add(&mut self, other: &Self) {
        self.entries += other.entries;
        self.records += other.records;
        self.zones += other.zones;
        self.openings += other.openings;
        self.erased += other.erased;
        self.sealed += other.sealed;
        self.credentials += other.credentials;
        self.checkpoints += other.checkpoints;
        self.signatures += other.signatures;
        self.divisions += other.divisions;
        self.sales += other.sales;
    }
}

impl Display for Counts {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> Written {
        let Self {
            entries,
            records,
            zones,
            openings,
            erased,
            sealed,
            credentials,
            checkpoints,
            signatures,
            divisions,
            sales,
        } = self;
        write!(
            formatter,
            "{entries} entries, {records} records, {zones} zones, {openings} openings, \
             {erased} ERASED, {sealed} SEALED, {credentials} credentials, {checkpoints} checkpoints, \
             {signatures} signatures, {divisions} divisions, {sales} lines of sales"
        )
    }
}

/// What was looked at in one scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeCounts {
    /// The scope.
    pub scope: ScopeId,
    /// How much was looked at.
    pub counts: Counts,
    /// How many faults there are.
    pub faults: u64,
}

/// What a verification found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Scopes looked at, the first [`SCOPES_SHOWN_MAX`] of them.
    pub scopes: Vec<ScopeCounts>,
    /// How many scopes were looked at.
    pub scopes_count: u64,
    /// Sums over all scopes.
    pub totals: Counts,
    /// Faults, the first [`FAULTS_SHOWN_MAX`] of them.
    pub faults: Vec<Fault>,
    /// How many faults there are.
    pub faults_count: u64,
    /// Checkpoints that could not be checked, because no key was given.
    pub checkpoints_unchecked: u64,
}

impl Report {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.faults_count == 0
    }

    pub(super) fn fault(&mut self, fault: Fault) {
        self.faults_count += 1;
        if self.faults.len() < FAULTS_SHOWN_MAX {
            self.faults.push(fault);
        }
    }

    pub(super) fn note_unchecked_checkpoint(&mut self) {
        self.checkpoints_unchecked += 1;
    }

    /// Closes a scope; `faults_before` is how many faults there were when it was opened.
    pub(super) fn close_scope(&mut self, scope: &ScopeId, counts: Counts, faults_before: u64) {
        self.scopes_count += 1;
        self.totals.add(&counts);
        if self.scopes.len() < SCOPES_SHOWN_MAX {
            let faults = self.faults_count - faults_before;
            self.scopes.push(ScopeCounts {
                scope: scope.clone(),
                counts,
                faults,
            });
        }
    }
}

impl Display for Report {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> Written {
        for ScopeCounts {
            scope,
            counts,
            faults,
        } in &self.scopes
        {
            let found = if *faults == 0 {
                "clean".to_owned()
            } else {
                format!("{faults} FAULTS")
            };
            writeln!(formatter, "{scope}: {found} ({counts})")?;
        }
        let not_shown = self.scopes_count - self.scopes.len() as u64;
        if not_shown > 0 {
            writeln!(formatter, "... and {not_shown} more scopes")?;
        }
        for fault in &self.faults {
            writeln!(formatter, "FAULT {fault}")?;
        }
        let not_shown = self.faults_count - self.faults.len() as u64;
        if not_shown > 0 {
            writeln!(formatter, "... and {not_shown} more faults")?;
        }
        if self.checkpoints_unchecked > 0 {
            let number = self.checkpoints_unchecked;
            writeln!(
                formatter,
                "{number} checkpoints not checked: no verifier key was given"
            )?;
        }
        let found = if self.is_clean() {
            "clean".to_owned()
        } else {
            format!("{} FAULTS", self.faults_count)
        };
        writeln!(
            formatter,
            "{} scopes: {found} ({})",
            self.scopes_count, self.totals
        )
    }
}
