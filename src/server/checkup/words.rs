//! The words of a check-up for people, on the page and in a terminal.

use jiff::tz::TimeZone;

use crate::domain::checkup::measure::Unit;
use crate::domain::checkup::value::level_text;
use crate::proto::v1::{self, CheckupUnit, Symptom};

/// What a row asks, as an anchor and in a sentence.
#[must_use]
pub const fn about(symptom: Symptom) -> (&'static str, &'static str) {
    match symptom {
        Symptom::Unspecified => ("other", ""),
        Symptom::ChasingRainbows => (
            "rainbows",
            "Proposal after proposal: what is shown to the client, what is won, and what it takes.",
        ),
        Symptom::OneSideOfThePencil => (
            "pencil",
            "Who pays when the client wants a better price, measured by what each sells.",
        ),
        Symptom::LittleInteraction => (
            "interaction",
            "Reviews, trainings and visits: who invites, who comes, and what is planned.",
        ),
        Symptom::NoMutualRespect => (
            "respect",
            "What each firm promised the other and kept, and how often it surprised it. One scale for both.",
        ),
        Symptom::NotRepresented => (
            "represented",
            "Whether whoever does a part is there when it is shown, and whether what was claimed is so.",
        ),
        Symptom::PoorService => (
            "service",
            "First responders, opening and escalating, channels, updates, satisfied or merely closed, help to grow.",
        ),
        Symptom::HeldHostage => (
            "protected",
            "What is held for clients, whether it would be handed over, and who gains by what is recommended.",
        ),
    }
}

/// What tells of a row, for one of which nothing was recorded.
#[must_use]
pub const fn recordable(symptom: Symptom) -> &'static str {
    match symptom {
        Symptom::Unspecified => "",
        Symptom::ChasingRainbows => "opportunities and joint quotes, and what became of them",
        Symptom::OneSideOfThePencil => "joint quotes with a concession that everybody approved",
        Symptom::LittleInteraction => "invitations, reviews, trainings and visits",
        Symptom::NoMutualRespect => "tickets under an agreement, expectations and notices",
        Symptom::NotRepresented => {
            "presentations to clients, with who was there, and claims that were judged"
        }
        Symptom::PoorService => "tickets, updates and surveys",
        Symptom::HeldHostage => {
            "what is held for clients, tests of handing it over, and disclosed stakes"
        }
    }
}

/// A level in the unit of its measure.
#[must_use]
pub fn level(unit: CheckupUnit, level: i64) -> String {
    let unit = match unit {
        CheckupUnit::Share => Unit::Share,
        CheckupUnit::Ratio => Unit::Ratio,
        CheckupUnit::Duration => Unit::Duration,
        CheckupUnit::Age => Unit::Age,
        CheckupUnit::Gaps => Unit::Gaps,
        CheckupUnit::Index => Unit::Index,
        CheckupUnit::Count | CheckupUnit::Unspecified => Unit::Count,
    };
    level_text(unit, level)
}

/// From which levels on the intensity is 1, 2, 3 and 4; empty for what is only shown.
#[must_use]
pub fn thresholds(figure: &v1::CheckupFigure) -> String {
    let levels: Vec<String> = figure
        .thresholds
        .iter()
        .map(|threshold| level(figure.unit(), *threshold))
        .collect();
    if levels.is_empty() {
        return String::new();
    }
    format!("1 to 4 from {}", levels.join(", "))
}

/// A figure's value, and what it rests on; both empty without data.
#[must_use]
pub fn value(figure: &v1::CheckupFigure) -> (&str, &str) {
    let text = figure.value.as_ref().map(|value| value.text.as_str());
    let text = text.unwrap_or_default();
    let parts = text
        .strip_suffix(')')
        .and_then(|text| text.split_once(" ("));
    parts.unwrap_or((text, ""))
}

/// Where a figure is going, by the last two quarters with data: more is worse. Empty where there are not
/// two of them.
#[must_use]
pub fn trend(figure: &v1::CheckupFigure) -> &'static str {
    let mut levels = figure.quarters.iter().rev().filter_map(|found| found.level);
    match levels.next().zip(levels.next()) {
        None => "",
        Some((last, before)) if figure.thresholds.is_empty() => match last.cmp(&before) {
            std::cmp::Ordering::Less => "falling",
            std::cmp::Ordering::Equal => "steady",
            std::cmp::Ordering::Greater => "rising",
        },
        Some((last, before)) => match last.cmp(&before) {
            std::cmp::Ordering::Less => "better",
            std::cmp::Ordering::Equal => "steady",
            std::cmp::Ordering::Greater => "worse",
        },
    }
}

/// What is measured, with the currency where there is one.
#[must_use]
pub fn label(figure: &v1::CheckupFigure) -> String {
    let label = capitalised(&figure.label);
    if figure.currency.is_empty() {
        label
    } else {
        format!("{label}, {}", figure.currency)
    }
}

fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(char::to_uppercase);
    first.map_or_else(String::new, |first| first.chain(characters).collect())
}

