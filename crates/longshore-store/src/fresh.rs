//! Upload sessions that hold nothing yet, and those that were finished without ever having held anything on disk.
//!
//! Most sessions are opened to be filled and finished by the next request. Such a session is an entry in memory: no row, no
//! file. It becomes a row and a file when bytes come that are not the whole of a small blob ([`crate::uploads`]), before
//! the first of them is acknowledged; so a kill loses no byte that was acknowledged, only sessions without any. Decision
//! 0010 says why that may be.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use longshore_core::{Code, Error, Result};
use longshore_meta::uploads::UploadKey;
use longshore_spec::digest::{Algorithm, Digest};
use longshore_spec::upload::UploadId;
use quick_cache::sync::Cache;

/// How many such sessions there may be in all; each takes some hundred bytes.
const MOST: usize = 100_000;
/// How many finished ones are remembered.
const FINISHED: usize = 100_000;

#[derive(Debug)]
pub(crate) struct Fresh {
    open: Mutex<Open>,
    finished: Cache<UploadId, Finished>,
    /// How many sessions have open rows, or more: never less.
    rows: AtomicUsize,
}

#[derive(Debug, Default)]
struct Open {
    sessions: HashMap<UploadId, Session>,
    of_repo: HashMap<i64, usize>,
    of_actor: HashMap<String, usize>,
}

#[derive(Debug)]
struct Session {
    repo: i64,
    actor: String,
    algorithm: Algorithm,
    opened: i64,
    taken: bool,
}

#[derive(Debug, Clone)]
struct Finished {
    repo: i64,
    actor: String,
    digest: Digest,
    size: u64,
    at: i64,
}

/// How many sessions a repository and one actor may have open, and how many of them are rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room {
    pub(crate) of_repo: usize,
    /// `None` for strangers: they cannot be told apart, so they share the limit of the repository only.
    pub(crate) of_actor: Option<usize>,
    pub(crate) rows_of_repo: usize,
    pub(crate) rows_of_actor: usize,
}

impl Fresh {
    pub(crate) fn new(rows: usize) -> Self {
        Self {
            open: Mutex::default(),
            finished: Cache::new(FINISHED),
            rows: AtomicUsize::new(rows),
        }
    }

    /// No more sessions than this have open rows.
    pub(crate) fn rows_at_most(&self) -> usize {
        self.rows.load(Ordering::Relaxed)
    }

    /// A row is about to be written.
    pub(crate) fn row_comes(&self) {
        self.rows.fetch_add(1, Ordering::Relaxed);
    }

    /// An open row is gone, or a finished one now.
    pub(crate) fn row_left(&self) {
        let _ = self
            .rows
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |rows| {
                Some(rows.saturating_sub(1))
            });
    }

    /// Opens a session.
    ///
    /// # Errors
    /// `TooManyRequests`.
    pub(crate) fn open(
        &self,
        key: &UploadKey,
        algorithm: Algorithm,
        now: i64,
        room: Room,
    ) -> Result<()> {
        let mut open = self.lock();
        let of_repo = open.of_repo.get(&key.repo).copied().unwrap_or_default();
        if of_repo + room.rows_of_repo >= room.of_repo {
            return Err(too_many("this repository has", room.of_repo));
        }
        if let Some(most) = room.of_actor {
            let of_actor = open.of_actor.get(&key.actor).copied().unwrap_or_default();
            if of_actor + room.rows_of_actor >= most {
                return Err(too_many("you have", most));
            }
        }
        if open.sessions.len() >= MOST {
            return Err(too_many("this registry has", MOST));
        }
        *open.of_repo.entry(key.repo).or_default() += 1;
        *open.of_actor.entry(key.actor.clone()).or_default() += 1;
        let session = Session {
            repo: key.repo,
            actor: key.actor.clone(),
            algorithm,
            opened: now,
            taken: false,
        };
        open.sessions.insert(key.id, session);
        Ok(())
    }

    /// Whether it is such a session.
    pub(crate) fn has(&self, key: &UploadKey) -> bool {
        self.lock()
            .sessions
            .get(&key.id)
            .is_some_and(|session| session.belongs(key))
    }

    /// Takes the session for one request; `None` when it is none of these.
    ///
    /// # Errors
    /// `UploadBusy`.
    pub(crate) fn take(self: &Arc<Self>, key: &UploadKey) -> Result<Option<Start>> {
        let mut open = self.lock();
        let Some(session) = open.sessions.get_mut(&key.id) else {
            return Ok(None);
        };
        if !session.belongs(key) {
            return Ok(None);
        }
        if std::mem::replace(&mut session.taken, true) {
            return Err(busy(0));
        }
        Ok(Some(Start {
            fresh: Arc::clone(self),
            key: key.clone(),
            algorithm: session.algorithm,
        }))
    }

    /// What the session became, if it was finished after `since`.
    pub(crate) fn finished(&self, key: &UploadKey, since: i64) -> Option<(Digest, u64)> {
        let done = self.finished.get(&key.id)?;
        let same = done.repo == key.repo && done.actor == key.actor && done.at >= since;
        same.then_some((done.digest, done.size))
    }

    /// Forgets sessions that were opened before `since` and nobody has in hand.
    pub(crate) fn sweep(&self, since: i64) {
        let mut open = self.lock();
        let stale: Vec<_> = open
            .sessions
            .iter()
            .filter(|(_, session)| session.opened < since && !session.taken)
            .map(|(id, _)| *id)
            .collect();
        for id in stale {
            open.remove(&id);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    /// A session answers to its repository and its actor together, never to its id alone.
    fn belongs(&self, key: &UploadKey) -> bool {
        self.repo == key.repo && self.actor == key.actor
    }
}

impl Open {
    fn remove(&mut self, id: &UploadId) {
        let Some(session) = self.sessions.remove(id) else {
            return;
        };
        less(&mut self.of_repo, &session.repo);
        less(&mut self.of_actor, &session.actor);
    }
}

/// Counts one less, and keeps no zeros.
fn less<K: std::hash::Hash + Eq>(counts: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count = count.saturating_sub(1);
        if *count == 0 {
            counts.remove(key);
        }
    }
}

