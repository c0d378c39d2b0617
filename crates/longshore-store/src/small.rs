//! Sessions that hold few bytes, in their row.
//!
//! Most clients send a blob in two requests, its bytes and then its digest, whatever its size. The bytes of a small one wait in the
//! session's row for the second: acknowledged, they survive a kill as the row does, and no file is made, found again, renamed
//! and synced for them. A session that gets longer becomes a file like any other.

use std::time::SystemTime;

use bytes::Bytes;
use longshore_blob::Stage;
use longshore_core::error::Chain;
use longshore_core::{BlobInfo, ByteStream, Chunk, Code, Error, Result, body};
use longshore_meta::time::micros;
use longshore_meta::uploads::UploadKey;
use longshore_meta::{Durability, uploads};
use longshore_spec::digest::{Algorithm, Digest};
use longshore_spec::name::RepoName;

use crate::fresh::Start;
use crate::install::{Brought, body_of};
use crate::intake::{FIRST, First, before, first, total, whole};
use crate::store::Inner;
use crate::uploads::{Held, out_of_order, unknown};

/// How a row says that it holds the bytes themselves; a stage begins with another byte.
const HERE: u8 = 0;

/// Where the bytes of a session are, as its row says it.
pub(crate) enum Kept {
    /// In the blob store.
    Stage(Stage),
    /// In the row.
    Row(Algorithm, Bytes),
}

impl Kept {
    /// Reads the row.
    pub(crate) fn of(row: &[u8]) -> Result<Self> {
        match row {
            [HERE, code, bytes @ ..] => {
                let algorithm = match code {
                    1 => Algorithm::Sha256,
                    2 => Algorithm::Sha512,
                    _ => {
                        return Err(Error::internal(
                            "the saved bytes of an upload cannot be read",
                        ));
                    }
                };
                Ok(Self::Row(algorithm, Bytes::copy_from_slice(bytes)))
            }
            row => Stage::decode(row).map(Self::Stage),
        }
    }

    /// What a row says that holds `parts`.
    fn row(algorithm: Algorithm, parts: &[Bytes]) -> Vec<u8> {
        let code = match algorithm {
            Algorithm::Sha256 => 1,
            Algorithm::Sha512 => 2,
        };
        [HERE, code]
            .into_iter()
            .chain(parts.iter().flatten().copied())
            .collect()
    }
}

/// The stage of an open session; `None` when there is none, because its bytes are in its row.
pub(crate) fn stage_of(row: &[u8]) -> Result<Option<Stage>> {
    match Kept::of(row)? {
        Kept::Stage(stage) => Ok(Some(stage)),
        Kept::Row(..) => Ok(None),
    }
}

/// A session that holds few bytes, in the hands of its one writer.
#[derive(Debug)]
pub(crate) struct Small {
    pub(crate) key: UploadKey,
    pub(crate) fence: i64,
    pub(crate) algorithm: Algorithm,
    pub(crate) bytes: Bytes,
}

/// What the first bytes of a session made of it.
pub(crate) enum Begun {
    /// It holds so many bytes, in its row.
    Small(u64),
    /// It needs a stage.
    More(Start, Chunk),
}

/// What the last chunk of such a session made of it.
pub(crate) enum Finished {
    /// A blob.
    Done(BlobInfo),
    /// It is not so small after all.
    More(Held, Chunk),
}

impl Inner {
    fn row_most(&self) -> u64 {
        self.options.row_most.min(self.options.blob_most)
    }

    /// Receives the first bytes of a session; what is announced to be too large is not waited for.
    pub(crate) async fn first(&self, body: ByteStream, size: Option<u64>) -> Result<First> {
        let most = self.options.blob_most;
        if size.is_some_and(|size| size > most) {
            return Ok(First::Longer(body));
        }
        first(body, size, FIRST.min(most)).await
    }

    /// Takes the first bytes of a session: into its row, if they are few and all.
    pub(crate) async fn begin_small(&self, start: Start, chunk: Chunk, now: i64) -> Result<Begun> {
        // Where this ends with an error the session stands where it stood.
        let body = match self.first(chunk.body, chunk.size).await? {
            First::Whole(parts) => match total(&parts) {
                0 => return Ok(Begun::Small(0)),
                size if size <= self.row_most() => {
                    return self.keep(start, &parts, now).await.map(Begun::Small);
                }
                _ => before(parts, body::empty()),
            },
            First::Longer(body) => body,
        };
        Ok(Begun::More(start, Chunk { body, ..chunk }))
    }

