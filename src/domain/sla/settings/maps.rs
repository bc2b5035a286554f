//! Status and priority maps: what the words of a firm's own software mean.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::adoption::{AdoptedFrom, require_own, require_same_origin};
use super::unmapped::{Meaning, UnmappedWord, UnmappedWordEvent, Word, WordKind, WordMapped};
use crate::domain::aggregate::{Aggregate, Recorded, events};
use crate::domain::command::Decision;
use crate::domain::identity::{ExternalReference, FirmId, REFERENCE_PART_BYTES_MAX};
use crate::domain::partnership::as_active_party;
use crate::domain::record::{Event, EventBody, Stored};
use crate::domain::refusal::{Refusal, Violations};
use crate::domain::sla::clock::{Priority, TicketState};
use crate::domain::text::require_token;
use crate::domain::world::{Stop, View, for_each};

/// Most entries of one status map.
pub const STATUS_MAP_ENTRIES_MAX: usize = 500;
/// Longest status of a firm's own software, in bytes.
pub const STATUS_BYTES_MAX: usize = 128;
/// Most entries of one priority map.
pub const PRIORITY_MAP_ENTRIES_MAX: usize = 500;
/// Longest priority of a firm's own software, in bytes.
pub const SOURCE_PRIORITY_BYTES_MAX: usize = 128;

/// What the words of one sort that a firm's own software uses mean.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WordMap<M> {
    /// Whose words.
    pub firm: FirmId,
    /// Of which product.
    pub system: String,
    /// Of which installation; may be empty.
    pub instance: String,
    /// Meaning by word, as the software spells it.
    pub entries: BTreeMap<String, M>,
    /// Where this revision was adopted from; `None` if it was written by hand.
    pub adopted_from: Option<AdoptedFrom>,
}

/// What the statuses of one firm's own software mean.
pub type StatusMap = WordMap<TicketState>;
/// What the priorities of one firm's own software mean.
pub type PriorityMap = WordMap<Priority>;

/// What a word may mean: there is one sort of map for each.
pub trait Mapped: Copy + PartialEq + Into<Meaning> {
    /// The sort of words that mean this.
    const KIND: WordKind;
    /// Reference type under which a map is found by firm, system and instance.
    const REFERENCE: &'static str;
    /// The map's field in requests.
    const FIELD: &'static str;
    /// The words' field within an entry.
    const WORD_FIELD: &'static str;
    /// Most entries of one map.
    const ENTRIES_MAX: usize;
    /// Longest word, in bytes.
    const WORD_BYTES_MAX: usize;

    /// The event by which a map is written down.
    fn replaced(map: WordMap<Self>) -> EventBody;
}

impl Mapped for TicketState {
    const KIND: WordKind = WordKind::Status;
    const REFERENCE: &'static str = "entente-status-map";
    const FIELD: &'static str = "status_map";
    const WORD_FIELD: &'static str = "status";
    const ENTRIES_MAX: usize = STATUS_MAP_ENTRIES_MAX;
    const WORD_BYTES_MAX: usize = STATUS_BYTES_MAX;

    fn replaced(map: StatusMap) -> EventBody {
        StatusMapEvent::Replaced(map).into()
    }
}

impl Mapped for Priority {
    const KIND: WordKind = WordKind::Priority;
    const REFERENCE: &'static str = "entente-priority-map";
    const FIELD: &'static str = "priority_map";
    const WORD_FIELD: &'static str = "source_priority";
    const ENTRIES_MAX: usize = PRIORITY_MAP_ENTRIES_MAX;
    const WORD_BYTES_MAX: usize = SOURCE_PRIORITY_BYTES_MAX;

    fn replaced(map: PriorityMap) -> EventBody {
        PriorityMapEvent::Replaced(map).into()
    }
}

impl<M: Mapped> WordMap<M> {
    /// The reference under which the map for a firm's software is found.
    #[must_use]
    pub fn reference(firm: &FirmId, system: &str, instance: &str) -> ExternalReference {
        ExternalReference {
            firm: firm.clone(),
            system: system.to_owned(),
            instance: instance.to_owned(),
            reference_type: M::REFERENCE.to_owned(),
            id: "map".to_owned(),
        }
    }

    /// What `word` means to the software that knows a record as `reference`; `None` if no map says.
    ///
    /// # Errors
    /// [`Stop::Missing`] while the map is not loaded.
    pub fn meaning(
        reference: &ExternalReference,
        word: &str,
        view: &View<'_>,
    ) -> Result<Option<M>, Stop>
    where
        Self: Stored + 'static,
    {
        let reference = Self::reference(&reference.firm, &reference.system, &reference.instance);
        let mut found = view.referenced(&reference)?.iter();
        let Some((_, map)) = found.find(|(kind, _)| *kind == Self::KIND) else {
            return Ok(None);
        };
        Ok(view.get::<Self>(map)?.entries.get(word).copied())
    }
}

