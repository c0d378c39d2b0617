//! Upload sessions: stat, append, abort, and how a writer takes one and lets it go.

use std::sync::Arc;

use longshore_blob::Stage;
use longshore_core::error::Chain;
use longshore_core::{Actor, ByteStream, Chunk, Code, Cx, Error, Result, Upload};
use longshore_meta::time::{micros, span};
use longshore_meta::uploads::{UploadKey, UploadRow};
use longshore_meta::{Durability, Tx, uploads};
use longshore_spec::digest::Digest;
use longshore_spec::name::RepoName;
use longshore_spec::upload::UploadId;

use crate::fresh::busy;
use crate::intake::{nothing, while_asked};
use crate::small::{Begun, Kept, Small};
use crate::store::Inner;

/// A session in the hands of its one writer.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) key: UploadKey,
    pub(crate) fence: i64,
    pub(crate) stage: Stage,
}

/// What a writer finds when it asks for a session.
pub(crate) enum Taken {
    Held(Held),
    /// One that holds few bytes, in its row.
    Small(Small),
    /// It became a blob of this digest and size before.
    Finished(Digest, u64),
}

enum Found {
    Taken(UploadRow, i64),
    Busy(u64),
    Finished(Digest, u64),
}

impl Inner {
    pub(crate) async fn stat_upload(
        &self,
        cx: &Cx,
        repo: &RepoName,
        id: &UploadId,
    ) -> Result<Upload> {
        let key = self.key(cx, repo, id).await?;
        if self.fresh.has(&key) {
            return Ok(Upload {
                id: *id,
                offset: 0,
                min_chunk: 0,
            });
        }
        let row = self
            .db
            .read(&key, |tx, key| Box::pin(uploads::upload_get(tx, key)))
            .await?
            .filter(|row| row.finished.is_none())
            .ok_or_else(|| unknown(id))?;
        Ok(Upload {
            id: *id,
            offset: row.size,
            min_chunk: 0,
        })
    }

    pub(crate) async fn append_upload(
        this: &Arc<Self>,
        cx: &Cx,
        repo: &RepoName,
        id: &UploadId,
        chunk: Chunk,
    ) -> Result<Upload> {
        let key = this.key(cx, repo, id).await?;
        let tasks = this.tasks.clone();
        let (this, id, now) = (this.clone(), *id, cx.now);
        let (_here, mut chunk) = while_asked(chunk);
        tasks
            .joined(async move {
                let mut held = match this.fresh.take(&key)? {
                    Some(_) if chunk.at.is_some_and(|at| at != 0) => return Err(out_of_order(0)),
                    Some(_) if chunk.size == Some(0) => {
                        nothing(chunk.body).await?;
                        return Ok(Upload {
                            id,
                            offset: 0,
                            min_chunk: 0,
                        });
                    }
                    Some(start) => match this.begin_small(start, chunk, micros(now)).await? {
                        Begun::Small(offset) => {
                            return Ok(Upload {
                                id,
                                offset,
                                min_chunk: 0,
                            });
                        }
                        Begun::More(start, more) => {
                            chunk = more;
                            this.begin(start, now).await?
                        }
                    },
                    None => match this.take(key, micros(now)).await? {
                        Taken::Held(held) => held,
                        Taken::Small(small) => this.enlarge(small, now).await?,
                        Taken::Finished(..) => return Err(unknown(&id)),
                    },
                };
                let added = this.add(&mut held, chunk).await;
                let offset = held.stage.offset();
                this.put_back(&held).await?;
                added?;
                Ok(Upload {
                    id,
                    offset,
                    min_chunk: 0,
                })
            })
            .await
    }

    pub(crate) async fn abort_upload(
        this: &Arc<Self>,
        cx: &Cx,
        repo: &RepoName,
        id: &UploadId,
    ) -> Result<()> {
        let key = this.key(cx, repo, id).await?;
        let tasks = this.tasks.clone();
        let (this, id, now) = (this.clone(), *id, micros(cx.now));
        tasks
            .joined(async move {
                if let Some(start) = this.fresh.take(&key)? {
                    start.end();
                    return Ok(());
                }
                match this.take(key, now).await? {
                    Taken::Held(held) => this.end(&held).await,
                    Taken::Small(small) => this.end_small(&small).await,
                    Taken::Finished(..) => Err(unknown(&id)),
                }
            })
            .await
    }

    /// Whose session it is.
    pub(crate) async fn key(&self, cx: &Cx, repo: &RepoName, id: &UploadId) -> Result<UploadKey> {
        let repo = self.repo_if_any(repo).await?.ok_or_else(|| unknown(id))?;
        Ok(UploadKey {
            repo: repo.id,
            id: *id,
            actor: owner(&cx.actor),
        })
    }

    /// Takes the session for one writer.
    ///
    /// # Errors
    /// `BlobUploadUnknown`, `UploadBusy`.
    pub(crate) async fn take(&self, key: UploadKey, now: i64) -> Result<Taken> {
        let memory = now.saturating_sub(span(self.options.session_memory));
        if let Some((digest, size)) = self.fresh.finished(&key, memory) {
            return Ok(Taken::Finished(digest, size));
        }
        let args = Take {
            key: key.clone(),
            lease: now.saturating_add(span(self.options.session_lease)),
            memory,
            now,
        };
        let found = self
            .db
            .write(Durability::Process, args, |tx, args| {
                Box::pin(take(tx, args))
            })
            .await?;
        match found {
            Found::Taken(row, fence) => Ok(match Kept::of(&row.stage)? {
                Kept::Stage(stage) => Taken::Held(Held { key, fence, stage }),
                Kept::Row(algorithm, bytes) => Taken::Small(Small {
                    key,
                    fence,
                    algorithm,
                    bytes,
                }),
            }),
            Found::Finished(digest, size) => Ok(Taken::Finished(digest, size)),
            Found::Busy(offset) => Err(busy(offset)),
        }
    }

