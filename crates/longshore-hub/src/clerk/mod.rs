//! The clerk: reads the news of the registry and keeps what is known of artifacts, and what is found, true.
//!
//! It works behind the registry and never in its way: in small transactions, with a pause after each that grows with what it
//! took. Each piece of work makes something true as of now, whatever was there before, so a piece that was done and not
//! recorded is done again, and nothing is lost when the process ends anywhere. What was in the registry before the clerk came is
//! walked through once, repository by repository; news come first meanwhile.

mod look;
#[cfg(test)]
mod tests;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use longshore_core::error::Chain;
use longshore_core::{Registry, Result};
use longshore_meta::artifact_parts::{part_gone, part_put, part_unpacked};
use longshore_meta::artifacts::{artifact_gone, artifact_page, artifact_put, artifact_total};
use longshore_meta::finds::{Doc, find_drop, find_forget, find_open, find_put, find_repo};
use longshore_meta::news::{
    Kind, Reading, news_follow, news_last, news_leave, news_list, news_prune, news_reading,
    news_seen, news_walked,
};
use longshore_meta::settings::{setting_get, setting_put};
use longshore_meta::{Db, Durability, Tx, walks};
use longshore_spec::digest::Digest;
use longshore_spec::name::RepoName;

use crate::artifact;
use crate::search::{EDITION, doc, near};

/// Its name among those who read news.
pub(crate) const READER: &str = "index";
/// The setting that says which way of making documents they were made in.
const SETTING: &str = "search-edition";
/// How many news are read at once.
const NEWS: usize = 256;
/// How many repositories are walked through at once.
const REPOS: usize = 20;
/// How many manifests are read at once.
const MANIFESTS: usize = 100;
/// How many rows are removed at once.
const ROWS: usize = 500;

/// How a clerk works.
#[derive(Debug, Clone, Copy)]
pub struct ClerkOptions {
    /// How often it looks for news where there were none.
    pub idle: Duration,
    /// How long it rests after each piece of work, in times of what that took: 2 leaves it a third of a core at most.
    pub rest: u32,
}

impl Default for ClerkOptions {
    fn default() -> Self {
        Self {
            idle: Duration::from_millis(500),
            rest: 2,
        }
    }
}

/// Keeps what is known of artifacts and what is found true. One for a store.
#[derive(Clone)]
pub struct Clerk {
    db: Db,
    registry: Arc<dyn Registry>,
    clock: Arc<dyn Fn() -> SystemTime + Send + Sync>,
    options: ClerkOptions,
}

impl fmt::Debug for Clerk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clerk")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

/// How much there is still to do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Behind {
    /// News that are not worked on yet.
    pub news: u64,
    /// The repository up to which what was here before is walked through; `None` when all of it is.
    pub walk: Option<String>,
}

/// From now on nobody reads the news of the registry, which therefore has none: for a start without a clerk.
///
/// # Errors
/// `Unavailable`.
pub async fn stop_reading(db: &Db) -> Result<()> {
    let reads = db
        .read(&(), |tx, ()| Box::pin(news_reading(tx, READER)))
        .await?;
    if reads.is_none() {
        return Ok(());
    }
    db.write(Durability::Process, (), |tx, ()| {
        Box::pin(async move { news_leave(tx, READER).await.map(drop) })
    })
    .await?;
    while db
        .write(Durability::Process, (), |tx, ()| {
            Box::pin(news_prune(tx, ROWS))
        })
        .await?
        > 0
    {}
    Ok(())
}

impl Clerk {
    /// A clerk that reads `registry`, which must give it everything, and writes to `db`, the metadata of the same store.
    pub fn new(
        db: Db,
        registry: Arc<dyn Registry>,
        clock: Arc<dyn Fn() -> SystemTime + Send + Sync>,
        options: ClerkOptions,
    ) -> Self {
        Self {
            db,
            registry,
            clock,
            options,
        }
    }

