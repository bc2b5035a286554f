//! Shared goals.

use tonic::{Request, Response};

use super::{Answer, firm};
use crate::api::convert::{chosen_id, etag, parse_name, to_approval, to_timestamp};
use crate::api::expectation::parse::{Intake, stated};
use crate::api::listing::{self, Shown, Viewer, Wanted, name_in};
use crate::api::{Api, Envelope, Found, Mutation, required};
use crate::domain::command::Action;
use crate::domain::commitment::{Commitment, Opening};
use crate::domain::firm::Permission;
use crate::domain::identity::{PartyId, ScopeId};
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::shared_goal::{
    GoalCommand, GoalDraft, GoalOutcome, GoalProgress, GoalState, SharedGoal,
};
use crate::proto::v1;

/// Shape of a goal's name.
const SHAPE: &str = "partnerships/*/sharedGoals/*";

pub(super) async fn create(
    api: &Api,
    request: &Request<v1::CreateSharedGoalRequest>,
) -> Answer<v1::SharedGoal> {
    const DUE: &str = "shared_goal.due_time";
    let caller = api.caller(request, Permission::Quotes).await?;
    let asked = request.get_ref();
    let [partnership] = parse_name("parent", &asked.parent, "partnerships/*")?;
    let given = asked.shared_goal.as_ref();
    let given = given.ok_or_else(|| required("shared_goal"))?;
    let mut intake = Intake::new(api);
    let id = chosen_id("shared_goal_id", &asked.shared_goal_id);
    let id = intake.faults.take(id);
    let title = required_line(&mut intake, "shared_goal.title", &given.title);
    let measure = intake.required_text("shared_goal.measure", &given.measure);
    let target = required_line(&mut intake, "shared_goal.target", &given.target);
    let due = intake.instant(DUE, given.due_time);
    let (is_given, rule) = (given.due_time.is_some(), "is required");
    intake.faults.require(is_given, DUE, rule);
    let openings = intake.finish()?;
    let (Some(title), Some(measure), Some(target), Some(due)) = (title, measure, target, due)
    else {
        return Err(required("shared_goal").into());
    };
    let owner = Some(&given.owner).filter(|party| !party.is_empty());
    let draft = GoalDraft {
        id,
        title,
        measure,
        target,
        owner: owner.map(|party| PartyId::from_text(party)),
        due,
    };
    let envelope = Envelope::new(&asked.request_id, &asked.origin, "");
    let mutation = mutation(
        &partnership,
        envelope,
        GoalCommand::Propose(draft),
        openings,
    );
    listing::change::<SharedGoal, _>(api, &caller, "CreateSharedGoal", request, mutation).await
}

/// A line of text that must be given; `None` only if it is at fault.
fn required_line(intake: &mut Intake<'_>, field: &str, text: &str) -> Option<Commitment> {
    let (is_given, rule) = (!text.is_empty(), "must not be empty");
    intake.faults.require(is_given, field, rule);
    intake.line(field, text)
}

pub(super) async fn agree(
    api: &Api,
    request: &Request<v1::AgreeSharedGoalRequest>,
) -> Answer<v1::SharedGoal> {
    let caller = api.caller(request, Permission::Approve).await?;
    let asked = request.get_ref();
    let [partnership, id] = parse_name("name", &asked.name, SHAPE)?;
    let envelope = Envelope::new(&asked.request_id, &asked.origin, &asked.etag);
    let command = GoalCommand::Agree { id };
    let mutation = mutation(&partnership, envelope, command, Vec::new());
    listing::change::<SharedGoal, _>(api, &caller, "AgreeSharedGoal", request, mutation).await
}

