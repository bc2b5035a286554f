//! The window of a check-up and its quarters.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::domain::time::{MICROS_PER_DAY, Span, Timestamp};

/// The longest window: five years.
pub const WINDOW_MAX: Span = Span::from_hours(5 * 366 * 24);
/// The shortest window: a day.
pub const WINDOW_MIN: Span = Span::from_hours(24);
/// The window where nobody says another: the year before the instant asked about.
pub const WINDOW_DEFAULT: Span = Span::from_hours(365 * 24);

/// From when to when a check-up looks: `[from, to)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Window {
    /// Its first instant.
    pub from: Timestamp,
    /// Its end, exclusive; never after the instant asked about.
    pub to: Timestamp,
}

/// What is wrong with a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WindowFault {
    /// It ends before it begins, or is shorter than [`WINDOW_MIN`].
    #[error("must be at least a day after start_time")]
    TooShort,
    /// It is longer than [`WINDOW_MAX`].
    #[error("must be no more than 1,830 days after start_time")]
    TooLong,
    /// It ends after the instant asked about.
    #[error("must not be later than the instant asked about")]
    AfterAsOf,
}

impl Window {
    /// The window before an instant, where nobody says another.
    #[must_use]
    pub const fn before(as_of: Timestamp) -> Self {
        let from = as_of.as_micros().saturating_sub(WINDOW_DEFAULT.as_micros());
        Self {
            from: Timestamp::from_micros(from),
            to: as_of,
        }
    }

    /// A window up to an instant that is asked about.
    ///
    /// # Errors
    /// [`WindowFault`].
    pub fn new(from: Timestamp, to: Timestamp, as_of: Timestamp) -> Result<Self, WindowFault> {
        let length = to.since(from);
        if length < WINDOW_MIN {
            Err(WindowFault::TooShort)
        } else if length > WINDOW_MAX {
            Err(WindowFault::TooLong)
        } else if to > as_of {
            Err(WindowFault::AfterAsOf)
        } else {
            Ok(Self { from, to })
        }
    }

    /// Whether an instant is in it.
    #[must_use]
    pub fn contains(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.to
    }

    /// The calendar quarters, in UTC, that it touches, ascending; the first and the last may be in it
    /// only in part, and are cut off there.
    #[must_use]
    pub fn quarters(&self) -> Vec<Quarter> {
        let mut quarters = Vec::new();
        let mut at = self.from;
        // A window of five years touches 21 quarters; the bound only makes sure that this ends.
        while at < self.to && quarters.len() < QUARTERS_MAX {
            let (year, number) = quarter_of(at);
            let to = end_of(year, number).min(self.to);
            quarters.push(Quarter {
                year,
                number,
                part: Self { from: at, to },
            });
            at = to;
        }
        quarters
    }
}

/// Most quarters that a window touches.
pub const QUARTERS_MAX: usize = 22;

/// A calendar quarter, as far as a window has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quarter {
    /// Its year.
    pub year: i16,
    /// Which of the year, 1 to 4.
    pub number: i8,
    /// The part of it that lies in the window.
    pub part: Window,
}

impl std::fmt::Display for Quarter {
    /// Such as `2026-Q1`.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{:04}-Q{}", self.year, self.number)
    }
}

fn quarter_of(at: Timestamp) -> (i16, i8) {
    let date = date_of(at);
    (date.year(), (date.month() - 1) / 3 + 1)
}

fn date_of(at: Timestamp) -> Date {
    jiff::Timestamp::from_microsecond(at.as_micros())
        .map_or(Date::ZERO, |instant| instant.to_zoned(TimeZone::UTC).date())
}

/// The first instant after a quarter.
fn end_of(year: i16, number: i8) -> Timestamp {
    let (year, month) = if number >= 4 {
        (year.saturating_add(1), 1)
    } else {
        (year, number * 3 + 1)
    };
    let date = Date::new(year, month, 1).unwrap_or(Date::MAX);
    let days = date.since(Date::new(1970, 1, 1).unwrap_or(Date::ZERO));
    let days = days.map_or(0, |span| i64::from(span.get_days()));
    Timestamp::from_micros(days.saturating_mul(MICROS_PER_DAY))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        let instant: jiff::Timestamp = text.parse().unwrap();
        Timestamp::from_micros(instant.as_microsecond())
    }

    #[test]
    fn quarters_are_cut_at_the_ends_of_the_window() {
        let (from, to) = (at("2025-11-15T00:00:00Z"), at("2026-04-01T00:00:00Z"));
        let quarters = Window { from, to }.quarters();
        let names: Vec<String> = quarters.iter().map(Quarter::to_string).collect();
        assert_eq!(names, ["2025-Q4", "2026-Q1"]);
        assert_eq!(quarters[0].part.from, from);
        assert_eq!(quarters[0].part.to, at("2026-01-01T00:00:00Z"));
        assert_eq!(quarters[1].part.to, to);
        let longest = Window {
            from,
            to: from.saturating_add(WINDOW_MAX),
        };
        assert_eq!(longest.quarters().len(), 21);
    }

    #[test]
    fn windows_have_an_end_and_a_length() {
        let day = |number: i64| Timestamp::EARLIEST.saturating_add(Span::from_hours(24 * number));
        let window = |from, to| Window::new(day(from), day(to), day(4_000));
        assert_eq!(window(1, 1), Err(WindowFault::TooShort));
        assert_eq!(window(2, 1), Err(WindowFault::TooShort));
        assert_eq!(window(1, 1_832), Err(WindowFault::TooLong));
        assert_eq!(window(3_000, 4_001), Err(WindowFault::AfterAsOf));
        assert!(window(3_000, 4_000).is_ok());
        assert!(window(1, 1_831).is_ok());
    }
}
