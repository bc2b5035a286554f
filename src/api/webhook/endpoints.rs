//! Webhook endpoints, as their firm makes and keeps them.

use tonic::{Request, Response};

use super::{
    Answer, WebhookService, find, keeper, keeper_of_parent, list as list_records, overlap,
    require_room, required, secrets,
};
use crate::api::convert::{known_enum, parse_name, to_timestamp};
use crate::api::faults::Faults;
use crate::api::status::ApiError;
use crate::api::{Api, Envelope, Found, Mutation, respond};
use crate::domain::command::Action;
use crate::domain::firm::Permission;
use crate::domain::identity::{FirmId, ScopeId};
use crate::domain::refusal::{Reason, Refusal, Violations};
use crate::domain::webhook::{
    Authentication, ENDPOINTS_MAX, EndpointCreated, Mapping, Vendor, WebhookCommand,
    WebhookEndpoint,
};
use crate::ledger::Receipt;
use crate::proto::v1;

/// The shape of names, and what a stranger is told not to exist.
const SHAPE: (&str, &str) = ("firms/*/webhookEndpoints/*", "webhook_endpoint");

pub(super) async fn create(
    service: &WebhookService,
    request: &Request<v1::CreateWebhookEndpointRequest>,
) -> Answer<v1::WebhookEndpoint> {
    let api = service.api.as_ref();
    let message = request.get_ref();
    let caller = keeper_of_parent(api, request, Permission::Admin, &message.parent).await?;
    let made = asked_for(message.webhook_endpoint.as_ref())?;
    api.member(&caller, &made.partnership).await?;
    require_room::<WebhookEndpoint>(api, &caller.firm, ("webhook endpoints", ENDPOINTS_MAX))
        .await?;
    let mutation = Mutation {
        scope: caller.firm.scope(),
        envelope: Envelope::new(&message.request_id, &message.origin, ""),
        action: Action::Webhook(WebhookCommand::Create(made)),
        openings: Vec::new(),
    };
    let receipt = api
        .run(&caller, "CreateWebhookEndpoint", request, mutation)
        .await?;
    with_secret(api, &caller.firm, &receipt).await
}

/// An endpoint as a caller describes it, with every fault.
fn asked_for(given: Option<&v1::WebhookEndpoint>) -> Result<EndpointCreated, Refusal> {
    let given = given.ok_or_else(|| required("webhook_endpoint"))?;
    let field = |name: &str| format!("webhook_endpoint.{name}");
    let mut faults = Faults::default();
    let vendor = known_enum(&field("vendor"), given.vendor).and_then(vendor);
    let vendor = faults.take(vendor.map(Some));
    let authentication = faults.take(authentication(given.authentication, vendor).map(Some));
    let partnership = parse_name(&field("partnership"), &given.partnership, "partnerships/*");
    let [partnership] = faults.take(partnership.map(Some)).unwrap_or_default();
    let agreement = faults.take(agreement(&given.agreement, &partnership));
    let usual = vendor.filter(|vendor| *vendor != Vendor::Generic);
    let usual = usual.map_or("", Vendor::as_str);
    let system = if given.system.is_empty() {
        usual
    } else {
        &given.system
    };
    let made = vendor.zip(authentication);
    let made = made.map(|(vendor, authentication)| EndpointCreated {
        display_name: given.display_name.clone(),
        vendor,
        authentication,
        partnership,
        agreement,
        system: system.to_owned(),
        instance: given.instance.clone(),
        mapping: given.mapping.as_ref().map(mapping),
    });
    if let Some(made) = &made {
        let mut violations = Violations::default();
        made.check(&mut violations);
        faults.take(violations.finish());
    }
    faults.finish()?;
    made.ok_or_else(|| required("webhook_endpoint"))
}

fn vendor(given: v1::WebhookVendor) -> Result<Vendor, Refusal> {
    match given {
        v1::WebhookVendor::Connectwise => Ok(Vendor::ConnectWise),
        v1::WebhookVendor::Autotask => Ok(Vendor::Autotask),
        v1::WebhookVendor::HaloPsa => Ok(Vendor::HaloPsa),
        v1::WebhookVendor::ServiceNow => Ok(Vendor::ServiceNow),
        v1::WebhookVendor::Zammad => Ok(Vendor::Zammad),
        v1::WebhookVendor::Generic => Ok(Vendor::Generic),
        v1::WebhookVendor::Unspecified => Err(required("webhook_endpoint.vendor")),
    }
}

