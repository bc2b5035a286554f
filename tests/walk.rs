//! Random walks through the lives of a partnership, its expectations and its notices: sensible moves
//! and others, by those who may and those who may not. A second telling of the rules, small enough
//! to be read beside the contract, says beforehand what each move must be answered; both engines
//! must answer just that, and show the state that it tells.
//!
//! `ENTENTE_SEED=n` repeats one walk.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

#[path = "support"]
pub mod support {
    //! What several test binaries need.
    pub mod clocks;
    pub mod postgres;
}
mod walk {
    pub mod deeds;
    pub mod expectation;
    pub mod notice;
    pub mod partnership;
    pub mod rules;
}

use std::collections::BTreeMap;
use std::sync::Arc;

use entente::domain::command::{Action, Command};
use entente::domain::identity::{FirmId, ScopeId};
use entente::domain::record::{Kind, Record, RecordKey};
use entente::domain::refusal::Reason;
use entente::domain::time::{Span, Timestamp};
use entente::ledger::queue::Urgency;
use entente::ledger::rows::decode_row;
use entente::ledger::sweep::sweep_once;
use entente::ledger::{Clock, Ledger, Settings};
use entente::store::{ListQuery, Store};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

use support::clocks::ManualClock;
use walk::deeds::{self, Move, Who};
use walk::rules::Rules;

/// When every walk begins: 2026-03-02T08:00:00Z, a Monday.
const START: Timestamp = Timestamp::from_micros(1_772_438_400_000_000);
/// Walks on every engine.
const SEEDS: u64 = 12;
/// Moves of a walk.
const MOVES: usize = 600;
/// Moves that are tried once it is over.
const MOVES_AFTER_THE_END: usize = 60;
/// How often each answer must have been seen over all walks, so that a rule that is never tried is
/// noticed.
const SEEN_MIN: usize = 1;

/// A ledger, and the partnership walked through.
struct House {
    store: Arc<dyn Store>,
    clock: ManualClock,
    ledger: Ledger,
    scope: ScopeId,
    sent: u64,
}

impl House {
    /// Three firms, and a partnership that the first one began.
    async fn open(url: &str) -> Self {
        let store = entente::store::open(url).await.unwrap();
        let clock = ManualClock::new(START);
        let settings = Settings::default();
        let (ledger, _) = Ledger::start(Arc::clone(&store), Arc::new(clock.clone()), settings);
        let mut house = Self {
            store,
            clock,
            ledger,
            scope: FirmId::operator().scope(),
            sent: 0,
        };
        for action in deeds::registrations() {
            house.act(&FirmId::operator(), action).await.unwrap();
        }
        house.scope = Who::Acme.firm().scope();
        house
            .act(&Who::Acme.firm(), deeds::opening())
            .await
            .unwrap();
        sweep_once(&house.ledger).await.unwrap();
        let memberships = ListQuery {
            scope: house.scope.clone(),
            kind: Kind::Membership,
            state: None,
            after_id: String::new(),
            limit: 2,
        };
        let found = house.store.list_records(&memberships).await.unwrap();
        assert_eq!(found.len(), 1, "one partnership was begun");
        house.scope = ScopeId::partnership(&found[0].key.id);
        house
    }

    async fn act(&mut self, firm: &FirmId, action: Action) -> Result<(), Reason> {
        self.sent += 1;
        let command = Command {
            scope: self.scope.clone(),
            firm: Some(firm.clone()),
            actor: format!("key-of-{firm}"),
            origin: "walk".to_owned(),
            request_id: format!("request:{}", self.sent),
            digest: Sha256::digest(format!("{action:?}")).into(),
            expected_revision: None,
            action,
            openings: Vec::new(),
        };
        let answer = self
            .ledger
            .submit(command, None, Urgency::Interactive)
            .await;
        answer.map(|_| ()).map_err(|failure| failure.reason())
    }

    /// The state that a reader is shown; `None` if there is no such record.
    async fn shown(&self, kind: Kind, id: &str) -> Option<String> {
        let key = RecordKey::new(&self.scope, kind, id);
        let rows = self.store.records(&[key]).await.unwrap();
        let record = decode_row(rows.first()?).unwrap().record;
        let now = self.clock.now();
        let partnership = RecordKey::new(&self.scope, Kind::Partnership, self.scope.id());
        let rows = self.store.records(&[partnership]).await.unwrap();
        let Record::Partnership(partnership) = decode_row(rows.first()?).unwrap().record else {
            panic!("a partnership is one");
        };
        Some(match record {
            Record::Expectation(mut expectation) => {
                partnership.close(expectation.as_mut(), now);
                expectation.state_at(now).as_str().to_owned()
            }
            Record::Notice(mut notice) => {
                partnership.close(notice.as_mut(), now);
                notice.state.as_str().to_owned()
            }
            record => record.state().to_owned(),
        })
    }

