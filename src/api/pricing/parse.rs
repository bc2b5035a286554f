//! Quotes and portions as callers send them: texts and costs are sealed, every fault is noted.

use super::funding::vendor_money;
use crate::api::convert::{chosen_id, civil_date, known_enum, money, money_refusal, timestamp};
use crate::api::expectation::parse::client;
use crate::api::faults::Faults;
use crate::api::status::ApiError;
use crate::api::text::Sealer;
use crate::api::{Api, Member, required};
use crate::domain::commitment::{Commitment, Opening, Readers};
use crate::domain::identity::{PartyId, ScopeId, is_identifier};
use crate::domain::pricing::division::CostBand;
use crate::domain::pricing::money::{Currency, Money};
use crate::domain::pricing::quote::cost::{self, CostExchange, ExchangeRate};
use crate::domain::pricing::quote::portion::{PassThrough, Period, Recurrence, Stake, StakeValue};
use crate::domain::pricing::quote::{
    Describer, NewPortion, PORTIONS_MAX, QuoteCommand, portion_faults,
};
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::text::{FREE_TEXT_BYTES_MAX, require_display_name};
use crate::proto::google::r#type as google_type;
use crate::proto::v1;

/// Words that came with an answer, if any.
pub(super) type Words = Option<Commitment>;

/// Reads quotes and portions of one party.
#[derive(Debug)]
pub(super) struct Intake<'request> {
    faults: Faults,
    sealer: Sealer<'request>,
    member: &'request Member,
}

/// What a portion costs, as far as it may be told on.
#[derive(Debug, Default)]
struct Cost {
    sealed: Option<Commitment>,
    exchange: Option<CostExchange>,
    band: Option<CostBand>,
    /// In the quote's currency. It goes no further than this request.
    converted: Option<Money>,
}

impl<'request> Intake<'request> {
    /// An intake for portions of `member`. Descriptions are for every party, costs for the member
    /// alone.
    pub(super) fn new(api: &'request Api, member: &'request Member) -> Self {
        Self {
            faults: Faults::default(),
            sealer: Sealer::for_every_party(api),
            member,
        }
    }

    /// The command that creates a quote; `None` only where a fault was noted.
    pub(super) fn quote(
        &mut self,
        scope: &ScopeId,
        id: &str,
        given: &v1::JointQuote,
    ) -> Option<QuoteCommand> {
        const EXPIRY: &str = "joint_quote.expire_time";
        let violations = &mut self.sealer.violations;
        require_display_name(violations, "joint_quote.display_name", &given.display_name);
        let id = self.faults.take(chosen_id("joint_quote_id", id));
        let currency = Currency::from_code(&given.currency)
            .map_err(|error| money_refusal("joint_quote.currency", &error));
        let currency = self.faults.take(currency.map(Some));
        let expires_at = given.expire_time.ok_or_else(|| required(EXPIRY));
        let expires_at = expires_at.and_then(|expiry| timestamp(EXPIRY, expiry));
        let expires_at = self.faults.take(expires_at.map(Some));
        let client = client("joint_quote.client", scope, &given.client);
        let client = self.faults.take(client);
        let mut portions = Vec::new();
        // One too many is enough for it to be noticed.
        for (index, given) in given.portions.iter().take(PORTIONS_MAX + 1).enumerate() {
            let field = format!("joint_quote.portions[{index}]");
            portions.push(self.portion(&field, currency, given));
        }
        let field = "joint_quote.vendor_funds";
        let vendor_funds = vendor_money(&mut self.faults, field, scope, &given.vendor_funds);
        Some(QuoteCommand::Create {
            id,
            display_name: given.display_name.clone(),
            client,
            currency: currency?,
            expires_at: expires_at?,
            portions,
            vendor_funds,
            references: None,
        })
    }

