//! What is fed with whatever bytes there are: whatever comes from outside and is taken apart by hand.
//! Nothing may panic, and what is accepted has to mean what was written.
//!
//! The fuzzer drives these functions, and so do the project's tests with the corpus and with random
//! bytes.

use std::str::from_utf8;
use std::sync::LazyLock;

use entente::api::convert::{parse_etag, parse_name, parse_timeout};
use entente::api::sign_in::TokenVerifier as _;
use entente::domain::identity::{FirmId, ScopeId};
use entente::domain::sla::calendar::CalendarSpecification;
use entente::domain::sla::icalendar::{Horizon, exceptions};
use entente::domain::time::Timestamp;
use entente::domain::webhook::{Authentication, EndpointCreated, Mapping, Vendor};
use entente::ledger::token::TokenKey;
use entente::proto;
use entente::server::json::request::message;
use entente::server::json::route::{Found, Table};
use entente::server::json::strict;
use entente::server::tokens::{TokenIssuer, Verifier};
use entente::server::webhook::payload;
use http::Method;
use prost::Message as _;
use prost_reflect::DynamicMessage;

/// A target by its name.
pub type Target = fn(&[u8]);

/// All of them.
pub const TARGETS: [(&str, Target); 7] = [
    ("icalendar", icalendar),
    ("json_door", json_door),
    ("page_tokens", page_tokens),
    ("resource_names", resource_names),
    ("split", split),
    ("tokens", tokens),
    ("webhooks", webhooks),
];

/// A call by JSON: a line `METHOD /path?query`, then the body. Whatever becomes a message is one that
/// can be sent and read again.
pub fn json_door(bytes: &[u8]) {
    static TABLE: LazyLock<Table> = LazyLock::new(|| Table::new(proto::pool()));
    let end = bytes.iter().position(|byte| *byte == b'\n');
    let (line, body) = bytes.split_at(end.unwrap_or(bytes.len()));
    let body = body.get(1..).unwrap_or_default();
    let Some((method, target)) = from_utf8(line).ok().and_then(|line| line.split_once(' ')) else {
        return;
    };
    let Ok(method) = Method::from_bytes(method.as_bytes()) else {
        return;
    };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let Found::Route(route, values) = TABLE.find(&method, path) else {
        return;
    };
    if let Ok(read) = message(route, values, query, body) {
        let sent = read.encode_to_vec();
        let again = DynamicMessage::decode(route.method.input(), sent.as_slice());
        // Fields that are set to their defaults are not sent.
        let again = again.map(|again| again.encode_to_vec());
        assert_eq!(again.as_ref(), Ok(&sent), "{target}");
    }
}

/// A token that somebody made up, or made of one that was given out: the first byte says which of its
/// bits is changed, if there is nothing more, and otherwise the rest is the token.
pub fn page_tokens(bytes: &[u8]) {
    let key = TokenKey::new([7; 32]);
    let sealed = key.seal("ListTickets", bytes);
    if let Some(content) = key.open("ListTickets", &sealed) {
        assert_eq!(content, bytes);
    }
    assert_eq!(key.open("ListQuotes", &sealed), None);
    let Some((place, rest)) = bytes.split_first() else {
        return;
    };
    if let Ok(made_up) = from_utf8(rest) {
        assert_eq!(key.open("ListTickets", made_up), None, "{made_up}");
    }
    let mut changed = sealed.into_bytes();
    let place = usize::from(*place) % changed.len();
    changed[place] ^= 1;
    if let Ok(changed) = String::from_utf8(changed) {
        let opened = key.open("ListTickets", &changed);
        assert_eq!(opened, None, "{changed}");
    }
}

/// A calendar file, over three years in Paris. What is closed lies within them, in order, each date
/// once.
pub fn icalendar(bytes: &[u8]) {
    let calendar = CalendarSpecification {
        time_zone: "Europe/Paris".to_owned(),
        weekly_windows: Vec::new(),
        exceptions: Vec::new(),
    };
    let (Ok(text), Some(horizon)) = (from_utf8(bytes), Horizon::new(2025, 2027)) else {
        return;
    };
    let Ok(closed) = exceptions(text, &calendar, horizon) else {
        return;
    };
    for exception in &closed {
        assert!(exception.first_date <= exception.last_date, "{exception:?}");
    }
    for pair in closed.windows(2) {
        assert!(pair[0].last_date < pair[1].first_date, "{pair:?}");
    }
}

