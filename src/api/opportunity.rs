//! `OpportunityService`: sales that the parties may win together.

pub(super) mod convert;

use std::sync::Arc;

use tonic::{Request, Response, Status};

use self::convert::{Part, parts, qualification, sale_reason, state};
use super::convert::{chosen_id, parse_name, reference};
use super::dates::date;
use super::expectation::parse::{Intake, client, neighbour, stated};
use super::listing::{self, Wanted};
use super::status::ApiError;
use super::{Api, Envelope, Mutation, required};
use crate::domain::command::Action;
use crate::domain::commitment::Opening;
use crate::domain::firm::Permission;
use crate::domain::identity::{ExternalReference, FirmId, PartyId, ScopeId};
use crate::domain::opportunity::{
    NamedClient, Opportunity, OpportunityChange, OpportunityCommand, OpportunityDraft,
    OpportunityState, QUOTES_MAX,
};
use crate::domain::refusal::{Reason, Refusal};
use crate::proto::v1;

/// Shape of an opportunity's name.
const SHAPE: &str = "partnerships/*/opportunities/*";

/// What a method answers.
type Answer<T> = Result<Response<T>, ApiError>;

/// `OpportunityService`.
#[derive(Clone, Debug)]
pub struct OpportunityService(pub Arc<Api>);

#[tonic::async_trait]
impl v1::opportunity_service_server::OpportunityService for OpportunityService {
    async fn create_opportunity(
        &self,
        request: Request<v1::CreateOpportunityRequest>,
    ) -> Result<Response<v1::Opportunity>, Status> {
        Ok(create(&self.0, &request).await?)
    }

    async fn update_opportunity(
        &self,
        request: Request<v1::UpdateOpportunityRequest>,
    ) -> Result<Response<v1::Opportunity>, Status> {
        Ok(update(&self.0, &request).await?)
    }

    async fn set_qualification(
        &self,
        request: Request<v1::SetQualificationRequest>,
    ) -> Result<Response<v1::Opportunity>, Status> {
        Ok(qualify(&self.0, &request).await?)
    }

    async fn record_effort(
        &self,
        request: Request<v1::RecordEffortRequest>,
    ) -> Result<Response<v1::Opportunity>, Status> {
        Ok(record_effort(&self.0, &request).await?)
    }

    async fn close_opportunity(
        &self,
        request: Request<v1::CloseOpportunityRequest>,
    ) -> Result<Response<v1::Opportunity>, Status> {
        Ok(close(&self.0, &request).await?)
    }

    async fn get_opportunity(
        &self,
        request: Request<v1::GetOpportunityRequest>,
    ) -> Result<Response<v1::Opportunity>, Status> {
        Ok(get(&self.0, &request).await?)
    }

    async fn list_opportunities(
        &self,
        request: Request<v1::ListOpportunitiesRequest>,
    ) -> Result<Response<v1::ListOpportunitiesResponse>, Status> {
        Ok(list(&self.0, &request).await?)
    }
}

async fn create(
    api: &Api,
    request: &Request<v1::CreateOpportunityRequest>,
) -> Answer<v1::Opportunity> {
    const FIELD: &str = "opportunity";
    let caller = api.caller(request, Permission::Quotes).await?;
    let asked = request.get_ref();
    let [partnership] = parse_name("parent", &asked.parent, "partnerships/*")?;
    let given = asked.opportunity.as_ref().ok_or_else(|| required(FIELD))?;
    let scope = ScopeId::partnership(&partnership);
    let mut intake = Intake::new(api);
    let id = chosen_id("opportunity_id", &asked.opportunity_id);
    let id = intake.faults.take(id);
    let client = client("opportunity.client", &scope, &given.client);
    let client = intake.faults.take(client);
    let brought_by = Some(&given.brought_by).filter(|party| !party.is_empty());
    let draft = OpportunityDraft {
        id,
        display_name: given.display_name.clone(),
        client,
        brought_by: brought_by.map(|party| PartyId::from_text(party)),
        plan: intake.text("opportunity.client_plan", &given.client_plan),
        quotes: quotes(&mut intake, &scope, &given.joint_quotes),
        reference: own_reference(&mut intake, &given.external_references, &caller.firm),
    };
    let openings = intake.finish()?;
    let envelope = Envelope::new(&asked.request_id, &asked.origin, "");
    let command = OpportunityCommand::Create(draft);
    let mutation = mutation(scope, envelope, command, openings);
    listing::change::<Opportunity, _>(api, &caller, "CreateOpportunity", request, mutation).await
}

