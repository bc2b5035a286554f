//! Posts journal entries to where firms subscribed them.
//!
//! Every replica looks for journals that have more than was posted, and takes up a few at a time. A row
//! for each subscription and journal says how far posting has come; whoever posts has pushed its due time
//! ahead for so long, and a row is only ever changed from the version that was read. So two replicas
//! never post the same journal to the same subscription at once, and what a replica that died had begun
//! is taken up by another. Entries are posted at least once; a few may come twice after a crash.

mod letters;
mod post;
mod stream;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::target;
use crate::api::sla::SlaService;
use crate::api::status::ApiError;
use crate::api::webhook::TargetRule;
use crate::api::webhook::outbound;
use crate::api::{Api, Found};
use crate::domain::identity::ScopeId;
use crate::domain::journal::Head;
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::subscription::Subscription;
use crate::domain::time::{Span, Timestamp};
use crate::ledger::measure::Stopwatch;
use crate::store::StoreError;
use crate::store::deliveries::{DeadLetterRow, Deliveries, DeliveryRow, ROWS_MAX, SubscriptionRow};

/// How long a replica rests between looks, at least.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// A look takes at most one part of so many of the time.
const REST_FACTOR: u32 = 9;
/// Rows read at a time.
const ROWS_TOGETHER: usize = 1_000;
/// Most journals that one replica posts at a time.
const AT_ONCE_MAX: usize = 64;
/// Most of them for one firm, so that slow targets of one hold up nobody else's.
const AT_ONCE_PER_FIRM_MAX: usize = 4;
/// How often it is looked which partnerships a firm has come into.
const SOURCES_EVERY: Span = Span::from_seconds(5);
/// How long posts under way may take to end when the server stops.
const STOP_WITHIN: Duration = Duration::from_secs(12);
/// Posts by outcome.
const POSTS: &str = "entente_deliveries_total";
/// Seconds from the recording of an entry to the post that was taken.
const LAG: &str = "entente_delivery_lag_seconds";
/// Journals with entries that are not posted yet.
const BEHIND: &str = "entente_deliveries_behind";

/// Says what is measured.
pub fn describe() {
    describe_counter!(POSTS, "Posts of entries to subscriptions, by outcome");
    describe_histogram!(
        LAG,
        Unit::Seconds,
        "Seconds from an entry's recording until its post was taken"
    );
    describe_gauge!(BEHIND, "Journals with entries that are not posted yet");
}

/// Posts entries.
pub struct Deliverer {
    api: Arc<Api>,
    tickets: SlaService,
    client: reqwest::Client,
    rule: TargetRule,
    /// When the sources of subscriptions were looked at last.
    sources_seen: Mutex<HashMap<SubscriptionRow, Timestamp>>,
    stop: CancellationToken,
}

impl std::fmt::Debug for Deliverer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Deliverer").finish_non_exhaustive()
    }
}

/// Something to post.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Job {
    /// New entries of a journal.
    Entries(DeliveryRow),
    /// An entry that was given up, and is to be tried once more.
    Letter(DeadLetterRow),
}

/// What tells a job from others.
type JobKey = (ScopeId, String, ScopeId, Option<u64>);

impl Job {
    fn firm(&self) -> &ScopeId {
        match self {
            Self::Entries(row) => &row.scope,
            Self::Letter(row) => &row.scope,
        }
    }

    fn key(&self) -> JobKey {
        let key = |scope: &ScopeId, subscription: &str, source: &ScopeId, sequence| {
            let (scope, source) = (scope.clone(), source.clone());
            (scope, subscription.to_owned(), source, sequence)
        };
        match self {
            Self::Entries(row) => key(&row.scope, &row.subscription, &row.source, None),
            Self::Letter(row) => {
                let sequence = Some(row.sequence);
                key(&row.scope, &row.subscription, &row.source, sequence)
            }
        }
    }
}

/// Which jobs are under way, and for whom.
#[derive(Debug, Default)]
struct UnderWay {
    jobs: HashSet<JobKey>,
    by_firm: HashMap<ScopeId, usize>,
}

