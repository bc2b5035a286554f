//! What terms say of the check-up, between the contract and the domain.

use crate::api::checkup::{measure, to_measure};
use crate::api::convert::{span, to_duration};
use crate::domain::checkup::measure::Thresholds;
use crate::domain::checkup::{CheckupClauses, Measure, MeasureThresholds};
use crate::domain::refusal::Violations;
use crate::proto::v1;

/// Clauses as a caller wrote them; what is wrong is noted in `violations`.
pub(super) fn checkup_clauses(
    violations: &mut Violations,
    given: Option<&v1::CheckupClauses>,
) -> CheckupClauses {
    let Some(given) = given else {
        return CheckupClauses::default();
    };
    let cadence = given.activity_cadence;
    let field = "terms.checkup_clauses.activity_cadence";
    let cadence = cadence.and_then(|cadence| violations.take(span(field, cadence)));
    let mut thresholds = Vec::new();
    // One too many is enough for it to be noticed.
    for (index, own) in given
        .thresholds
        .iter()
        .take(Measure::ALL.len() + 1)
        .enumerate()
    {
        let at = |name: &str| format!("terms.checkup_clauses.thresholds[{index}].{name}");
        let measure = measure(own.measure);
        violations.require(measure.is_some(), &at("measure"), "is not a known measure");
        let levels = Thresholds::try_from(own.levels.as_slice()).ok();
        violations.require(levels.is_some(), &at("levels"), "must be four levels");
        if let Some((measure, levels)) = measure.zip(levels) {
            thresholds.push(MeasureThresholds { measure, levels });
        }
    }
    CheckupClauses {
        thresholds,
        activity_cadence: cadence,
    }
}

/// Clauses as the contract shows them; `None` if there are none.
pub(super) fn to_checkup_clauses(clauses: &CheckupClauses) -> Option<v1::CheckupClauses> {
    let own = |own: &MeasureThresholds| v1::CheckupThresholds {
        measure: to_measure(own.measure).into(),
        levels: own.levels.to_vec(),
    };
    (!clauses.is_empty()).then(|| v1::CheckupClauses {
        thresholds: clauses.thresholds.iter().map(own).collect(),
        activity_cadence: clauses.activity_cadence.map(to_duration),
    })
}
