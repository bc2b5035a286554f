use super::super::calendar::{
    CalendarException, DayWindow, MinuteOfDay, Weekday, WeeklyWindow, pinned_zone,
};
use super::*;
use proptest::prelude::*;

mod against_minutes;
mod combined;

const WORKDAYS: [Weekday; 5] = [
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
];

fn at(text: &str) -> Timestamp {
    Timestamp::from_micros(text.parse::<jiff::Timestamp>().unwrap().as_microsecond())
}

fn minute(text: &str) -> MinuteOfDay {
    MinuteOfDay::parse(text).unwrap()
}

fn date(text: &str) -> CivilDate {
    CivilDate::parse(text).unwrap()
}

fn windows(days: &[Weekday], start: &str, end: &str) -> Vec<WeeklyWindow> {
    let (start, end) = (minute(start), minute(end));
    days.iter()
        .map(|day| WeeklyWindow {
            day: *day,
            start,
            end,
        })
        .collect()
}

fn specification(zone: &str, weekly_windows: Vec<WeeklyWindow>) -> CalendarSpecification {
    CalendarSpecification {
        time_zone: zone.to_owned(),
        weekly_windows,
        exceptions: Vec::new(),
    }
}

fn compile(specification: &CalendarSpecification) -> CompiledCalendar {
    assert_eq!(specification.validate(), []);
    let (_, tzif) = pinned_zone(&specification.time_zone).unwrap();
    CompiledCalendar::compile(specification, tzif).unwrap()
}

/// The same window on the given days.
fn weekly(zone: &str, days: &[Weekday], start: &str, end: &str) -> CompiledCalendar {
    compile(&specification(zone, windows(days, start, end)))
}

fn exception(first: &str, last: &str, windows: &[(&str, &str)]) -> CalendarException {
    CalendarException {
        first_date: date(first),
        last_date: date(last),
        windows: windows
            .iter()
            .map(|(start, end)| DayWindow {
                start: minute(start),
                end: minute(end),
            })
            .collect(),
        description: String::new(),
    }
}

fn with_exceptions(
    zone: &str,
    weekly_windows: Vec<WeeklyWindow>,
    exceptions: &[CalendarException],
) -> CompiledCalendar {
    compile(&CalendarSpecification {
        exceptions: exceptions.to_vec(),
        ..specification(zone, weekly_windows)
    })
}

/// Hours between two instants in tenths, so that half hours show.
fn tenths_of_hours(calendar: &CompiledCalendar, from: &str, to: &str) -> i64 {
    calendar.elapsed(at(from), at(to)).as_micros() * 10 / (MICROS_PER_DAY / 24)
}

fn intervals(calendar: &CompiledCalendar, from: &str, to: &str) -> Vec<String> {
    calendar
        .open_intervals(at(from), at(to))
        .map(|(open, close)| format!("{open}/{close}"))
        .collect()
}

#[test]
fn friday_afternoon_runs_into_monday() {
    let calendar = weekly("Europe/Paris", &WORKDAYS, "09:00", "17:00");
    let friday = at("2026-11-20T16:30:00+01:00");
    assert_eq!(
        calendar.add(friday, Span::from_hours(1)),
        Some(at("2026-11-23T09:30:00+01:00"))
    );
    assert_eq!(
        calendar.subtract(at("2026-11-23T09:30:00+01:00"), Span::from_hours(1)),
        Some(friday)
    );
    assert_eq!(
        calendar.elapsed(friday, at("2026-11-23T09:30:00+01:00")),
        Span::from_hours(1)
    );
}

#[test]
fn a_length_used_up_at_the_edge_stays_there() {
    let calendar = weekly("UTC", &WORKDAYS, "09:00", "17:00");
    let (monday, eight) = (at("2026-11-23T09:00:00Z"), Span::from_hours(8));
    let close = at("2026-11-23T17:00:00Z");
    assert_eq!(calendar.add(monday, eight), Some(close));
    assert_eq!(calendar.subtract(close, eight), Some(monday));
    assert_eq!(
        calendar.subtract(at("2026-11-24T09:00:00Z"), eight),
        Some(monday)
    );
    let micro = Span::from_micros(1);
    let beyond = calendar.add(monday, eight.saturating_add(micro));
    assert_eq!(beyond, Some(at("2026-11-24T09:00:00.000001Z")));
}

