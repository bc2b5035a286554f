//! Deadlines and open time by calendars that nobody stored.

use entente::proto::google::r#type::{Date, DayOfWeek};
use entente::proto::v1;
use prost_types::{Duration, Timestamp};

use super::calls::ok;
use super::house::{Firm, HOUR, House, MINUTE, at, lasting};

/// A day of 24 hours, in seconds.
const DAY: i64 = 24 * HOUR;

/// A calendar of these weekly windows.
pub fn calendar(zone: &str, windows: &[(DayOfWeek, &str, &str)]) -> v1::CalendarSpecification {
    let window = |(day, start, end): &(DayOfWeek, &str, &str)| v1::WeeklyWindow {
        day: (*day).into(),
        start: (*start).to_owned(),
        end: (*end).to_owned(),
    };
    v1::CalendarSpecification {
        time_zone: zone.to_owned(),
        weekly_windows: windows.iter().map(window).collect(),
        exceptions: Vec::new(),
    }
}

/// Open every day from `start` to `end`.
pub fn daily(zone: &str, start: &str, end: &str) -> v1::CalendarSpecification {
    let days = (1..=7).map(|day| DayOfWeek::try_from(day).unwrap());
    let windows: Vec<_> = days.map(|day| (day, start, end)).collect();
    calendar(zone, &windows)
}

/// Monday to Friday, 9 to 17.
pub fn office(zone: &str) -> v1::CalendarSpecification {
    let days = (1..=5).map(|day| DayOfWeek::try_from(day).unwrap());
    let windows: Vec<_> = days.map(|day| (day, "09:00", "17:00")).collect();
    calendar(zone, &windows)
}

/// Dates with other hours; none means closed.
pub fn exception(
    first: [i32; 3],
    last: [i32; 3],
    windows: &[(&str, &str)],
) -> v1::CalendarException {
    let date = |[year, month, day]: [i32; 3]| Some(Date { year, month, day });
    let window = |(start, end): &(&str, &str)| v1::DailyWindow {
        start: (*start).to_owned(),
        end: (*end).to_owned(),
    };
    v1::CalendarException {
        start_date: date(first),
        end_date: date(last),
        windows: windows.iter().map(window).collect(),
        description: String::new(),
    }
}

/// An instant as RFC 3339 writes it.
pub fn instant(text: &str) -> Timestamp {
    let read: jiff::Timestamp = text.parse().unwrap();
    Timestamp {
        seconds: read.as_second(),
        nanos: read.subsec_nanosecond(),
    }
}

/// A question about so much open time after the beginning of the test.
pub fn in_open_time(seconds: i64) -> v1::DeadlineItem {
    v1::DeadlineItem {
        calendar: 0,
        start_time: Some(at(0)),
        duration: Some(lasting(seconds)),
        backwards: false,
    }
}

/// A question about the open time between so many seconds after the beginning of the test.
pub fn between(from: i64, to: i64) -> v1::ElapsedItem {
    v1::ElapsedItem {
        calendar: 0,
        start_time: Some(at(from)),
        end_time: Some(at(to)),
    }
}

/// Questions to a calendar that is always open.
pub fn deadlines(items: Vec<v1::DeadlineItem>) -> v1::ComputeDeadlineRequest {
    let calendars = vec![daily("UTC", "00:00", "24:00")];
    v1::ComputeDeadlineRequest { calendars, items }
}

/// Questions to a calendar that is always open.
pub fn elapsed(items: Vec<v1::ElapsedItem>) -> v1::ComputeElapsedRequest {
    let calendars = vec![daily("UTC", "00:00", "24:00")];
    v1::ComputeElapsedRequest { calendars, items }
}

/// The open seconds of each stretch, by one calendar.
async fn seconds(
    firm: &Firm,
    calendar: v1::CalendarSpecification,
    stretches: &[(&str, &str)],
) -> Vec<i64> {
    let item = |(from, to): &(&str, &str)| v1::ElapsedItem {
        calendar: 0,
        start_time: Some(instant(from)),
        end_time: Some(instant(to)),
    };
    let request = v1::ComputeElapsedRequest {
        calendars: vec![calendar],
        items: stretches.iter().map(item).collect(),
    };
    let answer = ok(firm.connection.sla().compute_elapsed(request)).await;
    let seconds = |result: v1::ElapsedResult| {
        assert_eq!(result.error, None);
        result.elapsed.unwrap().seconds
    };
    answer.results.into_iter().map(seconds).collect()
}

