//! Clients and outside parties: whom a partnership serves, and on whom it depends.

use tonic::{Request, Response};

use super::Answer;
use super::show::own_references;
use crate::api::caller::Caller;
use crate::api::convert::{chosen_id, known_enum, parse_name, reference, to_timestamp};
use crate::api::page::Page;
use crate::api::status::ApiError;
use crate::api::{Api, Envelope, Found, Mutation, required, respond};
use crate::domain::command::Action;
use crate::domain::firm::Permission;
use crate::domain::identity::{ExternalReference, FirmId, ScopeId};
use crate::domain::outsiders::{Client, OutsideParty, OutsidePartyType, OutsiderCommand};
use crate::domain::record::{RecordKey, Stored};
use crate::domain::refusal::{Reason, Refusal, Violations};
use crate::domain::text::{require_display_name, require_reference};
use crate::ledger::rows;
use crate::proto::v1;
use crate::store::ListQuery;

/// References that a record may be created with.
const REFERENCES_AT_CREATION_MAX: usize = 1;

pub(super) async fn create_client(
    api: &Api,
    request: &Request<v1::CreateClientRequest>,
) -> Answer<v1::Client> {
    let caller = recorder(api, request).await?;
    let message = request.get_ref();
    let [partnership] = parse_name("parent", &message.parent, "partnerships/*")?;
    let asked = message.client.as_ref().ok_or_else(|| required("client"))?;
    let mut violations = Violations::default();
    let id = violations
        .take(chosen_id("client_id", &message.client_id))
        .flatten();
    require_display_name(&mut violations, "client.display_name", &asked.display_name);
    let reference = only_reference(
        &mut violations,
        "client.external_references",
        &asked.external_references,
        &caller.firm,
    );
    violations.finish()?;
    let client = Client {
        display_name: asked.display_name.clone(),
    };
    let mutation = Mutation {
        scope: ScopeId::partnership(&partnership),
        envelope: Envelope::new(&message.request_id, &message.origin, ""),
        action: Action::Outsider(OutsiderCommand::CreateClient {
            id,
            client,
            reference,
        }),
        openings: Vec::new(),
    };
    let receipt = api.run(&caller, "CreateClient", request, mutation).await?;
    Ok(respond(
        client_of(api, &caller, &partnership, &receipt.id).await?,
        &receipt,
    ))
}

pub(super) async fn get_client(
    api: &Api,
    request: &Request<v1::GetClientRequest>,
) -> Answer<v1::Client> {
    let caller = api.caller(request, Permission::Read).await?;
    let [partnership, id] =
        parse_name("name", &request.get_ref().name, "partnerships/*/clients/*")?;
    Ok(Response::new(
        client_of(api, &caller, &partnership, &id).await?,
    ))
}

async fn client_of(
    api: &Api,
    caller: &Caller,
    partnership: &str,
    id: &str,
) -> Result<v1::Client, ApiError> {
    let (member, found) = api.get::<Client>(caller, partnership, id).await?;
    let mut shown = with_references(api, caller, &member.scope(), vec![found]).await?;
    let (found, references) = shown.pop().ok_or_else(|| Refusal::not_found("client"))?;
    Ok(to_client(partnership, &found, references))
}

pub(super) async fn list_clients(
    api: &Api,
    request: &Request<v1::ListClientsRequest>,
) -> Answer<v1::ListClientsResponse> {
    let caller = api.caller(request, Permission::Read).await?;
    let message = request.get_ref();
    let [partnership] = parse_name("parent", &message.parent, "partnerships/*")?;
    let purpose = format!("ListClients:{}:{}", caller.firm, message.parent);
    let page = Page::parse(api, &purpose, message.page_size, &message.page_token)?;
    let (rows, next_page_token) = list::<Client>(api, &caller, &partnership, &page).await?;
    let clients = rows
        .into_iter()
        .map(|(found, references)| to_client(&partnership, &found, references));
    Ok(Response::new(v1::ListClientsResponse {
        clients: clients.collect(),
        next_page_token,
    }))
}

