//! Portions: what one party contributes to a joint quote.

use serde::{Deserialize, Serialize};

use super::cost::CostExchange;
use crate::domain::commitment::Commitment;
use crate::domain::identity::PartyId;
use crate::domain::pricing::division::{CostBand, Slice};
use crate::domain::pricing::money::Money;

/// Most of a thing that one portion sells.
pub const QUANTITY_MAX: i64 = 1_000_000_000;
/// Most periods for which something recurs.
pub const PERIODS_MAX: u16 = 120;
/// The largest markup, margin or stake in basis points: ten times the amount it is of.
pub const RATE_BPS_MAX: u32 = 100_000;

/// How often something recurs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// Every month.
    Month,
    /// Every three months.
    Quarter,
    /// Every year.
    Year,
}

/// Something that is due once in every period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recurrence {
    /// How often.
    pub period: Period,
    /// For how many periods: 1 to [`PERIODS_MAX`].
    pub periods: u16,
}

/// When something is due: once, or in every period. What is due at different times is never divided
/// together.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Cadence {
    /// Once.
    #[default]
    OneTime,
    /// In every month.
    Monthly,
    /// In every quarter.
    Quarterly,
    /// In every year.
    Yearly,
}

impl Cadence {
    /// Every cadence, in order.
    pub const ALL: [Self; 4] = [Self::OneTime, Self::Monthly, Self::Quarterly, Self::Yearly];

    /// The name used in errors.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OneTime => "one_time",
            Self::Monthly => "monthly",
            Self::Quarterly => "quarterly",
            Self::Yearly => "yearly",
        }
    }
}

impl From<Period> for Cadence {
    fn from(period: Period) -> Self {
        match period {
            Period::Month => Self::Monthly,
            Period::Quarter => Self::Quarterly,
            Period::Year => Self::Yearly,
        }
    }
}

/// What is passed on of another supplier's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum PassThrough {
    /// At cost: it bears nothing of a concession, and nobody marks it up.
    AtCost,
    /// Others may mark it up, all together by no more than this.
    MarkedUp {
        /// In basis points of its price.
        markup_cap_bps: u32,
    },
}

/// How much an owner earns from recommending its portion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StakeValue {
    /// An amount, in any currency.
    Amount(Money),
    /// Basis points of the portion's price.
    Bps(u32),
}

/// What its owner earns from recommending a portion, told to every party.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stake {
    /// Of whom, and for what: a commitment to free text.
    pub description: Option<Commitment>,
    /// How much, where that is told.
    pub value: Option<StakeValue>,
}

/// What one party contributes to a quote. It never changes once it is part of it. Amounts are in the
/// quote's currency and not negative; those of what recurs are for one period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Portion {
    /// Its identifier within the quote.
    pub id: String,
    /// The party that it belongs to.
    pub owner: PartyId,
    /// What it is: a commitment to free text.
    pub description: Option<Commitment>,
    /// How many of it there are.
    pub quantity: i64,
    /// What one of it would cost the client, where that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_price: Option<Money>,
    /// What the client would pay for it before any concession.
    pub price: Money,
    /// How often it is due; `None` for once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recurrence: Option<Recurrence>,
    /// The least price that its owner declares for it; no more than the price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub floor_price: Option<Money>,
    /// The least margin that its owner asks for, in basis points of its sealed cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum_margin_bps: Option<u32>,
    /// Whether, and how, it passes another supplier's on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pass_through: Option<PassThrough>,
    /// Another party's portion that this one marks up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub markup_on: Option<String>,
    /// What its owner earns from recommending it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stake: Option<Stake>,
    /// What it costs its owner: a commitment, since only the owner may know.
    pub internal_cost: Option<Commitment>,
    /// The rate by which that cost becomes one in the quote's currency; `None` if it is in that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_exchange: Option<CostExchange>,
    /// Roughly what it costs, if its owner lets all know that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_band: Option<CostBand>,
}

impl Portion {
    /// When it is due.
    #[must_use]
    pub fn cadence(&self) -> Cadence {
        let recurring = self.recurrence.map(|recurrence| recurrence.period.into());
        recurring.unwrap_or(Cadence::OneTime)
    }

    /// How many times it is due.
    #[must_use]
    pub fn periods(&self) -> u16 {
        self.recurrence.map_or(1, |recurrence| recurrence.periods)
    }

    /// Whether it is passed on at cost.
    #[must_use]
    pub fn is_at_cost(&self) -> bool {
        self.pass_through == Some(PassThrough::AtCost)
    }

    /// It, as a slice to divide a concession over. Its cost is never told here.
    #[must_use]
    pub fn slice(&self) -> Slice {
        // Nothing negative becomes part of a quote.
        let minor = |money: Money| u64::try_from(money.minor).unwrap_or_default();
        Slice {
            id: self.id.clone(),
            owner: self.owner.to_string(),
            price: minor(self.price),
            cost: None,
            // What bears nothing has no need of a weight.
            band: self
                .cost_band
                .or(self.is_at_cost().then(|| CostBand::of(0))),
            floor: self.floor_price.map_or(0, minor),
            is_passed_through: self.is_at_cost(),
        }
    }
}

/// What `amounts`, each due so many times, are together; `None` if that does not fit.
#[must_use]
pub fn total_over_term(amounts: impl IntoIterator<Item = (i64, u16)>) -> Option<i64> {
    let mut sum = 0_i128;
    for (amount, periods) in amounts {
        sum += i128::from(amount) * i128::from(periods);
    }
    i64::try_from(sum).ok()
}
