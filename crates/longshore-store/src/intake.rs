//! Bodies on their way into an upload session.

use std::io;
use std::task::Poll;

use bytes::Bytes;
use futures_util::{FutureExt as _, StreamExt as _, TryStreamExt as _, stream};
use longshore_core::{ByteStream, Chunk, Code, Error, Result};
use tokio::sync::oneshot;

/// Ties a chunk to the call that brought it: when the returned guard is dropped, the chunk breaks off as if its sender
/// had, so that what arrived is kept and the session is let go.
pub(crate) fn while_asked(chunk: Chunk) -> (oneshot::Sender<()>, Chunk) {
    let (here, mut gone) = oneshot::channel();
    let mut body = chunk.body;
    let mut over = false;
    let body = stream::poll_fn(move |cx| {
        if over {
            return Poll::Ready(None);
        }
        if gone.poll_unpin(cx).is_ready() {
            over = true;
            return Poll::Ready(Some(Err(io::Error::from(io::ErrorKind::ConnectionAborted))));
        }
        body.as_mut().poll_next(cx)
    });
    (
        here,
        Chunk {
            body: Box::pin(body),
            ..chunk
        },
    )
}

/// Receives a body that was announced to have `size` bytes, few enough to be held.
pub(crate) async fn whole(body: &mut ByteStream, size: u64) -> Result<Vec<Bytes>> {
    let (mut parts, mut taken) = (Vec::new(), 0_u64);
    while let Some(part) = body.try_next().await.map_err(broken_off)? {
        taken = taken.saturating_add(part.len() as u64);
        if taken > size {
            return Err(unlike("more"));
        }
        parts.push(part);
    }
    if taken < size {
        return Err(unlike("fewer"));
    }
    Ok(parts)
}

/// Receives a body of unknown length as far as it has no more than `most` bytes. What came is given, and what makes it longer, if
/// that is how it goes on.
pub(crate) async fn few(body: &mut ByteStream, most: u64) -> Result<(Vec<Bytes>, Option<Bytes>)> {
    let (mut parts, mut taken) = (Vec::new(), 0_u64);
    while let Some(part) = body.try_next().await.map_err(broken_off)? {
        taken = taken.saturating_add(part.len() as u64);
        if taken > most {
            return Ok((parts, Some(part)));
        }
        parts.push(part);
    }
    Ok((parts, None))
}

fn unlike(what: &str) -> Error {
    Error::new(
        Code::SizeInvalid,
        format!("{what} bytes came than the request announced"),
    )
}

/// An item of a body that is an error: what an edge put into it, or that the sender is gone.
fn broken_off(error: io::Error) -> Error {
    match error.downcast::<Error>() {
        Ok(error) => error,
        Err(error) => {
            Error::new(Code::BodyLost, "the body broke off; go on from the offset").because(error)
        }
    }
}

/// The body that `parts` and then `rest` make.
pub(crate) fn before(parts: Vec<Bytes>, rest: ByteStream) -> ByteStream {
    Box::pin(stream::iter(parts.into_iter().map(Ok)).chain(rest))
}

/// Reads a body that was announced as empty; the blob store need not be troubled with it.
pub(crate) async fn nothing(mut body: ByteStream) -> Result<()> {
    match body.try_next().await {
        Ok(None) => Ok(()),
        Ok(Some(_)) => Err(Error::new(
            Code::SizeInvalid,
            "bytes came with a request that announced none",
        )),
        Err(error) => Err(broken_off(error)),
    }
}
