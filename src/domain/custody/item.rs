//! What a party holds for a client or for another party: what it is, where it is kept, when somebody
//! last tried whether it can be handed over. What opens it is never written down.

mod decide;

use serde::{Deserialize, Serialize};

pub use decide::{
    CustodyChange, CustodyCommand, CustodyDraft, NamedOutsideParty, TestDraft, decide,
};

use crate::domain::aggregate::{Aggregate, By, Recorded, events};
use crate::domain::commitment::Commitment;
use crate::domain::identity::PartyId;
use crate::domain::time::Timestamp;

/// Most tests that an item shows; earlier ones stay in the journal.
pub const TESTS_SHOWN_MAX: usize = 24;

/// What is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CustodyKind {
    /// A domain at a registrar.
    Registrar,
    /// A zone of the domain name system.
    Dns,
    /// A place where something runs.
    Hosting,
    /// An account that may do everything.
    AdminAccount,
    /// A licence or subscription.
    Licence,
    /// Copies of data.
    Backup,
    /// Something else.
    Other,
}

/// How far it has come with an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CustodyState {
    /// Its holder has it.
    Held,
    /// It was handed over, and whoever asked for it has received it.
    HandedOver,
    /// It is no more.
    Retired,
}

impl CustodyState {
    /// The name used in lists and errors.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::HandedOver => "handed_over",
            Self::Retired => "retired",
        }
    }
}

/// Whose it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Owner {
    /// A client's: its identifier.
    Client(String),
    /// A party's own.
    Party(PartyId),
}

impl Owner {
    /// The client, if it is one's.
    #[must_use]
    pub fn client(&self) -> Option<&str> {
        match self {
            Self::Client(client) => Some(client),
            Self::Party(_) => None,
        }
    }
}

/// It was recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustodyItemCreated {
    /// By which party.
    pub party: PartyId,
    /// What it is.
    pub kind: CustodyKind,
    /// Its name for people.
    pub display_name: String,
    /// The party that holds it.
    pub holder: PartyId,
    /// Whose it is.
    pub owner: Owner,
    /// Identifier of the outside party with which it is held.
    pub outside_party: Option<String>,
    /// Where it is kept, in words: a commitment.
    pub location: Option<Commitment>,
    /// Whether no other firm had joined that could have said otherwise.
    pub is_asserted: bool,
}

/// It was changed; what is `None` stayed as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustodyItemUpdated {
    /// By which party.
    pub party: PartyId,
    /// What it is.
    pub kind: Option<CustodyKind>,
    /// Its name for people.
    pub display_name: Option<String>,
    /// The outside party that is named from now on.
    pub outside_party: Option<NamedOutsideParty>,
    /// Where it is kept from now on: a commitment.
    pub location: Option<Commitment>,
}

/// Somebody tried whether it can be handed over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HandOverTested {
    /// The party that did.
    pub party: PartyId,
    /// When.
    pub at: Timestamp,
    /// Whether it could have been.
    pub is_passed: bool,
    /// What was found: a commitment.
    pub note: Option<Commitment>,
    /// Whether no other firm had joined that could have said otherwise.
    pub is_asserted: bool,
}

/// A test, and who recorded it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HandOverTest {
    /// What was said.
    pub said: HandOverTested,
    /// Who said it, and when.
    pub by: By,
}

/// A request for it was made, or is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemRequest {
    /// Identifier of the request.
    pub request: String,
}

/// It was handed over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemHandedOver {
    /// Identifier of the request by which.
    pub request: String,
    /// The party that received it.
    pub to: PartyId,
}

/// It is no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustodyItemRetired {
    /// The party that says so.
    pub party: PartyId,
    /// Why: a commitment.
    pub reason: Option<Commitment>,
}

/// To whom it was handed over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Received {
    /// The party that received it, and when it said so.
    pub by: By,
    /// Identifier of the request by which.
    pub request: String,
}

/// Why it is no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retirement {
    /// Why: a commitment.
    pub reason: Option<Commitment>,
    /// Who said so, and when.
    pub by: By,
}

events! {
    /// What happens to something that is held.
    CustodyItemEvent {
        /// It was recorded.
        Created(CustodyItemCreated) = "custody_item.created", 1;
        /// It was changed.
        Updated(CustodyItemUpdated) = "custody_item.updated", 1;
        /// Somebody tried whether it can be handed over.
        Tested(HandOverTested) = "custody_item.tested", 1;
        /// It was asked for.
        Requested(ItemRequest) = "custody_item.requested", 1;
        /// It is asked for no more, and stays where it was.
        Freed(ItemRequest) = "custody_item.freed", 1;
        /// It was handed over.
        HandedOver(ItemHandedOver) = "custody_item.handed_over", 1;
        /// It is no more.
        Retired(CustodyItemRetired) = "custody_item.retired", 1;
    }
}

