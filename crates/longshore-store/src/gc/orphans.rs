//! Files that no row names.
//!
//! In normal work there are none: what stops being a blob has a row that says so. A kill between a file's name and its row's
//! commit leaves one, and a commit that failed may have, so only the hours of an unclean stop or a failure are looked through,
//! once, a day later: from as long before it as an upload may take, to the start after it, or to the failure.

use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::time::{Duration, UNIX_EPOCH};

use longshore_blob::{Location, arrivals};
use longshore_core::error::Chain;
use longshore_core::{Error, Result};
use longshore_meta::time::{micros, span};
use longshore_meta::{Durability, Tx, blobs, graves, leader, settings, uploads};

use super::fence::NAME;
use super::run::Run;
use crate::small::stage_of;
use crate::store::Inner;

/// What is to be looked through: the place behind which it goes on, and the last hour.
const LEFT: &str = "gc.orphans";
/// How many files are looked at in one go.
const PAGE: usize = 200;

/// What is to be looked through: everything behind `after`, up to the hour `to`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Left {
    after: String,
    to: String,
}

impl Left {
    fn read(text: &str) -> Option<Self> {
        let (after, to) = text.split_once('|')?;
        Some(Self {
            after: after.to_owned(),
            to: to.to_owned(),
        })
    }

    fn text(&self) -> String {
        format!("{}|{}", self.after, self.to)
    }

    /// Both, in one go.
    fn with(self, other: Option<Self>) -> Self {
        match other {
            None => self,
            Some(other) => Self {
                after: self.after.min(other.after),
                to: self.to.max(other.to),
            },
        }
    }
}

fn hour(at: i64) -> Result<String> {
    let since = Duration::from_micros(u64::try_from(at).unwrap_or_default());
    let at = arrivals(UNIX_EPOCH.checked_add(since).unwrap_or(UNIX_EPOCH))?;
    Ok(at.to_string())
}

/// Has everything looked through behind `after` and up to the hour `to`, beside what is to be already.
async fn look_through(tx: &mut Tx<'_>, after: String, to: String) -> Result<()> {
    let before = settings::setting_get(tx, LEFT).await?;
    let left = Left { after, to };
    let left = left.with(before.as_deref().and_then(Left::read));
    settings::setting_put(tx, LEFT, &left.text()).await
}

/// A process takes over from the one before, which collects no more. If that was not stopped in order, what it may have left from
/// `since` until `now` is to be looked through.
pub(crate) async fn succeed(tx: &mut Tx<'_>, since: Option<i64>, now: i64) -> Result<()> {
    leader::leader_free(tx, NAME).await?;
    match since {
        Some(since) => look_through(tx, hour(since)?, hour(now)?).await,
        None => Ok(()),
    }
}

/// This process collects no more.
pub(crate) async fn retire(tx: &mut Tx<'_>) -> Result<()> {
    leader::leader_free(tx, NAME).await
}

impl Inner {
    /// Remembers that something failed that may have left a file.
    pub(crate) fn suspect_orphans(&self) {
        self.gc.orphans.store(true, Ordering::Release);
    }

    /// Writes that down, if something did.
    pub(crate) async fn note_orphans(&self) -> Result<()> {
        if !self.gc.orphans.swap(false, Ordering::AcqRel) {
            return Ok(());
        }
        let now = micros((self.clock)());
        let args = (now, span(self.options.session_age));
        let noted = self
            .db
            .write(Durability::Process, args, |tx, (now, age)| {
                Box::pin(async move {
                    look_through(tx, hour(now.saturating_sub(*age))?, hour(*now)?).await
                })
            })
            .await;
        if noted.is_err() {
            self.suspect_orphans();
        }
        noted
    }
}

