//! Decisions on what is held.

use serde::{Deserialize, Serialize};

use super::{
    CustodyItem, CustodyItemCreated, CustodyItemEvent, CustodyItemRetired, CustodyItemUpdated,
    CustodyKind, CustodyState, HandOverTested, Owner,
};
use crate::domain::command::Decision;
use crate::domain::commitment::Commitment;
use crate::domain::custody::{require_one_of, require_party};
use crate::domain::identity::{FirmId, PartyId};
use crate::domain::outsiders::{Client, OutsideParty, already_exists};
use crate::domain::partnership::{Partnership, Party, as_present_party};
use crate::domain::record::{Event, Kind};
use crate::domain::refusal::{Refusal, Violations};
use crate::domain::text::require_display_name;
use crate::domain::time::Timestamp;
use crate::domain::world::{Stop, View};

/// An item as it is recorded first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustodyDraft {
    /// An identifier that the caller chose; otherwise one is made.
    pub id: Option<String>,
    /// What it is.
    pub kind: CustodyKind,
    /// Its name for people.
    pub display_name: String,
    /// The party that holds it; the caller's own if not stated.
    pub holder: Option<PartyId>,
    /// Whose it is; a client must exist.
    pub owner: Owner,
    /// The outside party with which it is held, which must exist.
    pub outside_party: Option<String>,
    /// Where it is kept.
    pub location: Option<Commitment>,
}

/// The outside party that is named from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedOutsideParty {
    /// Its identifier; `None` if none is named any longer.
    pub outside_party: Option<String>,
}

/// What is to change; what is `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CustodyChange {
    /// What it is.
    pub kind: Option<CustodyKind>,
    /// Its name for people.
    pub display_name: Option<String>,
    /// The outside party that is named from now on.
    pub outside_party: Option<NamedOutsideParty>,
    /// Where it is kept from now on.
    pub location: Option<Commitment>,
}

/// A test as it is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestDraft {
    /// When; `None` for just now.
    pub at: Option<Timestamp>,
    /// Whether it could have been handed over.
    pub is_passed: bool,
    /// What was found.
    pub note: Option<Commitment>,
}

/// What can be asked of what is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CustodyCommand {
    /// Records an item; for every party, whoever holds it.
    Create(CustodyDraft),
    /// Changes one that is held; for its holder, and for whoever recorded it.
    Update {
        /// Which item.
        id: String,
        /// What is to change.
        change: CustodyChange,
    },
    /// Records a test; for every party.
    Test {
        /// Which item.
        id: String,
        /// The test.
        test: TestDraft,
    },
    /// Says that it is no more; for its holder, and for whoever recorded it.
    Retire {
        /// Which item.
        id: String,
        /// Why.
        reason: Option<Commitment>,
    },
}

/// Decides a command on what is held.
///
/// # Errors
/// A refusal, or what has to be loaded first.
pub fn decide(command: &CustodyCommand, firm: &FirmId, view: &View<'_>) -> Result<Decision, Stop> {
    let (partnership, party) = as_present_party(firm, view)?;
    match command {
        CustodyCommand::Create(draft) => create(draft, party, partnership, view),
        CustodyCommand::Update { id, change } => {
            let item = held(id, "UpdateCustodyItem", view)?;
            require_keeper(item, partnership, party, "UpdateCustodyItem")?;
            update(id, item, change, party, view)
        }
        CustodyCommand::Test { id, test } => {
            held(id, "RecordHandOverTest", view)?;
            let said = HandOverTested {
                party: party.id.clone(),
                at: test.at.unwrap_or(view.now),
                is_passed: test.is_passed,
                note: test.note.clone(),
                is_asserted: partnership.is_alone(),
            };
            let sensible = said.at >= Timestamp::EARLIEST && said.at <= view.now;
            let mut violations = Violations::default();
            let rule = "not before the year 2000, and not in the future";
            violations.require(sensible, "test.test_time", rule);
            violations.finish()?;
            Ok(changed(id, CustodyItemEvent::Tested(said)))
        }
        CustodyCommand::Retire { id, reason } => {
            retire(id, reason.as_ref(), party, partnership, view)
        }
    }
}

