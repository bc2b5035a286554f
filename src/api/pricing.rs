//! `PricingService`: joint quotes, and who bears which part of what is conceded on them.

mod blind;
pub(super) mod convert;
mod evaluate;
mod explain;
mod funding;
mod impact;
mod parse;
mod propose;
mod sign;
pub(super) mod steps;
mod update;

use std::sync::Arc;

use prost::Message;
use tonic::{Request, Response, Status};

use self::parse::Intake;
use super::caller::Caller;
use super::convert::parse_name;
use super::listing::{self, Wanted};
use super::status::ApiError;
use super::text::Texts;
use super::{Api, Envelope, Mutation, required, respond};
use crate::domain::command::Action;
use crate::domain::firm::Permission;
use crate::domain::identity::ScopeId;
use crate::domain::pricing::quote::{JointQuote, QuoteCommand};
use crate::ledger::Receipt;
use crate::proto::v1;

pub(super) use self::convert::split::to_cadence;

/// Shape of a joint quote's name.
const SHAPE: &str = "partnerships/*/jointQuotes/*";

/// `PricingService`.
#[derive(Clone, Debug)]
pub struct PricingService(pub Arc<Api>);

/// An answer to the revision that waits, named by its hash.
struct Reply<'request> {
    method: &'static str,
    name: &'request str,
    hash: &'request str,
    /// Why; empty where no reason is given.
    reason: &'request str,
    envelope: Envelope,
}

#[tonic::async_trait]
impl v1::pricing_service_server::PricingService for PricingService {
    async fn create_joint_quote(
        &self,
        request: Request<v1::CreateJointQuoteRequest>,
    ) -> Result<Response<v1::JointQuote>, Status> {
        Ok(self.create(&request).await?)
    }

    async fn add_portion(
        &self,
        request: Request<v1::AddPortionRequest>,
    ) -> Result<Response<v1::JointQuote>, Status> {
        Ok(self.add(&request).await?)
    }

    async fn update_joint_quote(
        &self,
        request: Request<v1::UpdateJointQuoteRequest>,
    ) -> Result<Response<v1::JointQuote>, Status> {
        Ok(self.update(&request).await?)
    }

    async fn get_joint_quote(
        &self,
        request: Request<v1::GetJointQuoteRequest>,
    ) -> Result<Response<v1::JointQuote>, Status> {
        Ok(self.get(&request).await?)
    }

    async fn list_joint_quotes(
        &self,
        request: Request<v1::ListJointQuotesRequest>,
    ) -> Result<Response<v1::ListJointQuotesResponse>, Status> {
        Ok(self.list(&request).await?)
    }

    async fn propose_concession(
        &self,
        request: Request<v1::ProposeConcessionRequest>,
    ) -> Result<Response<v1::JointQuote>, Status> {
        Ok(self.propose(&request).await?)
    }

    async fn approve_concession(
        &self,
        request: Request<v1::ApproveConcessionRequest>,
    ) -> Result<Response<v1::JointQuote>, Status> {
        let asked = request.get_ref();
        if let Some(signature) = &asked.signature {
            return Ok(self.approve_signed(&request, signature).await?);
        }
        let reply = Reply {
            method: "ApproveConcession",
            name: &asked.name,
            hash: &asked.hash,
            reason: "",
            envelope: Envelope::new(&asked.request_id, &asked.origin, &asked.etag),
        };
        let command = |id, hash, _| QuoteCommand::ApproveConcession { id, hash };
        Ok(self.reply(&request, reply, command).await?)
    }

    async fn evaluate_concession(
        &self,
        request: Request<v1::EvaluateConcessionRequest>,
    ) -> Result<Response<v1::EvaluateConcessionResponse>, Status> {
        Ok(self.evaluate(&request).await?)
    }

    async fn get_disclosure_impact(
        &self,
        request: Request<v1::GetDisclosureImpactRequest>,
    ) -> Result<Response<v1::DisclosureImpact>, Status> {
        Ok(self.impact(&request).await?)
    }

    async fn consent_to_disclosure(
        &self,
        request: Request<v1::ConsentToDisclosureRequest>,
    ) -> Result<Response<v1::JointQuote>, Status> {
        Ok(self.consent(&request).await?)
    }

    async fn withdraw_disclosure_consent(
        &self,
        request: Request<v1::WithdrawDisclosureConsentRequest>,
    ) -> Result<Response<v1::JointQuote>, Status> {
        Ok(self.withdraw_consent(&request).await?)
    }

