//! Sends files without copying them, underneath an HTTP implementation that knows nothing of it.
//!
//! hyper queues the head of a response and its body as separate slices. A slice whose address lies in a mapped region
//! ([`longshore_region`]) is never read here: the kernel is told to send that stretch of the file. What stands before
//! it goes out marked as "more follows", so that head and first bytes share a packet.
//!
//! A region whose file turns out shorter is an error and never an end: the connection is cut, and the client sees that
//! the body is not whole.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use longshore_region::Part;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::linger::Discard;
use super::socket::Socket;
use super::stats::ServerStats;
use super::window::{self, Windows};

/// Bytes one connection may send before it lets the others of its worker have a turn.
const TURN: u64 = 4 << 20;

/// A plain connection that sends regions by `sendfile(2)`.
#[derive(Debug)]
pub(super) struct SendFile {
    socket: Socket,
    stats: Arc<ServerStats>,
    windows: Windows,
    corked: bool,
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
        if self.turn >= TURN {
            self.turn = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let room = ready!(
            self.windows
                .poll_ready(cx, &part.file, part.offset, len as u64)
        )?;
        let room = usize::try_from(room).unwrap_or(usize::MAX);
        let sent = ready!(self.socket.poll_writing(cx, |socket| {
            let mut offset = part.offset;
            Ok(rustix::fs::sendfile(
                socket,
                &*part.file,
                Some(&mut offset),
                room,
            )?)
        }))?;
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
        // One window is one more call, and the flag on this one is enough; for more, the cork keeps frames full at
        // each window's edge too.
        #[cfg(target_os = "linux")]
        if len as u64 <= window::SIZE {
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
        if !self.corked && len as u64 > window::SIZE {
            self.socket.cork(true);
            self.corked = true;
        }
        Pin::new(&mut self.socket).poll_write_vectored(cx, bufs)
    }
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
        self.turn = 0;
        if std::mem::take(&mut self.corked) {
            self.socket.cork(false);
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}
