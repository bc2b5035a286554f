//! What is asked to be divided, as callers send it.

use std::collections::BTreeMap;

use super::ALTERNATIVES_MAX;
use crate::api::convert::{known_enum, money, money_refusal};
use crate::api::faults::Faults;
use crate::api::required;
use crate::domain::pricing::division::{Measure, Rounding, ShortfallPolicy};
use crate::domain::pricing::money::{Currency, Money};
use crate::domain::pricing::quote::cost::ExchangeRate;
use crate::domain::pricing::sheet::{
    Alternative, Cadence, Column, LINES_MAX, Line, NAME_MAX, Place, Sheet,
};
use crate::domain::refusal::{Reason, Refusal};
use crate::proto::google::r#type as google_type;
use crate::proto::v1;

/// A request that was understood. An alternative that is at fault by itself says so.
pub(super) struct Asked {
    pub sheet: Sheet,
    pub alternatives: Vec<Result<Alternative, Refusal>>,
}

/// The path of a slice's field.
pub(super) fn slice_field(index: usize, column: Column) -> String {
    let name = match column {
        Column::Id => "slice_id",
        Column::Owner => "owner",
        Column::Cadence => "cadence",
        Column::Price => "price",
        Column::Cost => "cost",
        Column::Floor => "floor_price",
        Column::MinimumMargin => "minimum_margin_bps",
        Column::PassThrough => "pass_through",
        Column::MarkupCap => "pass_through.markup_cap_bps",
        Column::MarkupOn => "markup_on",
    };
    format!("slices[{index}].{name}")
}

/// Everything that a request says.
///
/// # Errors
/// Everything that is wrong with what all alternatives share.
pub(super) fn request(asked: &v1::ComputeSplitRequest) -> Result<Asked, Refusal> {
    let mut faults = Faults::default();
    let sensible = (1..=LINES_MAX).contains(&asked.slices.len());
    faults.require(sensible, "slices", &format!("1 to {LINES_MAX} slices"));
    let sensible = (1..=ALTERNATIVES_MAX).contains(&asked.alternatives.len());
    let rule = format!("1 to {ALTERNATIVES_MAX} alternatives");
    faults.require(sensible, "alternatives", &rule);
    let sensible = (1..=Cadence::ALL.len()).contains(&asked.concessions.len());
    faults.require(sensible, "concessions", "1 to 4 concessions");
    // Without a currency no amount means anything.
    let currency = currency(asked)?;
    faults.finish()?;
    let mut reader = Reader {
        currency,
        faults: Faults::default(),
    };
    let lines = asked.slices.iter().enumerate();
    let lines = lines
        .map(|(index, slice)| reader.line(index, slice))
        .collect();
    let concessions = reader.concessions(&asked.concessions);
    let Reader { mut faults, .. } = reader;
    let sheet = Sheet {
        currency,
        lines,
        concessions,
    };
    if faults.count() == 0 {
        let found = sheet.faults().into_iter().map(|fault| {
            let field = match fault.place {
                Place::Lines => "slices".to_owned(),
                Place::Line(index, column) => slice_field(index, column),
                Place::Concessions => "concessions".to_owned(),
                Place::Concession(cadence) => {
                    let of = |given: &v1::SplitConcession| to_cadence(given.cadence) == Ok(cadence);
                    let index = asked.concessions.iter().position(of);
                    format!("concessions[{}].amount", index.unwrap_or_default())
                }
            };
            Refusal::field(fault.reason, field, fault.description)
        });
        faults.extend(found);
    }
    faults.finish()?;
    let alternatives = asked.alternatives.iter().enumerate();
    let alternatives = alternatives.map(|(index, given)| alternative(index, given, currency));
    Ok(Asked {
        sheet,
        alternatives: alternatives.collect(),
    })
}

fn currency(asked: &v1::ComputeSplitRequest) -> Result<Currency, Refusal> {
    let currency =
        Currency::from_code(&asked.currency).map_err(|error| money_refusal("currency", &error))?;
    match asked.currency_exponent {
        Some(stated) if stated != i32::from(currency.exponent()) => {
            let known = currency.exponent();
            let why = format!("{currency} has {known} decimal places, not {stated}");
            let refusal = Refusal::field(Reason::CurrencyMismatch, "currency_exponent", why);
            Err(refusal.with("expected", known).with("actual", stated))
        }
        _ => Ok(currency),
    }
}

/// A cadence; unset for once.
fn to_cadence(value: i32) -> Result<Cadence, i32> {
    match v1::Cadence::try_from(value) {
        Ok(v1::Cadence::Unspecified | v1::Cadence::OneTime) => Ok(Cadence::OneTime),
        Ok(v1::Cadence::Monthly) => Ok(Cadence::Monthly),
        Ok(v1::Cadence::Quarterly) => Ok(Cadence::Quarterly),
        Ok(v1::Cadence::Yearly) => Ok(Cadence::Yearly),
        Err(_) => Err(value),
    }
}

