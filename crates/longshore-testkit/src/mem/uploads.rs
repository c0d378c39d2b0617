//! Upload sessions: who owns them, what they hold, who is writing to them.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use futures_util::TryStreamExt;
use longshore_core::{Actor, Chunk, Code, Cx, Error, Result};
use longshore_spec::digest::Digest;
use longshore_spec::name::RepoName;
use longshore_spec::upload::UploadId;

use super::{Mem, repo};

/// How long a finished session answers again as it did the first time.
const REMEMBERED: Duration = Duration::from_hours(1);

#[derive(Debug, Default)]
pub(super) struct Uploads {
    open: BTreeMap<Key, Session>,
    finished: BTreeMap<Key, Finished>,
    last: u128,
}

/// A session is found by its repository and id together, never by the id alone.
type Key = (RepoName, UploadId);

#[derive(Debug)]
pub(super) struct Session {
    owner: Actor,
    busy: bool,
    pub(super) bytes: BytesMut,
}

#[derive(Debug)]
struct Finished {
    owner: Actor,
    digest: Digest,
    at: SystemTime,
}

impl Uploads {
    pub(super) fn start(&mut self, owner: &Actor, repo: &RepoName) -> UploadId {
        // Counted and then spread over all bits: ids are distinct and look like nothing.
        self.last += 1;
        let id = UploadId::from_u128(
            self.last
                .wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835),
        );
        let session = Session {
            owner: owner.clone(),
            busy: false,
            bytes: BytesMut::new(),
        };
        self.open.insert((repo.clone(), id), session);
        id
    }

    /// The open session, if it is `actor`'s.
    pub(super) fn find(
        &mut self,
        actor: &Actor,
        repo: &RepoName,
        id: &UploadId,
    ) -> Result<&mut Session> {
        match self.open.get_mut(&(repo.clone(), *id)) {
            Some(session) if session.owner == *actor => Ok(session),
            _ => Err(unknown()),
        }
    }

    /// Ends the session and gives its content, checked.
    pub(super) fn finish(
        &mut self,
        cx: &Cx,
        repo: &RepoName,
        id: &UploadId,
        digest: &Digest,
    ) -> Result<Bytes> {
        self.find(&cx.actor, repo, id)?;
        let key = (repo.clone(), *id);
        let bytes = self
            .open
            .remove(&key)
            .map(|session| session.bytes.freeze())
            .ok_or_else(unknown)?;
        repo::verify(digest, &bytes)?;
        self.finished.insert(
            key,
            Finished {
                owner: cx.actor.clone(),
                digest: *digest,
                at: cx.now,
            },
        );
        Ok(bytes)
    }

    pub(super) fn abort(&mut self, actor: &Actor, repo: &RepoName, id: &UploadId) -> Result<()> {
        self.find(actor, repo, id)?;
        self.open.remove(&(repo.clone(), *id));
        Ok(())
    }

    fn finished(&self, cx: &Cx, repo: &RepoName, id: &UploadId, digest: &Digest) -> bool {
        self.finished
            .get(&(repo.clone(), *id))
            .is_some_and(|finished| {
                finished.owner == cx.actor
                    && finished.digest == *digest
                    && cx
                        .now
                        .duration_since(finished.at)
                        .is_ok_and(|age| age <= REMEMBERED)
            })
    }
}

impl Mem {
    /// Adds a chunk to a session, piece by piece, and gives the session's length.
    pub(super) async fn receive(
        &self,
        cx: &Cx,
        repo: &RepoName,
        id: &UploadId,
        chunk: Chunk,
    ) -> Result<u64> {
        let _seat = Seat::take(self, cx, repo, id, chunk.at)?;
        let before = self.state().uploads.find(&cx.actor, repo, id)?.bytes.len();
        let mut body = chunk.body;
        loop {
            let piece = body.try_next().await;
            let mut state = self.state();
            // Looked up again for each piece: the session may be aborted while its body comes in.
            let session = state.uploads.find(&cx.actor, repo, id)?;
            match piece {
                Ok(Some(piece)) => session.bytes.extend_from_slice(&piece),
                Ok(None) => {
                    let received = (session.bytes.len() - before) as u64;
                    if chunk.size.is_some_and(|size| size != received) {
                        session.bytes.truncate(before);
                        return Err(Error::new(
                            Code::SizeInvalid,
                            "the chunk has not the length that was announced",
                        ));
                    }
                    return Ok(session.bytes.len() as u64);
                }
                Err(cause) => {
                    let kept = session.bytes.len() as u64;
                    return Err(
                        Error::new(Code::BodyLost, "the chunk broke off before its end")
                            .at_offset(kept)
                            .because(cause),
                    );
                }
            }
        }
    }

    /// The size of the blob that this session became, when the call repeats one that succeeded.
    pub(super) fn finished_before(
        &self,
        cx: &Cx,
        repo: &RepoName,
        id: &UploadId,
        digest: &Digest,
    ) -> Option<u64> {
        let mut state = self.state();
        if !state.uploads.finished(cx, repo, id, digest) {
            return None;
        }
        // Gone again since: then the first answer would be a lie.
        let size = state.repo(repo).ok()?.blob(digest).ok()?.len() as u64;
        Some(size)
    }
}

/// The right to write to a session; given back when the writer ends, or is dropped.
pub(super) struct Seat<'a> {
    mem: &'a Mem,
    owner: Actor,
    repo: RepoName,
    id: UploadId,
}

impl<'a> Seat<'a> {
    /// Takes the seat for a chunk that starts at `at`.
    pub(super) fn take(
        mem: &'a Mem,
        cx: &Cx,
        repo: &RepoName,
        id: &UploadId,
        at: Option<u64>,
    ) -> Result<Self> {
        let mut state = mem.state();
        let session = state.uploads.find(&cx.actor, repo, id)?;
        let offset = session.bytes.len() as u64;
        if session.busy {
            let busy = Error::new(
                Code::UploadBusy,
                "another request is writing to this upload",
            );
            return Err(busy.at_offset(offset));
        }
        if at.is_some_and(|at| at != offset) {
            let public = format!("the upload holds {offset} bytes; the chunk must start there");
            return Err(Error::new(Code::ChunkOutOfOrder, public).at_offset(offset));
        }
        session.busy = true;
        Ok(Self {
            mem,
            owner: cx.actor.clone(),
            repo: repo.clone(),
            id: *id,
        })
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        if let Ok(session) = self
            .mem
            .state()
            .uploads
            .find(&self.owner, &self.repo, &self.id)
        {
            session.busy = false;
        }
    }
}

fn unknown() -> Error {
    Error::new(
        Code::BlobUploadUnknown,
        "there is no such upload in this repository",
    )
}
