//! Who waits for new entries, and how they learn of them.
//!
//! One poller per replica looks at the heads being watched; writes of this replica wake their
//! watchers at once. What travels is only "there is something after sequence n": watchers read the
//! entries themselves, at their own pace.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::Ledger;
use crate::domain::identity::ScopeId;
use crate::domain::journal::Head;

/// How long another replica's write may go unnoticed.
pub const POLL_EVERY: Duration = Duration::from_millis(250);

/// Scopes being watched, with the last sequence known of each.
#[derive(Debug, Default)]
pub struct WatchHub {
    scopes: Mutex<HashMap<ScopeId, watch::Sender<u64>>>,
    closed: CancellationToken,
}

impl WatchHub {
    fn scopes(&self) -> std::sync::MutexGuard<'_, HashMap<ScopeId, watch::Sender<u64>>> {
        self.scopes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts watching a scope: the receiver changes whenever its sequence does.
    #[must_use]
    pub fn subscribe(&self, scope: &ScopeId) -> watch::Receiver<u64> {
        let mut scopes = self.scopes();
        scopes
            .entry(scope.clone())
            .or_insert_with(|| watch::Sender::new(0))
            .subscribe()
    }

    /// Tells watchers where heads are now.
    pub fn advanced(&self, heads: &[Head]) {
        let scopes = self.scopes();
        for head in heads {
            if let Some(sender) = scopes.get(&head.scope) {
                sender.send_if_modified(|last| {
                    std::mem::replace(last, head.sequence.max(*last)) < head.sequence
                });
            }
        }
    }

    /// Ends all watching: a server that stops must not wait for streams that never end by themselves.
    pub fn close(&self) {
        self.closed.cancel();
    }

    /// Cancelled when watching ends.
    #[must_use]
    pub fn closed(&self) -> CancellationToken {
        self.closed.clone()
    }

    /// Scopes that somebody watches; those that nobody watches any more are forgotten.
    fn watched(&self) -> Vec<ScopeId> {
        let mut scopes = self.scopes();
        scopes.retain(|_, sender| sender.receiver_count() > 0);
        scopes.keys().cloned().collect()
    }
}

/// Polls until cancelled.
pub async fn run(ledger: Ledger, stop: CancellationToken) {
    let hub = Arc::clone(ledger.watch());
    loop {
        tokio::select! {
            () = stop.cancelled() => {
                hub.close();
                return;
            }
            () = tokio::time::sleep(POLL_EVERY) => {}
        }
        let watched = hub.watched();
        if watched.is_empty() {
            continue;
        }
        match ledger.store().heads(&watched).await {
            Ok(heads) => hub.advanced(&heads),
            Err(error) => tracing::warn!(%error, "heads could not be read"),
        }
    }
}
