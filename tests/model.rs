//! The same commands, one history, three engines: `SQLite`, `PostgreSQL` and the reference model in
//! memory must give the same answers, hold the same rows and end in the same hashes, whether the
//! ledger takes commands one by one or many together.
//!
//! `ENTENTE_SEED=n` repeats one history.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

#[path = "support"]
pub mod support {
    //! What several test binaries need.
    pub mod clocks;
    pub mod dump;
    pub mod history;
    pub mod memory_store;
    pub mod postgres;
    pub mod replay;
    pub mod workload;
}

use std::collections::BTreeSet;
use std::sync::Arc;

use entente::domain::record::Kind;
use entente::domain::refusal::Reason;
use entente::domain::time::Span;
use entente::ledger::queue::Urgency;
use entente::ledger::sweep::{Swept, sweep_once};
use entente::ledger::{Clock, Failure, Ledger, REQUESTS_KEPT_FOR, Receipt, Settings};
use entente::store::{RequestKey, Store};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use support::clocks::ManualClock;
use support::dump::Dump;
use support::history::{Figures, History, request_key};
use support::memory_store::MemoryStore;
use support::workload::{Planner, Recipe, START};

/// Histories tried on every engine.
const SEEDS: u64 = 4;
/// Histories tried in memory only.
const SEEDS_IN_MEMORY: u64 = 12;
/// Steps of a history.
const STEPS: usize = 210;
/// Kinds of which some record must come about.
const DAILY_KINDS: [Kind; 9] = [
    Kind::Agreement,
    Kind::Claim,
    Kind::Contact,
    Kind::Expectation,
    Kind::Need,
    Kind::Notice,
    Kind::Opportunity,
    Kind::Progress,
    Kind::Update,
];
/// Fewest entries of an eventful run.
const ENTRIES_MIN: usize = 150;

/// What happens next.
#[derive(Clone, Debug)]
enum Step {
    /// Commands that stand in line at once.
    Commands(Vec<Recipe>),
    /// Time passes.
    Pass(Span),
    /// The sweeper looks.
    Sweep,
    /// Requests that expired are forgotten.
    Purge,
}

/// What came of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    Answers(Vec<Result<Receipt, Failure>>),
    Passed,
    Swept(Swept),
    Purged(u64),
}

/// A ledger over some engine, and all that happened to it.
struct House {
    store: Arc<dyn Store>,
    clock: ManualClock,
    ledger: Ledger,
    outcomes: Vec<Outcome>,
    history: History,
    requests: Vec<RequestKey>,
}

impl House {
    fn new(store: Arc<dyn Store>, batch_commands_max: usize) -> Self {
        let clock = ManualClock::new(START);
        let settings = Settings {
            batch_commands_max,
            // With more, what the service does by itself may come in between in another order.
            writers: Some(1),
        };
        let (ledger, _) = Ledger::start(Arc::clone(&store), Arc::new(clock.clone()), settings);
        let history = History::forgetful();
        Self {
            store,
            clock,
            ledger,
            outcomes: Vec::new(),
            history,
            requests: Vec::new(),
        }
    }

    async fn take(&mut self, step: &Step) {
        let outcome = match step {
            Step::Commands(recipes) => Outcome::Answers(self.send(recipes).await),
            Step::Pass(span) => {
                self.clock.advance(*span);
                Outcome::Passed
            }
            Step::Sweep => Outcome::Swept(sweep_once(&self.ledger).await.unwrap()),
            Step::Purge => Outcome::Purged(
                self.store
                    .purge_requests(self.clock.now(), 10)
                    .await
                    .unwrap(),
            ),
        };
        self.outcomes.push(outcome);
    }

    async fn send(&mut self, recipes: &[Recipe]) -> Vec<Result<Receipt, Failure>> {
        let commands: Vec<_> = recipes.iter().map(Recipe::command).collect();
        self.requests.extend(
            commands
                .iter()
                .filter(|command| command.firm.is_some())
                .map(request_key),
        );
        let answers = match commands.as_slice() {
            [command] => vec![
                self.ledger
                    .submit(command.clone(), None, Urgency::Interactive)
                    .await,
            ],
            _ => {
                self.ledger
                    .submit_all(commands, None, Urgency::Interactive)
                    .await
            }
        };
        for (recipe, answer) in recipes.iter().zip(&answers) {
            self.history.asked(recipe);
            self.history.answered(recipe, answer);
        }
        answers
    }

    async fn dump(&self) -> Dump {
        let mut requests = self.requests.clone();
        requests.sort_by(|left, right| {
            (&left.scope, &left.firm, &left.request_id).cmp(&(
                &right.scope,
                &right.firm,
                &right.request_id,
            ))
        });
        requests.dedup();
        Dump::of(self.store.as_ref(), &requests).await
    }
}

