//! Blobs: stat, get, locate, mount.

use std::sync::Arc;
use std::time::Duration;

use longshore_blob::Unpaced;
use longshore_core::{Blob, BlobInfo, Code, Cx, Error, Reach, Result, SignedUrl, Verb};
use longshore_meta::blobs::Lease;
use longshore_meta::time::micros;
use longshore_meta::{Durability, blobs, repos};
use longshore_spec::digest::Digest;
use longshore_spec::name::RepoName;
use longshore_spec::range::ByteRange;

use crate::cache::{Repo, Seen};
use crate::examine::{Copy, examine, glance};
use crate::place::Place;
use crate::repo::Opening;
use crate::store::Inner;

/// For how long a client may use a URL it was sent to.
const SIGNED_FOR: Duration = Duration::from_mins(20);

impl Inner {
    pub(crate) async fn stat_blob(
        &self,
        cx: &Cx,
        name: &RepoName,
        digest: &Digest,
    ) -> Result<BlobInfo> {
        let repo = self.repo(name).await?;
        let seen = self.seen(&repo, digest).await?;
        if !self.promise(cx, name, &repo, digest, &seen).await? {
            return Err(unknown(digest));
        }
        Ok(BlobInfo {
            digest: *digest,
            size: seen.size,
        })
    }

    pub(crate) async fn get_blob(
        &self,
        repo: &RepoName,
        digest: &Digest,
        range: Option<ByteRange>,
    ) -> Result<Blob> {
        let repo = self.repo(repo).await?;
        let seen = self.seen(&repo, digest).await?;
        let whole = 0..seen.size;
        let range = match range {
            None => whole,
            Some(range) => range.resolve(seen.size).ok_or_else(|| {
                Error::new(
                    Code::RangeUnsatisfiable,
                    format!(
                        "the blob has {} bytes; the range asked for lies outside of it",
                        seen.size
                    ),
                )
                .at_offset(seen.size)
            })?,
        };
        let body = match &seen.place {
            Place::Row(id) => self.read_row(digest, &seen, *id, range.clone()).await?,
            Place::Stored(at) => match self.blobs.read(at, seen.size, range.clone()).await {
                Ok(body) => body,
                Err(error) => {
                    if error.code() == Code::Internal {
                        self.damaged(digest, &seen).await?;
                    }
                    return Err(error);
                }
            },
        };
        Ok(Blob {
            info: BlobInfo {
                digest: *digest,
                size: seen.size,
            },
            range,
            body,
        })
    }

    pub(crate) async fn locate_blob(
        &self,
        repo: &RepoName,
        digest: &Digest,
    ) -> Result<Option<SignedUrl>> {
        let repo = self.repo(repo).await?;
        let seen = self.seen(&repo, digest).await?;
        match &seen.place {
            Place::Row(_) => Ok(None),
            Place::Stored(at) => self.blobs.sign(at, SIGNED_FOR).await,
        }
    }

    /// Takes a blob out of sight whose bytes are not those that were pushed. A storage that only fails to answer changes
    /// nothing, nor does a row that was replaced meanwhile.
    pub(crate) async fn damaged(&self, digest: &Digest, seen: &Seen) -> Result<()> {
        let row = self
            .db
            .read(digest, |tx, digest| Box::pin(blobs::blob_get(tx, digest)))
            .await?;
        let Some(row) = row.filter(|row| row.generation == seen.generation) else {
            return Ok(());
        };
        let mut copy = glance(&self.db, &*self.blobs, digest, &row).await?;
        if matches!(copy, Copy::Whole) {
            // As long as it should be: only of what is small it is known that its bytes are wrong.
            copy = examine(&self.db, &*self.blobs, digest, &row, &Unpaced).await?;
        }
        match copy.wrong() {
            Some(what) => self.lose(digest, &row, &what).await,
            None => Ok(()),
        }
    }

    /// The blob, if the repository holds it.
    async fn seen(&self, repo: &Repo, digest: &Digest) -> Result<Seen> {
        if !self.unsettled.is_sound(digest).await? {
            return Err(unknown(digest));
        }
        if let Some(seen) = self.cache.blob(repo, digest) {
            return Ok(seen);
        }
        let epoch = repo.content.now();
        let (row, lease) = self
            .db
            .read(&(repo.id, *digest), |tx, (repo, digest)| {
                Box::pin(blobs::blob_seen(tx, *repo, digest))
            })
            .await?
            .ok_or_else(|| unknown(digest))?;
        let seen = Seen::of(&row, lease)?;
        self.cache.blob_is(repo, epoch, digest, seen.clone());
        Ok(seen)
    }

    pub(crate) async fn mount_blob(
        this: &Arc<Self>,
        cx: &Cx,
        repo: &RepoName,
        digest: &Digest,
        from: Option<&RepoName>,
    ) -> Result<Option<BlobInfo>> {
        if !this.unsettled.is_sound(digest).await? {
            return Ok(None);
        }
        if let Some(info) = this.already(cx, (repo, from), digest).await? {
            return Ok(Some(info));
        }
        // What is there already does not carry room for this.
        Box::pin(Self::mount_new(this, cx, repo, digest, from)).await
    }