impl UnderWay {
    /// Takes a job up, unless it is, or too many are.
    fn begin(&mut self, job: &Job) -> bool {
        let of_firm = self.by_firm.entry(job.firm().clone()).or_default();
        if self.jobs.len() >= AT_ONCE_MAX || *of_firm >= AT_ONCE_PER_FIRM_MAX {
            return false;
        }
        let is_new = self.jobs.insert(job.key());
        *of_firm += usize::from(is_new);
        is_new
    }

    fn end(&mut self, key: &JobKey) {
        self.jobs.remove(key);
        if let Some(of_firm) = self.by_firm.get_mut(&key.0) {
            *of_firm = of_firm.saturating_sub(1);
        }
        self.by_firm.retain(|_, number| *number > 0);
    }
}

impl Deliverer {
    /// A deliverer over what the services share.
    ///
    /// # Errors
    /// If there can be no client, for example because the machine trusts no certificates.
    pub fn new(
        api: Arc<Api>,
        private_targets: bool,
        stop: CancellationToken,
    ) -> Result<Self, reqwest::Error> {
        let look_up = Arc::new(target::SystemLookUp);
        Ok(Self {
            tickets: SlaService::new(Arc::clone(&api)),
            api,
            client: target::client(look_up, private_targets)?,
            rule: target::rule(private_targets),
            sources_seen: Mutex::default(),
            stop,
        })
    }

    fn now(&self) -> Timestamp {
        self.api.now()
    }

    fn store(&self) -> Result<&dyn Deliveries, ApiError> {
        let missing = || Refusal::new(Reason::Internal, "the store keeps no deliveries");
        Ok(self.api.ledger.store().deliveries().ok_or_else(missing)?)
    }

    /// Posts until stopped. Posts that are under way then are waited for.
    pub async fn run(self) {
        let deliverer = Arc::new(self);
        let mut tasks = JoinSet::new();
        let mut under_way = UnderWay::default();
        let mut next_look = Box::pin(tokio::time::sleep(Duration::ZERO));
        loop {
            tokio::select! {
                () = deliverer.stop.cancelled() => break,
                Some(done) = tasks.join_next() => {
                    if let Ok(key) = done {
                        under_way.end(&key);
                    }
                }
                () = &mut next_look => {
                    let stopwatch = Stopwatch::begin();
                    for job in deliverer.jobs_or_none().await {
                        if under_way.begin(&job) {
                            tasks.spawn(Arc::clone(&deliverer).carry_out(job));
                        }
                    }
                    let look = Duration::try_from_secs_f64(stopwatch.seconds());
                    let rest = look.unwrap_or_default().saturating_mul(REST_FACTOR);
                    next_look = Box::pin(tokio::time::sleep(rest.max(LOOK_EVERY)));
                }
            }
        }
        let ended = async { while tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(STOP_WITHIN, ended).await.is_err() {
            tracing::warn!("posts did not end in time; another replica takes them up");
        }
    }

    /// Looks once, and waits until what was found has been tried once; how much that was.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn deliver_once(self: &Arc<Self>) -> Result<usize, ApiError> {
        let jobs = self.jobs().await?;
        let found = jobs.len();
        let mut tasks = JoinSet::new();
        for job in jobs {
            tasks.spawn(Arc::clone(self).carry_out(job));
        }
        while tasks.join_next().await.is_some() {}
        Ok(found)
    }

    async fn jobs_or_none(&self) -> Vec<Job> {
        // A failure here is a failure of the database; the next look tries again.
        self.jobs().await.unwrap_or_else(|error| {
            tracing::warn!(refusal = ?error.0, "deliveries could not be looked for");
            Vec::new()
        })
    }

