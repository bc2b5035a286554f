//! What can be wrong with portions: each by itself, and among those of its quote.

use std::collections::BTreeSet;

use super::portion::{
    PERIODS_MAX, PassThrough, Portion, QUANTITY_MAX, RATE_BPS_MAX, StakeValue, total_over_term,
};
use super::portions::NewPortion;
use super::proposal::other_currency;
use super::split::{by_cadence, out_of_range, price_total};
use crate::domain::identity::{PartyId, is_identifier};
use crate::domain::partnership::Partnership;
use crate::domain::pricing::division::{BPS_TOTAL, CostBand};
use crate::domain::pricing::money::{Currency, Money};
use crate::domain::refusal::{Reason, Refusal, Violations};
use crate::domain::text::require_display_name;

/// Who describes a portion, and of which quote.
#[derive(Clone, Copy, Debug)]
pub struct Describer<'world> {
    /// The partnership of the quote.
    pub partnership: &'world Partnership,
    /// The party that the caller is in it.
    pub party: &'world PartyId,
    /// The currency of the quote.
    pub currency: Currency,
}

/// Collects what is wrong with one portion, whose fields stand under `path`.
struct Check<'check> {
    path: &'check str,
    new: &'check NewPortion,
    describer: Describer<'check>,
    faults: Vec<Refusal>,
}

/// Everything that is wrong with a portion by itself. `path` is where it stands in the request.
#[must_use]
pub fn portion_faults(path: &str, new: &NewPortion, describer: Describer<'_>) -> Vec<Refusal> {
    let mut check = Check {
        path,
        new,
        describer,
        faults: Vec::new(),
    };
    let named = is_identifier(&new.portion_id);
    check.require(named, "portion_id", "1 to 63 of a-z, 0-9 and -");
    check.owner();
    check.prices();
    check.rules();
    check.cost();
    check.faults
}