    /// Adds a chunk to what the session holds; what it holds afterwards is in `held`, also after an error.
    ///
    /// # Errors
    /// `ChunkOutOfOrder`, and what the body's way in may give.
    pub(crate) async fn add(&self, held: &mut Held, chunk: Chunk) -> Result<()> {
        let offset = held.stage.offset();
        if chunk.at.is_some_and(|at| at != offset) {
            return Err(out_of_order(offset));
        }
        if chunk.size == Some(0) {
            return nothing(chunk.body).await;
        }
        let most = self.options.blob_most.saturating_sub(offset);
        let before = held.stage.clone();
        let done = self.extend(held, chunk.body, chunk.size, most).await;
        if done
            .as_ref()
            .is_err_and(|error| error.code() == Code::SizeInvalid)
        {
            // What is not what it said it was does not count; the next chunk writes over it.
            held.stage = before;
        }
        done
    }

    async fn extend(
        &self,
        held: &mut Held,
        body: ByteStream,
        size: Option<u64>,
        most: u64,
    ) -> Result<()> {
        let mut write = self.blobs.extend(&mut held.stage, body, size, most);
        loop {
            tokio::select! {
                done = &mut write => return done,
                () = tokio::time::sleep(self.options.session_lease / 3) => {
                    self.renew(&held.key.id, held.fence).await?;
                }
            }
        }
    }

    async fn renew(&self, id: &UploadId, fence: i64) -> Result<()> {
        let now = micros((self.clock)());
        let args = (
            *id,
            fence,
            now.saturating_add(span(self.options.session_lease)),
            now,
        );
        let ours = self
            .db
            .write(Durability::Process, args, |tx, (id, fence, lease, now)| {
                Box::pin(uploads::upload_renew(tx, id, *fence, *lease, *now))
            })
            .await?;
        if ours { Ok(()) } else { Err(unknown(id)) }
    }

    /// Records what the session holds and lets it go.
    pub(crate) async fn put_back(&self, held: &Held) -> Result<()> {
        let now = micros((self.clock)());
        let args = (
            held.key.id,
            held.fence,
            held.stage.encode(),
            held.stage.offset(),
            now,
        );
        let ours = self
            .db
            .write(
                Durability::Process,
                args,
                |tx, (id, fence, stage, size, now)| {
                    Box::pin(uploads::upload_save(tx, id, *fence, stage, *size, *now))
                },
            )
            .await?;
        if ours {
            Ok(())
        } else {
            Err(unknown(&held.key.id))
        }
    }

    /// Ends the session and frees what it holds. After an error it stands where it stood; once it has ended, what cannot be
    /// freed at once is freed by the sweep.
    pub(crate) async fn end(&self, held: &Held) -> Result<()> {
        let id = held.key.id;
        self.db
            .write(Durability::Process, id, |tx, id| {
                Box::pin(uploads::upload_end(tx, id))
            })
            .await?;
        // The bytes before the row: a row without bytes is found again, bytes without a row are not.
        let freed = async {
            self.blobs.discard(&held.stage).await?;
            self.db
                .write(Durability::Process, id, |tx, id| {
                    Box::pin(uploads::upload_forget(tx, id))
                })
                .await
        };
        match freed.await {
            Ok(()) => self.fresh.row_left(),
            Err(error) => {
                tracing::warn!(%id, error = %Chain(&error), "what an upload held that has ended cannot be removed yet; it will be tried again");
            }
        }
        Ok(())
    }
}

/// How the owner of a session is written: no name can be taken for a stranger or a job.
pub(crate) fn owner(actor: &Actor) -> String {
    match actor {
        Actor::Anonymous => String::new(),
        Actor::Named(name) => format!("user:{name}"),
        Actor::Job(name) => format!("job:{name}"),
    }
}

/// The answer to a chunk that does not start where the session stands.
pub(crate) fn out_of_order(offset: u64) -> Error {
    Error::new(
        Code::ChunkOutOfOrder,
        format!("the upload session holds {offset} bytes; the next chunk must start there"),
    )
    .at_offset(offset)
}

struct Take {
    key: UploadKey,
    lease: i64,
    /// A session that was finished before this answers no more.
    memory: i64,
    now: i64,
}

async fn take(tx: &mut Tx<'_>, args: &Take) -> Result<Found> {
    let row = uploads::upload_get(tx, &args.key)
        .await?
        .ok_or_else(|| unknown(&args.key.id))?;
    if let Some(digest) = row.finished {
        return if row.touched < args.memory {
            Err(unknown(&args.key.id))
        } else {
            Ok(Found::Finished(digest, row.size))
        };
    }
    match uploads::upload_take(tx, &args.key, args.lease, args.now).await? {
        Some(fence) => Ok(Found::Taken(row, fence)),
        None => Ok(Found::Busy(row.size)),
    }
}

/// The answer when there is no such session, or it is somebody else's: the two are one answer on purpose.
pub(crate) fn unknown(id: &UploadId) -> Error {
    Error::new(
        Code::BlobUploadUnknown,
        format!("the upload session {id} does not exist or has expired; start a new one"),
    )
}
