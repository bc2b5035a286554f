//! The RPCs of agreements.

pub(super) mod convert;
mod levels;
mod matrix;
pub(super) mod template;

use prost::Message;
use tonic::{Request, Response};

use self::convert::{content, to_agreement};
use super::check::whole;
use super::{SlaService, parse_instant, parse_parent};
use crate::api::caller::Caller;
use crate::api::convert::{chosen_id, parse_name, to_timestamp};
use crate::api::faults::Faults;
use crate::api::listing::{self, Shown, Viewer, Wanted};
use crate::api::status::ApiError;
use crate::api::{Api, Envelope, Found, Mutation, required, respond};
use crate::domain::command::Action;
use crate::domain::commitment::Commitment;
use crate::domain::firm::Permission;
use crate::domain::identity::ScopeId;
use crate::domain::record::{Kind, RecordKey, Stored};
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::sla::agreement::{Agreement, AgreementCommand, AgreementRevision, Contest};
use crate::proto::v1;

const SHAPE: &str = "partnerships/*/agreements/*";

/// `CreateAgreement`.
pub(super) async fn create(
    service: &SlaService,
    request: &Request<v1::CreateAgreementRequest>,
) -> Result<Response<v1::Agreement>, ApiError> {
    let api = service.api.as_ref();
    let caller = api.caller(request, Permission::Approve).await?;
    let message = request.get_ref();
    let mut faults = Faults::default();
    let parent = faults.take(parse_parent(&message.parent).map(Some));
    let id = faults.take(chosen_id("agreement_id", &message.agreement_id).map(Some));
    let proposed = faults.take(proposed(message.agreement.as_ref()).map(Some));
    let from_template = faults.take(template::chosen(message).map(Some));
    let written = parent.as_ref().zip(proposed).zip(from_template);
    let content = written.and_then(|((partnership, proposed), template)| {
        let (proposed, calendar) = template::filled(template, partnership, proposed, message);
        Some((content(partnership, &proposed, &mut faults)?, calendar))
    });
    let ((partnership, id), (content, calendar)) = whole(faults, parent.zip(id).zip(content))?;
    let mutation = Mutation {
        scope: ScopeId::partnership(&partnership),
        envelope: Envelope::new(&message.request_id, &message.origin, ""),
        action: Action::Agreement(AgreementCommand::Create {
            id,
            content,
            calendar,
        }),
        openings: Vec::new(),
    };
    if message.validate_only {
        return preview(api, &caller, "CreateAgreement", request, mutation).await;
    }
    carry_out(api, &caller, "CreateAgreement", request, mutation).await
}

/// `ReviseAgreement`.
pub(super) async fn revise(
    service: &SlaService,
    request: &Request<v1::ReviseAgreementRequest>,
) -> Result<Response<v1::Agreement>, ApiError> {
    let api = service.api.as_ref();
    let caller = api.caller(request, Permission::Approve).await?;
    let message = request.get_ref();
    let mut faults = Faults::default();
    let name = faults.take(parse_name::<2>("name", &message.name, SHAPE).map(Some));
    let repin_from = faults.take(parse_instant("repin_time", message.repin_time).map(Some));
    let proposed = faults.take(proposed(message.agreement.as_ref()).map(Some));
    let content = name
        .as_ref()
        .zip(proposed)
        .and_then(|([partnership, _], proposed)| content(partnership, proposed, &mut faults));
    let (([partnership, id], content), repin_from) =
        whole(faults, name.zip(content).zip(repin_from))?;
    let mutation = Mutation {
        scope: ScopeId::partnership(&partnership),
        envelope: Envelope::new(&message.request_id, &message.origin, &message.etag),
        action: Action::Agreement(AgreementCommand::Revise {
            id,
            content,
            repin_from,
        }),
        openings: Vec::new(),
    };
    if message.validate_only {
        return preview(api, &caller, "ReviseAgreement", request, mutation).await;
    }
    carry_out(api, &caller, "ReviseAgreement", request, mutation).await
}

/// `ApproveAgreement`.
pub(super) async fn approve(
    service: &SlaService,
    request: &Request<v1::ApproveAgreementRequest>,
) -> Result<Response<v1::Agreement>, ApiError> {
    let api = service.api.as_ref();
    let caller = api.caller(request, Permission::Approve).await?;
    let message = request.get_ref();
    let mut faults = Faults::default();
    let name = faults.take(parse_name::<2>("name", &message.name, SHAPE).map(Some));
    faults.require(!message.hash.is_empty(), "hash", "is required");
    let [partnership, id] = whole(faults, name)?;
    let mutation = Mutation {
        scope: ScopeId::partnership(&partnership),
        envelope: Envelope::new(&message.request_id, &message.origin, &message.etag),
        action: Action::Agreement(AgreementCommand::Approve {
            id,
            hash: message.hash.clone(),
        }),
        openings: Vec::new(),
    };
    carry_out(api, &caller, "ApproveAgreement", request, mutation).await
}

