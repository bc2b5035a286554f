//! Sign-in: from what a request brings to the [`Caller`] that it comes from.
//!
//! There is one way in for all. An `authorization` header holds an API key or a token of an identity
//! provider; where there is none, a client certificate counts. Whoever sends a header is recognised
//! by it or not at all: a wrong one is not made good by a certificate.
//!
//! A token or certificate only proves who somebody is. For which firm it acts, and what it may do, is a
//! [trusted identity](crate::domain::firm::TrustedIdentity) of that firm.

pub mod key;
pub mod measure;
pub mod quota;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use subtle::ConstantTimeEq;
use tonic::Request;
use tonic::metadata::{Ascii, MetadataValue};

use super::caller::{Caller, RecognisedBy, TRUSTED_ACTOR};
use super::status::ApiError;
use crate::domain::firm::{Identity, Permission};
use crate::domain::journal::Hash;
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::time::{Span, Timestamp};
use crate::ledger::rows::{API_KEY, TRUSTED_IDENTITY};
use crate::store::{BATCH_KEYS_MAX, CredentialRow, Store, StoreError};

/// For how long a credential is remembered, and so how late a revocation may take effect.
pub const CREDENTIALS_KEPT_FOR: Span = Span::from_seconds(5);
/// Most look-ups remembered; beyond it the memory starts anew.
const CREDENTIALS_MAX: usize = 10_000;
/// How coarsely it is noted when a credential was last used.
pub const USE_NOTED_EVERY: Span = Span::from_hours(1);
/// Most names of a client certificate that are looked up.
pub const CERTIFICATE_NAMES_MAX: usize = 8;
/// Most credentials for one identity that are looked at.
const SAME_IDENTITY_MAX: usize = 16;

/// Who is at the other end of a connection, as far as the connection tells. The server puts it among
/// the extensions of every request.
#[derive(Clone, Debug, Default)]
pub struct Peer {
    /// What the client's certificate was found to prove; empty if it showed none.
    pub identities: Arc<[Identity]>,
}

/// What a request brings to be recognised by.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    authorization: Option<MetadataValue<Ascii>>,
    peer: Peer,
}

impl Evidence {
    /// What `request` brings.
    #[must_use]
    pub fn of<T>(request: &Request<T>) -> Self {
        Self {
            authorization: request.metadata().get("authorization").cloned(),
            peer: request.extensions().get().cloned().unwrap_or_default(),
        }
    }
}

/// Why a token proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenFault {
    /// It is not good; for the log and for counting, never for the caller.
    Invalid(&'static str),
    /// The keys of its issuer cannot be had just now.
    KeysUnavailable,
}

/// Finds out for whom an identity provider vouches with a token.
#[async_trait]
pub trait TokenVerifier: Send + Sync {
    /// The identity that a token proves at `now`.
    ///
    /// # Errors
    /// Why it proves none.
    async fn verify(&self, token: &str, now: Timestamp) -> Result<Identity, TokenFault>;
}

/// What credentials are looked up by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum LookUp {
    Key(String),
    Identity(Hash),
}

/// Credentials that were looked up.
#[derive(Clone)]
struct Known {
    rows: Vec<CredentialRow>,
    since: Timestamp,
}

/// Why nobody was recognised.
type Cause = &'static str;

/// Recognises callers.
#[derive(Default)]
pub struct Authenticator {
    known: Mutex<HashMap<LookUp, Known>>,
    tokens: Option<Arc<dyn TokenVerifier>>,
}

impl Authenticator {
    /// Recognises keys and certificates, and tokens if there is somebody to verify them.
    #[must_use]
    pub fn new(tokens: Option<Arc<dyn TokenVerifier>>) -> Self {
        Self {
            known: Mutex::default(),
            tokens,
        }
    }

