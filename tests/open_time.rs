//! Our calendars against those of another program, where both mean the same: windows of whole
//! minutes that repeat every week, with breaks as gaps between them, and holidays.
//!
//! Left out is what they mean differently: a window over midnight beside a holiday (there the night
//! after a holiday is worked, here the window never opened), and a length of zero.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

use entente::domain::sla::calendar::{
    CalendarException, CalendarSpecification, CivilDate, MinuteOfDay, Weekday, WeeklyWindow,
};
use entente::domain::sla::compiled::CompiledCalendar;
use entente::domain::time::{MICROS_PER_HOUR, Span, Timestamp};
use jiff::SignedDuration;
use jiff::civil::{Date, Time};
use proptest::prelude::*;
use workclock::{Holidays, Schedule, Weekdays, WorkDay};

const ZONES: [&str; 6] = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "America/Sao_Paulo",
];
const DAYS: [jiff::civil::Weekday; 7] = [
    jiff::civil::Weekday::Monday,
    jiff::civil::Weekday::Tuesday,
    jiff::civil::Weekday::Wednesday,
    jiff::civil::Weekday::Thursday,
    jiff::civil::Weekday::Friday,
    jiff::civil::Weekday::Saturday,
    jiff::civil::Weekday::Sunday,
];
/// Half hours after midnight in which some zone changes its clocks.
const CHANGES: std::ops::Range<u16> = 1..7;
/// 2005-01-01 and 2035-01-01: where zone data of different years agree.
const YEARS: std::ops::Range<i64> = 1_104_537_600_000_000..2_051_222_400_000_000;

/// The same calendar in both programs.
#[derive(Debug)]
struct Both {
    ours: CompiledCalendar,
    theirs: Schedule,
}

/// Windows of `(weekday, start, end)` in minutes, and holidays as days after 2005-01-01.
fn both(zone: &str, windows: &[(usize, u16, u16)], holidays: &[i64]) -> Both {
    let minute = |minutes| MinuteOfDay::from_minutes(minutes).unwrap();
    let holidays: Vec<Date> = holidays
        .iter()
        .map(|day| jiff::civil::date(2005, 1, 1) + jiff::Span::new().days(*day))
        .collect();
    let closed = |date: &Date| {
        let date = CivilDate::new(date.year(), date.month(), date.day()).unwrap();
        CalendarException {
            first_date: date,
            last_date: date,
            windows: Vec::new(),
            description: String::new(),
        }
    };
    let window = |(day, start, end): &(usize, u16, u16)| WeeklyWindow {
        day: Weekday::ALL[*day],
        start: minute(*start),
        end: minute(*end),
    };
    let specification = CalendarSpecification {
        time_zone: zone.to_owned(),
        weekly_windows: windows.iter().map(window).collect(),
        exceptions: holidays.iter().map(closed).collect(),
    };
    let ours = CompiledCalendar::compile_with_bundled_zone(&specification).unwrap();
    let time = |minutes: u16| {
        let (hour, minute) = (minutes / 60 % 24, minutes % 60);
        Time::new(
            i8::try_from(hour).unwrap(),
            i8::try_from(minute).unwrap(),
            0,
            0,
        )
        .unwrap()
    };
    let mut builder = Schedule::builder().time_zone(zone);
    for (day, start, end) in windows {
        builder = builder.rule(WorkDay::new(
            time(*start),
            time(*end),
            Weekdays::from_iter([DAYS[*day]]),
        ));
    }
    if !holidays.is_empty() {
        builder = builder.rule(Holidays::new(holidays));
    }
    let theirs = builder.build().unwrap();
    Both { ours, theirs }
}

/// Half hours after midnight, moved out of the hours in which clocks are changed: what an edge there
/// means is agreed with nobody, and has vectors of its own.
fn start_of(half_hours: u16) -> u16 {
    if CHANGES.contains(&half_hours) {
        0
    } else {
        half_hours * 30
    }
}

/// As [`start_of`], for the end of a window.
fn end_of(half_hours: u16) -> u16 {
    if CHANGES.contains(&half_hours) {
        CHANGES.end * 30
    } else {
        half_hours * 30
    }
}

prop_compose! {
    /// Windows within a day, with holidays.
    fn by_day()(
        zone in 0..ZONES.len(),
        windows in prop::collection::vec((0..7_usize, 0..48_u16, 1..=48_u16), 1..8),
        holidays in prop::collection::vec(0..10_950_i64, 0..40),
    ) -> Both {
        let windows: Vec<_> = windows
            .into_iter()
            .map(|(day, one, other)| {
                let (first, last) = (one.min(other - 1), one.max(other - 1));
                (day, start_of(first), end_of(last + 1))
            })
            .collect();
        both(ZONES[zone], &windows, &holidays)
    }
}

prop_compose! {
    /// Windows over midnight, without holidays.
    fn by_night()(
        zone in 0..ZONES.len(),
        windows in prop::collection::vec((0..7_usize, 24..48_u16, 0..24_u16), 1..8),
    ) -> Both {
        let windows: Vec<_> = windows
            .into_iter()
            .map(|(day, start, end)| (day, start_of(start), end_of(end)))
            .collect();
        both(ZONES[zone], &windows, &[])
    }
}

fn theirs(at: Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_microsecond(at.as_micros()).unwrap()
}

fn ours(at: jiff::Timestamp) -> Timestamp {
    Timestamp::from_micros(at.as_microsecond())
}

fn agree(calendar: &Both, from: i64, length: i64, far: i64) -> Result<(), TestCaseError> {
    let (from, length) = (Timestamp::from_micros(from), Span::from_micros(length));
    for to in [from.saturating_add(length), Timestamp::from_micros(far)] {
        let between = calendar.theirs.between(theirs(from), theirs(to));
        let elapsed = calendar.ours.elapsed(from, to).as_micros()
            - calendar.ours.elapsed(to, from).as_micros();
        prop_assert_eq!(elapsed, i64::try_from(between.as_micros()).unwrap());
    }
    let duration = SignedDuration::from_micros(length.as_micros());
    if let Ok(end) = calendar.theirs.add(theirs(from), duration) {
        prop_assert_eq!(calendar.ours.add(from, length), Some(ours(end)));
    }
    if let Ok(start) = calendar.theirs.sub(theirs(from), duration)
        && ours(start) >= Timestamp::EARLIEST
    {
        prop_assert_eq!(calendar.ours.subtract(from, length), Some(ours(start)));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Days with breaks and holidays.
    #[test]
    fn days_agree(
        calendar in by_day(), from in YEARS, length in 1..300 * MICROS_PER_HOUR, far in YEARS,
    ) {
        agree(&calendar, from, length, far)?;
    }

    /// Nights, which begin on one day and end on the next.
    #[test]
    fn nights_agree(
        calendar in by_night(), from in YEARS, length in 1..300 * MICROS_PER_HOUR, far in YEARS,
    ) {
        agree(&calendar, from, length, far)?;
    }
}
