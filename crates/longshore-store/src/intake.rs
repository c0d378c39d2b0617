//! Bodies on their way into an upload session.

use std::io;
use std::task::Poll;

use futures_util::{FutureExt as _, TryStreamExt as _, stream};
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

/// Reads a body that was announced as empty; the blob store need not be troubled with it.
pub(crate) async fn nothing(mut body: ByteStream) -> Result<()> {
    match body.try_next().await {
        Ok(None) => Ok(()),
        Ok(Some(_)) => Err(Error::new(
            Code::SizeInvalid,
            "bytes came with a request that announced none",
        )),
        Err(error) => Err(
            Error::new(Code::BodyLost, "the body broke off; go on from the offset").because(error),
        ),
    }
}