    /// Makes a blob that one repository holds part of another.
    async fn mount_new(
        this: &Arc<Self>,
        cx: &Cx,
        repo: &RepoName,
        digest: &Digest,
        from: Option<&RepoName>,
    ) -> Result<Option<BlobInfo>> {
        // Both are remembered, so that the next such mount finds the blob in both without asking.
        let source = match from {
            Some(from) => match this.repo_if_any(from).await? {
                Some(source) => Some(source),
                None => return Ok(None),
            },
            None => None,
        };
        let names = this.cache.names();
        let into = this.cache.repo(repo);
        // Before the row is read: what changes meanwhile makes what is remembered of it void.
        let known: Vec<_> = (into.iter().chain(&source))
            .map(|repo| (Arc::clone(repo), repo.content.now()))
            .collect();
        let now = micros(cx.now);
        let args = Mount {
            into: into.as_ref().map(|repo| repo.id),
            opening: this.opening(repo, cx),
            digest: *digest,
            from: match &source {
                Some(source) => Source::Repo(source.id),
                None => Source::Reached(cx.rights.pullable()),
            },
            now,
            due: this.options.link_due(now),
            lease: this.options.lease(now),
        };
        let mounted = this
            .db
            .write(this.durability(), args, |tx, args| {
                Box::pin(mount(tx, args))
            })
            .await?;
        Ok(mounted.map(|mounted| {
            let (size, seen) = (mounted.row.size, Seen::of(&mounted.row, mounted.lease));
            if into.is_none() {
                this.cache.repo_as_of(names, repo, mounted.repo);
            }
            for (repo, epoch) in &known {
                if let (Ok(seen), None) = (&seen, this.cache.blob(repo, digest)) {
                    this.cache.blob_is(repo, *epoch, digest, seen.clone());
                }
            }
            BlobInfo {
                digest: *digest,
                size,
            }
        }))
    }

    /// The blob, if it is remembered that the repository holds it, and the one it is to come from too: what is there already is
    /// mounted at the price of a `HEAD`. Where it is not said from where, only a caller who may pull it here is told so.
    async fn already(
        &self,
        cx: &Cx,
        (name, from): (&RepoName, Option<&RepoName>),
        digest: &Digest,
    ) -> Result<Option<BlobInfo>> {
        let held = |name: &RepoName| {
            let repo = self.cache.repo(name)?;
            let seen = self.cache.blob(&repo, digest)?;
            Some((repo, seen))
        };
        let may_say = match from {
            Some(from) => held(from).is_some(),
            None => cx.rights.allow(Some(name), Verb::Pull),
        };
        let Some((repo, seen)) = held(name).filter(|_| may_say) else {
            return Ok(None);
        };
        let kept = self.promise(cx, name, &repo, digest, &seen).await?;
        Ok(kept.then_some(BlobInfo {
            digest: *digest,
            size: seen.size,
        }))
    }

    /// What acknowledging a blob takes.
    pub(crate) fn durability(&self) -> Durability {
        match self.options.durability {
            crate::options::Durability::Manifest => Durability::Process,
            crate::options::Durability::Blob => Durability::Power,
        }
    }
}

struct Mount {
    opening: Opening,
    /// Its id, if that is known; repositories are never removed and their ids never change.
    into: Option<i64>,
    digest: Digest,
    from: Source,
    now: i64,
    due: i64,
    lease: Lease,
}

/// Where a blob is to come from.
enum Source {
    Repo(i64),
    /// Wherever the caller reaches.
    Reached(Reach),
}

/// What a mount found and did.
struct Mounted {
    /// The repository that holds the blob now.
    repo: i64,
    row: blobs::BlobRow,
    /// Until when the blob is kept.
    lease: i64,
}

async fn mount(tx: &mut longshore_meta::Tx<'_>, args: &Mount) -> Result<Option<Mounted>> {
    let found = match &args.from {
        Source::Repo(id) => blobs::blob_seen(tx, *id, &args.digest).await?,
        // A manifest of the target may be all that keeps the caller from knowing where else the blob is: any will do.
        Source::Reached(reach) if reach.is_all() => {
            if blobs::blob_anywhere(tx, &args.digest).await? {
                let row = blobs::blob_get(tx, &args.digest).await?;
                row.map(|row| (row, 0))
            } else {
                None
            }
        }
        Source::Reached(reach) => reached(tx, reach, &args.digest).await?,
    };
    let Some((row, until)) = found else {
        return Ok(None);
    };
    let repo = match args.into {
        Some(id) => id,
        None => args.opening.open(tx).await?,
    };
    // Before collection takes the blob, which then sees the link and the lease; or after, and then it was not found above.
    blobs::link_put(tx, repo, &args.digest, args.now, Some(args.due)).await?;
    let mut lease = until;
    if until < args.lease.least {
        blobs::blob_lease(tx, &args.digest, args.lease).await?;
        lease = args.lease.until;
    }
    Ok(Some(Mounted { repo, row, lease }))
}

/// How many repositories are looked at for one that the caller may pull from.
const HOLDERS: usize = 1000;

/// The blob, where a repository that is reached holds it. One that very many hold may not be found: it is sent then.
async fn reached(
    tx: &mut longshore_meta::Tx<'_>,
    reach: &Reach,
    digest: &Digest,
) -> Result<Option<(blobs::BlobRow, i64)>> {
    if let Some(names) = reach.names() {
        for name in names {
            if let Some(found) = held(tx, name, digest).await? {
                return Ok(Some(found));
            }
        }
        return Ok(None);
    }
    for (repo, name) in blobs::blob_holders(tx, digest, 0, HOLDERS).await? {
        if reach.has(&name) {
            return blobs::blob_seen(tx, repo, digest).await;
        }
    }
    Ok(None)
}

async fn held(
    tx: &mut longshore_meta::Tx<'_>,
    repo: &RepoName,
    digest: &Digest,
) -> Result<Option<(blobs::BlobRow, i64)>> {
    match repos::repo_id(tx, repo).await? {
        Some(id) => blobs::blob_seen(tx, id, digest).await,
        None => Ok(None),
    }
}

/// The answer when the repository does not hold the blob.
pub(crate) fn unknown(digest: &Digest) -> Error {
    Error::new(
        Code::BlobUnknown,
        format!("the blob {digest} is not in this repository"),
    )
}
