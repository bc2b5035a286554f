//! The tables of the reference model, and the rules by which rows may be written.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::Hash;

use entente::domain::commitment::Opening;
use entente::domain::identity::ExternalReference;
use entente::domain::journal::{Entry, Head};
use entente::domain::record::{Kind, RecordKey};
use entente::store::{
    BATCH_KEYS_MAX, BODY_BYTES_MAX, CredentialRow, RecordRow, ReferenceRow, RequestKey, RequestRow,
    StoreError, WriteSet,
};

/// Scope, kind by name, id: ordered as text, as every engine orders it.
pub type RecordId = (String, &'static str, String);
/// Scope, reference, kind by name.
pub type ReferenceId = (String, ExternalReference, &'static str);
/// Scope, firm, request id.
pub type RequestId = (String, String, String);

/// Everything that is stored, each table by its key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tables {
    /// Heads by scope.
    pub heads: BTreeMap<String, Head>,
    /// Entries by scope and sequence.
    pub journal: BTreeMap<(String, u64), Entry>,
    /// Records.
    pub records: BTreeMap<RecordId, RecordRow>,
    /// External references.
    pub references: BTreeMap<ReferenceId, ReferenceRow>,
    /// Requests carried out.
    pub requests: BTreeMap<RequestId, RequestRow>,
    /// Openings by scope and commitment.
    pub sealed: BTreeMap<(String, String), Opening>,
    /// Openings that a transaction erases.
    pub erased: BTreeSet<(String, String)>,
    /// `TZif` bytes by scope and digest.
    pub zones: BTreeMap<(String, String), Vec<u8>>,
    /// Credentials by id.
    pub credentials: BTreeMap<String, CredentialRow>,
    /// The service's secrets by name.
    pub secrets: BTreeMap<String, Vec<u8>>,
}

/// The key of a record as the table orders it.
pub fn record_id(key: &RecordKey) -> RecordId {
    (key.scope.to_string(), key.kind.as_str(), key.id.clone())
}

/// The key of a reference's row.
pub fn reference_id(scope: &str, reference: &ExternalReference, kind: Kind) -> ReferenceId {
    (scope.to_owned(), reference.clone(), kind.as_str())
}

/// The key of a request's row.
pub fn request_id(key: &RequestKey) -> RequestId {
    (
        key.scope.to_string(),
        key.firm.clone(),
        key.request_id.clone(),
    )
}

impl Tables {
    /// Moves every row of `newer` over those that are here.
    pub fn absorb(&mut self, newer: Self) {
        self.heads.extend(newer.heads);
        self.journal.extend(newer.journal);
        self.records.extend(newer.records);
        self.references.extend(newer.references);
        self.requests.extend(newer.requests);
        self.sealed.extend(newer.sealed);
        self.sealed.retain(|key, _| !newer.erased.contains(key));
        self.zones.extend(newer.zones);
        self.credentials.extend(newer.credentials);
        self.secrets.extend(newer.secrets);
    }

    /// Writes a set into these tables, which lie over `below`, by the rules of the contract.
    ///
    /// # Errors
    /// [`StoreError::Refused`] for the first rule that would be broken.
    pub fn write(&mut self, set: &WriteSet, below: &Self) -> Result<(), StoreError> {
        distinct(set)?;
        for head in &set.heads {
            let key = head.scope.to_string();
            let before = self.heads.get(&key).or_else(|| below.heads.get(&key));
            require(
                before.is_none_or(|before| before.sequence < head.sequence),
                "a head would not move forward",
            )?;
            self.heads.insert(key, head.clone());
        }
        for entry in &set.entries {
            let key = (entry.scope.to_string(), entry.sequence);
            let new = !self.journal.contains_key(&key) && !below.journal.contains_key(&key);
            require(new, "an entry was not added")?;
            self.journal.insert(key, entry.clone());
        }
        self.write_records(&set.records, below)?;
        self.write_references(&set.references, below)?;
        self.write_requests(&set.requests, below)?;
        for row in &set.sealed {
            let key = (
                row.scope.to_string(),
                row.opening.commitment.as_str().to_owned(),
            );
            if !below.sealed.contains_key(&key) {
                self.sealed
                    .entry(key)
                    .or_insert_with(|| row.opening.clone());
            }
        }
        for (scope, commitment) in &set.erased {
            let key = (scope.to_string(), commitment.as_str().to_owned());
            self.sealed.remove(&key);
            self.erased.insert(key);
        }
        for row in &set.zones {
            let key = (row.scope.to_string(), row.digest.clone());
            if !below.zones.contains_key(&key) {
                self.zones.entry(key).or_insert_with(|| row.tzif.clone());
            }
        }
        for row in &set.credentials {
            let before = self.credentials.get(&row.id);
            let before = before.or_else(|| below.credentials.get(&row.id));
            let last_used_at = before.and_then(|row| row.last_used_at);
            let row = CredentialRow {
                last_used_at,
                ..row.clone()
            };
            self.credentials.insert(row.id.clone(), row);
        }
        Ok(())
    }

    fn write_records(&mut self, rows: &[RecordRow], below: &Self) -> Result<(), StoreError> {
        for row in rows {
            let key = record_id(&row.key);
            let before = self.records.get(&key).or_else(|| below.records.get(&key));
            let grows = before.is_none_or(|before| before.revision < row.revision);
            require(grows, "a record's revision would not grow")?;
            require(row.body.len() <= BODY_BYTES_MAX, "a body is too large")?;
            let json = serde_json::from_str::<serde::de::IgnoredAny>(&row.body).is_ok();
            require(json, "a body is not JSON")?;
            self.records.insert(key, row.clone());
        }
        Ok(())
    }

    fn write_references(&mut self, rows: &[ReferenceRow], below: &Self) -> Result<(), StoreError> {
        for row in rows {
            let key = reference_id(row.scope.as_str(), &row.reference, row.kind);
            let before = self
                .references
                .get(&key)
                .or_else(|| below.references.get(&key));
            let same = before.is_none_or(|before| before.id == row.id);
            require(same, "a reference stands for another record")?;
            self.references.insert(key, row.clone());
        }
        Ok(())
    }

    fn write_requests(&mut self, rows: &[RequestRow], below: &Self) -> Result<(), StoreError> {
        for row in rows {
            let key = (
                row.scope.to_string(),
                row.firm.clone(),
                row.request_id.clone(),
            );
            let before = self.requests.get(&key).or_else(|| below.requests.get(&key));
            let free = before.is_none_or(|before| before.expires_at.is_some());
            require(
                free && !row.request_id.is_empty(),
                "a request was carried out before",
            )?;
            self.requests.insert(key, row.clone());
        }
        Ok(())
    }
}

fn require(holds: bool, otherwise: &str) -> Result<(), StoreError> {
    if holds {
        Ok(())
    } else {
        Err(StoreError::Refused(otherwise.to_owned()))
    }
}

/// No more keys than a look-up may have.
///
/// # Errors
/// [`StoreError::Refused`].
pub fn few<K>(keys: &[K]) -> Result<(), StoreError> {
    require(keys.len() <= BATCH_KEYS_MAX, "too many keys")
}

/// A key that a set has twice is refused, references that are the same row excepted.
fn distinct(set: &WriteSet) -> Result<(), StoreError> {
    once("head", set.heads.iter().map(|head| &head.scope))?;
    once("record", set.records.iter().map(|record| &record.key))?;
    once(
        "request",
        set.requests
            .iter()
            .map(|row| (&row.scope, &row.firm, &row.request_id)),
    )?;
    once("credential", set.credentials.iter().map(|row| &row.id))
}

fn once<K: Hash + Eq>(what: &str, keys: impl Iterator<Item = K>) -> Result<(), StoreError> {
    let mut seen = HashSet::new();
    for key in keys {
        require(
            seen.insert(key),
            &format!("a batch has the same {what} twice"),
        )?;
    }
    Ok(())
}
