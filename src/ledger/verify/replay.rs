//! One scope replayed: its chain followed, its events applied, its records as they must be.

use std::collections::{BTreeMap, BTreeSet};

use super::Trusted;
use super::report::{Cause, Counts, Fault, Report};
use crate::domain::commitment::{Commitment, Opening};
use crate::domain::cosignature::CosignatureEvent;
use crate::domain::format::Format;
use crate::domain::identity::ScopeId;
use crate::domain::journal::{Entry, GENESIS, Hash, Head, follow};
use crate::domain::pricing::quote::blind::{self, CostFault};
use crate::domain::pricing::quote::portion::Portion;
use crate::domain::pricing::quote::sealed::DIVIDED_LABELS;
use crate::domain::pricing::quote::split::{FIRST_PREVIOUS_HASH, RevisionPlace};
use crate::domain::pricing::quote::{JointQuote, cost};
use crate::domain::record::{EventBody, Kind, Record, RecordKey};
use crate::domain::signing::{SIGNED_KINDS, statement};
use crate::domain::world::Versioned;
use crate::ledger::checkpoint::Checkpoint;
use crate::ledger::history::applied;
use crate::ledger::rows;
use crate::store::RecordRow;

/// A record within its scope.
pub(super) type RecordName = (Kind, String);

/// A scope, as far as its entries were read.
pub(super) struct Replay {
    pub scope: ScopeId,
    pub head: Head,
    pub counts: Counts,
    records: BTreeMap<RecordName, Versioned>,
    /// Whatever the entries commit to.
    cited: BTreeSet<Commitment>,
    /// Records whose history cannot be applied; one fault says so, further ones would not help.
    damaged: BTreeSet<RecordName>,
    /// Records that changed since [`Self::take_touched`].
    touched: BTreeSet<RecordName>,
    /// Checkpoints whose entry was not read yet.
    awaited: Vec<Checkpoint>,
    /// The openings from which divisions by sealed costs, and what follows from these, can be made again.
    divided: Vec<Opening>,
    /// The hashes of the entries so far, by sequence from 1.
    hashes: Vec<Hash>,
    /// The keys that the verifier knows to be of firms.
    trusted: Trusted,
}

impl Replay {
    /// A replay before the first entry.
    pub fn new(scope: ScopeId) -> Self {
        Self {
            head: Head::new(scope.clone()),
            scope,
            counts: Counts::default(),
            records: BTreeMap::new(),
            cited: BTreeSet::new(),
            damaged: BTreeSet::new(),
            touched: BTreeSet::new(),
            awaited: Vec::new(),
            divided: Vec::new(),
            hashes: Vec::new(),
            trusted: Trusted::new(),
        }
    }

    /// The same for a verifier who knows keys of firms.
    pub fn trusting(mut self, trusted: &Trusted) -> Self {
        self.trusted.clone_from(trusted);
        self
    }

    /// Holds a checkpoint against the entries to come.
    pub fn await_checkpoint(&mut self, checkpoint: Checkpoint, report: &mut Report) {
        self.counts.checkpoints += 1;
        if checkpoint.sequence > self.head.sequence {
            self.awaited.push(checkpoint);
        } else if checkpoint.sequence > 0 || checkpoint.hash != GENESIS {
            let cause = Cause::CheckpointContradicted(checkpoint.sequence);
            report.fault(Fault::of_scope(&self.scope, cause));
        }
    }

    /// Follows the chain by one entry and applies its event.
    pub fn entry(&mut self, entry: &Entry, report: &mut Report) {
        self.counts.entries += 1;
        let sequence = entry.sequence;
        if let Err(fault) = follow(&mut self.head, entry) {
            report.fault(self.fault_at(entry, Cause::Chain(fault)));
            // Go on from here, so that one fault is not reported as many.
            self.head.advance(entry);
        }
        let (reached, awaited): (Vec<_>, Vec<_>) = std::mem::take(&mut self.awaited)
            .into_iter()
            .partition(|checkpoint| checkpoint.sequence == sequence);
        self.awaited = awaited;
        if reached
            .iter()
            .any(|checkpoint| checkpoint.hash != entry.hash)
        {
            report.fault(self.fault_at(entry, Cause::CheckpointContradicted(sequence)));
        }
        // Where entries are missing or doubled there is a fault already.
        if u64::try_from(self.hashes.len() + 1) == Ok(sequence) {
            self.hashes.push(entry.hash);
        }
        if let Err(message) = self.apply(entry) {
            report.fault(self.fault_at(entry, Cause::EventUnusable(message)));
        }
        self.check_statement(entry, report);
    }

