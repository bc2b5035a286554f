//! Why a calendar is refused.

use super::civil::{CivilDate, CivilDateInvalid, MinuteOfDayInvalid};
use super::{DESCRIPTION_BYTES_MAX, EXCEPTION_WINDOWS_MAX, EXCEPTIONS_MAX, WEEKLY_WINDOWS_MAX};
use crate::domain::refusal::{Reason, Refusal, Violation};

/// Why a calendar is refused. [`Self::path`] names the offending entry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// The bundled time zone database has no zone of this name.
    #[error("time_zone: no time zone is called {name:?}")]
    ZoneUnknown {
        /// The name asked for, cut short when it is long.
        name: String,
    },
    /// The pinned zone data is not readable `TZif`.
    #[error("time_zone: the data pinned for {name:?} cannot be read: {reason}")]
    ZoneDataUnreadable {
        /// Name of the zone.
        name: String,
        /// What the reader of the data said.
        reason: String,
    },
    /// No instant of the supported range is open, so that no clock could ever run.
    #[error("weekly_windows: the calendar never opens")]
    NeverOpens,
    /// More than [`WEEKLY_WINDOWS_MAX`] weekly windows.
    #[error("weekly_windows: {count} windows, at most {WEEKLY_WINDOWS_MAX} are allowed")]
    TooManyWeeklyWindows {
        /// How many there are.
        count: usize,
    },
    /// More than [`EXCEPTIONS_MAX`] exceptions.
    #[error("exceptions: {count} exceptions, at most {EXCEPTIONS_MAX} are allowed")]
    TooManyExceptions {
        /// How many there are.
        count: usize,
    },
    /// More than [`EXCEPTION_WINDOWS_MAX`] replacement windows in one exception.
    #[error("{path}: {count} windows, at most {EXCEPTION_WINDOWS_MAX} are allowed")]
    TooManyExceptionWindows {
        /// Which list, e.g. `exceptions[2].windows`.
        path: String,
        /// How many there are.
        count: usize,
    },
    /// A time of day that cannot be read.
    #[error("{path}: {reason}")]
    TimeInvalid {
        /// Which entry, e.g. `weekly_windows[3].end`.
        path: String,
        /// The text and what is expected.
        reason: MinuteOfDayInvalid,
    },
    /// A window that starts at 24:00: write 00:00 of the next day.
    #[error("{path}: a window cannot start at 24:00, which is 00:00 of the next day")]
    StartAtEndOfDay {
        /// Which entry, e.g. `weekly_windows[3].start`.
        path: String,
    },
    /// A date that cannot be read or does not exist.
    #[error("{path}: {reason}")]
    DateInvalid {
        /// Which entry, e.g. `exceptions[0].first_date`.
        path: String,
        /// The text and what is expected.
        reason: CivilDateInvalid,
    },
    /// An exception whose last date comes before its first.
    #[error("{path}: {last} is before the first date {first}")]
    RangeReversed {
        /// Which entry, e.g. `exceptions[0].last_date`.
        path: String,
        /// First date.
        first: CivilDate,
        /// Last date.
        last: CivilDate,
    },
    /// A description longer than [`DESCRIPTION_BYTES_MAX`].
    #[error("{path}: {bytes} bytes, at most {DESCRIPTION_BYTES_MAX} are allowed")]
    DescriptionTooLong {
        /// Which entry, e.g. `exceptions[0].description`.
        path: String,
        /// How long it is, in bytes of UTF-8.
        bytes: usize,
    },
}

impl CalendarError {
    /// The offending entry as a path from the specification, e.g. `weekly_windows[3].end`.
    #[must_use]
    pub fn path(&self) -> &str {
        match self {
            Self::ZoneUnknown { .. } | Self::ZoneDataUnreadable { .. } => "time_zone",
            Self::NeverOpens | Self::TooManyWeeklyWindows { .. } => "weekly_windows",
            Self::TooManyExceptions { .. } => "exceptions",
            Self::TooManyExceptionWindows { path, .. }
            | Self::TimeInvalid { path, .. }
            | Self::StartAtEndOfDay { path }
            | Self::DateInvalid { path, .. }
            | Self::RangeReversed { path, .. }
            | Self::DescriptionTooLong { path, .. } => path,
        }
    }

    /// Whether the bundled time zone database lacks the zone.
    #[must_use]
    pub const fn is_zone_unknown(&self) -> bool {
        matches!(self, Self::ZoneUnknown { .. })
    }

    /// Whether the fault is that no instant is ever open.
    #[must_use]
    pub const fn is_never_open(&self) -> bool {
        matches!(self, Self::NeverOpens)
    }
}

/// The refusal of the calendar that stands at `path` in a request, with all of its `faults`.
#[must_use]
pub fn refusal_at(path: &str, faults: &[CalendarError]) -> Refusal {
    let reason = match faults {
        [fault] if fault.is_zone_unknown() => Reason::ZoneUnknown,
        [fault] if fault.is_never_open() => Reason::CalendarNeverOpens,
        _ => Reason::InvalidField,
    };
    let violations = faults
        .iter()
        .map(|fault| Violation {
            field: format!("{path}.{}", fault.path()),
            description: fault.to_string(),
        })
        .collect();
    let refusal = Refusal::fields(reason, violations);
    match faults {
        [CalendarError::ZoneUnknown { name }] => refusal.with("time_zone", name),
        _ => refusal,
    }
}
