//! A firm's own calendars and maps, written once and adopted by its partnerships.

use entente::domain::identity::ScopeId;
use entente::ledger::verify::{Evidence, OpeningsFor, export_scope, verify_export, verify_store};
use entente::proto::v1::adopt_revision_response::Adopted;
use entente::proto::v1::adoption_value::Value;
use entente::proto::v1::{self, AdoptionChangeType as Type, IngestOutcome, TargetType};

use super::arithmetic::{exception, office};
use super::calls::{ok, refuses};
use super::house::{Firm, HOUR, House, at};
use super::setting::{NORTH_PSA, Pair, status, target, ticket};

/// A calendar that says what `specification` does.
pub fn calendar(name: &str, specification: v1::CalendarSpecification) -> v1::Calendar {
    v1::Calendar {
        name: name.to_owned(),
        display_name: "Office".to_owned(),
        time_zone: specification.time_zone,
        weekly_windows: specification.weekly_windows,
        exceptions: specification.exceptions,
        ..Default::default()
    }
}

pub fn creating(parent: &str, id: &str, calendar: v1::Calendar) -> v1::CreateCalendarRequest {
    v1::CreateCalendarRequest {
        parent: parent.to_owned(),
        calendar_id: id.to_owned(),
        calendar: Some(calendar),
        ..Default::default()
    }
}

pub fn revising(calendar: v1::Calendar) -> v1::UpdateCalendarRequest {
    v1::UpdateCalendarRequest {
        calendar: Some(calendar),
        ..Default::default()
    }
}

/// The request to adopt the latest revision under the id of the source.
pub fn adopting(parent: &str, source: &str) -> v1::AdoptRevisionRequest {
    v1::AdoptRevisionRequest {
        parent: parent.to_owned(),
        source: source.to_owned(),
        ..Default::default()
    }
}

pub fn comparing(name: &str, revision: i64) -> v1::GetAdoptionDifferenceRequest {
    v1::GetAdoptionDifferenceRequest {
        name: name.to_owned(),
        revision,
    }
}

/// A status map of a firm's software, in which each of these words means that work goes on.
pub fn status_map(name: &str, words: &[&str]) -> v1::UpdateStatusMapRequest {
    let entry = |word: &&str| v1::StatusMapEntry {
        status: (*word).to_owned(),
        state: v1::TicketState::InProgress.into(),
    };
    v1::UpdateStatusMapRequest {
        status_map: Some(v1::StatusMap {
            name: name.to_owned(),
            system: NORTH_PSA.to_owned(),
            entries: words.iter().map(entry).collect(),
            ..Default::default()
        }),
        allow_missing: true,
        ..Default::default()
    }
}

pub fn priority_map(name: &str, entries: &[(&str, i32)]) -> v1::UpdatePriorityMapRequest {
    let entry = |(word, priority): &(&str, i32)| v1::PriorityMapEntry {
        source_priority: (*word).to_owned(),
        priority: *priority,
    };
    v1::UpdatePriorityMapRequest {
        priority_map: Some(v1::PriorityMap {
            name: name.to_owned(),
            system: NORTH_PSA.to_owned(),
            entries: entries.iter().map(entry).collect(),
            ..Default::default()
        }),
        allow_missing: true,
        ..Default::default()
    }
}

pub async fn adopt(firm: &Firm, request: v1::AdoptRevisionRequest) -> Adopted {
    let response = ok(firm.connection.sla().adopt_revision(request)).await;
    response.adopted.unwrap()
}

async fn adopt_calendar(firm: &Firm, request: v1::AdoptRevisionRequest) -> v1::Calendar {
    match adopt(firm, request).await {
        Adopted::Calendar(calendar) => calendar,
        other => panic!("no calendar: {other:?}"),
    }
}

async fn difference(firm: &Firm, name: &str, revision: i64) -> v1::AdoptionDifference {
    let request = comparing(name, revision);
    ok(firm.connection.sla().get_adoption_difference(request)).await
}

