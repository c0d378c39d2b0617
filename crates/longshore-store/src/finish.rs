//! Finishing an upload: publish the bytes, then commit the row that names them.
//!
//! With [`Durability::Manifest`](crate::Durability::Manifest) the row is committed as *staged* while the sync of its bytes is still under way: that
//! survives a kill, and after a power cut [`crate::recover`] looks whether the bytes are whole. A manifest that refers
//! to the blob waits for its sync and makes the row *live* in its own transaction ([`crate::push`]). A body that is small
//! and whole is part of the transaction instead ([`crate::rows`]), so there is nothing to wait for.

use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use longshore_core::{BlobInfo, ByteStream, Chunk, Code, Cx, Expect, Result};
use longshore_meta::time::micros;
use longshore_spec::digest::Digest;
use longshore_spec::name::RepoName;
use longshore_spec::upload::UploadId;

use crate::fresh::Start;
use crate::install::{Brought, body_of};
use crate::intake::{First, total, while_asked};
use crate::small::Finished;
use crate::store::Inner;
use crate::uploads::{Held, Taken, out_of_order, unknown};

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
        let (this, repo, want, now) = (this.clone(), repo.clone(), *want, cx.now);
        let last = Chunk {
            at: None,
            size: want.size,
            body,
        };
        let (_here, last) = while_asked(last);
        tasks
            .joined(async move {
                let start = this.fresh.take(&key)?.ok_or_else(|| unknown(&session.id))?;
                let done = match this.fill(start, &repo, last, &want.digest, now).await {
                    Filled::Done(done) => done,
                    Filled::More(start, last) => {
                        this.stage_all(start, &repo, last, &want.digest, now).await
                    }
                };
                // Nobody knows the session's id, so nobody can come back to it, however this ended.
                if let Some(start) = this.fresh.take(&key)? {
                    start.end();
                }
                done
            })
            .await
    }

    /// Finishes a session that holds nothing yet by way of a row and a stage, of which a failure leaves nothing.
    async fn stage_all(
        &self,
        start: Start,
        repo: &RepoName,
        last: Chunk,
        digest: &Digest,
        now: SystemTime,
    ) -> Result<BlobInfo> {
        let mut held = self.begin(start, now).await?;
        let done = self.complete(&mut held, repo, last, digest, now).await;
        if done.is_err() {
            self.end(&held).await?;
        }
        done
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
        let (this, repo, id, digest, now) = (this.clone(), repo.clone(), *id, *digest, cx.now);
        let (_here, last) = while_asked(last);
        tasks
            .joined(async move {
                let (mut held, last) = match this.fresh.take(&key)? {
                    Some(start) => match this.fill(start, &repo, last, &digest, now).await {
                        Filled::Done(done) => return done,
                        Filled::More(start, last) => (this.begin(start, now).await?, last),
                    },
                    None => match this.take(key, micros(now)).await? {
                        Taken::Held(held) => (held, last),
                        Taken::Small(small) => {
                            match this.finish_small(small, &repo, last, &digest, now).await? {
                                Finished::Done(done) => return Ok(done),
                                Finished::More(held, last) => (held, last),
                            }
                        }
                        Taken::Finished(before, size) if before == digest => {
                            return Ok(BlobInfo { digest, size });
                        }
                        Taken::Finished(..) => return Err(unknown(&id)),
                    },
                };
                let done = this.complete(&mut held, &repo, last, &digest, now).await;
                match &done {
                    Ok(_) => {}
                    Err(error) if error.code() == Code::DigestInvalid => this.end(&held).await?,
                    Err(_) => this.put_back(&held).await?,
                }
                done
            })
            .await
    }

    /// Finishes a session that holds nothing yet by a body that is small and whole, without a row or a stage.
    async fn fill(
        &self,
        start: Start,
        repo: &RepoName,
        last: Chunk,
        digest: &Digest,
        now: SystemTime,
    ) -> Filled {
        if last.at.is_some_and(|at| at != 0) {
            return Filled::Done(Err(out_of_order(0)));
        }
        let done = match self.first(last.body, last.size).await {
            Ok(First::Whole(parts)) => self.publish_whole(repo, &parts, digest, now).await,
            Ok(First::Longer(body)) => return Filled::More(start, Chunk { body, ..last }),
            Err(error) => Err(error),
        };
        match &done {
            Ok(blob) => start.finish(blob.digest, blob.size, micros(now)),
            Err(error) if error.code() == Code::DigestInvalid => start.end(),
            Err(_) => {}
        }
        Filled::Done(done)
    }

    async fn publish_whole(
        &self,
        repo: &RepoName,
        parts: &[Bytes],
        digest: &Digest,
        now: SystemTime,
    ) -> Result<BlobInfo> {
        let size = total(parts);
        let brought = if size <= self.options.row_most {
            Brought::Body(body_of(parts, digest)?)
        } else {
            Brought::File(self.blobs.put(parts, digest, now).await?)
        };
        self.install(repo, brought, digest, None, micros(now)).await
    }

    /// Adds the last chunk to a session that has a row, and makes what it holds a blob of `repo`.
    async fn complete(
        &self,
        held: &mut Held,
        repo: &RepoName,
        last: Chunk,
        digest: &Digest,
        now: SystemTime,
    ) -> Result<BlobInfo> {
        self.add(held, last).await?;
        let stored = self.blobs.publish(&held.stage, digest).await?;
        let upload = Some((held.key.id, held.fence));
        let done = self
            .install(repo, Brought::File(stored), digest, upload, micros(now))
            .await?;
        self.fresh.row_left();
        Ok(done)
    }
}

/// What a small body did to a session that held nothing.
enum Filled {
    Done(Result<BlobInfo>),
    /// It is not small: it needs a stage.
    More(Start, Chunk),
}
