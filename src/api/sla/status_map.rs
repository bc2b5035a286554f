//! Status maps, and the statuses that no map explains.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use tonic::{Request, Response};

use super::check::{checked, whole};
use super::words::{long, ticket_state, to_ticket_state};
use super::{SlaService, all_of, decode, parse_parent};
use crate::api::convert::{chosen_id, etag, parse_name, to_reference, to_timestamp};
use crate::api::faults::Faults;
use crate::api::listing::{self, Shown, Viewer, Wanted, name_in};
use crate::api::page::Page;
use crate::api::status::ApiError;
use crate::api::{Api, Envelope, Found, Mutation, required, respond};
use crate::domain::command::Action;
use crate::domain::commitment::Commitment;
use crate::domain::firm::Permission;
use crate::domain::identity::{FirmId, REFERENCE_PART_BYTES_MAX, ScopeId};
use crate::domain::record::{Kind, RecordKey};
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::sla::clock::TicketState;
use crate::domain::sla::settings::{
    STATUS_BYTES_MAX, STATUS_MAP_ENTRIES_MAX, SettingsCommand, StatusMap, UnmappedStatus,
};
use crate::domain::text::require_token;
use crate::proto::v1;
use crate::store::ListQuery;

const SHAPE: &str = "partnerships/*/statusMaps/*";
/// State of the unmapped statuses that are listed.
const OPEN: &str = "open";
/// How many unmapped statuses are read at a time.
const UNMAPPED_READ_AT_A_TIME: usize = 1_000;
/// Most unmapped statuses of a partnership that are gone through for one page.
const UNMAPPED_READ_MAX: usize = 100_000;

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

/// `ListUnmapped`: of the caller's firm, the one that can map them.
pub(super) async fn list_unmapped(
    service: &SlaService,
    request: &Request<v1::ListUnmappedRequest>,
) -> Result<Response<v1::ListUnmappedResponse>, ApiError> {
    let api = service.api.as_ref();
    let caller = api.caller(request, Permission::Read).await?;
    let message = request.get_ref();
    let partnership = parse_parent(&message.parent)?;
    let purpose = format!("ListUnmapped:{}:{partnership}", caller.firm);
    let page = Page::parse(api, &purpose, message.page_size, &message.page_token)?;
    let member = api.member(&caller, &partnership).await?;
    let mut found = open_statuses(api, &member.scope(), &caller.firm, &page).await?;
    let next_page_token = page.cut(api, &mut found, |(position, _)| position.clone());
    let found: Vec<UnmappedStatus> = found.into_iter().map(|(_, unmapped)| unmapped).collect();
    let unmapped_statuses = show_unmapped(api, &member.scope(), &caller.firm, &found).await?;
    Ok(Response::new(v1::ListUnmappedResponse {
        unmapped_statuses,
        next_page_token,
    }))
}

/// The page's statuses by position. Their ids are hashes and say nothing of the order, so all of
/// them are gone through, and only what may be on the page is kept.
async fn open_statuses(
    api: &Api,
    scope: &ScopeId,
    firm: &FirmId,
    page: &Page,
) -> Result<Vec<(String, UnmappedStatus)>, ApiError> {
    let mut query = ListQuery {
        state: Some(OPEN.to_owned()),
        ..all_of(scope, Kind::UnmappedStatus, "", UNMAPPED_READ_AT_A_TIME)
    };
    let mut kept: BTreeMap<String, UnmappedStatus> = BTreeMap::new();
    for _ in 0..UNMAPPED_READ_MAX / UNMAPPED_READ_AT_A_TIME {
        let rows = api.ledger.store().list_records(&query).await?;
        for row in &rows {
            let unmapped = decode::<UnmappedStatus>(row)?.state;
            let position = position(&unmapped);
            if unmapped.firm == *firm && position > page.after {
                kept.insert(position, unmapped);
            }
            if kept.len() > page.limit() {
                kept.pop_last();
            }
        }
        let Some(last) = rows
            .last()
            .filter(|_| rows.len() == UNMAPPED_READ_AT_A_TIME)
        else {
            return Ok(kept.into_iter().collect());
        };
        query.after_id.clone_from(&last.key.id);
    }
    let refusal = Refusal::new(
        Reason::ResultTooLarge,
        format!("more than {UNMAPPED_READ_MAX} statuses are unmapped"),
    );
    Err(refusal
        .with("limit", "unmapped_statuses")
        .with("maximum", UNMAPPED_READ_MAX)
        .into())
}

