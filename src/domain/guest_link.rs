//! Guest links: one person without any integration answers one thing, once.
//!
//! A firm makes a link for somebody of its own, who then answers for the firm; or, where nobody has
//! joined yet, for somebody at the firm that a placeholder stands for. What such a guest says counts,
//! and is marked: no firm stood behind it, so it binds none that joins later, which endorses or
//! contests it instead.

mod decide;
mod matter;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use super::aggregate::{Aggregate, Recorded, events};
use super::commitment::Commitment;
use super::identity::{FirmId, PartyId};
use super::time::{Span, Timestamp};

pub use decide::{GuestLinkCommand, GuestLinkUse, answer, decide};
pub use matter::GuestMatter;

/// How long a link is valid where the caller does not say.
pub const VALIDITY_DEFAULT: Span = Span::from_hours(3 * 24);
/// The shortest that a link may be valid.
pub const VALIDITY_MIN: Span = Span::from_minutes(5);
/// The longest that a link may be valid.
pub const VALIDITY_MAX: Span = Span::from_hours(14 * 24);

/// How far a link has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GuestLinkState {
    /// It can be used.
    Open,
    /// It was used.
    Used,
    /// It was taken back.
    Revoked,
    /// Its time ran out. Never recorded: it follows from the time.
    Expired,
}

impl GuestLinkState {
    /// The name used in lists and errors.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Used => "used",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
        }
    }
}

/// What a guest says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GuestAnswer {
    /// Agrees, approves or accepts.
    Accept,
    /// Declines, rejects or disputes.
    Refuse,
}

/// What was said by a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GuestLinkUsed {
    /// What the guest answered.
    pub answer: GuestAnswer,
    /// In which words: a commitment.
    pub message: Option<Commitment>,
}

/// A link that was made. The code itself is nowhere; its digest is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GuestLinkCreated {
    /// For which party the guest answers.
    pub party: PartyId,
    /// The firm that the party is; `None` for a placeholder.
    pub firm: Option<FirmId>,
    /// The firm that made the link, and stands for the guest's being who it says.
    pub issuer: FirmId,
    /// The guest's name: a commitment.
    pub person: Commitment,
    /// What is asked.
    pub matter: GuestMatter,
    /// SHA-256 of the code's secret, hexadecimal.
    pub digest: String,
    /// From when on it no longer works, that instant included.
    pub expires_at: Timestamp,
}

/// A link was taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GuestLinkRevoked {}

/// A link by which one person answers one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GuestLink {
    /// As it was made.
    pub made: GuestLinkCreated,
    /// What was answered by it.
    pub used: Option<GuestLinkUsed>,
    /// When.
    pub used_at: Option<Timestamp>,
    /// When it was taken back.
    pub revoked_at: Option<Timestamp>,
}

impl GuestLink {
    /// How far it has come at `now`.
    #[must_use]
    pub fn state_at(&self, now: Timestamp) -> GuestLinkState {
        match self.recorded_state() {
            GuestLinkState::Open if self.made.expires_at <= now => GuestLinkState::Expired,
            state => state,
        }
    }

    const fn recorded_state(&self) -> GuestLinkState {
        if self.used.is_some() {
            GuestLinkState::Used
        } else if self.revoked_at.is_some() {
            GuestLinkState::Revoked
        } else {
            GuestLinkState::Open
        }
    }

    /// Whether a secret of that digest opens it. Takes as long for any digest.
    #[must_use]
    pub fn is_opened_by(&self, digest: &str) -> bool {
        self.made.digest.as_bytes().ct_eq(digest.as_bytes()).into()
    }

    /// Whether the guest answers in the place of a firm that has not joined.
    #[must_use]
    pub const fn is_for_placeholder(&self) -> bool {
        self.made.firm.is_none()
    }
}

events! {
    /// What happens to a guest link.
    GuestLinkEvent {
        /// It was made.
        Created(GuestLinkCreated) = "guest_link.created", 1;
        /// The guest answered.
        Used(GuestLinkUsed) = "guest_link.used", 1;
        /// It was taken back.
        Revoked(GuestLinkRevoked) = "guest_link.revoked", 1;
    }
}

impl Aggregate for GuestLink {
    type Event = GuestLinkEvent;
    const BODY_VERSION: u32 = 1;

    fn apply(previous: Option<Self>, event: &GuestLinkEvent, recorded: &Recorded) -> Option<Self> {
        let is_open = |link: &Self| link.recorded_state() == GuestLinkState::Open;
        match (previous, event) {
            (None, GuestLinkEvent::Created(made)) => Some(Self {
                made: made.clone(),
                used: None,
                used_at: None,
                revoked_at: None,
            }),
            (Some(link), GuestLinkEvent::Used(used)) if is_open(&link) => Some(Self {
                used: Some(used.clone()),
                used_at: Some(recorded.at),
                ..link
            }),
            (Some(link), GuestLinkEvent::Revoked(_)) if is_open(&link) => Some(Self {
                revoked_at: Some(recorded.at),
                ..link
            }),
            _ => None,
        }
    }

    fn state(&self) -> &'static str {
        self.recorded_state().as_str()
    }
}
