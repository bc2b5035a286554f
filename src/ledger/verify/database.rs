//! Verification of a database, which may be in use meanwhile.
//!
//! Entries and records are read one after the other, so a record may be newer than the entries
//! read so far. What does not agree at first is therefore only a suspect: it is read again between
//! two looks at the journal, and what the journal did not touch in between must agree.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::replay::{RecordName, Replay};
use super::report::{Cause, Fault, Report};
use super::{Evidence, Trusted, VerifyError, report_left, take_of};
use crate::domain::identity::ScopeId;
use crate::domain::journal::Head;
use crate::domain::record::{Kind, Record, RecordKey};
use crate::ledger::checkpoint::Checkpoint;
use crate::ledger::rows;
use crate::store::{ListQuery, RecordRow, Store};

/// Entries, records and openings read at a time.
const ROWS_AT_A_TIME: usize = 1_000;
/// Scopes read at a time.
const HEADS_AT_A_TIME: usize = 500;
/// Pieces of time zone data read at a time; each has some kilobytes.
const ZONES_AT_A_TIME: usize = 100;
/// How often a suspect is read again before it is reported as never at rest.
const ROUNDS_MAX: usize = 16;

/// Verifies one scope, or all of them.
///
/// # Errors
/// If the database does not answer, or has no such scope.
pub async fn verify_store(
    store: &dyn Store,
    scope: Option<&ScopeId>,
) -> Result<Report, VerifyError> {
    verify_store_with(store, scope, &Evidence::default()).await
}

/// As [`verify_store`], and holds kept checkpoints against the journal.
///
/// # Errors
/// As [`verify_store`].
pub async fn verify_store_with(
    store: &dyn Store,
    scope: Option<&ScopeId>,
    evidence: &Evidence,
) -> Result<Report, VerifyError> {
    let mut report = Report::default();
    let mut kept = evidence.kept(&mut report);
    let trusted = evidence.trusted();
    if let Some(scope) = scope {
        let heads = store.heads(std::slice::from_ref(scope)).await?;
        if heads.is_empty() {
            return Err(VerifyError::NoSuchScope(scope.clone()));
        }
        let checkpoints = take_of(&mut kept, scope);
        verify_scope(store, scope, (checkpoints, &trusted), &mut report).await?;
        return Ok(report);
    }
    let mut after = String::new();
    loop {
        let heads = store.list_heads(&after, HEADS_AT_A_TIME).await?;
        let Some(last) = heads.last() else { break };
        last.scope.as_str().clone_into(&mut after);
        for head in &heads {
            let checkpoints = take_of(&mut kept, &head.scope);
            verify_scope(store, &head.scope, (checkpoints, &trusted), &mut report).await?;
        }
    }
    report_left(kept, &mut report);
    Ok(report)
}

async fn verify_scope(
    store: &dyn Store,
    scope: &ScopeId,
    (checkpoints, trusted): (Vec<Checkpoint>, &Trusted),
    report: &mut Report,
) -> Result<(), VerifyError> {
    let faults_before = report.faults_count;
    let mut replay = Replay::new(scope.clone()).trusting(trusted);
    for checkpoint in checkpoints {
        replay.await_checkpoint(checkpoint, report);
    }
    catch_up(store, &mut replay, report).await?;
    verify_head(store, &mut replay, report).await?;
    replay.end(report);
    let suspects = suspects(store, &mut replay).await?;
    settle(store, &mut replay, suspects, report).await?;
    verify_zones(store, &mut replay, report).await?;
    verify_openings(store, &mut replay, report).await?;
    report.close_scope(scope, replay.counts, faults_before);
    Ok(())
}

/// Reads the entries that are there by now.
async fn catch_up(
    store: &dyn Store,
    replay: &mut Replay,
    report: &mut Report,
) -> Result<(), VerifyError> {
    loop {
        let entries = store
            .entries(&replay.scope, replay.head.sequence, ROWS_AT_A_TIME)
            .await?;
        for entry in &entries {
            replay.link(entry, report);
            replay.entry(entry, report);
        }
        if entries.len() < ROWS_AT_A_TIME {
            return Ok(());
        }
    }
}

