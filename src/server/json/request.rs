//! From path, query and body to the message of an RPC.

use bytes::{BufMut, Bytes, BytesMut};
use prost::Message;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor};
use serde::de::DeserializeSeed;
use serde_json::{Map, Value};

use super::FRAME_HEAD_BYTES;
use super::answer::Fault;
use super::route::{BodyPart, Route};
use super::strict;
use crate::domain::refusal::{Reason, Refusal};

/// Where a fault is that has no place in the message.
const BODY: &str = "body";

/// The message that a request means: `values` are those of the route's variables.
///
/// # Errors
/// [`Reason::InvalidField`] with the field: no JSON, a name that comes twice, an unknown field, a value
/// of another kind, or a value that says something else than the path.
pub fn message(
    route: &Route,
    values: Vec<String>,
    query: &str,
    body: &[u8],
) -> Result<DynamicMessage, Fault> {
    let input = route.method.input();
    let mut fields = body_fields(route, &input, body)?;
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if route.body == BodyPart::Whole {
            return Err(fault(&name, "all fields of this request are in its body"));
        }
        set(&mut fields, &input, &name, &value)?;
    }
    for (variable, value) in route.template.variables.iter().zip(values) {
        set_from_path(&mut fields, &input, &variable.field, value)?;
    }
    read(input, Value::Object(fields))
}

/// The fields that the body has.
fn body_fields(
    route: &Route,
    input: &MessageDescriptor,
    body: &[u8],
) -> Result<Map<String, Value>, Fault> {
    if body.is_empty() {
        return Ok(Map::new());
    }
    let name = match &route.body {
        BodyPart::Nothing => return Err(fault(BODY, "this request has no body")),
        BodyPart::Whole => None,
        BodyPart::Field(name) => Some(name),
    };
    let value = strict::parse(body).map_err(|error| fault(BODY, error.to_string()))?;
    if let Some(field) = name.and_then(|name| input.get_field_by_name(name)) {
        return Ok(Map::from_iter([(field.json_name().to_owned(), value)]));
    }
    match value {
        Value::Object(fields) => Ok(fields),
        _ => Err(fault(BODY, "must be a JSON object")),
    }
}

/// Sets a field from the query. A list gets one more item; everything else may come once.
fn set(
    fields: &mut Map<String, Value>,
    message: &MessageDescriptor,
    path: &str,
    text: &str,
) -> Result<(), Fault> {
    let (slot, field) = place(fields, message, path)?;
    let value = plain(&field, text);
    if field.is_list() {
        if slot.is_null() {
            *slot = Value::Array(Vec::new());
        }
        let Value::Array(items) = slot else {
            return Err(fault(path, "is no list in the body"));
        };
        items.push(value);
        return Ok(());
    }
    if !slot.is_null() {
        return Err(fault(path, "comes twice"));
    }
    *slot = value;
    Ok(())
}

/// Sets a field from the path; the body may repeat it, but not say something else.
fn set_from_path(
    fields: &mut Map<String, Value>,
    message: &MessageDescriptor,
    path: &str,
    text: String,
) -> Result<(), Fault> {
    let (slot, _) = place(fields, message, path)?;
    match slot {
        Value::Null => *slot = Value::String(text),
        Value::String(other) if *other == text => {}
        _ => return Err(fault(path, "is not what the path says")),
    }
    Ok(())
}

/// Where the value of a field belongs, through the messages around it.
fn place<'a>(
    fields: &'a mut Map<String, Value>,
    message: &MessageDescriptor,
    path: &str,
) -> Result<(&'a mut Value, FieldDescriptor), Fault> {
    let unknown = || fault(path, "there is no such field");
    let (first, rest) = match path.split_once('.') {
        Some((first, rest)) => (first, Some(rest)),
        None => (path, None),
    };
    let field = message
        .get_field_by_name(first)
        .or_else(|| message.get_field_by_json_name(first))
        .ok_or_else(unknown)?;
    let key = if fields.contains_key(field.name()) {
        field.name()
    } else {
        field.json_name()
    };
    let slot = fields.entry(key).or_insert(Value::Null);
    let Some(rest) = rest else {
        return Ok((slot, field));
    };
    let (Kind::Message(inner), false) = (field.kind(), field.is_list()) else {
        return Err(unknown());
    };
    if slot.is_null() {
        *slot = Value::Object(Map::new());
    }
    let Value::Object(fields) = slot else {
        return Err(fault(first, "must be a JSON object"));
    };
    place(fields, &inner, rest)
}

/// A text of a query as JSON. Numbers may be texts in JSON, too; truth may not.
fn plain(field: &FieldDescriptor, text: &str) -> Value {
    match (field.kind(), text) {
        (Kind::Bool, "true") => Value::Bool(true),
        (Kind::Bool, "false") => Value::Bool(false),
        (Kind::Enum(_), number) if number.parse::<i32>().is_ok() => {
            number.parse::<i32>().map_or(Value::Null, Value::from)
        }
        _ => Value::String(text.to_owned()),
    }
}

fn read(input: MessageDescriptor, value: Value) -> Result<DynamicMessage, Fault> {
    let mut track = serde_path_to_error::Track::new();
    let tracked = serde_path_to_error::Deserializer::new(value, &mut track);
    let message = input.deserialize(tracked);
    message.map_err(|error| {
        let path = track.path().to_string();
        let field = if path == "." { BODY } else { path.as_str() };
        fault(field, error.to_string())
    })
}

fn fault(field: &str, description: impl Into<String>) -> Fault {
    Refusal::field(Reason::InvalidField, field, description).into()
}

/// A message as a gRPC body has it: not compressed, with its length before it.
#[must_use]
pub fn frame(message: &DynamicMessage) -> Bytes {
    let length = message.encoded_len();
    let mut framed = BytesMut::with_capacity(FRAME_HEAD_BYTES + length);
    framed.put_u8(0);
    framed.put_u32(u32::try_from(length).unwrap_or(u32::MAX));
    framed.put_slice(&message.encode_to_vec());
    framed.freeze()
}
