//! Calls: a statement of the catalogue together with its arguments, before any engine has seen it.
//!
//! A batch is one call for any number of rows. Its columns come first: `PostgreSQL` takes each as an
//! array (`$1`, `$2` ...), `SQLite` takes all of them in one JSON array of rows (`$1`), bytes as
//! hexadecimal digits. The other arguments follow in order.

pub(super) mod delivery;

use super::catalogue::{self, Statement};
use super::{
    BATCH_KEYS_MAX, CredentialRow, ListQuery, RecordRow, ReferenceRow, RequestKey, RequestRow,
    SealedRow, StoreError, ZoneRow,
};
use crate::domain::commitment::Commitment;
use crate::domain::identity::{ExternalReference, ScopeId};
use crate::domain::journal::{Entry, Hash, Head};
use crate::domain::record::RecordKey;
use crate::domain::time::Timestamp;

/// One column of a batch; all columns of a call are of the same length.
pub(super) enum Column<'a> {
    /// Text.
    Texts(Vec<&'a str>),
    /// Whole numbers.
    Integers(Vec<i64>),
    /// Whole numbers, where there are any.
    OptionalIntegers(Vec<Option<i64>>),
    /// Bytes.
    Bytes(Vec<&'a [u8]>),
}

/// An argument that stands for itself.
pub(super) enum Scalar<'a> {
    /// Text.
    Text(&'a str),
    /// A whole number.
    Integer(i64),
    /// A whole number, if there is one.
    OptionalInteger(Option<i64>),
    /// Bytes.
    Bytes(&'a [u8]),
}

/// A statement and its arguments.
pub(super) struct Call<'a> {
    /// What to run.
    pub(super) statement: &'static Statement,
    /// The batch; empty if the statement takes none.
    pub(super) columns: Vec<Column<'a>>,
    /// What follows the batch.
    pub(super) scalars: Vec<Scalar<'a>>,
    /// How many rows the batch has.
    pub(super) rows: usize,
}

type CallResult<'a> = Result<Call<'a>, StoreError>;

impl<'a> Call<'a> {
    const fn new(statement: &'static Statement, rows: usize) -> Self {
        Self {
            statement,
            columns: Vec::new(),
            scalars: Vec::new(),
            rows,
        }
    }

    /// A look-up of at most [`BATCH_KEYS_MAX`] keys.
    fn look_up(statement: &'static Statement, keys: usize) -> Result<Self, StoreError> {
        if keys > BATCH_KEYS_MAX {
            return Err(StoreError::Refused(format!(
                "{keys} keys where {BATCH_KEYS_MAX} are the most"
            )));
        }
        Ok(Self::new(statement, keys))
    }

    fn texts(mut self, texts: impl Iterator<Item = &'a str>) -> CallResult<'a> {
        let texts = texts.map(storable).collect::<Result<Vec<_>, _>>()?;
        debug_assert_eq!(texts.len(), self.rows);
        self.columns.push(Column::Texts(texts));
        Ok(self)
    }

    fn integers(mut self, integers: impl Iterator<Item = i64>) -> Self {
        self.columns.push(Column::Integers(integers.collect()));
        self
    }

    fn counts(self, counts: impl Iterator<Item = u64>) -> CallResult<'a> {
        let counts = counts.map(count).collect::<Result<Vec<_>, _>>()?;
        Ok(self.integers(counts.into_iter()))
    }

    fn optional_counts(mut self, counts: impl Iterator<Item = Option<u64>>) -> CallResult<'a> {
        let counts = counts
            .map(|number| number.map(count).transpose())
            .collect::<Result<_, _>>()?;
        self.columns.push(Column::OptionalIntegers(counts));
        Ok(self)
    }

    fn times(self, times: impl Iterator<Item = Timestamp>) -> Self {
        self.integers(times.map(Timestamp::as_micros))
    }

    fn optional_times(mut self, times: impl Iterator<Item = Option<Timestamp>>) -> Self {
        let times = times.map(|time| time.map(Timestamp::as_micros)).collect();
        self.columns.push(Column::OptionalIntegers(times));
        self
    }

    fn bytes(mut self, bytes: impl Iterator<Item = &'a [u8]>) -> Self {
        self.columns.push(Column::Bytes(bytes.collect()));
        self
    }

    fn text(mut self, text: &'a str) -> CallResult<'a> {
        self.scalars.push(Scalar::Text(storable(text)?));
        Ok(self)
    }

    fn integer(mut self, integer: i64) -> Self {
        self.scalars.push(Scalar::Integer(integer));
        self
    }

    /// A position after which to go on; nothing is stored behind the largest one.
    fn after(self, position: u64) -> Self {
        self.integer(i64::try_from(position).unwrap_or(i64::MAX))
    }

    fn limit(self, limit: usize) -> Self {
        self.integer(i64::try_from(limit.min(BATCH_KEYS_MAX)).unwrap_or(i64::MAX))
    }
}

/// A zero byte is refused here, because `PostgreSQL` would and `SQLite` would not.
fn storable(text: &str) -> Result<&str, StoreError> {
    if text.as_bytes().contains(&0) {
        return Err(StoreError::Refused(
            "a text contains a zero byte".to_owned(),
        ));
    }
    Ok(text)
}

fn count(count: u64) -> Result<i64, StoreError> {
    i64::try_from(count).map_err(|_| StoreError::Refused(format!("{count} is too large to store")))
}

fn record_keys<'a>(call: Call<'a>, keys: &'a [RecordKey]) -> CallResult<'a> {
    call.texts(keys.iter().map(|key| key.scope.as_str()))?
        .texts(keys.iter().map(|key| key.kind.as_str()))?
        .texts(keys.iter().map(|key| key.id.as_str()))
}

pub(super) fn head_get(scopes: &[ScopeId]) -> CallResult<'_> {
    Call::look_up(&catalogue::HEAD_GET, scopes.len())?.texts(scopes.iter().map(ScopeId::as_str))
}

