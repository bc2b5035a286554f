use super::*;
use crate::domain::sla::calendar::{MinuteOfDay, Weekday, WeeklyWindow};

mod rules;

/// Monday to Friday, 9 to 17 in Berlin.
fn office() -> CalendarSpecification {
    let minute = |text| MinuteOfDay::parse(text).unwrap();
    let window = |day: &Weekday| WeeklyWindow {
        day: *day,
        start: minute("09:00"),
        end: minute("17:00"),
    };
    CalendarSpecification {
        time_zone: "Europe/Berlin".to_owned(),
        weekly_windows: Weekday::ALL[..5].iter().map(window).collect(),
        exceptions: Vec::new(),
    }
}

/// A text of events, each a few lines.
fn text(events: &[&str]) -> String {
    let mut text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Test//EN\r\n".to_owned();
    for event in events {
        text += "BEGIN:VEVENT\r\n";
        for line in event.lines() {
            text = text + line.trim_start_matches("    ") + "\r\n";
        }
        text += "END:VEVENT\r\n";
    }
    text + "END:VCALENDAR\r\n"
}

fn years(first: i16, last: i16) -> Horizon {
    Horizon::new(first, last).unwrap()
}

/// Each exception on a line: dates, windows, description.
fn read(text: &str, horizon: Horizon) -> Vec<String> {
    let found = exceptions(text, &office(), horizon).unwrap();
    let show = |exception: &CalendarException| {
        let mut shown = exception.first_date.to_string();
        if exception.last_date != exception.first_date {
            shown = format!("{shown}/{}", exception.last_date);
        }
        for window in &exception.windows {
            shown = format!("{shown} {}-{}", window.start, window.end);
        }
        format!("{shown} {}", exception.description)
            .trim_end()
            .to_owned()
    };
    found.iter().map(show).collect()
}

/// Germany's nationwide holidays as programs write them: fixed ones every year, those that move with
/// Easter one by one.
const GERMANY: &[&str] = &[
    "UID:neujahr@test\nSUMMARY:Neujahr\nDTSTART;VALUE=DATE:20200101\nDTEND;VALUE=DATE:20200102\nRRULE:FREQ=YEARLY",
    "UID:karfreitag-26@test\nSUMMARY:Karfreitag\nDTSTART;VALUE=DATE:20260403",
    "UID:ostermontag-26@test\nSUMMARY:Ostermontag\nDTSTART;VALUE=DATE:20260406\nDURATION:P1D",
    "UID:arbeit@test\nSUMMARY:Tag der Arbeit\nDTSTART;VALUE=DATE:20200501\nRRULE:FREQ=YEARLY;BYMONTH=5;BYMONTHDAY=1",
    "UID:himmelfahrt-26@test\nSUMMARY:Christi Himmelfahrt\nDTSTART;VALUE=DATE:20260514",
    "UID:pfingsten-26@test\nSUMMARY:Pfingstmontag\nDTSTART;VALUE=DATE:20260525",
    "UID:einheit@test\nSUMMARY:Tag der Deutschen\n  Einheit\nDTSTART;VALUE=DATE:20201003\nRRULE:FREQ=YEARLY",
    "UID:weihnachten@test\nSUMMARY:Weihnachten\nDTSTART;VALUE=DATE:20201225\nDTEND;VALUE=DATE:20201227\nRRULE:FREQ=YEARLY;UNTIL=20301231",
];

#[test]
fn the_holidays_of_a_country() {
    let found = read(&text(GERMANY), years(2026, 2026));
    let expected = [
        "2026-01-01 Neujahr",
        "2026-04-03 Karfreitag",
        "2026-04-06 Ostermontag",
        "2026-05-01 Tag der Arbeit",
        "2026-05-14 Christi Himmelfahrt",
        "2026-05-25 Pfingstmontag",
        "2026-10-03 Tag der Deutschen Einheit",
        "2026-12-25/2026-12-26 Weihnachten",
    ];
    assert_eq!(found, expected);
    // Five of them each year, and the four of 2026 alone.
    assert_eq!(
        read(&text(GERMANY), years(2025, 2034)).len(),
        3 * 10 + 6 + 4
    );
}

