//! From wall-clock windows to open intervals, for any stretch of the supported range.
//!
//! Two kinds of number, both in microseconds: an *instant* counts from 1970-01-01T00:00:00Z, a
//! *local* time is what the wall clock shows, counted as if the clock were on UTC.

use super::super::calendar::{
    CalendarError, CalendarException, CalendarSpecification, MINUTES_PER_DAY, MinuteOfDay, Weekday,
};
use crate::domain::time::{MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_MINUTE, MICROS_PER_SECOND};
use jiff::tz::TimeZone;
use std::collections::BTreeSet;

/// No zone is further from UTC than this.
const OFFSET_MAX: i64 = 26 * MICROS_PER_HOUR;
/// How far outside a stretch a date can lie and still matter to it: a window lasts up to a day, a
/// skipped date moves its end by another, and the zone's offset adds to that.
const MARGIN_DAYS: i64 = 4;
/// The weekday of day number 0, 1970-01-01.
const EPOCH_WEEKDAY: i64 = Weekday::Thursday as i64;

/// What opens on one day: local times relative to its midnight, merged and in order.
type DayWindows = Vec<(i64, i64)>;

/// A specification arranged for looking up days.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    zone: TimeZone,
    /// By [`Weekday::index`].
    weekly: [DayWindows; 7],
    /// By the exception's position in the specification.
    replacements: Vec<DayWindows>,
    /// Which exception holds for which days; in order, not overlapping.
    overrides: Vec<Override>,
}

/// An exception that holds for a run of days, both inclusive, counted since the epoch.
#[derive(Clone, Copy, Debug)]
struct Override {
    first_day: i64,
    last_day: i64,
    exception: usize,
}

impl Rules {
    /// Arranges a specification without violations.
    pub(super) fn new(
        specification: &CalendarSpecification,
        tzif: &[u8],
    ) -> Result<Self, CalendarError> {
        let name = &specification.time_zone;
        let zone =
            TimeZone::tzif(name, tzif).map_err(|error| CalendarError::ZoneDataUnreadable {
                name: name.clone(),
                reason: error.to_string(),
            })?;
        let weekly = Weekday::ALL.map(|day| {
            let windows = specification
                .weekly_windows
                .iter()
                .filter(|window| window.day == day);
            day_windows(windows.map(|window| (window.start, window.end)))
        });
        let exceptions = &specification.exceptions;
        let replacements = exceptions
            .iter()
            .map(|exception| {
                day_windows(
                    exception
                        .windows
                        .iter()
                        .map(|window| (window.start, window.end)),
                )
            })
            .collect();
        Ok(Self {
            zone,
            weekly,
            replacements,
            overrides: overrides(exceptions),
        })
    }

    /// Whether there is nothing but weekly windows and they leave no gap.
    pub(super) fn cover_every_week(&self) -> bool {
        const WEEK: i64 = 7 * MICROS_PER_DAY;
        // One week as it follows on its equal: Sunday's windows may run into Monday.
        let two_weeks = (0_i64..14).zip(self.weekly.iter().cycle());
        let mut windows: Vec<_> = two_weeks
            .flat_map(|(day, windows)| shifted(windows, day * MICROS_PER_DAY))
            .collect();
        merge(&mut windows);
        let covered = windows
            .iter()
            .any(|(start, end)| *start <= MICROS_PER_DAY && *end >= WEEK + MICROS_PER_DAY);
        covered && self.overrides.is_empty()
    }

