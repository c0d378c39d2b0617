//! Stands between an HTTP/1 connection and hyper, and lets through only what has one reading.
//!
//! It follows the framing of the requests that pass: a head is held until it is whole and was found good ([`Head`]),
//! a body is counted through. Bytes are looked at in hyper's own buffer, so that nothing is copied but a head that came
//! in pieces and what follows a message in the same read.
//!
//! A bad head is replaced by a small request of our own, which hyper takes in its turn and the service front answers
//! with the [`Refusal`]: so requests that were sent before are answered before, and there is one way to write a response.

use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::OnceLock;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::chunks::{Chunks, NotChunks};
use super::head::{Framing, Head};
use super::intake::BodyFault;
use super::linger::{Discard, Linger};
use super::options::Limits;
use super::refusal::Refusal;

/// The method of the request that stands in for a refused one. Who sends it without need is only told of an unknown
/// method.
pub(super) const REFUSED: &str = "LONGSHORE-REFUSED";
const STAND_IN: &[u8] = b"LONGSHORE-REFUSED / HTTP/1.1\r\nhost: refused\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// Where screen and service front meet: why the head that was replaced is refused.
#[derive(Debug, Clone, Default)]
pub(super) struct Verdict(Arc<OnceLock<Refusal>>);

impl Verdict {
    pub(super) fn get(&self) -> Option<Refusal> {
        self.0.get().copied()
    }
}

/// An HTTP/1 connection whose requests are screened.
#[derive(Debug)]
pub(super) struct Screen<T> {
    io: T,
    limits: Arc<Limits>,
    head_time: Duration,
    idle_time: Duration,
    at: At,
    /// Read, and not yet given on: an unfinished head, or what came after a message.
    held: Vec<u8>,
    /// How many of the held bytes are the rest of a good head.
    cleared: usize,
    verdict: Verdict,
    alarm: Option<Pin<Box<Sleep>>>,
    /// Since when the client has had nothing to say, and what rings when that is too long.
    idle_since: Option<Instant>,
    idle_alarm: Option<Pin<Box<Sleep>>>,
    /// Whether there was no whole head yet.
    first: bool,
    closed: bool,
    linger: Option<Linger>,
}

#[derive(Debug)]
enum At {
    Head(Head),
    Length(u64),
    Chunks(Chunks),
    /// A body is broken; the next read says so.
    Broken,
    /// A head was refused; nothing more is taken.
    Refused,
}

impl<T: AsyncRead + Unpin> Screen<T> {
    /// A connection that has the first time for each head, counted from its first byte (from the start for the first
    /// head), and the second between requests.
    pub(super) fn new(
        io: T,
        limits: Arc<Limits>,
        (head_time, idle_time): (Duration, Duration),
    ) -> Self {
        Self {
            io,
            limits,
            head_time,
            idle_time,
            at: At::Head(Head::default()),
            held: Vec::new(),
            cleared: 0,
            verdict: Verdict::default(),
            alarm: None,
            idle_since: None,
            idle_alarm: None,
            first: true,
            closed: false,
            linger: None,
        }
    }

    pub(super) fn verdict(&self) -> Verdict {
        self.verdict.clone()
    }

