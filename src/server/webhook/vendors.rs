//! How each vendor's payload says what it says.

use serde_json::Value;

use super::super::json::strict;
use super::payload::{DELETED, Said, TICKETS_MAX, at, bad, bad_json, first, id, instant, word};
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;
use crate::domain::webhook::Mapping;

/// What a payload says, ticket by ticket.
type AllSaid = Result<Vec<Said>, Refusal>;

/// A callback of `ConnectWise` PSA. The ticket is JSON in a text, and is not there when it was deleted:
/// then it came to be when we hear of it.
pub(super) fn connectwise(payload: &Value, now: Timestamp) -> AllSaid {
    let kind = word(at(payload, "/Type"), "/Type")?.unwrap_or_default();
    if !kind.eq_ignore_ascii_case("ticket") {
        return Ok(Vec::new());
    }
    let action = word(at(payload, "/Action"), "/Action")?.unwrap_or_default();
    let ticket = id(at(payload, "/ID"), "/ID")?;
    if action.eq_ignore_ascii_case("deleted") {
        return Ok(vec![deleted(ticket, Some(now))]);
    }
    let entity = match at(payload, "/Entity") {
        Some(Value::String(text)) => {
            strict::parse_foreign(text.as_bytes()).map_err(|error| bad_json("/Entity", &error))?
        }
        Some(value) => value.clone(),
        None => return Err(bad("/Entity", "is missing")),
    };
    let time = |pointers: &[&str], place| instant(first(&entity, pointers), place);
    Ok(vec![Said {
        ticket,
        occurred_at: time(
            &["/_info/lastUpdated", "/lastUpdated"],
            "/Entity/_info/lastUpdated",
        )?,
        opened_at: time(
            &["/_info/dateEntered", "/dateEntered"],
            "/Entity/_info/dateEntered",
        )?,
        responded_at: time(&["/dateResponded"], "/Entity/dateResponded")?,
        status: word(at(&entity, "/status/name"), "/Entity/status/name")?,
        priority: word(at(&entity, "/priority/name"), "/Entity/priority/name")?,
        title: word(at(&entity, "/summary"), "/Entity/summary")?,
        sequence: 0,
    }])
}

/// A webhook of Autotask PSA. The fields are those that changed and those that the webhook always shows,
/// by their names or by their labels.
pub(super) fn autotask(payload: &Value) -> AllSaid {
    let kind = word(at(payload, "/EntityType"), "/EntityType")?.unwrap_or_default();
    if !kind.eq_ignore_ascii_case("ticket") {
        return Ok(Vec::new());
    }
    let ticket = id(at(payload, "/Id"), "/Id")?;
    let occurred_at = instant(
        first(payload, &["/EventTime", "/EventTimestamp"]),
        "/EventTime",
    )?;
    let sequence = word(at(payload, "/SequenceNumber"), "/SequenceNumber")?;
    let sequence = sequence.map_or(Ok(0), |number| number.parse());
    let sequence = sequence.map_err(|_| bad("/SequenceNumber", "must be a whole number"))?;
    let action = word(at(payload, "/Action"), "/Action")?.unwrap_or_default();
    if action.eq_ignore_ascii_case("delete") {
        let said = deleted(ticket, occurred_at);
        return Ok(vec![Said { sequence, ..said }]);
    }
    let field = |names: &[&str]| names.iter().find_map(|name| labelled(payload, name));
    Ok(vec![Said {
        ticket,
        occurred_at,
        sequence,
        opened_at: instant(
            field(&["createdate", "createdatetime"]),
            "/Fields/createDate",
        )?,
        responded_at: instant(
            field(&["firstresponsedatetime"]),
            "/Fields/firstResponseDateTime",
        )?,
        status: word(field(&["status"]), "/Fields/status")?,
        priority: word(field(&["priority"]), "/Fields/priority")?,
        title: word(field(&["title"]), "/Fields/title")?,
    }])
}

/// A field of Autotask by its name in lower case, without the blanks of labels.
fn labelled<'a>(payload: &'a Value, name: &str) -> Option<&'a Value> {
    let fields = payload.get("Fields")?.as_object()?;
    let is_it = |label: &str| {
        let letters = label.chars().filter(|letter| !letter.is_whitespace());
        letters.flat_map(char::to_lowercase).eq(name.chars())
    };
    let (label, _) = fields.iter().find(|(label, _)| is_it(label))?;
    at(payload.get("Fields")?, &format!("/{}", escaped(label)))
}

/// A name as part of a JSON pointer.
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// A webhook of `HaloPSA`: a ticket, or several if deliveries are batched.
pub(super) fn halo_psa(payload: &Value) -> AllSaid {
    match payload {
        Value::Array(items) if items.len() > TICKETS_MAX => {
            Err(Refusal::limit("tickets of a webhook", TICKETS_MAX))
        }
        Value::Array(items) => {
            let said = items.iter().map(halo_ticket);
            let said: Result<Vec<Option<Said>>, Refusal> = said.collect();
            Ok(said?.into_iter().flatten().collect())
        }
        one => Ok(halo_ticket(one)?.into_iter().collect()),
    }
}

