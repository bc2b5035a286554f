//! Claims: what a firm promised in a sale.

use tonic::{Request, Response};

use super::evidence::{self, to_evidence};
use super::parse::{Intake, client, stated};
use crate::api::convert::{etag, known_enum, parse_name, to_timestamp};
use crate::api::listing::{self, Shown, Viewer, Wanted, name_in};
use crate::api::status::ApiError;
use crate::api::{Api, Envelope, Found, Mutation, required, respond};
use crate::domain::claim::{Claim, ClaimCommand, ClaimState, Outcome, Support};
use crate::domain::command::Action;
use crate::domain::commitment::Commitment;
use crate::domain::firm::Permission;
use crate::domain::identity::{PartyId, ScopeId};
use crate::proto::v1;

/// Shape of a claim's name.
const SHAPE: &str = "partnerships/*/claims/*";

/// What a method answers.
type Answer<T> = Result<Response<T>, ApiError>;

pub(super) async fn create(
    api: &Api,
    request: &Request<v1::CreateClaimRequest>,
) -> Answer<v1::Claim> {
    let caller = api.caller(request, Permission::Quotes).await?;
    let asked = request.get_ref();
    let [partnership] = parse_name("parent", &asked.parent, "partnerships/*")?;
    let given = asked.claim.as_ref().ok_or_else(|| required("claim"))?;
    let scope = ScopeId::partnership(&partnership);
    let mut intake = Intake::new(api);
    let statement = intake.required_text("claim.statement", &given.statement);
    let support = support(&mut intake, given);
    let client = client("claim.client", &scope, &given.client);
    let client = intake.faults.take(client);
    let openings = intake.finish()?;
    let (Some(statement), Some(support)) = (statement, support) else {
        return Err(required("claim").into());
    };
    let maker = (!given.maker.is_empty()).then(|| PartyId::from_text(&given.maker));
    let mutation = Mutation {
        scope: scope.clone(),
        envelope: Envelope::new(&asked.request_id, &asked.origin, ""),
        action: Action::Claim(ClaimCommand::Make {
            id: None,
            maker,
            statement,
            support,
            client,
        }),
        openings,
    };
    let receipt = api.run(&caller, "CreateClaim", request, mutation).await?;
    let (member, found) = api.get::<Claim>(&caller, scope.id(), &receipt.id).await?;
    Ok(respond(listing::show(api, &member, found).await?, &receipt))
}

/// How far it is supported; `None` if that is at fault, which is noted.
fn support(intake: &mut Intake<'_>, given: &v1::Claim) -> Option<Support> {
    let level = known_enum("claim.support_level", given.support_level);
    let how = intake.text("claim.limitation", &given.limitation);
    let from = intake.instant("claim.planned_time", given.planned_time);
    let faults = &mut intake.faults;
    let level = match level {
        Ok(level) => level,
        Err(refusal) => {
            faults.take::<()>(Err(refusal));
            return None;
        }
    };
    let is_limited = level == v1::SupportLevel::Limited;
    let rule = "must be given for LIMITED, and for nothing else";
    faults.require(how.is_some() == is_limited, "claim.limitation", rule);
    let is_planned = level == v1::SupportLevel::Planned;
    let rule = "must be given for PLANNED, and for nothing else";
    let is_given = given.planned_time.is_some();
    faults.require(is_given == is_planned, "claim.planned_time", rule);
    match level {
        v1::SupportLevel::Unspecified => None,
        v1::SupportLevel::Supported => Some(Support::Supported),
        v1::SupportLevel::Limited => how.map(|how| Support::Limited { how }),
        v1::SupportLevel::Planned => from.map(|from| Support::Planned { from }),
        v1::SupportLevel::NotOffered => Some(Support::NotOffered),
    }
}

pub(super) async fn record_outcome(
    api: &Api,
    request: &Request<v1::RecordClaimOutcomeRequest>,
) -> Answer<v1::Claim> {
    let caller = api.caller(request, Permission::Approve).await?;
    let asked = request.get_ref();
    let [partnership, id] = parse_name("name", &asked.name, SHAPE)?;
    let scope = ScopeId::partnership(&partnership);
    let mut intake = Intake::new(api);
    let outcome = known_enum::<v1::ClaimOutcome>("outcome", asked.outcome);
    let outcome = outcome.map(|outcome| outcome == v1::ClaimOutcome::Kept);
    let is_kept = intake.faults.take(outcome);
    let message = intake.text("message", &asked.message);
    let evidence = asked.evidence.as_ref().ok_or_else(|| required("evidence"));
    let evidence =
        evidence.and_then(|given| evidence::evidence(&caller, &scope, "evidence", given));
    let evidence = intake.faults.take(evidence.map(Some));
    let openings = intake.finish()?;
    let Some(evidence) = evidence else {
        return Err(required("evidence").into());
    };
    let mutation = Mutation {
        scope: scope.clone(),
        envelope: Envelope::new(&asked.request_id, &asked.origin, &asked.etag),
        action: Action::Claim(ClaimCommand::RecordOutcome {
            id,
            is_kept,
            evidence,
            message,
        }),
        openings,
    };
    let method = "RecordClaimOutcome";
    let receipt = api.run(&caller, method, request, mutation).await?;
    let (member, found) = api.get::<Claim>(&caller, scope.id(), &receipt.id).await?;
    Ok(respond(listing::show(api, &member, found).await?, &receipt))
}

