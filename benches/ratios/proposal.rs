//! A concession that is proposed, divided, hashed and durable, against the bare commit of the same
//! rows. One caller at a time.

use crate::Rounds;
use crate::bare::BareCommits;
use crate::load::{median, now};
use crate::quotes::{create, propose, scope, submit};
use crate::support::postgres::Cluster;
use crate::table::Table;
use crate::world::World;
use entente::ledger::Settings;

/// Quotes that are bargained over; each gets one proposal in a round.
const QUOTES: usize = 400;
/// Tickets in this world, which nobody looks at.
const TICKETS: u64 = 64;

pub async fn measure(rounds: Rounds, table: &mut Table) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = format!("sqlite://{}", folder.path().join("quotes.db").display());
    measure_on(&url, "SQLite", rounds, table).await;
    let cluster = Cluster::start();
    let url = cluster.create_database().await;
    measure_on(&url, "PostgreSQL", rounds, table).await;
}

async fn measure_on(url: &str, engine: &str, rounds: Rounds, table: &mut Table) {
    let world = World::start(url, Settings::default(), TICKETS).await;
    for number in 0..QUOTES {
        submit(&world, &format!("create-{number}"), create(&world, number)).await;
    }
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for round in 0..rounds.count {
        let request_id = |number| format!("propose-{round}-{number}");
        let mut elapsed = Vec::new();
        for number in 0..QUOTES {
            let start = now();
            submit(&world, &request_id(number), propose(number, round)).await;
            elapsed.push(start.elapsed().as_secs_f64() * 1e6);
        }
        ours.push(median(elapsed));
        let last = request_id(QUOTES - 1);
        let mut commits = BareCommits::of(&world, &scope(&world), QUOTES, Some(&last)).await;
        let mut elapsed = Vec::new();
        for _ in 0..QUOTES {
            elapsed.push(commits.next().await);
        }
        bare.push(median(elapsed));
    }
    let what = format!("(i) ProposeConcession : bare commit of the same rows, {engine}");
    table.add(&what, "us", ours, bare);
    world.application.stop().await;
}
