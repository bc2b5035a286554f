//! One caller at a time: an event through the whole ledger against the bare commit of the same
//! rows.

use entente::domain::identity::ScopeId;
use entente::domain::record::{Kind, RecordKey};
use entente::ledger::Settings;
use entente::ledger::queue::Urgency;
use entente::store::WriteSet;

use crate::Rounds;
use crate::load::{median, now};
use crate::support::postgres::Cluster;
use crate::table::Table;
use crate::world::World;

/// Tickets in this smaller world.
const TICKETS: u64 = 640;

pub async fn measure(rounds: Rounds, table: &mut Table) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = format!("sqlite://{}", folder.path().join("latency.db").display());
    measure_on(
        &url,
        "(c) latency on SQLite : bare commit of the same rows",
        rounds,
        table,
    )
    .await;
    let cluster = Cluster::start();
    let url = cluster.create_database().await;
    measure_on(
        &url,
        "(c) latency on PostgreSQL : bare commit of the same rows",
        rounds,
        table,
    )
    .await;
}

async fn measure_on(url: &str, what: &str, rounds: Rounds, table: &mut Table) {
    let world = World::start(url, Settings::default(), TICKETS).await;
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    let mut step = 1;
    for _ in 0..rounds.count {
        let mut elapsed = Vec::new();
        let begin = now();
        while begin.elapsed() < rounds.length {
            let command = world.event(step % TICKETS, 1 + step / TICKETS);
            step += 1;
            let start = now();
            world
                .ledger()
                .submit(command, None, Urgency::Interactive)
                .await
                .expect("an event is taken in");
            elapsed.push(start.elapsed().as_secs_f64() * 1e6);
        }
        ours.push(median(elapsed));
        bare.push(bare_commits(&world, rounds, &mut step).await);
    }
    table.add(what, "us", ours, bare);
    world.application.stop().await;
}

/// Writes the rows of one event by hand, over and over; returns the median in microseconds.
async fn bare_commits(world: &World, rounds: Rounds, step: &mut u64) -> f64 {
    let store = world.ledger().store();
    let scope = ScopeId::partnership(&world.partnerships[0]);
    let key = RecordKey::new(&scope, Kind::Ticket, some_ticket(world, &scope).await);
    let mut head = store
        .heads(std::slice::from_ref(&scope))
        .await
        .expect("a head")
        .remove(0);
    let entry = store
        .entries(&scope, head.sequence - 1, 1)
        .await
        .expect("an entry")
        .remove(0);
    let mut row = store
        .records(std::slice::from_ref(&key))
        .await
        .expect("a ticket")
        .remove(0);
    let mut elapsed = Vec::new();
    let begin = now();
    while begin.elapsed() < rounds.length {
        *step += 1;
        let mut entry = entry.clone();
        entry.sequence = head.sequence + 1;
        entry.previous_hash = head.hash;
        entry.hash = entry.computed_hash();
        head.advance(&entry);
        row.revision += 1;
        entry.previous_sequence = Some(row.sequence);
        row.sequence = entry.sequence;
        let set = WriteSet {
            heads: vec![head.clone()],
            entries: vec![entry],
            records: vec![row.clone()],
            ..WriteSet::default()
        };
        let start = now();
        let mut transaction = store.begin().await.expect("a transaction");
        transaction.write(&set).await.expect("rows");
        transaction.commit().await.expect("a commit");
        elapsed.push(start.elapsed().as_secs_f64() * 1e6);
    }
    median(elapsed)
}

async fn some_ticket(world: &World, scope: &ScopeId) -> String {
    let query = entente::store::ListQuery {
        scope: scope.clone(),
        kind: Kind::Ticket,
        state: None,
        after_id: String::new(),
        limit: 1,
    };
    world
        .ledger()
        .store()
        .list_records(&query)
        .await
        .expect("tickets")
        .remove(0)
        .key
        .id
}
