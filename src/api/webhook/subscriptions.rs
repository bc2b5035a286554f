//! Subscriptions, as their firm makes and keeps them.

use tonic::{Request, Response};

use super::{
    Answer, WebhookService, find, keeper, keeper_of_parent, list as list_records, overlap,
    require_room, required, secrets,
};
use crate::api::convert::to_timestamp;
use crate::api::faults::Faults;
use crate::api::{Api, Envelope, Found, Mutation, respond};
use crate::domain::command::Action;
use crate::domain::firm::Permission;
use crate::domain::identity::{FirmId, ScopeId};
use crate::domain::refusal::{Reason, Refusal, Violations};
use crate::domain::subscription::{
    DisableReason, SUBSCRIPTIONS_MAX, Source, Subscription, SubscriptionCommand,
    SubscriptionCreated,
};
use crate::ledger::Receipt;
use crate::proto::v1;

/// The shape of names, and what a stranger is told not to exist.
pub(super) const SHAPE: (&str, &str) = ("firms/*/subscriptions/*", "subscription");
/// The source that stands for all partnerships of the firm.
const EVERY_PARTNERSHIP: &str = "partnerships/-";

pub(super) async fn create(
    service: &WebhookService,
    request: &Request<v1::CreateSubscriptionRequest>,
) -> Answer<v1::Subscription> {
    let api = service.api.as_ref();
    let message = request.get_ref();
    let caller = keeper_of_parent(api, request, Permission::Admin, &message.parent).await?;
    let made = asked_for(service, message.subscription.as_ref())?;
    match &made.source {
        Source::EveryPartnership => {}
        Source::Scope(scope) if *scope == caller.firm.scope() => {}
        Source::Scope(scope) if scope.is_firm() => {
            return Err(Refusal::not_found("firm").into());
        }
        Source::Scope(scope) => {
            api.member(&caller, scope.id()).await?;
        }
    }
    require_room::<Subscription>(api, &caller.firm, ("subscriptions", SUBSCRIPTIONS_MAX)).await?;
    let mutation = Mutation {
        scope: caller.firm.scope(),
        envelope: Envelope::new(&message.request_id, &message.origin, ""),
        action: Action::Subscription(SubscriptionCommand::Create(made)),
        openings: Vec::new(),
    };
    let receipt = api
        .run(&caller, "CreateSubscription", request, mutation)
        .await?;
    with_secret(api, &caller.firm, &receipt).await
}

/// A subscription as a caller describes it, with every fault.
fn asked_for(
    service: &WebhookService,
    given: Option<&v1::Subscription>,
) -> Result<SubscriptionCreated, Refusal> {
    let given = given.ok_or_else(|| required("subscription"))?;
    let mut faults = Faults::default();
    let source = faults.take(source(&given.source).map(Some));
    if let Err(rule) = (service.target_rule)(&given.target_uri) {
        faults.add(Reason::InvalidField, "subscription.target_uri", rule);
    }
    let made = SubscriptionCreated {
        display_name: given.display_name.clone(),
        target_uri: given.target_uri.clone(),
        source: source.unwrap_or(Source::EveryPartnership),
        event_types: given.event_types.clone(),
    };
    let mut violations = Violations::default();
    made.check(&mut violations);
    faults.take(violations.finish());
    faults.finish()?;
    Ok(made)
}

fn source(name: &str) -> Result<Source, Refusal> {
    if name == EVERY_PARTNERSHIP {
        return Ok(Source::EveryPartnership);
    }
    let rule = "must be of the form partnerships/*, partnerships/- or firms/*";
    let refused = || Refusal::field(Reason::InvalidField, "subscription.source", rule);
    ScopeId::parse(name).map(Source::Scope).ok_or_else(refused)
}

pub(super) async fn get(
    service: &WebhookService,
    request: &Request<v1::GetSubscriptionRequest>,
) -> Answer<v1::Subscription> {
    let api = service.api.as_ref();
    let named = ("name", request.get_ref().name.as_str());
    let (caller, id) = keeper(api, request, Permission::Read, named, SHAPE).await?;
    let found = find(api, &caller.firm, &id).await?;
    Ok(Response::new(shown(api, &caller.firm, &found)))
}

pub(super) async fn list(
    service: &WebhookService,
    request: &Request<v1::ListSubscriptionsRequest>,
) -> Answer<v1::ListSubscriptionsResponse> {
    let api = service.api.as_ref();
    let message = request.get_ref();
    let caller = keeper_of_parent(api, request, Permission::Read, &message.parent).await?;
    let page = (message.page_size, message.page_token.as_str());
    let (found, next_page_token) = list_records(api, &caller, page).await?;
    let found = found.iter().map(|found| shown(api, &caller.firm, found));
    Ok(Response::new(v1::ListSubscriptionsResponse {
        subscriptions: found.collect(),
        next_page_token,
    }))
}