    async fn last_sequence(&self) -> u64 {
        let heads = self.store.heads(std::slice::from_ref(&self.scope)).await;
        heads.unwrap().first().map_or(0, |head| head.sequence)
    }
}

/// How often each answer was given: by the deed, the state before it, and the answer.
type Seen = BTreeMap<(String, String), usize>;

/// One walk on one engine.
async fn walk_once(number: u64, url: &str, seen: &mut Seen) {
    let mut rng = ChaCha8Rng::seed_from_u64(number);
    let mut house = House::open(url).await;
    let engine = house.store.engine();
    let mut rules = Rules::new();
    let mut after_the_end = 0;
    for index in 0..MOVES {
        if rng.random_ratio(1, 10) {
            let minutes = *[1, 5, 30, 240, 1_500]
                .get(rng.random_range(0..5))
                .unwrap_or(&1);
            house.clock.advance(Span::from_minutes(minutes));
        }
        if rng.random_ratio(1, 12) {
            sweep_once(&house.ledger).await.unwrap();
        }
        let now = house.clock.now();
        let step = deeds::draw(&mut rng, &rules, now);
        let before = rules.state_of(&step, now);
        let expected = rules.take(&step, now);
        let action = step.action(&house.scope, now);
        let sequence = house.last_sequence().await;
        let answer = house.act(&step.who.firm(), action).await;
        let context = format!("seed {number}, move {index} on {engine}: {step:?} from {before}");
        assert_eq!(answer, expected, "{context}");
        if answer.is_err() {
            let after = house.last_sequence().await;
            assert_eq!(after, sequence, "{context}: a refusal was journalled");
        }
        compare(&house, &rules, &step, &context).await;
        let answer = answer.map_or_else(|reason| reason.as_str().to_owned(), |()| "ok".to_owned());
        let told = format!("{} from {before}", step.deed_name());
        *seen.entry((told, answer)).or_default() += 1;
        after_the_end += usize::from(rules.partnership.is_ended);
        if after_the_end == MOVES_AFTER_THE_END {
            break;
        }
    }
    house.ledger.close();
}

/// What the move was about is as the rules tell it, and so is the partnership.
async fn compare(house: &House, rules: &Rules, step: &Move, context: &str) {
    let now = house.clock.now();
    let shown = house.shown(Kind::Partnership, house.scope.id()).await;
    let told = Some(rules.partnership.state().to_owned());
    assert_eq!(shown, told, "{context}: the partnership");
    let Some((kind, id)) = step.record() else {
        return;
    };
    let shown = house.shown(kind, &id).await;
    assert_eq!(shown, rules.told(kind, &id, now), "{context}: {id}");
}

fn seeds() -> std::ops::Range<u64> {
    match std::env::var("ENTENTE_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
    {
        Some(seed) => seed..seed + 1,
        None => 0..SEEDS,
    }
}

/// Every rule was tried.
fn assert_thorough(seen: &Seen) {
    let mut rare = Vec::new();
    for (told, answer) in walk::rules::answers() {
        let count = seen
            .iter()
            .filter(|((deed, given), _)| deed.contains(told) && *given == answer)
            .map(|(_, count)| count)
            .sum::<usize>();
        if count < SEEN_MIN {
            rare.push(format!("{told} answered {answer}: {count} times"));
        }
    }
    let all: Vec<_> = seen
        .iter()
        .map(|(key, count)| format!("{key:?} {count}"))
        .collect();
    assert!(
        rare.is_empty(),
        "too seldom:\n{}\nof all:\n{}",
        rare.join("\n"),
        all.join("\n")
    );
}

#[tokio::test]
async fn sqlite_answers_as_the_rules_tell() {
    let mut seen = Seen::new();
    for seed in seeds() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/entente.db", folder.path().display());
        entente::store::migrate(&url).await.unwrap();
        walk_once(seed, &url, &mut seen).await;
    }
    if seeds().count() > 1 {
        assert_thorough(&seen);
    }
}

#[tokio::test]
async fn postgres_answers_as_the_rules_tell() {
    let cluster = support::postgres::shared();
    let mut seen = Seen::new();
    for seed in seeds() {
        let url = cluster.create_database().await;
        walk_once(seed, &url, &mut seen).await;
    }
    if seeds().count() > 1 {
        assert_thorough(&seen);
    }
}
