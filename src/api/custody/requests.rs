//! Requests to hand over, as the contract writes and shows them.

use std::sync::Arc;

use prost::Message;
use tonic::{Request, Response};

use super::guard::{Guard, client_name, firm_of};
use super::{Answer, party};
use crate::api::caller::Caller;
use crate::api::convert::{chosen_id, etag, parse_name, span, to_duration, to_timestamp};
use crate::api::expectation::parse::stated;
use crate::api::listing::{self, Shown, Viewer, Wanted, name_in};
use crate::api::sla::pinned::Pin;
use crate::api::{Api, Envelope, Found, Mutation, required};
use crate::domain::command::Action;
use crate::domain::commitment::{Commitment, Opening};
use crate::domain::custody::request::{
    HandOverRequest, ITEMS_MAX, RequestAnswer, RequestCommand, RequestDraft, RequestState,
};
use crate::domain::firm::Permission;
use crate::domain::identity::ScopeId;
use crate::domain::refusal::Refusal;
use crate::domain::sla::compiled::CompiledCalendar;
use crate::proto::v1;

/// Shape of a request's name.
const SHAPE: &str = "partnerships/*/handOverRequests/*";

pub(super) async fn create(
    api: &Api,
    request: &Request<v1::CreateHandOverRequestRequest>,
) -> Answer<v1::HandOverRequest> {
    let caller = api.caller(request, Permission::Quotes).await?;
    let asked = request.get_ref();
    let [partnership] = parse_name("parent", &asked.parent, "partnerships/*")?;
    let given = asked.hand_over_request.as_ref();
    let given = given.ok_or_else(|| required("hand_over_request"))?;
    let scope = ScopeId::partnership(&partnership);
    let mut guard = Guard::new(api);
    guard.look_at("hand_over_request_id", &asked.hand_over_request_id);
    let id = chosen_id("hand_over_request_id", &asked.hand_over_request_id);
    let id = guard.intake.faults.take(id);
    let items = items(&mut guard, &scope, &given.custody_items);
    let field = "hand_over_request.on_behalf_of";
    let on_behalf_of = guard.client(field, &scope, &given.on_behalf_of);
    let reason = guard.text("hand_over_request.reason", &given.reason);
    let within = given
        .within
        .ok_or_else(|| required("hand_over_request.within"));
    let within = within.and_then(|within| span("hand_over_request.within", within));
    let within = guard.intake.faults.take(within);
    let (field, shape) = ("hand_over_request.calendar", "partnerships/*/calendars/*");
    let calendar = guard.neighbour(field, &scope, &given.calendar, shape);
    let (envelope, openings) = guard.finish(&asked.request_id, &asked.origin, "")?;
    let command = RequestCommand::Create(RequestDraft {
        id,
        items,
        on_behalf_of,
        reason,
        within,
        calendar,
    });
    let sent = (envelope, openings);
    run(
        api,
        &caller,
        "CreateHandOverRequest",
        request,
        (scope, command),
        sent,
    )
    .await
}

/// Ids of items of the same partnership.
fn items(guard: &mut Guard<'_>, scope: &ScopeId, names: &[String]) -> Vec<String> {
    let mut items = Vec::new();
    // One too many is enough for it to be noticed.
    for (index, name) in names.iter().take(ITEMS_MAX + 1).enumerate() {
        let field = format!("hand_over_request.custody_items[{index}]");
        let item = guard.neighbour(&field, scope, name, super::items::SHAPE);
        let faults = &mut guard.intake.faults;
        faults.require(!name.is_empty(), &field, "must not be empty");
        items.push(item.unwrap_or_default());
    }
    items
}

pub(super) async fn release(
    api: &Api,
    request: &Request<v1::ReleaseHandOverRequest>,
) -> Answer<v1::HandOverRequest> {
    let caller = api.caller(request, Permission::Quotes).await?;
    let asked = request.get_ref();
    let [partnership, id] = parse_name("name", &asked.name, SHAPE)?;
    let mut guard = Guard::new(api);
    let words = guard.text("words", &asked.words);
    let sent = guard.finish(&asked.request_id, &asked.origin, &asked.etag)?;
    let command = RequestCommand::Release { id, words };
    let what = (ScopeId::partnership(&partnership), command);
    run(api, &caller, "ReleaseHandOver", request, what, sent).await
}

