//! Going through the tree: all repositories in the background, one at once where somebody asks for it.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::FutureExt as _;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use longshore_core::{Code, Error, Result};
use longshore_layout::distribution::{Batch, Finding, Kind, Names};
use longshore_meta::takeovers::{self, TakenRepo};
use longshore_meta::time::micros;
use longshore_meta::{Durability, settings};
use longshore_spec::name::RepoName;
use tokio::sync::mpsc;

use super::write::{self, Part};
use super::{DONE, ENDED, STATE, State, Takeover};
use crate::scrub;

/// How many repositories are gone through at once.
const AT_ONCE: usize = 4;
/// How many parts of a repository wait to be written.
const AHEAD: usize = 4;
/// The number of what is found at the very end, behind all that was found in the repository itself.
const LAST: i64 = 1 << 62;
/// How long a request waits for the repository it is about.
const PATIENCE: Duration = Duration::from_secs(10);
/// When whoever was not served is to come again.
const AGAIN: Duration = Duration::from_secs(5);

impl Takeover {
    /// Takes over all that is left. Dropped midway, what is under way goes on to its end or to [`Takeover::stop`].
    ///
    /// # Errors
    /// `Unavailable` when the tree's list of repositories or the metadata cannot be read or written; what is done stays done.
    pub async fn run(&self) -> Result<()> {
        let state = &self.0;
        let tree = state.tree.clone();
        let names = tokio::task::spawn_blocking(move || {
            tree.sync()?;
            tree.names()
        });
        let Names { repos, findings } = names
            .await
            .map_err(Error::internal)?
            .map_err(|error| unreadable().because(error))?;
        add(&state.counts.of, repos.len());
        add(&state.counts.findings, findings.len());
        state
            .store
            .db
            .write(Durability::Process, findings, |tx, findings| {
                Box::pin(async move {
                    takeovers::finding_forget(tx, None).await?;
                    write::findings(tx, findings, 0).await
                })
            })
            .await?;
        stream::iter(&repos)
            .map(Ok)
            .try_for_each_concurrent(AT_ONCE, async |repo| {
                self.index(repo).await?;
                add(&state.counts.repos, 1);
                Ok(())
            })
            .await?;
        self.end(repos).await
    }

    /// The repositories of the tree as they lie there now, taken over or not: a look into directories, no more.
    ///
    /// # Errors
    /// `Unavailable` when the directory of all repositories cannot be read.
    pub async fn names(&self) -> Result<Vec<RepoName>> {
        let tree = self.0.tree.clone();
        let names = tokio::task::spawn_blocking(move || tree.names());
        let names = names.await.map_err(Error::internal)?;
        names
            .map(|names| names.repos)
            .map_err(|error| unreadable().because(error))
    }

    /// Records that all is done, and what changed meanwhile.
    async fn end(&self, repos: Vec<RepoName>) -> Result<()> {
        let state = &self.0;
        let (tree, begun) = (state.tree.clone(), state.begun);
        let changed = tokio::task::spawn_blocking(move || {
            repos
                .into_iter()
                .filter(|repo| tree.changed_since(repo, begun))
                .map(|repo| {
                    Finding::new(
                        Kind::Changed,
                        &repo,
                        "repository",
                        "it was written to while it was taken over: is the old registry still running? Stop it, and push again what it took since",
                    )
                })
                .collect::<Vec<_>>()
        })
        .await
        .map_err(Error::internal)?;
        add(&state.counts.findings, changed.len());
        let args = (changed, micros((state.store.clock)()).to_string());
        state
            .store
            .db
            .write(Durability::Power, args, |tx, (changed, now)| {
                Box::pin(async move {
                    for finding in changed {
                        write::findings(tx, std::slice::from_ref(finding), LAST).await?;
                    }
                    settings::setting_put(tx, ENDED, now).await?;
                    scrub::begin_anew(tx).await?;
                    settings::setting_put(tx, STATE, DONE).await
                })
            })
            .await?;
        state.finished.store(true, Ordering::Release);
        Ok(())
    }