#[test]
fn no_length_rolls_to_the_nearest_open_time() {
    let calendar = weekly("UTC", &WORKDAYS, "09:00", "17:00");
    let (open, close) = (at("2026-11-23T09:00:00Z"), at("2026-11-23T17:00:00Z"));
    let inside = at("2026-11-23T12:00:00Z");
    for length in [Span::ZERO, Span::from_micros(-5)] {
        assert_eq!(calendar.add(at("2026-11-21T00:00:00Z"), length), Some(open));
        assert_eq!(calendar.add(open, length), Some(open));
        assert_eq!(calendar.add(inside, length), Some(inside));
        assert_eq!(
            calendar.add(close, length),
            Some(at("2026-11-24T09:00:00Z"))
        );
        assert_eq!(
            calendar.subtract(at("2026-11-24T09:00:00Z"), length),
            Some(close)
        );
        assert_eq!(calendar.subtract(inside, length), Some(inside));
        assert_eq!(calendar.subtract(close, length), Some(close));
    }
}

#[test]
fn opening_is_open_and_closing_is_closed() {
    let calendar = weekly("UTC", &WORKDAYS, "09:00", "17:00");
    assert!(!calendar.is_open(at("2026-11-23T08:59:59.999999Z")));
    assert!(calendar.is_open(at("2026-11-23T09:00:00Z")));
    assert!(calendar.is_open(at("2026-11-23T16:59:59.999999Z")));
    assert!(!calendar.is_open(at("2026-11-23T17:00:00Z")));
    assert_eq!(
        calendar.next_close(at("2026-11-23T09:00:00Z")),
        Some(at("2026-11-23T17:00:00Z"))
    );
    assert_eq!(
        calendar.next_close(at("2026-11-23T17:00:00Z")),
        Some(at("2026-11-24T17:00:00Z"))
    );
}

#[test]
fn days_when_paris_changes_its_clocks() {
    let around = weekly("Europe/Paris", &[Weekday::Sunday], "00:00", "24:00");
    assert_eq!(
        tenths_of_hours(&around, "2026-03-28T00:00:00Z", "2026-03-30T12:00:00Z"),
        230
    );
    assert_eq!(
        tenths_of_hours(&around, "2026-10-24T00:00:00Z", "2026-10-26T12:00:00Z"),
        250
    );
    // 02:30 does not exist in March and means 03:30; in October it is the first of two.
    let night = weekly("Europe/Paris", &[Weekday::Sunday], "02:30", "05:00");
    let spring = ["2026-03-29T01:30:00Z/2026-03-29T03:00:00Z"];
    assert_eq!(
        intervals(&night, "2026-03-28T00:00:00Z", "2026-03-30T00:00:00Z"),
        spring
    );
    let autumn = ["2026-10-25T00:30:00Z/2026-10-25T04:00:00Z"];
    assert_eq!(
        intervals(&night, "2026-10-24T00:00:00Z", "2026-10-26T00:00:00Z"),
        autumn
    );
    // Moved past its own end, a window is dropped.
    let emptied = weekly("Europe/Paris", &[Weekday::Sunday], "02:30", "03:15");
    assert!(intervals(&emptied, "2026-03-28T00:00:00Z", "2026-03-30T00:00:00Z").is_empty());
    // Split on the wall clock, it means the same as in one piece.
    let mut split = windows(&[Weekday::Sunday], "01:00", "02:30");
    split.extend(windows(&[Weekday::Sunday], "02:30", "03:15"));
    let split = compile(&specification("Europe/Paris", split));
    let spring = ["2026-03-29T00:00:00Z/2026-03-29T01:15:00Z"];
    assert_eq!(
        intervals(&split, "2026-03-28T00:00:00Z", "2026-03-30T00:00:00Z"),
        spring
    );
    // So it does when the parts belong to two days.
    let mut split = windows(&[Weekday::Saturday], "20:00", "02:30");
    split.extend(windows(&[Weekday::Sunday], "02:30", "03:15"));
    let split = compile(&specification("Europe/Paris", split));
    let spring = ["2026-03-28T19:00:00Z/2026-03-29T01:15:00Z"];
    assert_eq!(
        intervals(&split, "2026-03-28T00:00:00Z", "2026-03-30T00:00:00Z"),
        spring
    );
}

