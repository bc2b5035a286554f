//! Instants and lengths of time, in whole microseconds.
//!
//! Nothing here reads a clock: time always comes in as an argument.

use serde::{Deserialize, Serialize};

/// Microseconds in one second.
pub const MICROS_PER_SECOND: i64 = 1_000_000;
/// Microseconds in one minute.
pub const MICROS_PER_MINUTE: i64 = 60 * MICROS_PER_SECOND;
/// Microseconds in one hour.
pub const MICROS_PER_HOUR: i64 = 60 * MICROS_PER_MINUTE;
/// Microseconds in one day of 24 hours.
pub const MICROS_PER_DAY: i64 = 24 * MICROS_PER_HOUR;

/// An instant: microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Earliest instant that any record may carry: 2000-01-01T00:00:00Z.
    pub const EARLIEST: Self = Self(946_684_800 * MICROS_PER_SECOND);
    /// Latest instant that any record may carry: 2100-01-01T00:00:00Z, exclusive.
    pub const LATEST: Self = Self(4_102_444_800 * MICROS_PER_SECOND);

    /// The instant `micros` microseconds after the epoch.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the epoch.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Whether a record may carry this instant: from [`Self::EARLIEST`] up to [`Self::LATEST`].
    #[must_use]
    pub fn is_storable(self) -> bool {
        (Self::EARLIEST..Self::LATEST).contains(&self)
    }

    /// This instant moved later by `span`, stopping at the last representable instant.
    #[must_use]
    pub const fn saturating_add(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }

    /// Time from `earlier` to this instant; negative when `earlier` is the later one.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl std::fmt::Display for Timestamp {
    /// RFC 3339 in UTC.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(instant) => write!(formatter, "{instant}"),
            Err(_) => write!(formatter, "{} us after the epoch", self.0),
        }
    }
}

/// A length of time in microseconds. Lengths are not negative unless a function says so.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Span(i64);

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// A length of `micros` microseconds.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// A length of `seconds` seconds.
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds * MICROS_PER_SECOND)
    }

    /// A length of `minutes` minutes.
    #[must_use]
    pub const fn from_minutes(minutes: i64) -> Self {
        Self(minutes * MICROS_PER_MINUTE)
    }

    /// A length of `hours` hours.
    #[must_use]
    pub const fn from_hours(hours: i64) -> Self {
        Self(hours * MICROS_PER_HOUR)
    }

    /// Microseconds.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// The sum, stopping at the largest representable length.
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// What is left after taking `other` away; negative when `other` is longer.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn storable_range_is_half_open() {
        assert!(Timestamp::EARLIEST.is_storable());
        assert!(!Timestamp::from_micros(Timestamp::EARLIEST.as_micros() - 1).is_storable());
        assert!(!Timestamp::LATEST.is_storable());
        assert!(Timestamp::from_micros(Timestamp::LATEST.as_micros() - 1).is_storable());
    }

    #[test]
    fn shows_rfc_3339() {
        assert_eq!(Timestamp::EARLIEST.to_string(), "2000-01-01T00:00:00Z");
        assert_eq!(
            Timestamp::from_micros(i64::MAX).to_string(),
            format!("{} us after the epoch", i64::MAX)
        );
    }

    #[test]
    fn arithmetic_saturates() {
        let end = Timestamp::from_micros(i64::MAX);
        assert_eq!(end.saturating_add(Span::from_hours(1)), end);
        assert_eq!(Timestamp::EARLIEST.since(Timestamp::EARLIEST), Span::ZERO);
    }
}