/// The deadline of each question (start, hours, backwards), by one calendar.
async fn ends(
    firm: &Firm,
    calendar: v1::CalendarSpecification,
    questions: &[(&str, i64, bool)],
) -> Vec<Timestamp> {
    let item = |(start, seconds, backwards): &(&str, i64, bool)| v1::DeadlineItem {
        calendar: 0,
        start_time: Some(instant(start)),
        duration: Some(lasting(*seconds)),
        backwards: *backwards,
    };
    let request = v1::ComputeDeadlineRequest {
        calendars: vec![calendar],
        items: questions.iter().map(item).collect(),
    };
    let answer = ok(firm.connection.sla().compute_deadline(request)).await;
    let deadline = |result: v1::DeadlineResult| {
        assert_eq!(result.error, None);
        result.deadline.unwrap()
    };
    answer.results.into_iter().map(deadline).collect()
}

/// S10: no gap at midnight, and 24:00 can be written.
pub async fn around_the_clock(house: House) {
    let firm = house.firm("alone").await;
    let midnight = [
        ("2026-03-02T22:59:00Z", "2026-03-02T23:01:00Z"),
        ("2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"),
        ("2026-01-01T00:00:00.000001Z", "2026-01-01T00:00:01.000001Z"),
        ("2026-03-02T23:01:00Z", "2026-03-02T22:59:00Z"),
    ];
    let whole = [2 * MINUTE, 31 * DAY, 1, -2 * MINUTE];
    for written in [
        daily("Europe/Zurich", "00:00", "24:00"),
        daily("Europe/Zurich", "00:00", "00:00"),
        daily("Europe/Zurich", "08:00", "08:00"),
    ] {
        assert_eq!(seconds(&firm, written, &midnight).await, whole);
    }
    // Who ends the day a minute early loses it.
    let short = daily("Europe/Zurich", "00:00", "23:59");
    assert_eq!(seconds(&firm, short, &midnight[..1]).await, [MINUTE]);
    house.stop().await;
}

/// S11: no time is doubled, skipped or shifted.
pub async fn when_the_clocks_change(house: House) {
    let firm = house.firm("alone").await;
    // Local midnight to local midnight of the day on which the clocks change, and its real length.
    let days = [
        (
            "Europe/Paris",
            "2026-03-28T23:00:00Z",
            "2026-03-29T22:00:00Z",
            23 * HOUR,
        ),
        (
            "Europe/Paris",
            "2026-10-24T22:00:00Z",
            "2026-10-25T23:00:00Z",
            25 * HOUR,
        ),
        (
            "America/New_York",
            "2026-03-08T05:00:00Z",
            "2026-03-09T04:00:00Z",
            23 * HOUR,
        ),
        (
            "America/New_York",
            "2026-11-01T04:00:00Z",
            "2026-11-02T05:00:00Z",
            25 * HOUR,
        ),
        (
            "Australia/Lord_Howe",
            "2026-04-04T13:00:00Z",
            "2026-04-05T13:30:00Z",
            24 * HOUR + 30 * MINUTE,
        ),
        (
            "Australia/Lord_Howe",
            "2026-10-03T13:30:00Z",
            "2026-10-04T13:00:00Z",
            23 * HOUR + 30 * MINUTE,
        ),
        // Samoa had no 30 December 2011: the 29th ends where the 31st begins.
        (
            "Pacific/Apia",
            "2011-12-29T10:00:00Z",
            "2011-12-31T10:00:00Z",
            48 * HOUR,
        ),
    ];
    for (zone, from, to, real) in days {
        let stretch = [(from, to)];
        let all_day = seconds(&firm, daily(zone, "00:00", "24:00"), &stretch).await;
        assert_eq!(all_day, [real], "{zone} {from}");
        // What is open in daylight is as long as ever.
        let daylight = seconds(&firm, daily(zone, "09:00", "17:00"), &stretch).await;
        assert_eq!(daylight[0] % (8 * HOUR), 0, "{zone} {from}");
    }
    // A window over the change is as long as it really was.
    let night = daily("Europe/Paris", "01:00", "04:00");
    let changes = [
        ("2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"),
        ("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"),
    ];
    assert_eq!(seconds(&firm, night, &changes).await, [2 * HOUR, 4 * HOUR]);
    let deadlines = ends(
        &firm,
        office("Europe/Paris"),
        &[("2026-03-27T15:30:00Z", HOUR, false)],
    )
    .await;
    // Friday 16:30 in winter time, Monday 9:30 in summer time.
    assert_eq!(deadlines, [instant("2026-03-30T07:30:00Z")]);
    house.stop().await;
}

