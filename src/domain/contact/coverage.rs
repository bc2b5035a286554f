//! When nobody is there.

use crate::domain::sla::compiled::CompiledCalendar;
use crate::domain::time::{Span, Timestamp};

/// Most gaps that one question answers with.
pub const GAPS_MAX: usize = 500;
/// Most openings and closings that one question looks at.
pub const STEPS_MAX: usize = 5_000;

/// A stretch of time, `[from, to)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Its first instant.
    pub from: Timestamp,
    /// Its end, exclusive.
    pub to: Timestamp,
}

/// How much of a period somebody is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// How long in all.
    pub covered: Span,
    /// Since when, or from when on, somebody is there: the beginning of the period, if so then.
    /// `None` if nobody is within the period.
    pub next: Option<Timestamp>,
}

/// The calendars open and close too often for one answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("more than {GAPS_MAX} gaps, or {STEPS_MAX} openings and closings")]
pub struct TooManyStretches;

/// The stretches of `period` in which none of `calendars` is open, in order; no two touch. Each
/// opening and closing on the way is found in O(log n).
///
/// # Errors
/// [`TooManyStretches`] beyond [`GAPS_MAX`] or [`STEPS_MAX`].
pub fn gaps(
    calendars: &[&CompiledCalendar],
    period: Stretch,
) -> Result<Vec<Stretch>, TooManyStretches> {
    let mut found = Vec::new();
    let mut at = period.from;
    for _ in 0..STEPS_MAX {
        if at >= period.to {
            return Ok(found);
        }
        let open = calendars.iter().filter(|calendar| calendar.is_open(at));
        // A calendar that never closes again covers the rest.
        let closes = open.map(|calendar| calendar.next_close(at).unwrap_or(period.to));
        if let Some(covered_until) = closes.max() {
            at = covered_until;
            continue;
        }
        let opens = calendars
            .iter()
            .filter_map(|calendar| calendar.add(at, Span::ZERO));
        let to = opens.min().map_or(period.to, |opens| opens.min(period.to));
        if found.len() >= GAPS_MAX {
            return Err(TooManyStretches);
        }
        found.push(Stretch { from: at, to });
        at = to;
    }
    if at >= period.to {
        return Ok(found);
    }
    Err(TooManyStretches)
}

