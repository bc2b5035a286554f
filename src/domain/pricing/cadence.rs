//! When something is due: once, or in every period.

use serde::{Deserialize, Serialize};

/// When something is due: once, or in every period. What is due at different times is never divided
/// together.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Cadence {
    /// Once.
    #[default]
    OneTime,
    /// In every month.
    Monthly,
    /// In every quarter.
    Quarterly,
    /// In every year.
    Yearly,
}

impl Cadence {
    /// Every cadence, in order.
    pub const ALL: [Self; 4] = [Self::OneTime, Self::Monthly, Self::Quarterly, Self::Yearly];

    /// The name used in errors.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OneTime => "one_time",
            Self::Monthly => "monthly",
            Self::Quarterly => "quarterly",
            Self::Yearly => "yearly",
        }
    }
}