/// `scopes` in ascending order, each once.
pub(super) fn head_lock<'a>(scopes: &[&'a ScopeId], wait: bool) -> CallResult<'a> {
    let statement = if wait {
        &catalogue::HEAD_LOCK
    } else {
        &catalogue::HEAD_LOCK_FREE
    };
    Call::look_up(statement, scopes.len())?.texts(scopes.iter().map(|scope| scope.as_str()))
}

/// `heads` in ascending order, each once.
pub(super) fn head_create(heads: &[Head]) -> CallResult<'_> {
    head_columns(Call::look_up(&catalogue::HEAD_CREATE, heads.len())?, heads)
}

pub(super) fn head_put(heads: &[Head]) -> CallResult<'_> {
    head_columns(Call::new(&catalogue::HEAD_PUT, heads.len()), heads)
}

fn head_columns<'a>(call: Call<'a>, heads: &'a [Head]) -> CallResult<'a> {
    Ok(call
        .texts(heads.iter().map(|head| head.scope.as_str()))?
        .counts(heads.iter().map(|head| head.sequence))?
        .bytes(heads.iter().map(|head| head.hash.as_slice()))
        .times(heads.iter().map(|head| head.recorded_at)))
}

pub(super) fn head_list(after_scope: &str, limit: usize) -> CallResult<'_> {
    Ok(Call::new(&catalogue::HEAD_LIST, 0)
        .text(after_scope)?
        .limit(limit))
}

