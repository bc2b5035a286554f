//! `WebhookService`: endpoints that take what a PSA sends, and subscriptions that post entries elsewhere.
//!
//! What comes in by HTTP is recognised and taken here ([`receive`]); reading the vendors' forms is for
//! the server. What goes out is shown here ([`outbound`]), by the same rules as `Watch`; posting it is
//! for the server, too.

mod dead_letters;
mod endpoints;
pub mod outbound;
pub mod receive;
mod secrets;
mod subscriptions;

use std::sync::Arc;

use tonic::{Request, Response, Status};

use super::caller::Caller;
use super::status::ApiError;
use super::{Api, Found};
use crate::domain::derived_secret::OVERLAP_DEFAULT;
use crate::domain::firm::Permission;
use crate::domain::identity::{FirmId, ScopeId};
use crate::domain::record::{RecordKey, Stored};
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::time::Span;
use crate::ledger::rows;
use crate::proto::v1;
use crate::store::ListQuery;

use super::convert::{parse_name, span};
use super::page::Page;

/// What an RPC answers before errors become statuses.
type Answer<T> = Result<Response<T>, ApiError>;

/// Whether a target address may be called at all, as far as the address alone tells.
pub type TargetRule = fn(&str) -> Result<(), &'static str>;

/// Implements the contract's `WebhookService`.
#[derive(Clone, Debug)]
pub struct WebhookService {
    /// What the services share.
    pub api: Arc<Api>,
    /// Which targets may be subscribed.
    pub target_rule: TargetRule,
}

/// One RPC, answered by the function named.
macro_rules! rpcs {
    ($($name:ident($request:ident) -> $response:ident = $function:path;)*) => {
        #[tonic::async_trait]
        impl v1::webhook_service_server::WebhookService for WebhookService {
            $(
                async fn $name(
                    &self,
                    request: Request<v1::$request>,
                ) -> Result<Response<v1::$response>, Status> {
                    Ok($function(self, &request).await?)
                }
            )*
        }
    };
}

rpcs! {
    create_webhook_endpoint(CreateWebhookEndpointRequest) -> WebhookEndpoint = endpoints::create;
    get_webhook_endpoint(GetWebhookEndpointRequest) -> WebhookEndpoint = endpoints::get;
    list_webhook_endpoints(ListWebhookEndpointsRequest) -> ListWebhookEndpointsResponse = endpoints::list;
    rotate_webhook_secret(RotateWebhookSecretRequest) -> WebhookEndpoint = endpoints::rotate;
    disable_webhook_endpoint(DisableWebhookEndpointRequest) -> WebhookEndpoint = endpoints::disable;
    create_subscription(CreateSubscriptionRequest) -> Subscription = subscriptions::create;
    get_subscription(GetSubscriptionRequest) -> Subscription = subscriptions::get;
    list_subscriptions(ListSubscriptionsRequest) -> ListSubscriptionsResponse = subscriptions::list;
    rotate_subscription_secret(RotateSubscriptionSecretRequest) -> Subscription = subscriptions::rotate;
    disable_subscription(DisableSubscriptionRequest) -> Subscription = subscriptions::disable;
    enable_subscription(EnableSubscriptionRequest) -> Subscription = subscriptions::enable;
    list_dead_letters(ListDeadLettersRequest) -> ListDeadLettersResponse = dead_letters::list;
    replay_dead_letters(ReplayDeadLettersRequest) -> ReplayDeadLettersResponse = dead_letters::replay;
}

/// The caller and the id of what it names, if that is its own firm's; to others there is no `what`.
async fn keeper<T>(
    api: &Api,
    request: &Request<T>,
    permission: Permission,
    (field, name): (&str, &str),
    (shape, what): (&str, &str),
) -> Result<(Caller, String), ApiError> {
    let caller = api.caller(request, permission).await?;
    let [firm, id] = parse_name(field, name, shape)?;
    if caller.firm.as_str() == firm {
        return Ok((caller, id));
    }
    Err(Refusal::not_found(what).into())
}

/// The caller, if the `parent` is its own firm.
async fn keeper_of_parent<T>(
    api: &Api,
    request: &Request<T>,
    permission: Permission,
    parent: &str,
) -> Result<Caller, ApiError> {
    let caller = api.caller(request, permission).await?;
    let [firm] = parse_name("parent", parent, "firms/*")?;
    if caller.firm.as_str() == firm {
        return Ok(caller);
    }
    Err(Refusal::not_found("firm").into())
}

/// A record of a firm's scope.
async fn find<T: Stored + Clone>(api: &Api, firm: &FirmId, id: &str) -> Result<Found<T>, ApiError> {
    let key = RecordKey::new(&firm.scope(), T::KIND, id);
    let versioned = api.find(&key).await?;
    let found = versioned.and_then(|versioned| {
        let state = T::from_record(&versioned.record).cloned()?;
        Some(Found::new(id, state, &versioned))
    });
    Ok(found.ok_or_else(|| Refusal::not_found(T::KIND.as_str()))?)
}

/// A page of the records of a firm's scope, and the token of the next one.
async fn list<T: Stored + Clone>(
    api: &Api,
    caller: &Caller,
    (page_size, page_token): (i32, &str),
) -> Result<(Vec<Found<T>>, String), ApiError> {
    let purpose = format!("List:{}:{}", T::KIND.as_str(), caller.firm);
    let page = Page::parse(api, &purpose, page_size, page_token)?;
    let query = all_of::<T>(&caller.firm.scope(), page.after.clone(), page.limit());
    let mut rows = api.ledger.store().list_records(&query).await?;
    let next_page_token = page.cut(api, &mut rows, |row| row.key.id.clone());
    let mut found = Vec::with_capacity(rows.len());
    for row in &rows {
        let versioned = rows::decode_row(row)?;
        let state = T::from_record(&versioned.record).cloned();
        found.extend(state.map(|state| Found::new(&row.key.id, state, &versioned)));
    }
    Ok((found, next_page_token))
}

fn all_of<T: Stored>(scope: &ScopeId, after_id: String, limit: usize) -> ListQuery {
    ListQuery {
        scope: scope.clone(),
        kind: T::KIND,
        state: None,
        after_id,
        limit,
    }
}

/// Refuses one more record where a firm has as many as it may. Two that are made at the same moment may
/// both be the last: the limit keeps lists short, and nothing depends on its being exact.
async fn require_room<T: Stored>(
    api: &Api,
    firm: &FirmId,
    (what, maximum): (&str, usize),
) -> Result<(), ApiError> {
    let query = all_of::<T>(&firm.scope(), String::new(), maximum);
    if api.ledger.store().list_records(&query).await?.len() < maximum {
        return Ok(());
    }
    Err(Refusal::limit(what, maximum).into())
}

/// An overlap of two secrets that somebody asks for.
fn overlap(given: Option<prost_types::Duration>) -> Result<Span, Refusal> {
    given.map_or(Ok(OVERLAP_DEFAULT), |given| span("overlap", given))
}

/// The refusal for a missing field.
fn required(field: &str) -> Refusal {
    Refusal::field(Reason::InvalidField, field, "is required")
}
