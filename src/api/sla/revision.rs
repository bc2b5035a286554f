//! Revisions of calendars as they are stored: made of windows, or of two other calendars.

use std::collections::HashMap;

use crate::api::Api;
use crate::api::status::ApiError;
use crate::domain::identity::ScopeId;
use crate::domain::record::{Kind, Record, RecordKey};
pub(super) use crate::domain::sla::combination::Revision;
use crate::ledger::rows;

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
