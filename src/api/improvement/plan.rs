//! Remedy plans.

use tonic::{Request, Response};

use super::{Answer, firm};
use crate::api::checkup::{symptom, to_symptom};
use crate::api::convert::{chosen_id, etag, parse_name, to_approval, to_timestamp};
use crate::api::expectation::parse::{Intake, stated};
use crate::api::listing::{self, Shown, Viewer, Wanted, name_in};
use crate::api::{Api, Envelope, Found, Mutation, required};
use crate::domain::command::Action;
use crate::domain::commitment::{Commitment, Opening};
use crate::domain::firm::Permission;
use crate::domain::identity::{PartyId, ScopeId};
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::remedy_plan::{
    Completion, Finding, PlanCommand, PlanDraft, PlanState, RemedyPlan, STEPS_MAX, Step, StepDraft,
};
use crate::domain::time::Timestamp;
use crate::proto::v1;

/// Shape of a plan's name.
const SHAPE: &str = "partnerships/*/remedyPlans/*";

pub(super) async fn create(
    api: &Api,
    request: &Request<v1::CreateRemedyPlanRequest>,
) -> Answer<v1::RemedyPlan> {
    let caller = api.caller(request, Permission::Quotes).await?;
    let asked = request.get_ref();
    let [partnership] = parse_name("parent", &asked.parent, "partnerships/*")?;
    let given = asked.remedy_plan.as_ref();
    let given = given.ok_or_else(|| required("remedy_plan"))?;
    let mut intake = Intake::new(api);
    let id = chosen_id("remedy_plan_id", &asked.remedy_plan_id);
    let id = intake.faults.take(id);
    let finding = finding(&mut intake, given);
    let mut steps = Vec::new();
    // One too many is enough for it to be noticed.
    for (index, step) in given.steps.iter().take(STEPS_MAX + 1).enumerate() {
        steps.extend(self::step(&mut intake, index, step));
    }
    let openings = intake.finish()?;
    let draft = PlanDraft {
        id,
        finding: finding.ok_or_else(|| required("remedy_plan"))?,
        steps,
    };
    let envelope = Envelope::new(&asked.request_id, &asked.origin, "");
    let command = PlanCommand::Propose(draft);
    let mutation = mutation(&partnership, envelope, command, openings);
    listing::change::<RemedyPlan, _>(api, &caller, "CreateRemedyPlan", request, mutation).await
}

/// What a plan is about; `None` if that is at fault, which is noted.
fn finding(intake: &mut Intake<'_>, given: &v1::RemedyPlan) -> Option<Finding> {
    const INTENSITY: &str = "remedy_plan.intensity";
    let symptom = symptom("remedy_plan.symptom", given.symptom);
    let symptom = intake.faults.take(symptom.map(Some));
    let as_of = instant(intake, "remedy_plan.as_of_time", given.as_of_time);
    let window = given.window.unwrap_or_default();
    let from = instant(intake, "remedy_plan.window.start_time", window.start_time);
    let to = instant(intake, "remedy_plan.window.end_time", window.end_time);
    let beyond = |_| Refusal::field(Reason::InvalidField, INTENSITY, "0 to 4");
    let intensity = given
        .intensity
        .map(|given| u8::try_from(given).map_err(beyond));
    let intensity = intake.faults.take(intensity.transpose());
    Some(Finding {
        symptom: symptom?,
        as_of: as_of?,
        from: from?,
        to: to?,
        intensity,
    })
}

/// An instant that must be given; `None` only if it is at fault.
fn instant(
    intake: &mut Intake<'_>,
    field: &str,
    given: Option<prost_types::Timestamp>,
) -> Option<Timestamp> {
    intake.faults.require(given.is_some(), field, "is required");
    intake.instant(field, given)
}

/// A step; `None` if it is at fault, which is noted.
fn step(intake: &mut Intake<'_>, index: usize, given: &v1::RemedyStep) -> Option<StepDraft> {
    let at = |name: &str| format!("remedy_plan.steps[{index}].{name}");
    let action = intake.required_text(&at("action"), &given.action);
    let due = instant(intake, &at("due_time"), given.due_time);
    let owner = Some(&given.owner).filter(|party| !party.is_empty());
    Some(StepDraft {
        action: action?,
        owner: owner.map(|party| PartyId::from_text(party)),
        due: due?,
    })
}

