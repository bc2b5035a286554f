//! Splits an amount over parts by the largest remainder, in exact integers.
//!
//! Every part's exact share is `amount * weight / weight_total`. Each part first gets the whole
//! minor units of that (its floor); the few minor units left over, the spare units, go one each
//! to the parts with the largest remainders. All remainders have the same denominator, so
//! comparing them needs no fractions and no floats. What follows from the method:
//!
//! - the shares add up to the amount, exactly;
//! - every share is less than one minor unit from its exact share, and a share that is exact
//!   already never gets a spare unit, so a weight of zero gets zero;
//! - the order of the parts does not matter, because ties go to the smaller id;
//! - the sign is applied last, so a credit mirrors its debit.

pub mod carried;
mod exact;
pub mod periods;
pub mod ratchet;
pub mod reversal;
pub mod within;

use serde::{Deserialize, Serialize};

use super::money::{Currency, grouped};
use exact::{Claim, Exact, Places, Weighted};

/// Version of the method. A stored allocation names it, so that it can be recomputed to the bit;
/// any change of a result needs a new version beside the old one.
pub const ENGINE_VERSION: u32 = 1;
/// Most parts in one allocation.
pub const PARTS_MAX: usize = 200;
/// Decimal places below the minor unit that [`Allocation::sentence`] shows of an exact share.
const SENTENCE_EXTRA_PLACES: usize = 6;

/// One part of an amount to be split.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// What the part is called; unique in one allocation. Ties go to the id that is smaller
    /// byte by byte.
    pub id: String,
    /// How much of the amount falls to this part, relative to the other weights. Zero gets zero.
    pub weight: u64,
}

/// What one part got, and every number that led to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// The part's id.
    pub id: String,
    /// The part's weight.
    pub weight: u64,
    /// Whole minor units of the exact share, without the amount's sign.
    pub floor: u64,
    /// What is left of the exact share: a fraction of one minor unit, in parts of the weights'
    /// total.
    pub remainder: u64,
    /// Place among the remainders larger than zero, from 1; none for an exact share.
    pub rank: Option<u32>,
    /// Whether the part got one of the spare units.
    pub spare_unit: bool,
    /// The result in minor units, with the amount's sign.
    pub share: i64,
}

/// An amount split over parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Allocation {
    /// What was split, in minor units; negative for a credit.
    pub amount: i64,
    /// Sum of all weights.
    pub weight_total: u64,
    /// One share for each part, in the order in which the parts were given.
    pub shares: Vec<Share>,
}

/// Why an amount cannot be split.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AllocationError {
    /// There is nobody to split between.
    #[error("an allocation needs at least one part")]
    NoParts,
    /// More parts than [`PARTS_MAX`].
    #[error("{count} parts are more than the {PARTS_MAX} of one allocation")]
    TooManyParts {
        /// How many were given.
        count: usize,
    },
    /// Two parts share an id.
    #[error("part {id:?} is given more than once")]
    DuplicatePart {
        /// The id.
        id: String,
    },
    /// The weights add up to more than 64 bits hold.
    #[error("the weights add up to more than {}", u64::MAX)]
    WeightsOutOfRange,
    /// Every weight is zero, and the amount is not.
    #[error("every weight is zero, so the amount {amount} falls to nobody")]
    NoWeight {
        /// The amount in minor units.
        amount: i64,
    },
    /// A part's limits exclude each other, or it pledged something that it cannot have.
    #[error("what part {id:?} is to bear at least is more than it bears at most")]
    LimitsCrossed {
        /// The part's id.
        id: String,
    },
    /// The parts pledged more together than there is to split.
    #[error("more than the amount {amount} is pledged")]
    PledgedTooMuch {
        /// The amount in minor units.
        amount: i64,
    },
    /// A fraction is larger than any that carrying leaves.
    #[error("the fraction carried for part {id:?} is out of range")]
    CarriedOutOfRange {
        /// The part's id.
        id: String,
    },
    /// More is to be taken back than is left, or it has another sign.
    #[error("{amount} cannot be taken back from what was recorded")]
    NotReversible {
        /// The amount in minor units.
        amount: i64,
    },
    /// The amount has no opposite in 64 bits, so its reversal could not be written down.
    #[error("the amount {amount} is out of range")]
    AmountOutOfRange {
        /// The amount in minor units.
        amount: i64,
    },
}

