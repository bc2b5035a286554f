//! Calendars and items that no calculation can be done by.

use entente::domain::firm::Permission;
use entente::proto::google::r#type::DayOfWeek;
use entente::proto::v1;
use prost_types::Duration;
use tonic::Code;
use tonic_types::RpcStatusExt;

use super::arithmetic::{
    between, calendar, daily, deadlines, elapsed, exception, in_open_time, instant,
};
use super::calls::{code, faulty, ok, refuses};
use super::house::{HOUR, House, at, lasting};

/// Not acceptable.
const BAD: &str = "INVALID_FIELD";
/// Beyond what calendars know.
const FAR: &str = "OUT_OF_RANGE";
/// A day of 24 hours, in seconds.
const DAY: i64 = 24 * HOUR;

/// S22: a calendar at fault, such as one that never opens, fails the call with its place in the request.
pub async fn calendars_at_fault(house: House) {
    let firm = house.firm("alone").await;
    let mut sla = firm.connection.sla();
    let good = || daily("UTC", "00:00", "24:00");
    let exceptions = |exceptions| v1::CalendarSpecification {
        exceptions,
        ..good()
    };
    let never = vec![exception([1999, 1, 1], [2101, 12, 31], &[])];
    let backwards = vec![exception([2026, 1, 2], [2026, 1, 1], &[])];
    let monday = |start, end| calendar("UTC", &[(DayOfWeek::Monday, start, end)]);
    for (reason, field, bad) in [
        (
            "ZONE_UNKNOWN",
            "time_zone",
            daily("Mars/Base", "00:00", "24:00"),
        ),
        ("ZONE_UNKNOWN", "time_zone", daily("", "00:00", "24:00")),
        (
            "CALENDAR_NEVER_OPENS",
            "weekly_windows",
            calendar("UTC", &[]),
        ),
        ("CALENDAR_NEVER_OPENS", "weekly_windows", exceptions(never)),
        (BAD, "weekly_windows[0].end", monday("00:00", "24:01")),
        (BAD, "weekly_windows[0].start", monday("24:00", "24:00")),
        (BAD, "weekly_windows[0].start", monday("9:00", "17:00")),
        (BAD, "exceptions[0].end_date", exceptions(backwards)),
    ] {
        let calendars = vec![good(), bad];
        let field = format!("calendars[1].{field}");
        let request = v1::ComputeElapsedRequest {
            calendars: calendars.clone(),
            ..elapsed(vec![between(0, 1)])
        };
        faulty(&house, reason, &[&field], sla.compute_elapsed(request)).await;
        let request = v1::ComputeDeadlineRequest {
            calendars,
            ..deadlines(vec![in_open_time(1)])
        };
        faulty(&house, reason, &[&field], sla.compute_deadline(request)).await;
    }
    house.stop().await;
}

/// Batches that are empty or too large, and a key that may not read.
pub async fn batches_and_permissions(house: House) {
    let firm = house.firm("alone").await;
    let mut sla = firm.connection.sla();
    let good = || daily("UTC", "00:00", "24:00");
    for (calendars, items, fields) in [
        (0, 1, vec!["calendars"]),
        (101, 1, vec!["calendars"]),
        (1, 0, vec!["items"]),
        (1, 1_001, vec!["items"]),
        (0, 0, vec!["calendars", "items"]),
    ] {
        let request = v1::ComputeElapsedRequest {
            calendars: vec![good(); calendars],
            items: vec![between(0, 1); items],
        };
        faulty(&house, BAD, &fields, sla.compute_elapsed(request)).await;
    }
    let unable = house.firm_with("alone", &[Permission::Tickets]).await;
    let request = elapsed(vec![between(0, 1)]);
    let mut unables = unable.connection.sla();
    refuses(
        &house,
        "PERMISSION_MISSING",
        unables.compute_elapsed(request),
    )
    .await;
    house.stop().await;
}

/// The code, the reason and the fields of a result's error.
fn error(error: Option<&tonic_types::pb::Status>) -> (Code, String, Vec<String>) {
    let error = error.expect("an error");
    let details = error.get_error_details();
    let violations = &details.bad_request().unwrap().field_violations;
    (
        Code::from(error.code),
        details.error_info().unwrap().reason.clone(),
        violations
            .iter()
            .map(|violation| violation.field.clone())
            .collect(),
    )
}

/// Questions that cannot be answered, with the reason and the field at fault.
fn bad_items() -> Vec<(&'static str, &'static str, v1::DeadlineItem)> {
    let good = in_open_time(HOUR);
    let calendar = |calendar| v1::DeadlineItem { calendar, ..good };
    let start = |start_time| v1::DeadlineItem { start_time, ..good };
    let lasting = |duration| v1::DeadlineItem { duration, ..good };
    let fine = Some(Duration {
        seconds: 0,
        nanos: 1,
    });
    let back = v1::DeadlineItem {
        backwards: true,
        ..in_open_time(27 * 366 * DAY)
    };
    vec![
        (BAD, "calendar", calendar(1)),
        (BAD, "calendar", calendar(-1)),
        (BAD, "start_time", start(None)),
        (
            FAR,
            "start_time",
            start(Some(instant("2100-01-01T00:00:00Z"))),
        ),
        (
            FAR,
            "start_time",
            start(Some(instant("1999-12-31T23:59:59Z"))),
        ),
        (BAD, "duration", lasting(None)),
        (BAD, "duration", lasting(fine)),
        (FAR, "duration", in_open_time(-1)),
        (FAR, "duration", in_open_time(100 * 366 * DAY)),
        (FAR, "duration", in_open_time(i64::MAX)),
        (FAR, "duration", back),
    ]
}

/// An item at fault hurts none of its neighbours.
pub async fn items_at_fault(house: House) {
    let firm = house.firm("alone").await;
    let mut sla = firm.connection.sla();
    let bad = bad_items();
    let mut items: Vec<_> = bad.iter().map(|(_, _, item)| *item).collect();
    items.push(in_open_time(HOUR));
    let results = ok(sla.compute_deadline(deadlines(items))).await.results;
    for (index, (reason, field, _)) in bad.iter().enumerate() {
        let (answered, told, fields) = error(results[index].error.as_ref());
        assert_eq!((answered, told.as_str()), (code(reason), *reason));
        assert_eq!(fields, [format!("items[{index}].{field}")]);
        assert_eq!(results[index].deadline, None);
    }
    assert_eq!(results[bad.len()].deadline, Some(at(HOUR)));
    let both = v1::ElapsedItem {
        start_time: None,
        end_time: None,
        calendar: 7,
    };
    let results = ok(sla.compute_elapsed(elapsed(vec![both, between(HOUR, 0)])))
        .await
        .results;
    let (_, _, fields) = error(results[0].error.as_ref());
    let expected = [
        "items[0].calendar",
        "items[0].start_time",
        "items[0].end_time",
    ];
    assert_eq!(fields, expected);
    assert_eq!(results[1].elapsed, Some(lasting(-HOUR)));
    house.stop().await;
}