    /// Begins to read news, before the registry is used: what changes from now on is not missed. What was written by another
    /// way of making documents is forgotten and made anew.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn open(&self) -> Result<()> {
        let edition = self
            .db
            .read(&(), |tx, ()| Box::pin(setting_get(tx, SETTING)))
            .await?;
        if edition.as_deref() != Some(EDITION) {
            while !self
                .db
                .write(Durability::Process, (), |tx, ()| {
                    Box::pin(find_forget(tx, ROWS))
                })
                .await?
            {}
        }
        self.db
            .write(Durability::Process, (), |tx, ()| Box::pin(begin(tx)))
            .await
    }

    /// Works until `stop` ends.
    pub async fn tend(&self, stop: impl Future<Output = ()> + Send) {
        let work = async {
            loop {
                let begun = (self.clock)();
                match self.step().await {
                    Ok(true) => {
                        let took = (self.clock)().duration_since(begun).unwrap_or_default();
                        tokio::time::sleep(took * self.options.rest).await;
                    }
                    Ok(false) => tokio::time::sleep(self.options.idle).await,
                    Err(error) => {
                        tracing::warn!(error = %Chain(&error), "what is known of artifacts could not be kept up; trying again");
                        tokio::time::sleep(Duration::from_secs(5)).await;
                    }
                }
            }
        };
        tokio::select! {
            () = stop => {}
            () = work => {}
        }
    }

    /// Does one piece of work; false when there was none.
    ///
    /// # Errors
    /// `Unavailable`; the same piece is done again then.
    pub async fn step(&self) -> Result<bool> {
        let Some(reading) = self
            .db
            .read(&(), |tx, ()| Box::pin(news_reading(tx, READER)))
            .await?
        else {
            return Ok(false);
        };
        if self.read_news(reading.seen).await? {
            return Ok(true);
        }
        match reading.walk {
            Some(after) => self.walk(after).await.map(|()| true),
            None => Ok(false),
        }
    }

    /// How far it is.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn behind(&self) -> Result<Behind> {
        self.db
            .read(&(), |tx, ()| {
                Box::pin(async move {
                    let last = news_last(tx).await?;
                    let Reading { seen, walk } =
                        news_reading(tx, READER).await?.unwrap_or(Reading {
                            seen: last,
                            walk: None,
                        });
                    let news = u64::try_from(last.saturating_sub(seen)).unwrap_or(0);
                    Ok(Behind { news, walk })
                })
            })
            .await
    }

    async fn read_news(&self, seen: i64) -> Result<bool> {
        let news = self
            .db
            .read(&seen, |tx, seen| Box::pin(news_list(tx, *seen, NEWS)))
            .await?;
        let Some(last) = news.last().map(|last| last.id) else {
            return Ok(false);
        };
        let (mut here, mut gone, mut repos) = (BTreeSet::new(), Vec::new(), BTreeSet::new());
        for item in news {
            repos.insert(item.repo);
            match (item.kind, item.digest) {
                (Kind::Manifest, Some(digest)) => drop(here.insert((item.repo, digest))),
                (Kind::ManifestGone, Some(digest)) => gone.push(digest),
                _ => {}
            }
        }
        self.learn(here.into_iter().collect()).await?;
        self.db
            .write(Durability::Process, gone, |tx, gone| {
                Box::pin(async move {
                    for digest in gone {
                        artifact_gone(tx, digest).await?;
                        part_gone(tx, digest).await?;
                    }
                    Ok(())
                })
            })
            .await?;
        for repo in repos {
            self.file(repo).await?;
        }
        self.db
            .write(Durability::Process, last, |tx, last| {
                Box::pin(async move {
                    news_seen(tx, READER, *last).await?;
                    news_prune(tx, 2 * NEWS).await.map(drop)
                })
            })
            .await?;
        Ok(true)
    }

    /// Goes on through what was here before.
    async fn walk(&self, after: String) -> Result<()> {
        let repos = self
            .db
            .read(&after, |tx, after| {
                Box::pin(walks::walk_repos(tx, after, REPOS))
            })
            .await?;
        let last = repos.last().map(|(_, name)| name.clone());
        for (repo, _) in repos {
            let mut mark: Option<Digest> = None;
            loop {
                let page = self
                    .db
                    .read(&(repo, mark), |tx, (repo, mark)| {
                        Box::pin(artifact_page(tx, *repo, mark.as_ref(), MANIFESTS))
                    })
                    .await?;
                let Some((end, _)) = page.last() else { break };
                mark = Some(*end);
                let unknown = page.iter().filter(|(_, unknown)| *unknown);
                self.learn(unknown.map(|(digest, _)| (repo, *digest)).collect())
                    .await?;
            }
            self.file(repo).await?;
        }
        if last.is_none() {
            tracing::info!("all that is in the registry can be found");
        }
        self.db
            .write(Durability::Process, last, |tx, last| {
                Box::pin(news_walked(tx, READER, last.as_deref()))
            })
            .await
    }

    /// Reads manifests, and writes what is known of them. Indexes come last: their sums need what they list.
    async fn learn(&self, manifests: Vec<(i64, Digest)>) -> Result<()> {
        let mut names: BTreeMap<i64, Option<RepoName>> = BTreeMap::new();
        let mut known = Vec::new();
        for (repo, digest) in manifests {
            if let Entry::Vacant(place) = names.entry(repo) {
                let name = self
                    .db
                    .read(&repo, |tx, repo| Box::pin(find_repo(tx, *repo)))
                    .await?;
                place.insert(name.and_then(|(name, _)| name.parse().ok()));
            }
            let Some(Some(name)) = names.get(&repo) else {
                continue;
            };
            if let Some(reading) = self.read_artifact(name, &digest).await? {
                known.push((digest, reading));
            }
        }
        if known.is_empty() {
            return Ok(());
        }
        known.sort_by_key(|(_, reading)| !reading.lists.is_empty());
        self.db
            .write(Durability::Process, known, |tx, known| {
                Box::pin(write(tx, known))
            })
            .await
    }

    /// Makes what a repository is found by true.
    async fn file(&self, repo: i64) -> Result<()> {
        let found = self
            .db
            .read_aside(Duration::from_mins(1), repo, |tx, repo| {
                Box::pin(doc(tx, *repo))
            })
            .await?;
        self.db
            .write(Durability::Process, (repo, found), |tx, (repo, found)| {
                Box::pin(put(tx, *repo, found.as_ref()))
            })
            .await
    }
}