    /// Recognises the caller of a request.
    ///
    /// # Errors
    /// [`Reason::Unauthenticated`] without saying what was wrong, or
    /// [`Reason::IdentityProviderUnavailable`].
    pub async fn recognise(
        &self,
        evidence: &Evidence,
        store: &dyn Store,
        now: Timestamp,
    ) -> Result<Caller, ApiError> {
        let found = match &evidence.authorization {
            Some(header) => {
                let bearer = header.to_str().ok();
                match bearer.and_then(|header| header.strip_prefix("Bearer ")) {
                    Some(bearer) if key::is_meant(bearer) => {
                        self.by_key(bearer, store, now).await?
                    }
                    Some(token) => self.by_token(token, store, now).await?,
                    None => Err("malformed"),
                }
            }
            None if evidence.peer.identities.is_empty() => Err("nothing_sent"),
            None => {
                self.by_identities(&evidence.peer.identities, store, now)
                    .await?
            }
        };
        let (look_up, row) = found.map_err(unauthenticated)?;
        if self.is_use_to_be_noted(&look_up, &row.id, now)
            && let Err(error) = store.touch_credential(&row.id, now).await
        {
            tracing::warn!(%error, "the use of a credential was not noted");
        }
        Ok(caller(row))
    }

    async fn by_key(
        &self,
        key: &str,
        store: &dyn Store,
        now: Timestamp,
    ) -> Result<Result<(LookUp, CredentialRow), Cause>, ApiError> {
        let Some((id, secret)) = key::split(key) else {
            return Ok(Err("malformed"));
        };
        let digest = key::hash_of(secret);
        let look_up = LookUp::Key(id.to_owned());
        if let Some(rows) = self.remembered(&look_up, now) {
            match judge_key(rows, &digest, now) {
                // The secret may be newer than what is remembered.
                Err("wrong_secret") => {}
                judged => return Ok(judged.map(|row| (look_up, row))),
            }
        }
        let rows = store.credentials(&[id.to_owned()]).await?;
        self.remember(&look_up, &rows, now);
        Ok(judge_key(rows, &digest, now).map(|row| (look_up, row)))
    }

    async fn by_token(
        &self,
        token: &str,
        store: &dyn Store,
        now: Timestamp,
    ) -> Result<Result<(LookUp, CredentialRow), Cause>, ApiError> {
        let Some(verifier) = &self.tokens else {
            return Ok(Err("malformed"));
        };
        match verifier.verify(token, now).await {
            Ok(identity) => self.by_identities(&[identity], store, now).await,
            Err(TokenFault::Invalid(cause)) => Ok(Err(cause)),
            Err(TokenFault::KeysUnavailable) => {
                measure::failure("keys_unavailable");
                let refusal = Refusal::new(
                    Reason::IdentityProviderUnavailable,
                    "the keys of the token's issuer cannot be had just now",
                );
                Err(refusal.into())
            }
        }
    }

    /// The one firm that trusts any of the identities. An identity of two firms is nobody's: whose
    /// matter a call is must never be a guess.
    async fn by_identities(
        &self,
        identities: &[Identity],
        store: &dyn Store,
        now: Timestamp,
    ) -> Result<Result<(LookUp, CredentialRow), Cause>, ApiError> {
        let mut found: Option<(LookUp, CredentialRow)> = None;
        for identity in identities.iter().take(CERTIFICATE_NAMES_MAX) {
            let digest = identity.digest();
            let look_up = LookUp::Identity(digest);
            let rows = self.trusting(&look_up, &digest, store, now).await?;
            for row in rows {
                if row.credential_type != TRUSTED_IDENTITY || !is_valid(&row, now) {
                    continue;
                }
                match &found {
                    None => found = Some((look_up.clone(), row)),
                    Some((_, other)) if other.firm == row.firm => {}
                    Some(_) => return Ok(Err("ambiguous")),
                }
            }
        }
        Ok(found.ok_or("not_trusted"))
    }

    /// Credentials for the identity of that digest.
    async fn trusting(
        &self,
        look_up: &LookUp,
        digest: &Hash,
        store: &dyn Store,
        now: Timestamp,
    ) -> Result<Vec<CredentialRow>, StoreError> {
        if let Some(rows) = self.remembered(look_up, now) {
            return Ok(rows);
        }
        let rows = store
            .credentials_by_digest(digest, SAME_IDENTITY_MAX)
            .await?;
        self.remember(look_up, &rows, now);
        Ok(rows)
    }

