//! Content that was deleted because somebody asked for it: told in the transaction that deletes it, to whoever writes that down.

use futures_util::future::BoxFuture;
use longshore_core::{Cx, Origin, Result};
use longshore_meta::Tx;
use longshore_meta::time::micros;
use longshore_spec::digest::Digest;
use longshore_spec::name::{RepoName, Tag};

/// Who asks for a change, and how it is known who they are.
#[derive(Debug, Clone)]
pub struct By {
    /// Their name.
    pub actor: String,
    /// How they have shown that, and from where.
    pub origin: Origin,
    /// The id of the request.
    pub request: u128,
    /// When it came in, in microseconds.
    pub now: i64,
}

impl By {
    /// Whoever has this context.
    pub(crate) fn of(cx: &Cx) -> Self {
        Self {
            actor: cx.actor.to_string(),
            origin: cx.origin,
            request: cx.request,
            now: micros(cx.now),
        }
    }
}

/// Something that was deleted.
#[derive(Debug, Clone)]
pub struct Deleted {
    /// From which repository.
    pub repo: RepoName,
    /// What.
    pub what: What,
    /// By whom.
    pub by: By,
}

/// What can be deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A tag, and what it pointed to.
    Tag(Tag, Digest),
    /// A manifest, and the tags that went with it: the first of them, and how many they were.
    Manifest(Digest, Vec<String>, usize),
    /// A blob.
    Blob(Digest),
}

impl What {
    /// It, or what it pointed to.
    pub fn digest(&self) -> &Digest {
        match self {
            What::Tag(_, digest) | What::Manifest(digest, ..) | What::Blob(digest) => digest,
        }
    }
}

/// What belongs to a deletion, in its transaction.
pub type Gone = for<'t> fn(&'t mut Tx<'_>, &'t Deleted) -> BoxFuture<'t, Result<()>>;

/// Tells of a deletion where somebody wants to know.
pub(crate) async fn tell(
    tx: &mut Tx<'_>,
    gone: Option<Gone>,
    (repo, what, by): (&RepoName, What, &By),
) -> Result<()> {
    let Some(gone) = gone else { return Ok(()) };
    let deleted = Deleted {
        repo: repo.clone(),
        what,
        by: by.clone(),
    };
    gone(tx, &deleted).await
}