pub(super) fn journal_append(entries: &[Entry]) -> CallResult<'_> {
    Call::new(&catalogue::JOURNAL_APPEND, entries.len())
        .texts(entries.iter().map(|entry| entry.scope.as_str()))?
        .counts(entries.iter().map(|entry| entry.sequence))?
        .times(entries.iter().map(|entry| entry.recorded_at))
        .texts(entries.iter().map(|entry| entry.firm.as_str()))?
        .texts(entries.iter().map(|entry| entry.actor.as_str()))?
        .texts(entries.iter().map(|entry| entry.origin.as_str()))?
        .texts(entries.iter().map(|entry| entry.kind.as_str()))?
        .texts(entries.iter().map(|entry| entry.id.as_str()))?
        .texts(entries.iter().map(|entry| entry.event_type.as_str()))?
        .integers(entries.iter().map(|entry| i64::from(entry.event_version)))
        .bytes(entries.iter().map(|entry| entry.payload.as_slice()))
        .bytes(entries.iter().map(|entry| entry.previous_hash.as_slice()))
        .bytes(entries.iter().map(|entry| entry.hash.as_slice()))
        .optional_counts(entries.iter().map(|entry| entry.previous_sequence))
}

pub(super) fn journal_get_hash(keys: &[(ScopeId, u64)]) -> CallResult<'_> {
    Call::look_up(&catalogue::JOURNAL_GET_HASH, keys.len())?
        .texts(keys.iter().map(|(scope, _)| scope.as_str()))?
        .counts(keys.iter().map(|(_, sequence)| *sequence))
}

pub(super) fn journal_list(scope: &ScopeId, after: u64, limit: usize) -> CallResult<'_> {
    Ok(Call::new(&catalogue::JOURNAL_LIST, 0)
        .text(scope.as_str())?
        .after(after)
        .limit(limit))
}

pub(super) fn journal_list_of_record(key: &RecordKey, after: u64, limit: usize) -> CallResult<'_> {
    Ok(Call::new(&catalogue::JOURNAL_LIST_OF_RECORD, 0)
        .text(key.scope.as_str())?
        .text(key.kind.as_str())?
        .text(&key.id)?
        .after(after)
        .limit(limit))
}

pub(super) fn record_get(keys: &[RecordKey]) -> CallResult<'_> {
    record_keys(Call::look_up(&catalogue::RECORD_GET, keys.len())?, keys)
}

pub(super) fn record_put(records: &[RecordRow]) -> CallResult<'_> {
    Call::new(&catalogue::RECORD_PUT, records.len())
        .texts(records.iter().map(|record| record.key.scope.as_str()))?
        .texts(records.iter().map(|record| record.key.kind.as_str()))?
        .texts(records.iter().map(|record| record.key.id.as_str()))?
        .counts(records.iter().map(|record| record.revision))?
        .counts(records.iter().map(|record| record.sequence))?
        .texts(records.iter().map(|record| record.state.as_str()))?
        .optional_times(records.iter().map(|record| record.due_at))
        .times(records.iter().map(|record| record.created_at))
        .times(records.iter().map(|record| record.updated_at))
        .integers(records.iter().map(|record| i64::from(record.body_version)))
        .texts(records.iter().map(|record| record.body.as_str()))
}

pub(super) fn record_list(query: &ListQuery) -> CallResult<'_> {
    let statement = match query.state {
        None => &catalogue::RECORD_LIST,
        Some(_) => &catalogue::RECORD_LIST_IN_STATE,
    };
    let mut call = Call::new(statement, 0)
        .text(query.scope.as_str())?
        .text(query.kind.as_str())?;
    if let Some(state) = &query.state {
        call = call.text(state)?;
    }
    Ok(call.text(&query.after_id)?.limit(query.limit))
}

pub(super) fn record_list_due<'a>(now: Timestamp, limit: usize) -> Call<'a> {
    Call::new(&catalogue::RECORD_LIST_DUE, 0)
        .integer(now.as_micros())
        .limit(limit)
}

