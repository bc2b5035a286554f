//! Comma-separated values. Spreadsheets take a text that begins like a formula for one, so such text
//! is written with an apostrophe before it.

use crate::domain::refusal::{Reason, Refusal};

/// With what a formula begins.
const FORMULA_BEGINS: [char; 4] = ['=', '+', '-', '@'];

/// A cell of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::api) enum Cell {
    /// Written by the service itself: a number, a date, an identifier.
    Plain(String),
    /// Written by people.
    Words(String),
}

impl Cell {
    /// A cell with what the service writes.
    pub(in crate::api) fn plain(value: impl Into<String>) -> Self {
        Self::Plain(value.into())
    }

    /// A cell with what people wrote.
    pub(in crate::api) fn words(text: &str) -> Self {
        Self::Words(text.to_owned())
    }

    fn written(&self) -> String {
        match self {
            Self::Plain(value) => value.clone(),
            Self::Words(text) => harmless(text),
        }
    }
}

/// The text, so that no spreadsheet takes it for a formula.
fn harmless(text: &str) -> String {
    let begins = text.trim_start().starts_with(FORMULA_BEGINS);
    let is_blank_first = text.starts_with(['\t', '\r', '\n']);
    if begins || is_blank_first {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

/// A table with its head.
///
/// # Errors
/// [`Reason::Internal`] if it cannot be written, which memory alone can cause.
pub(in crate::api) fn csv(head: &[&str], rows: &[Vec<Cell>]) -> Result<Vec<u8>, Refusal> {
    let internal = |error: String| Refusal::new(Reason::Internal, error);
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    let wrong = |error: ::csv::Error| internal(error.to_string());
    writer.write_record(head).map_err(wrong)?;
    for row in rows {
        writer
            .write_record(row.iter().map(Cell::written))
            .map_err(wrong)?;
    }
    writer
        .into_inner()
        .map_err(|error| internal(error.to_string()))
}