pub(super) async fn agree(
    api: &Api,
    request: &Request<v1::AgreeRemedyPlanRequest>,
) -> Answer<v1::RemedyPlan> {
    let caller = api.caller(request, Permission::Approve).await?;
    let asked = request.get_ref();
    let [partnership, id] = parse_name("name", &asked.name, SHAPE)?;
    let envelope = Envelope::new(&asked.request_id, &asked.origin, &asked.etag);
    let command = PlanCommand::Agree { id };
    let mutation = mutation(&partnership, envelope, command, Vec::new());
    listing::change::<RemedyPlan, _>(api, &caller, "AgreeRemedyPlan", request, mutation).await
}

pub(super) async fn complete_step(
    api: &Api,
    request: &Request<v1::CompleteRemedyStepRequest>,
) -> Answer<v1::RemedyPlan> {
    const FIELD: &str = "step_number";
    let caller = api.caller(request, Permission::Quotes).await?;
    let asked = request.get_ref();
    let [partnership, id] = parse_name("name", &asked.name, SHAPE)?;
    let mut intake = Intake::new(api);
    let below = |_| Refusal::field(Reason::InvalidField, FIELD, "steps are counted from 1");
    let number = u32::try_from(asked.step_number).map_err(below);
    let number = intake.faults.take(number);
    let words = intake.text("words", &asked.words);
    let openings = intake.finish()?;
    let envelope = Envelope::new(&asked.request_id, &asked.origin, &asked.etag);
    let command = PlanCommand::CompleteStep { id, number, words };
    let mutation = mutation(&partnership, envelope, command, openings);
    listing::change::<RemedyPlan, _>(api, &caller, "CompleteRemedyStep", request, mutation).await
}

pub(super) async fn close(
    api: &Api,
    request: &Request<v1::CloseRemedyPlanRequest>,
) -> Answer<v1::RemedyPlan> {
    let caller = api.caller(request, Permission::Approve).await?;
    let asked = request.get_ref();
    let [partnership, id] = parse_name("name", &asked.name, SHAPE)?;
    let mut intake = Intake::new(api);
    let state = intake.faults.take(state("state", asked.state));
    let ended = state.filter(|state| matches!(state, PlanState::Done | PlanState::Abandoned));
    let rule = "must be DONE or ABANDONED";
    intake.faults.require(ended.is_some(), "state", rule);
    let words = intake.text("words", &asked.words);
    let openings = intake.finish()?;
    let command = PlanCommand::End {
        id,
        state: ended.ok_or_else(|| required("state"))?,
        words,
    };
    let envelope = Envelope::new(&asked.request_id, &asked.origin, &asked.etag);
    let mutation = mutation(&partnership, envelope, command, openings);
    listing::change::<RemedyPlan, _>(api, &caller, "CloseRemedyPlan", request, mutation).await
}

pub(super) async fn get(
    api: &Api,
    request: &Request<v1::GetRemedyPlanRequest>,
) -> Answer<v1::RemedyPlan> {
    let caller = api.caller(request, Permission::Read).await?;
    let [partnership, id] = parse_name("name", &request.get_ref().name, SHAPE)?;
    let (member, found) = api.get::<RemedyPlan>(&caller, &partnership, &id).await?;
    Ok(Response::new(listing::show(api, &member, found).await?))
}

pub(super) async fn list(
    api: &Api,
    request: &Request<v1::ListRemedyPlansRequest>,
) -> Answer<v1::ListRemedyPlansResponse> {
    let caller = api.caller(request, Permission::Read).await?;
    let asked = request.get_ref();
    let [partnership] = parse_name("parent", &asked.parent, "partnerships/*")?;
    let state = state("state", asked.state)?;
    let wanted_row = stated::<v1::Symptom>("symptom", asked.symptom)?;
    let member = api.member(&caller, &partnership).await?;
    // What the end of the partnership closed is recorded as open until a sweep has come by.
    let recorded = state.filter(|state| matches!(state, PlanState::Done | PlanState::Abandoned));
    let wanted = Wanted {
        purpose: &format!(
            "ListRemedyPlans:{partnership}:{}:{}",
            asked.state, asked.symptom
        ),
        page_size: asked.page_size,
        page_token: &asked.page_token,
        recorded_state: recorded.map(PlanState::as_str),
    };
    let keep = |found: &RemedyPlan| {
        let row = to_symptom(found.finding.symptom);
        state.is_none_or(|state| found.state == state)
            && wanted_row.is_none_or(|wanted| wanted == row)
    };
    let (remedy_plans, next_page_token) = listing::list(api, &member, wanted, keep).await?;
    Ok(Response::new(v1::ListRemedyPlansResponse {
        remedy_plans,
        next_page_token,
    }))
}

