//! Bytes out: small blobs from memory, others as parts of files that are kept open.

use std::fs::{File, Metadata};
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures_util::stream;
use longshore_core::{ByteStream, Code, Error, Result, body};
use longshore_region::{Region, Watch};
use longshore_spec::Digest;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use rustix::fs::OFlags;
use rustix::io::{Errno, ReadWriteFlags};

use super::fault;
use super::root::Root;
use super::trouble::Troubles;
use crate::location::Location;

/// Up to how many bytes a blob is kept in memory as a whole. To copy more to a connection costs as much as to have the kernel send
/// it from its file, and what is not kept here is not read, not hashed and takes no memory.
const SMALL: u64 = 16 << 10;

/// The longest piece of a body, in bytes. It takes address space only; whoever copies it copies that much at once at most.
const FRAME: u64 = 4 << 20;

pub(crate) struct Reads {
    root: Arc<Root>,
    small: Cache<Location, Bytes, Size>,
    open: Cache<Location, Arc<Region>>,
    /// How many were [forgotten](Self::forget).
    forgotten: AtomicU64,
    troubles: Arc<Troubles>,
}

/// About how many bytes a small blob takes.
#[derive(Debug, Clone)]
struct Size;

impl Weighter<Location, Bytes> for Size {
    fn weight(&self, at: &Location, bytes: &Bytes) -> u64 {
        (bytes.len() + at.as_str().len() + 128) as u64
    }
}

impl Reads {
    pub(crate) fn new(root: Arc<Root>, small_bytes: u64, open_files: usize) -> Self {
        let blobs = usize::try_from(small_bytes / SMALL).unwrap_or(usize::MAX);
        Self {
            root,
            small: Cache::with_weighter(blobs, small_bytes, Size),
            open: Cache::new(open_files),
            forgotten: AtomicU64::new(0),
            troubles: Arc::default(),
        }
    }

    /// How many blobs are open.
    pub(crate) fn open_files(&self) -> usize {
        self.open.len()
    }

    /// What could not be read.
    pub(crate) fn troubles(&self) -> &Troubles {
        &self.troubles
    }

    pub(crate) async fn size(&self, at: &Location) -> Result<Option<u64>> {
        match self.open(at, OFlags::PATH).await {
            Ok(file) => look(&file).map(|found| Some(found.len())),
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
            Err(error) => Err(fault::storage(error)),
        }
    }

    pub(crate) async fn read(
        &self,
        at: &Location,
        size: u64,
        range: Range<u64>,
    ) -> Result<ByteStream> {
        if range.end > size {
            return Err(Error::new(
                Code::RangeUnsatisfiable,
                "the range ends behind the content",
            ));
        }
        if size <= SMALL {
            let bytes = self.small(at, size).await?;
            let within = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
            let (start, end) = (within(range.start), within(range.end));
            return Ok(body::once(if start < end {
                bytes.slice(start..end)
            } else {
                Bytes::new()
            }));
        }
        let region = self.large(at, size).await?;
        let mut next = range.start;
        Ok(Box::pin(stream::iter(std::iter::from_fn(move || {
            let start = next;
            next = range.end.min(start.saturating_add(FRAME));
            (start < range.end).then(|| Ok(region.bytes(start..next)))
        }))))
    }

