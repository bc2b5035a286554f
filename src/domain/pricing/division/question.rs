//! What is divided, between whom, and by which rules.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::band::CostBand;

/// What one owner sells within a quote, at one price. Amounts are in minor units of one currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slice {
    /// What it is called; unique within the quote. Ties go to the id that is smaller byte by byte.
    pub id: String,
    /// Who sells it and bears its part.
    pub owner: String,
    /// Its price before any concession.
    pub price: u64,
    /// What it costs its owner, where that is known here.
    #[serde(default)]
    pub cost: Option<u64>,
    /// The band of its cost, where only that is known here. Default: the band of the cost.
    #[serde(default)]
    pub band: Option<CostBand>,
    /// The least price that its owner declares for it; no more than the price. Default: zero.
    #[serde(default)]
    pub floor: u64,
    /// Whether it is passed through at cost: it bears nothing.
    #[serde(default)]
    pub is_passed_through: bool,
}

impl Slice {
    /// What it can bear: its price down to its floor; nothing, if it is passed through at cost.
    #[must_use]
    pub const fn room(&self) -> u64 {
        if self.is_passed_through {
            0
        } else {
            self.price.saturating_sub(self.floor)
        }
    }
}

/// By what measure a concession is divided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// By what each slice costs.
    Cost,
    /// By what each slice earns: its price less its cost, zero if that is negative.
    Margin,
    /// By each slice's price.
    Price,
    /// By the lower ends of the bands in which the costs lie.
    CostBand,
    /// By fixed basis points of each owner, 10,000 together; an owner's part by the prices of its
    /// slices.
    FixedBps(BTreeMap<String, u64>),
    /// As stated for each slice, in minor units; together exactly the concession, and none of them of
    /// the other sign.
    Custom(BTreeMap<String, i64>),
}

/// A measure without what it states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MeasureKind {
    /// [`Measure::Cost`].
    Cost,
    /// [`Measure::Margin`].
    Margin,
    /// [`Measure::Price`].
    Price,
    /// [`Measure::CostBand`].
    CostBand,
    /// [`Measure::FixedBps`].
    FixedBps,
    /// [`Measure::Custom`].
    Custom,
}

impl Measure {
    /// Which measure it is.
    #[must_use]
    pub const fn kind(&self) -> MeasureKind {
        match self {
            Self::Cost => MeasureKind::Cost,
            Self::Margin => MeasureKind::Margin,
            Self::Price => MeasureKind::Price,
            Self::CostBand => MeasureKind::CostBand,
            Self::FixedBps(_) => MeasureKind::FixedBps,
            Self::Custom(_) => MeasureKind::Custom,
        }
    }
}

/// What becomes of what the floors leave over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShortfallPolicy {
    /// Nothing is divided.
    #[default]
    Reject,
    /// This owner bears it with its own slices, below their floors if need be.
    AbsorbedBy(String),
    /// All bear it by the same measure, below their floors; every owner concerned has to consent to
    /// just that.
    BelowFloor,
}

/// How single minor units are given out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// By largest remainder.
    #[default]
    LargestRemainder,
    /// So that nobody's part falls when the concession grows.
    Ratchet,
}

/// Which part of a concession one owner bears at least and at most, in basis points of the concession
/// (0 to 10,000). As amounts, the least is rounded down and the most up, so that limits which add up to
/// the whole can be kept. A surcharge has no such limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnerLimits {
    /// At least this part. Default: 0.
    #[serde(default)]
    pub least_bps: u64,
    /// At most this part. Default: no limit.
    #[serde(default)]
    pub most_bps: Option<u64>,
    /// At most this amount, whatever the concession is, in minor units. Default: no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most_amount: Option<u64>,
}

/// What is to be divided, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// The concession in minor units, all of it so far; negative for a surcharge.
    pub concession: i64,
    /// By what measure.
    pub measure: Measure,
    /// What becomes of what the floors leave over.
    #[serde(default)]
    pub shortfall: ShortfallPolicy,
    /// How single minor units are given out.
    #[serde(default)]
    pub rounding: Rounding,
    /// Limits of owners. With any, the concession goes among the owners first, by the sums of their
    /// slices' weights, and then among the slices of each. Stated amounts know no such limits.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub limits: BTreeMap<String, OwnerLimits>,
    /// The fractions that earlier divisions owe each owner, in billionths of a minor unit, if fractions
    /// are carried: only by price or fixed basis points, by largest remainder, and without floors or
    /// limits. The concession then goes among the owners first, as with limits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owed: Option<BTreeMap<String, i64>>,
}

impl Question {
    /// A concession divided by a measure, with everything else as by default.
    #[must_use]
    pub const fn new(concession: i64, measure: Measure) -> Self {
        Self {
            concession,
            measure,
            shortfall: ShortfallPolicy::Reject,
            rounding: Rounding::LargestRemainder,
            limits: BTreeMap::new(),
            owed: None,
        }
    }

    /// Whether it raises the price.
    #[must_use]
    pub const fn is_surcharge(&self) -> bool {
        self.concession < 0
    }
}
