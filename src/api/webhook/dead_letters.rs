//! What a subscription's target did not take.

use tonic::{Request, Response};

use super::subscriptions::SHAPE;
use super::{Answer, WebhookService, find, keeper};
use crate::api::convert::to_timestamp;
use crate::api::page::Page;
use crate::api::status::ApiError;
use crate::api::{Api, Envelope, Mutation, respond};
use crate::domain::command::Action;
use crate::domain::firm::Permission;
use crate::domain::identity::ScopeId;
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::subscription::{Subscription, SubscriptionCommand};
use crate::proto::v1;
use crate::store::deliveries::{DeadLetterRow, Deliveries};

/// Dead letters read at a time while all are replayed.
const REPLAYED_TOGETHER: usize = 500;
/// Between the scope's kind, its id and the sequence in the id of a dead letter.
const SEPARATOR: char = '.';

pub(super) async fn list(
    service: &WebhookService,
    request: &Request<v1::ListDeadLettersRequest>,
) -> Answer<v1::ListDeadLettersResponse> {
    let api = service.api.as_ref();
    let message = request.get_ref();
    let named = ("parent", message.parent.as_str());
    let (caller, id) = keeper(api, request, Permission::Read, named, SHAPE).await?;
    find::<Subscription>(api, &caller.firm, &id).await?;
    let purpose = format!("ListDeadLetters:{}:{id}", caller.firm);
    let page = Page::parse(api, &purpose, message.page_size, &message.page_token)?;
    let after = page.place(place)?.unwrap_or_default();
    let after = (after.0.as_str(), after.1);
    let scope = caller.firm.scope();
    let found = kept(api)?.dead_letters(&scope, &id, after, page.limit());
    let mut rows = found.await?;
    let next_page_token = page.cut(api, &mut rows, |row| {
        format!("{} {}", row.source, row.sequence)
    });
    Ok(Response::new(v1::ListDeadLettersResponse {
        dead_letters: rows.iter().map(shown).collect(),
        next_page_token,
    }))
}

/// Source and sequence of the last dead letter of a page.
fn place(text: &str) -> Option<(String, u64)> {
    let (source, sequence) = text.split_once(' ')?;
    Some((source.to_owned(), sequence.parse().ok()?))
}

fn kept(api: &Api) -> Result<&dyn Deliveries, ApiError> {
    let missing = || Refusal::new(Reason::Internal, "the store keeps no deliveries");
    Ok(api.ledger.store().deliveries().ok_or_else(missing)?)
}

fn shown(row: &DeadLetterRow) -> v1::DeadLetter {
    let collection = row.source.as_str().split('/').next().unwrap_or_default();
    let id = [collection, row.source.id(), &row.sequence.to_string()].join(&SEPARATOR.to_string());
    v1::DeadLetter {
        name: format!(
            "{}/subscriptions/{}/deadLetters/{id}",
            row.scope, row.subscription
        ),
        scope: row.source.to_string(),
        sequence: i64::try_from(row.sequence).unwrap_or(i64::MAX),
        attempt_count: i32::try_from(row.attempts).unwrap_or(i32::MAX),
        last_error: row.last_error.clone(),
        fail_time: Some(to_timestamp(row.failed_at)),
        replay_time: row.due_at.map(to_timestamp),
    }
}

/// The wish is journalled first; so a retry after a failure carries out what is left.
pub(super) async fn replay(
    service: &WebhookService,
    request: &Request<v1::ReplayDeadLettersRequest>,
) -> Answer<v1::ReplayDeadLettersResponse> {
    let api = service.api.as_ref();
    let message = request.get_ref();
    let named = ("parent", message.parent.as_str());
    let (caller, id) = keeper(api, request, Permission::Admin, named, SHAPE).await?;
    let scope = caller.firm.scope();
    let mutation = Mutation {
        scope: scope.clone(),
        envelope: Envelope::new(&message.request_id, &message.origin, &message.etag),
        action: Action::Subscription(SubscriptionCommand::Replay { id: id.clone() }),
        openings: Vec::new(),
    };
    let receipt = api
        .run(&caller, "ReplayDeadLetters", request, mutation)
        .await?;
    let replayed_count = replay_all(api, &scope, &id).await?;
    let answer = v1::ReplayDeadLettersResponse { replayed_count };
    Ok(respond(answer, &receipt))
}

async fn replay_all(api: &Api, scope: &ScopeId, id: &str) -> Result<i64, ApiError> {
    let deliveries = kept(api)?;
    let mut after = (String::new(), 0);
    let mut replayed = 0;
    loop {
        let from = (after.0.as_str(), after.1);
        let found = deliveries.dead_letters(scope, id, from, REPLAYED_TOGETHER);
        let rows = found.await?;
        for row in &rows {
            let due = DeadLetterRow {
                due_at: Some(api.now()),
                version: row.version + 1,
                ..row.clone()
            };
            if row.due_at.is_none() && deliveries.put_dead_letter(&due).await? {
                replayed += 1;
            }
        }
        match rows.last() {
            Some(last) if rows.len() == REPLAYED_TOGETHER => {
                after = (last.source.to_string(), last.sequence);
            }
            _ => return Ok(replayed),
        }
    }
}
