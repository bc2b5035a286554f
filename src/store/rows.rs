//! Rows: what a statement answers, as the types of the contract.

use super::deliveries::{DeadLetterRow, DeliveryRow, SubscriptionRow};
use super::{
    CredentialRow, DueRow, EntryHash, RecordRow, ReferenceRow, ReferencedRow, RequestRow,
    SealedRow, StoreError, ZoneRow,
};
use crate::domain::commitment::{Commitment, Opening, SALT_BYTES};
use crate::domain::identity::{ExternalReference, FirmId, ScopeId};
use crate::domain::journal::{Entry, Hash, Head};
use crate::domain::record::{Kind, RecordKey};
use crate::domain::time::Timestamp;

/// A row of any engine; columns count from 0.
///
/// A column of another type, or NULL where none is expected, is [`StoreError::Corrupt`].
pub(super) trait Row {
    /// A column of text.
    fn text(&self, column: usize) -> Result<String, StoreError>;
    /// A column of text, looked at in place.
    fn text_ref(&self, column: usize) -> Result<&str, StoreError>;
    /// A column of whole numbers.
    fn integer(&self, column: usize) -> Result<i64, StoreError>;
    /// A column of whole numbers that may be NULL.
    fn optional_integer(&self, column: usize) -> Result<Option<i64>, StoreError>;
    /// A column of bytes.
    fn bytes(&self, column: usize) -> Result<Vec<u8>, StoreError>;
    /// A column of bytes, looked at in place.
    fn bytes_ref(&self, column: usize) -> Result<&[u8], StoreError>;
}

/// Makes [`Row`] of an engine's own type of row.
macro_rules! implement_row {
    ($row:ty) => {
        impl $crate::store::rows::Row for $row {
            fn text(&self, column: usize) -> Result<String, StoreError> {
                ::sqlx::Row::try_get(self, column).map_err(|error| statement_error(&error))
            }

            fn text_ref(&self, column: usize) -> Result<&str, StoreError> {
                ::sqlx::Row::try_get(self, column).map_err(|error| statement_error(&error))
            }

            fn integer(&self, column: usize) -> Result<i64, StoreError> {
                ::sqlx::Row::try_get(self, column).map_err(|error| statement_error(&error))
            }

            fn optional_integer(&self, column: usize) -> Result<Option<i64>, StoreError> {
                ::sqlx::Row::try_get(self, column).map_err(|error| statement_error(&error))
            }

            fn bytes(&self, column: usize) -> Result<Vec<u8>, StoreError> {
                ::sqlx::Row::try_get(self, column).map_err(|error| statement_error(&error))
            }

            fn bytes_ref(&self, column: usize) -> Result<&[u8], StoreError> {
                ::sqlx::Row::try_get(self, column).map_err(|error| statement_error(&error))
            }
        }
    };
}
pub(super) use implement_row;

/// Reads one row.
pub(super) type Reader<T> = fn(&dyn Row) -> Result<T, StoreError>;

fn scope(row: &dyn Row, column: usize) -> Result<ScopeId, StoreError> {
    let text = row.text_ref(column)?;
    ScopeId::parse(text).ok_or_else(|| StoreError::Corrupt(format!("{text:?} is no scope")))
}

fn kind(row: &dyn Row, column: usize) -> Result<Kind, StoreError> {
    let text = row.text_ref(column)?;
    Kind::parse(text).ok_or_else(|| StoreError::Corrupt(format!("{text:?} is no kind of record")))
}

fn firm(row: &dyn Row, column: usize) -> Result<FirmId, StoreError> {
    let text = row.text_ref(column)?;
    FirmId::parse(text).ok_or_else(|| StoreError::Corrupt(format!("{text:?} is no firm")))
}

fn count<T: TryFrom<i64>>(row: &dyn Row, column: usize) -> Result<T, StoreError> {
    let integer = row.integer(column)?;
    T::try_from(integer)
        .map_err(|_| StoreError::Corrupt(format!("{integer} where a count belongs")))
}

