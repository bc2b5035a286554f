//! What a measure came to.

use super::measure::{Thresholds, Unit};
use crate::domain::time::{MICROS_PER_DAY, MICROS_PER_SECOND, Span, Timestamp};

/// Basis points of a whole.
const WHOLE_BPS: u128 = 10_000;
/// Hundredths of one.
const HUNDREDTHS: u128 = 100;
/// With fewer cases than this, a share or a duration says too little for more than intensity 1.
pub const CASES_MIN: u64 = 3;
/// The intensity that so few cases reach at most.
const FEW_CASES_INTENSITY: u8 = 1;

/// What a measure came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// So many of so many cases.
    Share {
        /// Those of the sort that is counted.
        part: u64,
        /// All of them; at least 1.
        whole: u64,
    },
    /// So much for so many cases.
    Ratio {
        /// How much there is.
        part: u64,
        /// How many cases; at least 1.
        whole: u64,
    },
    /// The median of so many durations, the lower one of two.
    Duration {
        /// The median.
        median: Span,
        /// How many; at least 1.
        cases: u64,
    },
    /// Since when it has not happened.
    Age {
        /// The last time, or the beginning of the partnership if it never happened.
        since: Timestamp,
        /// Whether it ever happened.
        ever: bool,
        /// From then to the instant asked about.
        age: Span,
    },
    /// So often.
    Count(u64),
    /// The concession burden index.
    Index {
        /// In basis points; 10,000 is parity.
        bps: i64,
    },
}

impl Value {
    /// What thresholds are compared with: basis points, hundredths, seconds, days or a number, rounded
    /// down.
    #[must_use]
    pub fn level(self) -> i64 {
        match self {
            Self::Share { part, whole } => portion(part, whole, WHOLE_BPS),
            Self::Ratio { part, whole } => portion(part, whole, HUNDREDTHS),
            Self::Duration { median, .. } => median.as_micros() / MICROS_PER_SECOND,
            Self::Age { age, .. } => age.as_micros() / MICROS_PER_DAY,
            Self::Count(count) => i64::try_from(count).unwrap_or(i64::MAX),
            Self::Index { bps } => bps,
        }
    }

    /// How many thresholds are reached, 0 to 4; fewer than [`CASES_MIN`] cases reach no more than one.
    #[must_use]
    pub fn intensity(self, thresholds: &Thresholds) -> u8 {
        let level = self.level();
        let reached = thresholds.iter().filter(|threshold| level >= **threshold);
        let reached = u8::try_from(reached.count()).unwrap_or(super::INTENSITY_MAX);
        if self.is_of_few_cases() {
            reached.min(FEW_CASES_INTENSITY)
        } else {
            reached
        }
    }

    /// Whether there are too few cases to say much.
    #[must_use]
    pub const fn is_of_few_cases(self) -> bool {
        match self {
            Self::Share { whole: cases, .. }
            | Self::Ratio { whole: cases, .. }
            | Self::Duration { cases, .. } => cases < CASES_MIN,
            Self::Age { .. } | Self::Count(_) | Self::Index { .. } => false,
        }
    }
}

/// `part / whole` in so many parts of one, rounded down.
fn portion(part: u64, whole: u64, of_one: u128) -> i64 {
    let scaled = u128::from(part) * of_one;
    let quotient = scaled.checked_div(u128::from(whole)).unwrap_or(0);
    i64::try_from(quotient).unwrap_or(i64::MAX)
}

impl Value {
    /// The value in English, with what it rests on.
    #[must_use]
    pub fn text(self, unit: Unit) -> String {
        let level = level_text(unit, self.level());
        match self {
            Self::Share { part, whole } | Self::Ratio { part, whole } => {
                format!("{level} ({part} of {whole})")
            }
            Self::Duration { cases, .. } => format!("{level} (median of {cases})"),
            Self::Age { ever: false, .. } => format!("{level} (never yet)"),
            Self::Age { .. } | Self::Count(_) | Self::Index { .. } => level,
        }
    }
}

/// A level of a measure in English: a percentage, a number or a length of time.
#[must_use]
pub fn level_text(unit: Unit, level: i64) -> String {
    let hundredths = |number: i64| format!("{}.{:02}", number / 100, (number % 100).abs());
    match unit {
        Unit::Share | Unit::Gaps if level % 100 == 0 => format!("{} %", level / 100),
        Unit::Share | Unit::Gaps => format!("{} %", hundredths(level)),
        Unit::Ratio => hundredths(level),
        Unit::Index => hundredths(level / 100),
        Unit::Duration => duration_text(level),
        Unit::Age if level == 1 => "1 day".to_owned(),
        Unit::Age => format!("{level} days"),
        Unit::Count => level.to_string(),
    }
}

/// Seconds by the two largest units that they have.
fn duration_text(seconds: i64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    let two = |large: i64, of: &str, small: i64, than: &str| match small {
        0 => format!("{large} {of}"),
        _ => format!("{large} {of} {small} {than}"),
    };
    if days > 0 {
        two(days, "d", hours % 24, "h")
    } else if hours > 0 {
        two(hours, "h", minutes % 60, "min")
    } else {
        two(minutes, "min", seconds % 60, "s")
    }
}
