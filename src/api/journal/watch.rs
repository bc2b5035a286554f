//! `Watch`: one task per stream reads entries and hands them to the transport.
//!
//! The task reads no faster than the caller takes: what waits between them is bounded, and a
//! caller that takes nothing for a while is cut off. It may go on later from its last cursors.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::Instant;
use tokio_stream::wrappers::WatchStream;
use tokio_stream::{Stream, StreamExt, StreamMap};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use super::position::{Position, diverged};
use super::{authorise, scope_of, to_entry};
use crate::api::Api;
use crate::api::caller::Caller;
use crate::api::convert::to_timestamp;
use crate::api::sign_in::Evidence;
use crate::api::status::{ApiError, status};
use crate::domain::firm::Permission;
use crate::domain::identity::ScopeId;
use crate::domain::journal::GENESIS;
use crate::domain::refusal::{Reason, Refusal, Violations};
use crate::ledger::measure::{self, Watching};
use crate::proto::v1;
use crate::store::StoreError;

/// Most scopes of one stream.
pub const SCOPES_MAX: usize = 64;
/// Most streams at a time.
pub const STREAMS_MAX: usize = 1_024;
/// Entries read at a time.
const ENTRIES_AT_A_TIME: usize = 100;
/// Most answers that wait for a caller to take them.
const ANSWERS_WAITING_MAX: usize = 64;
/// How often a sign of life is sent, and how late a lost permission may end a silent stream.
const HEARTBEAT_EVERY: Duration = Duration::from_secs(10);
/// The entry after which a firm that left may read no more.
const PARTY_LEFT: &str = "partnership.party_left";
/// How long a caller may leave answers waiting before it is cut off.
const SEND_WITHIN: Duration = Duration::from_secs(30);

/// Counts the streams of this process.
static STREAMS: Semaphore = Semaphore::const_new(STREAMS_MAX);

/// The answers of one `Watch`.
#[derive(Debug)]
pub struct WatchAnswers {
    answers: mpsc::Receiver<v1::WatchResponse>,
    /// Why the stream ends, if not at the caller's wish; it comes after the last answer.
    end: Option<oneshot::Receiver<Status>>,
}

impl Stream for WatchAnswers {
    type Item = Result<v1::WatchResponse, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(answer) = ready!(self.answers.poll_recv(context)) {
            return Poll::Ready(Some(Ok(answer)));
        }
        let Some(end) = &mut self.end else {
            return Poll::Ready(None);
        };
        let status = ready!(Pin::new(end).poll(context));
        self.end = None;
        Poll::Ready(status.ok().map(Err))
    }
}

/// Starts a stream. Everything that can be refused is refused before it begins.
///
/// # Errors
/// The refusal.
pub(super) async fn watch(
    api: &Arc<Api>,
    request: Request<v1::WatchRequest>,
) -> Result<Response<WatchAnswers>, ApiError> {
    let caller = api.caller(&request, Permission::Read).await?;
    let evidence = Evidence::of(&request);
    let message = request.into_inner();
    let scopes = scopes_of(&message)?;
    let permit = STREAMS
        .try_acquire()
        .map_err(|_| Refusal::limit("watch_streams", STREAMS_MAX))?;
    let bounds = authorise(api, &caller, &scopes).await?;
    let mut positions = Vec::with_capacity(scopes.len());
    for (scope, asked) in scopes.into_iter().zip(&message.scopes) {
        let position = Position::open(api, scope, &asked.cursor).await?;
        bounds.require_after(&position.scope, position.sequence)?;
        positions.push(position);
    }
    let (sender, answers) = mpsc::channel(ANSWERS_WAITING_MAX);
    let (end_sender, end) = oneshot::channel();
    let watcher = Watcher::new(Arc::clone(api), evidence, positions, sender);
    tokio::spawn(async move {
        let end = watcher.run().await;
        drop(permit);
        if let End::Refused(refusal) = end {
            measure::watch_ended(refusal.reason.as_str());
            // Nobody listens any more if this fails.
            let _ = end_sender.send(status(&refusal));
        }
    });
    Ok(Response::new(WatchAnswers {
        answers,
        end: Some(end),
    }))
}

