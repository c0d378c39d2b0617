//! One run: phase after phase, in small transactions with rests between them.

use longshore_core::Result;
use longshore_core::error::Chain;
use longshore_core::past::{Amount, Report};
use longshore_meta::candidates::{self, Candidate};
use longshore_meta::time::{micros, span};
use longshore_meta::trash::{self, TrashKey};
use longshore_meta::{Durability, Tx, graves};
use longshore_spec::digest::Digest;

use super::fence::Fence;
use super::pace::Pace;
use super::review::{Looked, judge, look, noted};
use crate::store::Inner;

/// How many candidates a dry run looks at.
const PLANNED: usize = 100_000;
/// For how long something is left alone that could not be dealt with, in microseconds.
const ASIDE: i64 = 3_600_000_000;

/// What of the trash is to be emptied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Empty {
    /// Of this repository only, by its id.
    pub(crate) repo: Option<i64>,
    /// This manifest only.
    pub(crate) digest: Option<Digest>,
}

impl Empty {
    pub(super) fn has(&self, key: &TrashKey) -> bool {
        self.repo.is_none_or(|repo| repo == key.repo)
            && self.digest.is_none_or(|digest| digest == key.digest)
    }
}

/// A run under way.
pub(super) struct Run<'a> {
    pub(super) inner: &'a Inner,
    fence: Fence,
    /// The time of the run: what becomes due while it goes on is for the next one, and what the clock does meanwhile is no
    /// matter.
    pub(super) now: i64,
    pub(super) report: Report,
    pace: Pace,
    told: &'a (dyn Fn(&Report) + Sync),
}

impl<'a> Run<'a> {
    pub(super) fn new(
        inner: &'a Inner,
        fence: Fence,
        now: i64,
        paced: bool,
        told: &'a (dyn Fn(&Report) + Sync),
    ) -> Self {
        let share = paced.then_some(inner.options.gc.pace);
        Self {
            inner,
            fence,
            now,
            report: Report::default(),
            pace: Pace::new(share, inner.gc.requests()),
            told,
        }
    }

    /// Does everything that is due; `None` when another process collects now.
    pub(super) async fn all(&mut self, empty: Option<&Empty>) -> Result<Option<()>> {
        self.forget_history().await?;
        // In the order in which one makes work for the next.
        if self.empty_removed().await?.is_none()
            || self.expire(empty).await?.is_none()
            || self.collect_untagged().await?.is_none()
            || self.review().await?.is_none()
            || self.bury().await?.is_none()
        {
            return Ok(None);
        }
        self.orphans().await
    }

    /// Phase A of everything that is due.
    pub(super) async fn review(&mut self) -> Result<Option<()>> {
        loop {
            let began = self.begin();
            let args = (self.now, self.inner.options.gc.batch);
            let due = self
                .inner
                .db
                .read(&args, |tx, (now, most)| {
                    Box::pin(candidates::candidate_due(tx, None, *now, *most))
                })
                .await?;
            if due.is_empty() {
                return Ok(Some(()));
            }
            // What somebody was promised and could not be written down then is written down now, or nothing is taken.
            self.inner.pay().await?;
            let looked = match self.look(due.clone()).await {
                Ok(looked) => looked,
                Err(error) => {
                    tracing::debug!(error = %Chain(&error), "collection goes on one by one");
                    self.one_by_one(due).await?
                }
            };
            let Some(looked) = looked else {
                return Ok(None);
            };
            for one in looked {
                // Readers may believe what they remember until here, which is no harm: the bytes are still there. Pushers
                // are told by the database, see `lease`.
                if let Some(name) = &one.left {
                    self.report.unlinked += 1;
                    self.inner.cache.content_left(name);
                }
                noted(&mut self.report, one.digest, one.verdict);
            }
            self.tell();
            self.rest(began).await;
        }
    }