    /// A portion of a quote in `currency`. What is wrong with it is noted, also by the rules of
    /// quotes, so that all of it is told at once.
    pub(super) fn portion(
        &mut self,
        field: &str,
        currency: Option<Currency>,
        given: &v1::Portion,
    ) -> NewPortion {
        let before = self.faults.count();
        let of = |name: &str| format!("{field}.{name}");
        let owner = Some(given.party_id.as_str()).filter(|owner| !owner.is_empty());
        let description = &given.description;
        let description = self
            .sealer
            .text(&of("description"), description, FREE_TEXT_BYTES_MAX);
        let cost = self.cost(field, currency, given);
        let mut amount = |name: &str, given: Option<&google_type::Money>| {
            let amount = given.map(|given| money(&of(name), given)).transpose();
            self.faults.take(amount)
        };
        let price = amount("price", given.price.as_ref());
        let unit_price = amount("unit_price", given.unit_price.as_ref());
        let floor_price = amount("floor_price", given.floor_price.as_ref());
        let portion = NewPortion {
            portion_id: given.portion_id.clone(),
            owner: owner.map(PartyId::from_text),
            description,
            // None at all stands for one.
            quantity: if given.quantity == 0 {
                1
            } else {
                given.quantity
            },
            unit_price,
            price,
            recurrence: self.recurrence(field, given.recurrence.as_ref()),
            floor_price,
            minimum_margin_bps: self.bps(&of("minimum_margin_bps"), given.minimum_margin_bps),
            pass_through: self.pass_through(field, given.pass_through.as_ref()),
            markup_on: Some(given.markup_on.clone()).filter(|id| !id.is_empty()),
            stake: self.stake(field, given.stake.as_ref()),
            internal_cost: cost.sealed,
            cost_exchange: cost.exchange,
            cost_band: cost.band,
        };
        let is_readable = self.faults.count() == before;
        if !is_readable {
            // What hangs together with unreadable fields cannot be judged; the id stands alone.
            let named = is_identifier(&portion.portion_id);
            self.faults
                .require(named, &of("portion_id"), "1 to 63 of a-z, 0-9 and -");
        } else if let Some(currency) = currency {
            let describer = Describer {
                partnership: &self.member.partnership.state,
                party: &self.member.party.id,
                currency,
            };
            self.faults
                .extend(portion_faults(field, &portion, describer));
            self.require_cost_is_price(&of("internal_cost"), &portion, cost.converted);
        }
        portion
    }

    /// What is passed through at cost costs what the client pays. Nobody but this request's caller
    /// can see that it does not.
    fn require_cost_is_price(&mut self, field: &str, portion: &NewPortion, cost: Option<Money>) {
        let is_at_cost = portion.pass_through == Some(PassThrough::AtCost);
        let agrees = !is_at_cost || cost.is_none() || cost == portion.full_price();
        let rule = "must be the price of what is passed through at cost";
        self.faults.require(agrees, field, rule);
    }

    fn bps(&mut self, field: &str, given: Option<i32>) -> Option<u32> {
        let bps = given.map(|given| {
            let why = "must not be negative";
            u32::try_from(given).map_err(|_| Refusal::field(Reason::InvalidField, field, why))
        });
        self.faults.take(bps.transpose())
    }

    fn recurrence(&mut self, field: &str, given: Option<&v1::Recurrence>) -> Option<Recurrence> {
        let given = given?;
        let period_field = format!("{field}.recurrence.period");
        let period = known_enum(&period_field, given.period).map(to_period);
        let period = self.faults.take(period)?;
        // What does not fit is out of range anyway.
        let periods = u16::try_from(given.periods).unwrap_or_default();
        Some(Recurrence { period, periods })
    }

    fn pass_through(
        &mut self,
        field: &str,
        given: Option<&v1::PassThrough>,
    ) -> Option<PassThrough> {
        let given = given?;
        let kind_field = format!("{field}.pass_through.kind");
        let cap_field = format!("{field}.pass_through.markup_cap_bps");
        let kind = known_enum::<v1::PassThroughKind>(&kind_field, given.kind).map(Some);
        let kind = self.faults.take(kind)?;
        let markup_cap_bps = self.bps(&cap_field, Some(given.markup_cap_bps))?;
        if kind == v1::PassThroughKind::MarkedUp {
            return Some(PassThrough::MarkedUp { markup_cap_bps });
        }
        let rule = "must be 0: nobody marks up what is passed through at cost";
        self.faults.require(markup_cap_bps == 0, &cap_field, rule);
        Some(PassThrough::AtCost)
    }

    fn stake(&mut self, field: &str, given: Option<&v1::Stake>) -> Option<Stake> {
        let given = given?;
        let description_field = format!("{field}.stake.description");
        let words = &given.description;
        let description = self
            .sealer
            .text(&description_field, words, FREE_TEXT_BYTES_MAX);
        let value = match &given.value {
            None => None,
            Some(v1::stake::Value::Amount(amount)) => {
                let amount = money(&format!("{field}.stake.amount"), amount);
                self.faults.take(amount.map(Some)).map(StakeValue::Amount)
            }
            Some(v1::stake::Value::PriceBps(bps)) => self
                .bps(&format!("{field}.stake.price_bps"), Some(*bps))
                .map(StakeValue::Bps),
        };
        Some(Stake { description, value })
    }

