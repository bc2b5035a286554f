//! The parent: starts a child, kills it or lets it kill itself, and compares what it heard with
//! what is in the database.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Lines, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use entente::domain::identity::ScopeId;
use entente::domain::refusal::{Reason, Refusal};
use entente::domain::time::MICROS_PER_HOUR;
use entente::ledger::Failure;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sqlx::{Connection, PgConnection};

use super::messages::{CHILD, Order, Point, Said};
use crate::support::history::{Figures, History};
use crate::support::postgres::Cluster;
use crate::support::workload::{Recipe, START};

/// Kills on each engine: each point twice, and as many at any moment.
const KILLS: usize = 24;
/// Recipes of each child are numbered from a multiple of this.
const NUMBERS_PER_CHILD: u64 = 1_000_000;
/// Times that `PostgreSQL` is stopped under load.
const STOPS: usize = 2;
/// Commands that have to be accepted before `PostgreSQL` is stopped, and again after it came back.
const ACCEPTED_BETWEEN_STOPS: usize = 60;

/// What the parent knows of one database.
struct Parent {
    url: String,
    rng: ChaCha8Rng,
    children: u64,
    history: History,
    /// Commands that were asked, by number.
    asked: BTreeMap<u64, Recipe>,
    /// Commands that the last child asked and did not learn of.
    open: BTreeMap<u64, Recipe>,
}

/// A child at work.
struct Running {
    process: Child,
    orders: Option<ChildStdin>,
    heard: Lines<BufReader<ChildStdout>>,
}

impl Parent {
    fn new(url: String) -> Self {
        let seed = std::env::var("ENTENTE_SEED")
            .ok()
            .and_then(|seed| seed.parse().ok())
            .unwrap_or(1);
        Self {
            url,
            rng: ChaCha8Rng::seed_from_u64(seed),
            children: 0,
            history: History::default(),
            asked: BTreeMap::new(),
            open: BTreeMap::new(),
        }
    }

    fn start(&mut self, kill: Option<(Point, u32)>) -> Running {
        let round = i64::try_from(self.children).expect("few children");
        let order = Order {
            url: self.url.clone(),
            seed: self.rng.random(),
            first_number: self.children * NUMBERS_PER_CHILD,
            // A child may well have been further when it was killed: clocks go wrong, too.
            clock: START.as_micros() + round * MICROS_PER_HOUR,
            kill,
        };
        self.children += 1;
        let mut process = Command::new(std::env::current_exe().expect("this binary"))
            .args([
                "crash::child::child",
                "--exact",
                "--nocapture",
                "--test-threads=1",
            ])
            .env(
                CHILD,
                serde_json::to_string(&order).expect("orders can be written"),
            )
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the child starts");
        let mut orders = process.stdin.take().expect("a pipe");
        for recipe in std::mem::take(&mut self.open).into_values() {
            // A child that is dead already does not read; its end is noticed below.
            let _ = writeln!(
                orders,
                "{}",
                serde_json::to_string(&recipe).expect("recipes can be written")
            );
        }
        let _ = writeln!(orders);
        let heard = BufReader::new(process.stdout.take().expect("a pipe")).lines();
        Running {
            process,
            orders: Some(orders),
            heard,
        }
    }

    /// Listens until the child has said so many things that `enough`, or has ended; returns how
    /// many commands were accepted meanwhile.
    fn listen(&mut self, child: &mut Running, enough: impl Fn(usize) -> bool) -> usize {
        let mut accepted = 0;
        while !enough(accepted) {
            let Some(Ok(line)) = child.heard.next() else {
                break;
            };
            // Whatever else the test harness prints begins otherwise.
            if !line.starts_with('{') && line != "\"Done\"" {
                continue;
            }
            let Ok(said) = serde_json::from_str::<Said>(&line) else {
                continue;
            };
            accepted += usize::from(matches!(said, Said::Accepted { .. }));
            self.hear(said);
        }
        accepted
    }

    fn hear(&mut self, said: Said) {
        let asked = &self.asked;
        let scope = |number| ScopeId::parse(&asked[&number].scope).expect("recipes name scopes");
        if let Some((number, answer)) = said.answered(scope) {
            let internal = answer
                .as_ref()
                .is_err_and(|failure| failure.reason() == Reason::Internal);
            assert!(!internal, "{answer:?} to {:?}", self.asked[&number]);
            self.history.answered(&self.asked[&number], &answer);
            self.open.remove(&number);
        } else if let Said::Asks(recipe) = said {
            self.history.asked(&recipe);
            self.open.insert(recipe.number, recipe.clone());
            self.asked.insert(recipe.number, recipe);
        }
    }