async fn begin(tx: &mut Tx<'_>) -> Result<()> {
    find_open(tx).await?;
    news_follow(tx, READER).await?;
    if setting_get(tx, SETTING).await?.as_deref() != Some(EDITION) {
        news_walked(tx, READER, Some("")).await?;
        setting_put(tx, SETTING, EDITION).await?;
    }
    Ok(())
}

async fn put(tx: &mut Tx<'_>, repo: i64, found: Option<&Doc>) -> Result<()> {
    match found {
        Some(found) => find_put(tx, repo, found, near).await.map(drop),
        None => find_drop(tx, repo, near).await,
    }
}

async fn write(tx: &mut Tx<'_>, known: &[(Digest, artifact::Reading)]) -> Result<()> {
    for (digest, reading) in known {
        let (mut known, mut parts) = (reading.known.clone(), reading.parts.clone());
        for (child, size) in &reading.lists {
            let size = artifact_total(tx, child).await?.unwrap_or(*size);
            known.total = known.total.saturating_add(size);
            let unpacked = part_unpacked(tx, child).await?;
            let sum = parts.unpacked.zip(unpacked);
            parts.unpacked = sum.map(|(sum, more)| sum.saturating_add(more));
        }
        known.total = known.total.min(i64::MAX.unsigned_abs());
        parts.unpacked = parts.unpacked.map(|sum| sum.min(i64::MAX.unsigned_abs()));
        artifact_put(tx, digest, &known).await?;
        part_put(tx, digest, &parts).await?;
    }
    Ok(())
}
