//! Civil time as people write it: days of the week, times of day, dates.

use super::CalendarError;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Minutes in one civil day.
pub const MINUTES_PER_DAY: u16 = 24 * 60;

/// How much of a text that could not be read is repeated in the error, in characters.
const ECHO_CHARACTERS_MAX: usize = 40;

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weekday {
    /// Monday, the first day of the week.
    Monday,
    /// Tuesday.
    Tuesday,
    /// Wednesday.
    Wednesday,
    /// Thursday.
    Thursday,
    /// Friday.
    Friday,
    /// Saturday.
    Saturday,
    /// Sunday, the last day of the week.
    Sunday,
}

impl Weekday {
    /// All seven, from Monday to Sunday.
    pub const ALL: [Self; 7] = [
        Self::Monday,
        Self::Tuesday,
        Self::Wednesday,
        Self::Thursday,
        Self::Friday,
        Self::Saturday,
        Self::Sunday,
    ];

    /// Position in the week: 0 for Monday up to 6 for Sunday.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// A time on the wall clock: whole minutes after local midnight, from 00:00 to 24:00.
///
/// 24:00 is the midnight that ends the day. Written `HH:MM`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MinuteOfDay(u16);

impl MinuteOfDay {
    /// 00:00, the midnight that begins the day.
    pub const MIDNIGHT: Self = Self(0);
    /// 24:00, the midnight that ends the day.
    pub const END_OF_DAY: Self = Self(MINUTES_PER_DAY);

    /// The time `minutes` minutes after local midnight, 0 to 1440; `None` beyond.
    #[must_use]
    pub const fn from_minutes(minutes: u16) -> Option<Self> {
        if minutes <= MINUTES_PER_DAY {
            Some(Self(minutes))
        } else {
            None
        }
    }

    /// Minutes after local midnight, 0 to 1440.
    #[must_use]
    pub const fn minutes(self) -> u16 {
        self.0
    }

    /// Reads `HH:MM`, from 00:00 to 24:00, always five characters.
    ///
    /// # Errors
    /// [`MinuteOfDayInvalid`] for anything else, such as `9:00`, `24:01` or `25:00`.
    pub fn parse(text: &str) -> Result<Self, MinuteOfDayInvalid> {
        Self::read(text).ok_or_else(|| MinuteOfDayInvalid { text: echo(text) })
    }

    /// As [`Self::parse`], for a text that stands at `path` in a calendar.
    ///
    /// # Errors
    /// [`CalendarError::TimeInvalid`] naming the path.
    pub fn parse_at(path: &str, text: &str) -> Result<Self, CalendarError> {
        Self::parse(text).map_err(|reason| CalendarError::TimeInvalid {
            path: path.to_owned(),
            reason,
        })
    }

    fn read(text: &str) -> Option<Self> {
        let &[h1, h2, b':', m1, m2] = text.as_bytes() else {
            return None;
        };
        let (hours, minutes) = (digits(&[h1, h2])?, digits(&[m1, m2])?);
        if minutes > 59 {
            return None;
        }
        Self::from_minutes(hours * 60 + minutes)
    }
}

impl fmt::Display for MinuteOfDay {
    /// `HH:MM`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl TryFrom<String> for MinuteOfDay {
    type Error = MinuteOfDayInvalid;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<MinuteOfDay> for String {
    fn from(minute: MinuteOfDay) -> Self {
        minute.to_string()
    }
}

/// A text that is not a time of day.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a time of day: write HH:MM, from 00:00 to 24:00")]
pub struct MinuteOfDayInvalid {
    /// The text, cut short when it is long.
    pub text: String,
}

/// A date on the (proleptic) Gregorian calendar, years 1 to 9999. Written `YYYY-MM-DD`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CivilDate {
    year: i16,
    month: i8,
    day: i8,
}

impl CivilDate {
    /// The date, or `None` when there is no such day or the year is not 1 to 9999.
    #[must_use]
    pub const fn new(year: i16, month: i8, day: i8) -> Option<Self> {
        if year < 1 || year > 9_999 || month < 1 || month > 12 {
            return None;
        }
        if day < 1 || day > days_in_month(year, month) {
            return None;
        }
        Some(Self { year, month, day })
    }

    /// Reads `YYYY-MM-DD`, always ten characters.
    ///
    /// # Errors
    /// [`CivilDateInvalid`] for any other form, and for days that do not exist.
    pub fn parse(text: &str) -> Result<Self, CivilDateInvalid> {
        Self::read(text).ok_or_else(|| CivilDateInvalid { text: echo(text) })
    }

    /// As [`Self::parse`], for a text that stands at `path` in a calendar.
    ///
    /// # Errors
    /// [`CalendarError::DateInvalid`] naming the path.
    pub fn parse_at(path: &str, text: &str) -> Result<Self, CalendarError> {
        Self::parse(text).map_err(|reason| CalendarError::DateInvalid {
            path: path.to_owned(),
            reason,
        })
    }

    fn read(text: &str) -> Option<Self> {
        let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text.as_bytes() else {
            return None;
        };
        Self::new(
            i16::try_from(digits(&[y1, y2, y3, y4])?).ok()?,
            i8::try_from(digits(&[m1, m2])?).ok()?,
            i8::try_from(digits(&[d1, d2])?).ok()?,
        )
    }

    /// Year, 1 to 9999.
    #[must_use]
    pub const fn year(self) -> i16 {
        self.year
    }

    /// Month, 1 to 12.
    #[must_use]
    pub const fn month(self) -> i8 {
        self.month
    }

    /// Day of the month, 1 to 31.
    #[must_use]
    pub const fn day(self) -> i8 {
        self.day
    }

    /// Days since 1970-01-01; negative before it.
    #[must_use]
    pub const fn days_since_epoch(self) -> i64 {
        let mut days = days_before_year(self.year) + self.day as i64 - 1;
        let mut month = 1;
        while month < self.month {
            days += days_in_month(self.year, month) as i64;
            month += 1;
        }
        days
    }
}

impl fmt::Display for CivilDate {
    /// `YYYY-MM-DD`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{:04}-{:02}-{:02}",
            self.year, self.month, self.day
        )
    }
}

impl TryFrom<String> for CivilDate {
    type Error = CivilDateInvalid;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<CivilDate> for String {
    fn from(date: CivilDate) -> Self {
        date.to_string()
    }
}

/// A text that is not a date.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a date: write YYYY-MM-DD, a day that exists")]
pub struct CivilDateInvalid {
    /// The text, cut short when it is long.
    pub text: String,
}

/// Days from 1970-01-01 to January 1st of `year`; negative before 1970. `year` is at least 1.
pub(in crate::domain::sla) const fn days_before_year(year: i16) -> i64 {
    /// Days from January 1st of year 1 to 1970-01-01.
    const EPOCH: i64 = 719_162;
    let whole_years = year as i64 - 1;
    365 * whole_years + whole_years / 4 - whole_years / 100 + whole_years / 400 - EPOCH
}

const fn days_in_month(year: i16, month: i8) -> i8 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The number that up to four ASCII digits write.
fn digits(bytes: &[u8]) -> Option<u16> {
    bytes.iter().try_fold(0_u16, |number, byte| {
        byte.is_ascii_digit()
            .then(|| number * 10 + u16::from(byte - b'0'))
    })
}

/// The beginning of a text that a caller sent, short enough for an error.
pub(super) fn echo(text: &str) -> String {
    text.chars().take(ECHO_CHARACTERS_MAX).collect()
}