    async fn keep(&self, start: Start, parts: &[Bytes], now: i64) -> Result<u64> {
        let size = total(parts);
        let args = (
            start.key.clone(),
            Kept::row(start.algorithm, parts),
            size,
            now,
        );
        self.fresh.row_comes();
        let kept = self
            .db
            .write(Durability::Process, args, |tx, (key, row, size, now)| {
                Box::pin(uploads::upload_insert(tx, key, row, *size, *now))
            })
            .await;
        match kept {
            Ok(()) => {
                start.end();
                Ok(size)
            }
            Err(error) => {
                self.fresh.row_left();
                Err(error)
            }
        }
    }

    /// Finishes such a session, if what is still to come is small too.
    pub(crate) async fn finish_small(
        &self,
        small: Small,
        repo: &RepoName,
        last: Chunk,
        digest: &Digest,
        now: SystemTime,
    ) -> Result<Finished> {
        let held = small.bytes.len() as u64;
        if last.at.is_some_and(|at| at != held) {
            self.put_back_small(&small).await?;
            return Err(out_of_order(held));
        }
        let most = self.row_most().saturating_sub(held);
        let Some(size) = last.size.filter(|size| *size <= most) else {
            let held = self.enlarge(small, now).await?;
            return Ok(Finished::More(held, last));
        };
        let mut parts = match whole(last.body, size).await {
            Ok(parts) => parts,
            Err(error) => {
                self.put_back_small(&small).await?;
                return Err(error);
            }
        };
        parts.insert(0, small.bytes.clone());
        let done = match body_of(&parts, digest) {
            Ok(body) => {
                let upload = Some((small.key.id, small.fence));
                self.install(repo, Brought::Body(body), digest, upload, micros(now))
                    .await
            }
            Err(error) => Err(error),
        };
        match &done {
            Ok(_) => self.fresh.row_left(),
            Err(error) if error.code() == Code::DigestInvalid => self.end_small(&small).await?,
            Err(_) => self.put_back_small(&small).await?,
        }
        done.map(Finished::Done)
    }

    /// Gives such a session a stage with the bytes that it holds.
    pub(crate) async fn enlarge(&self, small: Small, now: SystemTime) -> Result<Held> {
        let staged = self.stage_with(&small, now).await;
        match staged {
            Ok(stage) => Ok(Held {
                key: small.key,
                fence: small.fence,
                stage,
            }),
            Err(error) => {
                self.put_back_small(&small).await?;
                Err(error)
            }
        }
    }

    async fn stage_with(&self, small: &Small, now: SystemTime) -> Result<Stage> {
        let mut stage = self.blobs.stage(small.algorithm, now).await?;
        let size = small.bytes.len() as u64;
        let content = body::once(small.bytes.clone());
        let done = self
            .blobs
            .extend(&mut stage, content, Some(size), size)
            .await;
        if done.is_err()
            && let Err(left) = self.blobs.discard(&stage).await
        {
            tracing::warn!(error = %Chain(&left), "the file of an upload that could not be written stays on disk");
        }
        done.map(|()| stage)
    }

    /// Lets the session go as it was.
    async fn put_back_small(&self, small: &Small) -> Result<()> {
        let args = (
            small.key.id,
            small.fence,
            Kept::row(small.algorithm, std::slice::from_ref(&small.bytes)),
            small.bytes.len() as u64,
            micros((self.clock)()),
        );
        let ours = self
            .db
            .write(
                Durability::Process,
                args,
                |tx, (id, fence, row, size, now)| {
                    Box::pin(uploads::upload_save(tx, id, *fence, row, *size, *now))
                },
            )
            .await?;
        if ours {
            Ok(())
        } else {
            Err(unknown(&small.key.id))
        }
    }

    /// Ends the session and forgets what it holds.
    pub(crate) async fn end_small(&self, small: &Small) -> Result<()> {
        self.db
            .write(Durability::Process, small.key.id, |tx, id| {
                Box::pin(uploads::upload_forget(tx, id))
            })
            .await?;
        self.fresh.row_left();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_says_whether_it_holds_the_bytes_or_where_they_are() {
        for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
            let row = Kept::row(algorithm, &["a".into(), "bc".into()]);
            assert!(
                matches!(Kept::of(&row), Ok(Kept::Row(of, bytes)) if of == algorithm && bytes == "abc")
            );
            let stage = Stage::new("blobs/x.part".parse().unwrap(), algorithm, 7);
            assert_eq!(stage_of(&stage.encode()).unwrap(), Some(stage));
            assert_eq!(stage_of(&row).unwrap(), None);
        }
        assert!(Kept::of(&[HERE, 9]).is_err() && Kept::of(&[]).is_err());
    }
}
