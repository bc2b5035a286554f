//! Secrets that are never stored: the service derives each from its own key, from the record that it
//! belongs to, and from a number that grows with every rotation. A record keeps only the number.

use serde::{Deserialize, Serialize};

use super::refusal::Violations;
use super::time::{Span, Timestamp};

/// How long the secret before a rotation stays good where nobody says otherwise.
pub const OVERLAP_DEFAULT: Span = Span::from_hours(24);
/// The longest time for which it may.
pub const OVERLAP_MAX: Span = Span::from_hours(7 * 24);

/// Which secrets of a record are good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DerivedSecret {
    /// Number of the present secret, from 1.
    pub generation: u32,
    /// When it came in the place of the one before.
    pub rotated_at: Option<Timestamp>,
    /// Until when the one before is good, too.
    pub previous_until: Option<Timestamp>,
}

impl Default for DerivedSecret {
    fn default() -> Self {
        Self {
            generation: 1,
            rotated_at: None,
            previous_until: None,
        }
    }
}

impl DerivedSecret {
    /// The numbers of the secrets that are good at an instant, the present one first.
    #[must_use]
    pub fn good_at(&self, now: Timestamp) -> Vec<u32> {
        let mut good = vec![self.generation];
        if self.previous_until_at(now).is_some() {
            good.extend(self.generation.checked_sub(1).filter(|number| *number > 0));
        }
        good
    }

    /// Until when the secret before is good, if it is at `now`.
    #[must_use]
    pub fn previous_until_at(&self, now: Timestamp) -> Option<Timestamp> {
        self.previous_until.filter(|until| now < *until)
    }

    /// After a rotation; `None` after four thousand million of them.
    #[must_use]
    pub fn rotated(&self, rotated: &SecretRotated, at: Timestamp) -> Option<Self> {
        Some(Self {
            generation: self.generation.checked_add(1)?,
            rotated_at: Some(at),
            previous_until: rotated.previous_until,
        })
    }
}

/// A secret got a successor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretRotated {
    /// Until when the one before is good; `None` if it ceased to be at once.
    pub previous_until: Option<Timestamp>,
}

impl SecretRotated {
    /// A rotation at `now` with an overlap.
    #[must_use]
    pub fn new(now: Timestamp, overlap: Span) -> Self {
        let previous_until = (overlap > Span::ZERO).then(|| now.saturating_add(overlap));
        Self { previous_until }
    }
}

/// An overlap that somebody asks for.
pub fn require_overlap(violations: &mut Violations, field: &str, overlap: Span) {
    let sensible = (Span::ZERO..=OVERLAP_MAX).contains(&overlap);
    violations.require(sensible, field, "0 to 7 days");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_before_is_good_for_as_long_as_asked() {
        let now = Timestamp::EARLIEST;
        let first = DerivedSecret::default();
        assert_eq!(first.good_at(now), [1]);
        let rotated = SecretRotated::new(now, Span::from_hours(1));
        let second = first.rotated(&rotated, now).unwrap();
        let end = now.saturating_add(Span::from_hours(1));
        assert_eq!(second.good_at(now), [2, 1]);
        assert_eq!(second.good_at(end), [2]);
        let at_once = second
            .rotated(&SecretRotated::new(now, Span::ZERO), now)
            .unwrap();
        assert_eq!(at_once.good_at(now), [3], "only ever one before");
    }
}