/// In how many quarters a side shows a symptom; empty without data.
#[must_use]
pub fn often(side: &v1::CheckupSide) -> String {
    match (side.present_quarters, side.known_quarters) {
        (_, 0) => String::new(),
        (present, 1) => format!("{present} of 1 quarter"),
        (present, known) => format!("{present} of {known} quarters"),
    }
}

/// The name of a party; its id, if it is none of the check-up's.
#[must_use]
pub fn party<'checkup>(checkup: &'checkup v1::Checkup, id: &'checkup str) -> &'checkup str {
    let mut parties = checkup.parties.iter();
    let found = parties.find(|party| party.party_id == id);
    found.map_or(id, |party| party.display_name.as_str())
}

/// All parties in one line.
#[must_use]
pub fn parties(checkup: &v1::Checkup) -> String {
    let names = checkup
        .parties
        .iter()
        .map(|party| party.display_name.as_str());
    let mut names: Vec<&str> = names.collect();
    match names.pop() {
        Some(last) if !names.is_empty() => format!("{} and {last}", names.join(", ")),
        last => last.unwrap_or_default().to_owned(),
    }
}

/// What would change a row: a sentence for each figure that has one.
#[must_use]
pub fn changes(checkup: &v1::Checkup, row: &v1::CheckupRow) -> Vec<String> {
    let sides = row.sides.iter();
    let figures = sides.flat_map(|side| side.figures.iter().map(move |figure| (side, figure)));
    let sentences = figures.filter_map(|(side, figure)| {
        let change = figure.change.as_ref()?;
        let party = party(checkup, &side.party_id);
        let label = match figure.currency.as_str() {
            "" => figure.label.clone(),
            currency => format!("{}, {currency}", figure.label),
        };
        Some(format!("{party}, {label}: {}", change.text))
    });
    let sentences: Vec<String> = sentences.collect();
    if sentences.is_empty() && row.intensity.is_none() {
        let what = recordable(row.symptom());
        return vec![format!(
            "Nothing was recorded that could be judged. These tell: {what}."
        )];
    }
    sentences
}

/// The days of a window, in UTC.
#[must_use]
pub fn window(window: &v1::CheckupWindow) -> String {
    let from = window.start_time.map(|at| shown(at.seconds, "%-d %b %Y"));
    // The end does not belong to it.
    let to = window
        .end_time
        .map(|at| shown(at.seconds.saturating_sub(1), "%-d %b %Y"));
    format!("{} to {}", from.unwrap_or_default(), to.unwrap_or_default())
}

/// An instant to the minute, in UTC.
#[must_use]
pub fn instant(at: prost_types::Timestamp) -> String {
    shown(at.seconds, "%-d %b %Y, %H:%M UTC")
}

fn shown(seconds: i64, format: &str) -> String {
    let instant = jiff::Timestamp::from_second(seconds);
    instant.map_or_else(
        |_| String::new(),
        |instant| instant.to_zoned(TimeZone::UTC).strftime(format).to_string(),
    )
}

/// A number with its thousands apart.
#[must_use]
pub fn count(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if number < 0 { format!("-{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_are_for_people() {
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(
            [count(0), count(999), count(-1_000)],
            ["0", "999", "-1,000"]
        );
        let at = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
        let year = v1::CheckupWindow {
            start_time: at(1_735_689_600),
            end_time: at(1_767_225_600),
        };
        assert_eq!(window(&year), "1 Jan 2025 to 31 Dec 2025");
    }

    #[test]
    fn the_trend_goes_by_the_last_two_quarters_with_data() {
        let of = |levels: &[Option<i64>], judged: bool| {
            let quarters = levels.iter().map(|level| v1::CheckupQuarter {
                level: *level,
                intensity: None,
            });
            trend(&v1::CheckupFigure {
                quarters: quarters.collect(),
                thresholds: if judged { vec![1, 2, 3, 4] } else { Vec::new() },
                ..v1::CheckupFigure::default()
            })
        };
        assert_eq!(of(&[Some(9), Some(1), None, Some(2)], true), "worse");
        assert_eq!(of(&[Some(3), Some(1)], true), "better");
        assert_eq!(of(&[Some(3), Some(1)], false), "falling");
        assert_eq!(of(&[Some(3), Some(3), None], true), "steady");
        assert_eq!(of(&[None, Some(3), None], true), "");
    }

    #[test]
    fn values_come_apart_into_what_they_are_and_what_they_rest_on() {
        let figure = |text: &str| v1::CheckupFigure {
            value: Some(v1::CheckupValue {
                text: text.to_owned(),
                ..v1::CheckupValue::default()
            }),
            ..v1::CheckupFigure::default()
        };
        assert_eq!(value(&figure("12 % (3 of 25)")), ("12 %", "3 of 25"));
        assert_eq!(value(&figure("1.20")), ("1.20", ""));
        assert_eq!(value(&v1::CheckupFigure::default()), ("", ""));
    }
}