    /// Checks that an entry, not followed yet, names the one that changed the same record before.
    /// Only a database knows that; an export does not tell it.
    pub fn link(&self, entry: &Entry, report: &mut Report) {
        let Some(kind) = Kind::parse(&entry.kind) else {
            return;
        };
        let name = (kind, entry.id.clone());
        let previous = self.record(&name).map(|record| record.sequence);
        if previous != entry.previous_sequence && !self.damaged.contains(&name) {
            report.fault(self.fault_at(entry, Cause::HistoryUnlinked));
        }
    }

    fn fault_at(&self, entry: &Entry, cause: Cause) -> Fault {
        Fault::of_scope(&self.scope, cause)
            .at(entry.sequence)
            .on(&entry.kind, &entry.id)
    }

    /// Checks again what the entry says that a firm signed, and a cosigned checkpoint against the
    /// entries so far.
    fn check_statement(&mut self, entry: &Entry, report: &mut Report) {
        let kind = Kind::parse(&entry.kind).filter(|kind| SIGNED_KINDS.contains(kind));
        let event = kind.and_then(|kind| {
            let version = entry.event_version;
            EventBody::decode(kind, &entry.event_type, version, &entry.payload).ok()
        });
        let Some(event) = event else { return };
        if let Some(statement) = statement(&self.scope, &entry.id, &event) {
            self.counts.signatures += 1;
            let key = &statement.signature.public_key;
            let known = self.trusted.get(&entry.firm);
            if !statement.is_genuine() {
                report.fault(self.fault_at(entry, Cause::SignatureFalse));
            } else if known.is_some_and(|known| !known.contains(key)) {
                report.fault(self.fault_at(entry, Cause::SignatureForeign(key.id())));
            }
        }
        if let EventBody::Cosignature(CosignatureEvent::Cosigned(cosigned)) = &event {
            let index = usize::try_from(cosigned.sequence).ok();
            let index = index.and_then(|sequence| sequence.checked_sub(1));
            let hash = index.and_then(|index| self.hashes.get(index).copied());
            if hash.is_none() || hash != cosigned.signed_hash() {
                let cause = Cause::CheckpointContradicted(cosigned.sequence);
                report.fault(self.fault_at(entry, cause));
            }
        }
    }

    fn apply(&mut self, entry: &Entry) -> Result<(), String> {
        let kind =
            Kind::parse(&entry.kind).ok_or_else(|| format!("unknown kind {}", entry.kind))?;
        let name = (kind, entry.id.clone());
        self.touched.insert(name.clone());
        if self.damaged.contains(&name) {
            return Ok(());
        }
        let previous = self.records.remove(&name);
        match applied(kind, entry, previous) {
            Ok((versioned, cited)) => {
                self.cited.extend(cited);
                self.records.insert(name, versioned);
                Ok(())
            }
            Err(message) => {
                self.damaged.insert(name);
                Err(message)
            }
        }
    }

    /// What is wrong at the end of the chain: checkpoints that name entries beyond it.
    pub fn end(&mut self, report: &mut Report) {
        for checkpoint in std::mem::take(&mut self.awaited) {
            let cause = Cause::CheckpointAhead {
                sequence: checkpoint.sequence,
                last: self.head.sequence,
            };
            report.fault(Fault::of_scope(&self.scope, cause));
        }
    }

    /// The records that changed since this was last asked.
    pub fn take_touched(&mut self) -> BTreeSet<RecordName> {
        std::mem::take(&mut self.touched)
    }

    /// Names of all records that must be there.
    pub fn names(&self) -> BTreeSet<RecordName> {
        self.records.keys().cloned().collect()
    }