    /// The merged open intervals within `[start, end)`, instants, in order.
    pub(super) fn open_intervals(&self, start: i64, end: i64) -> Vec<(i64, i64)> {
        let first_day = start.div_euclid(MICROS_PER_DAY) - MARGIN_DAYS;
        let last_day = end.div_euclid(MICROS_PER_DAY) + MARGIN_DAYS;
        let clock = WallClock::new(
            &self.zone,
            (first_day - MARGIN_DAYS) * MICROS_PER_DAY,
            (last_day + MARGIN_DAYS) * MICROS_PER_DAY,
        );
        let mut windows = Vec::new();
        let mut closed = Vec::new();
        let mut midnight = clock.instant(first_day * MICROS_PER_DAY);
        for day in first_day..=last_day {
            let local_midnight = day * MICROS_PER_DAY;
            let next_midnight = clock.instant(local_midnight + MICROS_PER_DAY);
            // A date that the zone skips begins and ends at the same instant.
            if midnight < next_midnight {
                match self.windows_of(day) {
                    [] if self.override_of(day).is_some() => closed.push((midnight, next_midnight)),
                    opening => windows.extend(shifted(opening, local_midnight)),
                }
            }
            midnight = next_midnight;
        }
        // Merged on the wall clock first, so that windows which touch or overlap there mean the
        // same as one long window on the days when the clocks change, too.
        merge(&mut windows);
        for (open, close) in &mut windows {
            (*open, *close) = (clock.instant(*open), clock.instant(*close));
        }
        windows.retain(|(open, close)| open < close);
        merge(&mut windows);
        merge(&mut closed);
        without(&windows, &closed)
            .into_iter()
            .map(|(open, close)| (open.max(start), close.min(end)))
            .filter(|(open, close)| open < close)
            .collect()
    }

    /// What opens on a day, counted since the epoch.
    fn windows_of(&self, day: i64) -> &[(i64, i64)] {
        if let Some(found) = self.override_of(day) {
            return &self.replacements[found.exception];
        }
        let weekday = (day + EPOCH_WEEKDAY).rem_euclid(7);
        usize::try_from(weekday).map_or(&[], |index| &self.weekly[index])
    }

    fn override_of(&self, day: i64) -> Option<&Override> {
        let following = self.overrides.partition_point(|found| found.last_day < day);
        self.overrides
            .get(following)
            .filter(|found| found.first_day <= day)
    }
}

/// A zone's wall clock during one stretch of time.
struct WallClock<'a> {
    zone: &'a TimeZone,
    /// From which instant on which offset to UTC holds, in order; the first holds from the start.
    offsets: Vec<(i64, i64)>,
}

impl<'a> WallClock<'a> {
    /// The clock for the stretch `[start, end)` of instants.
    fn new(zone: &'a TimeZone, start: i64, end: i64) -> Self {
        let mut offsets = Vec::new();
        if let Ok(start) = jiff::Timestamp::from_microsecond(start) {
            offsets.push((i64::MIN, micros(zone.to_offset(start))));
            let changes = zone
                .following(start)
                .map(|change| (change.timestamp().as_microsecond(), micros(change.offset())));
            offsets.extend(changes.take_while(|(at, _)| *at < end));
        }
        Self { zone, offsets }
    }

    /// The instant at which the wall clock shows `local`: the first such instant, or if there is
    /// none, the one later by as much as the clock skipped.
    fn instant(&self, local: i64) -> i64 {
        let held_at = |at| self.offsets.partition_point(|(since, _)| *since <= at);
        let (earliest, latest) = (held_at(local - OFFSET_MAX), held_at(local + OFFSET_MAX));
        let offset = earliest
            .checked_sub(1)
            .map_or(0, |index| self.offsets[index].1);
        if earliest == latest {
            return local - offset;
        }
        // The offset changes nearby: leave it to the zone's own rules, which cannot fail in the
        // supported range.
        self.instant_near_change(local).unwrap_or(local - offset)
    }

    fn instant_near_change(&self, local: i64) -> Option<i64> {
        let as_if_utc = jiff::Timestamp::from_microsecond(local).ok()?;
        let shown = jiff::tz::Offset::UTC.to_datetime(as_if_utc);
        let instant = self.zone.to_ambiguous_timestamp(shown).compatible().ok()?;
        Some(instant.as_microsecond())
    }
}

fn micros(offset: jiff::tz::Offset) -> i64 {
    i64::from(offset.seconds()) * MICROS_PER_SECOND
}

/// Windows of one day relative to its midnight; an end not after its start is on the next day.
fn day_windows(windows: impl Iterator<Item = (MinuteOfDay, MinuteOfDay)>) -> DayWindows {
    let mut windows: DayWindows = windows
        .map(|(start, end)| {
            let over_midnight = if end <= start { MINUTES_PER_DAY } else { 0 };
            let start = i64::from(start.minutes());
            let end = i64::from(end.minutes() + over_midnight);
            (start * MICROS_PER_MINUTE, end * MICROS_PER_MINUTE)
        })
        .collect();
    merge(&mut windows);
    windows
}

