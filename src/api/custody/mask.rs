//! Which parts of an item an update replaces.

use std::collections::BTreeSet;

use crate::domain::refusal::{Reason, Refusal, Violation};
use crate::proto::v1;

/// Most paths of one mask.
const PATHS_MAX: usize = 4;

/// A part that an update replaces or leaves as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// What it is.
    Kind,
    /// The name for people.
    DisplayName,
    /// With whom it is held.
    OutsideParty,
    /// Where it is kept.
    Location,
}

impl Part {
    const ALL: [Self; 4] = [
        Self::Kind,
        Self::DisplayName,
        Self::OutsideParty,
        Self::Location,
    ];

    const fn path(self) -> &'static str {
        match self {
            Self::Kind => "kind",
            Self::DisplayName => "display_name",
            Self::OutsideParty => "outside_party",
            Self::Location => "location",
        }
    }

    fn is_given(self, given: &v1::CustodyItem) -> bool {
        match self {
            Self::Kind => given.kind != 0,
            Self::DisplayName => !given.display_name.is_empty(),
            Self::OutsideParty => !given.outside_party.is_empty(),
            Self::Location => !given.location.is_empty(),
        }
    }
}

/// The parts that a mask names; without a mask, those that are given.
///
/// # Errors
/// [`Reason::InvalidField`] with every path that names nothing.
pub(super) fn parts(
    mask: Option<&prost_types::FieldMask>,
    given: &v1::CustodyItem,
) -> Result<BTreeSet<Part>, Refusal> {
    let paths = mask.map(|mask| mask.paths.as_slice()).unwrap_or_default();
    if paths.is_empty() {
        let is_given = |part: &Part| part.is_given(given);
        return Ok(Part::ALL.into_iter().filter(is_given).collect());
    }
    if paths.len() > PATHS_MAX {
        let rule = format!("no more than {PATHS_MAX} paths");
        let field = "update_mask.paths";
        return Err(Refusal::field(Reason::InvalidField, field, rule));
    }
    let mut parts = BTreeSet::new();
    let mut violations = Vec::new();
    for (index, path) in paths.iter().enumerate() {
        if path == "*" {
            parts.extend(Part::ALL);
        } else if let Some(part) = Part::ALL.into_iter().find(|part| part.path() == path) {
            parts.insert(part);
        } else {
            violations.push(Violation {
                field: format!("update_mask.paths[{index}]"),
                description: "names nothing that can be changed".to_owned(),
            });
        }
    }
    if violations.is_empty() {
        return Ok(parts);
    }
    Err(Refusal::fields(Reason::InvalidField, violations))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(paths: &[&str]) -> prost_types::FieldMask {
        let paths = paths.iter().map(|path| (*path).to_owned()).collect();
        prost_types::FieldMask { paths }
    }

    #[test]
    fn masks_name_parts() {
        let nothing = v1::CustodyItem::default();
        let named = |paths: &[&str]| parts(Some(&mask(paths)), &nothing).unwrap();
        assert_eq!(named(&["kind"]), BTreeSet::from([Part::Kind]));
        assert_eq!(named(&["*"]).len(), 4);
        let bad = parts(Some(&mask(&["location", "holder", ""])), &nothing).unwrap_err();
        assert_eq!(bad.violations.len(), 2);
        assert!(parts(Some(&mask(&["kind"; 5])), &nothing).is_err());
        let given = v1::CustodyItem {
            location: "vault".to_owned(),
            ..v1::CustodyItem::default()
        };
        assert_eq!(parts(None, &given), Ok(BTreeSet::from([Part::Location])));
    }
}
