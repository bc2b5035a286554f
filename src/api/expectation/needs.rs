//! Needs: what was asked for in a sale.

use prost::Message;
use tonic::{Request, Response};

use super::parse::{Intake, client, stated};
use crate::api::caller::Caller;
use crate::api::convert::{etag, known_enum, parse_name, to_timestamp};
use crate::api::listing::{self, Shown, Viewer, Wanted, name_in};
use crate::api::status::ApiError;
use crate::api::{Api, Envelope, Found, Mutation, required, respond};
use crate::domain::command::Action;
use crate::domain::commitment::{Commitment, Opening};
use crate::domain::firm::Permission;
use crate::domain::identity::ScopeId;
use crate::domain::need::{
    AcceptedLimitation, Answer as NeedAnswer, LimitationAccepted, LimitationReviewed, Need,
    NeedCommand, Weight,
};
use crate::domain::refusal::{Reason, Refusal};
use crate::proto::v1;

/// Shape of a need's name.
const SHAPE: &str = "partnerships/*/needs/*";

/// What a method answers.
type Answer<T> = Result<Response<T>, ApiError>;

pub(super) async fn create(
    api: &Api,
    request: &Request<v1::CreateNeedRequest>,
) -> Answer<v1::Need> {
    let caller = api.caller(request, Permission::Quotes).await?;
    let asked = request.get_ref();
    let [partnership] = parse_name("parent", &asked.parent, "partnerships/*")?;
    let given = asked.need.as_ref().ok_or_else(|| required("need"))?;
    let scope = ScopeId::partnership(&partnership);
    let mut intake = Intake::new(api);
    let statement = intake.required_text("need.statement", &given.statement);
    let weight = match known_enum("need.weight", given.weight) {
        Ok(v1::NeedWeight::Should) => Weight::Should,
        Ok(_) => Weight::Must,
        Err(refusal) => {
            intake.faults.take::<()>(Err(refusal));
            Weight::Must
        }
    };
    let client = client("need.client", &scope, &given.client);
    let client = intake.faults.take(client);
    let openings = intake.finish()?;
    let statement = statement.ok_or_else(|| required("need.statement"))?;
    let command = NeedCommand::Ask {
        id: None,
        statement,
        weight,
        client,
    };
    let envelope = Envelope::new(&asked.request_id, &asked.origin, "");
    let mutation = mutation(scope, envelope, command, openings);
    run(api, &caller, "CreateNeed", request, mutation).await
}

pub(super) async fn match_need(
    api: &Api,
    request: &Request<v1::MatchNeedRequest>,
) -> Answer<v1::Need> {
    let caller = api.caller(request, Permission::Quotes).await?;
    let asked = request.get_ref();
    let [partnership, id] = parse_name("name", &asked.name, SHAPE)?;
    let scope = ScopeId::partnership(&partnership);
    let claim = claim(&scope, &asked.claim)?;
    let command = NeedCommand::Match { id, claim };
    let envelope = Envelope::new(&asked.request_id, &asked.origin, &asked.etag);
    let mutation = mutation(scope, envelope, command, Vec::new());
    run(api, &caller, "MatchNeed", request, mutation).await
}

/// A claim's id from its name; `None` for an empty one.
fn claim(scope: &ScopeId, name: &str) -> Result<Option<String>, Refusal> {
    if name.is_empty() {
        return Ok(None);
    }
    let [partnership, id] = parse_name("claim", name, "partnerships/*/claims/*")?;
    if ScopeId::partnership(&partnership) == *scope {
        return Ok(Some(id));
    }
    let why = "must be a claim of the same partnership";
    Err(Refusal::field(Reason::InvalidField, "claim", why))
}

