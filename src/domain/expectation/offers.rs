//! Offers, what became of each, and the agreements that some of them led to.

use serde::{Deserialize, Serialize};

use super::{CitedConsent, FiveW, Judgement};
use crate::domain::aggregate::Recorded;
use crate::domain::commitment::Commitment;
use crate::domain::identity::{FirmId, PartyId};
use crate::domain::time::Timestamp;

/// Something that a party said about an expectation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// The party.
    pub party: PartyId,
    /// The firm that the party was; `None` for a guest of a placeholder.
    pub firm: Option<FirmId>,
    /// The guest link by which it spoke, if it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guest_link: Option<String>,
    /// Its message or reason: a commitment.
    pub text: Option<Commitment>,
    /// When.
    pub at: Timestamp,
}

impl Statement {
    /// The statement that an entry records; `None` if nobody made it.
    pub(super) fn of(
        party: &PartyId,
        text: Option<&Commitment>,
        recorded: &Recorded,
    ) -> Option<Self> {
        recorded.by_somebody()?;
        Some(Self {
            party: party.clone(),
            firm: recorded.firm.clone(),
            guest_link: recorded.guest_link(),
            text: text.cloned(),
            at: recorded.at,
        })
    }
}

/// What became of an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OfferOutcome {
    /// Another party agreed to it.
    Agreed,
    /// Another party answered it with an offer of its own.
    Superseded,
    /// Another party turned it down.
    Declined,
    /// What was asserted, another party denied.
    Contested,
    /// Its maker took it back.
    Withdrawn,
    /// Nobody answered it in time.
    Expired,
}

impl OfferOutcome {
    /// The name used in errors.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Agreed => "agreed",
            Self::Superseded => "superseded",
            Self::Declined => "declined",
            Self::Contested => "contested",
            Self::Withdrawn => "withdrawn",
            Self::Expired => "expired",
        }
    }
}

/// How and when an offer ceased to stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfferEnd {
    /// What became of it.
    pub outcome: OfferOutcome,
    /// When.
    pub at: Timestamp,
    /// Who declined, contested or withdrew it, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<Statement>,
}

/// One party's proposal. What it says is never changed, whatever becomes of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offer {
    /// Counts the offers of the expectation from 1.
    pub number: u32,
    /// The party that made it.
    pub party: PartyId,
    /// The firm that the party was.
    pub firm: FirmId,
    /// What is offered.
    pub five_w: FiveW,
    /// What its maker said to it: a commitment.
    pub message: Option<Commitment>,
    /// When it was made.
    pub offered_at: Timestamp,
    /// From when on it can no longer be answered, this instant included. `None` for what was
    /// asserted without a deadline: it stands until someone joins who can answer it.
    pub expires_at: Option<Timestamp>,
    /// What was made of it when it was made.
    pub judgement: Judgement,
    /// Whether its maker knows that the deadline may be impossible.
    pub acknowledges_impossible: bool,
    /// What became of it; `None` while it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<OfferEnd>,
}

impl Offer {
    /// Whether it can no longer be answered at `now`.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|expires_at| expires_at <= now)
    }
}

/// Consent to an offer. What was agreed last holds; what was agreed before it stays readable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agreed {
    /// Number of the offer, always the last one when it was agreed.
    pub offer_number: u32,
    /// The party that agreed to the other's offer.
    pub party: PartyId,
    /// The firm that the party was; `None` for a guest of a placeholder.
    pub firm: Option<FirmId>,
    /// The guest link by which it did, if it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guest_link: Option<String>,
    /// When.
    pub at: Timestamp,
    /// The standing consent by which it did, if it was not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing_consent: Option<CitedConsent>,
    /// Whether it knows that the deadline may be impossible.
    pub acknowledges_impossible: bool,
    /// What was made of the offer when it was agreed.
    pub judgement: Judgement,
    /// The deadline, if the work was not done by then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missed_at: Option<Timestamp>,
}