impl Run<'_> {
    /// Goes on looking through what an unclean stop may have left, as far as it is old enough.
    pub(super) async fn orphans(&mut self) -> Result<Option<()>> {
        self.inner.note_orphans().await?;
        let old = self.now.saturating_sub(span(self.inner.options.gc.orphans));
        // An hour is as old as its end.
        let horizon = hour(old.saturating_sub(span(Duration::from_hours(1))))?;
        loop {
            let began = self.begin();
            let left = self
                .inner
                .db
                .read(&(), |tx, ()| Box::pin(settings::setting_get(tx, LEFT)))
                .await?;
            let Some(mut left) = left.as_deref().and_then(Left::read) else {
                return Ok(Some(()));
            };
            if left.after >= horizon || self.inner.bytes_are_held() {
                return Ok(Some(()));
            }
            let after = left.after.parse::<Location>().map_err(Error::internal)?;
            let found = self.inner.blobs.walk(Some(&after), PAGE).await?;
            // Behind an hour comes what is in it; '0' is the character behind '/'.
            let end = format!("{}0", left.to.as_str().min(horizon.as_str()));
            let page: Vec<_> = found
                .into_iter()
                .take_while(|(at, _)| at.as_str() < end.as_str())
                .collect();
            let text = match page.last() {
                Some((last, _)) => {
                    left.after = last.to_string();
                    left.text()
                }
                None if left.to <= horizon => String::new(),
                None => {
                    left.after = horizon.clone();
                    left.text()
                }
            };
            self.remove_orphans(page).await?;
            let args = (self.fence(), text);
            let held = self
                .inner
                .db
                .write(Durability::Process, args, |tx, (fence, text)| {
                    Box::pin(async move {
                        if !fence.hold(tx).await? {
                            return Ok(false);
                        }
                        settings::setting_put(tx, LEFT, text).await?;
                        Ok(true)
                    })
                })
                .await?;
            if !held {
                return Ok(None);
            }
            self.tell();
            self.rest(began).await;
        }
    }

    async fn remove_orphans(&mut self, page: Vec<(Location, u64)>) -> Result<()> {
        let mut suspects = Vec::new();
        for (at, size) in page {
            let named = match at.digest() {
                None if is_stage(&at) => false,
                // Nothing of ours.
                None => continue,
                Some(digest) => {
                    let row = self
                        .inner
                        .db
                        .read(&digest, |tx, digest| Box::pin(blobs::blob_get(tx, digest)));
                    row.await?.is_some_and(|row| row.location == at.as_str())
                }
            };
            if !named {
                suspects.push((at, size));
            }
        }
        if suspects.is_empty() {
            return Ok(());
        }
        let known = self.inner.known().await?;
        for (at, size) in suspects {
            if known.contains(at.as_str()) || upload_of(&at).is_some_and(|id| known.contains(id)) {
                continue;
            }
            match self.inner.blobs.remove(&at).await {
                Ok(()) => {
                    self.report.orphans.add(size);
                    tracing::info!(location = %at, size, "a file that an unclean stop left behind was removed");
                }
                Err(error) => {
                    self.report.failed += 1;
                    tracing::warn!(location = %at, error = %Chain(&error), "a file that an unclean stop left behind cannot be removed");
                }
            }
        }
        Ok(())
    }
}

fn is_stage(at: &Location) -> bool {
    at.as_str().strip_suffix(".part").is_some()
}

/// The id in the name of a stage, and of the blob that it becomes.
fn upload_of(at: &Location) -> Option<&str> {
    let name = at.as_str().rsplit('/').next()?;
    match name.strip_suffix(".part") {
        Some(id) => Some(id),
        None => name.split_once('.').map(|(_, id)| id),
    }
}

impl Inner {
    /// The ids of uploads under way, and the places of what is to be removed anyhow.
    async fn known(&self) -> Result<HashSet<String>> {
        let mut known = HashSet::new();
        let mut after = Vec::new();
        loop {
            let page = self
                .db
                .read(&after, |tx, after| {
                    Box::pin(uploads::upload_stages(tx, after, 500))
                })
                .await?;
            let Some((last, _)) = page.last() else { break };
            after.clone_from(last);
            for (_, stage) in page {
                if let Some(stage) = stage_of(&stage)? {
                    known.extend(upload_of(stage.key()).map(str::to_owned));
                }
            }
        }
        let mut after = None;
        loop {
            let page = self
                .db
                .read(&after, |tx, after| {
                    Box::pin(graves::grave_locations(tx, after.as_ref(), 500))
                })
                .await?;
            let Some(last) = page.last() else { break };
            after = Some(last.clone());
            known.extend(page.into_iter().map(|(_, location)| location));
        }
        Ok(known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_two_stops_left_is_looked_through_in_one_go() {
        let left = |after: &str, to: &str| Left {
            after: after.to_owned(),
            to: to.to_owned(),
        };
        let both = left("b", "d").with(Left::read(&left("a", "c").text()));
        assert_eq!(both, left("a", "d"));
        assert_eq!(left("b", "d").with(Left::read("")), left("b", "d"));
    }

    #[test]
    fn a_stage_and_the_blob_it_becomes_have_the_id_of_their_upload() {
        let digest =
            longshore_spec::digest::Digest::of(longshore_spec::digest::Algorithm::Sha256, b"x");
        for name in [
            "01ab.part".to_owned(),
            format!("sha256-{}.01ab", digest.hex()),
        ] {
            let at: Location = format!("blobs/2026-11-21/10/{name}").parse().unwrap();
            assert_eq!(upload_of(&at), Some("01ab"));
        }
    }
}