pub(super) async fn accept_limitation(
    api: &Api,
    request: &Request<v1::AcceptLimitationRequest>,
) -> Answer<v1::Need> {
    let caller = api.caller(request, Permission::Approve).await?;
    let asked = request.get_ref();
    let [partnership, id] = parse_name("name", &asked.name, SHAPE)?;
    let mut intake = Intake::new(api);
    let text = intake.required_text("text", &asked.text);
    let is_given = asked.review_time.is_some();
    intake
        .faults
        .require(is_given, "review_time", "is required");
    let review_at = intake.instant("review_time", asked.review_time);
    let openings = intake.finish()?;
    let text = text.ok_or_else(|| required("text"))?;
    let review_at = review_at.ok_or_else(|| required("review_time"))?;
    let accepted = LimitationAccepted { text, review_at };
    let command = NeedCommand::AcceptLimitation { id, accepted };
    let envelope = Envelope::new(&asked.request_id, &asked.origin, &asked.etag);
    let scope = ScopeId::partnership(&partnership);
    let mutation = mutation(scope, envelope, command, openings);
    run(api, &caller, "AcceptLimitation", request, mutation).await
}

pub(super) async fn review_limitation(
    api: &Api,
    request: &Request<v1::ReviewLimitationRequest>,
) -> Answer<v1::Need> {
    let caller = api.caller(request, Permission::Approve).await?;
    let asked = request.get_ref();
    let [partnership, id] = parse_name("name", &asked.name, SHAPE)?;
    let mut intake = Intake::new(api);
    let is_either = asked.ended != asked.review_time.is_some();
    let rule = "give either this or `ended`";
    intake.faults.require(is_either, "review_time", rule);
    let reviewed = LimitationReviewed {
        review_at: intake.instant("review_time", asked.review_time),
        message: intake.text("message", &asked.message),
    };
    let openings = intake.finish()?;
    let command = NeedCommand::ReviewLimitation { id, reviewed };
    let envelope = Envelope::new(&asked.request_id, &asked.origin, &asked.etag);
    let scope = ScopeId::partnership(&partnership);
    let mutation = mutation(scope, envelope, command, openings);
    run(api, &caller, "ReviewLimitation", request, mutation).await
}

pub(super) async fn get(api: &Api, request: &Request<v1::GetNeedRequest>) -> Answer<v1::Need> {
    let caller = api.caller(request, Permission::Read).await?;
    let [partnership, id] = parse_name("name", &request.get_ref().name, SHAPE)?;
    let (member, found) = api.get::<Need>(&caller, &partnership, &id).await?;
    Ok(Response::new(listing::show(api, &member, found).await?))
}

pub(super) async fn list(
    api: &Api,
    request: &Request<v1::ListNeedsRequest>,
) -> Answer<v1::ListNeedsResponse> {
    let caller = api.caller(request, Permission::Read).await?;
    let asked = request.get_ref();
    let [partnership] = parse_name("parent", &asked.parent, "partnerships/*")?;
    let answer = answer("answer", asked.answer)?;
    let member = api.member(&caller, &partnership).await?;
    let wanted = Wanted {
        purpose: &format!(
            "ListNeeds:{partnership}:{}:{}",
            asked.answer, asked.review_due_only
        ),
        page_size: asked.page_size,
        page_token: &asked.page_token,
        recorded_state: answer.map(NeedAnswer::as_str),
    };
    let now = api.now();
    let keep = |need: &Need| !asked.review_due_only || need.is_review_due(now);
    let (needs, next_page_token) = listing::list(api, &member, wanted, keep).await?;
    Ok(Response::new(v1::ListNeedsResponse {
        needs,
        next_page_token,
    }))
}

fn mutation(
    scope: ScopeId,
    envelope: Envelope,
    command: NeedCommand,
    openings: Vec<Opening>,
) -> Mutation {
    Mutation {
        scope,
        envelope,
        action: Action::Need(command),
        openings,
    }
}

/// Runs a change; answers with the need after it.
async fn run<M: Message>(
    api: &Api,
    caller: &Caller,
    method: &str,
    request: &Request<M>,
    mutation: Mutation,
) -> Answer<v1::Need> {
    let scope = mutation.scope.clone();
    let receipt = api.run(caller, method, request, mutation).await?;
    let (member, found) = api.get::<Need>(caller, scope.id(), &receipt.id).await?;
    Ok(respond(listing::show(api, &member, found).await?, &receipt))
}

