//! Where a record of a partnership comes from: a revision of a firm's own record, taken over by
//! value, so that no transaction needs two scopes.

use serde::{Deserialize, Serialize};

use crate::domain::identity::FirmId;
use crate::domain::record::Kind;
use crate::domain::refusal::{Reason, Refusal};

/// The revision that a partnership adopted, of a record of the same kind in a firm's own scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdoptedFrom {
    /// The firm in whose scope the record is.
    pub firm: FirmId,
    /// The record's id there.
    pub id: String,
    /// Which revision, from 1.
    pub revision: u64,
}

impl AdoptedFrom {
    /// Whether both are revisions of one record.
    #[must_use]
    pub fn is_same_source(&self, other: &Self) -> bool {
        self.firm == other.firm && self.id == other.id
    }

    /// The resource name of the firm's record, which is of this `kind`.
    #[must_use]
    pub fn source(&self, kind: Kind) -> String {
        let collection = match kind {
            Kind::Calendar => "calendars",
            Kind::StatusMap => "statusMaps",
            Kind::PriorityMap => "priorityMaps",
            other => other.as_str(),
        };
        format!("{}/{collection}/{}", self.firm.scope(), self.id)
    }
}

/// A firm adopts what is its own; anybody else's is as if it were not there.
///
/// # Errors
/// [`Reason::NotFound`].
pub fn require_own(kind: Kind, firm: &FirmId, from: &AdoptedFrom) -> Result<(), Refusal> {
    if from.firm == *firm {
        return Ok(());
    }
    Err(Refusal::not_found(kind.as_str()))
}

/// A record that was adopted is only ever adopted anew, from the same source, and one that was
/// written by hand is only written by hand: neither silently becomes the other. `existing` and
/// `written` say where the record came from before, and where its next revision comes from.
///
/// # Errors
/// [`Reason::AdoptionConflict`], naming the source of what is there.
pub fn require_same_origin(
    kind: Kind,
    existing: Option<&AdoptedFrom>,
    written: Option<&AdoptedFrom>,
) -> Result<(), Refusal> {
    let message = match (existing, written) {
        (None, None) => return Ok(()),
        (Some(existing), Some(written)) if existing.is_same_source(written) => return Ok(()),
        (None, Some(_)) => "it was written by hand here: adopt under another id",
        (Some(_), Some(_)) => "it was adopted from another source: adopt under another id",
        (Some(_), None) => "it was adopted: change its source, and adopt that anew",
    };
    let source = existing.map(|existing| existing.source(kind));
    let refusal = Refusal::new(
        Reason::AdoptionConflict,
        format!("{}: {message}", kind.as_str()),
    );
    Err(refusal.with("adopted_from", source.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(firm: &str, id: &str, revision: u64) -> AdoptedFrom {
        AdoptedFrom {
            firm: FirmId::parse(firm).unwrap(),
            id: id.to_owned(),
            revision,
        }
    }

    #[test]
    fn what_was_adopted_stays_adopted_from_the_same_source() {
        let check = |existing: Option<&AdoptedFrom>, written: Option<&AdoptedFrom>| {
            require_same_origin(Kind::StatusMap, existing, written)
                .map_err(|refusal| (refusal.reason, refusal.metadata))
        };
        let conflict = |source: &str| {
            let metadata = vec![("adopted_from", source.to_owned())];
            Err((Reason::AdoptionConflict, metadata))
        };
        let (first, second) = (from("north", "desk", 1), from("north", "desk", 2));
        let (other, foreign) = (from("north", "other", 1), from("south", "desk", 1));
        assert_eq!(check(None, None), Ok(()));
        assert_eq!(check(Some(&first), Some(&second)), Ok(()));
        assert_eq!(check(Some(&second), Some(&first)), Ok(()));
        let named = conflict("firms/north/statusMaps/desk");
        assert_eq!(check(Some(&first), None), named);
        assert_eq!(check(Some(&first), Some(&other)), named);
        assert_eq!(check(Some(&first), Some(&foreign)), named);
        assert_eq!(check(None, Some(&first)), conflict(""));
    }
}
