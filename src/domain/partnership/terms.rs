//! The terms of a partnership: what both firms agreed once so that it need not be said each time.

use serde::{Deserialize, Serialize};

use super::clauses::PricingClauses;
use super::standing::{self, StandingConsent};
use super::{Approval, Partnership, Party};
use crate::domain::checkup::CheckupClauses;
use crate::domain::commitment::Commitment;
use crate::domain::content_hash;
use crate::domain::identity::{PartyId, is_chosen_identifier};
use crate::domain::notice::NoticeKind;
use crate::domain::refusal::{Refusal, Violations};
use crate::domain::text::require_display_name;
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

/// The shortest and the longest lateness window.
pub const LATENESS_WINDOW_RANGE: (Span, Span) = (Span::from_minutes(1), Span::from_hours(90 * 24));
/// Most exclusion classes of terms.
pub const EXCLUSION_CLASSES_MAX: usize = 20;
/// The most that a class of exclusions may cover of one ticket.
pub const CLASS_LONGEST_MAX: Span = Span::from_hours(366 * 24);

/// The longest lead time that terms may ask of a notice.
pub const NOTICE_LEAD_TIME_MAX: Span = Span::from_hours(366 * 24);

/// How long beforehand a firm tells the other of something that it plans.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoticeLeadTime {
    /// Of what sort.
    pub kind: NoticeKind,
    /// At least so long.
    pub lead_time: Span,
}

/// Time that one firm alone may exclude, because all agreed so beforehand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExclusionClass {
    /// Its id within the terms, such as `planned-maintenance`.
    pub id: String,
    /// Its name for people.
    pub display_name: String,
    /// How much of one ticket's time it may cover, all its stretches together.
    pub longest: Span,
}

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
    /// How late an event may come and count although it favours its sender; `None` for however late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lateness_window: Option<Span>,
    /// What one firm alone may exclude; may be empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclusion_classes: Vec<ExclusionClass>,
    /// What a party agrees to beforehand; may be empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub standing_consents: Vec<StandingConsent>,
    /// What either firm tells the other long enough beforehand, each kind at most once; may be
    /// empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notice_lead_times: Vec<NoticeLeadTime>,
    /// What every concession keeps.
    #[serde(default, skip_serializing_if = "PricingClauses::is_empty")]
    pub pricing_clauses: PricingClauses,
    /// By what the check-up judges.
    #[serde(default, skip_serializing_if = "CheckupClauses::is_empty")]
    pub checkup_clauses: CheckupClauses,
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
        let (shortest, longest) = LATENESS_WINDOW_RANGE;
        let window = self.lateness_window;
        let sensible = window.is_none_or(|window| (shortest..=longest).contains(&window));
        let range = "between 1 minute and 90 days";
        violations.require(sensible, "terms.lateness_window", range);
        check_classes(&mut violations, &self.exclusion_classes);
        standing::check(&mut violations, &self.standing_consents, partnership);
        check_lead_times(&mut violations, &self.notice_lead_times);
        self.pricing_clauses.check(&mut violations, partnership);
        self.checkup_clauses.check(&mut violations);
        violations.finish()
    }
}

fn check_classes(violations: &mut Violations, classes: &[ExclusionClass]) {
    let few = classes.len() <= EXCLUSION_CLASSES_MAX;
    let most = format!("no more than {EXCLUSION_CLASSES_MAX}");
    violations.require(few, "terms.exclusion_classes", &most);
    let mut seen = std::collections::BTreeSet::new();
    for (index, class) in classes.iter().take(EXCLUSION_CLASSES_MAX).enumerate() {
        let field = |name: &str| format!("terms.exclusion_classes[{index}].{name}");
        let rule = "1 to 63 of a-z, 0-9 and hyphen, beginning with a letter";
        violations.require(is_chosen_identifier(&class.id), &field("class_id"), rule);
        violations.require(
            seen.insert(&class.id),
            &field("class_id"),
            "each class once",
        );
        require_display_name(violations, &field("display_name"), &class.display_name);
        let sensible = class.longest > Span::ZERO && class.longest <= CLASS_LONGEST_MAX;
        let range = "more than 0 and at most 366 days";
        violations.require(sensible, &field("longest"), range);
    }
}

fn check_lead_times(violations: &mut Violations, lead_times: &[NoticeLeadTime]) {
    let mut seen = std::collections::BTreeSet::new();
    for (index, found) in lead_times.iter().enumerate() {
        let field = |name: &str| format!("terms.notice_lead_times[{index}].{name}");
        violations.require(seen.insert(found.kind), &field("kind"), "each kind once");
        let sensible = found.lead_time > Span::ZERO && found.lead_time <= NOTICE_LEAD_TIME_MAX;
        let range = "more than 0 and at most 366 days";
        violations.require(sensible, &field("lead_time"), range);
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

impl Partnership {
    /// Whether what the terms in force let one firm do alone counts against a party: it approved
    /// them, or no firm has joined as it, or it is gone.
    #[must_use]
    pub fn is_bound(&self, party: &PartyId) -> bool {
        let is_there = self.party(party).is_some_and(Party::is_present);
        let terms = self.terms.as_ref();
        !is_there || terms.is_some_and(|terms| Approval::is_among(&terms.approvals, party))
    }
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
