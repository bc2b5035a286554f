//! The RPCs of `ExpectationService`, each handed to where it is carried out.

use tonic::{Request, Response, Status};

use super::{
    ExpectationService, claims, clock, difference, fire_drills, fulfilment, needs, notices, updates,
};
use crate::api::Envelope;
use crate::domain::expectation::ExpectationCommand;
use crate::proto::v1;

/// A change of an expectation that exists, with something to say to it.
pub(super) struct Change<'request> {
    pub(super) method: &'static str,
    pub(super) name: &'request str,
    pub(super) envelope: Envelope,
    /// Name and content of the field with the words.
    pub(super) words: (&'static str, &'request str),
}

/// The change that a request with `etag` asks for.
macro_rules! change {
    ($method:literal, $request:expr, $words:ident) => {
        Change {
            method: $method,
            name: &$request.name,
            envelope: Envelope::new(&$request.request_id, &$request.origin, &$request.etag),
            words: (stringify!($words), &$request.$words),
        }
    };
}

#[tonic::async_trait]
impl v1::expectation_service_server::ExpectationService for ExpectationService {
    async fn create_expectation(
        &self,
        request: Request<v1::CreateExpectationRequest>,
    ) -> Result<Response<v1::Expectation>, Status> {
        Ok(self.create(&request).await?)
    }

    async fn update_expectation(
        &self,
        request: Request<v1::UpdateExpectationRequest>,
    ) -> Result<Response<v1::Expectation>, Status> {
        Ok(self.update(&request).await?)
    }

    async fn get_expectation(
        &self,
        request: Request<v1::GetExpectationRequest>,
    ) -> Result<Response<v1::Expectation>, Status> {
        Ok(self.get(&request).await?)
    }

    async fn list_expectations(
        &self,
        request: Request<v1::ListExpectationsRequest>,
    ) -> Result<Response<v1::ListExpectationsResponse>, Status> {
        Ok(self.list(&request).await?)
    }

    async fn offer_expectation(
        &self,
        request: Request<v1::OfferExpectationRequest>,
    ) -> Result<Response<v1::Expectation>, Status> {
        let change = change!("OfferExpectation", request.get_ref(), message);
        let acknowledges_impossible = request.get_ref().acknowledge_impossible;
        let command = |id, message| ExpectationCommand::Offer {
            id,
            message,
            acknowledges_impossible,
        };
        Ok(self.change(&request, change, command).await?)
    }

    async fn counter_expectation(
        &self,
        request: Request<v1::CounterExpectationRequest>,
    ) -> Result<Response<v1::Expectation>, Status> {
        Ok(self.counter(&request).await?)
    }

    async fn agree_expectation(
        &self,
        request: Request<v1::AgreeExpectationRequest>,
    ) -> Result<Response<v1::Expectation>, Status> {
        Ok(self.agree(&request).await?)
    }

    async fn decline_expectation(
        &self,
        request: Request<v1::DeclineExpectationRequest>,
    ) -> Result<Response<v1::Expectation>, Status> {
        let change = change!("DeclineExpectation", request.get_ref(), reason);
        let command = |id, reason| ExpectationCommand::Decline { id, reason };
        Ok(self.change(&request, change, command).await?)
    }

    async fn withdraw_expectation(
        &self,
        request: Request<v1::WithdrawExpectationRequest>,
    ) -> Result<Response<v1::Expectation>, Status> {
        let change = change!("WithdrawExpectation", request.get_ref(), reason);
        let command = |id, reason| ExpectationCommand::Withdraw { id, reason };
        Ok(self.change(&request, change, command).await?)
    }

    async fn fulfil_expectation(
        &self,
        request: Request<v1::FulfilExpectationRequest>,
    ) -> Result<Response<v1::Expectation>, Status> {
        Ok(fulfilment::fulfil(self, &request).await?)
    }

    async fn accept_fulfilment(
        &self,
        request: Request<v1::AcceptFulfilmentRequest>,
    ) -> Result<Response<v1::Expectation>, Status> {
        Ok(fulfilment::accept(self, &request).await?)
    }

    async fn dispute_fulfilment(
        &self,
        request: Request<v1::DisputeFulfilmentRequest>,
    ) -> Result<Response<v1::Expectation>, Status> {
        Ok(fulfilment::dispute(self, &request).await?)
    }

    async fn get_offer_difference(
        &self,
        request: Request<v1::GetOfferDifferenceRequest>,
    ) -> Result<Response<v1::OfferDifference>, Status> {
        Ok(difference::difference(&self.0, &request).await?)
    }

    async fn explain_expectation_clock(
        &self,
        request: Request<v1::ExplainExpectationClockRequest>,
    ) -> Result<Response<v1::ExplainExpectationClockResponse>, Status> {
        Ok(clock::explain(&self.0, &request).await?)
    }

    async fn create_notice(
        &self,
        request: Request<v1::CreateNoticeRequest>,
    ) -> Result<Response<v1::Notice>, Status> {
        Ok(notices::create(&self.0, &request).await?)
    }

