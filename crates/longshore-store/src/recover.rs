//! Taking up what an unclean stop left.
//!
//! Nothing here grows with what is stored: only rows that say *staged* are looked at, and sessions are freed by one
//! statement.

use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use longshore_core::{Code, Error, Result};
use longshore_meta::time::{micros, span};
use longshore_meta::{Durability, blobs, uploads};
use longshore_spec::digest::{Digest, Hasher};
use tokio::sync::Semaphore;

use crate::place::Place;
use crate::store::Inner;
use crate::unsettled::Origin;

/// How many blobs are read at once; requests come first.
const READERS: usize = 2;
/// How much is read and hashed in one go, in bytes.
const PIECE: usize = 128 << 10;

impl Inner {
    /// Frees sessions of writers that are gone and finds out which staged blobs are whole.
    pub(crate) async fn recover(&self) -> Result<()> {
        let lease = span(self.options.session_lease);
        let since = micros((self.clock)()).saturating_sub(lease);
        self.db
            .write(Durability::Process, since, |tx, since| {
                Box::pin(uploads::upload_forget_writers(tx, *since))
            })
            .await?;
        let readers = Arc::new(Semaphore::new(READERS));
        let mut after: Option<Digest> = None;
        loop {
            let staged = self
                .db
                .read(&after, |tx, after| {
                    Box::pin(blobs::blob_staged(tx, after.as_ref(), 500))
                })
                .await?;
            let Some((last, ..)) = staged.last() else {
                return Ok(());
            };
            after = Some(*last);
            for (digest, size, at, generation) in staged {
                tracing::info!(%digest, "checking a blob that was on its way to the disk at the last stop");
                // A body is as safe as its row: it is never staged.
                let Place::Stored(at) = Place::of(&at)? else {
                    continue;
                };
                let (blobs, readers) = (self.blobs.clone(), readers.clone());
                // Readers and manifests see it as before: staged, until this has come to its end.
                self.unsettled
                    .follow(digest, generation, Origin::Found, async move {
                        let mut body = blobs.read(&at, size, 0..size).await?;
                        let mut hasher = Hasher::new(digest.algorithm());
                        while let Some(part) = body.try_next().await.map_err(Error::internal)? {
                            let _turn = readers.acquire().await.map_err(Error::internal)?;
                            hasher = tokio::task::spawn_blocking(move || hash(hasher, &part))
                                .await
                                .map_err(Error::internal)??;
                        }
                        if hasher.finish() != digest {
                            return Err(Error::new(
                                Code::Internal,
                                "the bytes are not those of the digest",
                            ));
                        }
                        blobs.sync(&at).await
                    });
            }
        }
    }
}

/// Adds a part of a body to the hash. A part of a file is read, not touched: what a disk cannot give after a power cut is
/// an error to read and the end of the process to touch.
fn hash(mut hasher: Hasher, part: &Bytes) -> Result<Hasher> {
    let Some(place) = longshore_region::find(part) else {
        hasher.update(part);
        return Ok(hasher);
    };
    let mut buffer = vec![0; PIECE.min(place.len)];
    let mut done = 0;
    while done < place.len {
        let want = PIECE.min(place.len - done);
        let piece = buffer.get_mut(..want).unwrap_or_default();
        place
            .file
            .read_exact_at(piece, place.offset + done as u64)
            .map_err(|error| {
                Error::new(Code::Unavailable, "the registry's storage fails just now")
                    .because(error)
            })?;
        hasher.update(piece);
        done += want;
    }
    Ok(hasher)
}
