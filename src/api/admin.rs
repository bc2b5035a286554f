//! `AdminService`: firms, their API keys, and whom they trust.

mod api_keys;
mod grant;
mod trusted;

use std::sync::Arc;

use tonic::{Request, Response, Status};

use super::caller::Caller;
use super::convert::{etag, known_enum, parse_name, to_timestamp};
use super::page::Page;
use super::partnership::not_carried;
use super::status::ApiError;
use super::{Api, Envelope, Mutation, required, respond};
use crate::domain::command::Action;
use crate::domain::firm::{FirmCommand, Permission};
use crate::domain::identity::FirmId;
use crate::domain::record::{Kind, Record, RecordKey};
use crate::domain::refusal::{Reason, Refusal, Violations};
use crate::domain::text::require_display_name;
use crate::domain::world::Versioned;
use crate::ledger::rows;
use crate::proto::v1;
use crate::store::ListQuery;

/// Resource name of a firm.
const FIRM_NAME: &str = "firms/*";

/// What an RPC answers before errors become statuses.
type Answer<T> = Result<Response<T>, ApiError>;

/// Implements the contract's `AdminService`.
#[derive(Clone, Debug)]
pub struct AdminService(pub Arc<Api>);

#[tonic::async_trait]
impl v1::admin_service_server::AdminService for AdminService {
    async fn create_firm(
        &self,
        request: Request<v1::CreateFirmRequest>,
    ) -> Result<Response<v1::Firm>, Status> {
        Ok(create_firm(&self.0, &request).await?)
    }

    async fn get_firm(
        &self,
        request: Request<v1::GetFirmRequest>,
    ) -> Result<Response<v1::Firm>, Status> {
        Ok(get_firm(&self.0, &request).await?)
    }

    async fn list_firms(
        &self,
        request: Request<v1::ListFirmsRequest>,
    ) -> Result<Response<v1::ListFirmsResponse>, Status> {
        Ok(list_firms(&self.0, &request).await?)
    }

    async fn create_api_key(
        &self,
        request: Request<v1::CreateApiKeyRequest>,
    ) -> Result<Response<v1::ApiKey>, Status> {
        Ok(api_keys::create(&self.0, &request).await?)
    }

    async fn list_api_keys(
        &self,
        request: Request<v1::ListApiKeysRequest>,
    ) -> Result<Response<v1::ListApiKeysResponse>, Status> {
        Ok(api_keys::list(&self.0, &request).await?)
    }

    async fn rotate_api_key(
        &self,
        request: Request<v1::RotateApiKeyRequest>,
    ) -> Result<Response<v1::ApiKey>, Status> {
        Ok(api_keys::rotate(&self.0, &request).await?)
    }

    async fn revoke_api_key(
        &self,
        request: Request<v1::RevokeApiKeyRequest>,
    ) -> Result<Response<v1::ApiKey>, Status> {
        Ok(api_keys::revoke(&self.0, &request).await?)
    }

    async fn create_trusted_identity(
        &self,
        request: Request<v1::CreateTrustedIdentityRequest>,
    ) -> Result<Response<v1::TrustedIdentity>, Status> {
        Ok(trusted::create(&self.0, &request).await?)
    }

    async fn list_trusted_identities(
        &self,
        request: Request<v1::ListTrustedIdentitiesRequest>,
    ) -> Result<Response<v1::ListTrustedIdentitiesResponse>, Status> {
        Ok(trusted::list(&self.0, &request).await?)
    }

    async fn revoke_trusted_identity(
        &self,
        request: Request<v1::RevokeTrustedIdentityRequest>,
    ) -> Result<Response<v1::TrustedIdentity>, Status> {
        Ok(trusted::revoke(&self.0, &request).await?)
    }
}

async fn create_firm(api: &Api, request: &Request<v1::CreateFirmRequest>) -> Answer<v1::Firm> {
    let caller = api.caller(request, Permission::Operator).await?;
    let message = request.get_ref();
    let asked = message.firm.as_ref().ok_or_else(|| required("firm"))?;
    let mut violations = Violations::default();
    let firm = FirmId::parse(&message.firm_id);
    violations.require(
        firm.is_some(),
        "firm_id",
        "1 to 63 of a-z, 0-9 and hyphen, beginning with a letter and not ending with a hyphen",
    );
    require_display_name(&mut violations, "firm.display_name", &asked.display_name);
    violations.finish()?;
    let firm = firm.ok_or_else(|| required("firm_id"))?;
    let display_name = asked.display_name.clone();
    let mutation = Mutation {
        scope: FirmId::operator().scope(),
        envelope: Envelope::new(&message.request_id, &message.origin, ""),
        action: Action::Firm(FirmCommand::Register {
            firm: firm.clone(),
            display_name,
        }),
        openings: Vec::new(),
    };
    let receipt = api.run(&caller, "CreateFirm", request, mutation).await?;
    // The registration is durable; keys can be made only once the firm's own scope exists.
    let begun = api.find(&firm_key(&firm)).await?;
    begun.ok_or_else(|| not_carried("firm"))?;
    let found = find_firm(api, &firm).await?;
    Ok(respond(to_firm(&firm, &found), &receipt))
}

async fn get_firm(api: &Api, request: &Request<v1::GetFirmRequest>) -> Answer<v1::Firm> {
    let caller = api.any_caller(request).await?;
    let firm = firm_of("name", &request.get_ref().name)?;
    if firm != caller.firm && !caller.is_operator() {
        return Err(Refusal::not_found("firm").into());
    }
    let found = find_firm(api, &firm).await?;
    Ok(Response::new(to_firm(&firm, &found)))
}

