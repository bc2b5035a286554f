//! Firms at work, who write down what they were told.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use entente::api::{HASH_METADATA, SEQUENCE_METADATA};
use entente::cli::client::Connection;
use entente::proto::v1::{self, watch_response::Event};
use tokio::task::JoinHandle;
use tonic::Status;

use super::patience::answered;
use crate::support::desk::{Desk, connected};

/// Connections on which clients are recorded.
const WRITERS: usize = 6;
/// Connections on which tickets are opened.
const REPORTERS: usize = 2;
/// Connections on which the journal is watched.
const WATCHERS: usize = 3;
/// Tickets opened at a time, and the rest after that.
const TICKETS_AT_A_TIME: usize = 2;
const REPORTERS_REST: Duration = Duration::from_millis(400);
/// A stream on which nothing comes for so long is given up: there are heartbeats.
const SILENCE_MAX: Duration = Duration::from_secs(15);
const PAUSE: Duration = Duration::from_millis(200);

/// A change that was acknowledged.
#[derive(Clone, Debug)]
pub struct Acknowledged {
    /// The client's name, which nobody else has.
    pub name: String,
    /// Where the journal has it.
    pub sequence: u64,
    /// The entry's hash, hexadecimal.
    pub hash: String,
}

/// What the firms wrote down.
#[derive(Debug, Default)]
pub struct Notes {
    /// Clients that were acknowledged.
    pub clients: Mutex<Vec<Acknowledged>>,
    /// Tickets that were taken, by the id that the firm gave them.
    pub tickets: Mutex<Vec<String>>,
    /// How many changes were acknowledged.
    pub changes: AtomicU64,
    /// How often a watcher had to begin anew from its cursor.
    pub resumed: AtomicU64,
}

/// Firms at work.
pub struct Load {
    /// What they wrote down.
    pub notes: Arc<Notes>,
    over: Arc<AtomicBool>,
    writers: Vec<JoinHandle<()>>,
    watchers: Vec<JoinHandle<Vec<v1::JournalEntry>>>,
    watched_up_to: Arc<AtomicU64>,
}

impl Load {
    /// Begins to work.
    pub async fn begin(desk: &Arc<Desk>, address: SocketAddr, key: &str) -> Self {
        let notes = Arc::new(Notes::default());
        let over = Arc::new(AtomicBool::new(false));
        // Nobody knows yet where the watchers have to get to.
        let watched_up_to = Arc::new(AtomicU64::new(u64::MAX));
        let mut writers = Vec::new();
        let mut watchers = Vec::new();
        for number in 0..WRITERS {
            let firm = connected(address, key, &format!("writer-{number}")).await;
            let (desk, notes, over) = (Arc::clone(desk), Arc::clone(&notes), Arc::clone(&over));
            writers.push(tokio::spawn(write(number, firm, desk, notes, over)));
        }
        for number in 0..REPORTERS {
            let firm = connected(address, key, &format!("reporter-{number}")).await;
            let (desk, notes, over) = (Arc::clone(desk), Arc::clone(&notes), Arc::clone(&over));
            writers.push(tokio::spawn(report(number, firm, desk, notes, over)));
        }
        for number in 0..WATCHERS {
            let firm = connected(address, key, &format!("watcher-{number}")).await;
            let (desk, notes) = (Arc::clone(desk), Arc::clone(&notes));
            let watched = watch(firm, desk, notes, Arc::clone(&watched_up_to));
            watchers.push(tokio::spawn(watched));
        }
        Self {
            notes,
            over,
            writers,
            watchers,
            watched_up_to,
        }
    }

    /// How many changes were acknowledged so far.
    pub fn changes(&self) -> u64 {
        self.notes.changes.load(Ordering::SeqCst)
    }

    /// Ends the writing, after everything that was asked has been answered.
    pub async fn end_writing(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        for writer in std::mem::take(&mut self.writers) {
            writer.await.unwrap();
        }
    }

    /// What the watchers saw up to an entry.
    pub async fn seen_up_to(self, sequence: u64) -> Vec<Vec<v1::JournalEntry>> {
        self.watched_up_to.store(sequence, Ordering::SeqCst);
        let mut seen = Vec::new();
        for watcher in self.watchers {
            seen.push(watcher.await.unwrap());
        }
        seen
    }
}