fn halo_ticket(payload: &Value) -> Result<Option<Said>, Refusal> {
    let inner = at(payload, "/ticket");
    // A ticket by itself has a status; what is about a client or an asset has none.
    let Some(ticket) = inner.or_else(|| at(payload, "/status_id").map(|_| payload)) else {
        return Ok(None);
    };
    let number = id(at(ticket, "/id"), "/ticket/id")?;
    let last = ["/last_update", "/lastactiondate"];
    let mut occurred_at = instant(first(ticket, &last), "/ticket/last_update")?;
    if occurred_at.is_none() {
        occurred_at = instant(at(payload, "/timestamp"), "/timestamp")?;
    }
    let event = word(at(payload, "/event"), "/event")?.unwrap_or_default();
    let is_deleted = at(ticket, "/deleted") == Some(&Value::Bool(true));
    if is_deleted || event.to_lowercase().contains("deleted") {
        return Ok(Some(deleted(number, occurred_at)));
    }
    Ok(Some(Said {
        ticket: number,
        occurred_at,
        opened_at: instant(at(ticket, "/dateoccurred"), "/ticket/dateoccurred")?,
        responded_at: instant(at(ticket, "/responsedate"), "/ticket/responsedate")?,
        status: word(at(ticket, "/status_id"), "/ticket/status_id")?,
        priority: word(at(ticket, "/priority_id"), "/ticket/priority_id")?,
        title: word(at(ticket, "/summary"), "/ticket/summary")?,
        sequence: 0,
    }))
}

/// An outbound REST message of `ServiceNow`: the fields of a task, as the table API writes them.
pub(super) fn service_now(payload: &Value) -> AllSaid {
    let task = first(payload, &["/record", "/result"]).unwrap_or(payload);
    // A field is text, or an object of what is stored and what is shown.
    let field = |name: &str| {
        let pointer = format!("/{name}");
        at(task, &format!("{pointer}/value")).or_else(|| at(task, &pointer))
    };
    let ticket = id(field("sys_id"), "/sys_id")?;
    let occurred_at = instant(field("sys_updated_on"), "/sys_updated_on")?;
    let operation = word(at(payload, "/operation"), "/operation")?.unwrap_or_default();
    if operation.eq_ignore_ascii_case("delete") {
        return Ok(vec![deleted(ticket, occurred_at)]);
    }
    Ok(vec![Said {
        ticket,
        occurred_at,
        opened_at: instant(field("opened_at"), "/opened_at")?,
        responded_at: None,
        status: word(field("state"), "/state")?,
        priority: word(field("priority"), "/priority")?,
        title: word(field("short_description"), "/short_description")?,
        sequence: 0,
    }])
}

/// A webhook of Zammad with its default payload.
pub(super) fn zammad(payload: &Value) -> AllSaid {
    let Some(ticket) = at(payload, "/ticket") else {
        return Ok(Vec::new());
    };
    // A name alone, or an object that has one: versions differ.
    let named = |pointer: &str| {
        let name = at(ticket, &format!("{pointer}/name"));
        name.or_else(|| at(ticket, pointer))
    };
    Ok(vec![Said {
        ticket: id(at(ticket, "/id"), "/ticket/id")?,
        occurred_at: instant(at(ticket, "/updated_at"), "/ticket/updated_at")?,
        opened_at: instant(at(ticket, "/created_at"), "/ticket/created_at")?,
        responded_at: instant(
            at(ticket, "/first_response_at"),
            "/ticket/first_response_at",
        )?,
        status: word(named("/state"), "/ticket/state")?,
        priority: word(named("/priority"), "/ticket/priority")?,
        title: word(at(ticket, "/title"), "/ticket/title")?,
        sequence: 0,
    }])
}

/// Any other payload, by a mapping.
pub(super) fn generic(mapping: Option<&Mapping>, payload: &Value) -> AllSaid {
    let Some(mapping) = mapping else {
        return Ok(Vec::new());
    };
    let found = |pointer: &str| {
        let pointer = Some(pointer).filter(|pointer| !pointer.is_empty());
        pointer.and_then(|pointer| at(payload, pointer))
    };
    let time = |pointer: &str| instant(found(pointer), pointer);
    let text = |pointer: &str| word(found(pointer), pointer);
    let occurred_at = time(&mapping.occur_time)?;
    if occurred_at.is_none() {
        return Err(bad(&mapping.occur_time, "is missing"));
    }
    Ok(vec![Said {
        ticket: id(found(&mapping.ticket_id), &mapping.ticket_id)?,
        occurred_at,
        opened_at: time(&mapping.open_time)?,
        responded_at: time(&mapping.response_time)?,
        status: text(&mapping.status)?,
        priority: text(&mapping.priority)?,
        title: text(&mapping.title)?,
        sequence: 0,
    }])
}

/// What is said of a ticket that is not there any more.
fn deleted(ticket: String, occurred_at: Option<Timestamp>) -> Said {
    Said {
        ticket,
        occurred_at,
        status: Some(DELETED.to_owned()),
        ..Said::default()
    }
}
