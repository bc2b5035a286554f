//! Holidays from an iCalendar text (RFC 5545): its events become exceptions of a calendar.
//!
//! An event of whole dates closes them; its end is the first date that is open again. An event with
//! times of day closes just these, read on the calendar's wall clock, in whole minutes. Recurrence is
//! worked out on civil dates, so it needs no zone; only times of day do, and they use the same
//! bundled data as calendars. What cannot be understood is refused with the number of its line,
//! never left out.

mod closing;
mod event;
mod line;
mod moment;
mod recurrence;

use super::calendar::{CalendarException, CalendarSpecification, EXCEPTIONS_MAX};
use closing::Closings;
use event::Event;

/// Longest iCalendar text, in bytes of UTF-8.
pub const ICALENDAR_BYTES_MAX: usize = 256 * 1024;
/// Most years for which one text is worked out.
pub const HORIZON_YEARS_MAX: i16 = 20;
/// First year for which holidays can be worked out.
pub const FIRST_YEAR_MIN: i16 = 2000;
/// Last year for which holidays can be worked out.
pub const LAST_YEAR_MAX: i16 = 2100;
/// Most dates that are looked at while events are repeated, over all events of a text.
pub const DATES_MAX: u32 = 1_000_000;

/// The years for which events are worked out, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Horizon {
    first_year: i16,
    last_year: i16,
}

impl Horizon {
    /// The years from `first_year` to `last_year`: at most [`HORIZON_YEARS_MAX`], between
    /// [`FIRST_YEAR_MIN`] and [`LAST_YEAR_MAX`]; otherwise `None`.
    #[must_use]
    pub fn new(first_year: i16, last_year: i16) -> Option<Self> {
        let known = FIRST_YEAR_MIN..=LAST_YEAR_MAX;
        let sensible = known.contains(&first_year)
            && known.contains(&last_year)
            && (0..HORIZON_YEARS_MAX).contains(&(last_year - first_year));
        sensible.then_some(Self {
            first_year,
            last_year,
        })
    }
}

/// What is wrong with an iCalendar text, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct IcalendarFault {
    /// The line at fault, counted from 1; of a folded line the first.
    pub line: usize,
    /// What is wrong with it.
    pub what: String,
}

impl IcalendarFault {
    fn new(line: usize, what: impl Into<String>) -> Self {
        let what = what.into();
        Self { line, what }
    }
}

/// How many more dates may be looked at.
#[derive(Debug)]
struct Budget(u32);

impl Budget {
    /// Takes one date for what stands at `line`.
    fn take(&mut self, line: usize) -> Result<(), IcalendarFault> {
        self.0 = self.0.checked_sub(1).ok_or_else(|| {
            let what = format!("up to here, more than {DATES_MAX} dates had to be looked at");
            IcalendarFault::new(line, what)
        })?;
        Ok(())
    }
}

/// The exceptions by which the events of `text` close a calendar that is otherwise as `calendar`
/// says, in the order of their dates. None of them covers a date of another.
///
/// # Errors
/// What is wrong first: a line that cannot be read or is not supported, an event that ends before it
/// begins, or more than can be worked out or stored.
pub fn exceptions(
    text: &str,
    calendar: &CalendarSpecification,
    horizon: Horizon,
) -> Result<Vec<CalendarException>, IcalendarFault> {
    if text.len() > ICALENDAR_BYTES_MAX {
        let what = format!("the text has more than {ICALENDAR_BYTES_MAX} bytes");
        return Err(IcalendarFault::new(1, what));
    }
    let events = event::read(text)?;
    let mut budget = Budget(DATES_MAX);
    let mut closings = Closings::new(&calendar.time_zone, horizon);
    for event in events.iter().filter(|event| !event.cancelled) {
        let replaced = replaced(event, &events);
        for start in event.starts(&replaced, horizon.last_year, closings.home(), &mut budget)? {
            closings.close(event, &start, &mut budget)?;
        }
    }
    let exceptions = closings.exceptions(&calendar.weekly_windows)?;
    if exceptions.len() > EXCEPTIONS_MAX {
        let what = format!(
            "the events make {} exceptions, at most {EXCEPTIONS_MAX} are allowed",
            exceptions.len()
        );
        return Err(IcalendarFault::new(1, what));
    }
    Ok(exceptions)
}

/// When an event would recur but other events stand in its place.
fn replaced(event: &Event, events: &[Event]) -> Vec<moment::Moment> {
    if event.recurrence_id.is_some() || event.uid.is_empty() {
        return Vec::new();
    }
    events
        .iter()
        .filter(|other| other.uid == event.uid)
        .filter_map(|other| other.recurrence_id.clone())
        .collect()
}

#[cfg(test)]
mod tests;
