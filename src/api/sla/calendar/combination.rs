//! Calendars that are made of two others: what a caller writes down, and what it is shown.

use crate::api::convert::known_enum;
use crate::api::faults::Faults;
use crate::api::listing::name_in;
use crate::api::sla::home::{parse_setting, require_adopted};
use crate::domain::identity::ScopeId;
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::sla::combination::{CalendarCombination, OPERANDS, Operand, Operator};
use crate::proto::v1;

/// Where a combination stands in a request.
const PATH: &str = "calendar.combination";

/// How two calendars make one, and which.
pub(super) type Combination = (Operator, [Operand; OPERANDS]);

/// What the caller wrote down instead of windows; of use only if no fault was noted.
pub(super) fn combination(
    calendar: &v1::Calendar,
    written: &v1::CalendarCombination,
    scope: Option<&ScopeId>,
    faults: &mut Faults,
) -> Option<Combination> {
    for (field, is_empty) in [
        ("calendar.time_zone", calendar.time_zone.is_empty()),
        (
            "calendar.weekly_windows",
            calendar.weekly_windows.is_empty(),
        ),
        ("calendar.exceptions", calendar.exceptions.is_empty()),
        ("calendar.holiday_import", calendar.holiday_import.is_none()),
    ] {
        faults.require(is_empty, field, "must be empty beside a combination");
    }
    let field = format!("{PATH}.operator");
    let operator = faults.take(known_enum(&field, written.operator).map(Some));
    let operands = &written.calendars;
    let field = format!("{PATH}.calendars");
    faults.require(operands.len() == OPERANDS, &field, "exactly two calendars");
    let operands: Vec<Operand> = operands
        .iter()
        .take(OPERANDS)
        .enumerate()
        .filter_map(|(index, operand)| {
            let path = format!("{field}[{index}]");
            self::operand(&path, operand, scope, faults)
        })
        .collect();
    let operator = match operator? {
        v1::CalendarOperator::Union => Operator::Union,
        v1::CalendarOperator::Intersection => Operator::Intersection,
        v1::CalendarOperator::Unspecified => return None,
    };
    Some((operator, operands.try_into().ok()?))
}

fn operand(
    path: &str,
    written: &v1::CalendarOperand,
    scope: Option<&ScopeId>,
    faults: &mut Faults,
) -> Option<Operand> {
    let field = format!("{path}.calendar");
    let calendar = faults.take(neighbour(&field, &written.calendar, scope).map(Some));
    let revision = u32::try_from(written.revision).map_err(|_| {
        let rule = "must be a revision's number, or 0 for the latest";
        Refusal::field(Reason::InvalidField, format!("{path}.revision"), rule)
    });
    let revision = faults.take(revision.map(Some));
    Some(Operand {
        calendar: calendar?,
        revision: revision?,
    })
}

/// A calendar that must be of the same `scope`; of any, if that is at fault itself, and noted.
fn neighbour(field: &str, name: &str, scope: Option<&ScopeId>) -> Result<String, Refusal> {
    if let Some(partnership) = scope.filter(|scope| !scope.is_firm()) {
        require_adopted(field, name, partnership.id())?;
    }
    let (found, id) = parse_setting(field, name, super::COLLECTION)?;
    match scope {
        Some(scope) if *scope != found => {
            let rule = format!("must be of the same parent, {scope}");
            Err(Refusal::field(Reason::InvalidField, field, rule))
        }
        _ => Ok(id),
    }
}

/// A combination as the contract shows it.
pub(in crate::api::sla) fn to_combination(
    scope: &ScopeId,
    combination: &CalendarCombination,
) -> v1::CalendarCombination {
    let operator = match combination.operator {
        Operator::Union => v1::CalendarOperator::Union,
        Operator::Intersection => v1::CalendarOperator::Intersection,
    };
    let to_operand = |operand: &Operand| v1::CalendarOperand {
        calendar: name_in(scope, super::COLLECTION, &operand.calendar),
        revision: operand.revision.into(),
    };
    v1::CalendarCombination {
        operator: operator.into(),
        calendars: combination.operands.iter().map(to_operand).collect(),
    }
}
