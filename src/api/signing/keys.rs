//! Signing keys: registered, listed, revoked, and found for whoever brings a signature.

use std::collections::BTreeMap;

use tonic::{Request, Response};

use super::Answer;
use crate::api::caller::Caller;
use crate::api::convert::{parse_name, to_timestamp};
use crate::api::faults::Faults;
use crate::api::page::Page;
use crate::api::status::ApiError;
use crate::api::{Api, Envelope, Mutation, required, respond};
use crate::domain::command::Action;
use crate::domain::firm::Permission;
use crate::domain::identity::{FirmId, ScopeId};
use crate::domain::partnership::Partnership;
use crate::domain::record::{Kind, RecordKey, Stored};
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::signing::{
    PublicKey, Signature, SignatureBytes, Signed, SigningCommand, SigningKey, SigningKeyRegistered,
    SigningKeys,
};
use crate::domain::text::require_display_name;
use crate::domain::time::Timestamp;
use crate::ledger::checkpoint::verifier_key;
use crate::ledger::rows;
use crate::proto::v1;

/// Shape of a firm's name.
const FIRM: &str = "firms/*";
/// Shape of a key's name.
const KEY: &str = "firms/*/signingKeys/*";

pub(super) async fn register(
    api: &Api,
    request: &Request<v1::RegisterSigningKeyRequest>,
) -> Answer<v1::SigningKey> {
    let caller = api.caller(request, Permission::Admin).await?;
    let message = request.get_ref();
    let registered = asked_for(message)?;
    let [firm] = parse_name("parent", &message.parent, FIRM)?;
    require_own(&caller, &firm, "firm")?;
    let id = registered.public_key.id();
    let mutation = Mutation {
        scope: caller.firm.scope(),
        envelope: Envelope::new(&message.request_id, &message.origin, ""),
        action: Action::Signing(SigningCommand::Register(registered)),
        openings: Vec::new(),
    };
    let receipt = api
        .run(&caller, "RegisterSigningKey", request, mutation)
        .await?;
    Ok(respond(shown(api, &caller.firm, &id).await?, &receipt))
}

/// A key as a caller describes it.
fn asked_for(message: &v1::RegisterSigningKeyRequest) -> Result<SigningKeyRegistered, Refusal> {
    const KEY_FIELD: &str = "signing_key.public_key";
    let mut faults = Faults::default();
    faults.take(parse_name::<1>("parent", &message.parent, FIRM).map(Some));
    let asked = message.signing_key.as_ref();
    let asked = asked.ok_or_else(|| required("signing_key"))?;
    let mut violations = crate::domain::refusal::Violations::default();
    let name = &asked.display_name;
    require_display_name(&mut violations, "signing_key.display_name", name);
    faults.take(violations.finish());
    let public_key = PublicKey::from_bytes(&asked.public_key);
    let rule = "must be the 32 bytes of an Ed25519 public key";
    faults.require(public_key.is_some(), KEY_FIELD, rule);
    let proof = SignatureBytes::from_bytes(&message.proof);
    faults.require(proof.is_some(), "proof", "must be 64 bytes");
    faults.finish()?;
    Ok(SigningKeyRegistered {
        display_name: name.clone(),
        public_key: public_key.ok_or_else(|| required(KEY_FIELD))?,
        proof: proof.ok_or_else(|| required("proof"))?,
    })
}

pub(super) async fn revoke(
    api: &Api,
    request: &Request<v1::RevokeSigningKeyRequest>,
) -> Answer<v1::SigningKey> {
    let caller = api.caller(request, Permission::Admin).await?;
    let message = request.get_ref();
    let [firm, id] = parse_name("name", &message.name, KEY)?;
    require_own(&caller, &firm, "signing_key")?;
    let mutation = Mutation {
        scope: caller.firm.scope(),
        envelope: Envelope::new(&message.request_id, &message.origin, ""),
        action: Action::Signing(SigningCommand::Revoke { id: id.clone() }),
        openings: Vec::new(),
    };
    let receipt = api
        .run(&caller, "RevokeSigningKey", request, mutation)
        .await?;
    Ok(respond(shown(api, &caller.firm, &id).await?, &receipt))
}

/// A firm keeps its keys itself; to others there is no `what`.
fn require_own(caller: &Caller, firm: &str, what: &str) -> Result<(), Refusal> {
    if caller.firm.as_str() == firm {
        return Ok(());
    }
    Err(Refusal::not_found(what))
}

