//! Records as they were, from the entries that changed them.

use crate::domain::aggregate::Recorded;
use crate::domain::commitment::Commitment;
use crate::domain::cosignature::Cosignature;
use crate::domain::identity::{FirmId, ScopeId};
use crate::domain::journal::{Entry, Head};
use crate::domain::record::{EventBody, Kind, Record, RecordKey, Stored};
use crate::domain::world::Versioned;
use crate::ledger::rows;
use crate::store::{ListQuery, Store, StoreError};

/// Entries read at a time.
const ENTRIES_AT_A_TIME: usize = 500;
/// Parties of a partnership whose cosignatures are shown, those that left included.
const PARTIES_NUMBERED_MAX: usize = 100;

/// The record as it was after the entry `sequence`; `None` if there was none yet. Made for records
/// that change seldom: every entry about it is read.
///
/// # Errors
/// If the store fails, or the journal is damaged.
pub async fn as_of(
    store: &dyn Store,
    key: &RecordKey,
    sequence: u64,
) -> Result<Option<Versioned>, StoreError> {
    let mut found = None;
    let mut after = 0;
    loop {
        let entries = store.entries_of(key, after, ENTRIES_AT_A_TIME).await?;
        let is_last = entries.len() < ENTRIES_AT_A_TIME;
        for entry in entries {
            if entry.sequence > sequence {
                return Ok(found);
            }
            after = entry.sequence;
            let (versioned, _) = applied(key.kind, &entry, found).map_err(StoreError::Corrupt)?;
            found = Some(versioned);
        }
        if is_last {
            return Ok(found);
        }
    }
}

/// The latest checkpoint that each party of a partnership had cosigned by the entry `until`, by party.
///
/// # Errors
/// If the store fails, or the journal is damaged.
pub async fn cosignatures(
    store: &dyn Store,
    scope: &ScopeId,
    until: u64,
) -> Result<Vec<Cosignature>, StoreError> {
    let query = ListQuery {
        scope: scope.clone(),
        kind: Kind::Cosignature,
        state: None,
        after_id: String::new(),
        limit: PARTIES_NUMBERED_MAX,
    };
    let mut found = Vec::new();
    for row in store.list_records(&query).await? {
        let versioned = if row.sequence <= until {
            Some(rows::decode_row(&row)?)
        } else {
            as_of(store, &row.key, until).await?
        };
        let record = versioned.map(|versioned| versioned.record);
        found.extend(record.and_then(|record| Cosignature::from_record(&record).cloned()));
    }
    Ok(found)
}

/// The end of a scope, or, with `until`, as it was after that entry; `None` without such a scope or
/// entry.
///
/// # Errors
/// If the store fails.
pub async fn head_of(
    store: &dyn Store,
    scope: &ScopeId,
    until: Option<u64>,
) -> Result<Option<Head>, StoreError> {
    let heads = store.heads(std::slice::from_ref(scope)).await?;
    let head = heads.into_iter().next();
    let (Some(head), Some(last)) = (&head, until) else {
        return Ok(head);
    };
    if last >= head.sequence {
        return Ok(Some(head.clone()));
    }
    let found = store.entries(scope, last.saturating_sub(1), 1).await?;
    let entry = found.into_iter().find(|entry| entry.sequence == last);
    Ok(entry.map(|entry| Head {
        scope: scope.clone(),
        sequence: entry.sequence,
        hash: entry.hash,
        recorded_at: entry.recorded_at,
    }))
}

/// The record after one more entry, and what the entry commits to.
///
/// # Errors
/// What is wrong with the entry, for a person.
pub(super) fn applied(
    kind: Kind,
    entry: &Entry,
    previous: Option<Versioned>,
) -> Result<(Versioned, Vec<Commitment>), String> {
    let body = EventBody::decode(kind, &entry.event_type, entry.event_version, &entry.payload)
        .map_err(|fault| fault.to_string())?;
    let recorded = Recorded {
        sequence: entry.sequence,
        at: entry.recorded_at,
        firm: FirmId::parse(&entry.firm),
        actor: entry.actor.clone(),
    };
    let (revision, created_at) = previous.as_ref().map_or((1, recorded.at), |before| {
        (before.revision + 1, before.created_at)
    });
    let record = Record::apply(previous.map(|before| before.record), &body, &recorded)
        .map_err(|fault| fault.to_string())?;
    let versioned = Versioned {
        record,
        revision,
        sequence: recorded.sequence,
        created_at,
        updated_at: recorded.at,
    };
    Ok((versioned, body.commitments()))
}
