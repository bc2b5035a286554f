//! Status maps.

use std::collections::BTreeMap;

use tonic::{Request, Response};

use super::check::{checked, whole};
use super::words::{long, ticket_state, to_ticket_state};
use super::{SlaService, parse_parent};
use crate::api::convert::{chosen_id, etag, parse_name};
use crate::api::faults::Faults;
use crate::api::listing::{self, Shown, Viewer, Wanted, name_in};
use crate::api::status::ApiError;
use crate::api::{Envelope, Found, Mutation, required, respond};
use crate::domain::command::Action;
use crate::domain::commitment::Commitment;
use crate::domain::firm::Permission;
use crate::domain::identity::{FirmId, REFERENCE_PART_BYTES_MAX, ScopeId};
use crate::domain::refusal::Refusal;
use crate::domain::sla::clock::TicketState;
use crate::domain::sla::settings::{
    STATUS_BYTES_MAX, STATUS_MAP_ENTRIES_MAX, SettingsCommand, StatusMap,
};
use crate::domain::text::require_token;
use crate::proto::v1;

const SHAPE: &str = "partnerships/*/statusMaps/*";

/// `UpdateStatusMap`.
pub(super) async fn update(
    service: &SlaService,
    request: &Request<v1::UpdateStatusMapRequest>,
) -> Result<Response<v1::StatusMap>, ApiError> {
    let api = service.api.as_ref();
    let caller = api.caller(request, Permission::Tickets).await?;
    let message = request.get_ref();
    let written = message
        .status_map
        .as_ref()
        .ok_or_else(|| required("status_map"))?;
    let mut faults = Faults::default();
    let name = faults.take(parse_map_name(&written.name).map(Some));
    let map = status_map(&caller.firm, written, &mut faults);
    let ([partnership, id], map) = whole(faults, name.map(|name| (name, map)))?;
    let command = SettingsCommand::UpdateStatusMap {
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
        .run(&caller, "UpdateStatusMap", request, mutation)
        .await?;
    let (member, map) = api.get::<StatusMap>(&caller, &partnership, &id).await?;
    Ok(respond(to_status_map(&member.scope(), &map), &receipt))
}

/// `GetStatusMap`: of any party, for statuses are no secret.
pub(super) async fn get(
    service: &SlaService,
    request: &Request<v1::GetStatusMapRequest>,
) -> Result<Response<v1::StatusMap>, ApiError> {
    let api = service.api.as_ref();
    let caller = api.caller(request, Permission::Read).await?;
    let [partnership, id] = parse_name("name", &request.get_ref().name, SHAPE)?;
    let (member, map) = api.get::<StatusMap>(&caller, &partnership, &id).await?;
    Ok(Response::new(to_status_map(&member.scope(), &map)))
}

/// `ListStatusMaps`: of all parties.
pub(super) async fn list(
    service: &SlaService,
    request: &Request<v1::ListStatusMapsRequest>,
) -> Result<Response<v1::ListStatusMapsResponse>, ApiError> {
    let api = service.api.as_ref();
    let caller = api.caller(request, Permission::Read).await?;
    let message = request.get_ref();
    let partnership = parse_parent(&message.parent)?;
    let member = api.member(&caller, &partnership).await?;
    let wanted = Wanted {
        purpose: &format!("ListStatusMaps:{partnership}"),
        page_size: message.page_size,
        page_token: &message.page_token,
        recorded_state: None,
    };
    let (status_maps, next_page_token) =
        listing::list::<StatusMap>(api, &member, wanted, |_| true).await?;
    Ok(Response::new(v1::ListStatusMapsResponse {
        status_maps,
        next_page_token,
    }))
}

impl Shown for StatusMap {
    type Message = v1::StatusMap;

    const REFERENCED: bool = false;

    fn commitments(&self) -> Vec<Commitment> {
        Vec::new()
    }

    fn shown(found: &Found<Self>, viewer: &Viewer<'_>) -> v1::StatusMap {
        to_status_map(&viewer.member.scope(), found)
    }
}

fn parse_map_name(name: &str) -> Result<[String; 2], Refusal> {
    let [partnership, id] = parse_name("status_map.name", name, SHAPE)?;
    chosen_id("status_map.name", &id)?;
    Ok([partnership, id])
}

/// System and installation of a map.
pub(super) fn check_software(map: &str, system: &str, instance: &str, faults: &mut Faults) {
    for (field, part, may_be_empty) in [("system", system, false), ("instance", instance, true)] {
        if !(may_be_empty && part.is_empty()) {
            let field = format!("{map}.{field}");
            faults.take(checked(|violations| {
                require_token(violations, &field, part, REFERENCE_PART_BYTES_MAX);
            }));
        }
    }
}

/// What the caller wrote down; of use only if no fault was noted.
fn status_map(firm: &FirmId, written: &v1::StatusMap, faults: &mut Faults) -> StatusMap {
    check_software("status_map", &written.system, &written.instance, faults);
    StatusMap {
        firm: firm.clone(),
        system: written.system.clone(),
        instance: written.instance.clone(),
        entries: entries(&written.entries, faults),
    }
}

fn entries(written: &[v1::StatusMapEntry], faults: &mut Faults) -> BTreeMap<String, TicketState> {
    let sensible = (1..=STATUS_MAP_ENTRIES_MAX).contains(&written.len());
    faults.require(
        sensible,
        "status_map.entries",
        &format!("1 to {STATUS_MAP_ENTRIES_MAX} entries"),
    );
    let mut entries = BTreeMap::new();
    for (index, entry) in written.iter().take(STATUS_MAP_ENTRIES_MAX).enumerate() {
        let path = format!("status_map.entries[{index}]");
        let field = format!("{path}.status");
        faults.take(checked(|violations| {
            require_token(violations, &field, &entry.status, STATUS_BYTES_MAX);
        }));
        let state = faults.take(ticket_state(&format!("{path}.state"), entry.state).map(Some));
        let earlier = state.and_then(|state| entries.insert(entry.status.clone(), state));
        faults.require(earlier.is_none(), &field, "each status once");
    }
    entries
}

/// A status map as the contract shows it.
fn to_status_map(scope: &ScopeId, map: &Found<StatusMap>) -> v1::StatusMap {
    let to_entry = |(status, state): (&String, &TicketState)| v1::StatusMapEntry {
        status: status.clone(),
        state: to_ticket_state(*state).into(),
    };
    v1::StatusMap {
        name: name_in(scope, "statusMaps", &map.id),
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
    use crate::domain::time::Timestamp;

    fn entry(status: &str, state: i32) -> v1::StatusMapEntry {
        v1::StatusMapEntry {
            status: status.into(),
            state,
        }
    }

    fn written() -> v1::StatusMap {
        v1::StatusMap {
            name: "partnerships/p/statusMaps/desk".into(),
            system: "halopsa".into(),
            entries: vec![entry("In Progress", 2), entry("Waiting on Vendor", 5)],
            ..v1::StatusMap::default()
        }
    }

    fn read(map: &v1::StatusMap) -> Result<StatusMap, Refusal> {
        let mut faults = Faults::default();
        let map = status_map(&FirmId::parse("north").unwrap(), map, &mut faults);
        whole(faults, Some(map))
    }

    fn fields(map: &v1::StatusMap) -> Vec<String> {
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
        let expected = v1::StatusMap {
            firm: "firms/north".into(),
            revision: 2,
            etag: "\"2\"".into(),
            ..written()
        };
        assert_eq!(to_status_map(&ScopeId::partnership("p"), &map), expected);
    }

    #[test]
    fn every_fault_is_listed_by_its_path() {
        let mut map = written();
        map.system = String::new();
        map.instance = "x".repeat(REFERENCE_PART_BYTES_MAX + 1);
        map.entries.push(entry("In Progress", 3));
        map.entries.push(entry("", 0));
        let expected = [
            "status_map.system",
            "status_map.instance",
            "status_map.entries[2].status",
            "status_map.entries[3].status",
            "status_map.entries[3].state",
        ];
        assert_eq!(fields(&map), expected);
    }

    #[test]
    fn entries_at_the_limit_and_beyond() {
        let mut map = written();
        map.entries = (0..STATUS_MAP_ENTRIES_MAX)
            .map(|number| entry(&number.to_string(), 1))
            .collect();
        assert!(read(&map).is_ok());
        map.entries.push(entry("one more", 1));
        assert_eq!(fields(&map), ["status_map.entries"]);
        map.entries.clear();
        assert_eq!(fields(&map), ["status_map.entries"]);
    }

    #[test]
    fn ids_of_maps_are_chosen() {
        assert!(parse_map_name("partnerships/p/statusMaps/desk").is_ok());
        assert!(parse_map_name("partnerships/p/statusMaps/2desk").is_err());
    }
}
