//! Decisions on shared goals.

use super::{
    GoalAgreed, GoalEnded, GoalEvent, GoalProposed, GoalState, PERCENT_MAX, PROGRESS_MAX,
    ProgressTold, SharedGoal,
};
use crate::domain::command::Decision;
use crate::domain::commitment::Commitment;
use crate::domain::identity::{FirmId, PartyId};
use crate::domain::outsiders::already_exists;
use crate::domain::partnership::{Approval, Partnership, as_active_party};
use crate::domain::record::{Event, Kind};
use crate::domain::refusal::{Reason, Refusal, Violations};
use crate::domain::time::Timestamp;
use crate::domain::world::{Stop, View};

/// A goal as it is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoalDraft {
    /// An identifier that the caller chose; otherwise one is made.
    pub id: Option<String>,
    /// What is to be reached.
    pub title: Commitment,
    /// By what the parties measure it.
    pub measure: Commitment,
    /// What that measure is to be.
    pub target: Commitment,
    /// The party that answers for it; the caller's own if not stated.
    pub owner: Option<PartyId>,
    /// When it is to be reached.
    pub due: Timestamp,
}

/// What can be asked of shared goals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GoalCommand {
    /// Proposes one.
    Propose(GoalDraft),
    /// Agrees to one; to agree again changes nothing.
    Agree {
        /// Which goal.
        id: String,
    },
    /// Tells how one that is agreed stands; for every party.
    TellProgress {
        /// Which goal.
        id: String,
        /// How much of the way is done, in percent.
        percent: u8,
        /// In words.
        note: Option<Commitment>,
    },
    /// Says what became of one, once. To say the same again changes nothing.
    End {
        /// Which goal.
        id: String,
        /// Reached, missed or dropped.
        state: GoalState,
        /// Why.
        words: Option<Commitment>,
    },
}

/// Decides a command on a shared goal.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn decide(command: &GoalCommand, firm: &FirmId, view: &View<'_>) -> Result<Decision, Stop> {
    let (partnership, party) = as_active_party(firm, view)?;
    match command {
        GoalCommand::Propose(draft) => propose(draft, &party.id, partnership, view),
        GoalCommand::Agree { id } => agree(id, &party.id, partnership, view),
        GoalCommand::TellProgress { id, percent, note } => {
            let told = ProgressTold {
                party: party.id.clone(),
                percent: *percent,
                note: note.clone(),
            };
            tell(id, told, view)
        }
        GoalCommand::End { id, state, words } => {
            let ended = GoalEnded {
                party: party.id.clone(),
                state: *state,
                words: words.clone(),
                is_asserted: partnership.is_alone(),
            };
            end(id, ended, view)
        }
    }
}

fn changed(id: &str, event: GoalEvent) -> Decision {
    Decision::about(Kind::SharedGoal, id).event(Event::new(id, event))
}

fn propose(
    draft: &GoalDraft,
    party: &PartyId,
    partnership: &Partnership,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let owner = draft.owner.as_ref().unwrap_or(party);
    let mut violations = Violations::default();
    let known = partnership.party(owner).is_some();
    let rule = "must be a party of the partnership";
    violations.require(known, "shared_goal.owner", rule);
    let rule = "between the years 2000 and 2099";
    violations.require(draft.due.is_storable(), "shared_goal.due_time", rule);
    violations.finish()?;
    let id = draft.id.clone().unwrap_or_else(|| view.new_id(0));
    if view.find::<SharedGoal>(&id)?.is_some() {
        return Err(already_exists(Kind::SharedGoal, &id).into());
    }
    let proposed = GoalProposed {
        party: party.clone(),
        title: draft.title.clone(),
        measure: draft.measure.clone(),
        target: draft.target.clone(),
        owner: owner.clone(),
        due: draft.due,
        is_asserted: partnership.is_alone(),
    };
    Ok(changed(&id, GoalEvent::Proposed(proposed)))
}

fn agree(
    id: &str,
    party: &PartyId,
    partnership: &Partnership,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let goal = view.get::<SharedGoal>(id)?;
    let is_complete = partnership.would_be_approved_by_all(&goal.approvals, party);
    let is_new = !Approval::is_among(&goal.approvals, party);
    let waits = match goal.state {
        // Also when the firm that was waited for has left since.
        GoalState::Proposed => is_new || is_complete,
        GoalState::Agreed => is_new && goal.is_asserted,
        over => {
            return Err(Refusal::invalid_state(over.as_str(), "AgreeSharedGoal").into());
        }
    };
    if !waits {
        return Ok(Decision::about(Kind::SharedGoal, id));
    }
    let agreed = GoalAgreed {
        party: party.clone(),
        is_complete,
    };
    Ok(changed(id, GoalEvent::Agreed(agreed)))
}

fn tell(id: &str, told: ProgressTold, view: &View<'_>) -> Result<Decision, Stop> {
    let goal = view.get::<SharedGoal>(id)?;
    if goal.state != GoalState::Agreed {
        return Err(Refusal::invalid_state(goal.state.as_str(), "RecordGoalProgress").into());
    }
    let mut violations = Violations::default();
    let rule = format!("0 to {PERCENT_MAX} percent");
    violations.require(told.percent <= PERCENT_MAX, "progress.percent", &rule);
    violations.finish()?;
    if goal.progress.len() >= PROGRESS_MAX {
        return Err(Refusal::limit("progress_per_goal", PROGRESS_MAX).into());
    }
    Ok(changed(id, GoalEvent::ProgressTold(told)))
}

fn end(id: &str, ended: GoalEnded, view: &View<'_>) -> Result<Decision, Stop> {
    let goal = view.get::<SharedGoal>(id)?;
    if goal.outcome.is_some() && goal.state == ended.state {
        return Ok(Decision::about(Kind::SharedGoal, id));
    }
    let may = match goal.state {
        GoalState::Agreed => true,
        GoalState::Proposed => ended.state == GoalState::Dropped,
        _ => false,
    };
    if !may {
        return Err(Refusal::invalid_state(goal.state.as_str(), "CloseSharedGoal").into());
    }
    let is_own = ended.state == GoalState::Reached && goal.owner == ended.party;
    if is_own && !ended.is_asserted {
        let message = "that a goal was reached is said by another party than its owner";
        let refusal = Refusal::new(Reason::SameFirmMayNotAccept, message);
        return Err(refusal.with("party_id", &ended.party).into());
    }
    Ok(changed(id, GoalEvent::Ended(ended)))
}
