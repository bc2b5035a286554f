//! Proposals as callers send them.

use super::funding::{round, vendor_money};
use super::parse::to_period;
use crate::api::convert::{known_enum, money};
use crate::api::faults::Faults;
use crate::api::required;
use crate::domain::identity::{PartyId, ScopeId};
use crate::domain::partnership::PARTIES_MAX;
use crate::domain::partnership::terms::PartyShare;
use crate::domain::pricing::division::Rounding;
use crate::domain::pricing::quote::proposal::{CustomShare, RecurringConcession, ShortfallChoice};
use crate::domain::pricing::quote::{Basis, Cadence, NewConcession, PORTIONS_MAX};
use crate::domain::refusal::{Reason, Refusal};
use crate::proto::v1;

/// What a request proposes to concede, and by which rules.
///
/// # Errors
/// Everything that is wrong with the request.
pub(super) fn proposal(
    scope: &ScopeId,
    asked: &v1::ProposeConcessionRequest,
) -> Result<NewConcession, Refusal> {
    let mut faults = Faults::default();
    let concession = asked.concession.as_ref();
    let concession = concession
        .map(|concession| money("concession", concession))
        .transpose();
    let concession = faults.take(concession);
    let recurring = recurring(&mut faults, &asked.recurring_concessions);
    let is_empty = concession.is_none() && asked.recurring_concessions.is_empty();
    let rule = "is required, or a recurring one";
    let is_stated = !is_empty || asked.concession.is_some();
    faults.require(is_stated, "concession", rule);
    let basis = basis(&mut faults, asked);
    let rounding = optional_enum("rounding", asked.rounding).map(|rounding| match rounding {
        v1::RoundingRule::Unspecified | v1::RoundingRule::LargestRemainder => {
            Rounding::LargestRemainder
        }
        v1::RoundingRule::Ratchet => Rounding::Ratchet,
    });
    let rounding = faults.take(rounding);
    let policy = optional_enum("shortfall_policy", asked.shortfall_policy);
    let policy = policy.map(|policy| match policy {
        v1::ShortfallPolicy::Unspecified | v1::ShortfallPolicy::Reject => ShortfallChoice::Reject,
        v1::ShortfallPolicy::PrimeAbsorbs => ShortfallChoice::PrimeAbsorbs,
        v1::ShortfallPolicy::BelowFloorWithConsent => ShortfallChoice::BelowFloorWithConsent,
    });
    let shortfall_policy = faults.take(policy);
    let negotiation_round = round(&mut faults, asked.negotiation_round.as_ref());
    let vendor_money = vendor_money(&mut faults, "vendor_money", scope, &asked.vendor_money);
    faults.finish()?;
    Ok(NewConcession {
        concession,
        recurring,
        basis,
        rounding,
        shortfall_policy,
        negotiation_round,
        vendor_money,
        keep_limits: asked.keep_limits,
    })
}

/// An enum value of the contract that must be known, but need not be set.
fn optional_enum<E: TryFrom<i32>>(field: &str, value: i32) -> Result<E, Refusal> {
    E::try_from(value)
        .map_err(|_| Refusal::field(Reason::InvalidField, field, "is not a known value"))
}

fn recurring(faults: &mut Faults, given: &[v1::RecurringConcession]) -> Vec<RecurringConcession> {
    let mut recurring = Vec::new();
    // One too many is enough for one of them to be there twice.
    for (index, given) in given.iter().take(Cadence::ALL.len()).enumerate() {
        let field = |name: &str| format!("recurring_concessions[{index}].{name}");
        let period = known_enum(&field("period"), given.period).map(to_period);
        let period = faults.take(period);
        let amount = given.amount.as_ref();
        let amount = amount.ok_or_else(|| required(&field("amount")));
        let amount = amount.and_then(|amount| money(&field("amount"), amount));
        let amount = faults.take(amount.map(Some));
        if let Some((period, amount)) = period.zip(amount) {
            recurring.push(RecurringConcession { period, amount });
        }
    }
    recurring
}

fn basis(faults: &mut Faults, asked: &v1::ProposeConcessionRequest) -> Basis {
    let basis = known_enum::<v1::AllocationBasis>("basis", asked.basis).map(Some);
    let Some(basis) = faults.take(basis) else {
        return Basis::Price;
    };
    let weights = shares(faults, &asked.weights);
    if basis != v1::AllocationBasis::FixedBps && !asked.weights.is_empty() {
        let rule = "must be empty unless the shares are fixed";
        faults.add(Reason::WeightsInvalid, "weights", rule);
    }
    let custom = custom_shares(faults, &asked.custom_shares);
    if basis != v1::AllocationBasis::Custom && !asked.custom_shares.is_empty() {
        let rule = "must be empty unless the shares are stated";
        faults.add(Reason::WeightsInvalid, "custom_shares", rule);
    }
    match basis {
        v1::AllocationBasis::FixedBps => Basis::FixedBps(weights),
        v1::AllocationBasis::Custom => Basis::Custom(custom),
        v1::AllocationBasis::CostBand => Basis::CostBand,
        v1::AllocationBasis::Cost => Basis::Cost,
        v1::AllocationBasis::Margin => Basis::Margin,
        v1::AllocationBasis::Price | v1::AllocationBasis::Unspecified => Basis::Price,
    }
}

