//! Contacts: whom to reach at a party, when nobody is there, and who comes after whom.

mod convert;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use tonic::{Request, Response};

use self::convert::contact_content;
use super::Answer;
use crate::api::caller::Caller;
use crate::api::convert::{chosen_id, parse_name, timestamp, to_timestamp};
use crate::api::faults::Faults;
use crate::api::listing::{self, Wanted};
use crate::api::sla::pinned::{Pin, calendars};
use crate::api::sla::words::priority;
use crate::api::status::ApiError;
use crate::api::text::Sealer;
use crate::api::{Api, Envelope, Found, Member, Mutation, required, respond};
use crate::domain::command::Action;
use crate::domain::contact::{
    ACTIVE, CONTACTS_MAX, Contact, ContactCommand, GAPS_MAX, Stretch, gaps,
};
use crate::domain::firm::Permission;
use crate::domain::identity::{PartyId, ScopeId};
use crate::domain::record::{Kind, Stored};
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::sla::clock::Priority;
use crate::domain::sla::compiled::CompiledCalendar;
use crate::domain::time::{Span, Timestamp};
use crate::ledger::{Receipt, rows};
use crate::proto::v1;
use crate::store::ListQuery;

/// Shape of a contact's name.
const SHAPE: &str = "partnerships/*/contacts/*";
/// Shape of a partnership's name.
const PARENT: &str = "partnerships/*";
/// How long the period is whose gaps are looked for, where the caller does not say.
const PERIOD_DEFAULT: Span = Span::from_hours(7 * 24);
/// The longest period whose gaps are looked for.
pub(in crate::api) const PERIOD_MAX: Span = Span::from_hours(4 * 7 * 24);

pub(super) async fn create_contact(
    api: &Api,
    request: &Request<v1::CreateContactRequest>,
) -> Answer<v1::Contact> {
    let caller = api.caller(request, Permission::Tickets).await?;
    let message = request.get_ref();
    let [partnership] = parse_name("parent", &message.parent, PARENT)?;
    let asked = message.contact.as_ref();
    let asked = asked.ok_or_else(|| required("contact"))?;
    let mut faults = Faults::default();
    let mut sealer = Sealer::for_every_party(api);
    let id = faults.take(chosen_id("contact_id", &message.contact_id));
    let content = contact_content(&mut faults, &mut sealer, &partnership, asked);
    let openings = faults.finish_sealed(sealer)?;
    let party = Some(asked.party.as_str()).filter(|party| !party.is_empty());
    let command = ContactCommand::Create {
        id,
        party: party.map(PartyId::from_text),
        content: content.ok_or_else(|| required("contact"))?,
    };
    let mutation = Mutation {
        scope: ScopeId::partnership(&partnership),
        envelope: Envelope::new(&message.request_id, &message.origin, ""),
        action: Action::Contact(command),
        openings,
    };
    let receipt = api.run(&caller, "CreateContact", request, mutation).await?;
    answer(api, &caller, &partnership, &receipt).await
}

pub(super) async fn update_contact(
    api: &Api,
    request: &Request<v1::UpdateContactRequest>,
) -> Answer<v1::Contact> {
    let caller = api.caller(request, Permission::Tickets).await?;
    let message = request.get_ref();
    let asked = message.contact.as_ref();
    let asked = asked.ok_or_else(|| required("contact"))?;
    let [partnership, id] = parse_name("contact.name", &asked.name, SHAPE)?;
    let mut faults = Faults::default();
    let mut sealer = Sealer::for_every_party(api);
    let content = contact_content(&mut faults, &mut sealer, &partnership, asked);
    let openings = faults.finish_sealed(sealer)?;
    let content = content.ok_or_else(|| required("contact"))?;
    let mutation = Mutation {
        scope: ScopeId::partnership(&partnership),
        envelope: Envelope::new(&message.request_id, &message.origin, &asked.etag),
        action: Action::Contact(ContactCommand::Update { id, content }),
        openings,
    };
    let receipt = api.run(&caller, "UpdateContact", request, mutation).await?;
    answer(api, &caller, &partnership, &receipt).await
}

pub(super) async fn delete_contact(
    api: &Api,
    request: &Request<v1::DeleteContactRequest>,
) -> Answer<v1::Contact> {
    let caller = api.caller(request, Permission::Tickets).await?;
    let message = request.get_ref();
    let [partnership, id] = parse_name("name", &message.name, SHAPE)?;
    let mutation = Mutation {
        scope: ScopeId::partnership(&partnership),
        envelope: Envelope::new(&message.request_id, &message.origin, &message.etag),
        action: Action::Contact(ContactCommand::Delete { id }),
        openings: Vec::new(),
    };
    let receipt = api.run(&caller, "DeleteContact", request, mutation).await?;
    answer(api, &caller, &partnership, &receipt).await
}