#[test]
fn days_when_other_zones_change_their_clocks() {
    let new_york = weekly("America/New_York", &Weekday::ALL, "01:00", "04:00");
    assert_eq!(
        tenths_of_hours(
            &new_york,
            "2026-03-08T00:00:00-05:00",
            "2026-03-09T00:00:00-04:00"
        ),
        20
    );
    assert_eq!(
        tenths_of_hours(
            &new_york,
            "2026-11-01T00:00:00-04:00",
            "2026-11-02T00:00:00-05:00"
        ),
        40
    );
    // Lord Howe Island moves its clocks by half an hour.
    let lord_howe = weekly("Australia/Lord_Howe", &Weekday::ALL, "00:00", "12:00");
    assert_eq!(
        tenths_of_hours(
            &lord_howe,
            "2026-04-05T00:00:00+11:00",
            "2026-04-06T00:00:00+10:30"
        ),
        125
    );
    assert_eq!(
        tenths_of_hours(
            &lord_howe,
            "2026-10-04T00:00:00+10:30",
            "2026-10-05T00:00:00+11:00"
        ),
        115
    );
    // São Paulo skipped the midnight that began 2015-10-18, and lived its last hour twice.
    let saturday = weekly("America/Sao_Paulo", &[Weekday::Saturday], "20:00", "24:00");
    let skipped = ["2015-10-17T23:00:00Z/2015-10-18T03:00:00Z"];
    assert_eq!(
        intervals(&saturday, "2015-10-17T00:00:00Z", "2015-10-19T00:00:00Z"),
        skipped
    );
    let repeated = ["2016-02-20T22:00:00Z/2016-02-21T03:00:00Z"];
    assert_eq!(
        intervals(&saturday, "2016-02-20T00:00:00Z", "2016-02-22T00:00:00Z"),
        repeated
    );
}

#[test]
fn the_date_that_apia_skipped_does_not_exist() {
    let (from, to) = ("2011-12-29T10:00:00Z", "2011-12-31T10:00:00Z");
    let office = weekly("Pacific/Apia", &Weekday::ALL, "09:00", "17:00");
    assert_eq!(
        intervals(&office, from, to),
        [
            "2011-12-29T19:00:00Z/2011-12-30T03:00:00Z",
            "2011-12-30T19:00:00Z/2011-12-31T03:00:00Z"
        ]
    );
    let friday_only = weekly("Pacific/Apia", &[Weekday::Friday], "09:00", "17:00");
    assert!(intervals(&friday_only, from, to).is_empty());
    let exceptions = [exception("2011-12-30", "2011-12-30", &[])];
    let closed = with_exceptions(
        "Pacific/Apia",
        windows(&Weekday::ALL, "00:00", "24:00"),
        &exceptions,
    );
    assert_eq!(intervals(&closed, from, to), [format!("{from}/{to}")]);
}

#[test]
fn a_closed_date_cuts_the_night_before_and_a_replaced_one_does_not() {
    let nights = windows(&Weekday::ALL, "22:00", "06:00");
    let (from, to) = ("2026-12-24T12:00:00Z", "2026-12-26T12:00:00Z");
    let closed = [exception("2026-12-25", "2026-12-25", &[])];
    assert_eq!(
        intervals(&with_exceptions("UTC", nights.clone(), &closed), from, to),
        ["2026-12-24T22:00:00Z/2026-12-25T00:00:00Z"]
    );
    let replaced = [exception("2026-12-25", "2026-12-25", &[("10:00", "12:00")])];
    assert_eq!(
        intervals(&with_exceptions("UTC", nights, &replaced), from, to),
        [
            "2026-12-24T22:00:00Z/2026-12-25T06:00:00Z",
            "2026-12-25T10:00:00Z/2026-12-25T12:00:00Z"
        ]
    );
}

