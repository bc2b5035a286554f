//! Connections, plain or by TLS, that can be closed from outside.
//!
//! A graceful shutdown waits for calls to end, and a silent client could make it wait for ever:
//! cancelling the token ends every read and write at once. And whoever connects has to say something
//! soon, or loses its place; from then on the protocol's own time limits hold.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use metrics::counter;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Sleep, sleep};
use tokio_rustls::server::TlsStream;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::transport::server::Connected;

use crate::api::sign_in::Peer;

/// What bytes go over.
#[derive(Debug)]
enum Stream {
    /// TCP alone.
    Plain(TcpStream),
    /// TLS over TCP.
    Secure(Box<TlsStream<TcpStream>>),
}

/// Calls a method of whichever stream it is.
macro_rules! either {
    ($connection:expr, $stream:ident => $call:expr) => {
        match &mut $connection.stream {
            Stream::Plain($stream) => {
                let $stream = Pin::new($stream);
                $call
            }
            Stream::Secure($stream) => {
                let $stream = Pin::new($stream.as_mut());
                $call
            }
        }
    };
}

/// Bytes with which every caller begins: the greeting of HTTP/2 has as many, a request by HTTP/1.1 more.
const GREETING_BYTES: usize = 24;
/// How long a caller may take for them.
const GREETING_WITHIN: Duration = Duration::from_secs(10);
/// Connections closed since nobody spoke.
pub const SILENT: &str = "entente_connections_silent_total";

/// A connection that ends when its token is cancelled, and holds a place as long as it lives.
#[derive(Debug)]
pub struct ClosableConnection {
    stream: Stream,
    peer: Peer,
    closed: Pin<Box<WaitForCancellationFutureOwned>>,
    /// Until when its caller has to speak, and how many bytes are left to say.
    greeting: Option<(Pin<Box<Sleep>>, usize)>,
    _place: OwnedSemaphorePermit,
}

impl ClosableConnection {
    /// Wraps a connection without TLS; small messages are sent at once.
    ///
    /// # Errors
    /// If the socket refuses its options.
    pub fn plain(
        stream: TcpStream,
        place: OwnedSemaphorePermit,
        token: CancellationToken,
    ) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self::new(
            Stream::Plain(stream),
            Peer::default(),
            place,
            token,
        ))
    }

    /// Wraps a connection by TLS after its handshake, with what that proved.
    ///
    /// # Errors
    /// If the socket refuses its options.
    pub fn secure(
        stream: TlsStream<TcpStream>,
        peer: Peer,
        place: OwnedSemaphorePermit,
        token: CancellationToken,
    ) -> io::Result<Self> {
        stream.get_ref().0.set_nodelay(true)?;
        let stream = Stream::Secure(Box::new(stream));
        Ok(Self::new(stream, peer, place, token))
    }

    fn new(
        stream: Stream,
        peer: Peer,
        place: OwnedSemaphorePermit,
        token: CancellationToken,
    ) -> Self {
        Self {
            stream,
            peer,
            closed: Box::pin(token.cancelled_owned()),
            greeting: Some((Box::pin(sleep(GREETING_WITHIN)), GREETING_BYTES)),
            _place: place,
        }
    }

    fn poll_silent(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        if let Some((until, _)) = &mut self.greeting
            && until.as_mut().poll(context).is_ready()
        {
            counter!(SILENT).increment(1);
            return Err(io::ErrorKind::TimedOut.into());
        }
        Ok(())
    }

    /// Notes that its caller said something.
    fn heard(&mut self, bytes: usize) {
        self.greeting = self.greeting.take().and_then(|(until, left)| {
            let left = left.saturating_sub(bytes);
            (left > 0).then_some((until, left))
        });
    }

    fn poll_closed(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        if self.closed.as_mut().poll(context).is_ready() {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        Ok(())
    }
}

impl AsyncRead for ClosableConnection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.poll_closed(context)?;
        self.poll_silent(context)?;
        let before = buffer.filled().len();
        ready!(either!(self, stream => stream.poll_read(context, buffer)))?;
        self.heard(buffer.filled().len() - before);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for ClosableConnection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_closed(context)?;
        either!(self, stream => stream.poll_write(context, bytes))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_closed(context)?;
        either!(self, stream => stream.poll_write_vectored(context, slices))
    }

    fn is_write_vectored(&self) -> bool {
        match &self.stream {
            Stream::Plain(stream) => stream.is_write_vectored(),
            Stream::Secure(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, stream => stream.poll_flush(context))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, stream => stream.poll_shutdown(context))
    }
}

impl Connected for ClosableConnection {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Self::ConnectInfo {
        self.peer.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use tokio::sync::Semaphore;

    use super::*;

    /// Both ends of a connection, and the places that it takes one of.
    async fn connected() -> (TcpStream, ClosableConnection, Arc<Semaphore>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await;
        let (server, _) = listener.accept().await.unwrap();
        let places = Arc::new(Semaphore::new(1));
        let place = Arc::clone(&places).acquire_owned().await.unwrap();
        let server = ClosableConnection::plain(server, place, CancellationToken::new());
        (client.unwrap(), server.unwrap(), places)
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_says_nothing_loses_its_place() {
        let (_client, mut server, places) = connected().await;
        assert_eq!(places.available_permits(), 0);
        let silent = server.read(&mut [0; 8]).await.unwrap_err();
        assert_eq!(silent.kind(), io::ErrorKind::TimedOut);
        drop(server);
        assert_eq!(places.available_permits(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_few_bytes_are_not_enough() {
        let (mut client, mut server, _) = connected().await;
        client.write_all(b"PRI * ").await.unwrap();
        let mut begun = [0; 6];
        server.read_exact(&mut begun).await.unwrap();
        let silent = server.read(&mut [0; 8]).await.unwrap_err();
        assert_eq!(silent.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_has_spoken_may_be_silent() {
        let (mut client, mut server, _) = connected().await;
        client.write_all(&[b'x'; GREETING_BYTES]).await.unwrap();
        server.read_exact(&mut [0; GREETING_BYTES]).await.unwrap();
        let mut more = [0; 8];
        let waiting = tokio::time::timeout(10 * GREETING_WITHIN, server.read(&mut more));
        assert!(waiting.await.is_err());
    }
}
