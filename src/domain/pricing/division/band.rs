//! Bands of costs: what a cost is roughly, in steps of about a tenth.
//!
//! A band tells the other firms little of a cost and yet gives a fair weight. Bands are the same for
//! everybody, so nobody can choose their limits: one begins where the one before ends, a tenth higher,
//! rounded up to a whole minor unit.

use serde::{Deserialize, Serialize};

/// How many tenths of its beginning a band's end is.
const STEP_TENTHS: u128 = 11;

/// A band of costs, in minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CostBand {
    /// The least cost within the band.
    pub from: u64,
    /// The least cost beyond it.
    pub to: u64,
}

impl CostBand {
    /// The band in which `cost` lies. A cost of zero has a band of its own.
    #[must_use]
    pub fn of(cost: u64) -> Self {
        let mut band = Self { from: 0, to: 1 };
        // Fewer than 500 steps lead to the largest cost there is.
        while band.to <= cost && band.to < u64::MAX {
            band = Self {
                from: band.to,
                to: after(band.to),
            };
        }
        band
    }
}

/// A tenth more, rounded up; the largest number there is, if that is more.
fn after(from: u64) -> u64 {
    let tenths = u128::from(from) * STEP_TENTHS;
    u64::try_from(tenths.div_ceil(10)).unwrap_or(u64::MAX)
}
