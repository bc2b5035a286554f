//! Records, credentials and outcomes on their way between the domain and the rows of the store.

use serde::{Deserialize, Serialize};

use super::Receipt;
use crate::domain::aggregate::Aggregate;
use crate::domain::firm::{ApiKey, Permission};
use crate::domain::identity::{FirmId, ScopeId};
use crate::domain::record::{Kind, Record, RecordKey};
use crate::domain::subscription::Subscription;
use crate::domain::world::Versioned;
use crate::store::deliveries::SubscriptionRow;
use crate::store::{CredentialRow, RecordRow, StoreError};

/// A record from its row.
///
/// # Errors
/// [`StoreError::Corrupt`] if the body cannot be read by this version of the program.
pub fn decode_row(row: &RecordRow) -> Result<Versioned, StoreError> {
    let record = Record::decode(row.key.kind, row.body_version, &row.body).map_err(|fault| {
        StoreError::Corrupt(format!("{} {}: {fault}", row.key.kind.as_str(), row.key.id))
    })?;
    Ok(Versioned {
        record,
        revision: row.revision,
        sequence: row.sequence,
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}

/// The row of a record.
///
/// # Errors
/// [`StoreError::Corrupt`] if the state cannot be written, which its type rules out.
pub fn encode_row(key: &RecordKey, versioned: &Versioned) -> Result<RecordRow, StoreError> {
    Ok(RecordRow {
        key: key.clone(),
        revision: versioned.revision,
        sequence: versioned.sequence,
        state: versioned.record.state().to_owned(),
        due_at: versioned.record.due_at(),
        created_at: versioned.created_at,
        updated_at: versioned.updated_at,
        body_version: versioned.record.body_version(),
        body: versioned.record.body().map_err(|error| corrupt(&error))?,
    })
}

/// The row by which a key is recognised, from the key's record.
///
/// # Errors
/// [`StoreError::Corrupt`] if the key's digest or its scope is not one.
pub fn credential_row(key: &RecordKey, api_key: &ApiKey) -> Result<CredentialRow, StoreError> {
    let digest = data_encoding::HEXLOWER
        .decode(api_key.digest.as_bytes())
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| StoreError::Corrupt("the digest of a key".to_owned()))?;
    let firm = FirmId::parse(key.scope.id())
        .ok_or_else(|| StoreError::Corrupt("the scope of a key".to_owned()))?;
    let permissions: Vec<&str> = api_key
        .permissions
        .iter()
        .copied()
        .map(Permission::as_str)
        .collect();
    Ok(CredentialRow {
        id: key.id.clone(),
        firm,
        credential_type: "api_key".to_owned(),
        digest,
        permissions: permissions.join(","),
        expires_at: api_key.expires_at,
        revoked_at: api_key.revoked_at,
    })
}

/// The row by which the deliverer finds a subscription, from the subscription's record.
#[must_use]
pub fn subscription_row(key: &RecordKey, subscription: &Subscription) -> SubscriptionRow {
    SubscriptionRow {
        scope: key.scope.clone(),
        id: key.id.clone(),
        state: subscription.state().to_owned(),
    }
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
