//! What status maps and priority maps have in common: all but the names of their messages.

use std::collections::BTreeMap;

use prost::Message;
use tonic::{Request, Response};

use super::SlaService;
use super::adoption::to_adopted_from;
use super::check::{checked, whole};
use super::home::{self, Setting, Wanted, parse_setting};
use super::words::long;
use crate::api::convert::{chosen_id, etag};
use crate::api::faults::Faults;
use crate::api::listing::name_in;
use crate::api::status::ApiError;
use crate::api::{Api, Envelope, Found, Mutation, required, respond};
use crate::domain::command::Action;
use crate::domain::firm::Permission;
use crate::domain::identity::{FirmId, REFERENCE_PART_BYTES_MAX, ScopeId};
use crate::domain::record::{EventBody, Stored};
use crate::domain::refusal::Refusal;
use crate::domain::sla::settings::{Mapped, SettingsCommand, WordMap};
use crate::domain::text::require_token;
use crate::proto::v1;

/// What words of one sort mean, as the contract has it.
pub(super) trait Worded: Mapped + Send + Sync + 'static {
    /// The map.
    type Map: Message + 'static;
    /// One of its entries.
    type Entry: Send + Sync;

    /// The collection of the maps, as names have it.
    const COLLECTION: &'static str;
    /// What a word is.
    const NOUN: &'static str;

    /// Takes a map apart.
    fn parts(map: &Self::Map) -> MapParts<'_, Self::Entry>;

    /// The word of an entry.
    fn word(entry: &Self::Entry) -> &str;

    /// What the word means; a fault names the field within the entry at `path`.
    fn meaning(path: &str, entry: &Self::Entry) -> Result<Self, Refusal>;

    /// The entry for a word.
    fn entry(word: &str, meaning: Self) -> Self::Entry;

    /// Puts a map together.
    fn map(shown: ShownMap<Self::Entry>) -> Self::Map;

    /// The command that writes a map down.
    fn command(id: String, allow_missing: bool, map: WordMap<Self>) -> SettingsCommand;

    /// The map that an event writes down, if it is of this sort.
    fn map_of(event: EventBody) -> Option<WordMap<Self>>;
}

/// What a caller writes in a map.
pub(super) struct MapParts<'map, E> {
    pub name: &'map str,
    pub system: &'map str,
    pub instance: &'map str,
    pub entries: &'map [E],
    pub etag: &'map str,
}

/// What a caller is shown of a map.
pub(super) struct ShownMap<E> {
    pub name: String,
    pub firm: String,
    pub system: String,
    pub instance: String,
    pub entries: Vec<E>,
    pub revision: i64,
    pub etag: String,
    pub adopted_from: Option<v1::AdoptedRevision>,
}

/// A request to write a map down.
pub(super) struct Update<'request, M> {
    /// The method, to which request ids are bound.
    pub method: &'static str,
    /// The map.
    pub map: Option<&'request M>,
    /// Whether it may be new.
    pub allow_missing: bool,
    /// The caller's id of the request.
    pub request_id: &'request str,
    /// In which software the change was made.
    pub origin: &'request str,
}

/// Writes a map down.
pub(super) async fn update<M: Worded, R: Message>(
    service: &SlaService,
    request: &Request<R>,
    asked: Update<'_, M::Map>,
) -> Result<Response<M::Map>, ApiError>
where
    WordMap<M>: Stored,
{
    let api = service.api.as_ref();
    let caller = api.caller(request, Permission::Tickets).await?;
    let written = asked.map.ok_or_else(|| required(M::FIELD))?;
    let parts = M::parts(written);
    let mut faults = Faults::default();
    let name = faults.take(parse_map_name::<M>(parts.name).map(Some));
    let map = read::<M>(&caller.firm, &parts, &mut faults);
    let ((scope, id), map) = whole(faults, name.map(|name| (name, map)))?;
    let mutation = Mutation {
        scope: scope.clone(),
        envelope: Envelope::new(asked.request_id, asked.origin, parts.etag),
        action: Action::Settings(M::command(id.clone(), asked.allow_missing, map)),
        openings: Vec::new(),
    };
    let receipt = api.run(&caller, asked.method, request, mutation).await?;
    let map = home::get::<WordMap<M>>(api, &caller, &scope, &id).await?;
    Ok(respond(to_map(&scope, &map), &receipt))
}

