//! What every aggregate has in common: how its events and its state become bytes and come back.
//!
//! An aggregate is a type of record with a pure `apply`. Adding one takes three steps: its type
//! and events in a file of its own, a line in [`super::record`], and its commands in
//! [`super::command`].

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::format::Format;
use super::identity::{FirmId, PartyId};
use super::time::Timestamp;

/// When and by whom an event was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The entry's sequence in its scope.
    pub sequence: u64,
    /// The entry's time.
    pub at: Timestamp,
    /// The firm; `None` for what the service did by itself.
    pub firm: Option<FirmId>,
    /// The credential, or the guest link; empty for what the service did by itself.
    pub actor: String,
}

impl Recorded {
    /// Whether somebody acted: a firm, or a guest in the place of a firm that has not joined. `None`
    /// if nobody did, so that `apply` can turn it down.
    #[must_use]
    pub fn by_somebody(&self) -> Option<()> {
        (!self.actor.is_empty() || self.firm.is_some()).then_some(())
    }

    /// The guest link by which it was done, if it was.
    #[must_use]
    pub fn guest_link(&self) -> Option<String> {
        guest_of(&self.actor).map(str::to_owned)
    }
}

/// Begins the actor of what was done by a guest link; the link's id follows.
pub const GUEST_ACTOR: &str = "guest:";

/// The guest link that an actor is, if it is one.
#[must_use]
pub fn guest_of(actor: &str) -> Option<&str> {
    actor.strip_prefix(GUEST_ACTOR)
}

/// Which party said or did something, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct By {
    /// The party.
    pub party: PartyId,
    /// The firm that the party was.
    pub firm: FirmId,
    /// When.
    pub at: Timestamp,
}

impl By {
    /// Who recorded an entry; `None` if no firm did.
    #[must_use]
    pub fn of(party: &PartyId, recorded: &Recorded) -> Option<Self> {
        Some(Self {
            party: party.clone(),
            firm: recorded.firm.clone()?,
            at: recorded.at,
        })
    }
}

/// A type of record.
pub trait Aggregate: Serialize + DeserializeOwned + Sized {
    /// What can happen to it.
    type Event;

    /// Version of the stored body; raised whenever the body's shape changes.
    const BODY_VERSION: u32;

    /// The version in which the body is written while a format is the active one. Whoever raises
    /// [`Self::BODY_VERSION`] says here from which format on it counts.
    fn version_in(_format: Format) -> u32 {
        Self::BODY_VERSION
    }

    /// The body in a version that [`Self::version_in`] names.
    ///
    /// # Errors
    /// Only if it cannot be written as JSON, which its type rules out.
    fn write(&self, _version: u32) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }

    /// The state from a body in any version that was ever written; `None` for one that this program
    /// does not know.
    fn read(version: u32, body: &str) -> Option<Result<Self, serde_json::Error>> {
        (version == Self::BODY_VERSION).then(|| serde_json::from_str(body))
    }

    /// The state after `event`. Pure, and total over every history that `decide` can make; `None`
    /// says that the event does not fit the state before it, which only a damaged journal causes.
    fn apply(previous: Option<Self>, event: &Self::Event, recorded: &Recorded) -> Option<Self>;

    /// What lists filter by; empty where there is nothing to filter.
    fn state(&self) -> &'static str {
        ""
    }

    /// What the end of its partnership makes of it: closed, if it is open and was not carried on.
    /// Doing it again changes nothing.
    fn close(&mut self, _at: Timestamp) {}

    /// When something will happen by itself: a hint for the sweeper.
    fn due_at(&self) -> Option<Timestamp> {
        None
    }
}

/// Why stored bytes could not be read.
#[derive(Debug, thiserror::Error)]
pub enum DecodeFault {
    /// The kind or the event type is not known to this version of the program.
    #[error("unknown type {0}")]
    UnknownType(String),
    /// The version is not known to this version of the program.
    #[error("unknown version {version} of {name}")]
    UnknownVersion {
        /// Kind or event type.
        name: String,
        /// The version found.
        version: u32,
    },
    /// The bytes do not have the shape of their type and version.
    #[error("{name}: {source}")]
    Malformed {
        /// Kind or event type.
        name: String,
        /// What the JSON reader said.
        source: serde_json::Error,
    },
    /// The event does not fit the state before it.
    #[error("{0} does not fit the state before it")]
    Misplaced(String),
}

/// Declares the events of one aggregate: variant, payload, type and version.
macro_rules! events {
    (
        $(#[$meta:meta])*
        $name:ident {
            $($(#[$variant_meta:meta])* $variant:ident($payload:ty) = $event_type:literal, $version:literal;)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[$variant_meta])* $variant($payload),)*
        }

        impl $name {
            /// The event's type, as the journal names it.
            #[must_use]
            pub const fn event_type(&self) -> &'static str {
                match self { $(Self::$variant(_) => $event_type,)* }
            }

            /// Version of the payload.
            #[must_use]
            pub const fn event_version(&self) -> u32 {
                match self { $(Self::$variant(_) => $version,)* }
            }

            /// The payload as JSON, the bytes that are hashed.
            ///
            /// # Errors
            /// Only if the payload cannot be written as JSON, which its type rules out.
            pub fn payload(&self) -> Result<Vec<u8>, serde_json::Error> {
                match self { $(Self::$variant(payload) => serde_json::to_vec(payload),)* }
            }

            /// The commitments in the payload.
            #[must_use]
            pub fn commitments(&self) -> Vec<$crate::domain::commitment::Commitment> {
                match self { $(Self::$variant(payload) => $crate::domain::commitment::cited_by(payload),)* }
            }

            /// Whether this aggregate has an event of that type.
            #[must_use]
            pub fn knows(event_type: &str) -> bool {
                [$($event_type,)*].contains(&event_type)
            }

            /// Reads an event back from the journal.
            ///
            /// # Errors
            /// [`crate::domain::aggregate::DecodeFault`] for an unknown type or version, or a payload of another shape.
            pub fn decode(event_type: &str, version: u32, payload: &[u8]) -> Result<Self, $crate::domain::aggregate::DecodeFault> {
                use $crate::domain::aggregate::DecodeFault;
                match (event_type, version) {
                    $(($event_type, $version) => serde_json::from_slice(payload)
                        .map(Self::$variant)
                        .map_err(|source| DecodeFault::Malformed { name: event_type.to_owned(), source }),)*
                    _ if Self::knows(event_type) => {
                        Err(DecodeFault::UnknownVersion { name: event_type.to_owned(), version })
                    }
                    _ => Err(DecodeFault::UnknownType(event_type.to_owned())),
                }
            }
        }
    };
}
pub(crate) use events;
