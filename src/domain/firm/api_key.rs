//! API keys: secrets with which programs act for a firm.

use serde::{Deserialize, Serialize};

use super::{Firm, Permission};
use crate::domain::aggregate::{Aggregate, Recorded, events};
use crate::domain::command::Decision;
use crate::domain::identity::FirmId;
use crate::domain::record::{Event, Kind};
use crate::domain::refusal::{Refusal, Violations};
use crate::domain::text::require_display_name;
use crate::domain::time::{Span, Timestamp};
use crate::domain::world::{Stop, View};

/// For how long an earlier secret is good after a rotation, at most: a week.
pub const OVERLAP_MAX: Span = Span::from_hours(7 * 24);
/// The same, where nobody says: a day.
pub const OVERLAP_DEFAULT: Span = Span::from_hours(24);

/// An API key. The secret is nowhere; its digest is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiKey {
    /// What the key is for, for people.
    pub display_name: String,
    /// What it may do.
    pub permissions: Vec<Permission>,
    /// SHA-256 of the secret, hexadecimal.
    pub digest: String,
    /// The secret before the last rotation, if there was one.
    pub earlier: Option<EarlierSecret>,
    /// When the secret was last rotated.
    pub rotated_at: Option<Timestamp>,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// A secret that another one has replaced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarlierSecret {
    /// SHA-256 of the secret, hexadecimal.
    pub digest: String,
    /// Until when it is good.
    pub until: Timestamp,
}

/// A key was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiKeyCreated {
    /// What the key is for.
    pub display_name: String,
    /// What it may do.
    pub permissions: Vec<Permission>,
    /// SHA-256 of the secret, hexadecimal.
    pub digest: String,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
}

/// A key got another secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiKeyRotated {
    /// SHA-256 of the new secret, hexadecimal.
    pub digest: String,
    /// Until when the secret before it is good.
    pub earlier_until: Timestamp,
}

/// A key was revoked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiKeyRevoked {}

events! {
    /// What happens to an API key.
    ApiKeyEvent {
        /// It was made.
        Created(ApiKeyCreated) = "api_key.created", 1;
        /// It got another secret.
        Rotated(ApiKeyRotated) = "api_key.rotated", 1;
        /// It was revoked.
        Revoked(ApiKeyRevoked) = "api_key.revoked", 1;
    }
}

impl Aggregate for ApiKey {
    type Event = ApiKeyEvent;
    const BODY_VERSION: u32 = 1;

