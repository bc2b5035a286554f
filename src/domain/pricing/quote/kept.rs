//! Clauses that a concession is divided within, instead of only held against them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::portion::Portion;
use super::proposal::NewConcession;
use crate::domain::partnership::Partnership;
use crate::domain::partnership::clauses::PartyLimit;
use crate::domain::pricing::division::{BPS_TOTAL, OwnerLimits};

/// What the terms said of each party when a concession was proposed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeptLimits {
    /// Who bears at least and at most which part.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub party_limits: Vec<PartyLimit>,
    /// Nobody concedes more than so many basis points of its own prices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most_favoured_bps: Option<u32>,
}

impl KeptLimits {
    /// Those of the terms, if the proposal asks for them and there are any.
    pub(super) fn asked(asked: &NewConcession, partnership: &Partnership) -> Option<Self> {
        let terms = partnership.terms.as_ref().filter(|_| asked.keep_limits)?;
        let clauses = &terms.content.pricing_clauses;
        let limits = Self {
            party_limits: clauses.party_limits.clone(),
            most_favoured_bps: clauses.most_favoured_bps,
        };
        let is_empty = limits.party_limits.is_empty() && limits.most_favoured_bps.is_none();
        (!is_empty).then_some(limits)
    }

    /// The limits of each owner of `portions`, those of one cadence. As amounts they are rounded as the
    /// check of the clauses rounds them, so whatever keeps these breaks none of those.
    pub(super) fn of_owners(&self, portions: &[&Portion]) -> BTreeMap<String, OwnerLimits> {
        let mut prices: BTreeMap<&str, u128> = BTreeMap::new();
        for portion in portions {
            // Prices of portions are not negative.
            let price = u128::from(portion.price.minor.unsigned_abs());
            *prices.entry(portion.owner.as_str()).or_default() += price;
        }
        let owners = prices.into_iter();
        owners
            .map(|(owner, price)| (owner.to_owned(), self.of(owner, price)))
            .filter(|(_, limits)| *limits != OwnerLimits::default())
            .collect()
    }

    fn of(&self, owner: &str, price: u128) -> OwnerLimits {
        let mut limits = self.party_limits.iter();
        let limit = limits.find(|limit| limit.party.as_str() == owner);
        let most_amount = self.most_favoured_bps.map(|bps| {
            let most = (price * u128::from(bps)).div_ceil(u128::from(BPS_TOTAL));
            u64::try_from(most).unwrap_or(u64::MAX)
        });
        OwnerLimits {
            least_bps: limit.and_then(|it| it.least_bps).map_or(0, u64::from),
            most_bps: limit.and_then(|it| it.most_bps).map(u64::from),
            most_amount,
        }
    }
}
