//! Blobs whose bytes are on their way to the disk.
//!
//! A blob is *staged* from its acknowledgement until its sync is recorded. Publishing it has started the sync of its
//! bytes; that of its name is asked for by whoever needs to know (a manifest, or housekeeping), for all blobs at once, so
//! that one sync of a directory serves all of them.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared, join_all};
use longshore_blob::{BlobStore, Location};
use longshore_core::error::Chain;
use longshore_core::{Code, Error, Result};
use longshore_meta::blobs::BlobState;
use longshore_meta::{Durability, blobs};
use longshore_spec::digest::Digest;
use tokio::sync::Semaphore;

use crate::store::Inner;

/// How many blobs are recorded in one go.
const BATCH: usize = 500;

/// How many blobs that were found are read at once.
const READERS: usize = 2;
/// How long after a read error a blob that was found is read again.
const AGAIN: Duration = Duration::from_secs(5);

/// What became of the bytes of a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// They are whole and on the disk.
    Safe,
    /// They are not those of the digest, or their sync failed: the blob is absent until it is pushed again.
    Lost,
    /// The disk gave an error when they were read, which says nothing about them.
    Unread,
}

/// Finds out what becomes of the bytes of a blob when somebody asks, and answers everybody.
type Sync = Shared<BoxFuture<'static, End>>;

/// The blobs whose sync is not recorded. In order, so that a simulation takes the same course each time.
#[derive(Debug)]
pub(crate) struct Unsettled {
    map: Mutex<BTreeMap<Digest, Entry>>,
    /// Turns to read what was found.
    pub(crate) readers: Arc<Semaphore>,
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

impl Default for Unsettled {
    fn default() -> Self {
        Self {
            map: Mutex::default(),
            readers: Arc::new(Semaphore::new(READERS)),
            found: AtomicUsize::new(0),
        }
    }
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
            sync(&*blobs, &digest, &at).await
        });
    }

    /// Follows whatever makes a staged blob safe. It takes the place of an earlier generation, and of a check that could not
    /// read.
    pub(crate) fn follow(
        &self,
        digest: Digest,
        generation: i64,
        origin: Origin,
        work: impl Future<Output = End> + Send + 'static,
    ) {
        let entry = Entry {
            generation,
            origin,
            sync: work.boxed().shared(),
        };
        let mut map = self.map();
        // Two that replace each other may come here in the wrong order; the row holds the later one.
        if map
            .get(&digest)
            .is_none_or(|there| there.generation < generation || there.is_open(generation))
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
    ///
    /// # Errors
    /// `Unavailable` when it cannot be read just now.
    pub(crate) async fn is_sound(&self, digest: &Digest) -> Result<bool> {
        if self.found.load(Ordering::Acquire) == 0 {
            return Ok(true);
        }
        let entry = self.map().get(digest).cloned();
        match entry.filter(|entry| entry.origin == Origin::Found) {
            Some(entry) => match entry.sync.await {
                End::Safe => Ok(true),
                End::Lost => Ok(false),
                End::Unread => Err(unread(digest)),
            },
            None => Ok(true),
        }
    }

    /// Whether a push of the same content may rely on this staged blob instead of the bytes it brought: not when it is
    /// still to be found out whether its bytes are whole, nor when their sync has failed.
    pub(crate) fn vouches(&self, digest: &Digest, generation: i64) -> bool {
        let map = self.map();
        map.get(digest).is_some_and(|entry| {
            entry.generation == generation
                && entry.origin == Origin::Published
                && entry.sync.peek() != Some(&End::Lost)
        })
    }

    /// Waits for the syncs of these blobs and gives the generations that are safe now; others are not its business.
    ///
    /// # Errors
    /// `Unavailable` when one of them was lost, or cannot be read just now.
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
        for (digest, generation, end) in ends(found).await {
            match end {
                End::Safe => safe.insert(digest, generation),
                End::Unread => return Err(unread(&digest)),
                End::Lost => {
                    let what =
                        format!("the blob {digest} could not be written to disk; push it again");
                    return Err(Error::new(Code::Unavailable, what).retry_after(AGAIN));
                }
            };
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

    fn some(&self, origin: Origin, after: Option<&Digest>) -> Vec<(Digest, Entry)> {
        let after = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.map()
            .range((after, Bound::Unbounded))
            .filter(|(_, entry)| entry.origin == origin)
            .take(BATCH)
            .map(|(digest, entry)| (*digest, entry.clone()))
            .collect()
    }

    fn map(&self) -> std::sync::MutexGuard<'_, BTreeMap<Digest, Entry>> {
        self.map.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    /// Whether it is this generation's and could not be read.
    fn is_open(&self, generation: i64) -> bool {
        self.generation == generation && self.sync.peek() == Some(&End::Unread)
    }
}

/// The end of a sync. One that failed leaves bytes in doubt for good, whatever the next one says.
pub(crate) async fn sync(blobs: &dyn BlobStore, digest: &Digest, at: &Location) -> End {
    match blobs.sync(at).await {
        Ok(()) => End::Safe,
        Err(error) => {
            tracing::error!(%digest, error = %Chain(&error), "the bytes of a blob did not reach the disk; it is absent until it is pushed again");
            End::Lost
        }
    }
}

fn unread(digest: &Digest) -> Error {
    let what = format!("the blob {digest} cannot be read just now; ask again, or push it again");
    Error::new(Code::Unavailable, what).retry_after(AGAIN)
}

/// Waits for all of them at once, so that they share their syncs.
async fn ends(entries: Vec<(Digest, Entry)>) -> Vec<(Digest, i64, End)> {
    join_all(
        entries
            .into_iter()
            .map(async |(digest, entry)| (digest, entry.generation, entry.sync.await)),
    )
    .await
}

impl Inner {
    /// Waits for the syncs of blobs that no manifest has asked for, and records them. What could not be read is read again.
    pub(crate) async fn settle(&self, origin: Origin) -> Result<()> {
        let (mut after, mut unread) = (None, Vec::new());
        loop {
            let some = self.unsettled.some(origin, after.as_ref());
            let Some((last, _)) = some.last() else { break };
            after = Some(*last);
            let (open, ended): (Vec<_>, Vec<_>) = ends(some)
                .await
                .into_iter()
                .partition(|(.., end)| *end == End::Unread);
            unread.extend(
                open.into_iter()
                    .map(|(digest, generation, _)| (digest, generation)),
            );
            if !ended.is_empty() {
                self.record_ends(ended).await?;
            }
        }
        if unread.is_empty() {
            return Ok(());
        }
        tokio::time::sleep(AGAIN).await;
        for (digest, generation) in unread {
            let row = self
                .db
                .read(&digest, |tx, digest| Box::pin(blobs::blob_get(tx, digest)))
                .await?;
            match row.filter(|row| row.generation == generation && row.state == BlobState::Staged) {
                Some(row) => self.find_out(digest, row.size, &row.location, generation)?,
                // Somebody pushed or deleted it meanwhile.
                None => self.unsettled.settled([(digest, generation)]),
            }
        }
        Ok(())
    }

    async fn record_ends(&self, ended: Vec<(Digest, i64, End)>) -> Result<()> {
        let done: Vec<_> = ended
            .iter()
            .map(|(digest, generation, _)| (*digest, *generation))
            .collect();
        let any_lost = ended.iter().any(|(.., end)| *end == End::Lost);
        self.db
            .write(Durability::Power, ended, |tx, ended| {
                Box::pin(async move {
                    for (digest, generation, end) in ended {
                        if *end == End::Safe {
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
        Ok(())
    }
}
