//! `make bench`: what Entente costs, as ratios against a peer measured in the same run.
//!
//! Machines are noisy, so single figures mean little: each comparison alternates between the two
//! sides for several rounds and shows minimum, median and maximum of the ratio. Quote medians.
//!
//! `ENTENTE_BENCH_SECONDS` sets the length of a round (default 3), `ENTENTE_BENCH_ROUNDS` how many
//! there are (default 5), and `ENTENTE_BENCH_ONLY` which comparisons are made, such as `ac`.

#[path = "../tests/support"]
mod support {
    //! What the tests share with the benchmarks.
    pub mod clocks;
    pub mod postgres;
}

#[path = "ratios/bare.rs"]
mod bare;
#[path = "ratios/burden.rs"]
mod burden;
#[path = "ratios/calendar.rs"]
mod calendar;
#[path = "ratios/checkups.rs"]
mod checkups;
#[path = "ratios/clocks.rs"]
mod clocks;
#[path = "ratios/echo.rs"]
mod echo;
#[path = "ratios/latency.rs"]
mod latency;
#[path = "ratios/load.rs"]
mod load;
#[path = "ratios/pgbench.rs"]
mod pgbench;
#[path = "ratios/proposal.rs"]
mod proposal;
#[path = "ratios/quota.rs"]
mod quota;
#[path = "ratios/quotes.rs"]
mod quotes;
#[path = "ratios/repin.rs"]
mod repin;
#[path = "ratios/splits.rs"]
mod splits;
#[path = "ratios/table.rs"]
mod table;
#[path = "ratios/thresholds.rs"]
mod thresholds;
#[path = "ratios/throughput.rs"]
mod throughput;
#[path = "ratios/world.rs"]
mod world;

use std::time::Duration;

use table::Table;

/// How long and how often each side is measured.
#[derive(Clone, Copy)]
struct Rounds {
    count: usize,
    length: Duration,
}

impl Rounds {
    fn from_environment() -> Self {
        let number = |name: &str, default: u64| {
            std::env::var(name)
                .ok()
                .and_then(|value| value.parse().ok())
                .unwrap_or(default)
        };
        Self {
            count: usize::try_from(number("ENTENTE_BENCH_ROUNDS", 5)).expect("a small number"),
            length: Duration::from_secs(number("ENTENTE_BENCH_SECONDS", 3)),
        }
    }
}

/// As the program itself has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() {
    // `cargo test --benches` must not measure anything.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    // Callers of the service are tasks of the runtime, not a thread beside it.
    tokio::spawn(measure()).await.expect("it ends");
}

async fn measure() {
    let rounds = Rounds::from_environment();
    let mut table = Table::default();
    let only = std::env::var("ENTENTE_BENCH_ONLY").unwrap_or_default();
    let wanted = |letter: &str| only.is_empty() || only.contains(letter);
    if wanted("a") {
        echo::measure(rounds, &mut table).await;
    }
    if wanted("b") || wanted("p") {
        throughput::measure_postgres(rounds, &mut table).await;
    }
    if wanted("b") || wanted("s") {
        throughput::measure_sqlite(rounds, &mut table).await;
    }
    if wanted("c") {
        latency::measure(rounds, &mut table).await;
    }
    if wanted("d") {
        calendar::measure(rounds, &mut table);
    }
    if wanted("e") {
        clocks::measure(rounds, &mut table);
    }
    if wanted("f") {
        repin::measure(rounds, &mut table).await;
    }
    if wanted("g") {
        thresholds::measure(rounds, &mut table).await;
    }
    if wanted("h") {
        splits::measure(rounds, &mut table);
    }
    if wanted("i") {
        proposal::measure(rounds, &mut table).await;
    }
    if wanted("j") {
        burden::measure(rounds, &mut table).await;
    }
    if wanted("k") {
        quota::measure(rounds, &mut table).await;
    }
    if wanted("l") {
        checkups::measure(rounds, &mut table).await;
    }
    table.print();
}
