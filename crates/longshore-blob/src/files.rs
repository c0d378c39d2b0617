//! A store on a local disk.

mod batch;
mod crew;
mod examine;
mod extend;
mod fault;
mod gather;
mod hours;
mod make;
mod open;
mod publish;
mod quarantine;
mod read;
mod root;
mod seats;
mod syncs;
#[cfg(test)]
mod tests;
mod trouble;
mod walk;
mod whole;
mod writer;

use std::fmt;
use std::fs::File;
use std::ops::Range;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use bytes::Bytes;
use longshore_core::{ByteStream, Error, Result, Room, SignedUrl};
use longshore_spec::{Algorithm, Digest};
use rustix::fs::AtFlags;
use rustix::io::Errno;
use uuid::{NoContext, Timestamp, Uuid};

use crate::location::Location;
use crate::stage::Stage;
use crate::store::{BlobStore, Pace, Stored};
use crew::Crew;
use extend::{Lane, Lanes};
use hours::Hours;
use make::Maker;
use read::Reads;
use seats::Seats;
use syncs::{Barrier, Syncs};
use writer::{Writer, recognise};

pub use open::{FilesOptions, OpenError};

/// How the name of a stage ends.
const STAGED: &str = ".part";

/// The priority of the threads that hash: low enough that a core full of uploads answers small requests at once.
const HASHING_NICE: i32 = 10;

/// A store on a local disk, in a directory that belongs to one process at a time.
///
/// Blobs lie in a directory for each hour of arrival, `blobs/2026-11-21/10/sha256-<hex>.<upload id>`; a stage lies beside
/// them as `<upload id>.part`. The database says what is there; the names allow to rebuild it.
pub struct Files {
    maker: Arc<Maker>,
    seats: Arc<Seats>,
    hashing: Crew,
    lanes: Lanes,
    reads: Reads,
    witness: u128,
    room: Option<Room>,
}

impl Files {
    /// Opens the store in `options.root`, and makes it when nothing is there. Blocks for a moment, not longer for a large
    /// store.
    ///
    /// # Errors
    /// [`OpenError`], in words for whoever starts the registry.
    pub fn open(options: &FilesOptions) -> Result<Self, OpenError> {
        Self::open_with(options, Barrier::default())
    }

    fn open_with(options: &FilesOptions, barrier: Barrier) -> Result<Self, OpenError> {
        let (root, lock) = open::prepare(options)?;
        let root = Arc::new(root);
        let cores = thread::available_parallelism().map_or(2, usize::from);
        let maker = Maker {
            root: Arc::clone(&root),
            hours: Hours::default(),
            syncs: Arc::new(Syncs::new(Arc::clone(&root), barrier)),
        };
        Ok(Self {
            maker: Arc::new(maker),
            seats: Arc::new(Seats::new(lock)),
            // Twice the cores: some of them wait for the disk.
            hashing: Crew::new("blob-hash", cores * 2, HASHING_NICE),
            lanes: Lanes::default(),
            reads: Reads::new(
                root,
                options.small_bytes,
                open::open_files(options.open_files),
            ),
            witness: open::witness(),
            room: options.room.clone(),
        })
    }

    async fn unlink(&self, at: &Location) -> Result<()> {
        let (root, at) = (Arc::clone(&self.maker.root), at.clone());
        // Freeing the blocks of a large file takes a while.
        let removed = tokio::task::spawn_blocking(move || {
            let dir = root.open_dir(at.parent())?;
            rustix::fs::unlinkat(dir, at.name(), AtFlags::empty())
        });
        match removed.await.map_err(Error::internal)? {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(fault::storage(error)),
        }
    }
}

/// The place behind which everything lies that arrived at `since` or later.
///
/// # Errors
/// `Internal`, which cannot be.
pub fn arrivals(since: SystemTime) -> Result<Location> {
    hours::path_of(since).parse().map_err(Error::internal)
}

impl Files {
    /// Whether anything may be written that takes space.
    fn admit(&self) -> Result<()> {
        if self.room.as_ref().is_some_and(|room| !room.is_there()) {
            return Err(fault::storage(Errno::NOSPC));
        }
        Ok(())
    }

    /// The disk was found full.
    fn ran_out(&self) {
        if let Some(room) = &self.room {
            room.ran_out();
        }
    }
}

/// The id of an upload that begins `now`; ids of later ones come later in the order of names.
fn new_id(now: SystemTime) -> String {
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let time = Timestamp::from_unix(NoContext, since.as_secs(), since.subsec_nanos());
    Uuid::new_v7(time).simple().to_string()
}

fn location_in(dir: &hours::Dir, name: &str) -> Result<Location> {
    format!("{}/{name}", dir.path())
        .parse()
        .map_err(Error::internal)
}

#[async_trait]
impl BlobStore for Files {
    async fn size(&self, at: &Location) -> Result<Option<u64>> {
        self.reads.size(at).await
    }