pub(super) async fn rotate(
    service: &WebhookService,
    request: &Request<v1::RotateSubscriptionSecretRequest>,
) -> Answer<v1::Subscription> {
    let api = service.api.as_ref();
    let message = request.get_ref();
    let named = ("name", message.name.as_str());
    let (caller, id) = keeper(api, request, Permission::Admin, named, SHAPE).await?;
    let overlap = overlap(message.overlap)?;
    let mutation = Mutation {
        scope: caller.firm.scope(),
        envelope: Envelope::new(&message.request_id, &message.origin, &message.etag),
        action: Action::Subscription(SubscriptionCommand::RotateSecret { id, overlap }),
        openings: Vec::new(),
    };
    let receipt = api
        .run(&caller, "RotateSubscriptionSecret", request, mutation)
        .await?;
    with_secret(api, &caller.firm, &receipt).await
}

pub(super) async fn disable(
    service: &WebhookService,
    request: &Request<v1::DisableSubscriptionRequest>,
) -> Answer<v1::Subscription> {
    let message = request.get_ref();
    let envelope = Envelope::new(&message.request_id, &message.origin, &message.etag);
    let asked = ("DisableSubscription", message.name.as_str());
    let command = |id| SubscriptionCommand::Disable { id };
    change(service, request, asked, envelope, command).await
}

pub(super) async fn enable(
    service: &WebhookService,
    request: &Request<v1::EnableSubscriptionRequest>,
) -> Answer<v1::Subscription> {
    let message = request.get_ref();
    let envelope = Envelope::new(&message.request_id, &message.origin, &message.etag);
    let asked = ("EnableSubscription", message.name.as_str());
    let command = |id| SubscriptionCommand::Enable { id };
    change(service, request, asked, envelope, command).await
}

async fn change<M: prost::Message>(
    service: &WebhookService,
    request: &Request<M>,
    (method, name): (&str, &str),
    envelope: Envelope,
    command: fn(String) -> SubscriptionCommand,
) -> Answer<v1::Subscription> {
    let api = service.api.as_ref();
    let (caller, id) = keeper(api, request, Permission::Admin, ("name", name), SHAPE).await?;
    let mutation = Mutation {
        scope: caller.firm.scope(),
        envelope,
        action: Action::Subscription(command(id)),
        openings: Vec::new(),
    };
    let receipt = api.run(&caller, method, request, mutation).await?;
    let found = find(api, &caller.firm, &receipt.id).await?;
    Ok(respond(shown(api, &caller.firm, &found), &receipt))
}

/// A subscription with its present secret, for those who have just asked for one.
async fn with_secret(api: &Api, firm: &FirmId, receipt: &Receipt) -> Answer<v1::Subscription> {
    let found: Found<Subscription> = find(api, firm, &receipt.id).await?;
    let mut subscription = shown(api, firm, &found);
    let generation = found.state.secret.generation;
    let key = secrets::of_subscription(&api.tokens, &firm.scope(), &found.id, generation);
    subscription.secret = secrets::shown(&key);
    Ok(respond(subscription, receipt))
}

fn shown(api: &Api, firm: &FirmId, found: &Found<Subscription>) -> v1::Subscription {
    let (subscription, made) = (&found.state, &found.state.made);
    let disabled = subscription.disabled.as_ref();
    let state = match disabled {
        None => v1::SubscriptionState::Active,
        Some(_) => v1::SubscriptionState::Disabled,
    };
    let source = match &made.source {
        Source::Scope(scope) => scope.to_string(),
        Source::EveryPartnership => EVERY_PARTNERSHIP.to_owned(),
    };
    let reason =
        disabled.map_or(
            v1::SubscriptionDisableReason::Unspecified,
            |disabled| match disabled.reason {
                DisableReason::Requested => v1::SubscriptionDisableReason::Requested,
                DisableReason::TargetFailing => v1::SubscriptionDisableReason::TargetFailing,
                DisableReason::TargetGone => v1::SubscriptionDisableReason::TargetGone,
            },
        );
    let previous_until = subscription.secret.previous_until_at(api.now());
    v1::Subscription {
        name: format!("{}/subscriptions/{}", firm.scope(), found.id),
        display_name: made.display_name.clone(),
        target_uri: made.target_uri.clone(),
        source,
        event_types: made.event_types.clone(),
        state: state.into(),
        disable_reason: reason.into(),
        secret: String::new(),
        previous_secret_expire_time: previous_until.map(to_timestamp),
        create_time: Some(to_timestamp(found.created_at)),
        rotate_time: subscription.secret.rotated_at.map(to_timestamp),
        disable_time: disabled.map(|disabled| to_timestamp(disabled.at)),
        etag: found.etag(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_journals_or_all_partnerships() {
        assert_eq!(source("partnerships/-"), Ok(Source::EveryPartnership));
        for name in ["partnerships/p", "firms/north"] {
            assert_eq!(
                source(name),
                Ok(Source::Scope(ScopeId::parse(name).unwrap()))
            );
        }
        for bad in ["", "firms/-", "partnerships", "partnerships/p/tickets/t"] {
            assert!(source(bad).is_err(), "{bad}");
        }
    }
}