pub(super) async fn list(
    api: &Api,
    request: &Request<v1::ListSigningKeysRequest>,
) -> Answer<v1::ListSigningKeysResponse> {
    let caller = api.caller(request, Permission::Read).await?;
    let message = request.get_ref();
    let scope = ScopeId::parse(&message.parent).ok_or_else(|| {
        let rule = "must be of the form firms/* or partnerships/*";
        Refusal::field(Reason::InvalidField, "parent", rule)
    })?;
    let firms = if scope.is_firm() {
        require_own(&caller, scope.id(), "firm")?;
        BTreeMap::from([(caller.firm.clone(), None)])
    } else {
        let member = api.member(&caller, scope.id()).await?;
        firms_of(&member.partnership.state)
    };
    let purpose = format!("ListSigningKeys:{}:{scope}", caller.firm);
    let page = Page::parse(api, &purpose, message.page_size, &message.page_token)?;
    let mut signing_keys = Vec::new();
    for (firm, keys) in keys_of(api, firms.keys()).await? {
        let until = firms.get(&firm).copied().flatten();
        let is_shown =
            |key: &&SigningKey| until.is_none_or(|until: Timestamp| key.registered_at <= until);
        let keys = keys.keys.iter().filter(is_shown);
        signing_keys.extend(keys.map(|key| to_signing_key(&firm, key)));
    }
    signing_keys.sort_by(|one, other| one.name.cmp(&other.name));
    signing_keys.retain(|key| key.name > page.after);
    let next_page_token = page.cut(api, &mut signing_keys, |key| key.name.clone());
    Ok(Response::new(v1::ListSigningKeysResponse {
        signing_keys,
        next_page_token,
    }))
}

/// The firms of a partnership, each with when it left, if it did.
fn firms_of(partnership: &Partnership) -> BTreeMap<FirmId, Option<Timestamp>> {
    let mut firms = BTreeMap::new();
    for party in &partnership.parties {
        let Some(firm) = &party.firm else { continue };
        let left = party.left.as_ref().map(|left| left.at);
        // A firm that left may have come back as another party, and is there until its last end.
        let last = firms.entry(firm.clone()).or_insert(left);
        *last = last.zip(left).map(|(one, other)| one.max(other));
    }
    firms
}

/// The keys of firms; of one that has none, nothing.
async fn keys_of(
    api: &Api,
    firms: impl Iterator<Item = &FirmId>,
) -> Result<Vec<(FirmId, SigningKeys)>, ApiError> {
    let key = |firm: &FirmId| RecordKey::new(&firm.scope(), Kind::SigningKeys, firm.as_str());
    let keys: Vec<RecordKey> = firms.map(key).collect();
    let mut found = Vec::with_capacity(keys.len());
    for row in api.ledger.store().records(&keys).await? {
        let versioned = rows::decode_row(&row)?;
        let keys = SigningKeys::from_record(&versioned.record).cloned();
        found.extend(FirmId::parse(&row.key.id).zip(keys));
    }
    Ok(found)
}

/// All keys of a firm.
pub(super) async fn all_keys(api: &Api, firm: &FirmId) -> Result<Vec<SigningKey>, ApiError> {
    let found = keys_of(api, std::iter::once(firm)).await?;
    Ok(found.into_iter().flat_map(|(_, keys)| keys.keys).collect())
}

/// A key of a firm.
async fn find(api: &Api, firm: &FirmId, id: &str) -> Result<Option<SigningKey>, ApiError> {
    let keys = all_keys(api, firm).await?;
    Ok(keys.into_iter().find(|key| key.id == id))
}

async fn shown(api: &Api, firm: &FirmId, id: &str) -> Result<v1::SigningKey, ApiError> {
    let key = find(api, firm, id).await?;
    let key = key.ok_or_else(|| Refusal::not_found("signing_key"))?;
    Ok(to_signing_key(firm, &key))
}

fn to_signing_key(firm: &FirmId, key: &SigningKey) -> v1::SigningKey {
    let scope = firm.scope();
    v1::SigningKey {
        name: format!("{scope}/signingKeys/{}", key.id),
        display_name: key.display_name.clone(),
        public_key: key.public_key.as_bytes().to_vec(),
        verifier_key: verifier_key(scope.as_str(), &key.public_key),
        create_time: Some(to_timestamp(key.registered_at)),
        revoke_time: key.revoked_at.map(to_timestamp),
    }
}

/// A signature that a caller sent, with its key as the firm's own scope has it. Whether the key may
/// still sign, and what it has to be over, is for the decision to say, so that a retry is answered as
/// the first time.
///
/// # Errors
/// [`Reason::InvalidField`], or [`Reason::NotFound`] if the caller's firm has no such key.
pub(in crate::api) async fn signed(
    api: &Api,
    caller: &Caller,
    field: &str,
    given: &v1::Signature,
) -> Result<Signed, ApiError> {
    let mut faults = Faults::default();
    let name = parse_name::<2>(&format!("{field}.signing_key"), &given.signing_key, KEY);
    let name = faults.take(name.map(Some));
    let signature = SignatureBytes::from_bytes(&given.signature);
    let value_field = format!("{field}.signature");
    faults.require(signature.is_some(), &value_field, "must be 64 bytes");
    faults.finish()?;
    let (Some([firm, id]), Some(signature)) = (name, signature) else {
        return Err(required(field).into());
    };
    require_own(caller, &firm, "signing_key")?;
    let key = find(api, &caller.firm, &id).await?;
    let key = key.ok_or_else(|| Refusal::not_found("signing_key"))?;
    Ok(Signed {
        signature: Signature {
            key_id: key.id,
            public_key: key.public_key,
            signature,
        },
        revoked_at: key.revoked_at,
    })
}
