//! `SigningService`: the keys with which firms sign.

mod cosign;
mod keys;

use std::sync::Arc;

use tonic::{Request, Response, Status};

use super::Api;
use super::status::ApiError;
use crate::proto::v1;

pub(super) use cosign::to_cosignature;
pub(super) use keys::signed;

/// What an RPC answers before errors become statuses.
type Answer<T> = Result<Response<T>, ApiError>;

/// Implements the contract's `SigningService`.
#[derive(Clone, Debug)]
pub struct SigningService(pub Arc<Api>);

#[tonic::async_trait]
impl v1::signing_service_server::SigningService for SigningService {
    async fn register_signing_key(
        &self,
        request: Request<v1::RegisterSigningKeyRequest>,
    ) -> Result<Response<v1::SigningKey>, Status> {
        Ok(keys::register(&self.0, &request).await?)
    }

    async fn list_signing_keys(
        &self,
        request: Request<v1::ListSigningKeysRequest>,
    ) -> Result<Response<v1::ListSigningKeysResponse>, Status> {
        Ok(keys::list(&self.0, &request).await?)
    }

    async fn revoke_signing_key(
        &self,
        request: Request<v1::RevokeSigningKeyRequest>,
    ) -> Result<Response<v1::SigningKey>, Status> {
        Ok(keys::revoke(&self.0, &request).await?)
    }

    async fn cosign_checkpoint(
        &self,
        request: Request<v1::CosignCheckpointRequest>,
    ) -> Result<Response<v1::Cosignature>, Status> {
        Ok(cosign::cosign(&self.0, &request).await?)
    }
}
