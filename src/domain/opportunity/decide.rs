//! Decisions on opportunities.

use std::collections::BTreeSet;

use super::{
    EFFORT_ENTRIES_MAX, EFFORT_MINUTES_MAX, EffortSpent, NamedClient, Opportunity,
    OpportunityClosed, OpportunityCreated, OpportunityEvent, OpportunityState, OpportunityUpdated,
    PLANS_MAX, QUALIFICATIONS_MAX, QUOTES_MAX, Qualification, QualificationStated,
};
use crate::domain::command::Decision;
use crate::domain::commitment::Commitment;
use crate::domain::firm::refuse_taken;
use crate::domain::identity::{ExternalReference, FirmId, PartyId};
use crate::domain::outsiders::{Client, already_exists};
use crate::domain::partnership::{Partnership, as_active_party};
use crate::domain::pricing::quote::JointQuote;
use crate::domain::pricing::quote::sale::SaleReason;
use crate::domain::record::{Event, Kind};
use crate::domain::refusal::{Refusal, Violations};
use crate::domain::sla::calendar::CivilDate;
use crate::domain::text::{require_display_name, require_reference};
use crate::domain::time::{MICROS_PER_DAY, Timestamp};
use crate::domain::world::{Stop, View, for_each};

/// An opportunity as it is recorded first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpportunityDraft {
    /// An identifier that the caller chose; otherwise one is made.
    pub id: Option<String>,
    /// Its name for people.
    pub display_name: String,
    /// The client, which must exist.
    pub client: Option<String>,
    /// The party that brought it; the caller's own if not stated.
    pub brought_by: Option<PartyId>,
    /// The plan for the client.
    pub plan: Option<Commitment>,
    /// Joint quotes of it, which must exist.
    pub quotes: Vec<String>,
    /// Its id in the firm's own software.
    pub reference: Option<ExternalReference>,
}

/// What is to change; what is `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpportunityChange {
    /// Its name for people.
    pub display_name: Option<String>,
    /// The client that is named from now on.
    pub client: Option<NamedClient>,
    /// The next version of the plan for the client.
    pub plan: Option<Commitment>,
    /// Joint quotes of it, which must exist.
    pub quotes: Option<Vec<String>>,
}

/// What can be asked of opportunities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpportunityCommand {
    /// Records one.
    Create(OpportunityDraft),
    /// Changes one that is open; for every party.
    Update {
        /// Which opportunity.
        id: String,
        /// What is to change.
        change: OpportunityChange,
    },
    /// Says whether it is worth the parties' while; for every party.
    Qualify {
        /// Which opportunity.
        id: String,
        /// Whether it is.
        qualification: Qualification,
        /// The facts that speak for it.
        facts: Option<Commitment>,
        /// Why it is not.
        reason: Option<Commitment>,
    },
    /// Records time that the caller's own party spent. Also when it is over: hours are often
    /// written down later.
    RecordEffort {
        /// Which opportunity.
        id: String,
        /// Minutes, 1 to [`EFFORT_MINUTES_MAX`].
        minutes: u32,
        /// Whether the client saw it.
        is_client_facing: bool,
        /// On which day; not in the future.
        date: CivilDate,
        /// What was done.
        note: Option<Commitment>,
    },
    /// Says how it ended; for every party, once. To say the same again changes nothing.
    Close {
        /// Which opportunity.
        id: String,
        /// Won, lost or not qualified.
        state: OpportunityState,
        /// What decided it.
        reason: Option<SaleReason>,
        /// In words.
        words: Option<Commitment>,
    },
}

