//! f: a repin that touches 100,000 open clocks, against a single event.

use entente::domain::command::Action;
use entente::domain::identity::ScopeId;
use entente::domain::sla::agreement::AgreementCommand;
use entente::domain::time::Span;
use entente::ledger::queue::Urgency;
use entente::ledger::sweep::sweep_once;
use entente::server::Environment;

use crate::Rounds;
use crate::load::{median, now};
use crate::support::postgres::Cluster;
use crate::table::Table;
use crate::world::{Size, World, agreement, command};

/// Open tickets, with two clocks each, under one agreement.
const TICKETS: u64 = 50_000;
/// Events whose median is the single write.
const EVENTS: u64 = 20;

pub async fn measure(rounds: Rounds, table: &mut Table) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = format!("sqlite://{}", folder.path().join("repin.db").display());
    measure_on(&url, "SQLite", rounds, table).await;
    let cluster = Cluster::start();
    let url = cluster.create_database().await;
    measure_on(&url, "PostgreSQL", rounds, table).await;
}

async fn measure_on(url: &str, engine: &str, rounds: Rounds, table: &mut Table) {
    let environment = Environment {
        sweeping: false,
        ..Environment::default()
    };
    let size = Size {
        partnerships: 1,
        tickets: TICKETS,
    };
    let world = World::start_in(url, environment, size).await;
    let (mut repins, mut events) = (Vec::new(), Vec::new());
    let mut step = 1;
    for round in 0..rounds.count {
        let mut single = Vec::new();
        for _ in 0..EVENTS {
            // The same few tickets: these are no part of the refresh that is measured below.
            step += 1;
            let event = world.event(step % EVENTS, step);
            single.push(timed(&world, event).await);
        }
        events.push(median(single));
        repins.push(timed(&world, repin(&world, round)).await);
    }
    let what = format!("f repin of 100,000 open clocks : one event, on {engine}");
    table.add(&what, "us", repins, events);
    let begin = now();
    while sweep_once(world.ledger()).await.expect("a sweep").has_more {}
    let seconds = begin.elapsed().as_secs_f64();
    eprintln!("f {TICKETS} tickets looked at again in {seconds:.1} s on {engine}");
    world.application.stop().await;
}

async fn timed(world: &World, command: entente::domain::command::Command) -> f64 {
    let begin = now();
    let answer = world.ledger().submit(command, None, Urgency::Interactive);
    answer.await.expect("it is accepted");
    begin.elapsed().as_secs_f64() * 1e6
}

/// Every target a little longer each time, also for open tickets, from now on.
fn repin(world: &World, round: usize) -> entente::domain::command::Command {
    let mut content = agreement();
    for target in &mut content.targets {
        let minutes = i64::try_from(round).expect("small") + 1;
        target.duration = target.duration.saturating_add(Span::from_minutes(minutes));
    }
    let action = Action::Agreement(AgreementCommand::Revise {
        id: "sla".to_owned(),
        content,
        repin_from: Some(world.application.api.now()),
    });
    let scope = ScopeId::partnership(&world.partnerships[0]);
    command(&world.firm, scope, format!("repin-{round}"), action)
}
