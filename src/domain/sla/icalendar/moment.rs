//! Dates and times of day as iCalendar writes them.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

use super::line::Line;
use super::{IcalendarFault, LAST_YEAR_MAX};
use crate::domain::sla::calendar::pinned_zone;
use crate::domain::time::{MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_MINUTE, MICROS_PER_SECOND};

/// First year in which an event may begin.
const BEGIN_YEAR_MIN: i16 = 1900;

/// A date, or an instant written as a time of day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    pub date: Date,
    /// `None` for a whole date.
    pub time: Option<Time>,
    /// On which wall clock; `None` for the calendar's own.
    pub zone: Option<TimeZone>,
}

impl Moment {
    /// The only value of a line.
    pub(super) fn of(line: &Line) -> Result<Self, IcalendarFault> {
        Self::read(line, &line.value)
    }

    /// One of a line's values.
    pub(super) fn read(line: &Line, text: &str) -> Result<Self, IcalendarFault> {
        let bad = || line.fault("must be a date like 20261225 or a time like 20261225T080000");
        let (date, time) = match text.split_once('T') {
            Some((date, time)) => (date, Some(time)),
            None => (text, None),
        };
        let date = read_date(date).ok_or_else(bad)?;
        if !(BEGIN_YEAR_MIN..=LAST_YEAR_MAX).contains(&date.year()) {
            let rule = format!("must be in the years {BEGIN_YEAR_MIN} to {LAST_YEAR_MAX}");
            return Err(line.fault(rule));
        }
        let is_date = time.is_none();
        let fits = match line.parameter("VALUE") {
            Some("DATE") => is_date,
            Some("DATE-TIME") => !is_date,
            Some(_) => return Err(line.fault("only dates and times are supported")),
            None => true,
        };
        if !fits {
            return Err(line.fault("is not of the kind that VALUE says"));
        }
        let Some(time) = time else {
            return Ok(Self {
                date,
                time: None,
                zone: None,
            });
        };
        let (time, is_utc) = match time.strip_suffix('Z') {
            Some(time) => (time, true),
            None => (time, false),
        };
        let zone = match line.parameter("TZID") {
            _ if is_utc => Some(TimeZone::UTC),
            Some(name) if pinned_zone(name).is_none() => {
                return Err(line.fault(format!("no time zone is called {name:?}")));
            }
            named => named.map(zone),
        };
        Ok(Self {
            date,
            time: Some(read_time(time).ok_or_else(bad)?),
            zone,
        })
    }

    /// The same on another date.
    pub(super) fn on(&self, date: Date) -> Self {
        Self {
            date,
            ..self.clone()
        }
    }

    /// The instant in microseconds, where `home` is the calendar's own zone; of a whole date its
    /// midnight.
    pub(super) fn instant(&self, home: &TimeZone) -> i64 {
        let shown = DateTime::from_parts(self.date, self.time.unwrap_or(Time::midnight()));
        let zone = self.zone.as_ref().unwrap_or(home);
        zone.to_ambiguous_timestamp(shown)
            .compatible()
            .map_or(0, jiff::Timestamp::as_microsecond)
    }

    /// Whether an event that begins at `start` is meant by this.
    pub(super) fn means(&self, start: &Self, home: &TimeZone) -> bool {
        match (self.time, start.time) {
            (Some(_), Some(_)) => self.instant(home) == start.instant(home),
            // Some programs name the date alone.
            _ => self.date == start.date,
        }
    }
}

/// A zone by its name; UTC for one that is not known, which its calendar is refused for.
pub(super) fn zone(name: &str) -> TimeZone {
    pinned_zone(name)
        .and_then(|(name, tzif)| TimeZone::tzif(name, tzif).ok())
        .unwrap_or(TimeZone::UTC)
}

/// A length of time in microseconds, such as `P1D` or `PT4H30M`; not negative.
pub(super) fn length(line: &Line) -> Result<i64, IcalendarFault> {
    let bad = || line.fault("must be a length like P1D or PT4H30M");
    let text = line.value.trim_start_matches('+');
    let mut rest = text.strip_prefix('P').ok_or_else(bad)?;
    let (mut total, mut in_time) = (0_i64, false);
    while !rest.is_empty() {
        if let Some(times) = rest.strip_prefix('T').filter(|_| !in_time) {
            (rest, in_time) = (times, true);
            continue;
        }
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let amount: u32 = rest[..digits].parse().map_err(|_| bad())?;
        let unit = match (rest[digits..].chars().next(), in_time) {
            (Some('W'), false) => 7 * MICROS_PER_DAY,
            (Some('D'), false) => MICROS_PER_DAY,
            (Some('H'), true) => MICROS_PER_HOUR,
            (Some('M'), true) => MICROS_PER_MINUTE,
            (Some('S'), true) => MICROS_PER_SECOND,
            _ => return Err(bad()),
        };
        total = total.saturating_add(i64::from(amount).saturating_mul(unit));
        rest = &rest[digits + 1..];
    }
    // Longer than all years that are known.
    if text.len() < 3 || total > 400 * 366 * MICROS_PER_DAY {
        return Err(bad());
    }
    Ok(total)
}

fn read_date(text: &str) -> Option<Date> {
    let numbers = digits(text, 8)?;
    let (year, month, day) = (numbers / 10_000, numbers / 100 % 100, numbers % 100);
    Date::new(
        i16::try_from(year).ok()?,
        i8::try_from(month).ok()?,
        i8::try_from(day).ok()?,
    )
    .ok()
}

fn read_time(text: &str) -> Option<Time> {
    let numbers = digits(text, 6)?;
    let (hour, minute, second) = (numbers / 10_000, numbers / 100 % 100, numbers % 100);
    // A leap second, which no calendar knows.
    let second = if second == 60 { 59 } else { second };
    Time::new(
        i8::try_from(hour).ok()?,
        i8::try_from(minute).ok()?,
        i8::try_from(second).ok()?,
        0,
    )
    .ok()
}

fn digits(text: &str, count: usize) -> Option<u32> {
    let sensible = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    sensible.then(|| text.parse().ok()).flatten()
}
