//! The seam to bytes at rest.

use std::fmt;
use std::ops::Range;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use longshore_core::{ByteStream, Result, SignedUrl};
use longshore_spec::{Algorithm, Digest};

use crate::location::Location;
use crate::stage::Stage;

/// A place where bytes lie.
///
/// It knows locations, sizes and digests, and nothing of repositories or rights. What is published never changes, so
/// reading takes no lock. No default methods on purpose: a store that forgets an operation must not compile.
///
/// Every future may be dropped at any await: no thread, lock or descriptor stays behind, only staged bytes.
///
/// # Errors
/// `Unavailable` when the storage is full, failing or read-only; it may say when to try again. A failure to read is never
/// told as absence.
#[async_trait]
pub trait BlobStore: fmt::Debug + Send + Sync + 'static {
    /// How many bytes lie at `at`; `None` when there is nothing, which is a statement of truth.
    async fn size(&self, at: &Location) -> Result<Option<u64>>;

    /// The bytes `range` of what lies at `at`. `size` is what the row says of the whole.
    ///
    /// # Errors
    /// `Internal` before the first byte when there is nothing at `at`, or its size is another than `size`: a wrong body
    /// must never look whole. `RangeUnsatisfiable` when the range ends behind `size`.
    async fn read(&self, at: &Location, size: u64, range: Range<u64>) -> Result<ByteStream>;

    /// An address under which anybody can read the bytes for `ttl` without asking us; `None` in a store without such.
    async fn sign(&self, at: &Location, ttl: Duration) -> Result<Option<SignedUrl>>;

    /// Opens a stage for an upload that begins `now`. Its bytes are hashed with `algorithm` while they come; publishing
    /// under another one works and costs reading them again.
    async fn stage(&self, algorithm: Algorithm, now: SystemTime) -> Result<Stage>;

    /// Adds `body` to the stage. `size` is its length in bytes where the sender announced it; `most` is how many bytes the
    /// stage may still grow by.
    ///
    /// Afterwards, also after any failure, the stage says exactly what is kept: its offset and the hash up to there. Kept
    /// bytes survive a kill of the process. Of a body that fills the storage up nothing is kept. Dropped midway, the stage stands where it stood before, and what was written
    /// behind its offset is cut off by the next call.
    ///
    /// # Errors
    /// `BodyLost` (the sender broke off; an item of the body that is an [`Error`](longshore_core::Error) inside is that
    /// error instead, such as `BodySlow`), `SizeInvalid` (more or less came than was announced), `TooLarge` (more than
    /// `most`; an announced length is refused before anything is read), `UploadBusy` (somebody else is writing to the
    /// stage), `BlobUploadUnknown` (the staged bytes are gone).
    async fn extend(
        &self,
        stage: &mut Stage,
        body: ByteStream,
        size: Option<u64>,
        most: u64,
    ) -> Result<()>;

    /// Makes the staged bytes a blob, if their digest is `digest`. Atomic, and repeatable: a second call says the same.
    ///
    /// The blob survives a kill of the process from now on. That it survives a power cut has been started and not awaited;
    /// see [`BlobStore::sync`].
    ///
    /// # Errors
    /// `DigestInvalid` (the stage stays as it is), `UploadBusy`, `BlobUploadUnknown` (the staged bytes are gone).
    async fn publish(&self, stage: &Stage, digest: &Digest) -> Result<Stored>;

    /// Makes `content`, all of which is here, a blob that arrives `now`, if its digest is `digest`: what a stage, an extension
    /// and [`BlobStore::publish`] do, without a stage. For what is small enough to be held in memory.
    ///
    /// It promises what [`BlobStore::publish`] promises, but is not repeatable: a second call makes a second blob.
    ///
    /// # Errors
    /// `DigestInvalid`. Nothing is left of `content` then, nor after any other failure.
    async fn put(&self, content: &[Bytes], digest: &Digest, now: SystemTime) -> Result<Stored>;

    /// Returns when the published bytes at `at` and their name survive a power cut. Many callers share one sync.
    ///
    /// # Errors
    /// `Unavailable` when the storage could not promise that: the bytes are not safe, whatever a later read shows, and
    /// asking again gives the same answer. They have to be pushed again.
    async fn sync(&self, at: &Location) -> Result<()>;

    /// Removes the staged bytes. Repeatable; harmless after [`BlobStore::publish`].
    ///
    /// # Errors
    /// `UploadBusy` (somebody is writing to the stage).
    async fn discard(&self, stage: &Stage) -> Result<()>;

    /// Removes what lies at `at`. Repeatable. Bodies that are being read go on to their end.
    async fn remove(&self, at: &Location) -> Result<()>;

    /// The length and the digest of what lies at `at`, read from the disk itself as far as that can be had, and not from what
    /// the store remembers of it; `None` when there is nothing. `pace` is told of each piece and decides when the next is read.
    async fn digest(
        &self,
        at: &Location,
        algorithm: Algorithm,
        pace: &dyn Pace,
    ) -> Result<Option<(u64, Digest)>>;

    /// Takes what lies at `at` away and keeps it where nothing is served from, for somebody to look at: damaged copies, and
    /// files nobody knows. Says where it lies now; `None` when there is nothing at `at`. Bodies that are being read go on.
    async fn quarantine(&self, at: &Location) -> Result<Option<Location>>;

    /// Waits until something could not be read while it was being sent, and says what. Only one may wait.
    async fn trouble(&self) -> Location;

    /// Everything the store holds behind `after` in the order of locations, with sizes in bytes, at most `limit` of it;
    /// staged bytes are among it (their names have no [digest](Location::digest)). For checking a store against its
    /// database, never on a hot path.
    async fn walk(&self, after: Option<&Location>, limit: usize) -> Result<Vec<(Location, u64)>>;
}

/// Decides how fast something is read that nobody waits for.
#[async_trait]
pub trait Pace: Send + Sync {
    /// `bytes` were read; returns when the next may be.
    async fn took(&self, bytes: u64);
}

/// As fast as it goes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unpaced;

#[async_trait]
impl Pace for Unpaced {
    async fn took(&self, _bytes: u64) {}
}

/// A blob that was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Where it lies; belongs into its row.
    pub location: Location,
    /// How long it is, in bytes.
    pub size: u64,
}
