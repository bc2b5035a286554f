//! The keys of an issuer: fetched when they are needed, kept, and fetched again in good time.
//!
//! Keys that are due for a refresh go on serving while it is under way, and for a day if it fails. A
//! token with an unknown key may mean that there are new ones, so it makes us look; but not more often
//! than every half minute, whatever is sent to us.

use std::sync::{Arc, Mutex, PoisonError};

use jsonwebtoken::jwk::{Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};

use super::fetch::Fetcher;
use crate::api::sign_in::TokenFault;
use crate::domain::time::{Span, Timestamp};

/// After this time keys are fetched again.
pub(super) const FRESH_FOR: Span = Span::from_minutes(10);
/// For how long keys serve if they cannot be fetched again.
pub(super) const STALE_FOR: Span = Span::from_hours(24);
/// The least time between two fetches.
pub(super) const FETCH_EVERY: Span = Span::from_seconds(30);
/// The same while there are no keys at all.
pub(super) const FETCH_WITHOUT_KEYS_EVERY: Span = Span::from_seconds(5);
/// Most keys taken of an issuer.
const KEYS_MAX: usize = 100;

/// A key that verifies.
struct Key {
    id: Option<String>,
    /// The only algorithm that it is for, if the issuer says so.
    algorithm: Option<Algorithm>,
    key: Arc<DecodingKey>,
}

impl Key {
    /// None of a key that does not verify signatures, or that is a shared secret.
    fn of(jwk: &Jwk) -> Option<Self> {
        let is_for_signatures = matches!(
            jwk.common.public_key_use,
            None | Some(PublicKeyUse::Signature)
        );
        let algorithm = match jwk.common.key_algorithm {
            None => None,
            Some(algorithm) => Some(Algorithm::try_from(algorithm).ok()?),
        };
        let key = DecodingKey::from_jwk(jwk).ok()?;
        let is_secret = key.family().algorithms().contains(&Algorithm::HS256);
        (is_for_signatures && !is_secret).then(|| Self {
            id: jwk.common.key_id.clone(),
            algorithm,
            key: Arc::new(key),
        })
    }

    fn is_for(&self, algorithm: Algorithm) -> bool {
        self.key.family().algorithms().contains(&algorithm)
            && self.algorithm.is_none_or(|only| only == algorithm)
    }
}

#[derive(Default)]
struct State {
    keys: Vec<Key>,
    fetched_at: Option<Timestamp>,
    tried_at: Option<Timestamp>,
    failed: bool,
}

impl State {
    /// How old the keys are; `None` if there are none that may still serve.
    fn age(&self, now: Timestamp) -> Option<Span> {
        let age = now.since(self.fetched_at?);
        (age < STALE_FOR).then_some(age)
    }

    fn may_fetch(&self, now: Timestamp) -> bool {
        let rest = match self.age(now) {
            Some(_) => FETCH_EVERY,
            None => FETCH_WITHOUT_KEYS_EVERY,
        };
        self.tried_at
            .is_none_or(|tried_at| now.since(tried_at) >= rest || now < tried_at)
    }

    fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Option<Arc<DecodingKey>> {
        let mut fitting = self.keys.iter().filter(|key| key.is_for(algorithm));
        let found = match id {
            Some(id) => fitting.find(|key| key.id.as_deref() == Some(id)),
            // Which one is meant is clear only if there is no other.
            None => fitting.next().filter(|_| self.keys.len() == 1),
        };
        found.map(|found| Arc::clone(&found.key))
    }
}

/// The keys of one issuer.
pub(super) struct KeySource {
    fetcher: Fetcher,
    state: Mutex<State>,
    /// Held by whoever fetches, so that others wait for it instead of doing the same.
    fetching: tokio::sync::Mutex<()>,
}

impl KeySource {
    pub(super) fn new(fetcher: Fetcher) -> Self {
        Self {
            fetcher,
            state: Mutex::default(),
            fetching: tokio::sync::Mutex::default(),
        }
    }

    fn state<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The key of that id for that algorithm.
    ///
    /// # Errors
    /// If there is none, or the keys cannot be had.
    pub(super) async fn find(
        self: &Arc<Self>,
        id: Option<&str>,
        algorithm: Algorithm,
        now: Timestamp,
    ) -> Result<Arc<DecodingKey>, TokenFault> {
        let (found, age) = self.state(|state| (state.find(id, algorithm), state.age(now)));
        if let (Some(key), Some(age)) = (found, age) {
            if age >= FRESH_FOR && self.state(|state| state.may_fetch(now)) {
                let source = Arc::clone(self);
                tokio::spawn(async move { source.fetch(now).await });
            }
            return Ok(key);
        }
        self.fetch(now).await;
        self.state(|state| match state.find(id, algorithm) {
            Some(key) if state.age(now).is_some() => Ok(key),
            _ if state.failed => Err(TokenFault::KeysUnavailable),
            _ => Err(TokenFault::Invalid("token_key_unknown")),
        })
    }

    /// Fetches the keys, unless somebody did so just now.
    async fn fetch(&self, now: Timestamp) {
        let _guard = self.fetching.lock().await;
        // Whoever was before us has done it, maybe while we waited.
        if !self.state(|state| state.may_fetch(now)) {
            return;
        }
        self.state(|state| state.tried_at = Some(now));
        let fetched = self.fetcher.fetch().await;
        self.state(|state| match fetched {
            Ok(set) => {
                let keys = set.iter().filter_map(Key::of).take(KEYS_MAX);
                state.keys = keys.collect();
                state.fetched_at = Some(now);
                state.failed = false;
            }
            Err(()) => state.failed = true,
        });
    }
}
