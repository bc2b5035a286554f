//! Rows for the cases: plausible where a case does not say otherwise.

use entente::domain::commitment::{Opening, Readers, SALT_BYTES};
use entente::domain::identity::{ExternalReference, FirmId, ScopeId};
use entente::domain::journal::{Entry, GENESIS, Head};
use entente::domain::record::{Kind, RecordKey};
use entente::domain::time::Timestamp;
use entente::store::{
    CredentialRow, ListQuery, RecordRow, ReferenceRow, RequestKey, RequestRow, SealedRow, WriteSet,
};

/// Text that has been trouble somewhere: quotes, escapes, letters that look alike or that collations
/// take for each other, characters beyond the first plane, and what looks like SQL or JSON.
pub const AWKWARD: &[&str] = &[
    "",
    " ",
    "'",
    "\"",
    "''); DROP TABLE record; --",
    "\\",
    "\\u0000",
    "\\x41",
    "{\"a\":[1]}",
    "[null]",
    "null",
    "NULL",
    "%_",
    "$1",
    "?1",
    ":a",
    "\n\r\t",
    "\u{1}\u{7f}\u{85}",
    "a\u{301}",
    "\u{e1}",
    "Stra\u{df}e",
    "STRASSE",
    "\u{130}i\u{131}I",
    "\u{202e}abc\u{202c}",
    "\u{feff}",
    "\u{fffd}\u{ffff}",
    "\u{10ffff}",
    "\u{1f469}\u{200d}\u{1f4bb}",
    "0123",
    "1e3",
    "-0",
    "9223372036854775808",
];

pub fn scope(id: &str) -> ScopeId {
    ScopeId::partnership(id)
}

/// `seconds` after the earliest instant that a record may carry.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(Timestamp::EARLIEST.as_micros() + seconds * 1_000_000)
}

pub fn head(id: &str, sequence: u64) -> Head {
    Head {
        scope: scope(id),
        sequence,
        hash: [7; 32],
        recorded_at: at(1),
    }
}

pub fn entry(id: &str, sequence: u64) -> Entry {
    Entry {
        scope: scope(id),
        sequence,
        recorded_at: at(1),
        firm: "acme".to_owned(),
        actor: "key-1".to_owned(),
        origin: "servicenow".to_owned(),
        kind: Kind::Ticket.as_str().to_owned(),
        id: "t1".to_owned(),
        event_type: "ticket.opened".to_owned(),
        event_version: 1,
        payload: b"{}".to_vec(),
        previous_hash: GENESIS,
        hash: [9; 32],
        previous_sequence: None,
    }
}

/// An entry that changed the same record as the one at `previous`.
pub fn entry_after(id: &str, sequence: u64, previous: u64) -> Entry {
    Entry {
        previous_sequence: Some(previous),
        ..entry(id, sequence)
    }
}

/// A record that the entry at `sequence` changed last.
pub fn record_at(scope_id: &str, id: &str, sequence: u64) -> RecordRow {
    RecordRow {
        sequence,
        ..record(scope_id, id)
    }
}

pub fn key(scope_id: &str, id: &str) -> RecordKey {
    RecordKey::new(&scope(scope_id), Kind::Ticket, id)
}

pub fn record(scope_id: &str, id: &str) -> RecordRow {
    RecordRow {
        key: key(scope_id, id),
        revision: 1,
        sequence: 1,
        state: "open".to_owned(),
        due_at: None,
        created_at: at(1),
        updated_at: at(2),
        body_version: 1,
        body: "{}".to_owned(),
    }
}

pub fn external(id: &str) -> ExternalReference {
    ExternalReference {
        firm: FirmId::parse("acme").expect("a firm"),
        system: "servicenow".to_owned(),
        instance: "emea".to_owned(),
        reference_type: "incident".to_owned(),
        id: id.to_owned(),
    }
}

pub fn reference(scope_id: &str, external_id: &str, id: &str) -> ReferenceRow {
    ReferenceRow {
        scope: scope(scope_id),
        reference: external(external_id),
        kind: Kind::Ticket,
        id: id.to_owned(),
    }
}

pub fn request(scope_id: &str, request_id: &str) -> RequestRow {
    RequestRow {
        scope: scope(scope_id),
        firm: "acme".to_owned(),
        request_id: request_id.to_owned(),
        digest: [3; 32],
        outcome: "{\"sequence\":1}".to_owned(),
        expires_at: Some(at(100)),
    }
}

pub fn request_key(row: &RequestRow) -> RequestKey {
    RequestKey {
        scope: row.scope.clone(),
        firm: row.firm.clone(),
        request_id: row.request_id.clone(),
    }
}

pub fn sealed(scope_id: &str, value: &str) -> SealedRow {
    let opening = Opening::seal("ticket.title", value, [5; SALT_BYTES], Readers::EveryParty);
    SealedRow {
        scope: scope(scope_id),
        opening,
    }
}

pub fn credential(id: &str) -> CredentialRow {
    CredentialRow {
        id: id.to_owned(),
        firm: FirmId::parse("acme").expect("a firm"),
        credential_type: "api_key".to_owned(),
        digest: [4; 32],
        earlier_digest: [4; 32],
        earlier_until: None,
        permissions: "tickets.read,tickets.write".to_owned(),
        expires_at: None,
        revoked_at: None,
        last_used_at: None,
    }
}

pub fn records(rows: Vec<RecordRow>) -> WriteSet {
    WriteSet {
        records: rows,
        ..WriteSet::default()
    }
}

pub fn entries(rows: Vec<Entry>) -> WriteSet {
    WriteSet {
        entries: rows,
        ..WriteSet::default()
    }
}

pub fn heads(rows: Vec<Head>) -> WriteSet {
    WriteSet {
        heads: rows,
        ..WriteSet::default()
    }
}

pub fn references(rows: Vec<ReferenceRow>) -> WriteSet {
    WriteSet {
        references: rows,
        ..WriteSet::default()
    }
}

pub fn requests(rows: Vec<RequestRow>) -> WriteSet {
    WriteSet {
        requests: rows,
        ..WriteSet::default()
    }
}

/// All tickets of a scope.
pub fn all(scope_id: &str) -> ListQuery {
    ListQuery {
        scope: scope(scope_id),
        kind: Kind::Ticket,
        state: None,
        after_id: String::new(),
        limit: 1_000,
    }
}