pub(super) fn reference_get(keys: &[(ScopeId, ExternalReference)]) -> CallResult<'_> {
    Call::look_up(&catalogue::REFERENCE_GET, keys.len())?
        .texts(keys.iter().map(|(scope, _)| scope.as_str()))?
        .texts(keys.iter().map(|(_, reference)| reference.firm.as_str()))?
        .texts(keys.iter().map(|(_, reference)| reference.system.as_str()))?
        .texts(
            keys.iter()
                .map(|(_, reference)| reference.instance.as_str()),
        )?
        .texts(
            keys.iter()
                .map(|(_, reference)| reference.reference_type.as_str()),
        )?
        .texts(keys.iter().map(|(_, reference)| reference.id.as_str()))
}

pub(super) fn reference_put<'a>(rows: &[&'a ReferenceRow]) -> CallResult<'a> {
    Call::new(&catalogue::REFERENCE_PUT, rows.len())
        .texts(rows.iter().map(|row| row.scope.as_str()))?
        .texts(rows.iter().map(|row| row.reference.firm.as_str()))?
        .texts(rows.iter().map(|row| row.reference.system.as_str()))?
        .texts(rows.iter().map(|row| row.reference.instance.as_str()))?
        .texts(rows.iter().map(|row| row.reference.reference_type.as_str()))?
        .texts(rows.iter().map(|row| row.reference.id.as_str()))?
        .texts(rows.iter().map(|row| row.kind.as_str()))?
        .texts(rows.iter().map(|row| row.id.as_str()))
}

pub(super) fn reference_list_anywhere(
    reference: &ExternalReference,
    limit: usize,
) -> CallResult<'_> {
    Ok(Call::new(&catalogue::REFERENCE_LIST_ANYWHERE, 0)
        .text(reference.firm.as_str())?
        .text(&reference.system)?
        .text(&reference.instance)?
        .text(&reference.reference_type)?
        .text(&reference.id)?
        .limit(limit))
}

pub(super) fn reference_list_of_records(keys: &[RecordKey]) -> CallResult<'_> {
    record_keys(
        Call::look_up(&catalogue::REFERENCE_LIST_OF_RECORDS, keys.len())?,
        keys,
    )
}

pub(super) fn request_get(keys: &[RequestKey]) -> CallResult<'_> {
    Call::look_up(&catalogue::REQUEST_GET, keys.len())?
        .texts(keys.iter().map(|key| key.scope.as_str()))?
        .texts(keys.iter().map(|key| key.firm.as_str()))?
        .texts(keys.iter().map(|key| key.request_id.as_str()))
}

pub(super) fn request_put(rows: &[RequestRow]) -> CallResult<'_> {
    Ok(Call::new(&catalogue::REQUEST_PUT, rows.len())
        .texts(rows.iter().map(|row| row.scope.as_str()))?
        .texts(rows.iter().map(|row| row.firm.as_str()))?
        .texts(rows.iter().map(|row| row.request_id.as_str()))?
        .bytes(rows.iter().map(|row| row.digest.as_slice()))
        .texts(rows.iter().map(|row| row.outcome.as_str()))?
        .optional_times(rows.iter().map(|row| row.expires_at)))
}

pub(super) fn request_purge<'a>(now: Timestamp, limit: usize) -> Call<'a> {
    Call::new(&catalogue::REQUEST_PURGE, 0)
        .integer(now.as_micros())
        .limit(limit)
}

pub(super) fn sealed_get<'a>(scope: &'a ScopeId, commitments: &'a [Commitment]) -> CallResult<'a> {
    Call::look_up(&catalogue::SEALED_GET, commitments.len())?
        .texts(commitments.iter().map(|_| scope.as_str()))?
        .texts(commitments.iter().map(Commitment::as_str))
}

pub(super) fn sealed_list<'a>(scope: &'a ScopeId, after: &'a str, limit: usize) -> CallResult<'a> {
    Ok(Call::new(&catalogue::SEALED_LIST, 0)
        .text(scope.as_str())?
        .text(after)?
        .limit(limit))
}