    /// A failure says nothing about what is needed, so whatever cannot be looked at is kept, and set aside.
    async fn one_by_one(&mut self, due: Vec<Candidate>) -> Result<Option<Vec<Looked>>> {
        let mut all = Vec::new();
        for at in due {
            match self.look(vec![at]).await {
                Ok(Some(mut looked)) => all.append(&mut looked),
                Ok(None) => return Ok(None),
                Err(error) => {
                    self.report.failed += 1;
                    tracing::warn!(digest = %at.digest, error = %Chain(&error), "a blob cannot be judged; it stays, and is looked at again later");
                    let later = self.now.saturating_add(ASIDE);
                    self.inner
                        .db
                        .write(Durability::Process, (at, later), |tx, (at, later)| {
                            Box::pin(async move {
                                candidates::candidate_delete(tx, at).await?;
                                let again = Candidate { due: *later, ..*at };
                                candidates::candidate_put(tx, &again).await
                            })
                        })
                        .await?;
                }
            }
        }
        Ok(Some(all))
    }

    async fn look(&self, due: Vec<Candidate>) -> Result<Option<Vec<Looked>>> {
        let quarantine = span(self.inner.options.gc.quarantine);
        #[cfg(feature = "broken")]
        super::hasty::look(&self.inner.db, &due, self.now).await?;
        let args = (self.fence(), self.now, quarantine, due);
        // It is made safe from a power cut before any byte is removed, for all that was decided until then at once.
        self.inner
            .db
            .write(Durability::Process, args, |tx, args| {
                Box::pin(batch(tx, args))
            })
            .await
    }

    /// The right to collect, renewed.
    pub(super) fn fence(&self) -> Fence {
        self.fence.at(micros((self.inner.clock)()))
    }

    /// When a piece of work begins.
    pub(super) fn begin(&self) -> i64 {
        micros((self.inner.clock)())
    }

    /// Rests after a piece of work, if it is time to.
    pub(super) async fn rest(&mut self, began: i64) {
        let worked = micros((self.inner.clock)()).saturating_sub(began);
        match self.pace.after(worked, self.inner.gc.requests()) {
            Some(rest) => tokio::time::sleep(rest).await,
            None => tokio::task::yield_now().await,
        }
    }

    /// Tells how far the run is.
    pub(super) fn tell(&self) {
        (self.told)(&self.report);
    }
}

async fn batch(
    tx: &mut Tx<'_>,
    (fence, now, quarantine, due): &(Fence, i64, i64, Vec<Candidate>),
) -> Result<Option<Vec<Looked>>> {
    if !fence.hold(tx).await? {
        return Ok(None);
    }
    let mut looked = Vec::with_capacity(due.len());
    for at in due {
        looked.push(look(tx, at, *now, *quarantine).await?);
    }
    Ok(Some(looked))
}

impl Inner {
    /// What a run would do now.
    pub(super) async fn plan(&self, now: i64) -> Result<Report> {
        let mut report = Report {
            dry_run: true,
            ..Report::default()
        };
        let (mut after, mut seen) = (None::<Candidate>, 0);
        while seen < PLANNED {
            let args = (after, now);
            let page = self
                .db
                .read(&args, |tx, (after, now)| {
                    Box::pin(async move {
                        let due = candidates::candidate_due(tx, after.as_ref(), *now, 500).await?;
                        let mut judged = Vec::with_capacity(due.len());
                        for at in due {
                            judged.push((at, judge(tx, &at, *now).await?));
                        }
                        Ok(judged)
                    })
                })
                .await?;
            let Some((last, _)) = page.last() else { break };
            after = Some(*last);
            seen += page.len();
            for (at, verdict) in page {
                noted(&mut report, at.digest, verdict);
            }
            tokio::task::yield_now().await;
        }
        let mut after = None;
        loop {
            let args = (after, now);
            let due = self
                .db
                .read(&args, |tx, (after, now)| {
                    Box::pin(trash::trash_expired(tx, after.as_ref(), *now, 500))
                })
                .await?;
            let Some(last) = due.last() else { break };
            after = Some(*last);
            report.expired += due.len() as u64;
        }
        self.standing(&mut report).await?;
        Ok(report)
    }

    /// Adds what waits.
    pub(super) async fn standing(&self, report: &mut Report) -> Result<()> {
        let (graves, (trash, until)) = self
            .db
            .read(&(), |tx, ()| {
                Box::pin(async move {
                    let graves = graves::grave_sum(tx).await?;
                    Ok((graves, trash::trash_count(tx).await?))
                })
            })
            .await?;
        report.waiting = Amount {
            count: graves.count,
            bytes: graves.bytes,
        };
        report.waiting_until = graves.last;
        (report.trash, report.trash_until) = (trash, until);
        Ok(())
    }
}