/// Type, field, and the values before and after.
fn told(difference: &v1::AdoptionDifference) -> Vec<(Type, &str, Option<&Value>, Option<&Value>)> {
    fn value(value: Option<&v1::AdoptionValue>) -> Option<&Value> {
        value.and_then(|value| value.value.as_ref())
    }
    let changes = difference.changes.iter();
    let told = changes.map(|change| {
        let (before, after) = (value(change.before.as_ref()), value(change.after.as_ref()));
        (change.r#type(), change.field.as_str(), before, after)
    });
    told.collect()
}

/// North's own calendar in Berlin.
pub const OFFICE: &str = "firms/north/calendars/office";

async fn own_office(pair: &Pair) -> v1::Calendar {
    let request = creating(
        "firms/north",
        "office",
        calendar("", office("Europe/Berlin")),
    );
    ok(pair.north.connection.sla().create_calendar(request)).await
}

/// One calendar, adopted in two partnerships, edited, compared, and adopted anew in one of them.
pub async fn a_calendar_is_written_once_and_adopted_twice(house: House) {
    let pair = Pair::active(&house).await;
    let elsewhere = Pair::active(&house).await;
    let own = own_office(&pair).await;
    assert_eq!((own.name.as_str(), own.revision), (OFFICE, 1));
    for of in [&pair, &elsewhere] {
        let adopted = adopt_calendar(&pair.north, adopting(&of.name, OFFICE)).await;
        let expected = v1::Calendar {
            name: format!("{}/calendars/office", of.name),
            adopted_from: Some(v1::AdoptedRevision {
                source: OFFICE.to_owned(),
                revision: 1,
            }),
            ..own.clone()
        };
        assert_eq!(adopted, expected);
        let head = house.head(&of.name).await;
        let again = adopt_calendar(&pair.north, adopting(&of.name, OFFICE)).await;
        assert_eq!(again, adopted);
        assert_eq!(house.head(&of.name).await, head, "nothing happened");
        let read = v1::GetCalendarRequest { name: adopted.name };
        let partners = ok(pair.south.connection.sla().get_calendar(read)).await;
        assert_eq!(partners, again);
    }
    let name = format!("{}/calendars/office", pair.name);
    let desk = v1::Agreement {
        calendar: name.clone(),
        targets: vec![target(TargetType::FirstResponse, 1, HOUR)],
        ..pair.desk()
    };
    pair.agreement("desk", desk).await;
    let current = difference(&pair.north, &name, 0).await;
    assert!(current.is_current && current.changes.is_empty());

    edited_and_adopted_anew(&house, &pair, &name).await;
    let request = v1::GetAgreementRequest {
        name: format!("{}/agreements/desk", pair.name),
        ..Default::default()
    };
    let pinned = ok(pair.south.connection.sla().get_agreement(request)).await;
    assert_eq!(pinned.calendar_revision, 1, "what runs keeps its revision");
    let other = format!("{}/calendars/office", elsewhere.name);
    let behind = difference(&pair.north, &other, 0).await;
    assert_eq!((behind.is_current, behind.changes.len()), (false, 3));
    provable(&house, &["firms/north", &pair.name, &elsewhere.name]).await;
    house.stop().await;
}

/// North's office opens later on Mondays, closes on New Year's Eve, and has another name.
async fn edited_and_adopted_anew(house: &House, pair: &Pair, name: &str) {
    let mut edited = calendar(OFFICE, office("Europe/Berlin"));
    "Head office".clone_into(&mut edited.display_name);
    "10:00".clone_into(&mut edited.weekly_windows[0].start);
    edited.exceptions = vec![exception([2026, 12, 31], [2026, 12, 31], &[])];
    let mut norths = pair.north.connection.sla();
    let own = ok(norths.update_calendar(revising(edited.clone()))).await;
    assert_eq!(own.revision, 2);

    let found = difference(&pair.north, name, 0).await;
    let text = |text: &str| Value::Text(text.to_owned());
    let window = |start: &str| {
        let mut window = edited.weekly_windows[0].clone();
        start.clone_into(&mut window.start);
        Value::WeeklyWindow(window)
    };
    let closed = Value::Exception(edited.exceptions[0].clone());
    let expected = [
        (
            Type::Changed,
            "display_name",
            Some(&text("Office")),
            Some(&text("Head office")),
        ),
        (
            Type::Changed,
            "weekly_windows",
            Some(&window("09:00")),
            Some(&window("10:00")),
        ),
        (Type::Added, "exceptions", None, Some(&closed)),
    ];
    assert_eq!(told(&found), expected);
    let adopted_from = found.adopted_from.unwrap();
    assert_eq!(
        (adopted_from.source.as_str(), adopted_from.revision),
        (OFFICE, 1)
    );
    assert_eq!((found.compared_revision, found.latest_revision), (2, 2));
    assert!(!found.is_current);
    // Of an earlier revision only the name may differ: it is of no revision.
    let earlier = difference(&pair.north, name, 1).await;
    assert_eq!((earlier.compared_revision, earlier.latest_revision), (1, 2));
    assert_eq!(told(&earlier), expected[..1]);

    let stale = v1::AdoptRevisionRequest {
        etag: format!("{:?}", "7"),
        ..adopting(&pair.name, OFFICE)
    };
    refuses(house, "ETAG_MISMATCH", norths.adopt_revision(stale)).await;
    let adopted = adopt_calendar(&pair.north, adopting(&pair.name, OFFICE)).await;
    assert_eq!(adopted.revision, 2);
    assert_eq!(adopted.weekly_windows, own.weekly_windows);
    assert_eq!(adopted.adopted_from.unwrap().revision, 2);
    let found = difference(&pair.north, name, 0).await;
    assert!(found.is_current && found.changes.is_empty());
    let back = v1::AdoptRevisionRequest {
        revision: 1,
        ..adopting(&pair.name, OFFICE)
    };
    let back = adopt_calendar(&pair.north, back).await;
    assert_eq!((back.revision, back.exceptions.len()), (3, 0));
    adopt_calendar(&pair.north, adopting(&pair.name, OFFICE)).await;
}

/// What these scopes hold follows from their journals, in the database and in an export.
async fn provable(house: &House, scopes: &[&str]) {
    let report = verify_store(house.store().as_ref(), None).await.unwrap();
    assert!(report.is_clean(), "{report}");
    let signer = &house.running.application.api.signer;
    for scope in scopes {
        let scope = ScopeId::parse(scope).unwrap();
        let mut out = Vec::new();
        let store = house.store().as_ref();
        let written = export_scope(store, &scope, &OpeningsFor::Nobody, signer, &mut out).await;
        assert_eq!(written.unwrap().zones, 1, "{scope}");
        let evidence = Evidence {
            verifier_key: Some(signer.verifier_key()),
            firm_keys: Vec::new(),
            checkpoints: Vec::new(),
        };
        let report = verify_export(out.as_slice(), &evidence).unwrap();
        assert!(report.is_clean(), "{report}");
    }
}

const STATUSES: &str = "firms/north/statusMaps/words";
const PRIORITIES: &str = "firms/north/priorityMaps/words";

/// Maps are adopted, wake what waits for them, and are compared and adopted anew.
pub async fn maps_are_adopted_and_parked_events_count(house: House) {
    let pair = Pair::active(&house).await;
    pair.calendar().await;
    pair.agreement("desk", pair.desk()).await;
    house.pass(HOUR);
    let worded = v1::TicketEvent {
        source_priority: Some("Urgent".to_owned()),
        open_time: Some(at(0)),
        ..status("e1", &ticket(NORTH_PSA, "1"), 0, "Zombie")
    };
    let results = pair.ingest(&pair.north, vec![worded]).await;
    assert_eq!(results[0].outcome(), IngestOutcome::Parked);
    let mut norths = pair.north.connection.sla();
    // A map may have 500 words, and all of them are looked up.
    let many: Vec<String> = (0..498).map(|number| format!("word {number}")).collect();
    let mut words: Vec<&str> = many.iter().map(String::as_str).collect();
    words.extend(["Zombie", "Open"]);
    let own = ok(norths.update_status_map(status_map(STATUSES, &words))).await;
    assert_eq!((own.name.as_str(), own.revision), (STATUSES, 1));
    let urgent = priority_map(PRIORITIES, &[("Urgent", 1), ("Low", 4)]);
    ok(norths.update_priority_map(urgent.clone())).await;
    assert_eq!(shown(&pair, &results[0].ticket).await.parked_count, 1);

    let adopted = match adopt(&pair.north, adopting(&pair.name, STATUSES)).await {
        Adopted::StatusMap(map) => map,
        other => panic!("no status map: {other:?}"),
    };
    assert_eq!(adopted.entries, own.entries);
    assert_eq!(
        (adopted.firm.as_str(), adopted.revision),
        ("firms/north", 1)
    );
    assert_eq!(adopted.adopted_from.unwrap().source, STATUSES);
    adopt(&pair.north, adopting(&pair.name, PRIORITIES)).await;
    house.sweep().await;
    let counted = shown(&pair, &results[0].ticket).await;
    assert_eq!((counted.event_count, counted.parked_count), (1, 0));
    assert_eq!((counted.priority, counted.clocks.len()), (1, 2));

    maps_are_compared(&pair).await;
    provable_maps(&house).await;
    house.stop().await;
}

async fn shown(pair: &Pair, name: &str) -> v1::Ticket {
    let request = v1::GetTicketRequest {
        name: name.to_owned(),
        ..Default::default()
    };
    ok(pair.south.connection.sla().get_ticket(request)).await
}

async fn provable_maps(house: &House) {
    let report = verify_store(house.store().as_ref(), None).await.unwrap();
    assert!(report.is_clean(), "{report}");
}

/// Revisions of maps are told apart, and earlier ones are found.
async fn maps_are_compared(pair: &Pair) {
    let mut norths = pair.north.connection.sla();
    let of = |entries: &[(&str, i32)]| priority_map(PRIORITIES, entries);
    for (revision, entries) in [
        (2, vec![("Urgent", 2), ("Low", 4)]),
        (2, vec![("Low", 4), ("Urgent", 2)]),
        (3, vec![("Urgent", 2), ("Someday", 5)]),
    ] {
        let written = ok(norths.update_priority_map(of(&entries))).await;
        assert_eq!(written.revision, revision, "only changes are counted");
    }
    let name = format!("{}/priorityMaps/words", pair.name);
    let entry = |word: &str, priority| {
        Value::PriorityEntry(v1::PriorityMapEntry {
            source_priority: word.to_owned(),
            priority,
        })
    };
    let found = difference(&pair.north, &name, 0).await;
    let (first, second) = (entry("Urgent", 1), entry("Urgent", 2));
    let changed = (Type::Changed, "entries", Some(&first), Some(&second));
    let expected = [
        (Type::Removed, "entries", Some(&entry("Low", 4)), None),
        (Type::Added, "entries", None, Some(&entry("Someday", 5))),
        changed,
    ];
    assert_eq!(told(&found), expected);
    assert_eq!((found.compared_revision, found.latest_revision), (3, 3));
    let earlier = difference(&pair.north, &name, 2).await;
    assert_eq!(told(&earlier), [changed]);
    let second = v1::AdoptRevisionRequest {
        revision: 2,
        ..adopting(&pair.name, PRIORITIES)
    };
    let Adopted::PriorityMap(adopted) = adopt(&pair.north, second).await else {
        panic!("no priority map");
    };
    assert_eq!((adopted.revision, adopted.entries.len()), (2, 2));
    assert_eq!(adopted.adopted_from.unwrap().revision, 2);
    assert!(!difference(&pair.north, &name, 0).await.is_current);
    adopt(&pair.north, adopting(&pair.name, PRIORITIES)).await;
    let latest = difference(&pair.north, &name, 0).await;
    assert!(latest.is_current && latest.changes.is_empty());
}
