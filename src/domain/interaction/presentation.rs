//! Presentations to clients: whose portions were shown, and whether their owners were let in.
//!
//! Any party may record one, also one that was kept out. The others confirm it or say how it was; of
//! each owner its own word counts, and both words stay.

mod decide;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::aggregate::{Aggregate, By, Recorded, events};
use crate::domain::commitment::Commitment;
use crate::domain::identity::PartyId;
use crate::domain::time::Timestamp;

pub use decide::{PresentationCommand, PresentationDraft, decide};

/// Whether the owner of a portion was there when it was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// It was there.
    Present,
    /// It was not there, and nobody kept it out.
    Absent,
    /// It was not let in, or not told.
    Refused,
}

/// A party whose portion was shown, and whether it was there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnerPresence {
    /// The party.
    pub party: PartyId,
    /// Whether it was there.
    pub presence: Presence,
}

/// A presentation was recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PresentationRecorded {
    /// The party that recorded it.
    pub party: PartyId,
    /// The party that presented.
    pub presenter: PartyId,
    /// When.
    pub presented_at: Timestamp,
    /// Identifier of the opportunity that it was about.
    pub opportunity: Option<String>,
    /// Identifier of the joint quote that was shown.
    pub quote: Option<String>,
    /// Identifier of the client.
    pub client: Option<String>,
    /// The parties whose portions were shown, each once.
    pub owners: Vec<OwnerPresence>,
    /// What is worth noting: a commitment.
    pub note: Option<Commitment>,
    /// Whether no other firm had joined that could have said otherwise.
    pub is_asserted: bool,
}

/// Another party confirmed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PresentationConfirmed {
    /// Which party.
    pub party: PartyId,
}

/// Another party says that it was otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PresentationContested {
    /// Which party.
    pub party: PartyId,
    /// Whose portions were shown, and whether they were there, as it says; each once.
    pub owners: Vec<OwnerPresence>,
    /// What it says to it: a commitment.
    pub note: Option<Commitment>,
}

/// What another party said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PresentationAnswer {
    /// How it was, if it says that it was otherwise.
    pub contest: Option<PresentationContested>,
    /// Who said so.
    pub by: By,
}

events! {
    /// What happens to a presentation.
    PresentationEvent {
        /// It was recorded.
        Recorded(PresentationRecorded) = "client_presentation.recorded", 1;
        /// Another party confirmed it.
        Confirmed(PresentationConfirmed) = "client_presentation.confirmed", 1;
        /// Another party says that it was otherwise.
        Contested(PresentationContested) = "client_presentation.contested", 1;
    }
}

/// A presentation to a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientPresentation {
    /// What was recorded; never changed.
    pub recorded: PresentationRecorded,
    /// Who recorded it.
    pub by: By,
    /// What the others said, each once, in that order.
    pub answers: Vec<PresentationAnswer>,
}

/// Whether the others agree to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PresentationState {
    /// They said nothing.
    Recorded,
    /// One confirmed it, and none contested it.
    Confirmed,
    /// One says that it was otherwise.
    Contested,
}

/// What counts of an owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountedPresence {
    /// The owner.
    pub party: PartyId,
    /// Whether it was there.
    pub presence: Presence,
    /// Whether parties say different things of it.
    pub is_contested: bool,
}

impl ClientPresentation {
    /// Whether the others agree to it.
    #[must_use]
    pub fn agreement(&self) -> PresentationState {
        if self.answers.is_empty() {
            PresentationState::Recorded
        } else if self.contests().next().is_some() {
            PresentationState::Contested
        } else {
            PresentationState::Confirmed
        }
    }

    fn contests(&self) -> impl Iterator<Item = &PresentationContested> {
        self.answers.iter().filter_map(|it| it.contest.as_ref())
    }

    /// What counts of each owner: its own word, else that of the party that recorded it, else that of
    /// the first one that says so. Ordered by party.
    #[must_use]
    pub fn counted(&self) -> Vec<CountedPresence> {
        let recorded = (&self.recorded.party, &self.recorded.owners);
        let contests = self.contests().map(|said| (&said.party, &said.owners));
        let mut words: BTreeMap<&PartyId, Vec<(&PartyId, Presence)>> = BTreeMap::new();
        for (speaker, owners) in std::iter::once(recorded).chain(contests) {
            for owner in owners {
                let said = words.entry(&owner.party).or_default();
                said.push((speaker, owner.presence));
            }
        }
        let mut counted = Vec::with_capacity(words.len());
        for (party, said) in words {
            let own = said.iter().find(|(speaker, _)| *speaker == party);
            let Some((_, presence)) = own.or(said.first()) else {
                continue;
            };
            let differs = said.iter().any(|(_, other)| other != presence);
            let is_unrecorded = said
                .iter()
                .all(|(speaker, _)| **speaker != self.recorded.party);
            counted.push(CountedPresence {
                party: party.clone(),
                presence: *presence,
                is_contested: differs || is_unrecorded,
            });
        }
        counted
    }
}

impl Aggregate for ClientPresentation {
    type Event = PresentationEvent;
    const BODY_VERSION: u32 = 1;

    fn apply(
        previous: Option<Self>,
        event: &PresentationEvent,
        recorded: &Recorded,
    ) -> Option<Self> {
        let (party, contest) = match (&previous, event) {
            (None, PresentationEvent::Recorded(made)) => {
                return Some(Self {
                    by: By::of(&made.party, recorded)?,
                    recorded: made.clone(),
                    answers: Vec::new(),
                });
            }
            (Some(_), PresentationEvent::Confirmed(confirmed)) => (&confirmed.party, None),
            (Some(_), PresentationEvent::Contested(contest)) => (&contest.party, Some(contest)),
            _ => return None,
        };
        let mut presentation = previous?;
        presentation.answers.push(PresentationAnswer {
            contest: contest.cloned(),
            by: By::of(party, recorded)?,
        });
        Some(presentation)
    }
}
