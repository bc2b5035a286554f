//! Quotes as tables: one line for each slice, under a line of column names.

use csv::{ReaderBuilder, StringRecord, Trim};

use super::input::{COLUMNS, Cell, Position, Quote, Row, SplitError, Trouble, shown};

/// What some programs begin a text file with.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Reads a table. Columns are separated by commas, or by semicolons if the first line has no comma.
///
/// # Errors
/// [`SplitError::Malformed`] where it is no table, or where its columns are not known.
pub(super) fn read(bytes: &[u8]) -> Result<Quote, SplitError> {
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    let first_line = bytes
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let delimiter = if !first_line.contains(&b',') && first_line.contains(&b';') {
        b';'
    } else {
        b','
    };
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter)
        .trim(Trim::All)
        .from_reader(bytes);
    let headers = reader.headers().map_err(|error| malformed(&error))?.clone();
    let columns = columns(&headers)?;
    let mut quote = Quote::default();
    for record in reader.records() {
        let record = record.map_err(|error| malformed(&error))?;
        let at = Position {
            line: record.position().map(csv::Position::line),
            character: None,
        };
        let mut row = Row {
            at,
            ..Row::default()
        };
        for (column, text) in columns.iter().zip(&record) {
            if text.is_empty() {
                continue;
            }
            let cell = Cell {
                text: text.to_owned(),
                at,
                is_number: false,
            };
            row.cells.insert(column, cell);
        }
        quote.rows.push(row);
    }
    Ok(quote)
}

/// The columns of the table, in its order.
fn columns(headers: &StringRecord) -> Result<Vec<&'static str>, SplitError> {
    let refused = |what: &str, why: String| {
        let at = Position {
            line: Some(1),
            character: None,
        };
        let what = what.to_owned();
        SplitError::Malformed(Trouble { at, what, why })
    };
    let mut columns = Vec::with_capacity(headers.len());
    for header in headers {
        let known = COLUMNS.iter().map(|(name, _)| *name);
        let Some(name) = known.clone().find(|name| *name == header) else {
            let names = known.collect::<Vec<_>>().join(", ");
            let header = shown(header);
            return Err(refused(
                "",
                format!("{header} is not one of the columns {names}"),
            ));
        };
        if columns.contains(&name) {
            return Err(refused(name, "is there more than once".to_owned()));
        }
        columns.push(name);
    }
    for needed in ["id", "owner", "price"] {
        if !columns.contains(&needed) {
            let why = "is needed; the first line names the columns".to_owned();
            return Err(refused(needed, why));
        }
    }
    Ok(columns)
}

fn malformed(error: &csv::Error) -> SplitError {
    let line = error.position().map(csv::Position::line);
    let why = match error.kind() {
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => format!("has {len} columns, and the first line has {expected_len}"),
        csv::ErrorKind::Utf8 { .. } => "is not written in UTF-8".to_owned(),
        _ => error.to_string(),
    };
    SplitError::Malformed(Trouble {
        at: Position {
            line: line.or(Some(1)),
            character: None,
        },
        what: String::new(),
        why,
    })
}
