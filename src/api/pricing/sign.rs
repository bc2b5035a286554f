//! Signatures of approvals: brought with an approval, or added to it.

use tonic::{Request, Response};

use super::{PricingService, SHAPE};
use crate::api::caller::Caller;
use crate::api::convert::{parse_name, to_timestamp};
use crate::api::faults::Faults;
use crate::api::signing::signed;
use crate::api::status::ApiError;
use crate::api::{Envelope, Mutation, required};
use crate::domain::command::Action;
use crate::domain::firm::Permission;
use crate::domain::identity::ScopeId;
use crate::domain::pricing::quote::{ConcessionRevision, QuoteCommand};
use crate::proto::v1;

impl PricingService {
    /// An approval with a signature.
    pub(super) async fn approve_signed(
        &self,
        request: &Request<v1::ApproveConcessionRequest>,
        given: &v1::Signature,
    ) -> Result<Response<v1::JointQuote>, ApiError> {
        let api = &self.0;
        let caller = api.caller(request, Permission::Approve).await?;
        let asked = request.get_ref();
        let [partnership, id] = named(&asked.name, &asked.hash)?;
        let signed = signed(api, &caller, "signature", given).await?;
        let hash = asked.hash.clone();
        let mutation = Mutation {
            scope: ScopeId::partnership(&partnership),
            envelope: Envelope::new(&asked.request_id, &asked.origin, &asked.etag),
            action: Action::Quote(QuoteCommand::ApproveSigned { id, hash, signed }),
            openings: Vec::new(),
        };
        let receipt = api
            .run(&caller, "ApproveConcession", request, mutation)
            .await?;
        self.answer(&caller, &partnership, &receipt).await
    }

    /// A signature added to an approval.
    pub(super) async fn sign(
        &self,
        request: &Request<v1::SignConcessionRequest>,
    ) -> Result<Response<v1::JointQuote>, ApiError> {
        let api = &self.0;
        let caller: Caller = api.caller(request, Permission::Approve).await?;
        let asked = request.get_ref();
        let [partnership, id] = named(&asked.name, &asked.hash)?;
        let given = asked.signature.as_ref();
        let given = given.ok_or_else(|| required("signature"))?;
        api.member(&caller, &partnership).await?;
        let signed = signed(api, &caller, "signature", given).await?;
        let hash = asked.hash.clone();
        let mutation = Mutation {
            scope: ScopeId::partnership(&partnership),
            envelope: Envelope::new(&asked.request_id, &asked.origin, &asked.etag),
            action: Action::Quote(QuoteCommand::SignConcession { id, hash, signed }),
            openings: Vec::new(),
        };
        let receipt = api
            .run(&caller, "SignConcession", request, mutation)
            .await?;
        self.answer(&caller, &partnership, &receipt).await
    }
}

/// The quote of a request that names a revision by its hash.
fn named(name: &str, hash: &str) -> Result<[String; 2], ApiError> {
    let mut faults = Faults::default();
    let name = faults.take(parse_name("name", name, SHAPE).map(Some));
    faults.require(!hash.is_empty(), "hash", "is required");
    faults.finish()?;
    Ok(name.ok_or_else(|| required("name"))?)
}

/// The signatures of a revision as the contract shows them.
pub(super) fn to_signatures(revision: &ConcessionRevision) -> Vec<v1::ApprovalSignature> {
    let signatures = revision.signatures.iter();
    let shown = signatures.map(|found| {
        let approval = revision
            .approvals
            .iter()
            .find(|approval| approval.party == found.party && approval.firm.is_some());
        let firm = approval.and_then(|approval| approval.firm.as_ref());
        let key = &found.signature.key_id;
        v1::ApprovalSignature {
            party_id: found.party.to_string(),
            signing_key: firm
                .map(|firm| format!("{}/signingKeys/{key}", firm.scope()))
                .unwrap_or_default(),
            public_key: found.signature.public_key.as_bytes().to_vec(),
            signature: found.signature.signature.as_bytes().to_vec(),
            sign_time: Some(to_timestamp(found.at)),
        }
    });
    shown.collect()
}
