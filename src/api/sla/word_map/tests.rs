//! What is written in a map of either sort, and what is shown of it.

use super::*;
use crate::domain::identity::FirmId;
use crate::domain::sla::clock::{Priority, TicketState};
use crate::domain::sla::settings::{AdoptedFrom, PRIORITY_MAP_ENTRIES_MAX, STATUS_MAP_ENTRIES_MAX};
use crate::domain::time::Timestamp;

fn status(word: &str, state: i32) -> v1::StatusMapEntry {
    v1::StatusMapEntry {
        status: word.into(),
        state,
    }
}

fn statuses() -> v1::StatusMap {
    v1::StatusMap {
        name: "partnerships/p/statusMaps/desk".into(),
        system: "halopsa".into(),
        entries: vec![status("In Progress", 2), status("Waiting on Vendor", 5)],
        ..v1::StatusMap::default()
    }
}

fn priority(word: &str, priority: i32) -> v1::PriorityMapEntry {
    v1::PriorityMapEntry {
        source_priority: word.into(),
        priority,
    }
}

fn priorities() -> v1::PriorityMap {
    v1::PriorityMap {
        name: "partnerships/p/priorityMaps/desk".into(),
        system: "halopsa".into(),
        entries: vec![priority("3 - Moderate", 3), priority("Urgent", 1)],
        ..v1::PriorityMap::default()
    }
}

fn taken<M: Worded>(map: &M::Map) -> Result<WordMap<M>, Refusal> {
    let mut faults = Faults::default();
    let firm = FirmId::parse("north").unwrap();
    let map = read::<M>(&firm, &M::parts(map), &mut faults);
    whole(faults, Some(map))
}

fn fields<M: Worded>(map: &M::Map) -> Vec<String> {
    let refusal = taken::<M>(map).err().unwrap();
    let violations = refusal.violations.into_iter();
    violations.map(|violation| violation.field).collect()
}

/// A map that was written in this scope, as it is shown.
fn shown<M: Worded>(scope: &str, map: &M::Map, adopted_from: Option<AdoptedFrom>) -> M::Map
where
    WordMap<M>: Stored,
{
    let found = Found {
        id: "desk".into(),
        state: WordMap {
            adopted_from,
            ..taken::<M>(map).ok().unwrap()
        },
        revision: 2,
        created_at: Timestamp::EARLIEST,
        updated_at: Timestamp::EARLIEST,
    };
    to_map(&ScopeId::parse(scope).unwrap(), &found)
}

#[test]
fn what_is_written_is_shown() {
    let expected = v1::StatusMap {
        firm: "firms/north".into(),
        revision: 2,
        etag: "\"2\"".into(),
        ..statuses()
    };
    let found = shown::<TicketState>("partnerships/p", &statuses(), None);
    assert_eq!(found, expected);
    let expected = v1::PriorityMap {
        firm: "firms/north".into(),
        revision: 2,
        etag: "\"2\"".into(),
        ..priorities()
    };
    let found = shown::<Priority>("partnerships/p", &priorities(), None);
    assert_eq!(found, expected);
}

#[test]
fn a_map_names_its_home_and_its_source() {
    let own = shown::<Priority>("firms/north", &priorities(), None);
    assert_eq!(own.name, "firms/north/priorityMaps/desk");
    let from = AdoptedFrom {
        firm: FirmId::parse("north").unwrap(),
        id: "all".to_owned(),
        revision: 7,
    };
    let adopted = shown::<TicketState>("partnerships/p", &statuses(), Some(from));
    let source = v1::AdoptedRevision {
        source: "firms/north/statusMaps/all".to_owned(),
        revision: 7,
    };
    assert_eq!(adopted.adopted_from, Some(source));
}

#[test]
fn every_fault_is_listed_by_its_path() {
    let long = "x".repeat(REFERENCE_PART_BYTES_MAX + 1);
    let mut map = statuses();
    (map.system, map.instance) = (String::new(), long.clone());
    map.entries
        .extend([status("In Progress", 3), status("", 0)]);
    let expected = [
        "status_map.system",
        "status_map.instance",
        "status_map.entries[2].status",
        "status_map.entries[3].status",
        "status_map.entries[3].state",
    ];
    assert_eq!(fields::<TicketState>(&map), expected);
    let mut map = priorities();
    (map.system, map.instance) = (String::new(), long);
    map.entries.extend([priority("Urgent", 2), priority("", 0)]);
    let expected = [
        "priority_map.system",
        "priority_map.instance",
        "priority_map.entries[2].source_priority",
        "priority_map.entries[3].source_priority",
        "priority_map.entries[3].priority",
    ];
    assert_eq!(fields::<Priority>(&map), expected);
}

#[test]
fn entries_at_the_limit_and_beyond() {
    let mut map = statuses();
    let words = (0..STATUS_MAP_ENTRIES_MAX).map(|number| status(&number.to_string(), 1));
    map.entries = words.collect();
    assert!(taken::<TicketState>(&map).is_ok());
    map.entries.push(status("one more", 1));
    assert_eq!(fields::<TicketState>(&map), ["status_map.entries"]);
    map.entries.clear();
    assert_eq!(fields::<TicketState>(&map), ["status_map.entries"]);
    let mut map = priorities();
    let words = (0..PRIORITY_MAP_ENTRIES_MAX).map(|number| priority(&number.to_string(), 1));
    map.entries = words.collect();
    assert!(taken::<Priority>(&map).is_ok());
    map.entries.push(priority("one more", 1));
    assert_eq!(fields::<Priority>(&map), ["priority_map.entries"]);
}

#[test]
fn ids_of_maps_are_chosen() {
    let parse = parse_map_name::<TicketState>;
    assert!(parse("partnerships/p/statusMaps/desk").is_ok());
    assert!(parse("firms/north/statusMaps/desk").is_ok());
    assert!(parse("partnerships/p/statusMaps/2desk").is_err());
    assert!(parse("partnerships/p/priorityMaps/desk").is_err());
    assert!(parse_map_name::<Priority>("firms/north/priorityMaps/desk").is_ok());
}
