//! What a proposal tells beside its amounts: vendors' money, and how fast a client's wish went round.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::JointQuote;
use super::proposal::other_currency;
use crate::domain::outsiders::OutsideParty;
use crate::domain::pricing::money::{Currency, Money};
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::time::{Span, Timestamp};
use crate::domain::world::{Stop, View};

/// Most amounts of vendors' money in one quote or one proposal.
pub const VENDOR_MONEY_MAX: usize = 20;

/// Why a vendor pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VendorMoneySource {
    /// From its market development funds.
    MarketDevelopment,
    /// As a rebate.
    Rebate,
}

/// Money of a vendor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VendorMoney {
    /// Why it pays.
    pub source: VendorMoneySource,
    /// The vendor: an outside party of the partnership.
    pub vendor: String,
    /// How much: more than zero, in the quote's currency.
    pub amount: Money,
}

/// When a client asked for a concession, and when the partner was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NegotiationRound {
    /// When the client asked.
    pub client_asked_at: Timestamp,
    /// When the partner was told; not before that.
    pub partner_told_at: Timestamp,
}

impl NegotiationRound {
    /// Notes times that are out of order, or later than now by more than the terms tolerate.
    pub(super) fn check(self, now: Timestamp, tolerance: Span, faults: &mut Vec<Refusal>) {
        const FIELD: &str = "negotiation_round.partner_tell_time";
        if self.partner_told_at < self.client_asked_at {
            let why = "must not be before the client asked";
            faults.push(Refusal::field(Reason::TimesOutOfOrder, FIELD, why));
        }
        if self.partner_told_at > now.saturating_add(tolerance) {
            let why = "must not be in the future";
            faults.push(Refusal::field(Reason::InvalidField, FIELD, why));
        }
    }
}

/// What all of it is together; saturates, since whatever was checked fits.
#[must_use]
pub fn sum(money: &[VendorMoney]) -> i64 {
    money
        .iter()
        .fold(0_i64, |sum, money| sum.saturating_add(money.amount.minor))
}

/// Everything that is wrong with vendors' money by itself; `field` is the list in the request.
pub(super) fn check(
    field: &str,
    money: &[VendorMoney],
    currency: Currency,
    view: &View<'_>,
) -> Result<Vec<Refusal>, Stop> {
    let mut faults = Vec::new();
    if money.len() > VENDOR_MONEY_MAX {
        let why = format!("no more than {VENDOR_MONEY_MAX}");
        return Ok(vec![Refusal::field(Reason::InvalidField, field, why)]);
    }
    let mut seen = BTreeSet::new();
    let mut sum = 0_i64;
    for (index, money) in money.iter().enumerate() {
        let at = |name: &str| format!("{field}[{index}].{name}");
        if money.amount.currency != currency {
            let actual = money.amount.currency;
            faults.push(other_currency(&at("amount"), actual, currency));
        }
        let total = sum.checked_add(money.amount.minor);
        if money.amount.minor <= 0 || total.is_none() {
            let why = "must be more than 0, and all of it together fit";
            faults.push(Refusal::field(Reason::InvalidField, at("amount"), why));
        }
        sum = total.unwrap_or(sum);
        if !seen.insert((money.source, &money.vendor)) {
            let why = "each vendor and source once";
            faults.push(Refusal::field(
                Reason::InvalidField,
                at("outside_party"),
                why,
            ));
        }
        if view.find::<OutsideParty>(&money.vendor)?.is_none() {
            let why = "no such outside party";
            faults.push(Refusal::field(
                Reason::InvalidField,
                at("outside_party"),
                why,
            ));
        }
    }
    Ok(faults)
}

/// Notes vendors' money that is more than what is conceded once: it never raises a price.
pub(super) fn check_fits(
    money: &[VendorMoney],
    concession: Option<Money>,
    quote: &JointQuote,
    faults: &mut Vec<Refusal>,
) {
    let conceded = concession.map_or(0, |concession| concession.minor);
    let sum = sum(money);
    if sum > 0 && sum > conceded {
        let sum = Money::from_minor(quote.currency, sum);
        let why = format!("{sum} is more than what is conceded once");
        faults.push(Refusal::field(Reason::InvalidField, "vendor_money", why));
    }
}
