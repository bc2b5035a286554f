//! Decisions on improvements.

use std::collections::BTreeSet;

use super::{
    Improvement, ImprovementCreated, ImprovementEvent, ImprovementState, SOURCES_MAX, STEPS_MAX,
    Source, StepTaken,
};
use crate::domain::command::Decision;
use crate::domain::commitment::Commitment;
use crate::domain::identity::{FirmId, PartyId};
use crate::domain::outsiders::already_exists;
use crate::domain::partnership::{Partnership, as_active_party};
use crate::domain::record::{Event, Kind};
use crate::domain::refusal::{Reason, Refusal, Violations};
use crate::domain::time::Timestamp;
use crate::domain::world::{Stop, View, for_each};

/// An improvement as it is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImprovementDraft {
    /// An identifier that the caller chose; otherwise one is made.
    pub id: Option<String>,
    /// What was not good.
    pub cause: Option<Commitment>,
    /// The records from which that is known, which must exist.
    pub sources: Vec<Source>,
    /// What is to be done.
    pub action: Commitment,
    /// The party that does it; the caller's own if not stated.
    pub owner: Option<PartyId>,
    /// Until when.
    pub due: Timestamp,
}

/// What can be asked of improvements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImprovementCommand {
    /// Records one.
    Create(ImprovementDraft),
    /// Says what has become of one: done, for its owner; verified, for another party; open again or
    /// dropped, for every party.
    Move {
        /// Which improvement.
        id: String,
        /// What it is by that.
        state: ImprovementState,
        /// In words; given unless it is done or verified.
        words: Option<Commitment>,
    },
}

/// Decides a command on an improvement.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn decide(
    command: &ImprovementCommand,
    firm: &FirmId,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let (partnership, party) = as_active_party(firm, view)?;
    match command {
        ImprovementCommand::Create(draft) => create(draft, &party.id, partnership, view),
        ImprovementCommand::Move { id, state, words } => {
            let taken = StepTaken {
                party: party.id.clone(),
                state: *state,
                words: words.clone(),
                is_asserted: partnership.is_alone(),
            };
            step(id, taken, partnership, view)
        }
    }
}

fn create(
    draft: &ImprovementDraft,
    party: &PartyId,
    partnership: &Partnership,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let owner = draft.owner.as_ref().unwrap_or(party);
    check(draft, owner, partnership)?;
    let id = draft.id.clone().unwrap_or_else(|| view.new_id(0));
    if view.find::<Improvement>(&id)?.is_some() {
        return Err(already_exists(Kind::Improvement, &id).into());
    }
    for_each(&draft.sources, |source| source.require_existing(view))?;
    let created = ImprovementCreated {
        party: party.clone(),
        cause: draft.cause.clone(),
        sources: draft.sources.clone(),
        action: draft.action.clone(),
        owner: owner.clone(),
        due: draft.due,
    };
    let event = Event::new(&id, ImprovementEvent::Created(created));
    Ok(Decision::about(Kind::Improvement, &id).event(event))
}

fn check(
    draft: &ImprovementDraft,
    owner: &PartyId,
    partnership: &Partnership,
) -> Result<(), Refusal> {
    const SOURCES: &str = "improvement.sources";
    let mut violations = Violations::default();
    let is_known_from = draft.cause.is_some() || !draft.sources.is_empty();
    let rule = "must be given unless sources say it";
    violations.require(is_known_from, "improvement.cause", rule);
    let few = format!("no more than {SOURCES_MAX}");
    violations.require(draft.sources.len() <= SOURCES_MAX, SOURCES, &few);
    let mut seen = BTreeSet::new();
    for (index, source) in draft.sources.iter().take(SOURCES_MAX).enumerate() {
        let field = format!("{SOURCES}[{index}]");
        violations.require(seen.insert(source), &field, "each source once");
    }
    let known = partnership.party(owner).is_some();
    let rule = "must be a party of the partnership";
    violations.require(known, "improvement.owner", rule);
    let rule = "between the years 2000 and 2099";
    violations.require(draft.due.is_storable(), "improvement.due_time", rule);
    violations.finish()
}

fn step(
    id: &str,
    taken: StepTaken,
    partnership: &Partnership,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    use ImprovementState::{Closed, Done, Dropped, Open, Verified};
    let improvement = view.get::<Improvement>(id)?;
    if improvement.state == taken.state && taken.state != Open {
        return Ok(Decision::about(Kind::Improvement, id));
    }
    let (method, may) = match taken.state {
        Done => ("CompleteImprovement", improvement.state == Open),
        Verified => ("VerifyImprovement", improvement.state == Done),
        Dropped => ("DropImprovement", improvement.state == Open),
        Open | Closed => (
            "ReopenImprovement",
            matches!(improvement.state, Done | Verified),
        ),
    };
    if !may {
        return Err(Refusal::invalid_state(improvement.state.as_str(), method).into());
    }
    match taken.state {
        Done => require_owner(&improvement.created.owner, &taken.party, partnership)?,
        Verified if !taken.is_asserted => require_other(improvement, &taken.party)?,
        _ => {}
    }
    let mut violations = Violations::default();
    let has_words = taken.words.is_some() || matches!(taken.state, Done | Verified);
    violations.require(has_words, "words", "must not be empty");
    violations.finish()?;
    if improvement.steps.len() >= STEPS_MAX {
        return Err(Refusal::limit("steps_per_improvement", STEPS_MAX).into());
    }
    let event = Event::new(id, ImprovementEvent::Moved(taken));
    Ok(Decision::about(Kind::Improvement, id).event(event))
}

/// Refuses whoever is not the owner of something to be done, unless no firm is there as the owner.
///
/// # Errors
/// [`Reason::NotTheOwner`].
pub fn require_owner(
    owner: &PartyId,
    party: &PartyId,
    partnership: &Partnership,
) -> Result<(), Refusal> {
    let found = partnership.party(owner);
    let is_there = found.is_some_and(crate::domain::partnership::Party::is_present);
    if owner == party || !is_there {
        return Ok(());
    }
    let message = "that it is done is said by the party that was to do it";
    Err(Refusal::new(Reason::NotTheOwner, message).with("owner", owner))
}

fn require_other(improvement: &Improvement, party: &PartyId) -> Result<(), Refusal> {
    let done = improvement.last_step(ImprovementState::Done);
    let said_so = done.is_some_and(|step| step.by.party == *party);
    if improvement.created.owner != *party && !said_so {
        return Ok(());
    }
    let message = "an improvement is verified by another party than the one that made it";
    Err(Refusal::new(Reason::SameFirmMayNotAccept, message).with("party_id", party))
}