fn fixed<const LENGTH: usize>(row: &dyn Row, column: usize) -> Result<[u8; LENGTH], StoreError> {
    let bytes = row.bytes_ref(column)?;
    bytes
        .try_into()
        .map_err(|_| StoreError::Corrupt(format!("{} bytes where {LENGTH} belong", bytes.len())))
}

fn time(row: &dyn Row, column: usize) -> Result<Timestamp, StoreError> {
    row.integer(column).map(Timestamp::from_micros)
}

fn optional_time(row: &dyn Row, column: usize) -> Result<Option<Timestamp>, StoreError> {
    Ok(row.optional_integer(column)?.map(Timestamp::from_micros))
}

fn key(row: &dyn Row) -> Result<RecordKey, StoreError> {
    Ok(RecordKey {
        scope: scope(row, 0)?,
        kind: kind(row, 1)?,
        id: row.text(2)?,
    })
}

/// Of `head/get`, `head/lock`, `head/lock_free` and `head/list`.
pub(super) fn head(row: &dyn Row) -> Result<Head, StoreError> {
    Ok(Head {
        scope: scope(row, 0)?,
        sequence: count(row, 1)?,
        hash: fixed(row, 2)?,
        recorded_at: time(row, 3)?,
    })
}

/// Of `journal/list` and `journal/list_of_record`.
pub(super) fn entry(row: &dyn Row) -> Result<Entry, StoreError> {
    Ok(Entry {
        scope: scope(row, 0)?,
        sequence: count(row, 1)?,
        recorded_at: time(row, 2)?,
        firm: row.text(3)?,
        actor: row.text(4)?,
        origin: row.text(5)?,
        kind: row.text(6)?,
        id: row.text(7)?,
        event_type: row.text(8)?,
        event_version: count(row, 9)?,
        payload: row.bytes(10)?,
        previous_hash: fixed(row, 11)?,
        hash: fixed(row, 12)?,
        previous_sequence: row
            .optional_integer(13)?
            .map(|_| count(row, 13))
            .transpose()?,
    })
}

/// Of `journal/get_hash`.
pub(super) fn entry_hash(row: &dyn Row) -> Result<EntryHash, StoreError> {
    Ok(EntryHash {
        scope: scope(row, 0)?,
        sequence: count(row, 1)?,
        hash: fixed(row, 2)?,
    })
}

/// Of `record/get`, `record/list` and `record/list_in_state`.
pub(super) fn record(row: &dyn Row) -> Result<RecordRow, StoreError> {
    record_from(row, key(row)?, 3)
}

/// The record whose columns after the key begin at `first`.
fn record_from(row: &dyn Row, key: RecordKey, first: usize) -> Result<RecordRow, StoreError> {
    Ok(RecordRow {
        key,
        revision: count(row, first)?,
        sequence: count(row, first + 1)?,
        state: row.text(first + 2)?,
        due_at: optional_time(row, first + 3)?,
        created_at: time(row, first + 4)?,
        updated_at: time(row, first + 5)?,
        body_version: count(row, first + 6)?,
        body: row.text(first + 7)?,
    })
}

/// Of `record/list_due`.
pub(super) fn due(row: &dyn Row) -> Result<DueRow, StoreError> {
    Ok(DueRow {
        key: key(row)?,
        due_at: time(row, 3)?,
    })
}

/// Of `reference/get`.
pub(super) fn referenced(row: &dyn Row) -> Result<ReferencedRow, StoreError> {
    const REVISION: usize = 8;
    let reference = reference(row)?;
    let key = RecordKey::new(&reference.scope, reference.kind, reference.id.as_str());
    let record = match row.optional_integer(REVISION)? {
        Some(_) => Some(record_from(row, key, REVISION)?),
        None => None,
    };
    Ok(ReferencedRow { reference, record })
}

/// Of `reference/list_anywhere` and `reference/list_of_records`.
pub(super) fn reference(row: &dyn Row) -> Result<ReferenceRow, StoreError> {
    Ok(ReferenceRow {
        scope: scope(row, 0)?,
        reference: ExternalReference {
            firm: firm(row, 1)?,
            system: row.text(2)?,
            instance: row.text(3)?,
            reference_type: row.text(4)?,
            id: row.text(5)?,
        },
        kind: kind(row, 6)?,
        id: row.text(7)?,
    })
}