fn scopes_of(message: &v1::WatchRequest) -> Result<Vec<ScopeId>, Refusal> {
    let asked = &message.scopes;
    if asked.len() > SCOPES_MAX {
        return Err(Refusal::limit("watch_scopes", SCOPES_MAX));
    }
    let mut violations = Violations::default();
    violations.require(!asked.is_empty(), "scopes", "at least one scope");
    let mut seen = BTreeSet::new();
    let mut scopes = Vec::with_capacity(asked.len());
    for (index, asked) in asked.iter().enumerate() {
        let field = format!("scopes[{index}].scope");
        let Some(scope) = violations.take(scope_of(&field, &asked.scope)) else {
            continue;
        };
        violations.require(seen.insert(scope.clone()), &field, "each scope once");
        scopes.push(scope);
    }
    violations.finish()?;
    Ok(scopes)
}

/// Why a stream ends.
#[derive(Debug)]
enum End {
    /// The caller is gone.
    Gone,
    /// For a reason that the caller is told.
    Refused(Refusal),
}

impl From<Refusal> for End {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<ApiError> for End {
    fn from(error: ApiError) -> Self {
        Self::Refused(error.0)
    }
}

impl From<StoreError> for End {
    fn from(error: StoreError) -> Self {
        ApiError::from(error).into()
    }
}

struct Watcher {
    api: Arc<Api>,
    /// Carries the caller's key, which may be revoked while the stream runs.
    evidence: Evidence,
    positions: Vec<Position>,
    /// Says, by index in `positions`, where something may have happened; once for each at first.
    changes: StreamMap<usize, WatchStream<u64>>,
    /// Indexes in `positions` of what has more to read.
    behind: BTreeSet<usize>,
    next_heartbeat: Instant,
    closed: CancellationToken,
    answers: mpsc::Sender<v1::WatchResponse>,
    /// Counted as long as it lives.
    _counted: Watching,
}

impl Watcher {
    fn new(
        api: Arc<Api>,
        evidence: Evidence,
        positions: Vec<Position>,
        answers: mpsc::Sender<v1::WatchResponse>,
    ) -> Self {
        let hub = api.ledger.watch();
        let subscribe = |(index, position): (usize, &Position)| {
            (index, WatchStream::new(hub.subscribe(&position.scope)))
        };
        let changes = positions.iter().enumerate().map(subscribe).collect();
        let closed = hub.closed();
        let behind = BTreeSet::new();
        let next_heartbeat = Instant::now() + HEARTBEAT_EVERY;
        Self {
            api,
            evidence,
            positions,
            changes,
            behind,
            next_heartbeat,
            closed,
            answers,
            _counted: Watching::begin(),
        }
    }

    async fn run(mut self) -> End {
        loop {
            if let Err(end) = self.turn().await {
                return end;
            }
        }
    }

    /// Reads a little of every scope that is behind, or waits if none is.
    async fn turn(&mut self) -> Result<(), End> {
        if Instant::now() >= self.next_heartbeat {
            self.beat().await?;
        }
        if self.behind.is_empty() {
            return self.wait().await;
        }
        self.recognise().await?;
        for index in std::mem::take(&mut self.behind) {
            if self.read(index).await? {
                self.behind.insert(index);
            }
        }
        Ok(())
    }

    async fn wait(&mut self) -> Result<(), End> {
        tokio::select! {
            () = self.closed.cancelled() => Err(stopping().into()),
            () = self.answers.closed() => Err(End::Gone),
            () = tokio::time::sleep_until(self.next_heartbeat) => Ok(()),
            change = self.changes.next() => {
                // The hub ends no stream while somebody subscribes to it.
                let (index, _) = change.ok_or(End::Gone)?;
                self.behind.insert(index);
                Ok(())
            }
        }
    }

    /// Sends the next entries of one scope; whether there may be more.
    async fn read(&mut self, index: usize) -> Result<bool, End> {
        let Some(mut position) = self.positions.get(index).cloned() else {
            return Ok(false);
        };
        let store = Arc::clone(self.api.ledger.store());
        let entries = store
            .entries(&position.scope, position.sequence, ENTRIES_AT_A_TIME)
            .await?;
        let more = entries.len() == ENTRIES_AT_A_TIME;
        for entry in entries {
            if !position.advance(&entry) {
                return Err(diverged(&self.api, &position).await.into());
            }
            if position.caught_up {
                measure::watch_lag(self.api.now().since(entry.recorded_at));
            }
            let cursor = position.cursor(&self.api);
            let may_be_last = entry.event_type == PARTY_LEFT;
            let event = v1::watch_response::Event::Entry(to_entry(entry));
            self.send(v1::WatchResponse {
                event: Some(event),
                cursor,
            })
            .await?;
            if may_be_last {
                self.positions[index] = position.clone();
                self.authorise().await?;
            }
        }
        position.caught_up |= !more;
        self.positions[index] = position;
        Ok(more)
    }

