//! Trusted identities: created by the operator, listed, revoked.

use tonic::{Request, Response};

use super::grant::{self, Grant, last_uses};
use super::{Answer, firm_of, require_keeper, to_permission};
use crate::api::convert::{parse_name, to_timestamp};
use crate::api::sign_in::is_trusted;
use crate::api::status::ApiError;
use crate::api::{Api, Envelope, Mutation, required, respond};
use crate::domain::command::Action;
use crate::domain::firm::{
    FirmCommand, Identity, Permission, TrustedIdentity, TrustedIdentityCreated,
};
use crate::domain::identity::FirmId;
use crate::domain::record::{Kind, RecordKey, Stored};
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;
use crate::domain::world::Versioned;
use crate::proto::v1;
use v1::identity::Kind as Asked;

/// Shape of a trusted identity's name.
const NAME: &str = "firms/*/trustedIdentities/*";

pub(super) async fn create(
    api: &Api,
    request: &Request<v1::CreateTrustedIdentityRequest>,
) -> Answer<v1::TrustedIdentity> {
    let caller = api.caller(request, Permission::Operator).await?;
    let message = request.get_ref();
    let firm = firm_of("parent", &message.parent)?;
    let created = asked_for(message.trusted_identity.as_ref())?;
    let store = api.ledger.store().as_ref();
    let is_taken = is_trusted(store, &created.identity, api.now()).await?;
    let mutation = Mutation {
        scope: firm.scope(),
        envelope: Envelope::new(&message.request_id, &message.origin, ""),
        action: Action::Firm(FirmCommand::TrustIdentity { created, is_taken }),
        openings: Vec::new(),
    };
    let receipt = api
        .run(&caller, "CreateTrustedIdentity", request, mutation)
        .await?;
    Ok(respond(find(api, &firm, &receipt.id).await?, &receipt))
}

fn asked_for(asked: Option<&v1::TrustedIdentity>) -> Result<TrustedIdentityCreated, Refusal> {
    const FIELD: &str = "trusted_identity";
    let asked = asked.ok_or_else(|| required(FIELD))?;
    let identity = identity(asked.identity.as_ref());
    let grant = Grant::asked_for(
        FIELD,
        &asked.display_name,
        &asked.permissions,
        asked.expire_time,
    );
    let (grant, identity) = match (grant, identity) {
        (Ok(grant), Ok(identity)) => (grant, identity),
        (grant, identity) => {
            let faults = [grant.err(), identity.err()];
            Refusal::all(faults.into_iter().flatten().collect())?;
            return Err(required(FIELD));
        }
    };
    Ok(TrustedIdentityCreated {
        display_name: grant.display_name,
        identity,
        permissions: grant.permissions,
        expires_at: grant.expires_at,
    })
}

fn identity(asked: Option<&v1::Identity>) -> Result<Identity, Refusal> {
    let asked = asked.and_then(|identity| identity.kind.clone());
    match asked.ok_or_else(|| required("trusted_identity.identity"))? {
        Asked::Token(v1::TokenIdentity { issuer, subject }) => {
            Ok(Identity::Token { issuer, subject })
        }
        Asked::CertificateDnsName(name) => Ok(Identity::CertificateDns(name)),
        Asked::CertificateUri(uri) => Ok(Identity::CertificateUri(uri)),
    }
}

pub(super) async fn list(
    api: &Api,
    request: &Request<v1::ListTrustedIdentitiesRequest>,
) -> Answer<v1::ListTrustedIdentitiesResponse> {
    let caller = api.any_caller(request).await?;
    let message = request.get_ref();
    let firm = firm_of("parent", &message.parent)?;
    let (size, token) = (message.page_size, message.page_token.as_str());
    let asked = (
        "ListTrustedIdentities",
        message.parent.as_str(),
        size,
        token,
    );
    let listed = grant::list(api, &caller, Kind::TrustedIdentity, asked).await?;
    let shown = listed
        .items
        .iter()
        .filter_map(|(id, found, last)| to_trusted_identity(&firm, id, found, *last));
    Ok(Response::new(v1::ListTrustedIdentitiesResponse {
        trusted_identities: shown.collect(),
        next_page_token: listed.next_page_token,
    }))
}

pub(super) async fn revoke(
    api: &Api,
    request: &Request<v1::RevokeTrustedIdentityRequest>,
) -> Answer<v1::TrustedIdentity> {
    let caller = api.any_caller(request).await?;
    let message = request.get_ref();
    let [firm, id] = parse_name("name", &message.name, NAME)?;
    let firm = FirmId::parse(&firm).ok_or_else(|| Refusal::not_found("trusted_identity"))?;
    require_keeper(&caller, &firm)?;
    let mutation = Mutation {
        scope: firm.scope(),
        envelope: Envelope::new(&message.request_id, &message.origin, ""),
        action: Action::Firm(FirmCommand::RevokeTrust { id: id.clone() }),
        openings: Vec::new(),
    };
    let receipt = api
        .run(&caller, "RevokeTrustedIdentity", request, mutation)
        .await?;
    api.authenticator.forget(&id);
    Ok(respond(find(api, &firm, &id).await?, &receipt))
}

async fn find(api: &Api, firm: &FirmId, id: &str) -> Result<v1::TrustedIdentity, ApiError> {
    let key = RecordKey::new(&firm.scope(), Kind::TrustedIdentity, id);
    let found = api.find(&key).await?;
    let last = last_uses(api, vec![id.to_owned()]).await?.remove(id);
    let shown = found.and_then(|found| to_trusted_identity(firm, id, &found, last));
    Ok(shown.ok_or_else(|| Refusal::not_found("trusted_identity"))?)
}

fn to_trusted_identity(
    firm: &FirmId,
    id: &str,
    found: &Versioned,
    last_used_at: Option<Timestamp>,
) -> Option<v1::TrustedIdentity> {
    let trusted = TrustedIdentity::from_record(&found.record)?;
    let permissions = trusted.permissions.iter().copied();
    Some(v1::TrustedIdentity {
        name: format!("{}/trustedIdentities/{id}", firm.scope()),
        display_name: trusted.display_name.clone(),
        identity: Some(to_identity(&trusted.identity)),
        permissions: permissions.map(to_permission).collect(),
        create_time: Some(to_timestamp(found.created_at)),
        expire_time: trusted.expires_at.map(to_timestamp),
        revoke_time: trusted.revoked_at.map(to_timestamp),
        last_use_time: last_used_at.map(to_timestamp),
    })
}

fn to_identity(identity: &Identity) -> v1::Identity {
    let kind = match identity.clone() {
        Identity::Token { issuer, subject } => Asked::Token(v1::TokenIdentity { issuer, subject }),
        Identity::CertificateDns(name) => Asked::CertificateDnsName(name),
        Identity::CertificateUri(uri) => Asked::CertificateUri(uri),
    };
    v1::Identity { kind: Some(kind) }
}
