//! Divided concessions as the contract shows them.

use crate::api::convert::to_money;
use crate::api::pricing::steps::to_int64;
use crate::domain::pricing::allocation::carried::Carried;
use crate::domain::pricing::division::Rounding;
use crate::domain::pricing::money::Money;
use crate::domain::pricing::quote::portion::total_over_term;
use crate::domain::pricing::quote::proposal::ShortfallPolicy;
use crate::domain::pricing::quote::{
    Basis, Cadence, CadenceSplit, ConcessionSplit, JointQuote, Line, OpenLine, Outcome, Portion,
};
use crate::proto::v1;

/// What came of one cadence.
pub(in crate::api::pricing) fn to_cadence_split(
    split: &CadenceSplit,
    quote: &JointQuote,
) -> v1::CadenceSplit {
    let money = |minor| Some(to_money(&Money::from_minor(quote.currency, minor)));
    let parties = split.by_party().unwrap_or_default();
    let party = |(party, share): (_, i64)| v1::PartyAllocation {
        party_id: ToString::to_string(&party),
        share: money(share),
    };
    v1::CadenceSplit {
        cadence: to_cadence(split.cadence).into(),
        concession: money(split.concession),
        shares: split
            .lines
            .iter()
            .map(|line| to_share(line, quote))
            .collect(),
        party_allocations: parties.into_iter().map(party).collect(),
        shortfall: money(to_int64(split.shortfall)),
        price_before: money(split.price_before),
        price_after: money(split.price_after),
        vendor_money: money(split.vendor_money),
        carried_fractions: split.carried.iter().map(to_fraction).collect(),
    }
}

fn to_fraction(carried: &Carried) -> v1::PartyFraction {
    v1::PartyFraction {
        party_id: carried.id.clone(),
        before_billionths: carried.before,
        after_billionths: carried.after,
    }
}

/// A portion's share, amounts with the exponent of the quote's currency.
pub(in crate::api::pricing) fn to_share(line: &Line, quote: &JointQuote) -> v1::AllocationShare {
    let shown = v1::AllocationShare {
        portion_id: line.portion_id.clone(),
        party_id: line.owner.to_string(),
        ..v1::AllocationShare::default()
    };
    match &line.outcome {
        Outcome::Open(open) => with_numbers(shown, open, quote),
        Outcome::Sealed(commitment) => v1::AllocationShare {
            commitment: commitment.as_str().to_owned(),
            ..shown
        },
    }
}

fn with_numbers(
    shown: v1::AllocationShare,
    line: &OpenLine,
    quote: &JointQuote,
) -> v1::AllocationShare {
    let money = |minor| Some(to_money(&Money::from_minor(quote.currency, minor)));
    let periods = periods_of(quote, &shown.portion_id);
    v1::AllocationShare {
        share: money(line.share),
        weight: to_int64(line.weight),
        room: money(to_int64(line.room)),
        within_floor: money(line.within_floor),
        beyond_floor: money(line.beyond_floor),
        price_before: money(line.price_before),
        price_after: money(line.price_after),
        at_floor: line.is_at_floor,
        // Whatever is stored fits.
        total_share: total_over_term([(line.share, periods)]).and_then(money),
        ..shown
    }
}

fn periods_of(quote: &JointQuote, portion_id: &str) -> u16 {
    let mut portions = quote.portions.iter();
    let portion = portions.find(|portion| portion.id == portion_id);
    portion.map_or(1, Portion::periods)
}

/// What a split's lines are together over all periods; `None` where one is sealed.
pub(super) fn term_total(
    split: &ConcessionSplit,
    quote: &JointQuote,
    amount: fn(&OpenLine) -> i64,
) -> Option<Money> {
    let mut amounts = Vec::with_capacity(split.line_count());
    for line in split.lines() {
        amounts.push((amount(line.open()?), periods_of(quote, &line.portion_id)));
    }
    total_over_term(amounts).map(|minor| Money::from_minor(quote.currency, minor))
}

/// When something is due.
pub(in crate::api) const fn to_cadence(cadence: Cadence) -> v1::Cadence {
    match cadence {
        Cadence::OneTime => v1::Cadence::OneTime,
        Cadence::Monthly => v1::Cadence::Monthly,
        Cadence::Quarterly => v1::Cadence::Quarterly,
        Cadence::Yearly => v1::Cadence::Yearly,
    }
}

/// By what measure it was divided.
pub(in crate::api) const fn to_basis(basis: &Basis) -> v1::AllocationBasis {
    match basis {
        Basis::FixedBps(_) => v1::AllocationBasis::FixedBps,
        Basis::Price => v1::AllocationBasis::Price,
        Basis::Custom(_) => v1::AllocationBasis::Custom,
        Basis::CostBand => v1::AllocationBasis::CostBand,
        Basis::Cost => v1::AllocationBasis::Cost,
        Basis::Margin => v1::AllocationBasis::Margin,
    }
}

/// How single minor units were given out.
pub(super) const fn to_rounding(rounding: Rounding) -> v1::RoundingRule {
    match rounding {
        Rounding::LargestRemainder => v1::RoundingRule::LargestRemainder,
        Rounding::Ratchet => v1::RoundingRule::Ratchet,
    }
}

/// What became of what the floors left over, and who bore it.
pub(super) fn to_policy(policy: &ShortfallPolicy) -> (v1::ShortfallPolicy, String) {
    match policy {
        ShortfallPolicy::Reject => (v1::ShortfallPolicy::Reject, String::new()),
        ShortfallPolicy::PrimeAbsorbs(prime) => {
            (v1::ShortfallPolicy::PrimeAbsorbs, prime.to_string())
        }
        ShortfallPolicy::BelowFloorWithConsent => {
            (v1::ShortfallPolicy::BelowFloorWithConsent, String::new())
        }
    }
}
