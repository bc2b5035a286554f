//! What the clocks of tickets run by, ready for use: agreements and compiled calendars.
//!
//! What an agreement says never changes under its id and revision, and neither does a calendar's
//! revision. So both are remembered, and showing a ticket needs the ticket alone. Which revisions
//! reach open tickets may change; the partnership, which is read anyway, counts how often it did.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::revision::{Revision, revisions};
use crate::api::status::ApiError;
use crate::api::{Api, Found};
use crate::domain::identity::ScopeId;
use crate::domain::partnership::Partnership;
use crate::domain::record::{Kind, RecordKey, Stored};
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::sla::agreement::{Agreement, AgreementContent, AgreementRevision, Repin};
use crate::domain::sla::combination::Operand;
use crate::domain::sla::compiled::CompiledCalendar;
use crate::domain::sla::in_force::{
    Assignment, PinnedAgreement, PinnedTerms, TermsInForce, course,
};
use crate::domain::sla::settings::CalendarRevision;
use crate::domain::sla::ticket::Ticket;
use crate::domain::time::Timestamp;
use crate::ledger::rows;

/// Most agreements remembered; beyond it the memory starts anew.
pub const AGREEMENTS_MAX: usize = 4_096;

/// A record's id and the number of its revision.
pub type Pin = (String, u32);

/// The revisions of calendars in `scope`, compiled: from memory where they are remembered.
///
/// # Errors
/// If the store fails, or does not have one of them.
pub async fn calendars(
    api: &Api,
    scope: &ScopeId,
    wanted: &[Pin],
) -> Result<HashMap<Pin, Arc<CompiledCalendar>>, ApiError> {
    let cache = api.ledger.calendars();
    let mut found = HashMap::new();
    let mut stored: HashMap<Pin, Revision> = HashMap::new();
    let mut missing: BTreeSet<Pin> = wanted.iter().cloned().collect();
    // What a combination is made of is known only once it is read.
    loop {
        missing.retain(|pin| {
            let compiled = cache.get(scope, &revision_id(pin));
            let is_known = compiled.is_some();
            found.extend(compiled.map(|compiled| (pin.clone(), compiled)));
            !is_known && !stored.contains_key(pin)
        });
        if missing.is_empty() {
            break;
        }
        let mut read = revisions(api, scope, missing.iter().map(revision_id)).await?;
        for pin in std::mem::take(&mut missing) {
            let revision = read.remove(&revision_id(&pin));
            let revision = revision.ok_or_else(|| lost("a calendar's revision"))?;
            if let Revision::Combination(combination) = &revision {
                missing.extend(combination.operands.iter().map(pin_of_operand));
            }
            stored.insert(pin, revision);
        }
    }
    let zones = zones(api, scope, stored.values().filter_map(zone_digest)).await?;
    let mut stored: Vec<_> = stored.into_iter().collect();
    stored.sort_by_key(|(_, revision)| revision.depth());
    for (pin, revision) in stored {
        let compiled = compile(&revision, &zones, &found)?;
        let compiled = cache.put(scope, &revision_id(&pin), compiled);
        found.insert(pin, compiled);
    }
    Ok(found)
}

/// One revision of a calendar in `scope`, compiled.
///
/// # Errors
/// As [`calendars`].
pub async fn calendar(
    api: &Api,
    scope: &ScopeId,
    wanted: Pin,
) -> Result<Arc<CompiledCalendar>, ApiError> {
    let mut found = calendars(api, scope, std::slice::from_ref(&wanted)).await?;
    let calendar = found.remove(&wanted);
    Ok(calendar.ok_or_else(|| lost("a calendar"))?)
}

