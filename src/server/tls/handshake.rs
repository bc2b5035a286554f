//! TLS handshakes, done beside each other, so that one that stalls delays nobody.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use metrics::{Unit, counter, describe_counter};
use rustls::ServerConfig;
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::Sender;
use tokio::task::{AbortHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::{Tls, peer};
use crate::server::connection::ClosableConnection;

/// How long a handshake may take.
pub const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// Most handshakes under way. One more pushes out the oldest: an honest one takes milliseconds, so
/// whoever stalls is the first to go.
pub const HANDSHAKES_MAX: usize = 1_024;
/// Connections that never came about, by cause.
const FAILURES: &str = "entente_tls_handshake_failures_total";

pub(super) fn describe() {
    describe_counter!(
        FAILURES,
        Unit::Count,
        "TLS connections that never came about, by cause"
    );
}

/// Handshakes under way, the oldest first. They end when this is dropped.
pub struct Handshakes {
    tls: Arc<Tls>,
    ready: Sender<io::Result<ClosableConnection>>,
    close: CancellationToken,
    tasks: JoinSet<()>,
    handles: VecDeque<AbortHandle>,
}

impl Handshakes {
    /// Connections go to `ready` once their handshakes are done; cancelling `close` ends them.
    #[must_use]
    pub fn new(
        tls: Arc<Tls>,
        ready: Sender<io::Result<ClosableConnection>>,
        close: CancellationToken,
    ) -> Self {
        Self {
            tls,
            ready,
            close,
            tasks: JoinSet::new(),
            handles: VecDeque::new(),
        }
    }

    /// Begins one.
    pub fn begin(&mut self, stream: TcpStream, place: OwnedSemaphorePermit) {
        while self.tasks.try_join_next().is_some() {}
        if self.handles.len() >= HANDSHAKES_MAX {
            self.handles.retain(|handle| !handle.is_finished());
        }
        if self.handles.len() >= HANDSHAKES_MAX
            && let Some(oldest) = self.handles.pop_front()
        {
            oldest.abort();
            counter!(FAILURES, "cause" => "pushed_out").increment(1);
        }
        let (config, close) = (self.tls.current(), self.close.clone());
        let ready = self.ready.clone();
        self.handles.push_back(self.tasks.spawn(async move {
            if let Some(connection) = shake_hands(stream, config, place, close).await {
                // Otherwise the server stops.
                let _ = ready.send(Ok(connection)).await;
            }
        }));
    }
}

async fn shake_hands(
    stream: TcpStream,
    config: Arc<ServerConfig>,
    place: OwnedSemaphorePermit,
    close: CancellationToken,
) -> Option<ClosableConnection> {
    let handshake = TlsAcceptor::from(config).accept(stream);
    let cause = match tokio::time::timeout(HANDSHAKE_MAX, handshake).await {
        Ok(Ok(stream)) => {
            let peer = peer::of(stream.get_ref().1);
            return ClosableConnection::secure(stream, peer, place, close).ok();
        }
        Ok(Err(error)) => {
            tracing::debug!(%error, "a TLS handshake failed");
            "refused"
        }
        Err(_) => "timeout",
    };
    counter!(FAILURES, "cause" => cause).increment(1);
    None
}
