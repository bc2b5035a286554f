//! The arithmetic of the largest remainder, on numbers alone.
//!
//! Most splits are small enough for 64 bits; those take the short way, with the same result.

use super::within::LimitedPart;
use super::{AllocationError, PARTS_MAX, Part};

/// What has a name and a weight.
pub(super) trait Weighted {
    /// Its name.
    fn id(&self) -> &str;
    /// Its weight.
    fn weight(&self) -> u64;
}

impl Weighted for Part {
    fn id(&self) -> &str {
        &self.id
    }

    fn weight(&self) -> u64 {
        self.weight
    }
}

impl Weighted for LimitedPart {
    fn id(&self) -> &str {
        &self.id
    }

    fn weight(&self) -> u64 {
        self.weight
    }
}

impl<W: Weighted> Weighted for &W {
    fn id(&self) -> &str {
        (**self).id()
    }

    fn weight(&self) -> u64 {
        (**self).weight()
    }
}

/// The exact share of one part: whole minor units, and what is left in parts of the weights' total.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Exact {
    /// Whole minor units.
    pub floor: u64,
    /// What is left, less than the weights' total.
    pub remainder: u64,
}

impl Exact {
    /// `magnitude * weight / total`. A total of zero comes with a magnitude of zero: dividing by one
    /// gives the zeros that are due.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a weight is at most the total, so the floor is at most the magnitude; a remainder \
                  is less than the total"
    )]
    pub(super) fn of(magnitude: u64, weight: u64, total: u64) -> Self {
        let total = total.max(1);
        if let Some(product) = magnitude.checked_mul(weight) {
            return Self {
                floor: product / total,
                remainder: product % total,
            };
        }
        // The product of two 64-bit numbers fits 128 bits.
        let product = u128::from(magnitude) * u128::from(weight);
        let floor = (product / u128::from(total)) as u64;
        let rest = product - u128::from(floor) * u128::from(total);
        Self {
            floor,
            remainder: rest as u64,
        }
    }
}

/// Bits of a part's place or index within a claim.
const PLACE_BITS: u32 = 32;

/// A remainder above zero, and whose it is, in the order of the ranks: larger remainders first, then
/// smaller ids. One number, so that claims are compared in one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Claim(u128);

impl Claim {
    /// The claim of the part that was given as number `index` and whose id is number `place`.
    pub(super) fn new(remainder: u64, place: u32, index: u32) -> Self {
        let larger_first = u128::from(!remainder) << (2 * PLACE_BITS);
        Self(larger_first | u128::from(place) << PLACE_BITS | u128::from(index))
    }

    /// The part's number as it was given.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the bits of the place are left out"
    )]
    pub(super) const fn index(self) -> usize {
        (self.0 as u32) as usize
    }
}

/// The places of ids in their order.
#[derive(Debug)]
pub(super) enum Places {
    /// They were given in that order.
    AsGiven,
    /// The place of each.
    Found(Vec<u32>),
}

impl Places {
    /// Puts the ids of `parts` in order.
    ///
    /// # Errors
    /// [`AllocationError::NoParts`], [`AllocationError::TooManyParts`] and
    /// [`AllocationError::DuplicatePart`].
    pub(super) fn of(parts: &[impl Weighted]) -> Result<Self, AllocationError> {
        if parts.is_empty() {
            return Err(AllocationError::NoParts);
        }
        if parts.len() > PARTS_MAX {
            return Err(AllocationError::TooManyParts { count: parts.len() });
        }
        if parts.windows(2).all(|pair| pair[0].id() < pair[1].id()) {
            return Ok(Self::AsGiven);
        }
        let mut order: Vec<usize> = (0..parts.len()).collect();
        order.sort_by(|left, right| parts[*left].id().cmp(parts[*right].id()));
        let same = |pair: &&[usize]| parts[pair[0]].id() == parts[pair[1]].id();
        if let Some(pair) = order.windows(2).find(same) {
            let id = parts[pair[1]].id().to_owned();
            return Err(AllocationError::DuplicatePart { id });
        }
        let mut places = vec![0; parts.len()];
        for (place, index) in (0_u32..).zip(order) {
            places[index] = place;
        }
        Ok(Self::Found(places))
    }

    /// The place of the part that was given as number `index`.
    pub(super) fn at(&self, index: u32) -> u32 {
        match self {
            Self::AsGiven => index,
            Self::Found(places) => usize::try_from(index)
                .ok()
                .and_then(|index| places.get(index))
                .copied()
                .unwrap_or(index),
        }
    }
}
