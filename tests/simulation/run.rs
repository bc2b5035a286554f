//! One simulation: everything that takes part, and how it ends.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use entente::domain::refusal::Reason;
use entente::domain::time::{Span, Timestamp};
use entente::ledger::queue::Urgency;
use entente::ledger::{Clock, Failure, Ledger, Receipt, Settings, sweep};
use entente::store::{Store, sqlite};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::support::clocks::ManualClock;
use crate::support::decorated_store::DecoratedStore;
use crate::support::faults::{Faults, Rates};
use crate::support::history::{Figures, History};
use crate::support::memory_store::tables::Tables;
use crate::support::memory_store::{LateCommit, LateCommits, MemoryStore};
use crate::support::workload::{Planner, Recipe, START};

/// Seeds run unless the environment says otherwise.
const SEEDS: u64 = 60;
/// Seeds run on `SQLite`, where time is real.
const SEEDS_ON_SQLITE: u64 = 3;
/// Recipes of each client are numbered from a multiple of this.
const NUMBERS_PER_CLIENT: u64 = 1_000_000;
/// How often a client sends a command again whose outcome it did not learn.
const TRIES: u32 = 6;

/// How large a simulation is.
#[derive(Clone, Copy, Debug)]
struct Size {
    clients: u64,
    commands: usize,
    replicas: usize,
}

/// What the tasks of a simulation share.
struct Stage {
    store: Arc<dyn Store>,
    clock: ManualClock,
    replicas: Vec<Ledger>,
    history: Mutex<History>,
    over: AtomicBool,
}

impl Stage {
    fn note(&self, note: impl FnOnce(&mut History)) {
        note(&mut self.history.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }
}

/// A replica's own clock, which is a little wrong.
struct SkewedClock {
    clock: ManualClock,
    skew: Span,
}

impl Clock for SkewedClock {
    fn now(&self) -> Timestamp {
        self.clock.now().saturating_add(self.skew)
    }
}

/// Names the seed if the simulation fails.
struct Named(u64);

impl Drop for Named {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the simulation failed with ENTENTE_SEED={}", self.0);
        }
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn seeds(most: u64) -> std::ops::Range<u64> {
    match (number("ENTENTE_SEED"), number("ENTENTE_SEEDS")) {
        (Some(seed), _) => seed..seed + 1,
        (None, count) => 0..count.unwrap_or(most),
    }
}

#[test]
fn in_memory_with_two_replicas() {
    let mut total = Figures::default();
    let (mut failures, mut count) = (0, 0);
    for seed in seeds(SEEDS) {
        let (figures, made_up, _) = simulate_in_memory(seed);
        total = sum(total, figures);
        failures += made_up;
        count += 1;
    }
    println!("{count} seeds, {failures} failures: {total:?}");
    assert!(
        number("ENTENTE_SEED").is_some() || total.accepted > total.commands / 4,
        "little happened: {total:?}"
    );
}

#[test]
fn a_seed_determines_everything() {
    let seed = number("ENTENTE_SEED").unwrap_or(7);
    let (first, second) = (simulate_in_memory(seed), simulate_in_memory(seed));
    assert_eq!(first.1, second.1);
    assert!(first.2 == second.2, "the same seed gave two histories");
}

#[test]
fn on_sqlite() {
    let mut total = Figures::default();
    for seed in seeds(SEEDS_ON_SQLITE) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        total = sum(total, runtime.block_on(simulate_on_sqlite(seed)));
    }
    println!("{total:?}");
}

fn sum(left: Figures, right: Figures) -> Figures {
    Figures {
        commands: left.commands + right.commands,
        accepted: left.accepted + right.accepted,
        refused: left.refused + right.refused,
        unknown: left.unknown + right.unknown,
        entries: left.entries + right.entries,
    }
}

/// One thread and a clock that only moves when everyone waits: nothing is left to chance.
fn simulate_in_memory(seed: u64) -> (Figures, usize, Tables) {
    let _named = Named(seed);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let memory = MemoryStore::new(Some(late_commits(&mut rng)));
        let faults = Arc::new(Faults::new(rng.random(), Rates::drawn(&mut rng)));
        let size = Size {
            clients: rng.random_range(1..=6),
            commands: rng.random_range(20..=200),
            replicas: 2,
        };
        let figures = simulate(&mut rng, Arc::new(memory.clone()), &faults, size).await;
        assert_eq!(memory.faults(), Vec::<String>::new());
        (figures, faults.made_up(), memory.tables())
    })
}

