//! The rows of a ServiceNow incident audit export.

use std::fmt;
use std::io::Read;

use csv::{ByteRecord, Terminator};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::cli::CliError;

/// Most rows of one file. They are held in memory, a few hundred bytes each.
pub const FILE_ROWS_MAX: usize = 1_000_000;
/// Longest incident number or state, in bytes: what the service takes.
const TEXT_BYTES_MAX: usize = 128;
/// Lowest priority; 1 is the highest.
const PRIORITY_LOWEST: i32 = 5;
/// How the export writes an instant.
const TIME_FORMAT: &str = "%d-%m-%Y %H:%M";
/// How the export writes that there is no value.
const MISSING: &str = "?";

/// One update of an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Where it stands in the file, counted from 1.
    pub line: u64,
    /// The incident.
    pub number: String,
    /// Counts the updates of the incident; some exports repeat a count.
    pub mod_count: i64,
    /// When it was updated, in seconds since 1970.
    pub updated_at: i64,
    /// The same as the export writes it.
    pub updated_text: String,
    /// When the incident was opened, in seconds since 1970.
    pub opened_at: Option<i64>,
    /// The priority after the update: 1 (highest) to 5.
    pub priority: Option<i32>,
    /// The state after the update, as the export writes it.
    pub state: Option<String>,
}

impl Row {
    /// An id that the same update has in every export.
    #[must_use]
    pub fn event_id(&self) -> String {
        format!("{}/{}/{}", self.number, self.mod_count, self.updated_text)
    }
}

/// A row that was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectedRow {
    /// Where it stands in the file, counted from 1.
    pub line: u64,
    /// Why.
    pub reason: String,
}

impl fmt::Display for RejectedRow {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {}: {}", self.line, self.reason)
    }
}

/// A file's rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// The good ones, in the order of update, count and number, so that the order of the file does
    /// not matter.
    pub rows: Vec<Row>,
    /// The others, in the order of the file.
    pub rejected: Vec<RejectedRow>,
}

/// Where the needed columns are, whatever their order.
struct Columns {
    count: usize,
    number: usize,
    state: usize,
    mod_count: usize,
    opened_at: usize,
    updated_at: usize,
    priority: usize,
}

/// Reads a whole export.
///
/// # Errors
/// If it cannot be read to the end, lacks a needed column, or has too many rows.
pub fn read(reader: impl Read) -> Result<Rows, CliError> {
    // With an end to the last line, a row always ends one line before the reader's position.
    let reader = reader.chain(b"\n".as_slice());
    // Carriage returns are taken off as white space: as part of a line's end, they would make the
    // reader count lines late.
    let mut reader = csv::ReaderBuilder::new()
        .terminator(Terminator::Any(b'\n'))
        .flexible(true)
        .from_reader(reader);
    let columns = Columns::find(reader.byte_headers()?)?;
    let mut read = Rows::default();
    let mut record = ByteRecord::new();
    while reader.read_byte_record(&mut record)? {
        if record.as_slice().trim_ascii().is_empty() && record.len() == 1 {
            continue; // A blank line.
        }
        let line = reader
            .position()
            .line()
            .saturating_sub(1 + lines_within(&record));
        match columns.row(&record, line) {
            Ok(row) => read.rows.push(row),
            Err(reason) => read.rejected.push(RejectedRow { line, reason }),
        }
        if read.rows.len() + read.rejected.len() > FILE_ROWS_MAX {
            return Err(format!("the file has more than {FILE_ROWS_MAX} rows: split it").into());
        }
    }
    read.rows.sort_by(|left, right| {
        (left.updated_at, left.mod_count, &left.number).cmp(&(
            right.updated_at,
            right.mod_count,
            &right.number,
        ))
    });
    Ok(read)
}

/// How many lines begin within a row: a quoted field may hold several.
fn lines_within(record: &ByteRecord) -> u64 {
    record
        .as_slice()
        .iter()
        .map(|byte| u64::from(*byte == b'\n'))
        .sum()
}