/// How much of `period` some of `calendars` is open.
///
/// # Errors
/// As [`gaps`].
pub fn coverage(
    calendars: &[&CompiledCalendar],
    period: Stretch,
) -> Result<Coverage, TooManyStretches> {
    let gaps = gaps(calendars, period)?;
    let uncovered = gaps.iter().fold(Span::ZERO, |sum, gap| {
        sum.saturating_add(gap.to.since(gap.from))
    });
    let whole = period.to.since(period.from);
    let next = match gaps.first() {
        Some(gap) if gap.from == period.from => gap.to,
        _ => period.from,
    };
    Ok(Coverage {
        covered: Span::from_micros(whole.as_micros() - uncovered.as_micros()),
        next: Some(next).filter(|next| *next < period.to),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::sla::calendar::{CalendarSpecification, MinuteOfDay, Weekday, WeeklyWindow};
    use crate::domain::time::MICROS_PER_HOUR;

    const DAYS: [Weekday; 7] = [
        Weekday::Monday,
        Weekday::Tuesday,
        Weekday::Wednesday,
        Weekday::Thursday,
        Weekday::Friday,
        Weekday::Saturday,
        Weekday::Sunday,
    ];

    fn minute(minutes: u16) -> MinuteOfDay {
        MinuteOfDay::from_minutes(minutes).unwrap()
    }

    /// Open on some days between two minutes of the day.
    fn open_on(zone: &str, days: &[Weekday], start: u16, end: u16) -> CompiledCalendar {
        let windows = days.iter().map(|day| WeeklyWindow {
            day: *day,
            start: minute(start),
            end: minute(end),
        });
        let specification = CalendarSpecification {
            time_zone: zone.to_owned(),
            weekly_windows: windows.collect(),
            exceptions: Vec::new(),
        };
        CompiledCalendar::compile_with_bundled_zone(&specification).unwrap()
    }

    /// 2026-03-02T00:00:00Z, a Monday, and so many hours.
    fn hour(hours: i64) -> Timestamp {
        Timestamp::from_micros(1_772_409_600_000_000 + hours * MICROS_PER_HOUR)
    }

    fn stretch(from: i64, to: i64) -> Stretch {
        Stretch {
            from: hour(from),
            to: hour(to),
        }
    }

    #[test]
    fn no_contact_is_one_gap_and_a_round_the_clock_desk_none() {
        let day = stretch(0, 24);
        assert_eq!(gaps(&[], day), Ok(vec![day]));
        assert_eq!(gaps(&[&CompiledCalendar::always_open()], day), Ok(vec![]));
        assert_eq!(gaps(&[], stretch(3, 3)), Ok(vec![]));
    }

    #[test]
    fn nobody_is_there_at_night_between_two_shifts() {
        let early = open_on("UTC", &DAYS, 6 * 60, 14 * 60);
        let late = open_on("UTC", &DAYS, 13 * 60, 22 * 60);
        let night = [stretch(0, 6), stretch(22, 30), stretch(46, 48)];
        assert_eq!(gaps(&[&early, &late], stretch(0, 48)), Ok(night.to_vec()));
        // Shifts that touch leave no gap between them.
        let late = open_on("UTC", &DAYS, 14 * 60, 22 * 60);
        assert_eq!(gaps(&[&late, &early], stretch(0, 48)), Ok(night.to_vec()));
    }

    #[test]
    fn the_change_of_the_clocks_moves_the_gap() {
        // 2026-03-29 in Paris: from then on, nine o'clock is seven in UTC.
        let desk = open_on("Europe/Paris", &DAYS, 9 * 60, 24 * 60);
        let saturday = 26 * 24;
        let found = gaps(&[&desk], stretch(saturday, saturday + 48)).unwrap();
        assert_eq!(
            found,
            [
                stretch(saturday, saturday + 8),
                stretch(saturday + 23, saturday + 24 + 7),
                stretch(saturday + 24 + 22, saturday + 48)
            ]
        );
    }

    #[test]
    fn how_much_is_covered_and_from_when_on() {
        let early = open_on("UTC", &DAYS, 6 * 60, 14 * 60);
        let late = open_on("UTC", &DAYS, 13 * 60, 22 * 60);
        let asked = |calendars: &[&CompiledCalendar], from, to| {
            let found = coverage(calendars, stretch(from, to)).unwrap();
            (found.covered.as_micros() / MICROS_PER_HOUR, found.next)
        };
        assert_eq!(asked(&[&early, &late], 0, 48), (32, Some(hour(6))));
        assert_eq!(asked(&[&late, &early], 13, 16), (3, Some(hour(13))));
        assert_eq!(asked(&[&early], 14, 30), (0, None));
        assert_eq!(asked(&[&early], 14, 31), (1, Some(hour(30))));
        assert_eq!(asked(&[], 3, 3), (0, None));
    }

    #[test]
    fn too_many_gaps_are_refused() {
        let desk = open_on("UTC", &DAYS, 0, 60);
        let days = i64::try_from(GAPS_MAX).unwrap();
        assert_eq!(
            gaps(&[&desk], stretch(0, 24 * days)).map(|found| found.len()),
            Ok(GAPS_MAX)
        );
        assert_eq!(
            gaps(&[&desk], stretch(0, 24 * (days + 1))),
            Err(TooManyStretches)
        );
    }

    fn any_calendar() -> impl Strategy<Value = CompiledCalendar> {
        let zones = prop_oneof![
            Just("UTC"),
            Just("Europe/Paris"),
            Just("America/New_York"),
            Just("Asia/Kolkata")
        ];
        let days = proptest::sample::subsequence(DAYS.to_vec(), 1..=7);
        (zones, days, 0..1_400_u16, 1..400_u16).prop_map(|(zone, days, start, length)| {
            open_on(zone, &days, start, (start + length).min(1_440))
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Gaps and covered time tile the period: in a gap nobody is there at any edge of it or
        /// between, and what is outside the gaps is covered.
        #[test]
        fn gaps_and_covered_time_tile_the_period(
            calendars in proptest::collection::vec(any_calendar(), 0..5),
            start in 0..2_000_i64,
            hours in 1..(4 * 7 * 24_i64),
        ) {
            let calendars: Vec<_> = calendars.iter().collect();
            let period = stretch(start, start + hours);
            let found = gaps(&calendars, period).unwrap();
            let mut at = period.from;
            for gap in &found {
                prop_assert!(gap.from < gap.to && gap.from >= at && gap.to <= period.to);
                prop_assert!(gap.from > at || at == period.from, "two gaps touch");
                for calendar in &calendars {
                    prop_assert_eq!(calendar.elapsed(gap.from, gap.to), Span::ZERO);
                }
                at = gap.to;
            }
            // Every quarter of an hour is covered or in a gap, never both.
            for quarter in 0..hours * 4 {
                let instant = period.from.saturating_add(Span::from_minutes(15 * quarter));
                let covered = calendars.iter().any(|calendar| calendar.is_open(instant));
                let in_gap = found.iter().any(|gap| gap.from <= instant && instant < gap.to);
                prop_assert!(covered != in_gap, "{instant}");
            }
        }
    }
}
