//! Priority maps.

use std::collections::BTreeMap;

use tonic::{Request, Response};

use super::check::{checked, whole};
use super::status_map::check_software;
use super::words::{long, priority};
use super::{SlaService, parse_parent};
use crate::api::convert::{chosen_id, etag, parse_name};
use crate::api::faults::Faults;
use crate::api::listing::{self, Shown, Viewer, Wanted, name_in};
use crate::api::status::ApiError;
use crate::api::{Envelope, Found, Mutation, required, respond};
use crate::domain::command::Action;
use crate::domain::commitment::Commitment;
use crate::domain::firm::Permission;
use crate::domain::identity::{FirmId, ScopeId};
use crate::domain::refusal::Refusal;
use crate::domain::sla::clock::Priority;
use crate::domain::sla::settings::{
    PRIORITY_MAP_ENTRIES_MAX, PriorityMap, SOURCE_PRIORITY_BYTES_MAX, SettingsCommand,
};
use crate::domain::text::require_token;
use crate::proto::v1;

const SHAPE: &str = "partnerships/*/priorityMaps/*";

/// `UpdatePriorityMap`.
pub(super) async fn update(
    service: &SlaService,
    request: &Request<v1::UpdatePriorityMapRequest>,
) -> Result<Response<v1::PriorityMap>, ApiError> {
    let api = service.api.as_ref();
    let caller = api.caller(request, Permission::Tickets).await?;
    let message = request.get_ref();
    let written = message
        .priority_map
        .as_ref()
        .ok_or_else(|| required("priority_map"))?;
    let mut faults = Faults::default();
    let name = faults.take(parse_map_name(&written.name).map(Some));
    let map = priority_map(&caller.firm, written, &mut faults);
    let ([partnership, id], map) = whole(faults, name.map(|name| (name, map)))?;
    let command = SettingsCommand::UpdatePriorityMap {
        id: id.clone(),
        allow_missing: message.allow_missing,
        map,
    };
    let mutation = Mutation {
        scope: ScopeId::partnership(&partnership),
        envelope: Envelope::new(&message.request_id, &message.origin, &written.etag),
        action: Action::Settings(command),
        openings: Vec::new(),
    };
    let receipt = api
        .run(&caller, "UpdatePriorityMap", request, mutation)
        .await?;
    let (member, map) = api.get::<PriorityMap>(&caller, &partnership, &id).await?;
    Ok(respond(to_priority_map(&member.scope(), &map), &receipt))
}

/// `GetPriorityMap`: of any party, for priorities are no secret.
pub(super) async fn get(
    service: &SlaService,
    request: &Request<v1::GetPriorityMapRequest>,
) -> Result<Response<v1::PriorityMap>, ApiError> {
    let api = service.api.as_ref();
    let caller = api.caller(request, Permission::Read).await?;
    let [partnership, id] = parse_name("name", &request.get_ref().name, SHAPE)?;
    let (member, map) = api.get::<PriorityMap>(&caller, &partnership, &id).await?;
    Ok(Response::new(to_priority_map(&member.scope(), &map)))
}

/// `ListPriorityMaps`: of all parties.
pub(super) async fn list(
    service: &SlaService,
    request: &Request<v1::ListPriorityMapsRequest>,
) -> Result<Response<v1::ListPriorityMapsResponse>, ApiError> {
    let api = service.api.as_ref();
    let caller = api.caller(request, Permission::Read).await?;
    let message = request.get_ref();
    let partnership = parse_parent(&message.parent)?;
    let member = api.member(&caller, &partnership).await?;
    let wanted = Wanted {
        purpose: &format!("ListPriorityMaps:{partnership}"),
        page_size: message.page_size,
        page_token: &message.page_token,
        recorded_state: None,
    };
    let (priority_maps, next_page_token) =
        listing::list::<PriorityMap>(api, &member, wanted, |_| true).await?;
    Ok(Response::new(v1::ListPriorityMapsResponse {
        priority_maps,
        next_page_token,
    }))
}

impl Shown for PriorityMap {
    type Message = v1::PriorityMap;

    const REFERENCED: bool = false;

    fn commitments(&self) -> Vec<Commitment> {
        Vec::new()
    }

    fn shown(found: &Found<Self>, viewer: &Viewer<'_>) -> v1::PriorityMap {
        to_priority_map(&viewer.member.scope(), found)
    }
}

fn parse_map_name(name: &str) -> Result<[String; 2], Refusal> {
    let [partnership, id] = parse_name("priority_map.name", name, SHAPE)?;
    chosen_id("priority_map.name", &id)?;
    Ok([partnership, id])
}

/// What the caller wrote down; of use only if no fault was noted.
fn priority_map(firm: &FirmId, written: &v1::PriorityMap, faults: &mut Faults) -> PriorityMap {
    check_software("priority_map", &written.system, &written.instance, faults);
    PriorityMap {
        firm: firm.clone(),
        system: written.system.clone(),
        instance: written.instance.clone(),
        entries: entries(&written.entries, faults),
    }
}

