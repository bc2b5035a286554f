//! The RPCs of agreements.

pub(super) mod convert;
mod levels;

use tonic::{Request, Response};

use self::convert::{content, to_agreement};
use super::check::whole;
use super::{SlaService, parse_parent};
use crate::api::caller::Caller;
use crate::api::convert::{chosen_id, parse_name};
use crate::api::faults::Faults;
use crate::api::listing::{self, Shown, Viewer, Wanted};
use crate::api::status::ApiError;
use crate::api::{Api, Envelope, Found, Mutation, required, respond};
use crate::domain::command::Action;
use crate::domain::commitment::Commitment;
use crate::domain::firm::Permission;
use crate::domain::identity::ScopeId;
use crate::domain::sla::agreement::{Agreement, AgreementCommand};
use crate::ledger::Receipt;
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
    let proposed = faults.take(
        message
            .agreement
            .as_ref()
            .ok_or_else(|| required("agreement"))
            .map(Some),
    );
    let content = parent
        .as_ref()
        .zip(proposed)
        .and_then(|(partnership, proposed)| content(partnership, proposed, &mut faults));
    let ((partnership, id), content) = whole(faults, parent.zip(id).zip(content))?;
    let mutation = Mutation {
        scope: ScopeId::partnership(&partnership),
        envelope: Envelope::new(&message.request_id, &message.origin, ""),
        action: Action::Agreement(AgreementCommand::Create { id, content }),
        openings: Vec::new(),
    };
    let receipt = api
        .run(&caller, "CreateAgreement", request, mutation)
        .await?;
    answer(api, &caller, &partnership, &receipt).await
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
    let receipt = api
        .run(&caller, "ApproveAgreement", request, mutation)
        .await?;
    answer(api, &caller, &partnership, &receipt).await
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
    let receipt = api.run(&caller, "EndAgreement", request, mutation).await?;
    answer(api, &caller, &partnership, &receipt).await
}

async fn answer(
    api: &Api,
    caller: &Caller,
    partnership: &str,
    receipt: &Receipt,
) -> Result<Response<v1::Agreement>, ApiError> {
    let (member, agreement) = api
        .get::<Agreement>(caller, partnership, &receipt.id)
        .await?;
    Ok(respond(to_agreement(&member.scope(), &agreement), receipt))
}

/// `GetAgreement`.
pub(super) async fn get(
    service: &SlaService,
    request: &Request<v1::GetAgreementRequest>,
) -> Result<Response<v1::Agreement>, ApiError> {
    let api = service.api.as_ref();
    let caller = api.caller(request, Permission::Read).await?;
    let [partnership, id] = parse_name("name", &request.get_ref().name, SHAPE)?;
    let (member, agreement) = api.get::<Agreement>(&caller, &partnership, &id).await?;
    Ok(Response::new(to_agreement(&member.scope(), &agreement)))
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
        Vec::new()
    }

    fn shown(found: &Found<Self>, viewer: &Viewer<'_>) -> v1::Agreement {
        to_agreement(&viewer.member.scope(), found)
    }
}
