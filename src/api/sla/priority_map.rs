//! Priority maps: the names that they have in the contract; [`super::word_map`] does the rest.

use tonic::{Request, Response};

use super::SlaService;
use super::home::Wanted;
use super::word_map::{self, MapParts, ShownMap, Update, Worded};
use super::words::priority;
use crate::api::status::ApiError;
use crate::domain::record::EventBody;
use crate::domain::refusal::Refusal;
use crate::domain::sla::clock::Priority;
use crate::domain::sla::settings::{PriorityMap, PriorityMapEvent, SettingsCommand};
use crate::proto::v1;

impl Worded for Priority {
    type Map = v1::PriorityMap;
    type Entry = v1::PriorityMapEntry;

    const COLLECTION: &'static str = "priorityMaps";
    const NOUN: &'static str = "priority";

    fn parts(map: &v1::PriorityMap) -> MapParts<'_, v1::PriorityMapEntry> {
        MapParts {
            name: &map.name,
            system: &map.system,
            instance: &map.instance,
            entries: &map.entries,
            etag: &map.etag,
        }
    }

    fn word(entry: &v1::PriorityMapEntry) -> &str {
        &entry.source_priority
    }

    fn meaning(path: &str, entry: &v1::PriorityMapEntry) -> Result<Self, Refusal> {
        priority(&format!("{path}.priority"), entry.priority)
    }

    fn entry(word: &str, meaning: Self) -> v1::PriorityMapEntry {
        v1::PriorityMapEntry {
            source_priority: word.to_owned(),
            priority: meaning.get().into(),
        }
    }

    fn map(shown: ShownMap<v1::PriorityMapEntry>) -> v1::PriorityMap {
        v1::PriorityMap {
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

    fn command(id: String, allow_missing: bool, map: PriorityMap) -> SettingsCommand {
        SettingsCommand::UpdatePriorityMap {
            id,
            allow_missing,
            map,
        }
    }

    fn map_of(event: EventBody) -> Option<PriorityMap> {
        match event {
            EventBody::PriorityMap(PriorityMapEvent::Replaced(map)) => Some(map),
            _ => None,
        }
    }
}

/// `UpdatePriorityMap`.
pub(super) async fn update(
    service: &SlaService,
    request: &Request<v1::UpdatePriorityMapRequest>,
) -> Result<Response<v1::PriorityMap>, ApiError> {
    let message = request.get_ref();
    let asked = Update {
        method: "UpdatePriorityMap",
        map: message.priority_map.as_ref(),
        allow_missing: message.allow_missing,
        request_id: &message.request_id,
        origin: &message.origin,
    };
    word_map::update::<Priority, _>(service, request, asked).await
}

/// `GetPriorityMap`.
pub(super) async fn get(
    service: &SlaService,
    request: &Request<v1::GetPriorityMapRequest>,
) -> Result<Response<v1::PriorityMap>, ApiError> {
    let name = &request.get_ref().name;
    word_map::get::<Priority, _>(service, request, name).await
}

/// `ListPriorityMaps`.
pub(super) async fn list(
    service: &SlaService,
    request: &Request<v1::ListPriorityMapsRequest>,
) -> Result<Response<v1::ListPriorityMapsResponse>, ApiError> {
    let message = request.get_ref();
    let wanted = Wanted {
        method: "ListPriorityMaps",
        parent: &message.parent,
        page_size: message.page_size,
        page_token: &message.page_token,
    };
    let (priority_maps, next_page_token) =
        word_map::list::<Priority, _>(service, request, wanted).await?;
    Ok(Response::new(v1::ListPriorityMapsResponse {
        priority_maps,
        next_page_token,
    }))
}
