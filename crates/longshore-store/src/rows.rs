//! Small blobs whose bytes are a row.
//!
//! A small image is bound by what each of its blobs costs, and most of that is the file: to make it, to name it and to sync
//! it. Bytes that are part of the blob's transaction cost none of this, and are as durable as the row that names them.
//! Decision 0011 has the figures.

use std::ops::Range;

use bytes::Bytes;
use longshore_core::{ByteStream, Code, Error, Result, body};
use longshore_meta::bodies;
use longshore_spec::digest::Digest;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::cache::Seen;
use crate::store::Inner;

/// Bodies that were read lately. An id may come again, so the digest is part of the key.
#[derive(Debug)]
pub(crate) struct Bodies(Cache<(i64, Digest), Bytes, Size>);

/// About how many bytes a body takes.
#[derive(Debug, Clone)]
struct Size;

impl Weighter<(i64, Digest), Bytes> for Size {
    fn weight(&self, _: &(i64, Digest), bytes: &Bytes) -> u64 {
        bytes.len() as u64 + 200
    }
}

impl Bodies {
    /// Room for that many bytes.
    pub(crate) fn new(most: u64) -> Self {
        let bodies = usize::try_from(most / 4096).unwrap_or(usize::MAX);
        Self(Cache::with_weighter(bodies, most, Size))
    }
}

impl Inner {
    /// A part of a blob whose bytes are the body `id`.
    pub(crate) async fn read_row(
        &self,
        digest: &Digest,
        seen: &Seen,
        id: i64,
        range: Range<u64>,
    ) -> Result<ByteStream> {
        let key = (id, *digest);
        let bytes = if let Some(bytes) = self.bodies.0.get(&key) {
            bytes
        } else {
            let Some(bytes) = self.body(id, digest).await? else {
                self.damaged(digest, seen).await?;
                return Err(Error::new(
                    Code::Internal,
                    "the registry has lost content it should have",
                )
                .because(format!("the body {id} is gone or damaged")));
            };
            self.bodies.0.insert(key, bytes.clone());
            bytes
        };
        let within = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
        let (start, end) = (within(range.start), within(range.end));
        Ok(body::once(bytes.slice(start.min(end)..end)))
    }

    /// The body of that id; `None` when it is gone or its bytes are not those of the digest. Whoever is told of them may
    /// rely on them.
    pub(crate) async fn body(&self, id: i64, digest: &Digest) -> Result<Option<Bytes>> {
        let bytes = self
            .db
            .read(&(id, *digest), |tx, (id, digest)| {
                Box::pin(bodies::body_get(tx, *id, digest))
            })
            .await?;
        Ok(bytes
            .filter(|bytes| Digest::of(digest.algorithm(), bytes) == *digest)
            .map(Bytes::from))
    }
}
