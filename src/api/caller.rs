//! Who calls: API keys, and what they may do.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio::sync::{Semaphore, SemaphorePermit};
use tonic::metadata::MetadataMap;

use super::status::ApiError;
use crate::domain::firm::Permission;
use crate::domain::identity::FirmId;
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::time::{Span, Timestamp};
use crate::store::{CredentialRow, Store};

/// Begins every API key: `entente_{key id}_{secret}`.
const KEY_PREFIX: &str = "entente_";
/// Longest key accepted, in characters.
const KEY_CHARACTERS_MAX: usize = 256;
/// Random bytes in a key's secret.
pub const SECRET_BYTES: usize = 32;
/// For how long a credential is remembered, and so how late a revocation may take effect.
pub const CREDENTIALS_KEPT_FOR: Span = Span::from_seconds(5);
/// Most credentials remembered; beyond it the memory starts anew.
const CREDENTIALS_MAX: usize = 10_000;

/// A caller that was recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Its firm.
    pub firm: FirmId,
    /// The credential's public identifier.
    pub actor: String,
    /// What the credential may do.
    pub permissions: Vec<Permission>,
}

impl Caller {
    /// # Errors
    /// [`Reason::PermissionMissing`], naming the permission.
    pub fn require(&self, permission: Permission) -> Result<(), Refusal> {
        if self.permissions.contains(&permission) {
            return Ok(());
        }
        let name = permission.as_str();
        Err(Refusal::new(
            Reason::PermissionMissing,
            format!("the key lacks the permission {name}"),
        )
        .with("permission", name))
    }

    /// Whether the caller acts for the operator.
    #[must_use]
    pub fn is_operator(&self) -> bool {
        self.permissions.contains(&Permission::Operator)
    }
}

/// Recognises callers by their keys.
#[derive(Debug, Default)]
pub struct Authenticator {
    known: Mutex<HashMap<String, (CredentialRow, Timestamp)>>,
}

impl Authenticator {
    /// Recognises the caller of a request from `authorization: Bearer <key>`.
    ///
    /// # Errors
    /// [`Reason::Unauthenticated`] without saying which part was wrong.
    pub async fn recognise(
        &self,
        metadata: &MetadataMap,
        store: &dyn Store,
        now: Timestamp,
    ) -> Result<Caller, ApiError> {
        let unauthenticated = || {
            Refusal::new(
                Reason::Unauthenticated,
                "send `authorization: Bearer <API key>` with a valid key",
            )
        };
        let (id, secret) = metadata
            .get("authorization")
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "))
            .and_then(split_key)
            .ok_or_else(unauthenticated)?;
        let row = self
            .credential(id, store, now)
            .await?
            .ok_or_else(unauthenticated)?;
        let digest: [u8; 32] = Sha256::digest(secret.as_bytes()).into();
        let genuine: bool = digest.ct_eq(&row.digest).into();
        let valid =
            row.revoked_at.is_none() && row.expires_at.is_none_or(|expires_at| now < expires_at);
        if !genuine || !valid {
            return Err(unauthenticated().into());
        }
        let permissions = row
            .permissions
            .split(',')
            .filter_map(Permission::parse)
            .collect();
        Ok(Caller {
            firm: row.firm,
            actor: row.id,
            permissions,
        })
    }

    async fn credential(
        &self,
        id: &str,
        store: &dyn Store,
        now: Timestamp,
    ) -> Result<Option<CredentialRow>, ApiError> {
        if let Some(row) = self.remembered(id, now) {
            return Ok(Some(row));
        }
        let found = store.credential(id).await?;
        if let Some(row) = &found {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            if known.len() >= CREDENTIALS_MAX {
                known.clear();
            }
            known.insert(id.to_owned(), (row.clone(), now));
        }
        Ok(found)
    }

    fn remembered(&self, id: &str, now: Timestamp) -> Option<CredentialRow> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (row, since) = known.get(id)?;
        (now.since(*since) < CREDENTIALS_KEPT_FOR && now >= *since).then(|| row.clone())
    }

    /// Forgets a credential that was just changed here.
    pub fn forget(&self, id: &str) {
        self.known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(id);
    }
}

/// Most calls of guests under way at a time. Guests have no key, so that nothing else tells how much
/// any one of them may ask for.
const GUEST_CALLS_MAX: usize = 64;

/// Lets guests in, `GUEST_CALLS_MAX` at a time; whoever comes then is turned away at once.
#[derive(Debug)]
pub struct GuestGate(Semaphore);

impl Default for GuestGate {
    fn default() -> Self {
        Self(Semaphore::new(GUEST_CALLS_MAX))
    }
}

impl GuestGate {
    /// Lets one in; the place is free again when the permit is dropped.
    ///
    /// # Errors
    /// [`Reason::QueueFull`].
    pub fn enter(&self) -> Result<SemaphorePermit<'_>, Refusal> {
        let full = |_| Refusal::new(Reason::QueueFull, "too many guests at a time");
        self.0.try_acquire().map_err(full)
    }
}

fn split_key(key: &str) -> Option<(&str, &str)> {
    if key.len() > KEY_CHARACTERS_MAX {
        return None;
    }
    key.strip_prefix(KEY_PREFIX)?.split_once('_')
}

/// A new secret from random bytes, and its digest in hexadecimal.
#[must_use]
pub fn new_secret(random: &[u8; SECRET_BYTES]) -> (String, String) {
    let secret = data_encoding::BASE32_NOPAD.encode(random).to_lowercase();
    let digest = digest_of(&secret);
    (secret, digest)
}

/// SHA-256 of a secret, in hexadecimal. Secrets are random, so a plain hash is enough.
#[must_use]
pub fn digest_of(secret: &str) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(secret.as_bytes()))
}

/// The key that its holder sends.
#[must_use]
pub fn format_key(id: &str, secret: &str) -> String {
    format!("{KEY_PREFIX}{id}_{secret}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guests_beyond_the_limit_are_turned_away() {
        let gate = GuestGate::default();
        let inside: Vec<_> = (0..GUEST_CALLS_MAX).map(|_| gate.enter()).collect();
        assert!(inside.iter().all(Result::is_ok));
        assert_eq!(gate.enter().unwrap_err().reason, Reason::QueueFull);
        drop(inside);
        assert!(gate.enter().is_ok());
    }

    #[test]
    fn keys_come_apart_again() {
        let (secret, digest) = new_secret(&[9; SECRET_BYTES]);
        let key = format_key("0199-ab", &secret);
        assert_eq!(split_key(&key), Some(("0199-ab", secret.as_str())));
        assert_eq!(digest.len(), 64);
        for bad in [
            "",
            "entente_",
            "entente_x",
            "other_x_y",
            &format!("entente_x_{}", "y".repeat(300)),
        ] {
            assert_eq!(split_key(bad), None, "{bad}");
        }
    }
}
