//! Which intervals have passed: arithmetic on open time, whatever the distance.

use super::{Pace, UpdatesMissed};
use crate::domain::sla::compiled::CompiledCalendar;
use crate::domain::time::{Span, Timestamp};

impl Pace {
    /// The intervals that have passed by `now` without being recorded, at most `most` of them.
    /// `None` if there is none. An interval has passed after its end, not at it.
    ///
    /// They are counted, not walked through: the end of the third is three intervals of open time
    /// from the beginning of the first.
    pub(super) fn overdue(
        &self,
        calendar: &CompiledCalendar,
        now: Timestamp,
        most: u64,
    ) -> Option<UpdatesMissed> {
        let first_due_at = self.due_at.filter(|due_at| *due_at < now)?;
        let interval = self.interval.as_micros();
        let open = calendar.elapsed(self.from, now).as_micros();
        let whole = open.checked_div(interval).filter(|whole| *whole > 0)?;
        let end_of = |number: i64| {
            let length = interval.checked_mul(number)?;
            calendar.add(self.from, Span::from_micros(length))
        };
        // The last one may end just now.
        let passed = if end_of(whole)? < now {
            whole
        } else {
            whole - 1
        };
        let count = passed.min(i64::try_from(most).unwrap_or(i64::MAX));
        Some(UpdatesMissed {
            count: u64::try_from(count).ok().filter(|count| *count > 0)?,
            first_due_at,
            last_due_at: end_of(count)?,
            due_at: end_of(count + 1),
        })
    }

    /// As it is at `now`, with every interval that has passed, whether or not a sweep has come by to
    /// record it.
    #[must_use]
    pub fn as_of(&self, calendar: &CompiledCalendar, now: Timestamp) -> Self {
        let mut pace = self.clone();
        if let Some(missed) = self.overdue(calendar, now, u64::MAX) {
            pace.miss(&missed);
        }
        pace
    }
}
