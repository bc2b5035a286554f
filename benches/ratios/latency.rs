//! One caller at a time: an event through the whole ledger against the bare commit of the same
//! rows.

use entente::domain::identity::ScopeId;
use entente::ledger::Settings;
use entente::ledger::queue::Urgency;

use crate::Rounds;
use crate::bare::BareCommits;
use crate::load::{median, now};
use crate::support::postgres::Cluster;
use crate::table::Table;
use crate::world::{PARTNERSHIPS, World};

/// Tickets of each partnership in this smaller world.
const TICKETS_EACH: usize = 10;

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
    let tickets = PARTNERSHIPS * u64::try_from(TICKETS_EACH).expect("small");
    let world = World::start(url, Settings::default(), tickets).await;
    let scope = ScopeId::partnership(&world.partnerships[0]);
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    let mut step = 1;
    for _ in 0..rounds.count {
        let mut elapsed = Vec::new();
        let begin = now();
        while begin.elapsed() < rounds.length {
            let command = world.event(step % tickets, 1 + step / tickets);
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
        let mut commits = BareCommits::of(&world, &scope, TICKETS_EACH, None).await;
        let mut elapsed = Vec::new();
        let begin = now();
        while begin.elapsed() < rounds.length {
            elapsed.push(commits.next().await);
        }
        bare.push(median(elapsed));
    }
    table.add(what, "us", ours, bare);
    world.application.stop().await;
}