impl Check<'_> {
    fn add(&mut self, reason: Reason, field: &str, why: impl Into<String>) {
        let field = format!("{}.{field}", self.path);
        self.faults.push(Refusal::field(reason, field, why));
    }

    fn require(&mut self, holds: bool, field: &str, why: &str) {
        if !holds {
            self.add(Reason::InvalidField, field, why);
        }
    }

    /// Nobody brings portions into a quote for a firm that can do so itself.
    fn owner(&mut self) {
        let Some(owner) = &self.new.owner else {
            return;
        };
        let is_own = owner == self.describer.party;
        let Some(party) = self.describer.partnership.party(owner) else {
            return self.add(Reason::InvalidField, "party_id", "no such party");
        };
        let nameable = party.firm.is_none() || is_own;
        let rule = "must be the caller's own party or one that no firm has joined as";
        self.require(nameable, "party_id", rule);
        let speaks_for_itself = is_own || self.new.internal_cost.is_none();
        let rule = "only its owner states its cost";
        self.require(speaks_for_itself, "internal_cost", rule);
    }

    /// An amount of the quote's currency that is not negative.
    fn amount(&mut self, field: &str, amount: Option<Money>) {
        let Some(amount) = amount else {
            return;
        };
        let expected = self.describer.currency;
        if amount.currency != expected {
            let field = format!("{}.{field}", self.path);
            self.faults
                .push(other_currency(&field, amount.currency, expected));
        }
        self.require(amount.minor >= 0, field, "must not be negative");
    }

    fn prices(&mut self) {
        let new = self.new;
        let countable = (1..=QUANTITY_MAX).contains(&new.quantity);
        let rule = format!("1 to {QUANTITY_MAX}");
        self.require(countable, "quantity", &rule);
        self.amount("price", new.price);
        self.amount("unit_price", new.unit_price);
        let is_priced = new.price.is_some() || new.unit_price.is_some();
        self.require(is_priced, "price", "is required, or a unit price");
        let rule = "is required where there are several";
        self.require(
            new.quantity == 1 || new.unit_price.is_some(),
            "unit_price",
            rule,
        );
        if let Some(unit_price) = new.unit_price {
            match unit_price.minor.checked_mul(new.quantity) {
                None => {
                    let why = format!("{} times as much does not fit", new.quantity);
                    self.add(Reason::OutOfRange, "unit_price", why);
                }
                Some(minor) => self.same(Money::from_minor(unit_price.currency, minor)),
            }
        }
        if let Some(recurrence) = new.recurrence {
            let sound = (1..=PERIODS_MAX).contains(&recurrence.periods);
            let rule = format!("1 to {PERIODS_MAX}");
            self.require(sound, "recurrence.periods", &rule);
        }
        self.amount("floor_price", new.floor_price);
        let both = new.floor_price.zip(new.full_price());
        let in_order = both.is_none_or(|(floor, price)| floor.minor <= price.minor);
        self.require(in_order, "floor_price", "must not be above the price");
    }

    /// Notes a price that is not what the unit price makes it.
    fn same(&mut self, product: Money) {
        let Some(price) = self.new.price.filter(|price| *price != product) else {
            return;
        };
        let quantity = self.new.quantity;
        let why = format!("is {price}, but {quantity} at the unit price are {product}");
        let field = format!("{}.price", self.path);
        let refusal = Refusal::field(Reason::InvalidField, field, why);
        self.faults
            .push(refusal.with("price", price).with("product", product));
    }

    fn rules(&mut self) {
        let new = self.new;
        let rate = format!("at most {RATE_BPS_MAX} basis points");
        if let Some(PassThrough::MarkedUp { markup_cap_bps }) = new.pass_through {
            let sound = markup_cap_bps <= RATE_BPS_MAX;
            self.require(sound, "pass_through.markup_cap_bps", &rate);
        }
        let alone = new.markup_on.is_none() || new.pass_through.is_none();
        self.require(alone, "markup_on", "a markup passes nothing on");
        let value = new.stake.as_ref().and_then(|stake| stake.value);
        match value {
            Some(StakeValue::Bps(bps)) => {
                let sound = u64::from(bps) <= BPS_TOTAL;
                let rule = format!("at most {BPS_TOTAL} basis points");
                self.require(sound, "stake.price_bps", &rule);
            }
            Some(StakeValue::Amount(amount)) => {
                self.require(amount.minor >= 0, "stake.amount", "must not be negative");
            }
            None => {}
        }
        if let Some(margin) = new.minimum_margin_bps {
            self.require(margin <= RATE_BPS_MAX, "minimum_margin_bps", &rate);
            let has_cost = new.internal_cost.is_some();
            self.require(has_cost, "minimum_margin_bps", "needs an internal cost");
        }
    }

    fn cost(&mut self) {
        let new = self.new;
        if let Some(exchange) = &new.cost_exchange {
            let has_cost = new.internal_cost.is_some();
            self.require(has_cost, "cost_exchange", "needs an internal cost");
            let differs = exchange.currency != self.describer.currency;
            let rule = "the cost is in the quote's currency, so it needs no rate";
            self.require(differs, "cost_exchange", rule);
            let rule = "a decimal number above 0 with at most 12 places";
            self.require(exchange.rate.is_sound(), "cost_exchange.rate", rule);
            let mut violations = Violations::default();
            let field = format!("{}.cost_exchange.source", self.path);
            require_display_name(&mut violations, &field, &exchange.source);
            self.faults.extend(violations.finish().err());
        }
        if let Some(band) = new.cost_band {
            let is_band = new.internal_cost.is_some() && CostBand::of(band.from) == band;
            self.require(is_band, "reveal_cost_band", "needs an internal cost");
        }
    }
}

/// Everything that is wrong with `added` among `all` the portions of their quote. `path` is where the
/// portion of that id stands in the request.
pub(super) fn check_together(
    all: &[&Portion],
    added: &[&Portion],
    path: impl Fn(&str) -> String,
) -> Result<(), Refusal> {
    let mut faults = Vec::new();
    for markup in added {
        if let Some(base) = &markup.markup_on {
            let base = all.iter().find(|portion| portion.id == *base);
            let field = format!("{}.markup_on", path(&markup.id));
            if let Err(why) = marks_up(markup, base.copied()) {
                faults.push(Refusal::field(Reason::InvalidField, field, why));
            }
        }
    }
    Refusal::all(faults)?;
    let bases: BTreeSet<&str> = added
        .iter()
        .filter_map(|portion| portion.markup_on.as_deref())
        .collect();
    let mut faults = Vec::new();
    for id in bases {
        if let Some(excess) = markup_excess(all, id, |portion| portion.price.minor) {
            let of_base = |portion: &&&Portion| portion.markup_on.as_deref() == Some(id);
            for markup in added.iter().filter(of_base) {
                faults.push(excess.refusal(&format!("{}.price", path(&markup.id))));
            }
        }
    }
    Refusal::all(faults)?;
    check_sums(all)
}