pub(super) async fn confirm(
    api: &Api,
    request: &Request<v1::ConfirmHandOverRequest>,
) -> Answer<v1::HandOverRequest> {
    let caller = api.caller(request, Permission::Quotes).await?;
    let asked = request.get_ref();
    let [partnership, id] = parse_name("name", &asked.name, SHAPE)?;
    let mut guard = Guard::new(api);
    let words = guard.text("words", &asked.words);
    let sent = guard.finish(&asked.request_id, &asked.origin, &asked.etag)?;
    let command = RequestCommand::Confirm { id, words };
    let what = (ScopeId::partnership(&partnership), command);
    run(api, &caller, "ConfirmHandOver", request, what, sent).await
}

pub(super) async fn withhold(
    api: &Api,
    request: &Request<v1::WithholdHandOverRequest>,
) -> Answer<v1::HandOverRequest> {
    let caller = api.caller(request, Permission::Quotes).await?;
    let asked = request.get_ref();
    let [partnership, id] = parse_name("name", &asked.name, SHAPE)?;
    let mut guard = Guard::new(api);
    let rule = "must not be empty";
    let is_given = !asked.reason.is_empty();
    guard.intake.faults.require(is_given, "reason", rule);
    let reason = guard.text("reason", &asked.reason);
    let sent = guard.finish(&asked.request_id, &asked.origin, &asked.etag)?;
    let reason = reason.ok_or_else(|| required("reason"))?;
    let command = RequestCommand::Withhold { id, reason };
    let what = (ScopeId::partnership(&partnership), command);
    run(api, &caller, "WithholdHandOver", request, what, sent).await
}

pub(super) async fn withdraw(
    api: &Api,
    request: &Request<v1::WithdrawHandOverRequestRequest>,
) -> Answer<v1::HandOverRequest> {
    let caller = api.caller(request, Permission::Quotes).await?;
    let asked = request.get_ref();
    let [partnership, id] = parse_name("name", &asked.name, SHAPE)?;
    let mut guard = Guard::new(api);
    let reason = guard.text("reason", &asked.reason);
    let sent = guard.finish(&asked.request_id, &asked.origin, &asked.etag)?;
    let command = RequestCommand::Withdraw { id, reason };
    let what = (ScopeId::partnership(&partnership), command);
    run(api, &caller, "WithdrawHandOverRequest", request, what, sent).await
}

async fn run<M: Message>(
    api: &Api,
    caller: &Caller,
    method: &str,
    request: &Request<M>,
    (scope, command): (ScopeId, RequestCommand),
    (envelope, openings): (Envelope, Vec<Opening>),
) -> Answer<v1::HandOverRequest> {
    let mutation = Mutation {
        scope,
        envelope,
        action: Action::HandOver(command),
        openings,
    };
    listing::change::<HandOverRequest, _>(api, caller, method, request, mutation).await
}

pub(super) async fn get(
    api: &Api,
    request: &Request<v1::GetHandOverRequestRequest>,
) -> Answer<v1::HandOverRequest> {
    let caller = api.caller(request, Permission::Read).await?;
    let [partnership, id] = parse_name("name", &request.get_ref().name, SHAPE)?;
    let found = api.get::<HandOverRequest>(&caller, &partnership, &id).await;
    let (member, found) = found?;
    Ok(Response::new(listing::show(api, &member, found).await?))
}

pub(super) async fn list(
    api: &Api,
    request: &Request<v1::ListHandOverRequestsRequest>,
) -> Answer<v1::ListHandOverRequestsResponse> {
    let caller = api.caller(request, Permission::Read).await?;
    let asked = request.get_ref();
    let [partnership] = parse_name("parent", &asked.parent, "partnerships/*")?;
    let state = state("state", asked.state)?;
    let holder = party(&asked.holder);
    let member = api.member(&caller, &partnership).await?;
    let filters = (asked.state, asked.holder.as_str());
    let wanted = Wanted {
        purpose: &format!("ListHandOverRequests:{partnership}:{filters:?}"),
        page_size: asked.page_size,
        page_token: &asked.page_token,
        recorded_state: state.map(RequestState::as_str),
    };
    let keep = |found: &HandOverRequest| {
        let holder = holder.as_ref();
        holder.is_none_or(|holder| found.asked.holder == *holder)
    };
    let (hand_over_requests, next_page_token) = listing::list(api, &member, wanted, keep).await?;
    Ok(Response::new(v1::ListHandOverRequestsResponse {
        hand_over_requests,
        next_page_token,
    }))
}