/// Lives through a new history in memory, and makes sure that a refusal changes nothing.
async fn invent(seed: u64) -> (Vec<Step>, House) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut planner = Planner::new(rng.random(), 0);
    let memory = MemoryStore::default();
    let mut house = House::new(Arc::new(memory.clone()), 512);
    let mut steps: Vec<Step> = planner
        .registrations(START)
        .into_iter()
        .map(|recipe| Step::Commands(vec![recipe]))
        .collect();
    for step in &steps {
        house.take(step).await;
    }
    let mut opening = 0;
    while steps.len() < STEPS {
        let now = house.clock.now();
        let step = match rng.random_range(0..20) {
            0 => Step::Pass(Span::from_micros(rng.random_range(0..5_000_000))),
            1 => Step::Pass(Span::from_minutes(rng.random_range(0..400))),
            2 => Step::Sweep,
            3 if rng.random_ratio(1, 20) => Step::Pass(REQUESTS_KEPT_FOR),
            4 if rng.random_ratio(1, 5) => Step::Purge,
            _ => {
                if let Some(recipe) = planner.opening(opening, &memory, now).await {
                    opening += 1;
                    Step::Commands(vec![recipe])
                } else {
                    let mut recipes = Vec::new();
                    for _ in 0..*[1, 1, 1, 2, 5, 12]
                        .get(rng.random_range(0..6))
                        .unwrap_or(&1)
                    {
                        recipes.push(planner.next(&memory, now).await);
                    }
                    Step::Commands(recipes)
                }
            }
        };
        let before = memory.tables();
        house.take(&step).await;
        if let Some(Outcome::Answers(answers)) = house.outcomes.last()
            && answers.iter().all(Result::is_err)
        {
            assert!(
                before == memory.tables(),
                "seed {seed}: a refusal changed something: {step:?} {answers:?}"
            );
        }
        steps.push(step);
    }
    (steps, house)
}

/// Lives through a known history on another engine, and compares.
async fn relive(
    seed: u64,
    steps: &[Step],
    expected: (&House, &Dump),
    store: Arc<dyn Store>,
    batch_commands_max: usize,
) {
    let mut house = House::new(store, batch_commands_max);
    let engine = house.store.engine();
    for (index, step) in steps.iter().enumerate() {
        house.take(step).await;
        let (outcome, expected) = (&house.outcomes[index], &expected.0.outcomes[index]);
        assert_eq!(
            outcome, expected,
            "seed {seed}, step {index} on {engine}: {step:?}"
        );
    }
    compare(
        &house.dump().await,
        expected.1,
        &format!("seed {seed} on {engine} in batches of {batch_commands_max}"),
    );
    house.history.check(house.store.as_ref()).await;
    house.ledger.close();
}

/// One table after the other, so that a difference can be read.
fn compare(found: &Dump, expected: &Dump, context: &str) {
    assert_eq!(found.heads, expected.heads, "{context}");
    assert_eq!(found.entries, expected.entries, "{context}");
    assert_eq!(found.records, expected.records, "{context}");
    assert_eq!(found.references, expected.references, "{context}");
    assert_eq!(found.openings, expected.openings, "{context}");
    assert_eq!(found.requests, expected.requests, "{context}");
    assert_eq!(found.due, expected.due, "{context}");
    assert!(
        found == expected,
        "{context}: histories, references anywhere, zones or credentials differ"
    );
}

fn seeds(most: u64) -> std::ops::Range<u64> {
    match std::env::var("ENTENTE_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
    {
        Some(seed) => seed..seed + 1,
        None => 0..most,
    }
}

/// Something of everything must have happened, or the comparison says little.
fn assert_eventful(house: &House, dump: &Dump, figures: Figures) {
    assert!(
        dump.entries.len() > ENTRIES_MIN,
        "too little happened: {}",
        dump.entries.len()
    );
    assert!(!dump.references.is_empty() && !dump.openings.is_empty() && !dump.zones.is_empty());
    assert!(figures.refused > 10, "too little was refused");
    let failed = |answer: &Result<Receipt, Failure>| {
        answer.as_ref().is_err_and(|failure| {
            matches!(
                failure.reason(),
                Reason::StoreUnavailable | Reason::Internal
            )
        })
    };
    let answers = house.outcomes.iter().filter_map(|outcome| match outcome {
        Outcome::Answers(answers) => Some(answers),
        _ => None,
    });
    let failed = answers.flatten().find(|answer| failed(answer));
    assert!(failed.is_none(), "nothing fails here: {failed:?}");
}

#[tokio::test]
async fn all_engines_agree() {
    let cluster = support::postgres::shared();
    let mut kinds = BTreeSet::new();
    for seed in seeds(SEEDS) {
        let (steps, house) = invent(seed).await;
        let dump = house.dump().await;
        kinds.extend(dump.records.iter().map(|row| row.key.kind.as_str()));
        let figures = house.history.check(house.store.as_ref()).await;
        assert_eventful(&house, &dump, figures);
        let expected = (&house, &dump);
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/entente.db", folder.path().display());
        entente::store::migrate(&url).await.unwrap();
        relive(
            seed,
            &steps,
            expected,
            entente::store::open(&url).await.unwrap(),
            512,
        )
        .await;
        let url = cluster.create_database().await;
        relive(
            seed,
            &steps,
            expected,
            entente::store::open(&url).await.unwrap(),
            512,
        )
        .await;
    }
    if seeds(SEEDS).count() > 1 {
        let all: BTreeSet<_> = DAILY_KINDS.map(Kind::as_str).into();
        assert!(
            kinds.is_superset(&all),
            "only of {kinds:?} something happened"
        );
    }
}

#[tokio::test]
async fn batches_of_any_size_agree() {
    for seed in seeds(SEEDS_IN_MEMORY) {
        let (steps, house) = invent(seed).await;
        let dump = house.dump().await;
        for batch_commands_max in [1, 2, 7] {
            relive(
                seed,
                &steps,
                (&house, &dump),
                Arc::new(MemoryStore::default()),
                batch_commands_max,
            )
            .await;
        }
    }
}
