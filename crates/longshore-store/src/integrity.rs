//! What is known of the bytes that are kept: which can be trusted, which were found damaged, and how often.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use longshore_blob::{BlobStore, Location};
use longshore_core::Result;
use longshore_meta::blobs::{self, BlobRow, BlobState};
use longshore_meta::time::span;
use longshore_meta::{Db, Durability};
use longshore_spec::digest::Digest;

use crate::place::Place;
use crate::store::Inner;

/// For how long a blob that was seen to be whole is believed to be so when it is pushed again.
const TRUSTED: Duration = Duration::from_hours(30 * 24);

/// How many blobs that gave trouble are remembered.
const SUSPECTS: usize = 1024;

/// A span of time, in microseconds, whose blobs are doubtful: they may have been on their way to the disk when the machine
/// went down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Doubt {
    pub(crate) since: i64,
    pub(crate) until: i64,
}

impl Doubt {
    /// Whether a blob that was last seen whole at `verified` is meant.
    pub(crate) fn covers(self, verified: i64) -> bool {
        (self.since..self.until).contains(&verified)
    }
}

/// What was found so far, by whoever looked.
#[derive(Debug, Default)]
pub(crate) struct Integrity {
    damaged: AtomicU64,
    healed: AtomicU64,
    unreadable: AtomicU64,
    scrubbed: AtomicU64,
    scrubbed_bytes: AtomicU64,
    passes: AtomicU64,
    doubt: Mutex<Option<Doubt>>,
    /// Blobs that could not be read lately, though their files are there.
    suspects: Mutex<HashSet<Digest>>,
}

/// How often what was found since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Found {
    /// Copies of blobs and manifests whose bytes were missing or wrong.
    pub damaged: u64,
    /// Blobs that a push made whole again.
    pub healed: u64,
    /// Blobs that could not be read, though nobody knows whether they are damaged.
    pub unreadable: u64,
    /// Blobs that the scrub read and found whole.
    pub scrubbed: u64,
    /// Bytes that the scrub read.
    pub scrubbed_bytes: u64,
    /// How often the scrub came through everything.
    pub passes: u64,
}

impl Integrity {
    /// The numbers.
    pub(crate) fn found(&self) -> Found {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Found {
            damaged: read(&self.damaged),
            healed: read(&self.healed),
            unreadable: read(&self.unreadable),
            scrubbed: read(&self.scrubbed),
            scrubbed_bytes: read(&self.scrubbed_bytes),
            passes: read(&self.passes),
        }
    }

    pub(crate) fn damaged(&self) {
        self.damaged.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn scrubbed(&self, bytes: u64) {
        self.scrubbed.fetch_add(1, Ordering::Relaxed);
        self.scrubbed_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn passed(&self) {
        self.passes.fetch_add(1, Ordering::Relaxed);
    }

    /// Remembers that a blob could not be read.
    pub(crate) fn unreadable(&self, digest: &Digest) {
        self.unreadable.fetch_add(1, Ordering::Relaxed);
        let mut suspects = self.suspects.lock().unwrap_or_else(PoisonError::into_inner);
        if suspects.len() < SUSPECTS {
            suspects.insert(*digest);
        }
    }

    pub(crate) fn doubt(&self) -> Option<Doubt> {
        *self.doubt.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_doubt(&self, doubt: Option<Doubt>) {
        *self.doubt.lock().unwrap_or_else(PoisonError::into_inner) = doubt;
    }

    /// Whether a blob's bytes, last seen whole at `verified`, are believed without a look.
    pub(crate) fn trusts(&self, digest: &Digest, verified: i64, now: i64) -> bool {
        let suspected = {
            let suspects = self.suspects.lock().unwrap_or_else(PoisonError::into_inner);
            suspects.contains(digest)
        };
        !suspected
            && verified > now.saturating_sub(span(TRUSTED))
            && !self.doubt().is_some_and(|doubt| doubt.covers(verified))
    }

    /// Clears a blob of suspicion: its bytes were read, or replaced.
    pub(crate) fn cleared(&self, digest: &Digest) {
        let mut suspects = self.suspects.lock().unwrap_or_else(PoisonError::into_inner);
        suspects.remove(digest);
    }
}

/// Takes a blob out of sight, if it is still of this generation, and puts its copy apart; says whether it was. First the
/// row: a copy that is gone while its row says it is there would be found by readers.
pub(crate) async fn lose(
    db: &Db,
    store: &dyn BlobStore,
    digest: &Digest,
    row: &BlobRow,
) -> Result<bool> {
    let was = db
        .write(
            Durability::Power,
            (*digest, row.generation),
            |tx, (digest, generation)| Box::pin(blobs::blob_lose(tx, digest, *generation)),
        )
        .await?;
    if was {
        set_apart(store, &row.location).await?;
    }
    Ok(was)
}

/// Puts a copy that no row uses any more apart; a copy that is a row of the metadata stays.
pub(crate) async fn set_apart(store: &dyn BlobStore, location: &str) -> Result<Option<Location>> {
    match Place::of(location)? {
        Place::Stored(at) => store.quarantine(&at).await,
        Place::Row(_) => Ok(None),
    }
}

impl Inner {
    /// Takes a blob out of sight whose bytes are `what`: clients do not push again what a `HEAD` says is here.
    pub(crate) async fn lose(&self, digest: &Digest, row: &BlobRow, what: &str) -> Result<()> {
        if lose(&self.db, &*self.blobs, digest, row).await? {
            self.cache.content_lost();
            self.integrity.damaged();
            tracing::error!(%digest, location = row.location, "the bytes of a blob are {what}; it is absent until it is pushed again");
        }
        Ok(())
    }

    /// Records that a push made a blob whole again, and puts the damaged copy apart.
    pub(crate) async fn healed(&self, digest: &Digest, before: &BlobRow) {
        self.integrity.cleared(digest);
        if before.state == BlobState::Missing {
            self.integrity.healed.fetch_add(1, Ordering::Relaxed);
            tracing::info!(%digest, "a blob that was lost was pushed again");
            return;
        }
        self.integrity.damaged();
        self.integrity.healed.fetch_add(1, Ordering::Relaxed);
        tracing::warn!(%digest, location = before.location, "the stored copy of a blob was damaged; the pushed one took its place");
        if let Err(error) = set_apart(&*self.blobs, &before.location).await {
            tracing::warn!(location = before.location, error = %longshore_core::error::Chain(&error), "the damaged copy of a blob stays where it is");
        }
    }
}

#[cfg(test)]
mod tests {
    use longshore_spec::digest::Algorithm;

    use super::*;

    #[test]
    fn what_is_believed_without_a_look_was_seen_lately_and_outside_of_doubt() {
        let integrity = Integrity::default();
        let digest = Digest::of(Algorithm::Sha256, b"x");
        let now = span(TRUSTED) * 3;
        let lately = now - 1000;
        assert!(integrity.trusts(&digest, lately, now));
        assert!(!integrity.trusts(&digest, now - span(TRUSTED), now));
        assert!(
            !integrity.trusts(&digest, 0, now),
            "what was never seen whole"
        );
        integrity.set_doubt(Some(Doubt {
            since: lately,
            until: lately + 1,
        }));
        assert!(!integrity.trusts(&digest, lately, now));
        assert!(integrity.trusts(&digest, lately + 1, now));
        integrity.set_doubt(None);
        integrity.unreadable(&digest);
        assert!(!integrity.trusts(&digest, lately, now));
        integrity.cleared(&digest);
        assert!(integrity.trusts(&digest, lately, now));
    }
}