fn shifted(windows: &[(i64, i64)], by: i64) -> impl Iterator<Item = (i64, i64)> {
    windows
        .iter()
        .map(move |(start, end)| (start + by, end + by))
}

/// Works out which exception holds on which days: of those that cover a day, the last in the list.
fn overrides(exceptions: &[CalendarException]) -> Vec<Override> {
    let mut changes: Vec<(i64, usize, bool)> = Vec::with_capacity(2 * exceptions.len());
    for (index, exception) in exceptions.iter().enumerate() {
        changes.push((exception.first_date.days_since_epoch(), index, true));
        changes.push((exception.last_date.days_since_epoch() + 1, index, false));
    }
    changes.sort_unstable();
    let mut covering = BTreeSet::new();
    let mut found = Vec::new();
    for (position, (day, index, begins)) in changes.iter().enumerate() {
        if *begins {
            covering.insert(*index);
        } else {
            covering.remove(index);
        }
        let next_change = changes.get(position + 1).map_or(*day, |change| change.0);
        if let Some(exception) = covering.last().copied()
            && *day < next_change
        {
            found.push(Override {
                first_day: *day,
                last_day: next_change - 1,
                exception,
            });
        }
    }
    found
}

/// Sorts intervals and joins those that touch or overlap.
fn merge(intervals: &mut Vec<(i64, i64)>) {
    intervals.sort_unstable();
    intervals.dedup_by(|next, kept| {
        let joins = next.0 <= kept.1;
        if joins {
            kept.1 = kept.1.max(next.1);
        }
        joins
    });
}

/// The parts of `intervals` outside `removed`; both merged.
fn without(intervals: &[(i64, i64)], removed: &[(i64, i64)]) -> Vec<(i64, i64)> {
    let mut left = Vec::with_capacity(intervals.len() + removed.len());
    let mut next_removed = removed.iter().peekable();
    for (start, end) in intervals {
        let mut start = *start;
        while let Some((from, to)) = next_removed.peek() {
            if from >= end {
                break;
            }
            if start < *from {
                left.push((start, *from));
            }
            start = start.max(*to);
            // What reaches past this interval may also cut the next one.
            if to > end {
                break;
            }
            next_removed.next();
        }
        if start < *end {
            left.push((start, *end));
        }
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both ways to read the wall clock agree: the offset in force, and the zone's own rules.
    #[test]
    fn far_from_changes_the_offset_in_force_is_enough() {
        const STEP: i64 = 30 * MICROS_PER_MINUTE;
        for name in [
            "Europe/Paris",
            "Pacific/Apia",
            "Africa/Casablanca",
            "Asia/Gaza",
            "UTC",
        ] {
            let (_, tzif) = super::super::super::calendar::pinned_zone(name).unwrap();
            let zone = TimeZone::tzif(name, tzif).unwrap();
            // The years 2010 to 2011, and 2090.
            for (first, last) in [(14_610_i64, 15_340_i64), (43_829, 44_194)] {
                let (start, end) = (first * MICROS_PER_DAY, last * MICROS_PER_DAY);
                let margin = MARGIN_DAYS * MICROS_PER_DAY;
                let clock = WallClock::new(&zone, start - margin, end + margin);
                for step in 0..(end - start) / STEP {
                    let local = start + step * STEP;
                    assert_eq!(
                        Some(clock.instant(local)),
                        clock.instant_near_change(local),
                        "{name}"
                    );
                }
            }
        }
    }

    #[test]
    fn removing_intervals_leaves_the_parts_outside() {
        let intervals = [(0, 10), (20, 30), (40, 50)];
        assert_eq!(without(&intervals, &[]), intervals);
        assert_eq!(without(&intervals, &[(0, 50)]), []);
        assert_eq!(
            without(&intervals, &[(5, 25), (45, 60)]),
            [(0, 5), (25, 30), (40, 45)]
        );
        assert_eq!(
            without(&intervals, &[(2, 3), (4, 10), (30, 40)]),
            [(0, 2), (3, 4), (20, 30), (40, 50)]
        );
        assert_eq!(
            without(&intervals, &[(-9, 0), (10, 20), (22, 24), (50, 90)]),
            [(0, 10), (20, 22), (24, 30), (40, 50)]
        );
    }
}