    /// Hears the rest of what a child said before it was killed, and makes sure that it was.
    fn bury(&mut self, mut child: Running) {
        self.listen(&mut child, |_| false);
        let status = child.process.wait().expect("the child has ended");
        assert_eq!(
            status.signal(),
            Some(9),
            "the child ended otherwise: {status}"
        );
        for recipe in self.open.values() {
            let unknown = Refusal::new(Reason::StoreUnavailable, "killed");
            self.history.answered(recipe, &Err(Failure(unknown)));
        }
    }

    /// Lets the child end what it does, and end itself.
    fn dismiss(&mut self, mut child: Running) {
        drop(child.orders.take());
        self.listen(&mut child, |_| false);
        let status = child.process.wait().expect("the child has ended");
        assert!(status.success(), "{status}");
    }

    async fn check(&self) -> Figures {
        let store = entente::store::open(&self.url)
            .await
            .expect("the database opens");
        let figures = self.history.check(store.as_ref()).await;
        store.close().await;
        figures
    }

    /// The `round`th kill: at the points in turn, every other time at any moment.
    fn kill_once(&mut self, round: usize) {
        if round.is_multiple_of(2) {
            let point = Point::ALL[round / 2 % Point::ALL.len()];
            let times = self.rng.random_range(15..70);
            let child = self.start(Some((point, times)));
            self.bury(child);
        } else {
            let after = self.rng.random_range(0..100);
            let pause = Duration::from_micros(self.rng.random_range(0..3_000));
            let mut child = self.start(None);
            self.listen(&mut child, |accepted| accepted >= after);
            std::thread::sleep(pause);
            child.process.kill().expect("the child can be killed");
            self.bury(child);
        }
    }
}

#[tokio::test]
async fn sqlite_survives_kills() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/entente.db", folder.path().display());
    entente::store::migrate(&url).await.unwrap();
    let mut parent = Parent::new(url);
    let mut figures = Figures::default();
    for round in 0..KILLS {
        parent.kill_once(round);
        figures = parent.check().await;
    }
    println!("{KILLS} kills: {figures:?}");
    assert!(
        figures.accepted > KILLS * 10,
        "too little happened: {figures:?}"
    );
}

#[tokio::test]
async fn postgres_survives_kills() {
    let cluster = Cluster::start();
    let mut parent = Parent::new(cluster.create_database().await);
    let mut figures = Figures::default();
    for round in 0..KILLS {
        parent.kill_once(round);
        wait_until_alone(&parent.url).await;
        figures = parent.check().await;
    }
    println!("{KILLS} kills: {figures:?}");
    assert!(
        figures.accepted > KILLS * 10,
        "too little happened: {figures:?}"
    );
}

#[tokio::test]
async fn a_ledger_outlives_a_crash_of_postgres() {
    let cluster = Cluster::start();
    let mut parent = Parent::new(cluster.create_database().await);
    let mut child = parent.start(None);
    for _ in 0..STOPS {
        let accepted = parent.listen(&mut child, |accepted| accepted >= ACCEPTED_BETWEEN_STOPS);
        assert!(accepted >= ACCEPTED_BETWEEN_STOPS, "the child ended");
        cluster.stop_immediate();
        std::thread::sleep(Duration::from_millis(parent.rng.random_range(0..1_500)));
        cluster.start_again();
    }
    let accepted = parent.listen(&mut child, |accepted| accepted >= ACCEPTED_BETWEEN_STOPS);
    assert!(
        accepted >= ACCEPTED_BETWEEN_STOPS,
        "the ledger did not come back"
    );
    parent.dismiss(child);
    let figures = parent.check().await;
    println!("{STOPS} stops: {figures:?}");
}

/// Waits until the server has noticed that the killed process is gone: what it had sent is carried
/// out until then.
async fn wait_until_alone(url: &str) {
    const OTHERS: &str = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let mut connection = PgConnection::connect(url).await.unwrap();
    loop {
        let others: i64 = sqlx::query_scalar(OTHERS)
            .fetch_one(&mut connection)
            .await
            .unwrap();
        if others == 0 {
            return connection.close().await.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