fn late_commits(rng: &mut ChaCha8Rng) -> LateCommits {
    let per_thousand = [0, 10, 50][rng.random_range(0..3)];
    let rng = Mutex::new(ChaCha8Rng::seed_from_u64(rng.random()));
    Box::new(move || {
        let mut rng = rng.lock().unwrap_or_else(PoisonError::into_inner);
        rng.random_ratio(per_thousand, 1_000).then(|| LateCommit {
            after: Duration::from_millis(rng.random_range(1..8_000)),
            stored: rng.random_ratio(2, 3),
        })
    })
}

async fn simulate_on_sqlite(seed: u64) -> Figures {
    let _named = Named(seed);
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("entente.db").display());
    sqlite::migrate(&url).await.unwrap();
    let store = Arc::new(sqlite::SqliteStore::open(&url).await.unwrap());
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let rates = Rates {
        delayed: 30,
        failed: 6,
        lost: 6,
        refused: 2,
        delay_max: 5,
    };
    let faults = Arc::new(Faults::new(rng.random(), rates));
    let size = Size {
        clients: 4,
        commands: 60,
        replicas: 2,
    };
    simulate(&mut rng, store, &faults, size).await
}

async fn simulate(
    rng: &mut ChaCha8Rng,
    inner: Arc<dyn Store>,
    faults: &Arc<Faults>,
    size: Size,
) -> Figures {
    let store: Arc<dyn Store> = Arc::new(DecoratedStore {
        inner: Arc::clone(&inner),
        hook: Arc::<Faults>::clone(faults),
    });
    let clock = ManualClock::new(START);
    let mut replicas = Vec::new();
    let mut writers = Vec::new();
    for _ in 0..size.replicas {
        let skewed = SkewedClock {
            clock: clock.clone(),
            skew: Span::from_micros(rng.random_range(-2_000_000..2_000_000)),
        };
        let settings = Settings {
            batch_commands_max: [1, 4, 512][rng.random_range(0..3)],
            writers: Some(rng.random_range(1..=3)),
        };
        let (ledger, writer) = Ledger::start(Arc::clone(&store), Arc::new(skewed), settings);
        replicas.push(ledger);
        writers.push(writer);
    }
    let stage = Arc::new(Stage {
        store,
        clock,
        replicas,
        history: Mutex::default(),
        over: AtomicBool::new(false),
    });
    let mut extras = vec![tokio::spawn(move_clock(Arc::clone(&stage), rng.random()))];
    for replica in 0..size.replicas {
        extras.push(tokio::spawn(sweep_now_and_then(
            Arc::clone(&stage),
            replica,
            rng.random(),
        )));
    }
    open(&stage, rng.random()).await;
    let clients: Vec<_> = (1..=size.clients)
        .map(|client| tokio::spawn(act(Arc::clone(&stage), client, size.commands, rng.random())))
        .collect();
    for client in clients {
        client.await.unwrap();
    }
    stage.over.store(true, Ordering::SeqCst);
    for extra in extras {
        extra.await.unwrap();
    }
    faults.end();
    settle(&stage).await;
    for (ledger, writer) in stage.replicas.iter().zip(writers) {
        ledger.close();
        writer.await.unwrap();
    }
    // What was committed late is committed by now.
    tokio::time::sleep(if inner.engine() == "memory" {
        Duration::from_secs(10)
    } else {
        Duration::ZERO
    })
    .await;
    let history =
        std::mem::take(&mut *stage.history.lock().unwrap_or_else(PoisonError::into_inner));
    history.check(inner.as_ref()).await
}

/// The first commands, without which few others make sense.
async fn open(stage: &Stage, seed: u64) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut planner = Planner::new(rng.random(), 0);
    for recipe in planner.registrations(stage.clock.now()) {
        while send(stage, &recipe, &mut rng).await.is_err() {}
    }
    let mut number = 0;
    while let Some(recipe) = planner
        .opening(number, stage.store.as_ref(), stage.clock.now())
        .await
    {
        let _ = send(stage, &recipe, &mut rng).await;
        number += 1;
    }
}

