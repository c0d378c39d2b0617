//! What a decision is made from, from memory that is a few seconds old at most.
//!
//! Images that everybody may pull are pulled most, and a stranger brings no token in which a decision is written down. A token has
//! one, and that is enough for pulls; what it changes is decided anew, request by request of a push. What is remembered are the
//! facts and not the decision: from where somebody asks and when is looked at each time, so a binding for some networks or hours, or
//! one that ends, counts exactly as if nothing were remembered.
//!
//! Only what allows something is kept. What is hidden and what is not there are looked up each time, both of them, so that an
//! answer's time does not tell one from the other; and a right that was just given is seen at once, whoever gave it.

use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use longshore_spec::name::RepoName;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::options::REVOKED_WITHIN;
use crate::age::apart;
use crate::rights::Facts;

/// The most that is remembered: repositories, and bindings around them.
const MOST: u64 = 100_000;

/// How many repositories strangers pull within seconds.
pub(crate) const PULLED: usize = 50_000;
/// How many repositories are pushed to within seconds.
pub(crate) const PUSHED: usize = 5_000;

/// Facts about repositories, for strangers by their names alone, for others by who it is as well.
#[derive(Debug)]
pub(crate) struct Memory<K> {
    known: Cache<K, Arc<Seen>, Bindings>,
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

impl<K: Hash + Eq + Clone> Memory<K> {
    /// Memory for about so many of them.
    pub(crate) fn of(repositories: usize) -> Self {
        Memory {
            known: Cache::with_weighter(repositories, MOST, Bindings),
            epoch: AtomicU64::new(0),
        }
    }

    /// What is remembered and still counts, as `decide` makes something of it.
    pub(crate) fn with<T>(
        &self,
        key: &K,
        now: SystemTime,
        decide: impl FnOnce(&Facts) -> T,
    ) -> Option<T> {
        let seen = self.known.get(key)?;
        let counts = seen.epoch == self.epoch() && apart(now, seen.at) < REVOKED_WITHIN;
        counts.then(|| decide(&seen.facts))
    }

    /// The epoch now. To be taken before facts are read.
    pub(crate) fn epoch(&self) -> Epoch {
        Epoch(self.epoch.load(Ordering::SeqCst))
    }

    /// Remembers the facts about `repo` that were read since `epoch` was now, for a request of `now`.
    ///
    /// What was asked for by a name of the past is not kept: such a name ends by itself.
    pub(crate) fn keep(
        &self,
        key: K,
        repo: &RepoName,
        facts: Facts,
        (epoch, now): (Epoch, SystemTime),
    ) {
        let ground = facts.ground.repo.as_ref();
        if ground.is_some_and(|found| found.id.is_some() && found.name == *repo) {
            let at = now;
            let seen = Arc::new(Seen { epoch, at, facts });
            self.known.insert(key, seen);
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

impl<K> Weighter<K, Arc<Seen>> for Bindings {
    fn weight(&self, _: &K, seen: &Arc<Seen>) -> u64 {
        let rules = seen.facts.parties.iter().map(|party| party.rules.len());
        1 + rules.sum::<usize>() as u64
    }
}
