//! Writing an export.

use std::io::Write;

use super::VerifyError;
use super::lines::{
    CheckpointLine, EntryLine, HeaderLine, Line, OpeningLine, OpeningsLine, RecordLine, ZoneLine,
};
use super::replay::Replay;
use super::report::{Counts, Report};
use crate::domain::commitment::Readers;
use crate::domain::identity::{PartyId, ScopeId};
use crate::domain::journal::Head;
use crate::domain::record::Kind;
use crate::ledger::checkpoint::CheckpointSigner;
use crate::store::{ListQuery, RecordRow, Store};

/// Entries, records and openings read at a time.
const ROWS_AT_A_TIME: usize = 1_000;
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
    let heads = store.heads(std::slice::from_ref(scope)).await?;
    let head = heads
        .first()
        .ok_or_else(|| VerifyError::NoSuchScope(scope.clone()))?;
    write_line(out, &Line::Header(HeaderLine::of(head, openings.line())))?;
    write_line(
        out,
        &Line::Checkpoint(CheckpointLine {
            note: signer.sign(head),
        }),
    )?;
    let mut replay = write_entries(store, head, out).await?;
    replay.counts.checkpoints = 1;
    write_zones(store, &mut replay, out).await?;
    write_records(store, &mut replay, head, out).await?;
    if *openings != OpeningsFor::Nobody {
        write_openings(store, &mut replay, openings, out).await?;
    }
    out.flush()?;
    Ok(replay.counts)
}

/// Writes one line.
pub(super) fn write_line(out: &mut dyn Write, line: &Line) -> Result<(), VerifyError> {
    serde_json::to_writer(&mut *out, line).map_err(std::io::Error::from)?;
    out.write_all(b"\n")?;
    Ok(())
}

/// Writes the entries up to `head`. What is wrong with them is for the verifier to say.
async fn write_entries(
    store: &dyn Store,
    head: &Head,
    out: &mut (dyn Write + Send),
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
            write_line(out, &Line::Entry(line))?;
        }
    }
    Ok(replay)
}

async fn write_zones(
    store: &dyn Store,
    replay: &mut Replay,
    out: &mut (dyn Write + Send),
) -> Result<(), VerifyError> {
    let digests: Vec<String> = replay.zone_digests().into_iter().collect();
    for digests in digests.chunks(ZONES_AT_A_TIME) {
        let keys: Vec<_> = digests
            .iter()
            .map(|digest| (replay.scope.clone(), digest.clone()))
            .collect();
        for zone in store.zones(&keys).await? {
            replay.counts.zones += 1;
            write_line(out, &Line::Zone(ZoneLine::of(&zone.digest, &zone.tzif)))?;
        }
    }
    Ok(())
}

async fn write_records(
    store: &dyn Store,
    replay: &mut Replay,
    head: &Head,
    out: &mut (dyn Write + Send),
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
                    write_line(out, &Line::Record(RecordLine::of(row)))?;
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
    openings: &OpeningsFor,
    out: &mut (dyn Write + Send),
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
        for opening in found
            .into_iter()
            .filter(|opening| openings.include(&opening.readers))
        {
            replay.counts.openings += 1;
            write_line(out, &Line::Opening(OpeningLine::of(opening)))?;
        }
    }
}
