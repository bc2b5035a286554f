//! Status maps: the names that they have in the contract; [`super::word_map`] does the rest.

use tonic::{Request, Response};

use super::SlaService;
use super::home::Wanted;
use super::word_map::{self, MapParts, ShownMap, Update, Worded};
use super::words::{ticket_state, to_ticket_state};
use crate::api::status::ApiError;
use crate::domain::record::EventBody;
use crate::domain::refusal::Refusal;
use crate::domain::sla::clock::TicketState;
use crate::domain::sla::settings::{SettingsCommand, StatusMap, StatusMapEvent};
use crate::proto::v1;

impl Worded for TicketState {
    type Map = v1::StatusMap;
    type Entry = v1::StatusMapEntry;

    const COLLECTION: &'static str = "statusMaps";
    const NOUN: &'static str = "status";

    fn parts(map: &v1::StatusMap) -> MapParts<'_, v1::StatusMapEntry> {
        MapParts {
            name: &map.name,
            system: &map.system,
            instance: &map.instance,
            entries: &map.entries,
            etag: &map.etag,
        }
    }

    fn word(entry: &v1::StatusMapEntry) -> &str {
        &entry.status
    }

    fn meaning(path: &str, entry: &v1::StatusMapEntry) -> Result<Self, Refusal> {
        ticket_state(&format!("{path}.state"), entry.state)
    }

    fn entry(word: &str, meaning: Self) -> v1::StatusMapEntry {
        v1::StatusMapEntry {
            status: word.to_owned(),
            state: to_ticket_state(meaning).into(),
        }
    }

    fn map(shown: ShownMap<v1::StatusMapEntry>) -> v1::StatusMap {
        v1::StatusMap {
            name: shown.name,
            firm: shown.firm,
            system: shown.system,
            instance: shown.instance,
            entries: shown.entries,
            revision: shown.revision,
            etag: shown.etag,
            adopted_from: shown.adopted_from,
        }
    }

    fn command(id: String, allow_missing: bool, map: StatusMap) -> SettingsCommand {
        SettingsCommand::UpdateStatusMap {
            id,
            allow_missing,
            map,
        }
    }

    fn map_of(event: EventBody) -> Option<StatusMap> {
        match event {
            EventBody::StatusMap(StatusMapEvent::Replaced(map)) => Some(map),
            _ => None,
        }
    }
}

/// `UpdateStatusMap`.
pub(super) async fn update(
    service: &SlaService,
    request: &Request<v1::UpdateStatusMapRequest>,
) -> Result<Response<v1::StatusMap>, ApiError> {
    let message = request.get_ref();
    let asked = Update {
        method: "UpdateStatusMap",
        map: message.status_map.as_ref(),
        allow_missing: message.allow_missing,
        request_id: &message.request_id,
        origin: &message.origin,
    };
    word_map::update::<TicketState, _>(service, request, asked).await
}

/// `GetStatusMap`.
pub(super) async fn get(
    service: &SlaService,
    request: &Request<v1::GetStatusMapRequest>,
) -> Result<Response<v1::StatusMap>, ApiError> {
    let name = &request.get_ref().name;
    word_map::get::<TicketState, _>(service, request, name).await
}

/// `ListStatusMaps`.
pub(super) async fn list(
    service: &SlaService,
    request: &Request<v1::ListStatusMapsRequest>,
) -> Result<Response<v1::ListStatusMapsResponse>, ApiError> {
    let message = request.get_ref();
    let wanted = Wanted {
        method: "ListStatusMaps",
        parent: &message.parent,
        page_size: message.page_size,
        page_token: &message.page_token,
    };
    let (status_maps, next_page_token) =
        word_map::list::<TicketState, _>(service, request, wanted).await?;
    Ok(Response::new(v1::ListStatusMapsResponse {
        status_maps,
        next_page_token,
    }))
}