    /// What a portion costs its owner: sealed, so that no other party may read it, and converted.
    fn cost(&mut self, field: &str, currency: Option<Currency>, given: &v1::Portion) -> Cost {
        let cost_field = format!("{field}.internal_cost");
        let exchange_field = format!("{field}.cost_exchange");
        let Some(cost) = &given.internal_cost else {
            let is_alone = given.cost_exchange.is_none();
            self.faults
                .require(is_alone, &exchange_field, "needs an internal cost");
            let reveal_field = format!("{field}.reveal_cost_band");
            let reveals = given.reveal_cost_band;
            self.faults
                .require(!reveals, &reveal_field, "needs an internal cost");
            return Cost::default();
        };
        let cost = self.faults.take(money(&cost_field, cost).map(Some));
        let Some((cost, currency)) = cost.zip(currency) else {
            return Cost::default();
        };
        self.faults
            .require(cost.minor >= 0, &cost_field, "must not be negative");
        let mut exchange = None;
        if let Some(given) = &given.cost_exchange {
            exchange = self.exchange(&exchange_field, cost.currency, given);
        } else if cost.currency != currency {
            let why = format!("the quote is in {currency}, so the cost needs a rate");
            let missing = Refusal::field(Reason::ExchangeRateMissing, &cost_field, why)
                .with("expected", currency)
                .with("actual", cost.currency);
            self.faults.extend([missing]);
            return Cost::default();
        }
        let converted = cost::converted(cost, exchange.as_ref(), currency);
        if exchange.is_some() && converted.is_none() {
            let why = "does not fit the quote's currency";
            self.faults.add(Reason::OutOfRange, &cost_field, why);
        }
        let minor = converted.and_then(|cost| u64::try_from(cost.minor).ok());
        let readers = Readers::Parties(vec![self.member.party.id.clone()]);
        let text = cost::to_text(&cost);
        Cost {
            sealed: Some(self.sealer.value(cost::LABEL, &text, readers)),
            exchange,
            band: minor.filter(|_| given.reveal_cost_band).map(CostBand::of),
            converted,
        }
    }

    fn exchange(
        &mut self,
        field: &str,
        currency: Currency,
        given: &v1::CostExchange,
    ) -> Option<CostExchange> {
        let rate = ExchangeRate::parse(&given.rate);
        let rule = "a decimal number above 0 with at most 12 places";
        let rate_field = format!("{field}.rate");
        self.faults.require(rate.is_some(), &rate_field, rule);
        let date = civil_date(given.date.as_ref());
        let date_field = format!("{field}.date");
        let rule = "must be a whole date that exists";
        self.faults.require(date.is_some(), &date_field, rule);
        Some(CostExchange {
            currency,
            rate: rate?,
            date: date?,
            source: given.source.clone(),
        })
    }

    /// Ends the intake with what came of it, and the openings to send with the command.
    ///
    /// # Errors
    /// Everything that is wrong with the request.
    pub(super) fn finish<T>(self, read: Option<T>) -> Result<(T, Vec<Opening>), ApiError> {
        let openings = self.faults.finish_sealed(self.sealer)?;
        // Nothing is missing without a fault, so this refusal is never seen.
        let read = read.ok_or_else(|| Refusal::new(Reason::Internal, "a fault was not noted"))?;
        Ok((read, openings))
    }
}

/// A period that is known.
pub(super) fn to_period(period: v1::RecurrencePeriod) -> Option<Period> {
    match period {
        v1::RecurrencePeriod::Unspecified => None,
        v1::RecurrencePeriod::Month => Some(Period::Month),
        v1::RecurrencePeriod::Quarter => Some(Period::Quarter),
        v1::RecurrencePeriod::Year => Some(Period::Year),
    }
}

/// Why a revision is answered as it is, sealed for every party.
///
/// # Errors
/// Everything that is wrong with hash and reason.
pub(super) fn reply(
    api: &Api,
    hash: &str,
    reason: &str,
) -> Result<(Words, Vec<Opening>), ApiError> {
    let mut faults = Faults::default();
    let mut sealer = Sealer::for_every_party(api);
    faults.require(!hash.is_empty(), "hash", "is required");
    let reason = sealer.text("reason", reason, FREE_TEXT_BYTES_MAX);
    Ok((reason, faults.finish_sealed(sealer)?))
}
