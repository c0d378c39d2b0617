//! Taking up what an unclean stop left.
//!
//! Nothing here grows with what is stored: only rows that say *staged* are looked at, and sessions are freed by one
//! statement.

use longshore_core::{Code, Error, Result};
use longshore_meta::{Durability, blobs, uploads};
use longshore_spec::digest::{Digest, Hasher};

use futures_util::TryStreamExt;

use crate::blobs::location;
use crate::store::Inner;

impl Inner {
    /// Frees sessions of writers that are gone and finds out which staged blobs are whole.
    pub(crate) async fn recover(&self) -> Result<()> {
        self.db
            .write(Durability::Process, (), |tx, ()| {
                Box::pin(uploads::upload_forget_writers(tx))
            })
            .await?;
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
                let (blobs, at) = (self.blobs.clone(), location(&at)?);
                // Readers and manifests see it as before: staged, until this has come to its end.
                self.unsettled.follow(digest, generation, async move {
                    let mut body = blobs.read(&at, size, 0..size).await?;
                    let mut hasher = Hasher::new(digest.algorithm());
                    while let Some(part) = body.try_next().await.map_err(Error::internal)? {
                        hasher.update(&part);
                        tokio::task::yield_now().await;
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
