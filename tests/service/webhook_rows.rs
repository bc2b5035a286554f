//! What calls about webhooks answer to whom.

use entente::domain::firm::Permission;
use entente::proto::v1;
use prost::Message;
use tonic::Code;

use super::table::{Row, rows};
use super::webhooks::endpoint_request;

/// An address at which nobody listens.
pub const ELSEWHERE: &str = "https://psa.example/entente";

/// North's wish to have entries posted.
pub fn subscribing(source: &str, target: &str) -> v1::CreateSubscriptionRequest {
    v1::CreateSubscriptionRequest {
        parent: "firms/north".to_owned(),
        subscription: Some(v1::Subscription {
            display_name: "To the desk".to_owned(),
            target_uri: target.to_owned(),
            source: source.to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

rows! {
    /// The RPCs of webhooks.
    WEBHOOK_ROWS:
    "WebhookService/CreateWebhookEndpoint" [Admin] Ok, NotFound, NotFound, |names|
        endpoint_request("north", &names.of("partnership"), v1::WebhookVendor::HaloPsa);
    "WebhookService/GetWebhookEndpoint" [Read] Ok, NotFound, NotFound, |names|
        v1::GetWebhookEndpointRequest { name: names.of("webhook_endpoint") };
    "WebhookService/ListWebhookEndpoints" [Read] Ok, NotFound, NotFound, |_|
        v1::ListWebhookEndpointsRequest { parent: "firms/north".to_owned(), ..Default::default() };
    "WebhookService/RotateWebhookSecret" [Admin] Ok, NotFound, NotFound, |names|
        v1::RotateWebhookSecretRequest {
            name: names.of("webhook_endpoint"),
            ..Default::default()
        };
    "WebhookService/DisableWebhookEndpoint" [Admin] Ok, NotFound, NotFound, |names|
        v1::DisableWebhookEndpointRequest {
            name: names.of("webhook_endpoint_spare"),
            ..Default::default()
        };
    "WebhookService/CreateSubscription" [Admin] Ok, NotFound, NotFound, |names|
        subscribing(&names.of("partnership"), ELSEWHERE);
    "WebhookService/GetSubscription" [Read] Ok, NotFound, NotFound, |names|
        v1::GetSubscriptionRequest { name: names.of("subscription") };
    "WebhookService/ListSubscriptions" [Read] Ok, NotFound, NotFound, |_|
        v1::ListSubscriptionsRequest { parent: "firms/north".to_owned(), ..Default::default() };
    "WebhookService/RotateSubscriptionSecret" [Admin] Ok, NotFound, NotFound, |names|
        v1::RotateSubscriptionSecretRequest {
            name: names.of("subscription"),
            ..Default::default()
        };
    "WebhookService/ListDeadLetters" [Read] Ok, NotFound, NotFound, |names|
        v1::ListDeadLettersRequest { parent: names.of("subscription"), ..Default::default() };
    "WebhookService/ReplayDeadLetters" [Admin] Ok, NotFound, NotFound, |names|
        v1::ReplayDeadLettersRequest { parent: names.of("subscription"), ..Default::default() };
    "WebhookService/DisableSubscription" [Admin] Ok, NotFound, NotFound, |names|
        v1::DisableSubscriptionRequest {
            name: names.of("subscription_spare"),
            ..Default::default()
        };
    "WebhookService/EnableSubscription" [Admin] Ok, NotFound, NotFound, |names|
        v1::EnableSubscriptionRequest {
            name: names.of("subscription_spare"),
            ..Default::default()
        };
}
