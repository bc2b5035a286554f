//! What an agreement says of priorities.

use crate::api::expectation::{convert, parse};
use crate::api::faults::Faults;
use crate::api::sla::words::priority;
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::sla::agreement::{PRIORITY_MATRIX_MAX, PriorityMatrixEntry};
use crate::proto::v1;

pub(super) fn priority_matrix(
    written: &[v1::PriorityMatrixEntry],
    faults: &mut Faults,
) -> Vec<PriorityMatrixEntry> {
    let field = "agreement.priority_matrix";
    let few = format!("no more than {PRIORITY_MATRIX_MAX} entries");
    faults.require(written.len() <= PRIORITY_MATRIX_MAX, field, &few);
    let mut entries = Vec::new();
    for (index, entry) in written.iter().take(PRIORITY_MATRIX_MAX).enumerate() {
        let path = format!("{field}[{index}]");
        let scope = parse::impact_scope(&format!("{path}.scope"), entry.scope);
        let scope = faults.take(stated(&format!("{path}.scope"), scope));
        let severity = parse::severity(&format!("{path}.severity"), entry.severity);
        let severity = faults.take(stated(&format!("{path}.severity"), severity));
        let priority = priority(&format!("{path}.priority"), entry.priority);
        let priority = faults.take(priority.map(Some));
        if let (Some(scope), Some(severity), Some(priority)) = (scope, severity, priority) {
            entries.push(PriorityMatrixEntry {
                scope,
                severity,
                priority,
            });
        }
    }
    entries
}

/// What may be left out elsewhere is needed here.
fn stated<T>(field: &str, value: Result<Option<T>, Refusal>) -> Result<Option<T>, Refusal> {
    let missing = || Refusal::field(Reason::InvalidField, field, "must be stated");
    value?.ok_or_else(missing).map(Some)
}

pub(super) fn to_entry(entry: PriorityMatrixEntry) -> v1::PriorityMatrixEntry {
    v1::PriorityMatrixEntry {
        scope: convert::to_impact_scope(entry.scope).into(),
        severity: convert::to_severity(entry.severity).into(),
        priority: entry.priority.get().into(),
    }
}