    async fn update_notice(
        &self,
        request: Request<v1::UpdateNoticeRequest>,
    ) -> Result<Response<v1::Notice>, Status> {
        Ok(notices::update(&self.0, &request).await?)
    }

    async fn confirm_notice(
        &self,
        request: Request<v1::ConfirmNoticeRequest>,
    ) -> Result<Response<v1::Notice>, Status> {
        Ok(notices::confirm(&self.0, &request).await?)
    }

    async fn mark_notice_item(
        &self,
        request: Request<v1::MarkNoticeItemRequest>,
    ) -> Result<Response<v1::Notice>, Status> {
        Ok(notices::mark_item(&self.0, &request).await?)
    }

    async fn complete_notice(
        &self,
        request: Request<v1::CompleteNoticeRequest>,
    ) -> Result<Response<v1::Notice>, Status> {
        Ok(notices::complete(&self.0, &request).await?)
    }

    async fn withdraw_notice(
        &self,
        request: Request<v1::WithdrawNoticeRequest>,
    ) -> Result<Response<v1::Notice>, Status> {
        Ok(notices::withdraw(&self.0, &request).await?)
    }

    async fn get_notice(
        &self,
        request: Request<v1::GetNoticeRequest>,
    ) -> Result<Response<v1::Notice>, Status> {
        Ok(notices::get(&self.0, &request).await?)
    }

    async fn list_notices(
        &self,
        request: Request<v1::ListNoticesRequest>,
    ) -> Result<Response<v1::ListNoticesResponse>, Status> {
        Ok(notices::list(&self.0, &request).await?)
    }

    async fn post_update(
        &self,
        request: Request<v1::PostUpdateRequest>,
    ) -> Result<Response<v1::Update>, Status> {
        Ok(updates::post(&self.0, &request).await?)
    }

    async fn get_update(
        &self,
        request: Request<v1::GetUpdateRequest>,
    ) -> Result<Response<v1::Update>, Status> {
        Ok(updates::get(&self.0, &request).await?)
    }

    async fn list_updates(
        &self,
        request: Request<v1::ListUpdatesRequest>,
    ) -> Result<Response<v1::ListUpdatesResponse>, Status> {
        Ok(updates::list(&self.0, &request).await?)
    }

    async fn get_progress(
        &self,
        request: Request<v1::GetProgressRequest>,
    ) -> Result<Response<v1::Progress>, Status> {
        Ok(updates::progress(&self.0, &request).await?)
    }

    async fn get_fire_drill_counts(
        &self,
        request: Request<v1::GetFireDrillCountsRequest>,
    ) -> Result<Response<v1::GetFireDrillCountsResponse>, Status> {
        Ok(fire_drills::count(&self.0, &request).await?)
    }

    async fn create_claim(
        &self,
        request: Request<v1::CreateClaimRequest>,
    ) -> Result<Response<v1::Claim>, Status> {
        Ok(claims::create(&self.0, &request).await?)
    }

    async fn record_claim_outcome(
        &self,
        request: Request<v1::RecordClaimOutcomeRequest>,
    ) -> Result<Response<v1::Claim>, Status> {
        Ok(claims::record_outcome(&self.0, &request).await?)
    }

    async fn get_claim(
        &self,
        request: Request<v1::GetClaimRequest>,
    ) -> Result<Response<v1::Claim>, Status> {
        Ok(claims::get(&self.0, &request).await?)
    }

    async fn list_claims(
        &self,
        request: Request<v1::ListClaimsRequest>,
    ) -> Result<Response<v1::ListClaimsResponse>, Status> {
        Ok(claims::list(&self.0, &request).await?)
    }

    async fn create_need(
        &self,
        request: Request<v1::CreateNeedRequest>,
    ) -> Result<Response<v1::Need>, Status> {
        Ok(needs::create(&self.0, &request).await?)
    }

    async fn match_need(
        &self,
        request: Request<v1::MatchNeedRequest>,
    ) -> Result<Response<v1::Need>, Status> {
        Ok(needs::match_need(&self.0, &request).await?)
    }

    async fn accept_limitation(
        &self,
        request: Request<v1::AcceptLimitationRequest>,
    ) -> Result<Response<v1::Need>, Status> {
        Ok(needs::accept_limitation(&self.0, &request).await?)
    }

    async fn review_limitation(
        &self,
        request: Request<v1::ReviewLimitationRequest>,
    ) -> Result<Response<v1::Need>, Status> {
        Ok(needs::review_limitation(&self.0, &request).await?)
    }

    async fn get_need(
        &self,
        request: Request<v1::GetNeedRequest>,
    ) -> Result<Response<v1::Need>, Status> {
        Ok(needs::get(&self.0, &request).await?)
    }

    async fn list_needs(
        &self,
        request: Request<v1::ListNeedsRequest>,
    ) -> Result<Response<v1::ListNeedsResponse>, Status> {
        Ok(needs::list(&self.0, &request).await?)
    }
}
