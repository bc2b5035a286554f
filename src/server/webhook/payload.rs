//! What a payload says of a ticket, whoever sent it, and the events that it stands for.
//!
//! An event's id is made of what the event says. So a delivery that comes again is recognised, whether a
//! vendor repeats it or somebody else does, and two that say different things are never taken for one.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use prost::Message;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::vendors;
use crate::api::convert::to_timestamp;
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::time::{MICROS_PER_SECOND, Timestamp};
use crate::domain::webhook::{EndpointCreated, Vendor};
use crate::proto::v1;

/// Most tickets of one payload.
pub const TICKETS_MAX: usize = 100;
/// The status word of a ticket that was deleted in its own system. A status map says what that means;
/// until one does, it is parked like any other word.
pub const DELETED: &str = "deleted";
/// Type of the tickets' references.
const REFERENCE_TYPE: &str = "ticket";
/// Longest title, in bytes; what is longer is cut off.
const TITLE_BYTES_MAX: usize = 200;
/// Longest text that stands for a time, in bytes.
const TIME_BYTES_MAX: usize = 64;
/// Bytes of the digest in an event's id.
const ID_BYTES: usize = 16;
/// Whole numbers from here on are milliseconds since 1970, not seconds: in seconds it is the year 5138.
const MILLISECONDS_FROM: i64 = 100_000_000_000;
/// Microseconds of a millisecond.
const MICROS_PER_MILLI: i64 = 1_000;

/// What a payload says of one ticket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// The ticket's id in its own system.
    pub ticket: String,
    /// When it came to be so.
    pub occurred_at: Option<Timestamp>,
    /// Orders what has the same time.
    pub sequence: i64,
    /// When the ticket was opened.
    pub opened_at: Option<Timestamp>,
    /// When the client was first answered.
    pub responded_at: Option<Timestamp>,
    /// The status, in the sender's words.
    pub status: Option<String>,
    /// The priority, in the sender's words.
    pub priority: Option<String>,
    /// The title.
    pub title: Option<String>,
}

/// The events that a payload stands for; none if it is about something else.
///
/// # Errors
/// [`Reason::InvalidField`] or [`Reason::LimitReached`], naming the place within the payload.
pub fn events(
    endpoint: &EndpointCreated,
    payload: &Value,
    now: Timestamp,
) -> Result<Vec<v1::TicketEvent>, Refusal> {
    let said = match endpoint.vendor {
        Vendor::ConnectWise => vendors::connectwise(payload, now)?,
        Vendor::Autotask => vendors::autotask(payload)?,
        Vendor::HaloPsa => vendors::halo_psa(payload)?,
        Vendor::ServiceNow => vendors::service_now(payload)?,
        Vendor::Zammad => vendors::zammad(payload)?,
        Vendor::Generic => vendors::generic(endpoint.mapping.as_ref(), payload)?,
    };
    let mut events = Vec::new();
    for said in said {
        events.extend(events_of(endpoint, said)?);
    }
    Ok(events)
}

/// One event of how the ticket stands, and one of its first answer, if there was any: so the answer
/// counts once, however often the payload repeats it.
fn events_of(endpoint: &EndpointCreated, said: Said) -> Result<Vec<v1::TicketEvent>, Refusal> {
    let occurred_at = said.occurred_at.ok_or_else(|| {
        let rule = "the payload does not say when this came to be";
        Refusal::field(Reason::InvalidField, "payload", rule)
    })?;
    let agreement = endpoint.agreement.as_ref();
    let agreement =
        agreement.map(|id| format!("partnerships/{}/agreements/{id}", endpoint.partnership));
    let about = v1::TicketEvent {
        ticket: Some(v1::ExternalReference {
            system: endpoint.system.clone(),
            instance: endpoint.instance.clone(),
            r#type: REFERENCE_TYPE.to_owned(),
            id: said.ticket,
        }),
        open_time: said.opened_at.map(to_timestamp),
        agreement: agreement.unwrap_or_default(),
        ..v1::TicketEvent::default()
    };
    let response = said.responded_at.map(|at| v1::TicketEvent {
        occur_time: Some(to_timestamp(at)),
        response: Some(true),
        ..about.clone()
    });
    let state = v1::TicketEvent {
        occur_time: Some(to_timestamp(occurred_at)),
        source_sequence: said.sequence,
        status: said.status,
        source_priority: said.priority,
        ..about
    };
    // A title is no part of the id: that is in the journal for ever, and would give it away.
    let state = v1::TicketEvent {
        event_id: id_of(endpoint, &state),
        title: said.title.as_deref().map(title).unwrap_or_default(),
        ..state
    };
    let response = response.map(|response| v1::TicketEvent {
        event_id: id_of(endpoint, &response),
        ..response
    });
    Ok(std::iter::once(state).chain(response).collect())
}

fn id_of(endpoint: &EndpointCreated, event: &v1::TicketEvent) -> String {
    let digest = Sha256::digest(event.encode_to_vec());
    let digest = digest.get(..ID_BYTES).unwrap_or_default();
    let vendor = endpoint.vendor.as_str();
    format!("{vendor}:{}", data_encoding::HEXLOWER.encode(digest))
}