    /// Makes sure that a repository is taken over, if the tree has it: waits for it a while.
    ///
    /// # Errors
    /// `Unavailable` when it takes longer, with when to come again.
    pub async fn ready(&self, repo: &RepoName) -> Result<()> {
        if self.is_finished() || self.0.through().contains(repo) {
            return Ok(());
        }
        match tokio::time::timeout(PATIENCE, self.index(repo)).await {
            Ok(done) => done,
            Err(_) => Err(Error::new(
                Code::Unavailable,
                format!("the repository {repo} is being taken over from the registry that was here before; try again shortly"),
            )
            .retry_after(AGAIN)),
        }
    }

    /// Makes sure that the list of repositories is whole.
    ///
    /// # Errors
    /// `Unavailable` while it is not.
    pub(super) fn listed(&self) -> Result<()> {
        if self.is_finished() {
            return Ok(());
        }
        let progress = self.progress();
        Err(Error::new(
            Code::Unavailable,
            format!(
                "the registry that was here before is being taken over ({} of {} repositories); the list is not whole yet, try again shortly",
                progress.repos, progress.of
            ),
        )
        .retry_after(AGAIN))
    }

    /// Takes a repository over, once, whoever asks.
    async fn index(&self, repo: &RepoName) -> Result<()> {
        let work = {
            let mut working = self.0.working();
            if self.0.through().contains(repo) {
                return Ok(());
            }
            let (state, name) = (self.0.clone(), repo.clone());
            working
                .entry(repo.clone())
                .or_insert_with(|| {
                    let tasks = state.store.tasks.clone();
                    let work = async move {
                        let end = index(&state, &name).await;
                        state.working().remove(&name);
                        end
                    };
                    let joined = async move { tasks.joined(work).await.map_err(Arc::new) };
                    joined.boxed().shared()
                })
                .clone()
        };
        work.await.map_err(|error| {
            Error::new(error.code(), error.public())
                .because(error.clone())
                .retry_after(AGAIN)
        })
    }
}

/// Takes one repository over, as a whole.
async fn index(state: &Arc<State>, repo: &RepoName) -> Result<()> {
    let (to, mut from) = mpsc::channel::<Batch>(AHEAD);
    let survey = {
        let (state, repo) = (state.clone(), repo.clone());
        tokio::task::spawn_blocking(move || {
            state.survey.repository(
                &state.tree,
                &repo,
                &mut |batch| match to.blocking_send(batch) {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(_) => ControlFlow::Break(()),
                },
            )
        })
    };
    let now = micros((state.store.clock)());
    let lease_until = state.store.options.lease(now).until;
    let db = &state.store.db;
    db.write(Durability::Process, repo.clone(), |tx, repo| {
        Box::pin(takeovers::finding_forget(tx, Some(repo)))
    })
    .await?;
    let mut sum = TakenRepo {
        name: repo.as_str().to_owned(),
        manifests: 0,
        tags: 0,
        blobs: 0,
    };
    let mut before: i64 = 0;
    while let Some(batch) = from.recv().await {
        if state.stopped.load(Ordering::Acquire) {
            return Err(Error::new(
                Code::Unavailable,
                "the registry is shutting down",
            ));
        }
        let counts = &state.counts;
        sum.manifests += add(&counts.manifests, batch.manifests.len());
        sum.tags += add(&counts.tags, batch.tags.len());
        sum.blobs += add(&counts.blobs, batch.blobs.len());
        let found = add(&counts.findings, batch.findings.len());
        let lost = !batch.damaged.is_empty();
        let part = Part {
            repo: repo.clone(),
            batch,
            before,
            now,
            lease_until,
        };
        db.write(Durability::Process, part, |tx, part| {
            Box::pin(write::part(tx, part))
        })
        .await?;
        if lost {
            state.store.cache.content_lost();
        }
        before = before.saturating_add(i64::try_from(found).unwrap_or(i64::MAX));
    }
    if !survey.await.map_err(Error::internal)? {
        // The tree has no such repository.
        return Ok(());
    }
    db.write(Durability::Process, sum, |tx, sum| {
        Box::pin(takeovers::takeover_done(tx, sum))
    })
    .await?;
    state.through().insert(repo.clone());
    Ok(())
}

fn add(count: &AtomicU64, more: usize) -> u64 {
    let more = more as u64;
    count.fetch_add(more, Ordering::Relaxed);
    more
}

fn unreadable() -> Error {
    Error::new(
        Code::Unavailable,
        "the repositories of the Distribution tree cannot be listed",
    )
}
