//! Taking over the tree of a Distribution registry that lies in the data directory.
//!
//! Its blobs stay where they are, and rows say so; manifests are copied into the metadata. A repository is taken over as a
//! whole: until it is through nobody sees anything of it ([`Arriving`]), so whoever comes first finds all of it or waits. What
//! was done is rows too, so a takeover that was killed goes on where it was and ends in the same state. Decision 0015.

mod gate;
mod run;
mod write;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::future::{BoxFuture, Shared};
use longshore_core::Error;
use longshore_layout::distribution::{Finding, Kind, Survey, Tree, TreeError};
use longshore_meta::takeovers::{self, FoundRow, TakenRepo};
use longshore_meta::time::micros;
use longshore_meta::{Db, Durability, repos, settings};
use longshore_spec::name::RepoName;

use crate::store::{Inner, Store};

pub use gate::Arriving;

/// Settings: whether a takeover is under way or done, and since when.
const STATE: &str = "takeover";
const BEGUN: &str = "takeover.begun";
const ENDED: &str = "takeover.ended";
const UNDER_WAY: &str = "under way";
const DONE: &str = "done";

/// How many rows are read at once.
const PAGE: usize = 1_000;

/// Why a tree is not taken over.
#[derive(Debug, thiserror::Error)]
pub enum TakeoverError {
    /// The tree cannot be used.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// The registry holds repositories of its own, and nobody said that the tree is to come to them.
    #[error(
        "{data} holds repositories of this registry and, beside them, the tree of a Distribution registry (docker/registry/v2) that was not taken over"
    )]
    NotEmpty {
        /// The data directory.
        data: String,
    },
    /// The tree went away in the middle.
    #[error(
        "a Distribution tree in {data} was being taken over, and is gone: {data}/docker/registry/v2 must come back, since its blobs are served from there"
    )]
    Gone {
        /// The data directory.
        data: String,
    },
    /// The metadata cannot be read or written.
    #[error(transparent)]
    Store(#[from] Error),
}

/// A tree that is being taken over. Clones are one.
#[derive(Clone)]
pub struct Takeover(Arc<State>);

/// How one repository's work ends, for all who wait for it.
type Work = Shared<BoxFuture<'static, Result<(), Arc<Error>>>>;

struct State {
    store: Arc<Inner>,
    tree: Arc<Tree>,
    survey: Survey,
    begun: SystemTime,
    through: Mutex<HashSet<RepoName>>,
    working: Mutex<HashMap<RepoName, Work>>,
    finished: AtomicBool,
    stopped: AtomicBool,
    counts: Counts,
}

#[derive(Default)]
struct Counts {
    repos: AtomicU64,
    of: AtomicU64,
    manifests: AtomicU64,
    tags: AtomicU64,
    blobs: AtomicU64,
    findings: AtomicU64,
}

/// How far a takeover is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Repositories that are through.
    pub repos: u64,
    /// Repositories in the tree; 0 until that is known.
    pub of: u64,
    /// Manifests taken over by this run.
    pub manifests: u64,
    /// Tags taken over by this run.
    pub tags: u64,
    /// Blobs found by this run, once for each repository that holds them.
    pub blobs: u64,
    /// Findings of this run.
    pub findings: u64,
}

impl fmt::Debug for Takeover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Takeover")
            .field("tree", &self.0.tree)
            .field("progress", &self.progress())
            .finish_non_exhaustive()
    }
}

impl Takeover {
    /// The takeover of the tree in `data`, begun now or gone on with; `None` when there is none to do. With `beside`, a tree
    /// may come to repositories that the registry holds already: those keep what they have.
    ///
    /// # Errors
    /// [`TakeoverError`].
    pub async fn of(
        store: &Store,
        data: &Path,
        survey: Survey,
        beside: bool,
    ) -> Result<Option<Self>, TakeoverError> {
        let inner = &store.0;
        let (state, begun, any) = inner
            .db
            .read(&(), |tx, ()| {
                Box::pin(async move {
                    Ok((
                        settings::setting_get(tx, STATE).await?,
                        settings::setting_get(tx, BEGUN).await?,
                        repos::repo_any(tx).await?,
                    ))
                })
            })
            .await?;
        if state.as_deref() == Some(DONE) {
            return Ok(None);
        }
        let at = data.to_owned();
        let tree = tokio::task::spawn_blocking(move || Tree::open(&at))
            .await
            .map_err(Error::internal)??;
        let shown = || data.display().to_string();
        let begun = match (tree.is_some(), state, begun) {
            (false, None, _) => return Ok(None),
            (false, Some(_), _) => return Err(TakeoverError::Gone { data: shown() }),
            (true, None, _) if any && !beside => {
                return Err(TakeoverError::NotEmpty { data: shown() });
            }
            (true, Some(_), Some(begun)) => time(&begun),
            (true, ..) => {
                let now = (inner.clock)();
                let begin = micros(now).to_string();
                inner
                    .db
                    .write(Durability::Power, begin, |tx, begun| {
                        Box::pin(async move {
                            settings::setting_put(tx, BEGUN, begun).await?;
                            settings::setting_put(tx, STATE, UNDER_WAY).await
                        })
                    })
                    .await?;
                now
            }
        };
        let Some(tree) = tree else { return Ok(None) };
        let takeover = Self(Arc::new(State {
            store: inner.clone(),
            tree: Arc::new(tree),
            survey,
            begun,
            through: Mutex::default(),
            working: Mutex::default(),
            finished: AtomicBool::new(false),
            stopped: AtomicBool::new(false),
            counts: Counts::default(),
        }));
        takeover.remember().await?;
        Ok(Some(takeover))
    }

