//! The body of every response.
//!
//! A body is made of plain [`Bytes`]. Some of them are regions: stretches of a file that are mapped, but meant for the
//! kernel's eyes only. On a connection that knows sendfile they go down untouched; on any other (TLS, HTTP/2) the server
//! turns them into reads before they get here, because touching a mapping stalls the worker on a cold page and kills
//! the process on a file that was cut short.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use longshore_core::ByteStream;

use super::buffers::Piece;
use super::copied::Copied;
use super::guard::Flight;

/// The body of a response: nothing, one piece, or a stream.
///
/// A stream with a known length must have exactly that: more or less is an error, and the connection is cut, so that
/// the client can tell.
pub struct Body {
    kind: Kind,
    passed: u64,
    done: Option<Done>,
    /// Ends the request's flight when the body is dropped.
    flight: Option<Flight>,
}

enum Kind {
    Empty,
    Whole(Bytes),
    Stream {
        stream: ByteStream,
        left: Option<u64>,
    },
}

/// How a body ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    /// Bytes that were handed to the connection. The last of them may still have been on their way.
    pub bytes: u64,
    /// Whether that was all of them; `false` when the client went away or the source failed.
    pub whole: bool,
}

struct Done(Option<Box<dyn FnOnce(Sent) + Send>>);

impl Body {
    /// Nothing.
    pub fn empty() -> Self {
        Self::of(Kind::Empty)
    }

    fn of(kind: Kind) -> Self {
        Self {
            kind,
            passed: 0,
            done: None,
            flight: None,
        }
    }

    /// A stream of bytes; `len` where it is known, else an HTTP/1.1 client gets chunks.
    pub fn stream(stream: ByteStream, len: Option<u64>) -> Self {
        Self::of(Kind::Stream { stream, left: len })
    }

    /// Calls `f` once when the body has ended, one way or another. The body of an answer to `HEAD`, or one that is
    /// never asked for, ends with what was passed on till then.
    #[must_use]
    pub fn when_done(mut self, f: impl FnOnce(Sent) + Send + 'static) -> Self {
        self.done = Some(Done(Some(Box::new(f))));
        self
    }

    /// The length, where it is known.
    pub fn len(&self) -> Option<u64> {
        match &self.kind {
            Kind::Empty => Some(0),
            Kind::Whole(bytes) => Some(bytes.len() as u64),
            Kind::Stream { left, .. } => *left,
        }
    }

    /// Whether there is certainly nothing in it.
    pub fn is_empty(&self) -> bool {
        self.len() == Some(0)
    }

    /// The same body for a connection that must not see regions, in pieces of that size.
    pub(super) fn without_regions(mut self, piece: Piece) -> Self {
        self.kind = match std::mem::replace(&mut self.kind, Kind::Empty) {
            Kind::Whole(bytes) if longshore_region::find(&bytes).is_some() => {
                let left = Some(bytes.len() as u64);
                Kind::Stream {
                    stream: Box::pin(Copied::new(longshore_core::body::once(bytes), piece)),
                    left,
                }
            }
            Kind::Stream { stream, left } => Kind::Stream {
                stream: Box::pin(Copied::new(stream, piece)),
                left,
            },
            kind => kind,
        };
        self
    }

    pub(super) fn in_flight(mut self, flight: Flight) -> Self {
        self.flight = Some(flight);
        self
    }

    fn next(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        match &mut self.kind {
            Kind::Empty => Poll::Ready(None),
            Kind::Whole(bytes) => {
                let bytes = std::mem::take(bytes);
                self.kind = Kind::Empty;
                Poll::Ready(if bytes.is_empty() {
                    None
                } else {
                    Some(Ok(bytes))
                })
            }
            Kind::Stream { stream, left } => {
                let item = std::task::ready!(stream.as_mut().poll_next(cx));
                Poll::Ready(match (item, left) {
                    (Some(Ok(bytes)), Some(left)) => match left.checked_sub(bytes.len() as u64) {
                        Some(rest) => {
                            *left = rest;
                            Some(Ok(bytes))
                        }
                        None => Some(Err(io::Error::new(
                            io::ErrorKind::InvalidData,
                            "the body is longer than announced",
                        ))),
                    },
                    (None, Some(1..)) => Some(Err(io::Error::new(
                        io::ErrorKind::UnexpectedEof,
                        "the body is shorter than announced",
                    ))),
                    (item, _) => item,
                })
            }
        }
    }