fn authentication(given: i32, vendor: Option<Vendor>) -> Result<Authentication, Refusal> {
    let usual = vendor.map_or(Authentication::SharedSecret, Vendor::authentication);
    if given == 0 {
        return Ok(usual);
    }
    Ok(
        match known_enum("webhook_endpoint.authentication", given)? {
            v1::WebhookAuthentication::SharedSecret => Authentication::SharedSecret,
            v1::WebhookAuthentication::UrlSecret => Authentication::UrlSecret,
            v1::WebhookAuthentication::SignatureSha1 => Authentication::SignatureSha1,
            v1::WebhookAuthentication::SignatureSha256 => Authentication::SignatureSha256,
            v1::WebhookAuthentication::Unspecified => usual,
        },
    )
}

fn agreement(name: &str, partnership: &str) -> Result<Option<String>, Refusal> {
    let field = "webhook_endpoint.agreement";
    if name.is_empty() {
        return Ok(None);
    }
    let [other, id] = parse_name(field, name, "partnerships/*/agreements/*")?;
    if other == partnership {
        return Ok(Some(id));
    }
    let rule = "must be of the same partnership";
    Err(Refusal::field(Reason::InvalidField, field, rule))
}

fn mapping(given: &v1::WebhookMapping) -> Mapping {
    Mapping {
        ticket_id: given.ticket_id.clone(),
        occur_time: given.occur_time.clone(),
        status: given.status.clone(),
        priority: given.priority.clone(),
        title: given.title.clone(),
        open_time: given.open_time.clone(),
        response_time: given.response_time.clone(),
    }
}

pub(super) async fn get(
    service: &WebhookService,
    request: &Request<v1::GetWebhookEndpointRequest>,
) -> Answer<v1::WebhookEndpoint> {
    let api = service.api.as_ref();
    let named = ("name", request.get_ref().name.as_str());
    let (caller, id) = keeper(api, request, Permission::Read, named, SHAPE).await?;
    let found = find(api, &caller.firm, &id).await?;
    Ok(Response::new(shown(api, &caller.firm, &found)))
}

pub(super) async fn list(
    service: &WebhookService,
    request: &Request<v1::ListWebhookEndpointsRequest>,
) -> Answer<v1::ListWebhookEndpointsResponse> {
    let api = service.api.as_ref();
    let message = request.get_ref();
    let caller = keeper_of_parent(api, request, Permission::Read, &message.parent).await?;
    let page = (message.page_size, message.page_token.as_str());
    let (found, next_page_token) = list_records(api, &caller, page).await?;
    let found = found.iter().map(|found| shown(api, &caller.firm, found));
    Ok(Response::new(v1::ListWebhookEndpointsResponse {
        webhook_endpoints: found.collect(),
        next_page_token,
    }))
}

pub(super) async fn rotate(
    service: &WebhookService,
    request: &Request<v1::RotateWebhookSecretRequest>,
) -> Answer<v1::WebhookEndpoint> {
    let api = service.api.as_ref();
    let message = request.get_ref();
    let named = ("name", message.name.as_str());
    let (caller, id) = keeper(api, request, Permission::Admin, named, SHAPE).await?;
    let overlap = overlap(message.overlap)?;
    let mutation = Mutation {
        scope: caller.firm.scope(),
        envelope: Envelope::new(&message.request_id, &message.origin, &message.etag),
        action: Action::Webhook(WebhookCommand::RotateSecret { id, overlap }),
        openings: Vec::new(),
    };
    let receipt = api
        .run(&caller, "RotateWebhookSecret", request, mutation)
        .await?;
    with_secret(api, &caller.firm, &receipt).await
}

pub(super) async fn disable(
    service: &WebhookService,
    request: &Request<v1::DisableWebhookEndpointRequest>,
) -> Answer<v1::WebhookEndpoint> {
    let api = service.api.as_ref();
    let message = request.get_ref();
    let named = ("name", message.name.as_str());
    let (caller, id) = keeper(api, request, Permission::Admin, named, SHAPE).await?;
    let mutation = Mutation {
        scope: caller.firm.scope(),
        envelope: Envelope::new(&message.request_id, &message.origin, &message.etag),
        action: Action::Webhook(WebhookCommand::Disable { id: id.clone() }),
        openings: Vec::new(),
    };
    let receipt = api
        .run(&caller, "DisableWebhookEndpoint", request, mutation)
        .await?;
    let found = find(api, &caller.firm, &id).await?;
    Ok(respond(shown(api, &caller.firm, &found), &receipt))
}

/// An endpoint with its present secret, for those who have just asked for one.
async fn with_secret(api: &Api, firm: &FirmId, receipt: &Receipt) -> Answer<v1::WebhookEndpoint> {
    let found: Found<WebhookEndpoint> = find(api, firm, &receipt.id).await?;
    let mut endpoint = shown(api, firm, &found);
    let generation = found.state.secret.generation;
    endpoint.secret = secrets::of_endpoint(&api.tokens, &firm.scope(), &found.id, generation);
    if found.state.made.authentication == Authentication::UrlSecret {
        endpoint.path = format!("{}/{}", endpoint.path, endpoint.secret);
    }
    Ok(respond(endpoint, receipt))
}

