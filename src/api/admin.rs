//! `AdminService`: firms and their API keys.

use std::sync::Arc;

use tonic::{Request, Response, Status};

use super::caller::{Caller, SECRET_BYTES, format_key, new_secret};
use super::convert::{etag, known_enum, parse_name, timestamp, to_timestamp};
use super::page::Page;
use super::partnership::not_carried;
use super::status::ApiError;
use super::{Api, Envelope, Mutation, required, respond};
use crate::domain::command::Action;
use crate::domain::firm::{ApiKey, ApiKeyCreated, FirmCommand, PERMISSIONS_MAX, Permission};
use crate::domain::identity::FirmId;
use crate::domain::record::{Kind, Record, RecordKey};
use crate::domain::refusal::{Reason, Refusal, Violations};
use crate::domain::text::require_display_name;
use crate::domain::time::Timestamp;
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
        Ok(create_api_key(&self.0, &request).await?)
    }

    async fn list_api_keys(
        &self,
        request: Request<v1::ListApiKeysRequest>,
    ) -> Result<Response<v1::ListApiKeysResponse>, Status> {
        Ok(list_api_keys(&self.0, &request).await?)
    }

    async fn revoke_api_key(
        &self,
        request: Request<v1::RevokeApiKeyRequest>,
    ) -> Result<Response<v1::ApiKey>, Status> {
        Ok(revoke_api_key(&self.0, &request).await?)
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

async fn create_api_key(
    api: &Api,
    request: &Request<v1::CreateApiKeyRequest>,
) -> Answer<v1::ApiKey> {
    let caller = api.any_caller(request).await?;
    let message = request.get_ref();
    let firm = firm_of("parent", &message.parent)?;
    require_keeper(&caller, &firm)?;
    let asked = message
        .api_key
        .as_ref()
        .ok_or_else(|| required("api_key"))?;
    let mut random = [0; SECRET_BYTES];
    api.randomness.fill(&mut random);
    let (secret, digest) = new_secret(&random);
    let created = key_asked_for(asked, digest)?;
    if created.permissions.contains(&Permission::Operator) {
        // Otherwise an ADMIN key of the operator's own firm could raise itself.
        caller.require(Permission::Operator)?;
    }
    let mutation = Mutation {
        scope: firm.scope(),
        envelope: Envelope::new(&message.request_id, &message.origin, ""),
        action: Action::Firm(FirmCommand::CreateApiKey(created)),
        openings: Vec::new(),
    };
    let receipt = api.run(&caller, "CreateApiKey", request, mutation).await?;
    let mut shown = find_api_key(api, &firm, &receipt.id).await?;
    if !receipt.replayed {
        shown.secret = format_key(&receipt.id, &secret);
    }
    Ok(respond(shown, &receipt))
}

/// A key as a caller describes it.
fn key_asked_for(asked: &v1::ApiKey, digest: String) -> Result<ApiKeyCreated, Refusal> {
    let mut violations = Violations::default();
    require_display_name(&mut violations, "api_key.display_name", &asked.display_name);
    let number = asked.permissions.len();
    let permissions = if (1..=PERMISSIONS_MAX).contains(&number) {
        permissions(&mut violations, &asked.permissions)
    } else {
        violations.add(
            "api_key.permissions",
            format!("1 to {PERMISSIONS_MAX} permissions"),
        );
        Vec::new()
    };
    let expires_at = asked
        .expire_time
        .and_then(|time| violations.take(timestamp("api_key.expire_time", time)));
    violations.require(
        expires_at.is_none_or(Timestamp::is_storable),
        "api_key.expire_time",
        "must lie before the year 2100",
    );
    violations.finish()?;
    Ok(ApiKeyCreated {
        display_name: asked.display_name.clone(),
        permissions,
        digest,
        expires_at,
    })
}

fn permissions(violations: &mut Violations, asked: &[i32]) -> Vec<Permission> {
    let mut permissions = Vec::with_capacity(asked.len());
    for (index, value) in asked.iter().enumerate() {
        let field = format!("api_key.permissions[{index}]");
        let Some(permission) = violations.take(permission(&field, *value)) else {
            continue;
        };
        violations.require(
            !permissions.contains(&permission),
            &field,
            "each permission once",
        );
        permissions.push(permission);
    }
    permissions.sort();
    permissions
}

async fn list_api_keys(
    api: &Api,
    request: &Request<v1::ListApiKeysRequest>,
) -> Answer<v1::ListApiKeysResponse> {
    let caller = api.any_caller(request).await?;
    let message = request.get_ref();
    let firm = firm_of("parent", &message.parent)?;
    require_keeper(&caller, &firm)?;
    find_firm(api, &firm).await?;
    let purpose = format!("ListApiKeys:{}:{}", caller.firm, message.parent);
    let page = Page::parse(api, &purpose, message.page_size, &message.page_token)?;
    let query = ListQuery {
        scope: firm.scope(),
        kind: Kind::ApiKey,
        state: None,
        after_id: page.after.clone(),
        limit: page.limit(),
    };
    let mut rows = api.ledger.store().list_records(&query).await?;
    let next_page_token = page.cut(api, &mut rows, |row| row.key.id.clone());
    let mut api_keys = Vec::with_capacity(rows.len());
    for row in &rows {
        let versioned = rows::decode_row(row)?;
        if let Record::ApiKey(key) = &versioned.record {
            api_keys.push(to_api_key(&firm, &row.key.id, key, &versioned));
        }
    }
    Ok(Response::new(v1::ListApiKeysResponse {
        api_keys,
        next_page_token,
    }))
}

async fn revoke_api_key(
    api: &Api,
    request: &Request<v1::RevokeApiKeyRequest>,
) -> Answer<v1::ApiKey> {
    let caller = api.any_caller(request).await?;
    let message = request.get_ref();
    let [firm, id] = parse_name("name", &message.name, "firms/*/apiKeys/*")?;
    let firm = FirmId::parse(&firm).ok_or_else(|| Refusal::not_found("api_key"))?;
    require_keeper(&caller, &firm)?;
    let mutation = Mutation {
        scope: firm.scope(),
        envelope: Envelope::new(&message.request_id, &message.origin, ""),
        action: Action::Firm(FirmCommand::RevokeApiKey { id: id.clone() }),
        openings: Vec::new(),
    };
    let receipt = api.run(&caller, "RevokeApiKey", request, mutation).await?;
    api.authenticator.forget(&id);
    Ok(respond(find_api_key(api, &firm, &id).await?, &receipt))
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

async fn find_api_key(api: &Api, firm: &FirmId, id: &str) -> Result<v1::ApiKey, ApiError> {
    let found = api
        .find(&RecordKey::new(&firm.scope(), Kind::ApiKey, id))
        .await?;
    let found = found.ok_or_else(|| Refusal::not_found("api_key"))?;
    match &found.record {
        Record::ApiKey(key) => Ok(to_api_key(firm, id, key, &found)),
        _ => Err(Refusal::not_found("api_key").into()),
    }
}

/// A key without its secret, which is nowhere.
fn to_api_key(firm: &FirmId, id: &str, key: &ApiKey, found: &Versioned) -> v1::ApiKey {
    v1::ApiKey {
        name: format!("{}/apiKeys/{id}", firm.scope()),
        display_name: key.display_name.clone(),
        permissions: key.permissions.iter().copied().map(to_permission).collect(),
        create_time: Some(to_timestamp(found.created_at)),
        expire_time: key.expires_at.map(to_timestamp),
        revoke_time: key.revoked_at.map(to_timestamp),
        secret: String::new(),
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

    fn caller(firm: &str, permissions: &[Permission]) -> Caller {
        let firm = FirmId::parse(firm).unwrap();
        Caller {
            firm,
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
    fn every_fault_of_a_key_is_listed() {
        let asked = v1::ApiKey {
            permissions: vec![1, 1, 0, 99],
            ..v1::ApiKey::default()
        };
        let refusal = key_asked_for(&asked, String::new()).unwrap_err();
        let fields: Vec<_> = refusal
            .violations
            .iter()
            .map(|violation| violation.field.as_str())
            .collect();
        let expected = [
            "api_key.display_name",
            "api_key.permissions[1]",
            "api_key.permissions[2]",
            "api_key.permissions[3]",
        ];
        assert_eq!(fields, expected);
    }

    #[test]
    fn permissions_survive_the_way_out_and_back() {
        for known in Permission::ALL {
            assert_eq!(permission("p", to_permission(*known)), Ok(*known));
        }
    }
}
