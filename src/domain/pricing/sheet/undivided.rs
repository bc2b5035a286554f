//! Why an alternative cannot be divided, for programs and for people.

use super::{Cadence, Column};
use crate::domain::pricing::allocation::AllocationError;
use crate::domain::pricing::division::DivisionError;
use crate::domain::pricing::money::Currency;
use crate::domain::refusal::Reason;

/// Why an alternative cannot be divided.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {error}", cadence.as_str())]
pub struct Undivided {
    /// On which cadence.
    pub cadence: Cadence,
    /// Why.
    pub error: DivisionError,
}

/// Minor units of any size as a decimal number.
fn decimal(currency: Currency, minor: i128) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    let size = u64::try_from(minor.unsigned_abs()).unwrap_or(u64::MAX);
    format!("{sign}{}", currency.decimal_unsigned(size))
}

impl Undivided {
    /// The typed reason.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        match &self.error {
            DivisionError::Allocation(
                AllocationError::WeightsOutOfRange | AllocationError::AmountOutOfRange { .. },
            ) => Reason::OutOfRange,
            DivisionError::Shortfall { .. }
            | DivisionError::BeyondLimits { .. }
            | DivisionError::StatedBelowFloor { .. } => Reason::ConcessionShortfall,
            DivisionError::BelowZero { .. } => Reason::ConcessionTooLarge,
            DivisionError::CostUnknown { .. }
            | DivisionError::FloorAbovePrice { .. }
            | DivisionError::LimitsInvalid { .. }
            | DivisionError::CannotCarry { .. } => Reason::InvalidField,
            DivisionError::Allocation(_)
            | DivisionError::SharesDoNotAddUp { .. }
            | DivisionError::NothingSold { .. }
            | DivisionError::SliceUnknown { .. }
            | DivisionError::CustomDoesNotAddUp { .. }
            | DivisionError::SignsDiffer { .. }
            | DivisionError::PassedThrough { .. } => Reason::WeightsInvalid,
        }
    }

    /// The line and its column that the error is about, if it is about one line's own numbers.
    #[must_use]
    pub fn line(&self) -> Option<(&str, Column)> {
        match &self.error {
            DivisionError::CostUnknown { id } => Some((id, Column::Cost)),
            DivisionError::FloorAbovePrice { id } => Some((id, Column::Floor)),
            _ => None,
        }
    }

    /// In words, with amounts in `currency`.
    #[must_use]
    pub fn words(&self, currency: Currency) -> String {
        match &self.error {
            DivisionError::Shortfall { shortfall } => {
                let shortfall = currency.decimal_unsigned(*shortfall);
                format!("the floors leave {shortfall} {currency} over that nobody bears")
            }
            DivisionError::BeyondLimits { shortfall } => {
                let shortfall = currency.decimal_unsigned(*shortfall);
                format!("the limits of owners leave {shortfall} {currency} over that nobody bears")
            }
            DivisionError::CustomDoesNotAddUp { sum, total } => format!(
                "the stated amounts add up to {} {currency}, not to {}; the difference is {}",
                decimal(currency, *sum),
                decimal(currency, *total),
                decimal(currency, sum - total)
            ),
            DivisionError::Allocation(AllocationError::NoWeight { amount }) => format!(
                "every weight is zero, so {} {currency} falls to nobody",
                currency.decimal(*amount)
            ),
            error => error.to_string(),
        }
    }

    /// Its numbers, by name, with amounts in `currency`.
    #[must_use]
    pub fn metadata(&self, currency: Currency) -> Vec<(&'static str, String)> {
        let mut numbers = vec![("cadence", self.cadence.as_str().to_owned())];
        let money = |minor| format!("{} {currency}", decimal(currency, minor));
        match &self.error {
            DivisionError::Shortfall { shortfall } | DivisionError::BeyondLimits { shortfall } => {
                numbers.push(("shortfall", money(i128::from(*shortfall))));
            }
            DivisionError::CustomDoesNotAddUp { sum, total } => {
                numbers.push(("sum", money(*sum)));
                numbers.push(("total", money(*total)));
                numbers.push(("difference", money(sum - total)));
            }
            DivisionError::SharesDoNotAddUp { total } => {
                numbers.push(("sum_bps", total.to_string()));
            }
            DivisionError::NothingSold { owner } | DivisionError::LimitsInvalid { owner } => {
                numbers.push(("owner", owner.clone()));
            }
            DivisionError::CostUnknown { id }
            | DivisionError::FloorAbovePrice { id }
            | DivisionError::SliceUnknown { id }
            | DivisionError::SignsDiffer { id }
            | DivisionError::PassedThrough { id }
            | DivisionError::StatedBelowFloor { id }
            | DivisionError::BelowZero { id } => numbers.push(("slice_id", id.clone())),
            DivisionError::Allocation(_) | DivisionError::CannotCarry { .. } => {}
        }
        numbers
    }
}
