//! Connections as they come in: so many at a time, and nobody holds one by saying nothing.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use metrics::{counter, describe_counter};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;

use super::connection::{ClosableConnection, SILENT};
use super::tls::Tls;
use super::tls::handshake::Handshakes;

/// Most connections at a time; whoever comes then waits to be accepted.
pub const CONNECTIONS_MAX: usize = 16_384;
/// Most connections that the system keeps waiting to be accepted; it may allow fewer.
const WAITING_MAX: u32 = 4_096;
/// Open files that are left for everything else: the database, its journals, calls to others.
const FILES_FOR_OTHERS: u64 = 256;
/// Fewest connections at a time, however few files may be open.
const CONNECTIONS_MIN: u64 = 64;
/// Pause after a connection that could not be accepted, such as for want of open files.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_millis(100);
/// Connections that could not be accepted.
const FAILURES: &str = "entente_connections_not_accepted_total";

/// Listens on an address.
///
/// # Errors
/// If the address is not to be had.
pub fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // A server that is started again need not wait for its last connections to be forgotten.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(WAITING_MAX)
}

/// Accepts connections, by TLS if there are certificates, until `stop` is cancelled; then nobody listens any more. `close` ends those that
/// are there.
pub fn accept(
    listener: TcpListener,
    tls: Option<Arc<Tls>>,
    stop: CancellationToken,
    close: CancellationToken,
) -> ReceiverStream<std::io::Result<ClosableConnection>> {
    describe_counter!(FAILURES, "Connections that could not be accepted");
    describe_counter!(SILENT, "Connections closed since nobody spoke");
    let places = Arc::new(Semaphore::new(places()));
    let (sender, connections) = mpsc::channel(1);
    tokio::spawn(async move {
        let accepting = async {
            let mut handshakes = tls.map(|tls| Handshakes::new(tls, sender.clone(), close.clone()));
            loop {
                let Ok(place) = Arc::clone(&places).acquire_owned().await else {
                    return;
                };
                let Some(stream) = next(&listener).await else {
                    continue;
                };
                if let Some(handshakes) = &mut handshakes {
                    handshakes.begin(stream, place);
                    continue;
                }
                let connection = ClosableConnection::plain(stream, place, close.clone());
                if sender.send(connection).await.is_err() {
                    return;
                }
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = accepting => {}
        }
    });
    ReceiverStream::new(connections)
}

async fn next(listener: &TcpListener) -> Option<TcpStream> {
    let accepted: std::io::Result<(TcpStream, SocketAddr)> = listener.accept().await;
    match accepted {
        Ok((stream, _)) => Some(stream),
        Err(error) => {
            counter!(FAILURES).increment(1);
            tracing::warn!(%error, "a connection could not be accepted");
            tokio::time::sleep(PAUSE_AFTER_FAILURE).await;
            None
        }
    }
}

/// How many connections there may be, with as many open files as the system lets this process have.
fn places() -> usize {
    let files = rlimit::increase_nofile_limit(rlimit::INFINITY);
    let connections = files.map(|files| files.saturating_sub(FILES_FOR_OTHERS));
    let connections = connections.unwrap_or(CONNECTIONS_MIN).max(CONNECTIONS_MIN);
    usize::try_from(connections).map_or(CONNECTIONS_MAX, |places| places.min(CONNECTIONS_MAX))
}