/// A name, or what else a field holds that is read by hand. A name that is accepted is written as it
/// was.
pub fn resource_names(bytes: &[u8]) {
    let Ok(text) = from_utf8(bytes) else {
        return;
    };
    if let Ok([id]) = parse_name("name", text, "firms/*") {
        assert_eq!(format!("firms/{id}"), text);
        if let Some(firm) = FirmId::parse(&id) {
            assert_eq!(firm.as_str(), id);
        }
    }
    if let Ok([partnership, ticket]) = parse_name("name", text, "partnerships/*/tickets/*") {
        assert_eq!(format!("partnerships/{partnership}/tickets/{ticket}"), text);
    }
    if let Some(scope) = ScopeId::parse(text) {
        assert_eq!(scope.as_str(), text);
    }
    if let Some(span) = parse_timeout(text) {
        assert!(span.as_micros() >= 0, "{text}");
    }
    if let Ok(Some(revision)) = parse_etag(text) {
        assert!(parse_etag(&entente::api::convert::etag(revision)).is_ok());
    }
}

/// A quote, through all of `entente split` but its printing.
pub fn split(bytes: &[u8]) {
    if let Ok(outcome) = entente::cli::split::from_bytes(bytes) {
        assert!(outcome.adds_up());
    }
}

/// A token as a caller sends it, to a server that believes an issuer whose keys cannot be had: nobody is
/// recognised by any.
pub fn tokens(bytes: &[u8]) {
    static VERIFIER: LazyLock<Option<Verifier>> = LazyLock::new(|| {
        let issuer = TokenIssuer {
            issuer: "https://id.example".to_owned(),
            audience: "entente".to_owned(),
            keys_url: Some("http://127.0.0.1:1/keys".to_owned()),
            algorithms: None,
        };
        Verifier::new(&[issuer]).ok()
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let (Ok(token), Some(verifier), Ok(runtime)) = (from_utf8(bytes), &*VERIFIER, runtime) else {
        return;
    };
    let now = Timestamp::from_micros(1_772_438_400_000_000);
    let proved = runtime.block_on(verifier.verify(token, now));
    assert!(proved.is_err(), "{proved:?}");
}

/// What a PSA sends, read as each vendor's. The same payload always means the same events, and each of
/// them has an id of its own, by which it is recognised when it comes again.
pub fn webhooks(bytes: &[u8]) {
    let now = Timestamp::from_micros(1_772_438_400_000_000);
    let Ok(value) = strict::parse_foreign(bytes) else {
        return;
    };
    for vendor in Vendor::ALL {
        let endpoint = endpoint_of(*vendor);
        let Ok(events) = payload::events(&endpoint, &value, now) else {
            continue;
        };
        let again = payload::events(&endpoint, &value, now);
        assert_eq!(again.as_ref(), Ok(&events), "{vendor:?}");
        for event in &events {
            assert!(!event.event_id.is_empty(), "{event:?}");
            let ticket = event.ticket.as_ref();
            assert!(
                ticket.is_some_and(|ticket| !ticket.id.is_empty()),
                "{event:?}"
            );
        }
    }
}

fn endpoint_of(vendor: Vendor) -> EndpointCreated {
    let mapping = Mapping {
        ticket_id: "/id".to_owned(),
        occur_time: "/time".to_owned(),
        status: "/status".to_owned(),
        priority: "/priority".to_owned(),
        title: "/title".to_owned(),
        open_time: "/opened".to_owned(),
        response_time: "/answered".to_owned(),
    };
    EndpointCreated {
        display_name: "PSA".to_owned(),
        vendor,
        authentication: Authentication::SharedSecret,
        partnership: "p1".to_owned(),
        agreement: None,
        system: "psa".to_owned(),
        instance: String::new(),
        mapping: (vendor == Vendor::Generic).then_some(mapping),
    }
}
