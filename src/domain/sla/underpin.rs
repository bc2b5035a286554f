//! Whether what is promised downstream holds up what is promised upstream.
//!
//! A firm that owes its client a resolution, and relies on another for it, hands a ticket over and
//! waits. If the other one may take longer than the firm itself has, the promise downstream breaks
//! the one upstream, whoever works how well. The [`Gap`] says by how much.

use super::clock::TargetType;
use super::compiled::CompiledCalendar;
use crate::domain::time::{MICROS_PER_DAY, Span, Timestamp};

/// Most open windows of a calendar within [`PERIOD`].
pub const WINDOWS_MAX: usize = 50_000;
/// The hours over which the worst instant of handing over is looked for: a year, leap day included.
pub const PERIOD: Span = Span::from_micros(366 * MICROS_PER_DAY);

const ONE_MICROSECOND: i64 = 1;

/// A length of open time that is promised.
#[derive(Clone, Copy, Debug)]
pub struct Promise<'a> {
    /// How much.
    pub target: Span,
    /// In whose hours.
    pub calendar: &'a CompiledCalendar,
}

impl Promise<'_> {
    fn due(&self, from: Timestamp) -> Option<Timestamp> {
        self.calendar.add(from, self.target)
    }
}

/// What lies between the two deadlines of one handing over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// When the ticket is handed over.
    pub handed_over_at: Timestamp,
    /// When the promise upstream is due.
    pub upstream_due_at: Timestamp,
    /// When the promise downstream is due.
    pub downstream_due_at: Timestamp,
}

impl Gap {
    /// How much later the deadline downstream is, on any clock; less than zero if it is earlier.
    #[must_use]
    pub const fn length(&self) -> Span {
        self.downstream_due_at.since(self.upstream_due_at)
    }

    /// Whether the promise upstream is broken if the one downstream is used up. Exactly in time is in
    /// time.
    #[must_use]
    pub fn breaks(&self) -> bool {
        self.length() > Span::ZERO
    }
}

/// What lies between the deadlines of a ticket opened upstream at one instant and handed over at
/// another. `None` if one of the calendars never holds its target from there on.
#[must_use]
pub fn gap(
    opened_at: Timestamp,
    handed_over_at: Timestamp,
    upstream: Promise<'_>,
    downstream: Promise<'_>,
) -> Option<Gap> {
    Some(Gap {
        handed_over_at,
        upstream_due_at: upstream.due(opened_at)?,
        downstream_due_at: downstream.due(handed_over_at)?,
    })
}

/// Whether clocks of this type begin with the opening of the ticket.
#[must_use]
pub const fn begins_at_opening(target_type: TargetType) -> bool {
    match target_type {
        TargetType::FirstResponse
        | TargetType::ResolutionPlan
        | TargetType::Workaround
        | TargetType::Resolution => true,
        TargetType::NextResponse | TargetType::NextUpdate => false,
    }
}

/// A calendar has more than [`WINDOWS_MAX`] windows in the period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a calendar has more than {WINDOWS_MAX} windows in a year")]
pub struct TooManyWindows;

/// The worst that a ticket can meet that is handed over as soon as it is opened, at any instant of a
/// [`PERIOD`] from `from` on; the earliest such instant. `None` if no instant has both deadlines.
///
/// As the instant moves, each deadline stands still or moves along with it, and jumps where it passes
/// the end of a window. So between two instants at which a window begins or ends, or at which a
/// deadline falls on the end of one, the gap grows or shrinks evenly: it is enough to look at these
/// instants and at the microseconds beside them, and the answer is exact.
///
/// # Errors
/// [`TooManyWindows`].
pub fn worst_gap(
    upstream: Promise<'_>,
    downstream: Promise<'_>,
    from: Timestamp,
) -> Result<Option<Gap>, TooManyWindows> {
    let to = from.saturating_add(PERIOD);
    let mut instants = vec![from, to];
    for promise in [upstream, downstream] {
        add_turns(&mut instants, promise, from, to)?;
    }
    instants.sort_unstable();
    instants.dedup();
    let beside = instants.into_iter().flat_map(|at| {
        let beside = |micros| Timestamp::from_micros(at.as_micros().saturating_add(micros));
        [-ONE_MICROSECOND, 0, ONE_MICROSECOND].map(beside)
    });
    let mut worst: Option<Gap> = None;
    for at in beside.filter(|at| (from..to).contains(at)) {
        let Some(found) = gap(at, at, upstream, downstream) else {
            continue;
        };
        if worst.is_none_or(|worst| found.length() > worst.length()) {
            worst = Some(found);
        }
    }
    Ok(worst)
}

