//! Work that is said to be done, criterion by criterion, and what the other side says to it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::five_w::CRITERIA_MAX;
use super::offers::Statement;
use crate::domain::commitment::Commitment;
use crate::domain::evidence::Evidence;
use crate::domain::refusal::Violations;

/// Most times that the obligor of one expectation may say that it is done.
pub const FULFILMENTS_MAX: usize = 20;
/// Most pieces of evidence of one statement about work, those for single criteria included.
pub const EVIDENCE_MAX: usize = 50;
/// Longest note on a criterion, and longest reason why one is not met, in bytes.
pub const NOTE_BYTES_MAX: usize = 1_000;

/// What is said and shown about one agreed criterion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CriterionEvidence {
    /// Index of the criterion in the agreed offer, from 0.
    pub index: u32,
    /// What shows it.
    pub evidence: Vec<Evidence>,
    /// In words: a commitment.
    pub note: Option<Commitment>,
}

/// Why one agreed criterion is not met.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CriterionReason {
    /// Index of the criterion in the agreed offer, from 0.
    pub index: u32,
    /// Why: a commitment.
    pub reason: Commitment,
}

/// What a statement about work shows for it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkShown {
    /// For the work as a whole.
    pub evidence: Vec<Evidence>,
    /// Criterion by criterion, ascending, each at most once.
    pub criteria: Vec<CriterionEvidence>,
}

impl WorkShown {
    /// Everything that is cited.
    pub fn cited(&self) -> impl Iterator<Item = &Evidence> {
        let single = self
            .criteria
            .iter()
            .flat_map(|criterion| &criterion.evidence);
        self.evidence.iter().chain(single)
    }

    /// Every note.
    pub fn notes(&self) -> impl Iterator<Item = &Commitment> {
        self.criteria
            .iter()
            .filter_map(|criterion| criterion.note.as_ref())
    }

    /// Whether something is shown for the work as a whole, or else for each of its criteria.
    pub(super) fn is_evident(&self) -> bool {
        let shows = |criterion: &CriterionEvidence| !criterion.evidence.is_empty();
        let each = !self.criteria.is_empty() && self.criteria.iter().all(shows);
        !self.evidence.is_empty() || each
    }

    /// The criteria ascending, if what is shown is within its limits and about `count` criteria;
    /// `field` is the path of those.
    pub(super) fn checked(&self, count: usize, field: &str, violations: &mut Violations) -> Self {
        if self.cited().count() > EVIDENCE_MAX {
            violations.add("evidence", format!("no more than {EVIDENCE_MAX} in all"));
        }
        for (position, evidence) in self.evidence.iter().enumerate().take(EVIDENCE_MAX) {
            evidence.check(violations, &format!("evidence[{position}].external"));
        }
        for (position, criterion) in self.criteria.iter().enumerate().take(CRITERIA_MAX) {
            for (piece, evidence) in criterion.evidence.iter().enumerate().take(EVIDENCE_MAX) {
                let path = format!("{field}[{position}].evidence[{piece}].external");
                evidence.check(violations, &path);
            }
        }
        let indexes = self.criteria.iter().map(|criterion| criterion.index);
        check_indexes(indexes, count, field, violations);
        let mut checked = self.clone();
        checked.criteria.sort_by_key(|criterion| criterion.index);
        checked
    }

    /// Notes which of `count` criteria are missing.
    pub(super) fn require_every_criterion(
        &self,
        count: usize,
        field: &str,
        violations: &mut Violations,
    ) {
        let met: BTreeSet<u32> = self
            .criteria
            .iter()
            .map(|criterion| criterion.index)
            .collect();
        let criteria = 0..u32::try_from(count).unwrap_or(u32::MAX);
        let open = criteria.filter(|index| !met.contains(index));
        let open: Vec<String> = open.map(|index| index.to_string()).collect();
        if !open.is_empty() {
            let open = open.join(", ");
            let why = format!("not met: {open}; dispute work that does not meet every criterion");
            violations.add(field, why);
        }
    }
}

/// Notes every index that is not one of `count` criteria, or comes twice.
pub(super) fn check_indexes(
    indexes: impl ExactSizeIterator<Item = u32>,
    count: usize,
    field: &str,
    violations: &mut Violations,
) {
    if indexes.len() > CRITERIA_MAX {
        violations.add(field, format!("no more than {CRITERIA_MAX}"));
        return;
    }
    let mut found = BTreeSet::new();
    for (position, index) in indexes.enumerate() {
        let field = || format!("{field}[{position}].criterion");
        if usize::try_from(index).map_or(true, |index| index >= count) {
            violations.add(field(), format!("there are {count} criteria, from 0"));
        } else if !found.insert(index) {
            violations.add(field(), "each criterion once");
        }
    }
}

/// The other side's word that the work is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acceptance {
    /// Who, when, and in which words.
    pub statement: Statement,
    /// What it found, for every agreed criterion.
    pub shown: WorkShown,
    /// Whether it speaks for its client.
    pub on_behalf_of_client: bool,
}

/// The other side's word that the work is not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dispute {
    /// Who, when, and why as a whole.
    pub statement: Statement,
    /// Why single criteria are not met, ascending by index; there is a reason here or as a whole.
    pub criteria: Vec<CriterionReason>,
}

/// The obligor's word that it is done, and what the other side said to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fulfilment {
    /// Counts the fulfilments of the expectation from 1.
    pub number: u32,
    /// Number of the offer that was agreed then.
    pub offer_number: u32,
    /// Who, when, and in which words.
    pub statement: Statement,
    /// What it shows.
    pub shown: WorkShown,
    /// The other side's dispute of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dispute: Option<Dispute>,
    /// The other side's acceptance of it, after a dispute perhaps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acceptance: Option<Acceptance>,
}
