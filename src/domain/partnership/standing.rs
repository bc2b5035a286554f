//! Standing consents: what a party agrees to beforehand, so that it need not be asked each time.

use serde::{Deserialize, Serialize};

use super::Partnership;
use crate::domain::identity::{PartyId, is_chosen_identifier};
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
}

/// What a party agrees to beforehand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StandingConsent {
    /// Its id within the terms, such as `small-jobs`.
    pub id: String,
    /// To what.
    pub subject: ConsentSubject,
    /// Which party agrees; it is the one that owes the work.
    pub party: PartyId,
    /// How much time there must be between the offer and its deadline.
    pub shortest_notice: Span,
    /// The most that an hour of the trouble may cost the client, in this currency; `None` for
    /// whatever it costs.
    pub largest_cost_per_hour: Option<Money>,
    /// Whether the work may have to be done on site.
    pub allows_on_site: bool,
    /// From when on no offer is covered any more, this instant included.
    pub until: Timestamp,
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
    }
}
