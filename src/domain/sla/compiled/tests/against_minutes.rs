//! Properties over random calendars, and a second calculation that marks minutes one by one.

use super::*;

const MINUTE: i64 = crate::domain::time::MICROS_PER_MINUTE;
pub(super) const DAY_MINUTES: i64 = 24 * 60;

/// Zones with whole-hour, half-hour and midnight changes, and one that skipped a date.
const ZONES: [&str; 10] = [
    "UTC",
    "Europe/Paris",
    "America/New_York",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "America/Sao_Paulo",
    "Asia/Tehran",
    "America/Havana",
    "Africa/Casablanca",
    "America/St_Johns",
];
/// Days around which the random calendars are looked at: changes of the clocks, mostly.
const DATES: [&str; 14] = [
    "2026-03-29",
    "2026-10-25",
    "2026-03-08",
    "2026-11-01",
    "2026-04-05",
    "2026-10-04",
    "2011-12-30",
    "2015-10-18",
    "2016-02-21",
    "2015-03-22",
    "2026-02-15",
    "2010-11-07",
    "2026-12-31",
    "2000-01-01",
];
/// How many days before and after such a day are looked at.
pub(super) const REACH_DAYS: i64 = 6;

prop_compose! {
    fn any_minute(max: u16)(
        minute in prop_oneof![(0..=max), (0..=max / 30).prop_map(|half_hours| half_hours * 30)],
    ) -> MinuteOfDay {
        MinuteOfDay::from_minutes(minute).unwrap()
    }
}

prop_compose! {
    fn any_weekly()(day in 0..7_usize, start in any_minute(1_439), end in any_minute(1_440))
        -> WeeklyWindow
    {
        WeeklyWindow { day: Weekday::ALL[day], start, end }
    }
}

/// An exception near `date`.
fn any_exception(date: CivilDate) -> impl Strategy<Value = CalendarException> {
    let windows = prop::collection::vec((any_minute(1_439), any_minute(1_440)), 0..3);
    (-7..7_i64, 0..3_i64, windows).prop_map(move |(offset, length, windows)| {
        let first = date.days_since_epoch() + offset;
        CalendarException {
            first_date: date_of(first),
            last_date: date_of(first + length),
            windows: windows
                .into_iter()
                .map(|(start, end)| DayWindow { start, end })
                .collect(),
            description: String::new(),
        }
    })
}

fn date_of(day: i64) -> CivilDate {
    let shown = jiff::tz::Offset::UTC
        .to_datetime(jiff::Timestamp::from_microsecond(day * MICROS_PER_DAY).unwrap());
    CivilDate::new(shown.year(), shown.month(), shown.day()).unwrap()
}

/// A specification, and a day near which it is interesting.
pub(super) fn any_case() -> impl Strategy<Value = (CalendarSpecification, i64)> {
    (0..ZONES.len(), 0..DATES.len()).prop_flat_map(|(zone, day)| {
        let around = date(DATES[day]);
        let weekly = prop::collection::vec(any_weekly(), 1..8);
        let exceptions = prop::collection::vec(any_exception(around), 0..4);
        (weekly, exceptions).prop_map(move |(weekly_windows, exceptions)| {
            let time_zone = ZONES[zone].to_owned();
            let specification = CalendarSpecification {
                time_zone,
                weekly_windows,
                exceptions,
            };
            (specification, around.days_since_epoch())
        })
    })
}

/// The minutes `[first, first + open.len())` since the epoch, each open or not.
pub(super) struct Minutes {
    first: i64,
    open: Vec<bool>,
}

impl Minutes {
    /// Marks wall-clock minutes, then carries every run of them over to instants by jiff alone.
    pub(super) fn new(specification: &CalendarSpecification, around: i64) -> Self {
        let (_, tzif) = pinned_zone(&specification.time_zone).unwrap();
        let zone = jiff::tz::TimeZone::tzif("", tzif).unwrap();
        let instant = |minute: i64| {
            let as_if_utc = jiff::Timestamp::from_microsecond(minute * MINUTE).unwrap();
            let shown = jiff::tz::Offset::UTC.to_datetime(as_if_utc);
            let found = zone.to_ambiguous_timestamp(shown).compatible().unwrap();
            assert_eq!(found.as_microsecond() % MINUTE, 0);
            found.as_microsecond() / MINUTE
        };
        let first = (around - REACH_DAYS - 5) * DAY_MINUTES;
        let length = usize::try_from((2 * REACH_DAYS + 10) * DAY_MINUTES).unwrap();
        let mut wall = vec![false; length];
        let mut closed = Vec::new();
        for day in (around - REACH_DAYS - 4)..(around + REACH_DAYS + 3) {
            let midnight = day * DAY_MINUTES;
            if instant(midnight) == instant(midnight + DAY_MINUTES) {
                continue;
            }
            let windows = windows_of(specification, day);
            if windows.is_none() {
                closed.push(instant(midnight)..instant(midnight + DAY_MINUTES));
            }
            for (start, end) in windows.unwrap_or_default() {
                mark(&mut wall, first, midnight + start..midnight + end, true);
            }
        }
        let mut open = vec![false; length];
        let mut run_start = None;
        for (minute, is_open) in (first..).zip(wall) {
            match (run_start, is_open) {
                (None, true) => run_start = Some(minute),
                (Some(start), false) => {
                    mark(&mut open, first, instant(start)..instant(minute), true);
                    run_start = None;
                }
                _ => {}
            }
        }
        for range in closed {
            mark(&mut open, first, range, false);
        }
        Self { first, open }
    }

