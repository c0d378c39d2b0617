//! The trait, and the plain types its methods take and give.
//!
//! | call | dropped midway | repeated |
//! |---|---|---|
//! | get, stat, list | nothing; dropping [`Blob::body`] ends the fetch | same answer |
//! | `put_blob` | nothing visible | content-addressed: succeeds |
//! | `append_upload` | the session keeps what was acknowledged | same `at` twice: `ChunkOutOfOrder` with the true offset |
//! | `finish_upload` | either published or still open | a finished id with the same digest answers as the first time for an hour, unless the process ended meanwhile |
//! | `put_manifest`, deletes | all or nothing: one transaction | put: same; delete: an absence |

use std::fmt;
use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;
use longshore_spec::descriptor::Descriptor;
use longshore_spec::digest::{Algorithm, Digest};
use longshore_spec::media::MediaType;
use longshore_spec::name::{RepoName, Tag};
use longshore_spec::range::ByteRange;
use longshore_spec::reference::Reference;
use longshore_spec::upload::UploadId;

use crate::body::ByteStream;
use crate::cx::Cx;
use crate::error::Result;

/// A place that holds images. A value of this type is all a caller may use to reach them.
///
/// Object-safe on purpose: towers are built from configuration at run time. No default methods on purpose: a layer that
/// forgets an operation must not compile. Every future may be dropped at any await; the module's table says what then
/// holds.
///
/// Errors every method may give, and which are not repeated below: `NameUnknown` (no such repository; reads and
/// deletes), `Unauthorized` and `Denied` (from a gate), `Unsupported` (not offered here), `Unavailable`, `Internal`.
#[async_trait]
pub trait Registry: fmt::Debug + Send + Sync + 'static {
    /// The blob's size, without its bytes.
    ///
    /// # Errors
    /// `BlobUnknown`: not in this repository.
    async fn stat_blob(&self, cx: &Cx, repo: &RepoName, digest: &Digest) -> Result<BlobInfo>;

    /// The blob's bytes, all of them or `range` of them.
    ///
    /// # Errors
    /// `BlobUnknown`; `RangeUnsatisfiable` (then [`crate::Error::offset`] is the blob's size).
    async fn get_blob(
        &self,
        cx: &Cx,
        repo: &RepoName,
        digest: &Digest,
        range: Option<ByteRange>,
    ) -> Result<Blob>;

    /// A URL at which the client may fetch the blob itself; `None` where the bytes must come from here.
    ///
    /// # Errors
    /// `BlobUnknown`.
    async fn locate_blob(
        &self,
        cx: &Cx,
        repo: &RepoName,
        digest: &Digest,
    ) -> Result<Option<SignedUrl>>;

    /// Media type, digest and size of a manifest, without its bytes.
    ///
    /// # Errors
    /// `ManifestUnknown`.
    async fn stat_manifest(&self, cx: &Cx, repo: &RepoName, at: &Reference) -> Result<Descriptor>;

    /// A manifest, byte for byte as it was pushed.
    ///
    /// # Errors
    /// `ManifestUnknown`.
    async fn get_manifest(&self, cx: &Cx, repo: &RepoName, at: &Reference) -> Result<Manifest>;

    /// The repositories the caller may pull from and which hold a manifest, by name in byte order.
    async fn repositories(&self, cx: &Cx, window: &Window<RepoName>) -> Result<Listing<RepoName>>;

    /// The tags of a repository in byte order.
    async fn tags(&self, cx: &Cx, repo: &RepoName, window: &Window<Tag>) -> Result<Listing<Tag>>;

    /// The manifests of a repository whose subject is `subject`, in the order of their digests. Filtering by `kind`
    /// (the artifact type) is not optional. An unknown repository or subject has none: that is no error
    /// (distribution-spec, "Listing Referrers": MUST NOT be 404).
    async fn referrers(
        &self,
        cx: &Cx,
        repo: &RepoName,
        subject: &Digest,
        kind: Option<&str>,
        window: &Window<Digest>,
    ) -> Result<Listing<Descriptor>>;

    /// Stores a blob whose digest is known beforehand (end-4b).
    ///
    /// # Errors
    /// `DigestInvalid` and `SizeInvalid` (the body is not what was expected), `BodyLost`, `TooLarge`.
    async fn put_blob(
        &self,
        cx: &Cx,
        repo: &RepoName,
        want: &Expect,
        body: ByteStream,
    ) -> Result<BlobInfo>;

    /// Makes a blob of another repository part of `repo` without its bytes moving (end-11). Without `from`, any
    /// repository the caller may pull from will do. `None` is an everyday answer: upload it instead.
    async fn mount_blob(
        &self,
        cx: &Cx,
        repo: &RepoName,
        digest: &Digest,
        from: Option<&RepoName>,
    ) -> Result<Option<BlobInfo>>;

    /// Opens an upload session (end-4a, end-4c). `algorithm` is what the digest will be of, as far as the client says.
    ///
    /// # Errors
    /// `TooManyRequests`: too many open sessions.
    async fn start_upload(&self, cx: &Cx, repo: &RepoName, algorithm: Algorithm) -> Result<Upload>;

    /// How far an upload session is (end-13).
    ///
    /// # Errors
    /// `BlobUploadUnknown`: no such session in `repo`, or it is another actor's.
    async fn stat_upload(&self, cx: &Cx, repo: &RepoName, id: &UploadId) -> Result<Upload>;

    /// Adds a chunk to an upload session and gives its new state (end-5).
    ///
    /// # Errors
    /// `BlobUploadUnknown`, `ChunkOutOfOrder` and `UploadBusy` (with [`crate::Error::offset`]), `BodyLost` (what
    /// arrived is kept), `BodySlow`, `SizeInvalid`, `TooLarge`.
    async fn append_upload(
        &self,
        cx: &Cx,
        repo: &RepoName,
        id: &UploadId,
        chunk: Chunk,
    ) -> Result<Upload>;

    /// Adds the last chunk, checks the whole against `digest` and makes it a blob of `repo` (end-6).
    ///
    /// # Errors
    /// As [`Registry::append_upload`]; `DigestInvalid` ends the session.
    async fn finish_upload(
        &self,
        cx: &Cx,
        repo: &RepoName,
        id: &UploadId,
        last: Chunk,
        digest: &Digest,
    ) -> Result<BlobInfo>;

    /// Ends an upload session and frees what it holds (end-14).
    ///
    /// # Errors
    /// `BlobUploadUnknown`.
    async fn abort_upload(&self, cx: &Cx, repo: &RepoName, id: &UploadId) -> Result<()>;

    /// Stores a manifest, its edges and its tags, all or nothing (end-7a, end-7b).
    ///
    /// # Errors
    /// `ManifestInvalid`, `TooLarge`, `DigestInvalid`, `SizeInvalid` (a descriptor's size is not the blob's),
    /// `ManifestBlobUnknown`, `ConditionFailed` ([`TagRule`]).
    async fn put_manifest(&self, cx: &Cx, repo: &RepoName, push: &ManifestPush) -> Result<Pushed>;

    /// Takes a blob out of a repository (end-10). Other repositories that hold it are not touched.
    ///
    /// # Errors
    /// `BlobUnknown`; `Denied` when a manifest of the repository still needs it.
    async fn delete_blob(&self, cx: &Cx, repo: &RepoName, digest: &Digest) -> Result<()>;

    /// Takes a manifest and every tag that points to it out of a repository (end-9).
    ///
    /// # Errors
    /// `ManifestUnknown`; `Denied` when an index of the repository still lists it and `parents` minds.
    async fn delete_manifest(
        &self,
        cx: &Cx,
        repo: &RepoName,
        digest: &Digest,
        parents: Parents,
    ) -> Result<()>;

    /// Takes a tag away; its manifest stays (end-9).
    ///
    /// # Errors
    /// `ManifestUnknown`: no such tag.
    async fn delete_tag(&self, cx: &Cx, repo: &RepoName, tag: &Tag) -> Result<()>;
}