/// An amount in the request's currency.
fn amount(field: &str, given: &google_type::Money, currency: Currency) -> Result<i64, Refusal> {
    let amount = money(field, given)?;
    if amount.currency == currency {
        return Ok(amount.minor);
    }
    let why = format!("the split is in {currency}");
    Err(Refusal::field(Reason::CurrencyMismatch, field, why)
        .with("expected", currency)
        .with("actual", amount.currency))
}

struct Reader {
    currency: Currency,
    faults: Faults,
}

impl Reader {
    fn line(&mut self, index: usize, given: &v1::SplitSlice) -> Line {
        let field = |column| slice_field(index, column);
        let price = given
            .price
            .as_ref()
            .ok_or_else(|| required(&field(Column::Price)));
        let price = price.and_then(|price| amount(&field(Column::Price), price, self.currency));
        let floor = given.floor_price.as_ref();
        let floor = floor.map(|floor| amount(&field(Column::Floor), floor, self.currency));
        let margin = given.minimum_margin_bps;
        let cadence = to_cadence(given.cadence);
        let cadence_field = field(Column::Cadence);
        let unknown =
            |_| Refusal::field(Reason::InvalidField, &cadence_field, "is not a known value");
        let (is_at_cost, markup_cap_bps) = self.pass_through(index, given.pass_through.as_ref());
        Line {
            id: given.slice_id.clone(),
            owner: given.owner.clone(),
            cadence: self.faults.take(cadence.map_err(unknown)),
            price: self.faults.take(price),
            cost: self.cost(index, given),
            floor: self.faults.take(floor.transpose()),
            minimum_margin_bps: margin.and_then(|bps| self.bps(&field(Column::MinimumMargin), bps)),
            is_at_cost,
            markup_cap_bps,
            markup_on: Some(given.markup_on.clone()).filter(|on| !on.is_empty()),
        }
    }

    fn bps(&mut self, field: &str, given: i32) -> Option<u32> {
        let bps = u32::try_from(given)
            .map_err(|_| Refusal::field(Reason::InvalidField, field, "must not be negative"));
        self.faults.take(bps.map(Some))
    }

    fn pass_through(
        &mut self,
        index: usize,
        given: Option<&v1::PassThrough>,
    ) -> (bool, Option<u32>) {
        let Some(given) = given else {
            return (false, None);
        };
        let kind_field = format!("slices[{index}].pass_through.kind");
        let kind = known_enum::<v1::PassThroughKind>(&kind_field, given.kind).map(Some);
        let cap = self.bps(&slice_field(index, Column::MarkupCap), given.markup_cap_bps);
        match self.faults.take(kind) {
            Some(v1::PassThroughKind::MarkedUp) => (false, cap),
            // A cap that is not 0 is at fault with what is passed on at cost.
            _ => (true, cap.filter(|cap| *cap > 0)),
        }
    }

    /// A cost in the request's currency.
    fn cost(&mut self, index: usize, given: &v1::SplitSlice) -> Option<i64> {
        let field = slice_field(index, Column::Cost);
        let rate_field = format!("slices[{index}].cost_rate");
        let rate = given.cost_rate.as_str();
        let Some(cost) = &given.cost else {
            self.faults
                .require(rate.is_empty(), &rate_field, "needs a cost");
            return None;
        };
        let cost: Money = self.faults.take(money(&field, cost).map(Some))?;
        if cost.currency == self.currency {
            let why = "the cost is in the split's currency already";
            self.faults.require(rate.is_empty(), &rate_field, why);
            return Some(cost.minor);
        }
        if rate.is_empty() {
            let why = format!(
                "the split is in {}, so the cost needs a rate",
                self.currency
            );
            let missing = Refusal::field(Reason::ExchangeRateMissing, &field, why)
                .with("expected", self.currency)
                .with("actual", cost.currency);
            self.faults.extend([missing]);
            return None;
        }
        let Some(rate) = ExchangeRate::parse(rate) else {
            let why = "must be a decimal number above 0 with up to 12 decimal places";
            self.faults.add(Reason::InvalidField, rate_field, why);
            return None;
        };
        let converted = rate.convert(cost, self.currency);
        if converted.is_none() {
            let why = format!(
                "does not fit a signed 64-bit number of minor units of {}",
                self.currency
            );
            self.faults.add(Reason::OutOfRange, field, why);
        }
        converted.map(|cost| cost.minor)
    }

    fn concessions(&mut self, given: &[v1::SplitConcession]) -> BTreeMap<Cadence, i64> {
        let mut concessions = BTreeMap::new();
        for (index, given) in given.iter().enumerate() {
            let field = format!("concessions[{index}].amount");
            let stated = given.amount.as_ref().ok_or_else(|| required(&field));
            let stated = stated.and_then(|stated| amount(&field, stated, self.currency));
            let stated = self.faults.take(stated.map(Some));
            let field = format!("concessions[{index}].cadence");
            let Ok(cadence) = to_cadence(given.cadence) else {
                self.faults
                    .add(Reason::InvalidField, field, "is not a known value");
                continue;
            };
            let Some(stated) = stated else { continue };
            if concessions.insert(cadence, stated).is_some() {
                self.faults
                    .add(Reason::InvalidField, field, "each cadence once");
            }
        }
        concessions
    }
}

