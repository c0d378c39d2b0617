//! The URLs of the distribution API: a method and a path become a [`Request`], and a [`Request`] becomes them again.
//!
//! Repository names contain slashes, may contain the API's own words (`a/manifests/b` is a name) and are followed by
//! those words, so they are found from the right. The server parses with it and the client prints with it: the
//! grammar exists once. Absent: headers and bodies, which belong to the edges.

mod parse;
mod print;
mod query;
#[cfg(test)]
mod tests;
mod v1;

use crate::digest::{Algorithm, Digest, DigestError};
use crate::host::Host;
use crate::media::ArtifactType;
use crate::name::{NameError, RepoName, Tag, TagError};
use crate::reference::Reference;
use crate::upload::UploadId;

pub use parse::{parse, parse_with_tags};

/// The most `tag=` parameters of one manifest push where nobody says otherwise; the specification wants 10 at least.
pub const MAX_TAGS: usize = 50;

/// One request of the distribution API, fully parsed; the numbers are those of distribution-spec's endpoints table.
///
/// `HEAD` on anything but blobs and manifests reads as the `GET` it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Is this a registry, and am I known? (end-1)
    Ping,
    /// Is somebody there who answers a search? (Docker's V1 protocol)
    V1Ping,
    /// Repositories by words. (Docker's V1 protocol: `docker search`)
    V1Search {
        /// What was typed.
        words: String,
        /// At most this many; not yet clamped.
        n: Option<u64>,
    },
    /// The names of all repositories. (Docker's `_catalog`)
    Catalog {
        /// At most this many; not yet clamped to the server's page size.
        n: Option<u64>,
        /// Strictly after this one.
        last: Option<RepoName>,
    },
    /// The tags of a repository. (end-8)
    Tags {
        /// Whose tags.
        repo: RepoName,
        /// At most this many; not yet clamped to the server's page size.
        n: Option<u64>,
        /// Strictly after this one.
        last: Option<Tag>,
    },
    /// The manifests whose subject is `digest`. (end-12)
    Referrers {
        /// Where to look.
        repo: RepoName,
        /// The subject.
        digest: Digest,
        /// Only artifacts of this type.
        artifact_type: Option<ArtifactType>,
        /// At most this many; not yet clamped to the server's page size.
        n: Option<u64>,
        /// Strictly after this one. (Ours: the specification leaves the paging parameter to the registry.)
        last: Option<Digest>,
    },
    /// A blob's bytes. (end-2)
    GetBlob {
        /// Where to look.
        repo: RepoName,
        /// Which blob.
        digest: Digest,
        /// The registry the client believes it is talking to; proxies read it.
        ns: Option<Host>,
    },
    /// A blob's size. (end-2)
    HeadBlob {
        /// Where to look.
        repo: RepoName,
        /// Which blob.
        digest: Digest,
        /// The registry the client believes it is talking to; proxies read it.
        ns: Option<Host>,
    },
    /// Remove a blob from a repository. (end-10)
    DeleteBlob {
        /// Where from.
        repo: RepoName,
        /// Which blob.
        digest: Digest,
    },
    /// A manifest's bytes. (end-3)
    GetManifest {
        /// Where to look.
        repo: RepoName,
        /// Which manifest.
        reference: Reference,
        /// The registry the client believes it is talking to; proxies read it.
        ns: Option<Host>,
    },
    /// A manifest's digest, type and size. (end-3)
    HeadManifest {
        /// Where to look.
        repo: RepoName,
        /// Which manifest.
        reference: Reference,
        /// The registry the client believes it is talking to; proxies read it.
        ns: Option<Host>,
    },
    /// Push a manifest. (end-7)
    PutManifest {
        /// Where to.
        repo: RepoName,
        /// The tag it gets, or the digest it must have.
        reference: Reference,
        /// More tags, each once, in the order given; only beside a digest.
        tags: Vec<Tag>,
    },
    /// Remove a tag, or a manifest with all its tags. (end-9)
    DeleteManifest {
        /// Where from.
        repo: RepoName,
        /// Which tag or manifest.
        reference: Reference,
    },
    /// Open an upload, or push or mount a blob at once. (end-4, end-11)
    StartUpload {
        /// Where to.
        repo: RepoName,
        /// The whole blob is in the body and must have this digest. (end-4b)
        digest: Option<Digest>,
        /// Take this blob from that repository, or from wherever it is. (end-11)
        mount: Option<Mount>,
        /// What the blob's digest will be computed with. (end-4c)
        algorithm: Algorithm,
    },
    /// How much of an upload is held. (end-13)
    UploadStatus {
        /// The upload's repository.
        repo: RepoName,
        /// Which upload.
        id: UploadId,
    },
    /// Add a chunk. (end-5)
    AppendUpload {
        /// The upload's repository.
        repo: RepoName,
        /// Which upload.
        id: UploadId,
    },
    /// Add the last chunk, if any, and make it a blob. (end-6)
    FinishUpload {
        /// The upload's repository.
        repo: RepoName,
        /// Which upload.
        id: UploadId,
        /// What the whole must hash to.
        digest: Digest,
    },
    /// Give an upload up. (end-14)
    AbortUpload {
        /// The upload's repository.
        repo: RepoName,
        /// Which upload.
        id: UploadId,
    },
}

