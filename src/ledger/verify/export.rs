//! Writing an export.

use std::collections::HashSet;
use std::io::Write;

use super::VerifyError;
use super::lines::{
    CheckpointLine, EntryLine, HeaderLine, Line, OpeningLine, OpeningsLine, RecordLine, ZoneLine,
};
use super::replay::Replay;
use super::report::{Counts, Report};
use crate::domain::commitment::{Opening, Readers};
use crate::domain::identity::{PartyId, ScopeId};
use crate::domain::journal::Head;
use crate::domain::record::Kind;
use crate::ledger::checkpoint::CheckpointSigner;
use crate::ledger::history::{cosignatures, head_of};
use crate::store::{ListQuery, RecordRow, Store};

/// Entries, records and openings read at a time.
const ROWS_AT_A_TIME: usize = 1_000;
/// Length of a hash in hexadecimal.
const HASH_DIGITS: usize = 64;
/// Pieces of time zone data read at a time.
const ZONES_AT_A_TIME: usize = 100;

/// Whose openings an export holds: what a reader may read, and nothing more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpeningsFor {
    /// None: sealed values stay sealed.
    Nobody,
    /// Those that this party of the scope may read.
    Party(PartyId),
    /// All of them, for the operator's own safekeeping.
    Operator,
}

impl OpeningsFor {
    const fn line(&self) -> OpeningsLine {
        match self {
            Self::Nobody => OpeningsLine::None,
            Self::Party(_) => OpeningsLine::Party,
            Self::Operator => OpeningsLine::All,
        }
    }

    fn include(&self, readers: &Readers) -> bool {
        match self {
            Self::Nobody => false,
            Self::Party(party) => readers.include(party),
            Self::Operator => true,
        }
    }
}

/// Where the lines of an export go, one after the other.
#[async_trait::async_trait]
pub trait ExportSink: Send {
    /// Takes one line, its end included.
    ///
    /// # Errors
    /// If it cannot be taken; the export ends then.
    async fn line(&mut self, line: &[u8]) -> std::io::Result<()>;
}

/// Writes the lines to a file, or to whatever else takes bytes.
pub(super) struct WriterSink<'out>(pub(super) &'out mut (dyn Write + Send));

#[async_trait::async_trait]
impl ExportSink for WriterSink<'_> {
    async fn line(&mut self, line: &[u8]) -> std::io::Result<()> {
        self.0.write_all(line)
    }
}

/// What of a scope is exported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportRange {
    /// Which scope.
    pub scope: ScopeId,
    /// With whose openings.
    pub openings: OpeningsFor,
    /// The last entry, if not the present head: everything is then as it was after that entry, and
    /// there are no openings of what came later.
    pub until: Option<u64>,
}

/// Writes a scope as it is now: entries up to the present head, the records that follow from
/// them, time zone data, and the openings asked for, under a signed checkpoint. The format is
/// NDJSON: `header`, `checkpoint`, then every `entry`, `zone`, `record` and `opening`, one JSON
/// object a line. Returns how much was written.
///
/// # Errors
/// If the database or the file fails, or there is no such scope.
pub async fn export_scope(
    store: &dyn Store,
    scope: &ScopeId,
    openings: &OpeningsFor,
    signer: &CheckpointSigner,
    out: &mut (dyn Write + Send),
) -> Result<Counts, VerifyError> {
    let range = ExportRange {
        scope: scope.clone(),
        openings: openings.clone(),
        until: None,
    };
    let counts = export_range(store, &range, signer, &mut WriterSink(&mut *out)).await?;
    out.flush()?;
    Ok(counts)
}

/// As [`export_scope`], up to an entry, and to any sink.
///
/// # Errors
/// If the database or the sink fails, or there is no such scope or entry.
pub async fn export_range(
    store: &dyn Store,
    range: &ExportRange,
    signer: &CheckpointSigner,
    out: &mut dyn ExportSink,
) -> Result<Counts, VerifyError> {
    let scope = &range.scope;
    let head = head_of(store, scope, range.until).await?;
    let head = &head.ok_or_else(|| VerifyError::NoSuchScope(scope.clone()))?;
    write_line(
        out,
        &Line::Header(HeaderLine::of(head, range.openings.line())),
    )
    .await?;
    let note = signer.sign(head);
    write_line(out, &Line::Checkpoint(CheckpointLine { note })).await?;
    let cosigned = write_cosigned(store, head, signer, out).await?;
    let mut committed = range.until.map(|_| HashSet::new());
    let mut replay = write_entries(store, head, &mut committed, out).await?;
    replay.counts.checkpoints = 1 + cosigned;
    write_zones(store, &mut replay, out).await?;
    write_records(store, &mut replay, head, out).await?;
    if range.openings != OpeningsFor::Nobody {
        let included = |opening: &Opening| {
            let is_known = |known: &HashSet<String>| known.contains(opening.commitment.as_str());
            range.openings.include(&opening.readers) && committed.as_ref().is_none_or(is_known)
        };
        write_openings(store, &mut replay, included, out).await?;
    }
    Ok(replay.counts)
}