fn shown(api: &Api, firm: &FirmId, found: &Found<WebhookEndpoint>) -> v1::WebhookEndpoint {
    let (endpoint, made) = (&found.state, &found.state.made);
    let partnership = ScopeId::partnership(&made.partnership);
    let agreement = made.agreement.as_ref();
    let agreement = agreement.map(|id| format!("{partnership}/agreements/{id}"));
    let state = match endpoint.disabled_at {
        None => v1::WebhookEndpointState::Active,
        Some(_) => v1::WebhookEndpointState::Disabled,
    };
    let previous_until = endpoint.secret.previous_until_at(api.now());
    v1::WebhookEndpoint {
        name: format!("{}/webhookEndpoints/{}", firm.scope(), found.id),
        display_name: made.display_name.clone(),
        vendor: to_vendor(made.vendor).into(),
        partnership: partnership.to_string(),
        agreement: agreement.unwrap_or_default(),
        system: made.system.clone(),
        instance: made.instance.clone(),
        authentication: to_authentication(made.authentication).into(),
        mapping: made.mapping.as_ref().map(to_mapping),
        state: state.into(),
        path: format!("/webhooks/{firm}/{}", found.id),
        secret: String::new(),
        previous_secret_expire_time: previous_until.map(to_timestamp),
        create_time: Some(to_timestamp(found.created_at)),
        rotate_time: endpoint.secret.rotated_at.map(to_timestamp),
        disable_time: endpoint.disabled_at.map(to_timestamp),
        etag: found.etag(),
    }
}

const fn to_vendor(vendor: Vendor) -> v1::WebhookVendor {
    match vendor {
        Vendor::ConnectWise => v1::WebhookVendor::Connectwise,
        Vendor::Autotask => v1::WebhookVendor::Autotask,
        Vendor::HaloPsa => v1::WebhookVendor::HaloPsa,
        Vendor::ServiceNow => v1::WebhookVendor::ServiceNow,
        Vendor::Zammad => v1::WebhookVendor::Zammad,
        Vendor::Generic => v1::WebhookVendor::Generic,
    }
}

const fn to_authentication(authentication: Authentication) -> v1::WebhookAuthentication {
    match authentication {
        Authentication::SharedSecret => v1::WebhookAuthentication::SharedSecret,
        Authentication::UrlSecret => v1::WebhookAuthentication::UrlSecret,
        Authentication::SignatureSha1 => v1::WebhookAuthentication::SignatureSha1,
        Authentication::SignatureSha256 => v1::WebhookAuthentication::SignatureSha256,
    }
}

fn to_mapping(mapping: &Mapping) -> v1::WebhookMapping {
    v1::WebhookMapping {
        ticket_id: mapping.ticket_id.clone(),
        occur_time: mapping.occur_time.clone(),
        status: mapping.status.clone(),
        priority: mapping.priority.clone(),
        title: mapping.title.clone(),
        open_time: mapping.open_time.clone(),
        response_time: mapping.response_time.clone(),
    }
}

/// The endpoint under a firm and an id, whoever asks.
pub(super) async fn endpoint(
    api: &Api,
    firm: &FirmId,
    id: &str,
) -> Result<Found<WebhookEndpoint>, ApiError> {
    find(api, firm, id).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_of_an_endpoint_is_listed() {
        let given = v1::WebhookEndpoint {
            vendor: 6,
            partnership: "firms/x".to_owned(),
            agreement: "partnerships/p/agreements/a".to_owned(),
            authentication: 99,
            ..v1::WebhookEndpoint::default()
        };
        let refusal = asked_for(Some(&given)).unwrap_err();
        let fields = refusal.violations.iter();
        let fields: Vec<&str> = fields.map(|fault| fault.field.as_str()).collect();
        let expected = ["authentication", "partnership", "agreement"];
        let expected = expected.map(|name| format!("webhook_endpoint.{name}"));
        assert_eq!(fields, expected);
    }

    #[test]
    fn what_is_left_out_is_as_the_vendor_has_it() {
        let given = v1::WebhookEndpoint {
            display_name: "Desk".to_owned(),
            vendor: v1::WebhookVendor::Zammad.into(),
            partnership: "partnerships/p".to_owned(),
            ..v1::WebhookEndpoint::default()
        };
        let made = asked_for(Some(&given)).unwrap();
        assert_eq!(made.authentication, Authentication::SignatureSha1);
        assert_eq!(made.system, "zammad");
    }
}
