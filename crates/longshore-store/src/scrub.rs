//! Reading everything again from time to time, before somebody needs it and finds it damaged.
//!
//! A pass goes through all blobs in the order of their digests, at a pace that leaves the disk to others. How far it came is
//! a setting, so a restart goes on with it. Blobs that were seen whole since the pass began are passed over. After an unclean
//! stop, what was written last is looked at first and at once.

use std::time::{Duration, UNIX_EPOCH};

use async_trait::async_trait;
use longshore_blob::{Pace, Unpaced, arrivals};
use longshore_core::Result;
use longshore_meta::blobs::{self, BlobRow, BlobState};
use longshore_meta::time::{micros, span};
use longshore_meta::{Durability, Tx, checks, settings};
use longshore_spec::digest::Digest;

use crate::examine::{Copy, examine};
use crate::store::Inner;

/// How many blobs are looked at between two records of how far the pass came.
const PAGE: usize = 64;
/// After how many bytes it is recorded in between.
const BYTES: u64 = 1 << 30;
/// How far the pass came: when it began, in microseconds, and the last digest, or `-` when it is through.
const SCRUB: &str = "scrub";

/// At most so many bytes a second.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slow(pub(crate) u64);

#[async_trait]
impl Pace for Slow {
    async fn took(&self, bytes: u64) {
        let micros = bytes.saturating_mul(1_000_000) / self.0.max(1);
        tokio::time::sleep(Duration::from_micros(micros)).await;
    }
}

/// How far a pass came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Progress {
    begun: i64,
    /// `None` at the beginning.
    after: Option<Digest>,
    done: bool,
}

impl Progress {
    fn text(self) -> String {
        match self.after {
            _ if self.done => format!("{} -", self.begun),
            None => format!("{} ", self.begun),
            Some(after) => format!("{} {after}", self.begun),
        }
    }

    fn read(text: &str) -> Option<Self> {
        let (begun, after) = text.split_once(' ')?;
        Some(Self {
            begun: begun.parse().ok()?,
            done: after == "-",
            after: after.parse().ok(),
        })
    }
}

/// Calls off the pass that is under way and makes another due at once: much came that nobody has read yet.
///
/// # Errors
/// `Unavailable`.
pub(crate) async fn begin_anew(tx: &mut Tx<'_>) -> Result<()> {
    settings::setting_delete(tx, SCRUB).await
}

impl Inner {
    /// Looks at what is in doubt, and goes on with the pass that is due, to its end.
    pub(crate) async fn scrub(&self) -> Result<()> {
        self.scrub_doubtful().await?;
        let Some(every) = self.options.scrub_every else {
            return Ok(());
        };
        let now = micros((self.clock)());
        let found = self
            .db
            .read(&(), |tx, ()| Box::pin(settings::setting_get(tx, SCRUB)))
            .await?;
        let progress = match found.as_deref().and_then(Progress::read) {
            Some(progress) if !progress.done => progress,
            Some(last) if now < last.begun.saturating_add(span(every)) => return Ok(()),
            _ => {
                let progress = Progress {
                    begun: now,
                    after: None,
                    done: false,
                };
                self.db
                    .write(Durability::Process, progress.text(), |tx, progress| {
                        Box::pin(settings::setting_put(tx, SCRUB, progress))
                    })
                    .await?;
                progress
            }
        };
        self.pass(progress).await
    }

    async fn pass(&self, mut progress: Progress) -> Result<()> {
        let pace = Slow(self.options.scrub_rate);
        while !progress.done {
            let page = self
                .db
                .read(&progress.after, |tx, after| {
                    Box::pin(checks::blob_page(tx, after.as_ref(), PAGE))
                })
                .await?;
            progress.done = page.is_empty();
            let (mut whole, mut bytes) = (Vec::new(), 0_u64);
            for (digest, row, verified) in page {
                if row.state == BlobState::Live && verified < progress.begun {
                    bytes = bytes.saturating_add(row.size);
                    if self.look(&digest, &row, &pace).await? {
                        whole.push((digest, row.generation));
                    }
                }
                progress.after = Some(digest);
                if bytes >= BYTES {
                    let goes_on = self.record(std::mem::take(&mut whole), progress).await?;
                    if !goes_on {
                        return Ok(());
                    }
                    bytes = 0;
                }
            }
            if !self.record(whole, progress).await? {
                return Ok(());
            }
        }
        self.integrity.passed();
        Ok(())
    }