/// Writes one line.
async fn write_line(out: &mut dyn ExportSink, line: &Line) -> Result<(), VerifyError> {
    let mut bytes = serde_json::to_vec(line).map_err(std::io::Error::from)?;
    bytes.push(b'\n');
    Ok(out.line(&bytes).await?)
}

/// Writes the latest checkpoint that each firm had cosigned by `head`; returns how many.
async fn write_cosigned(
    store: &dyn Store,
    head: &Head,
    signer: &CheckpointSigner,
    out: &mut dyn ExportSink,
) -> Result<u64, VerifyError> {
    let mut written = 0;
    for cosignature in cosignatures(store, &head.scope, head.sequence).await? {
        if let Some(note) = signer.cosigned(&head.scope, &cosignature) {
            write_line(out, &Line::Checkpoint(CheckpointLine { note })).await?;
            written += 1;
        }
    }
    Ok(written)
}

/// The hashes that a payload names, commitments among them: its strings of 64 hexadecimal digits.
fn named_hashes(payload: &str) -> impl Iterator<Item = &str> {
    let is_hash = |text: &&str| {
        text.len() == HASH_DIGITS && text.bytes().all(|digit| digit.is_ascii_hexdigit())
    };
    payload.split('"').filter(is_hash)
}

/// Writes the entries up to `head`. What is wrong with them is for the verifier to say.
async fn write_entries(
    store: &dyn Store,
    head: &Head,
    committed: &mut Option<HashSet<String>>,
    out: &mut dyn ExportSink,
) -> Result<Replay, VerifyError> {
    let mut replay = Replay::new(head.scope.clone());
    let mut ignored = Report::default();
    let mut after = 0;
    while after < head.sequence {
        let entries = store.entries(&head.scope, after, ROWS_AT_A_TIME).await?;
        let Some(last) = entries.last() else { break };
        after = last.sequence;
        for entry in entries
            .into_iter()
            .filter(|entry| entry.sequence <= head.sequence)
        {
            replay.entry(&entry, &mut ignored);
            let sequence = entry.sequence;
            let line = EntryLine::of(entry).ok_or_else(|| VerifyError::NotText {
                scope: head.scope.clone(),
                sequence,
            })?;
            if let Some(committed) = committed {
                committed.extend(named_hashes(&line.payload).map(str::to_owned));
            }
            write_line(out, &Line::Entry(line)).await?;
        }
    }
    Ok(replay)
}

async fn write_zones(
    store: &dyn Store,
    replay: &mut Replay,
    out: &mut dyn ExportSink,
) -> Result<(), VerifyError> {
    let digests: Vec<String> = replay.zone_digests().into_iter().collect();
    for digests in digests.chunks(ZONES_AT_A_TIME) {
        let keys: Vec<_> = digests
            .iter()
            .map(|digest| (replay.scope.clone(), digest.clone()))
            .collect();
        for zone in store.zones(&keys).await? {
            replay.counts.zones += 1;
            write_line(out, &Line::Zone(ZoneLine::of(&zone.digest, &zone.tzif))).await?;
        }
    }
    Ok(())
}

async fn write_records(
    store: &dyn Store,
    replay: &mut Replay,
    head: &Head,
    out: &mut dyn ExportSink,
) -> Result<(), VerifyError> {
    for kind in Kind::ALL {
        let mut after_id = String::new();
        loop {
            let query = ListQuery {
                scope: head.scope.clone(),
                kind: *kind,
                state: None,
                after_id: after_id.clone(),
                limit: ROWS_AT_A_TIME,
            };
            let rows = store.list_records(&query).await?;
            let Some(last) = rows.last() else { break };
            after_id.clone_from(&last.key.id);
            for row in rows {
                if let Some(row) = as_of_head(replay, head, row) {
                    replay.counts.records += 1;
                    write_line(out, &Line::Record(RecordLine::of(row))).await?;
                }
            }
        }
    }
    Ok(())
}

/// A record as it was at `head`, `None` if it was created later. The database may be in use: a
/// record that has changed since is taken from the replay, every other exactly as it is stored.
fn as_of_head(replay: &Replay, head: &Head, row: RecordRow) -> Option<RecordRow> {
    let name = (row.key.kind, row.key.id.clone());
    Some(row)
        .filter(|row| row.sequence <= head.sequence)
        .or_else(|| replay.row(&name))
}

async fn write_openings(
    store: &dyn Store,
    replay: &mut Replay,
    included: impl Fn(&Opening) -> bool,
    out: &mut dyn ExportSink,
) -> Result<(), VerifyError> {
    let mut after = String::new();
    loop {
        let found = store
            .list_openings(&replay.scope, &after, ROWS_AT_A_TIME)
            .await?;
        let Some(last) = found.last() else {
            return Ok(());
        };
        last.commitment.as_str().clone_into(&mut after);
        for opening in found.into_iter().filter(&included) {
            replay.counts.openings += 1;
            write_line(out, &Line::Opening(OpeningLine::of(opening))).await?;
        }
    }
}