    async fn read(&self, at: &Location, size: u64, range: Range<u64>) -> Result<ByteStream> {
        self.reads.read(at, size, range).await
    }

    async fn sign(&self, _at: &Location, _ttl: Duration) -> Result<Option<SignedUrl>> {
        Ok(None)
    }

    async fn stage(&self, algorithm: Algorithm, now: SystemTime) -> Result<Stage> {
        self.maker.syncs.writable()?;
        let maker = Arc::clone(&self.maker);
        let name = format!("{}{STAGED}", new_id(now));
        let made = self.hashing.run(move || maker.file(name, now)).await??;
        let (location, ..) = made.keep();
        Ok(Stage::new(location, algorithm, self.witness))
    }

    async fn extend(
        &self,
        stage: &mut Stage,
        mut body: ByteStream,
        size: Option<u64>,
        most: u64,
    ) -> Result<()> {
        self.maker.syncs.writable()?;
        self.admit()?;
        if size.is_some_and(|size| size > most) {
            return Err(extend::too_large());
        }
        let (seat, hold) = self.seats.take(stage.key(), stage.offset()).await?;
        let writer = Writer::new(
            &self.maker.root,
            stage,
            seat,
            hold.watch(),
            self.room.clone(),
        )?;
        if stage.witness() != self.witness {
            let file = writer.file().map_err(fault::storage)?;
            recognise(&self.hashing, &file, stage).await?;
        }
        let mut lane = Lane::new(&self.hashing, &self.lanes, writer, size);
        let taken = lane.take(&mut body, size, most).await;
        let (writer, written) = lane.finish().await;
        // That the bytes could not be kept says more than that the sender broke off.
        let done = written.and(taken);
        if let Some(writer) = writer {
            if done.as_ref().is_err_and(fault::is_full) {
                self.ran_out();
                // The last bytes of a disk are for the database, which else could not even forget this upload.
                writer.cut(stage.offset())?;
            } else {
                stage.keep(writer.offset, &writer.hasher, self.witness);
            }
        }
        drop(hold);
        done
    }

    async fn publish(&self, stage: &Stage, digest: &Digest) -> Result<Stored> {
        self.publish_stage(stage, digest).await
    }

    async fn put(&self, content: &[Bytes], digest: &Digest, now: SystemTime) -> Result<Stored> {
        self.admit()?;
        let put = self.put_whole(content, digest, now).await;
        if put.as_ref().is_err_and(fault::is_full) {
            self.ran_out();
        }
        put
    }

    async fn sync(&self, at: &Location) -> Result<()> {
        if let Some(outcome) = self.maker.syncs.outcome(at).await {
            return outcome;
        }
        // Published before this process began.
        self.maker.syncs.writable()?;
        let room = self.maker.syncs.room().await?;
        let gone = |error| match error {
            Errno::NOENT => fault::broken(format!("{at} is not there")),
            error => fault::storage(error),
        };
        let file = File::from(self.maker.root.open_file(at).map_err(gone)?);
        let (dir, _) = self
            .maker
            .hours
            .existing(&self.maker.root, at.parent())
            .map_err(gone)?;
        self.maker.syncs.start(at, file, dir, room);
        let removed = || {
            Err(fault::broken(format!(
                "{at} was removed while it was synced"
            )))
        };
        self.maker.syncs.outcome(at).await.unwrap_or_else(removed)
    }

    async fn discard(&self, stage: &Stage) -> Result<()> {
        let _seat = self.seats.take(stage.key(), stage.offset()).await?;
        self.unlink(stage.key()).await
    }

    async fn remove(&self, at: &Location) -> Result<()> {
        self.unlink(at).await?;
        self.reads.forget(at);
        self.maker.syncs.forget(at);
        Ok(())
    }

    async fn digest(
        &self,
        at: &Location,
        algorithm: Algorithm,
        pace: &dyn Pace,
    ) -> Result<Option<(u64, Digest)>> {
        self.examine(at, algorithm, pace).await
    }

    async fn quarantine(&self, at: &Location) -> Result<Option<Location>> {
        self.set_apart(at).await
    }

    async fn trouble(&self) -> Location {
        self.reads.troubles().next().await
    }

    async fn walk(&self, after: Option<&Location>, limit: usize) -> Result<Vec<(Location, u64)>> {
        let (root, after) = (Arc::clone(&self.maker.root), after.cloned());
        let found = tokio::task::spawn_blocking(move || walk::walk(&root, after.as_ref(), limit));
        found
            .await
            .map_err(Error::internal)?
            .map_err(fault::storage)
    }
}

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Files")
            .field("hashing", &self.hashing)
            .field("syncs", &self.maker.syncs)
            .field("reads", &self.reads)
            .finish_non_exhaustive()
    }
}
