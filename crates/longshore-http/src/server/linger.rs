//! Reads on for a moment after a connection's own end is closed.
//!
//! Who still sends when it has been answered must be let go on: closing at once would make its system drop the answer (RFC 9112,
//! 9.6). What it sends is of no use to anybody, so it costs as little as can be: the kernel throws it away uncopied where it can,
//! and the other connections of the worker have their turn in between.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;
use tokio_rustls::server::TlsStream;

/// How long it goes on, and how much is read.
const TIME: Duration = Duration::from_secs(2);
const MOST: usize = 64 << 20;

/// After how many bytes the others have their turn.
const TURN: usize = 128 << 10;

/// A connection whose input can be thrown away.
pub(super) trait Discard {
    /// Takes what has come off the connection, as much as `scratch` is long, and says how much that was; its content need not get to
    /// `scratch`. 0 is the end.
    fn poll_discard(&mut self, cx: &mut Context<'_>, scratch: &mut [u8])
    -> Poll<io::Result<usize>>;
}

/// For connections that only can be read.
pub(super) fn poll_read_away<T: AsyncRead + Unpin>(
    io: &mut T,
    cx: &mut Context<'_>,
    scratch: &mut [u8],
) -> Poll<io::Result<usize>> {
    let mut buf = ReadBuf::new(scratch);
    ready!(Pin::new(io).poll_read(cx, &mut buf))?;
    Poll::Ready(Ok(buf.filled().len()))
}

impl<T: AsyncRead + AsyncWrite + Unpin> Discard for TlsStream<T> {
    fn poll_discard(
        &mut self,
        cx: &mut Context<'_>,
        scratch: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        poll_read_away(self, cx, scratch)
    }
}

/// The last that happens on a connection.
#[derive(Debug)]
pub(super) struct Linger {
    alarm: Pin<Box<Sleep>>,
    left: usize,
}

impl Linger {
    pub(super) fn new() -> Self {
        Linger {
            alarm: Box::pin(tokio::time::sleep(TIME)),
            left: MOST,
        }
    }

    /// Reads on until the client has ended too, or for long enough.
    pub(super) fn poll<T: Discard>(&mut self, io: &mut T, cx: &mut Context<'_>) -> Poll<()> {
        if self.alarm.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        let mut scratch = [0; 16 << 10];
        let mut turn = TURN;
        while turn > 0 {
            match ready!(io.poll_discard(cx, &mut scratch)) {
                Ok(read @ 1..) if read < self.left => {
                    self.left -= read;
                    turn = turn.saturating_sub(read);
                }
                _ => return Poll::Ready(()),
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A client that never stops.
    struct Endless;

    impl Discard for Endless {
        fn poll_discard(
            &mut self,
            _: &mut Context<'_>,
            scratch: &mut [u8],
        ) -> Poll<io::Result<usize>> {
            Poll::Ready(Ok(scratch.len()))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_never_stops_is_left_after_a_while_and_the_others_have_their_turn_meanwhile() {
        let mut linger = Linger::new();
        let mut turns = 0;
        std::future::poll_fn(|cx| {
            turns += 1;
            linger.poll(&mut Endless, cx)
        })
        .await;
        assert_eq!(turns, MOST / TURN);
    }
}