    /// Takes up which repositories are through.
    async fn remember(&self) -> longshore_core::Result<()> {
        let mut after = String::new();
        loop {
            let page = taken(&self.0.store, &after).await?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after.clone_from(&last.name);
            let names = page.iter().filter_map(|repo| repo.name.parse().ok());
            self.0.through().extend(names);
        }
    }

    /// How far it is.
    pub fn progress(&self) -> Progress {
        let counts = &self.0.counts;
        let get = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Progress {
            repos: get(&counts.repos),
            of: get(&counts.of),
            manifests: get(&counts.manifests),
            tags: get(&counts.tags),
            blobs: get(&counts.blobs),
            findings: get(&counts.findings),
        }
    }

    /// Lets all that is under way end soon; the next start goes on with it.
    pub fn stop(&self) {
        self.0.stopped.store(true, Ordering::Release);
    }

    /// Whether all of the tree is taken over.
    pub fn is_finished(&self) -> bool {
        self.0.finished.load(Ordering::Acquire)
    }
}

impl State {
    fn through(&self) -> std::sync::MutexGuard<'_, HashSet<RepoName>> {
        self.through.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn working(&self) -> std::sync::MutexGuard<'_, HashMap<RepoName, Work>> {
        self.working.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a takeover was begun and is not done, also when nobody goes on with it just now. Until it is, nobody knows what is
/// needed: nothing may be collected, checked or backed up.
///
/// # Errors
/// `Unavailable`.
pub async fn is_taking_over(db: &Db) -> longshore_core::Result<bool> {
    let state = db
        .read(&(), |tx, ()| Box::pin(settings::setting_get(tx, STATE)))
        .await?;
    Ok(state.as_deref() == Some(UNDER_WAY))
}

/// A takeover that is under way or done, as the metadata tells of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// When it began.
    pub begun: SystemTime,
    /// When it ended; `None` while it is under way.
    pub ended: Option<SystemTime>,
    /// Repositories that are through.
    pub repos: u64,
    /// Manifests in them, as they were taken over.
    pub manifests: u64,
    /// Their tags.
    pub tags: u64,
    /// Blobs, once for each repository that holds them.
    pub blobs: u64,
}

impl Store {
    /// What the metadata tells of a takeover; `None` when there never was one.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn taken_over(&self) -> longshore_core::Result<Option<Taken>> {
        let (begun, ended) = self
            .0
            .db
            .read(&(), |tx, ()| {
                Box::pin(async move {
                    Ok((
                        settings::setting_get(tx, BEGUN).await?,
                        settings::setting_get(tx, ENDED).await?,
                    ))
                })
            })
            .await?;
        let Some(begun) = begun else { return Ok(None) };
        let mut sum = Taken {
            begun: time(&begun),
            ended: ended.map(|ended| time(&ended)),
            repos: 0,
            manifests: 0,
            tags: 0,
            blobs: 0,
        };
        let mut after = String::new();
        loop {
            let page = taken(&self.0, &after).await?;
            let Some(last) = page.last() else {
                return Ok(Some(sum));
            };
            after.clone_from(&last.name);
            for repo in page {
                sum.repos += 1;
                sum.manifests += repo.manifests;
                sum.tags += repo.tags;
                sum.blobs += repo.blobs;
            }
        }
    }

    /// What a takeover found, in the order of repositories, behind the place `after` where one is given; with the place of
    /// the last.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn takeover_findings(
        &self,
        after: Option<(String, i64)>,
    ) -> longshore_core::Result<(Vec<Finding>, Option<(String, i64)>)> {
        let after = after.unwrap_or_default();
        let rows = self
            .0
            .db
            .read(&after, |tx, (repo, number)| {
                Box::pin(takeovers::finding_list(tx, (repo, *number), PAGE))
            })
            .await?;
        let last = rows.last().map(|row| (row.repo.clone(), row.number));
        let findings = rows.into_iter().filter_map(finding).collect();
        Ok((findings, last))
    }
}

fn finding(row: FoundRow) -> Option<Finding> {
    let kind = Kind::ALL.iter().find(|kind| kind.as_str() == row.kind)?;
    Some(Finding {
        kind: *kind,
        repo: row.repo.parse().ok(),
        what: row.what,
        why: row.why,
    })
}

async fn taken(store: &Inner, after: &str) -> longshore_core::Result<Vec<TakenRepo>> {
    let after = after.to_owned();
    store
        .db
        .read(&after, |tx, after| {
            Box::pin(takeovers::takeover_list(tx, after, PAGE))
        })
        .await
}

/// A time as a setting has it, in microseconds.
fn time(text: &str) -> SystemTime {
    UNIX_EPOCH + Duration::from_micros(text.parse().unwrap_or_default())
}
