//! Arguments as `SQLite` takes them: a batch is one JSON text.

use sqlx::Arguments;
use sqlx::sqlite::SqliteArguments;

use crate::store::StoreError;
use crate::store::call::{Call, Column, Scalar};

/// The arguments of one call.
pub(super) fn arguments(call: &Call<'_>) -> Result<SqliteArguments, StoreError> {
    let mut arguments = SqliteArguments::default();
    add(&mut arguments, call)?;
    Ok(arguments)
}

/// Adds the arguments of a call to those of the calls before it.
pub(super) fn add(arguments: &mut SqliteArguments, call: &Call<'_>) -> Result<(), StoreError> {
    let refused = |error| StoreError::Refused(format!("an argument cannot be encoded: {error}"));
    if !call.columns.is_empty() {
        arguments
            .add(batch(&call.columns, call.rows)?)
            .map_err(refused)?;
    }
    for scalar in &call.scalars {
        match scalar {
            Scalar::Text(text) => arguments.add(*text),
            Scalar::Integer(integer) => arguments.add(*integer),
            Scalar::OptionalInteger(integer) => arguments.add(*integer),
            Scalar::Bytes(bytes) => arguments.add(*bytes),
        }
        .map_err(refused)?;
    }
    Ok(())
}

/// A batch as a JSON array of rows, each an array of its columns; bytes in hexadecimal.
fn batch(columns: &[Column<'_>], rows: usize) -> Result<String, StoreError> {
    let mut json = Vec::with_capacity(2 + columns.iter().map(json_bytes).sum::<usize>());
    for row in 0..rows {
        json.push(if row == 0 { b'[' } else { b',' });
        for (index, column) in columns.iter().enumerate() {
            json.push(if index == 0 { b'[' } else { b',' });
            cell(&mut json, column, row).map_err(|error| {
                StoreError::Refused(format!("an argument cannot be encoded: {error}"))
            })?;
        }
        json.push(b']');
    }
    json.extend_from_slice(if rows == 0 { b"[]" } else { b"]" });
    String::from_utf8(json).map_err(|error| StoreError::Refused(error.to_string()))
}

fn cell(json: &mut Vec<u8>, column: &Column<'_>, row: usize) -> Result<(), serde_json::Error> {
    match column {
        Column::Texts(texts) => serde_json::to_writer(json, texts[row]),
        Column::Integers(integers) => serde_json::to_writer(json, &integers[row]),
        Column::OptionalIntegers(integers) => serde_json::to_writer(json, &integers[row]),
        Column::Bytes(bytes) => {
            json.push(b'"');
            for byte in bytes[row] {
                json.push(HEX[usize::from(byte >> 4)]);
                json.push(HEX[usize::from(byte & 0x0f)]);
            }
            json.push(b'"');
            Ok(())
        }
    }
}

const HEX: &[u8; 16] = b"0123456789abcdef";

/// About how long a column will be as JSON.
fn json_bytes(column: &Column<'_>) -> usize {
    match column {
        Column::Texts(texts) => texts
            .iter()
            .map(|text| text.len() + text.len() / 8 + 4)
            .sum(),
        Column::Integers(integers) => integers.len() * 20,
        Column::OptionalIntegers(integers) => integers.len() * 20,
        Column::Bytes(bytes) => bytes.iter().map(|bytes| bytes.len() * 2 + 4).sum(),
    }
}