impl Columns {
    fn find(header: &ByteRecord) -> Result<Self, CliError> {
        let mut missing = Vec::new();
        let mut find = |name: &'static str| {
            let found = header
                .iter()
                .position(|column| column.trim_ascii() == name.as_bytes());
            found.unwrap_or_else(|| {
                missing.push(name);
                0
            })
        };
        let columns = Self {
            count: header.len(),
            number: find("number"),
            state: find("incident_state"),
            mod_count: find("sys_mod_count"),
            opened_at: find("opened_at"),
            updated_at: find("sys_updated_at"),
            priority: find("priority"),
        };
        if missing.is_empty() {
            return Ok(columns);
        }
        let missing = missing.join(", ");
        Err(format!(
            "this is no ServiceNow incident audit export: its first line does not name {missing}"
        )
        .into())
    }

    /// The row, or everything that is wrong with it.
    fn row(&self, record: &ByteRecord, line: u64) -> Result<Row, String> {
        if record.len() != self.count {
            return Err(format!(
                "has {} columns instead of {}",
                record.len(),
                self.count
            ));
        }
        let mut fields = Fields {
            record,
            problems: Vec::new(),
        };
        let number = fields.text(self.number, "number");
        if number.is_none() {
            fields.problems.push("number is missing".to_owned());
        }
        let row = Row {
            line,
            number: number.unwrap_or_default(),
            mod_count: fields.required(self.mod_count, "sys_mod_count", parse_count),
            updated_at: fields.required(self.updated_at, "sys_updated_at", parse_time),
            updated_text: fields
                .value(self.updated_at, "sys_updated_at")
                .unwrap_or_default()
                .to_owned(),
            opened_at: fields.optional(self.opened_at, "opened_at", parse_time),
            priority: fields.optional(self.priority, "priority", parse_priority),
            state: fields.text(self.state, "incident_state"),
        };
        if fields.problems.is_empty() {
            Ok(row)
        } else {
            Err(fields.problems.join("; "))
        }
    }
}

/// The fields of one row, and what is wrong with them.
struct Fields<'a> {
    record: &'a ByteRecord,
    problems: Vec<String>,
}

impl<'a> Fields<'a> {
    /// A field's text; `None` if it is missing.
    fn value(&mut self, column: usize, name: &str) -> Option<&'a str> {
        let bytes = self.record.get(column).unwrap_or_default().trim_ascii();
        let Ok(text) = std::str::from_utf8(bytes) else {
            self.problems.push(format!("{name} is not UTF-8"));
            return None;
        };
        (!text.is_empty() && text != MISSING).then_some(text)
    }

    fn text(&mut self, column: usize, name: &str) -> Option<String> {
        let text = self.value(column, name)?;
        if text.len() > TEXT_BYTES_MAX {
            self.problems
                .push(format!("{name} is longer than {TEXT_BYTES_MAX} bytes"));
        }
        if text.chars().any(char::is_control) {
            self.problems.push(format!("{name} has control characters"));
        }
        Some(text.to_owned())
    }

    fn optional<T>(
        &mut self,
        column: usize,
        name: &str,
        parse: fn(&str) -> Result<T, &'static str>,
    ) -> Option<T> {
        let text = self.value(column, name)?;
        match parse(text) {
            Ok(value) => Some(value),
            Err(expected) => {
                self.problems
                    .push(format!("{name} {text:?} is not {expected}"));
                None
            }
        }
    }

    fn required<T: Default>(
        &mut self,
        column: usize,
        name: &str,
        parse: fn(&str) -> Result<T, &'static str>,
    ) -> T {
        let problems = self.problems.len();
        let value = self.optional(column, name, parse);
        if value.is_none() && self.problems.len() == problems {
            self.problems.push(format!("{name} is missing"));
        }
        value.unwrap_or_default()
    }
}

fn parse_count(text: &str) -> Result<i64, &'static str> {
    text.parse()
        .ok()
        .filter(|count| *count >= 0)
        .ok_or("a count")
}

/// Seconds since 1970. The export does not state a zone; it is taken for UTC.
fn parse_time(text: &str) -> Result<i64, &'static str> {
    let expected = "a time like 29-02-2016 01:23";
    let local = DateTime::strptime(TIME_FORMAT, text).map_err(|_| expected)?;
    let instant = TimeZone::UTC.to_timestamp(local).map_err(|_| expected)?;
    Ok(instant.as_second())
}

/// The number before the words, as in "3 - Moderate".
fn parse_priority(text: &str) -> Result<i32, &'static str> {
    let number = text
        .split_once('-')
        .map_or(text, |(number, _)| number)
        .trim();
    let priority = number
        .parse()
        .ok()
        .filter(|priority| (1..=PRIORITY_LOWEST).contains(priority));
    priority.ok_or("a priority like \"3 - Moderate\", from 1 to 5")
}

#[cfg(test)]
mod tests;
