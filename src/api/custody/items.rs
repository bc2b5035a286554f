//! What is held, as the contract writes and shows it.

use tonic::{Request, Response};

use super::guard::{Guard, client_name, firm_of, is_of, outside_party_name, to_outcome};
use super::mask::{Part, parts};
use super::{Answer, party};
use crate::api::convert::{chosen_id, etag, known_enum, parse_name, timestamp, to_timestamp};
use crate::api::expectation::parse::{client, stated};
use crate::api::listing::{self, Shown, Viewer, Wanted, name_in};
use crate::api::{Api, Found, Mutation, required};
use crate::domain::command::Action;
use crate::domain::commitment::Commitment;
use crate::domain::custody::item::{
    CustodyChange, CustodyCommand, CustodyDraft, CustodyItem, CustodyKind, CustodyState,
    HandOverTest, NamedOutsideParty, Owner, TestDraft,
};
use crate::domain::firm::Permission;
use crate::domain::identity::{PartyId, ScopeId};
use crate::domain::refusal::{Reason, Refusal};
use crate::proto::v1;

/// Shape of an item's name.
pub(super) const SHAPE: &str = "partnerships/*/custodyItems/*";

pub(super) async fn create(
    api: &Api,
    request: &Request<v1::CreateCustodyItemRequest>,
) -> Answer<v1::CustodyItem> {
    let caller = api.caller(request, Permission::Quotes).await?;
    let asked = request.get_ref();
    let [partnership] = parse_name("parent", &asked.parent, "partnerships/*")?;
    let given = asked.custody_item.as_ref();
    let given = given.ok_or_else(|| required("custody_item"))?;
    let scope = ScopeId::partnership(&partnership);
    let mut guard = Guard::new(api);
    guard.look_at("custody_item_id", &asked.custody_item_id);
    let id = chosen_id("custody_item_id", &asked.custody_item_id);
    let id = guard.intake.faults.take(id);
    let kind = guard
        .intake
        .faults
        .take(kind("custody_item.kind", given.kind).map(Some));
    let owner = owner(&mut guard, &scope, given);
    guard.look_at("custody_item.holder", &given.holder);
    let outside_party =
        guard.outside_party("custody_item.outside_party", &scope, &given.outside_party);
    let display_name = guard.clear("custody_item.display_name", &given.display_name);
    let location = guard.text("custody_item.location", &given.location);
    let (envelope, openings) = guard.finish(&asked.request_id, &asked.origin, "")?;
    let draft = CustodyDraft {
        id,
        kind: kind.ok_or_else(|| required("custody_item.kind"))?,
        display_name,
        holder: party(&given.holder),
        owner: owner.ok_or_else(|| required("custody_item.client"))?,
        outside_party,
        location,
    };
    let mutation = Mutation {
        scope,
        envelope,
        action: Action::Custody(CustodyCommand::Create(draft)),
        openings,
    };
    listing::change::<CustodyItem, _>(api, &caller, "CreateCustodyItem", request, mutation).await
}

/// Whose it is: a client's or a party's, one of both.
fn owner(guard: &mut Guard<'_>, scope: &ScopeId, given: &v1::CustodyItem) -> Option<Owner> {
    guard.look_at("custody_item.owner", &given.owner);
    let client = guard.client("custody_item.client", scope, &given.client);
    let rule = "just one of client and owner says whose it is";
    let is_one = given.client.is_empty() != given.owner.is_empty();
    let faults = &mut guard.intake.faults;
    faults.require(is_one, "custody_item.client", rule);
    let own = || party(&given.owner).map(Owner::Party);
    client.map(Owner::Client).or_else(own)
}

pub(super) async fn update(
    api: &Api,
    request: &Request<v1::UpdateCustodyItemRequest>,
) -> Answer<v1::CustodyItem> {
    let caller = api.caller(request, Permission::Quotes).await?;
    let asked = request.get_ref();
    let given = asked.custody_item.as_ref();
    let given = given.ok_or_else(|| required("custody_item"))?;
    let [partnership, id] = parse_name("custody_item.name", &given.name, SHAPE)?;
    let scope = ScopeId::partnership(&partnership);
    let mut guard = Guard::new(api);
    let parts = guard
        .intake
        .faults
        .take(parts(asked.update_mask.as_ref(), given));
    // Also what the mask leaves out was sent, and is not let through.
    let display_name = guard.clear("custody_item.display_name", &given.display_name);
    let location = guard.text("custody_item.location", &given.location);
    let mut change = CustodyChange::default();
    for part in parts {
        match part {
            Part::Kind => {
                let kind = kind("custody_item.kind", given.kind).map(Some);
                change.kind = guard.intake.faults.take(kind);
            }
            Part::DisplayName => change.display_name = Some(display_name.clone()),
            Part::OutsideParty => {
                let field = "custody_item.outside_party";
                let outside_party = guard.outside_party(field, &scope, &given.outside_party);
                change.outside_party = Some(NamedOutsideParty { outside_party });
            }
            Part::Location => change.location.clone_from(&location),
        }
    }
    let (envelope, mut openings) = guard.finish(&asked.request_id, &asked.origin, &asked.etag)?;
    openings.retain(|opening| change.location.as_ref() == Some(&opening.commitment));
    let mutation = Mutation {
        scope,
        envelope,
        action: Action::Custody(CustodyCommand::Update { id, change }),
        openings,
    };
    listing::change::<CustodyItem, _>(api, &caller, "UpdateCustodyItem", request, mutation).await
}