    pub(super) fn is_open(&self, minute: i64) -> bool {
        self.open[usize::try_from(minute - self.first).unwrap()]
    }
}

/// Minutes after midnight that open on a day; `None` when an exception closes it.
fn windows_of(specification: &CalendarSpecification, day: i64) -> Option<Vec<(i64, i64)>> {
    let relative = |start: MinuteOfDay, end: MinuteOfDay| {
        let over_midnight = if end <= start { DAY_MINUTES } else { 0 };
        (
            i64::from(start.minutes()),
            i64::from(end.minutes()) + over_midnight,
        )
    };
    let date = date_of(day);
    let covering = specification
        .exceptions
        .iter()
        .rfind(|e| e.first_date <= date && date <= e.last_date);
    match covering {
        Some(exception) if exception.windows.is_empty() => None,
        Some(exception) => Some(
            exception
                .windows
                .iter()
                .map(|w| relative(w.start, w.end))
                .collect(),
        ),
        None => {
            let weekday = Weekday::ALL[usize::try_from((day + 3).rem_euclid(7)).unwrap()];
            let opening = specification
                .weekly_windows
                .iter()
                .filter(|w| w.day == weekday);
            Some(opening.map(|w| relative(w.start, w.end)).collect())
        }
    }
}

fn mark(minutes: &mut [bool], first: i64, range: std::ops::Range<i64>, value: bool) {
    for minute in range {
        if let Some(slot) = usize::try_from(minute - first)
            .ok()
            .and_then(|i| minutes.get_mut(i))
        {
            *slot = value;
        }
    }
}

pub(super) fn compiled(specification: &CalendarSpecification) -> Option<CompiledCalendar> {
    let (_, tzif) = pinned_zone(&specification.time_zone).unwrap();
    CompiledCalendar::compile(specification, tzif).ok()
}

pub(super) fn instant(minute: i64) -> Timestamp {
    Timestamp::from_micros(minute * MINUTE)
}

/// An instant that a record may carry, in microseconds.
pub(super) fn any_instant() -> impl Strategy<Value = Timestamp> {
    (Timestamp::EARLIEST.as_micros()..Timestamp::LATEST.as_micros())
        .prop_map(Timestamp::from_micros)
}