fn mutation(
    partnership: &str,
    envelope: Envelope,
    command: PlanCommand,
    openings: Vec<Opening>,
) -> Mutation {
    Mutation {
        scope: ScopeId::partnership(partnership),
        envelope,
        action: Action::RemedyPlan(command),
        openings,
    }
}

/// A state that may be left out.
fn state(field: &str, value: i32) -> Result<Option<PlanState>, Refusal> {
    let state = stated::<v1::RemedyPlanState>(field, value)?;
    Ok(state.and_then(|state| match state {
        v1::RemedyPlanState::Unspecified => None,
        v1::RemedyPlanState::Proposed => Some(PlanState::Proposed),
        v1::RemedyPlanState::Agreed => Some(PlanState::Agreed),
        v1::RemedyPlanState::Done => Some(PlanState::Done),
        v1::RemedyPlanState::Abandoned => Some(PlanState::Abandoned),
        v1::RemedyPlanState::Closed => Some(PlanState::Closed),
    }))
}

const fn to_state(state: PlanState) -> v1::RemedyPlanState {
    match state {
        PlanState::Proposed => v1::RemedyPlanState::Proposed,
        PlanState::Agreed => v1::RemedyPlanState::Agreed,
        PlanState::Done => v1::RemedyPlanState::Done,
        PlanState::Abandoned => v1::RemedyPlanState::Abandoned,
        PlanState::Closed => v1::RemedyPlanState::Closed,
    }
}

impl Shown for RemedyPlan {
    type Message = v1::RemedyPlan;

    const REFERENCED: bool = false;

    fn commitments(&self) -> Vec<Commitment> {
        let actions = self.steps.iter().map(|step| step.planned.action.clone());
        let done = self.steps.iter().filter_map(|step| step.done.as_ref());
        let words = done.chain(&self.outcome);
        let words = words.filter_map(|said| said.words.clone());
        actions.chain(words).collect()
    }

    fn shown(found: &Found<Self>, viewer: &Viewer<'_>) -> v1::RemedyPlan {
        let plan = &found.state;
        let finding = &plan.finding;
        let steps = plan.steps.iter();
        let outcome = plan.outcome.as_ref();
        v1::RemedyPlan {
            name: name_in(&viewer.member.scope(), "remedyPlans", &found.id),
            symptom: to_symptom(finding.symptom).into(),
            as_of_time: Some(to_timestamp(finding.as_of)),
            window: Some(v1::CheckupWindow {
                start_time: Some(to_timestamp(finding.from)),
                end_time: Some(to_timestamp(finding.to)),
            }),
            intensity: finding.intensity.map(i32::from),
            steps: steps.map(|step| to_step(step, viewer)).collect(),
            state: to_state(plan.state).into(),
            asserted: plan.is_asserted,
            approvals: plan.approvals.iter().map(to_approval).collect(),
            outcome: outcome.map(|said| to_statement(said, viewer)),
            close_time: plan.closed_at.map(to_timestamp),
            create_time: Some(to_timestamp(found.created_at)),
            update_time: Some(to_timestamp(found.updated_at)),
            etag: etag(found.revision),
            redacted_fields: viewer.texts.redacted_fields(plan.commitments()),
        }
    }
}

fn to_step(step: &Step, viewer: &Viewer<'_>) -> v1::RemedyStep {
    let done = step.done.as_ref();
    v1::RemedyStep {
        action: viewer.texts.show(Some(&step.planned.action)),
        owner: step.planned.owner.to_string(),
        due_time: Some(to_timestamp(step.planned.due)),
        done: done.map(|said| to_statement(said, viewer)),
    }
}

fn to_statement(said: &Completion, viewer: &Viewer<'_>) -> v1::RemedyStatement {
    v1::RemedyStatement {
        words: viewer.texts.show(said.words.as_ref()),
        party_id: said.by.party.to_string(),
        firm: firm(&said.by),
        state_time: Some(to_timestamp(said.by.at)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_can_be_asked_for_and_shown() {
        assert_eq!(state("s", 0), Ok(None));
        for value in 1..=5 {
            let known = state("s", value).unwrap().unwrap();
            assert_eq!(i32::from(to_state(known)), value);
        }
        assert!(state("s", 6).is_err());
    }
}