/// Of `request/get`.
pub(super) fn request(row: &dyn Row) -> Result<RequestRow, StoreError> {
    Ok(RequestRow {
        scope: scope(row, 0)?,
        firm: row.text(1)?,
        request_id: row.text(2)?,
        digest: fixed::<{ size_of::<Hash>() }>(row, 3)?,
        outcome: row.text(4)?,
        expires_at: optional_time(row, 5)?,
    })
}

/// Of `sealed/get` and `sealed/list`.
pub(super) fn opening(row: &dyn Row) -> Result<Opening, StoreError> {
    Ok(Opening {
        commitment: Commitment::from_text(row.text_ref(1)?),
        label: row.text(2)?,
        value: row.text(3)?,
        salt: fixed::<SALT_BYTES>(row, 4)?,
        readers: serde_json::from_str(row.text_ref(5)?)
            .map_err(|error| StoreError::Corrupt(format!("the readers of an opening: {error}")))?,
    })
}

/// The readers of new openings, as they are stored.
pub(super) fn readers(rows: &[SealedRow]) -> Result<Vec<String>, StoreError> {
    rows.iter()
        .map(|row| serde_json::to_string(&row.opening.readers))
        .collect::<Result<_, _>>()
        .map_err(|error| StoreError::Refused(format!("the readers of an opening: {error}")))
}

/// Of `zone/get`.
pub(super) fn zone(row: &dyn Row) -> Result<ZoneRow, StoreError> {
    Ok(ZoneRow {
        scope: scope(row, 0)?,
        digest: row.text(1)?,
        tzif: row.bytes(2)?,
    })
}

/// Of `credential/get` and `credential/list_by_digest`.
pub(super) fn credential(row: &dyn Row) -> Result<CredentialRow, StoreError> {
    Ok(CredentialRow {
        id: row.text(0)?,
        firm: firm(row, 1)?,
        credential_type: row.text(2)?,
        digest: fixed(row, 3)?,
        earlier_digest: fixed(row, 4)?,
        earlier_until: optional_time(row, 5)?,
        permissions: row.text(6)?,
        expires_at: optional_time(row, 7)?,
        revoked_at: optional_time(row, 8)?,
        last_used_at: optional_time(row, 9)?,
    })
}

/// Of `subscription/list`.
pub(super) fn subscription(row: &dyn Row) -> Result<SubscriptionRow, StoreError> {
    Ok(SubscriptionRow {
        scope: scope(row, 0)?,
        id: row.text(1)?,
        state: row.text(2)?,
    })
}

/// Of `delivery/list`.
pub(super) fn delivery(row: &dyn Row) -> Result<DeliveryRow, StoreError> {
    Ok(DeliveryRow {
        scope: scope(row, 0)?,
        subscription: row.text(1)?,
        source: scope(row, 2)?,
        sequence: count(row, 3)?,
        attempts: count(row, 4)?,
        due_at: time(row, 5)?,
        failing_since: optional_time(row, 6)?,
        last_error: row.text(7)?,
        version: count(row, 8)?,
    })
}

/// Of `dead_letter/list` and `dead_letter/list_due`.
pub(super) fn dead_letter(row: &dyn Row) -> Result<DeadLetterRow, StoreError> {
    Ok(DeadLetterRow {
        scope: scope(row, 0)?,
        subscription: row.text(1)?,
        source: scope(row, 2)?,
        sequence: count(row, 3)?,
        attempts: count(row, 4)?,
        last_error: row.text(5)?,
        failed_at: time(row, 6)?,
        due_at: optional_time(row, 7)?,
        version: count(row, 8)?,
    })
}

/// Of `secret/get`.
pub(super) fn secret(row: &dyn Row) -> Result<Vec<u8>, StoreError> {
    row.bytes(0)
}

/// Of `service/ping`, which only has to answer.
pub(super) fn answer(row: &dyn Row) -> Result<i64, StoreError> {
    row.integer(0)
}