    /// A record as it must be.
    pub fn record(&self, name: &RecordName) -> Option<&Versioned> {
        self.records.get(name)
    }

    /// The row that must be stored for a record.
    pub fn row(&self, name: &RecordName) -> Option<RecordRow> {
        rows::encode_row(&self.key(name), self.record(name)?, Format::NEWEST).ok()
    }

    /// The full key of a record.
    pub fn key(&self, (kind, id): &RecordName) -> RecordKey {
        RecordKey::new(&self.scope, *kind, id.as_str())
    }

    /// What is wrong with a record as it is stored, or as it is not.
    pub fn compare(&self, name: &RecordName, stored: Option<&RecordRow>) -> Option<Cause> {
        if self.damaged.contains(name) {
            return None;
        }
        match (self.record(name), stored) {
            (None, None) => None,
            (Some(_), None) => Some(Cause::RecordMissing),
            (None, Some(_)) => Some(Cause::RecordUnfounded),
            (Some(expected), Some(stored)) => {
                let fields = differences(&self.key(name), expected, stored);
                (!fields.is_empty()).then_some(Cause::RecordDiffers(fields))
            }
        }
    }

    /// Reports a fault of a record.
    pub fn report_record(&self, name: &RecordName, cause: Cause, report: &mut Report) {
        report.fault(Fault::of_scope(&self.scope, cause).on(name.0.as_str(), &name.1));
    }

    /// Whether a redaction says that the opening of `commitment` was erased.
    pub fn is_redacted(&self, commitment: &Commitment) -> bool {
        let name = (Kind::Redaction, commitment.as_str().to_owned());
        self.records.contains_key(&name)
    }

    /// Whatever the entries commit to and is not among `present`.
    pub fn without_opening(&self, present: &BTreeSet<Commitment>) -> Vec<Commitment> {
        self.cited.difference(present).cloned().collect()
    }

    /// Looks at an opening that is there.
    pub fn opening(&mut self, opening: &Opening, report: &mut Report) {
        self.counts.openings += 1;
        let label = opening.label.as_str();
        if label == cost::LABEL || DIVIDED_LABELS.contains(&label) {
            self.divided.push(opening.clone());
        }
        let commitment = opening.commitment.as_str().to_owned();
        if !opening.is_genuine() {
            let cause = Cause::OpeningFalse(commitment.clone());
            report.fault(Fault::of_scope(&self.scope, cause));
        }
        if self.is_redacted(&opening.commitment) {
            let cause = Cause::OpeningNotErased(commitment);
            report.fault(Fault::of_scope(&self.scope, cause));
        }
    }

    /// Says of openings that are not there why: erased, sealed where the verifier may not see all, or
    /// missing.
    pub fn absent(&mut self, absent: &[Commitment], sees_all: bool, report: &mut Report) {
        for commitment in absent {
            if self.is_redacted(commitment) {
                self.counts.erased += 1;
            } else if sees_all {
                let cause = Cause::OpeningMissing(commitment.as_str().to_owned());
                report.fault(Fault::of_scope(&self.scope, cause));
            } else {
                self.counts.sealed += 1;
            }
        }
    }

    /// Divides every concession again, and works out what was booked, taken back and settled, as far as
    /// the openings are there; after all of these were read.
    pub fn check_divisions(&mut self, report: &mut Report) {
        let openings = std::mem::take(&mut self.divided).into_iter();
        let openings: BTreeMap<Commitment, Opening> = openings
            .map(|opening| (opening.commitment.clone(), opening))
            .collect();
        let mut false_ones = Vec::new();
        for (name, versioned) in &self.records {
            let Record::JointQuote(quote) = &versioned.record else {
                continue;
            };
            for number in 1..=quote.revisions.len() {
                let genuine = is_divided_so(&self.scope, &name.1, quote, number, &openings);
                self.counts.divisions += u64::from(genuine.is_some());
                if genuine == Some(false) {
                    false_ones.push((name.clone(), number));
                }
            }
        }
        for (name, number) in false_ones {
            self.report_record(&name, Cause::DivisionFalse(number), report);
        }
        self.check_sales(&openings, report);
    }