/// One map: of any party, for what words mean is no secret, or of the caller's own firm.
pub(super) async fn get<M: Worded, R>(
    service: &SlaService,
    request: &Request<R>,
    name: &str,
) -> Result<Response<M::Map>, ApiError>
where
    WordMap<M>: Stored,
{
    let api = service.api.as_ref();
    let caller = api.caller(request, Permission::Read).await?;
    let (scope, id) = parse_setting("name", name, M::COLLECTION)?;
    let map = home::get::<WordMap<M>>(api, &caller, &scope, &id).await?;
    Ok(Response::new(to_map(&scope, &map)))
}

/// A page of maps: of all parties, or of the caller's own firm.
pub(super) async fn list<M: Worded, R>(
    service: &SlaService,
    request: &Request<R>,
    wanted: Wanted<'_>,
) -> Result<(Vec<M::Map>, String), ApiError>
where
    WordMap<M>: Stored,
{
    let api = service.api.as_ref();
    let caller = api.caller(request, Permission::Read).await?;
    home::list::<WordMap<M>>(api, &caller, wanted).await
}

impl<M: Worded> Setting for WordMap<M>
where
    Self: Stored,
{
    type Message = M::Map;

    async fn show_all(
        _api: &Api,
        scope: &ScopeId,
        found: &[Found<Self>],
    ) -> Result<Vec<M::Map>, ApiError> {
        Ok(found.iter().map(|map| to_map(scope, map)).collect())
    }
}

fn parse_map_name<M: Worded>(name: &str) -> Result<(ScopeId, String), Refusal> {
    let field = format!("{}.name", M::FIELD);
    let (scope, id) = parse_setting(&field, name, M::COLLECTION)?;
    chosen_id(&field, &id)?;
    Ok((scope, id))
}

/// What the caller wrote down; of use only if no fault was noted.
fn read<M: Worded>(
    firm: &FirmId,
    written: &MapParts<'_, M::Entry>,
    faults: &mut Faults,
) -> WordMap<M> {
    let software = [
        ("system", written.system, false),
        ("instance", written.instance, true),
    ];
    for (field, part, may_be_empty) in software {
        if !(may_be_empty && part.is_empty()) {
            let field = format!("{}.{field}", M::FIELD);
            faults.take(checked(|violations| {
                require_token(violations, &field, part, REFERENCE_PART_BYTES_MAX);
            }));
        }
    }
    WordMap {
        firm: firm.clone(),
        system: written.system.to_owned(),
        instance: written.instance.to_owned(),
        entries: entries(written.entries, faults),
        adopted_from: None,
    }
}

fn entries<M: Worded>(written: &[M::Entry], faults: &mut Faults) -> BTreeMap<String, M> {
    let sensible = (1..=M::ENTRIES_MAX).contains(&written.len());
    let list = format!("{}.entries", M::FIELD);
    let rule = format!("1 to {} entries", M::ENTRIES_MAX);
    faults.require(sensible, &list, &rule);
    let once = format!("each {} once", M::NOUN);
    let mut entries = BTreeMap::new();
    for (index, entry) in written.iter().take(M::ENTRIES_MAX).enumerate() {
        let path = format!("{list}[{index}]");
        let field = format!("{path}.{}", M::WORD_FIELD);
        let word = M::word(entry);
        faults.take(checked(|violations| {
            require_token(violations, &field, word, M::WORD_BYTES_MAX);
        }));
        let meaning = faults.take(M::meaning(&path, entry).map(Some));
        let earlier = meaning.and_then(|meaning| entries.insert(word.to_owned(), meaning));
        faults.require(earlier.is_none(), &field, &once);
    }
    entries
}

/// A map as the contract shows it.
pub(super) fn to_map<M: Worded>(scope: &ScopeId, map: &Found<WordMap<M>>) -> M::Map
where
    WordMap<M>: Stored,
{
    let state = &map.state;
    let entries = state.entries.iter();
    let adopted_from = state.adopted_from.as_ref();
    M::map(ShownMap {
        name: name_in(scope, M::COLLECTION, &map.id),
        firm: state.firm.scope().as_str().to_owned(),
        system: state.system.clone(),
        instance: state.instance.clone(),
        entries: entries
            .map(|(word, meaning)| M::entry(word, *meaning))
            .collect(),
        revision: long(map.revision),
        etag: etag(map.revision),
        adopted_from: adopted_from.map(|from| to_adopted_from(WordMap::<M>::KIND, from)),
    })
}

#[cfg(test)]
mod tests;