/// A client: thinks of commands and sends them.
async fn act(stage: Arc<Stage>, client: u64, commands: usize, seed: u64) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut planner = Planner::new(rng.random(), client * NUMBERS_PER_CLIENT);
    let mut left = commands;
    while left > 0 {
        let together = rng.random_range(1..=4_usize).min(left);
        left -= together;
        let mut recipes = Vec::with_capacity(together);
        for _ in 0..together {
            recipes.push(planner.next(stage.store.as_ref(), stage.clock.now()).await);
        }
        if let [recipe] = recipes.as_slice() {
            let _ = send(&stage, recipe, &mut rng).await;
        } else {
            send_together(&stage, &recipes, &mut rng).await;
        }
        if rng.random_ratio(1, 3) {
            tokio::time::sleep(Duration::from_millis(rng.random_range(0..20))).await;
        }
    }
}

/// Sends a command, to any replica, until its outcome is known or patience ends.
async fn send(stage: &Stage, recipe: &Recipe, rng: &mut ChaCha8Rng) -> Result<Receipt, Failure> {
    stage.note(|history| history.asked(recipe));
    let mut tries = 0;
    loop {
        tries += 1;
        let ledger = &stage.replicas[rng.random_range(0..stage.replicas.len())];
        let answer = ledger
            .submit(recipe.command(), deadline(stage, rng), Urgency::Interactive)
            .await;
        let unknown = answer
            .as_ref()
            .is_err_and(|failure| failure.reason() == Reason::StoreUnavailable);
        stage.note(|history| history.answered(recipe, &answer));
        if !unknown || tries == TRIES {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(rng.random_range(0..500))).await;
    }
}

/// Puts several commands in line at once; those whose outcome stays unknown are sent again.
async fn send_together(stage: &Stage, recipes: &[Recipe], rng: &mut ChaCha8Rng) {
    for recipe in recipes {
        stage.note(|history| history.asked(recipe));
    }
    let ledger = &stage.replicas[rng.random_range(0..stage.replicas.len())];
    let commands = recipes.iter().map(Recipe::command).collect();
    let answers = ledger
        .submit_all(commands, deadline(stage, rng), Urgency::Interactive)
        .await;
    for (recipe, answer) in recipes.iter().zip(answers) {
        stage.note(|history| history.answered(recipe, &answer));
        if answer.is_err_and(|failure| failure.reason() == Reason::StoreUnavailable) {
            let _ = send(stage, recipe, rng).await;
        }
    }
}

fn deadline(stage: &Stage, rng: &mut ChaCha8Rng) -> Option<Timestamp> {
    let impatient = rng.random_ratio(10, 100);
    impatient.then(|| {
        stage
            .clock
            .now()
            .saturating_add(Span::from_micros(rng.random_range(0..60_000_000)))
    })
}

/// Time passes: mostly a little, sometimes hours.
async fn move_clock(stage: Arc<Stage>, seed: u64) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    while !stage.is_over() {
        tokio::time::sleep(Duration::from_millis(rng.random_range(1..50))).await;
        let leap = rng.random_ratio(1, 60);
        let by = if leap {
            rng.random_range(0..6 * 3_600_000_000_i64)
        } else {
            rng.random_range(0..2_000_000)
        };
        stage.clock.advance(Span::from_micros(by));
    }
}

/// A replica's sweeper; what it finds may be found by the other at the same time.
async fn sweep_now_and_then(stage: Arc<Stage>, replica: usize, seed: u64) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    while !stage.is_over() {
        tokio::time::sleep(Duration::from_millis(rng.random_range(1..300))).await;
        // What fails now is found again later.
        let _ = sweep::sweep_once(&stage.replicas[replica]).await;
    }
}

/// When nothing fails any more, everything that is due is done, and then nothing is due.
async fn settle(stage: &Stage) {
    const ROUNDS_MAX: usize = 20;
    for _ in 0..ROUNDS_MAX {
        stage.clock.advance(Span::from_minutes(6));
        let swept = sweep::sweep_once(&stage.replicas[0])
            .await
            .expect("the store answers");
        let again = sweep::sweep_once(&stage.replicas[0])
            .await
            .expect("the store answers");
        if swept.found == 0 && again.found == 0 {
            return;
        }
    }
    panic!("something stays due for ever");
}