/// A revision made ready for questions; those that it is made of are so already.
fn compile(
    revision: &Revision,
    zones: &HashMap<String, Vec<u8>>,
    compiled: &HashMap<Pin, Arc<CompiledCalendar>>,
) -> Result<CompiledCalendar, Refusal> {
    match revision {
        Revision::Windows(revision) => {
            let tzif = zones.get(&revision.zone_digest);
            let tzif = tzif.ok_or_else(|| lost("time zone data"))?;
            CompiledCalendar::compile(&revision.specification, tzif)
                .map_err(|fault| Refusal::new(Reason::Internal, fault.to_string()))
        }
        Revision::Combination(combination) => {
            let [first, second] = combination.operands.each_ref().map(|operand| {
                let calendar = compiled.get(&pin_of_operand(operand)).cloned();
                calendar.ok_or_else(|| lost("a calendar's revision"))
            });
            combination.compile_from([first?, second?])
        }
    }
}

fn revision_id(pin: &Pin) -> String {
    CalendarRevision::id_of(&pin.0, pin.1)
}

fn pin_of_operand(operand: &Operand) -> Pin {
    (operand.calendar.clone(), operand.revision)
}

fn zone_digest(revision: &Revision) -> Option<&str> {
    match revision {
        Revision::Windows(revision) => Some(&revision.zone_digest),
        Revision::Combination(_) => None,
    }
}

async fn zones<'pin>(
    api: &Api,
    scope: &ScopeId,
    digests: impl Iterator<Item = &'pin str>,
) -> Result<HashMap<String, Vec<u8>>, ApiError> {
    let digests: BTreeSet<&str> = digests.collect();
    let keys: Vec<(ScopeId, String)> = digests
        .into_iter()
        .map(|digest| (scope.clone(), digest.to_owned()))
        .collect();
    let rows = api.ledger.store().zones(&keys).await?;
    Ok(rows.into_iter().map(|row| (row.digest, row.tzif)).collect())
}

/// The refusal for something that the store must have.
fn lost(what: &str) -> Refusal {
    Refusal::new(Reason::Internal, format!("{what} is missing"))
}

/// What is in force for tickets that were asked about.
#[derive(Debug, Default)]
pub struct InForce {
    /// The partnership, and when it was asked: whether the tickets were closed with it.
    asked: Option<(Arc<Partnership>, Timestamp)>,
    repins: HashMap<String, Arc<[Repin]>>,
    pinned: HashMap<PinnedTerms, Arc<PinnedAgreement>>,
}

impl InForce {
    /// The terms of a ticket, its own first, then those in return. With `known_at`, without the
    /// repins that were recorded later.
    ///
    /// # Errors
    /// If it is not one of the tickets asked about.
    pub fn of(
        &self,
        ticket: &Ticket,
        known_at: Option<Timestamp>,
    ) -> Result<Vec<TermsInForce>, Refusal> {
        let courses = ticket.assignments().into_iter().map(|assignments| {
            let steps = self.course(&assignments, known_at)?.into_iter();
            let steps = steps.map(|step| {
                let pinned = self.pinned.get(&step.terms).map(Arc::clone);
                Ok((step, pinned.ok_or_else(|| lost("an agreement"))?))
            });
            let terms = TermsInForce::new(steps.collect::<Result<_, Refusal>>()?);
            let asked = self.asked.as_ref();
            let closed_at =
                asked.and_then(|(partnership, now)| ticket.closed_with(partnership, *now));
            Ok(terms
                .ok_or_else(|| lost("a ticket's terms"))?
                .until(closed_at))
        });
        courses.collect()
    }

    fn course(
        &self,
        assignments: &[Assignment],
        known_at: Option<Timestamp>,
    ) -> Result<Vec<Assignment>, Refusal> {
        let known = |repin: &&Repin| known_at.is_none_or(|at| repin.recorded_at <= at);
        course(assignments, |agreement| {
            let repins = self.repins.get(agreement);
            let repins = repins.ok_or_else(|| lost("an agreement"))?;
            Ok(repins.iter().filter(known).cloned().collect::<Vec<_>>())
        })
    }

