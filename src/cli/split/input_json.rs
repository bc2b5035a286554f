//! Quotes as JSON: one object with a list of slices.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Visitor};

use super::input::{Cell, Position, Quote, Row, SplitError, Trouble};
use crate::domain::pricing::sheet::Cadence;

/// A quote as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenQuote<'text> {
    #[serde(borrow, default)]
    currency: Option<Value<'text>>,
    #[serde(borrow, default)]
    concession: Option<Value<'text>>,
    #[serde(borrow, default)]
    monthly_concession: Option<Value<'text>>,
    #[serde(borrow, default)]
    quarterly_concession: Option<Value<'text>>,
    #[serde(borrow, default)]
    yearly_concession: Option<Value<'text>>,
    #[serde(borrow)]
    slices: Vec<WrittenSlice<'text>>,
}

/// A slice as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenSlice<'text> {
    #[serde(borrow)]
    id: Value<'text>,
    #[serde(borrow)]
    owner: Value<'text>,
    #[serde(borrow)]
    price: Value<'text>,
    #[serde(borrow, default)]
    cost: Option<Value<'text>>,
    #[serde(borrow, default)]
    floor: Option<Value<'text>>,
    #[serde(borrow, default)]
    minimum_margin_bps: Option<Value<'text>>,
    #[serde(borrow, default)]
    pass_through: Option<Value<'text>>,
    #[serde(borrow, default)]
    markup_cap_bps: Option<Value<'text>>,
    #[serde(borrow, default)]
    markup_on: Option<Value<'text>>,
    #[serde(borrow, default)]
    cadence: Option<Value<'text>>,
    #[serde(borrow, default)]
    custom: Option<Value<'text>>,
}

/// A text or a whole number. What is borrowed tells by itself where it stands.
struct Value<'text> {
    text: Cow<'text, str>,
    is_number: bool,
}

impl<'de: 'text, 'text> Deserialize<'de> for Value<'text> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a text, such as \"1234.50\", or a whole number of basis points")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Value {
            text: Cow::Borrowed(text),
            is_number: false,
        })
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Value {
            text: Cow::Owned(text.to_owned()),
            is_number: false,
        })
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Value {
            text: Cow::Owned(number.to_string()),
            is_number: true,
        })
    }
}

/// Reads one object.
///
/// # Errors
/// [`SplitError::Malformed`] where it is not JSON of that shape.
pub(super) fn read(bytes: &[u8]) -> Result<Quote, SplitError> {
    let refused = |at, why| {
        let what = String::new();
        SplitError::Malformed(Trouble { at, what, why })
    };
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let read = String::from_utf8_lossy(bytes.get(..error.valid_up_to()).unwrap_or_default());
        let at = Lines::of(&read).at(read.len());
        refused(at, "is not written in UTF-8".to_owned())
    })?;
    let written: WrittenQuote<'_> = serde_json::from_str(text).map_err(|error| {
        let at = Position {
            line: Some(error.line() as u64),
            character: Some(error.column() as u64),
        };
        let whole = error.to_string();
        let why = whole.split(" at line ").next().unwrap_or(&whole);
        refused(at, why.to_owned())
    })?;
    let lines = Lines::of(text);
    let cell = |value: Value<'_>| cell(&lines, &value);
    let rows = written.slices.into_iter().map(|slice| row(&lines, slice));
    Ok(Quote {
        rows: rows.collect(),
        currency: written.currency.map(cell),
        concessions: [
            (Cadence::OneTime, written.concession),
            (Cadence::Monthly, written.monthly_concession),
            (Cadence::Quarterly, written.quarterly_concession),
            (Cadence::Yearly, written.yearly_concession),
        ]
        .into_iter()
        .filter_map(|(cadence, value)| Some((cadence, cell(value?))))
        .collect(),
    })
}

fn row(lines: &Lines<'_>, slice: WrittenSlice<'_>) -> Row {
    let values = [
        ("id", Some(slice.id)),
        ("owner", Some(slice.owner)),
        ("price", Some(slice.price)),
        ("cost", slice.cost),
        ("floor", slice.floor),
        ("minimum_margin_bps", slice.minimum_margin_bps),
        ("pass_through", slice.pass_through),
        ("markup_cap_bps", slice.markup_cap_bps),
        ("markup_on", slice.markup_on),
        ("cadence", slice.cadence),
        ("custom", slice.custom),
    ];
    let mut cells = BTreeMap::new();
    for (column, value) in values {
        let cell = value.map(|value| cell(lines, &value));
        cells.extend(
            cell.filter(|cell| !cell.text.is_empty())
                .map(|cell| (column, cell)),
        );
    }
    let known = |cell: &Cell| cell.at.line.is_some();
    let first = cells
        .values()
        .filter(|cell| known(cell))
        .min_by_key(|cell| cell.at.line);
    let at = Position {
        line: first.and_then(|cell| cell.at.line),
        character: None,
    };
    // What does not tell where it stands is in the slice at least.
    for cell in cells.values_mut().filter(|cell| !known(cell)) {
        cell.at = at;
    }
    Row { at, cells }
}

fn cell(lines: &Lines<'_>, value: &Value<'_>) -> Cell {
    let at = match &value.text {
        // It is a part of the text, so it tells where it stands.
        Cow::Borrowed(part) => lines.of_part(part),
        // A number, or with characters escaped.
        Cow::Owned(_) => Position::default(),
    };
    Cell {
        at,
        is_number: value.is_number,
        text: value.text.trim().to_owned(),
    }
}

/// Where the lines of a text begin.
struct Lines<'text> {
    text: &'text str,
    /// The offsets of the line breaks.
    breaks: Vec<usize>,
}

impl<'text> Lines<'text> {
    fn of(text: &'text str) -> Self {
        let breaks = text.match_indices('\n').map(|(offset, _)| offset);
        Self {
            text,
            breaks: breaks.collect(),
        }
    }

    /// Where the byte at `offset` stands: its line, and its place in the line, both from 1.
    fn at(&self, offset: usize) -> Position {
        let before = self.breaks.partition_point(|found| *found < offset);
        let begin = before.checked_sub(1).and_then(|last| self.breaks.get(last));
        let begin = begin.map_or(0, |found| found + 1);
        Position {
            line: Some(before as u64 + 1),
            character: Some((offset - begin) as u64 + 1),
        }
    }

    /// Where a part of the text stands; nowhere for any other.
    fn of_part(&self, part: &str) -> Position {
        let offset = part.as_ptr().addr().checked_sub(self.text.as_ptr().addr());
        let within = offset.filter(|offset| *offset <= self.text.len());
        within.map_or_else(Position::default, |offset| self.at(offset))
    }
}
