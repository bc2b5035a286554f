//! Whom to reach at a party, in which order, for what and when.

mod coverage;

use serde::{Deserialize, Serialize};

use super::aggregate::{Aggregate, Recorded, events};
use super::command::Decision;
use super::commitment::Commitment;
use super::identity::{FirmId, PartyId};
use super::outsiders::already_exists;
use super::partnership::{Partnership, Party, as_active_party};
use super::record::{Event, Kind};
use super::refusal::{Reason, Refusal, Violations};
use super::sla::clock::Priority;
use super::sla::settings::Calendar;
use super::time::Timestamp;
use super::world::{Stop, View};

pub use coverage::{Coverage, GAPS_MAX, STEPS_MAX, Stretch, TooManyStretches, coverage, gaps};

/// Most channels of one contact.
pub const CHANNELS_MAX: usize = 10;
/// The last position of an escalation path.
pub const POSITION_MAX: u32 = 100;
/// Most contacts of a partnership that a question about coverage or escalation looks at.
pub const CONTACTS_MAX: usize = 200;
/// The state of a contact that can be reached.
pub const ACTIVE: &str = "active";

/// What a contact does at its firm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContactRole {
    /// Takes tickets.
    ServiceDesk,
    /// Decides while on duty.
    DutyManager,
    /// Looks after the partner.
    AccountManager,
    /// Knows the technology.
    Technical,
    /// Looks after money.
    Finance,
    /// Anything else.
    Other,
}

/// How a contact is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelType {
    /// By telephone.
    Phone,
    /// By electronic mail.
    Email,
    /// In a chat.
    Chat,
    /// On a web page.
    Portal,
}

/// One way to reach a contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    /// Of which sort.
    pub channel_type: ChannelType,
    /// The number or address: a commitment.
    pub address: Commitment,
}

/// What a contact says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContactContent {
    /// What it does at its firm.
    pub role: ContactRole,
    /// The person's or the desk's name: a commitment.
    pub person: Commitment,
    /// How it is reached, the best way first; 1 to [`CHANNELS_MAX`].
    pub channels: Vec<Channel>,
    /// In which calendar of the partnership it is there.
    pub calendar: String,
    /// In which revision of it; 0 in a request for the latest.
    pub calendar_revision: u32,
    /// For which priorities, ascending.
    pub priorities: Vec<Priority>,
    /// Its place in the escalation path, 1 (first) to [`POSITION_MAX`].
    pub position: u32,
}

/// A contact of a party.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// Of which party.
    pub party: PartyId,
    /// What it says.
    pub content: ContactContent,
    /// Whether it was deleted; it stays readable.
    pub is_deleted: bool,
    /// When it was written down.
    pub named_at: Timestamp,
    /// When it was deleted, if it was.
    pub deleted_at: Option<Timestamp>,
}

/// A contact was written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContactCreated {
    /// Of which party.
    pub party: PartyId,
    /// What it says.
    pub content: ContactContent,
}

/// A contact was deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContactDeleted {}

events! {
    /// What happens to a contact.
    ContactEvent {
        /// It was written down.
        Created(ContactCreated) = "contact.created", 1;
        /// It says something else from now on.
        Updated(ContactContent) = "contact.updated", 1;
        /// It was deleted.
        Deleted(ContactDeleted) = "contact.deleted", 1;
    }
}

impl Aggregate for Contact {
    type Event = ContactEvent;
    const BODY_VERSION: u32 = 1;

    fn apply(previous: Option<Self>, event: &ContactEvent, recorded: &Recorded) -> Option<Self> {
        match (previous, event) {
            (None, ContactEvent::Created(created)) => Some(Self {
                party: created.party.clone(),
                content: created.content.clone(),
                is_deleted: false,
                named_at: recorded.at,
                deleted_at: None,
            }),
            (Some(contact), ContactEvent::Updated(content)) if !contact.is_deleted => Some(Self {
                content: content.clone(),
                ..contact
            }),
            (Some(contact), ContactEvent::Deleted(_)) if !contact.is_deleted => Some(Self {
                is_deleted: true,
                deleted_at: Some(recorded.at),
                ..contact
            }),
            _ => None,
        }
    }

    fn state(&self) -> &'static str {
        if self.is_deleted { "deleted" } else { ACTIVE }
    }
}

impl Contact {
    /// Whether it is one to turn to for `priority`.
    #[must_use]
    pub fn covers(&self, priority: Priority) -> bool {
        !self.is_deleted && self.content.priorities.contains(&priority)
    }
}

