//! Those outside a partnership whom it concerns: the clients it serves, and the vendors, carriers
//! and registrars it depends on.

use serde::{Deserialize, Serialize};

use super::aggregate::{Aggregate, Recorded, events};
use super::command::Decision;
use super::firm::refuse_taken;
#[cfg(feature = "next-format")]
use super::format::Format;
use super::identity::{ExternalReference, FirmId};
#[cfg(feature = "next-format")]
use super::next_format;
use super::partnership::as_active_party;
use super::record::{Event, Kind};
use super::refusal::{Reason, Refusal, Violations};
use super::text::{require_display_name, require_reference};
use super::world::{Stop, View};

/// A client that the parties serve.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// Its name for people.
    pub display_name: String,
}

events! {
    /// What happens to a client.
    ClientEvent {
        /// It was recorded.
        Created(Client) = "client.created", 1;
    }
}

impl Aggregate for Client {
    type Event = ClientEvent;
    #[cfg(not(feature = "next-format"))]
    const BODY_VERSION: u32 = 1;
    #[cfg(feature = "next-format")]
    const BODY_VERSION: u32 = next_format::CLIENT_VERSION;

    #[cfg(feature = "next-format")]
    fn version_in(format: Format) -> u32 {
        if format > Format::FIRST {
            next_format::CLIENT_VERSION
        } else {
            1
        }
    }

    #[cfg(feature = "next-format")]
    fn write(&self, version: u32) -> Result<String, serde_json::Error> {
        if version == next_format::CLIENT_VERSION {
            return next_format::write(self);
        }
        serde_json::to_string(self)
    }

    #[cfg(feature = "next-format")]
    fn read(version: u32, body: &str) -> Option<Result<Self, serde_json::Error>> {
        match version {
            1 => Some(serde_json::from_str(body)),
            next_format::CLIENT_VERSION => Some(next_format::read(body)),
            _ => None,
        }
    }

    fn apply(previous: Option<Self>, event: &ClientEvent, _recorded: &Recorded) -> Option<Self> {
        let ClientEvent::Created(created) = event;
        previous.is_none().then(|| created.clone())
    }
}

/// What an outside party does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutsidePartyType {
    /// Makes or sells a product.
    Vendor,
    /// Runs lines.
    Carrier,
    /// Keeps domain names.
    Registrar,
    /// Something else.
    Other,
}

/// Someone on whom the parties depend without having them in the partnership.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutsideParty {
    /// Its name for people.
    pub display_name: String,
    /// What it does.
    pub party_type: OutsidePartyType,
}

events! {
    /// What happens to an outside party.
    OutsidePartyEvent {
        /// It was recorded.
        Created(OutsideParty) = "outside_party.created", 1;
    }
}

impl Aggregate for OutsideParty {
    type Event = OutsidePartyEvent;
    const BODY_VERSION: u32 = 1;

    fn apply(
        previous: Option<Self>,
        event: &OutsidePartyEvent,
        _recorded: &Recorded,
    ) -> Option<Self> {
        let OutsidePartyEvent::Created(created) = event;
        previous.is_none().then(|| created.clone())
    }
}

/// What can be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutsiderCommand {
    /// Records a client.
    CreateClient {
        /// An identifier that the caller chose; otherwise one is made.
        id: Option<String>,
        /// The client.
        client: Client,
        /// Its id in the firm's own software.
        reference: Option<ExternalReference>,
    },
    /// Records an outside party.
    CreateOutsideParty {
        /// An identifier that the caller chose; otherwise one is made.
        id: Option<String>,
        /// The outside party.
        outside_party: OutsideParty,
        /// Its id in the firm's own software.
        reference: Option<ExternalReference>,
    },
}

/// Decides a command on clients and outside parties.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn decide(command: &OutsiderCommand, firm: &FirmId, view: &View<'_>) -> Result<Decision, Stop> {
    as_active_party(firm, view)?;
    let (kind, id, name, field, reference) = match command {
        OutsiderCommand::CreateClient {
            id,
            client,
            reference,
        } => (Kind::Client, id, &client.display_name, "client", reference),
        OutsiderCommand::CreateOutsideParty {
            id,
            outside_party,
            reference,
        } => (
            Kind::OutsideParty,
            id,
            &outside_party.display_name,
            "outside_party",
            reference,
        ),
    };
    let mut violations = Violations::default();
    require_display_name(&mut violations, &format!("{field}.display_name"), name);
    if let Some(reference) = reference {
        require_reference(
            &mut violations,
            &format!("{field}.external_references[0]"),
            reference,
        );
    }
    violations.finish()?;
    let id = id.clone().unwrap_or_else(|| view.new_id(0));
    let taken = match command {
        OutsiderCommand::CreateClient { .. } => view.find::<Client>(&id)?.is_some(),
        OutsiderCommand::CreateOutsideParty { .. } => view.find::<OutsideParty>(&id)?.is_some(),
    };
    if taken {
        return Err(already_exists(kind, &id).into());
    }
    if let Some(reference) = reference {
        refuse_taken(reference, view)?;
    }
    let event = match command {
        OutsiderCommand::CreateClient { client, .. } => {
            Event::new(&id, ClientEvent::Created(client.clone()))
        }
        OutsiderCommand::CreateOutsideParty { outside_party, .. } => {
            Event::new(&id, OutsidePartyEvent::Created(outside_party.clone()))
        }
    };
    let decision = Decision::about(kind, &id).event(event);
    Ok(match reference {
        Some(reference) => decision.reference(reference.clone(), kind, &id),
        None => decision,
    })
}

/// The refusal for an identifier that is taken.
#[must_use]
pub fn already_exists(kind: Kind, id: &str) -> Refusal {
    Refusal::new(
        Reason::AlreadyExists,
        format!("{} {id} exists", kind.as_str()),
    )
    .with("resource", id)
}