/// Adds the instants between `from` and `to` at which a deadline stops moving, begins to, or jumps.
fn add_turns(
    instants: &mut Vec<Timestamp>,
    promise: Promise<'_>,
    from: Timestamp,
    to: Timestamp,
) -> Result<(), TooManyWindows> {
    let calendar = promise.calendar;
    for (opens, closes) in bounded(calendar, from, to) {
        instants.extend([opens?, closes?]);
    }
    let (Some(first_due), last_due) = (promise.due(from), promise.due(to)) else {
        return Ok(()); // Nothing from here on is ever due.
    };
    let last_due = last_due.unwrap_or(super::compiled::RANGE_END);
    for (_, closes) in bounded(calendar, first_due, last_due) {
        instants.extend(calendar.subtract(closes?, promise.target));
    }
    Ok(())
}

type Edge = Result<Timestamp, TooManyWindows>;

/// Open windows, and after [`WINDOWS_MAX`] of them an error.
fn bounded(
    calendar: &CompiledCalendar,
    from: Timestamp,
    to: Timestamp,
) -> impl Iterator<Item = (Edge, Edge)> {
    let windows = calendar.open_intervals(from, to).take(WINDOWS_MAX + 1);
    windows.enumerate().map(|(index, (opens, closes))| {
        if index < WINDOWS_MAX {
            (Ok(opens), Ok(closes))
        } else {
            (Err(TooManyWindows), Err(TooManyWindows))
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::sla::calendar::Weekday;
    use crate::domain::sla::clock::tests::{MONDAY, TUESDAY, at, weekdays, weekly};

    fn hours(number: i64, calendar: &CompiledCalendar) -> Promise<'_> {
        Promise {
            target: Span::from_hours(number),
            calendar,
        }
    }

    #[test]
    fn a_night_breaks_what_fits_by_day() {
        let (always, office) = (CompiledCalendar::always_open(), weekdays(9, 17));
        let (up, down) = (hours(8, &always), hours(4, &office));
        let by_day = gap(at(MONDAY, 9, 0), at(MONDAY, 9, 0), up, down).unwrap();
        assert_eq!(
            (by_day.breaks(), by_day.length()),
            (false, Span::from_hours(-4))
        );
        let late = gap(at(MONDAY, 16, 0), at(MONDAY, 16, 0), up, down).unwrap();
        assert_eq!(late.upstream_due_at, at(TUESDAY, 0, 0));
        assert_eq!(late.downstream_due_at, at(TUESDAY, 12, 0));
        assert!(late.breaks());
        // Handed over later, it is due later.
        let handed = gap(at(MONDAY, 9, 0), at(MONDAY, 14, 0), up, down).unwrap();
        // Three hours on Monday, one on Tuesday: due at ten, where it had to be at five.
        assert_eq!(handed.length(), Span::from_hours(17));
        let exactly = gap(at(MONDAY, 9, 0), at(MONDAY, 13, 0), up, down).unwrap();
        assert!(!exactly.breaks());
    }

    #[test]
    fn the_worst_instant_is_just_after_the_last_that_fits() {
        let (always, office) = (CompiledCalendar::always_open(), weekdays(9, 17));
        let worst = worst_gap(hours(8, &always), hours(4, &office), at(MONDAY, 0, 0));
        let worst = worst.unwrap().unwrap();
        let friday = MONDAY + 4;
        // Until 13:00 it fits on Friday; a microsecond later it takes until Monday.
        let after = Timestamp::from_micros(at(friday, 13, 0).as_micros() + 1);
        assert_eq!(worst.handed_over_at, after);
        let next_monday = at(MONDAY + 7, 9, 0).as_micros() + 1;
        assert_eq!(worst.downstream_due_at, Timestamp::from_micros(next_monday));
        let same = worst_gap(hours(4, &office), hours(4, &office), at(MONDAY, 0, 0));
        assert_eq!(same.unwrap().unwrap().length(), Span::ZERO);
    }

    /// Calendars of one or two windows a week, at full hours.
    fn any_weekly() -> impl Strategy<Value = CompiledCalendar> {
        let window = (0..7_usize, 0..20_u16, 1..5_u16);
        proptest::collection::vec(window, 1..4).prop_map(|windows| {
            weekly(
                windows.into_iter().map(|(day, opens, hours)| {
                    (Weekday::ALL[day], opens * 60, (opens + hours) * 60)
                }),
            )
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        /// No instant of a whole week, minute by minute and just after, is worse than the worst.
        #[test]
        fn no_instant_is_worse(
            [up, down] in [any_weekly(), any_weekly()],
            [up_hours, down_hours] in [1..30_i64, 1..30_i64],
        ) {
            let (up, down) = (hours(up_hours, &up), hours(down_hours, &down));
            let from = at(MONDAY, 0, 0);
            let worst = worst_gap(up, down, from).unwrap().unwrap();
            let here = worst.handed_over_at;
            prop_assert_eq!(gap(here, here, up, down), Some(worst));
            for minute in 0..14 * 24 * 60 {
                for beside in [0, 1] {
                    let micros = at(MONDAY, 0, minute).as_micros() + beside;
                    let instant = Timestamp::from_micros(micros);
                    let found = gap(instant, instant, up, down).unwrap();
                    prop_assert!(found.length() <= worst.length(), "{instant}");
                }
            }
        }
    }
}
