//! Rows that come together, as one JSON text, and writes that go together, as one text of SQL.
//!
//! `sqlx` runs `SQLite` in a thread of its own and hands over row after row, waking the reader for
//! nearly each of them: for the look-ups of a full batch that took longer than finding the rows. So
//! the rows of these statements are put into one JSON array by `SQLite` and read from there.

use std::fmt::Write;

use serde_json::Value;
use sqlx::sqlite::SqliteArguments;

use super::encode;
use crate::store::StoreError;
use crate::store::call::Call;
use crate::store::rows::Row;

/// The look-ups of every batch, with how many columns they answer. None of them is of bytes, which
/// JSON does not have.
const STATEMENTS: &[(&str, usize)] = &[("record/get", 11), ("reference/get", 16)];
/// For fewer keys it is not worth while.
const KEYS_MIN: usize = 8;

/// The statement of a call whose rows shall come together.
pub(super) fn statement(call: &Call<'_>) -> Option<String> {
    let (_, columns) = STATEMENTS
        .iter()
        .find(|(name, _)| *name == call.statement.name && call.rows >= KEYS_MIN)?;
    let names: Vec<String> = (0..*columns).map(|index| format!("c{index}")).collect();
    let names = names.join(", ");
    Some(format!(
        "WITH found ({names}) AS ({}) SELECT json_group_array(json_array({names})) FROM found",
        call.statement.sqlite
    ))
}

/// Statements that each take a batch and nothing else, as one text with one batch for each.
pub(super) fn writes(calls: &[Call<'_>]) -> Result<(String, SqliteArguments), StoreError> {
    let mut statements = String::new();
    let mut arguments = SqliteArguments::default();
    for (index, call) in calls.iter().enumerate() {
        debug_assert!(!call.columns.is_empty() && call.scalars.is_empty());
        let statement = call.statement.sqlite;
        let numbered = statement.replace("$1", &format!("${}", index + 1));
        writeln!(statements, "{numbered};")
            .map_err(|error| StoreError::Refused(error.to_string()))?;
        encode::add(&mut arguments, call)?;
    }
    Ok((statements, arguments))
}

/// The rows of the one text that such a statement answers.
pub(super) fn rows(text: &str) -> Result<Vec<JsonRow>, StoreError> {
    let rows: Vec<Vec<Value>> = serde_json::from_str(text)
        .map_err(|error| StoreError::Corrupt(format!("rows as JSON: {error}")))?;
    Ok(rows.into_iter().map(JsonRow).collect())
}

/// One row.
pub(super) struct JsonRow(Vec<Value>);

impl JsonRow {
    fn column<'row, T>(
        &'row self,
        column: usize,
        read: impl Fn(&'row Value) -> Option<T>,
    ) -> Result<T, StoreError> {
        self.0
            .get(column)
            .and_then(read)
            .ok_or_else(|| StoreError::Corrupt(format!("column {column} is of another type")))
    }
}

impl Row for JsonRow {
    fn text(&self, column: usize) -> Result<String, StoreError> {
        self.text_ref(column).map(str::to_owned)
    }

    fn text_ref(&self, column: usize) -> Result<&str, StoreError> {
        self.column(column, Value::as_str)
    }

    fn integer(&self, column: usize) -> Result<i64, StoreError> {
        self.column(column, Value::as_i64)
    }

    fn optional_integer(&self, column: usize) -> Result<Option<i64>, StoreError> {
        self.column(column, |value| match value {
            Value::Null => Some(None),
            value => value.as_i64().map(Some),
        })
    }

    fn bytes(&self, column: usize) -> Result<Vec<u8>, StoreError> {
        self.bytes_ref(column).map(<[u8]>::to_vec)
    }

    fn bytes_ref(&self, column: usize) -> Result<&[u8], StoreError> {
        self.column(column, |_| None)
    }
}
