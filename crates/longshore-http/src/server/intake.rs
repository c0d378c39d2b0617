//! Request bodies as streams of bytes, with a least pace, and with words for how one can fail.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::Stream;
use http_body::Body;
use longshore_core::{ByteStream, Code};

use super::guard::Activity;
use super::options::Floor;
use super::pace::Pace;

/// How the body of a request failed. It travels inside of an [`io::Error`], see [`BodyFault::of`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyFault {
    /// The sender was slower than the [`Floor`].
    Slow,
    /// The sender broke off.
    Lost,
    /// What was sent is not a body: broken chunks.
    Malformed,
}

impl BodyFault {
    /// The fault inside of `error`, if that is what it is about.
    pub fn of(error: &io::Error) -> Option<BodyFault> {
        error.get_ref()?.downcast_ref().copied()
    }

    /// What it means to an operation that wanted the body.
    pub const fn code(self) -> Code {
        match self {
            BodyFault::Slow => Code::BodySlow,
            BodyFault::Lost | BodyFault::Malformed => Code::BodyLost,
        }
    }
}

impl fmt::Display for BodyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BodyFault::Slow => "the request body came too slowly",
            BodyFault::Lost => "the request body broke off before its end",
            BodyFault::Malformed => "the request body is not well formed",
        })
    }
}

impl StdError for BodyFault {}

impl From<BodyFault> for io::Error {
    fn from(fault: BodyFault) -> Self {
        let kind = match fault {
            BodyFault::Slow => io::ErrorKind::TimedOut,
            BodyFault::Lost => io::ErrorKind::UnexpectedEof,
            BodyFault::Malformed => io::ErrorKind::InvalidData,
        };
        io::Error::new(kind, fault)
    }
}

/// The body as a stream that holds its sender to `floor`. Each failure is a [`BodyFault`], and the last item.
pub(super) fn receive<B>(body: B, floor: Floor, activity: Option<Arc<Activity>>) -> ByteStream
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    if body.is_end_stream() {
        return longshore_core::body::empty();
    }
    Box::pin(Intake {
        body: Some(body),
        pace: Pace::new(floor),
        activity,
    })
}

struct Intake<B> {
    body: Option<B>,
    pace: Pace,
    activity: Option<Arc<Activity>>,
}

impl<B> Stream for Intake<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            let Some(body) = &mut this.body else {
                return Poll::Ready(None);
            };
            match Pin::new(body).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    // Trailers are not for us (G21), and an empty frame is no progress.
                    let Ok(bytes) = frame.into_data() else {
                        continue;
                    };
                    if bytes.is_empty() {
                        continue;
                    }
                    this.pace.moved(bytes.len());
                    if let Some(activity) = &this.activity {
                        activity.touch();
                    }
                    return Poll::Ready(Some(Ok(bytes)));
                }
                Poll::Ready(None) => {
                    this.body = None;
                    return Poll::Ready(None);
                }
                Poll::Ready(Some(Err(error))) => {
                    this.body = None;
                    return Poll::Ready(Some(Err(fault_in(error.into().as_ref()).into())));
                }
                Poll::Pending => {
                    if this.pace.poll_wait(cx).is_pending() {
                        return Poll::Pending;
                    }
                    this.body = None;
                    return Poll::Ready(Some(Err(BodyFault::Slow.into())));
                }
            }
        }
    }
}

/// What hyper reports, in our words: somewhere down the chain is the error of our own screen, or its own of a body it
/// could not decode.
fn fault_in(error: &(dyn StdError + 'static)) -> BodyFault {
    let mut next = Some(error);
    while let Some(cause) = next {
        if let Some(io) = cause.downcast_ref::<io::Error>() {
            if let Some(fault) = BodyFault::of(io) {
                return fault;
            }
            if matches!(
                io.kind(),
                io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput
            ) {
                return BodyFault::Malformed;
            }
        }
        next = cause.source();
    }
    BodyFault::Lost
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::time::Duration;

    use futures_util::{StreamExt, stream};
    use http_body::Frame;
    use http_body_util::StreamBody;

    use super::*;

    fn floor() -> Floor {
        Floor {
            idle: Duration::from_secs(30),
            ..Floor::default()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_stops_coming_is_slow_and_not_lost() {
        let frames = stream::iter([Ok::<_, Infallible>(Frame::data(Bytes::from_static(b"abc")))])
            .chain(stream::pending());
        let mut body = receive(StreamBody::new(frames), floor(), None);
        assert_eq!(body.next().await.unwrap().unwrap(), "abc");
        let error = body.next().await.unwrap().unwrap_err();
        assert_eq!(BodyFault::of(&error), Some(BodyFault::Slow));
        assert_eq!(BodyFault::Slow.code(), Code::BodySlow);
        assert!(body.next().await.is_none(), "nothing comes after a failure");
    }

    #[tokio::test]
    async fn a_body_whose_connection_breaks_is_lost() {
        let frames = stream::iter([
            Ok(Frame::data(Bytes::from_static(b"abc"))),
            Err(io::Error::from(io::ErrorKind::ConnectionReset)),
        ]);
        let mut body = receive(StreamBody::new(frames), floor(), None);
        assert!(body.next().await.unwrap().is_ok());
        assert_eq!(
            BodyFault::of(&body.next().await.unwrap().unwrap_err()),
            Some(BodyFault::Lost)
        );
    }

    #[tokio::test]
    async fn trailers_and_empty_frames_are_passed_over() {
        let frames = stream::iter([
            Ok::<_, Infallible>(Frame::data(Bytes::new())),
            Ok(Frame::data(Bytes::from_static(b"abc"))),
            Ok(Frame::trailers(http::HeaderMap::new())),
        ]);
        let body = receive(StreamBody::new(frames), floor(), None);
        assert_eq!(
            body.map(|piece| piece.unwrap()).collect::<Vec<_>>().await,
            ["abc"]
        );
    }
}
