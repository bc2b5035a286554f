//! What somebody can work out of the weights of others from the own share of a division.
//!
//! A share is the concession times the own weight over the sum of all weights, rounded. So the own share
//! and weight bound that sum, and what is left of it is the others'. Everything here is what an observer
//! could do alone.

/// One slice of the observer: what it weighs, and what it bears, without sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnSlice {
    /// Its weight.
    pub weight: u64,
    /// Its share.
    pub share: u64,
}

/// Bounds, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The least that it can be.
    pub least: u128,
    /// The most that it can be.
    pub most: u128,
}

impl Bounds {
    /// Half of the width, rounded up: how near the observer comes.
    #[must_use]
    pub const fn within(&self) -> u128 {
        self.most.saturating_sub(self.least).div_ceil(2)
    }
}

/// A width rounded up to 1, 2 or 5 times a power of ten, so that it tells how near somebody comes and next
/// to nothing of how that was worked out.
#[must_use]
pub fn coarse(width: u128) -> u128 {
    let mut power: u128 = 1;
    loop {
        for step in [1, 2, 5] {
            match power.checked_mul(step) {
                Some(found) if found < width => {}
                Some(found) => return found,
                None => return u128::MAX,
            }
        }
        let Some(next) = power.checked_mul(10) else {
            return u128::MAX;
        };
        power = next;
    }
}

/// Bounds of what all others weigh together, where `amount` was divided by largest remainder over so many
/// slices with a weight, none of which reached a limit. `None` if there is no upper bound, or none at all.
#[must_use]
pub fn others(amount: u64, own: &[OwnSlice], slices: usize) -> Option<Bounds> {
    let known: u128 = own.iter().map(|slice| u128::from(slice.weight)).sum();
    let mut bounds: Option<Bounds> = None;
    for slice in own.iter().filter(|slice| slice.weight > 0) {
        let found = total(amount, *slice, slices)?;
        bounds = Some(match bounds {
            None => found,
            Some(before) => Bounds {
                least: before.least.max(found.least),
                most: before.most.min(found.most),
            },
        });
    }
    let bounds = bounds.filter(|bounds| bounds.least <= bounds.most)?;
    Some(Bounds {
        least: bounds.least.saturating_sub(known),
        most: bounds.most.checked_sub(known)?,
    })
}

/// Bounds of the sum of all weights that one slice gives: of two slices the larger remainder gets the
/// spare unit, so a share is no more than half a unit from the exact one; of more, less than a unit.
fn total(amount: u64, slice: OwnSlice, slices: usize) -> Option<Bounds> {
    let product = u128::from(amount).checked_mul(u128::from(slice.weight))?;
    let share = u128::from(slice.share);
    if slices == 2 {
        let doubled = product.checked_mul(2)?;
        return Some(Bounds {
            least: doubled.div_ceil(2 * share + 1),
            most: doubled.checked_div((2 * share).checked_sub(1)?)?,
        });
    }
    // Less than a unit away: the bounds themselves are left out.
    let below = share.checked_sub(1).filter(|below| *below > 0)?;
    Some(Bounds {
        least: product / (share + 1) + 1,
        most: product.div_ceil(below).checked_sub(1)?,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::pricing::division::{Measure, Question, Slice, divide};

    fn slice(index: usize, cost: u64) -> Slice {
        Slice {
            id: format!("s{index}"),
            owner: format!("p{index}"),
            price: u64::MAX / 8,
            cost: Some(cost),
            band: None,
            floor: 0,
            is_passed_through: false,
        }
    }

    /// What each of these costs bears.
    fn shares(amount: u64, costs: &[u64]) -> Vec<u64> {
        let slices = costs.iter().enumerate();
        let slices: Vec<Slice> = slices.map(|(index, cost)| slice(index, *cost)).collect();
        let question = Question::new(amount.cast_signed(), Measure::Cost);
        let division = divide(&slices, &question).unwrap();
        let parts = division.parts.iter();
        parts.map(|part| part.share.unsigned_abs()).collect()
    }

    #[test]
    fn forty_and_sixty_thousand() {
        // 5,000.00 by 40,000.00 and 60,000.00: the second one sees that it bears 3,000.00.
        let costs = [4_000_000, 6_000_000];
        let shares = shares(500_000, &costs);
        assert_eq!(shares, [200_000, 300_000]);
        let own = OwnSlice {
            weight: costs[1],
            share: shares[1],
        };
        let bounds = others(500_000, &[own], 2).unwrap();
        assert!((bounds.least..=bounds.most).contains(&4_000_000));
        // To within 0.16 of 40,000.00.
        assert_eq!(bounds.within(), 16);
    }

    #[test]
    fn widths_are_coarse() {
        for (width, expected) in [
            (0, 1),
            (1, 1),
            (2, 2),
            (3, 5),
            (17, 20),
            (50, 50),
            (51, 100),
        ] {
            assert_eq!(coarse(width), expected);
        }
        assert_eq!(coarse(u128::MAX), u128::MAX);
    }

    #[test]
    fn nothing_is_made_of_too_little() {
        let own = |weight, share| OwnSlice { weight, share };
        assert_eq!(others(100, &[own(10, 0)], 2), None);
        assert_eq!(others(100, &[own(10, 1)], 3), None);
        assert_eq!(others(100, &[own(0, 0)], 2), None);
        assert_eq!(others(100, &[], 2), None);
    }

    proptest! {
        /// An attacker tries every cost of the other that could be, with the real division, and keeps
        /// those which give what it bears: the bounds hold all of them, and are as tight as that.
        #[test]
        fn bounds_are_what_an_attacker_finds(
            amount in 1_u64..3_000,
            mine in 1_u64..400,
            theirs in 1_u64..400,
        ) {
            let costs = [mine, theirs];
            let share = shares(amount, &costs)[0];
            let own = OwnSlice { weight: mine, share };
            if let Some(bounds) = others(amount, &[own], 2) {
                let tried = 1..=u64::try_from(bounds.most + 5).unwrap();
                let fitting: Vec<u64> = tried
                    .filter(|other| shares(amount, &[mine, *other])[0] == share)
                    .collect();
                prop_assert!(fitting.contains(&theirs));
                let least = u128::from(*fitting.first().unwrap());
                let most = u128::from(*fitting.last().unwrap());
                prop_assert!(bounds.least <= least && most <= bounds.most);
                // A tie at a bound may go to the other one.
                prop_assert!(bounds.least.max(1) + 1 >= least && most + 1 >= bounds.most);
            }
        }

        /// Of several others, their sum is bounded.
        #[test]
        fn sums_of_others_are_within(
            amount in 10_u64..1_000_000,
            costs in prop::collection::vec(1_u64..1_000_000, 3..6),
        ) {
            let found = shares(amount, &costs);
            let own = OwnSlice { weight: costs[0], share: found[0] };
            if let Some(bounds) = others(amount, &[own], costs.len()) {
                let sum: u128 = costs[1..].iter().map(|cost| u128::from(*cost)).sum();
                prop_assert!((bounds.least..=bounds.most).contains(&sum));
            }
        }
    }
}