/// A session in the hands of one request. Dropped, it stands where it stood.
#[derive(Debug)]
pub(crate) struct Start {
    fresh: Arc<Fresh>,
    pub(crate) key: UploadKey,
    pub(crate) algorithm: Algorithm,
}

impl Start {
    /// It is over, or a row from now on.
    pub(crate) fn end(self) {
        self.fresh.lock().remove(&self.key.id);
    }

    /// It became a blob.
    pub(crate) fn finish(self, digest: Digest, size: u64, now: i64) {
        let done = Finished {
            repo: self.key.repo,
            actor: self.key.actor.clone(),
            digest,
            size,
            at: now,
        };
        // First, so that it is there all the time.
        self.fresh.finished.insert(self.key.id, done);
        self.end();
    }
}

impl Drop for Start {
    fn drop(&mut self) {
        if let Some(session) = self.fresh.lock().sessions.get_mut(&self.key.id) {
            session.taken = false;
        }
    }
}

fn too_many(who: &str, most: usize) -> Error {
    Error::new(
        Code::TooManyRequests,
        format!(
            "{who} {most} open upload sessions; finish or cancel some, or wait until they expire"
        ),
    )
    .retry_after(std::time::Duration::from_mins(1))
}

/// The answer to a second writer of a session that holds `offset` bytes.
pub(crate) fn busy(offset: u64) -> Error {
    Error::new(
        Code::UploadBusy,
        "another request is writing to this upload session; wait for it, then ask where the session stands",
    )
    .at_offset(offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: u128) -> UploadKey {
        UploadKey {
            repo: 1,
            id: UploadId::from_u128(id),
            actor: "user:alice".to_owned(),
        }
    }

    fn room(of_repo: usize, of_actor: Option<usize>, rows: usize) -> Room {
        Room {
            of_repo,
            of_actor,
            rows_of_repo: rows,
            rows_of_actor: rows,
        }
    }

    #[test]
    fn what_is_open_in_memory_and_in_rows_counts_together_and_what_ended_does_not() {
        let fresh = Arc::new(Fresh::new(0));
        let open = |id, room| fresh.open(&key(id), Algorithm::Sha256, 0, room).is_ok();
        assert!(open(1, room(3, Some(3), 0)) && open(2, room(3, Some(3), 0)));
        assert!(!open(3, room(3, Some(9), 1)), "the repository is full");
        assert!(!open(3, room(9, Some(3), 1)), "the actor has enough");
        assert!(
            open(3, room(9, None, 1)),
            "a stranger has no limit of his own"
        );
        fresh.take(&key(1)).unwrap().unwrap().end();
        assert!(open(4, room(3, Some(3), 0)));
        fresh.sweep(1);
        assert!(fresh.lock().of_repo.is_empty() && fresh.lock().of_actor.is_empty());
    }

    #[test]
    fn a_session_has_one_writer_and_stands_again_when_that_one_is_gone() {
        let fresh = Arc::new(Fresh::new(0));
        fresh
            .open(&key(1), Algorithm::Sha256, 5, room(9, None, 0))
            .unwrap();
        let first = fresh.take(&key(1)).unwrap().unwrap();
        assert_eq!(fresh.take(&key(1)).unwrap_err().code(), Code::UploadBusy);
        fresh.sweep(9);
        drop(first);
        let other = UploadKey {
            actor: "user:bob".to_owned(),
            ..key(1)
        };
        assert!(fresh.take(&other).unwrap().is_none() && !fresh.has(&other));
        let digest = Digest::of(Algorithm::Sha256, b"it");
        fresh.take(&key(1)).unwrap().unwrap().finish(digest, 2, 10);
        assert!(!fresh.has(&key(1)));
        assert_eq!(fresh.finished(&key(1), 10), Some((digest, 2)));
        assert_eq!(fresh.finished(&key(1), 11), None);
        assert_eq!(fresh.finished(&other, 10), None);
    }
}