/// Something that a party holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustodyItem {
    /// What it is.
    pub kind: CustodyKind,
    /// Its name for people.
    pub display_name: String,
    /// The party that holds it.
    pub holder: PartyId,
    /// Whose it is.
    pub owner: Owner,
    /// Identifier of the outside party with which it is held.
    pub outside_party: Option<String>,
    /// Where it is kept, in words: a commitment.
    pub location: Option<Commitment>,
    /// How far it has come with it.
    pub state: CustodyState,
    /// Who recorded it, and when.
    pub recorded: By,
    /// Whether no other firm had joined that could have said otherwise.
    pub is_asserted: bool,
    /// The latest tests, in the order in which they were recorded; at most [`TESTS_SHOWN_MAX`].
    pub tests: Vec<HandOverTest>,
    /// Identifier of the request that it is to be handed over by, while there is one.
    pub request: Option<String>,
    /// To whom it was handed over.
    pub received: Option<Received>,
    /// Why it is no more.
    pub retired: Option<Retirement>,
}

impl CustodyItem {
    /// The test of the latest date, whether passed or not.
    #[must_use]
    pub fn last_test(&self) -> Option<&HandOverTest> {
        self.tests.iter().max_by_key(|test| test.said.at)
    }

    fn created(created: &CustodyItemCreated, recorded: &Recorded) -> Option<Self> {
        Some(Self {
            kind: created.kind,
            display_name: created.display_name.clone(),
            holder: created.holder.clone(),
            owner: created.owner.clone(),
            outside_party: created.outside_party.clone(),
            location: created.location.clone(),
            state: CustodyState::Held,
            recorded: By::of(&created.party, recorded)?,
            is_asserted: created.is_asserted,
            tests: Vec::new(),
            request: None,
            received: None,
            retired: None,
        })
    }

    fn update(&mut self, updated: &CustodyItemUpdated) {
        if let Some(kind) = updated.kind {
            self.kind = kind;
        }
        if let Some(display_name) = &updated.display_name {
            self.display_name.clone_from(display_name);
        }
        if let Some(named) = &updated.outside_party {
            self.outside_party.clone_from(&named.outside_party);
        }
        if updated.location.is_some() {
            self.location.clone_from(&updated.location);
        }
    }

    fn changed(mut self, event: &CustodyItemEvent, recorded: &Recorded) -> Option<Self> {
        match event {
            CustodyItemEvent::Created(_) => return None,
            CustodyItemEvent::Updated(updated) => self.update(updated),
            CustodyItemEvent::Tested(said) => {
                self.tests.push(HandOverTest {
                    said: said.clone(),
                    by: By::of(&said.party, recorded)?,
                });
                let surplus = self.tests.len().saturating_sub(TESTS_SHOWN_MAX);
                self.tests.drain(..surplus);
            }
            CustodyItemEvent::Requested(asked) => self.request = Some(asked.request.clone()),
            CustodyItemEvent::Freed(_) => self.request = None,
            CustodyItemEvent::HandedOver(handed_over) => {
                self.state = CustodyState::HandedOver;
                self.request = None;
                self.received = Some(Received {
                    by: By::of(&handed_over.to, recorded)?,
                    request: handed_over.request.clone(),
                });
            }
            CustodyItemEvent::Retired(retired) => {
                self.state = CustodyState::Retired;
                self.retired = Some(Retirement {
                    reason: retired.reason.clone(),
                    by: By::of(&retired.party, recorded)?,
                });
            }
        }
        Some(self)
    }
}

impl Aggregate for CustodyItem {
    type Event = CustodyItemEvent;
    const BODY_VERSION: u32 = 1;

    fn apply(
        previous: Option<Self>,
        event: &CustodyItemEvent,
        recorded: &Recorded,
    ) -> Option<Self> {
        match (previous, event) {
            (None, CustodyItemEvent::Created(created)) => Self::created(created, recorded),
            (Some(item), event) => item.changed(event, recorded),
            (None, _) => None,
        }
    }

    fn state(&self) -> &'static str {
        self.state.as_str()
    }
}
