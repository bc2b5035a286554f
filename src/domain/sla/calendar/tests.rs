use super::*;

fn minute(text: &str) -> MinuteOfDay {
    MinuteOfDay::parse(text).unwrap()
}

fn date(text: &str) -> CivilDate {
    CivilDate::parse(text).unwrap()
}

fn office() -> CalendarSpecification {
    CalendarSpecification {
        time_zone: "Europe/Paris".to_owned(),
        weekly_windows: vec![WeeklyWindow {
            day: Weekday::Monday,
            start: minute("09:00"),
            end: minute("17:00"),
        }],
        exceptions: vec![CalendarException {
            first_date: date("2026-07-14"),
            last_date: date("2026-07-14"),
            windows: Vec::new(),
            description: "Bastille Day".to_owned(),
        }],
    }
}

#[test]
fn times_of_day_run_to_24_00() {
    assert_eq!(minute("00:00"), MinuteOfDay::MIDNIGHT);
    assert_eq!(minute("24:00"), MinuteOfDay::END_OF_DAY);
    assert_eq!(minute("09:30").minutes(), 570);
    assert_eq!(minute("09:30").to_string(), "09:30");
    for text in [
        "24:01", "25:00", "9:00", "09:60", "0900", "", "09:00:00", "-1:00", "+9:00", "٠٩:00",
    ] {
        assert!(MinuteOfDay::parse(text).is_err(), "{text}");
    }
    assert_eq!(MinuteOfDay::from_minutes(1_441), None);
}

#[test]
fn dates_must_exist() {
    for text in [
        "2000-02-29",
        "2024-02-29",
        "0001-01-01",
        "9999-12-31",
        "2026-04-30",
    ] {
        assert_eq!(date(text).to_string(), text);
    }
    for text in [
        "2100-02-29",
        "2023-02-29",
        "2026-04-31",
        "2026-13-01",
        "2026-00-10",
        "2026-01-00",
        "0000-01-01",
        "2026-1-1",
        "20260101",
        "2026-01-1x",
    ] {
        assert!(CivilDate::parse(text).is_err(), "{text}");
    }
}

#[test]
fn day_numbers_agree_with_a_walk_over_the_calendar() {
    assert_eq!(date("1970-01-01").days_since_epoch(), 0);
    assert_eq!(date("2000-03-01").days_since_epoch(), 11_017);
    assert_eq!(date("0001-01-01").days_since_epoch(), days_before_year(1));
    let mut expected = date("1890-01-01").days_since_epoch();
    for (year, month, day) in (1890..2110_i16).flat_map(|year| {
        (1..=12_i8).flat_map(move |month| (1..=31_i8).map(move |day| (year, month, day)))
    }) {
        if let Some(date) = CivilDate::new(year, month, day) {
            assert_eq!(date.days_since_epoch(), expected, "{date}");
            expected += 1;
        }
    }
}

#[test]
fn json_form_is_plain_text_and_strict() {
    let specification = office();
    let json = serde_json::to_string(&specification).unwrap();
    assert_eq!(
        json,
        r#"{"time_zone":"Europe/Paris","weekly_windows":[{"day":"monday","start":"09:00","end":"17:00"}],"exceptions":[{"first_date":"2026-07-14","last_date":"2026-07-14","windows":[],"description":"Bastille Day"}]}"#
    );
    assert_eq!(
        serde_json::from_str::<CalendarSpecification>(&json).unwrap(),
        specification
    );
    let extra = json.replacen('{', r#"{"colour":"red","#, 1);
    assert!(serde_json::from_str::<CalendarSpecification>(&extra).is_err());
    let late = json.replace("17:00", "24:30");
    assert!(serde_json::from_str::<CalendarSpecification>(&late).is_err());
}

#[test]
fn a_good_calendar_has_no_violations() {
    assert_eq!(office().validate(), []);
}

#[test]
fn every_violation_is_named_by_its_path() {
    let mut bad = office();
    bad.time_zone = "Europe/Pairs".to_owned();
    bad.weekly_windows[0].start = MinuteOfDay::END_OF_DAY;
    bad.exceptions[0].last_date = date("2026-07-13");
    bad.exceptions[0].windows = vec![
        DayWindow {
            start: MinuteOfDay::END_OF_DAY,
            end: minute("01:00")
        };
        25
    ];
    bad.exceptions[0].description = "x".repeat(DESCRIPTION_BYTES_MAX + 1);
    let found = bad.validate();
    assert!(found[0].is_zone_unknown() && !found[0].is_never_open());
    let paths: Vec<_> = found.iter().map(CalendarError::path).collect();
    assert_eq!(
        paths[..4],
        [
            "time_zone",
            "weekly_windows[0].start",
            "exceptions[0].last_date",
            "exceptions[0].windows"
        ]
    );
    assert_eq!(paths[4], "exceptions[0].windows[0].start");
    assert_eq!(paths.last(), Some(&"exceptions[0].description"));
    for violation in &found {
        assert!(
            violation.to_string().starts_with(violation.path()),
            "{violation}"
        );
    }
}

#[test]
fn lists_are_bounded_and_so_is_the_answer() {
    let mut bad = office();
    bad.weekly_windows = vec![bad.weekly_windows[0]; WEEKLY_WINDOWS_MAX + 1];
    bad.exceptions = vec![bad.exceptions[0].clone(); EXCEPTIONS_MAX + 1];
    assert_eq!(
        bad.validate(),
        [
            CalendarError::TooManyWeeklyWindows { count: 101 },
            CalendarError::TooManyExceptions { count: 1_001 }
        ]
    );
    for exception in &mut bad.exceptions {
        exception.last_date = date("2020-01-01");
    }
    assert_eq!(bad.validate().len(), VIOLATIONS_MAX);
}

#[test]
fn a_calendar_without_any_window_never_opens() {
    let mut empty = office();
    empty.weekly_windows.clear();
    assert_eq!(empty.validate(), [CalendarError::NeverOpens]);
    assert!(empty.validate()[0].is_never_open() && !empty.validate()[0].is_zone_unknown());
}

#[test]
fn texts_at_a_path_are_read_or_refused_with_it() {
    let refused = MinuteOfDay::parse_at("weekly_windows[3].end", "25:00").unwrap_err();
    assert_eq!(refused.path(), "weekly_windows[3].end");
    assert!(refused.to_string().contains("\"25:00\""), "{refused}");
    let refused = CivilDate::parse_at("exceptions[0].first_date", &"9".repeat(1_000)).unwrap_err();
    assert_eq!(refused.path(), "exceptions[0].first_date");
    assert!(refused.to_string().len() < 200);
    assert!(
        MinuteOfDay::parse_at("", "10:00").is_ok() && CivilDate::parse_at("", "2026-01-01").is_ok()
    );
}

#[test]
fn zones_are_found_whatever_their_case() {
    let (name, bytes) = pinned_zone("europe/paris").unwrap();
    assert_eq!(name, "Europe/Paris");
    assert!(bytes.starts_with(b"TZif"));
    assert!(pinned_zone("Mars/Olympus").is_none());
}