    /// Forgets what was removed, so that its space is given back when the last reader is done.
    pub(crate) fn forget(&self, at: &Location) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        self.small.remove(at);
        self.open.remove(at);
    }

    /// All of a small blob.
    async fn small(&self, at: &Location, size: u64) -> Result<Bytes> {
        if let Some(bytes) = self.small.get(at) {
            check(at, bytes.len() as u64, size)?;
            return Ok(bytes);
        }
        let file = self
            .open(at, OFlags::RDONLY)
            .await
            .map_err(|error| unreadable(at, error))?;
        check(at, look(&file)?.len(), size)?;
        let bytes = whole(file, size)
            .await
            .inspect_err(|_| self.troubles.at(at))?;
        // To hash as much as is read here costs less than to have read it, and what is in memory was found whole.
        if let Some(digest) = at.digest()
            && Digest::of(digest.algorithm(), &bytes) != digest
        {
            return Err(fault::broken(format!(
                "the bytes at {at} are not those of its digest"
            )));
        }
        self.small.insert(at.clone(), bytes.clone());
        Ok(bytes)
    }

    /// A blob that is sent from its file.
    async fn large(&self, at: &Location, size: u64) -> Result<Arc<Region>> {
        if let Some(region) = self.open.get(at) {
            check(at, region.len(), size)?;
            return Ok(region);
        }
        let forgotten = self.forgotten.load(Ordering::SeqCst);
        let file = self
            .open(at, OFlags::RDONLY)
            .await
            .map_err(|error| unreadable(at, error))?;
        let found = look(&file)?;
        check(at, found.len(), size)?;
        let region =
            Region::whole(Arc::new(file), &found, self.watch(at)).map_err(fault::storage)?;
        self.open.insert(at.clone(), Arc::clone(&region));
        // Taken away after it was opened and before it came in here: nobody would take it out again. Who forgets counts first and
        // takes out then, so that one of the two sees the other.
        if self.forgotten.load(Ordering::SeqCst) != forgotten {
            self.open.remove(at);
        }
        Ok(region)
    }

    /// Who is told when the bytes at `at` cannot be sent.
    fn watch(&self, at: &Location) -> Watch {
        let (at, troubles) = (at.clone(), Arc::clone(&self.troubles));
        Arc::new(move |error: &io::Error| {
            tracing::error!(%at, %error, "a blob could not be read to its end; the connection it was sent on was cut");
            troubles.at(&at);
        })
    }

    /// Opens the file at `at`: in line when the kernel has its path in memory, which costs a microsecond or two; on a
    /// thread that may wait for the disk otherwise.
    async fn open(&self, at: &Location, flags: OFlags) -> Result<File, Errno> {
        if let Some(opened) = self.root.open_cached(at, flags) {
            return opened.map(File::from);
        }
        let (root, at) = (Arc::clone(&self.root), at.clone());
        let opened = tokio::task::spawn_blocking(move || root.open(at.as_str(), flags));
        // The runtime drops such work only when it shuts down.
        opened.await.unwrap_or(Err(Errno::CANCELED)).map(File::from)
    }
}

/// All of a small file.
async fn whole(file: File, size: u64) -> Result<Bytes> {
    let mut buffer = vec![0; usize::try_from(size).map_err(Error::internal)?];
    // What is in the page cache comes at once; what is not would stop this thread and all requests on it.
    let vector = &mut [io::IoSliceMut::new(&mut buffer)];
    let read = rustix::io::preadv2(&file, vector, 0, ReadWriteFlags::NOWAIT).unwrap_or_default();
    if read == buffer.len() {
        return Ok(buffer.into());
    }
    let read = tokio::task::spawn_blocking(move || {
        use std::os::unix::fs::FileExt as _;
        file.read_exact_at(&mut buffer, 0).map(|()| buffer)
    });
    Ok(read
        .await
        .map_err(Error::internal)?
        .map_err(fault::storage)?
        .into())
}

/// What a file says of itself. A path can also name what is no file, and then nothing about it is known.
fn look(file: &File) -> Result<Metadata> {
    let found = file.metadata().map_err(fault::storage)?;
    if found.is_file() {
        Ok(found)
    } else {
        Err(fault::storage(io::ErrorKind::InvalidInput))
    }
}

fn check(at: &Location, found: u64, expected: u64) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(fault::broken(format!(
        "{at} has {found} bytes and its row says {expected}"
    )))
}

fn unreadable(at: &Location, error: Errno) -> Error {
    match error {
        Errno::NOENT | Errno::NOTDIR => fault::broken(format!("{at} is not there")),
        error => fault::storage(error),
    }
}

impl std::fmt::Debug for Reads {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reads")
            .field("open", &self.open_files())
            .finish_non_exhaustive()
    }
}
