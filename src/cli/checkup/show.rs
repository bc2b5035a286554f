//! A check-up as text.

use crate::cli::page::Page;
use crate::proto::v1;
use crate::server::checkup::page::meter;
use crate::server::checkup::words;

/// Bars by height, the lowest first.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// A quarter with 0.
const ZERO: char = '_';
/// A quarter without data.
const NO_DATA: char = '·';
/// Most records named for one figure.
const RECORDS: usize = 1;

/// The check-up for a terminal; `bold` headings are for those that know them.
pub(in crate::cli) fn text(checkup: &v1::Checkup, bold: bool) -> String {
    let mut page = Page::new(bold);
    page.heading(&format!("Check-up: {}", words::parties(checkup)));
    let window = checkup.window.as_ref().map(words::window);
    let as_of = checkup.as_of_time.map(words::instant);
    page.say(&format!(
        "{}, as of {}. {} sees it so; journal entry {}.",
        window.unwrap_or_default(),
        as_of.unwrap_or_default(),
        words::party(checkup, &checkup.caller_party_id),
        words::count(checkup.sequence),
    ));
    page.gap();
    glance(&mut page, checkup);
    for row in &checkup.rows {
        show_row(&mut page, checkup, row);
    }
    legend(&mut page);
    page.into_text()
}

/// What the signs mean.
pub(in crate::cli) fn legend(page: &mut Page) {
    page.say(&format!(
        "Bars are quarters, {ZERO} is 0 and {NO_DATA} is no data. [0] to [4] is the intensity, by the \
         thresholds of the terms."
    ));
}

/// All rows in one table.
pub(in crate::cli) fn glance(page: &mut Page, checkup: &v1::Checkup) {
    let mut header = vec![""];
    header.extend(
        checkup
            .parties
            .iter()
            .map(|party| party.display_name.as_str()),
    );
    let rows = checkup.rows.iter().map(|row| {
        let sides = row.sides.iter().map(level);
        std::iter::once(row.question.clone()).chain(sides).collect()
    });
    page.columns(&header, rows.collect(), &[], &[0]);
}

fn level(side: &v1::CheckupSide) -> String {
    let word = meter(side.intensity).word;
    match words::often(side).as_str() {
        "" => word.to_owned(),
        often => format!("{word}, {often}"),
    }
}

/// One row: its figures, what would change it, and where they come from.
pub(in crate::cli) fn show_row(page: &mut Page, checkup: &v1::Checkup, row: &v1::CheckupRow) {
    page.heading(&row.question);
    let Some(first) = row.sides.first() else {
        return;
    };
    let mut header = vec![""];
    header.extend(
        checkup
            .parties
            .iter()
            .map(|party| party.display_name.as_str()),
    );
    let lines = first.figures.iter().enumerate().map(|(index, figure)| {
        let cells = row.sides.iter().map(|side| cell(side.figures.get(index)));
        std::iter::once(words::label(figure)).chain(cells).collect()
    });
    page.columns(&header, lines.collect(), &[], &[0]);
    for change in words::changes(checkup, row) {
        page.hang("- ", &change);
    }
    let prefix = format!("{}/", checkup.partnership);
    for side in &row.sides {
        for figure in side
            .figures
            .iter()
            .filter(|figure| figure.intensity > Some(0))
        {
            for record in figure.records.iter().take(RECORDS) {
                let party = words::party(checkup, &side.party_id);
                // They are all of this partnership.
                let record = record.strip_prefix(&prefix).unwrap_or(record);
                let latest = format!("{party}, {}, the latest: {record}", figure.label);
                page.hang("- ", &latest);
            }
        }
    }
}

fn cell(figure: Option<&v1::CheckupFigure>) -> String {
    let Some(figure) = figure.filter(|figure| figure.value.is_some()) else {
        return "no data".to_owned();
    };
    let (value, basis) = words::value(figure);
    let mut text = bars(figure);
    text.push(' ');
    text.push_str(value);
    if let Some(intensity) = figure.intensity {
        text.push_str(&format!(" [{intensity}]"));
    }
    for words in [basis, words::trend(figure)] {
        if !words.is_empty() {
            text.push_str(", ");
            text.push_str(words);
        }
    }
    text
}

fn bars(figure: &v1::CheckupFigure) -> String {
    let levels = figure.quarters.iter().map(|quarter| quarter.level);
    let highest = levels.clone().flatten().max().unwrap_or(0);
    levels.map(|level| bar(level, highest)).collect()
}

fn bar(level: Option<i64>, highest: i64) -> char {
    match level {
        None => NO_DATA,
        Some(level) if level <= 0 => ZERO,
        Some(level) => {
            let steps = i128::from(level) * 8 - 1;
            let step = steps.checked_div(i128::from(highest)).unwrap_or(0);
            let step = usize::try_from(step).unwrap_or(0).min(BARS.len() - 1);
            BARS[step]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_tell_zero_from_no_data() {
        let levels = [None, Some(0), Some(1), Some(50), Some(100)];
        let bars: String = levels.into_iter().map(|level| bar(level, 100)).collect();
        assert_eq!(bars, "·_▁▄█");
        assert_eq!(bar(Some(i64::MAX), i64::MAX), '█');
        assert_eq!(bar(Some(5), 0), '▁');
    }
}