/// S12 and S13: holidays are local civil dates, and dates may have other hours.
pub async fn holidays_breaks_and_half_days(house: House) {
    let firm = house.firm("alone").await;
    let christmas = v1::CalendarSpecification {
        exceptions: vec![exception([2026, 12, 25], [2026, 12, 26], &[])],
        ..daily("Asia/Tokyo", "00:00", "24:00")
    };
    let edges = [
        // The last microsecond before the holiday, and the first after it.
        ("2026-12-24T14:59:59.999999Z", "2026-12-26T15:00:00.000001Z"),
        ("2026-12-24T14:00:00Z", "2026-12-24T16:00:00Z"),
        ("2026-12-24T15:00:00Z", "2026-12-26T15:00:00Z"),
    ];
    let item = |(from, to): &(&str, &str)| v1::ElapsedItem {
        calendar: 0,
        start_time: Some(instant(from)),
        end_time: Some(instant(to)),
    };
    let request = v1::ComputeElapsedRequest {
        calendars: vec![christmas],
        items: edges.iter().map(item).collect(),
    };
    let results = ok(firm.connection.sla().compute_elapsed(request))
        .await
        .results;
    let lengths: Vec<_> = results
        .into_iter()
        .map(|result| result.elapsed.unwrap())
        .collect();
    let short = Duration {
        seconds: 0,
        nanos: 2_000,
    };
    assert_eq!(lengths, [short, lasting(HOUR), lasting(0)]);

    let with_breaks = v1::CalendarSpecification {
        exceptions: vec![exception([2026, 3, 4], [2026, 3, 4], &[("09:00", "12:30")])],
        ..calendar(
            "UTC",
            &[
                (DayOfWeek::Tuesday, "09:00", "12:00"),
                (DayOfWeek::Tuesday, "13:00", "17:00"),
                (DayOfWeek::Wednesday, "09:00", "17:00"),
            ],
        )
    };
    let days = [
        ("2026-03-03T00:00:00Z", "2026-03-04T00:00:00Z"),
        ("2026-03-03T11:30:00Z", "2026-03-03T13:30:00Z"),
        ("2026-03-04T00:00:00Z", "2026-03-05T00:00:00Z"),
    ];
    let open = seconds(&firm, with_breaks, &days).await;
    assert_eq!(open, [7 * HOUR, HOUR, 3 * HOUR + 30 * MINUTE]);
    house.stop().await;
}

/// S15 and S28: deadlines are instants, within opening hours or at their end.
pub async fn deadlines_onwards_and_backwards(house: House) {
    let firm = house.firm("alone").await;
    let questions = [
        // Friday 16:30 + 1 h: Monday 9:30.
        ("2026-03-06T16:30:00Z", HOUR, false),
        ("2026-03-09T09:30:00Z", HOUR, true),
        // Used up exactly at closing time, or at opening time.
        ("2026-03-06T16:00:00Z", HOUR, false),
        ("2026-03-09T10:00:00Z", HOUR, true),
        // Nothing to use up, while closed.
        ("2026-03-07T12:00:00Z", 0, false),
        ("2026-03-07T12:00:00Z", 0, true),
    ];
    let expected = [
        "2026-03-09T09:30:00Z",
        "2026-03-06T16:30:00Z",
        "2026-03-06T17:00:00Z",
        "2026-03-09T09:00:00Z",
        "2026-03-09T09:00:00Z",
        "2026-03-06T17:00:00Z",
    ];
    let found = ends(&firm, office("UTC"), &questions).await;
    assert_eq!(found, expected.map(instant));

    // A full batch over several calendars, each item by its own.
    let request = v1::ComputeDeadlineRequest {
        calendars: vec![office("Europe/Berlin"), office("America/New_York")],
        items: (0..1_000)
            .map(|index| v1::DeadlineItem {
                calendar: index % 2,
                ..in_open_time(HOUR)
            })
            .collect(),
    };
    let before = house.heads().await;
    let results = ok(firm.connection.sla().compute_deadline(request))
        .await
        .results;
    let mut answered = results.into_iter().map(|result| result.deadline.unwrap());
    // The tests begin at 8:00 UTC, which is 9:00 in Berlin and at night in New York.
    assert_eq!(answered.next(), Some(at(HOUR)));
    assert_eq!(answered.next(), Some(at(7 * HOUR)));
    assert_eq!(answered.len(), 998);
    assert_eq!(house.heads().await, before, "nothing is stored");
    house.stop().await;
}
