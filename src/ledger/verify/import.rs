//! Verification of an export, which needs no database.

use std::collections::BTreeSet;
use std::io::{BufRead, Read};

use super::database::is_genuine_zone;
use super::lines::{
    FORMAT, HeaderLine, LINE_BYTES_MAX, Line, OpeningsLine, VERSION, ZoneLine, from_hexadecimal,
};
use super::replay::{RecordName, Replay};
use super::report::{Cause, Fault, Report};
use super::{Evidence, VerifyError, report_left, take_of};
use crate::domain::commitment::{Commitment, Opening};
use crate::domain::identity::ScopeId;
use crate::domain::journal::Hash;
use crate::ledger::checkpoint::Checkpoint;
use crate::store::RecordRow;

/// Verifies an export: the chain, the checkpoints in it and those that were kept, and that the
/// records follow from the journal. With a verifier key, every scope must have a checkpoint that
/// the key signed.
///
/// # Errors
/// If it cannot be read, or is not an export.
pub fn verify_export(reader: impl BufRead, evidence: &Evidence) -> Result<Report, VerifyError> {
    let mut verifier = Verifier {
        evidence,
        report: Report::default(),
        kept: Vec::new(),
        scope: None,
        number: 0,
    };
    verifier.kept = evidence.kept(&mut verifier.report);
    let mut reader = reader;
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        let limit = LINE_BYTES_MAX as u64 + 1;
        if reader.by_ref().take(limit).read_until(b'\n', &mut bytes)? == 0 {
            break;
        }
        verifier.number += 1;
        if bytes.len() > LINE_BYTES_MAX {
            return Err(verifier.malformed(&format!("longer than {LINE_BYTES_MAX} bytes")));
        }
        let line = serde_json::from_slice(&bytes)
            .map_err(|error| verifier.malformed(&error.to_string()))?;
        verifier.line(line)?;
    }
    if verifier.number == 0 {
        return Err(verifier.malformed("the export is empty"));
    }
    verifier.close();
    report_left(verifier.kept, &mut verifier.report);
    Ok(verifier.report)
}

/// How far the lines of a scope have come; they never go back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Checkpoints,
    Entries,
    Zones,
    Records,
    Openings,
}

/// A scope of the export.
struct ScopeLines {
    replay: Replay,
    stage: Stage,
    sequence: u64,
    hash: Hash,
    faults_before: u64,
    zones: BTreeSet<String>,
    records: BTreeSet<RecordName>,
    openings: BTreeSet<Commitment>,
    /// Whether all openings that there are should be here.
    sees_all: bool,
}

struct Verifier<'evidence> {
    evidence: &'evidence Evidence,
    report: Report,
    kept: Vec<Checkpoint>,
    scope: Option<ScopeLines>,
    number: u64,
}

impl Verifier<'_> {
    fn malformed(&self, message: &str) -> VerifyError {
        VerifyError::Malformed {
            line: self.number,
            message: message.to_owned(),
        }
    }

    fn line(&mut self, line: Line) -> Result<(), VerifyError> {
        let line = match line {
            Line::Header(header) => return self.header(&header),
            line => line,
        };
        let misplaced = self.malformed("no header before it, or it comes too late in its scope");
        let bad_value =
            self.malformed("a name, hash or other value has not the form that it must have");
        let (Some(scope), report) = (&mut self.scope, &mut self.report) else {
            return Err(misplaced);
        };
        let stage = stage_of(&line);
        if stage < scope.stage {
            return Err(misplaced);
        }
        scope.stage = stage;
        let taken = match line {
            Line::Header(_) => None,
            Line::Checkpoint(line) => {
                scope.checkpoint(&line.note, self.evidence, report);
                Some(())
            }
            Line::Entry(line) => line
                .entry(&scope.replay.scope)
                .map(|entry| scope.replay.entry(&entry, report)),
            Line::Zone(line) => scope.zone(&line, report),
            Line::Record(line) => line
                .row(&scope.replay.scope)
                .map(|row| scope.record(&row, report)),
            Line::Opening(line) => line
                .opening()
                .map(|opening| scope.opening(&opening, report)),
        };
        taken.ok_or(bad_value)
    }

    fn header(&mut self, header: &HeaderLine) -> Result<(), VerifyError> {
        self.close();
        if header.format != FORMAT || header.version != VERSION {
            return Err(self.malformed("not an export, or one of a version that is not known"));
        }
        let parsed = ScopeId::parse(&header.scope).zip(from_hexadecimal(&header.hash));
        let (scope, hash) = parsed.ok_or_else(|| self.malformed("scope or hash are malformed"))?;
        let faults_before = self.report.faults_count;
        let mut replay = Replay::new(scope.clone()).trusting(&self.evidence.trusted());
        for checkpoint in take_of(&mut self.kept, &scope) {
            replay.await_checkpoint(checkpoint, &mut self.report);
        }
        self.scope = Some(ScopeLines {
            replay,
            stage: Stage::Checkpoints,
            sequence: header.sequence,
            hash,
            faults_before,
            zones: BTreeSet::new(),
            records: BTreeSet::new(),
            openings: BTreeSet::new(),
            sees_all: header.openings == OpeningsLine::All,
        });
        Ok(())
    }

    /// Ends the scope before.
    fn close(&mut self) {
        let Some(mut scope) = self.scope.take() else {
            return;
        };
        let has_key = self.evidence.has_key();
        scope.end(has_key, &mut self.report);
        self.report.close_scope(
            &scope.replay.scope,
            scope.replay.counts,
            scope.faults_before,
        );
    }
}