    /// Whether the client's time for this head is over. It runs from the connection's start for the first one, from
    /// the first byte for the others; between requests hyper's idle timer runs.
    fn poll_overdue(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.first && self.held.is_empty() {
            self.alarm = None;
            return self.poll_idle(cx);
        }
        let time = self.head_time;
        let alarm = self
            .alarm
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(time)));
        alarm.as_mut().poll(cx)
    }

    /// Ready when the client has said nothing for too long. The alarm stays where it was once set, rings early and is
    /// moved on then: to move it at each request takes a lock that all connections share.
    fn poll_idle(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let deadline = *self.idle_since.get_or_insert_with(Instant::now) + self.idle_time;
        let alarm = self
            .idle_alarm
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        loop {
            ready!(alarm.as_mut().poll(cx));
            if alarm.deadline() >= deadline {
                return Poll::Ready(());
            }
            alarm.as_mut().reset(deadline);
        }
    }

    /// Takes one step; `None` asks for another.
    fn poll_step(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<Option<io::Result<()>>> {
        if self.cleared > 0 {
            let len = self.cleared.min(buf.remaining());
            self.give(len, buf);
            self.cleared -= len;
            return Poll::Ready(Some(Ok(())));
        }
        match &mut self.at {
            At::Head(_) => self.poll_head(cx, buf),
            At::Length(_) | At::Chunks(_) => self.poll_body(cx, buf).map(Some),
            At::Broken => Poll::Ready(Some(Err(BodyFault::Malformed.into()))),
            // hyper is busy with the stand-in and closes after it; what the client still sends is for nobody.
            At::Refused => Poll::Pending,
        }
    }

    fn poll_head(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<Option<io::Result<()>>> {
        let At::Head(head) = &mut self.at else {
            return Poll::Ready(None);
        };
        if !self.held.is_empty() && head.is_untouched() {
            return Poll::Ready(self.pass_head(buf));
        }
        if self.poll_overdue(cx).is_ready() {
            if !self.held.is_empty() {
                self.refuse(Refusal::TooSlow, buf);
            }
            // A client that never said anything needs no answer: nothing read is the end.
            return Poll::Ready(Some(Ok(())));
        }
        let start = buf.filled().len();
        if let Err(error) = ready!(Pin::new(&mut self.io).poll_read(cx, buf)) {
            return Poll::Ready(Some(Err(error)));
        }
        let fresh = buf.filled().get(start..).unwrap_or_default();
        if fresh.is_empty() {
            return Poll::Ready(Some(Ok(())));
        }
        if self.held.is_empty() {
            let At::Head(head) = &mut self.at else {
                return Poll::Ready(None);
            };
            // The common case: the whole head in one read stays where it is.
            match head.read(fresh, &self.limits) {
                Ok(Some((end, framing))) => {
                    self.held
                        .extend_from_slice(fresh.get(end..).unwrap_or_default());
                    buf.set_filled(start + end);
                    self.passed_head(framing);
                    return Poll::Ready(Some(Ok(())));
                }
                Ok(None) => {
                    self.held.extend_from_slice(fresh);
                    buf.set_filled(start);
                    return Poll::Ready(None);
                }
                Err(refusal) => {
                    buf.set_filled(start);
                    self.refuse(refusal, buf);
                    return Poll::Ready(Some(Ok(())));
                }
            }
        }
        self.held.extend_from_slice(fresh);
        buf.set_filled(start);
        Poll::Ready(self.pass_head(buf))
    }

    /// Reads the held head, and clears it for hyper if it is whole and good.
    fn pass_head(&mut self, buf: &mut ReadBuf<'_>) -> Option<io::Result<()>> {
        let At::Head(head) = &mut self.at else {
            return None;
        };
        match head.read(&self.held, &self.limits) {
            Ok(None) => None,
            Ok(Some((end, framing))) => {
                self.cleared = end;
                self.passed_head(framing);
                None
            }
            Err(refusal) => {
                self.refuse(refusal, buf);
                Some(Ok(()))
            }
        }
    }

    fn passed_head(&mut self, framing: Framing) {
        self.first = false;
        self.alarm = None;
        self.idle_since = None;
        self.at = match framing {
            Framing::Length(0) => At::Head(Head::default()),
            Framing::Length(length) => At::Length(length),
            Framing::Chunked => At::Chunks(Chunks::new(self.limits.headers)),
        };
    }

    fn refuse(&mut self, refusal: Refusal, buf: &mut ReadBuf<'_>) {
        // Set at most once: after it no head is read.
        let _ = self.verdict.0.set(refusal);
        self.at = At::Refused;
        self.held = STAND_IN.to_vec();
        self.cleared = STAND_IN.len().min(buf.remaining());
        self.give(self.cleared, buf);
        self.cleared = self.held.len();
    }

    fn poll_body(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let start = buf.filled().len();
        if self.held.is_empty() {
            ready!(Pin::new(&mut self.io).poll_read(cx, buf))?;
        } else {
            self.give(self.held.len().min(buf.remaining()), buf);
        }
        let fresh = buf.filled().get(start..).unwrap_or_default();
        let (good, over) = match &mut self.at {
            At::Length(left) => {
                let good = usize::try_from(*left)
                    .unwrap_or(usize::MAX)
                    .min(fresh.len());
                *left -= good as u64;
                (good, *left == 0)
            }
            At::Chunks(chunks) => match chunks.read(fresh) {
                Ok(good) => (good, chunks.is_over()),
                Err(NotChunks { good }) => {
                    self.at = At::Broken;
                    self.held = Vec::new();
                    buf.set_filled(start + good);
                    // Nothing given on would mean the end to hyper.
                    return Poll::Ready(if good == 0 {
                        Err(BodyFault::Malformed.into())
                    } else {
                        Ok(())
                    });
                }
            },
            _ => (fresh.len(), false),
        };
        if good < fresh.len() {
            let surplus = fresh.get(good..).unwrap_or_default();
            self.held.splice(..0, surplus.iter().copied());
            buf.set_filled(start + good);
        }
        if over {
            self.at = At::Head(Head::default());
        }
        Poll::Ready(Ok(()))
    }

    /// Gives `len` held bytes to hyper.
    fn give(&mut self, len: usize, buf: &mut ReadBuf<'_>) {
        buf.put_slice(self.held.get(..len).unwrap_or_default());
        if len == self.held.len() {
            // An idle connection keeps no buffer.
            self.held = Vec::new();
        } else {
            self.held.drain(..len);
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Screen<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        loop {
            if let Some(done) = ready!(self.poll_step(cx, buf)) {
                return Poll::Ready(done);
            }
        }
    }
}

impl<T: AsyncRead + AsyncWrite + Discard + Unpin> AsyncWrite for Screen<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.closed {
            ready!(Pin::new(&mut self.io).poll_shutdown(cx))?;
            self.closed = true;
            self.alarm = None;
        }
        let between =
            matches!(&self.at, At::Head(head) if head.is_untouched()) && self.held.is_empty();
        if !between {
            let this = &mut *self;
            let linger = this.linger.get_or_insert_with(Linger::new);
            ready!(linger.poll(&mut this.io, cx));
        }
        Poll::Ready(Ok(()))
    }
}