/// A blob without its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlobInfo {
    /// Its digest, of the algorithm it was asked by.
    pub digest: Digest,
    /// Its length in bytes.
    pub size: u64,
}

/// A blob, or a part of it.
pub struct Blob {
    /// What it is part of.
    pub info: BlobInfo,
    /// Which bytes of `info.size` the body has.
    pub range: Range<u64>,
    /// The bytes; ends with an error when they cannot all be had.
    pub body: ByteStream,
}

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blob")
            .field("info", &self.info)
            .field("range", &self.range)
            .finish_non_exhaustive()
    }
}

/// A URL that gives its holder a blob for a while. Secret: it does not print.
#[derive(Clone)]
pub struct SignedUrl(pub String);

impl fmt::Debug for SignedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignedUrl(***)")
    }
}

/// A manifest as it was pushed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// Its digest, of the algorithm it was asked by.
    pub digest: Digest,
    /// What it was pushed as.
    pub media_type: MediaType,
    /// Its bytes, unchanged.
    pub bytes: Bytes,
}

/// What a monolithic push announces.
#[derive(Debug, Clone, Copy)]
pub struct Expect {
    /// The digest of the body.
    pub digest: Digest,
    /// The length of the body in bytes; `None` when the sender did not say.
    pub size: Option<u64>,
}

