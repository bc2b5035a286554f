//! What the clocks of tickets run by, ready for use: agreements and compiled calendars.
//!
//! What an agreement says never changes under its id and revision, and neither does a calendar's
//! revision. So both are remembered, and showing a ticket needs the ticket alone.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use super::revision::{Revision, revisions};
use crate::api::Api;
use crate::api::status::ApiError;
use crate::domain::identity::ScopeId;
use crate::domain::record::{Kind, RecordKey, Stored};
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::sla::agreement::{Agreement, AgreementContent};
use crate::domain::sla::clock::{Case, ClockRules, TargetType, Terms, TicketEvaluation, evaluate};
use crate::domain::sla::combination::Operand;
use crate::domain::sla::compiled::CompiledCalendar;
use crate::domain::sla::explain::{ClockExplanation, ExplainError, explain_case};
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

/// What an agreement says, with its calendar compiled.
#[derive(Debug)]
pub struct PinnedAgreement {
    id: String,
    // Its state and its approvals may have changed since it was read, so they are not shown.
    agreement: Agreement,
    /// What its clocks run by, made ready once for all tickets.
    rules: ClockRules,
    calendar: Arc<CompiledCalendar>,
}

impl PinnedAgreement {
    /// Puts both together.
    #[must_use]
    pub fn new(id: &str, agreement: Agreement, calendar: Arc<CompiledCalendar>) -> Self {
        Self {
            id: id.to_owned(),
            rules: agreement.content.rules(),
            agreement,
            calendar,
        }
    }

    /// The agreement's id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What the agreement says.
    #[must_use]
    pub const fn content(&self) -> &AgreementContent {
        &self.agreement.content
    }

    /// The clocks of a ticket that runs under it.
    #[must_use]
    pub fn clocks(&self, ticket: &Ticket, as_of: Timestamp) -> TicketEvaluation {
        evaluate(&ticket.facts, &self.rules, &self.calendar, as_of)
    }

    /// The life of one cycle of one of its clocks.
    ///
    /// # Errors
    /// If it has too many intervals.
    pub fn explain(
        &self,
        ticket: &Ticket,
        target_type: TargetType,
        cycle: u32,
        as_of: Timestamp,
    ) -> Result<ClockExplanation, ExplainError> {
        let terms = [Terms {
            from: Timestamp::EARLIEST,
            event_id: "",
            rules: &self.rules,
            calendar: &self.calendar,
        }];
        let case = Case::under(&ticket.facts, &terms);
        explain_case(&case, target_type, Some(cycle), as_of)
    }
}

/// The agreements that a ticket pins: its own, and the one in return.
pub fn pins_of(ticket: &Ticket) -> impl Iterator<Item = Pin> + '_ {
    ticket
        .terms()
        .map(|terms| (terms.agreement, terms.revision))
}

/// Those of the agreements that a ticket pins, its own first.
///
/// # Errors
/// If one of them is not among them.
pub(super) fn pinned_by(
    ticket: &Ticket,
    agreements: &HashMap<Pin, Arc<PinnedAgreement>>,
) -> Result<Vec<Arc<PinnedAgreement>>, Refusal> {
    let of = |pin: Pin| agreements.get(&pin).map(Arc::clone);
    pins_of(ticket)
        .map(|pin| of(pin).ok_or_else(|| lost("an agreement")))
        .collect()
}

/// Agreements that tickets pin, remembered by scope, id and revision.
#[derive(Debug, Default)]
pub struct PinnedAgreements {
    known: Mutex<HashMap<(ScopeId, Pin), Arc<PinnedAgreement>>>,
}

impl PinnedAgreements {
    /// The agreements of one ticket, its own first.
    ///
    /// # Errors
    /// As [`Self::of_tickets`].
    pub async fn of_ticket(
        &self,
        api: &Api,
        scope: &ScopeId,
        ticket: &Ticket,
    ) -> Result<Vec<Arc<PinnedAgreement>>, ApiError> {
        let found = self.of_tickets(api, scope, std::iter::once(ticket)).await?;
        Ok(pinned_by(ticket, &found)?)
    }

    /// The agreements of tickets in `scope`, each once.
    ///
    /// # Errors
    /// If the store fails, or does not have one of them.
    pub async fn of_tickets<'ticket>(
        &self,
        api: &Api,
        scope: &ScopeId,
        tickets: impl Iterator<Item = &'ticket Ticket>,
    ) -> Result<HashMap<Pin, Arc<PinnedAgreement>>, ApiError> {
        let (mut found, missing) = self.remembered(scope, tickets);
        if missing.is_empty() {
            return Ok(found);
        }
        let keys: BTreeSet<&str> = missing.iter().map(|(id, _)| id.as_str()).collect();
        let keys: Vec<RecordKey> = keys
            .into_iter()
            .map(|id| RecordKey::new(scope, Kind::Agreement, id))
            .collect();
        let mut agreements: HashMap<String, Agreement> = HashMap::new();
        for row in api.ledger.store().records(&keys).await? {
            let versioned = rows::decode_row(&row)?;
            if let Some(agreement) = Agreement::from_record(&versioned.record) {
                agreements.insert(row.key.id, agreement.clone());
            }
        }
        let wanted: BTreeSet<Pin> = agreements.values().map(calendar_of).collect();
        let wanted: Vec<Pin> = wanted.into_iter().collect();
        let calendars = calendars(api, scope, &wanted).await?;
        for pin in missing {
            let agreement = agreements.get(&pin.0).ok_or_else(|| lost("an agreement"))?;
            let calendar = calendars
                .get(&calendar_of(agreement))
                .ok_or_else(|| lost("a calendar"))?;
            let pinned = Arc::new(PinnedAgreement::new(
                &pin.0,
                agreement.clone(),
                Arc::clone(calendar),
            ));
            self.remember(scope, &pin, &pinned);
            found.insert(pin, pinned);
        }
        Ok(found)
    }

    fn remembered<'ticket>(
        &self,
        scope: &ScopeId,
        tickets: impl Iterator<Item = &'ticket Ticket>,
    ) -> (HashMap<Pin, Arc<PinnedAgreement>>, BTreeSet<Pin>) {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found = HashMap::new();
        let mut missing = BTreeSet::new();
        for pin in tickets.flat_map(pins_of) {
            if found.contains_key(&pin) {
                continue;
            }
            let key = (scope.clone(), pin);
            match known.get(&key) {
                Some(pinned) => drop(found.insert(key.1, Arc::clone(pinned))),
                None => drop(missing.insert(key.1)),
            }
        }
        (found, missing)
    }

    fn remember(&self, scope: &ScopeId, pin: &Pin, pinned: &Arc<PinnedAgreement>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= AGREEMENTS_MAX {
            known.clear();
        }
        known.insert((scope.clone(), pin.clone()), Arc::clone(pinned));
    }
}

fn calendar_of(agreement: &Agreement) -> Pin {
    (
        agreement.content.calendar.clone(),
        agreement.content.calendar_revision,
    )
}