/// One way to divide.
///
/// # Errors
/// Everything that is wrong with it by itself.
fn alternative(
    index: usize,
    given: &v1::SplitAlternative,
    currency: Currency,
) -> Result<Alternative, Refusal> {
    let field = |name: &str| format!("alternatives[{index}].{name}");
    let mut faults = Faults::default();
    let unknown =
        |name: &str| Refusal::field(Reason::InvalidField, field(name), "is not a known value");
    let basis = known_enum::<v1::SplitBasis>(&field("basis"), given.basis);
    let basis = faults.take(basis.map(Some));
    let is_fixed = basis == Some(v1::SplitBasis::FixedBps);
    let is_custom = basis == Some(v1::SplitBasis::Custom);
    let rule = "must be empty for this basis";
    faults.require(is_fixed || given.shares.is_empty(), &field("shares"), rule);
    faults.require(
        is_custom || given.amounts.is_empty(),
        &field("amounts"),
        rule,
    );
    let shares = shares(&mut faults, &field("shares"), &given.shares);
    let amounts = amounts(&mut faults, &field("amounts"), &given.amounts, currency);
    let rounding = v1::RoundingRule::try_from(given.rounding).map_err(|_| unknown("rounding"));
    let rounding = rounding.map(|rounding| match rounding {
        v1::RoundingRule::Unspecified | v1::RoundingRule::LargestRemainder => {
            Rounding::LargestRemainder
        }
        v1::RoundingRule::Ratchet => Rounding::Ratchet,
    });
    let rounding = faults.take(rounding);
    let policy = v1::ShortfallPolicy::try_from(given.shortfall_policy);
    let policy = faults.take(policy.map(Some).map_err(|_| unknown("shortfall_policy")));
    let owner = given.absorbing_owner.as_str();
    let absorbs = policy == Some(v1::ShortfallPolicy::PrimeAbsorbs);
    let rule = if absorbs {
        "is required for PRIME_ABSORBS: 1 to 100 bytes"
    } else {
        "must be empty for this policy"
    };
    let is_named = (1..=NAME_MAX).contains(&owner.len());
    let fits = if absorbs { is_named } else { owner.is_empty() };
    faults.require(fits, &field("absorbing_owner"), rule);
    faults.finish()?;
    let measure = match basis {
        Some(v1::SplitBasis::Cost) => Measure::Cost,
        Some(v1::SplitBasis::Margin) => Measure::Margin,
        Some(v1::SplitBasis::CostBand) => Measure::CostBand,
        Some(v1::SplitBasis::FixedBps) => Measure::FixedBps(shares),
        Some(v1::SplitBasis::Custom) => Measure::Custom(amounts),
        // What is not known was refused.
        Some(v1::SplitBasis::Price | v1::SplitBasis::Unspecified) | None => Measure::Price,
    };
    let shortfall = match policy {
        Some(v1::ShortfallPolicy::PrimeAbsorbs) => ShortfallPolicy::AbsorbedBy(owner.to_owned()),
        Some(v1::ShortfallPolicy::BelowFloorWithConsent) => ShortfallPolicy::BelowFloor,
        _ => ShortfallPolicy::Reject,
    };
    Ok(Alternative {
        measure,
        rounding,
        shortfall,
    })
}

fn shares(faults: &mut Faults, field: &str, given: &[v1::OwnerShare]) -> BTreeMap<String, u64> {
    let mut shares = BTreeMap::new();
    let few = given.len() <= LINES_MAX;
    faults.require(few, field, &format!("no more than {LINES_MAX}"));
    for (index, share) in given.iter().take(LINES_MAX).enumerate() {
        let Ok(bps) = u64::try_from(share.share_bps) else {
            let field = format!("{field}[{index}].share_bps");
            faults.add(Reason::WeightsInvalid, field, "must not be negative");
            continue;
        };
        if shares.insert(share.owner.clone(), bps).is_some() {
            let field = format!("{field}[{index}].owner");
            faults.add(Reason::WeightsInvalid, field, "each owner once");
        }
    }
    shares
}

fn amounts(
    faults: &mut Faults,
    field: &str,
    given: &[v1::SliceAmount],
    currency: Currency,
) -> BTreeMap<String, i64> {
    let mut amounts = BTreeMap::new();
    let few = given.len() <= LINES_MAX;
    faults.require(few, field, &format!("no more than {LINES_MAX}"));
    for (index, stated) in given.iter().take(LINES_MAX).enumerate() {
        let path = format!("{field}[{index}].amount");
        let read = stated.amount.as_ref().ok_or_else(|| required(&path));
        let read = faults.take(read.and_then(|stated| amount(&path, stated, currency)));
        if amounts.insert(stated.slice_id.clone(), read).is_some() {
            let field = format!("{field}[{index}].slice_id");
            faults.add(Reason::WeightsInvalid, field, "each slice once");
        }
    }
    amounts
}
