//! Accepts TLS connections. Handshakes are done beside each other, so that one that stalls delays
//! nobody.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use metrics::{Unit, counter, describe_counter};
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{self, Sender};
use tokio::task::{AbortHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;

use super::{Tls, peer};
use crate::server::connection::ClosableConnection;

/// How long a handshake may take.
pub const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// Most handshakes under way. One more pushes out the oldest: an honest one takes milliseconds, so
/// whoever stalls is the first to go.
pub const HANDSHAKES_MAX: usize = 1_024;
/// Most connections that wait for the server to take them.
const READY_MAX: usize = 128;
/// Rest after the system could not accept a connection, for lack of descriptors for example.
const ACCEPT_REST: Duration = Duration::from_millis(50);
/// Connections that never came about, by cause.
const FAILURES: &str = "entente_tls_handshake_failures_total";

pub(super) fn describe() {
    describe_counter!(
        FAILURES,
        Unit::Count,
        "TLS connections that never came about, by cause"
    );
}

/// The connections of `listener` once their handshakes are done. Cancelling `closing` ends them all;
/// nothing is accepted any more when the stream is dropped.
pub fn incoming(
    listener: TcpListener,
    tls: Arc<Tls>,
    closing: CancellationToken,
) -> ReceiverStream<io::Result<ClosableConnection>> {
    let (ready, connections) = mpsc::channel(READY_MAX);
    tokio::spawn(accept_all(listener, tls, closing, ready));
    ReceiverStream::new(connections)
}

async fn accept_all(
    listener: TcpListener,
    tls: Arc<Tls>,
    closing: CancellationToken,
    ready: Sender<io::Result<ClosableConnection>>,
) {
    let mut handshakes = Handshakes::default();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = ready.closed() => return,
        };
        match accepted {
            Ok((stream, _)) => {
                let handshake = shake_hands(stream, tls.current(), closing.clone(), ready.clone());
                handshakes.spawn(handshake);
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_REST).await;
            }
        }
    }
}

async fn shake_hands(
    stream: TcpStream,
    config: Arc<ServerConfig>,
    closing: CancellationToken,
    ready: Sender<io::Result<ClosableConnection>>,
) {
    let handshake = TlsAcceptor::from(config).accept(stream);
    let stream = match tokio::time::timeout(HANDSHAKE_MAX, handshake).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            tracing::debug!(%error, "a TLS handshake failed");
            counter!(FAILURES, "cause" => "refused").increment(1);
            return;
        }
        Err(_) => {
            counter!(FAILURES, "cause" => "timeout").increment(1);
            return;
        }
    };
    let peer = peer::of(stream.get_ref().1);
    if let Ok(connection) = ClosableConnection::secure(stream, peer, closing) {
        // Otherwise the server stops.
        let _ = ready.send(Ok(connection)).await;
    }
}

/// Handshakes under way, the oldest first.
#[derive(Default)]
struct Handshakes {
    tasks: JoinSet<()>,
    handles: VecDeque<AbortHandle>,
}

impl Handshakes {
    fn spawn(&mut self, handshake: impl Future<Output = ()> + Send + 'static) {
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
        self.handles.push_back(self.tasks.spawn(handshake));
    }
}
