//! The terms of a partnership: what both firms agreed once so that it need not be said each time.

use serde::{Deserialize, Serialize};

use super::{Approval, Partnership};
use crate::domain::commitment::Commitment;
use crate::domain::content_hash;
use crate::domain::identity::PartyId;
use crate::domain::refusal::{Refusal, Violations};
use crate::domain::time::Span;

/// Shares are in basis points and add up to this.
pub const SHARE_BPS_TOTAL: u32 = 10_000;
/// How long an offer stands where the terms do not say.
pub const OFFER_VALIDITY_DEFAULT: Span = Span::from_hours(7 * 24);
/// The shortest and the longest that an offer may stand.
pub const OFFER_VALIDITY_RANGE: (Span, Span) = (Span::from_hours(1), Span::from_hours(90 * 24));
/// How far in the future an event may be dated where the terms do not say: clocks differ a little.
pub const FUTURE_TOLERANCE_DEFAULT: Span = Span::from_minutes(5);
/// The most that terms may tolerate.
pub const FUTURE_TOLERANCE_MAX: Span = Span::from_hours(1);

/// A party's share of something, in basis points.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartyShare {
    /// The party.
    pub party: PartyId,
    /// Its share in basis points, 0 to 10,000.
    pub share_bps: u32,
}

/// What terms say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TermsContent {
    /// The agreed wording: a commitment.
    pub text: Option<Commitment>,
    /// Who bears which part of a concession, unless a proposal says otherwise; may be empty.
    pub shares: Vec<PartyShare>,
    /// How long an offer or a proposal stands.
    pub offer_validity: Span,
    /// How far in the future an event may be dated.
    pub future_tolerance: Span,
}

impl TermsContent {
    /// # Errors
    /// [`crate::domain::refusal::Reason::InvalidField`] with every field at fault.
    pub fn check(&self, partnership: &Partnership) -> Result<(), Refusal> {
        let mut violations = Violations::default();
        check_shares(&mut violations, "terms.shares", &self.shares, partnership);
        let (shortest, longest) = OFFER_VALIDITY_RANGE;
        let valid = (shortest..=longest).contains(&self.offer_validity);
        violations.require(valid, "terms.offer_validity", "between 1 hour and 90 days");
        let tolerable = (Span::ZERO..=FUTURE_TOLERANCE_MAX).contains(&self.future_tolerance);
        violations.require(tolerable, "terms.future_tolerance", "between 0 and 1 hour");
        violations.finish()
    }
}

/// Shares are of known parties, each once, and add up to 10,000 basis points, or there are none.
pub fn check_shares(
    violations: &mut Violations,
    field: &str,
    shares: &[PartyShare],
    partnership: &Partnership,
) {
    if shares.is_empty() {
        return;
    }
    let mut seen = std::collections::BTreeSet::new();
    for (index, share) in shares.iter().enumerate() {
        let known = partnership.party(&share.party).is_some();
        violations.require(
            known,
            &format!("{field}[{index}].party_id"),
            "no such party",
        );
        let first = seen.insert(&share.party);
        violations.require(
            first,
            &format!("{field}[{index}].party_id"),
            "each party once",
        );
    }
    let total: u64 = shares.iter().map(|share| u64::from(share.share_bps)).sum();
    if total != u64::from(SHARE_BPS_TOTAL) {
        violations.add(
            field,
            format!("must add up to {SHARE_BPS_TOTAL} basis points, not {total}"),
        );
    }
}

/// A revision of terms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// Counted from 1.
    pub revision: u32,
    /// What they say.
    pub content: TermsContent,
    /// Hash of the content: what a party approves.
    pub hash: String,
    /// Who approved.
    pub approvals: Vec<Approval>,
}

/// Terms were proposed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TermsProposed {
    /// By which party; its approval is part of the proposal.
    pub proposer: PartyId,
    /// What they say.
    pub content: TermsContent,
    /// Hash of the content.
    pub hash: String,
}

impl TermsProposed {
    /// Puts a proposal together.
    #[must_use]
    pub fn new(proposer: PartyId, content: TermsContent) -> Self {
        let hash = content_hash("entente.terms.v1", &content);
        Self {
            proposer,
            content,
            hash,
        }
    }

    /// The proposal as revision `revision`.
    #[must_use]
    pub fn terms(&self, revision: u32) -> Terms {
        Terms {
            revision,
            content: self.content.clone(),
            hash: self.hash.clone(),
            approvals: Vec::new(),
        }
    }
}

/// A party approved the proposed terms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TermsApproved {
    /// Which party.
    pub party: PartyId,
    /// What it approved.
    pub hash: String,
}