    /// What could be posted now, the journals first.
    async fn jobs(&self) -> Result<Vec<Job>, ApiError> {
        let store = self.store()?;
        let active = self.active_subscriptions(store).await?;
        self.note_sources(store, &active).await?;
        let active: HashSet<(&ScopeId, &str)> = active
            .iter()
            .map(|row| (&row.scope, row.id.as_str()))
            .collect();
        let mut jobs = Vec::new();
        let mut after = [String::new(), String::new(), String::new()];
        let now = self.now();
        let mut behind = 0_u32;
        loop {
            let from = [after[0].as_str(), after[1].as_str(), after[2].as_str()];
            let mut rows = store.deliveries(from, ROWS_TOGETHER).await?;
            let is_last = rows.len() < ROWS_TOGETHER;
            if let Some(last) = rows.last() {
                let (scope, source) = (last.scope.to_string(), last.source.to_string());
                after = [scope, last.subscription.clone(), source];
            }
            rows.retain(|row| active.contains(&(&row.scope, row.subscription.as_str())));
            let heads = self.heads(&rows).await?;
            rows.retain(|row| {
                let head = heads.get(&row.source);
                head.is_some_and(|head| head.sequence > row.sequence)
            });
            behind = behind.saturating_add(u32::try_from(rows.len()).unwrap_or(u32::MAX));
            let due = rows.into_iter().filter(|row| row.due_at <= now);
            jobs.extend(due.map(Job::Entries));
            if is_last {
                break;
            }
        }
        gauge!(BEHIND).set(f64::from(behind));
        let letters = store.due_dead_letters(now, ROWS_TOGETHER).await?;
        let letters = letters
            .into_iter()
            .filter(|row| active.contains(&(&row.scope, row.subscription.as_str())));
        jobs.extend(letters.map(Job::Letter));
        Ok(jobs)
    }

    async fn active_subscriptions(
        &self,
        store: &dyn Deliveries,
    ) -> Result<Vec<SubscriptionRow>, StoreError> {
        let mut all: Vec<SubscriptionRow> = Vec::new();
        let mut after = [String::new(), String::new()];
        loop {
            let from = [after[0].as_str(), after[1].as_str()];
            let rows = store.subscriptions(from, ROWS_TOGETHER).await?;
            let is_last = rows.len() < ROWS_TOGETHER;
            if let Some(last) = rows.last() {
                after = [last.scope.to_string(), last.id.clone()];
            }
            all.extend(rows.into_iter().filter(|row| row.state == "active"));
            if is_last || all.len() >= ROWS_MAX {
                return Ok(all);
            }
        }
    }

    async fn heads(&self, rows: &[DeliveryRow]) -> Result<HashMap<ScopeId, Head>, StoreError> {
        let mut sources: Vec<ScopeId> = rows.iter().map(|row| row.source.clone()).collect();
        sources.sort_unstable();
        sources.dedup();
        if sources.is_empty() {
            return Ok(HashMap::new());
        }
        let heads = self.api.ledger.store().heads(&sources).await?;
        Ok(heads
            .into_iter()
            .map(|head| (head.scope.clone(), head))
            .collect())
    }

