//! Surveys: asking, answering, and the blind mirror.

mod convert;
mod mirror;

use tonic::{Request, Response};

use self::convert::{ratings, seat, state};
use super::parse::party;
use super::topics::topic;
use super::{Answer, mutation};
use crate::api::caller::Caller;
use crate::api::convert::parse_name;
use crate::api::expectation::evidence::evidence;
use crate::api::expectation::parse::Intake;
use crate::api::listing::{self, Wanted};
use crate::api::{Api, Envelope, required};
use crate::domain::firm::Permission;
use crate::domain::identity::ScopeId;
use crate::domain::interaction::InteractionCommand;
use crate::domain::interaction::survey::{AnswerDraft, Survey, SurveyCommand, SurveyState};
use crate::proto::v1;

/// Shape of a survey's name.
const SHAPE: &str = "partnerships/*/surveys/*";

pub(super) async fn create(
    api: &Api,
    request: &Request<v1::CreateSurveyRequest>,
) -> Answer<v1::Survey> {
    let caller = api.caller(request, Permission::Quotes).await?;
    let asked = request.get_ref();
    let [partnership] = parse_name("parent", &asked.parent, "partnerships/*")?;
    let given = asked.survey.as_ref().ok_or_else(|| required("survey"))?;
    let scope = ScopeId::partnership(&partnership);
    let mut intake = Intake::new(api);
    let rule = "must be given unless it is a blind mirror, and only then";
    let fits = given.subject.is_empty() == given.mirror;
    intake.faults.require(fits, "survey.subject", rule);
    let topic = topic("survey.topic", &scope, &given.topic);
    let topic = intake.faults.take(topic);
    let openings = intake.finish()?;
    let subject = party(&given.subject);
    let envelope = Envelope::new(&asked.request_id, &asked.origin, "");
    let command = InteractionCommand::Survey(SurveyCommand::Create { subject, topic });
    let mutation = mutation(&partnership, envelope, command, openings);
    listing::change::<Survey, _>(api, &caller, "CreateSurvey", request, mutation).await
}

pub(super) async fn answer(
    api: &Api,
    request: &Request<v1::AnswerSurveyRequest>,
) -> Answer<v1::Survey> {
    let caller = api.caller(request, Permission::Quotes).await?;
    match &request.get_ref().answer {
        Some(given) => answer_openly(api, &caller, request, given).await,
        None => mirror::answer(api, &caller, request).await,
    }
}

async fn answer_openly(
    api: &Api,
    caller: &Caller,
    request: &Request<v1::AnswerSurveyRequest>,
    given: &v1::SurveyAnswer,
) -> Answer<v1::Survey> {
    let asked = request.get_ref();
    let [partnership, id] = parse_name("name", &asked.name, SHAPE)?;
    let scope = ScopeId::partnership(&partnership);
    let mut intake = Intake::new(api);
    let seat = seat("answer.seat", given.seat);
    let seat = intake.faults.take(seat.map(Some));
    let ratings = ratings(&mut intake, "answer.ratings", &given.ratings);
    let comment = intake.text("answer.comment", &given.comment);
    let respondent = intake.line("answer.respondent", &given.respondent);
    let cited = given.evidence.as_ref();
    let cited = cited.map(|given| evidence(caller, &scope, "answer.evidence", given));
    let evidence = intake.faults.take(cited.transpose());
    let is_mirror = !asked.mirror_ratings.is_empty() || !asked.mirror_comment.is_empty();
    let rule = "must be given for a blind mirror, and only then";
    intake.faults.require(!is_mirror, "mirror_ratings", rule);
    let openings = intake.finish()?;
    let answer = AnswerDraft {
        seat: seat.ok_or_else(|| required("answer.seat"))?,
        ratings,
        comment,
        respondent,
        evidence,
    };
    let envelope = Envelope::new(&asked.request_id, &asked.origin, &asked.etag);
    let command = InteractionCommand::Survey(SurveyCommand::Answer { id, answer });
    let mutation = mutation(&partnership, envelope, command, openings);
    listing::change::<Survey, _>(api, caller, "AnswerSurvey", request, mutation).await
}

pub(super) async fn close(
    api: &Api,
    request: &Request<v1::CloseSurveyRequest>,
) -> Answer<v1::Survey> {
    let caller = api.caller(request, Permission::Quotes).await?;
    mirror::close(api, &caller, request).await
}

pub(super) async fn get(api: &Api, request: &Request<v1::GetSurveyRequest>) -> Answer<v1::Survey> {
    let caller = api.caller(request, Permission::Read).await?;
    let [partnership, id] = parse_name("name", &request.get_ref().name, SHAPE)?;
    let (member, found) = api.get::<Survey>(&caller, &partnership, &id).await?;
    Ok(Response::new(listing::show(api, &member, found).await?))
}

pub(super) async fn list(
    api: &Api,
    request: &Request<v1::ListSurveysRequest>,
) -> Answer<v1::ListSurveysResponse> {
    let caller = api.caller(request, Permission::Read).await?;
    let asked = request.get_ref();
    let [partnership] = parse_name("parent", &asked.parent, "partnerships/*")?;
    let state = state("state", asked.state)?;
    let member = api.member(&caller, &partnership).await?;
    // What the end of the partnership closed is recorded as it was until a sweep has come by.
    let recorded = state.filter(|state| *state == SurveyState::Revealed);
    let wanted = Wanted {
        purpose: &format!("ListSurveys:{partnership}:{}", asked.state),
        page_size: asked.page_size,
        page_token: &asked.page_token,
        recorded_state: recorded.map(SurveyState::as_str),
    };
    let keep = |found: &Survey| state.is_none_or(|state| found.state == state);
    let (surveys, next_page_token) = listing::list(api, &member, wanted, keep).await?;
    Ok(Response::new(v1::ListSurveysResponse {
        surveys,
        next_page_token,
    }))
}
