//! `SaleService`: what becomes of a joint quote once its client has decided.

mod bookings;
pub(super) mod convert;
mod export;

use std::sync::Arc;

use tonic::{Request, Response, Status};

use self::convert::{amounts, bill_date};
use super::convert::{known_enum, parse_name};
use super::expectation::parse::Intake;
use super::listing;
use super::opportunity::convert::sale_reason;
use super::status::ApiError;
use super::{Api, Envelope, Mutation, required, sealed};
use crate::domain::command::Action;
use crate::domain::commitment::Opening;
use crate::domain::firm::Permission;
use crate::domain::identity::{PartyId, ScopeId};
use crate::domain::pricing::quote::JointQuote;
use crate::domain::pricing::quote::sale::{NewReversal, SaleCommand};
use crate::proto::v1;

/// Shape of a joint quote's name.
const SHAPE: &str = "partnerships/*/jointQuotes/*";

/// What a method answers.
type Answer<T> = Result<Response<T>, ApiError>;

/// `SaleService`.
#[derive(Clone, Debug)]
pub struct SaleService(pub Arc<Api>);

#[tonic::async_trait]
impl v1::sale_service_server::SaleService for SaleService {
    async fn win_quote(
        &self,
        request: Request<v1::WinQuoteRequest>,
    ) -> Result<Response<v1::JointQuote>, Status> {
        Ok(win(&self.0, &request).await?)
    }

    async fn lose_quote(
        &self,
        request: Request<v1::LoseQuoteRequest>,
    ) -> Result<Response<v1::JointQuote>, Status> {
        Ok(lose(&self.0, &request).await?)
    }

    async fn reverse_concession(
        &self,
        request: Request<v1::ReverseConcessionRequest>,
    ) -> Result<Response<v1::JointQuote>, Status> {
        Ok(reverse(&self.0, &request).await?)
    }

    async fn book_period(
        &self,
        request: Request<v1::BookPeriodRequest>,
    ) -> Result<Response<v1::Booking>, Status> {
        Ok(bookings::book(&self.0, &request).await?)
    }

    async fn export_joint_quote(
        &self,
        request: Request<v1::ExportJointQuoteRequest>,
    ) -> Result<Response<v1::ExportJointQuoteResponse>, Status> {
        Ok(export::export(&self.0, &request).await?)
    }

    async fn get_booking(
        &self,
        request: Request<v1::GetBookingRequest>,
    ) -> Result<Response<v1::Booking>, Status> {
        Ok(bookings::get(&self.0, &request).await?)
    }

    async fn list_bookings(
        &self,
        request: Request<v1::ListBookingsRequest>,
    ) -> Result<Response<v1::ListBookingsResponse>, Status> {
        Ok(bookings::list(&self.0, &request).await?)
    }
}

async fn win(api: &Api, request: &Request<v1::WinQuoteRequest>) -> Answer<v1::JointQuote> {
    let caller = api.caller(request, Permission::Approve).await?;
    let asked = request.get_ref();
    let [partnership, id] = parse_name("name", &asked.name, SHAPE)?;
    let mut intake = Intake::new(api);
    let field = "final_client_prices";
    let prices = amounts(&mut intake.faults, field, &asked.final_client_prices);
    let openings = intake.finish()?;
    let command = SaleCommand::Win { id, prices };
    let envelope = Envelope::new(&asked.request_id, &asked.origin, &asked.etag);
    let scope = ScopeId::partnership(&partnership);
    let mutation = mutation(scope, envelope, command, openings);
    listing::change::<JointQuote, _>(api, &caller, "WinQuote", request, mutation).await
}

async fn lose(api: &Api, request: &Request<v1::LoseQuoteRequest>) -> Answer<v1::JointQuote> {
    let caller = api.caller(request, Permission::Approve).await?;
    let asked = request.get_ref();
    let [partnership, id] = parse_name("name", &asked.name, SHAPE)?;
    let mut intake = Intake::new(api);
    let reason = known_enum("reason", asked.reason);
    let reason = intake.faults.take(reason.map(sale_reason));
    let words = intake.text("words", &asked.words);
    let openings = intake.finish()?;
    let command = SaleCommand::Lose {
        id,
        reason: reason.ok_or_else(|| required("reason"))?,
        words,
    };
    let envelope = Envelope::new(&asked.request_id, &asked.origin, &asked.etag);
    let scope = ScopeId::partnership(&partnership);
    let mutation = mutation(scope, envelope, command, openings);
    listing::change::<JointQuote, _>(api, &caller, "LoseQuote", request, mutation).await
}

async fn reverse(
    api: &Api,
    request: &Request<v1::ReverseConcessionRequest>,
) -> Answer<v1::JointQuote> {
    let caller = api.caller(request, Permission::Approve).await?;
    let asked = request.get_ref();
    let [partnership, id] = parse_name("name", &asked.name, SHAPE)?;
    let mut intake = Intake::new(api);
    // Nothing stands in for a revision that is not named.
    let is_named = !asked.hash.is_empty();
    intake.faults.require(is_named, "hash", "is required");
    let amounts = amounts(&mut intake.faults, "amounts", &asked.amounts);
    let date = bill_date(&mut intake.faults, asked.bill_date.as_ref());
    let reason = intake.text("reason", &asked.reason);
    let openings = intake.finish()?;
    let command = |shares| {
        Action::Sale(SaleCommand::Reverse(NewReversal {
            id: id.clone(),
            hash: asked.hash.clone(),
            amounts: amounts.clone(),
            biller: named_party(&asked.biller),
            date,
            reason: reason.clone(),
            shares,
        }))
    };
    let selling = sealed::Asked {
        method: "ReverseConcession",
        scope: ScopeId::partnership(&partnership),
        id: &id,
        envelope: Envelope::new(&asked.request_id, &asked.origin, &asked.etag),
        openings,
    };
    let receipt = sealed::sell(api, &caller, request, selling, command).await?;
    listing::changed::<JointQuote>(api, &caller, &partnership, &receipt).await
}

/// A party, if one is named.
fn named_party(text: &str) -> Option<PartyId> {
    (!text.is_empty()).then(|| PartyId::from_text(text))
}

fn mutation(
    scope: ScopeId,
    envelope: Envelope,
    command: SaleCommand,
    openings: Vec<Opening>,
) -> Mutation {
    Mutation {
        scope,
        envelope,
        action: Action::Sale(command),
        openings,
    }
}
