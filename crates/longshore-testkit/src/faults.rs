//! Bodies that go wrong: that break off, that never come, that come in drops.
//!
//! Nothing here sleeps: a test decides when a stalled body goes on.

use std::io;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use longshore_core::ByteStream;

/// All of `bytes`, then a broken connection instead of the end.
pub fn breaks_after(bytes: Bytes) -> ByteStream {
    let broken = io::Error::new(io::ErrorKind::ConnectionReset, "the sender is gone");
    Box::pin(stream::iter([Ok(bytes), Err(broken)]))
}

/// All of `bytes`, then nothing, for ever.
pub fn stalls_after(bytes: Bytes) -> ByteStream {
    Box::pin(stream::iter([Ok(bytes)]).chain(stream::pending()))
}

/// `bytes` in pieces of at most `size` bytes (at least 1), each after the task has yielded once.
pub fn trickles(bytes: Bytes, size: usize) -> ByteStream {
    let size = size.max(1);
    Box::pin(stream::unfold(bytes, move |mut rest| async move {
        if rest.is_empty() {
            return None;
        }
        tokio::task::yield_now().await;
        let piece = rest.split_to(size.min(rest.len()));
        Some((Ok(piece), rest))
    }))
}

/// `bytes`, of which the last part comes when `go` is fulfilled: to hold a request open while others run.
pub fn waits_before_the_end(
    bytes: Bytes,
    go: impl Future<Output = ()> + Send + 'static,
) -> ByteStream {
    let mut first = bytes;
    let rest = first.split_off(first.len() / 2);
    let late = stream::once(async move {
        go.await;
        Ok(rest)
    });
    Box::pin(stream::iter([Ok(first)]).chain(late))
}

#[cfg(test)]
mod tests {
    use futures_util::TryStreamExt;

    use super::*;

    #[tokio::test]
    async fn a_trickle_is_the_whole_in_small_pieces() {
        let pieces: Vec<Bytes> = trickles(Bytes::from_static(b"hello"), 2)
            .try_collect()
            .await
            .unwrap();
        assert_eq!(pieces, [&b"he"[..], b"ll", b"o"]);
    }

    #[tokio::test]
    async fn a_break_gives_everything_before_it() {
        let mut body = breaks_after(Bytes::from_static(b"hello"));
        assert_eq!(body.next().await.unwrap().unwrap(), "hello");
        assert!(body.next().await.unwrap().is_err());
    }
}
