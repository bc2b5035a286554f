//! Improvements.

use tonic::{Request, Response};

use super::{Answer, firm};
use crate::api::convert::{chosen_id, etag, parse_name, to_timestamp};
use crate::api::expectation::parse::{Intake, neighbour, stated};
use crate::api::listing::{self, Shown, Viewer, Wanted, name_in};
use crate::api::{Api, Envelope, Found, Mutation, required};
use crate::domain::command::Action;
use crate::domain::commitment::{Commitment, Opening};
use crate::domain::firm::Permission;
use crate::domain::identity::{PartyId, ScopeId};
use crate::domain::improvement::{
    Improvement, ImprovementCommand, ImprovementDraft, ImprovementState, ImprovementStep,
    SOURCES_MAX, Source,
};
use crate::domain::refusal::{Reason, Refusal};
use crate::proto::v1;

/// Shape of an improvement's name.
const SHAPE: &str = "partnerships/*/improvements/*";

pub(super) async fn create(
    api: &Api,
    request: &Request<v1::CreateImprovementRequest>,
) -> Answer<v1::Improvement> {
    const DUE: &str = "improvement.due_time";
    let caller = api.caller(request, Permission::Quotes).await?;
    let asked = request.get_ref();
    let [partnership] = parse_name("parent", &asked.parent, "partnerships/*")?;
    let given = asked.improvement.as_ref();
    let given = given.ok_or_else(|| required("improvement"))?;
    let scope = ScopeId::partnership(&partnership);
    let mut intake = Intake::new(api);
    let id = chosen_id("improvement_id", &asked.improvement_id);
    let id = intake.faults.take(id);
    let cause = intake.text("improvement.cause", &given.cause);
    let mut sources = Vec::new();
    // One too many is enough for it to be noticed.
    for (index, name) in given.sources.iter().take(SOURCES_MAX + 1).enumerate() {
        let field = format!("improvement.sources[{index}]");
        let source = source(&field, &scope, name).map(Some);
        sources.extend(intake.faults.take(source));
    }
    let action = intake.required_text("improvement.action", &given.action);
    let due = intake.instant(DUE, given.due_time);
    let (is_given, rule) = (given.due_time.is_some(), "is required");
    intake.faults.require(is_given, DUE, rule);
    let openings = intake.finish()?;
    let (Some(action), Some(due)) = (action, due) else {
        return Err(required("improvement").into());
    };
    let owner = Some(&given.owner).filter(|party| !party.is_empty());
    let draft = ImprovementDraft {
        id,
        cause,
        sources,
        action,
        owner: owner.map(|party| PartyId::from_text(party)),
        due,
    };
    let mutation = Mutation {
        scope,
        envelope: Envelope::new(&asked.request_id, &asked.origin, ""),
        action: Action::Improvement(ImprovementCommand::Create(draft)),
        openings,
    };
    listing::change::<Improvement, _>(api, &caller, "CreateImprovement", request, mutation).await
}

