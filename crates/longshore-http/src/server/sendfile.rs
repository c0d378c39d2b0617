//! Sends files without copying them, underneath an HTTP implementation that knows nothing of it.
//!
//! hyper queues the head of a response and its body as separate slices. A slice whose address lies in a mapped region
//! ([`longshore_region`]) is never read here: the kernel is told to send that stretch of the file. What stands before
//! it goes out marked as "more follows", so that head and first bytes share a packet; a long stretch is corked, so that each
//! packet is full.
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
use super::socket::Socket;
use super::stats::ServerStats;
use super::window::Windows;

/// Bytes one connection may send without having to wait for its client before it lets the others of its worker have a turn.
const TURN: u64 = 2 << 20;

/// Stretches longer than this are corked, in bytes. The kernel takes 64 KiB of a file at a time, which is not a number of whole packets,
/// and without a cork an acknowledgement that comes in between lets out what there is: over loopback 53 bytes each time.
const CORKED: usize = 128 << 10;

/// A plain connection that sends regions by `sendfile(2)`.
#[derive(Debug)]
pub(super) struct SendFile {
    socket: Socket,
    stats: Arc<ServerStats>,
    windows: Windows,
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
            return let_others(cx);
        }
        let room = ready!(
            self.windows
                .poll_ready(cx, &part.file, part.offset, len as u64)
        )?;
        let room = usize::try_from(room).unwrap_or(usize::MAX);
        self.cork(len);
        let sent = self.socket.poll_writing(cx, |socket| {
            let mut offset = part.offset;
            Ok(rustix::fs::sendfile(
                socket,
                &*part.file,
                Some(&mut offset),
                room,
            )?)
        });
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
mod tests {
    use std::fs::File;
    use std::io::Read as _;
    use std::os::fd::AsFd as _;
    use std::task::Waker;
    use std::thread;

    use bytes::Bytes;
    use longshore_region::Region;

    use super::super::window;
    use super::*;

    const MIB: u64 = 1 << 20;

    fn region(len: u64) -> Arc<Region> {
        let file: File = tempfile::tempfile().unwrap();
        file.set_len(len).unwrap();
        Region::map(Arc::new(file), len).unwrap()
    }

    /// A sender and the client's end of its connection.
    async fn connected() -> (SendFile, std::net::TcpStream) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        let stats = Arc::new(ServerStats::default());
        (SendFile::new(Socket::Tcp(stream), stats), client)
    }

    fn is_corked(sender: &SendFile) -> bool {
        let Socket::Tcp(stream) = &sender.socket else {
            panic!("it is TCP");
        };
        rustix::net::sockopt::tcp_cork(stream.as_fd()).unwrap()
    }

    async fn write(sender: &mut SendFile, bufs: &[&[u8]]) -> usize {
        let slices: Vec<_> = bufs.iter().map(|buf| IoSlice::new(buf)).collect();
        std::future::poll_fn(|cx| Pin::new(&mut *sender).poll_write_vectored(cx, &slices))
            .await
            .unwrap()
    }

    async fn flush(sender: &mut SendFile) {
        std::future::poll_fn(|cx| Pin::new(&mut *sender).poll_flush(cx))
            .await
            .unwrap();
    }

    #[tokio::test]
    async fn each_long_stretch_is_corked_until_it_is_flushed_and_a_short_one_is_not() {
        let (mut sender, mut client) = connected().await;
        let drain =
            thread::spawn(move || std::io::copy(&mut client, &mut std::io::sink()).unwrap());
        let region = region(4 * MIB);
        let (long, short) = (region.bytes(0..4 * MIB), region.bytes(0..64 << 10));
        let head = b"HTTP/1.1 200 OK\r\n\r\n".as_slice();

        let sent = write(&mut sender, &[head, &long]).await;
        assert!(sent <= head.len() && is_corked(&sender));
        flush(&mut sender).await;
        assert!(!is_corked(&sender));
        // What follows of the same body has no head before it.
        write(&mut sender, &[&long]).await;
        assert!(is_corked(&sender));
        flush(&mut sender).await;
        write(&mut sender, &[head, &short]).await;
        write(&mut sender, &[&short]).await;
        assert!(!is_corked(&sender));
        drop(sender);
        drain.join().unwrap();
    }

    #[tokio::test]
    async fn who_never_has_to_wait_lets_others_go_first_all_the_same() {
        let (mut sender, mut client) = connected().await;
        let drain =
            thread::spawn(move || std::io::copy(&mut client, &mut std::io::sink()).unwrap());
        let region = region(MIB);
        let frame: Bytes = region.bytes(0..MIB);
        let (mut sent, mut cx) = (0, Context::from_waker(Waker::noop()));
        // A body comes in frames, and each is flushed.
        loop {
            let slices = [IoSlice::new(&frame)];
            match Pin::new(&mut sender).poll_write_vectored(&mut cx, &slices) {
                Poll::Ready(len) => sent += len.unwrap() as u64,
                Poll::Pending => break,
            }
            flush(&mut sender).await;
            assert!(sent < TURN + window::SIZE, "{sent} bytes in one turn");
        }
        drop(sender);
        drain.join().unwrap();
    }

    #[tokio::test]
    async fn a_turn_that_is_over_goes_on_when_the_network_was_looked_at() {
        let (mut sender, mut client) = connected().await;
        let drain = thread::spawn(move || {
            let mut got = 0;
            let mut buffer = vec![0; 1 << 16];
            while let Ok(len @ 1..) = client.read(&mut buffer) {
                got += len as u64;
            }
            got
        });
        let region = region(4 * MIB);
        let mut sent = 0;
        while sent < 64 * MIB {
            let frame = region.bytes(sent % (4 * MIB)..4 * MIB);
            sent += write(&mut sender, &[&frame]).await as u64;
        }
        flush(&mut sender).await;
        drop(sender);
        assert_eq!(drain.join().unwrap(), sent);
    }
}
