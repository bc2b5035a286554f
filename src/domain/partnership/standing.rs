//! Standing consents: what a party agrees to beforehand, so that it need not be asked each time.

use serde::{Deserialize, Serialize};

use super::Partnership;
use super::terms::SHARE_BPS_TOTAL;
use crate::domain::identity::{FirmId, PartyId, is_chosen_identifier};
use crate::domain::pricing::money::Money;
use crate::domain::refusal::Violations;
use crate::domain::time::{Span, Timestamp};

/// Most standing consents of terms.
pub const STANDING_CONSENTS_MAX: usize = 20;
/// The longest notice that a standing consent may ask for.
pub const NOTICE_MAX: Span = Span::from_hours(366 * 24);

/// To what sort of thing a party agrees beforehand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentSubject {
    /// To offers of expectations that it is to keep.
    Expectation,
    /// To concessions of which it bears little.
    Concession,
}

/// A measure by which a concession may be divided that a party agrees to beforehand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentedBasis {
    /// By fixed shares.
    FixedBps,
    /// By price.
    Price,
    /// As stated.
    Custom,
    /// By cost bands.
    CostBand,
}

impl ConsentedBasis {
    /// The name used in differences.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FixedBps => "fixed_bps",
            Self::Price => "price",
            Self::Custom => "custom",
            Self::CostBand => "cost_band",
        }
    }
}

/// To which concessions a party agrees beforehand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConcessionConsent {
    /// The most that its portions bear, in basis points of their prices, each time that they are due.
    pub largest_bps: u32,
    /// By which measures, in order; empty for any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bases: Vec<ConsentedBasis>,
}

/// The standing consent by which a party agreed without being asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CitedConsent {
    /// Its id within the terms.
    pub id: String,
    /// The revision of the terms that hold it.
    pub terms_revision: u32,
    /// The firm that the party was when it approved them.
    pub firm: FirmId,
}

/// What a party agrees to beforehand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StandingConsent {
    /// Its id within the terms, such as `small-jobs`.
    pub id: String,
    /// To what.
    pub subject: ConsentSubject,
    /// Which party agrees: the one that owes the work, or that bears a part of a concession.
    pub party: PartyId,
    /// How much time there must be between the offer and its deadline.
    pub shortest_notice: Span,
    /// The most that an hour of the trouble may cost the client, in this currency; `None` for
    /// whatever it costs.
    pub largest_cost_per_hour: Option<Money>,
    /// Whether the work may have to be done on site.
    pub allows_on_site: bool,
    /// From when on nothing is covered any more, this instant included.
    pub until: Timestamp,
    /// To which concessions, if the consent is to these. The bounds of offers say nothing then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concession: Option<ConcessionConsent>,
}

/// Notes what is wrong with standing consents.
pub(super) fn check(
    violations: &mut Violations,
    consents: &[StandingConsent],
    partnership: &Partnership,
) {
    let few = consents.len() <= STANDING_CONSENTS_MAX;
    let most = format!("no more than {STANDING_CONSENTS_MAX}");
    violations.require(few, "terms.standing_consents", &most);
    let mut seen = std::collections::BTreeSet::new();
    for (index, consent) in consents.iter().take(STANDING_CONSENTS_MAX).enumerate() {
        let field = |name: &str| format!("terms.standing_consents[{index}].{name}");
        let rule = "1 to 63 of a-z, 0-9 and hyphen, beginning with a letter";
        let sound = is_chosen_identifier(&consent.id);
        violations.require(sound, &field("consent_id"), rule);
        let first = seen.insert(&consent.id);
        violations.require(first, &field("consent_id"), "each consent once");
        let known = partnership.party(&consent.party).is_some();
        violations.require(known, &field("party_id"), "no such party");
        let sensible = (Span::ZERO..=NOTICE_MAX).contains(&consent.shortest_notice);
        violations.require(sensible, &field("shortest_notice"), "0 to 366 days");
        let cost = consent.largest_cost_per_hour;
        let sensible = cost.is_none_or(|cost| cost.minor >= 0);
        let rule = "must not be negative";
        violations.require(sensible, &field("largest_cost_per_hour"), rule);
        let sensible = consent.until.is_storable();
        let rule = "between the years 2000 and 2099";
        violations.require(sensible, &field("until_time"), rule);
        let is_bound =
            consent.concession.is_some() == (consent.subject == ConsentSubject::Concession);
        let rule = "is stated for concessions, and only for these";
        violations.require(is_bound, &field("largest_concession_bps"), rule);
        let bound = consent.concession.as_ref();
        let sensible = bound.is_none_or(|bound| bound.largest_bps <= SHARE_BPS_TOTAL);
        let rule = "0 to 10,000 basis points";
        violations.require(sensible, &field("largest_concession_bps"), rule);
    }
}