/// A title as far as it fits, on one line.
fn title(text: &str) -> String {
    let line: String = text
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect();
    let line = line.trim();
    let fits = |end: &usize| line.is_char_boundary(*end);
    let end = (0..=TITLE_BYTES_MAX.min(line.len())).rev().find(fits);
    line[..end.unwrap_or_default()].trim_end().to_owned()
}

/// What stands at a JSON pointer, if it says anything.
pub(super) fn at<'a>(payload: &'a Value, pointer: &str) -> Option<&'a Value> {
    payload.pointer(pointer).filter(|value| {
        let is_empty = value.as_str().is_some_and(|text| text.trim().is_empty());
        !value.is_null() && !is_empty
    })
}

/// The first of several pointers at which something stands.
pub(super) fn first<'a>(payload: &'a Value, pointers: &[&str]) -> Option<&'a Value> {
    pointers.iter().find_map(|pointer| at(payload, pointer))
}

/// A word: text, or a whole number.
///
/// # Errors
/// [`Reason::InvalidField`] if it is anything else.
pub(super) fn word(value: Option<&Value>, place: &str) -> Result<Option<String>, Refusal> {
    match value {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.trim().to_owned())),
        Some(Value::Number(number)) if number.is_i64() || number.is_u64() => {
            Ok(Some(number.to_string()))
        }
        Some(_) => Err(bad(place, "must be text or a whole number")),
    }
}

/// A word that has to be there.
///
/// # Errors
/// [`Reason::InvalidField`].
pub(super) fn id(value: Option<&Value>, place: &str) -> Result<String, Refusal> {
    word(value, place)?.ok_or_else(|| bad(place, "is missing"))
}

/// An instant. Before the year 2000 vendors mean that there is none.
///
/// # Errors
/// [`Reason::InvalidField`] if it cannot be read.
pub(super) fn instant(value: Option<&Value>, place: &str) -> Result<Option<Timestamp>, Refusal> {
    let read = match value {
        None => return Ok(None),
        Some(Value::String(text)) if text.len() <= TIME_BYTES_MAX => written(text.trim()),
        Some(Value::Number(number)) => number.as_i64().and_then(counted),
        Some(_) => None,
    };
    let rule = "must be a time: RFC 3339, YYYY-MM-DD HH:MM:SS in UTC, or seconds or milliseconds";
    let read = read.ok_or_else(|| bad(place, rule))?;
    Ok(Some(read).filter(|instant| instant.is_storable()))
}

fn written(text: &str) -> Option<Timestamp> {
    let instant = text.parse::<jiff::Timestamp>().ok().or_else(|| {
        let civil: DateTime = text.parse().ok()?;
        let zoned = civil.to_zoned(TimeZone::UTC).ok()?;
        Some(zoned.timestamp())
    })?;
    // Some vendors write more digits than we keep.
    Some(Timestamp::from_micros(instant.as_microsecond()))
}

fn counted(number: i64) -> Option<Timestamp> {
    let unit = if number < MILLISECONDS_FROM {
        MICROS_PER_SECOND
    } else {
        MICROS_PER_MILLI
    };
    number.checked_mul(unit).map(Timestamp::from_micros)
}

/// The refusal for a place within a payload.
pub(super) fn bad(place: &str, rule: &str) -> Refusal {
    Refusal::field(Reason::InvalidField, format!("payload{place}"), rule)
}

/// The refusal for what is no JSON.
pub fn bad_json(place: &str, error: &serde_json::Error) -> Refusal {
    bad(place, &format!("is no JSON that could be read: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn seconds(value: &Value) -> Option<i64> {
        let read = instant(Some(value), "").unwrap();
        read.map(|instant| instant.as_micros() / MICROS_PER_SECOND)
    }

    #[test]
    fn times_as_vendors_write_them() {
        let start = 1_772_438_400;
        for value in [
            json!("2026-03-02T08:00:00Z"),
            json!("2026-03-02T09:00:00.0000001+01:00"),
            json!("2026-03-02T08:00:00"),
            json!("2026-03-02 08:00:00"),
            json!(start),
            json!(start * 1_000),
        ] {
            assert_eq!(seconds(&value), Some(start), "{value}");
        }
        for none in [
            json!("1900-01-01T00:00:00"),
            json!("0001-01-01T00:00:00Z"),
            json!(0),
        ] {
            assert_eq!(seconds(&none), None, "{none}");
        }
        for bad in [json!("soon"), json!(1.5), json!([]), json!("2".repeat(65))] {
            assert!(instant(Some(&bad), "").is_err(), "{bad}");
        }
    }

    #[test]
    fn titles_are_cut_between_letters() {
        assert_eq!(title(" a\r\nb\t"), "a  b");
        let cut = title(&"é".repeat(150));
        assert_eq!(cut.len(), TITLE_BYTES_MAX);
        assert_eq!(
            title(&format!("x{}", "é".repeat(150))).len(),
            TITLE_BYTES_MAX - 1
        );
    }

    #[test]
    fn numbers_are_words_but_nothing_else_is() {
        assert_eq!(word(Some(&json!(7)), ""), Ok(Some("7".to_owned())));
        assert_eq!(word(None, ""), Ok(None));
        for bad in [json!(1.5), json!({}), json!([1]), json!(true)] {
            assert!(word(Some(&bad), "").is_err(), "{bad}");
        }
    }
}
