//! A connection's socket, TCP or unix.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd};
use std::pin::Pin;
use std::task::{Context, Poll};

use rustix::net::RecvFlags;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

use super::linger::poll_read_away;

/// A connected socket.
#[derive(Debug)]
pub(super) enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// Does the same to either kind.
macro_rules! either {
    ($socket:expr, $s:ident => $do:expr) => {
        match $socket {
            Socket::Tcp($s) => $do,
            Socket::Unix($s) => $do,
        }
    };
}

impl Socket {
    /// Who is at the other end; unix sockets have nobody.
    pub(super) fn peer(&self) -> Option<SocketAddr> {
        match self {
            Socket::Tcp(stream) => stream.peer_addr().ok().map(canonical),
            Socket::Unix(_) => None,
        }
    }

    /// Which of our addresses the other end chose.
    pub(super) fn local(&self) -> Option<SocketAddr> {
        match self {
            Socket::Tcp(stream) => stream.local_addr().ok().map(canonical),
            Socket::Unix(_) => None,
        }
    }

    /// Reads what has come without taking it away; a unix socket shows nothing.
    pub(super) async fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Socket::Tcp(stream) => stream.peek(buf).await,
            Socket::Unix(_) => Ok(0),
        }
    }

    /// Tries `f` whenever the socket may take bytes, until it does not say "would block".
    pub(super) fn poll_writing<T>(
        &self,
        cx: &mut Context<'_>,
        mut f: impl FnMut(BorrowedFd<'_>) -> io::Result<T>,
    ) -> Poll<io::Result<T>> {
        either!(self, s => loop {
            std::task::ready!(s.poll_write_ready(cx))?;
            match s.try_io(Interest::WRITABLE, || f(s.as_fd())) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                done => return Poll::Ready(done),
            }
        })
    }

    /// Takes what has come off the socket, as much as `scratch` is long. TCP throws it away in the kernel (tcp(7), `MSG_TRUNC`).
    pub(super) fn poll_discard(
        &mut self,
        cx: &mut Context<'_>,
        scratch: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let Socket::Tcp(stream) = self else {
            return poll_read_away(self, cx, scratch);
        };
        loop {
            std::task::ready!(stream.poll_read_ready(cx))?;
            let taken = stream.try_io(Interest::READABLE, || {
                let (_, taken) =
                    rustix::net::recv(stream.as_fd(), &mut *scratch, RecvFlags::TRUNC)?;
                Ok(taken)
            });
            match taken {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                done => return Poll::Ready(done),
            }
        }
    }

    /// Holds back frames that are not full until the cork is pulled. Only TCP has one, and only on Linux; a failure
    /// costs nothing but a smaller packet.
    pub(super) fn cork(&self, on: bool) {
        #[cfg(target_os = "linux")]
        if let Socket::Tcp(stream) = self
            && let Err(error) = rustix::net::sockopt::set_tcp_cork(stream, on)
        {
            tracing::trace!(%error, "TCP_CORK could not be set");
        }
        #[cfg(not(target_os = "linux"))]
        let _ = on;
    }
}

/// A listener at `[::]` sees IPv4 clients as `::ffff:a.b.c.d`; lists of trusted addresses are not written like that.
fn canonical(addr: SocketAddr) -> SocketAddr {
    SocketAddr::new(addr.ip().to_canonical(), addr.port())
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        either!(&mut *self, s => Pin::new(s).poll_read(cx, buf))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        either!(&mut *self, s => Pin::new(s).poll_write(cx, buf))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        either!(&mut *self, s => Pin::new(s).poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(&mut *self, s => Pin::new(s).poll_shutdown(cx))
    }
}
