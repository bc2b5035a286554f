//! Calendars that are made of two others.

use entente::api::sla::pinned;
use entente::domain::identity::ScopeId;
use entente::domain::time::{Span, Timestamp};
use entente::proto::v1::{self, CalendarOperator, TargetType};
use entente::server::{Application, Environment};

use super::arithmetic::{daily, office};
use super::calls::{faulty, ok, refuses};
use super::house::{HOUR, House, at};
use super::setting::{NORTH_PSA, Pair, always, opening, target, ticket};

/// Not acceptable.
const BAD: &str = "INVALID_FIELD";

/// A calendar of windows.
fn windows(specification: v1::CalendarSpecification) -> v1::Calendar {
    v1::Calendar {
        display_name: "Windows".to_owned(),
        time_zone: specification.time_zone,
        weekly_windows: specification.weekly_windows,
        ..Default::default()
    }
}

/// A calendar made of others of the partnership, each with a revision.
fn combined(pair: &Pair, operator: CalendarOperator, of: &[(&str, i64)]) -> v1::Calendar {
    let operand = |(id, revision): &(&str, i64)| v1::CalendarOperand {
        calendar: format!("{}/calendars/{id}", pair.name),
        revision: *revision,
    };
    v1::Calendar {
        display_name: "Both".to_owned(),
        combination: Some(v1::CalendarCombination {
            operator: operator.into(),
            calendars: of.iter().map(operand).collect(),
        }),
        ..Default::default()
    }
}

fn creating(pair: &Pair, id: &str, calendar: v1::Calendar) -> v1::CreateCalendarRequest {
    v1::CreateCalendarRequest {
        parent: pair.name.clone(),
        calendar_id: id.to_owned(),
        calendar: Some(calendar),
        ..Default::default()
    }
}

async fn create(pair: &Pair, id: &str, calendar: v1::Calendar) -> v1::Calendar {
    let request = creating(pair, id, calendar);
    ok(pair.north.connection.sla().create_calendar(request)).await
}

async fn revise(pair: &Pair, id: &str, calendar: v1::Calendar) -> v1::Calendar {
    let request = v1::UpdateCalendarRequest {
        calendar: Some(v1::Calendar {
            name: format!("{}/calendars/{id}", pair.name),
            ..calendar
        }),
        ..Default::default()
    };
    ok(pair.south.connection.sla().update_calendar(request)).await
}

/// Offices in Berlin and New York, and the hours that they share.
async fn offices(house: &House) -> Pair {
    let pair = Pair::active(house).await;
    create(&pair, "berlin", windows(office("Europe/Berlin"))).await;
    create(&pair, "york", windows(office("America/New_York"))).await;
    let shared = combined(
        &pair,
        CalendarOperator::Intersection,
        &[("berlin", 0), ("york", 1)],
    );
    let shared = create(&pair, "shared", shared).await;
    let pinned = combined(
        &pair,
        CalendarOperator::Intersection,
        &[("berlin", 1), ("york", 1)],
    );
    assert_eq!(shared.combination, pinned.combination);
    assert_eq!((shared.revision, shared.time_zone.as_str()), (1, ""));
    pair
}

/// Clocks run by a combination, whose calendars are pinned.
pub async fn clocks_run_while_both_are_open(house: House) {
    let pair = offices(&house).await;
    let desk = v1::Agreement {
        calendar: format!("{}/calendars/shared", pair.name),
        targets: vec![target(TargetType::FirstResponse, 1, HOUR)],
        ..pair.desk()
    };
    pair.agreement("desk", desk).await;
    pair.status_map(&pair.north, NORTH_PSA).await;
    // A later revision of Berlin's hours changes nothing for who pins the first.
    revise(&pair, "berlin", always()).await;
    let first = ticket(NORTH_PSA, "1");
    let events = vec![opening("e1", &first, 0, 1)];
    let results = pair.ingest(&pair.north, events).await;
    let request = v1::GetTicketRequest {
        name: results[0].ticket.clone(),
        ..Default::default()
    };
    let shown = ok(pair.north.connection.sla().get_ticket(request)).await;
    // It is Monday, 8:00 UTC: New York opens at 14:00, Berlin closes at 16:00.
    assert_eq!(shown.clocks[0].due_time, Some(at(7 * HOUR)));
    house.stop().await;
}

