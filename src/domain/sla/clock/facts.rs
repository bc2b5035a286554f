//! What is known of a ticket: facts, in the order in which they happened.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::rules::Priority;
use crate::domain::identity::{ExternalReference, FirmId};
use crate::domain::time::Timestamp;

/// Where a ticket stands, in words that all firms share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TicketState {
    /// Opened; nobody has taken it up.
    New,
    /// The obligor works on it.
    InProgress,
    /// An answer of the client is awaited.
    WaitingOnClient,
    /// An answer of the other firm is awaited.
    WaitingOnPartner,
    /// A vendor, carrier or registrar is awaited.
    WaitingOnOutsideParty,
    /// Said to be solved.
    Resolved,
    /// Finished.
    Closed,
}

/// What lists call a ticket that is not finished.
pub const OPEN: &str = "open";
/// What lists call a ticket that is resolved or closed.
pub const FINISHED: &str = "finished";

impl TicketState {
    /// The name used in lists and errors.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::InProgress => "in_progress",
            Self::WaitingOnClient => "waiting_on_client",
            Self::WaitingOnPartner => "waiting_on_partner",
            Self::WaitingOnOutsideParty => "waiting_on_outside_party",
            Self::Resolved => "resolved",
            Self::Closed => "closed",
        }
    }

    /// Whether no more work is expected: resolved or closed. Every other state is open.
    #[must_use]
    pub const fn is_finished(self) -> bool {
        matches!(self, Self::Resolved | Self::Closed)
    }

    /// [`OPEN`] or [`FINISHED`], see [`Self::is_finished`].
    #[must_use]
    pub const fn stage(self) -> &'static str {
        if self.is_finished() { FINISHED } else { OPEN }
    }

    /// Who is charged with the time while a clock is paused in this state.
    #[must_use]
    pub const fn charged_while_paused(self) -> ChargedParty {
        match self {
            Self::WaitingOnClient => ChargedParty::Client,
            Self::WaitingOnPartner => ChargedParty::Beneficiary,
            Self::WaitingOnOutsideParty => ChargedParty::OutsideParty,
            Self::New | Self::InProgress | Self::Resolved | Self::Closed => ChargedParty::Obligor,
        }
    }
}

/// Who is charged with a stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChargedParty {
    /// The firm that made the promise.
    Obligor,
    /// The party to whom it was made.
    Beneficiary,
    /// The client whose ticket it is.
    Client,
    /// A vendor, carrier or registrar.
    OutsideParty,
}

/// Something that was done with a ticket, beside its state. The sender says which; nothing is
/// guessed from who wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// The obligor gave an answer that counts as a response.
    Responded,
    /// The other side wrote or called, and awaits an answer.
    MessageReceived,
    /// The obligor told how it stands.
    Updated,
    /// The obligor told its plan for the resolution.
    Planned,
    /// The obligor gave a way to go on working.
    WorkedAround,
    /// The ticket was merged into another one: its clocks are cancelled.
    Merged,
}

/// What one event said about a ticket. Facts are ordered by ([`Self::occurred_at`],
/// [`Self::source_sequence`], [`Self::event_id`]), never by arrival.
///
/// A fact takes effect when it occurred, or at the opening if that is later.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TicketFact {
    // The derived order compares fields as they are listed: the three that order facts come
    // first, the others only settle what an event id given twice would leave open.
    /// When it happened.
    pub occurred_at: Timestamp,
    /// The source's own count, which orders facts of the same instant.
    #[serde(default, skip_serializing_if = "is_default")]
    pub source_sequence: i64,
    /// The event that said it, unique within the ticket.
    pub event_id: String,
    /// When the ticket was opened, if the event said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened_at: Option<Timestamp>,
    /// The priority from now on, if the event said so or its [`Self::source_priority`] stands for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// The priority from now on as the software spells it, if the event said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_priority: Option<String>,
    /// The status from now on as the software spells it, if the event said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The state that the status stands for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<TicketState>,
    /// What was done beside.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub marks: BTreeSet<Mark>,
    /// Opaque id of the person whom the client met, if the event said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// When the client first spoke, if the event said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported_at: Option<Timestamp>,
    /// Into which ticket this one was merged, if the event said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<MergeTarget>,
    /// The firm whose software said it; `None` for the firm that reported the ticket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender: Option<FirmId>,
    /// Where the journal has it; `None` until it is recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded: Option<RecordedIn>,
}

