//! Capabilities: which service a party can give, where, and when.

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use super::{not_yours, require_own};
use crate::domain::aggregate::{Aggregate, Recorded, events};
use crate::domain::command::Decision;
use crate::domain::commitment::Commitment;
use crate::domain::identity::{FirmId, PartyId};
use crate::domain::partnership::{Partnership, Party, as_active_party};
use crate::domain::record::{Event, Kind};
use crate::domain::refusal::Violations;
use crate::domain::sla::settings::Calendar;
use crate::domain::text::require_display_name;
use crate::domain::time::Timestamp;
use crate::domain::world::{Stop, View};

/// A party can do something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CapabilityOffered {
    /// The party.
    pub owner: PartyId,
    /// The service, for people.
    pub service: String,
    /// Where, for people; everywhere if not stated.
    pub region: Option<String>,
    /// When: identifier of a calendar of the partnership.
    pub calendar: Option<String>,
    /// When, in words: a commitment.
    pub hours: Option<Commitment>,
}

/// It no longer can.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CapabilityRetired {
    /// Which party says so.
    pub party: PartyId,
}

events! {
    /// What happens to a capability.
    CapabilityEvent {
        /// A party offers it.
        Offered(CapabilityOffered) = "capability.offered", 1;
        /// It no longer does.
        Retired(CapabilityRetired) = "capability.retired", 1;
    }
}

/// What a party can do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capability {
    /// What, where and when; never changed.
    pub offered: CapabilityOffered,
    /// When it was retired, if it was.
    pub retired_at: Option<Timestamp>,
}

/// Name in lists of what a party still can do.
pub const OFFERED: &str = "offered";
/// Name in lists of what it no longer does.
pub const RETIRED: &str = "retired";

impl Aggregate for Capability {
    type Event = CapabilityEvent;
    const BODY_VERSION: u32 = 1;

    fn apply(previous: Option<Self>, event: &CapabilityEvent, recorded: &Recorded) -> Option<Self> {
        match (previous, event) {
            (None, CapabilityEvent::Offered(offered)) => Some(Self {
                offered: offered.clone(),
                retired_at: None,
            }),
            (Some(mut capability), CapabilityEvent::Retired(_)) => {
                capability.retired_at = Some(recorded.at);
                Some(capability)
            }
            _ => None,
        }
    }

    fn state(&self) -> &'static str {
        if self.retired_at.is_none() {
            OFFERED
        } else {
            RETIRED
        }
    }
}

/// A capability as it is offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CapabilityDraft {
    /// The party; the caller's own if not stated.
    pub owner: Option<PartyId>,
    /// The service, for people.
    pub service: String,
    /// Where, for people.
    pub region: Option<String>,
    /// When: a calendar, which must exist.
    pub calendar: Option<String>,
    /// When, in words.
    pub hours: Option<Commitment>,
}

/// What can be asked of capabilities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CapabilityCommand {
    /// Offers one.
    Offer(CapabilityDraft),
    /// Says that it is no more.
    Retire {
        /// Which.
        id: String,
    },
}

/// Decides a command on a capability.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn decide(
    command: &CapabilityCommand,
    firm: &FirmId,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let (partnership, party) = as_active_party(firm, view)?;
    match command {
        CapabilityCommand::Offer(draft) => offer(draft, &party.id, partnership, view),
        CapabilityCommand::Retire { id } => retire(id, &party.id, partnership, view),
    }
}

fn offer(
    draft: &CapabilityDraft,
    party: &PartyId,
    partnership: &Partnership,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let owner = draft.owner.as_ref().unwrap_or(party);
    let mut violations = Violations::default();
    let field = "capability.party_id";
    require_own(&mut violations, field, owner, partnership, party);
    require_display_name(&mut violations, "capability.service", &draft.service);
    if let Some(region) = &draft.region {
        require_display_name(&mut violations, "capability.region", region);
    }
    violations.finish()?;
    if let Some(calendar) = &draft.calendar {
        view.get::<Calendar>(calendar)?;
    }
    let offered = CapabilityOffered {
        owner: owner.clone(),
        service: draft.service.clone(),
        region: draft.region.clone(),
        calendar: draft.calendar.clone(),
        hours: draft.hours.clone(),
    };
    let id = view.new_id(0);
    let event = Event::new(&id, CapabilityEvent::Offered(offered));
    Ok(Decision::about(Kind::Capability, id).event(event))
}

fn retire(
    id: &str,
    party: &PartyId,
    partnership: &Partnership,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let capability = view.get::<Capability>(id)?;
    let owner = &capability.offered.owner;
    let is_nobody = partnership.party(owner).is_some_and(Party::is_placeholder);
    if owner != party && !is_nobody {
        let message = "what a party can do is retired by that party";
        return Err(not_yours(party, message));
    }
    let decision = Decision::about(Kind::Capability, id);
    if capability.retired_at.is_some() {
        return Ok(decision);
    }
    let party = party.clone();
    let retired = CapabilityEvent::Retired(CapabilityRetired { party });
    Ok(decision.event(Event::new(id, retired)))
}