pub(super) async fn record_progress(
    api: &Api,
    request: &Request<v1::RecordGoalProgressRequest>,
) -> Answer<v1::SharedGoal> {
    const FIELD: &str = "progress.percent";
    let caller = api.caller(request, Permission::Quotes).await?;
    let asked = request.get_ref();
    let [partnership, id] = parse_name("name", &asked.name, SHAPE)?;
    let given = asked.progress.as_ref();
    let given = given.ok_or_else(|| required("progress"))?;
    let mut intake = Intake::new(api);
    let beyond = |_| Refusal::field(Reason::InvalidField, FIELD, "0 to 100 percent");
    let percent = u8::try_from(given.percent).map_err(beyond);
    let percent = intake.faults.take(percent);
    let note = intake.text("progress.note", &given.note);
    let openings = intake.finish()?;
    let envelope = Envelope::new(&asked.request_id, &asked.origin, &asked.etag);
    let command = GoalCommand::TellProgress { id, percent, note };
    let mutation = mutation(&partnership, envelope, command, openings);
    listing::change::<SharedGoal, _>(api, &caller, "RecordGoalProgress", request, mutation).await
}

pub(super) async fn close(
    api: &Api,
    request: &Request<v1::CloseSharedGoalRequest>,
) -> Answer<v1::SharedGoal> {
    let caller = api.caller(request, Permission::Approve).await?;
    let asked = request.get_ref();
    let [partnership, id] = parse_name("name", &asked.name, SHAPE)?;
    let mut intake = Intake::new(api);
    let state = intake.faults.take(state("state", asked.state));
    let ended = state.filter(|state| {
        use GoalState as State;
        matches!(state, State::Reached | State::Missed | State::Dropped)
    });
    let rule = "must be REACHED, MISSED or DROPPED";
    intake.faults.require(ended.is_some(), "state", rule);
    let words = intake.text("words", &asked.words);
    let openings = intake.finish()?;
    let command = GoalCommand::End {
        id,
        state: ended.ok_or_else(|| required("state"))?,
        words,
    };
    let envelope = Envelope::new(&asked.request_id, &asked.origin, &asked.etag);
    let mutation = mutation(&partnership, envelope, command, openings);
    listing::change::<SharedGoal, _>(api, &caller, "CloseSharedGoal", request, mutation).await
}

pub(super) async fn get(
    api: &Api,
    request: &Request<v1::GetSharedGoalRequest>,
) -> Answer<v1::SharedGoal> {
    let caller = api.caller(request, Permission::Read).await?;
    let [partnership, id] = parse_name("name", &request.get_ref().name, SHAPE)?;
    let (member, found) = api.get::<SharedGoal>(&caller, &partnership, &id).await?;
    Ok(Response::new(listing::show(api, &member, found).await?))
}

pub(super) async fn list(
    api: &Api,
    request: &Request<v1::ListSharedGoalsRequest>,
) -> Answer<v1::ListSharedGoalsResponse> {
    let caller = api.caller(request, Permission::Read).await?;
    let asked = request.get_ref();
    let [partnership] = parse_name("parent", &asked.parent, "partnerships/*")?;
    let state = state("state", asked.state)?;
    let member = api.member(&caller, &partnership).await?;
    // What the end of the partnership closed is recorded as open until a sweep has come by.
    let recorded = state.filter(|state| {
        use GoalState as State;
        matches!(state, State::Reached | State::Missed | State::Dropped)
    });
    let wanted = Wanted {
        purpose: &format!("ListSharedGoals:{partnership}:{}", asked.state),
        page_size: asked.page_size,
        page_token: &asked.page_token,
        recorded_state: recorded.map(GoalState::as_str),
    };
    let keep = |found: &SharedGoal| state.is_none_or(|state| found.state == state);
    let (shared_goals, next_page_token) = listing::list(api, &member, wanted, keep).await?;
    Ok(Response::new(v1::ListSharedGoalsResponse {
        shared_goals,
        next_page_token,
    }))
}

fn mutation(
    partnership: &str,
    envelope: Envelope,
    command: GoalCommand,
    openings: Vec<Opening>,
) -> Mutation {
    Mutation {
        scope: ScopeId::partnership(partnership),
        envelope,
        action: Action::SharedGoal(command),
        openings,
    }
}

