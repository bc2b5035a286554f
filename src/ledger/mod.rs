//! The ledger runs commands.
//!
//! It does not act on each request by itself: one writer takes whatever is waiting, decides all of
//! it in memory, writes all of it in one transaction, and then answers. See [`batch`] for what
//! happens within a batch and [`writer`] for what happens when the database fails.

pub mod batch;
pub mod checkpoint;
pub mod closing;
mod command;
pub mod doctor;
pub mod formats;
pub mod history;
pub mod measure;
pub mod preview;
pub mod queue;
pub mod refresh;
pub mod restoration;
pub mod rows;
pub mod sweep;
pub mod token;
pub mod verify;
pub mod watch;
pub mod writer;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::oneshot;

use crate::domain::command::Command;
use crate::domain::format::Format;
use crate::domain::identity::ScopeId;
use crate::domain::journal::Hash;
use crate::domain::record::{Kind, RecordKey};
use crate::domain::refusal::{Reason, Refusal};
use crate::domain::sla::cache::CalendarCache;
use crate::domain::time::{Span, Timestamp};
use crate::store::Store;
use queue::{Pending, Queue, Urgency};
use watch::WatchHub;

/// How long the outcome of a request is remembered, so that a retry has the same one.
pub const REQUESTS_KEPT_FOR: Span = Span::from_hours(7 * 24);
/// Most commands of one batch, unless configured otherwise.
pub const BATCH_COMMANDS_MAX: usize = 512;

/// Tells the time. Only the server has one that reads the wall clock.
pub trait Clock: Send + Sync {
    /// The present instant.
    fn now(&self) -> Timestamp;
}

/// Gives random bytes. Only the server has one that asks the operating system.
pub trait Randomness: Send + Sync {
    /// Fills `bytes`.
    fn fill(&self, bytes: &mut [u8]);
}

/// Where an accepted command stands in the journal, and what it was about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The chain.
    pub scope: ScopeId,
    /// Sequence of the command's last entry, or of the last entry before it if it changed nothing.
    pub sequence: u64,
    /// Hash of that entry.
    pub hash: Hash,
    /// What the record is that the command was about.
    pub kind: Kind,
    /// Which record.
    pub id: String,
    /// What the caller is told beside the record.
    pub note: String,
    /// Whether the request had been carried out before.
    pub replayed: bool,
    /// Work that the command left for other scopes.
    pub carries: Vec<String>,
}

impl Receipt {
    /// Key of the record that the command was about.
    #[must_use]
    pub fn key(&self) -> RecordKey {
        RecordKey::new(&self.scope, self.kind, self.id.as_str())
    }
}

/// Why a command was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Failure(pub Refusal);

impl Failure {
    /// A failure with a message and no further detail.
    #[must_use]
    pub fn refused(reason: Reason, message: &str) -> Self {
        Self(Refusal::new(reason, message))
    }

    /// The typed reason.
    #[must_use]
    pub fn reason(&self) -> Reason {
        self.0.reason
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self(refusal)
    }
}

/// How a ledger is set up.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Most commands of one batch; 1 turns group commit off.
    pub batch_commands_max: usize,
    /// How many batches may be under way at the same time; `None` for what the database likes best.
    pub writers: Option<usize>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            batch_commands_max: BATCH_COMMANDS_MAX,
            writers: None,
        }
    }
}

/// A handle on the ledger; clones share it.
#[derive(Clone)]
pub struct Ledger {
    inner: Arc<Inner>,
}

struct Inner {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    queue: Queue,
    calendars: Arc<CalendarCache>,
    watch: Arc<WatchHub>,
    settings: Settings,
    /// Number of the active format, as far as this replica knows.
    format: AtomicU32,
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Ledger")
            .field("engine", &self.inner.store.engine())
            .finish_non_exhaustive()
    }
}

