//! The contract's words for service levels, and the domain's.

use crate::domain::refusal::{Reason, Refusal};
use crate::domain::sla::clock::{ClockState, Priority, TargetType, TicketState, Verdict};
use crate::proto::v1;

/// A priority: 1 (highest) to 5.
///
/// # Errors
/// [`Reason::InvalidField`], naming `field`.
pub(in crate::api) fn priority(field: &str, number: i32) -> Result<Priority, Refusal> {
    let known = u8::try_from(number).ok().and_then(Priority::new);
    known.ok_or_else(|| Refusal::field(Reason::InvalidField, field, "must be 1 (highest) to 5"))
}

/// A state that must be known and stated.
///
/// # Errors
/// [`Reason::InvalidField`], naming `field`.
pub(super) fn ticket_state(field: &str, value: i32) -> Result<TicketState, Refusal> {
    let state = match v1::TicketState::try_from(value) {
        Ok(v1::TicketState::New) => TicketState::New,
        Ok(v1::TicketState::InProgress) => TicketState::InProgress,
        Ok(v1::TicketState::WaitingOnClient) => TicketState::WaitingOnClient,
        Ok(v1::TicketState::WaitingOnPartner) => TicketState::WaitingOnPartner,
        Ok(v1::TicketState::WaitingOnOutsideParty) => TicketState::WaitingOnOutsideParty,
        Ok(v1::TicketState::Resolved) => TicketState::Resolved,
        Ok(v1::TicketState::Closed) => TicketState::Closed,
        Ok(v1::TicketState::Unspecified) | Err(_) => return Err(unknown(field)),
    };
    Ok(state)
}

/// A state as the contract shows it.
pub(super) const fn to_ticket_state(state: TicketState) -> v1::TicketState {
    match state {
        TicketState::New => v1::TicketState::New,
        TicketState::InProgress => v1::TicketState::InProgress,
        TicketState::WaitingOnClient => v1::TicketState::WaitingOnClient,
        TicketState::WaitingOnPartner => v1::TicketState::WaitingOnPartner,
        TicketState::WaitingOnOutsideParty => v1::TicketState::WaitingOnOutsideParty,
        TicketState::Resolved => v1::TicketState::Resolved,
        TicketState::Closed => v1::TicketState::Closed,
    }
}

/// A target type that must be known and stated.
///
/// # Errors
/// [`Reason::InvalidField`], naming `field`.
pub(super) fn target_type(field: &str, value: i32) -> Result<TargetType, Refusal> {
    match v1::TargetType::try_from(value) {
        Ok(v1::TargetType::FirstResponse) => Ok(TargetType::FirstResponse),
        Ok(v1::TargetType::ResolutionPlan) => Ok(TargetType::ResolutionPlan),
        Ok(v1::TargetType::NextResponse) => Ok(TargetType::NextResponse),
        Ok(v1::TargetType::NextUpdate) => Ok(TargetType::NextUpdate),
        Ok(v1::TargetType::Workaround) => Ok(TargetType::Workaround),
        Ok(v1::TargetType::Resolution) => Ok(TargetType::Resolution),
        Ok(v1::TargetType::Unspecified) | Err(_) => Err(unknown(field)),
    }
}

/// A target type as the contract shows it.
pub(super) const fn to_target_type(target_type: TargetType) -> v1::TargetType {
    match target_type {
        TargetType::FirstResponse => v1::TargetType::FirstResponse,
        TargetType::ResolutionPlan => v1::TargetType::ResolutionPlan,
        TargetType::NextResponse => v1::TargetType::NextResponse,
        TargetType::NextUpdate => v1::TargetType::NextUpdate,
        TargetType::Workaround => v1::TargetType::Workaround,
        TargetType::Resolution => v1::TargetType::Resolution,
    }
}

/// What a clock does, as the contract shows it.
pub(in crate::api) const fn to_clock_state(state: ClockState) -> v1::ClockState {
    match state {
        ClockState::Running => v1::ClockState::Running,
        ClockState::Paused => v1::ClockState::Paused,
        ClockState::OutsideHours => v1::ClockState::OutsideHours,
        ClockState::Idle => v1::ClockState::Idle,
        ClockState::Excluded => v1::ClockState::Excluded,
        ClockState::Stopped => v1::ClockState::Stopped,
        ClockState::Cancelled => v1::ClockState::Cancelled,
    }
}

/// How a clock turned out, as the contract shows it.
pub(super) const fn to_verdict(verdict: Verdict) -> v1::Verdict {
    match verdict {
        Verdict::Running => v1::Verdict::Running,
        Verdict::Met => v1::Verdict::Met,
        Verdict::Breached => v1::Verdict::Breached,
        Verdict::Cancelled => v1::Verdict::Cancelled,
    }
}

/// The refusal for an enum value that is not known, or not stated.
pub(super) fn unknown(field: &str) -> Refusal {
    Refusal::field(Reason::InvalidField, field, "is not a known value")
}

/// A count as the contract shows it.
pub(super) fn count(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// A number of basis points, a count or a sequence as the contract shows it.
pub(super) fn long(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_and_types_there_and_back() {
        for number in 1..=7 {
            let state = ticket_state("f", number).unwrap();
            assert_eq!(to_ticket_state(state) as i32, number);
        }
        for target in TargetType::ALL {
            assert_eq!(target_type("f", to_target_type(target) as i32), Ok(target));
        }
        for bad in [0, -1, 8] {
            assert_eq!(ticket_state("f", bad).unwrap_err().violations[0].field, "f");
        }
        for bad in [0, 7, -1] {
            assert!(target_type("f", bad).is_err());
        }
    }

    #[test]
    fn priorities_at_the_limits_and_beyond() {
        assert_eq!(priority("f", 1), Ok(Priority::HIGHEST));
        assert_eq!(priority("f", 5), Ok(Priority::LOWEST));
        for bad in [0, 6, -1, 257] {
            assert!(priority("f", bad).is_err(), "{bad}");
        }
    }
}