/// A state that may be left out.
fn state(field: &str, value: i32) -> Result<Option<GoalState>, Refusal> {
    let state = stated::<v1::SharedGoalState>(field, value)?;
    Ok(state.and_then(|state| match state {
        v1::SharedGoalState::Unspecified => None,
        v1::SharedGoalState::Proposed => Some(GoalState::Proposed),
        v1::SharedGoalState::Agreed => Some(GoalState::Agreed),
        v1::SharedGoalState::Reached => Some(GoalState::Reached),
        v1::SharedGoalState::Missed => Some(GoalState::Missed),
        v1::SharedGoalState::Dropped => Some(GoalState::Dropped),
        v1::SharedGoalState::Closed => Some(GoalState::Closed),
    }))
}

const fn to_state(state: GoalState) -> v1::SharedGoalState {
    match state {
        GoalState::Proposed => v1::SharedGoalState::Proposed,
        GoalState::Agreed => v1::SharedGoalState::Agreed,
        GoalState::Reached => v1::SharedGoalState::Reached,
        GoalState::Missed => v1::SharedGoalState::Missed,
        GoalState::Dropped => v1::SharedGoalState::Dropped,
        GoalState::Closed => v1::SharedGoalState::Closed,
    }
}

impl Shown for SharedGoal {
    type Message = v1::SharedGoal;

    const REFERENCED: bool = false;

    fn commitments(&self) -> Vec<Commitment> {
        let stated = [&self.title, &self.measure, &self.target];
        let notes = self.progress.iter().filter_map(|told| told.note.clone());
        let words = self.outcome.iter();
        let words = words.filter_map(|outcome| outcome.words.clone());
        stated
            .into_iter()
            .cloned()
            .chain(notes)
            .chain(words)
            .collect()
    }

    fn shown(found: &Found<Self>, viewer: &Viewer<'_>) -> v1::SharedGoal {
        let goal = &found.state;
        let progress = goal.progress.iter();
        let outcome = goal.outcome.as_ref();
        v1::SharedGoal {
            name: name_in(&viewer.member.scope(), "sharedGoals", &found.id),
            title: viewer.texts.show(Some(&goal.title)),
            measure: viewer.texts.show(Some(&goal.measure)),
            target: viewer.texts.show(Some(&goal.target)),
            owner: goal.owner.to_string(),
            due_time: Some(to_timestamp(goal.due)),
            state: to_state(goal.state).into(),
            asserted: goal.is_asserted,
            approvals: goal.approvals.iter().map(to_approval).collect(),
            progress: progress.map(|told| to_progress(told, viewer)).collect(),
            outcome: outcome.map(|outcome| to_outcome(outcome, viewer)),
            close_time: goal.closed_at.map(to_timestamp),
            create_time: Some(to_timestamp(found.created_at)),
            update_time: Some(to_timestamp(found.updated_at)),
            etag: etag(found.revision),
            redacted_fields: viewer.texts.redacted_fields(goal.commitments()),
        }
    }
}

fn to_progress(told: &GoalProgress, viewer: &Viewer<'_>) -> v1::GoalProgress {
    v1::GoalProgress {
        percent: told.percent.into(),
        note: viewer.texts.show(told.note.as_ref()),
        party_id: told.by.party.to_string(),
        firm: firm(&told.by),
        state_time: Some(to_timestamp(told.by.at)),
    }
}

fn to_outcome(outcome: &GoalOutcome, viewer: &Viewer<'_>) -> v1::SharedGoalOutcome {
    v1::SharedGoalOutcome {
        words: viewer.texts.show(outcome.words.as_ref()),
        party_id: outcome.by.party.to_string(),
        firm: firm(&outcome.by),
        state_time: Some(to_timestamp(outcome.by.at)),
        asserted: outcome.is_asserted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_can_be_asked_for_and_shown() {
        assert_eq!(state("s", 0), Ok(None));
        for value in 1..=6 {
            let known = state("s", value).unwrap().unwrap();
            assert_eq!(i32::from(to_state(known)), value);
        }
        assert!(state("s", 7).is_err());
    }
}
