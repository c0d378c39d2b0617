//! Taking up what an unclean stop left.
//!
//! Nothing here grows with what is stored: only rows that say *staged* are looked at, and sessions are freed by one
//! statement.

use longshore_blob::Unpaced;
use longshore_core::Result;
use longshore_core::error::Chain;
use longshore_meta::time::{micros, span};
use longshore_meta::{Durability, blobs, uploads};
use longshore_spec::digest::Digest;

use crate::place::Place;
use crate::store::Inner;
use crate::unsettled::{End, Origin, sync};

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
                self.find_out(digest, size, &at, generation)?;
            }
        }
    }

    /// Has it found out whether a staged blob is whole. Readers and manifests wait until that is known.
    pub(crate) fn find_out(
        &self,
        digest: Digest,
        size: u64,
        at: &str,
        generation: i64,
    ) -> Result<()> {
        // A body is as safe as its row: it is never staged.
        let Place::Stored(at) = Place::of(at)? else {
            return Ok(());
        };
        let (blobs, readers) = (self.blobs.clone(), self.unsettled.readers.clone());
        self.unsettled
            .follow(digest, generation, Origin::Found, async move {
                // Requests come first.
                let Ok(_turn) = readers.acquire().await else {
                    return End::Unread;
                };
                #[cfg(feature = "broken")]
                if longshore_blob::broken::is("trust-staged") {
                    return sync(&*blobs, &digest, &at).await;
                }
                match blobs.digest(&at, digest.algorithm(), &Unpaced).await {
                    Ok(found) if found == Some((size, digest)) => sync(&*blobs, &digest, &at).await,
                    Ok(_) => {
                        tracing::error!(%digest, "the bytes of a blob did not survive the last stop; it is absent until it is pushed again");
                        End::Lost
                    }
                    Err(error) => {
                        tracing::warn!(%digest, error = %Chain(&error), "a blob that was on its way to the disk cannot be read; it is read again soon");
                        End::Unread
                    }
                }
            });
        Ok(())
    }
}
