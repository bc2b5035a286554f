//! Everything fails, one thing after the other.

use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use super::checks::check;
use super::house::{House, REPLICAS};
use super::load::Load;
use crate::support::desk::Desk;
use crate::support::program;

/// How long there is work between two failures.
const WORK: Duration = Duration::from_secs(4);
/// How long a replica hangs: longer than HAProxy takes to notice.
const HANGING: Duration = Duration::from_secs(6);
/// How long it may take until changes are acknowledged again: a replica that hangs may have locked what
/// others need, for ten seconds at most.
const RECOVERY_MAX: Duration = Duration::from_secs(40);
/// Changes that show that work goes on.
const CHANGES: u64 = 30;

/// Waits until work goes on, and works a little.
pub async fn work_goes_on(load: &Load, after: &str) {
    let (began, before) = (Instant::now(), load.changes());
    while load.changes() < before + CHANGES {
        assert!(
            began.elapsed() < RECOVERY_MAX,
            "nothing goes on after: {after}"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let waited = began.elapsed().as_secs_f64();
    println!("{after}: work goes on after {waited:.1} s");
    tokio::time::sleep(WORK).await;
}

fn rounds() -> usize {
    let rounds = std::env::var("ENTENTE_DRILL_ROUNDS").ok();
    rounds.map_or(1, |rounds| rounds.parse().expect("a number of rounds"))
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_and_nothing_happens_twice() {
    let rounds = rounds();
    let mut house = House::open(rounds).await;
    let desk = Arc::new(Desk::open(&house.url, house.address).await);
    let key = program::key(&house.url, "north").await;
    let load = Load::begin(&desk, house.address, &key).await;
    for round in 0..rounds {
        println!("round {} of {rounds}", round + 1);
        house.follow().await;
        work_goes_on(&load, "a standby follows").await;
        let (killed, hanging) = (round % REPLICAS, (round + 1) % REPLICAS);

        house.kill(killed).await;
        work_goes_on(&load, "a replica is killed").await;
        house.start(killed, &program::entente()).await;

        house.signal(hanging, Signal::SIGSTOP);
        tokio::time::sleep(HANGING).await;
        work_goes_on(&load, "a replica hangs").await;
        house.signal(hanging, Signal::SIGCONT);
        work_goes_on(&load, "it hangs no longer").await;

        house.restart_database();
        work_goes_on(&load, "the database restarts as after a crash").await;

        house.fail_over().await;
        work_goes_on(&load, "the standby takes over").await;
    }
    let figures = check(load, &house.url, &desk.name).await;
    println!("{figures:?}");
    house.close().await;
}