/// A blob to take over from another repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Which blob.
    pub digest: Digest,
    /// Where it is; `None` lets the registry find it.
    pub from: Option<RepoName>,
}

/// Why a method and URL are no [`Request`]: what the edge must answer, and the words for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RouteError {
    /// No such endpoint: 404 without a code of the specification.
    #[error("there is no such endpoint")]
    NotFound,
    /// An endpoint of Docker's V1 protocol that is not answered: 404, with what to do.
    #[error(
        "this registry does not speak Docker's V1 protocol, but for its search: push and pull with Docker 1.6 or newer, containerd, \
         podman, skopeo or any other client of the OCI distribution API, which is at /v2/"
    )]
    V1,
    /// The endpoint exists for other methods: 405 `UNSUPPORTED` with this `Allow` header.
    #[error("this endpoint answers to {allow} only")]
    NotAllowed {
        /// The methods that work, as the header wants them.
        allow: &'static str,
    },
    /// 400 `NAME_INVALID`.
    #[error(transparent)]
    NameInvalid(#[from] NameError),
    /// 400 `DIGEST_INVALID`.
    #[error(transparent)]
    DigestInvalid(#[from] DigestFault),
    /// A blob that nobody can have pushed here: 404 `BLOB_UNKNOWN`.
    #[error("no blob has this digest: its algorithm is not registered")]
    BlobUnknown,
    /// A manifest that nobody can have pushed here: 404 `MANIFEST_UNKNOWN`.
    #[error("no manifest has this name: it is neither a tag nor a digest this registry supports")]
    ManifestUnknown,
    /// A manifest pushed under a name that is no tag: 400 `MANIFEST_INVALID`.
    #[error(transparent)]
    ManifestInvalid(#[from] TagError),
    /// Too many tags at once: 414.
    #[error("one push sets at most {most} tags")]
    TagsTooMany {
        /// How many it may set.
        most: usize,
    },
    /// An upload id that this registry never gave: 404 `BLOB_UPLOAD_UNKNOWN`.
    #[error("there is no such upload")]
    BlobUploadUnknown,
    /// Contradictory parameters for a new upload: 400 `BLOB_UPLOAD_INVALID`.
    #[error("the parameter {parameter} may be given once only")]
    BlobUploadInvalid {
        /// Which parameter came twice.
        parameter: &'static str,
    },
    /// `n` is no number of entries: 400 `UNSUPPORTED`.
    #[error("n is a number of entries: decimal digits, given once")]
    BadPageSize,
    /// Another parameter of a list is given twice or cannot be read: 400 `UNSUPPORTED`.
    #[error("the parameter {parameter} is given twice or cannot be read")]
    BadParameter {
        /// Which parameter.
        parameter: &'static str,
    },
}

/// What is wrong with the digest in a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DigestFault {
    /// It cannot be read.
    #[error(transparent)]
    Invalid(#[from] DigestError),
    /// It is needed and absent.
    #[error("the parameter digest is missing")]
    Missing,
    /// It is given more than once.
    #[error("a digest or its algorithm may be given once only")]
    Repeated,
    /// `digest` and `digest-algorithm` name different algorithms.
    #[error("the digest is not of the algorithm that digest-algorithm names")]
    Disagreeing,
}
