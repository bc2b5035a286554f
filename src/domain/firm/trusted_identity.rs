//! Trusted identities: who acts for a firm without a secret of this service's own, because an identity
//! provider or a certificate authority vouches for it.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::api_key::require_grant;
use super::{Firm, Permission};
use crate::domain::aggregate::{Aggregate, Recorded, events};
use crate::domain::command::Decision;
use crate::domain::journal::Hash;
use crate::domain::record::{Event, Kind};
use crate::domain::refusal::{Reason, Refusal, Violations};
use crate::domain::text::require_token;
use crate::domain::time::Timestamp;
use crate::domain::world::{Stop, View};

/// Longest issuer, subject or name, in bytes.
pub const IDENTITY_BYTES_MAX: usize = 255;

/// Whom others vouch for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Identity {
    /// The subject of an identity provider's tokens.
    Token {
        /// The `iss` of the tokens, to the letter.
        issuer: String,
        /// The `sub` of the tokens, to the letter.
        subject: String,
    },
    /// A DNS name that a client certificate is for, in lower case.
    CertificateDns(String),
    /// A URI that a client certificate is for, to the letter.
    CertificateUri(String),
}

impl Identity {
    /// SHA-256 by which the identity is looked up: two have the same only if they are the same.
    #[must_use]
    pub fn digest(&self) -> Hash {
        let parts: [&str; 3] = match self {
            Self::Token { issuer, subject } => ["token", issuer, subject],
            Self::CertificateDns(name) => ["certificate-dns", name, ""],
            Self::CertificateUri(uri) => ["certificate-uri", uri, ""],
        };
        let mut digest = Sha256::new();
        for part in parts {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part.as_bytes());
        }
        digest.finalize().into()
    }

    fn check(&self, violations: &mut Violations) {
        const FIELD: &str = "trusted_identity.identity";
        let mut token = |field: &str, text: &str| {
            require_token(violations, field, text, IDENTITY_BYTES_MAX);
        };
        match self {
            Self::Token { issuer, subject } => {
                token(&format!("{FIELD}.token.issuer"), issuer);
                token(&format!("{FIELD}.token.subject"), subject);
            }
            Self::CertificateDns(name) => {
                token(&format!("{FIELD}.certificate_dns_name"), name);
                violations.require(
                    !name.contains('*') && !name.bytes().any(|byte| byte.is_ascii_uppercase()),
                    &format!("{FIELD}.certificate_dns_name"),
                    "must be one name in lower case, without a wildcard",
                );
            }
            Self::CertificateUri(uri) => {
                token(&format!("{FIELD}.certificate_uri"), uri);
                violations.require(
                    uri.contains(':'),
                    &format!("{FIELD}.certificate_uri"),
                    "must be a URI, such as `spiffe://north.example/psa`",
                );
            }
        }
    }
}

/// Somebody who acts for a firm because others vouch for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustedIdentity {
    /// Who it is, for people.
    pub display_name: String,
    /// Whom others vouch for.
    pub identity: Identity,
    /// What it may do.
    pub permissions: Vec<Permission>,
    /// Until when it is trusted.
    pub expires_at: Option<Timestamp>,
    /// When the trust was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// Somebody is trusted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustedIdentityCreated {
    /// Who it is, for people.
    pub display_name: String,
    /// Whom others vouch for.
    pub identity: Identity,
    /// What it may do.
    pub permissions: Vec<Permission>,
    /// Until when it is trusted.
    pub expires_at: Option<Timestamp>,
}

/// Trust was revoked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustedIdentityRevoked {}

events! {
    /// What happens to a trusted identity.
    TrustedIdentityEvent {
        /// It is trusted.
        Created(TrustedIdentityCreated) = "trusted_identity.created", 1;
        /// It is trusted no more.
        Revoked(TrustedIdentityRevoked) = "trusted_identity.revoked", 1;
    }
}

impl Aggregate for TrustedIdentity {
    type Event = TrustedIdentityEvent;
    const BODY_VERSION: u32 = 1;

    fn apply(
        previous: Option<Self>,
        event: &TrustedIdentityEvent,
        recorded: &Recorded,
    ) -> Option<Self> {
        match (previous, event) {
            (None, TrustedIdentityEvent::Created(created)) => Some(Self {
                display_name: created.display_name.clone(),
                identity: created.identity.clone(),
                permissions: created.permissions.clone(),
                expires_at: created.expires_at,
                revoked_at: None,
            }),
            (Some(mut trusted), TrustedIdentityEvent::Revoked(_)) => {
                trusted.revoked_at = Some(recorded.at);
                Some(trusted)
            }
            _ => None,
        }
    }

    fn state(&self) -> &'static str {
        if self.revoked_at.is_some() {
            "revoked"
        } else {
            "active"
        }
    }
}

/// # Errors
/// A refusal, or what has to be loaded first.
pub(super) fn create(
    created: &TrustedIdentityCreated,
    is_taken: bool,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    view.get::<Firm>(view.scope.id())?;
    let TrustedIdentityCreated {
        display_name,
        identity,
        permissions,
        expires_at,
    } = created;
    let mut faults = Vec::new();
    let grant = require_grant(
        "trusted_identity",
        display_name,
        permissions,
        *expires_at,
        view,
    );
    faults.extend(grant.err());
    let mut violations = Violations::default();
    identity.check(&mut violations);
    faults.extend(violations.finish().err());
    Refusal::all(faults)?;
    if is_taken {
        return Err(Refusal::new(Reason::AlreadyExists, "a firm trusts this identity").into());
    }
    let id = view.new_id(0);
    let event = TrustedIdentityEvent::Created(created.clone());
    Ok(Decision::about(Kind::TrustedIdentity, &id).event(Event::new(id, event)))
}

/// # Errors
/// As [`create`].
pub(super) fn revoke(id: &str, view: &View<'_>) -> Result<Decision, Stop> {
    let trusted = view.get::<TrustedIdentity>(id)?;
    let decision = Decision::about(Kind::TrustedIdentity, id);
    if trusted.revoked_at.is_some() {
        return Ok(decision);
    }
    let event = TrustedIdentityEvent::Revoked(TrustedIdentityRevoked {});
    Ok(decision.event(Event::new(id, event)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn identity() -> impl Strategy<Value = Identity> {
        // Short and of few letters, so that parts run into each other.
        let text = "[ab:]{0,3}";
        prop_oneof![
            (text, text).prop_map(|(issuer, subject)| Identity::Token { issuer, subject }),
            text.prop_map(Identity::CertificateDns),
            text.prop_map(Identity::CertificateUri),
        ]
    }

    proptest! {
        #[test]
        fn only_the_same_has_the_same_digest(one in identity(), other in identity()) {
            prop_assert_eq!(one.digest() == other.digest(), one == other);
        }
    }
}
