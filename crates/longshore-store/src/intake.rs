//! Bodies on their way into an upload session.

use std::io;
use std::task::Poll;

use bytes::{Bytes, BytesMut};
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

/// Up to how many bytes of a body are held in memory before anything is made for it.
///
/// Of so little that breaks off nothing is kept, and nothing of it was acknowledged: to send it again costs less than a row, a file and
/// their removal, which whoever breaks off a thousand times a second would have us make (decision 0010).
pub(crate) const FIRST: u64 = 128 << 10;

/// How many parts of it are held as they came: each takes more than its bytes, and may pin a buffer larger than itself. What comes in
/// more of them, as from who sends byte by byte, is copied.
const PARTS: usize = 64;

/// What a session that holds nothing is brought.
pub(crate) enum First {
    /// All there is, and as much as was announced.
    Whole(Vec<Bytes>),
    /// More than is held in memory.
    Longer(ByteStream),
}

/// Receives a body until it is whole, or has more than `most` bytes.
///
/// # Errors
/// `BodyLost`, `SizeInvalid`, and what an edge put into the body.
pub(crate) async fn first(mut body: ByteStream, size: Option<u64>, most: u64) -> Result<First> {
    let (mut parts, mut rest, mut taken) = (Vec::new(), BytesMut::new(), 0_u64);
    while let Some(part) = body.try_next().await.map_err(broken_off)? {
        taken = taken.saturating_add(part.len() as u64);
        if size.is_some_and(|size| taken > size) {
            return Err(unlike("more"));
        }
        if taken > most {
            parts.extend(held(rest));
            parts.push(part);
            return Ok(First::Longer(before(parts, body)));
        }
        if parts.len() < PARTS {
            parts.push(part);
        } else {
            rest.extend_from_slice(&part);
        }
    }
    if size.is_some_and(|size| taken < size) {
        return Err(unlike("fewer"));
    }
    parts.extend(held(rest));
    Ok(First::Whole(parts))
}

/// What was copied, if anything was.
fn held(rest: BytesMut) -> Option<Bytes> {
    (!rest.is_empty()).then(|| rest.freeze())
}

/// Receives a body that was announced to have `size` bytes, few enough to be held.
pub(crate) async fn whole(body: ByteStream, size: u64) -> Result<Vec<Bytes>> {
    match first(body, Some(size), size).await? {
        First::Whole(parts) => Ok(parts),
        First::Longer(_) => Err(unlike("more")),
    }
}

/// How many bytes `parts` have.
pub(crate) fn total(parts: &[Bytes]) -> u64 {
    parts.iter().map(|part| part.len() as u64).sum()
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

#[cfg(test)]
mod tests {
    use longshore_core::body;

    use super::*;

    #[tokio::test]
    async fn what_comes_byte_by_byte_is_held_in_few_parts_and_in_its_order() {
        let content: Vec<u8> = (0..=255).cycle().take(1000).collect();
        let slowly = || {
            let parts = content.iter().map(|byte| Bytes::copy_from_slice(&[*byte]));
            before(parts.collect(), body::empty())
        };
        let Ok(First::Whole(parts)) = first(slowly(), None, 1000).await else {
            panic!("it is whole");
        };
        assert_eq!(parts.len(), PARTS + 1);
        assert_eq!(parts.concat(), content);
        let Ok(First::Longer(body)) = first(slowly(), None, 999).await else {
            panic!("it is longer");
        };
        let all: Vec<_> = body.try_collect().await.unwrap();
        assert_eq!(all.concat(), content);
    }
}