fn changed(id: &str, event: CustodyItemEvent) -> Decision {
    Decision::about(Kind::CustodyItem, id).event(Event::new(id, event))
}

/// The item, if its holder still has it.
fn held<'world>(id: &str, action: &str, view: &View<'world>) -> Result<&'world CustodyItem, Stop> {
    let item = view.get::<CustodyItem>(id)?;
    match item.state {
        CustodyState::Held => Ok(item),
        over => Err(Refusal::invalid_state(over.as_str(), action).into()),
    }
}

fn require_keeper(
    item: &CustodyItem,
    partnership: &Partnership,
    own: &Party,
    action: &str,
) -> Result<(), Refusal> {
    let keepers = [&item.holder, &item.recorded.party];
    require_one_of(&keepers, partnership, own, action)
}

fn create(
    draft: &CustodyDraft,
    party: &Party,
    partnership: &Partnership,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let holder = draft.holder.as_ref().unwrap_or(&party.id);
    let mut violations = Violations::default();
    let field = "custody_item.display_name";
    require_display_name(&mut violations, field, &draft.display_name);
    violations.take(require_party(partnership, holder, "custody_item.holder"));
    if let Owner::Party(owner) = &draft.owner {
        violations.take(require_party(partnership, owner, "custody_item.owner"));
    }
    violations.finish()?;
    let id = draft.id.clone().unwrap_or_else(|| view.new_id(0));
    if view.find::<CustodyItem>(&id)?.is_some() {
        return Err(already_exists(Kind::CustodyItem, &id).into());
    }
    if let Some(client) = draft.owner.client() {
        view.get::<Client>(client)?;
    }
    if let Some(outside_party) = &draft.outside_party {
        view.get::<OutsideParty>(outside_party)?;
    }
    let created = CustodyItemCreated {
        party: party.id.clone(),
        kind: draft.kind,
        display_name: draft.display_name.clone(),
        holder: holder.clone(),
        owner: draft.owner.clone(),
        outside_party: draft.outside_party.clone(),
        location: draft.location.clone(),
        is_asserted: partnership.is_alone(),
    };
    Ok(changed(&id, CustodyItemEvent::Created(created)))
}

fn update(
    id: &str,
    item: &CustodyItem,
    change: &CustodyChange,
    party: &Party,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let mut violations = Violations::default();
    if let Some(display_name) = &change.display_name {
        let field = "custody_item.display_name";
        require_display_name(&mut violations, field, display_name);
    }
    violations.finish()?;
    let named = change.outside_party.as_ref();
    if let Some(outside_party) = named.and_then(|named| named.outside_party.as_deref()) {
        view.get::<OutsideParty>(outside_party)?;
    }
    let updated = CustodyItemUpdated {
        party: party.id.clone(),
        kind: change.kind.filter(|kind| *kind != item.kind),
        display_name: change
            .display_name
            .clone()
            .filter(|name| *name != item.display_name),
        outside_party: change
            .outside_party
            .clone()
            .filter(|named| named.outside_party != item.outside_party),
        location: change.location.clone(),
    };
    let changes = updated.kind.is_some()
        || updated.display_name.is_some()
        || updated.outside_party.is_some()
        || updated.location.is_some();
    Ok(if changes {
        changed(id, CustodyItemEvent::Updated(updated))
    } else {
        Decision::about(Kind::CustodyItem, id)
    })
}

fn retire(
    id: &str,
    reason: Option<&Commitment>,
    party: &Party,
    partnership: &Partnership,
    view: &View<'_>,
) -> Result<Decision, Stop> {
    let action = "RetireCustodyItem";
    let item = view.get::<CustodyItem>(id)?;
    require_keeper(item, partnership, party, action)?;
    if item.state == CustodyState::Retired {
        return Ok(Decision::about(Kind::CustodyItem, id));
    }
    held(id, action, view)?;
    if let Some(request) = &item.request {
        // Nobody gets out of a request by declaring that there is nothing to hand over.
        return Err(Refusal::invalid_state("requested", action)
            .with("hand_over_request", request)
            .into());
    }
    Ok(changed(
        id,
        CustodyItemEvent::Retired(CustodyItemRetired {
            party: party.id.clone(),
            reason: reason.cloned(),
        }),
    ))
}