/// Splits `amount` minor units over `parts` by the largest remainder.
///
/// Shares come back in the order of `parts`; reordering the parts reorders the shares and changes
/// nothing else.
///
/// # Errors
/// Every variant of [`AllocationError`] but those of other methods. All weights zero is an error only
/// where the amount is not zero.
pub fn allocate(amount: i64, parts: &[Part]) -> Result<Allocation, AllocationError> {
    explained(amount, parts)
}

/// As [`allocate`], whatever else the parts have.
fn explained<W: Weighted>(amount: i64, parts: &[W]) -> Result<Allocation, AllocationError> {
    let split = Split::new(amount, parts)?;
    let mut shares: Vec<Share> = parts
        .iter()
        .zip(&split.exact)
        .map(|(part, exact)| Share {
            id: part.id().to_owned(),
            weight: part.weight(),
            floor: exact.floor,
            remainder: exact.remainder,
            rank: None,
            spare_unit: false,
            share: signed(amount, exact.floor),
        })
        .collect();
    let mut claims = split.claims();
    claims.sort_unstable();
    for (rank, claim) in (1_u32..).zip(&claims) {
        let share = &mut shares[claim.index()];
        share.rank = Some(rank);
        share.spare_unit = u64::from(rank) <= split.spare_units;
        let size = share.floor + u64::from(share.spare_unit);
        share.share = signed(amount, size);
    }
    Ok(Allocation {
        amount,
        weight_total: split.weight_total,
        shares,
    })
}

/// The shares of [`allocate`] alone, in the order of `parts`, for those who need no explanation.
///
/// # Errors
/// As [`allocate`].
pub fn shares(amount: i64, parts: &[Part]) -> Result<Vec<i64>, AllocationError> {
    let split = Split::new(amount, parts)?;
    let exact = split.exact.iter();
    let mut shares: Vec<i64> = exact.map(|exact| signed(amount, exact.floor)).collect();
    // Fewer than there are parts.
    let spare_units = usize::try_from(split.spare_units).unwrap_or(PARTS_MAX);
    if spare_units == 0 {
        return Ok(shares);
    }
    let mut claims = split.claims();
    // Who is among the first matters here, and not in which order.
    if spare_units < claims.len() {
        claims.select_nth_unstable(spare_units);
    }
    for claim in claims.iter().take(spare_units) {
        shares[claim.index()] += amount.signum();
    }
    Ok(shares)
}

/// A number of minor units with the sign of the amount of which it is a part.
const fn signed(amount: i64, size: u64) -> i64 {
    // No more than the amount.
    let size = size.cast_signed();
    if amount < 0 { -size } else { size }
}

/// The exact shares of all parts, before spare units are given out.
struct Split {
    weight_total: u64,
    exact: Vec<Exact>,
    places: Places,
    /// Every remainder is less than a whole unit, so there are fewer of these than remainders above
    /// zero.
    spare_units: u64,
}

impl Split {
    fn new(amount: i64, parts: &[impl Weighted]) -> Result<Self, AllocationError> {
        let (weight_total, places) = checked_weight_total(amount, parts)?;
        let magnitude = amount.unsigned_abs();
        let exact: Vec<Exact> = parts
            .iter()
            .map(|part| Exact::of(magnitude, part.weight(), weight_total))
            .collect();
        let floors: u64 = exact.iter().map(|exact| exact.floor).sum();
        // With no weight at all the amount is zero.
        Ok(Self {
            weight_total,
            exact,
            places,
            spare_units: magnitude - floors,
        })
    }

