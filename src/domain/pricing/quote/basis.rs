//! By what measure a concession is divided.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::JointQuote;
use super::portion::Portion;
use super::proposal::{CustomShare, check_custom};
use crate::domain::identity::PartyId;
use crate::domain::partnership::terms::{PartyShare, check_shares};
use crate::domain::partnership::{PARTIES_MAX, Partnership};
use crate::domain::refusal::{Reason, Refusal, Violations};

/// By what measure a concession is divided.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// By fixed shares of the parties. In a command none at all means those of the terms; in a
    /// revision there is one for every party that owns a portion, ordered by party.
    FixedBps(Vec<PartyShare>),
    /// In proportion to the prices of the portions.
    #[default]
    Price,
    /// As stated for each portion; in a revision ordered by portion.
    Custom(Vec<CustomShare>),
    /// In proportion to the lower bounds of the bands of costs that the owners revealed.
    CostBand,
    /// In proportion to the costs of the portions, which stay sealed.
    Cost,
    /// In proportion to what the portions earn: their prices less their costs, which stay sealed.
    Margin,
}

impl Basis {
    /// Whether it weighs by sealed costs.
    #[must_use]
    pub const fn is_of_costs(&self) -> bool {
        matches!(self, Self::Cost | Self::Margin)
    }

    /// The basis as a revision states it: shares taken from the terms where none are given,
    /// checked, and in one order, so that equal shares always have equal bytes.
    ///
    /// # Errors
    /// [`Reason::WeightsInvalid`] if there are no shares, if they are not of known parties, each
    /// once, adding up to 10,000, if a party is to bear something and owns no portion, if shares are
    /// stated for portions that are not there or twice, or if the cost band of a portion that could
    /// bear something is not revealed.
    pub fn resolved(&self, partnership: &Partnership, quote: &JointQuote) -> Result<Self, Refusal> {
        let portions = &quote.portions;
        match self {
            Self::Price | Self::Cost | Self::Margin => Ok(self.clone()),
            Self::Custom(stated) => check_custom(stated, quote).map(Self::Custom),
            Self::CostBand => check_bands(portions).map(|()| Self::CostBand),
            Self::FixedBps(stated) => fixed(stated, partnership, portions).map(Self::FixedBps),
        }
    }
}

fn fixed(
    stated: &[PartyShare],
    partnership: &Partnership,
    portions: &[Portion],
) -> Result<Vec<PartyShare>, Refusal> {
    let agreed = partnership
        .terms
        .as_ref()
        .map_or(&[][..], |terms| &terms.content.shares);
    let shares = if stated.is_empty() { agreed } else { stated };
    let owners: BTreeSet<&PartyId> = portions.iter().map(|portion| &portion.owner).collect();
    check_weights(shares, &owners, partnership)?;
    let resolved = owners.into_iter().map(|owner| {
        let share = shares.iter().find(|share| share.party == *owner);
        PartyShare {
            party: owner.clone(),
            share_bps: share.map_or(0, |share| share.share_bps),
        }
    });
    Ok(resolved.collect())
}

fn check_bands(portions: &[Portion]) -> Result<(), Refusal> {
    let has_none = |portion: &&Portion| portion.cost_band.is_none() && !portion.is_at_cost();
    let without: Vec<&str> = portions
        .iter()
        .filter(has_none)
        .map(|portion| portion.id.as_str())
        .collect();
    if without.is_empty() {
        return Ok(());
    }
    let without = without.join(",");
    let why = format!("the cost band of {without} is not revealed");
    Err(Refusal::field(Reason::WeightsInvalid, "basis", why).with("portion_ids", without))
}

fn check_weights(
    shares: &[PartyShare],
    owners: &BTreeSet<&PartyId>,
    partnership: &Partnership,
) -> Result<(), Refusal> {
    let mut violations = Violations::default();
    violations.require(
        !shares.is_empty(),
        "weights",
        "the terms have no shares, so state them",
    );
    let few = shares.len() <= PARTIES_MAX;
    violations.require(few, "weights", "more shares than a partnership has parties");
    if few {
        check_shares(&mut violations, "weights", shares, partnership);
        for (index, share) in shares.iter().enumerate() {
            let can_bear = share.share_bps == 0 || owners.contains(&share.party);
            let field = format!("weights[{index}].party_id");
            violations.require(can_bear, &field, "owns no portion of this quote");
        }
    }
    let sum_bps: u64 = shares.iter().map(|share| u64::from(share.share_bps)).sum();
    violations.finish().map_err(|refusal| {
        Refusal {
            reason: Reason::WeightsInvalid,
            ..refusal
        }
        .with("sum_bps", sum_bps)
    })
}
