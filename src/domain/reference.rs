//! External references as records: the journal says of each what it stands for, so that the table
//! that looks them up can be made again from it.

use serde::{Deserialize, Serialize};

use super::aggregate::{Aggregate, Recorded, events};
use super::content_hash;
use super::identity::ExternalReference;

/// What an external reference stands for. Its record's id is [`Reference::id_of`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    /// The reference.
    pub reference: ExternalReference,
    /// Kind of the record, as it is stored.
    pub kind: String,
    /// Id of the record.
    pub id: String,
}

impl Reference {
    /// The record id for a reference to a record of some kind: 32 hexadecimal digits of a hash.
    #[must_use]
    pub fn id_of(reference: &ExternalReference, kind: &str) -> String {
        content_hash("entente.reference.v1", &(reference, kind))[..32].to_owned()
    }
}

events! {
    /// What happens to an external reference.
    ReferenceEvent {
        /// It stands for a record from now on.
        Added(Reference) = "reference.added", 1;
    }
}

impl Aggregate for Reference {
    type Event = ReferenceEvent;
    const BODY_VERSION: u32 = 1;

    fn apply(previous: Option<Self>, event: &ReferenceEvent, _recorded: &Recorded) -> Option<Self> {
        let ReferenceEvent::Added(added) = event;
        previous.is_none().then(|| added.clone())
    }
}
