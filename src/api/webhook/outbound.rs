//! What is posted of an entry: what `Watch` would show the firm, under the very same conditions.

use super::{find, secrets};
use crate::api::caller::{Caller, RecognisedBy};
use crate::api::convert::to_reference;
use crate::api::journal::{authorise, to_entry};
use crate::api::sla::SlaService;
use crate::api::status::ApiError;
use crate::api::{Api, Found};
use crate::domain::firm::Permission;
use crate::domain::identity::{FirmId, ScopeId};
use crate::domain::journal::Entry;
use crate::domain::record::{Kind, RecordKey};
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::subscription::{Source, Subscription};
use crate::domain::time::Timestamp;
use crate::proto::v1;
use crate::store::ListQuery;

/// Most partnerships of one firm whose entries are posted.
pub const PARTNERSHIPS_MAX: usize = 10_000;

/// The subscription of a firm under an id; `None` if it is not there or is disabled.
///
/// # Errors
/// If the store fails.
pub async fn active(
    api: &Api,
    scope: &ScopeId,
    id: &str,
) -> Result<Option<Found<Subscription>>, ApiError> {
    let Some(firm) = FirmId::parse(scope.id()) else {
        return Ok(None);
    };
    match find::<Subscription>(api, &firm, id).await {
        Ok(found) => Ok(Some(found).filter(|found| found.state.disabled.is_none())),
        Err(ApiError(refusal)) if refusal.reason == Reason::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The journals whose entries a subscription posts.
///
/// # Errors
/// If the store fails.
pub async fn sources(
    api: &Api,
    scope: &ScopeId,
    subscription: &Subscription,
) -> Result<Vec<ScopeId>, ApiError> {
    if let Source::Scope(source) = &subscription.made.source {
        return Ok(vec![source.clone()]);
    }
    let query = ListQuery {
        scope: scope.clone(),
        kind: Kind::Membership,
        state: None,
        after_id: String::new(),
        limit: PARTNERSHIPS_MAX,
    };
    let rows = api.ledger.store().list_records(&query).await?;
    let partnership = |id: &String| ScopeId::partnership(id);
    Ok(rows.iter().map(|row| partnership(&row.key.id)).collect())
}

/// As whom a subscription reads: its firm, and no more than `Watch` needs.
fn reader(firm: &FirmId) -> Caller {
    Caller {
        firm: firm.clone(),
        by: RecognisedBy::Webhook,
        actor: String::new(),
        permissions: vec![Permission::Read],
    }
}

/// The last entry of a journal that the firm may read; `None` if it may read none any more.
///
/// # Errors
/// If the store fails.
pub async fn readable_until(
    api: &Api,
    scope: &ScopeId,
    source: &ScopeId,
) -> Result<Option<u64>, ApiError> {
    let Some(firm) = FirmId::parse(scope.id()) else {
        return Ok(None);
    };
    match authorise(api, &reader(&firm), std::slice::from_ref(source)).await {
        Ok(bounds) => Ok(Some(bounds.last(source))),
        Err(ApiError(refusal)) if refusal.reason == Reason::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The keys with which posts are signed now, the present one first.
#[must_use]
pub fn signing_keys(
    api: &Api,
    scope: &ScopeId,
    found: &Found<Subscription>,
    now: Timestamp,
) -> Vec<[u8; 32]> {
    let good = found.state.secret.good_at(now).into_iter();
    let key = |number| secrets::of_subscription(&api.tokens, scope, &found.id, number);
    good.map(key).collect()
}

/// The `data` of an entry's event: the entry as `Watch` shows it, the firm's own ids of its record, and
/// a ticket's clocks. No opened text is part of it.
///
/// # Errors
/// If the store fails.
pub async fn event(
    service: &SlaService,
    scope: &ScopeId,
    subscription: &str,
    entry: Entry,
) -> Result<v1::SubscriptionEvent, ApiError> {
    let not_a_firm = || Refusal::new(Reason::Internal, "a subscription outside a firm");
    let firm = FirmId::parse(scope.id()).ok_or_else(not_a_firm)?;
    let mut event = v1::SubscriptionEvent {
        subscription: format!("{scope}/subscriptions/{subscription}"),
        ..v1::SubscriptionEvent::default()
    };
    if let Some(kind) = Kind::parse(&entry.kind) {
        let key = RecordKey::new(&entry.scope, kind, entry.id.as_str());
        let store = service.api().ledger.store();
        let references = store.references_of(std::slice::from_ref(&key)).await?;
        let own = references.iter().filter(|row| row.reference.firm == firm);
        event.external_references = own.map(|row| to_reference(&row.reference)).collect();
        if kind == Kind::Ticket {
            event.clocks = clocks(service, &reader(&firm), &key).await?;
        }
    }
    event.entry = Some(to_entry(entry));
    Ok(event)
}

/// The clocks of a ticket; none for a firm that may not see them any more.
async fn clocks(
    service: &SlaService,
    reader: &Caller,
    ticket: &RecordKey,
) -> Result<Vec<v1::Clock>, ApiError> {
    match service.ticket(reader, ticket.scope.id(), &ticket.id).await {
        Ok(ticket) => Ok(ticket.clocks),
        Err(ApiError(refusal)) if is_withheld(refusal.reason) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

const fn is_withheld(reason: Reason) -> bool {
    matches!(reason, Reason::NotFound | Reason::PartyLeft)
}
