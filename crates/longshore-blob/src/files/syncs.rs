//! What survives a power cut, and who waits to hear so.
//!
//! Publishing starts the sync of the file at once, many of them in parallel (the file system makes one journal commit of
//! them). Its directory is synced after that and only when somebody waits, by one call for all names that came meanwhile: an
//! image of three blobs takes three syncs and one. On ext4 and XFS the file's sync has committed the rename with it, so that
//! the directory's finds next to nothing to do.
//!
//! A failed sync is never tried again: the kernel reports a lost page once, and a second call would succeed without it.
//! Those bytes are reported lost until they are removed. When a directory fails, nothing that was published there can be
//! trusted and the store stops writing until it is opened again.

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use longshore_core::{Error, Result};
use quick_cache::sync::Cache;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::crew::Crew;
use super::fault::Failure;
use super::gather::Outcome;
use super::hours::{Dir, Trouble};
use super::root::Root;
use crate::location::Location;

/// How many syncs wait for the disk side by side.
const THREADS: usize = 32;

/// How many files may wait for their sync; who publishes one more waits first. Each holds a descriptor.
const PENDING: usize = 1024;

/// How many blobs are known to be durable. One that is not known any more is synced once more, which finds nothing to do.
const KNOWN: usize = 32_768;

/// A call that returns when what is open survives a power cut.
pub(crate) type SyncCall = Box<dyn Fn(&File) -> io::Result<()> + Send + Sync>;

/// The two calls that make things durable; the tests of this crate have others, which fail.
pub(crate) struct Barrier {
    pub(crate) file: SyncCall,
    pub(crate) dir: SyncCall,
}

impl Default for Barrier {
    fn default() -> Self {
        #[cfg(feature = "broken")]
        return Self {
            file: Box::new(crate::broken::sync_file),
            dir: Box::new(crate::broken::sync_dir),
        };
        // The data and the length; the other times of the file are of no use to anybody.
        #[cfg(not(feature = "broken"))]
        Self {
            file: Box::new(File::sync_data),
            dir: Box::new(File::sync_all),
        }
    }
}

pub(crate) struct Syncs {
    root: Arc<Root>,
    barrier: Barrier,
    crew: Crew,
    room: Arc<Semaphore>,
    states: Mutex<HashMap<Location, State>>,
    durable: Cache<Location, ()>,
    broken: OnceLock<Failure>,
}

enum State {
    Pending {
        waiting: Vec<oneshot::Sender<Outcome>>,
        /// The directory, when the file is durable and only its name is not.
        unnamed: Option<Arc<Dir>>,
    },
    Failed(Failure),
}

impl Syncs {
    pub(crate) fn new(root: Arc<Root>, barrier: Barrier) -> Self {
        Self {
            root,
            barrier,
            crew: Crew::new("blob-sync", THREADS, 0),
            room: Arc::new(Semaphore::new(PENDING)),
            states: Mutex::default(),
            durable: Cache::new(KNOWN),
            broken: OnceLock::new(),
        }
    }

    /// Whether the store may be written to.
    pub(crate) fn writable(&self) -> Result<()> {
        self.broken
            .get()
            .map_or(Ok(()), |failure| Err(failure.read_only()))
    }

    /// Waits until there is room for one more sync.
    pub(crate) async fn room(&self) -> Result<OwnedSemaphorePermit> {
        Arc::clone(&self.room)
            .acquire_owned()
            .await
            .map_err(Error::internal)
    }

    /// Begins to make `file`, which has just been published at `at`, durable, unless that was begun before.
    pub(crate) fn start(
        self: &Arc<Self>,
        at: &Location,
        file: File,
        dir: Arc<Dir>,
        room: OwnedSemaphorePermit,
    ) {
        if self.durable.contains_key(at) {
            return;
        }
        {
            let mut states = self.states();
            if states.contains_key(at) {
                return;
            }
            let pending = State::Pending {
                waiting: Vec::new(),
                unnamed: None,
            };
            states.insert(at.clone(), pending);
        }
        let pending = Pending {
            syncs: Arc::downgrade(self),
            at: at.clone(),
            answered: false,
        };
        let syncs = Arc::clone(self);
        self.crew.submit(Box::new(move || {
            let synced = (syncs.barrier.file)(&file);
            drop((file, room));
            if let Err(error) = synced {
                tracing::error!(at = %pending.at, %error, "a blob could not be made durable; it is lost");
                return pending.answer(&Err(Failure::new(error)));
            }
            let at = pending.at.clone();
            dir.gather().join(Box::new(move |outcome| pending.answer(outcome)));
            let wanted = match syncs.states().get_mut(&at) {
                Some(State::Pending { waiting, unnamed }) => {
                    *unnamed = Some(Arc::clone(&dir));
                    !waiting.is_empty()
                }
                // Done already by a sync that others wanted, or removed.
                _ => false,
            };
            if wanted {
                syncs.sync_dir(&dir);
            }
        }));
    }

