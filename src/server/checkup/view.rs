//! From a check-up to its page: as much of it as fits.

use std::collections::BTreeSet;

use super::chart::{self, Chart};
use super::page::{
    self, Cell, Fact, Level, Line, METERS, Note, PAGE_BYTES_MAX, Page, RecordLink, Row,
};
use super::words;
use crate::domain::refusal::Refusal;
use crate::proto::v1::{self, Symptom};

/// Most columns of parties that fit a phone.
const SIDES_ON_A_PHONE: usize = 2;
/// Characters at the end of a record's id that tell it from others.
const ID_CHARACTERS: usize = 8;

/// Cases of a figure whose records are named.
const CASES_LINKED: i64 = 10;

/// What somebody has to say about a row.
#[derive(Clone, Debug)]
pub struct Said {
    /// About which row.
    pub symptom: Symptom,
    /// Who said it, and when.
    pub by: String,
    /// What was said.
    pub text: String,
    /// Whether it answers the one before.
    pub is_reply: bool,
    /// Whether nobody else sees it.
    pub is_private: bool,
}

/// How much of a check-up is shown.
#[derive(Clone, Copy, Debug)]
struct Detail {
    /// Quarters in charts, the latest ones.
    quarters: usize,
    /// Charts are drawn of figures of this intensity and above.
    charts_from: i32,
    /// Records linked for each row.
    records: usize,
    /// Figures of each row of which it is said what would change them.
    changes: usize,
    /// Notes for each row, the latest ones.
    notes: usize,
    /// Characters of a note.
    note_characters: usize,
}

/// What is tried, one after the other, until the page is small enough.
const DETAILS: [Detail; 8] = [
    detail((21, 0), [10, 40], [20, 2_000]),
    detail((12, 0), [6, 12], [8, 500]),
    detail((8, 0), [3, 8], [4, 250]),
    detail((5, 0), [2, 6], [3, 200]),
    detail((5, 1), [2, 4], [3, 200]),
    detail((4, 2), [1, 2], [1, 80]),
    detail((4, 4), [0, 2], [1, 80]),
    detail((0, 4), [0, 1], [0, 0]),
];

const fn detail(
    (quarters, charts_from): (usize, i32),
    [records, changes]: [usize; 2],
    [notes, note_characters]: [usize; 2],
) -> Detail {
    Detail {
        quarters,
        charts_from,
        records,
        changes,
        notes,
        note_characters,
    }
}

/// The notes of a check-up that every party may read, in the order of its rows.
pub fn shared(checkup: &v1::Checkup) -> Vec<Said> {
    let name_of = |party: &str| {
        let mut parties = checkup.parties.iter();
        let found = parties.find(|known| known.party_id == party);
        found.map_or_else(|| party.to_owned(), |found| found.display_name.clone())
    };
    let said = |symptom: Symptom, note: &v1::CheckupRemark| {
        let written = note.write_time.map(words::instant).unwrap_or_default();
        Said {
            symptom,
            by: format!("{}, {written}", name_of(&note.party_id)),
            text: note.text.clone(),
            is_reply: !note.reply_to.is_empty(),
            is_private: note.private,
        }
    };
    let notes = checkup.rows.iter().flat_map(|row| {
        let shared = row.notes.iter().filter(|note| !note.private);
        shared.map(|note| said(row.symptom(), note))
    });
    notes.collect()
}

/// The page of a check-up, with notes in the order in which they are shown, ending with `closing`; it
/// has [`PAGE_BYTES_MAX`] bytes at most, so a large check-up is shown with less detail.
///
/// # Errors
/// [`crate::domain::refusal::Reason::ResultTooLarge`] for one that has too much even so.
pub fn html(checkup: &v1::Checkup, notes: &[Said], closing: &[String]) -> Result<String, Refusal> {
    for detail in DETAILS {
        let html = page::html(&page_of(checkup, notes, closing, detail))?;
        if html.len() <= PAGE_BYTES_MAX {
            return Ok(html);
        }
    }
    let why = format!("the page has more than {PAGE_BYTES_MAX} bytes");
    let refusal = Refusal::new(crate::domain::refusal::Reason::ResultTooLarge, why);
    Err(refusal.with("maximum", PAGE_BYTES_MAX))
}

