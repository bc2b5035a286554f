//! Connections, plain or by TLS, that can be closed from outside.
//!
//! A graceful shutdown waits for calls to end, and a silent client could make it wait for ever:
//! cancelling the token ends every read and write at once.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
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

/// A connection that ends when its token is cancelled.
#[derive(Debug)]
pub struct ClosableConnection {
    stream: Stream,
    peer: Peer,
    closed: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl ClosableConnection {
    /// Wraps a connection without TLS; small messages are sent at once.
    ///
    /// # Errors
    /// If the socket refuses its options.
    pub fn plain(stream: TcpStream, token: CancellationToken) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self::new(Stream::Plain(stream), Peer::default(), token))
    }

    /// Wraps a connection by TLS after its handshake, with what that proved.
    ///
    /// # Errors
    /// If the socket refuses its options.
    pub fn secure(
        stream: TlsStream<TcpStream>,
        peer: Peer,
        token: CancellationToken,
    ) -> io::Result<Self> {
        stream.get_ref().0.set_nodelay(true)?;
        Ok(Self::new(Stream::Secure(Box::new(stream)), peer, token))
    }

    fn new(stream: Stream, peer: Peer, token: CancellationToken) -> Self {
        Self {
            stream,
            peer,
            closed: Box::pin(token.cancelled_owned()),
        }
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
        either!(self, stream => stream.poll_read(context, buffer))
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
