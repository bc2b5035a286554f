//! Terms: proposed by one firm, approved by all.

use tonic::Request;

use super::convert::terms_content;
use super::{Answer, NAME, respond_with};
use crate::api::convert::parse_name;
use crate::api::text::Sealer;
use crate::api::{Api, Envelope, Mutation, required};
use crate::domain::command::Action;
use crate::domain::firm::Permission;
use crate::domain::identity::ScopeId;
use crate::domain::partnership::PartnershipCommand;
use crate::proto::v1;

pub(super) async fn propose_terms(
    api: &Api,
    request: &Request<v1::ProposeTermsRequest>,
) -> Answer<v1::Partnership> {
    let caller = api.caller(request, Permission::Approve).await?;
    let message = request.get_ref();
    let [id] = parse_name("name", &message.name, NAME)?;
    let terms = message.terms.as_ref().ok_or_else(|| required("terms"))?;
    let mut sealer = Sealer::for_every_party(api);
    let content = terms_content(&mut sealer, terms);
    let mutation = Mutation {
        scope: ScopeId::partnership(&id),
        envelope: Envelope::new(&message.request_id, &message.origin, &message.etag),
        openings: sealer.finish()?,
        action: Action::Partnership(PartnershipCommand::ProposeTerms(content)),
    };
    let receipt = api.run(&caller, "ProposeTerms", request, mutation).await?;
    respond_with(api, &caller, &id, &receipt).await
}

pub(super) async fn approve_terms(
    api: &Api,
    request: &Request<v1::ApproveTermsRequest>,
) -> Answer<v1::Partnership> {
    let caller = api.caller(request, Permission::Approve).await?;
    let message = request.get_ref();
    let [id] = parse_name("name", &message.name, NAME)?;
    if message.hash.is_empty() {
        return Err(required("hash").into());
    }
    let mutation = Mutation {
        scope: ScopeId::partnership(&id),
        envelope: Envelope::new(&message.request_id, &message.origin, &message.etag),
        action: Action::Partnership(PartnershipCommand::ApproveTerms {
            hash: message.hash.clone(),
        }),
        openings: Vec::new(),
    };
    let receipt = api.run(&caller, "ApproveTerms", request, mutation).await?;
    respond_with(api, &caller, &id, &receipt).await
}
