//! Why a concession cannot be divided, as callers are told: one fault has one reason, whoever asked.

use super::DivisionError;
use crate::domain::pricing::allocation::AllocationError;
use crate::domain::pricing::money::Currency;
use crate::domain::refusal::{Reason, Refusal};

/// What a fault is about, for the path of its field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject<'error> {
    /// The concession as it is to be divided.
    Concession,
    /// The fixed shares of owners.
    Shares,
    /// The amounts stated for slices.
    Amounts,
    /// The cost of a slice.
    Cost(&'error str),
    /// The floor of a slice.
    Floor(&'error str),
    /// What an owner bears at least.
    LeastPart(&'error str),
}

/// What one surface calls a slice and its owner in the metadata of a refusal.
#[derive(Clone, Copy, Debug)]
pub struct Names {
    /// The id of a slice.
    pub slice: &'static str,
    /// The owner of slices.
    pub owner: &'static str,
}

impl DivisionError {
    /// The typed reason.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        match self {
            Self::Allocation(
                AllocationError::WeightsOutOfRange | AllocationError::AmountOutOfRange { .. },
            ) => Reason::OutOfRange,
            // Limits of owners are clauses of the terms.
            Self::Allocation(AllocationError::LimitsCrossed { .. }) => Reason::ClauseViolated,
            Self::Shortfall { .. } | Self::BeyondLimits { .. } | Self::StatedBelowFloor { .. } => {
                Reason::ConcessionShortfall
            }
            Self::BelowZero { .. } => Reason::ConcessionTooLarge,
            Self::FloorAbovePrice { .. }
            | Self::LimitsInvalid { .. }
            | Self::CannotCarry { .. } => Reason::InvalidField,
            Self::Allocation(_)
            | Self::CostUnknown { .. }
            | Self::SharesDoNotAddUp { .. }
            | Self::NothingSold { .. }
            | Self::SliceUnknown { .. }
            | Self::CustomDoesNotAddUp { .. }
            | Self::SignsDiffer { .. }
            | Self::PassedThrough { .. } => Reason::WeightsInvalid,
        }
    }

    /// What it is about.
    #[must_use]
    pub fn subject(&self) -> Subject<'_> {
        match self {
            Self::CostUnknown { id } => Subject::Cost(id),
            Self::FloorAbovePrice { id } => Subject::Floor(id),
            Self::LimitsInvalid { owner: id }
            | Self::Allocation(AllocationError::LimitsCrossed { id }) => Subject::LeastPart(id),
            Self::SharesDoNotAddUp { .. } | Self::NothingSold { .. } => Subject::Shares,
            Self::SliceUnknown { .. }
            | Self::CustomDoesNotAddUp { .. }
            | Self::SignsDiffer { .. }
            | Self::PassedThrough { .. }
            | Self::StatedBelowFloor { .. } => Subject::Amounts,
            Self::Allocation(_)
            | Self::CannotCarry { .. }
            | Self::Shortfall { .. }
            | Self::BeyondLimits { .. }
            | Self::BelowZero { .. } => Subject::Concession,
        }
    }

    /// In words, with amounts in `currency`.
    #[must_use]
    pub fn words(&self, currency: Currency) -> String {
        match self {
            Self::Shortfall { shortfall } => {
                let shortfall = currency.decimal_unsigned(*shortfall);
                format!("the floors leave {shortfall} {currency} over that nobody bears")
            }
            Self::BeyondLimits { shortfall } => {
                let shortfall = currency.decimal_unsigned(*shortfall);
                format!(
                    "what each owner bears at most leaves {shortfall} {currency} over that nobody bears"
                )
            }
            Self::CustomDoesNotAddUp { sum, total } => format!(
                "the stated amounts add up to {} {currency}, not to {}; the difference is {}",
                decimal(currency, *sum),
                decimal(currency, *total),
                decimal(currency, sum - total)
            ),
            Self::Allocation(AllocationError::NoWeight { amount }) => format!(
                "every weight is zero, so {} {currency} falls to nobody",
                currency.decimal(*amount)
            ),
            Self::Allocation(AllocationError::LimitsCrossed { id }) => {
                format!("{id:?} cannot bear that much with what it sells")
            }
            error => error.to_string(),
        }
    }

    /// The refusal, with amounts in `currency`; `field` tells where its subject stands.
    #[must_use]
    pub fn refusal(
        &self,
        currency: Currency,
        names: Names,
        field: impl FnOnce(Subject<'_>) -> String,
    ) -> Refusal {
        let refusal = Refusal::field(self.reason(), field(self.subject()), self.words(currency));
        let money = |minor| format!("{} {currency}", decimal(currency, minor));
        match self {
            Self::Shortfall { shortfall } | Self::BeyondLimits { shortfall } => {
                refusal.with("shortfall", money(i128::from(*shortfall)))
            }
            Self::CustomDoesNotAddUp { sum, total } => refusal
                .with("sum", money(*sum))
                .with("total", money(*total))
                .with("difference", money(sum - total)),
            Self::SharesDoNotAddUp { total } => refusal.with("sum_bps", total),
            Self::NothingSold { owner } | Self::LimitsInvalid { owner } => {
                refusal.with(names.owner, owner)
            }
            Self::Allocation(AllocationError::LimitsCrossed { id }) => refusal
                .with(names.owner, id)
                .with("clauses", "party_limits"),
            Self::CostUnknown { id }
            | Self::FloorAbovePrice { id }
            | Self::SliceUnknown { id }
            | Self::SignsDiffer { id }
            | Self::PassedThrough { id }
            | Self::StatedBelowFloor { id }
            | Self::BelowZero { id } => refusal.with(names.slice, id),
            Self::Allocation(_) | Self::CannotCarry { .. } => refusal,
        }
    }
}

/// Minor units of any size as a decimal number.
fn decimal(currency: Currency, minor: i128) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    let size = u64::try_from(minor.unsigned_abs()).unwrap_or(u64::MAX);
    format!("{sign}{}", currency.decimal_unsigned(size))
}