/// The one reference with which an opportunity may be created.
fn own_reference(
    intake: &mut Intake<'_>,
    given: &[v1::ExternalReference],
    firm: &FirmId,
) -> Option<ExternalReference> {
    let field = "opportunity.external_references";
    let few = given.len() <= 1;
    intake
        .faults
        .require(few, field, "no more than one at creation");
    given.first().map(|given| reference(firm, given))
}

/// Ids of joint quotes of the same partnership.
fn quotes(intake: &mut Intake<'_>, scope: &ScopeId, names: &[String]) -> Vec<String> {
    let mut quotes = Vec::new();
    // One too many is enough for it to be noticed.
    for (index, name) in names.iter().take(QUOTES_MAX + 1).enumerate() {
        let field = format!("opportunity.joint_quotes[{index}]");
        let quote = neighbour(&field, scope, name, "partnerships/*/jointQuotes/*");
        let quote = quote.and_then(|quote| quote.ok_or_else(|| required(&field)));
        quotes.push(intake.faults.take(quote));
    }
    quotes
}

async fn update(
    api: &Api,
    request: &Request<v1::UpdateOpportunityRequest>,
) -> Answer<v1::Opportunity> {
    let caller = api.caller(request, Permission::Quotes).await?;
    let asked = request.get_ref();
    let given = asked.opportunity.as_ref();
    let given = given.ok_or_else(|| required("opportunity"))?;
    let [partnership, id] = parse_name("opportunity.name", &given.name, SHAPE)?;
    let scope = ScopeId::partnership(&partnership);
    let parts = parts(asked.update_mask.as_ref(), given)?;
    let mut intake = Intake::new(api);
    let mut change = OpportunityChange::default();
    for part in parts {
        match part {
            Part::DisplayName => change.display_name = Some(given.display_name.clone()),
            Part::Client => {
                let client = client("opportunity.client", &scope, &given.client);
                let client = intake.faults.take(client);
                change.client = Some(NamedClient { client });
            }
            Part::Plan => {
                change.plan = intake.text("opportunity.client_plan", &given.client_plan);
            }
            Part::Quotes => {
                change.quotes = Some(quotes(&mut intake, &scope, &given.joint_quotes));
            }
        }
    }
    let openings = intake.finish()?;
    let envelope = Envelope::new(&asked.request_id, &asked.origin, &asked.etag);
    let command = OpportunityCommand::Update { id, change };
    let mutation = mutation(scope, envelope, command, openings);
    listing::change::<Opportunity, _>(api, &caller, "UpdateOpportunity", request, mutation).await
}

async fn qualify(
    api: &Api,
    request: &Request<v1::SetQualificationRequest>,
) -> Answer<v1::Opportunity> {
    let caller = api.caller(request, Permission::Quotes).await?;
    let asked = request.get_ref();
    let [partnership, id] = parse_name("name", &asked.name, SHAPE)?;
    let mut intake = Intake::new(api);
    let qualification = qualification("qualification", asked.qualification);
    let qualification = intake.faults.take(qualification.map(Some));
    let facts = intake.text("facts", &asked.facts);
    let reason = intake.text("reason", &asked.reason);
    let openings = intake.finish()?;
    let command = OpportunityCommand::Qualify {
        id,
        qualification: qualification.ok_or_else(|| required("qualification"))?,
        facts,
        reason,
    };
    let envelope = Envelope::new(&asked.request_id, &asked.origin, &asked.etag);
    let scope = ScopeId::partnership(&partnership);
    let mutation = mutation(scope, envelope, command, openings);
    listing::change::<Opportunity, _>(api, &caller, "SetQualification", request, mutation).await
}

