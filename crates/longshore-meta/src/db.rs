//! The database: one way to read, one way to write, on whatever engine.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use longshore_core::{Result, Room};

use crate::lite::Lite;
use crate::tx::Tx;

/// What a write's acknowledgement means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// It survives the end of the process, not yet a power cut. For what is only a help: upload sessions, staged blobs.
    Process,
    /// It survives a power cut. For what is promised: manifests, tags, deletions.
    Power,
}

/// The body of a transaction: a function of its arguments and of nothing else, so that it can be run again.
pub type Body<A, T> = for<'t> fn(&'t mut Tx<'_>, &'t A) -> BoxFuture<'t, Result<T>>;

/// Decides about the writes of a database that [`Db::open_stepped`] opened: when each happens, whether it does, and when its
/// answer is heard. For simulations.
pub trait Steps: std::fmt::Debug + Send + Sync {
    /// Before a transaction, which begins when this returns.
    ///
    /// # Errors
    /// What the write is answered; nothing is written then.
    fn before(&self) -> BoxFuture<'_, Result<()>>;

    /// After a commit, which left the log `length` bytes long. The write is acknowledged when this returns, and then it must
    /// survive what `durability` says.
    ///
    /// # Errors
    /// What the write is answered; it stands all the same.
    fn committed(&self, length: u64, durability: Durability) -> BoxFuture<'_, Result<()>>;
}

/// A metadata database. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Db {
    engine: Engine,
}

#[derive(Debug, Clone)]
enum Engine {
    Lite(Arc<Lite>),
}

#[expect(
    clippy::unused_async,
    reason = "SQLite reads in line; the engine that is to come beside it waits"
)]
impl Db {
    /// Opens a SQLite database in one file, makes it if it is not there, and brings its schema up to date.
    ///
    /// # Errors
    /// `Unavailable` with a cause when the file cannot be opened, is locked, damaged, or of a newer Longshore.
    pub fn open_file(path: &Path) -> Result<Self> {
        Self::open_reserved(path, 0, &Room::default())
    }

    /// The same, with `reserve` bytes kept beside it, which are given up when the disk is full so that deletes go on. `room`
    /// says so to those who would fill them, and looks by the database whether there is room again; the database itself obeys
    /// nobody.
    ///
    /// # Errors
    /// See [`Db::open_file`].
    pub fn open_reserved(path: &Path, reserve: u64, room: &Room) -> Result<Self> {
        Ok(Self {
            engine: Engine::Lite(Arc::new(Lite::open(path, reserve, room)?)),
        })
    }

    /// Opens the same without any thread: each write runs where it is asked for, when `steps` lets it, and the log is neither
    /// synced nor moved. For simulations, which decide what of the log survives.
    ///
    /// # Errors
    /// See [`Db::open_file`].
    pub fn open_stepped(path: &Path, steps: Arc<dyn Steps>) -> Result<Self> {
        Ok(Self {
            engine: Engine::Lite(Arc::new(Lite::open_stepped(path, steps)?)),
        })
    }

    /// Reads, from one consistent view.
    ///
    /// # Errors
    /// What `body` gives, or `Unavailable`.
    pub async fn read<A: Sync, T>(&self, args: &A, body: Body<A, T>) -> Result<T> {
        match &self.engine {
            Engine::Lite(lite) => lite.read(args, body),
        }
    }

    /// The same for what may take long: on a thread of its own, and for `most` at the most.
    ///
    /// # Errors
    /// What `body` gives, or `Unavailable`, also when it took longer.
    pub async fn read_aside<A, T>(&self, most: Duration, args: A, body: Body<A, T>) -> Result<T>
    where
        A: Send + Sync + 'static,
        T: Send + 'static,
    {
        match &self.engine {
            Engine::Lite(lite) => Lite::read_aside(lite, most, args, body).await,
        }
    }

    /// Writes: all that `body` does happens, or nothing when it fails. Nobody sees half of it.
    ///
    /// Dropped midway, the write may still happen. `body` may run more than once; only its last run counts.
    ///
    /// # Errors
    /// What `body` gives, or `Unavailable`.
    pub async fn write<A, T>(&self, durability: Durability, args: A, body: Body<A, T>) -> Result<T>
    where
        A: Send + Sync + 'static,
        T: Send + 'static,
    {
        match &self.engine {
            Engine::Lite(lite) => lite.write(durability, args, body).await,
        }
    }

    /// Writes a copy of everything as of one moment to `to`, which must not be there or be empty. Writers go on meanwhile; the
    /// log cannot start again until it is done.
    ///
    /// # Errors
    /// `Unavailable` when it cannot be read or written.
    pub async fn snapshot(&self, to: &Path) -> Result<()> {
        match &self.engine {
            Engine::Lite(lite) => {
                let (lite, to) = (Arc::clone(lite), to.to_owned());
                tokio::task::spawn_blocking(move || lite.snapshot(&to))
                    .await
                    .map_err(longshore_core::Error::internal)?
            }
        }
    }

    /// What the database itself finds wrong with its structure, at most a hundred sentences; `quick` leaves out whether
    /// indexes and tables agree. Reads all of the database, beside whoever uses it.
    ///
    /// # Errors
    /// `Unavailable` when it cannot be read at all.
    pub async fn problems(&self, quick: bool) -> Result<Vec<String>> {
        match &self.engine {
            Engine::Lite(lite) => {
                let lite = Arc::clone(lite);
                tokio::task::spawn_blocking(move || lite.problems(quick))
                    .await
                    .map_err(longshore_core::Error::internal)?
            }
        }
    }

    /// Makes sure that everything acknowledged so far is on disk, and ends the writer. For an orderly stop.
    ///
    /// # Errors
    /// `Unavailable` when it could not be written.
    pub async fn close(&self) -> Result<()> {
        match &self.engine {
            Engine::Lite(lite) => lite.close().await,
        }
    }
}