pub(super) async fn get(api: &Api, request: &Request<v1::GetClaimRequest>) -> Answer<v1::Claim> {
    let caller = api.caller(request, Permission::Read).await?;
    let [partnership, id] = parse_name("name", &request.get_ref().name, SHAPE)?;
    let (member, found) = api.get::<Claim>(&caller, &partnership, &id).await?;
    Ok(Response::new(listing::show(api, &member, found).await?))
}

pub(super) async fn list(
    api: &Api,
    request: &Request<v1::ListClaimsRequest>,
) -> Answer<v1::ListClaimsResponse> {
    let caller = api.caller(request, Permission::Read).await?;
    let asked = request.get_ref();
    let [partnership] = parse_name("parent", &asked.parent, "partnerships/*")?;
    let outcome = stated::<v1::ClaimOutcome>("outcome", asked.outcome)?;
    let state = match outcome {
        None | Some(v1::ClaimOutcome::Unspecified) => None,
        Some(v1::ClaimOutcome::Kept) => Some(ClaimState::Kept),
        Some(v1::ClaimOutcome::NotKept) => Some(ClaimState::NotKept),
    };
    let member = api.member(&caller, &partnership).await?;
    let wanted = Wanted {
        purpose: &format!("ListClaims:{partnership}:{}", asked.outcome),
        page_size: asked.page_size,
        page_token: &asked.page_token,
        recorded_state: state.map(ClaimState::as_str),
    };
    let (claims, next_page_token) = listing::list(api, &member, wanted, |_: &Claim| true).await?;
    Ok(Response::new(v1::ListClaimsResponse {
        claims,
        next_page_token,
    }))
}

impl Shown for Claim {
    type Message = v1::Claim;

    const REFERENCED: bool = false;

    fn commitments(&self) -> Vec<Commitment> {
        let mut commitments = vec![self.made.statement.clone()];
        if let Support::Limited { how } = &self.made.support {
            commitments.push(how.clone());
        }
        let outcome = self.outcome.as_ref();
        commitments.extend(outcome.and_then(|outcome| outcome.said.message.clone()));
        commitments
    }

    fn shown(found: &Found<Self>, viewer: &Viewer<'_>) -> v1::Claim {
        let made = &found.state.made;
        let texts = &viewer.texts;
        let scope = viewer.member.scope();
        let client = made.client.as_ref();
        let (level, how, from) = match &made.support {
            Support::Supported => (v1::SupportLevel::Supported, None, None),
            Support::Limited { how } => (v1::SupportLevel::Limited, Some(how), None),
            Support::Planned { from } => (v1::SupportLevel::Planned, None, Some(*from)),
            Support::NotOffered => (v1::SupportLevel::NotOffered, None, None),
        };
        let outcome = found.state.outcome.as_ref();
        v1::Claim {
            name: name_in(&scope, "claims", &found.id),
            statement: texts.show(Some(&made.statement)),
            support_level: level.into(),
            limitation: texts.show(how),
            planned_time: from.map(to_timestamp),
            maker: made.maker.to_string(),
            client: client.map_or_else(String::new, |id| name_in(&scope, "clients", id)),
            judgement: outcome.map(|outcome| to_judgement(outcome, viewer)),
            create_time: Some(to_timestamp(found.created_at)),
            update_time: Some(to_timestamp(found.updated_at)),
            etag: etag(found.revision),
            redacted_fields: viewer.texts.redacted_fields(found.state.commitments()),
        }
    }
}

fn to_judgement(outcome: &Outcome, viewer: &Viewer<'_>) -> v1::ClaimJudgement {
    let said = &outcome.said;
    let scope = viewer.member.scope();
    let kept = if said.is_kept {
        v1::ClaimOutcome::Kept
    } else {
        v1::ClaimOutcome::NotKept
    };
    v1::ClaimJudgement {
        outcome: kept.into(),
        evidence: Some(to_evidence(&scope, &said.evidence)),
        message: viewer.texts.show(said.message.as_ref()),
        party_id: said.party.to_string(),
        firm: outcome.firm.scope().to_string(),
        asserted: said.is_asserted,
        judge_time: Some(to_timestamp(outcome.at)),
    }
}