/// The head must name the last entry: not one before it, and not one that is no longer there.
async fn verify_head(
    store: &dyn Store,
    replay: &mut Replay,
    report: &mut Report,
) -> Result<(), VerifyError> {
    let heads = store.heads(std::slice::from_ref(&replay.scope)).await?;
    let head = heads
        .into_iter()
        .next()
        .unwrap_or_else(|| Head::new(replay.scope.clone()));
    let mut named = replay.head.clone();
    if head.sequence > named.sequence {
        // Entries may have been appended since they were read; then the head's is among them.
        catch_up(store, replay, report).await?;
        let entries = store.entries(&replay.scope, head.sequence - 1, 1).await?;
        if let Some(entry) = entries.first() {
            named.advance(entry);
        }
    }
    if named != head {
        let cause = Cause::HeadDiffers {
            expected: head.sequence,
            found: replay.head.sequence,
        };
        report.fault(Fault::of_scope(&replay.scope, cause));
    }
    Ok(())
}

/// What is stored under a record's name.
struct StoredRecord {
    row: Option<RecordRow>,
    side_fault: Option<Cause>,
}

/// Compares all records once: those that do not agree, or are not there.
async fn suspects(
    store: &dyn Store,
    replay: &mut Replay,
) -> Result<BTreeSet<RecordName>, VerifyError> {
    let mut unseen = replay.names();
    let mut suspects = BTreeSet::new();
    for kind in Kind::ALL {
        let mut after_id = String::new();
        loop {
            let query = ListQuery {
                scope: replay.scope.clone(),
                kind: *kind,
                state: None,
                after_id: after_id.clone(),
                limit: ROWS_AT_A_TIME,
            };
            let rows = store.list_records(&query).await?;
            let Some(last) = rows.last() else { break };
            after_id.clone_from(&last.key.id);
            for row in rows {
                replay.counts.records += 1;
                let name = (row.key.kind, row.key.id.clone());
                unseen.remove(&name);
                let stored = with_side_rows(store, &row.key, Some(row.clone())).await?;
                let has_credential = matches!(row.key.kind, Kind::ApiKey | Kind::TrustedIdentity);
                replay.counts.credentials += u64::from(has_credential);
                if fault(replay, &name, &stored).is_some() {
                    suspects.insert(name);
                }
            }
        }
    }
    suspects.append(&mut unseen);
    Ok(suspects)
}

/// Reads suspects again until it is certain what is the matter with each.
async fn settle(
    store: &dyn Store,
    replay: &mut Replay,
    mut suspects: BTreeSet<RecordName>,
    report: &mut Report,
) -> Result<(), VerifyError> {
    for _ in 0..ROUNDS_MAX {
        if suspects.is_empty() {
            return Ok(());
        }
        catch_up(store, replay, report).await?;
        replay.take_touched();
        let stored = read_again(store, replay, &suspects).await?;
        catch_up(store, replay, report).await?;
        let touched = replay.take_touched();
        for (name, stored) in stored.iter().filter(|(name, _)| !touched.contains(*name)) {
            suspects.remove(name);
            if let Some(cause) = fault(replay, name, stored) {
                replay.report_record(name, cause, report);
            }
        }
    }
    for name in &suspects {
        replay.report_record(name, Cause::RecordUnsettled, report);
    }
    Ok(())
}

async fn read_again(
    store: &dyn Store,
    replay: &Replay,
    names: &BTreeSet<RecordName>,
) -> Result<BTreeMap<RecordName, StoredRecord>, VerifyError> {
    let mut found = BTreeMap::new();
    let names: Vec<_> = names.iter().collect();
    for names in names.chunks(ROWS_AT_A_TIME) {
        let keys: Vec<_> = names.iter().map(|name| replay.key(name)).collect();
        let rows = store.records(&keys).await?;
        let mut rows: BTreeMap<RecordKey, RecordRow> =
            rows.into_iter().map(|row| (row.key.clone(), row)).collect();
        for (name, key) in names.iter().zip(&keys) {
            found.insert(
                (*name).clone(),
                with_side_rows(store, key, rows.remove(key)).await?,
            );
        }
    }
    Ok(found)
}

