//! Decisions on remedy plans.

use super::{
    Finding, PlanAgreed, PlanEnded, PlanEvent, PlanProposed, PlanState, PlannedStep, RemedyPlan,
    STEPS_MAX, StepDone,
};
use crate::domain::checkup::{INTENSITY_MAX, Window};
use crate::domain::command::Decision;
use crate::domain::commitment::Commitment;
use crate::domain::identity::{FirmId, PartyId};
use crate::domain::improvement::require_owner;
use crate::domain::outsiders::already_exists;
use crate::domain::partnership::{Approval, Partnership, as_active_party};
use crate::domain::record::{Event, Kind};
use crate::domain::refusal::{Reason, Refusal, Violations};
use crate::domain::time::Timestamp;
use crate::domain::world::{Stop, View};

/// A step as it is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepDraft {
    /// What is to be done.
    pub action: Commitment,
    /// The party that does it; the caller's own if not stated.
    pub owner: Option<PartyId>,
    /// Until when.
    pub due: Timestamp,
}

/// A plan as it is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanDraft {
    /// An identifier that the caller chose; otherwise one is made.
    pub id: Option<String>,
    /// What it is about.
    pub finding: Finding,
    /// What is to be done, in order.
    pub steps: Vec<StepDraft>,
}

/// What can be asked of remedy plans.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlanCommand {
    /// Proposes one.
    Propose(PlanDraft),
    /// Agrees to one; to agree again changes nothing.
    Agree {
        /// Which plan.
        id: String,
    },
    /// Says that a step of one that is agreed was done; for its owner. To say it again changes nothing.
    CompleteStep {
        /// Which plan.
        id: String,
        /// Which step, counted from 1.
        number: u32,
        /// What there is to say.
        words: Option<Commitment>,
    },
    /// Says what became of one, once. To say the same again changes nothing.
    End {
        /// Which plan.
        id: String,
        /// Done or abandoned.
        state: PlanState,
        /// Why.
        words: Option<Commitment>,
    },
}

/// Decides a command on a remedy plan.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn decide(command: &PlanCommand, firm: &FirmId, view: &View<'_>) -> Result<Decision, Stop> {
    let (partnership, party) = as_active_party(firm, view)?;
    match command {
        PlanCommand::Propose(draft) => propose(draft, &party.id, partnership, view),
        PlanCommand::Agree { id } => agree(id, &party.id, partnership, view),
        PlanCommand::CompleteStep { id, number, words } => {
            let done = StepDone {
                party: party.id.clone(),
                number: *number,
                words: words.clone(),
            };
            complete(id, done, partnership, view)
        }
        PlanCommand::End { id, state, words } => {
            let ended = PlanEnded {
                party: party.id.clone(),
                state: *state,
                words: words.clone(),
            };
            end(id, ended, view)
        }
    }
}

fn changed(id: &str, event: PlanEvent) -> Decision {
    Decision::about(Kind::RemedyPlan, id).event(Event::new(id, event))
}

fn propose(
    draft: &PlanDraft,
    party: &PartyId,
    partnership: &Partnership,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    check(draft, partnership, view.now)?;
    let id = draft.id.clone().unwrap_or_else(|| view.new_id(0));
    if view.find::<RemedyPlan>(&id)?.is_some() {
        return Err(already_exists(Kind::RemedyPlan, &id).into());
    }
    let steps = draft.steps.iter().map(|step| PlannedStep {
        action: step.action.clone(),
        owner: step.owner.as_ref().unwrap_or(party).clone(),
        due: step.due,
    });
    let proposed = PlanProposed {
        party: party.clone(),
        finding: draft.finding,
        steps: steps.collect(),
        is_asserted: partnership.is_alone(),
    };
    Ok(changed(&id, PlanEvent::Proposed(proposed)))
}

fn check(draft: &PlanDraft, partnership: &Partnership, now: Timestamp) -> Result<(), Refusal> {
    let mut violations = Violations::default();
    let finding = &draft.finding;
    let is_past = finding.as_of.is_storable() && finding.as_of <= now;
    let rule = "from the year 2000 on, not in the future";
    violations.require(is_past, "remedy_plan.as_of_time", rule);
    if let Err(fault) = Window::new(finding.from, finding.to, finding.as_of) {
        violations.add("remedy_plan.window.end_time", fault.to_string());
    }
    let sensible = finding
        .intensity
        .is_none_or(|intensity| intensity <= INTENSITY_MAX);
    let rule = format!("0 to {INTENSITY_MAX}");
    violations.require(sensible, "remedy_plan.intensity", &rule);
    let count = draft.steps.len();
    let few = format!("1 to {STEPS_MAX} steps");
    violations.require((1..=STEPS_MAX).contains(&count), "remedy_plan.steps", &few);
    for (index, step) in draft.steps.iter().take(STEPS_MAX).enumerate() {
        let at = |name: &str| format!("remedy_plan.steps[{index}].{name}");
        let owner = step.owner.as_ref();
        let known = owner.is_none_or(|owner| partnership.party(owner).is_some());
        let rule = "must be a party of the partnership";
        violations.require(known, &at("owner"), rule);
        let rule = "between the years 2000 and 2099";
        violations.require(step.due.is_storable(), &at("due_time"), rule);
    }
    violations.finish()
}

fn agree(
    id: &str,
    party: &PartyId,
    partnership: &Partnership,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let plan = view.get::<RemedyPlan>(id)?;
    let is_complete = partnership.would_be_approved_by_all(&plan.approvals, party);
    let is_new = !Approval::is_among(&plan.approvals, party);
    let waits = match plan.state {
        // Also when the firm that was waited for has left since.
        PlanState::Proposed => is_new || is_complete,
        PlanState::Agreed => is_new && plan.is_asserted,
        over => {
            return Err(Refusal::invalid_state(over.as_str(), "AgreeRemedyPlan").into());
        }
    };
    if !waits {
        return Ok(Decision::about(Kind::RemedyPlan, id));
    }
    let agreed = PlanAgreed {
        party: party.clone(),
        is_complete,
    };
    Ok(changed(id, PlanEvent::Agreed(agreed)))
}

fn complete(
    id: &str,
    done: StepDone,
    partnership: &Partnership,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let plan = view.get::<RemedyPlan>(id)?;
    let Some(step) = plan.step(done.number) else {
        let rule = format!("1 to {}", plan.steps.len());
        return Err(Refusal::field(Reason::InvalidField, "step_number", rule).into());
    };
    require_owner(&step.planned.owner, &done.party, partnership)?;
    if step.done.is_some() {
        return Ok(Decision::about(Kind::RemedyPlan, id));
    }
    if plan.state != PlanState::Agreed {
        return Err(Refusal::invalid_state(plan.state.as_str(), "CompleteRemedyStep").into());
    }
    Ok(changed(id, PlanEvent::StepDone(done)))
}

fn end(id: &str, ended: PlanEnded, view: &View<'_>) -> Result<Decision, Stop> {
    let plan = view.get::<RemedyPlan>(id)?;
    if plan.outcome.is_some() && plan.state == ended.state {
        return Ok(Decision::about(Kind::RemedyPlan, id));
    }
    let is_done = plan.steps.iter().all(|step| step.done.is_some());
    let may = match (plan.state, ended.state) {
        (PlanState::Agreed, PlanState::Done) => is_done,
        (PlanState::Agreed | PlanState::Proposed, PlanState::Abandoned) => true,
        _ => false,
    };
    if !may {
        return Err(Refusal::invalid_state(plan.state.as_str(), "CloseRemedyPlan").into());
    }
    Ok(changed(id, PlanEvent::Ended(ended)))
}
