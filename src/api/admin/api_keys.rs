//! API keys: made, listed, rotated, revoked.

use tonic::{Request, Response};

use super::grant::{self, Grant, last_uses};
use super::{Answer, firm_of, require_keeper, to_permission};
use crate::api::convert::{etag, parse_name, span, to_timestamp};
use crate::api::faults::Faults;
use crate::api::sign_in::key::{SECRET_BYTES, format_key, new_secret};
use crate::api::status::ApiError;
use crate::api::{Api, Envelope, Mutation, required, respond};
use crate::domain::command::Action;
use crate::domain::firm::{ApiKey, ApiKeyCreated, FirmCommand, OVERLAP_DEFAULT, Permission};
use crate::domain::identity::FirmId;
use crate::domain::record::{Kind, RecordKey, Stored};
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;
use crate::domain::world::Versioned;
use crate::proto::v1;

/// Shape of a key's name.
const KEY: &str = "firms/*/apiKeys/*";

pub(super) async fn create(
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
    let (secret, digest) = fresh_secret(api);
    let grant = Grant::asked_for(
        "api_key",
        &asked.display_name,
        &asked.permissions,
        asked.expire_time,
    );
    let Grant {
        display_name,
        permissions,
        expires_at,
    } = grant?;
    let created = ApiKeyCreated {
        display_name,
        permissions,
        digest,
        expires_at,
    };
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
    let mut shown = find(api, &firm, &receipt.id).await?;
    if !receipt.replayed {
        shown.secret = format_key(&receipt.id, &secret);
    }
    Ok(respond(shown, &receipt))
}

/// Gives a key another secret.
pub(super) async fn rotate(
    api: &Api,
    request: &Request<v1::RotateApiKeyRequest>,
) -> Answer<v1::ApiKey> {
    let caller = api.any_caller(request).await?;
    let message = request.get_ref();
    let mut faults = Faults::default();
    let name = faults.take(parse_name("name", &message.name, KEY).map(Some));
    let overlap = message.overlap.map(|overlap| span("overlap", overlap));
    let overlap = faults.take(overlap.transpose());
    faults.finish()?;
    let [firm, id]: [String; 2] = name.ok_or_else(|| required("name"))?;
    let firm = FirmId::parse(&firm).ok_or_else(|| Refusal::not_found("api_key"))?;
    require_keeper(&caller, &firm)?;
    let found = find_state(api, &firm, &id).await?;
    if found.permissions.contains(&Permission::Operator) {
        caller.require(Permission::Operator)?;
    }
    let (secret, digest) = fresh_secret(api);
    let mutation = Mutation {
        scope: firm.scope(),
        envelope: Envelope::new(&message.request_id, &message.origin, &message.etag),
        action: Action::Firm(FirmCommand::RotateApiKey {
            id: id.clone(),
            digest,
            overlap: overlap.unwrap_or(OVERLAP_DEFAULT),
        }),
        openings: Vec::new(),
    };
    let receipt = api.run(&caller, "RotateApiKey", request, mutation).await?;
    api.authenticator.forget(&id);
    let mut shown = find(api, &firm, &id).await?;
    if !receipt.replayed {
        shown.secret = format_key(&id, &secret);
    }
    Ok(respond(shown, &receipt))
}

/// A secret that nobody has had, and its digest.
fn fresh_secret(api: &Api) -> (String, String) {
    let mut random = [0; SECRET_BYTES];
    api.randomness.fill(&mut random);
    new_secret(&random)
}

pub(super) async fn list(
    api: &Api,
    request: &Request<v1::ListApiKeysRequest>,
) -> Answer<v1::ListApiKeysResponse> {
    let caller = api.any_caller(request).await?;
    let message = request.get_ref();
    let firm = firm_of("parent", &message.parent)?;
    let (size, token) = (message.page_size, message.page_token.as_str());
    let asked = ("ListApiKeys", message.parent.as_str(), size, token);
    let listed = grant::list(api, &caller, Kind::ApiKey, asked).await?;
    let shown = listed.items.iter().filter_map(|(id, found, last)| {
        let key = ApiKey::from_record(&found.record)?;
        Some(to_api_key(&firm, id, key, found, *last))
    });
    Ok(Response::new(v1::ListApiKeysResponse {
        api_keys: shown.collect(),
        next_page_token: listed.next_page_token,
    }))
}

pub(super) async fn revoke(
    api: &Api,
    request: &Request<v1::RevokeApiKeyRequest>,
) -> Answer<v1::ApiKey> {
    let caller = api.any_caller(request).await?;
    let message = request.get_ref();
    let [firm, id] = parse_name("name", &message.name, KEY)?;
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
    Ok(respond(find(api, &firm, &id).await?, &receipt))
}

async fn find(api: &Api, firm: &FirmId, id: &str) -> Result<v1::ApiKey, ApiError> {
    let key = RecordKey::new(&firm.scope(), Kind::ApiKey, id);
    let found = api.find(&key).await?;
    let found = found.ok_or_else(|| Refusal::not_found("api_key"))?;
    let key = ApiKey::from_record(&found.record).ok_or_else(|| Refusal::not_found("api_key"))?;
    let last = last_uses(api, vec![id.to_owned()]).await?.remove(id);
    Ok(to_api_key(firm, id, key, &found, last))
}

async fn find_state(api: &Api, firm: &FirmId, id: &str) -> Result<ApiKey, ApiError> {
    let key = RecordKey::new(&firm.scope(), Kind::ApiKey, id);
    let found = api.find(&key).await?;
    let key = found.and_then(|found| ApiKey::from_record(&found.record).cloned());
    Ok(key.ok_or_else(|| Refusal::not_found("api_key"))?)
}

/// A key without its secret, which is nowhere.
fn to_api_key(
    firm: &FirmId,
    id: &str,
    key: &ApiKey,
    found: &Versioned,
    last_used_at: Option<Timestamp>,
) -> v1::ApiKey {
    v1::ApiKey {
        name: format!("{}/apiKeys/{id}", firm.scope()),
        display_name: key.display_name.clone(),
        permissions: key.permissions.iter().copied().map(to_permission).collect(),
        create_time: Some(to_timestamp(found.created_at)),
        expire_time: key.expires_at.map(to_timestamp),
        revoke_time: key.revoked_at.map(to_timestamp),
        secret: String::new(),
        rotate_time: key.rotated_at.map(to_timestamp),
        earlier_secret_expire_time: key.earlier.as_ref().map(|one| to_timestamp(one.until)),
        last_use_time: last_used_at.map(to_timestamp),
        etag: etag(found.revision),
    }
}
