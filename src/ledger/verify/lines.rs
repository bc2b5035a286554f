//! The lines of an export, as the module above describes them.

use serde::{Deserialize, Serialize};

use crate::domain::commitment::{Commitment, Opening, Readers, SALT_BYTES};
use crate::domain::identity::ScopeId;
use crate::domain::journal::{Entry, Head};
use crate::domain::record::{Kind, RecordKey};
use crate::domain::time::Timestamp;
use crate::store::RecordRow;

/// Names the format.
pub(super) const FORMAT: &str = "entente.export";
/// Version of the format.
pub(super) const VERSION: u32 = 1;
/// Longest line accepted, in bytes: the largest body, with room for the escapes of JSON.
pub(super) const LINE_BYTES_MAX: usize = 32 * 1024 * 1024;

/// A line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Line {
    Header(HeaderLine),
    Checkpoint(CheckpointLine),
    Entry(EntryLine),
    Zone(ZoneLine),
    Record(RecordLine),
    Opening(OpeningLine),
}

/// Begins a scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HeaderLine {
    pub format: String,
    pub version: u32,
    pub scope: String,
    pub sequence: u64,
    pub hash: String,
    pub journal_form_version: u32,
    /// Whose openings follow.
    pub openings: OpeningsLine,
}

/// Whose openings an export holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum OpeningsLine {
    /// Nobody's.
    None,
    /// Those that one party may read.
    Party,
    /// All there are.
    All,
}

impl HeaderLine {
    pub fn of(head: &Head, openings: OpeningsLine) -> Self {
        Self {
            openings,
            format: FORMAT.to_owned(),
            version: VERSION,
            scope: head.scope.as_str().to_owned(),
            sequence: head.sequence,
            hash: hexadecimal(&head.hash),
            journal_form_version: crate::domain::journal::FORM_VERSION,
        }
    }
}

/// A signed checkpoint of the scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CheckpointLine {
    pub note: String,
}

/// A journal entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EntryLine {
    pub sequence: u64,
    pub recorded_at: Timestamp,
    pub firm: String,
    pub actor: String,
    pub origin: String,
    pub kind: String,
    pub id: String,
    pub event_type: String,
    pub event_version: u32,
    pub payload: String,
    pub previous_hash: String,
    pub hash: String,
}

impl EntryLine {
    /// `None` if the payload is not text.
    pub fn of(entry: Entry) -> Option<Self> {
        Some(Self {
            sequence: entry.sequence,
            recorded_at: entry.recorded_at,
            firm: entry.firm,
            actor: entry.actor,
            origin: entry.origin,
            kind: entry.kind,
            id: entry.id,
            event_type: entry.event_type,
            event_version: entry.event_version,
            payload: String::from_utf8(entry.payload).ok()?,
            previous_hash: hexadecimal(&entry.previous_hash),
            hash: hexadecimal(&entry.hash),
        })
    }

    pub fn entry(self, scope: &ScopeId) -> Option<Entry> {
        // Beyond this no database counts, and adding to it could overflow.
        i64::try_from(self.sequence).ok()?;
        Some(Entry {
            scope: scope.clone(),
            sequence: self.sequence,
            recorded_at: self.recorded_at,
            firm: self.firm,
            actor: self.actor,
            origin: self.origin,
            kind: self.kind,
            id: self.id,
            event_type: self.event_type,
            event_version: self.event_version,
            payload: self.payload.into_bytes(),
            previous_hash: from_hexadecimal(&self.previous_hash)?,
            hash: from_hexadecimal(&self.hash)?,
            previous_sequence: None,
        })
    }
}

/// Time zone data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ZoneLine {
    pub digest: String,
    pub tzif: String,
}

impl ZoneLine {
    pub fn of(digest: &str, tzif: &[u8]) -> Self {
        Self {
            digest: digest.to_owned(),
            tzif: data_encoding::BASE64.encode(tzif),
        }
    }

    pub fn bytes(&self) -> Option<Vec<u8>> {
        data_encoding::BASE64.decode(self.tzif.as_bytes()).ok()
    }
}

/// A record as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RecordLine {
    pub kind: String,
    pub id: String,
    pub revision: u64,
    pub sequence: u64,
    pub state: String,
    pub due_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub body_version: u32,
    pub body: serde_json::Value,
}

impl RecordLine {
    /// A body that is no JSON is shown as the string that it is; no record has such a body.
    pub fn of(row: RecordRow) -> Self {
        let body = serde_json::from_str(&row.body).unwrap_or(serde_json::Value::String(row.body));
        Self {
            kind: row.key.kind.as_str().to_owned(),
            id: row.key.id,
            revision: row.revision,
            sequence: row.sequence,
            state: row.state,
            due_at: row.due_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
            body_version: row.body_version,
            body,
        }
    }

    pub fn row(self, scope: &ScopeId) -> Option<RecordRow> {
        Some(RecordRow {
            key: RecordKey::new(scope, Kind::parse(&self.kind)?, self.id),
            revision: self.revision,
            sequence: self.sequence,
            state: self.state,
            due_at: self.due_at,
            created_at: self.created_at,
            updated_at: self.updated_at,
            body_version: self.body_version,
            body: self.body.to_string(),
        })
    }
}

/// The opening of a commitment.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OpeningLine {
    pub commitment: String,
    pub label: String,
    pub value: String,
    pub salt: String,
    pub readers: Readers,
}

impl std::fmt::Debug for OpeningLine {
    /// Shows the label only: an opening must not reach a log.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("OpeningLine")
            .field("label", &self.label)
            .finish_non_exhaustive()
    }
}

impl OpeningLine {
    pub fn of(opening: Opening) -> Self {
        Self {
            commitment: opening.commitment.as_str().to_owned(),
            label: opening.label,
            value: opening.value,
            salt: hexadecimal(&opening.salt),
            readers: opening.readers,
        }
    }

    pub fn opening(self) -> Option<Opening> {
        Some(Opening {
            commitment: Commitment::from_text(&self.commitment),
            label: self.label,
            value: self.value,
            salt: from_hexadecimal::<SALT_BYTES>(&self.salt)?,
            readers: self.readers,
        })
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

/// Exactly `N` bytes from hexadecimal text.
pub(super) fn from_hexadecimal<const N: usize>(text: &str) -> Option<[u8; N]> {
    data_encoding::HEXLOWER
        .decode(text.as_bytes())
        .ok()?
        .try_into()
        .ok()
}
