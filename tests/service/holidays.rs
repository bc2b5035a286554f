//! Calendars whose holidays come as an iCalendar text.

use entente::proto::google::r#type::Date;
use entente::proto::v1::{self, CalendarOperator};

use super::arithmetic::{exception, office};
use super::calls::{faulty, ok};
use super::house::House;
use super::setting::{Pair, always};

/// Not acceptable.
const BAD: &str = "INVALID_FIELD";
/// Two holidays of every year, one of which is followed by another date.
const TEXT: &str = "BEGIN:VCALENDAR\r
BEGIN:VEVENT\r
SUMMARY:Christmas\r
DTSTART;VALUE=DATE:20201225\r
DTEND;VALUE=DATE:20201227\r
RRULE:FREQ=YEARLY\r
END:VEVENT\r
BEGIN:VEVENT\r
SUMMARY:Labour Day\r
DTSTART;VALUE=DATE:20200501\r
RRULE:FREQ=YEARLY\r
END:VEVENT\r
END:VCALENDAR\r
";

fn import(text: &str, first_year: i32, last_year: i32) -> v1::HolidayImport {
    v1::HolidayImport {
        icalendar: text.to_owned(),
        first_year,
        last_year,
    }
}

fn calendar(import: v1::HolidayImport) -> v1::Calendar {
    let office = office("Europe/Berlin");
    v1::Calendar {
        display_name: "Office".to_owned(),
        time_zone: office.time_zone,
        weekly_windows: office.weekly_windows,
        // In 2027 there is somebody there on Labour Day.
        exceptions: vec![exception([2027, 5, 1], [2027, 5, 1], &[("10:00", "12:00")])],
        holiday_import: Some(import),
        ..Default::default()
    }
}

fn creating(pair: &Pair, calendar: v1::Calendar) -> v1::CreateCalendarRequest {
    v1::CreateCalendarRequest {
        parent: pair.name.clone(),
        calendar: Some(calendar),
        ..Default::default()
    }
}

/// Holidays become exceptions, which are shown and can be sent back.
pub async fn holidays_become_exceptions(house: House) {
    let pair = Pair::active(&house).await;
    let mut sla = pair.north.connection.sla();
    let created = creating(&pair, calendar(import(TEXT, 2026, 2027)));
    let created = ok(sla.create_calendar(created)).await;
    assert_eq!(created.holiday_import, None);
    let shown: Vec<_> = created
        .exceptions
        .iter()
        .map(|exception| {
            let Date { year, month, day } = exception.start_date.unwrap();
            let last = exception.end_date.unwrap();
            let open = exception.windows.len();
            (
                year,
                month,
                day,
                last.day,
                open,
                exception.description.as_str(),
            )
        })
        .collect();
    let expected = [
        (2026, 5, 1, 1, 0, "Labour Day"),
        (2026, 12, 25, 26, 0, "Christmas"),
        (2027, 5, 1, 1, 0, "Labour Day"),
        (2027, 12, 25, 26, 0, "Christmas"),
        (2027, 5, 1, 1, 1, ""),
    ];
    assert_eq!(shown, expected);

    // What was shown is sent back with the holidays of the year after.
    let extended = v1::UpdateCalendarRequest {
        calendar: Some(v1::Calendar {
            holiday_import: Some(import(TEXT, 2028, 2028)),
            ..created.clone()
        }),
        ..Default::default()
    };
    let extended = ok(sla.update_calendar(extended)).await;
    assert_eq!((extended.revision, extended.exceptions.len()), (2, 7));
    assert_eq!(extended.exceptions[2..], created.exceptions);
    house.stop().await;
}

/// The line at fault is named, and nothing is stored.
pub async fn imports_at_fault(house: House) {
    let pair = Pair::active(&house).await;
    let mut sla = pair.north.connection.sla();
    let bad = TEXT.replace("20200501", "20200532");
    let million = TEXT.replace("FREQ=YEARLY", "FREQ=SECONDLY;COUNT=1000000");
    let field = ["calendar.holiday_import.icalendar"];
    for (text, line) in [(bad.as_str(), "10"), (&million, "6"), ("", "1")] {
        let request = creating(&pair, calendar(import(text, 2026, 2027)));
        let refused = faulty(&house, BAD, &field, sla.create_calendar(request)).await;
        assert_eq!(refused.metadata["line"], line, "{refused:?}");
    }
    let field = ["calendar.holiday_import.last_year"];
    for (first, last) in [(0, 0), (2026, 2025), (2026, 2046), (2026, i32::MAX)] {
        let request = creating(&pair, calendar(import(TEXT, first, last)));
        faulty(&house, BAD, &field, sla.create_calendar(request)).await;
    }
    let full = v1::Calendar {
        exceptions: vec![exception([2027, 5, 1], [2027, 5, 1], &[]); 997],
        ..calendar(import(TEXT, 2026, 2027))
    };
    let request = creating(&pair, full);
    faulty(
        &house,
        BAD,
        &["calendar.exceptions"],
        sla.create_calendar(request),
    )
    .await;
    pair.calendar().await;
    let operand = v1::CalendarOperand {
        calendar: format!("{}/calendars/always", pair.name),
        revision: 0,
    };
    let combined = v1::Calendar {
        display_name: always().display_name,
        holiday_import: Some(import(TEXT, 2026, 2027)),
        combination: Some(v1::CalendarCombination {
            operator: CalendarOperator::Union.into(),
            calendars: vec![operand.clone(), operand],
        }),
        ..Default::default()
    };
    let request = creating(&pair, combined);
    let field = ["calendar.holiday_import"];
    faulty(&house, BAD, &field, sla.create_calendar(request)).await;
    house.stop().await;
}
