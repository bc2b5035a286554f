//! Why a concession on a quote cannot be divided, as callers are told.

use crate::domain::pricing::allocation::AllocationError;
use crate::domain::pricing::division::DivisionError;
use crate::domain::pricing::money::{Currency, Money};
use crate::domain::refusal::{Reason, Refusal};

/// The refusal for what the engine cannot divide, with amounts in `currency`. `field` is where the
/// amount stands in a request.
pub(super) fn refused(error: &DivisionError, field: &str, currency: Currency) -> Refusal {
    let amount = |minor: i128| match i64::try_from(minor) {
        Ok(minor) => Money::from_minor(currency, minor).to_string(),
        Err(_) => minor.to_string(),
    };
    let refusal = |reason| Refusal::field(reason, field, error.to_string());
    let of_shares = |field| Refusal::field(Reason::WeightsInvalid, field, error.to_string());
    match error {
        DivisionError::Allocation(
            AllocationError::WeightsOutOfRange | AllocationError::AmountOutOfRange { .. },
        ) => refusal(Reason::OutOfRange),
        DivisionError::Allocation(AllocationError::LimitsCrossed { id }) => {
            let field = format!("terms.pricing_clauses.party_limits[{id}].least_bps");
            let why = format!("{id} cannot bear that much with its portions");
            Refusal::field(Reason::ClauseViolated, field, why).with("clauses", "party_limits")
        }
        DivisionError::Allocation(_)
        | DivisionError::FloorAbovePrice { .. }
        | DivisionError::LimitsInvalid { .. }
        | DivisionError::CannotCarry { .. } => refusal(Reason::WeightsInvalid),
        DivisionError::CostUnknown { id }
        | DivisionError::SliceUnknown { id }
        | DivisionError::SignsDiffer { id }
        | DivisionError::PassedThrough { id } => {
            refusal(Reason::WeightsInvalid).with("portion_id", id)
        }
        DivisionError::StatedBelowFloor { id } => {
            refusal(Reason::ConcessionShortfall).with("portion_id", id)
        }
        DivisionError::SharesDoNotAddUp { total } => of_shares("weights").with("sum_bps", total),
        DivisionError::NothingSold { owner } => of_shares("weights").with("party_id", owner),
        DivisionError::CustomDoesNotAddUp { sum, total } => of_shares("custom_shares")
            .with("sum", amount(*sum))
            .with("total", amount(*total))
            .with("difference", amount(sum - total)),
        DivisionError::Shortfall { shortfall } => {
            let shortfall = amount(i128::from(*shortfall));
            let why = format!("the floors leave {shortfall} over that nobody bears");
            Refusal::field(Reason::ConcessionShortfall, field, why).with("shortfall", shortfall)
        }
        DivisionError::BelowZero { id } => {
            let why = format!("portion {id} would bear more than its price");
            Refusal::field(Reason::ConcessionTooLarge, field, why).with("portion_id", id)
        }
    }
}