/// `readers` are the rows' readers as JSON.
pub(super) fn sealed_put<'a>(rows: &'a [SealedRow], readers: &'a [String]) -> CallResult<'a> {
    Call::new(&catalogue::SEALED_PUT, rows.len())
        .texts(rows.iter().map(|row| row.scope.as_str()))?
        .texts(rows.iter().map(|row| row.opening.commitment.as_str()))?
        .texts(rows.iter().map(|row| row.opening.label.as_str()))?
        .texts(rows.iter().map(|row| row.opening.value.as_str()))?
        .bytes(rows.iter().map(|row| row.opening.salt.as_slice()))
        .texts(readers.iter().map(String::as_str))
}

pub(super) fn sealed_erase(keys: &[(ScopeId, Commitment)]) -> CallResult<'_> {
    Call::new(&catalogue::SEALED_ERASE, keys.len())
        .texts(keys.iter().map(|(scope, _)| scope.as_str()))?
        .texts(keys.iter().map(|(_, commitment)| commitment.as_str()))
}

pub(super) fn zone_get(keys: &[(ScopeId, String)]) -> CallResult<'_> {
    Call::look_up(&catalogue::ZONE_GET, keys.len())?
        .texts(keys.iter().map(|(scope, _)| scope.as_str()))?
        .texts(keys.iter().map(|(_, digest)| digest.as_str()))
}

pub(super) fn zone_put(rows: &[ZoneRow]) -> CallResult<'_> {
    Ok(Call::new(&catalogue::ZONE_PUT, rows.len())
        .texts(rows.iter().map(|row| row.scope.as_str()))?
        .texts(rows.iter().map(|row| row.digest.as_str()))?
        .bytes(rows.iter().map(|row| row.tzif.as_slice())))
}

pub(super) fn credential_get(ids: &[String]) -> CallResult<'_> {
    Call::look_up(&catalogue::CREDENTIAL_GET, ids.len())?.texts(ids.iter().map(String::as_str))
}

pub(super) fn credential_list_by_digest(digest: &Hash, limit: usize) -> Call<'_> {
    let mut call = Call::new(&catalogue::CREDENTIAL_LIST_BY_DIGEST, 0);
    call.scalars.push(Scalar::Bytes(digest));
    call.limit(limit)
}

pub(super) fn credential_touch(id: &str, now: Timestamp) -> CallResult<'_> {
    Ok(Call::new(&catalogue::CREDENTIAL_TOUCH, 0)
        .text(id)?
        .integer(now.as_micros()))
}

pub(super) fn credential_put(rows: &[CredentialRow]) -> CallResult<'_> {
    Ok(Call::new(&catalogue::CREDENTIAL_PUT, rows.len())
        .texts(rows.iter().map(|row| row.id.as_str()))?
        .texts(rows.iter().map(|row| row.firm.as_str()))?
        .texts(rows.iter().map(|row| row.credential_type.as_str()))?
        .bytes(rows.iter().map(|row| row.digest.as_slice()))
        .bytes(rows.iter().map(|row| row.earlier_digest.as_slice()))
        .optional_times(rows.iter().map(|row| row.earlier_until))
        .texts(rows.iter().map(|row| row.permissions.as_str()))?
        .optional_times(rows.iter().map(|row| row.expires_at))
        .optional_times(rows.iter().map(|row| row.revoked_at)))
}

pub(super) fn secret_get(name: &str) -> CallResult<'_> {
    Call::new(&catalogue::SECRET_GET, 0).text(name)
}

pub(super) fn secret_put<'a>(name: &'a str, value: &'a [u8]) -> CallResult<'a> {
    let mut call = Call::new(&catalogue::SECRET_PUT, 0).text(name)?;
    call.scalars.push(Scalar::Bytes(value));
    Ok(call)
}

pub(super) const fn service_ping<'a>() -> Call<'a> {
    Call::new(&catalogue::SERVICE_PING, 0)
}

pub(super) const fn service_time<'a>() -> Call<'a> {
    Call::new(&catalogue::SERVICE_TIME, 0)
}
