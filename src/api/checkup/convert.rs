//! The check-up between the contract and the domain.

use crate::api::collections::record_name;
use crate::api::convert::{known_enum, to_timestamp};
use crate::api::{Member, required};
use crate::domain::checkup::tally::Link;
use crate::domain::checkup::{
    Change, Figure, Measure, QuarterFigure, Report, Row, Side, Symptom, Unit, Value,
};
use crate::domain::identity::ScopeId;
use crate::domain::partnership::Partnership;
use crate::domain::refusal::Refusal;
use crate::proto::v1;

/// Begins the names of measures in the contract.
const MEASURE: &str = "CHECKUP_MEASURE_";

/// The report as the contract shows it.
pub(super) fn to_checkup(
    member: &Member,
    partnership: &Partnership,
    report: &Report,
    sequence: u64,
) -> v1::Checkup {
    let scope = member.scope();
    v1::Checkup {
        partnership: scope.to_string(),
        display_name: partnership.display_name.clone(),
        as_of_time: Some(to_timestamp(report.as_of)),
        window: Some(v1::CheckupWindow {
            start_time: Some(to_timestamp(report.window.from)),
            end_time: Some(to_timestamp(report.window.to)),
        }),
        sequence: i64::try_from(sequence).unwrap_or(i64::MAX),
        parties: partnership
            .parties
            .iter()
            .map(|party| v1::CheckupParty {
                party_id: party.id.to_string(),
                display_name: party.display_name.clone(),
            })
            .collect(),
        quarters: report.quarters.iter().map(ToString::to_string).collect(),
        rows: report.rows.iter().map(|row| to_row(&scope, row)).collect(),
        caller_party_id: member.party.id.to_string(),
    }
}

fn to_row(scope: &ScopeId, row: &Row) -> v1::CheckupRow {
    v1::CheckupRow {
        notes: Vec::new(),
        symptom: to_symptom(row.symptom).into(),
        question: row.symptom.question().to_owned(),
        intensity: row.intensity.map(i32::from),
        sides: row.sides.iter().map(|side| to_side(scope, side)).collect(),
    }
}

fn to_side(scope: &ScopeId, side: &Side) -> v1::CheckupSide {
    let quarters = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
    let figures = side.figures.iter();
    v1::CheckupSide {
        party_id: side.party.to_string(),
        intensity: side.intensity.map(i32::from),
        present_quarters: quarters(side.frequency.present),
        known_quarters: quarters(side.frequency.known),
        figures: figures.map(|figure| to_figure(scope, figure)).collect(),
    }
}

fn to_figure(scope: &ScopeId, figure: &Figure) -> v1::CheckupFigure {
    let unit = figure.measure.unit();
    let currency = figure.currency.map(|currency| currency.code().to_owned());
    let name = |link: &Link| record_name(scope, link.kind, &link.id);
    let change = figure.change.as_ref();
    v1::CheckupFigure {
        measure: to_measure(figure.measure).into(),
        label: figure.measure.label().to_owned(),
        unit: to_unit(unit).into(),
        currency: currency.unwrap_or_default(),
        value: figure.value.map(|value| to_value(value, unit)),
        intensity: figure.intensity.map(i32::from),
        thresholds: figure.thresholds.map(Vec::from).unwrap_or_default(),
        quarters: figure.quarters.iter().map(to_quarter).collect(),
        records: figure.links.iter().map(name).collect(),
        case_count: long(figure.cases),
        change: change.map(|change| to_change(change, figure.measure)),
    }
}

fn to_value(value: Value, unit: Unit) -> v1::CheckupValue {
    let (part, whole) = match value {
        Value::Share { part, whole } | Value::Ratio { part, whole } => (Some(part), Some(whole)),
        Value::Duration { cases, .. } => (None, Some(cases)),
        Value::Age { .. } | Value::Count(_) | Value::Index { .. } => (None, None),
    };
    let since = match value {
        Value::Age { since, .. } => Some(to_timestamp(since)),
        _ => None,
    };
    v1::CheckupValue {
        level: value.level(),
        text: value.text(unit),
        part: part.map(long),
        whole: whole.map(long),
        since_time: since,
        few_cases: value.is_of_few_cases(),
    }
}

