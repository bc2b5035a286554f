//! What has to be true after a drill.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use entente::domain::identity::ScopeId;
use entente::domain::journal::Entry;
use entente::domain::record::Kind;
use entente::ledger::verify::verify_store;
use entente::store::{self, ListQuery, Store};
use serde_json::Value;

use super::load::{Load, Notes};

/// Rows read at a time.
const PAGE: usize = 1_000;
/// Flags of a ticket that nobody answers: half, three quarters and all of the time for a response and
/// for a resolution.
const FLAGS_OF_A_TICKET: usize = 6;
/// How long the last thresholds may take to fire.
const SETTLING: Duration = Duration::from_mins(1);

/// What a drill came to.
#[derive(Debug)]
#[expect(dead_code, reason = "it is printed")]
pub struct Figures {
    /// Clients acknowledged, all there once.
    pub clients: usize,
    /// Tickets taken, all there once.
    pub tickets: usize,
    /// Thresholds fired, each once.
    pub flags: usize,
    /// Entries in the partnership's journal, seen by every watcher.
    pub entries: usize,
    /// How often watchers began anew.
    pub resumed: u64,
}

async fn entries(store: &dyn Store, scope: &ScopeId) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    loop {
        let after = entries.last().map_or(0, |entry| entry.sequence);
        let page = store.entries(scope, after, PAGE).await.unwrap();
        let is_last = page.len() < PAGE;
        entries.extend(page);
        if is_last {
            return entries;
        }
    }
}

/// The bodies of all records of a kind.
async fn bodies(store: &dyn Store, scope: &ScopeId, kind: Kind) -> Vec<Value> {
    let mut bodies = Vec::new();
    let mut query = ListQuery {
        scope: scope.clone(),
        kind,
        state: None,
        after_id: String::new(),
        limit: PAGE,
    };
    loop {
        let page = store.list_records(&query).await.unwrap();
        let Some(last) = page.last() else {
            return bodies;
        };
        query.after_id.clone_from(&last.key.id);
        let parsed = page
            .iter()
            .map(|row| serde_json::from_str(&row.body).unwrap());
        bodies.extend(parsed);
    }
}

/// How often each threshold of each ticket fired.
fn flags(entries: &[Entry]) -> BTreeMap<(String, String, String), usize> {
    let mut flags = BTreeMap::new();
    for entry in entries {
        if !["ticket.threshold_reached", "ticket.breached"].contains(&entry.event_type.as_str()) {
            continue;
        }
        let payload: Value = serde_json::from_slice(&entry.payload).unwrap();
        let level = &payload["reached"]["level"]["share"];
        let target = &payload["reached"]["target_type"];
        assert!(level.is_u64() && target.is_string(), "{payload}");
        let (level, target) = (level.to_string(), target.to_string());
        *flags.entry((entry.id.clone(), target, level)).or_default() += 1;
    }
    flags
}

/// Each name as often as it occurs.
fn counted<'name>(names: impl Iterator<Item = &'name str>) -> BTreeMap<&'name str, usize> {
    let mut counted = BTreeMap::new();
    for name in names {
        *counted.entry(name).or_default() += 1;
    }
    counted
}

/// Ends the load and compares what its firms wrote down with what the database has, and verifies all of
/// it.
pub async fn check(load: Load, url: &str, scope: &str) -> Figures {
    let figures = compare(load, url, scope).await;
    let store = store::open(url).await.unwrap();
    let report = verify_store(store.as_ref(), None).await.unwrap();
    assert!(report.is_clean(), "{report}");
    store.close().await;
    figures
}

/// The same without verifying, which may take another build.
pub async fn compare(mut load: Load, url: &str, scope: &str) -> Figures {
    load.end_writing().await;
    let notes = Arc::clone(&load.notes);
    let store = store::open(url).await.unwrap();
    let scope = ScopeId::parse(scope).unwrap();
    let tickets = bodies(store.as_ref(), &scope, Kind::Ticket).await.len();
    let journal = settled(store.as_ref(), &scope, tickets).await;
    let last = journal.last().unwrap().sequence;
    for seen in load.seen_up_to(last).await {
        let seen: Vec<(u64, &str)> = seen
            .iter()
            .map(|entry| (entry.sequence.try_into().unwrap(), entry.hash.as_str()))
            .collect();
        for (entry, (sequence, hash)) in journal.iter().zip(&seen) {
            let expected = data_encoding::HEXLOWER.encode(&entry.hash);
            assert_eq!((entry.sequence, expected.as_str()), (*sequence, *hash));
        }
        assert!(seen.len() >= journal.len());
    }
    let flags = flags(&journal);
    for (flag, times) in &flags {
        assert_eq!(*times, 1, "{flag:?} fired {times} times");
    }
    check_clients(store.as_ref(), &scope, &journal, &notes).await;
    check_tickets(store.as_ref(), &scope, &notes).await;
    store.close().await;
    let figures = Figures {
        clients: notes.clients.lock().unwrap().len(),
        tickets,
        flags: flags.len(),
        entries: journal.len(),
        resumed: notes.resumed.load(std::sync::atomic::Ordering::SeqCst),
    };
    assert_eq!(figures.flags, tickets * FLAGS_OF_A_TICKET);
    figures
}

/// The journal, once all thresholds of all tickets have fired.
async fn settled(store: &dyn Store, scope: &ScopeId, tickets: usize) -> Vec<Entry> {
    let began = Instant::now();
    loop {
        let journal = entries(store, scope).await;
        let fired = flags(&journal).len();
        if fired >= tickets * FLAGS_OF_A_TICKET {
            return journal;
        }
        assert!(
            began.elapsed() < SETTLING,
            "{fired} fired of {tickets} tickets"
        );
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

async fn check_clients(store: &dyn Store, scope: &ScopeId, journal: &[Entry], notes: &Notes) {
    let bodies = bodies(store, scope, Kind::Client).await;
    // In the next format, a client's name has another one.
    let name = |body: &Value| {
        let name = body.get("display_name");
        name.or(body.get("name_for_people")).cloned()
    };
    let names: Vec<Value> = bodies.iter().filter_map(name).collect();
    let names = names.iter().filter_map(Value::as_str);
    let counted = counted(names);
    for (name, times) in &counted {
        assert_eq!(*times, 1, "{name} is there {times} times");
    }
    for acknowledged in notes.clients.lock().unwrap().iter() {
        assert!(
            counted.contains_key(acknowledged.name.as_str()),
            "{acknowledged:?} is lost"
        );
        let place = usize::try_from(acknowledged.sequence).unwrap() - 1;
        let hash = data_encoding::HEXLOWER.encode(&journal[place].hash);
        assert_eq!(hash, acknowledged.hash, "{acknowledged:?}");
    }
}

async fn check_tickets(store: &dyn Store, scope: &ScopeId, notes: &Notes) {
    let bodies = bodies(store, scope, Kind::Reference).await;
    let of_tickets = bodies.iter().filter(|body| body["kind"] == "ticket");
    let ids = of_tickets.filter_map(|body| body["reference"]["id"].as_str());
    let counted = counted(ids);
    for (id, times) in &counted {
        assert_eq!(*times, 1, "{id} is there {times} times");
    }
    for id in notes.tickets.lock().unwrap().iter() {
        assert!(counted.contains_key(id.as_str()), "{id} is lost");
    }
}