fn marks_up(markup: &Portion, base: Option<&Portion>) -> Result<(), &'static str> {
    let base = base.ok_or("no such portion in this quote")?;
    if !matches!(base.pass_through, Some(PassThrough::MarkedUp { .. })) {
        return Err("that portion is not one that may be marked up");
    }
    if base.owner == markup.owner {
        return Err("nobody marks its own portion up");
    }
    if base.recurrence != markup.recurrence {
        return Err("must recur as the portion that it marks up");
    }
    Ok(())
}

/// Markups on one portion that are more than its cap allows. Amounts are in minor units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MarkupExcess {
    /// The portion that is marked up.
    pub base: String,
    /// The most, in basis points of its price.
    pub cap_bps: u32,
    /// What its markups are together.
    pub markup: i128,
    /// Its price.
    pub price: i64,
    /// The currency of both.
    pub currency: Currency,
}

impl MarkupExcess {
    /// In words.
    pub(super) fn why(&self) -> String {
        let amount = |minor: i128| match i64::try_from(minor) {
            Ok(minor) => Money::from_minor(self.currency, minor).to_string(),
            Err(_) => minor.to_string(),
        };
        format!(
            "the markups on {} are {} together, more than {} basis points of {}",
            self.base,
            amount(self.markup),
            self.cap_bps,
            amount(i128::from(self.price))
        )
    }

    /// Whether rounding each of these portions to a minor unit could have made all of it.
    pub(super) fn is_rounding(&self, all: &[&Portion]) -> bool {
        let markups = all.iter();
        let markups = markups.filter(|portion| portion.markup_on.as_ref() == Some(&self.base));
        let units = i128::try_from(markups.count()).unwrap_or_default();
        let most = (i128::from(self.price) + 1) * i128::from(self.cap_bps);
        (self.markup - units) * i128::from(BPS_TOTAL) < most
    }

    fn refusal(&self, field: &str) -> Refusal {
        Refusal::field(Reason::MarkupCapExceeded, field, self.why())
            .with("portion_id", &self.base)
            .with("markup_cap_bps", self.cap_bps)
    }
}

/// Whether all markups on the portion `id` together are more than its cap, at the amounts that
/// `amount_of` gives. Compared exactly, by cross-multiplication.
pub(super) fn markup_excess(
    all: &[&Portion],
    id: &str,
    amount_of: impl Fn(&Portion) -> i64,
) -> Option<MarkupExcess> {
    let base = all.iter().find(|portion| portion.id == id)?;
    let Some(PassThrough::MarkedUp { markup_cap_bps }) = base.pass_through else {
        return None;
    };
    let markups = all.iter();
    let markups = markups.filter(|portion| portion.markup_on.as_deref() == Some(id));
    // 200 amounts of 63 bits times 10,000 need far less than 127 bits.
    let markup: i128 = markups.map(|portion| i128::from(amount_of(portion))).sum();
    let price = amount_of(base);
    let most = i128::from(price) * i128::from(markup_cap_bps);
    (markup * i128::from(BPS_TOTAL) > most).then(|| MarkupExcess {
        base: id.to_owned(),
        cap_bps: markup_cap_bps,
        markup,
        price,
        currency: base.price.currency,
    })
}

/// The prices of each cadence, and those over the whole term, add up to what fits.
fn check_sums(all: &[&Portion]) -> Result<(), Refusal> {
    for (_, portions) in by_cadence(all) {
        price_total(&portions).ok_or_else(|| out_of_range("the sum of all prices"))?;
    }
    let amounts = all.iter();
    let amounts = amounts.map(|portion| (portion.price.minor, portion.periods()));
    total_over_term(amounts)
        .ok_or_else(|| out_of_range("the sum of all prices over all periods"))?;
    Ok(())
}