async fn list_firms(
    api: &Api,
    request: &Request<v1::ListFirmsRequest>,
) -> Answer<v1::ListFirmsResponse> {
    let caller = api.any_caller(request).await?;
    let message = request.get_ref();
    let purpose = format!("ListFirms:{}", caller.firm);
    let page = Page::parse(api, &purpose, message.page_size, &message.page_token)?;
    if !caller.is_operator() {
        let found = find_firm(api, &caller.firm).await?;
        let firms = vec![to_firm(&caller.firm, &found)];
        return Ok(Response::new(v1::ListFirmsResponse {
            firms,
            next_page_token: String::new(),
        }));
    }
    let query = ListQuery {
        scope: FirmId::operator().scope(),
        kind: Kind::FirmRegistration,
        state: None,
        after_id: page.after.clone(),
        limit: page.limit(),
    };
    let mut rows = api.ledger.store().list_records(&query).await?;
    let next_page_token = page.cut(api, &mut rows, |row| row.key.id.clone());
    let mut firms = Vec::with_capacity(rows.len());
    for row in &rows {
        if let Some(firm) = FirmId::parse(&row.key.id) {
            firms.push(to_firm(&firm, &rows::decode_row(row)?));
        }
    }
    Ok(Response::new(v1::ListFirmsResponse {
        firms,
        next_page_token,
    }))
}

/// Keys of a firm are kept by its own ADMIN keys and by the operator; to others there is no such
/// firm.
fn require_keeper(caller: &Caller, firm: &FirmId) -> Result<(), Refusal> {
    if caller.is_operator() {
        return Ok(());
    }
    if caller.firm != *firm {
        return Err(Refusal::not_found("firm"));
    }
    caller.require(Permission::Admin)
}

fn firm_of(field: &str, name: &str) -> Result<FirmId, Refusal> {
    let [id] = parse_name(field, name, FIRM_NAME)?;
    FirmId::parse(&id).ok_or_else(|| Refusal::not_found("firm"))
}

fn firm_key(firm: &FirmId) -> RecordKey {
    RecordKey::new(&firm.scope(), Kind::Firm, firm.as_str())
}

/// A firm as the operator registered it, or else as it stands in its own scope.
async fn find_firm(api: &Api, firm: &FirmId) -> Result<Versioned, ApiError> {
    let registration = RecordKey::new(
        &FirmId::operator().scope(),
        Kind::FirmRegistration,
        firm.as_str(),
    );
    if let Some(found) = api.find(&registration).await? {
        return Ok(found);
    }
    Ok(api
        .find(&firm_key(firm))
        .await?
        .ok_or_else(|| Refusal::not_found("firm"))?)
}

fn to_firm(firm: &FirmId, found: &Versioned) -> v1::Firm {
    let display_name = match &found.record {
        Record::FirmRegistration(registration) => registration.display_name.clone(),
        Record::Firm(firm) => firm.display_name.clone(),
        _ => String::new(),
    };
    v1::Firm {
        name: firm.scope().as_str().to_owned(),
        display_name,
        create_time: Some(to_timestamp(found.created_at)),
        etag: etag(found.revision),
    }
}

/// A permission that a caller names.
fn permission(field: &str, value: i32) -> Result<Permission, Refusal> {
    match known_enum(field, value)? {
        v1::Permission::Read => Ok(Permission::Read),
        v1::Permission::Tickets => Ok(Permission::Tickets),
        v1::Permission::Quotes => Ok(Permission::Quotes),
        v1::Permission::Approve => Ok(Permission::Approve),
        v1::Permission::Admin => Ok(Permission::Admin),
        v1::Permission::Operator => Ok(Permission::Operator),
        v1::Permission::Unspecified => {
            Err(Refusal::field(Reason::InvalidField, field, "is required"))
        }
    }
}

/// A permission as the contract shows it.
pub(super) fn to_permission(permission: Permission) -> i32 {
    let shown = match permission {
        Permission::Read => v1::Permission::Read,
        Permission::Tickets => v1::Permission::Tickets,
        Permission::Quotes => v1::Permission::Quotes,
        Permission::Approve => v1::Permission::Approve,
        Permission::Admin => v1::Permission::Admin,
        Permission::Operator => v1::Permission::Operator,
    };
    shown.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::caller::RecognisedBy;

    fn caller(firm: &str, permissions: &[Permission]) -> Caller {
        let firm = FirmId::parse(firm).unwrap();
        Caller {
            firm,
            by: RecognisedBy::ApiKey,
            actor: "key".to_owned(),
            permissions: permissions.to_vec(),
        }
    }

    #[test]
    fn keys_are_kept_by_their_firm_and_the_operator() {
        let acme = FirmId::parse("acme").unwrap();
        assert!(require_keeper(&caller("acme", &[Permission::Admin]), &acme).is_ok());
        assert!(require_keeper(&caller("operator", &[Permission::Operator]), &acme).is_ok());
        let stranger = require_keeper(&caller("beta", &[Permission::Admin]), &acme);
        assert_eq!(stranger.unwrap_err().reason, Reason::NotFound);
        let own = require_keeper(&caller("acme", &[Permission::Read]), &acme);
        assert_eq!(own.unwrap_err().reason, Reason::PermissionMissing);
    }

    #[test]
    fn permissions_survive_the_way_out_and_back() {
        for known in Permission::ALL {
            assert_eq!(permission("p", to_permission(*known)), Ok(*known));
        }
    }
}