    async fn sign_concession(
        &self,
        request: Request<v1::SignConcessionRequest>,
    ) -> Result<Response<v1::JointQuote>, Status> {
        Ok(self.sign(&request).await?)
    }

    async fn reject_concession(
        &self,
        request: Request<v1::RejectConcessionRequest>,
    ) -> Result<Response<v1::JointQuote>, Status> {
        let asked = request.get_ref();
        let reply = Reply {
            method: "RejectConcession",
            name: &asked.name,
            hash: &asked.hash,
            reason: &asked.reason,
            envelope: Envelope::new(&asked.request_id, &asked.origin, &asked.etag),
        };
        let command = |id, hash, reason| QuoteCommand::RejectConcession { id, hash, reason };
        Ok(self.reply(&request, reply, command).await?)
    }

    async fn withdraw_concession(
        &self,
        request: Request<v1::WithdrawConcessionRequest>,
    ) -> Result<Response<v1::JointQuote>, Status> {
        let asked = request.get_ref();
        let reply = Reply {
            method: "WithdrawConcession",
            name: &asked.name,
            hash: &asked.hash,
            reason: "",
            envelope: Envelope::new(&asked.request_id, &asked.origin, &asked.etag),
        };
        let command = |id, hash, _| QuoteCommand::WithdrawConcession { id, hash };
        Ok(self.reply(&request, reply, command).await?)
    }

    async fn explain_allocation(
        &self,
        request: Request<v1::ExplainAllocationRequest>,
    ) -> Result<Response<v1::ExplainAllocationResponse>, Status> {
        Ok(self.explain(&request).await?)
    }
}

impl PricingService {
    async fn create(
        &self,
        request: &Request<v1::CreateJointQuoteRequest>,
    ) -> Result<Response<v1::JointQuote>, ApiError> {
        let api = &self.0;
        let caller = api.caller(request, Permission::Quotes).await?;
        let asked = request.get_ref();
        let [partnership] = parse_name("parent", &asked.parent, "partnerships/*")?;
        let given = asked
            .joint_quote
            .as_ref()
            .ok_or_else(|| required("joint_quote"))?;
        let member = api.member(&caller, &partnership).await?;
        let mut intake = Intake::new(api, &member);
        let command = intake.quote(&member.scope(), &asked.joint_quote_id, given);
        let (command, openings) = intake.finish(command)?;
        let mutation = Mutation {
            scope: member.scope(),
            envelope: Envelope::new(&asked.request_id, &asked.origin, ""),
            action: Action::Quote(command),
            openings,
        };
        let receipt = api
            .run(&caller, "CreateJointQuote", request, mutation)
            .await?;
        self.answer(&caller, &partnership, &receipt).await
    }

    async fn add(
        &self,
        request: &Request<v1::AddPortionRequest>,
    ) -> Result<Response<v1::JointQuote>, ApiError> {
        let api = &self.0;
        let caller = api.caller(request, Permission::Quotes).await?;
        let asked = request.get_ref();
        let [partnership, id] = parse_name("name", &asked.name, SHAPE)?;
        let given = asked.portion.as_ref().ok_or_else(|| required("portion"))?;
        let (member, found) = api.get::<JointQuote>(&caller, &partnership, &id).await?;
        let mut intake = Intake::new(api, &member);
        let portion = intake.portion("portion", Some(found.state.currency), given);
        let (portion, openings) = intake.finish(Some(portion))?;
        let mutation = Mutation {
            scope: member.scope(),
            envelope: Envelope::new(&asked.request_id, &asked.origin, &asked.etag),
            action: Action::Quote(QuoteCommand::AddPortion { id, portion }),
            openings,
        };
        let receipt = api.run(&caller, "AddPortion", request, mutation).await?;
        self.answer(&caller, &partnership, &receipt).await
    }

    async fn update(
        &self,
        request: &Request<v1::UpdateJointQuoteRequest>,
    ) -> Result<Response<v1::JointQuote>, ApiError> {
        let api = &self.0;
        let caller = api.caller(request, Permission::Quotes).await?;
        let asked = request.get_ref();
        let given = asked
            .joint_quote
            .as_ref()
            .ok_or_else(|| required("joint_quote"))?;
        let [partnership, id] = parse_name("joint_quote.name", &given.name, SHAPE)?;
        let scope = ScopeId::partnership(&partnership);
        let changes = update::changes(&scope, asked.update_mask.as_ref(), given)?;
        let mutation = Mutation {
            scope,
            envelope: Envelope::new(&asked.request_id, &asked.origin, &given.etag),
            action: Action::Quote(QuoteCommand::Update { id, changes }),
            openings: Vec::new(),
        };
        let receipt = api
            .run(&caller, "UpdateJointQuote", request, mutation)
            .await?;
        self.answer(&caller, &partnership, &receipt).await
    }

