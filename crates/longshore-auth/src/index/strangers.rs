//! What a decision about strangers is made from, from memory that is a few seconds old at most.
//!
//! Images that everybody may pull are pulled most, and a stranger brings no token in which a decision is written down. What is
//! remembered are the facts and not the decision: from where somebody asks and when is looked at each time, so a binding for some
//! networks or hours, or one that ends, counts exactly as if nothing were remembered.
//!
//! Only what lets a stranger pull is kept. What is hidden and what is not there are looked up each time, both of them, so that an
//! answer's time does not tell one from the other; and a right that was just given is seen at once, whoever gave it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use longshore_spec::name::RepoName;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::options::REVOKED_WITHIN;
use crate::age::apart;
use crate::rights::Facts;

/// The most that is remembered: repositories, and bindings for everybody around them.
const MOST: u64 = 100_000;

/// About how many repositories that is.
const REPOSITORIES: usize = 50_000;

#[derive(Debug)]
pub(crate) struct Strangers {
    known: Cache<RepoName, Arc<Seen>, Bindings>,
    epoch: AtomicU64,
}

#[derive(Debug)]
struct Seen {
    epoch: Epoch,
    at: SystemTime,
    facts: Facts,
}

/// A time between two changes of rights in this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Epoch(u64);

impl Strangers {
    pub(crate) fn new() -> Self {
        Strangers {
            known: Cache::with_weighter(REPOSITORIES, MOST, Bindings),
            epoch: AtomicU64::new(0),
        }
    }

    /// What is remembered of a repository and still counts, as `decide` makes something of it.
    pub(crate) fn with<T>(
        &self,
        repo: &RepoName,
        now: SystemTime,
        decide: impl FnOnce(&Facts) -> T,
    ) -> Option<T> {
        let seen = self.known.get(repo)?;
        let counts = seen.epoch == self.epoch() && apart(now, seen.at) < REVOKED_WITHIN;
        counts.then(|| decide(&seen.facts))
    }

    /// The epoch now. To be taken before facts are read.
    pub(crate) fn epoch(&self) -> Epoch {
        Epoch(self.epoch.load(Ordering::SeqCst))
    }

    /// Remembers the facts about a repository that were read since `epoch` was now, for a request of `now`.
    ///
    /// What was asked for by a name of the past is not kept: such a name ends by itself.
    pub(crate) fn keep(&self, repo: &RepoName, facts: Facts, epoch: Epoch, now: SystemTime) {
        let ground = facts.ground.repo.as_ref();
        if ground.is_some_and(|found| found.id.is_some() && found.name == *repo) {
            let at = now;
            let seen = Arc::new(Seen { epoch, at, facts });
            self.known.insert(repo.clone(), seen);
        }
    }

    /// Believes nothing any more that was read before: rights were changed in this process, and that is committed.
    pub(crate) fn forget(&self) {
        self.epoch.fetch_add(1, Ordering::SeqCst);
    }
}

/// What is remembered of a repository weighs as much as the bindings around it.
#[derive(Debug, Clone)]
struct Bindings;

impl Weighter<RepoName, Arc<Seen>> for Bindings {
    fn weight(&self, _: &RepoName, seen: &Arc<Seen>) -> u64 {
        let rules = seen.facts.parties.iter().map(|party| party.rules.len());
        1 + rules.sum::<usize>() as u64
    }
}
