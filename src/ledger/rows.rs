//! Records, credentials and outcomes on their way between the domain and the rows of the store.

use serde::{Deserialize, Serialize};

use super::Receipt;
use crate::domain::aggregate::DecodeFault;
use crate::domain::firm::Permission;
use crate::domain::format::Format;
use crate::domain::identity::{FirmId, ScopeId};
use crate::domain::journal::Hash;
use crate::domain::record::{Kind, Record, RecordKey};
use crate::domain::world::Versioned;
use crate::store::deliveries::SubscriptionRow;
use crate::store::{CredentialRow, RecordRow, StoreError};

/// Credentials of this type are API keys.
pub const API_KEY: &str = "api_key";
/// Credentials of this type are identities for which others vouch.
pub const TRUSTED_IDENTITY: &str = "trusted_identity";

/// A record from its row.
///
/// # Errors
/// [`StoreError::Corrupt`] if the body cannot be read, [`StoreError::Schema`] if it is of a version that
/// this program does not know.
pub fn decode_row(row: &RecordRow) -> Result<Versioned, StoreError> {
    let decoded = Record::decode(row.key.kind, row.body_version, &row.body);
    let record = decoded.map_err(|fault| {
        let described = format!("{} {}: {fault}", row.key.kind.as_str(), row.key.id);
        match fault {
            // Whoever can read it is another replica.
            DecodeFault::UnknownVersion { .. } => StoreError::Schema(described),
            _ => StoreError::Corrupt(described),
        }
    })?;
    Ok(Versioned {
        record,
        revision: row.revision,
        sequence: row.sequence,
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}

/// The row of a record while a format is the active one.
///
/// # Errors
/// [`StoreError::Corrupt`] if the state cannot be written, which its type rules out.
pub fn encode_row(
    key: &RecordKey,
    versioned: &Versioned,
    format: Format,
) -> Result<RecordRow, StoreError> {
    let written = versioned.record.written(format);
    let (body_version, body) = written.map_err(|error| corrupt(&error))?;
    Ok(RecordRow {
        key: key.clone(),
        revision: versioned.revision,
        sequence: versioned.sequence,
        state: versioned.record.state().to_owned(),
        due_at: versioned.record.due_at(),
        created_at: versioned.created_at,
        updated_at: versioned.updated_at,
        body_version,
        body,
    })
}

/// The row by which a caller is recognised, from the record of its key or of the trust in it; none
/// from any other record.
///
/// # Errors
/// [`StoreError::Corrupt`] if a digest or the scope is not one.
pub fn credential_row(
    key: &RecordKey,
    record: &Record,
) -> Result<Option<CredentialRow>, StoreError> {
    let row = match record {
        Record::ApiKey(api_key) => {
            let digest = key_digest(&api_key.digest)?;
            let earlier = api_key.earlier.as_ref();
            let earlier_digest = earlier.map(|earlier| key_digest(&earlier.digest));
            CredentialRow {
                id: key.id.clone(),
                firm: firm_of(key)?,
                credential_type: API_KEY.to_owned(),
                digest,
                earlier_digest: earlier_digest.transpose()?.unwrap_or(digest),
                earlier_until: earlier.map(|earlier| earlier.until),
                permissions: names(&api_key.permissions),
                expires_at: api_key.expires_at,
                revoked_at: api_key.revoked_at,
                last_used_at: None,
            }
        }
        Record::TrustedIdentity(trusted) => CredentialRow {
            id: key.id.clone(),
            firm: firm_of(key)?,
            credential_type: TRUSTED_IDENTITY.to_owned(),
            digest: trusted.identity.digest(),
            earlier_digest: trusted.identity.digest(),
            earlier_until: None,
            permissions: names(&trusted.permissions),
            expires_at: trusted.expires_at,
            revoked_at: trusted.revoked_at,
            last_used_at: None,
        },
        _ => return Ok(None),
    };
    Ok(Some(row))
}

fn key_digest(digest: &str) -> Result<Hash, StoreError> {
    let bytes = data_encoding::HEXLOWER.decode(digest.as_bytes()).ok();
    bytes
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| StoreError::Corrupt("the digest of a key".to_owned()))
}

fn firm_of(key: &RecordKey) -> Result<FirmId, StoreError> {
    FirmId::parse(key.scope.id())
        .ok_or_else(|| StoreError::Corrupt("the scope of a credential".to_owned()))
}

fn names(permissions: &[Permission]) -> String {
    let names: Vec<&str> = permissions.iter().map(|one| one.as_str()).collect();
    names.join(",")
}

/// The row by which the deliverer finds a subscription, from the subscription's record; none from any
/// other record.
#[must_use]
pub fn subscription_row(key: &RecordKey, record: &Record) -> Option<SubscriptionRow> {
    let is_one = key.kind == Kind::Subscription;
    is_one.then(|| SubscriptionRow {
        scope: key.scope.clone(),
        id: key.id.clone(),
        state: record.state().to_owned(),
    })
}

/// What is stored cannot be understood.
pub(super) fn corrupt(error: &serde_json::Error) -> StoreError {
    StoreError::Corrupt(error.to_string())
}

/// The outcome of a request as it is remembered.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredOutcome {
    sequence: u64,
    hash: String,
    kind: String,
    id: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    note: String,
    /// Work left for other scopes: a retry sees to it that it gets there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    carries: Vec<String>,
}

impl StoredOutcome {
    pub(super) fn of(receipt: &Receipt) -> Self {
        Self {
            sequence: receipt.sequence,
            hash: data_encoding::HEXLOWER.encode(&receipt.hash),
            kind: receipt.kind.as_str().to_owned(),
            id: receipt.id.clone(),
            note: receipt.note.clone(),
            carries: receipt.carries.clone(),
        }
    }

    pub(super) fn receipt(self, scope: &ScopeId) -> Result<Receipt, StoreError> {
        let hash = data_encoding::HEXLOWER
            .decode(self.hash.as_bytes())
            .ok()
            .and_then(|bytes| bytes.try_into().ok());
        let (Some(hash), Some(kind)) = (hash, Kind::parse(&self.kind)) else {
            return Err(StoreError::Corrupt("the outcome of a request".to_owned()));
        };
        Ok(Receipt {
            scope: scope.clone(),
            sequence: self.sequence,
            hash,
            kind,
            id: self.id,
            note: self.note,
            replayed: true,
            carries: self.carries,
        })
    }
}
