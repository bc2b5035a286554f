//! Clauses on what the parties concede together: limits that every proposal keeps.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::terms::SHARE_BPS_TOTAL;
use super::{PARTIES_MAX, Partnership};
use crate::domain::identity::PartyId;
use crate::domain::refusal::Violations;

/// The largest markup cap that terms may state, in basis points.
pub const MARKUP_CAP_BPS_MAX: u32 = 100_000;

/// Which part of a concession one party bears, in basis points of what the portions bear together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartyLimit {
    /// The party.
    pub party: PartyId,
    /// At least this part, wherever it sells something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub least_bps: Option<u32>,
    /// At most this part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most_bps: Option<u32>,
}

/// What the parties agreed on about concessions. Rounding to single minor units breaks no clause.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PricingClauses {
    /// The most that all markups on one portion may be together, in basis points of its price, after a
    /// concession.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub markup_cap_bps: Option<u32>,
    /// Who bears at least and at most which part of a concession, each party at most once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub party_limits: Vec<PartyLimit>,
    /// Nobody concedes more than so many basis points of its own prices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most_favoured_bps: Option<u32>,
    /// Whether the vendors' money that a quote has is used before anything falls on a portion.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub vendor_money_first: bool,
    /// The largest concession, in basis points of the price before it, that a standing consent may
    /// cover. Beyond it every party is asked anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unrenewed_concession_bps: Option<u32>,
    /// Whether fractions of minor units are carried from one approved concession to the next.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub carry_fractions: bool,
}

impl PricingClauses {
    /// Whether there is no clause at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Notes what is wrong with the clauses by themselves.
    pub(super) fn check(&self, violations: &mut Violations, partnership: &Partnership) {
        let field = |name: &str| format!("terms.pricing_clauses.{name}");
        let within = |bps: Option<u32>, most: u32| bps.is_none_or(|bps| bps <= most);
        let rule = |most: u32| format!("0 to {most} basis points");
        for (name, bps, most) in [
            ("markup_cap_bps", self.markup_cap_bps, MARKUP_CAP_BPS_MAX),
            ("most_favoured_bps", self.most_favoured_bps, SHARE_BPS_TOTAL),
            (
                "unrenewed_concession_bps",
                self.unrenewed_concession_bps,
                SHARE_BPS_TOTAL,
            ),
        ] {
            violations.require(within(bps, most), &field(name), &rule(most));
        }
        let limits = &self.party_limits;
        let most = format!("no more than {PARTIES_MAX}");
        violations.require(limits.len() <= PARTIES_MAX, &field("party_limits"), &most);
        let mut seen = BTreeSet::new();
        for (index, limit) in limits.iter().take(PARTIES_MAX).enumerate() {
            let at = |name: &str| field(&format!("party_limits[{index}].{name}"));
            let known = partnership.party(&limit.party).is_some();
            violations.require(known, &at("party_id"), "no such party");
            let first = seen.insert(&limit.party);
            violations.require(first, &at("party_id"), "each party once");
            let (least, most) = (limit.least_bps, limit.most_bps);
            let sound = within(least, SHARE_BPS_TOTAL) && within(most, SHARE_BPS_TOTAL);
            violations.require(sound, &at("most_bps"), &rule(SHARE_BPS_TOTAL));
            let in_order = least.unwrap_or(0) <= most.unwrap_or(SHARE_BPS_TOTAL);
            violations.require(in_order, &at("least_bps"), "must not be above the most");
        }
        let least: u64 = limits
            .iter()
            .map(|limit| u64::from(limit.least_bps.unwrap_or(0)))
            .sum();
        let possible = least <= u64::from(SHARE_BPS_TOTAL);
        let rule = "the least parts are more than the whole together";
        violations.require(possible, &field("party_limits"), rule);
    }

    /// What they say, field by field, for the difference of two revisions.
    pub(super) fn fields(&self, put: &mut impl FnMut(String, String)) {
        let path = |name: &str| format!("pricing_clauses.{name}");
        let bps = |bps: Option<u32>| bps.map_or_else(String::new, |bps| bps.to_string());
        put(path("markup_cap_bps"), bps(self.markup_cap_bps));
        put(path("most_favoured_bps"), bps(self.most_favoured_bps));
        put(
            path("unrenewed_concession_bps"),
            bps(self.unrenewed_concession_bps),
        );
        for (name, flag) in [
            ("vendor_money_first", self.vendor_money_first),
            ("carry_fractions", self.carry_fractions),
        ] {
            if flag {
                put(path(name), flag.to_string());
            }
        }
        for limit in &self.party_limits {
            let path = |name: &str| path(&format!("party_limits[{}].{name}", limit.party));
            put(path("least_bps"), bps(limit.least_bps));
            put(path("most_bps"), bps(limit.most_bps));
        }
    }
}
