//! Durable ticket events per second, one event a command, 256 in flight: on PostgreSQL against
//! pgbench with the same statements over the same spread, and on SQLite against our own ledger
//! without group commit.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use entente::ledger::Settings;
use entente::ledger::queue::Urgency;

use crate::Rounds;
use crate::load::per_second;
use crate::pgbench::Pgbench;
use crate::support::postgres::Cluster;
use crate::table::Table;
use crate::world::{TICKETS, World, event};

/// Commands in flight.
const IN_FLIGHT: usize = 256;
/// A prime far from powers of two, to spread consecutive events over tickets.
const STRIDE: u64 = 7_919;

pub async fn measure_postgres(rounds: Rounds, table: &mut Table) {
    let cluster = Cluster::start();
    let world = World::start(
        &cluster.create_database().await,
        Settings::default(),
        TICKETS,
    )
    .await;
    let events = Events::of(&world);
    let peer = Pgbench::prepare(&cluster, &world).await;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..rounds.count {
        ours.push(events.per_second(rounds).await);
        theirs.push(peer.per_second(rounds.length));
    }
    table.add(
        "(b) events/s on PostgreSQL : pgbench, 1 tx each, 32 clients",
        "/s",
        ours,
        theirs,
    );
    world.application.stop().await;
}

pub async fn measure_sqlite(rounds: Rounds, table: &mut Table) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = |name: &str| format!("sqlite://{}", folder.path().join(name).display());
    let world = World::start(&url("group.db"), Settings::default(), TICKETS).await;
    let alone = Settings {
        batch_commands_max: 1,
        ..Settings::default()
    };
    let peer = World::start(&url("single.db"), alone, TICKETS).await;
    let (events, peer_events) = (Events::of(&world), Events::of(&peer));
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..rounds.count {
        ours.push(events.per_second(rounds).await);
        theirs.push(peer_events.per_second(rounds).await);
    }
    table.add(
        "(b) events/s on SQLite : our ledger, batches of 1",
        "/s",
        ours,
        theirs,
    );
    world.application.stop().await;
    peer.application.stop().await;
}

/// An endless supply of events, each of them new.
struct Events {
    ledger: entente::ledger::Ledger,
    firm: entente::domain::identity::FirmId,
    partnerships: Arc<Vec<String>>,
    sent: Arc<AtomicU64>,
}

impl Events {
    fn of(world: &World) -> Self {
        Self {
            ledger: world.ledger().clone(),
            firm: world.firm.clone(),
            partnerships: Arc::clone(&world.partnerships),
            sent: Arc::default(),
        }
    }

    async fn per_second(&self, rounds: Rounds) -> f64 {
        let (ledger, firm) = (self.ledger.clone(), self.firm.clone());
        let (partnerships, sent) = (Arc::clone(&self.partnerships), Arc::clone(&self.sent));
        per_second(IN_FLIGHT, rounds.length, move |_| {
            let number = sent.fetch_add(1, Ordering::Relaxed);
            let ticket = number.wrapping_mul(STRIDE) % TICKETS;
            let command = event(
                &firm,
                &partnerships,
                ledger.clock().now(),
                ticket,
                1 + number / TICKETS,
            );
            let ledger = ledger.clone();
            async move {
                ledger
                    .submit(command, None, Urgency::Interactive)
                    .await
                    .expect("an event is taken in");
            }
        })
        .await
    }
}