/// Decides a command on an opportunity.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn decide(
    command: &OpportunityCommand,
    firm: &FirmId,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let (partnership, party) = as_active_party(firm, view)?;
    let party = &party.id;
    match command {
        OpportunityCommand::Create(draft) => create(draft, party, partnership, view),
        OpportunityCommand::Update { id, change } => update(id, change, party, view),
        OpportunityCommand::Qualify {
            id,
            qualification,
            facts,
            reason,
        } => {
            let stated = QualificationStated {
                party: party.clone(),
                qualification: *qualification,
                facts: facts.clone(),
                reason: reason.clone(),
            };
            qualify(id, stated, view)
        }
        OpportunityCommand::RecordEffort {
            id,
            minutes,
            is_client_facing,
            date,
            note,
        } => {
            let spent = EffortSpent {
                party: party.clone(),
                minutes: *minutes,
                is_client_facing: *is_client_facing,
                date: *date,
                note: note.clone(),
            };
            record_effort(id, spent, view)
        }
        OpportunityCommand::Close {
            id,
            state,
            reason,
            words,
        } => {
            let closed = OpportunityClosed {
                party: party.clone(),
                state: *state,
                reason: *reason,
                words: words.clone(),
            };
            close(id, closed, view)
        }
    }
}

fn changed(id: &str, event: OpportunityEvent) -> Decision {
    Decision::about(Kind::Opportunity, id).event(Event::new(id, event))
}

/// The opportunity, if it is still ahead.
fn open<'world>(id: &str, action: &str, view: &View<'world>) -> Result<&'world Opportunity, Stop> {
    let opportunity = view.get::<Opportunity>(id)?;
    match opportunity.state {
        OpportunityState::Open => Ok(opportunity),
        over => Err(Refusal::invalid_state(over.as_str(), action).into()),
    }
}

fn create(
    draft: &OpportunityDraft,
    party: &PartyId,
    partnership: &Partnership,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    const REFERENCE: &str = "opportunity.external_references[0]";
    let brought_by = draft.brought_by.as_ref().unwrap_or(party);
    let mut violations = Violations::default();
    require_display_name(
        &mut violations,
        "opportunity.display_name",
        &draft.display_name,
    );
    let known = partnership.party(brought_by).is_some();
    let rule = "must be a party of the partnership";
    violations.require(known, "opportunity.brought_by", rule);
    require_quotes(&mut violations, &draft.quotes);
    if let Some(reference) = &draft.reference {
        require_reference(&mut violations, REFERENCE, reference);
    }
    violations.finish()?;
    let id = draft.id.clone().unwrap_or_else(|| view.new_id(0));
    if view.find::<Opportunity>(&id)?.is_some() {
        return Err(already_exists(Kind::Opportunity, &id).into());
    }
    if let Some(reference) = &draft.reference {
        refuse_taken(reference, view)?;
    }
    require_existing(draft.client.as_deref(), &draft.quotes, view)?;
    let created = OpportunityCreated {
        party: party.clone(),
        display_name: draft.display_name.clone(),
        client: draft.client.clone(),
        brought_by: brought_by.clone(),
        plan: draft.plan.clone(),
        quotes: draft.quotes.clone(),
    };
    let decision = changed(&id, OpportunityEvent::Created(created));
    Ok(match &draft.reference {
        Some(reference) => decision.reference(reference.clone(), Kind::Opportunity, &id),
        None => decision,
    })
}

fn require_quotes(violations: &mut Violations, quotes: &[String]) {
    const FIELD: &str = "opportunity.joint_quotes";
    let few = format!("no more than {QUOTES_MAX}");
    violations.require(quotes.len() <= QUOTES_MAX, FIELD, &few);
    let mut seen = BTreeSet::new();
    for (index, quote) in quotes.iter().take(QUOTES_MAX).enumerate() {
        let field = format!("{FIELD}[{index}]");
        violations.require(seen.insert(quote), &field, "each quote once");
    }
}

fn require_existing(client: Option<&str>, quotes: &[String], view: &View<'_>) -> Result<(), Stop> {
    if let Some(client) = client {
        view.get::<Client>(client)?;
    }
    for_each(quotes, |quote| view.get::<JointQuote>(quote))?;
    Ok(())
}