/// Adds what is wrong with the rows that go with a record.
async fn with_side_rows(
    store: &dyn Store,
    key: &RecordKey,
    row: Option<RecordRow>,
) -> Result<StoredRecord, VerifyError> {
    let side_fault = match &row {
        Some(row) => side_fault(store, key, row).await?,
        None => None,
    };
    Ok(StoredRecord { row, side_fault })
}

/// Credentials and external references are recognised by tables of their own, which must say what
/// the records say.
async fn side_fault(
    store: &dyn Store,
    key: &RecordKey,
    row: &RecordRow,
) -> Result<Option<Cause>, VerifyError> {
    let Ok(versioned) = rows::decode_row(row) else {
        return Ok(None);
    };
    if let Some(expected) = rows::credential_row(key, &versioned.record)? {
        let mut found = store.credentials(std::slice::from_ref(&key.id)).await?;
        for row in &mut found {
            // Not journalled.
            row.last_used_at = None;
        }
        return Ok((found != [expected]).then_some(Cause::CredentialDiffers));
    }
    match &versioned.record {
        Record::Reference(reference) => {
            let Some(kind) = Kind::parse(&reference.kind) else {
                return Ok(Some(Cause::ReferenceDiffers));
            };
            let target = RecordKey::new(&key.scope, kind, reference.id.as_str());
            let rows = store.references_of(std::slice::from_ref(&target)).await?;
            let agrees = rows.iter().any(|row| row.reference == reference.reference);
            Ok((!agrees).then_some(Cause::ReferenceDiffers))
        }
        _ => Ok(None),
    }
}

fn fault(replay: &Replay, name: &RecordName, stored: &StoredRecord) -> Option<Cause> {
    let cause = replay.compare(name, stored.row.as_ref());
    cause.or_else(|| stored.side_fault.clone())
}

async fn verify_zones(
    store: &dyn Store,
    replay: &mut Replay,
    report: &mut Report,
) -> Result<(), VerifyError> {
    let digests: Vec<String> = replay.zone_digests().into_iter().collect();
    for digests in digests.chunks(ZONES_AT_A_TIME) {
        let keys: Vec<_> = digests
            .iter()
            .map(|digest| (replay.scope.clone(), digest.clone()))
            .collect();
        let mut missing: BTreeSet<&String> = digests.iter().collect();
        for zone in store.zones(&keys).await? {
            replay.counts.zones += 1;
            missing.remove(&zone.digest);
            if !is_genuine_zone(&zone.digest, &zone.tzif) {
                report.fault(Fault::of_scope(
                    &replay.scope,
                    Cause::ZoneAltered(zone.digest),
                ));
            }
        }
        for digest in missing {
            report.fault(Fault::of_scope(
                &replay.scope,
                Cause::ZoneMissing(digest.clone()),
            ));
        }
    }
    Ok(())
}

/// Whether time zone data has the digest under which it is known.
pub(super) fn is_genuine_zone(digest: &str, tzif: &[u8]) -> bool {
    data_encoding::HEXLOWER.encode(&Sha256::digest(tzif)) == digest
}

/// Every opening must be genuine, and there for whatever the journal commits to unless it was
/// redacted.
async fn verify_openings(
    store: &dyn Store,
    replay: &mut Replay,
    report: &mut Report,
) -> Result<(), VerifyError> {
    let mut present = BTreeSet::new();
    let mut after = String::new();
    loop {
        let openings = store
            .list_openings(&replay.scope, &after, ROWS_AT_A_TIME)
            .await?;
        let Some(last) = openings.last() else { break };
        last.commitment.as_str().clone_into(&mut after);
        for opening in &openings {
            replay.opening(opening, report);
            present.insert(opening.commitment.clone());
        }
    }
    let absent = replay.without_opening(&present);
    // What was redacted meanwhile is in the journal by now.
    if absent.iter().any(|gone| !replay.is_redacted(gone)) {
        catch_up(store, replay, report).await?;
    }
    replay.absent(&absent, true, report);
    replay.check_divisions(report);
    Ok(())
}