pub(super) async fn create_outside_party(
    api: &Api,
    request: &Request<v1::CreateOutsidePartyRequest>,
) -> Answer<v1::OutsideParty> {
    let caller = recorder(api, request).await?;
    let message = request.get_ref();
    let [partnership] = parse_name("parent", &message.parent, "partnerships/*")?;
    let asked = message
        .outside_party
        .as_ref()
        .ok_or_else(|| required("outside_party"))?;
    let mut violations = Violations::default();
    let id = violations
        .take(chosen_id("outside_party_id", &message.outside_party_id))
        .flatten();
    require_display_name(
        &mut violations,
        "outside_party.display_name",
        &asked.display_name,
    );
    let party_type = violations.take(party_type("outside_party.kind", asked.kind));
    let reference = only_reference(
        &mut violations,
        "outside_party.external_references",
        &asked.external_references,
        &caller.firm,
    );
    violations.finish()?;
    let party_type = party_type.ok_or_else(|| required("outside_party.kind"))?;
    let outside_party = OutsideParty {
        display_name: asked.display_name.clone(),
        party_type,
    };
    let mutation = Mutation {
        scope: ScopeId::partnership(&partnership),
        envelope: Envelope::new(&message.request_id, &message.origin, ""),
        action: Action::Outsider(OutsiderCommand::CreateOutsideParty {
            id,
            outside_party,
            reference,
        }),
        openings: Vec::new(),
    };
    let receipt = api
        .run(&caller, "CreateOutsideParty", request, mutation)
        .await?;
    Ok(respond(
        outside_party_of(api, &caller, &partnership, &receipt.id).await?,
        &receipt,
    ))
}

pub(super) async fn get_outside_party(
    api: &Api,
    request: &Request<v1::GetOutsidePartyRequest>,
) -> Answer<v1::OutsideParty> {
    let caller = api.caller(request, Permission::Read).await?;
    let name = &request.get_ref().name;
    let [partnership, id] = parse_name("name", name, "partnerships/*/outsideParties/*")?;
    Ok(Response::new(
        outside_party_of(api, &caller, &partnership, &id).await?,
    ))
}

async fn outside_party_of(
    api: &Api,
    caller: &Caller,
    partnership: &str,
    id: &str,
) -> Result<v1::OutsideParty, ApiError> {
    let (member, found) = api.get::<OutsideParty>(caller, partnership, id).await?;
    let mut shown = with_references(api, caller, &member.scope(), vec![found]).await?;
    let (found, references) = shown
        .pop()
        .ok_or_else(|| Refusal::not_found("outside_party"))?;
    Ok(to_outside_party(partnership, &found, references))
}

pub(super) async fn list_outside_parties(
    api: &Api,
    request: &Request<v1::ListOutsidePartiesRequest>,
) -> Answer<v1::ListOutsidePartiesResponse> {
    let caller = api.caller(request, Permission::Read).await?;
    let message = request.get_ref();
    let [partnership] = parse_name("parent", &message.parent, "partnerships/*")?;
    let purpose = format!("ListOutsideParties:{}:{}", caller.firm, message.parent);
    let page = Page::parse(api, &purpose, message.page_size, &message.page_token)?;
    let (rows, next_page_token) = list::<OutsideParty>(api, &caller, &partnership, &page).await?;
    let parties = rows
        .into_iter()
        .map(|(found, references)| to_outside_party(&partnership, &found, references));
    Ok(Response::new(v1::ListOutsidePartiesResponse {
        outside_parties: parties.collect(),
        next_page_token,
    }))
}

/// Clients and outside parties matter to tickets and to quotes, so either permission will do.
async fn recorder<T>(api: &Api, request: &Request<T>) -> Result<Caller, ApiError> {
    let caller = api.any_caller(request).await?;
    if !caller.permissions.contains(&Permission::Quotes) {
        caller.require(Permission::Tickets)?;
    }
    Ok(caller)
}

/// A record with the caller's own references to it.
type Shown<T> = (Found<T>, Vec<v1::ExternalReference>);