/// Lengths from nothing to some months.
pub(super) fn any_length() -> impl Strategy<Value = Span> {
    prop_oneof![
        (0..100_000_000_i64).prop_map(Span::from_micros),
        (0..10_000_i64).prop_map(Span::from_minutes),
        (0..100_i64).prop_map(Span::from_hours),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Every answer agrees with the minutes marked one by one.
    #[test]
    fn agrees_with_minutes_marked_one_by_one((specification, around) in any_case()) {
        let minutes = Minutes::new(&specification, around);
        let Some(calendar) = compiled(&specification) else { return Ok(()) };
        let first = (around - REACH_DAYS) * DAY_MINUTES;
        let last = (around + REACH_DAYS) * DAY_MINUTES;
        // The range may begin or end in between.
        let first = first.max(RANGE_START.as_micros() / MINUTE);
        let mut open = 0;
        let mut next_close = None;
        for minute in first..last {
            prop_assert_eq!(
                calendar.elapsed(instant(first), instant(minute)), Span::from_minutes(open)
            );
            prop_assert_eq!(calendar.is_open(instant(minute)), minutes.is_open(minute));
            if minutes.is_open(minute) {
                open += 1;
                let end = calendar.add(instant(first), Span::from_minutes(open));
                prop_assert_eq!(end, Some(instant(minute + 1)));
                let back = calendar.subtract(instant(last), Span::from_minutes(open));
                prop_assert!(back.is_some());
            } else if minute > first && minutes.is_open(minute - 1) {
                next_close = next_close.or(Some(minute));
            }
        }
        if let Some(minute) = next_close {
            prop_assert_eq!(calendar.next_close(instant(first)), Some(instant(minute)));
        }
        for minute in (first..last).rev().filter(|minute| minutes.is_open(*minute)) {
            let length = calendar.elapsed(instant(minute), instant(last));
            prop_assert_eq!(calendar.subtract(instant(last), length), Some(instant(minute)));
        }
    }

    /// The intervals are in order, apart, open throughout, and add up to what elapsed.
    #[test]
    fn intervals_add_up((specification, around) in any_case(), days in 0..900_i64) {
        let Some(calendar) = compiled(&specification) else { return Ok(()) };
        let from = instant(around * DAY_MINUTES);
        let to = instant((around + days) * DAY_MINUTES);
        let (mut total, mut last_close) = (Span::ZERO, None);
        for (open, close) in calendar.open_intervals(from, to) {
            prop_assert!(from <= open && open < close && close <= to);
            prop_assert!(last_close.is_none_or(|last| last < open));
            prop_assert!(calendar.is_open(open));
            prop_assert!(close == to || !calendar.is_open(close));
            total = total.saturating_add(close.since(open));
            last_close = Some(close);
        }
        prop_assert_eq!(total, calendar.elapsed(from, to));
    }

    /// `add` and `elapsed` undo each other, and `add` finds the earliest instant.
    #[test]
    fn adding_and_measuring_are_inverse(
        (specification, _) in any_case(), from in any_instant(), length in any_length(),
    ) {
        let Some(calendar) = compiled(&specification) else { return Ok(()) };
        let Some(end) = calendar.add(from, length) else { return Ok(()) };
        prop_assert!(end >= from);
        prop_assert_eq!(calendar.elapsed(from, end), length);
        if length > Span::ZERO {
            let just_before = Timestamp::from_micros(end.as_micros() - 1);
            prop_assert!(calendar.elapsed(from, just_before) < length);
            let start = calendar.subtract(end, length);
            prop_assert_eq!(start, calendar.add(from, Span::ZERO));
        } else {
            prop_assert!(calendar.is_open(end));
        }
    }

    /// `subtract` and `elapsed` undo each other, and `subtract` finds the latest instant.
    #[test]
    fn subtracting_and_measuring_are_inverse(
        (specification, _) in any_case(), from in any_instant(), length in any_length(),
    ) {
        let Some(calendar) = compiled(&specification) else { return Ok(()) };
        let Some(start) = calendar.subtract(from, length) else { return Ok(()) };
        prop_assert!(start <= from);
        prop_assert_eq!(calendar.elapsed(start, from), length);
        if length > Span::ZERO {
            let just_after = Timestamp::from_micros(start.as_micros() + 1);
            prop_assert!(calendar.elapsed(just_after, from) < length);
        } else {
            let just_before = Timestamp::from_micros(start.as_micros() - 1);
            prop_assert!(calendar.is_open(just_before));
        }
    }

    /// Measuring in two steps is measuring in one, and time never runs backwards.
    #[test]
    fn a_split_changes_nothing(
        (specification, _) in any_case(),
        mut instants in prop::array::uniform3(any_instant()),
    ) {
        let Some(calendar) = compiled(&specification) else { return Ok(()) };
        instants.sort_unstable();
        let [from, middle, to] = instants;
        let parts = (calendar.elapsed(from, middle), calendar.elapsed(middle, to));
        let whole = calendar.elapsed(from, to);
        prop_assert_eq!(parts.0.saturating_add(parts.1), whole);
        prop_assert!(parts.0 <= whole && whole <= to.since(from));
        prop_assert_eq!(calendar.elapsed(to, from), Span::ZERO);
    }

    /// A later start or a longer length never ends earlier.
    #[test]
    fn adding_is_monotone(
        (specification, _) in any_case(), from in any_instant(),
        later in any_length(), length in any_length(), longer in any_length(),
    ) {
        let Some(calendar) = compiled(&specification) else { return Ok(()) };
        let end = calendar.add(from, length);
        for other in [
            calendar.add(from.saturating_add(later), length),
            calendar.add(from, length.max(Span::from_micros(1)).saturating_add(longer)),
        ] {
            if let (Some(end), Some(other)) = (end, other) {
                prop_assert!(length == Span::ZERO || end <= other);
            }
        }
    }

    /// Around the clock, in any zone, open time is plain subtraction.
    #[test]
    fn around_the_clock_is_subtraction(
        zone in 0..ZONES.len(), from in any_instant(), to in any_instant(), length in any_length(),
    ) {
        let always = weekly(ZONES[zone], &Weekday::ALL, "00:00", "24:00");
        // An exception that changes nothing keeps the calendar on its schedule.
        let idle = [exception("2026-01-01", "2026-01-01", &[("00:00", "24:00")])];
        let scheduled =
            with_exceptions(ZONES[zone], windows(&Weekday::ALL, "00:00", "24:00"), &idle);
        prop_assert!(matches!(scheduled.openness, Openness::Scheduled(_)));
        for calendar in [always, scheduled] {
            prop_assert_eq!(calendar.elapsed(from, to), to.since(from).max(Span::ZERO));
            prop_assert_eq!(calendar.add(from, length), Some(from.saturating_add(length)));
            let back = Timestamp::from_micros(from.as_micros() - length.as_micros());
            let expected = Some(back).filter(|back| *back >= RANGE_START);
            prop_assert_eq!(calendar.subtract(from, length), expected);
            prop_assert!(calendar.is_open(from));
            prop_assert_eq!(calendar.next_close(from), None);
        }
    }
}