fn page_of(checkup: &v1::Checkup, notes: &[Said], closing: &[String], detail: Detail) -> Page {
    let names = checkup
        .parties
        .iter()
        .map(|party| party.display_name.clone());
    let shown = shown_quarters(checkup, detail);
    Page {
        style: page::STYLE,
        title: words::parties(checkup),
        facts: facts(checkup),
        sides: names.collect(),
        is_wide: checkup.parties.len() > SIDES_ON_A_PHONE,
        rows: checkup
            .rows
            .iter()
            .map(|row| to_row(checkup, row, notes, detail))
            .collect(),
        meters: &METERS,
        quarters: quarters(shown),
        width: chart::width(shown.len()),
        closing: closing.to_vec(),
    }
}

fn facts(checkup: &v1::Checkup) -> Vec<Fact> {
    let fact = |name, words: String| Fact { name, words };
    let window = checkup.window.as_ref().map(words::window);
    let as_of = checkup.as_of_time.map(words::instant);
    let caller = words::party(checkup, &checkup.caller_party_id);
    let mut facts = vec![
        fact("Window", window.unwrap_or_default()),
        fact("As of", as_of.unwrap_or_default()),
        fact("Shown to", caller.to_owned()),
    ];
    // Often it is called after its parties, who are the title.
    if checkup.display_name != words::parties(checkup) {
        facts.insert(0, fact("Partnership", checkup.display_name.clone()));
    }
    facts
}

/// The latest quarters, as many as there is room for.
fn shown_quarters(checkup: &v1::Checkup, detail: Detail) -> &[String] {
    let first = checkup.quarters.len().saturating_sub(detail.quarters);
    checkup.quarters.get(first..).unwrap_or_default()
}

fn quarters(shown: &[String]) -> String {
    match shown {
        [] => String::new(),
        [only] => format!("Charts show {only}."),
        [first, .., last] => format!("Charts show {first} to {last}, from left to right."),
    }
}

fn to_row(checkup: &v1::Checkup, row: &v1::CheckupRow, notes: &[Said], detail: Detail) -> Row {
    let (id, asks) = words::about(row.symptom());
    let (records, records_summary) = records(checkup, row, detail);
    Row {
        id,
        question: row.question.clone(),
        asks,
        levels: row.sides.iter().map(to_level).collect(),
        figures: lines(row, detail),
        unknown: unknown(row),
        changes: changes(checkup, row, detail),
        records,
        records_summary,
        notes: to_notes(row.symptom(), notes, detail),
    }
}

/// What would change a row, and how much of that is left out.
fn changes(checkup: &v1::Checkup, row: &v1::CheckupRow, detail: Detail) -> Vec<String> {
    let mut changes = words::changes(checkup, row);
    let left_out = changes.len().saturating_sub(detail.changes);
    changes.truncate(detail.changes);
    if left_out > 0 {
        changes.push(format!("And {left_out} more figures."));
    }
    changes
}

fn to_level(side: &v1::CheckupSide) -> Level {
    let meter = page::meter(side.intensity);
    Level {
        code: meter.code,
        word: meter.word,
        often: words::often(side),
    }
}

/// One line for each measure: the sides have the same ones in the same order.
fn lines(row: &v1::CheckupRow, detail: Detail) -> Vec<Line> {
    let Some(first) = row.sides.first() else {
        return Vec::new();
    };
    let known = known(row);
    let figures = first.figures.iter().enumerate();
    let figures = figures.filter(|(index, _)| known.contains(index));
    let lines = figures.map(|(index, figure)| {
        let figures = row.sides.iter().map(|side| side.figures.get(index));
        let figures: Vec<Option<&v1::CheckupFigure>> = figures.collect();
        let levels = figures
            .iter()
            .flatten()
            .flat_map(|figure| latest(figure, detail));
        let highest = levels.filter_map(|quarter| quarter.level).max();
        Line {
            name: words::label(figure),
            unit: words::thresholds(figure),
            cells: figures
                .into_iter()
                .map(|figure| to_cell(figure, highest.unwrap_or(0), detail))
                .collect(),
        }
    });
    lines.collect()
}

/// The places of the measures of which any side has data.
fn known(row: &v1::CheckupRow) -> BTreeSet<usize> {
    let sides = row.sides.iter();
    let figures = sides.flat_map(|side| side.figures.iter().enumerate());
    let known = figures.filter(|(_, figure)| figure.value.is_some());
    known.map(|(index, _)| index).collect()
}