/// A revision may be of either form, and all of them are read again by another process.
pub async fn forms_change_from_revision_to_revision(house: House) {
    let pair = offices(&house).await;
    let either = combined(
        &pair,
        CalendarOperator::Union,
        &[("shared", 0), ("berlin", 0)],
    );
    create(&pair, "either", either).await;
    let windows = revise(&pair, "shared", always()).await;
    assert_eq!((windows.revision, windows.combination), (2, None));
    let itself = combined(
        &pair,
        CalendarOperator::Intersection,
        &[("shared", 1), ("shared", 2)],
    );
    let itself = revise(&pair, "shared", itself).await;
    assert_eq!(itself.revision, 3);
    let request = v1::ListCalendarsRequest {
        parent: pair.name.clone(),
        ..Default::default()
    };
    let listed = ok(pair.south.connection.sla().list_calendars(request))
        .await
        .calendars;
    assert_eq!(listed.len(), 4);
    assert!(listed.contains(&itself));

    let environment = Environment {
        sweeping: false,
        ..Environment::default()
    };
    let other = Application::start(house.store().clone(), environment)
        .await
        .unwrap();
    let pins = [("either", 1), ("shared", 3), ("shared", 1), ("shared", 2)];
    let pins = pins.map(|(id, revision)| (id.to_owned(), revision));
    let scope = ScopeId::parse(&pair.name).unwrap();
    let found = pinned::calendars(&other.api, &scope, &pins).await.unwrap();
    let day = |revision: usize| {
        let from = Timestamp::from_micros(at(-8 * HOUR).seconds * 1_000_000);
        let to = from.saturating_add(Span::from_hours(24));
        found[&pins[revision]].elapsed(from, to)
    };
    assert_eq!([0, 1, 2, 3].map(day), [8, 2, 2, 24].map(Span::from_hours));
    house.stop().await;
}

/// Combinations that cannot be.
pub async fn combinations_at_fault(house: House) {
    let pair = offices(&house).await;
    let mut sla = pair.north.connection.sla();
    let of = |operator, of: &[(&str, i64)]| combined(&pair, operator, of);
    let union = |calendars: &[(&str, i64)]| of(CalendarOperator::Union, calendars);
    let list = "calendar.combination.calendars";
    let beside = v1::Calendar {
        combination: union(&[("berlin", 0); 2]).combination,
        ..always()
    };
    for (reason, fields, calendar) in [
        (
            BAD,
            vec![
                "calendar.time_zone".to_owned(),
                "calendar.weekly_windows".to_owned(),
            ],
            beside,
        ),
        (BAD, vec![list.to_owned()], union(&[("berlin", 0)])),
        (BAD, vec![list.to_owned()], union(&[("berlin", 0); 3])),
        (BAD, vec![list.to_owned()], union(&[])),
        (
            BAD,
            vec![format!("{list}[1].revision")],
            union(&[("berlin", 0), ("york", -1)]),
        ),
        (
            BAD,
            vec![format!("{list}[0].calendar")],
            union(&[("Not/an/id", 0), ("york", 0)]),
        ),
        (
            "NOT_FOUND",
            vec![format!("{list}[1].revision")],
            union(&[("berlin", 1), ("york", 2)]),
        ),
        (
            "NOT_FOUND",
            vec![format!("{list}[0].calendar")],
            union(&[("paris", 1), ("york", 1)]),
        ),
        (
            BAD,
            vec!["calendar.combination.operator".to_owned()],
            of(CalendarOperator::Unspecified, &[("berlin", 0), ("york", 0)]),
        ),
    ] {
        let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
        let request = creating(&pair, "", calendar);
        faulty(&house, reason, &fields, sla.create_calendar(request)).await;
    }
    let elsewhere = Pair {
        name: format!("{}0", pair.name),
        ..Pair::active(&house).await
    };
    let foreign = combined(&elsewhere, CalendarOperator::Union, &[("berlin", 0); 2]);
    let fields = [format!("{list}[0].calendar"), format!("{list}[1].calendar")];
    let fields = fields.each_ref().map(String::as_str);
    faulty(
        &house,
        BAD,
        &fields,
        sla.create_calendar(creating(&pair, "", foreign)),
    )
    .await;
    house.stop().await;
}

/// A combination that never opens is refused, and so are too many above one another.
pub async fn limits_of_combinations(house: House) {
    let pair = offices(&house).await;
    let mut sla = pair.north.connection.sla();
    create(
        &pair,
        "night",
        windows(daily("Europe/Berlin", "17:00", "09:00")),
    )
    .await;
    let never = combined(
        &pair,
        CalendarOperator::Intersection,
        &[("night", 0), ("shared", 0)],
    );
    let never = creating(&pair, "", never);
    let fields = ["calendar.combination"];
    faulty(
        &house,
        "CALENDAR_NEVER_OPENS",
        &fields,
        sla.create_calendar(never),
    )
    .await;
    let deeper = |id: &str| combined(&pair, CalendarOperator::Union, &[(id, 0), ("york", 0)]);
    for (id, below) in [("two", "shared"), ("three", "two"), ("four", "three")] {
        create(&pair, id, deeper(below)).await;
    }
    let five = creating(&pair, "five", deeper("four"));
    let refused = refuses(&house, "LIMIT_REACHED", sla.create_calendar(five)).await;
    assert_eq!(refused.metadata["maximum"], "4");
    house.stop().await;
}