#[test]
fn of_several_exceptions_the_last_in_the_list_holds() {
    let exceptions = [
        exception("2026-12-01", "2026-12-31", &[]),
        exception("2026-12-10", "2026-12-20", &[("08:00", "10:00")]),
        exception("2026-12-12", "2026-12-12", &[]),
        exception("0001-01-01", "1999-01-01", &[]),
        exception("2026-12-31", "9999-12-31", &[("00:00", "01:00")]),
    ];
    let calendar = with_exceptions("UTC", windows(&Weekday::ALL, "09:00", "17:00"), &exceptions);
    let hours = |from, to| tenths_of_hours(&calendar, from, to) / 10;
    assert_eq!(hours("2026-11-30T00:00:00Z", "2026-12-01T00:00:00Z"), 8);
    assert_eq!(hours("2026-12-01T00:00:00Z", "2026-12-10T00:00:00Z"), 0);
    assert_eq!(hours("2026-12-10T00:00:00Z", "2026-12-13T00:00:00Z"), 4);
    assert_eq!(hours("2026-12-13T00:00:00Z", "2026-12-31T00:00:00Z"), 16);
    assert_eq!(hours("2026-12-31T00:00:00Z", "2027-01-10T00:00:00Z"), 10);
}

#[test]
fn open_time_runs_over_new_year_in_one_piece() {
    let calendar = weekly(
        "UTC",
        &[Weekday::Thursday, Weekday::Friday],
        "00:00",
        "24:00",
    );
    let thursday = at("2026-12-31T00:00:00Z");
    assert_eq!(
        calendar.next_close(thursday),
        Some(at("2027-01-02T00:00:00Z"))
    );
    assert_eq!(
        intervals(&calendar, "2026-12-31T06:00:00Z", "2027-01-01T06:00:00Z"),
        ["2026-12-31T06:00:00Z/2027-01-01T06:00:00Z"]
    );
    let new_year = at("2027-01-01T00:00:00Z");
    assert_eq!(calendar.add(thursday, Span::from_hours(24)), Some(new_year));
    assert_eq!(calendar.subtract(new_year, Span::ZERO), Some(new_year));
    assert_eq!(
        calendar.subtract(at("2027-01-02T00:00:00Z"), Span::from_hours(24)),
        Some(new_year)
    );
}

#[test]
fn windows_that_leave_no_gap_are_always_open() {
    let mut touching = windows(&Weekday::ALL, "18:00", "02:15");
    touching.extend(windows(&Weekday::ALL, "02:15", "20:00"));
    let whole_days = windows(&Weekday::ALL, "00:00", "24:00");
    let round_the_clock = windows(&Weekday::ALL, "09:00", "09:00");
    for weekly_windows in [touching, whole_days, round_the_clock] {
        let calendar = compile(&specification("Europe/Paris", weekly_windows));
        assert!(matches!(calendar.openness, Openness::Always));
        assert_eq!(calendar.next_close(at("2026-01-01T00:00:00Z")), None);
    }
    let six_days = weekly("Europe/Paris", &Weekday::ALL[..6], "09:00", "09:00");
    assert!(matches!(six_days.openness, Openness::Scheduled(_)));
    let gap = weekly("Europe/Paris", &Weekday::ALL, "09:00", "08:59");
    assert!(matches!(gap.openness, Openness::Scheduled(_)));
}