/// Orders by system, instance and status: none of them has control characters.
fn position(unmapped: &UnmappedStatus) -> String {
    format!(
        "{}\0{}\0{}",
        unmapped.system, unmapped.instance, unmapped.status
    )
}

async fn show_unmapped(
    api: &Api,
    scope: &ScopeId,
    firm: &FirmId,
    found: &[UnmappedStatus],
) -> Result<Vec<v1::UnmappedStatus>, ApiError> {
    let tickets: BTreeSet<&String> = found
        .iter()
        .flat_map(|unmapped| &unmapped.example_tickets)
        .collect();
    let keys: Vec<RecordKey> = tickets
        .into_iter()
        .map(|id| RecordKey::new(scope, Kind::Ticket, id.as_str()))
        .collect();
    let mut references: HashMap<String, v1::ExternalReference> = HashMap::new();
    if !keys.is_empty() {
        let rows = api.ledger.store().references_of(&keys).await?;
        let own = rows.into_iter().filter(|row| row.reference.firm == *firm);
        references.extend(own.map(|row| (row.id, to_reference(&row.reference))));
    }
    Ok(found
        .iter()
        .map(|unmapped| to_unmapped(unmapped, &references))
        .collect())
}

fn parse_map_name(name: &str) -> Result<[String; 2], Refusal> {
    let [partnership, id] = parse_name("status_map.name", name, SHAPE)?;
    chosen_id("status_map.name", &id)?;
    Ok([partnership, id])
}

/// What the caller wrote down; of use only if no fault was noted.
fn status_map(firm: &FirmId, written: &v1::StatusMap, faults: &mut Faults) -> StatusMap {
    for (field, part, may_be_empty) in [
        ("system", &written.system, false),
        ("instance", &written.instance, true),
    ] {
        if !(may_be_empty && part.is_empty()) {
            let field = format!("status_map.{field}");
            faults.take(checked(|violations| {
                require_token(violations, &field, part, REFERENCE_PART_BYTES_MAX);
            }));
        }
    }
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

/// An unmapped status as the contract shows it; `references` by ticket.
fn to_unmapped(
    unmapped: &UnmappedStatus,
    references: &HashMap<String, v1::ExternalReference>,
) -> v1::UnmappedStatus {
    let examples = unmapped
        .example_tickets
        .iter()
        .filter_map(|ticket| references.get(ticket));
    v1::UnmappedStatus {
        firm: unmapped.firm.scope().as_str().to_owned(),
        system: unmapped.system.clone(),
        instance: unmapped.instance.clone(),
        status: unmapped.status.clone(),
        parked_count: long(unmapped.parked_events),
        first_seen_time: Some(to_timestamp(unmapped.first_seen_at)),
        last_seen_time: Some(to_timestamp(unmapped.last_seen_at)),
        example_tickets: examples.cloned().collect(),
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

    #[test]
    fn only_the_firms_own_references_are_examples() {
        let at = Timestamp::EARLIEST;
        let unmapped = UnmappedStatus {
            firm: FirmId::parse("north").unwrap(),
            system: "halopsa".into(),
            instance: String::new(),
            status: "Zombie".into(),
            parked_events: 3,
            first_seen_at: at,
            last_seen_at: at,
            example_tickets: vec!["t1".into(), "t2".into()],
            mapped: false,
        };
        let own = v1::ExternalReference {
            id: "4711".into(),
            ..v1::ExternalReference::default()
        };
        let shown = to_unmapped(&unmapped, &HashMap::from([("t2".to_owned(), own.clone())]));
        assert_eq!((shown.parked_count, shown.example_tickets), (3, vec![own]));
    }
}