    /// Makes sure that the caller is still good, before anything more is sent to it.
    async fn recognise(&self) -> Result<Caller, End> {
        let api = &self.api;
        let store = api.ledger.store().as_ref();
        let caller = api
            .authenticator
            .recognise(&self.evidence, store, api.now())
            .await?;
        caller.require(Permission::Read)?;
        Ok(caller)
    }

    /// Makes sure that the caller may still read, and read on; the scopes of the stream.
    async fn authorise(&self) -> Result<Vec<ScopeId>, End> {
        let caller = self.recognise().await?;
        let api = &self.api;
        let scopes: Vec<_> = self
            .positions
            .iter()
            .map(|position| position.scope.clone())
            .collect();
        let bounds = authorise(api, &caller, &scopes).await?;
        for position in &self.positions {
            bounds.require_after(&position.scope, position.sequence)?;
        }
        Ok(scopes)
    }

    /// Makes sure that the caller may still read and that the journal is still the one it saw, and
    /// sends a sign of life.
    async fn beat(&mut self) -> Result<(), End> {
        self.next_heartbeat = Instant::now() + HEARTBEAT_EVERY;
        let scopes = self.authorise().await?;
        let api = &self.api;
        let store = api.ledger.store().as_ref();
        let heads = store.heads(&scopes).await?;
        for position in &self.positions {
            let head = heads.iter().find(|head| head.scope == position.scope);
            let (sequence, hash) = head.map_or((0, GENESIS), |head| (head.sequence, head.hash));
            if sequence < position.sequence
                || (sequence == position.sequence && hash != position.hash)
            {
                return Err(diverged(api, position).await.into());
            }
        }
        let heartbeat = v1::Heartbeat {
            heartbeat_time: Some(to_timestamp(api.now())),
        };
        let event = v1::watch_response::Event::Heartbeat(heartbeat);
        self.send(v1::WatchResponse {
            event: Some(event),
            cursor: String::new(),
        })
        .await
    }

    async fn send(&self, answer: v1::WatchResponse) -> Result<(), End> {
        tokio::select! {
            () = self.closed.cancelled() => Err(stopping().into()),
            sent = tokio::time::timeout(SEND_WITHIN, self.answers.send(answer)) => match sent {
                Ok(Ok(())) => Ok(()),
                Ok(Err(_)) => Err(End::Gone),
                Err(_) => Err(too_slow().into()),
            },
        }
    }
}

fn stopping() -> Refusal {
    Refusal::new(
        Reason::ServiceStopping,
        "the server stops; go on from the last cursors",
    )
}

fn too_slow() -> Refusal {
    let message = "answers were not taken in time; go on from the last cursors";
    Refusal::new(Reason::LimitReached, message)
        .with("limit", "watch_send_seconds")
        .with("maximum", SEND_WITHIN.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(scopes: &[&str]) -> v1::WatchRequest {
        let scope = |scope: &&str| v1::WatchScope {
            scope: (*scope).to_owned(),
            cursor: String::new(),
        };
        v1::WatchRequest {
            scopes: scopes.iter().map(scope).collect(),
        }
    }

    #[test]
    fn one_to_sixty_four_scopes_each_once() {
        assert!(scopes_of(&request(&["firms/a", "partnerships/p"])).is_ok());
        assert_eq!(
            scopes_of(&request(&[])).unwrap_err().reason,
            Reason::InvalidField
        );
        let twice = scopes_of(&request(&["firms/a", "firms/a"])).unwrap_err();
        assert_eq!(twice.violations[0].field, "scopes[1].scope");
        assert!(scopes_of(&request(&["tickets/a"])).is_err());
        let many: Vec<String> = (0..=SCOPES_MAX)
            .map(|number| format!("partnerships/p{number}"))
            .collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(scopes_of(&request(&many[1..])).is_ok());
        assert_eq!(
            scopes_of(&request(&many)).unwrap_err().reason,
            Reason::LimitReached
        );
    }

    #[tokio::test]
    async fn the_reason_comes_after_the_last_answer() {
        let (sender, answers) = mpsc::channel(1);
        let (end_sender, end) = oneshot::channel();
        let mut stream = WatchAnswers {
            answers,
            end: Some(end),
        };
        sender.send(v1::WatchResponse::default()).await.unwrap();
        drop(sender);
        end_sender.send(Status::unavailable("")).unwrap();
        assert!(stream.next().await.unwrap().is_ok());
        assert!(stream.next().await.unwrap().is_err());
        assert!(stream.next().await.is_none());
    }
}