    fn is_over(&self) -> bool {
        matches!(&self.kind, Kind::Empty | Kind::Stream { left: Some(0), .. })
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let this = &mut *self;
        let item = std::task::ready!(this.next(cx));
        if let Some(flight) = &this.flight {
            flight.touch();
        }
        Poll::Ready(match item {
            Some(Ok(bytes)) => {
                this.passed += bytes.len() as u64;
                Some(Ok(Frame::data(bytes)))
            }
            Some(Err(error)) => {
                // Nothing may follow a failure, and what is left must not count as an end.
                if let Some(done) = &mut this.done {
                    done.call(Sent {
                        bytes: this.passed,
                        whole: false,
                    });
                }
                this.kind = Kind::Empty;
                Some(Err(error))
            }
            None => {
                this.kind = Kind::Empty;
                None
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Empty => true,
            Kind::Whole(bytes) => bytes.is_empty(),
            // Even a stream of no bytes is polled once, for it may have a failure to tell.
            Kind::Stream { .. } => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.len()
            .map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

impl Done {
    fn call(&mut self, sent: Sent) {
        if let Some(f) = self.0.take() {
            f(sent);
        }
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        let sent = Sent {
            bytes: self.passed,
            whole: self.is_over(),
        };
        if let Some(done) = &mut self.done {
            done.call(sent);
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body")
            .field("len", &self.len())
            .field("passed", &self.passed)
            .finish_non_exhaustive()
    }
}

impl Default for Body {
    fn default() -> Self {
        Self::empty()
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self::of(Kind::Whole(bytes))
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::from(bytes).into()
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Bytes::from(text).into()
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Bytes::from_static(text.as_bytes()).into()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use futures_util::stream;
    use http_body_util::BodyExt;

    use super::*;

    fn pieces(pieces: &'static [&'static str]) -> ByteStream {
        Box::pin(stream::iter(
            pieces
                .iter()
                .map(|piece| Ok(Bytes::from_static(piece.as_bytes()))),
        ))
    }

    #[tokio::test]
    async fn a_stream_that_ends_early_is_a_failure_and_not_an_end() {
        let (tx, rx) = mpsc::channel();
        let body =
            Body::stream(pieces(&["abc"]), Some(5)).when_done(move |sent| tx.send(sent).unwrap());
        let error = body.collect().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        assert_eq!(
            rx.try_recv(),
            Ok(Sent {
                bytes: 3,
                whole: false
            })
        );
        assert!(rx.try_recv().is_err(), "told once only");
    }

    #[tokio::test]
    async fn a_stream_with_more_than_announced_is_a_failure_before_the_surplus_is_passed_on() {
        let error = Body::stream(pieces(&["abc", "def"]), Some(5))
            .collect()
            .await
            .unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }

    #[tokio::test]
    async fn a_whole_body_has_an_exact_size_and_tells_its_end() {
        use http_body::Body as _;
        let (tx, rx) = mpsc::channel();
        let body = Body::from("hello").when_done(move |sent| tx.send(sent).unwrap());
        assert_eq!(body.size_hint().exact(), Some(5));
        assert_eq!(body.collect().await.unwrap().to_bytes(), "hello");
        assert_eq!(
            rx.try_recv(),
            Ok(Sent {
                bytes: 5,
                whole: true
            })
        );
    }

    #[test]
    fn a_body_dropped_on_the_way_is_not_whole() {
        let (tx, rx) = mpsc::channel();
        drop(Body::stream(pieces(&["abc"]), None).when_done(move |sent| tx.send(sent).unwrap()));
        assert_eq!(
            rx.try_recv(),
            Ok(Sent {
                bytes: 0,
                whole: false
            })
        );
    }
}