    /// Makes a row for every journal of every subscription that has none yet.
    async fn note_sources(
        &self,
        store: &dyn Deliveries,
        active: &[SubscriptionRow],
    ) -> Result<(), ApiError> {
        let now = self.now();
        for row in active {
            if !self.is_time_for_sources(row, now) {
                continue;
            }
            let Some(found) = outbound::active(&self.api, &row.scope, &row.id).await? else {
                continue;
            };
            let sources = outbound::sources(&self.api, &row.scope, &found.state).await?;
            let known = self.known_sources(store, row).await?;
            for source in sources {
                if !known.contains(&source) {
                    let begin = self.beginning(row, &found, source, now).await?;
                    store.create_delivery(&begin).await?;
                }
            }
            let mut seen = self.seen();
            if seen.len() >= ROWS_MAX {
                seen.clear();
            }
            seen.insert(row.clone(), now);
        }
        Ok(())
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, HashMap<SubscriptionRow, Timestamp>> {
        self.sources_seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn is_time_for_sources(&self, row: &SubscriptionRow, now: Timestamp) -> bool {
        let seen = self.seen();
        let last = seen.get(row);
        last.is_none_or(|last| now < *last || now.since(*last) >= SOURCES_EVERY)
    }

    async fn known_sources(
        &self,
        store: &dyn Deliveries,
        row: &SubscriptionRow,
    ) -> Result<HashSet<ScopeId>, StoreError> {
        let mut known = HashSet::new();
        let mut after = String::new();
        loop {
            let from = [row.scope.as_str(), row.id.as_str(), after.as_str()];
            let rows = store.deliveries(from, ROWS_TOGETHER).await?;
            let own =
                |found: &&DeliveryRow| found.scope == row.scope && found.subscription == row.id;
            let before = known.len();
            known.extend(rows.iter().filter(own).map(|found| found.source.clone()));
            match rows.iter().rfind(own) {
                Some(last) if known.len() - before == ROWS_TOGETHER => {
                    after = last.source.to_string();
                }
                _ => return Ok(known),
            }
        }
    }

    /// Where the posting of a journal begins: after the last entry that was recorded before the
    /// subscription was made. Times never go back within a journal.
    async fn beginning(
        &self,
        row: &SubscriptionRow,
        found: &Found<Subscription>,
        source: ScopeId,
        now: Timestamp,
    ) -> Result<DeliveryRow, StoreError> {
        let store = self.api.ledger.store();
        let heads = store.heads(std::slice::from_ref(&source)).await?;
        let (mut before, mut last) = (0, heads.first().map_or(0, |head| head.sequence));
        while before < last {
            let middle = last - (last - before) / 2;
            let entries = store.entries(&source, middle - 1, 1).await?;
            let is_before = entries
                .first()
                .is_some_and(|entry| entry.recorded_at < found.state.created_at);
            if is_before {
                before = middle;
            } else {
                last = middle - 1;
            }
        }
        Ok(DeliveryRow {
            scope: row.scope.clone(),
            subscription: row.id.clone(),
            source,
            sequence: before,
            attempts: 0,
            due_at: now,
            failing_since: None,
            last_error: String::new(),
            version: 1,
        })
    }

    /// Tries a job, and says which it was.
    async fn carry_out(self: Arc<Self>, job: Job) -> JobKey {
        let key = job.key();
        let done = match job {
            Job::Entries(row) => self.post_entries(row).await,
            Job::Letter(row) => self.post_letter(row).await,
        };
        if let Err(error) = done {
            // It stays due: whoever looks next, once the time of this attempt is over, tries again.
            tracing::warn!(refusal = ?error.0, "a delivery failed here");
        }
        key
    }
}

/// Counts a post.
fn count(outcome: &'static str) {
    counter!(POSTS, "outcome" => outcome).increment(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(firm: usize, source: usize) -> Job {
        Job::Entries(DeliveryRow {
            scope: ScopeId::parse(&format!("firms/f{firm}")).unwrap(),
            subscription: "s".to_owned(),
            source: ScopeId::partnership(&format!("p{source}")),
            sequence: 0,
            attempts: 0,
            due_at: Timestamp::EARLIEST,
            failing_since: None,
            last_error: String::new(),
            version: 1,
        })
    }

    #[test]
    fn a_firm_has_only_a_few_places() {
        let mut under_way = UnderWay::default();
        assert!(under_way.begin(&job(1, 1)));
        assert!(!under_way.begin(&job(1, 1)), "it is under way");
        let begun = (2..100).filter(|source| under_way.begin(&job(1, *source)));
        assert_eq!(begun.count(), AT_ONCE_PER_FIRM_MAX - 1);
        assert!(under_way.begin(&job(2, 1)));
        under_way.end(&job(1, 1).key());
        assert!(under_way.begin(&job(1, 50)));
        let all = (3..200).filter(|firm| under_way.begin(&job(*firm, 1)));
        assert_eq!(all.count(), AT_ONCE_MAX - AT_ONCE_PER_FIRM_MAX - 1);
    }
}