#[test]
fn dates_are_left_out_and_added_and_moved() {
    let company = text(&[
        "UID:day@test\nSUMMARY:Day off\nDTSTART;VALUE=DATE:20240105\nRRULE:FREQ=MONTHLY;BYDAY=1FR\nEXDATE;VALUE=DATE:20240301,20240405\nRDATE;VALUE=DATE:20240311",
        // In June it is a week later, in July not at all.
        "UID:day@test\nSUMMARY:Day off\\, later\nRECURRENCE-ID;VALUE=DATE:20240607\nDTSTART;VALUE=DATE:20240614",
        "UID:day@test\nSUMMARY:Day off\nSTATUS:CANCELLED\nRECURRENCE-ID;VALUE=DATE:20240705\nDTSTART;VALUE=DATE:20240705",
    ]);
    let found = read(&company, years(2024, 2024));
    let dates: Vec<&str> = found.iter().map(|line| &line[..10]).collect();
    let expected = [
        "2024-01-05",
        "2024-02-02",
        "2024-03-11",
        "2024-05-03",
        "2024-06-14",
        "2024-08-02",
        "2024-09-06",
        "2024-10-04",
        "2024-11-01",
        "2024-12-06",
    ];
    assert_eq!(dates, expected);
    assert!(found.contains(&"2024-06-14 Day off, later".to_owned()));
}

#[test]
fn times_of_day_close_a_part_of_the_date() {
    let partly = text(&[
        // Clocks of the office, of another zone, and of UTC.
        "SUMMARY:Christmas Eve\nDTSTART:20261224T120000\nDTEND:20261224T235959",
        "SUMMARY:Call\nDTSTART;TZID=America/New_York:20260302T080000\nDURATION:PT1H30M",
        "SUMMARY:Lunch\nDTSTART:20260304T110000Z\nDTEND:20260304T120000Z",
        // Over midnight, up to the next noon.
        "SUMMARY:Move\nDTSTART:20260312T160000\nDTEND:20260313T120000",
        // Beside the opening hours, and of no length: nothing changes.
        "SUMMARY:Party\nDTSTART:20260320T180000\nDTEND:20260320T230000",
        "SUMMARY:Reminder\nDTSTART:20260324T100000",
    ]);
    let expected = [
        "2026-03-02 09:00-14:00 15:30-17:00 Call",
        "2026-03-04 09:00-12:00 13:00-17:00 Lunch",
        "2026-03-12 09:00-16:00 Move",
        "2026-03-13 12:00-17:00 Move",
        "2026-12-24 09:00-12:00 Christmas Eve",
    ];
    assert_eq!(read(&partly, years(2026, 2026)), expected);
}

#[test]
fn a_holiday_stays_closed_whatever_else_is_on_its_date() {
    let both = text(&[
        "SUMMARY:Morning\nDTSTART:20260105T090000\nDTEND:20260105T100000",
        "SUMMARY:Holiday\nDTSTART;VALUE=DATE:20260105",
        "SUMMARY:Evening\nDTSTART:20260105T160000\nDTEND:20260105T170000",
        // Two that leave nothing.
        "SUMMARY:One\nDTSTART:20260106T090000\nDTEND:20260106T130000",
        "SUMMARY:Two\nDTSTART:20260106T120000\nDTEND:20260106T173000",
    ]);
    let expected = ["2026-01-05 Morning", "2026-01-06 One"];
    assert_eq!(read(&both, years(2026, 2026)), expected);
}

#[test]
fn what_surrounds_events_is_passed_over() {
    let rich = "\u{feff}BEGIN:VCALENDAR\nX-WR-CALNAME:Feiertage\nBEGIN:VTIMEZONE\nTZID:Europe/Berlin\nBEGIN:STANDARD\nDTSTART:19701025T030000\nRRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\nEND:STANDARD\nEND:VTIMEZONE\n\nBEGIN:VTODO\nDTSTART:nonsense\nEND:VTODO\nbegin:vevent\ndtstart;value=DATE;x-p=\"a:b;c\":20260106\nsummary;language=de:Heilige drei K\n önige\nBEGIN:VALARM\nTRIGGER:-PT15M\nDURATION:PT15M\nEND:VALARM\nend:vevent\nEND:VCALENDAR";
    assert_eq!(
        read(rich, years(2026, 2026)),
        ["2026-01-06 Heilige drei Könige"]
    );
}

fn fault(text: &str) -> (usize, String) {
    let fault = exceptions(text, &office(), years(2020, 2039)).unwrap_err();
    (fault.line, fault.what)
}