pub(super) async fn test(
    api: &Api,
    request: &Request<v1::RecordHandOverTestRequest>,
) -> Answer<v1::CustodyItem> {
    let caller = api.caller(request, Permission::Quotes).await?;
    let asked = request.get_ref();
    let [partnership, id] = parse_name("name", &asked.name, SHAPE)?;
    let given = asked.test.as_ref().ok_or_else(|| required("test"))?;
    let mut guard = Guard::new(api);
    let faults = &mut guard.intake.faults;
    let at = given.test_time.map(|at| timestamp("test.test_time", at));
    let at = faults.take(at.transpose());
    let is_passed = faults.take(outcome("test.outcome", given.outcome));
    let note = guard.text("test.note", &given.note);
    let (envelope, openings) = guard.finish(&asked.request_id, &asked.origin, &asked.etag)?;
    let test = TestDraft {
        at,
        is_passed,
        note,
    };
    let mutation = Mutation {
        scope: ScopeId::partnership(&partnership),
        envelope,
        action: Action::Custody(CustodyCommand::Test { id, test }),
        openings,
    };
    listing::change::<CustodyItem, _>(api, &caller, "RecordHandOverTest", request, mutation).await
}

pub(super) async fn retire(
    api: &Api,
    request: &Request<v1::RetireCustodyItemRequest>,
) -> Answer<v1::CustodyItem> {
    let caller = api.caller(request, Permission::Quotes).await?;
    let asked = request.get_ref();
    let [partnership, id] = parse_name("name", &asked.name, SHAPE)?;
    let mut guard = Guard::new(api);
    let reason = guard.text("reason", &asked.reason);
    let (envelope, openings) = guard.finish(&asked.request_id, &asked.origin, &asked.etag)?;
    let mutation = Mutation {
        scope: ScopeId::partnership(&partnership),
        envelope,
        action: Action::Custody(CustodyCommand::Retire { id, reason }),
        openings,
    };
    listing::change::<CustodyItem, _>(api, &caller, "RetireCustodyItem", request, mutation).await
}

pub(super) async fn get(
    api: &Api,
    request: &Request<v1::GetCustodyItemRequest>,
) -> Answer<v1::CustodyItem> {
    let caller = api.caller(request, Permission::Read).await?;
    let [partnership, id] = parse_name("name", &request.get_ref().name, SHAPE)?;
    let (member, found) = api.get::<CustodyItem>(&caller, &partnership, &id).await?;
    Ok(Response::new(listing::show(api, &member, found).await?))
}

pub(super) async fn list(
    api: &Api,
    request: &Request<v1::ListCustodyItemsRequest>,
) -> Answer<v1::ListCustodyItemsResponse> {
    let caller = api.caller(request, Permission::Read).await?;
    let asked = request.get_ref();
    let [partnership] = parse_name("parent", &asked.parent, "partnerships/*")?;
    let scope = ScopeId::partnership(&partnership);
    let state = state("state", asked.state)?;
    let client = client("client", &scope, &asked.client)?;
    let holder = party(&asked.holder);
    let member = api.member(&caller, &partnership).await?;
    let filters = (asked.state, asked.client.as_str(), asked.holder.as_str());
    let wanted = Wanted {
        purpose: &format!("ListCustodyItems:{partnership}:{filters:?}"),
        page_size: asked.page_size,
        page_token: &asked.page_token,
        recorded_state: state.map(CustodyState::as_str),
    };
    let keep = |found: &CustodyItem| {
        let is_held_by = |holder: &PartyId| found.holder == *holder;
        holder.as_ref().is_none_or(is_held_by) && is_of(found.owner.client(), client.as_deref())
    };
    let (custody_items, next_page_token) = listing::list(api, &member, wanted, keep).await?;
    Ok(Response::new(v1::ListCustodyItemsResponse {
        custody_items,
        next_page_token,
    }))
}

fn kind(field: &str, value: i32) -> Result<CustodyKind, Refusal> {
    Ok(match known_enum(field, value)? {
        v1::CustodyKind::Unspecified => {
            return Err(Refusal::field(Reason::InvalidField, field, "is required"));
        }
        v1::CustodyKind::Registrar => CustodyKind::Registrar,
        v1::CustodyKind::Dns => CustodyKind::Dns,
        v1::CustodyKind::Hosting => CustodyKind::Hosting,
        v1::CustodyKind::AdminAccount => CustodyKind::AdminAccount,
        v1::CustodyKind::Licence => CustodyKind::Licence,
        v1::CustodyKind::Backup => CustodyKind::Backup,
        v1::CustodyKind::Other => CustodyKind::Other,
    })
}

