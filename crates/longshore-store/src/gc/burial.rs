//! Phases B and C: removing bytes that nobody sees any more, and then the rows that named them.
//!
//! The bytes first: a row without bytes that is out of sight is found again by the next run, bytes without a row are not. A
//! place is never used twice, so removing one can hit nothing that was pushed since, however late it happens and whoever does
//! it; the rows are removed by generation, for the same reason.

use longshore_core::Result;
use longshore_core::error::Chain;
use longshore_meta::blobs::BlobState;
use longshore_meta::candidates;
use longshore_meta::graves::{self, Grave};
use longshore_meta::time::span;
use longshore_meta::{Durability, Tx, blobs, bodies};

use super::fence::Fence;
use super::run::Run;
use crate::place::Place;
use crate::store::Inner;

/// The longest wait between two tries to remove bytes.
const LONGEST: i64 = 6 * 3_600_000_000;
/// The wait after the first.
const FIRST: i64 = 60_000_000;

/// What came of the attempt to remove bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// They are gone.
    Removed,
    /// They are somebody's, against all rules; they stay.
    InUse,
    /// It is tried again.
    Failed,
}

impl Run<'_> {
    /// Removes what is due; `None` when somebody else collects now.
    pub(super) async fn bury(&mut self) -> Result<Option<()>> {
        loop {
            let args = (self.now, self.inner.options.gc.batch);
            let due = self
                .inner
                .db
                .read(&args, |tx, (now, most)| {
                    Box::pin(graves::grave_due(tx, *now, *most))
                })
                .await?;
            if due.is_empty() || self.inner.bytes_are_held() {
                return Ok(Some(()));
            }
            // What was decided is on the disk before any byte goes: a row that a power cut brought back would name nothing.
            let held = self
                .inner
                .db
                .write(Durability::Power, self.fence(), |tx, fence| {
                    Box::pin(fence.hold(tx))
                })
                .await?;
            if !held {
                return Ok(None);
            }
            let mut done = Vec::with_capacity(due.len());
            for grave in due {
                let began = self.begin();
                let end = match remove(self.inner, &grave).await {
                    Ok(end) => end,
                    // One that cannot be removed must not keep the others.
                    Err(error) => {
                        self.report.failed += 1;
                        tracing::warn!(digest = %grave.digest, location = grave.location, error = %Chain(&error), "the bytes of a blob that nobody needs cannot be removed; it will be tried again");
                        End::Failed
                    }
                };
                if end == End::Removed {
                    self.report.freed.add(grave.size);
                }
                done.push((grave, end));
                self.rest(began).await;
            }
            let args = (self.fence(), self.now, done);
            let held = self
                .inner
                .db
                .write(Durability::Process, args, |tx, (fence, now, done)| {
                    Box::pin(close(tx, fence, *now, done))
                })
                .await?;
            if !held {
                return Ok(None);
            }
            self.tell();
        }
    }
}

async fn remove(inner: &Inner, grave: &Grave) -> Result<End> {
    let Place::Stored(at) = Place::of(&grave.location)? else {
        // Part of the database: it goes with its row.
        return Ok(End::Removed);
    };
    let there = inner
        .db
        .read(&grave.digest, |tx, digest| {
            Box::pin(blobs::blob_get(tx, digest))
        })
        .await?;
    let used = there.is_some_and(|row| {
        row.location == grave.location && matches!(row.state, BlobState::Staged | BlobState::Live)
    });
    if used {
        // No place is used twice, so this is a mistake in the database or in this program. It must not cost an image.
        tracing::error!(digest = %grave.digest, location = grave.location, "bytes that were to be removed are a blob's; they stay");
        return Ok(End::InUse);
    }
    inner.blobs.remove(&at).await?;
    Ok(End::Removed)
}

/// False when another process collects.
async fn close(tx: &mut Tx<'_>, fence: &Fence, now: i64, done: &[(Grave, End)]) -> Result<bool> {
    if !fence.hold(tx).await? {
        return Ok(false);
    }
    for (grave, end) in done {
        graves::grave_delete(tx, grave).await?;
        match end {
            End::Removed => {
                // A blob of the same digest that was pushed since has another generation, and its bytes, if they are a row, may
                // even have the same id.
                let buried = candidates::blob_bury(tx, &grave.digest, grave.generation).await?;
                if let (true, Place::Row(id)) = (buried, Place::of(&grave.location)?) {
                    bodies::body_delete(tx, id, &grave.digest).await?;
                }
            }
            End::InUse => {}
            End::Failed => {
                let tries = grave.tries.saturating_add(1);
                let wait = FIRST.saturating_mul(1 << tries.clamp(0, 16)).min(LONGEST);
                let again = Grave {
                    due: now.saturating_add(wait),
                    tries,
                    ..grave.clone()
                };
                graves::grave_put(tx, &again).await?;
            }
        }
    }
    Ok(true)
}

impl Inner {
    /// Has bytes removed that are no blob's any more, or never became one.
    pub(crate) fn grave(
        &self,
        location: String,
        digest: longshore_spec::digest::Digest,
        size: u64,
        now: i64,
    ) -> Grave {
        Grave {
            due: now.saturating_add(span(self.options.gc.quarantine)),
            location,
            digest,
            // No row goes with them.
            generation: 0,
            size,
            tries: 0,
        }
    }
}