fn shares(faults: &mut Faults, given: &[v1::PartyShare]) -> Vec<PartyShare> {
    let mut shares = Vec::new();
    // One too many is enough for it to be noticed.
    for (index, share) in given.iter().take(PARTIES_MAX + 1).enumerate() {
        let share_bps = u32::try_from(share.share_bps).map_err(|_| {
            let field = format!("weights[{index}].share_bps");
            Refusal::field(Reason::WeightsInvalid, field, "must not be negative")
        });
        shares.push(PartyShare {
            party: PartyId::from_text(&share.party_id),
            share_bps: faults.take(share_bps),
        });
    }
    shares
}

fn custom_shares(faults: &mut Faults, given: &[v1::CustomShare]) -> Vec<CustomShare> {
    let mut shares = Vec::new();
    // One too many is enough for it to be noticed.
    for (index, share) in given.iter().take(PORTIONS_MAX + 1).enumerate() {
        let field = format!("custom_shares[{index}].amount");
        let amount = share.amount.as_ref().ok_or_else(|| required(&field));
        let amount = amount.and_then(|amount| money(&field, amount));
        if let Some(amount) = faults.take(amount.map(Some)) {
            let portion_id = share.portion_id.clone();
            shares.push(CustomShare { portion_id, amount });
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::google::r#type as google_type;

    fn amount_of(code: &str, units: i64, nanos: i32) -> google_type::Money {
        google_type::Money {
            currency_code: code.to_owned(),
            units,
            nanos,
        }
    }

    fn proposed(basis: v1::AllocationBasis, shares: &[i32]) -> v1::ProposeConcessionRequest {
        let weights = shares.iter().zip(1..).map(|(bps, party)| v1::PartyShare {
            party_id: format!("party-{party}"),
            share_bps: *bps,
        });
        v1::ProposeConcessionRequest {
            concession: Some(amount_of("EUR", 99, 990_000_000)),
            basis: basis.into(),
            weights: weights.collect(),
            ..v1::ProposeConcessionRequest::default()
        }
    }

    fn fields(refusal: &Refusal) -> Vec<&str> {
        let violations = refusal.violations.iter();
        violations.map(|it| it.field.as_str()).collect()
    }

    fn read(asked: &v1::ProposeConcessionRequest) -> Result<NewConcession, Refusal> {
        proposal(&ScopeId::partnership("p"), asked)
    }

    #[test]
    fn proposals_by_every_basis() {
        let found = read(&proposed(v1::AllocationBasis::FixedBps, &[7_500, 2_500])).unwrap();
        assert_eq!(found.concession.map(|amount| amount.minor), Some(9_999));
        let Basis::FixedBps(shares) = found.basis else {
            panic!("fixed shares")
        };
        assert_eq!(shares[1].party.as_str(), "party-2");
        assert_eq!(shares[1].share_bps, 2_500);
        for (basis, expected) in [
            (v1::AllocationBasis::Price, Basis::Price),
            (v1::AllocationBasis::CostBand, Basis::CostBand),
            (v1::AllocationBasis::Custom, Basis::Custom(Vec::new())),
        ] {
            assert_eq!(read(&proposed(basis, &[])).unwrap().basis, expected);
        }
    }

    #[test]
    fn everything_wrong_with_a_proposal_is_listed() {
        let refusal = read(&proposed(v1::AllocationBasis::Price, &[10_000])).unwrap_err();
        assert_eq!(refusal.reason, Reason::WeightsInvalid);
        let mut bad = proposed(v1::AllocationBasis::FixedBps, &[-1]);
        bad.concession = None;
        bad.rounding = 9;
        bad.shortfall_policy = 9;
        bad.custom_shares = vec![v1::CustomShare::default()];
        let refusal = read(&bad).unwrap_err();
        assert_eq!(refusal.reason, Reason::InvalidField);
        let expected = [
            "concession",
            "weights[0].share_bps",
            "custom_shares[0].amount",
            "custom_shares",
            "rounding",
            "shortfall_policy",
        ];
        assert_eq!(fields(&refusal), expected);
        let nothing = v1::ProposeConcessionRequest {
            recurring_concessions: vec![v1::RecurringConcession::default()],
            ..Default::default()
        };
        let refusal = read(&nothing).unwrap_err();
        let expected = [
            "recurring_concessions[0].period",
            "recurring_concessions[0].amount",
            "basis",
        ];
        assert_eq!(fields(&refusal), expected);
    }
}