events! {
    /// What happens to a status map.
    StatusMapEvent {
        /// It was written down anew.
        Replaced(StatusMap) = "status_map.replaced", 1;
    }
}

impl Aggregate for StatusMap {
    type Event = StatusMapEvent;
    const BODY_VERSION: u32 = 1;

    fn apply(_: Option<Self>, event: &StatusMapEvent, _: &Recorded) -> Option<Self> {
        let StatusMapEvent::Replaced(replaced) = event;
        Some(replaced.clone())
    }
}

events! {
    /// What happens to a priority map.
    PriorityMapEvent {
        /// It was written down anew.
        Replaced(PriorityMap) = "priority_map.replaced", 1;
    }
}

impl Aggregate for PriorityMap {
    type Event = PriorityMapEvent;
    const BODY_VERSION: u32 = 1;

    fn apply(_: Option<Self>, event: &PriorityMapEvent, _: &Recorded) -> Option<Self> {
        let PriorityMapEvent::Replaced(replaced) = event;
        Some(replaced.clone())
    }
}

/// Writes down a map, replacing an earlier one of that id.
pub(super) fn update<M: Mapped>(
    id: &str,
    allow_missing: bool,
    map: &WordMap<M>,
    view: &View<'_>,
) -> Result<Decision, Stop>
where
    WordMap<M>: Stored + 'static,
{
    check(map)?;
    let kind = <WordMap<M> as Stored>::KIND;
    if let Some(from) = &map.adopted_from {
        as_active_party(&map.firm, view)?;
        require_own(kind, &map.firm, from)?;
    }
    let reference = WordMap::<M>::reference(&map.firm, &map.system, &map.instance);
    let existing = view.find::<WordMap<M>>(id)?;
    match existing {
        None if !allow_missing => return Err(Refusal::not_found(kind.as_str()).into()),
        None => crate::domain::firm::refuse_taken(&reference, view)?,
        Some(existing) => check_same_map(existing, map)?,
    }
    let mut decision = Decision::about(kind, id);
    if existing == Some(map) {
        return Ok(decision);
    }
    decision = decision.event(Event::new(id, M::replaced(map.clone())));
    decision.events.extend(explained(map, view)?);
    Ok(match existing {
        None => decision.reference(reference, kind, id),
        Some(_) => decision,
    })
}

/// The words that wait for this map know their meaning now. A firm's own scope has no tickets, so
/// nothing waits there.
fn explained<M: Mapped>(map: &WordMap<M>, view: &View<'_>) -> Result<Vec<Event>, Stop> {
    if view.scope.is_firm() {
        return Ok(Vec::new());
    }
    let events = for_each(&map.entries, |(text, meaning)| {
        let word = Word {
            firm: map.firm.clone(),
            system: map.system.clone(),
            instance: map.instance.clone(),
            kind: M::KIND,
            text: text.clone(),
        };
        let id = word.id();
        let unmapped = view.find::<UnmappedWord>(&id)?;
        let mapped = UnmappedWordEvent::Mapped(WordMapped {
            meaning: (*meaning).into(),
        });
        Ok(unmapped
            .is_some_and(UnmappedWord::is_open)
            .then(|| Event::new(id, mapped)))
    })?;
    Ok(events.into_iter().flatten().collect())
}

fn check<M: Mapped>(map: &WordMap<M>) -> Result<(), Refusal> {
    let mut violations = Violations::default();
    let field = |name: &str| format!("{}.{name}", M::FIELD);
    require_token(
        &mut violations,
        &field("system"),
        &map.system,
        REFERENCE_PART_BYTES_MAX,
    );
    let entries = field("entries");
    violations.require(!map.entries.is_empty(), &entries, "at least one entry");
    violations.require(
        map.entries.len() <= M::ENTRIES_MAX,
        &entries,
        &format!("no more than {} entries", M::ENTRIES_MAX),
    );
    let word_field = format!("{entries}.{}", M::WORD_FIELD);
    for word in map.entries.keys() {
        require_token(&mut violations, &word_field, word, M::WORD_BYTES_MAX);
    }
    violations.finish()
}

/// Another firm's map looks as if it were not there.
fn check_same_map<M: Mapped>(existing: &WordMap<M>, map: &WordMap<M>) -> Result<(), Refusal>
where
    WordMap<M>: Stored,
{
    if existing.firm != map.firm {
        return Err(Refusal::not_found(<WordMap<M> as Stored>::KIND.as_str()));
    }
    require_same_origin(
        <WordMap<M> as Stored>::KIND,
        existing.adopted_from.as_ref(),
        map.adopted_from.as_ref(),
    )?;
    let same = existing.system == map.system && existing.instance == map.instance;
    let mut violations = Violations::default();
    violations.require(
        same,
        &format!("{}.system", M::FIELD),
        "system and instance cannot be changed",
    );
    violations.finish()
}