async fn record_effort(
    api: &Api,
    request: &Request<v1::RecordEffortRequest>,
) -> Answer<v1::Opportunity> {
    let caller = api.caller(request, Permission::Quotes).await?;
    let asked = request.get_ref();
    let [partnership, id] = parse_name("name", &asked.name, SHAPE)?;
    let given = asked.effort.as_ref().ok_or_else(|| required("effort"))?;
    let mut intake = Intake::new(api);
    let negative = |_| Refusal::field(Reason::InvalidField, "effort.minutes", "too few");
    let minutes = u32::try_from(given.minutes).map_err(negative);
    let minutes = intake.faults.take(minutes);
    let day = given.date.as_ref().ok_or_else(|| required("effort.date"));
    let day = day.and_then(|given| date("effort.date", given));
    let day = intake.faults.take(day.map(Some));
    let note = intake.text("effort.note", &given.note);
    let openings = intake.finish()?;
    let command = OpportunityCommand::RecordEffort {
        id,
        minutes,
        is_client_facing: given.client_facing,
        date: day.ok_or_else(|| required("effort.date"))?,
        note,
    };
    let envelope = Envelope::new(&asked.request_id, &asked.origin, &asked.etag);
    let scope = ScopeId::partnership(&partnership);
    let mutation = mutation(scope, envelope, command, openings);
    listing::change::<Opportunity, _>(api, &caller, "RecordEffort", request, mutation).await
}

async fn close(
    api: &Api,
    request: &Request<v1::CloseOpportunityRequest>,
) -> Answer<v1::Opportunity> {
    let caller = api.caller(request, Permission::Quotes).await?;
    let asked = request.get_ref();
    let [partnership, id] = parse_name("name", &asked.name, SHAPE)?;
    let mut intake = Intake::new(api);
    let state = intake.faults.take(state("state", asked.state));
    let ended = state.filter(|state| {
        use OpportunityState as State;
        matches!(state, State::Won | State::Lost | State::NotQualified)
    });
    let rule = "must be WON, LOST or NOT_QUALIFIED";
    intake.faults.require(ended.is_some(), "state", rule);
    let reason = stated("reason", asked.reason);
    let reason = intake.faults.take(reason).and_then(sale_reason);
    let words = intake.text("words", &asked.words);
    let openings = intake.finish()?;
    let command = OpportunityCommand::Close {
        id,
        state: ended.ok_or_else(|| required("state"))?,
        reason,
        words,
    };
    let envelope = Envelope::new(&asked.request_id, &asked.origin, &asked.etag);
    let scope = ScopeId::partnership(&partnership);
    let mutation = mutation(scope, envelope, command, openings);
    listing::change::<Opportunity, _>(api, &caller, "CloseOpportunity", request, mutation).await
}

async fn get(api: &Api, request: &Request<v1::GetOpportunityRequest>) -> Answer<v1::Opportunity> {
    let caller = api.caller(request, Permission::Read).await?;
    let [partnership, id] = parse_name("name", &request.get_ref().name, SHAPE)?;
    let (member, found) = api.get::<Opportunity>(&caller, &partnership, &id).await?;
    Ok(Response::new(listing::show(api, &member, found).await?))
}

async fn list(
    api: &Api,
    request: &Request<v1::ListOpportunitiesRequest>,
) -> Answer<v1::ListOpportunitiesResponse> {
    let caller = api.caller(request, Permission::Read).await?;
    let asked = request.get_ref();
    let [partnership] = parse_name("parent", &asked.parent, "partnerships/*")?;
    let state = state("state", asked.state)?;
    let member = api.member(&caller, &partnership).await?;
    // What the end of the partnership closed is recorded as open until a sweep has come by.
    let recorded =
        state.filter(|state| !matches!(state, OpportunityState::Open | OpportunityState::Closed));
    let wanted = Wanted {
        purpose: &format!("ListOpportunities:{partnership}:{}", asked.state),
        page_size: asked.page_size,
        page_token: &asked.page_token,
        recorded_state: recorded.map(OpportunityState::as_str),
    };
    let keep = |found: &Opportunity| state.is_none_or(|state| found.state == state);
    let (opportunities, next_page_token) = listing::list(api, &member, wanted, keep).await?;
    Ok(Response::new(v1::ListOpportunitiesResponse {
        opportunities,
        next_page_token,
    }))
}

fn mutation(
    scope: ScopeId,
    envelope: Envelope,
    command: OpportunityCommand,
    openings: Vec<Opening>,
) -> Mutation {
    Mutation {
        scope,
        envelope,
        action: Action::Opportunity(command),
        openings,
    }
}
