//! g: events that come in while 100,000 thresholds are due at once, against an idle service.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use entente::domain::time::{Span, Timestamp};
use entente::ledger::queue::Urgency;
use entente::ledger::sweep::sweep_once;
use entente::server::Environment;

use crate::Rounds;
use crate::load::{now, quantile};
use crate::support::clocks::ManualClock;
use crate::support::postgres::Cluster;
use crate::table::Table;
use crate::world::{PARTNERSHIPS, Size, World};

/// Tickets with a threshold at the same instant.
const TICKETS: u64 = 100_000;
/// Tickets beside them that events come in for.
const BUSY_TICKETS: u64 = 1_000;
/// Callers that send one event after the other.
const CALLERS: u64 = 4;
/// Monday, 2 March 2026, noon in Berlin: the calendar is open.
const NOON: Timestamp = Timestamp::from_micros(1_772_449_200_000_000);

pub async fn measure(rounds: Rounds, table: &mut Table) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = format!("sqlite://{}", folder.path().join("due.db").display());
    measure_on(&url, "SQLite", rounds, table).await;
    let cluster = Cluster::start();
    let url = cluster.create_database().await;
    measure_on(&url, "PostgreSQL", rounds, table).await;
}

async fn measure_on(url: &str, engine: &str, rounds: Rounds, table: &mut Table) {
    let clock = ManualClock::new(NOON);
    let environment = Environment {
        clock: Arc::new(clock.clone()),
        sweeping: false,
        ..Environment::default()
    };
    let size = Size {
        partnerships: PARTNERSHIPS,
        tickets: TICKETS + BUSY_TICKETS,
    };
    let world = Arc::new(World::start_in(url, environment, size).await);
    let numbers = Arc::new(AtomicU64::new(0));
    let stop = Arc::new(AtomicBool::new(false));
    let timer = {
        let (stop, length) = (Arc::clone(&stop), rounds.length);
        tokio::spawn(async move {
            tokio::time::sleep(length).await;
            stop.store(true, Ordering::Relaxed);
        })
    };
    let idle = quantile(interactive(&world, &numbers, &stop).await, 99);
    timer.await.expect("it ends");
    // Half of a resolution of priority 3: six open hours today, and six tomorrow.
    clock.advance(Span::from_hours(26));
    let stop = Arc::new(AtomicBool::new(false));
    let sweeper = {
        let (world, stop) = (Arc::clone(&world), Arc::clone(&stop));
        tokio::spawn(async move {
            let begin = now();
            let mut found = 0;
            loop {
                let swept = sweep_once(world.ledger()).await.expect("a sweep");
                found += swept.advanced;
                if !swept.has_more {
                    break;
                }
            }
            stop.store(true, Ordering::Relaxed);
            (found, begin.elapsed().as_secs_f64())
        })
    };
    let busy = quantile(interactive(&world, &numbers, &stop).await, 99);
    let (found, seconds) = sweeper.await.expect("it ends");
    assert!(
        u64::try_from(found).is_ok_and(|found| found >= TICKETS),
        "only {found} thresholds were due"
    );
    eprintln!("g {found} tickets were due and done in {seconds:.1} s on {engine}");
    let what = format!("g p99 of an event while 100,000 thresholds are due : idle, {engine}");
    table.add(&what, "us", vec![busy], vec![idle]);
    let world = Arc::into_inner(world).expect("nobody else is there any more");
    world.application.stop().await;
}

/// How long each event took, in microseconds, until it is over.
async fn interactive(
    world: &Arc<World>,
    numbers: &Arc<AtomicU64>,
    over: &Arc<AtomicBool>,
) -> Vec<f64> {
    let callers = (0..CALLERS).map(|_| {
        let (world, numbers, over) = (Arc::clone(world), Arc::clone(numbers), Arc::clone(over));
        tokio::spawn(async move {
            let mut taken = Vec::new();
            while !over.load(Ordering::Relaxed) {
                let number = numbers.fetch_add(1, Ordering::Relaxed);
                let ticket = TICKETS + number % BUSY_TICKETS;
                let event = world.event(ticket, 1 + number / BUSY_TICKETS);
                let begin = now();
                let answer = world.ledger().submit(event, None, Urgency::Interactive);
                answer.await.expect("an event is taken in");
                taken.push(begin.elapsed().as_secs_f64() * 1e6);
            }
            taken
        })
    });
    let callers: Vec<_> = callers.collect();
    let mut all = Vec::new();
    for caller in callers {
        all.extend(caller.await.expect("a caller ends"));
    }
    all
}