/// The state of an upload session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Upload {
    /// Which session.
    pub id: UploadId,
    /// How many bytes are held; they survive the end of the process.
    pub offset: u64,
    /// The least length of a chunk that is not the last, in bytes; 0 where there is none.
    pub min_chunk: u64,
}

/// A part of an upload.
pub struct Chunk {
    /// Where it starts; `None` when no `Content-Range` was sent: it goes to the end.
    pub at: Option<u64>,
    /// Its length; `None` when the sender did not say.
    pub size: Option<u64>,
    /// Its bytes.
    pub body: ByteStream,
}

impl Chunk {
    /// A chunk with nothing in it, as closing requests without a body send it.
    pub fn nothing() -> Self {
        Chunk {
            at: None,
            size: Some(0),
            body: crate::body::empty(),
        }
    }
}

impl fmt::Debug for Chunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chunk")
            .field("at", &self.at)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

/// A manifest on its way in.
#[derive(Debug, Clone)]
pub struct ManifestPush {
    /// Its bytes.
    pub bytes: Bytes,
    /// The `Content-Type`; `None` when none was sent, and the body must say.
    pub media_type: Option<MediaType>,
    /// The digest the client says it has; `None` when it pushed by tag only.
    pub digest: Option<Digest>,
    /// The tags to set.
    pub tags: Vec<Tag>,
    /// What may happen to tags that exist.
    pub tag_rule: TagRule,
    /// Whether what it refers to must be here.
    pub children: Children,
}

/// What may happen to the tags of a push; decided in the store's transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TagRule {
    /// They are set, wherever they pointed before.
    Move,
    /// None of them may exist, unless it points to the same manifest already (`If-None-Match: *`).
    CreateOnly,
    /// Each of them must point to this manifest now (`If-Match`).
    MoveFrom(Digest),
}

/// Whether the content a manifest refers to must be in the repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Children {
    /// All of it: blobs and manifests.
    MustExist,
    /// Its blobs; an index may list manifests that are not here (a sparse index).
    ManifestsMayBeAbsent,
    /// None of it: a proxy keeps manifests before their blobs.
    MayBeAbsent,
}

/// Whether a manifest that an index lists may be deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parents {
    /// No index of the repository may list it.
    MustBeGone,
    /// It goes, and leaves the indexes that list it incomplete.
    MayRemain,
}

/// What a manifest push did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// The digest of the manifest.
    pub digest: Digest,
    /// Its subject, which the answer must name (`OCI-Subject`).
    pub subject: Option<Digest>,
}

/// A part of a listing: strictly after `after`, in byte order, at most `limit` items.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window<K> {
    /// The last key of the part before.
    pub after: Option<K>,
    /// How many items at the most.
    pub limit: usize,
}

/// A part of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing<T> {
    /// The items.
    pub items: Vec<T>,
    /// Whether there are more after them.
    pub more: bool,
}
