//! Taking up what an unclean stop left.
//!
//! Nothing here grows with what is stored: only rows that say *staged* are looked at, and sessions are freed by one
//! statement.

use std::sync::Arc;

use longshore_blob::Unpaced;
use longshore_core::{Code, Error, Result};
use longshore_meta::time::{micros, span};
use longshore_meta::{Durability, blobs, uploads};
use longshore_spec::digest::Digest;
use tokio::sync::Semaphore;

use crate::place::Place;
use crate::store::Inner;
use crate::unsettled::Origin;

/// How many blobs are read at once; requests come first.
const READERS: usize = 2;

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
                // Readers and manifests wait until this has come to its end.
                self.unsettled
                    .follow(digest, generation, Origin::Found, async move {
                        let _turn = readers.acquire().await.map_err(Error::internal)?;
                        #[cfg(feature = "broken")]
                        if longshore_blob::broken::is("trust-staged") {
                            return blobs.sync(&at).await;
                        }
                        let found = blobs.digest(&at, digest.algorithm(), &Unpaced).await?;
                        if found != Some((size, digest)) {
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
