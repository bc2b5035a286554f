//! Contacts between the contract and the domain.

use crate::api::convert::{known_enum, to_timestamp};
use crate::api::faults::Faults;
use crate::api::listing::{Shown, Viewer, name_in};
use crate::api::sla::parse_calendar;
use crate::api::sla::words::priority;
use crate::api::text::Sealer;
use crate::api::{Found, required};
use crate::domain::commitment::Commitment;
use crate::domain::contact::{
    CHANNELS_MAX, Channel, ChannelType, Contact, ContactContent, ContactRole, POSITION_MAX,
};
use crate::domain::refusal::Refusal;
use crate::domain::sla::clock::Priority;
use crate::domain::text::{DISPLAY_NAME_BYTES_MAX, require_display_name};
use crate::proto::v1;

impl Shown for Contact {
    type Message = v1::Contact;

    const REFERENCED: bool = false;

    fn commitments(&self) -> Vec<Commitment> {
        let addresses = self.content.channels.iter();
        let addresses = addresses.map(|channel| channel.address.clone());
        addresses.chain([self.content.person.clone()]).collect()
    }

    fn shown(found: &Found<Self>, viewer: &Viewer<'_>) -> v1::Contact {
        let content = &found.state.content;
        let scope = viewer.member.scope();
        let channels = content.channels.iter().map(|channel| v1::ContactChannel {
            r#type: to_channel_type(channel.channel_type).into(),
            address: viewer.texts.show(Some(&channel.address)),
        });
        let priorities = content.priorities.iter();
        let state = if found.state.is_deleted {
            v1::ContactState::Deleted
        } else {
            v1::ContactState::Active
        };
        v1::Contact {
            name: name_in(&scope, "contacts", &found.id),
            party: found.state.party.to_string(),
            role: to_role(content.role).into(),
            person: viewer.texts.show(Some(&content.person)),
            channels: channels.collect(),
            calendar: name_in(&scope, "calendars", &content.calendar),
            calendar_revision: i64::from(content.calendar_revision),
            priorities: priorities.map(|priority| priority.get().into()).collect(),
            escalation_position: i32::try_from(content.position).unwrap_or(i32::MAX),
            state: state.into(),
            create_time: Some(to_timestamp(found.created_at)),
            update_time: Some(to_timestamp(found.updated_at)),
            etag: found.etag(),
            redacted_fields: viewer.texts.redacted_fields(found.state.commitments()),
        }
    }
}

/// What a contact says, as a caller wrote it; every fault is noted. `None` only with a fault.
pub(super) fn contact_content(
    faults: &mut Faults,
    sealer: &mut Sealer<'_>,
    partnership: &str,
    asked: &v1::Contact,
) -> Option<ContactContent> {
    let role = faults.take(role("contact.role", asked.role).map(Some));
    let person = sealed(sealer, "contact.person", &asked.person);
    let channels = channels(faults, sealer, &asked.channels);
    let field = "contact.calendar";
    let calendar = faults.take(parse_calendar(field, &asked.calendar, partnership));
    let priorities = priorities(faults, &asked.priorities);
    let position = u32::try_from(asked.escalation_position).ok();
    let position = position.filter(|position| (1..=POSITION_MAX).contains(position));
    let range = format!("1 (first) to {POSITION_MAX}");
    faults.require(position.is_some(), "contact.escalation_position", &range);
    Some(ContactContent {
        role: role?,
        person: person?,
        channels,
        calendar,
        calendar_revision: 0,
        priorities,
        position: position?,
    })
}

/// A line that may not be empty, sealed for every party.
fn sealed(sealer: &mut Sealer<'_>, field: &str, text: &str) -> Option<Commitment> {
    require_display_name(&mut sealer.violations, field, text);
    if text.is_empty() || text.len() > DISPLAY_NAME_BYTES_MAX {
        return None;
    }
    sealer.text(field, text, DISPLAY_NAME_BYTES_MAX)
}

fn channels(
    faults: &mut Faults,
    sealer: &mut Sealer<'_>,
    asked: &[v1::ContactChannel],
) -> Vec<Channel> {
    let few = (1..=CHANNELS_MAX).contains(&asked.len());
    let range = format!("1 to {CHANNELS_MAX} channels");
    faults.require(few, "contact.channels", &range);
    let mut taken = Vec::new();
    for (index, channel) in asked.iter().take(CHANNELS_MAX).enumerate() {
        let field = |name: &str| format!("contact.channels[{index}].{name}");
        let channel_type = channel_type(&field("type"), channel.r#type);
        let channel_type = faults.take(channel_type.map(Some));
        let address = sealed(sealer, &field("address"), &channel.address);
        let pair = channel_type.zip(address);
        taken.extend(pair.map(|(channel_type, address)| Channel {
            channel_type,
            address,
        }));
    }
    taken
}

/// Priorities in ascending order, as the contract asks for them.
fn priorities(faults: &mut Faults, asked: &[i32]) -> Vec<Priority> {
    let field = "contact.priorities";
    let mut taken: Vec<Priority> = Vec::new();
    // One more than there are is one too many already.
    for (index, number) in asked.iter().take(6).enumerate() {
        let field = format!("{field}[{index}]");
        let Some(known) = faults.take(priority(&field, *number).map(Some)) else {
            continue;
        };
        let ascending = taken.last().is_none_or(|last| *last < known);
        faults.require(ascending, &field, "ascending, each priority once");
        taken.push(known);
    }
    faults.require(!asked.is_empty(), field, "at least one");
    taken
}

fn role(field: &str, value: i32) -> Result<ContactRole, Refusal> {
    match known_enum(field, value)? {
        v1::ContactRole::ServiceDesk => Ok(ContactRole::ServiceDesk),
        v1::ContactRole::DutyManager => Ok(ContactRole::DutyManager),
        v1::ContactRole::AccountManager => Ok(ContactRole::AccountManager),
        v1::ContactRole::Technical => Ok(ContactRole::Technical),
        v1::ContactRole::Finance => Ok(ContactRole::Finance),
        v1::ContactRole::Other => Ok(ContactRole::Other),
        v1::ContactRole::Unspecified => Err(required(field)),
    }
}

const fn to_role(role: ContactRole) -> v1::ContactRole {
    match role {
        ContactRole::ServiceDesk => v1::ContactRole::ServiceDesk,
        ContactRole::DutyManager => v1::ContactRole::DutyManager,
        ContactRole::AccountManager => v1::ContactRole::AccountManager,
        ContactRole::Technical => v1::ContactRole::Technical,
        ContactRole::Finance => v1::ContactRole::Finance,
        ContactRole::Other => v1::ContactRole::Other,
    }
}

fn channel_type(field: &str, value: i32) -> Result<ChannelType, Refusal> {
    match known_enum(field, value)? {
        v1::ContactChannelType::Phone => Ok(ChannelType::Phone),
        v1::ContactChannelType::Email => Ok(ChannelType::Email),
        v1::ContactChannelType::Chat => Ok(ChannelType::Chat),
        v1::ContactChannelType::Portal => Ok(ChannelType::Portal),
        v1::ContactChannelType::Unspecified => Err(required(field)),
    }
}

const fn to_channel_type(channel_type: ChannelType) -> v1::ContactChannelType {
    match channel_type {
        ChannelType::Phone => v1::ContactChannelType::Phone,
        ChannelType::Email => v1::ContactChannelType::Email,
        ChannelType::Chat => v1::ContactChannelType::Chat,
        ChannelType::Portal => v1::ContactChannelType::Portal,
    }
}