    /// Everybody who may get a spare unit, in no order.
    fn claims(&self) -> Vec<Claim> {
        let mut claims = Vec::with_capacity(self.exact.len());
        for (index, exact) in (0_u32..).zip(&self.exact) {
            if exact.remainder > 0 {
                claims.push(Claim::new(exact.remainder, self.places.at(index), index));
            }
        }
        claims
    }
}

/// The sum of the weights and the order of the ids, once everything that could go wrong has been ruled
/// out.
fn checked_weight_total(
    amount: i64,
    parts: &[impl Weighted],
) -> Result<(u64, Places), AllocationError> {
    if amount == i64::MIN {
        return Err(AllocationError::AmountOutOfRange { amount });
    }
    let places = Places::of(parts)?;
    let weight_total = parts
        .iter()
        .try_fold(0_u64, |sum, part| sum.checked_add(part.weight()))
        .ok_or(AllocationError::WeightsOutOfRange)?;
    if weight_total == 0 && amount != 0 {
        return Err(AllocationError::NoWeight { amount });
    }
    Ok((weight_total, places))
}

impl Allocation {
    /// Explains `share`, one of this allocation's, in one sentence of plain words, with amounts
    /// as decimal text in `currency`.
    ///
    /// The sentence names the weight and the total of the weights: show it only to those who may
    /// see both.
    #[must_use]
    pub fn sentence(&self, share: &Share, currency: Currency) -> String {
        let amount = currency.decimal(self.amount);
        if self.weight_total == 0 {
            return format!("The amount is {amount} {currency}, so every share is {amount}.");
        }
        let weight = grouped(share.weight);
        let total = grouped(self.weight_total);
        let exact = self.exact_share(share, currency);
        let floor = currency.decimal(share.floor.cast_signed());
        let unsigned = if self.amount < 0 {
            "without the sign, "
        } else {
            ""
        };
        let rest = rest_in_words(share, &total);
        let result = currency.decimal(share.share);
        format!(
            "{weight} of {total} of {amount} {currency} is {exact}: {unsigned}floor {floor}, \
             {rest}, so the share is {result}."
        )
    }

    /// The exact share as decimal text: some places beyond the minor unit, "about" if there
    /// would be more.
    pub(super) fn exact_share(&self, share: &Share, currency: Currency) -> String {
        // With the sign applied first: a floor of zero would lose it otherwise.
        let sign = if self.amount < 0 && share.weight > 0 {
            "-"
        } else {
            ""
        };
        let floor = currency.decimal(share.floor.cast_signed());
        let (places, ends) = decimal_places(share.remainder, self.weight_total);
        let about = if ends { "" } else { "about " };
        let point = if currency.exponent() == 0 && !places.is_empty() {
            "."
        } else {
            ""
        };
        format!("{about}{sign}{floor}{point}{places}")
    }
}

/// What became of a share's remainder.
pub(super) fn rest_in_words(share: &Share, total: &str) -> String {
    let Some(rank) = share.rank else {
        return "no remainder, no spare unit".to_owned();
    };
    let outcome = if share.spare_unit {
        "one spare unit"
    } else {
        "no spare unit"
    };
    let remainder = grouped(share.remainder);
    format!("remainder {remainder} of {total} of a minor unit, rank {rank}, {outcome}")
}

/// Decimal places of `numerator / denominator`, a fraction below one, by long division; and
/// whether these places are all there are. None at all for zero.
fn decimal_places(numerator: u64, denominator: u64) -> (String, bool) {
    const BASE: u128 = 10;
    let denominator = u128::from(denominator);
    let mut rest = u128::from(numerator);
    let mut places = String::new();
    while rest > 0 && places.len() < SENTENCE_EXTRA_PLACES {
        rest *= BASE;
        places.push_str(&(rest / denominator).to_string());
        rest %= denominator;
    }
    (places, rest == 0)
}

#[cfg(test)]
mod tests;