/// The measures of which no side has data, in one sentence; empty if there are none.
fn unknown(row: &v1::CheckupRow) -> String {
    let known = known(row);
    let figures = row.sides.first().map(|side| side.figures.as_slice());
    let figures = figures.unwrap_or_default().iter().enumerate();
    let unknown = figures.filter(|(index, _)| !known.contains(index));
    let names: Vec<String> = unknown.map(|(_, figure)| figure.label.clone()).collect();
    names.join(", ")
}

/// The quarters of a figure for which there is room.
fn latest(figure: &v1::CheckupFigure, detail: Detail) -> &[v1::CheckupQuarter] {
    let first = figure.quarters.len().saturating_sub(detail.quarters);
    figure.quarters.get(first..).unwrap_or_default()
}

fn to_cell(figure: Option<&v1::CheckupFigure>, highest: i64, detail: Detail) -> Cell {
    let Some(figure) = figure.filter(|figure| figure.value.is_some()) else {
        return Cell::default();
    };
    let (value, basis) = words::value(figure);
    let trend = words::trend(figure);
    let basis = [basis, trend].map(str::to_owned);
    let basis = basis.into_iter().filter(|words| !words.is_empty());
    let is_drawn = figure.intensity.unwrap_or(0) >= detail.charts_from;
    let quarters = latest(figure, detail).iter().filter(|_| is_drawn);
    let levels: Vec<Option<i64>> = quarters.map(|found| found.level).collect();
    let told = levels.iter().map(|level| match level {
        None => "no data".to_owned(),
        Some(level) => words::level(figure.unit(), *level),
    });
    Cell {
        value: value.to_owned(),
        code: figure
            .intensity
            .map_or_else(String::new, |found| found.to_string()),
        basis: basis.collect::<Vec<_>>().join(", "),
        label: told.collect::<Vec<_>>().join(", "),
        chart: Chart::new(&levels, highest),
    }
}

/// The records behind a row, the worst figures' first, and what is said of how many there are.
fn records(
    checkup: &v1::Checkup,
    row: &v1::CheckupRow,
    detail: Detail,
) -> (Vec<RecordLink>, String) {
    let mut figures: Vec<_> = row
        .sides
        .iter()
        .flat_map(|side| side.figures.iter().map(move |figure| (side, figure)))
        .collect();
    figures.sort_by_key(|(_, figure)| std::cmp::Reverse(figure.intensity));
    let prefix = format!("{}/", checkup.partnership);
    let mut seen = BTreeSet::new();
    let mut links = Vec::new();
    let mut is_all = true;
    for (side, figure) in figures {
        is_all = is_all && figure.case_count <= CASES_LINKED;
        for name in &figure.records {
            let href = name.strip_prefix(&prefix);
            let Some(href) = href.filter(|href| has_page(href) && seen.insert(*href)) else {
                continue;
            };
            if links.len() >= detail.records {
                is_all = false;
                continue;
            }
            let party = words::party(checkup, &side.party_id);
            links.push(RecordLink {
                href: href.to_owned(),
                words: format!("{party}, {}: {}", figure.label, short(href)),
            });
        }
    }
    let summary = match (is_all, links.len()) {
        (true, 1) => "The record behind these figures".to_owned(),
        (true, count) => format!("The {count} records behind these figures"),
        (false, count) => format!("{count} of the records behind these figures"),
    };
    (links, summary)
}

/// Whether a record is named by its collection and its id alone, as pages of records are.
fn has_page(href: &str) -> bool {
    href.split('/').count() == 2
}

/// A record in short: `tickets ..1f2e3d4c`.
fn short(href: &str) -> String {
    let (collection, id) = href.rsplit_once('/').unwrap_or(("", href));
    let cut = id.char_indices().rev().nth(ID_CHARACTERS - 1);
    match cut {
        Some((start, _)) if start > 0 => format!("{collection} ..{}", &id[start..]),
        _ => format!("{collection} {id}"),
    }
}

fn to_notes(symptom: Symptom, notes: &[Said], detail: Detail) -> Vec<Note> {
    let own = notes.iter().filter(|said| said.symptom == symptom);
    let own: Vec<&Said> = own.collect();
    let first = own.len().saturating_sub(detail.notes);
    let shown = own.get(first..).unwrap_or_default();
    shown
        .iter()
        .map(|said| Note {
            by: said.by.clone(),
            text: cut(&said.text, detail.note_characters),
            is_reply: said.is_reply,
            is_private: said.is_private,
        })
        .collect()
}

fn cut(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        None => text.to_owned(),
        Some((end, _)) => format!("{} ...", &text[..end]),
    }
}

#[cfg(test)]
mod tests;