    /// Every record as it must be.
    pub(super) fn records(&self) -> impl Iterator<Item = (&RecordName, &Versioned)> {
        self.records.iter()
    }

    /// Digests of the time zone data that must be there.
    pub fn zone_digests(&self) -> BTreeSet<String> {
        let digest = |(name, versioned): (&RecordName, &Versioned)| match &versioned.record {
            Record::Zone(_) => Some(name.1.clone()),
            Record::CalendarRevision(revision) => Some(revision.zone_digest.clone()),
            _ => None,
        };
        self.records.iter().filter_map(digest).collect()
    }
}

/// The columns in which a record and its row differ; bodies are compared as JSON.
pub(in crate::ledger) fn differences(
    key: &RecordKey,
    expected: &Versioned,
    stored: &RecordRow,
) -> Vec<&'static str> {
    let Ok(row) = rows::encode_row(key, expected, Format::NEWEST) else {
        return vec!["body"];
    };
    // What has not changed since a newer format was activated is stored in an older version.
    let is_older = stored.body_version < row.body_version
        && rows::decode_row(stored).is_ok_and(|stored| stored.record == expected.record);
    let expected = row;
    let columns = [
        ("revision", expected.revision == stored.revision),
        ("sequence", expected.sequence == stored.sequence),
        ("state", expected.state == stored.state),
        ("due_at", expected.due_at == stored.due_at),
        ("created_at", expected.created_at == stored.created_at),
        ("updated_at", expected.updated_at == stored.updated_at),
        (
            "body_version",
            is_older || expected.body_version == stored.body_version,
        ),
        (
            "body",
            is_older || is_same_json(&expected.body, &stored.body),
        ),
    ];
    columns
        .into_iter()
        .filter(|(_, same)| !same)
        .map(|(column, _)| column)
        .collect()
}

fn is_same_json(one: &str, other: &str) -> bool {
    if one == other {
        return true;
    }
    let parse = |text| serde_json::from_str::<serde_json::Value>(text).ok();
    parse(one).is_some_and(|one| Some(one) == parse(other))
}

/// Whether dividing again gives a revision as it stands there; `None` if openings that it takes are not
/// there.
fn is_divided_so(
    scope: &ScopeId,
    id: &str,
    quote: &JointQuote,
    number: usize,
    openings: &BTreeMap<Commitment, Opening>,
) -> Option<bool> {
    let split = &quote.revisions.get(number.checked_sub(1)?)?.split;
    let before = number.checked_sub(2).and_then(|it| quote.revisions.get(it));
    let previous_hash = before.map_or(FIRST_PREVIOUS_HASH, |before| &before.split.hash);
    let place = RevisionPlace {
        scope,
        quote: id,
        number: split.number,
        previous_hash,
    };
    if split.previous_hash != previous_hash {
        return Some(false);
    }
    if split.sealed_lines().next().is_none() {
        return Some(split.is_genuine(place, &quote.portions));
    }
    let has_line = |portion: &&Portion| split.line(&portion.id).is_some();
    let divided = quote.portions.iter().filter(has_line).cloned();
    let divided: Vec<Portion> = divided.collect();
    let needed = blind::needed(&split.proposal.basis, &divided);
    let needed = needed.filter_map(|portion| openings.get(portion.internal_cost.as_ref()?));
    let needed: Vec<Opening> = needed.cloned().collect();
    let costs = match blind::costs(&split.proposal.basis, &divided, quote.currency, &needed) {
        Ok(costs) => costs,
        Err(CostFault::Closed(_)) => return None,
        // Nobody could have divided by these.
        Err(CostFault::NotStated(_) | CostFault::Unfit(_)) => return Some(false),
    };
    let is_no_line = |opening: &Opening| blind::line_of(&opening.value).is_none();
    let mut lines = split.sealed_lines().filter_map(|it| openings.get(it));
    if lines.any(is_no_line) {
        return Some(false);
    }
    let read = |commitment: &Commitment| openings.get(commitment).map(|it| it.value.clone());
    split.is_genuine_by(place, &divided, &costs, read)
}
