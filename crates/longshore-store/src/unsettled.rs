//! Blobs whose bytes are on their way to the disk.
//!
//! A blob is *staged* from its acknowledgement until its sync is recorded. Publishing it has started the sync of its
//! bytes; that of its name is asked for by whoever needs to know (a manifest, or housekeeping), for all blobs at once, so
//! that one sync of a directory serves all of them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared, join_all};
use longshore_blob::{BlobStore, Location};
use longshore_core::{Code, Error, Result};
use longshore_meta::{Durability, blobs};
use longshore_spec::digest::Digest;

use crate::store::Inner;

/// How many blobs are recorded in one go.
const BATCH: usize = 500;

/// Whether the bytes of a blob are safe; begins to find out when somebody asks, and answers everybody.
type Sync = Shared<BoxFuture<'static, bool>>;

/// The blobs whose sync is not recorded. In order, so that a simulation takes the same course each time.
#[derive(Debug, Default)]
pub(crate) struct Unsettled {
    map: Mutex<BTreeMap<Digest, Entry>>,
    /// How many of them were found, so that who reads need not look when there are none.
    found: AtomicUsize,
}

/// How a blob came to be followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// It was published by this process: its bytes are whole and on their way.
    Published,
    /// It was found staged when the store was opened: nobody knows yet whether its bytes are whole, and to find out may
    /// take as long as reading them.
    Found,
}

#[derive(Debug, Clone)]
struct Entry {
    generation: i64,
    origin: Origin,
    sync: Sync,
}

impl Unsettled {
    /// Follows a blob that was just published.
    pub(crate) fn add(
        &self,
        blobs: &Arc<dyn BlobStore>,
        digest: Digest,
        generation: i64,
        at: Location,
    ) {
        let blobs = blobs.clone();
        self.follow(digest, generation, Origin::Published, async move {
            blobs.sync(&at).await
        });
    }

    /// Follows whatever makes a staged blob safe.
    pub(crate) fn follow(
        &self,
        digest: Digest,
        generation: i64,
        origin: Origin,
        work: impl Future<Output = Result<()>> + Send + 'static,
    ) {
        let sync = work.map(move |end| {
            if let Err(error) = &end {
                tracing::error!(%digest, error = %longshore_core::error::Chain(error), "the bytes of a blob did not reach the disk; it is absent until it is pushed again");
            }
            end.is_ok()
        });
        let entry = Entry {
            generation,
            origin,
            sync: sync.boxed().shared(),
        };
        let mut map = self.map();
        // Two that replace each other may come here in the wrong order; the row holds the later one.
        if map
            .get(&digest)
            .is_none_or(|there| there.generation < generation)
        {
            if origin == Origin::Found {
                self.found.fetch_add(1, Ordering::Release);
            }
            let before = map.insert(digest, entry);
            self.left(before.as_ref());
        }
    }

    /// Counts an entry that is not followed any more.
    fn left(&self, entry: Option<&Entry>) {
        if entry.is_some_and(|entry| entry.origin == Origin::Found) {
            self.found.fetch_sub(1, Ordering::Release);
        }
    }

    /// Whether a blob that was found when the store was opened is whole; waits until that is known. True of all others.
    ///
    /// After a power cut its file may be there with other bytes in it, and nobody may be given those under its digest.
    pub(crate) async fn is_sound(&self, digest: &Digest) -> bool {
        if self.found.load(Ordering::Acquire) == 0 {
            return true;
        }
        let entry = self.map().get(digest).cloned();
        match entry.filter(|entry| entry.origin == Origin::Found) {
            Some(entry) => entry.sync.await,
            None => true,
        }
    }

    /// Whether a push of the same content may rely on this staged blob instead of the bytes it brought: not when it is
    /// still to be found out whether its bytes are whole, nor when their sync has failed.
    pub(crate) fn vouches(&self, digest: &Digest, generation: i64) -> bool {
        let map = self.map();
        map.get(digest).is_some_and(|entry| {
            entry.generation == generation
                && entry.origin == Origin::Published
                && entry.sync.peek() != Some(&false)
        })
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
        #[cfg(feature = "broken")]
        if longshore_blob::broken::is("manifest-before-blobs") {
            let hasty = found
                .iter()
                .map(|(digest, entry)| (*digest, entry.generation));
            return Ok(hasty.collect());
        }
        let mut safe = BTreeMap::new();
        for (digest, generation, is_safe) in ends(found).await {
            if !is_safe {
                return Err(Error::new(
                    Code::Unavailable,
                    format!("the blob {digest} could not be written to disk; push it again"),
                )
                .retry_after(std::time::Duration::from_secs(5)));
            }
            safe.insert(digest, generation);
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
                let before = map.remove(&digest);
                self.left(before.as_ref());
            }
        }
    }

    fn some(&self, origin: Origin) -> Vec<(Digest, Entry)> {
        self.map()
            .iter()
            .filter(|(_, entry)| entry.origin == origin)
            .take(BATCH)
            .map(|(digest, entry)| (*digest, entry.clone()))
            .collect()
    }

    fn map(&self) -> std::sync::MutexGuard<'_, BTreeMap<Digest, Entry>> {
        self.map.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for all of them at once, so that they share their syncs.
async fn ends(entries: Vec<(Digest, Entry)>) -> Vec<(Digest, i64, bool)> {
    join_all(
        entries
            .into_iter()
            .map(async |(digest, entry)| (digest, entry.generation, entry.sync.await)),
    )
    .await
}

impl Inner {
    /// Waits for the syncs of blobs that no manifest has asked for, and records them.
    pub(crate) async fn settle(&self, origin: Origin) -> Result<()> {
        loop {
            let some = self.unsettled.some(origin);
            if some.is_empty() {
                return Ok(());
            }
            let ended = ends(some).await;
            let done: Vec<_> = ended
                .iter()
                .map(|(digest, generation, _)| (*digest, *generation))
                .collect();
            let any_lost = ended.iter().any(|(.., is_safe)| !is_safe);
            self.db
                .write(Durability::Power, ended, |tx, ended| {
                    Box::pin(async move {
                        for (digest, generation, is_safe) in ended {
                            if *is_safe {
                                blobs::blob_settle(tx, digest, *generation).await?;
                            } else {
                                blobs::blob_lose(tx, digest, *generation).await?;
                            }
                        }
                        Ok(())
                    })
                })
                .await?;
            if any_lost {
                self.cache.content_lost();
            }
            self.unsettled.settled(done);
        }
    }
}
