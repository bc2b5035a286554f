//! Why a concession cannot be divided.
//!
//! Callers are told by [`super::refusal`]; the words here are of both surfaces, so no thing sold is
//! called a slice or a portion in them.

use crate::domain::pricing::allocation::AllocationError;

use super::BPS_TOTAL;

/// Why a concession cannot be divided.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DivisionError {
    /// The weights, the amount or the ids do not allow any division.
    #[error(transparent)]
    Allocation(#[from] AllocationError),
    /// A floor lies above its price.
    #[error("the floor of {id:?} is above its price")]
    FloorAbovePrice {
        /// The slice's id.
        id: String,
    },
    /// The measure needs the cost of every slice.
    #[error("the cost of {id:?} is needed and not given")]
    CostUnknown {
        /// The slice's id.
        id: String,
    },
    /// Fixed shares are not 10,000 basis points together.
    #[error("the shares add up to {total} basis points, not to {BPS_TOTAL}")]
    SharesDoNotAddUp {
        /// What they add up to.
        total: u128,
    },
    /// An owner with a share sells nothing that could bear it.
    #[error("{owner:?} has a share and sells nothing that could bear it")]
    NothingSold {
        /// The owner.
        owner: String,
    },
    /// An amount is stated for a slice that is not there.
    #[error("nothing that is sold is called {id:?}")]
    SliceUnknown {
        /// The id.
        id: String,
    },
    /// Stated amounts are not exactly the concession.
    #[error("the amounts add up to {sum}, not to {total}: {} too much", sum - total)]
    CustomDoesNotAddUp {
        /// What they add up to.
        sum: i128,
        /// The concession.
        total: i128,
    },
    /// A stated amount has not the sign of the concession.
    #[error("the amount of {id:?} has not the sign of the concession")]
    SignsDiffer {
        /// The slice's id.
        id: String,
    },
    /// An amount is stated for a slice that is passed through at cost.
    #[error("{id:?} is passed through at cost, so it bears nothing")]
    PassedThrough {
        /// The slice's id.
        id: String,
    },
    /// A stated amount goes below the floor, and the policy for a shortfall does not allow that.
    #[error("the amount of {id:?} goes below its floor")]
    StatedBelowFloor {
        /// The slice's id.
        id: String,
    },
    /// An owner's limits exclude each other, or are more than the whole.
    #[error(
        "what {owner:?} bears at least and at most is not within 0 to {BPS_TOTAL} basis points, in order"
    )]
    LimitsInvalid {
        /// The owner.
        owner: String,
    },
    /// Fractions cannot be carried.
    #[error("fractions cannot be carried: {obstacle}")]
    CannotCarry {
        /// What stands in the way.
        obstacle: Obstacle,
    },
    /// The floors leave something over that nobody bears.
    #[error("the floors leave {shortfall} over")]
    Shortfall {
        /// How much, in minor units.
        shortfall: u64,
    },
    /// The limits of owners, or these and the floors, leave something over that nobody bears: without the
    /// limits it would be less, or nothing.
    #[error("the limits of owners leave {shortfall} over")]
    BeyondLimits {
        /// How much, in minor units.
        shortfall: u64,
    },
    /// A slice would have a price below zero.
    #[error("{id:?} would cost less than nothing")]
    BelowZero {
        /// The slice's id.
        id: String,
    },
}

/// What stands in the way of carrying fractions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    /// Only prices and fixed basis points come again from one division to the next.
    #[error("only with prices or fixed basis points as the measure")]
    Measure,
    /// The ratchet has a memory of another kind.
    #[error("not with the ratchet")]
    Rounding,
    /// Owners have limits.
    #[error("not with limits of owners")]
    Limits,
    /// A slice has a floor.
    #[error("not with floors")]
    Floors,
}