    /// For tests: one set of terms that nothing changes.
    #[cfg(test)]
    pub(super) fn only(pinned: PinnedAgreement) -> Self {
        let terms = pinned.terms.clone();
        Self {
            asked: None,
            repins: HashMap::from([(terms.agreement.clone(), Arc::from([]))]),
            pinned: HashMap::from([(terms, Arc::new(pinned))]),
        }
    }
}

/// Agreements that tickets run under, remembered.
#[derive(Debug, Default)]
pub struct PinnedAgreements {
    memory: Mutex<Memory>,
}

#[derive(Debug, Default)]
struct Memory {
    /// What a revision says never changes.
    pinned: HashMap<(ScopeId, PinnedTerms), Arc<PinnedAgreement>>,
    /// Holds for as long as the partnership counts so many repins.
    repins: HashMap<(ScopeId, String), CountedRepins>,
}

/// Repins of an agreement, and how many the partnership counted then.
type CountedRepins = (u32, Arc<[Repin]>);

impl PinnedAgreements {
    /// What is in force for tickets of `member`'s partnership.
    ///
    /// # Errors
    /// If the store fails, or does not have what a ticket names.
    pub async fn of_tickets<'ticket>(
        &self,
        api: &Api,
        partnership: &Found<Partnership>,
        tickets: impl Iterator<Item = &'ticket Ticket>,
    ) -> Result<InForce, ApiError> {
        let asked = (Arc::new(partnership.state.clone()), api.now());
        self.of_tickets_at(api, partnership, asked, tickets).await
    }

    /// As [`Self::of_tickets`], of tickets as they were: `asked` is the partnership as it was, and the
    /// instant asked about.
    ///
    /// # Errors
    /// As [`Self::of_tickets`].
    pub async fn of_tickets_at<'ticket>(
        &self,
        api: &Api,
        partnership: &Found<Partnership>,
        asked: (Arc<Partnership>, Timestamp),
        tickets: impl Iterator<Item = &'ticket Ticket>,
    ) -> Result<InForce, ApiError> {
        let scope = ScopeId::partnership(&partnership.id);
        let assignments: Vec<Vec<Assignment>> = tickets.flat_map(Ticket::assignments).collect();
        let agreements: BTreeSet<&str> = assignments
            .iter()
            .flatten()
            .map(|assignment| assignment.terms.agreement.as_str())
            .collect();
        let mut in_force = InForce {
            asked: Some(asked),
            repins: self
                .repins(api, &scope, partnership.state.repins, &agreements)
                .await?,
            ..InForce::default()
        };
        let mut wanted = BTreeSet::new();
        for assignments in &assignments {
            let course = in_force.course(assignments, None)?;
            wanted.extend(course.into_iter().map(|step| step.terms));
        }
        in_force.pinned = self.pinned(api, &scope, wanted).await?;
        Ok(in_force)
    }

    /// The repins of agreements, from memory where they are remembered for this count of them.
    async fn repins(
        &self,
        api: &Api,
        scope: &ScopeId,
        count: u32,
        agreements: &BTreeSet<&str>,
    ) -> Result<HashMap<String, Arc<[Repin]>>, ApiError> {
        let mut found = HashMap::new();
        let mut missing = Vec::new();
        for id in agreements {
            match self.remembered_repins(scope, id, count) {
                Some(repins) => drop(found.insert((*id).to_owned(), repins)),
                None => missing.push(RecordKey::new(scope, Kind::Agreement, *id)),
            }
        }
        if missing.is_empty() {
            return Ok(found);
        }
        for row in api.ledger.store().records(&missing).await? {
            let versioned = rows::decode_row(&row)?;
            if let Some(agreement) = Agreement::from_record(&versioned.record) {
                let repins: Arc<[Repin]> = agreement.repins.as_slice().into();
                let mut memory = self.memory();
                if memory.repins.len() >= AGREEMENTS_MAX {
                    memory.repins.clear();
                }
                let key = (scope.clone(), row.key.id.clone());
                memory.repins.insert(key, (count, Arc::clone(&repins)));
                found.insert(row.key.id, repins);
            }
        }
        Ok(found)
    }

    fn remembered_repins(&self, scope: &ScopeId, id: &str, count: u32) -> Option<Arc<[Repin]>> {
        let memory = self.memory();
        let (counted, repins) = memory.repins.get(&(scope.clone(), id.to_owned()))?;
        (*counted == count).then(|| Arc::clone(repins))
    }

    /// Revisions of agreements, from memory where they are remembered.
    async fn pinned(
        &self,
        api: &Api,
        scope: &ScopeId,
        wanted: BTreeSet<PinnedTerms>,
    ) -> Result<HashMap<PinnedTerms, Arc<PinnedAgreement>>, ApiError> {
        let (mut found, missing) = self.remembered(scope, wanted);
        if missing.is_empty() {
            return Ok(found);
        }
        let contents = contents(api, scope, &missing).await?;
        let calendars_wanted: BTreeSet<Pin> = contents.values().map(calendar_of).collect();
        let calendars_wanted: Vec<Pin> = calendars_wanted.into_iter().collect();
        let calendars = calendars(api, scope, &calendars_wanted).await?;
        for (terms, content) in contents {
            let calendar = calendars.get(&calendar_of(&content));
            let calendar = Arc::clone(calendar.ok_or_else(|| lost("a calendar"))?);
            let pinned = Arc::new(PinnedAgreement::new(terms.clone(), content, calendar));
            let mut memory = self.memory();
            if memory.pinned.len() >= AGREEMENTS_MAX {
                memory.pinned.clear();
            }
            let key = (scope.clone(), terms.clone());
            memory.pinned.insert(key, Arc::clone(&pinned));
            found.insert(terms, pinned);
        }
        Ok(found)
    }

    fn remembered(
        &self,
        scope: &ScopeId,
        wanted: BTreeSet<PinnedTerms>,
    ) -> (
        HashMap<PinnedTerms, Arc<PinnedAgreement>>,
        BTreeSet<PinnedTerms>,
    ) {
        let memory = self.memory();
        let mut found = HashMap::new();
        let mut missing = BTreeSet::new();
        for terms in wanted {
            let key = (scope.clone(), terms);
            match memory.pinned.get(&key) {
                Some(pinned) => drop(found.insert(key.1, Arc::clone(pinned))),
                None => drop(missing.insert(key.1)),
            }
        }
        (found, missing)
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What revisions of agreements say: the agreement has its latest, earlier ones are on their own.
async fn contents(
    api: &Api,
    scope: &ScopeId,
    wanted: &BTreeSet<PinnedTerms>,
) -> Result<HashMap<PinnedTerms, AgreementContent>, ApiError> {
    let mut keys: BTreeSet<RecordKey> = BTreeSet::new();
    for terms in wanted {
        let kept = AgreementRevision::id_of(&terms.agreement, terms.revision);
        keys.insert(RecordKey::new(scope, Kind::AgreementRevision, kept));
        keys.insert(RecordKey::new(
            scope,
            Kind::Agreement,
            terms.agreement.as_str(),
        ));
    }
    let keys: Vec<RecordKey> = keys.into_iter().collect();
    let mut read = HashMap::new();
    for row in api.ledger.store().records(&keys).await? {
        let versioned = rows::decode_row(&row)?;
        if let Some(agreement) = Agreement::from_record(&versioned.record) {
            let id = AgreementRevision::id_of(&row.key.id, agreement.revision);
            read.insert(id, agreement.content.clone());
        } else if let Some(kept) = AgreementRevision::from_record(&versioned.record) {
            read.insert(row.key.id, kept.content.clone());
        }
    }
    let contents = wanted.iter().map(|terms| {
        let id = AgreementRevision::id_of(&terms.agreement, terms.revision);
        let content = read.get(&id).cloned();
        Ok((terms.clone(), content.ok_or_else(|| lost("an agreement"))?))
    });
    contents.collect()
}

fn calendar_of(content: &AgreementContent) -> Pin {
    (content.calendar.clone(), content.calendar_revision)
}