impl Ledger {
    /// Starts the writers. They end after [`Self::close`], when what waited has been answered.
    #[must_use]
    pub fn start(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        settings: Settings,
    ) -> (Self, tokio::task::JoinHandle<()>) {
        let writers = settings.writers.unwrap_or_else(|| store.batches_at_once());
        let ledger = Self {
            inner: Arc::new(Inner {
                store,
                clock,
                queue: Queue::new(writers),
                calendars: Arc::new(CalendarCache::default()),
                watch: Arc::new(WatchHub::default()),
                settings,
                format: AtomicU32::new(Format::FIRST.number()),
            }),
        };
        let writers: Vec<_> = (0..ledger.inner.queue.lanes())
            .map(|lane| tokio::spawn(writer::run(ledger.clone(), lane)))
            .collect();
        let ended = tokio::spawn(async move {
            for writer in writers {
                if let Err(error) = writer.await {
                    tracing::error!(%error, "a writer ended");
                }
            }
        });
        (ledger, ended)
    }

    /// The database.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.inner.store
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.inner.clock
    }

    /// The active format, as far as this replica knows: others may have begun to write a newer one a
    /// moment ago, which this one can read, or it would have been told to stop.
    #[must_use]
    pub fn format(&self) -> Format {
        Format::numbered(self.inner.format.load(Ordering::Relaxed))
    }

    /// Compiled calendars, shared with readers.
    #[must_use]
    pub fn calendars(&self) -> &Arc<CalendarCache> {
        &self.inner.calendars
    }

    /// Who waits for new entries.
    #[must_use]
    pub fn watch(&self) -> &Arc<WatchHub> {
        &self.inner.watch
    }

    /// Runs a command to its end: when this returns a receipt, the change is durable, and work that
    /// it left for other scopes has been carried there if they could be reached.
    ///
    /// # Errors
    /// The refusal, or [`Reason::StoreUnavailable`] if the outcome could not be learned; a retry
    /// with the same request id is safe.
    pub async fn submit(
        &self,
        command: Command,
        deadline: Option<Timestamp>,
        urgency: Urgency,
    ) -> Result<Receipt, Failure> {
        let receipt = self.submit_alone(command, deadline, urgency).await?;
        for carry in &receipt.carries {
            // What fails here is found and finished by the sweeper.
            let key = RecordKey::new(&receipt.scope, Kind::Carry, carry.as_str());
            if let Err(failure) = sweep::carry(self, &key).await {
                tracing::debug!(%failure, carry, "left for the sweeper");
            }
        }
        Ok(receipt)
    }

    /// As [`Self::submit`], leaving work for other scopes to the sweeper.
    ///
    /// # Errors
    /// As [`Self::submit`].
    pub async fn submit_alone(
        &self,
        command: Command,
        deadline: Option<Timestamp>,
        urgency: Urgency,
    ) -> Result<Receipt, Failure> {
        let (reply, answer) = oneshot::channel();
        self.inner.queue.push(Pending {
            command,
            deadline,
            urgency,
            deferrals: 0,
            in_doubt: false,
            reply,
        })?;
        answer.await.unwrap_or_else(|_| {
            Err(Failure::refused(
                Reason::StoreUnavailable,
                "the writer has ended",
            ))
        })
    }

    /// Puts several commands in line at once, in order, and waits for all answers.
    pub async fn submit_all(
        &self,
        commands: Vec<Command>,
        deadline: Option<Timestamp>,
        urgency: Urgency,
    ) -> Vec<Result<Receipt, Failure>> {
        let mut answers = Vec::with_capacity(commands.len());
        for command in commands {
            let (reply, answer) = oneshot::channel();
            let pushed = self.inner.queue.push(Pending {
                command,
                deadline,
                urgency,
                deferrals: 0,
                in_doubt: false,
                reply,
            });
            answers.push(pushed.map(|()| answer));
        }
        let mut outcomes = Vec::with_capacity(answers.len());
        for answer in answers {
            outcomes.push(match answer {
                Err(failure) => Err(failure),
                Ok(answer) => answer.await.unwrap_or_else(|_| {
                    Err(Failure::refused(
                        Reason::StoreUnavailable,
                        "the writer has ended",
                    ))
                }),
            });
        }
        outcomes
    }

    /// How many commands wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.inner.queue.len()
    }

    /// Takes no more commands; what waits is still carried out and answered.
    pub fn close(&self) {
        self.inner.queue.close();
    }
}
