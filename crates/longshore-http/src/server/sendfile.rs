//! Sends files without copying them, underneath an HTTP implementation that knows nothing of it.
//!
//! hyper queues the head of a response and its body as separate slices. A slice whose address lies in a mapped region
//! ([`longshore_region`]) is never read here: the kernel is told to send that stretch of the file. What stands before
//! it goes out marked as "more follows", so that head and first bytes share a packet; a long stretch is corked, so that each packet is full,
//! and goes through a [pipe](super::piped) where there is one.
//!
//! A region whose file turns out shorter is an error and never an end: the connection is cut, and the client sees that
//! the body is not whole.

use std::future::Future as _;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use longshore_region::Part;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::linger::Discard;
#[cfg(target_os = "linux")]
use super::piped::{PIPES, Piped, Pipes};
use super::socket::Socket;
use super::stats::ServerStats;
use super::window::Windows;

/// Bytes one connection may send without having to wait for its client before it lets the others of its worker have a turn.
const TURN: u64 = 2 << 20;

/// Stretches longer than this go through a pipe where there is one, and are corked either way, in bytes. Of a file and of a pipe the kernel
/// sends 64 KiB at a time, which is not a number of whole packets, and without a cork an acknowledgement that comes in between lets out what
/// there is: over loopback 53 bytes, once in each blob of 250 kB (decision 0036).
const CORKED: usize = 128 << 10;

/// A plain connection that sends regions by `sendfile(2)`.
#[derive(Debug)]
pub(super) struct SendFile {
    socket: Socket,
    stats: Arc<ServerStats>,
    windows: Windows,
    #[cfg(target_os = "linux")]
    pipes: &'static Pipes,
    /// What was taken of a file and the socket had no room for.
    #[cfg(target_os = "linux")]
    piped: Option<Piped>,
    corked: bool,
    /// What was sent since it last had to wait or let others go first.
    turn: u64,
}

impl SendFile {
    /// Whether this system has it; elsewhere bodies come without regions.
    pub(super) const AVAILABLE: bool = cfg!(target_os = "linux");

    pub(super) fn new(socket: Socket, stats: Arc<ServerStats>) -> Self {
        Self {
            socket,
            stats,
            windows: Windows::default(),
            #[cfg(target_os = "linux")]
            pipes: &PIPES,
            #[cfg(target_os = "linux")]
            piped: None,
            corked: false,
            turn: 0,
        }
    }

    /// Sends from the stretch of the file behind `slice`, one window at most.
    #[cfg(target_os = "linux")]
    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        part: &Part,
        len: usize,
    ) -> Poll<io::Result<usize>> {
        // hyper goes on where it was; if it did not, what is in the pipe would be the wrong bytes.
        self.piped.take_if(|piped| !piped.is_at(part));
        let mut room = 0;
        if self.piped.is_none() {
            if self.turn >= TURN {
                self.turn = 0;
                return let_others(cx);
            }
            let ready = self
                .windows
                .poll_ready(cx, &part.file, part.offset, len as u64);
            room = usize::try_from(ready!(ready)?).unwrap_or(usize::MAX);
            if room > CORKED {
                self.piped = Piped::take(self.pipes, part, room)?;
            }
            self.cork(len);
        }
        let sent = match &mut self.piped {
            Some(piped) => self.socket.poll_writing(cx, |socket| piped.send(socket)),
            None => self.socket.poll_writing(cx, |socket| {
                let mut offset = part.offset;
                Ok(rustix::fs::sendfile(
                    socket,
                    &*part.file,
                    Some(&mut offset),
                    room,
                )?)
            }),
        };
        self.piped.take_if(|piped| piped.is_empty());
        let Poll::Ready(sent) = sent else {
            self.turn = 0;
            return Poll::Pending;
        };
        let sent = sent?;
        if sent == 0 {
            return Poll::Ready(Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the file of a blob is shorter than the blob",
            )));
        }
        self.turn += sent as u64;
        self.stats.add_sendfile_bytes(sent as u64);
        Poll::Ready(Ok(sent))
    }

    #[cfg(not(target_os = "linux"))]
    fn poll_send(&mut self, _: &mut Context<'_>, _: &Part, _: usize) -> Poll<io::Result<usize>> {
        Poll::Ready(Err(io::ErrorKind::Unsupported.into()))
    }

    /// Writes what stands before a region of `len` bytes.
    fn poll_before(
        &mut self,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
        len: usize,
    ) -> Poll<io::Result<usize>> {
        #[cfg(target_os = "linux")]
        if len <= CORKED {
            use rustix::net::{SendAncillaryBuffer, SendFlags, sendmsg};
            return self.socket.poll_writing(cx, |socket| {
                let flags = SendFlags::MORE | SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
                Ok(sendmsg(
                    socket,
                    bufs,
                    &mut SendAncillaryBuffer::default(),
                    flags,
                )?)
            });
        }
        self.cork(len);
        Pin::new(&mut self.socket).poll_write_vectored(cx, bufs)
    }

    /// Corks the socket for a stretch of `len` bytes, if that is worth it, until hyper flushes.
    fn cork(&mut self, len: usize) {
        if len > CORKED && !self.corked {
            self.socket.cork(true);
            self.corked = true;
        }
    }
}

/// Lets the other tasks of this worker go first, and those that the network has woken meanwhile: a task that wakes itself is behind those
/// that wait already, and the network is looked at after dozens of turns only.
fn let_others<T>(cx: &mut Context<'_>) -> Poll<T> {
    let turn = std::pin::pin!(tokio::task::yield_now());
    if turn.poll(cx).is_ready() {
        cx.waker().wake_by_ref();
    }
    Poll::Pending
}

/// Whether it is the file that failed and not the socket, of which the same call tells.
fn of_the_file(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::UnexpectedEof
        || error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error())
}

impl Discard for SendFile {
    fn poll_discard(
        &mut self,
        cx: &mut Context<'_>,
        scratch: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.socket.poll_discard(cx, scratch)
    }
}

impl AsyncRead for SendFile {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(cx, buf)
    }
}

impl AsyncWrite for SendFile {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        let region = bufs
            .iter()
            .enumerate()
            .find_map(|(at, buf)| Some((at, longshore_region::find(buf)?, buf)));
        match region {
            Some((0, part, buf)) => {
                let sent = this.poll_send(cx, &part, buf.len());
                if let Poll::Ready(Err(error)) = &sent
                    && of_the_file(error)
                {
                    longshore_region::report(buf, error);
                }
                sent
            }
            Some((at, _, buf)) => {
                this.poll_before(cx, bufs.get(..at).unwrap_or_default(), buf.len())
            }
            None => Pin::new(&mut this.socket).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// hyper flushes when all it had is written: the moment for the last frame to leave.
    fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        if std::mem::take(&mut self.corked) {
            self.socket.cork(false);
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests;
