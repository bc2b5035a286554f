//! Calendar months, and the days on which something is billed.

use serde::{Deserialize, Serialize};

use crate::domain::refusal::{Reason, Refusal};
use crate::domain::sla::calendar::CivilDate;
use crate::domain::time::{MICROS_PER_DAY, Timestamp};

/// How far ahead something can be billed, in days.
pub const DAYS_AHEAD_MAX: i64 = 366;

/// The day on which the count of days begins.
const EPOCH: CivilDate = match CivilDate::new(1970, 1, 1) {
    Some(date) => date,
    None => panic!("there was such a day"),
};

/// A calendar month. Written `YYYY-MM`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Month {
    /// Its first day.
    first: CivilDate,
}

impl Month {
    /// The month of a day.
    #[must_use]
    pub fn of(date: CivilDate) -> Self {
        // Every month has a first day.
        let first = CivilDate::new(date.year(), date.month(), 1).unwrap_or(date);
        Self { first }
    }

    /// Reads `YYYY-MM`, always seven characters; `None` for any other form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let first = CivilDate::parse(&format!("{text}-01")).ok()?;
        Some(Self { first })
    }

    /// Its first day.
    #[must_use]
    pub const fn first_day(self) -> CivilDate {
        self.first
    }
}

impl std::fmt::Display for Month {
    /// `YYYY-MM`.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "{:04}-{:02}",
            self.first.year(),
            self.first.month()
        )
    }
}

impl TryFrom<String> for Month {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("{text:?} is not a month: write YYYY-MM"))
    }
}

impl From<Month> for String {
    fn from(month: Month) -> Self {
        month.to_string()
    }
}

/// The day that it is at `now` in UTC.
#[must_use]
pub fn today(now: Timestamp) -> CivilDate {
    let instant = jiff::Timestamp::from_microsecond(now.as_micros()).unwrap_or_default();
    let date = jiff::tz::Offset::UTC.to_datetime(instant).date();
    // No instant that a record may carry lies outside of the years 1 to 9999.
    CivilDate::new(date.year(), date.month(), date.day()).unwrap_or(EPOCH)
}

/// Refuses a day on which nothing can be billed.
///
/// # Errors
/// [`Reason::InvalidField`] before the year 2000, or more than [`DAYS_AHEAD_MAX`] ahead.
pub fn require_bookable(date: CivilDate, now: Timestamp) -> Result<(), Refusal> {
    let earliest = Timestamp::EARLIEST.as_micros() / MICROS_PER_DAY;
    let latest = today(now).days_since_epoch() + DAYS_AHEAD_MAX;
    if (earliest..=latest).contains(&date.days_since_epoch()) {
        return Ok(());
    }
    let rule = "not before the year 2000, and within 366 days";
    Err(Refusal::field(Reason::InvalidField, "bill_date", rule))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Span;

    #[test]
    fn months_are_read_and_written_alike() {
        let month = Month::parse("2026-03").expect("a month");
        assert_eq!(month.to_string(), "2026-03");
        assert_eq!(
            Month::of(CivilDate::new(2026, 3, 31).expect("a day")),
            month
        );
        assert!(Month::parse("2026-02") < Some(month) && Some(month) < Month::parse("2027-01"));
        for bad in ["", "2026-3", "2026-13", "2026-00", "2026-03-01", "03-2026"] {
            assert_eq!(Month::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn days_change_at_midnight_in_utc() {
        let before = Timestamp::LATEST.saturating_add(Span::from_micros(-1));
        assert_eq!(today(before).to_string(), "2099-12-31");
        assert_eq!(today(Timestamp::EARLIEST).to_string(), "2000-01-01");
    }

    #[test]
    fn what_is_billed_is_not_too_far_away() {
        let now = Timestamp::EARLIEST;
        let day = |text| CivilDate::parse(text).expect("a day");
        for fine in ["2000-01-01", "2001-01-01"] {
            assert_eq!(require_bookable(day(fine), now), Ok(()), "{fine}");
        }
        for bad in ["1999-12-31", "2001-01-02"] {
            assert!(require_bookable(day(bad), now).is_err(), "{bad}");
        }
    }
}
