//! Tokens of identity providers: `OpenID` Connect, or whatever else signs JSON Web Tokens with keys that
//! it publishes.
//!
//! What a token says of itself is believed in nothing but the choice of the key: issuer, audience and
//! algorithms are settings, and keys come from the issuer alone. Time comes with the call.

mod fetch;
mod keys;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::str::FromStr;
use std::sync::Arc;

use async_trait::async_trait;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, Validation};
use metrics::{Unit, describe_counter};
use serde::{Deserialize, Serialize};

use crate::api::sign_in::{TokenFault, TokenVerifier};
use crate::domain::firm::Identity;
use crate::domain::time::{Span, Timestamp};
use fetch::Fetcher;
use keys::KeySource;

/// Longest token, in bytes.
pub const TOKEN_BYTES_MAX: usize = 8 * 1024;
/// By how much the clocks of issuer and server may differ.
pub const LEEWAY: Span = Span::from_seconds(60);
/// Algorithms that are believed where the setting names none.
const ALGORITHMS_DEFAULT: [Algorithm; 4] = [
    Algorithm::RS256,
    Algorithm::PS256,
    Algorithm::ES256,
    Algorithm::EdDSA,
];
/// Times that an issuer was asked for its keys, by outcome.
const FETCHES: &str = "entente_token_key_fetches_total";

/// Says what is measured.
pub fn describe() {
    describe_counter!(
        FETCHES,
        Unit::Count,
        "Times that a token issuer was asked for its keys, by outcome"
    );
}

/// An identity provider whose tokens are believed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TokenIssuer {
    /// The `iss` of its tokens, to the letter; an HTTPS address unless `keys_url` is given.
    pub issuer: String,
    /// What the `aud` of a token must be or contain: the name of this server at the issuer.
    pub audience: String,
    /// Where its keys are; by default `issuer` tells, as `OpenID` Connect Discovery says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys_url: Option<String>,
    /// Algorithms that are believed, such as `RS256`; none with a shared secret. By default RS256,
    /// PS256, ES256 and `EdDSA`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub algorithms: Option<Vec<String>>,
}

/// Verifies tokens of some issuers.
pub struct Verifier {
    issuers: HashMap<String, Issuer>,
}

struct Issuer {
    audience: String,
    algorithms: Vec<Algorithm>,
    keys: Arc<KeySource>,
}

/// What a token says, of which all is checked.
#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    exp: u64,
    nbf: Option<u64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Audience {
    fn contains(&self, audience: &str) -> bool {
        match self {
            Self::One(one) => one == audience,
            Self::Several(several) => several.iter().any(|one| one == audience),
        }
    }
}

/// Who says that it issued a token.
#[derive(Deserialize)]
struct Claimed {
    iss: String,
}

impl Verifier {
    /// Believes these issuers.
    ///
    /// # Errors
    /// The setting at fault, and why.
    pub fn new(settings: &[TokenIssuer]) -> Result<Self, String> {
        let mut issuers = HashMap::new();
        for setting in settings {
            let TokenIssuer {
                issuer, audience, ..
            } = setting;
            if issuer.is_empty() || audience.is_empty() {
                return Err("token_issuers: each has an issuer and an audience".to_owned());
            }
            let named = |why: String| format!("token_issuers: {issuer}: {why}");
            let fetcher = match &setting.keys_url {
                Some(url) => Fetcher::of_keys(url),
                None => Fetcher::discovering(issuer),
            };
            let believed = Issuer {
                audience: audience.clone(),
                algorithms: algorithms(setting.algorithms.as_deref()).map_err(named)?,
                keys: Arc::new(KeySource::new(fetcher.map_err(named)?)),
            };
            if issuers.insert(issuer.clone(), believed).is_some() {
                return Err(named("it is there twice".to_owned()));
            }
        }
        Ok(Self { issuers })
    }
}

fn algorithms(named: Option<&[String]>) -> Result<Vec<Algorithm>, String> {
    let Some(named) = named else {
        return Ok(ALGORITHMS_DEFAULT.to_vec());
    };
    if named.is_empty() {
        return Err("algorithms: at least one".to_owned());
    }
    let known = |name: &String| {
        let algorithm = Algorithm::from_str(name).map_err(|_| format!("algorithms: {name}?"))?;
        match algorithm {
            Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => Err(format!(
                "algorithms: {name} signs with a secret that both sides know"
            )),
            _ => Ok(algorithm),
        }
    };
    named.iter().map(known).collect()
}

#[async_trait]
impl TokenVerifier for Verifier {
    async fn verify(&self, token: &str, now: Timestamp) -> Result<Identity, TokenFault> {
        use TokenFault::Invalid;
        if token.len() > TOKEN_BYTES_MAX {
            return Err(Invalid("token_too_long"));
        }
        let malformed = |_| Invalid("token_malformed");
        let header = jsonwebtoken::decode_header(token).map_err(malformed)?;
        // The only thing read before the signature is checked, to find out by whose keys.
        let claimed: Claimed =
            jsonwebtoken::dangerous::insecure_decode_claims(token).map_err(malformed)?;
        let issuer = self.issuers.get(&claimed.iss);
        let issuer = issuer.ok_or(Invalid("token_of_other_issuer"))?;
        if !issuer.algorithms.contains(&header.alg) {
            return Err(Invalid("token_algorithm"));
        }
        if header.crit.is_some() {
            return Err(Invalid("token_critical_header"));
        }
        let kid = header.kid.as_deref();
        let key = issuer.keys.find(kid, header.alg, now).await?;
        let claims = jsonwebtoken::decode::<Claims>(token, &key, &signature_alone(header.alg));
        let claims = claims.map_err(|error| match error.kind() {
            ErrorKind::InvalidSignature => Invalid("token_forged"),
            _ => Invalid("token_malformed"),
        })?;
        let Claims {
            iss,
            sub,
            aud,
            exp,
            nbf,
        } = claims.claims;
        if iss != claimed.iss {
            return Err(Invalid("token_of_other_issuer"));
        }
        if !aud.contains(&issuer.audience) {
            return Err(Invalid("token_for_other_audience"));
        }
        if now >= instant(exp).saturating_add(LEEWAY) {
            return Err(Invalid("token_expired"));
        }
        if nbf.is_some_and(|nbf| now.saturating_add(LEEWAY) < instant(nbf)) {
            return Err(Invalid("token_not_yet_valid"));
        }
        if sub.is_empty() {
            return Err(Invalid("token_malformed"));
        }
        Ok(Identity::Token {
            issuer: iss,
            subject: sub,
        })
    }
}

/// The signature, and nothing that would need the wall clock: the claims are checked by us.
fn signature_alone(algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    validation
}

fn instant(seconds: u64) -> Timestamp {
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    Timestamp::from_micros(0).saturating_add(Span::from_micros(
        seconds.saturating_mul(crate::domain::time::MICROS_PER_SECOND),
    ))
}
