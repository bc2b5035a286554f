//! Everything that is wrong with a request, in one answer.

use super::status::ApiError;
use super::text::Sealer;
use crate::domain::commitment::Opening;
use crate::domain::refusal::{Reason, Refusal};

/// Collects the faults of a request's fields, so that it is refused whole with all of them listed.
#[derive(Debug, Default)]
pub struct Faults(Vec<Refusal>);

impl Faults {
    /// Notes that a field is at fault.
    pub fn add(
        &mut self,
        reason: Reason,
        field: impl Into<String>,
        description: impl Into<String>,
    ) {
        self.0.push(Refusal::field(reason, field, description));
    }

    /// Notes that a field is at fault unless `holds`.
    pub fn require(&mut self, holds: bool, field: &str, description: &str) {
        if !holds {
            self.add(Reason::InvalidField, field, description);
        }
    }

    /// The value of a field. If it is at fault this is noted and a default stands in, which is
    /// never used: [`Self::finish`] refuses the request.
    pub fn take<T: Default>(&mut self, value: Result<T, Refusal>) -> T {
        value.unwrap_or_else(|refusal| {
            self.0.push(refusal);
            T::default()
        })
    }

    /// Notes faults that were found elsewhere.
    pub fn extend(&mut self, refusals: impl IntoIterator<Item = Refusal>) {
        self.0.extend(refusals);
    }

    /// How many faults were noted so far.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Ends the collection.
    ///
    /// # Errors
    /// All faults in one refusal: with their reason if they share one, otherwise with
    /// [`Reason::InvalidField`].
    pub fn finish(self) -> Result<(), Refusal> {
        Refusal::all(self.0)
    }

    /// Ends the collection together with the sealing of the request's texts.
    ///
    /// # Errors
    /// As [`Self::finish`], with what was wrong with the texts.
    pub fn finish_sealed(mut self, sealer: Sealer<'_>) -> Result<Vec<Opening>, ApiError> {
        let Sealer {
            openings,
            violations,
            ..
        } = sealer;
        self.take(violations.finish());
        self.finish()?;
        Ok(openings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_fault_is_no_refusal() {
        let mut faults = Faults::default();
        assert_eq!(faults.take(Ok(7)), 7);
        faults.require(true, "a", "wrong");
        assert_eq!(faults.finish(), Ok(()));
    }

    #[test]
    fn all_faults_are_listed_under_the_reason_they_share() {
        let mut faults = Faults::default();
        for field in ["a", "b"] {
            let fine: Result<i64, Refusal> =
                Err(Refusal::field(Reason::MoneyTooFine, field, "too fine"));
            assert_eq!(faults.take(fine), 0);
        }
        let refusal = faults.finish().unwrap_err();
        assert_eq!(refusal.reason, Reason::MoneyTooFine);
        let fields: Vec<_> = refusal
            .violations
            .iter()
            .map(|violation| violation.field.as_str())
            .collect();
        assert_eq!(fields, ["a", "b"]);
    }

    #[test]
    fn faults_of_several_kinds_make_an_invalid_request() {
        let mut faults = Faults::default();
        faults.add(Reason::CurrencyUnknown, "a", "unknown");
        faults.require(false, "b", "wrong");
        let refusal = faults.finish().unwrap_err();
        assert_eq!(refusal.reason, Reason::InvalidField);
        assert_eq!(refusal.violations.len(), 2);
    }
}
