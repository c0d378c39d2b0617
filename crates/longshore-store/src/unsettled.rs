//! Blobs whose bytes are on their way to the disk.
//!
//! A blob is *staged* from its acknowledgement until its sync is recorded. Its sync begins at once; a manifest that
//! needs it waits here for the end of that sync.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use longshore_blob::{BlobStore, Location};
use longshore_core::{Code, Error, Result};
use longshore_meta::{Durability, blobs};
use longshore_spec::digest::Digest;
use tokio::sync::watch;

use crate::store::Inner;

/// How a sync stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sync {
    Running,
    Safe,
    Lost,
}

/// The blobs whose sync is not recorded.
#[derive(Debug, Default)]
pub(crate) struct Unsettled(Mutex<HashMap<Digest, Entry>>);

#[derive(Debug, Clone)]
struct Entry {
    generation: i64,
    sync: watch::Receiver<Sync>,
}

impl Unsettled {
    /// Follows the sync of a blob that was just published.
    pub(crate) fn add(
        &self,
        blobs: &Arc<dyn BlobStore>,
        digest: Digest,
        generation: i64,
        at: Location,
    ) {
        let blobs = blobs.clone();
        self.follow(digest, generation, async move { blobs.sync(&at).await });
    }

    /// Follows whatever makes a staged blob safe.
    pub(crate) fn follow(
        &self,
        digest: Digest,
        generation: i64,
        work: impl Future<Output = Result<()>> + Send + 'static,
    ) {
        let (tell, sync) = watch::channel(Sync::Running);
        self.map().insert(digest, Entry { generation, sync });
        tokio::spawn(async move {
            let end = work.await;
            if let Err(error) = &end {
                tracing::error!(%digest, error = %longshore_core::error::Chain(error), "the bytes of a blob did not reach the disk; it is absent until it is pushed again");
            }
            let _ = tell.send(if end.is_ok() { Sync::Safe } else { Sync::Lost });
        });
    }

    /// Waits for the syncs of these blobs and gives the generations that are safe now; others are not its business.
    ///
    /// # Errors
    /// `Unavailable` when one of them was lost.
    pub(crate) async fn wait(&self, digests: &[Digest]) -> Result<BTreeMap<Digest, i64>> {
        let found: Vec<_> = {
            let map = self.map();
            if map.is_empty() {
                return Ok(BTreeMap::new());
            }
            digests
                .iter()
                .filter_map(|digest| Some((*digest, map.get(digest)?.clone())))
                .collect()
        };
        let mut safe = BTreeMap::new();
        for (digest, mut entry) in found {
            let end = entry
                .sync
                .wait_for(|sync| *sync != Sync::Running)
                .await
                .map_or(Sync::Lost, |sync| *sync);
            if end == Sync::Lost {
                return Err(Error::new(
                    Code::Unavailable,
                    format!("the blob {digest} could not be written to disk; push it again"),
                )
                .retry_after(std::time::Duration::from_secs(5)));
            }
            safe.insert(digest, entry.generation);
        }
        Ok(safe)
    }

    /// Forgets these, now that they are recorded.
    pub(crate) fn settled(&self, done: impl IntoIterator<Item = (Digest, i64)>) {
        let mut map = self.map();
        for (digest, generation) in done {
            if map
                .get(&digest)
                .is_some_and(|entry| entry.generation == generation)
            {
                map.remove(&digest);
            }
        }
    }

    /// What has come to its end and is not recorded.
    fn ended(&self) -> Vec<(Digest, i64, Sync)> {
        let map = self.map();
        map.iter()
            .map(|(digest, entry)| (*digest, entry.generation, *entry.sync.borrow()))
            .filter(|(.., sync)| *sync != Sync::Running)
            .take(500)
            .collect()
    }

    fn waiting(&self) -> Vec<Digest> {
        self.map().keys().copied().collect()
    }

    fn map(&self) -> std::sync::MutexGuard<'_, HashMap<Digest, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Records syncs that have come to their end, for blobs no manifest has asked for.
    pub(crate) async fn settle(&self) -> Result<()> {
        loop {
            let ended = self.unsettled.ended();
            if ended.is_empty() {
                return Ok(());
            }
            let done: Vec<_> = ended
                .iter()
                .map(|(digest, generation, _)| (*digest, *generation))
                .collect();
            self.db
                .write(Durability::Power, ended, |tx, ended| {
                    Box::pin(async move {
                        for (digest, generation, sync) in ended {
                            match sync {
                                Sync::Safe => blobs::blob_settle(tx, digest, *generation).await?,
                                Sync::Lost => blobs::blob_lose(tx, digest, *generation).await?,
                                Sync::Running => {}
                            }
                        }
                        Ok(())
                    })
                })
                .await?;
            self.unsettled.settled(done);
        }
    }

    /// Waits for all syncs under way and records them.
    pub(crate) async fn settle_all(&self) -> Result<()> {
        for digest in self.unsettled.waiting() {
            // One that was lost is recorded as lost below.
            let _ = self.unsettled.wait(&[digest]).await;
        }
        self.settle().await
    }
}
