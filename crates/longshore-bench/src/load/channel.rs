//! What the measured loop sends requests and hears answers through.

use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};

use super::answer::Answer;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(30);
/// Bytes read while a head is expected: enough for a small answer as a whole, little enough to copy of a big one.
const SMALL: usize = 16 << 10;
/// Bytes read at once where bodies are copied.
const COPY: usize = 256 << 10;
/// Bytes dropped at once where they are not.
const DROP: usize = 4 << 20;
/// After so many bytes it is another connection's turn.
const TURN: usize = 8 << 20;

/// Memory that all connections of a thread read into.
#[derive(Debug)]
pub(super) struct Scratch {
    bytes: Vec<u8>,
    copy: bool,
}

impl Scratch {
    /// With `copy`, bodies are copied into it; else the kernel drops them and the memory is never touched.
    pub(super) fn new(copy: bool) -> Self {
        Self {
            bytes: vec![0; DROP],
            copy,
        }
    }

    pub(super) fn first(&mut self, n: usize) -> &mut [u8] {
        let n = n.min(self.bytes.len());
        self.bytes.split_at_mut(n).0
    }
}

/// A connection that never waits.
pub(super) trait Channel: Sized {
    /// What is needed to open one.
    type Dial: Clone + Send + 'static;

    /// Connects, waiting until that is done.
    fn open(dial: &Self::Dial) -> Result<Self>;

    fn fd(&self) -> BorrowedFd<'_>;

    /// Sends a request, which is small and follows a complete answer, so that it fits.
    fn send(&mut self, request: &[u8]) -> Result<()>;

    /// Hands the answer what has come. It may leave bytes in the kernel, never in itself.
    fn receive(&mut self, answer: &mut Answer, scratch: &mut Scratch) -> Result<()>;
}

/// Connects, waiting until that is done.
pub(super) fn connect(address: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, CONNECT)
        .with_context(|| format!("connecting to {address}"))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Sends all of it or fails.
pub(super) fn send_whole(socket: &TcpStream, bytes: &[u8]) -> Result<()> {
    let n = send(socket, bytes, SendFlags::NOSIGNAL).context("sending a request")?;
    ensure!(n == bytes.len(), "a request did not fit into the socket");
    Ok(())
}

/// Receives up to the length of `room`; `None` when there is nothing yet.
pub(super) fn receive_some(
    socket: &TcpStream,
    room: &mut [u8],
    flags: RecvFlags,
) -> Result<Option<usize>> {
    loop {
        match recv(socket, &mut *room, flags) {
            Ok((_, 0)) => bail!("the server closed the connection"),
            Ok((_, n)) => return Ok(Some(n)),
            Err(Errno::AGAIN) => return Ok(None),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error).context("receiving an answer"),
        }
    }
}

/// Plain TCP, whose bodies the kernel drops if nobody wants to see them.
#[derive(Debug)]
pub(super) struct Plain {
    socket: TcpStream,
}

impl Channel for Plain {
    type Dial = SocketAddr;

    fn open(dial: &SocketAddr) -> Result<Self> {
        let socket = connect(*dial)?;
        socket.set_nonblocking(true)?;
        Ok(Self { socket })
    }

    fn fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    fn send(&mut self, request: &[u8]) -> Result<()> {
        send_whole(&self.socket, request)
    }

    fn receive(&mut self, answer: &mut Answer, scratch: &mut Scratch) -> Result<()> {
        let mut turn = 0;
        while turn < TURN && !answer.complete() {
            let droppable = usize::try_from(answer.droppable()).unwrap_or(usize::MAX);
            let drop = droppable > 0 && !scratch.copy;
            let (want, flags) = match (drop, droppable) {
                (true, _) => (droppable.min(DROP), RecvFlags::TRUNC),
                (false, 0) => (SMALL, RecvFlags::empty()),
                (false, _) => (COPY, RecvFlags::empty()),
            };
            let room = scratch.first(want);
            let Some(n) = receive_some(&self.socket, room, flags)? else {
                break;
            };
            turn += n;
            if drop {
                answer.dropped(n as u64);
            } else {
                answer.feed(room.get(..n).unwrap_or_default())?;
            }
            // Less than asked for: there is nothing more, and epoll says when there is.
            if n < want {
                break;
            }
        }
        Ok(())
    }
}
