//! What terms say of the check-up: thresholds other than the usual ones, and how often firms agreed to
//! meet.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::measure::{Measure, Thresholds};
use crate::domain::refusal::Violations;
use crate::domain::time::Span;

/// The highest threshold of any measure.
pub const THRESHOLD_MAX: i64 = 1_000_000_000;
/// The shortest and the longest cadence.
pub const CADENCE_RANGE: (Span, Span) = (Span::from_hours(7 * 24), Span::from_hours(366 * 24));

/// From which levels on a measure has intensity 1, 2, 3 and 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeasureThresholds {
    /// Of which measure; one that has thresholds.
    pub measure: Measure,
    /// Ascending, above 0, in the unit of the measure.
    pub levels: Thresholds,
}

/// What terms say of the check-up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckupClauses {
    /// Other thresholds than the usual ones, each measure at most once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub thresholds: Vec<MeasureThresholds>,
    /// How often each firm is to invite the other to something that makes the partnership grow, at
    /// least; `None` if nothing is agreed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activity_cadence: Option<Span>,
}

impl CheckupClauses {
    /// Whether they say nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The thresholds of a measure; `None` for one that is only shown.
    #[must_use]
    pub fn thresholds_of(&self, measure: Measure) -> Option<Thresholds> {
        let usual = measure.default_thresholds()?;
        let agreed = self.thresholds.iter().find(|own| own.measure == measure);
        Some(agreed.map_or(usual, |agreed| agreed.levels))
    }

    /// Notes what is wrong with them.
    pub fn check(&self, violations: &mut Violations) {
        let field = |name: &str| format!("terms.checkup_clauses.{name}");
        let few = self.thresholds.len() <= Measure::ALL.len();
        violations.require(few, &field("thresholds"), "each measure once");
        let mut seen = BTreeSet::new();
        for (index, own) in self.thresholds.iter().take(Measure::ALL.len()).enumerate() {
            let at = |name: &str| field(&format!("thresholds[{index}].{name}"));
            let first = seen.insert(own.measure);
            violations.require(first, &at("measure"), "each measure once");
            let judged = own.measure.default_thresholds().is_some();
            violations.require(judged, &at("measure"), "is only shown, never judged");
            let ascending = own.levels.windows(2).all(|pair| pair[0] < pair[1]);
            let within = own
                .levels
                .iter()
                .all(|level| (1..=THRESHOLD_MAX).contains(level));
            let rule = "four levels between 1 and 1,000,000,000, each above the one before";
            violations.require(ascending && within, &at("levels"), rule);
        }
        let (shortest, longest) = CADENCE_RANGE;
        let cadence = self.activity_cadence;
        let sensible = cadence.is_none_or(|cadence| (shortest..=longest).contains(&cadence));
        let rule = "between 7 and 366 days";
        violations.require(sensible, &field("activity_cadence"), rule);
    }

    /// What they say, field by field, for the difference of two revisions.
    pub fn fields(&self, put: &mut impl FnMut(String, String)) {
        for own in &self.thresholds {
            let levels: Vec<String> = own.levels.iter().map(i64::to_string).collect();
            let path = format!("checkup_clauses.thresholds[{}].levels", own.measure.name());
            put(path, levels.join(", "));
        }
        if let Some(cadence) = self.activity_cadence {
            let seconds = cadence.as_micros() / crate::domain::time::MICROS_PER_SECOND;
            put(
                "checkup_clauses.activity_cadence".to_owned(),
                format!("{seconds}s"),
            );
        }
    }
}
