//! Checks of requests whose faults can be many.

use crate::api::faults::Faults;
use crate::domain::refusal::{Reason, Refusal, Violations};

/// Most faults listed; with more the error would be too long to be sent.
pub(super) const FAULTS_MAX: usize = 100;

/// What rules of the domain find.
///
/// # Errors
/// [`Reason::InvalidField`] with every fault.
pub(super) fn checked(rules: impl FnOnce(&mut Violations)) -> Result<(), Refusal> {
    let mut violations = Violations::default();
    rules(&mut violations);
    violations.finish()
}

/// Ends a collection of faults: the value that was put together if there are none.
///
/// # Errors
/// The faults, the first [`FAULTS_MAX`] of them. A `value` that is missing without one is our fault.
pub(super) fn whole<T>(faults: Faults, value: Option<T>) -> Result<T, Refusal> {
    faults.finish().map_err(shortened)?;
    value.ok_or_else(|| Refusal::new(Reason::Internal, "a value was lost without a fault"))
}

fn shortened(refusal: Refusal) -> Refusal {
    if refusal.violations.len() <= FAULTS_MAX {
        return refusal;
    }
    let listed = refusal.violations.into_iter().take(FAULTS_MAX).collect();
    Refusal::fields(refusal.reason, listed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_wrong_gives_the_value() {
        assert_eq!(whole(Faults::default(), Some(7)), Ok(7));
        assert_eq!(
            whole::<u8>(Faults::default(), None).unwrap_err().reason,
            Reason::Internal
        );
    }

    #[test]
    fn the_list_is_bounded() {
        let mut faults = Faults::default();
        for _ in 0..=FAULTS_MAX {
            faults.require(false, "a", "x");
        }
        let refusal = whole(faults, Some(7)).unwrap_err();
        assert_eq!(refusal.violations.len(), FAULTS_MAX);
        assert_eq!(refusal.message.matches("a: x").count(), FAULTS_MAX);
    }
}