    fn remember(&self, look_up: &LookUp, rows: &[CredentialRow], now: Timestamp) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if rows.is_empty() {
            // What is not there is not remembered: nobody can fill the memory with it.
            known.remove(look_up);
            return;
        }
        if known.len() >= CREDENTIALS_MAX {
            known.clear();
        }
        let rows = rows.to_vec();
        known.insert(look_up.clone(), Known { rows, since: now });
    }

    fn remembered(&self, look_up: &LookUp, now: Timestamp) -> Option<Vec<CredentialRow>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let Known { rows, since } = known.get(look_up)?;
        (now.since(*since) < CREDENTIALS_KEPT_FOR && now >= *since).then(|| rows.clone())
    }

    /// Whether a use is to be noted: then this is remembered, so that only one call does it.
    fn is_use_to_be_noted(&self, look_up: &LookUp, id: &str, now: Timestamp) -> bool {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let rows = known.get_mut(look_up).map(|known| known.rows.iter_mut());
        let Some(row) = rows.and_then(|mut rows| rows.find(|row| row.id == id)) else {
            return false;
        };
        let is_due = row
            .last_used_at
            .is_none_or(|last| now.since(last) >= USE_NOTED_EVERY);
        if is_due {
            row.last_used_at = Some(now);
        }
        is_due
    }

    /// Forgets a credential that was just changed here.
    pub fn forget(&self, id: &str) {
        self.known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|_, known| known.rows.iter().all(|row| row.id != id));
    }
}

impl std::fmt::Debug for Authenticator {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Authenticator")
            .finish_non_exhaustive()
    }
}

/// The key among `rows` if the secret behind `digest` is its own.
fn judge_key(
    rows: Vec<CredentialRow>,
    digest: &Hash,
    now: Timestamp,
) -> Result<CredentialRow, Cause> {
    let row = rows.into_iter().find(|row| row.credential_type == API_KEY);
    let row = row.ok_or("unknown_key")?;
    let is_current: bool = digest.ct_eq(&row.digest).into();
    let is_earlier: bool = digest.ct_eq(&row.earlier_digest).into();
    let is_earlier_good = row.earlier_until.is_some_and(|until| now < until);
    if !(is_current || is_earlier && is_earlier_good) {
        return Err("wrong_secret");
    }
    if !is_valid(&row, now) {
        return Err("revoked_or_expired");
    }
    Ok(row)
}

/// Whether any firm trusts the identity at `now`. Of two that come to trust it at the same instant, none
/// is told apart: sign-in refuses an identity of two firms.
///
/// # Errors
/// If the store fails.
pub async fn is_trusted(
    store: &dyn Store,
    identity: &Identity,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let rows = store
        .credentials_by_digest(&identity.digest(), BATCH_KEYS_MAX)
        .await?;
    Ok(rows
        .iter()
        .any(|row| row.credential_type == TRUSTED_IDENTITY && is_valid(row, now)))
}

fn is_valid(row: &CredentialRow, now: Timestamp) -> bool {
    row.revoked_at.is_none() && row.expires_at.is_none_or(|expires_at| now < expires_at)
}

fn caller(row: CredentialRow) -> Caller {
    let (by, actor) = if row.credential_type == API_KEY {
        (RecognisedBy::ApiKey, row.id)
    } else {
        let actor = format!("{TRUSTED_ACTOR}{}", row.id);
        (RecognisedBy::TrustedIdentity, actor)
    };
    let permissions = row.permissions.split(',');
    Caller {
        firm: row.firm,
        by,
        actor,
        permissions: permissions.filter_map(Permission::parse).collect(),
    }
}

fn unauthenticated(cause: Cause) -> ApiError {
    measure::failure(cause);
    tracing::debug!(cause, "nobody was recognised");
    Refusal::new(
        Reason::Unauthenticated,
        "send `authorization: Bearer <API key>` with a valid key, or be trusted otherwise",
    )
    .into()
}