    fn apply(previous: Option<Self>, event: &ApiKeyEvent, recorded: &Recorded) -> Option<Self> {
        match (previous, event) {
            (None, ApiKeyEvent::Created(created)) => Some(Self {
                display_name: created.display_name.clone(),
                permissions: created.permissions.clone(),
                digest: created.digest.clone(),
                earlier: None,
                rotated_at: None,
                expires_at: created.expires_at,
                revoked_at: None,
            }),
            (Some(mut key), ApiKeyEvent::Rotated(rotated)) => {
                let digest = std::mem::replace(&mut key.digest, rotated.digest.clone());
                let until = rotated.earlier_until;
                key.earlier = Some(EarlierSecret { digest, until });
                key.rotated_at = Some(recorded.at);
                Some(key)
            }
            (Some(mut key), ApiKeyEvent::Revoked(_)) => {
                key.revoked_at = Some(recorded.at);
                Some(key)
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
pub(super) fn create(created: &ApiKeyCreated, view: &View<'_>) -> Result<Decision, Stop> {
    view.get::<Firm>(view.scope.id())?;
    let ApiKeyCreated {
        display_name,
        permissions,
        expires_at,
        ..
    } = created;
    require_grant("api_key", display_name, permissions, *expires_at, view)?;
    let id = view.new_id(0);
    Ok(Decision::about(Kind::ApiKey, &id)
        .event(Event::new(id, ApiKeyEvent::Created(created.clone()))))
}

/// # Errors
/// As [`create`].
pub(super) fn revoke(id: &str, view: &View<'_>) -> Result<Decision, Stop> {
    let key = view.get::<ApiKey>(id)?;
    let decision = Decision::about(Kind::ApiKey, id);
    if key.revoked_at.is_some() {
        return Ok(decision);
    }
    Ok(decision.event(Event::new(id, ApiKeyEvent::Revoked(ApiKeyRevoked {}))))
}

/// Gives a key another secret. A secret that an earlier rotation left good is good no more.
///
/// # Errors
/// As [`create`].
pub(super) fn rotate(
    id: &str,
    digest: &str,
    overlap: Span,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let key = view.get::<ApiKey>(id)?;
    let mut violations = Violations::default();
    violations.require(
        (Span::ZERO..=OVERLAP_MAX).contains(&overlap),
        "overlap",
        "0 seconds to 7 days",
    );
    violations.finish()?;
    if key.revoked_at.is_some() {
        return Err(Refusal::invalid_state("revoked", "rotate").into());
    }
    if key
        .expires_at
        .is_some_and(|expires_at| expires_at <= view.now)
    {
        return Err(Refusal::invalid_state("expired", "rotate").into());
    }
    let rotated = ApiKeyRotated {
        digest: digest.to_owned(),
        earlier_until: view.now.saturating_add(overlap),
    };
    Ok(Decision::about(Kind::ApiKey, id).event(Event::new(id, ApiKeyEvent::Rotated(rotated))))
}

/// Refuses what nobody may be given: names every field below `field` that is at fault.
///
/// # Errors
/// [`Reason::InvalidField`](crate::domain::refusal::Reason::InvalidField).
pub(super) fn require_grant(
    field: &str,
    display_name: &str,
    permissions: &[Permission],
    expires_at: Option<Timestamp>,
    view: &View<'_>,
) -> Result<(), Refusal> {
    let mut violations = Violations::default();
    require_display_name(
        &mut violations,
        &format!("{field}.display_name"),
        display_name,
    );
    let permissions_field = format!("{field}.permissions");
    violations.require(
        !permissions.is_empty(),
        &permissions_field,
        "at least one permission",
    );
    let operator_only =
        permissions.contains(&Permission::Operator) && *view.scope != FirmId::operator().scope();
    violations.require(
        !operator_only,
        &permissions_field,
        "OPERATOR is for the operator's own keys",
    );
    let future = expires_at.is_none_or(|expires_at| expires_at > view.now);
    violations.require(
        future,
        &format!("{field}.expire_time"),
        "must be in the future",
    );
    violations.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded(seconds: i64) -> Recorded {
        Recorded {
            sequence: 1,
            at: Timestamp::from_micros(0).saturating_add(Span::from_seconds(seconds)),
            firm: None,
            actor: String::new(),
        }
    }

    #[test]
    fn a_rotation_keeps_one_earlier_secret() {
        let created = ApiKeyCreated {
            display_name: "desk".to_owned(),
            permissions: vec![Permission::Read],
            digest: "first".to_owned(),
            expires_at: None,
        };
        let rotated = |digest: &str, seconds: i64| {
            ApiKeyEvent::Rotated(ApiKeyRotated {
                digest: digest.to_owned(),
                earlier_until: recorded(seconds).at,
            })
        };
        assert_eq!(
            ApiKey::apply(None, &rotated("second", 9), &recorded(2)),
            None
        );
        let key = ApiKey::apply(None, &ApiKeyEvent::Created(created), &recorded(1));
        let key = ApiKey::apply(key, &rotated("second", 9), &recorded(2));
        let key = ApiKey::apply(key, &rotated("third", 7), &recorded(3)).unwrap();
        let earlier = key.earlier.unwrap();
        assert_eq!(
            (key.digest.as_str(), earlier.digest.as_str()),
            ("third", "second")
        );
        assert_eq!(
            (earlier.until, key.rotated_at),
            (recorded(7).at, Some(recorded(3).at))
        );
        assert_eq!(key.permissions, [Permission::Read]);
    }
}