fn update(
    id: &str,
    change: &OpportunityChange,
    party: &PartyId,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let opportunity = open(id, "UpdateOpportunity", view)?;
    let mut violations = Violations::default();
    if let Some(display_name) = &change.display_name {
        require_display_name(&mut violations, "opportunity.display_name", display_name);
    }
    let quotes = change.quotes.as_deref().unwrap_or_default();
    require_quotes(&mut violations, quotes);
    violations.finish()?;
    let client = change.client.as_ref();
    let client = client.and_then(|named| named.client.as_deref());
    require_existing(client, quotes, view)?;
    if change.plan.is_some() && opportunity.plans.len() >= PLANS_MAX {
        return Err(Refusal::limit("plans_per_opportunity", PLANS_MAX).into());
    }
    let updated = OpportunityUpdated {
        party: party.clone(),
        display_name: change
            .display_name
            .clone()
            .filter(|name| *name != opportunity.display_name),
        client: change
            .client
            .clone()
            .filter(|named| named.client != opportunity.client),
        plan: change.plan.clone(),
        quotes: change
            .quotes
            .clone()
            .filter(|quotes| *quotes != opportunity.quotes),
    };
    let nothing = OpportunityUpdated {
        party: party.clone(),
        display_name: None,
        client: None,
        plan: None,
        quotes: None,
    };
    if updated == nothing {
        return Ok(Decision::about(Kind::Opportunity, id));
    }
    Ok(changed(id, OpportunityEvent::Updated(updated)))
}

fn qualify(id: &str, stated: QualificationStated, view: &View<'_>) -> Result<Decision, Stop> {
    let opportunity = open(id, "SetQualification", view)?;
    let mut violations = Violations::default();
    let is_not = stated.qualification == Qualification::NotQualified;
    let rule = "must be given where it is not qualified, and nowhere else";
    violations.require(stated.reason.is_some() == is_not, "reason", rule);
    violations.finish()?;
    if opportunity.qualifications.len() >= QUALIFICATIONS_MAX {
        return Err(Refusal::limit("qualifications_per_opportunity", QUALIFICATIONS_MAX).into());
    }
    Ok(changed(id, OpportunityEvent::Qualified(stated)))
}

fn record_effort(id: &str, spent: EffortSpent, view: &View<'_>) -> Result<Decision, Stop> {
    let opportunity = view.get::<Opportunity>(id)?;
    if opportunity.state == OpportunityState::Closed {
        let state = OpportunityState::Closed.as_str();
        return Err(Refusal::invalid_state(state, "RecordEffort").into());
    }
    let mut violations = Violations::default();
    let sensible = (1..=EFFORT_MINUTES_MAX).contains(&spent.minutes);
    let rule = format!("1 to {EFFORT_MINUTES_MAX} minutes");
    violations.require(sensible, "effort.minutes", &rule);
    let day_starts = i128::from(spent.date.days_since_epoch()) * i128::from(MICROS_PER_DAY);
    let earliest = i128::from(Timestamp::EARLIEST.as_micros());
    // Somewhere on earth the day begins up to fourteen hours before it does in UTC.
    let latest = i128::from(view.now.as_micros()) + i128::from(MICROS_PER_DAY);
    let rule = "not before the year 2000, and not in the future";
    violations.require(
        (earliest..=latest).contains(&day_starts),
        "effort.date",
        rule,
    );
    violations.finish()?;
    if opportunity.effort.len() >= EFFORT_ENTRIES_MAX {
        return Err(Refusal::limit("effort_entries_per_opportunity", EFFORT_ENTRIES_MAX).into());
    }
    Ok(changed(id, OpportunityEvent::EffortRecorded(spent)))
}

fn close(id: &str, closed: OpportunityClosed, view: &View<'_>) -> Result<Decision, Stop> {
    let found = view.get::<Opportunity>(id)?;
    let outcome = found.outcome.as_ref();
    let same = outcome.is_some_and(|outcome| outcome.reason == closed.reason);
    if same && found.state == closed.state {
        return Ok(Decision::about(Kind::Opportunity, id));
    }
    open(id, "CloseOpportunity", view)?;
    let mut violations = Violations::default();
    let needs_reason = closed.state != OpportunityState::Won;
    let has_reason = closed.reason.is_some();
    let rule = "must be given unless it was won";
    violations.require(has_reason || !needs_reason, "reason", rule);
    violations.finish()?;
    Ok(changed(id, OpportunityEvent::Ended(closed)))
}