/// One page of a partnership's records of one kind, and the token of the next.
async fn list<T: Stored + Clone>(
    api: &Api,
    caller: &Caller,
    partnership: &str,
    page: &Page,
) -> Result<(Vec<Shown<T>>, String), ApiError> {
    let scope = api.member(caller, partnership).await?.scope();
    let query = ListQuery {
        scope: scope.clone(),
        kind: T::KIND,
        state: None,
        after_id: page.after.clone(),
        limit: page.limit(),
    };
    let mut rows = api.ledger.store().list_records(&query).await?;
    let next_page_token = page.cut(api, &mut rows, |row| row.key.id.clone());
    let mut found = Vec::with_capacity(rows.len());
    for row in &rows {
        let versioned = rows::decode_row(row)?;
        if let Some(state) = T::from_record(&versioned.record).cloned() {
            found.push(Found::new(&row.key.id, state, &versioned));
        }
    }
    Ok((
        with_references(api, caller, &scope, found).await?,
        next_page_token,
    ))
}

async fn with_references<T: Stored>(
    api: &Api,
    caller: &Caller,
    scope: &ScopeId,
    found: Vec<Found<T>>,
) -> Result<Vec<Shown<T>>, ApiError> {
    let keys: Vec<_> = found
        .iter()
        .map(|found| RecordKey::new(scope, T::KIND, found.id.as_str()))
        .collect();
    let mut references = own_references(api, &caller.firm, &keys).await?;
    let shown = found.into_iter().map(|found| {
        let own = references.remove(&found.id).unwrap_or_default();
        (found, own)
    });
    Ok(shown.collect())
}

/// The one reference with which a record may be created.
fn only_reference(
    violations: &mut Violations,
    field: &str,
    references: &[v1::ExternalReference],
    firm: &FirmId,
) -> Option<ExternalReference> {
    if references.len() > REFERENCES_AT_CREATION_MAX {
        violations.add(field, "no more than one at creation");
        return None;
    }
    let taken = reference(firm, references.first()?);
    require_reference(violations, &format!("{field}[0]"), &taken);
    Some(taken)
}

fn party_type(field: &str, value: i32) -> Result<OutsidePartyType, Refusal> {
    match known_enum(field, value)? {
        v1::OutsidePartyKind::Vendor => Ok(OutsidePartyType::Vendor),
        v1::OutsidePartyKind::Carrier => Ok(OutsidePartyType::Carrier),
        v1::OutsidePartyKind::Registrar => Ok(OutsidePartyType::Registrar),
        v1::OutsidePartyKind::Other => Ok(OutsidePartyType::Other),
        v1::OutsidePartyKind::Unspecified => {
            Err(Refusal::field(Reason::InvalidField, field, "is required"))
        }
    }
}

fn to_client(
    partnership: &str,
    found: &Found<Client>,
    external_references: Vec<v1::ExternalReference>,
) -> v1::Client {
    v1::Client {
        name: format!("partnerships/{partnership}/clients/{}", found.id),
        display_name: found.state.display_name.clone(),
        external_references,
        create_time: Some(to_timestamp(found.created_at)),
        etag: found.etag(),
    }
}

fn to_outside_party(
    partnership: &str,
    found: &Found<OutsideParty>,
    external_references: Vec<v1::ExternalReference>,
) -> v1::OutsideParty {
    let kind = match found.state.party_type {
        OutsidePartyType::Vendor => v1::OutsidePartyKind::Vendor,
        OutsidePartyType::Carrier => v1::OutsidePartyKind::Carrier,
        OutsidePartyType::Registrar => v1::OutsidePartyKind::Registrar,
        OutsidePartyType::Other => v1::OutsidePartyKind::Other,
    };
    v1::OutsideParty {
        name: format!("partnerships/{partnership}/outsideParties/{}", found.id),
        display_name: found.state.display_name.clone(),
        kind: kind.into(),
        external_references,
        create_time: Some(to_timestamp(found.created_at)),
        etag: found.etag(),
    }
}