    /// Begins to make a directory itself durable, ahead of its use.
    pub(crate) fn ahead(self: &Arc<Self>, dir: Arc<Dir>) {
        dir.gather().join(Box::new(|_| ()));
        self.start_dir(dir);
    }

    /// Begins to sync a directory for all names that wait for that.
    fn start_dir(self: &Arc<Self>, dir: Arc<Dir>) {
        let syncs = Arc::clone(self);
        self.crew.submit(Box::new(move || syncs.sync_dir(&dir)));
    }

    /// Syncs the directory, unless another thread is at it, which then does it once more.
    fn sync_dir(&self, dir: &Dir) {
        if !dir.gather().want() {
            return;
        }
        dir.gather().serve(|| {
            if let Some(failure) = self.broken.get() {
                return Err(failure.clone());
            }
            dir.sync(&self.root, &self.barrier.dir).map_err(|trouble| match trouble {
                Trouble::Open(error) => Failure::new(error),
                Trouble::Sync(error) => {
                    let failure = Failure::new(error);
                    if self.broken.set(failure.clone()).is_ok() {
                        tracing::error!(%failure, "a directory could not be made durable; the store is read-only now");
                    }
                    failure
                }
            })
        });
    }

    fn finish(&self, at: &Location, outcome: &Outcome) {
        let waiting = {
            let mut states = self.states();
            // What was removed meanwhile is of no interest.
            let Some(State::Pending { waiting, .. }) = states.remove(at) else {
                return;
            };
            match outcome {
                Ok(()) => self.durable.insert(at.clone(), ()),
                Err(failure) => drop(states.insert(at.clone(), State::Failed(failure.clone()))),
            }
            waiting
        };
        for waiter in waiting {
            // Some may have left.
            let _ = waiter.send(outcome.clone());
        }
    }

    /// How the sync of `at` went or goes; `None` when there is nothing to wait for and nothing is known.
    pub(crate) async fn outcome(self: &Arc<Self>, at: &Location) -> Option<Result<()>> {
        let (receiver, unnamed) = match self.states().get_mut(at) {
            Some(State::Failed(failure)) => return Some(Err(failure.unsafe_bytes())),
            Some(State::Pending { waiting, unnamed }) => {
                let (sender, receiver) = oneshot::channel();
                waiting.push(sender);
                (receiver, unnamed.clone())
            }
            None => return self.durable.contains_key(at).then_some(Ok(())),
        };
        if let Some(dir) = unnamed {
            self.start_dir(dir);
        }
        Some(match receiver.await {
            Ok(outcome) => outcome.map_err(|failure| failure.unsafe_bytes()),
            Err(closed) => Err(Error::internal(closed)),
        })
    }

    /// Forgets what was removed, failures too: nobody asks for it again.
    pub(crate) fn forget(&self, at: &Location) {
        let mut states = self.states();
        self.durable.remove(at);
        states.remove(at);
    }

    /// How many files are durable and wait for somebody who wants their names to be.
    #[cfg(test)]
    pub(crate) fn unnamed(&self) -> usize {
        let unnamed = |state: &&State| {
            matches!(
                state,
                State::Pending {
                    unnamed: Some(_),
                    ..
                }
            )
        };
        self.states().values().filter(unnamed).count()
    }

    fn states(&self) -> MutexGuard<'_, HashMap<Location, State>> {
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A blob on its way to being durable. Whoever waits for it is answered whatever happens: also when the work is dropped
/// undone.
struct Pending {
    /// Weak, because it waits in a directory that the store holds.
    syncs: Weak<Syncs>,
    at: Location,
    answered: bool,
}

impl Pending {
    fn answer(mut self, outcome: &Outcome) {
        self.answered = true;
        if let Some(syncs) = self.syncs.upgrade() {
            syncs.finish(&self.at, outcome);
        }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if !self.answered
            && let Some(syncs) = self.syncs.upgrade()
        {
            syncs.finish(
                &self.at,
                &Err(Failure::new(io::Error::other("the work was lost"))),
            );
        }
    }
}

impl fmt::Debug for Syncs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Syncs")
            .field("crew", &self.crew)
            .field("broken", &self.broken)
            .finish_non_exhaustive()
    }
}
