//! `CustodyService`: what a party holds for others, and how they get it back.

mod drills;
mod guard;
mod items;
mod mask;
mod requests;
mod stakes;

use std::sync::Arc;

use tonic::{Request, Response, Status};

use super::Api;
use super::status::ApiError;
use crate::domain::identity::PartyId;
use crate::proto::v1;

/// What a method answers.
type Answer<T> = Result<Response<T>, ApiError>;

/// `CustodyService`.
#[derive(Clone, Debug)]
pub struct CustodyService(pub Arc<Api>);

#[tonic::async_trait]
impl v1::custody_service_server::CustodyService for CustodyService {
    async fn create_custody_item(
        &self,
        request: Request<v1::CreateCustodyItemRequest>,
    ) -> Result<Response<v1::CustodyItem>, Status> {
        Ok(items::create(&self.0, &request).await?)
    }

    async fn update_custody_item(
        &self,
        request: Request<v1::UpdateCustodyItemRequest>,
    ) -> Result<Response<v1::CustodyItem>, Status> {
        Ok(items::update(&self.0, &request).await?)
    }

    async fn record_hand_over_test(
        &self,
        request: Request<v1::RecordHandOverTestRequest>,
    ) -> Result<Response<v1::CustodyItem>, Status> {
        Ok(items::test(&self.0, &request).await?)
    }

    async fn retire_custody_item(
        &self,
        request: Request<v1::RetireCustodyItemRequest>,
    ) -> Result<Response<v1::CustodyItem>, Status> {
        Ok(items::retire(&self.0, &request).await?)
    }

    async fn get_custody_item(
        &self,
        request: Request<v1::GetCustodyItemRequest>,
    ) -> Result<Response<v1::CustodyItem>, Status> {
        Ok(items::get(&self.0, &request).await?)
    }

    async fn list_custody_items(
        &self,
        request: Request<v1::ListCustodyItemsRequest>,
    ) -> Result<Response<v1::ListCustodyItemsResponse>, Status> {
        Ok(items::list(&self.0, &request).await?)
    }

    async fn create_hand_over_request(
        &self,
        request: Request<v1::CreateHandOverRequestRequest>,
    ) -> Result<Response<v1::HandOverRequest>, Status> {
        Ok(requests::create(&self.0, &request).await?)
    }

    async fn release_hand_over(
        &self,
        request: Request<v1::ReleaseHandOverRequest>,
    ) -> Result<Response<v1::HandOverRequest>, Status> {
        Ok(requests::release(&self.0, &request).await?)
    }

    async fn confirm_hand_over(
        &self,
        request: Request<v1::ConfirmHandOverRequest>,
    ) -> Result<Response<v1::HandOverRequest>, Status> {
        Ok(requests::confirm(&self.0, &request).await?)
    }

    async fn withhold_hand_over(
        &self,
        request: Request<v1::WithholdHandOverRequest>,
    ) -> Result<Response<v1::HandOverRequest>, Status> {
        Ok(requests::withhold(&self.0, &request).await?)
    }

    async fn withdraw_hand_over_request(
        &self,
        request: Request<v1::WithdrawHandOverRequestRequest>,
    ) -> Result<Response<v1::HandOverRequest>, Status> {
        Ok(requests::withdraw(&self.0, &request).await?)
    }

    async fn get_hand_over_request(
        &self,
        request: Request<v1::GetHandOverRequestRequest>,
    ) -> Result<Response<v1::HandOverRequest>, Status> {
        Ok(requests::get(&self.0, &request).await?)
    }

    async fn list_hand_over_requests(
        &self,
        request: Request<v1::ListHandOverRequestsRequest>,
    ) -> Result<Response<v1::ListHandOverRequestsResponse>, Status> {
        Ok(requests::list(&self.0, &request).await?)
    }

    async fn disclose_stake(
        &self,
        request: Request<v1::DiscloseStakeRequest>,
    ) -> Result<Response<v1::StakeDisclosure>, Status> {
        Ok(stakes::disclose(&self.0, &request).await?)
    }

    async fn end_stake_disclosure(
        &self,
        request: Request<v1::EndStakeDisclosureRequest>,
    ) -> Result<Response<v1::StakeDisclosure>, Status> {
        Ok(stakes::end(&self.0, &request).await?)
    }

    async fn get_stake_disclosure(
        &self,
        request: Request<v1::GetStakeDisclosureRequest>,
    ) -> Result<Response<v1::StakeDisclosure>, Status> {
        Ok(stakes::get(&self.0, &request).await?)
    }

    async fn list_stake_disclosures(
        &self,
        request: Request<v1::ListStakeDisclosuresRequest>,
    ) -> Result<Response<v1::ListStakeDisclosuresResponse>, Status> {
        Ok(stakes::list(&self.0, &request).await?)
    }

    async fn run_exit_drill(
        &self,
        request: Request<v1::RunExitDrillRequest>,
    ) -> Result<Response<v1::RunExitDrillResponse>, Status> {
        Ok(drills::run(&self.0, &request).await?)
    }

    async fn get_exit_drill(
        &self,
        request: Request<v1::GetExitDrillRequest>,
    ) -> Result<Response<v1::ExitDrill>, Status> {
        Ok(drills::get(&self.0, &request).await?)
    }

    async fn list_exit_drills(
        &self,
        request: Request<v1::ListExitDrillsRequest>,
    ) -> Result<Response<v1::ListExitDrillsResponse>, Status> {
        Ok(drills::list(&self.0, &request).await?)
    }
}

/// A party that may be left out.
fn party(given: &str) -> Option<PartyId> {
    (!given.is_empty()).then(|| PartyId::from_text(given))
}