/// A record of the same partnership, by its name.
fn source(field: &str, scope: &ScopeId, name: &str) -> Result<Source, Refusal> {
    type Sort = (&'static str, fn(String) -> Source);
    const SORTS: [Sort; 5] = [
        ("partnerships/*/tickets/*", Source::Ticket),
        ("partnerships/*/expectations/*", Source::Expectation),
        ("partnerships/*/notices/*", Source::Notice),
        ("partnerships/*/surveys/*", Source::Survey),
        ("partnerships/*/feedback/*", Source::Feedback),
    ];
    let collection = name.split('/').nth(2);
    let sort = SORTS
        .iter()
        .find(|(shape, _)| shape.split('/').nth(2) == collection);
    let unknown = || {
        let rule = "must name a ticket, an expectation, a notice, a survey or feedback";
        Refusal::field(Reason::InvalidField, field, rule)
    };
    let (shape, make) = sort.ok_or_else(unknown)?;
    let id = neighbour(field, scope, name, shape)?;
    Ok(make(id.ok_or_else(unknown)?))
}

fn to_source(source: &Source, scope: &ScopeId) -> String {
    match source {
        Source::Ticket(id) => name_in(scope, "tickets", id),
        Source::Expectation(id) => name_in(scope, "expectations", id),
        Source::Notice(id) => name_in(scope, "notices", id),
        Source::Survey(id) => name_in(scope, "surveys", id),
        Source::Feedback(id) => name_in(scope, "feedback", id),
    }
}

pub(super) async fn complete(
    api: &Api,
    request: &Request<v1::CompleteImprovementRequest>,
) -> Answer<v1::Improvement> {
    let caller = api.caller(request, Permission::Quotes).await?;
    let asked = request.get_ref();
    let envelope = Envelope::new(&asked.request_id, &asked.origin, &asked.etag);
    let step = (&*asked.name, ImprovementState::Done, &*asked.words);
    let mutation = moving(api, step, envelope)?;
    listing::change::<Improvement, _>(api, &caller, "CompleteImprovement", request, mutation).await
}

pub(super) async fn verify(
    api: &Api,
    request: &Request<v1::VerifyImprovementRequest>,
) -> Answer<v1::Improvement> {
    let caller = api.caller(request, Permission::Approve).await?;
    let asked = request.get_ref();
    let envelope = Envelope::new(&asked.request_id, &asked.origin, &asked.etag);
    let step = (&*asked.name, ImprovementState::Verified, &*asked.words);
    let mutation = moving(api, step, envelope)?;
    listing::change::<Improvement, _>(api, &caller, "VerifyImprovement", request, mutation).await
}

pub(super) async fn reopen(
    api: &Api,
    request: &Request<v1::ReopenImprovementRequest>,
) -> Answer<v1::Improvement> {
    let caller = api.caller(request, Permission::Approve).await?;
    let asked = request.get_ref();
    let envelope = Envelope::new(&asked.request_id, &asked.origin, &asked.etag);
    let step = (&*asked.name, ImprovementState::Open, &*asked.words);
    let mutation = moving(api, step, envelope)?;
    listing::change::<Improvement, _>(api, &caller, "ReopenImprovement", request, mutation).await
}

pub(super) async fn give_up(
    api: &Api,
    request: &Request<v1::DropImprovementRequest>,
) -> Answer<v1::Improvement> {
    let caller = api.caller(request, Permission::Quotes).await?;
    let asked = request.get_ref();
    let envelope = Envelope::new(&asked.request_id, &asked.origin, &asked.etag);
    let step = (&*asked.name, ImprovementState::Dropped, &*asked.words);
    let mutation = moving(api, step, envelope)?;
    listing::change::<Improvement, _>(api, &caller, "DropImprovement", request, mutation).await
}

/// The mutation that moves the improvement of a name to a state, with words.
fn moving(
    api: &Api,
    (name, state, words): (&str, ImprovementState, &str),
    envelope: Envelope,
) -> Result<Mutation, crate::api::status::ApiError> {
    let [partnership, id] = parse_name("name", name, SHAPE)?;
    let mut intake = Intake::new(api);
    let words = intake.text("words", words);
    let openings: Vec<Opening> = intake.finish()?;
    Ok(Mutation {
        scope: ScopeId::partnership(&partnership),
        envelope,
        action: Action::Improvement(ImprovementCommand::Move { id, state, words }),
        openings,
    })
}

pub(super) async fn get(
    api: &Api,
    request: &Request<v1::GetImprovementRequest>,
) -> Answer<v1::Improvement> {
    let caller = api.caller(request, Permission::Read).await?;
    let [partnership, id] = parse_name("name", &request.get_ref().name, SHAPE)?;
    let (member, found) = api.get::<Improvement>(&caller, &partnership, &id).await?;
    Ok(Response::new(listing::show(api, &member, found).await?))
}

pub(super) async fn list(
    api: &Api,
    request: &Request<v1::ListImprovementsRequest>,
) -> Answer<v1::ListImprovementsResponse> {
    let caller = api.caller(request, Permission::Read).await?;
    let asked = request.get_ref();
    let [partnership] = parse_name("parent", &asked.parent, "partnerships/*")?;
    let state = state("state", asked.state)?;
    let member = api.member(&caller, &partnership).await?;
    // What the end of the partnership closed is recorded as open until a sweep has come by.
    let recorded =
        state.filter(|state| !matches!(state, ImprovementState::Open | ImprovementState::Closed));
    let wanted = Wanted {
        purpose: &format!("ListImprovements:{partnership}:{}", asked.state),
        page_size: asked.page_size,
        page_token: &asked.page_token,
        recorded_state: recorded.map(ImprovementState::as_str),
    };
    let keep = |found: &Improvement| state.is_none_or(|state| found.state == state);
    let (improvements, next_page_token) = listing::list(api, &member, wanted, keep).await?;
    Ok(Response::new(v1::ListImprovementsResponse {
        improvements,
        next_page_token,
    }))
}

/// A state that may be left out.
fn state(field: &str, value: i32) -> Result<Option<ImprovementState>, Refusal> {
    let state = stated::<v1::ImprovementState>(field, value)?;
    Ok(state.and_then(|state| match state {
        v1::ImprovementState::Unspecified => None,
        v1::ImprovementState::Open => Some(ImprovementState::Open),
        v1::ImprovementState::Done => Some(ImprovementState::Done),
        v1::ImprovementState::Verified => Some(ImprovementState::Verified),
        v1::ImprovementState::Dropped => Some(ImprovementState::Dropped),
        v1::ImprovementState::Closed => Some(ImprovementState::Closed),
    }))
}

const fn to_state(state: ImprovementState) -> v1::ImprovementState {
    match state {
        ImprovementState::Open => v1::ImprovementState::Open,
        ImprovementState::Done => v1::ImprovementState::Done,
        ImprovementState::Verified => v1::ImprovementState::Verified,
        ImprovementState::Dropped => v1::ImprovementState::Dropped,
        ImprovementState::Closed => v1::ImprovementState::Closed,
    }
}

impl Shown for Improvement {
    type Message = v1::Improvement;

    const REFERENCED: bool = false;

    fn commitments(&self) -> Vec<Commitment> {
        let words = self.steps.iter().filter_map(|step| step.words.clone());
        let cause = self.created.cause.clone().into_iter();
        cause
            .chain([self.created.action.clone()])
            .chain(words)
            .collect()
    }

    fn shown(found: &Found<Self>, viewer: &Viewer<'_>) -> v1::Improvement {
        let improvement = &found.state;
        let created = &improvement.created;
        let scope = viewer.member.scope();
        let sources = created.sources.iter();
        let steps = improvement.steps.iter();
        v1::Improvement {
            name: name_in(&scope, "improvements", &found.id),
            cause: viewer.texts.show(created.cause.as_ref()),
            sources: sources.map(|source| to_source(source, &scope)).collect(),
            action: viewer.texts.show(Some(&created.action)),
            owner: created.owner.to_string(),
            due_time: Some(to_timestamp(created.due)),
            state: to_state(improvement.state).into(),
            creator: created.party.to_string(),
            steps: steps.map(|step| to_step(step, viewer)).collect(),
            close_time: improvement.closed_at.map(to_timestamp),
            create_time: Some(to_timestamp(found.created_at)),
            update_time: Some(to_timestamp(found.updated_at)),
            etag: etag(found.revision),
            redacted_fields: viewer.texts.redacted_fields(improvement.commitments()),
        }
    }
}

fn to_step(step: &ImprovementStep, viewer: &Viewer<'_>) -> v1::ImprovementStep {
    v1::ImprovementStep {
        state: to_state(step.state).into(),
        words: viewer.texts.show(step.words.as_ref()),
        party_id: step.by.party.to_string(),
        firm: firm(&step.by),
        state_time: Some(to_timestamp(step.by.at)),
        asserted: step.is_asserted,
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

    #[test]
    fn sources_are_of_the_same_partnership() {
        let scope = ScopeId::partnership("p");
        for name in [
            "partnerships/p/tickets/t",
            "partnerships/p/expectations/e",
            "partnerships/p/notices/n",
            "partnerships/p/surveys/s",
            "partnerships/p/feedback/f",
        ] {
            let found = source("f", &scope, name).unwrap();
            assert_eq!(to_source(&found, &scope), name);
        }
        for bad in [
            "",
            "t",
            "partnerships/q/tickets/t",
            "partnerships/p/clients/c",
        ] {
            let refusal = source("f", &scope, bad).unwrap_err();
            assert_eq!(refusal.violations[0].field, "f", "{bad}");
        }
    }
}
