//! Portions as the contract shows them.

use crate::api::convert::{to_date, to_money};
use crate::api::pricing::steps::to_int32;
use crate::api::text::Texts;
use crate::domain::identity::PartyId;
use crate::domain::pricing::division::CostBand;
use crate::domain::pricing::money::{Currency, Money};
use crate::domain::pricing::quote::Portion;
use crate::domain::pricing::quote::cost::{self, CostExchange};
use crate::domain::pricing::quote::portion::{
    PassThrough, Period, Recurrence, Stake, StakeValue, total_over_term,
};
use crate::proto::v1;

/// A portion as `party` sees it: the cost only if the portion is its own, the commitment always.
pub(super) fn to_portion(portion: &Portion, party: &PartyId, texts: &Texts) -> v1::Portion {
    let currency = portion.price.currency;
    let commitment = portion.internal_cost.as_ref();
    let exchange = portion.cost_exchange.as_ref();
    let cost = commitment
        .filter(|_| portion.owner == *party)
        .and_then(|own| {
            let stated_in = exchange.map_or(currency, |exchange| exchange.currency);
            cost::from_text(&texts.show(Some(own)), stated_in)
        });
    let converted = exchange
        .zip(cost)
        .and_then(|(exchange, cost)| exchange.rate.convert(cost, currency));
    let total = total_over_term([(portion.price.minor, portion.periods())]);
    v1::Portion {
        portion_id: portion.id.clone(),
        party_id: portion.owner.to_string(),
        description: texts.show(portion.description.as_ref()),
        price: Some(to_money(&portion.price)),
        internal_cost: cost.as_ref().map(to_money),
        cost_sealed: commitment.is_some(),
        cost_commitment: commitment
            .map_or_else(String::new, |commitment| commitment.as_str().to_owned()),
        quantity: portion.quantity,
        unit_price: portion.unit_price.as_ref().map(to_money),
        recurrence: portion.recurrence.map(to_recurrence),
        floor_price: portion.floor_price.as_ref().map(to_money),
        minimum_margin_bps: portion.minimum_margin_bps.map(to_int32),
        pass_through: portion.pass_through.map(to_pass_through),
        markup_on: portion.markup_on.clone().unwrap_or_default(),
        stake: portion.stake.as_ref().map(|stake| to_stake(stake, texts)),
        cost_exchange: exchange.map(to_exchange),
        reveal_cost_band: portion.cost_band.is_some(),
        cost_band: portion.cost_band.map(|band| to_band(band, currency)),
        converted_cost: converted.as_ref().map(to_money),
        total_price: total.map(|minor| to_money(&Money::from_minor(currency, minor))),
    }
}

/// A period as the contract names it.
pub(super) const fn to_period(period: Period) -> v1::RecurrencePeriod {
    match period {
        Period::Month => v1::RecurrencePeriod::Month,
        Period::Quarter => v1::RecurrencePeriod::Quarter,
        Period::Year => v1::RecurrencePeriod::Year,
    }
}

fn to_recurrence(recurrence: Recurrence) -> v1::Recurrence {
    v1::Recurrence {
        period: to_period(recurrence.period).into(),
        periods: recurrence.periods.into(),
    }
}

fn to_pass_through(pass_through: PassThrough) -> v1::PassThrough {
    let (kind, markup_cap_bps) = match pass_through {
        PassThrough::AtCost => (v1::PassThroughKind::AtCost, 0),
        PassThrough::MarkedUp { markup_cap_bps } => {
            (v1::PassThroughKind::MarkedUp, to_int32(markup_cap_bps))
        }
    };
    v1::PassThrough {
        kind: kind.into(),
        markup_cap_bps,
    }
}

fn to_stake(stake: &Stake, texts: &Texts) -> v1::Stake {
    let value = stake.value.map(|value| match value {
        StakeValue::Amount(amount) => v1::stake::Value::Amount(to_money(&amount)),
        StakeValue::Bps(bps) => v1::stake::Value::PriceBps(to_int32(bps)),
    });
    v1::Stake {
        description: texts.show(stake.description.as_ref()),
        value,
    }
}

fn to_exchange(exchange: &CostExchange) -> v1::CostExchange {
    v1::CostExchange {
        rate: exchange.rate.to_string(),
        date: Some(to_date(exchange.date)),
        source: exchange.source.clone(),
        currency: exchange.currency.code().to_owned(),
    }
}

/// A band of costs that fit 63 bits.
fn to_band(band: CostBand, currency: Currency) -> v1::CostBand {
    let money = |minor: u64| {
        let minor = i64::try_from(minor).unwrap_or(i64::MAX);
        Some(to_money(&Money::from_minor(currency, minor)))
    };
    v1::CostBand {
        from: money(band.from),
        to: money(band.to),
    }
}