/// Records clients until it is over, each until it is answered.
async fn write(
    number: usize,
    firm: Connection,
    desk: Arc<Desk>,
    notes: Arc<Notes>,
    over: Arc<AtomicBool>,
) {
    for count in 0.. {
        if over.load(Ordering::SeqCst) {
            return;
        }
        let name = format!("client-{number}-{count}");
        let request = desk.client_request(&name);
        let answer = answered(|| {
            let (firm, request) = (firm.clone(), request.clone());
            async move { firm.partnerships().create_client(request).await }
        });
        let answer = answer
            .await
            .unwrap_or_else(|status| panic!("{name}: {status:?}"));
        let text = |key: &str| {
            answer
                .metadata()
                .get(key)
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned()
        };
        let acknowledged = Acknowledged {
            name,
            sequence: text(SEQUENCE_METADATA).parse().unwrap(),
            hash: text(HASH_METADATA),
        };
        notes.clients.lock().unwrap().push(acknowledged);
        notes.changes.fetch_add(1, Ordering::SeqCst);
    }
}

/// Opens tickets until it is over, each until it is taken.
async fn report(
    number: usize,
    firm: Connection,
    desk: Arc<Desk>,
    notes: Arc<Notes>,
    over: Arc<AtomicBool>,
) {
    for count in 0.. {
        if over.load(Ordering::SeqCst) {
            return;
        }
        let ids: Vec<String> = (0..TICKETS_AT_A_TIME)
            .map(|index| format!("T-{number}-{count}-{index}"))
            .collect();
        let mut left = ids.clone();
        let mut request = desk.open_tickets(&ids);
        while !left.is_empty() {
            let answer = answered(|| {
                let (firm, request) = (firm.clone(), request.clone());
                async move { firm.sla().batch_ingest_events(request).await }
            });
            let answer = answer
                .await
                .unwrap_or_else(|status| panic!("{left:?}: {status:?}"));
            let results = answer.into_inner().results;
            let mut again = Vec::new();
            for (id, (event, result)) in left.iter().zip(request.events.iter().zip(&results)) {
                use v1::IngestOutcome::{AlreadyApplied, Applied};
                if [Applied, AlreadyApplied].contains(&result.outcome()) {
                    notes.tickets.lock().unwrap().push(id.clone());
                    notes.changes.fetch_add(1, Ordering::SeqCst);
                } else {
                    assert!(may_pass(result), "{id}: {result:?}");
                    again.push((id.clone(), event.clone()));
                }
            }
            (left, request.events) = again.into_iter().unzip();
        }
        tokio::time::sleep(REPORTERS_REST).await;
    }
}

/// Whether one event of a batch may be taken a little later.
fn may_pass(result: &v1::IngestResult) -> bool {
    let error = result.error.as_ref();
    error.is_some_and(|error| error.code == tonic::Code::Unavailable as i32)
}

/// Watches the partnership's journal from its beginning up to the entry said, from its last cursor
/// again whenever a stream breaks off.
async fn watch(
    firm: Connection,
    desk: Arc<Desk>,
    notes: Arc<Notes>,
    up_to: Arc<AtomicU64>,
) -> Vec<v1::JournalEntry> {
    let mut seen: Vec<v1::JournalEntry> = Vec::new();
    let mut cursor = String::new();
    let is_done = |seen: &[v1::JournalEntry]| {
        let last = seen.last().map_or(0, |entry| entry.sequence);
        u64::try_from(last).unwrap() >= up_to.load(Ordering::SeqCst)
    };
    while !is_done(&seen) {
        let ended = stream(&firm, &desk.name, &mut cursor, &mut seen, &is_done).await;
        if let Err(status) = ended {
            use tonic::Code::{Cancelled, DeadlineExceeded, Internal, Unavailable, Unknown};
            let passing = [Cancelled, DeadlineExceeded, Internal, Unavailable, Unknown];
            assert!(passing.contains(&status.code()), "{status:?}");
            notes.resumed.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(PAUSE).await;
        }
    }
    seen
}

async fn stream(
    firm: &Connection,
    scope: &str,
    cursor: &mut String,
    seen: &mut Vec<v1::JournalEntry>,
    is_done: impl Fn(&[v1::JournalEntry]) -> bool,
) -> Result<(), Status> {
    let silent = |_| Status::deadline_exceeded("nothing comes");
    let request = v1::WatchRequest {
        scopes: vec![v1::WatchScope {
            scope: scope.to_owned(),
            cursor: cursor.clone(),
        }],
    };
    let mut journal = firm.journal();
    let opened = tokio::time::timeout(SILENCE_MAX, journal.watch(request)).await;
    let mut stream = opened.map_err(silent)??.into_inner();
    while !is_done(seen) {
        let next = tokio::time::timeout(SILENCE_MAX, stream.message()).await;
        let message = next.map_err(silent)??;
        let message = message.ok_or_else(|| Status::unavailable("the stream ended"))?;
        if let Some(Event::Entry(entry)) = message.event {
            let last = seen.last().map_or(0, |entry| entry.sequence);
            assert_eq!(entry.sequence, last + 1, "a gap, or something twice");
            seen.push(entry);
            *cursor = message.cursor;
        }
    }
    Ok(())
}
