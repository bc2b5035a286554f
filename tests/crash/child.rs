//! The child: a ledger under load that tells its parent what it asks and what is answered, until
//! it is killed.

use std::io::{BufRead, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use entente::domain::refusal::Reason;
use entente::domain::time::Timestamp;
use entente::ledger::queue::Urgency;
use entente::ledger::{Clock, Ledger, Settings, sweep};
use entente::store::{Store, StoreError};
use nix::sys::signal::{Signal, raise};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::messages::{CHILD, Order, Point, Said};
use crate::support::decorated_store::{Call, DecoratedStore, Hook};
use crate::support::workload::{Planner, Recipe};

/// Clients under way at once.
const CLIENTS: u64 = 8;
/// Recipes of each client are numbered from a multiple of this.
const NUMBERS_PER_CLIENT: u64 = 10_000;
/// How many times faster than ours the child's time passes.
const HASTE: i64 = 1_000;

/// Ends the process when it has come to a point often enough.
struct Killer {
    kill: Option<Point>,
    left: AtomicU32,
}

impl Killer {
    fn at(&self, point: Point) {
        if self.kill == Some(point) && self.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            raise(Signal::SIGKILL).expect("a process may kill itself");
        }
    }
}

#[async_trait]
impl Hook for Killer {
    async fn before(&self, call: Call) -> Result<(), StoreError> {
        match call {
            Call::Write => self.at(Point::BeforeWrite),
            Call::Commit => self.at(Point::BeforeCommit),
            _ => {}
        }
        Ok(())
    }

    async fn after(&self, call: Call) -> Result<(), StoreError> {
        match call {
            Call::Begin => self.at(Point::AfterBegin),
            Call::LockHeads => self.at(Point::AfterLock),
            Call::Load => self.at(Point::AfterLoad),
            Call::Write => self.at(Point::AfterWrite),
            Call::Commit => self.at(Point::AfterCommitBeforeAnswer),
            Call::Read | Call::Purge => {}
        }
        Ok(())
    }

    fn makes_errors_up(&self) -> bool {
        false
    }
}

/// Passes a thousand times faster than real time, so that things come due.
struct HastyClock {
    start: Timestamp,
    began: Instant,
}

impl Clock for HastyClock {
    fn now(&self) -> Timestamp {
        let passed = i64::try_from(self.began.elapsed().as_micros()).unwrap_or(i64::MAX);
        Timestamp::from_micros(self.start.as_micros() + passed * HASTE)
    }
}

/// What the child's tasks share.
struct Work {
    store: Arc<dyn Store>,
    ledger: Ledger,
    over: AtomicBool,
}

/// Not a test: what this binary does as the child. Without an order it does nothing.
#[test]
fn child() {
    let Ok(order) = std::env::var(CHILD) else {
        return;
    };
    let order: Order = serde_json::from_str(&order).expect("an order");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(work(order));
}

async fn work(order: Order) {
    let hook = Killer {
        kill: order.kill.map(|(point, _)| point),
        left: AtomicU32::new(order.kill.map_or(0, |(_, times)| times)),
    };
    let inner = entente::store::open(&order.url)
        .await
        .expect("the database is there");
    let store: Arc<dyn Store> = Arc::new(DecoratedStore {
        inner,
        hook: Arc::new(hook),
    });
    let clock = HastyClock {
        start: Timestamp::from_micros(order.clock),
        began: Instant::now(),
    };
    let (ledger, writer) = Ledger::start(Arc::clone(&store), Arc::new(clock), Settings::default());
    let work = Arc::new(Work {
        store,
        ledger,
        over: AtomicBool::new(false),
    });
    let again = listen(&work);
    say_line("");
    let mut rng = ChaCha8Rng::seed_from_u64(order.seed);
    let mut planner = Planner::new(rng.random(), order.first_number);
    for recipe in planner.registrations(work.ledger.clock().now()) {
        send(&work, &recipe).await;
    }
    let mut tasks = vec![
        tokio::spawn(send_again(Arc::clone(&work), again)),
        tokio::spawn(sweep_all_the_time(Arc::clone(&work))),
    ];
    let mut number = 0;
    while let Some(recipe) = planner
        .opening(number, work.store.as_ref(), work.ledger.clock().now())
        .await
    {
        send(&work, &recipe).await;
        number += 1;
    }
    for client in 1..=CLIENTS {
        let planner = Planner::new(
            rng.random(),
            order.first_number + client * NUMBERS_PER_CLIENT,
        );
        tasks.push(tokio::spawn(act(Arc::clone(&work), planner)));
    }
    for task in tasks {
        task.await.expect("no task panics");
    }
    work.ledger.close();
    writer.await.expect("the writer ends");
    work.store.close().await;
    say(&Said::Done);
}

/// Takes the recipes that the parent wants sent again, up to an empty line. When the parent has
/// nothing more to say, the work is over.
fn listen(work: &Arc<Work>) -> Vec<Recipe> {
    let mut again = Vec::new();
    let mut lines = std::io::stdin().lines();
    while let Some(Ok(line)) = lines.next() {
        if line.is_empty() {
            break;
        }
        again.push(serde_json::from_str(&line).expect("a recipe"));
    }
    let work = Arc::clone(work);
    std::thread::spawn(move || {
        let mut rest = String::new();
        while std::io::stdin()
            .lock()
            .read_line(&mut rest)
            .is_ok_and(|bytes| bytes > 0)
        {}
        work.over.store(true, Ordering::SeqCst);
    });
    again
}

async fn act(work: Arc<Work>, mut planner: Planner) {
    while !work.over.load(Ordering::SeqCst) {
        let recipe = planner
            .next(work.store.as_ref(), work.ledger.clock().now())
            .await;
        send(&work, &recipe).await;
    }
}

/// Commands whose outcome the process before did not learn.
async fn send_again(work: Arc<Work>, recipes: Vec<Recipe>) {
    for recipe in recipes {
        send(&work, &recipe).await;
    }
}

async fn sweep_all_the_time(work: Arc<Work>) {
    while !work.over.load(Ordering::SeqCst) {
        tokio::time::sleep(Duration::from_millis(50)).await;
        // What fails now is found again later.
        let _ = sweep::sweep_once(&work.ledger).await;
    }
}

/// Sends a command, and again while its outcome is unknown.
async fn send(work: &Work, recipe: &Recipe) {
    loop {
        say(&Said::Asks(recipe.clone()));
        let answer = work
            .ledger
            .submit(recipe.command(), None, Urgency::Interactive)
            .await;
        let unknown = answer
            .as_ref()
            .is_err_and(|failure| failure.reason() == Reason::StoreUnavailable);
        say(&Said::answer(recipe, answer));
        if !unknown || work.over.load(Ordering::SeqCst) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn say(said: &Said) {
    say_line(&serde_json::to_string(said).expect("messages can be written"));
}

/// One write for a line, so that the parent sees all of it or nothing.
fn say_line(line: &str) {
    let mut out = std::io::stdout().lock();
    // Without a parent there is nobody to work for.
    if out
        .write_all(format!("{line}\n").as_bytes())
        .and_then(|()| out.flush())
        .is_err()
    {
        std::process::exit(1);
    }
}
