//! Bodies: streams of bytes whose end can be told from their loss.

use std::io;
use std::pin::Pin;

use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream;

/// A body on its way. An `Err` item says that the sender broke off: what came before is not the whole.
pub type ByteStream = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

/// A body with nothing in it.
pub fn empty() -> ByteStream {
    Box::pin(stream::empty())
}

/// A body of one piece.
pub fn once(bytes: Bytes) -> ByteStream {
    if bytes.is_empty() {
        empty()
    } else {
        Box::pin(stream::iter([Ok(bytes)]))
    }
}
