//! The steps of a division as the contract shows them.

use crate::api::convert::to_money;
use crate::domain::pricing::allocation::within::Limit;
use crate::domain::pricing::division::{How, Owed, OwnerLimit, Phase, Step};
use crate::domain::pricing::money::{Currency, Money};
use crate::proto::v1;

/// A step with every number in it.
pub(in crate::api) fn to_step(step: &Step, currency: Currency) -> v1::DivisionStep {
    let money = |minor| Some(to_money(&Money::from_minor(currency, minor)));
    let phase = match step.phase {
        Phase::Owners => v1::DivisionPhase::Owners,
        Phase::Slices => v1::DivisionPhase::Slices,
        Phase::ShortfallOwners => v1::DivisionPhase::ShortfallOwners,
        Phase::Shortfall => v1::DivisionPhase::Shortfall,
        Phase::Absorbed => v1::DivisionPhase::Absorbed,
    };
    let shown = v1::DivisionStep {
        phase: phase.into(),
        amount: money(step.amount),
        weight: to_int64(step.weight),
        share: money(step.share),
        ..v1::DivisionStep::default()
    };
    match &step.how {
        How::LargestRemainder(found) => v1::DivisionStep {
            method: v1::DivisionMethod::LargestRemainder.into(),
            weight_total: to_int64(found.weight_total),
            divided_minor_units: to_int64(found.divided),
            exact_floor_minor_units: to_int64(found.floor),
            remainder: to_int64(found.remainder),
            remainder_rank: found.rank.map_or(0, to_int32),
            spare_unit: found.spare_unit,
            carried: found.owed.map(to_carried),
            ..shown
        },
        How::Limit(met) => v1::DivisionStep {
            method: match met.limit {
                Limit::Least => v1::DivisionMethod::Least.into(),
                Limit::Most => v1::DivisionMethod::Most.into(),
            },
            weight_total: to_int64(met.weight_total),
            divided_minor_units: to_int64(met.divided),
            round: to_int32(met.round),
            party_limit: match met.owner_limit {
                None => v1::PartyLimitKind::Unspecified.into(),
                Some(OwnerLimit::LeastPart | OwnerLimit::MostPart) => {
                    v1::PartyLimitKind::PartyLimits.into()
                }
                Some(OwnerLimit::MostAmount) => v1::PartyLimitKind::MostFavoured.into(),
            },
            ..shown
        },
        How::Ratchet(ratchet) => v1::DivisionStep {
            method: v1::DivisionMethod::Ratchet.into(),
            ratchet_start_minor_units: to_int64(ratchet.start),
            ratchet_correction_minor_units: ratchet.correction,
            ..shown
        },
        How::Stated => v1::DivisionStep {
            method: v1::DivisionMethod::Stated.into(),
            ..shown
        },
    }
}

/// Fractions owed.
fn to_carried(owed: Owed) -> v1::CarriedFraction {
    v1::CarriedFraction {
        before_billionths: owed.before,
        after_billionths: owed.after,
    }
}

/// Amounts, weights and what is made of them fit 63 bits, but for sums of weights at the very end.
pub(in crate::api) fn to_int64(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Basis points, ranks and versions are far below what 32 bits hold.
pub(in crate::api) fn to_int32(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
