//! Priority from who is affected and how hard they are hit: nobody types it in.

use serde::{Deserialize, Serialize};

use crate::domain::expectation::{ImpactScope, Severity};
use crate::domain::refusal::Violations;
use crate::domain::sla::clock::Priority;

/// Most entries of a matrix: every scope at every severity.
pub const PRIORITY_MATRIX_MAX: usize = ImpactScope::ALL.len() * Severity::ALL.len();

/// What holds where an agreement says nothing else: the number of the priority where work has
/// stopped, and where it goes on, but worse.
const DEFAULT: [(ImpactScope, u8, u8); ImpactScope::ALL.len()] = [
    (ImpactScope::OnePerson, 3, 4),
    (ImpactScope::Team, 2, 3),
    (ImpactScope::Site, 1, 2),
    (ImpactScope::Everyone, 1, 2),
];

/// What one pair of answers is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriorityMatrixEntry {
    /// How many are affected.
    pub scope: ImpactScope,
    /// How hard they are hit.
    pub severity: Severity,
    /// The priority that it makes.
    pub priority: Priority,
}

/// The priority of a pair: as a matrix says, and by the default matrix where it does not.
#[must_use]
pub fn priority_of(
    matrix: &[PriorityMatrixEntry],
    scope: ImpactScope,
    severity: Severity,
) -> Priority {
    let own = matrix
        .iter()
        .find(|entry| entry.scope == scope && entry.severity == severity);
    own.map_or_else(|| by_default(scope, severity), |entry| entry.priority)
}

fn by_default(scope: ImpactScope, severity: Severity) -> Priority {
    let row = DEFAULT.iter().find(|(of, _, _)| *of == scope);
    let number = row.map(|(_, stopped, degraded)| match severity {
        Severity::Stopped => *stopped,
        Severity::Degraded => *degraded,
    });
    // The table has every scope and only known numbers, as a test checks.
    number.and_then(Priority::new).unwrap_or(Priority::LOWEST)
}

/// Notes every fault of a matrix; it need not be whole, nor rise with scope or severity.
pub(super) fn check_matrix(violations: &mut Violations, matrix: &[PriorityMatrixEntry]) {
    let field = "agreement.priority_matrix";
    violations.require(
        matrix.len() <= PRIORITY_MATRIX_MAX,
        field,
        "no more than 8 entries",
    );
    for (index, entry) in matrix.iter().enumerate().take(PRIORITY_MATRIX_MAX) {
        let is_same = |other: &PriorityMatrixEntry| {
            (other.scope, other.severity) == (entry.scope, entry.severity)
        };
        let first = matrix.iter().position(is_same);
        violations.require(
            first == Some(index),
            &format!("{field}[{index}]"),
            "each scope and severity once",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(scope: ImpactScope, severity: Severity, number: u8) -> PriorityMatrixEntry {
        PriorityMatrixEntry {
            scope,
            severity,
            priority: Priority::new(number).unwrap(),
        }
    }

    #[test]
    fn by_default_more_people_and_more_harm_are_never_less_urgent() {
        let number = |scope, severity| priority_of(&[], scope, severity).get();
        for scope in ImpactScope::ALL {
            let rows = DEFAULT.iter().filter(|(of, _, _)| *of == scope);
            assert_eq!(rows.count(), 1, "{scope:?}");
            assert!(number(scope, Severity::Stopped) < number(scope, Severity::Degraded));
        }
        for pair in ImpactScope::ALL.windows(2) {
            for severity in Severity::ALL {
                assert!(number(pair[1], severity) <= number(pair[0], severity));
            }
        }
        assert_eq!(number(ImpactScope::OnePerson, Severity::Stopped), 3);
        assert_eq!(number(ImpactScope::Everyone, Severity::Stopped), 1);
    }

    #[test]
    fn an_entry_wins_over_the_default_for_its_pair_alone() {
        let own = [entry(ImpactScope::Team, Severity::Stopped, 5)];
        let number = |scope, severity| priority_of(&own, scope, severity).get();
        assert_eq!(number(ImpactScope::Team, Severity::Stopped), 5);
        assert_eq!(number(ImpactScope::Team, Severity::Degraded), 3);
        assert_eq!(number(ImpactScope::Site, Severity::Stopped), 1);
    }

    #[test]
    fn each_pair_is_there_once() {
        let faults = |matrix: &[PriorityMatrixEntry]| {
            let mut violations = Violations::default();
            check_matrix(&mut violations, matrix);
            let refused = violations.finish().err();
            let listed = refused
                .map(|refusal| refusal.violations)
                .unwrap_or_default();
            listed
                .into_iter()
                .map(|fault| fault.field)
                .collect::<Vec<_>>()
        };
        let mut whole = Vec::new();
        for scope in ImpactScope::ALL {
            for severity in Severity::ALL {
                whole.push(entry(scope, severity, 5));
            }
        }
        assert_eq!(whole.len(), PRIORITY_MATRIX_MAX);
        assert!(faults(&whole).is_empty() && faults(&[]).is_empty());
        let mut twice = whole.clone();
        twice[3] = twice[0];
        assert_eq!(faults(&twice), ["agreement.priority_matrix[3]"]);
        let mut many = whole;
        many.push(entry(ImpactScope::Team, Severity::Stopped, 1));
        assert_eq!(faults(&many), ["agreement.priority_matrix"]);
    }
}