    /// Looks at one blob, and takes it out of sight when it is damaged; says whether it is whole.
    async fn look(&self, digest: &Digest, row: &BlobRow, pace: &dyn Pace) -> Result<bool> {
        let copy = examine(&self.db, &*self.blobs, digest, row, pace).await?;
        match &copy {
            Copy::Whole => {
                self.integrity.scrubbed(row.size);
                self.integrity.cleared(digest);
                return Ok(true);
            }
            Copy::Unreadable(error) => {
                self.integrity.unreadable(digest);
                tracing::error!(%digest, location = row.location, error = %longshore_core::error::Chain(error), "a blob cannot be read; a push of it replaces it");
            }
            Copy::Gone | Copy::OfLength(_) | Copy::Wrong => {
                if let Some(what) = copy.wrong() {
                    self.lose(digest, row, &what).await?;
                }
            }
        }
        Ok(false)
    }

    /// Records how far the pass came; false when it was called off, because there is much that it may have passed by.
    async fn record(&self, whole: Vec<(Digest, i64)>, progress: Progress) -> Result<bool> {
        let now = micros((self.clock)());
        let args = (whole, progress.text(), now);
        self.db
            .write(Durability::Process, args, |tx, (whole, progress, now)| {
                Box::pin(async move {
                    for (digest, generation) in whole {
                        checks::blob_verify(tx, digest, *generation, *now).await?;
                    }
                    let goes_on = settings::setting_get(tx, SCRUB).await?.is_some();
                    if goes_on {
                        settings::setting_put(tx, SCRUB, progress).await?;
                    }
                    Ok(goes_on)
                })
            })
            .await
    }

    /// Looks at what was written around an unclean stop, as fast as the disk gives it.
    async fn scrub_doubtful(&self) -> Result<()> {
        let Some(doubt) = self.integrity.doubt() else {
            return Ok(());
        };
        let since = Duration::from_micros(u64::try_from(doubt.since).unwrap_or_default());
        let mut after = arrivals(UNIX_EPOCH + since)?;
        loop {
            let page = self.blobs.walk(Some(&after), PAGE).await?;
            let Some((last, _)) = page.last() else {
                return self.dispel().await;
            };
            after = last.clone();
            for (at, _) in page {
                let Some(digest) = at.digest() else { continue };
                let found = self
                    .db
                    .read(&digest, |tx, digest| {
                        Box::pin(async move {
                            let row = blobs::blob_get(tx, digest).await?;
                            Ok(row.zip(checks::blob_verified(tx, digest).await?))
                        })
                    })
                    .await?;
                // Staged ones are looked at by the recovery, which began before this.
                if let Some((row, verified)) = found
                    && row.state == BlobState::Live
                    && row.location == at.as_str()
                    && doubt.covers(verified)
                    && self.look(&digest, &row, &Unpaced).await?
                {
                    self.verified(&digest, row.generation).await?;
                }
            }
        }
    }

    /// Records that a blob was seen whole.
    pub(crate) async fn verified(&self, digest: &Digest, generation: i64) -> Result<()> {
        let args = (*digest, generation, micros((self.clock)()));
        self.db
            .write(
                Durability::Process,
                args,
                |tx, (digest, generation, now)| {
                    Box::pin(checks::blob_verify(tx, digest, *generation, *now))
                },
            )
            .await
    }

    /// Looks into what could not be read while it was sent, for ever.
    pub(crate) async fn heed(&self) {
        loop {
            let at = self.blobs.trouble().await;
            let Some(digest) = at.digest() else { continue };
            let looked = async {
                let row = self
                    .db
                    .read(&digest, |tx, digest| Box::pin(blobs::blob_get(tx, digest)))
                    .await?;
                match row {
                    Some(row) if row.location == at.as_str() && row.state != BlobState::Missing => {
                        self.look(&digest, &row, &Unpaced).await.map(drop)
                    }
                    _ => Ok(()),
                }
            };
            if let Err(error) = looked.await {
                tracing::warn!(%digest, error = %longshore_core::error::Chain(&error), "a blob that could not be read cannot be looked into");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use longshore_spec::digest::Algorithm;

    use super::*;

    #[test]
    fn how_far_a_pass_came_is_read_as_it_was_written() {
        let some = Some(Digest::of(Algorithm::Sha512, b"x"));
        for (after, done) in [(None, false), (some, false), (None, true)] {
            let progress = Progress {
                begun: 7,
                after,
                done,
            };
            assert_eq!(Progress::read(&progress.text()), Some(progress));
        }
        assert_eq!(Progress::read(""), None);
    }
}
