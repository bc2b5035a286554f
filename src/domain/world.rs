//! What a decision may look at: the records loaded so far, and a typed way to ask for more.
//!
//! `decide` simply reads what it needs. What has not been loaded comes back as
//! [`Stop::Missing`]; the ledger loads it, for the whole batch at once, and decides again. Since
//! deciding is pure, deciding again costs little and changes nothing.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::aggregate::Recorded;
use super::format::Format;
use super::identity::{ExternalReference, ScopeId};
use super::journal::Hash;
use super::record::{Event, Kind, Record, RecordKey, Stored};
use super::refusal::{Reason, Refusal};
use super::sla::cache::CalendarCache;
use super::sla::combination::CalendarCombination;
use super::sla::compiled::CompiledCalendar;
use super::sla::settings::CalendarRevision;
use super::time::Timestamp;

/// Something that a decision needs and that has not been loaded.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Need {
    /// A record.
    Record(RecordKey),
    /// What an external reference stands for in a scope.
    Reference(ScopeId, ExternalReference),
    /// Time zone data by digest.
    Zone(ScopeId, String),
    /// The hash of a journal entry by its sequence.
    EntryHash(ScopeId, u64),
    /// All of these; none of them is of this sort itself.
    Several(Vec<Need>),
}

impl Need {
    /// The single things that are needed.
    #[must_use]
    pub fn each(self) -> Vec<Self> {
        match self {
            Self::Several(needs) => needs,
            single => vec![single],
        }
    }
}

/// Why a decision stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The command is refused.
    Refused(Refusal),
    /// Something has to be loaded first.
    Missing(Need),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// A record as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versioned {
    /// The state.
    pub record: Record,
    /// How often it changed, from 1; its etag.
    pub revision: u64,
    /// Position of the entry that changed it last.
    pub sequence: u64,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// Records, references and zones, as far as they are loaded.
#[derive(Debug, Default)]
pub struct World {
    records: HashMap<RecordKey, Option<Versioned>>,
    references: HashMap<(ScopeId, ExternalReference), Vec<(Kind, String)>>,
    zones: HashMap<(ScopeId, String), Arc<[u8]>>,
    entry_hashes: HashMap<(ScopeId, u64), Hash>,
    calendars: Arc<CalendarCache>,
    /// Calendar revisions written since this world was made. They may yet be rolled back, and then
    /// others may take their ids, so their compiled form is kept here and shared with nobody.
    new_revisions: HashSet<(ScopeId, String)>,
    new_calendars: CalendarCache,
    format: Format,
}

impl World {
    /// An empty world that compiles calendars through `calendars`.
    #[must_use]
    pub fn new(calendars: Arc<CalendarCache>) -> Self {
        Self {
            calendars,
            ..Self::default()
        }
    }

    /// The same while a format is the active one.
    #[must_use]
    pub fn in_format(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    /// The active format.
    #[must_use]
    pub const fn format(&self) -> Format {
        self.format
    }

    /// Notes what the store holds under `key`.
    pub fn put_record(&mut self, key: RecordKey, found: Option<Versioned>) {
        self.records.insert(key, found);
    }

    /// Notes what the store holds for a reference.
    pub fn put_reference(
        &mut self,
        scope: ScopeId,
        reference: ExternalReference,
        found: Vec<(Kind, String)>,
    ) {
        self.references.insert((scope, reference), found);
    }

    /// Notes zone data.
    pub fn put_zone(&mut self, scope: ScopeId, digest: String, tzif: Arc<[u8]>) {
        self.zones.insert((scope, digest), tzif);
    }

    /// Notes the hash of an entry.
    pub fn put_entry_hash(&mut self, scope: ScopeId, sequence: u64, hash: Hash) {
        self.entry_hashes.insert((scope, sequence), hash);
    }

    /// Whether `need` is loaded.
    #[must_use]
    pub fn has(&self, need: &Need) -> bool {
        match need {
            Need::Record(key) => self.records.contains_key(key),
            Need::Reference(scope, reference) => self
                .references
                .contains_key(&(scope.clone(), reference.clone())),
            Need::Zone(scope, digest) => self.zones.contains_key(&(scope.clone(), digest.clone())),
            Need::EntryHash(scope, sequence) => {
                self.entry_hashes.contains_key(&(scope.clone(), *sequence))
            }
            Need::Several(needs) => needs.iter().all(|need| self.has(need)),
        }
    }

    /// The record as loaded, if it is and exists.
    #[must_use]
    pub fn versioned(&self, key: &RecordKey) -> Option<&Versioned> {
        self.records.get(key).and_then(Option::as_ref)
    }

    /// Applies an event of `scope` to the loaded state, and returns the new revision.
    ///
    /// # Errors
    /// [`Reason::Internal`] if the event does not fit.
    pub fn apply(
        &mut self,
        scope: &ScopeId,
        event: &Event,
        recorded: &Recorded,
    ) -> Result<u64, Refusal> {
        let key = RecordKey::new(scope, event.body.kind(), &event.id);
        let previous = self.records.remove(&key).flatten();
        let (revision, created_at) = previous.as_ref().map_or((1, recorded.at), |versioned| {
            (versioned.revision + 1, versioned.created_at)
        });
        let record = Record::apply(
            previous.map(|versioned| versioned.record),
            &event.body,
            recorded,
        )
        .map_err(|fault| Refusal::new(Reason::Internal, fault.to_string()))?;
        let versioned = Versioned {
            record,
            revision,
            sequence: recorded.sequence,
            created_at,
            updated_at: recorded.at,
        };
        if matches!(key.kind, Kind::CalendarRevision | Kind::CalendarCombination) {
            self.new_revisions.insert((scope.clone(), event.id.clone()));
        }
        self.records.insert(key, Some(versioned));
        Ok(revision)
    }

    /// Notes that a reference now stands for a record.
    pub fn add_reference(
        &mut self,
        scope: &ScopeId,
        reference: &ExternalReference,
        kind: Kind,
        id: &str,
    ) {
        let found = self
            .references
            .entry((scope.clone(), reference.clone()))
            .or_default();
        if !found
            .iter()
            .any(|(known, known_id)| *known == kind && known_id == id)
        {
            found.push((kind, id.to_owned()));
        }
    }
}

/// Does something for each of several, so that what they need is loaded together.
///
/// # Errors
/// The first refusal; else, if anything is missing, all that is.
pub fn for_each<T, R>(
    several: impl IntoIterator<Item = T>,
    mut work: impl FnMut(T) -> Result<R, Stop>,
) -> Result<Vec<R>, Stop> {
    let mut results = Vec::new();
    let mut missing = Vec::new();
    for one in several {
        match work(one) {
            Ok(result) => results.push(result),
            Err(Stop::Missing(need)) => missing.extend(need.each()),
            Err(refused) => return Err(refused),
        }
    }
    if missing.is_empty() {
        Ok(results)
    } else {
        Err(Stop::Missing(Need::Several(missing)))
    }
}

/// What one command sees: its scope's part of the world, the time, and where new ids come from.
#[derive(Clone, Copy, Debug)]
pub struct View<'world> {
    /// Everything loaded.
    pub world: &'world World,
    /// The command's scope.
    pub scope: &'world ScopeId,
    /// When the command is recorded, if it is accepted.
    pub now: Timestamp,
    /// Sequence of the first entry it would append.
    pub next_sequence: u64,
}