/// The kind as the contract shows it.
pub(super) const fn to_kind(kind: CustodyKind) -> v1::CustodyKind {
    match kind {
        CustodyKind::Registrar => v1::CustodyKind::Registrar,
        CustodyKind::Dns => v1::CustodyKind::Dns,
        CustodyKind::Hosting => v1::CustodyKind::Hosting,
        CustodyKind::AdminAccount => v1::CustodyKind::AdminAccount,
        CustodyKind::Licence => v1::CustodyKind::Licence,
        CustodyKind::Backup => v1::CustodyKind::Backup,
        CustodyKind::Other => v1::CustodyKind::Other,
    }
}

fn state(field: &str, value: i32) -> Result<Option<CustodyState>, Refusal> {
    let state = stated::<v1::CustodyState>(field, value)?;
    Ok(state.and_then(|state| match state {
        v1::CustodyState::Unspecified => None,
        v1::CustodyState::Held => Some(CustodyState::Held),
        v1::CustodyState::HandedOver => Some(CustodyState::HandedOver),
        v1::CustodyState::Retired => Some(CustodyState::Retired),
    }))
}

const fn to_state(state: CustodyState) -> v1::CustodyState {
    match state {
        CustodyState::Held => v1::CustodyState::Held,
        CustodyState::HandedOver => v1::CustodyState::HandedOver,
        CustodyState::Retired => v1::CustodyState::Retired,
    }
}

/// Whether a test was passed.
fn outcome(field: &str, value: i32) -> Result<bool, Refusal> {
    Ok(known_enum::<v1::HandOverTestOutcome>(field, value)? == v1::HandOverTestOutcome::Passed)
}

impl Shown for CustodyItem {
    type Message = v1::CustodyItem;

    const REFERENCED: bool = false;

    fn commitments(&self) -> Vec<Commitment> {
        let notes = self.tests.iter().map(|test| test.said.note.clone());
        let reason = self.retired.iter().map(|retired| retired.reason.clone());
        let location = std::iter::once(self.location.clone());
        location.chain(notes).chain(reason).flatten().collect()
    }

    fn shown(found: &Found<Self>, viewer: &Viewer<'_>) -> v1::CustodyItem {
        let item = &found.state;
        let scope = viewer.member.scope();
        let texts = &viewer.texts;
        let received = item.received.as_ref();
        let retired = item.retired.as_ref();
        let owner = match &item.owner {
            Owner::Client(_) => String::new(),
            Owner::Party(party) => party.to_string(),
        };
        let last_test = item.last_test();
        let by_request = received.map(|received| &received.request);
        let request = item.request.as_ref().or(by_request);
        let outcome = last_test.map(|test| to_outcome(test.said.is_passed));
        v1::CustodyItem {
            name: name_in(&scope, "custodyItems", &found.id),
            kind: to_kind(item.kind).into(),
            display_name: item.display_name.clone(),
            holder: item.holder.to_string(),
            client: client_name(&scope, item.owner.client()),
            owner,
            outside_party: outside_party_name(&scope, item.outside_party.as_deref()),
            location: texts.show(item.location.as_ref()),
            state: to_state(item.state).into(),
            tests: item
                .tests
                .iter()
                .map(|test| to_test(test, viewer))
                .collect(),
            last_test_time: last_test.map(|test| to_timestamp(test.said.at)),
            last_test_outcome: outcome.unwrap_or_default().into(),
            hand_over_request: request
                .map_or_else(String::new, |id| name_in(&scope, "handOverRequests", id)),
            received_by: received.map_or_else(String::new, |by| by.by.party.to_string()),
            receive_time: received.map(|received| to_timestamp(received.by.at)),
            retire_reason: texts.show(retired.and_then(|retired| retired.reason.as_ref())),
            retire_time: retired.map(|retired| to_timestamp(retired.by.at)),
            recorded_by: item.recorded.party.to_string(),
            asserted: item.is_asserted,
            create_time: Some(to_timestamp(found.created_at)),
            update_time: Some(to_timestamp(found.updated_at)),
            etag: etag(found.revision),
            redacted_fields: texts.redacted_fields(item.commitments()),
        }
    }
}

fn to_test(test: &HandOverTest, viewer: &Viewer<'_>) -> v1::HandOverTest {
    v1::HandOverTest {
        test_time: Some(to_timestamp(test.said.at)),
        outcome: to_outcome(test.said.is_passed).into(),
        note: viewer.texts.show(test.said.note.as_ref()),
        party_id: test.by.party.to_string(),
        firm: firm_of(&test.by),
        record_time: Some(to_timestamp(test.by.at)),
        asserted: test.said.is_asserted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_comes_back() {
        for value in 1..=7 {
            assert_eq!(i32::from(to_kind(kind("k", value).unwrap())), value);
        }
        for value in 1..=3 {
            let known = state("s", value).unwrap().unwrap();
            assert_eq!(i32::from(to_state(known)), value);
        }
        for value in 1..=2 {
            let known = outcome("o", value).unwrap();
            assert_eq!(i32::from(to_outcome(known)), value);
        }
        assert!(kind("k", 0).is_err() && kind("k", 8).is_err() && state("s", 4).is_err());
        assert!(outcome("o", 0).is_err() && outcome("o", 3).is_err());
    }
}
