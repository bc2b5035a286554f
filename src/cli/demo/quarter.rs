//! The quarter in which the demo's tickets lie, and the clock on the wall of the firms.
//!
//! It is a fixed quarter in the past, so the same seed always gives the same tickets.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time, Weekday, date};
use jiff::tz::TimeZone;

use crate::cli::CliError;
use crate::domain::sla::calendar::pinned_zone;

/// The zone in which the demo shows times, and in which Harbour IT keeps office hours.
pub const ZONE: &str = "Europe/Berlin";
/// First day of the quarter.
pub const FIRST_DAY: Date = date(2026, 1, 1);
/// First day after the quarter.
pub const DAY_AFTER: Date = date(2026, 4, 1);
/// What people call the quarter.
pub const QUARTER: &str = "the first quarter of 2026";
/// Seconds in a minute.
pub const MINUTE: i64 = 60;
/// Minutes in an hour.
pub const HOUR_MINUTES: i64 = 60;
/// The office opens, in minutes after midnight.
const OPENS: i64 = 8 * HOUR_MINUTES;
/// The office closes, in minutes after midnight.
const CLOSES: i64 = 18 * HOUR_MINUTES;
/// Longest run of closed days that is looked through for the next open one.
const CLOSED_DAYS_MAX: u32 = 31;

/// Dates on which the office keeps other hours.
#[derive(Clone, Copy, Debug)]
pub struct OtherHours {
    /// First date.
    pub first: Date,
    /// Last date, itself included.
    pub last: Date,
    /// From when to when it is open, in minutes after midnight; `None`: closed.
    pub open: Option<(i64, i64)>,
    /// Why.
    pub description: &'static str,
}

/// The exceptions of Harbour IT's calendar.
pub const OTHER_HOURS: [OtherHours; 4] = [
    OtherHours {
        first: date(2026, 1, 1),
        last: date(2026, 1, 1),
        open: None,
        description: "New Year",
    },
    OtherHours {
        first: date(2026, 1, 2),
        last: date(2026, 1, 2),
        open: Some((10 * HOUR_MINUTES, 15 * HOUR_MINUTES)),
        description: "The day after New Year",
    },
    OtherHours {
        first: date(2026, 2, 20),
        last: date(2026, 2, 20),
        open: None,
        description: "The office moves",
    },
    OtherHours {
        first: date(2026, 3, 30),
        last: date(2026, 3, 31),
        open: Some((8 * HOUR_MINUTES, 14 * HOUR_MINUTES)),
        description: "Stocktaking",
    },
];

/// From when to when the office is open on a date, in minutes after midnight; `None`: closed.
#[must_use]
pub fn office_hours(day: Date) -> Option<(i64, i64)> {
    let other = OTHER_HOURS
        .iter()
        .find(|other| (other.first..=other.last).contains(&day));
    match other {
        Some(other) => other.open,
        None if is_weekend(day) => None,
        None => Some((OPENS, CLOSES)),
    }
}

/// Whether a date is a Saturday or a Sunday.
#[must_use]
pub fn is_weekend(day: Date) -> bool {
    matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
}

/// Local time in [`ZONE`], from the zone data that the program brings along.
#[derive(Clone, Debug)]
pub struct LocalTime {
    zone: TimeZone,
}

impl LocalTime {
    /// # Errors
    /// If the program was built without the zone.
    pub fn new() -> Result<Self, CliError> {
        let (name, tzif) = pinned_zone(ZONE).ok_or("the time zone of the demo is missing")?;
        Ok(Self {
            zone: TimeZone::tzif(name, tzif)?,
        })
    }

    /// The instant, in seconds since 1970, at `minutes` after midnight of a day.
    ///
    /// # Errors
    /// If it is not within the day, or out of range.
    pub fn instant(&self, day: Date, minutes: i64) -> Result<i64, CliError> {
        let time = Time::new(
            i8::try_from(minutes / HOUR_MINUTES)?,
            i8::try_from(minutes % HOUR_MINUTES)?,
            0,
            0,
        )?;
        Ok(self.zone.to_timestamp(day.to_datetime(time))?.as_second())
    }

    /// What calendar and clock show at an instant given in seconds since 1970.
    ///
    /// # Errors
    /// If it is out of range.
    pub fn civil(&self, seconds: i64) -> Result<DateTime, CliError> {
        Ok(self.zone.to_datetime(Timestamp::from_second(seconds)?))
    }

    /// The first instant at which the office has been open for `minutes` since `from`.
    ///
    /// # Errors
    /// If the office does not open for a long time, or an instant is out of range.
    pub fn office_after(&self, from: i64, minutes: i64) -> Result<i64, CliError> {
        let start = self.civil(from)?;
        let mut day = start.date();
        let mut begin = i64::from(start.hour()) * HOUR_MINUTES + i64::from(start.minute());
        let mut left = minutes;
        let mut closed_days = 0;
        while closed_days < CLOSED_DAYS_MAX {
            let hours = office_hours(day);
            closed_days = if hours.is_some() { 0 } else { closed_days + 1 };
            if let Some((opens, closes)) = hours {
                let at = begin.max(opens);
                let available = (closes - at).max(0);
                if left <= available && at < closes {
                    return self.instant(day, at + left);
                }
                left -= available;
            }
            day = day.tomorrow()?;
            begin = 0;
        }
        Err("the office never opens again".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(time: &LocalTime, day: Date, hour: i64, minute: i64) -> i64 {
        time.instant(day, hour * HOUR_MINUTES + minute).unwrap()
    }

    #[test]
    fn office_time_goes_over_nights_weekends_and_closed_days() {
        let time = LocalTime::new().unwrap();
        let thursday = date(2026, 2, 19);
        let start = at(&time, thursday, 17, 30);
        assert_eq!(
            time.office_after(start, 30).unwrap(),
            at(&time, thursday, 18, 0)
        );
        assert_eq!(
            time.office_after(start, 31).unwrap(),
            at(&time, date(2026, 2, 23), 8, 1)
        );
        let new_year = at(&time, FIRST_DAY, 0, 0);
        assert_eq!(
            time.office_after(new_year, 300).unwrap(),
            at(&time, date(2026, 1, 2), 15, 0)
        );
        assert_eq!(
            time.office_after(new_year, 301).unwrap(),
            at(&time, date(2026, 1, 5), 8, 1)
        );
    }

    #[test]
    fn summer_time_begins_within_the_quarter() {
        let time = LocalTime::new().unwrap();
        let night = at(&time, date(2026, 3, 30), 0, 0) - at(&time, date(2026, 3, 29), 0, 0);
        assert_eq!(night, 23 * HOUR_MINUTES * MINUTE);
    }
}