    async fn get(
        &self,
        request: &Request<v1::GetJointQuoteRequest>,
    ) -> Result<Response<v1::JointQuote>, ApiError> {
        let api = &self.0;
        let caller = api.caller(request, Permission::Read).await?;
        let [partnership, id] = parse_name("name", &request.get_ref().name, SHAPE)?;
        let (member, found) = api.get::<JointQuote>(&caller, &partnership, &id).await?;
        Ok(Response::new(listing::show(api, &member, found).await?))
    }

    async fn list(
        &self,
        request: &Request<v1::ListJointQuotesRequest>,
    ) -> Result<Response<v1::ListJointQuotesResponse>, ApiError> {
        let api = &self.0;
        let caller = api.caller(request, Permission::Read).await?;
        let asked = request.get_ref();
        let [partnership] = parse_name("parent", &asked.parent, "partnerships/*")?;
        let member = api.member(&caller, &partnership).await?;
        let wanted = Wanted {
            purpose: &format!("ListJointQuotes:{partnership}"),
            page_size: asked.page_size,
            page_token: &asked.page_token,
            recorded_state: None,
        };
        let every = |_: &JointQuote| true;
        let (joint_quotes, next_page_token) = listing::list(api, &member, wanted, every).await?;
        Ok(Response::new(v1::ListJointQuotesResponse {
            joint_quotes,
            next_page_token,
        }))
    }

    async fn propose(
        &self,
        request: &Request<v1::ProposeConcessionRequest>,
    ) -> Result<Response<v1::JointQuote>, ApiError> {
        let api = &self.0;
        let caller = api.caller(request, Permission::Quotes).await?;
        // A proposal carries its proposer's approval.
        caller.require(Permission::Approve)?;
        let asked = request.get_ref();
        let [partnership, _] = parse_name("name", &asked.name, SHAPE)?;
        let concession = propose::proposal(&ScopeId::partnership(&partnership), asked)?;
        self.propose_concession_of(request, concession).await
    }

    async fn explain(
        &self,
        request: &Request<v1::ExplainAllocationRequest>,
    ) -> Result<Response<v1::ExplainAllocationResponse>, ApiError> {
        let api = &self.0;
        let caller = api.caller(request, Permission::Read).await?;
        let asked = request.get_ref();
        let [partnership, id] = parse_name("name", &asked.name, SHAPE)?;
        let (member, found) = api.get::<JointQuote>(&caller, &partnership, &id).await?;
        let revision = explain::revision(&found.state, asked.revision)?;
        let lines = if blind::is_sealed(revision) {
            let sealed = revision.split.sealed_lines().cloned().collect();
            let texts = Texts::load(api, &member.scope(), &member.party.id, sealed).await?;
            blind::lines(&found.state, revision, &texts)
        } else {
            explain::lines(&found.state, revision)?
        };
        Ok(Response::new(v1::ExplainAllocationResponse {
            name: asked.name.clone(),
            revision: revision.split.number.into(),
            lines,
        }))
    }

    /// Runs an answer to the revision that waits.
    async fn reply<M: Message>(
        &self,
        request: &Request<M>,
        reply: Reply<'_>,
        command: impl FnOnce(String, String, parse::Words) -> QuoteCommand + Send,
    ) -> Result<Response<v1::JointQuote>, ApiError> {
        let api = &self.0;
        let caller = api.caller(request, Permission::Approve).await?;
        let [partnership, id] = parse_name("name", reply.name, SHAPE)?;
        let (reason, openings) = parse::reply(api, reply.hash, reply.reason)?;
        let mutation = Mutation {
            scope: ScopeId::partnership(&partnership),
            envelope: reply.envelope,
            action: Action::Quote(command(id, reply.hash.to_owned(), reason)),
            openings,
        };
        let receipt = api.run(&caller, reply.method, request, mutation).await?;
        self.answer(&caller, &partnership, &receipt).await
    }

    /// The quote after a change.
    async fn answer(
        &self,
        caller: &Caller,
        partnership: &str,
        receipt: &Receipt,
    ) -> Result<Response<v1::JointQuote>, ApiError> {
        let api = &self.0;
        let (member, found) = api
            .get::<JointQuote>(caller, partnership, &receipt.id)
            .await?;
        Ok(respond(listing::show(api, &member, found).await?, receipt))
    }
}
