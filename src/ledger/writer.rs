//! A writer: a task that takes whatever waits, and what it does when the database fails.

use std::time::Duration;

use super::batch::{self, Outcome};
use super::queue::Pending;
use super::{Failure, Ledger};
use crate::domain::refusal::{Reason, Refusal};
use crate::store::StoreError;

/// How often a batch is run again after a passing failure.
const ATTEMPTS_MAX: u32 = 6;
/// Pause before the first further attempt; it doubles each time.
const RETRY_AFTER: Duration = Duration::from_millis(20);
/// After this many batches in which its scope was held elsewhere, a command waits for the lock.
const DEFERRALS_MAX: u32 = 16;
/// Pause when every scope of a batch was held elsewhere.
const HELD_ELSEWHERE_PAUSE: Duration = Duration::from_millis(1);
/// Exit code after a failure that leaves the state of the database file unknown.
const EXIT_COMMIT_FAILED: i32 = 74;

/// What a caller is told who has asked a replica that is older than what is stored.
const TOO_OLD: &str = "this replica is older than what is stored; another one can answer";

/// Serves a lane of the queue until it is closed and empty.
///
/// Each batch is a task of its own, so that a panic, which is always a fault of ours, ends the
/// batch and not the writer. Its transaction is rolled back, and its callers learn that the outcome
/// is unknown because their replies are dropped.
pub async fn run(ledger: Ledger, lane: usize) {
    while let Some(batch) = ledger
        .inner
        .queue
        .take(lane, ledger.inner.settings.batch_commands_max)
        .await
    {
        let ledger = ledger.clone();
        let ended = tokio::spawn(async move { run_batch(&ledger, batch).await }).await;
        if let Err(error) = ended {
            tracing::error!(%error, "a batch panicked");
        }
        // Callers that were just answered and have more to ask come first, and make a full batch.
        tokio::task::yield_now().await;
    }
}

/// Runs a batch until every command in it is answered or put back.
async fn run_batch(ledger: &Ledger, batch: Vec<Pending>) {
    let mut batch = drop_late(ledger, batch);
    let mut attempt = 0;
    while !batch.is_empty() {
        let patient = batch
            .iter()
            .any(|pending| pending.deferrals >= DEFERRALS_MAX);
        if patient && batch.len() > 1 {
            batch = keep_most_patient(ledger, batch);
        }
        let commands: Vec<_> = batch.iter().map(|pending| &pending.command).collect();
        match batch::run(ledger, &commands, patient).await {
            Ok(outcomes) => return answer(ledger, batch, outcomes).await,
            Err(StoreError::CommitUnknown(error))
                if ledger.inner.store.commit_failure_is_fatal() =>
            {
                tracing::error!(
                    error,
                    "a commit failed: nothing can be known about the database file"
                );
                std::process::exit(EXIT_COMMIT_FAILED);
            }
            Err(error @ (StoreError::Unavailable(_) | StoreError::CommitUnknown(_))) => {
                attempt += 1;
                let in_doubt = matches!(error, StoreError::CommitUnknown(_));
                for pending in &mut batch {
                    pending.in_doubt |= in_doubt;
                }
                tracing::warn!(%error, attempt, commands = batch.len(), "batch failed");
                if attempt >= ATTEMPTS_MAX {
                    return refuse(
                        batch,
                        Reason::StoreUnavailable,
                        "the database does not answer",
                    );
                }
                tokio::time::sleep(RETRY_AFTER * 2_u32.pow(attempt - 1)).await;
                batch = drop_late(ledger, batch);
            }
            Err(StoreError::Schema(error)) if batch.len() == 1 => {
                tracing::error!(error, "this replica is too old for what is stored");
                return refuse(batch, Reason::StoreUnavailable, TOO_OLD);
            }
            Err(error) if batch.len() == 1 => {
                tracing::error!(%error, "a command failed");
                return refuse(batch, Reason::Internal, "the command could not be stored");
            }
            Err(error) => {
                tracing::error!(%error, commands = batch.len(), "a batch failed; running its commands one by one");
                for pending in batch {
                    Box::pin(run_batch(ledger, vec![pending])).await;
                }
                return;
            }
        }
    }
}

/// Answers commands whose deadline has passed: nobody waits for them any more.
fn drop_late(ledger: &Ledger, batch: Vec<Pending>) -> Vec<Pending> {
    let now = ledger.inner.clock.now();
    let (late, kept): (Vec<_>, Vec<_>) = batch
        .into_iter()
        .partition(|pending| pending.deadline.is_some_and(|deadline| deadline < now));
    refuse(
        late,
        Reason::DeadlineExceeded,
        "the deadline passed before work began",
    );
    kept
}

/// Keeps the commands of the scope that has waited longest and puts the others back, so that a
/// wait for its lock holds up nobody else.
fn keep_most_patient(ledger: &Ledger, batch: Vec<Pending>) -> Vec<Pending> {
    let scope = batch
        .iter()
        .max_by_key(|pending| pending.deferrals)
        .map(|pending| pending.command.scope.clone());
    let (kept, others): (Vec<_>, Vec<_>) = batch
        .into_iter()
        .partition(|pending| Some(&pending.command.scope) == scope.as_ref());
    put_back(ledger, others);
    kept
}

/// Puts commands back so that they keep their order.
fn put_back(ledger: &Ledger, batch: Vec<Pending>) {
    for pending in batch.into_iter().rev() {
        ledger.inner.queue.put_back(pending);
    }
}

async fn answer(ledger: &Ledger, batch: Vec<Pending>, outcomes: Vec<Outcome>) {
    let mut held = Vec::new();
    let mut served = false;
    for (mut pending, outcome) in batch.into_iter().zip(outcomes) {
        match outcome {
            Outcome::Answered(answer) => {
                served = true;
                // A caller that went away does not need its answer.
                let _ = pending.reply.send(answer.map_err(Failure));
            }
            Outcome::HeldElsewhere => {
                pending.deferrals += 1;
                held.push(pending);
            }
        }
    }
    put_back(ledger, held);
    if !served {
        tokio::time::sleep(HELD_ELSEWHERE_PAUSE).await;
    }
}

/// Answers commands that nobody decided. One that may be stored already is not refused: its
/// outcome is unknown until it is sent again.
fn refuse(batch: Vec<Pending>, reason: Reason, message: &str) {
    for pending in batch {
        let refusal = if pending.in_doubt {
            Refusal::new(
                Reason::StoreUnavailable,
                "the answer of the database was lost",
            )
        } else {
            Refusal::new(reason, message)
        };
        let _ = pending.reply.send(Err(Failure(refusal)));
    }
}