/// The answer that a list is filtered by; `None` for every one.
fn answer(field: &str, value: i32) -> Result<Option<NeedAnswer>, Refusal> {
    let answer = stated::<v1::NeedAnswer>(field, value)?;
    Ok(answer.and_then(|answer| match answer {
        v1::NeedAnswer::Unspecified => None,
        v1::NeedAnswer::MetByClaim => Some(NeedAnswer::MetByClaim),
        v1::NeedAnswer::Limited => Some(NeedAnswer::Limited),
        v1::NeedAnswer::Planned => Some(NeedAnswer::Planned),
        v1::NeedAnswer::NotOffered => Some(NeedAnswer::NotOffered),
        v1::NeedAnswer::Unmatched => Some(NeedAnswer::Unmatched),
    }))
}

const fn to_answer(answer: NeedAnswer) -> v1::NeedAnswer {
    match answer {
        NeedAnswer::MetByClaim => v1::NeedAnswer::MetByClaim,
        NeedAnswer::Limited => v1::NeedAnswer::Limited,
        NeedAnswer::Planned => v1::NeedAnswer::Planned,
        NeedAnswer::NotOffered => v1::NeedAnswer::NotOffered,
        NeedAnswer::Unmatched => v1::NeedAnswer::Unmatched,
    }
}

impl Shown for Need {
    type Message = v1::Need;

    const REFERENCED: bool = false;

    fn commitments(&self) -> Vec<Commitment> {
        let mut commitments = vec![self.asked.statement.clone()];
        if let Some(limitation) = &self.limitation {
            commitments.push(limitation.text.clone());
            commitments.extend(limitation.message.clone());
        }
        commitments
    }

    fn shown(found: &Found<Self>, viewer: &Viewer<'_>) -> v1::Need {
        let need = &found.state;
        let asked = &need.asked;
        let scope = viewer.member.scope();
        let client = asked.client.as_ref();
        let claim = need.matched.as_ref();
        let claim = claim.and_then(|matched| matched.claim.as_ref());
        let weight = match asked.weight {
            Weight::Must => v1::NeedWeight::Must,
            Weight::Should => v1::NeedWeight::Should,
        };
        let limitation = need.limitation.as_ref();
        let is_due = need.is_review_due(viewer.now);
        v1::Need {
            name: name_in(&scope, "needs", &found.id),
            statement: viewer.texts.show(Some(&asked.statement)),
            weight: weight.into(),
            client: client.map_or_else(String::new, |id| name_in(&scope, "clients", id)),
            asker: asked.asker.to_string(),
            claim: claim.map_or_else(String::new, |id| name_in(&scope, "claims", id)),
            answer: to_answer(need.answer()).into(),
            close_time: need.closed_at.map(to_timestamp),
            limitation: limitation.map(|found| to_limitation(found, is_due, viewer)),
            create_time: Some(to_timestamp(found.created_at)),
            update_time: Some(to_timestamp(found.updated_at)),
            etag: etag(found.revision),
            redacted_fields: viewer.texts.redacted_fields(found.state.commitments()),
        }
    }
}

fn to_limitation(
    found: &AcceptedLimitation,
    is_due: bool,
    viewer: &Viewer<'_>,
) -> v1::AcceptedLimitation {
    v1::AcceptedLimitation {
        text: viewer.texts.show(Some(&found.text)),
        firm: found.firm.scope().to_string(),
        accept_time: Some(to_timestamp(found.accepted_at)),
        review_time: Some(to_timestamp(found.review_at)),
        review_due: is_due,
        message: viewer.texts.show(found.message.as_ref()),
        last_review_time: found.reviewed_at.map(to_timestamp),
        end_time: found.ended_at.map(to_timestamp),
    }
}