fn entries(written: &[v1::PriorityMapEntry], faults: &mut Faults) -> BTreeMap<String, Priority> {
    let sensible = (1..=PRIORITY_MAP_ENTRIES_MAX).contains(&written.len());
    faults.require(
        sensible,
        "priority_map.entries",
        &format!("1 to {PRIORITY_MAP_ENTRIES_MAX} entries"),
    );
    let mut entries = BTreeMap::new();
    for (index, entry) in written.iter().take(PRIORITY_MAP_ENTRIES_MAX).enumerate() {
        let path = format!("priority_map.entries[{index}]");
        let field = format!("{path}.source_priority");
        faults.take(checked(|violations| {
            require_token(
                violations,
                &field,
                &entry.source_priority,
                SOURCE_PRIORITY_BYTES_MAX,
            );
        }));
        let meaning = faults.take(priority(&format!("{path}.priority"), entry.priority).map(Some));
        let word = &entry.source_priority;
        let earlier = meaning.and_then(|meaning| entries.insert(word.clone(), meaning));
        faults.require(earlier.is_none(), &field, "each priority once");
    }
    entries
}

/// A priority map as the contract shows it.
fn to_priority_map(scope: &ScopeId, map: &Found<PriorityMap>) -> v1::PriorityMap {
    let to_entry = |(word, priority): (&String, &Priority)| v1::PriorityMapEntry {
        source_priority: word.clone(),
        priority: priority.get().into(),
    };
    v1::PriorityMap {
        name: name_in(scope, "priorityMaps", &map.id),
        firm: map.state.firm.scope().as_str().to_owned(),
        system: map.state.system.clone(),
        instance: map.state.instance.clone(),
        entries: map.state.entries.iter().map(to_entry).collect(),
        revision: long(map.revision),
        etag: etag(map.revision),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::identity::REFERENCE_PART_BYTES_MAX;
    use crate::domain::time::Timestamp;

    fn entry(word: &str, priority: i32) -> v1::PriorityMapEntry {
        v1::PriorityMapEntry {
            source_priority: word.into(),
            priority,
        }
    }

    fn written() -> v1::PriorityMap {
        v1::PriorityMap {
            name: "partnerships/p/priorityMaps/desk".into(),
            system: "halopsa".into(),
            entries: vec![entry("3 - Moderate", 3), entry("Urgent", 1)],
            ..v1::PriorityMap::default()
        }
    }

    fn read(map: &v1::PriorityMap) -> Result<PriorityMap, Refusal> {
        let mut faults = Faults::default();
        let map = priority_map(&FirmId::parse("north").unwrap(), map, &mut faults);
        whole(faults, Some(map))
    }

    fn fields(map: &v1::PriorityMap) -> Vec<String> {
        read(map)
            .unwrap_err()
            .violations
            .into_iter()
            .map(|violation| violation.field)
            .collect()
    }

    #[test]
    fn what_is_written_is_shown() {
        let at = Timestamp::EARLIEST;
        let state = read(&written()).unwrap();
        let map = Found {
            id: "desk".into(),
            state,
            revision: 2,
            created_at: at,
            updated_at: at,
        };
        let expected = v1::PriorityMap {
            firm: "firms/north".into(),
            revision: 2,
            etag: "\"2\"".into(),
            ..written()
        };
        assert_eq!(to_priority_map(&ScopeId::partnership("p"), &map), expected);
    }

    #[test]
    fn every_fault_is_listed_by_its_path() {
        let mut map = written();
        map.system = String::new();
        map.instance = "x".repeat(REFERENCE_PART_BYTES_MAX + 1);
        map.entries.push(entry("Urgent", 2));
        map.entries.push(entry("", 0));
        let expected = [
            "priority_map.system",
            "priority_map.instance",
            "priority_map.entries[2].source_priority",
            "priority_map.entries[3].source_priority",
            "priority_map.entries[3].priority",
        ];
        assert_eq!(fields(&map), expected);
    }

    #[test]
    fn entries_at_the_limit_and_beyond() {
        let mut map = written();
        map.entries = (0..PRIORITY_MAP_ENTRIES_MAX)
            .map(|number| entry(&number.to_string(), 1))
            .collect();
        assert!(read(&map).is_ok());
        map.entries.push(entry("one more", 1));
        assert_eq!(fields(&map), ["priority_map.entries"]);
        map.entries.clear();
        assert_eq!(fields(&map), ["priority_map.entries"]);
    }

    #[test]
    fn ids_of_maps_are_chosen() {
        assert!(parse_map_name("partnerships/p/priorityMaps/desk").is_ok());
        assert!(parse_map_name("partnerships/p/priorityMaps/2desk").is_err());
    }
}