/// What can be asked of contacts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContactCommand {
    /// Writes a contact down.
    Create {
        /// An identifier that the caller chose; otherwise one is made.
        id: Option<String>,
        /// Of which party; `None` for the caller's own.
        party: Option<PartyId>,
        /// What it says.
        content: ContactContent,
    },
    /// Replaces what a contact says.
    Update {
        /// Which contact.
        id: String,
        /// What it says from now on.
        content: ContactContent,
    },
    /// Deletes a contact; deleting it again changes nothing.
    Delete {
        /// Which contact.
        id: String,
    },
}

/// Decides a command on contacts.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn decide(command: &ContactCommand, firm: &FirmId, view: &View<'_>) -> Result<Decision, Stop> {
    let (partnership, own) = as_active_party(firm, view)?;
    match command {
        ContactCommand::Create { id, party, content } => {
            let party = party.as_ref().unwrap_or(&own.id);
            create(id.as_deref(), party, content, partnership, own, view)
        }
        ContactCommand::Update { id, content } => {
            let contact = writable(id, "UpdateContact", partnership, own, view)?;
            if contact.is_deleted {
                return Err(Refusal::invalid_state(contact.state(), "UpdateContact").into());
            }
            let content = complete(content, view)?;
            let updated = Event::new(id, ContactEvent::Updated(content));
            Ok(Decision::about(Kind::Contact, id).event(updated))
        }
        ContactCommand::Delete { id } => {
            let contact = writable(id, "DeleteContact", partnership, own, view)?;
            let decision = Decision::about(Kind::Contact, id);
            if contact.is_deleted {
                return Ok(decision);
            }
            let deleted = ContactEvent::Deleted(ContactDeleted {});
            Ok(decision.event(Event::new(id, deleted)))
        }
    }
}

fn create(
    id: Option<&str>,
    party: &PartyId,
    content: &ContactContent,
    partnership: &Partnership,
    own: &Party,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    if partnership.party(party).is_none() {
        let field = "contact.party";
        return Err(Refusal::field(Reason::InvalidField, field, "no such party").into());
    }
    require_writer(party, "CreateContact", partnership, own)?;
    let id = id.map_or_else(|| view.new_id(0), str::to_owned);
    if view.find::<Contact>(&id)?.is_some() {
        return Err(already_exists(Kind::Contact, &id).into());
    }
    let created = ContactCreated {
        party: party.clone(),
        content: complete(content, view)?,
    };
    let created = Event::new(&id, ContactEvent::Created(created));
    Ok(Decision::about(Kind::Contact, &id).event(created))
}

/// A contact that `own` may change.
fn writable<'world>(
    id: &str,
    action: &str,
    partnership: &Partnership,
    own: &Party,
    view: &View<'world>,
) -> Result<&'world Contact, Stop> {
    let contact = view.get::<Contact>(id)?;
    require_writer(&contact.party, action, partnership, own)?;
    Ok(contact)
}

/// A firm writes its own contacts, and those of a placeholder until a firm stands there.
fn require_writer(
    party: &PartyId,
    action: &str,
    partnership: &Partnership,
    own: &Party,
) -> Result<(), Refusal> {
    let is_placeholder = || {
        let found = partnership.party(party);
        found.is_some_and(|party| party.firm.is_none())
    };
    if *party == own.id || is_placeholder() {
        return Ok(());
    }
    let message = format!("only {party} itself changes its contacts");
    Err(Refusal::new(Reason::InvalidState, message)
        .with("state", ACTIVE)
        .with("action", action)
        .with("party_id", party))
}

/// The content with its calendar pinned, if it is sound.
fn complete(content: &ContactContent, view: &View<'_>) -> Result<ContactContent, Stop> {
    check(content)?;
    let missing = |field: &str, what: &str| Refusal::field(Reason::NotFound, field, what);
    let calendar = view
        .find::<Calendar>(&content.calendar)?
        .ok_or_else(|| missing("contact.calendar", "no such calendar"))?;
    let mut content = content.clone();
    if content.calendar_revision == 0 {
        content.calendar_revision = calendar.latest_revision;
    }
    if content.calendar_revision > calendar.latest_revision {
        return Err(missing("contact.calendar_revision", "no such revision").into());
    }
    Ok(content)
}

fn check(content: &ContactContent) -> Result<(), Refusal> {
    let mut violations = Violations::default();
    let few = (1..=CHANNELS_MAX).contains(&content.channels.len());
    let rule = format!("1 to {CHANNELS_MAX} channels");
    violations.require(few, "contact.channels", &rule);
    let sorted = content
        .priorities
        .windows(2)
        .all(|pair| pair.first() < pair.last());
    let stated = !content.priorities.is_empty() && sorted;
    violations.require(
        stated,
        "contact.priorities",
        "at least one, ascending, each once",
    );
    let known = (1..=POSITION_MAX).contains(&content.position);
    let rule = format!("1 (first) to {POSITION_MAX}");
    violations.require(known, "contact.escalation_position", &rule);
    violations.finish()
}