/// `EndAgreement`.
pub(super) async fn end(
    service: &SlaService,
    request: &Request<v1::EndAgreementRequest>,
) -> Result<Response<v1::Agreement>, ApiError> {
    let api = service.api.as_ref();
    let caller = api.caller(request, Permission::Approve).await?;
    let message = request.get_ref();
    let [partnership, id] = parse_name("name", &message.name, SHAPE)?;
    let mutation = Mutation {
        scope: ScopeId::partnership(&partnership),
        envelope: Envelope::new(&message.request_id, &message.origin, &message.etag),
        action: Action::Agreement(AgreementCommand::End { id }),
        openings: Vec::new(),
    };
    carry_out(api, &caller, "EndAgreement", request, mutation).await
}

fn proposed(agreement: Option<&v1::Agreement>) -> Result<&v1::Agreement, Refusal> {
    agreement.ok_or_else(|| required("agreement"))
}

/// The answer as it would be.
async fn preview<M: Message>(
    api: &Api,
    caller: &Caller,
    method: &str,
    request: &Request<M>,
    mutation: Mutation,
) -> Result<Response<v1::Agreement>, ApiError> {
    let scope = mutation.scope.clone();
    let agreement = api.preview::<Agreement, M>(caller, method, request, mutation);
    Ok(Response::new(to_agreement(&scope, &agreement.await?)))
}

/// Runs a mutation, and answers with the agreement as it is then.
async fn carry_out<M: Message>(
    api: &Api,
    caller: &Caller,
    method: &str,
    request: &Request<M>,
    mutation: Mutation,
) -> Result<Response<v1::Agreement>, ApiError> {
    let scope = mutation.scope.clone();
    let receipt = api.run(caller, method, request, mutation).await?;
    let (_, agreement) = api
        .get::<Agreement>(caller, scope.id(), &receipt.id)
        .await?;
    Ok(respond(to_agreement(&scope, &agreement), &receipt))
}

/// `GetAgreement`.
pub(super) async fn get(
    service: &SlaService,
    request: &Request<v1::GetAgreementRequest>,
) -> Result<Response<v1::Agreement>, ApiError> {
    let api = service.api.as_ref();
    let caller = api.caller(request, Permission::Read).await?;
    let message = request.get_ref();
    let mut faults = Faults::default();
    let name = faults.take(parse_name::<2>("name", &message.name, SHAPE).map(Some));
    let revision = u32::try_from(message.revision).ok();
    faults.require(revision.is_some(), "revision", "must not be negative");
    let ([partnership, id], revision) = whole(faults, name.zip(revision))?;
    let (member, mut agreement) = api.get::<Agreement>(&caller, &partnership, &id).await?;
    if revision > 0 && revision != agreement.state.revision {
        let kept = kept_revision(api, &member.scope(), &id, revision).await?;
        agreement.state.revision = revision;
        agreement.state.content = kept.content;
        agreement.state.hash = kept.hash;
        agreement.state.approvals = kept.approvals;
    }
    Ok(Response::new(listing::show(api, &member, agreement).await?))
}

async fn kept_revision(
    api: &Api,
    scope: &ScopeId,
    agreement: &str,
    revision: u32,
) -> Result<AgreementRevision, ApiError> {
    let id = AgreementRevision::id_of(agreement, revision);
    let key = RecordKey::new(scope, Kind::AgreementRevision, id);
    let found = api.find(&key).await?;
    let kept = found.as_ref().and_then(|found| {
        let kept = AgreementRevision::from_record(&found.record);
        kept.cloned()
    });
    let absent = || Refusal::field(Reason::NotFound, "revision", "no such revision");
    Ok(kept.ok_or_else(absent)?)
}

/// `ListAgreements`.
pub(super) async fn list(
    service: &SlaService,
    request: &Request<v1::ListAgreementsRequest>,
) -> Result<Response<v1::ListAgreementsResponse>, ApiError> {
    let api = service.api.as_ref();
    let caller = api.caller(request, Permission::Read).await?;
    let message = request.get_ref();
    let partnership = parse_parent(&message.parent)?;
    let member = api.member(&caller, &partnership).await?;
    let wanted = Wanted {
        purpose: &format!("ListAgreements:{partnership}"),
        page_size: message.page_size,
        page_token: &message.page_token,
        recorded_state: None,
    };
    let (agreements, next_page_token) =
        listing::list::<Agreement>(api, &member, wanted, |_| true).await?;
    Ok(Response::new(v1::ListAgreementsResponse {
        agreements,
        next_page_token,
    }))
}

impl Shown for Agreement {
    type Message = v1::Agreement;

    const REFERENCED: bool = false;

    fn commitments(&self) -> Vec<Commitment> {
        let contest = self.contest.iter();
        contest.map(|contest| contest.reason.clone()).collect()
    }

    fn shown(found: &Found<Self>, viewer: &Viewer<'_>) -> v1::Agreement {
        let contest = found.state.contest.as_ref();
        let to_contest = |contest: &Contest| v1::Contest {
            party_id: contest.party.to_string(),
            firm: contest.firm.scope().to_string(),
            reason: viewer.texts.show(Some(&contest.reason)),
            contest_time: Some(to_timestamp(contest.at)),
        };
        v1::Agreement {
            contest: contest.map(to_contest),
            redacted_fields: viewer.texts.redacted_fields(found.state.commitments()),
            ..to_agreement(&viewer.member.scope(), found)
        }
    }
}