fn state(field: &str, value: i32) -> Result<Option<RequestState>, Refusal> {
    let state = stated::<v1::HandOverRequestState>(field, value)?;
    Ok(state.and_then(|state| match state {
        v1::HandOverRequestState::Unspecified => None,
        v1::HandOverRequestState::Requested => Some(RequestState::Requested),
        v1::HandOverRequestState::Withheld => Some(RequestState::Withheld),
        v1::HandOverRequestState::Released => Some(RequestState::Released),
        v1::HandOverRequestState::Received => Some(RequestState::Received),
        v1::HandOverRequestState::Withdrawn => Some(RequestState::Withdrawn),
    }))
}

const fn to_state(state: RequestState) -> v1::HandOverRequestState {
    match state {
        RequestState::Requested => v1::HandOverRequestState::Requested,
        RequestState::Withheld => v1::HandOverRequestState::Withheld,
        RequestState::Released => v1::HandOverRequestState::Released,
        RequestState::Received => v1::HandOverRequestState::Received,
        RequestState::Withdrawn => v1::HandOverRequestState::Withdrawn,
    }
}

/// The answers that a request may have.
fn answers(request: &HandOverRequest) -> [Option<&RequestAnswer>; 4] {
    [
        request.withheld.as_ref(),
        request.released.as_ref(),
        request.received.as_ref(),
        request.withdrawn.as_ref(),
    ]
}

impl Shown for HandOverRequest {
    type Message = v1::HandOverRequest;

    const REFERENCED: bool = false;

    fn commitments(&self) -> Vec<Commitment> {
        let words = answers(self).into_iter().flatten();
        let words = words.map(|answer| answer.words.clone());
        let reason = std::iter::once(self.asked.reason.clone());
        reason.chain(words).flatten().collect()
    }

    fn calendars(&self) -> Vec<Pin> {
        let calendar = self.asked.calendar.iter();
        calendar
            .map(|pin| (pin.calendar.clone(), pin.revision))
            .collect()
    }

    fn shown(found: &Found<Self>, viewer: &Viewer<'_>) -> v1::HandOverRequest {
        let request = &found.state;
        let asked = &request.asked;
        let scope = viewer.member.scope();
        let pin = asked.calendar.as_ref();
        let calendar = pin.and_then(|pin| {
            let key = (pin.calendar.clone(), pin.revision);
            viewer.calendars.get(&key).cloned()
        });
        let calendar = calendar.unwrap_or_else(|| Arc::new(CompiledCalendar::always_open()));
        let clock = request.clock(&calendar, viewer.now);
        let items = asked.items.iter();
        let answer = |given: &Option<RequestAnswer>| {
            let given = given.as_ref();
            given.map(|given| to_answer(given, viewer))
        };
        v1::HandOverRequest {
            name: name_in(&scope, "handOverRequests", &found.id),
            custody_items: items
                .map(|id| name_in(&scope, "custodyItems", id))
                .collect(),
            on_behalf_of: client_name(&scope, asked.on_behalf_of.as_deref()),
            reason: viewer.texts.show(asked.reason.as_ref()),
            within: Some(to_duration(asked.within)),
            calendar: pin.map_or_else(String::new, |pin| {
                name_in(&scope, "calendars", &pin.calendar)
            }),
            calendar_revision: pin.map_or(0, |pin| pin.revision.into()),
            state: to_state(request.state).into(),
            requester: asked.party.to_string(),
            holder: asked.holder.to_string(),
            due_time: Some(to_timestamp(asked.due_at)),
            time_used: Some(to_duration(clock.used)),
            time_left: Some(to_duration(clock.left)),
            overdue: clock.is_overdue,
            withholding: answer(&request.withheld),
            release: answer(&request.released),
            receipt: answer(&request.received),
            withdrawal: answer(&request.withdrawn),
            asserted: asked.is_asserted,
            create_time: Some(to_timestamp(found.created_at)),
            update_time: Some(to_timestamp(found.updated_at)),
            etag: etag(found.revision),
            redacted_fields: viewer.texts.redacted_fields(request.commitments()),
        }
    }
}

fn to_answer(answer: &RequestAnswer, viewer: &Viewer<'_>) -> v1::HandOverAnswer {
    v1::HandOverAnswer {
        words: viewer.texts.show(answer.words.as_ref()),
        party_id: answer.by.party.to_string(),
        firm: firm_of(&answer.by),
        answer_time: Some(to_timestamp(answer.by.at)),
        asserted: answer.is_asserted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_comes_back() {
        for value in 1..=5 {
            let known = state("s", value).unwrap().unwrap();
            assert_eq!(i32::from(to_state(known)), value);
        }
        assert!(state("s", 6).is_err());
        assert_eq!(state("s", 0), Ok(None));
    }
}