#[test]
fn the_line_at_fault_is_named() {
    for (line, event) in [
        (5, "DTSTART:2026-01-01"),
        (5, "DTSTART;VALUE=DATE:20260230"),
        (5, "DTSTART;VALUE=DATE:20260101T080000"),
        (5, "DTSTART;TZID=Mars/Base:20260101T080000"),
        (5, "DTSTART;VALUE=DATE:18991231"),
        (6, "DTSTART;VALUE=DATE:20260101\nDTEND;VALUE=DATE:20260101"),
        (6, "DTSTART;VALUE=DATE:20260101\nDTEND:20260102T080000"),
        (6, "DTSTART;VALUE=DATE:20260101\nDURATION:PT4H"),
        (6, "DTSTART;VALUE=DATE:20260101\nDURATION:P"),
        (
            6,
            "DTSTART;VALUE=DATE:20260101\nDTSTART;VALUE=DATE:20260101",
        ),
        (6, "DTSTART;VALUE=DATE:20260101\nno colon here"),
        (
            7,
            "DTSTART;VALUE=DATE:20260101\nDTEND;VALUE=DATE:20260102\nDURATION:P1D",
        ),
        (4, "SUMMARY:Nothing"),
        (
            6,
            "DTSTART;VALUE=DATE:20260101\nRRULE:FREQ=SECONDLY;COUNT=1000000",
        ),
        (
            6,
            "DTSTART;VALUE=DATE:20260101\nRRULE:FREQ=YEARLY;BYEASTER=0",
        ),
        (6, "DTSTART;VALUE=DATE:20260101\nRRULE:INTERVAL=2"),
        (
            6,
            "DTSTART;VALUE=DATE:20260101\nRRULE:FREQ=YEARLY;INTERVAL=0",
        ),
        (
            6,
            "DTSTART;VALUE=DATE:20260101\nRRULE:FREQ=YEARLY;COUNT=2;UNTIL=20300101",
        ),
        (
            6,
            "DTSTART;VALUE=DATE:20260101\nRRULE:FREQ=WEEKLY;BYDAY=1MO",
        ),
        (
            6,
            "DTSTART;VALUE=DATE:20260101\nRDATE;VALUE=PERIOD:20260101T080000Z/PT1H",
        ),
        (6, "DTSTART;VALUE=DATE:20260101\nEXRULE:FREQ=YEARLY"),
    ] {
        assert_eq!(fault(&text(&[event])).0, line, "{event}");
    }
    for (line, whole) in [
        (1, ""),
        (1, "SUMMARY:outside"),
        (1, " continues nothing"),
        (1, "BEGIN:VEVENT"),
        (2, "BEGIN:VCALENDAR\nEND:VEVENT"),
        (2, "BEGIN:VCALENDAR\nBEGIN:VEVENT"),
    ] {
        assert_eq!(fault(whole).0, line, "{whole}");
    }
}

#[test]
fn too_much_is_refused_and_soon() {
    let begun = std::time::Instant::now();
    // Day by day since 1900: a thousand of these would be fifty million occurrences.
    let daily = "DTSTART;VALUE=DATE:19000101\nRRULE:FREQ=DAILY";
    let (line, what) = fault(&text(&vec![daily; 1_000]));
    assert!(line > 50, "{line}");
    assert!(what.contains("1000000 dates"), "{what}");
    let long = "DTSTART;VALUE=DATE:19000101\nDURATION:P40000D\nRRULE:FREQ=DAILY";
    assert!(fault(&text(&[long])).1.contains("1000000 dates"));
    let every_second = "DTSTART;VALUE=DATE:20200101\nRRULE:FREQ=DAILY;INTERVAL=2";
    assert!(fault(&text(&[every_second])).1.contains("exceptions"));
    let never = "DTSTART;VALUE=DATE:19000101\nRRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30";
    assert_eq!(read(&text(&[never]), years(2020, 2039)), [""; 0]);
    let (line, what) = fault(&" ".repeat(ICALENDAR_BYTES_MAX + 1));
    assert_eq!((line, what.contains("bytes")), (1, true));
    assert!(begun.elapsed().as_secs() < 20, "took {:?}", begun.elapsed());
}

#[test]
fn windows_over_midnight_cannot_be_cut() {
    let mut night = office();
    night.weekly_windows[0].end = MinuteOfDay::parse("02:00").unwrap();
    let partly = text(&["DTSTART:20260303T100000\nDTEND:20260303T110000"]);
    let fault = exceptions(&partly, &night, years(2026, 2026)).unwrap_err();
    assert_eq!(fault.line, 5);
    let whole = text(&["DTSTART;VALUE=DATE:20260303"]);
    assert_eq!(
        exceptions(&whole, &night, years(2026, 2026)).unwrap().len(),
        1
    );
}

#[test]
fn horizons_at_the_limit_and_beyond() {
    assert!(Horizon::new(2026, 2026).is_some() && Horizon::new(2026, 2045).is_some());
    for (first, last) in [(2026, 2025), (2026, 2046), (1999, 2005), (2099, 2101)] {
        assert_eq!(Horizon::new(first, last), None);
    }
}
