//! Finishing an upload: publish the bytes, then commit the row that names them.
//!
//! With [`Durability::Manifest`] the row is committed as *staged* while the sync of its bytes is still under way: that
//! survives a kill, and after a power cut [`crate::recover`] looks whether the bytes are whole. A manifest that refers
//! to the blob waits for its sync and makes the row *live* in its own transaction ([`crate::push`]).

use std::sync::Arc;

use longshore_blob::Stored;
use longshore_core::{BlobInfo, ByteStream, Chunk, Code, Cx, Expect, Result};
use longshore_meta::blobs::{self, BlobRow, BlobState};
use longshore_meta::time::{micros, span};
use longshore_meta::{Tx, repos, uploads};
use longshore_spec::digest::Digest;
use longshore_spec::name::RepoName;
use longshore_spec::upload::UploadId;

use crate::blobs::location;
use crate::intake::while_asked;
use crate::options::Durability;
use crate::store::Inner;
use crate::uploads::{Held, Taken, unknown};

impl Inner {
    pub(crate) async fn put_blob(
        this: &Arc<Self>,
        cx: &Cx,
        repo: &RepoName,
        want: &Expect,
        body: ByteStream,
    ) -> Result<BlobInfo> {
        // A session of one request: what a kill leaves of it is found and swept like that of any other.
        let session = this.start_upload(cx, repo, want.digest.algorithm()).await?;
        let key = this.key(cx, repo, &session.id).await?;
        let tasks = this.tasks.clone();
        let (this, repo, want, now) = (this.clone(), repo.clone(), *want, micros(cx.now));
        let last = Chunk {
            at: None,
            size: want.size,
            body,
        };
        let (_here, last) = while_asked(last);
        tasks
            .joined(async move {
                let Taken::Held(mut held) = this.take(key, now).await? else {
                    return Err(unknown(&session.id));
                };
                let done = match this.add(&mut held, last).await {
                    Ok(()) => this.publish(&repo, &held, &want.digest, now).await,
                    Err(error) => Err(error),
                };
                if done.is_err() {
                    // Nobody knows the session's id, so nobody can come back to it.
                    this.end(&held).await?;
                }
                done
            })
            .await
    }

    pub(crate) async fn finish_upload(
        this: &Arc<Self>,
        cx: &Cx,
        repo: &RepoName,
        id: &UploadId,
        last: Chunk,
        digest: &Digest,
    ) -> Result<BlobInfo> {
        let key = this.key(cx, repo, id).await?;
        let tasks = this.tasks.clone();
        let (this, repo, id, digest, now) =
            (this.clone(), repo.clone(), *id, *digest, micros(cx.now));
        let (_here, last) = while_asked(last);
        tasks
            .joined(async move {
                let mut held = match this.take(key, now).await? {
                    Taken::Held(held) => held,
                    Taken::Finished(before, size) if before == digest => {
                        return Ok(BlobInfo { digest, size });
                    }
                    Taken::Finished(..) => return Err(unknown(&id)),
                };
                let done = match this.add(&mut held, last).await {
                    Ok(()) => this.publish(&repo, &held, &digest, now).await,
                    Err(error) => Err(error),
                };
                match &done {
                    Ok(_) => {}
                    Err(error) if error.code() == Code::DigestInvalid => this.end(&held).await?,
                    Err(_) => this.put_back(&held).await?,
                }
                done
            })
            .await
    }

    /// Makes what the session holds a blob of `repo`.
    async fn publish(
        &self,
        repo: &RepoName,
        held: &Held,
        digest: &Digest,
        now: i64,
    ) -> Result<BlobInfo> {
        let stored = self.blobs.publish(&held.stage, digest).await?;
        let state = match self.options.durability {
            Durability::Manifest => BlobState::Staged,
            Durability::Blob => {
                self.blobs.sync(&stored.location).await?;
                BlobState::Live
            }
        };
        let args = Commit {
            repo: repo.clone(),
            digest: *digest,
            size: stored.size,
            location: stored.location.to_string(),
            state,
            broken: self.broken(digest).await?,
            upload: held.key.id,
            fence: held.fence,
            lease: now.saturating_add(span(self.options.push_lease)),
            now,
        };
        match self
            .db
            .write(self.durability(), args, |tx, args| {
                Box::pin(commit(tx, args))
            })
            .await?
        {
            Committed::Installed(generation) => {
                // Whoever read the place of a broken copy must not go on using it, in whatever repository.
                if generation > 1 {
                    self.cache.content_lost();
                }
                if state == BlobState::Staged {
                    self.unsettled
                        .add(&self.blobs, *digest, generation, stored.location);
                }
            }
            Committed::Kept => self.drop_copy(&stored).await,
        }
        Ok(BlobInfo {
            digest: *digest,
            size: stored.size,
        })
    }

    /// The generation of the stored copy, if there is one and it is to be replaced: its length is not what its row says,
    /// or nobody knows whether its bytes will be there.
    async fn broken(&self, digest: &Digest) -> Result<Option<i64>> {
        let Some(row) = self
            .db
            .read(digest, |tx, digest| Box::pin(blobs::blob_get(tx, digest)))
            .await?
        else {
            return Ok(None);
        };
        if row.state == BlobState::Staged && !self.unsettled.vouches(digest, row.generation) {
            return Ok(Some(row.generation));
        }
        let whole = self.blobs.size(&location(&row.location)?).await? == Some(row.size);
        if !whole {
            tracing::warn!(%digest, location = row.location, "the stored copy of a blob is damaged; the pushed one takes its place");
        }
        Ok((!whole).then_some(row.generation))
    }

    /// Removes a copy of what was there already.
    async fn drop_copy(&self, stored: &Stored) {
        if let Err(error) = self.blobs.remove(&stored.location).await {
            tracing::warn!(location = %stored.location, error = %longshore_core::error::Chain(&error), "a spare copy of a blob stays on disk");
        }
    }
}

struct Commit {
    repo: RepoName,
    digest: Digest,
    size: u64,
    location: String,
    state: BlobState,
    broken: Option<i64>,
    upload: UploadId,
    fence: i64,
    lease: i64,
    now: i64,
}

enum Committed {
    /// The bytes that were brought are the blob now, as this generation.
    Installed(i64),
    /// The blob was there; the bytes that were brought are not needed.
    Kept,
}

async fn commit(tx: &mut Tx<'_>, args: &Commit) -> Result<Committed> {
    if !uploads::upload_finish(
        tx,
        &args.upload,
        args.fence,
        &args.digest,
        args.size,
        args.now,
    )
    .await?
    {
        return Err(unknown(&args.upload));
    }
    let repo = repos::repo_open(tx, &args.repo, args.now).await?;
    blobs::link_put(tx, repo, &args.digest, args.now).await?;
    let there = blobs::blob_get(tx, &args.digest).await?;
    let generation = match there {
        Some(row)
            if matches!(row.state, BlobState::Staged | BlobState::Live)
                && args.broken != Some(row.generation) =>
        {
            blobs::blob_lease(tx, &args.digest, args.lease).await?;
            return Ok(Committed::Kept);
        }
        Some(row) => row.generation.saturating_add(1),
        None => 1,
    };
    let row = BlobRow {
        size: args.size,
        location: args.location.clone(),
        generation,
        state: args.state,
    };
    blobs::blob_put(tx, &args.digest, &row, args.lease, args.now).await?;
    Ok(Committed::Installed(generation))
}