fn to_quarter(quarter: &QuarterFigure) -> v1::CheckupQuarter {
    v1::CheckupQuarter {
        level: quarter.value.map(Value::level),
        intensity: quarter.intensity.map(i32::from),
    }
}

fn to_change(change: &Change, measure: Measure) -> v1::CheckupChange {
    v1::CheckupChange {
        to_intensity: change.to_intensity.into(),
        below_level: change.below,
        fewer: change.fewer.map(long),
        more: change.more.map(long),
        text: change.sentence(measure),
    }
}

/// Counts are far below what 63 bits hold.
fn long(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A symptom that is named.
///
/// # Errors
/// [`Reason::InvalidField`](crate::domain::refusal::Reason::InvalidField), naming `field`.
pub(in crate::api) fn symptom(field: &str, value: i32) -> Result<Symptom, Refusal> {
    let named = known_enum::<v1::Symptom>(field, value)?;
    let found = Symptom::ALL
        .into_iter()
        .find(|symptom| to_symptom(*symptom) == named);
    found.ok_or_else(|| required(field))
}

/// A symptom as the contract names it.
pub(in crate::api) const fn to_symptom(symptom: Symptom) -> v1::Symptom {
    match symptom {
        Symptom::ChasingRainbows => v1::Symptom::ChasingRainbows,
        Symptom::OneSideOfThePencil => v1::Symptom::OneSideOfThePencil,
        Symptom::LittleInteraction => v1::Symptom::LittleInteraction,
        Symptom::NoMutualRespect => v1::Symptom::NoMutualRespect,
        Symptom::NotRepresented => v1::Symptom::NotRepresented,
        Symptom::PoorService => v1::Symptom::PoorService,
        Symptom::HeldHostage => v1::Symptom::HeldHostage,
    }
}

const fn to_unit(unit: Unit) -> v1::CheckupUnit {
    match unit {
        Unit::Share => v1::CheckupUnit::Share,
        Unit::Ratio => v1::CheckupUnit::Ratio,
        Unit::Duration => v1::CheckupUnit::Duration,
        Unit::Age => v1::CheckupUnit::Age,
        Unit::Gaps => v1::CheckupUnit::Gaps,
        Unit::Count => v1::CheckupUnit::Count,
        Unit::Index => v1::CheckupUnit::Index,
    }
}

/// A measure as the contract names it: the same name in capitals.
pub(in crate::api) fn to_measure(measure: Measure) -> v1::CheckupMeasure {
    let name = format!("{MEASURE}{}", measure.name().to_uppercase());
    v1::CheckupMeasure::from_str_name(&name).unwrap_or_default()
}

/// The measure of that number; `None` for one that is not known.
pub(in crate::api) fn measure(number: i32) -> Option<Measure> {
    let known = v1::CheckupMeasure::try_from(number).ok()?;
    let mut measures = Measure::ALL.iter().copied();
    measures.find(|measure| to_measure(*measure) == known)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_measure_is_in_the_contract() {
        let mut numbers = BTreeSet::new();
        for found in Measure::ALL {
            let shown = to_measure(*found);
            let name = found.name();
            assert_ne!(shown, v1::CheckupMeasure::Unspecified, "{name}");
            assert_eq!(measure(shown.into()), Some(*found), "{name}");
            numbers.insert(i32::from(shown));
        }
        let stored: BTreeSet<&str> = Measure::ALL.iter().map(|found| found.name()).collect();
        assert_eq!(stored.len(), numbers.len());
        assert_eq!(measure(0), None);
    }
}