impl TicketFact {
    /// An event that says nothing yet.
    #[must_use]
    pub const fn at(occurred_at: Timestamp, event_id: String) -> Self {
        Self {
            occurred_at,
            source_sequence: 0,
            event_id,
            opened_at: None,
            priority: None,
            source_priority: None,
            status: None,
            state: None,
            marks: BTreeSet::new(),
            person: None,
            reported_at: None,
            merged_into: None,
            sender: None,
            recorded: None,
        }
    }

    /// Whether it is the event of that id and sender.
    #[must_use]
    pub fn is_event(&self, event_id: &str, sender: Option<&FirmId>) -> bool {
        self.event_id == event_id && self.sender.as_ref() == sender
    }

    /// Whether it has the id and the sender of `other`.
    #[must_use]
    pub fn is_the_same_event_as(&self, other: &Self) -> bool {
        self.is_event(&other.event_id, other.sender.as_ref())
    }

    /// Whether the event is the same as `other`, as far as its sender told it.
    #[must_use]
    pub fn says_the_same_as(&self, other: &Self) -> bool {
        self.occurred_at == other.occurred_at
            && self.source_sequence == other.source_sequence
            && self.event_id == other.event_id
            && self.opened_at == other.opened_at
            && self.said_priority() == other.said_priority()
            && self.source_priority == other.source_priority
            && self.status == other.status
            && self.marks == other.marks
            && self.person == other.person
            && self.reported_at == other.reported_at
            && self.sender == other.sender
            && self.said_target() == other.said_target()
    }

    /// The ticket into which this one was merged, as the sender named it.
    fn said_target(&self) -> Option<(Option<&ExternalReference>, Option<&str>)> {
        let target = self.merged_into.as_ref()?;
        let named = target.ticket.as_deref();
        Some((
            target.reference.as_ref(),
            // What stands for a reference may have been found out by now.
            named.filter(|_| target.reference.is_none()),
        ))
    }

    /// The priority, where the sender gave the number itself.
    fn said_priority(&self) -> Option<Priority> {
        self.priority.filter(|_| self.source_priority.is_none())
    }

    /// Whether no map has explained the status yet.
    #[must_use]
    pub const fn lacks_state(&self) -> bool {
        self.status.is_some() && self.state.is_none()
    }

    /// Whether no map has explained the priority yet.
    #[must_use]
    pub const fn lacks_priority(&self) -> bool {
        self.source_priority.is_some() && self.priority.is_none()
    }

    /// Whether it says that this was done.
    #[must_use]
    pub fn says(&self, mark: Mark) -> bool {
        self.marks.contains(&mark)
    }
}

/// The ticket into which another one was merged.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MergeTarget {
    /// Its id in the sender's software, if that is how the sender named it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<ExternalReference>,
    /// Its id here; `None` if nothing was known by the reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
}

/// Which entry of the journal recorded something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedIn {
    /// The entry's sequence in its scope.
    pub sequence: u64,
    /// The entry's time.
    pub at: Timestamp,
}

/// Whether a field holds what it holds when nothing is said.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Puts facts into the order in which they count.
pub fn sort_facts(facts: &mut [TicketFact]) {
    facts.sort_unstable();
}

/// A stretch of time that both sides agreed not to count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExcludedStretch {
    /// What says so: shown where an event would be.
    pub id: String,
    /// First instant.
    pub from: Timestamp,
    /// First instant after it.
    pub to: Timestamp,
}