/// The contact after a change.
async fn answer(
    api: &Api,
    caller: &Caller,
    partnership: &str,
    receipt: &Receipt,
) -> Answer<v1::Contact> {
    let (member, found) = api.get::<Contact>(caller, partnership, &receipt.id).await?;
    Ok(respond(listing::show(api, &member, found).await?, receipt))
}

pub(super) async fn get_contact(
    api: &Api,
    request: &Request<v1::GetContactRequest>,
) -> Answer<v1::Contact> {
    let caller = api.caller(request, Permission::Read).await?;
    let [partnership, id] = parse_name("name", &request.get_ref().name, SHAPE)?;
    let (member, found) = api.get::<Contact>(&caller, &partnership, &id).await?;
    Ok(Response::new(listing::show(api, &member, found).await?))
}

pub(super) async fn list_contacts(
    api: &Api,
    request: &Request<v1::ListContactsRequest>,
) -> Answer<v1::ListContactsResponse> {
    let caller = api.caller(request, Permission::Read).await?;
    let asked = request.get_ref();
    let [partnership] = parse_name("parent", &asked.parent, PARENT)?;
    let member = api.member(&caller, &partnership).await?;
    let wanted = Wanted {
        purpose: &format!(
            "ListContacts:{partnership}:{}:{}",
            asked.show_deleted, asked.party
        ),
        page_size: asked.page_size,
        page_token: &asked.page_token,
        recorded_state: (!asked.show_deleted).then_some(ACTIVE),
    };
    let keep = |contact: &Contact| asked.party.is_empty() || contact.party.as_str() == asked.party;
    let (contacts, next_page_token) = listing::list(api, &member, wanted, keep).await?;
    Ok(Response::new(v1::ListContactsResponse {
        contacts,
        next_page_token,
    }))
}

pub(super) async fn get_coverage_gaps(
    api: &Api,
    request: &Request<v1::GetCoverageGapsRequest>,
) -> Answer<v1::CoverageGaps> {
    let caller = api.caller(request, Permission::Read).await?;
    let message = request.get_ref();
    let [partnership] = parse_name("parent", &message.parent, PARENT)?;
    let (priorities, period) = asked_coverage(message, api.now())?;
    let member = api.member(&caller, &partnership).await?;
    let contacts = contacts_of(api, &member, &message.party).await?;
    let compiled = calendars_of(api, &member, &contacts).await?;
    let mut found = Vec::new();
    for priority in priorities {
        let pins: BTreeSet<Pin> = contacts
            .iter()
            .filter(|contact| contact.state.covers(priority))
            .map(|contact| pin(&contact.state))
            .collect();
        let open: Vec<&CompiledCalendar> = pins
            .iter()
            .filter_map(|pin| compiled.get(pin).map(Arc::as_ref))
            .collect();
        let uncovered = gaps(&open, period).map_err(|too_many| {
            too_large("gaps_per_priority", GAPS_MAX).with("reason", too_many.to_string())
        })?;
        found.extend(uncovered.into_iter().map(|gap| v1::CoverageGap {
            priority: priority.get().into(),
            start_time: Some(to_timestamp(gap.from)),
            end_time: Some(to_timestamp(gap.to)),
        }));
    }
    Ok(Response::new(v1::CoverageGaps {
        gaps: found,
        start_time: Some(to_timestamp(period.from)),
        end_time: Some(to_timestamp(period.to)),
    }))
}

/// Which priorities and which period a question is about.
fn asked_coverage(
    message: &v1::GetCoverageGapsRequest,
    now: Timestamp,
) -> Result<(BTreeSet<Priority>, Stretch), Refusal> {
    let mut faults = Faults::default();
    faults.require(!message.party.is_empty(), "party", "is required");
    let mut priorities = BTreeSet::new();
    // One too many is enough to find one twice.
    for (index, number) in message.priorities.iter().take(6).enumerate() {
        let field = format!("priorities[{index}]");
        if let Some(known) = faults.take(priority(&field, *number).map(Some)) {
            faults.require(priorities.insert(known), &field, "each priority once");
        }
    }
    if priorities.is_empty() {
        priorities = (1..=5).filter_map(Priority::new).collect();
    }
    let from = instant(&mut faults, "start_time", message.start_time).unwrap_or(now);
    let to = instant(&mut faults, "end_time", message.end_time);
    let to = to.unwrap_or_else(|| from.saturating_add(PERIOD_DEFAULT));
    let sensible = from < to && to.since(from) <= PERIOD_MAX;
    let rule = "must be later than start_time, by at most 4 weeks";
    faults.require(sensible, "end_time", rule);
    faults.finish()?;
    Ok((priorities, Stretch { from, to }))
}