#[test]
fn always_open_is_plain_subtraction_within_the_range() {
    let calendar = CompiledCalendar::always_open();
    let (from, hour) = (at("2026-03-29T00:00:00Z"), Span::from_hours(1));
    assert_eq!(calendar.add(from, hour), Some(at("2026-03-29T01:00:00Z")));
    assert_eq!(
        calendar.subtract(from, hour),
        Some(at("2026-03-28T23:00:00Z"))
    );
    assert_eq!(calendar.add(from, Span::from_micros(i64::MAX)), None);
    assert_eq!(calendar.subtract(from, Span::from_micros(i64::MAX)), None);
    assert_eq!(calendar.add(RANGE_END, Span::ZERO), None);
    assert_eq!(calendar.subtract(RANGE_START, Span::ZERO), None);
    assert!(calendar.is_open(RANGE_START) && !calendar.is_open(RANGE_END));
    assert_eq!(calendar.open_intervals(RANGE_END, RANGE_START).count(), 0);
    let everything = calendar.open_intervals(Timestamp::from_micros(i64::MIN), RANGE_END);
    assert_eq!(everything.collect::<Vec<_>>(), [(RANGE_START, RANGE_END)]);
}

#[test]
fn nothing_is_open_outside_the_range() {
    let calendar = weekly("UTC", &WORKDAYS, "09:00", "17:00");
    let (first, last) = (
        Timestamp::from_micros(i64::MIN),
        Timestamp::from_micros(i64::MAX),
    );
    let whole = calendar.elapsed(first, last);
    assert_eq!(whole, calendar.elapsed(RANGE_START, RANGE_END));
    assert_eq!(calendar.elapsed(last, first), Span::ZERO);
    let close = calendar.add(first, whole).unwrap();
    assert_eq!(
        calendar.subtract(last, whole),
        Some(at("1999-12-30T09:00:00Z"))
    );
    assert_eq!(close, at("2100-12-31T17:00:00Z"));
    let more = whole.saturating_add(Span::from_micros(1));
    assert_eq!(
        (calendar.add(first, more), calendar.subtract(last, more)),
        (None, None)
    );
    let longest = Span::from_micros(i64::MAX);
    assert_eq!(
        (
            calendar.add(first, longest),
            calendar.subtract(last, longest)
        ),
        (None, None)
    );
    assert_eq!(
        (calendar.next_close(close), calendar.next_close(last)),
        (None, None)
    );
    assert_eq!(
        (calendar.add(close, Span::ZERO), calendar.is_open(last)),
        (None, false)
    );
}

#[test]
fn a_calendar_that_never_opens_is_refused() {
    let (_, tzif) = pinned_zone("UTC").unwrap();
    let mut never = specification("UTC", windows(&WORKDAYS, "09:00", "17:00"));
    never.exceptions = vec![exception("1990-01-01", "2200-01-01", &[])];
    assert_eq!(never.validate(), []);
    let refused = CompiledCalendar::compile(&never, tzif);
    assert_eq!(refused.unwrap_err(), CalendarError::NeverOpens);
    never
        .exceptions
        .push(exception("2100-06-01", "2100-06-01", &[("23:59", "24:00")]));
    let once = CompiledCalendar::compile(&never, tzif).unwrap();
    assert_eq!(once.elapsed(RANGE_START, RANGE_END), Span::from_minutes(1));
    assert_eq!(
        once.next_close(RANGE_START),
        Some(at("2100-06-02T00:00:00Z"))
    );
}

#[test]
fn an_unusable_specification_is_refused() {
    let fine = specification("UTC", windows(&WORKDAYS, "09:00", "17:00"));
    let unreadable = CompiledCalendar::compile(&fine, b"not zone data").unwrap_err();
    assert!(
        matches!(unreadable, CalendarError::ZoneDataUnreadable { .. }),
        "{unreadable}"
    );
    let (_, tzif) = pinned_zone("UTC").unwrap();
    let reversed = exception("2026-12-25", "2026-12-24", &[]);
    let bad = CalendarSpecification {
        exceptions: vec![reversed],
        ..fine
    };
    let refused = CompiledCalendar::compile(&bad, tzif).unwrap_err();
    assert_eq!(refused.path(), "exceptions[0].last_date");
}
