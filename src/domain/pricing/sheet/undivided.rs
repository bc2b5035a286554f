//! Why an alternative cannot be divided.

use super::Cadence;
use crate::domain::pricing::division::DivisionError;

/// Why an alternative cannot be divided.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {error}", cadence.as_str())]
pub struct Undivided {
    /// On which cadence.
    pub cadence: Cadence,
    /// Why.
    pub error: DivisionError,
}
