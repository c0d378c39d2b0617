//! What makes blobs needless: manifests that leave the trash for good, and manifests without a tag that go into it.

use longshore_core::Result;
use longshore_core::error::Chain;
use longshore_meta::time::span;
use longshore_meta::trash::{self, TrashKey};
use longshore_meta::untagged::{self, Standing, Why};
use longshore_meta::{Durability, Tx, candidates, history, repos};
use longshore_spec::digest::Digest;
use longshore_spec::name::RepoName;

use super::fence::Fence;
use super::options::Untagged;
use super::run::{Empty, Run};
use crate::trash::{Bin, Times};

/// How many changes of tags are forgotten in one transaction.
const FORGET: usize = 500;

impl Run<'_> {
    /// Takes manifests out of the trash for good whose time is over, or that are to go at once.
    pub(super) async fn expire(&mut self, empty: Option<&Empty>) -> Result<Option<()>> {
        let until = if empty.is_some() { i64::MAX } else { self.now };
        let mut after = None;
        loop {
            let began = self.begin();
            let args = (after, until, self.inner.options.gc.batch);
            let due = self
                .inner
                .db
                .read(&args, |tx, (after, until, most)| {
                    Box::pin(trash::trash_expired(tx, after.as_ref(), *until, *most))
                })
                .await?;
            let Some(last) = due.last() else {
                return Ok(Some(()));
            };
            after = Some(*last);
            for key in due {
                let named = empty.is_none_or(|empty| empty.has(&key));
                if !named && key.expires > self.now {
                    continue;
                }
                let args = (self.fence(), self.now, key);
                let done = self
                    .inner
                    .db
                    .write(Durability::Process, args, |tx, (fence, now, key)| {
                        Box::pin(leave(tx, fence, *now, key))
                    })
                    .await;
                match done {
                    Ok(Some(gone)) => self.report.expired += u64::from(gone),
                    Ok(None) => return Ok(None),
                    // One that cannot be dealt with must not keep the others.
                    Err(error) => {
                        self.report.failed += 1;
                        tracing::warn!(digest = %key.digest, error = %Chain(&error), "a manifest cannot leave the trash; it will be tried again");
                    }
                }
            }
            self.tell();
            self.rest(began).await;
        }
    }

    /// Moves manifests into the trash that have no tag and that nothing keeps.
    pub(super) async fn collect_untagged(&mut self) -> Result<Option<()>> {
        let gc = &self.inner.options.gc;
        let ago = |time| self.now.saturating_sub(span(time));
        let rules: &[(Why, i64)] = match gc.untagged {
            Untagged::Keep => &[],
            Untagged::Parts => &[(Why::LostParent, self.now)],
            Untagged::All => &[
                (Why::LostParent, self.now),
                (Why::LostTag, ago(gc.trash)),
                (Why::Pushed, ago(gc.trash_untagged)),
            ],
        };
        for (why, since) in rules {
            loop {
                let began = self.begin();
                let args = (*why, *since, self.inner.options.gc.batch);
                let due = self
                    .inner
                    .db
                    .read(&args, |tx, (why, since, most)| {
                        Box::pin(untagged::untagged_due(tx, *why, *since, *most))
                    })
                    .await?;
                if due.is_empty() {
                    break;
                }
                for (repo, digest, _) in due {
                    let args = Look {
                        fence: self.fence(),
                        now: self.now,
                        repo,
                        digest,
                        rule: self.inner.options.gc.untagged,
                        times: self.inner.times(),
                    };
                    let done = self
                        .inner
                        .db
                        .write(Durability::Power, args, |tx, args| Box::pin(look(tx, args)))
                        .await?;
                    let Some(done) = done else { return Ok(None) };
                    if let Some(name) = done {
                        self.report.collected += 1;
                        self.inner.cache.content_left(&name);
                        tracing::info!(repo = %name, %digest, "a manifest without a tag or a parent was moved into the trash");
                    }
                }
                self.tell();
                self.rest(began).await;
            }
        }
        Ok(Some(()))
    }

    /// Forgets where tags pointed long ago.
    pub(super) async fn forget_history(&mut self) -> Result<()> {
        let before = self.now.saturating_sub(span(self.inner.options.gc.history));
        loop {
            let began = self.begin();
            let forgotten = self
                .inner
                .db
                .write(Durability::Process, before, |tx, before| {
                    Box::pin(history::history_forget(tx, *before, FORGET))
                })
                .await?;
            if forgotten < FORGET {
                return Ok(());
            }
            self.rest(began).await;
        }
    }
}

/// Takes a manifest out of the trash for good. What it needed is looked at next: that is where deleted space comes from.
async fn leave(tx: &mut Tx<'_>, fence: &Fence, now: i64, key: &TrashKey) -> Result<Option<bool>> {
    if !fence.hold(tx).await? {
        return Ok(None);
    }
    // While its edges are there to say what it needed.
    candidates::candidate_put_of(tx, key.repo, &key.digest, now).await?;
    untagged::untagged_put_of(tx, key.repo, &key.digest, now).await?;
    trash::trash_delete(tx, key.repo, &key.digest)
        .await
        .map(Some)
}

struct Look {
    fence: Fence,
    now: i64,
    repo: i64,
    digest: Digest,
    rule: Untagged,
    times: Times,
}

/// Gives the repository's name when its manifest was moved into the trash.
async fn look(tx: &mut Tx<'_>, args: &Look) -> Result<Option<Option<RepoName>>> {
    if !args.fence.hold(tx).await? {
        return Ok(None);
    }
    let (repo, digest) = (args.repo, &args.digest);
    match untagged::manifest_standing(tx, repo, digest).await? {
        // Whoever takes its tag or its parent away puts it into the queue again.
        Standing::Gone | Standing::Needed => {
            untagged::untagged_delete(tx, repo, digest).await?;
            Ok(Some(None))
        }
        // Somebody may have its digest from when it had a tag.
        Standing::Alone { tagged: true } if args.rule == Untagged::Parts => {
            untagged::untagged_put(tx, repo, digest, Why::LostTag, args.now).await?;
            Ok(Some(None))
        }
        Standing::Alone { .. } => {
            let bin = Bin {
                actor: "job:gc",
                collected: true,
                now: args.now,
                times: args.times,
            };
            bin.take(tx, repo, digest).await?;
            repos::repo_name(tx, repo).await.map(Some)
        }
    }
}
