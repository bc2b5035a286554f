//! Revisions of calendars as they are stored: made of windows, or of two other calendars.

use std::collections::HashMap;

use crate::api::Api;
use crate::api::status::ApiError;
use crate::domain::identity::ScopeId;
use crate::domain::record::{Kind, Record, RecordKey};
use crate::domain::sla::combination::CalendarCombination;
use crate::domain::sla::settings::CalendarRevision;
use crate::ledger::rows;

/// A revision of a calendar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Revision {
    /// Made of windows.
    Windows(CalendarRevision),
    /// Made of two others.
    Combination(CalendarCombination),
}

impl Revision {
    /// How many combinations stand above one another; what a revision is made of has fewer.
    pub(super) const fn depth(&self) -> u8 {
        match self {
            Self::Windows(_) => 0,
            Self::Combination(combination) => combination.depth,
        }
    }
}

/// The revisions of these ids, as far as they exist.
///
/// # Errors
/// If the store fails, or a record cannot be read.
pub(super) async fn revisions(
    api: &Api,
    scope: &ScopeId,
    ids: impl Iterator<Item = String>,
) -> Result<HashMap<String, Revision>, ApiError> {
    let kinds = [Kind::CalendarRevision, Kind::CalendarCombination];
    let keys: Vec<RecordKey> = ids
        .flat_map(|id| kinds.map(|kind| RecordKey::new(scope, kind, id.as_str())))
        .collect();
    let mut found = HashMap::new();
    for row in api.ledger.store().records(&keys).await? {
        let revision = match rows::decode_row(&row)?.record {
            Record::CalendarRevision(revision) => Revision::Windows(*revision),
            Record::CalendarCombination(combination) => Revision::Combination(*combination),
            _ => continue,
        };
        found.insert(row.key.id, revision);
    }
    Ok(found)
}