impl<'world> View<'world> {
    /// The aggregate `id`, `None` if there is none.
    ///
    /// # Errors
    /// [`Stop::Missing`] while it is not loaded.
    pub fn find<T: Stored>(&self, id: &str) -> Result<Option<&'world T>, Stop> {
        let key = RecordKey::new(self.scope, T::KIND, id);
        match self.world.records.get(&key) {
            None => Err(Stop::Missing(Need::Record(key))),
            Some(found) => Ok(found
                .as_ref()
                .and_then(|versioned| T::from_record(&versioned.record))),
        }
    }

    /// The aggregate `id`.
    ///
    /// # Errors
    /// [`Reason::NotFound`] if there is none, [`Stop::Missing`] while it is not loaded.
    pub fn get<T: Stored>(&self, id: &str) -> Result<&'world T, Stop> {
        self.find(id)?
            .ok_or_else(|| Refusal::not_found(T::KIND.as_str()).into())
    }

    /// The records for which `reference` stands in this scope.
    ///
    /// # Errors
    /// [`Stop::Missing`] while that is not loaded.
    pub fn referenced(
        &self,
        reference: &ExternalReference,
    ) -> Result<&'world [(Kind, String)], Stop> {
        let key = (self.scope.clone(), reference.clone());
        self.world
            .references
            .get(&key)
            .map(Vec::as_slice)
            .ok_or(Stop::Missing(Need::Reference(key.0, key.1)))
    }

    /// The hash of an entry of this scope.
    ///
    /// # Errors
    /// [`Stop::Missing`] while it is not loaded.
    pub fn entry_hash(&self, sequence: u64) -> Result<Hash, Stop> {
        let key = (self.scope.clone(), sequence);
        let found = self.world.entry_hashes.get(&key).copied();
        found.ok_or(Stop::Missing(Need::EntryHash(key.0, key.1)))
    }

    /// A revision of a calendar, compiled.
    ///
    /// # Errors
    /// [`Stop::Missing`] while revision or zone data are not loaded.
    pub fn calendar(&self, id: &str, revision: u32) -> Result<Arc<CompiledCalendar>, Stop> {
        let revision_id = CalendarRevision::id_of(id, revision);
        let key = (self.scope.clone(), revision_id.clone());
        let new = self.world.new_revisions.contains(&key);
        let calendars = if new {
            &self.world.new_calendars
        } else {
            self.world.calendars.as_ref()
        };
        if let Some(compiled) = calendars.get(self.scope, &revision_id) {
            return Ok(compiled);
        }
        let compiled = match self.find::<CalendarRevision>(&revision_id)? {
            Some(stored) => self.compile(stored)?,
            None => self
                .get::<CalendarCombination>(&revision_id)?
                .compile(self)?,
        };
        Ok(calendars.put(self.scope, &revision_id, compiled))
    }

    fn compile(&self, stored: &CalendarRevision) -> Result<CompiledCalendar, Stop> {
        let zone_key = (self.scope.clone(), stored.zone_digest.clone());
        let Some(tzif) = self.world.zones.get(&zone_key) else {
            return Err(Stop::Missing(Need::Zone(zone_key.0, zone_key.1)));
        };
        let compiled = CompiledCalendar::compile(&stored.specification, tzif)
            .map_err(|fault| Refusal::new(Reason::Internal, fault.to_string()))?;
        Ok(compiled)
    }

    /// The active format: a decision leads to no event that it does not have.
    #[must_use]
    pub const fn format(&self) -> Format {
        self.world.format
    }

    /// A new identifier; `ordinal` tells several of one command apart.
    #[must_use]
    pub fn new_id(&self, ordinal: u32) -> String {
        super::identity::derived_id(self.scope, self.next_sequence, ordinal, self.now)
    }
}
