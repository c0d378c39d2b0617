//! An operation as a value: what gates, meters and audits look at.

use longshore_spec::digest::{Algorithm, Digest};
use longshore_spec::name::{RepoName, Tag};
use longshore_spec::range::ByteRange;
use longshore_spec::reference::Reference;
use longshore_spec::upload::UploadId;

use crate::cx::Verb;
use crate::limit::Named;
use crate::registry::{Expect, ManifestPush, Parents};

/// One call of a [`crate::Registry`] method, with its arguments and without bodies.
#[derive(Debug, Clone, Copy)]
#[expect(
    missing_docs,
    reason = "variants and fields are the trait's methods and arguments, documented there"
)]
pub enum Op<'a> {
    StatBlob {
        repo: &'a RepoName,
        digest: &'a Digest,
    },
    GetBlob {
        repo: &'a RepoName,
        digest: &'a Digest,
        range: Option<ByteRange>,
    },
    LocateBlob {
        repo: &'a RepoName,
        digest: &'a Digest,
    },
    StatManifest {
        repo: &'a RepoName,
        at: &'a Reference,
    },
    GetManifest {
        repo: &'a RepoName,
        at: &'a Reference,
    },
    Repositories,
    Tags {
        repo: &'a RepoName,
    },
    Referrers {
        repo: &'a RepoName,
        subject: &'a Digest,
    },
    PutBlob {
        repo: &'a RepoName,
        want: &'a Expect,
    },
    MountBlob {
        repo: &'a RepoName,
        digest: &'a Digest,
        from: Option<&'a RepoName>,
    },
    StartUpload {
        repo: &'a RepoName,
        algorithm: Algorithm,
    },
    StatUpload {
        repo: &'a RepoName,
        id: &'a UploadId,
    },
    AppendUpload {
        repo: &'a RepoName,
        id: &'a UploadId,
    },
    FinishUpload {
        repo: &'a RepoName,
        id: &'a UploadId,
        digest: &'a Digest,
    },
    AbortUpload {
        repo: &'a RepoName,
        id: &'a UploadId,
    },
    PutManifest {
        repo: &'a RepoName,
        push: &'a ManifestPush,
    },
    DeleteBlob {
        repo: &'a RepoName,
        digest: &'a Digest,
    },
    DeleteManifest {
        repo: &'a RepoName,
        digest: &'a Digest,
        parents: Parents,
    },
    DeleteTag {
        repo: &'a RepoName,
        tag: &'a Tag,
    },
}

/// A right on a repository, or on the registry as a whole where there is none.
pub type Need<'a> = (Option<&'a RepoName>, Verb);

impl<'a> Op<'a> {
    /// The rights the operation needs, all of them. Only a mount needs two.
    pub fn needs(&self) -> [Option<Need<'a>>; 2] {
        match *self {
            Op::StatBlob { repo, .. }
            | Op::GetBlob { repo, .. }
            | Op::LocateBlob { repo, .. }
            | Op::StatManifest { repo, .. }
            | Op::GetManifest { repo, .. }
            | Op::Tags { repo }
            | Op::Referrers { repo, .. } => [Some((Some(repo), Verb::Pull)), None],
            Op::Repositories => [Some((None, Verb::Catalog)), None],
            Op::MountBlob { repo, from, .. } => [
                Some((Some(repo), Verb::Push)),
                from.map(|from| (Some(from), Verb::Pull)),
            ],
            Op::PutBlob { repo, .. }
            | Op::StartUpload { repo, .. }
            | Op::StatUpload { repo, .. }
            | Op::AppendUpload { repo, .. }
            | Op::FinishUpload { repo, .. }
            | Op::AbortUpload { repo, .. }
            | Op::PutManifest { repo, .. } => [Some((Some(repo), Verb::Push)), None],
            Op::DeleteBlob { repo, .. }
            | Op::DeleteManifest { repo, .. }
            | Op::DeleteTag { repo, .. } => [Some((Some(repo), Verb::Delete)), None],
        }
    }

    /// The tags it touches, for rights that are limited to some.
    pub fn named(&self) -> Named<'a> {
        match *self {
            Op::StatManifest {
                at: Reference::Tag(tag),
                ..
            }
            | Op::GetManifest {
                at: Reference::Tag(tag),
                ..
            }
            | Op::DeleteTag { tag, .. } => Named::Tags(std::slice::from_ref(tag)),
            Op::PutManifest { push, .. } => Named::Tags(&push.tags),
            Op::DeleteBlob { .. } | Op::DeleteManifest { .. } => Named::Whatever,
            _ => Named::Nothing,
        }
    }

    /// Whether the operation changes something.
    pub fn writes(&self) -> bool {
        matches!(self.needs(), [Some((_, Verb::Push | Verb::Delete)), _])
    }

    /// The operation's name, as metrics and logs show it: the trait method's.
    pub fn name(&self) -> &'static str {
        match self {
            Op::StatBlob { .. } => "stat_blob",
            Op::GetBlob { .. } => "get_blob",
            Op::LocateBlob { .. } => "locate_blob",
            Op::StatManifest { .. } => "stat_manifest",
            Op::GetManifest { .. } => "get_manifest",
            Op::Repositories => "repositories",
            Op::Tags { .. } => "tags",
            Op::Referrers { .. } => "referrers",
            Op::PutBlob { .. } => "put_blob",
            Op::MountBlob { .. } => "mount_blob",
            Op::StartUpload { .. } => "start_upload",
            Op::StatUpload { .. } => "stat_upload",
            Op::AppendUpload { .. } => "append_upload",
            Op::FinishUpload { .. } => "finish_upload",
            Op::AbortUpload { .. } => "abort_upload",
            Op::PutManifest { .. } => "put_manifest",
            Op::DeleteBlob { .. } => "delete_blob",
            Op::DeleteManifest { .. } => "delete_manifest",
            Op::DeleteTag { .. } => "delete_tag",
        }
    }
}