fn stage_of(line: &Line) -> Stage {
    match line {
        Line::Header(_) | Line::Checkpoint(_) => Stage::Checkpoints,
        Line::Entry(_) => Stage::Entries,
        Line::Zone(_) => Stage::Zones,
        Line::Record(_) => Stage::Records,
        Line::Opening(_) => Stage::Openings,
    }
}

impl ScopeLines {
    fn fault(&self, cause: Cause, report: &mut Report) {
        report.fault(Fault::of_scope(&self.replay.scope, cause));
    }

    fn checkpoint(&mut self, note: &str, evidence: &Evidence, report: &mut Report) {
        match evidence.read_own(note) {
            None => report.note_unchecked_checkpoint(),
            Some(Err(fault)) => self.fault(Cause::CheckpointRefused(fault), report),
            Some(Ok(checkpoint)) if checkpoint.scope != self.replay.scope => {
                self.fault(Cause::CheckpointElsewhere(checkpoint.scope), report);
            }
            Some(Ok(checkpoint)) => self.replay.await_checkpoint(checkpoint, report),
        }
    }

    fn zone(&mut self, line: &ZoneLine, report: &mut Report) -> Option<()> {
        let tzif = line.bytes()?;
        self.replay.counts.zones += 1;
        self.zones.insert(line.digest.clone());
        if !is_genuine_zone(&line.digest, &tzif) {
            self.fault(Cause::ZoneAltered(line.digest.clone()), report);
        }
        Some(())
    }

    fn record(&mut self, row: &RecordRow, report: &mut Report) {
        self.replay.counts.records += 1;
        let name = (row.key.kind, row.key.id.clone());
        // A record that stands there twice follows from nothing the second time.
        let cause = if self.records.insert(name.clone()) {
            self.replay.compare(&name, Some(row))
        } else {
            Some(Cause::RecordUnfounded)
        };
        if let Some(cause) = cause {
            self.replay.report_record(&name, cause, report);
        }
    }

    fn opening(&mut self, opening: &Opening, report: &mut Report) {
        self.openings.insert(opening.commitment.clone());
        self.replay.opening(opening, report);
    }

    /// What can only be seen when everything was read.
    fn end(&mut self, has_key: bool, report: &mut Report) {
        let last = &self.replay.head;
        if last.sequence != self.sequence || last.hash != self.hash {
            let cause = Cause::HeadDiffers {
                expected: self.sequence,
                found: last.sequence,
            };
            self.fault(cause, report);
        }
        self.replay.end(report);
        for name in self.replay.names().difference(&self.records) {
            self.replay
                .report_record(name, Cause::RecordMissing, report);
        }
        for digest in self.replay.zone_digests().difference(&self.zones) {
            self.fault(Cause::ZoneMissing(digest.clone()), report);
        }
        let absent = self.replay.without_opening(&self.openings);
        self.replay.absent(&absent, self.sees_all, report);
        self.replay.check_divisions(report);
        if has_key && self.replay.counts.checkpoints == 0 {
            self.fault(Cause::CheckpointMissing, report);
        }
    }
}
