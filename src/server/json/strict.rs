//! JSON of which every reader understands the same: a name that comes twice is refused.
//!
//! RFC 8259 leaves open which of two values counts, and programs differ; a caller and the programs
//! between must not mean different things by one body. Depth is bounded by `serde_json` (128).

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Reads one JSON value, and nothing after it.
///
/// # Errors
/// What is wrong, with line and column.
pub fn parse(body: &[u8]) -> Result<Value, serde_json::Error> {
    read(body, Strict { name: canonical })
}

/// As [`parse`], of JSON that is not of our contract: names are as they are written, so that `id` and
/// `ID` are two.
///
/// # Errors
/// What is wrong, with line and column.
pub fn parse_foreign(body: &[u8]) -> Result<Value, serde_json::Error> {
    read(
        body,
        Strict {
            name: str::to_owned,
        },
    )
}

fn read(body: &[u8], strict: Strict) -> Result<Value, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    let value = strict.deserialize(&mut reader)?;
    reader.end()?;
    Ok(value)
}

#[derive(Clone, Copy)]
struct Strict {
    /// What of a name tells it from others.
    name: fn(&str) -> String,
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// A field may be written as `request_id` or `requestId`: both are one name.
fn canonical(name: &str) -> String {
    name.replace('_', "").to_lowercase()
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = items.next_element_seed(self)? {
            values.push(value);
        }
        Ok(Value::from(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut names = BTreeSet::new();
        let mut values = Map::new();
        while let Some(name) = fields.next_key::<String>()? {
            if !names.insert((self.name)(&name)) {
                return Err(A::Error::custom(format_args!("\"{name}\" comes twice")));
            }
            let value = fields.next_value_seed(self)?;
            values.insert(name, value);
        }
        Ok(Value::from(values))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_json_is_read() {
        let body = br#"{"a": [1, -2, 3.5, "x", null, true], "b": {"a": {}}}"#;
        let expected: Value = serde_json::from_slice(body).unwrap();
        assert_eq!(parse(body).unwrap(), expected);
    }

    #[test]
    fn a_name_that_comes_twice_is_refused_wherever_it_is() {
        for (body, place) in [
            (&br#"{"a": 1, "a": 1}"#[..], "line 1 column"),
            (br#"{"x": [{"a": 1, "b": 2, "a": 3}]}"#, "\"a\" comes twice"),
            (br#"{"requestId": "1", "request_id": "2"}"#, "comes twice"),
        ] {
            let error = parse(body).unwrap_err().to_string();
            assert!(error.contains(place), "{error}");
        }
    }

    #[test]
    fn foreign_names_are_as_they_are_written() {
        assert!(parse(br#"{"id": 1, "ID": 2}"#).is_err());
        assert!(parse_foreign(br#"{"id": 1, "ID": 2}"#).is_ok());
        assert!(parse_foreign(br#"{"id": 1, "x": {"a": 1, "a": 1}}"#).is_err());
    }

    #[test]
    fn what_is_no_json_is_refused() {
        let deep = "[".repeat(1_000_000);
        for body in ["", "{", "{}{}", "nul", "{\"a\" 1}", "\u{1}", deep.as_str()] {
            assert!(parse(body.as_bytes()).is_err());
        }
        assert!(parse(&[0xff, 0xfe]).is_err());
    }
}
