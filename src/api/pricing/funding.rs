//! Vendors' money and rounds of negotiation between the contract and the domain.

use crate::api::convert::{known_enum, money, parse_name, timestamp, to_money, to_timestamp};
use crate::api::faults::Faults;
use crate::api::listing::name_in;
use crate::api::required;
use crate::domain::identity::ScopeId;
use crate::domain::pricing::quote::funding::{
    NegotiationRound, VENDOR_MONEY_MAX, VendorMoney, VendorMoneySource,
};
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::time::Timestamp;
use crate::proto::v1;

/// Vendors' money as a caller wrote it, in the list `field`.
pub(super) fn vendor_money(
    faults: &mut Faults,
    field: &str,
    scope: &ScopeId,
    given: &[v1::VendorMoney],
) -> Vec<VendorMoney> {
    let mut taken = Vec::new();
    // One too many is enough for it to be noticed.
    for (index, given) in given.iter().take(VENDOR_MONEY_MAX + 1).enumerate() {
        let at = |name: &str| format!("{field}[{index}].{name}");
        let source = known_enum(&at("source"), given.source).map(to_domain_source);
        let source = faults.take(source);
        let vendor = faults.take(vendor(&at("outside_party"), scope, &given.outside_party));
        let amount = given.amount.as_ref();
        let amount = amount.ok_or_else(|| required(&at("amount")));
        let amount = amount.and_then(|amount| money(&at("amount"), amount));
        let amount = faults.take(amount.map(Some));
        if let Some((source, amount)) = source.zip(amount) {
            taken.push(VendorMoney {
                source,
                vendor,
                amount,
            });
        }
    }
    taken
}

/// The id of an outside party of this partnership.
fn vendor(field: &str, scope: &ScopeId, name: &str) -> Result<String, Refusal> {
    let [partnership, vendor] = parse_name(field, name, "partnerships/*/outsideParties/*")?;
    if ScopeId::partnership(&partnership) != *scope {
        let why = "must be of the same partnership";
        return Err(Refusal::field(Reason::InvalidField, field, why));
    }
    Ok(vendor)
}

const fn to_domain_source(source: v1::VendorMoneySource) -> Option<VendorMoneySource> {
    match source {
        v1::VendorMoneySource::Unspecified => None,
        v1::VendorMoneySource::Mdf => Some(VendorMoneySource::MarketDevelopment),
        v1::VendorMoneySource::Rebate => Some(VendorMoneySource::Rebate),
    }
}

/// Vendors' money as the contract shows it.
pub(super) fn to_vendor_money(money: &VendorMoney, scope: &ScopeId) -> v1::VendorMoney {
    let source = match money.source {
        VendorMoneySource::MarketDevelopment => v1::VendorMoneySource::Mdf,
        VendorMoneySource::Rebate => v1::VendorMoneySource::Rebate,
    };
    v1::VendorMoney {
        source: source.into(),
        outside_party: name_in(scope, "outsideParties", &money.vendor),
        amount: Some(to_money(&money.amount)),
    }
}

/// A round as a caller wrote it.
pub(super) fn round(
    faults: &mut Faults,
    given: Option<&v1::NegotiationRound>,
) -> Option<NegotiationRound> {
    let given = given?;
    let mut instant = |name: &str, given: Option<prost_types::Timestamp>| -> Option<Timestamp> {
        let field = format!("negotiation_round.{name}");
        let given = given.ok_or_else(|| required(&field));
        faults.take(given.and_then(|given| timestamp(&field, given)).map(Some))
    };
    let client_asked_at = instant("client_ask_time", given.client_ask_time);
    let partner_told_at = instant("partner_tell_time", given.partner_tell_time);
    Some(NegotiationRound {
        client_asked_at: client_asked_at?,
        partner_told_at: partner_told_at?,
    })
}

/// A round as the contract shows it.
pub(super) fn to_round(round: NegotiationRound) -> v1::NegotiationRound {
    v1::NegotiationRound {
        client_ask_time: Some(to_timestamp(round.client_asked_at)),
        partner_tell_time: Some(to_timestamp(round.partner_told_at)),
    }
}