/// An instant that a question names, if it names one.
fn instant(
    faults: &mut Faults,
    field: &str,
    value: Option<prost_types::Timestamp>,
) -> Option<Timestamp> {
    let instant = value.map(|value| timestamp(field, value)).transpose();
    let instant = faults.take(instant)?;
    faults.require(
        instant.is_storable(),
        field,
        "between the years 2000 and 2099",
    );
    Some(instant)
}

pub(super) async fn get_escalation_path(
    api: &Api,
    request: &Request<v1::GetEscalationPathRequest>,
) -> Answer<v1::EscalationPath> {
    let caller = api.caller(request, Permission::Read).await?;
    let message = request.get_ref();
    let [partnership] = parse_name("parent", &message.parent, PARENT)?;
    let mut faults = Faults::default();
    faults.require(!message.party.is_empty(), "party", "is required");
    let priority = faults.take(priority("priority", message.priority).map(Some));
    let as_of = instant(&mut faults, "as_of_time", message.as_of_time);
    faults.finish()?;
    let as_of = as_of.unwrap_or_else(|| api.now());
    let member = api.member(&caller, &partnership).await?;
    let mut contacts = contacts_of(api, &member, &message.party).await?;
    contacts.retain(|contact| priority.is_some_and(|it| contact.state.covers(it)));
    // They come by id, which decides among those of the same position.
    contacts.sort_by_key(|contact| contact.state.content.position);
    let compiled = calendars_of(api, &member, &contacts).await?;
    let times: Vec<_> = contacts
        .iter()
        .map(|contact| {
            let calendar = compiled.get(&pin(&contact.state));
            let is_open = calendar.is_some_and(|calendar| calendar.is_open(as_of));
            let next = calendar.and_then(|calendar| calendar.add(as_of, Span::ZERO));
            (is_open, next.filter(|_| !is_open))
        })
        .collect();
    let shown = listing::show_all(api, &member, &contacts).await?;
    let steps = shown.into_iter().zip(times);
    let steps = steps.map(|(contact, (is_open, next))| v1::EscalationStep {
        contact: Some(contact),
        is_open,
        next_open_time: next.map(to_timestamp),
    });
    Ok(Response::new(v1::EscalationPath {
        steps: steps.collect(),
        as_of_time: Some(to_timestamp(as_of)),
    }))
}

/// The calendars of the contacts of a party that cover a priority; `None` if it has no contacts.
///
/// # Errors
/// [`Reason::ResultTooLarge`] if there are too many contacts to look at.
pub(in crate::api) async fn covering(
    api: &Api,
    member: &Member,
    party: &PartyId,
    priority: Priority,
) -> Result<Option<Vec<Arc<CompiledCalendar>>>, ApiError> {
    let mut contacts = contacts_of(api, member, party.as_str()).await?;
    if contacts.is_empty() {
        return Ok(None);
    }
    contacts.retain(|contact| contact.state.covers(priority));
    let compiled = calendars_of(api, member, &contacts).await?;
    Ok(Some(compiled.into_values().collect()))
}

/// The contacts of a party that can be turned to, by id.
async fn contacts_of(
    api: &Api,
    member: &Member,
    party: &str,
) -> Result<Vec<Found<Contact>>, ApiError> {
    let party = PartyId::from_text(party);
    if member.partnership.state.party(&party).is_none() {
        return Err(Refusal::field(Reason::InvalidField, "party", "no such party").into());
    }
    let query = ListQuery {
        scope: member.scope(),
        kind: Kind::Contact,
        state: Some(ACTIVE.to_owned()),
        after_id: String::new(),
        limit: CONTACTS_MAX + 1,
    };
    let rows = api.ledger.store().list_records(&query).await?;
    if rows.len() > CONTACTS_MAX {
        return Err(too_large("contacts", CONTACTS_MAX).into());
    }
    let mut found = Vec::with_capacity(rows.len());
    for row in &rows {
        let versioned = rows::decode_row(row)?;
        let contact = Contact::from_record(&versioned.record).cloned();
        let contact = contact.filter(|contact| contact.party == party);
        found.extend(contact.map(|contact| Found::new(&row.key.id, contact, &versioned)));
    }
    Ok(found)
}

async fn calendars_of(
    api: &Api,
    member: &Member,
    contacts: &[Found<Contact>],
) -> Result<HashMap<Pin, Arc<CompiledCalendar>>, ApiError> {
    let pins = contacts.iter().map(|contact| pin(&contact.state));
    let pins: BTreeSet<Pin> = pins.collect();
    let pins: Vec<Pin> = pins.into_iter().collect();
    calendars(api, &member.scope(), &pins).await
}

fn pin(contact: &Contact) -> Pin {
    let content = &contact.content;
    (content.calendar.clone(), content.calendar_revision)
}

fn too_large(limit: &'static str, maximum: usize) -> Refusal {
    let described = format!("the answer would be about more than {maximum} {limit}");
    Refusal::new(Reason::ResultTooLarge, described)
        .with("limit", limit)
        .with("maximum", maximum)
}
