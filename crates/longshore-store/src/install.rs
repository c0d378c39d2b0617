//! Making bytes a blob: the transaction that writes its row, and what to do about a copy that is there already.

use bytes::Bytes;
use longshore_blob::{Stored, Unpaced};
use longshore_core::error::Chain;
use longshore_core::{BlobInfo, Code, Error, Result};
use longshore_meta::blobs::{self, BlobRow, BlobState, Lease};
use longshore_meta::graves::{self, Grave};
use longshore_meta::time::span;
use longshore_meta::{Tx, bodies, checks, uploads};
use longshore_spec::digest::Digest;
use longshore_spec::name::RepoName;
use longshore_spec::upload::UploadId;

use crate::examine::{Copy, examine, glance};
use crate::options::Durability;
use crate::place::Place;
use crate::repo::opened;
use crate::store::Inner;
use crate::uploads::unknown;

impl Inner {
    /// Makes verified bytes a blob of `repo`, unless it is there already, and finishes the session they came by.
    pub(crate) async fn install(
        &self,
        repo: &RepoName,
        brought: Brought,
        digest: &Digest,
        upload: Option<(UploadId, i64)>,
        now: i64,
    ) -> Result<BlobInfo> {
        let is_file = matches!(brought, Brought::File(_));
        let done = self.try_install(repo, brought, digest, upload, now).await;
        if done.is_err() && is_file {
            // Whether a row names it nobody can say who was not answered, so it is not removed here.
            self.suspect_orphans();
        }
        done
    }

    async fn try_install(
        &self,
        repo: &RepoName,
        brought: Brought,
        digest: &Digest,
        upload: Option<(UploadId, i64)>,
        now: i64,
    ) -> Result<BlobInfo> {
        let mut state = match (&brought, self.options.durability) {
            // As safe as the transaction that it is part of.
            (Brought::Body(_), _) => BlobState::Live,
            (Brought::File(_), Durability::Manifest) => BlobState::Staged,
            (Brought::File(stored), Durability::Blob) => {
                self.blobs.sync(&stored.location).await?;
                BlobState::Live
            }
        };
        let mut durability = self.durability();
        let size = brought.size();
        let mut judged = None;
        let mut damaged = None;
        loop {
            let args = Commit {
                repo: repo.clone(),
                follows: self.options.born.is_some(),
                digest: *digest,
                size,
                brought: brought.clone(),
                state,
                judged,
                upload,
                lease: self.options.lease(now),
                due: self.options.link_due(now),
                quarantine: now.saturating_add(span(self.options.gc.quarantine)),
                now,
            };
            let commit = self
                .db
                .write(durability, args, |tx, args| Box::pin(commit(tx, args)))
                .await?;
            match commit {
                Committed::Installed {
                    generation,
                    replaced,
                } => {
                    let lost = replaced
                        .clone()
                        .filter(|row| row.state == BlobState::Missing);
                    if let Some(before) = damaged.or(lost) {
                        self.healed(digest, &before).await;
                    }
                    // Whoever read the place of a broken copy must not go on using it, in whatever repository.
                    if replaced.is_some() {
                        self.cache.content_lost();
                    }
                    if let Brought::File(stored) = brought
                        && state == BlobState::Staged
                    {
                        self.unsettled
                            .add(&self.blobs, *digest, generation, stored.location);
                    }
                    break;
                }
                Committed::Kept => {
                    if let Brought::File(stored) = brought {
                        self.drop_copy(&stored, digest, now).await;
                    }
                    break;
                }
                Committed::There(row) => {
                    let known = row.state == BlobState::Live
                        || self.unsettled.vouches(digest, row.generation);
                    // Of what is still to be found out about, nothing is known, and the bytes that came are good.
                    let whole = known && self.is_whole(digest, &row, now).await?;
                    if row.state == BlobState::Live && !whole {
                        // Manifests were acknowledged that need it. What takes its place is as safe before that one is put
                        // apart, which may only have been unreadable for a moment.
                        if let Brought::File(stored) = &brought {
                            self.blobs.sync(&stored.location).await?;
                        }
                        state = BlobState::Live;
                        durability = longshore_meta::Durability::Power;
                    }
                    judged = Some(Judged {
                        generation: row.generation,
                        state: row.state,
                        whole,
                    });
                    damaged = (known && !whole).then_some(row);
                }
            }
        }
        Ok(BlobInfo {
            digest: *digest,
            size,
        })
    }

    /// Whether the stored copy can stay. What was seen whole lately is believed to be so when its length is right: clients push
    /// again what is there, and to read it each time would make that as slow as it is without need. What was not is read.
    async fn is_whole(&self, digest: &Digest, row: &BlobRow, now: i64) -> Result<bool> {
        let verified = self
            .db
            .read(digest, |tx, digest| {
                Box::pin(checks::blob_verified(tx, digest))
            })
            .await?;
        if verified.is_some_and(|at| self.integrity.trusts(digest, at, now)) {
            return match glance(&self.db, &*self.blobs, digest, row).await? {
                Copy::Whole => Ok(true),
                Copy::Unreadable(error) => Err(error),
                Copy::Gone | Copy::OfLength(_) | Copy::Wrong => Ok(false),
            };
        }
        match examine(&self.db, &*self.blobs, digest, row, &Unpaced).await? {
            Copy::Whole => {
                self.integrity.cleared(digest);
                self.verified(digest, row.generation).await?;
                Ok(true)
            }
            // With good bytes in hand there is no need to know why the stored ones cannot be read.
            Copy::Unreadable(error) => {
                tracing::warn!(%digest, location = row.location, error = %longshore_core::error::Chain(&error), "the stored copy of a blob cannot be read");
                Ok(false)
            }
            Copy::Gone | Copy::OfLength(_) | Copy::Wrong => Ok(false),
        }
    }

    /// Removes a copy of what was there already.
    async fn drop_copy(&self, stored: &Stored, digest: &Digest, now: i64) {
        let Err(error) = self.blobs.remove(&stored.location).await else {
            return;
        };
        tracing::warn!(location = %stored.location, error = %Chain(&error), "a spare copy of a blob cannot be removed; it will be tried again");
        let grave = self.grave(stored.location.to_string(), *digest, stored.size, now);
        let kept = self.db.write(self.durability(), grave, |tx, grave| {
            Box::pin(graves::grave_put(tx, grave))
        });
        if let Err(error) = kept.await {
            tracing::warn!(location = %stored.location, error = %Chain(&error), "a spare copy of a blob stays on disk");
        }
    }
}

/// Bytes of which it is known that they are those of their digest.
#[derive(Clone)]
pub(crate) enum Brought {
    /// They lie in the blob store.
    File(Stored),
    /// They are here, to become part of the transaction.
    Body(Bytes),
}

impl Brought {
    fn size(&self) -> u64 {
        match self {
            Brought::File(stored) => stored.size,
            Brought::Body(bytes) => bytes.len() as u64,
        }
    }
}

/// The parts as one piece, if they are what the digest says.
pub(crate) fn body_of(parts: &[Bytes], digest: &Digest) -> Result<Bytes> {
    let body = match parts {
        [one] => one.clone(),
        parts => parts.concat().into(),
    };
    if Digest::of(digest.algorithm(), &body) == *digest {
        return Ok(body);
    }
    Err(Error::new(
        Code::DigestInvalid,
        "the digest is not that of the bytes that came",
    ))
}

/// What was found out about the copy that is there.
#[derive(Clone, Copy)]
struct Judged {
    /// Which copy.
    generation: i64,
    /// What its row said when it was looked at. A staged copy that became live meanwhile is another matter: manifests were acknowledged
    /// that need it.
    state: BlobState,
    /// Whether it can stay.
    whole: bool,
}

impl Judged {
    fn is_about(&self, row: &BlobRow) -> bool {
        self.generation == row.generation && self.state == row.state
    }
}

struct Commit {
    repo: RepoName,
    /// Whether names may have changed since the request began.
    follows: bool,
    digest: Digest,
    size: u64,
    brought: Brought,
    state: BlobState,
    judged: Option<Judged>,
    /// The row of the session, if it has one, and the writer's fence.
    upload: Option<(UploadId, i64)>,
    lease: Lease,
    /// When the link is looked at, if it is a new one.
    due: i64,
    /// Until when the bytes of a copy that is replaced stay.
    quarantine: i64,
    now: i64,
}

enum Committed {
    /// The bytes that were brought are the blob now.
    Installed {
        generation: i64,
        /// The row that was there.
        replaced: Option<BlobRow>,
    },
    /// The blob was there; the bytes that were brought are not needed.
    Kept,
    /// There is a copy that nobody has looked at; nothing was written.
    There(BlobRow),
}

async fn commit(tx: &mut Tx<'_>, args: &Commit) -> Result<Committed> {
    let there = blobs::blob_get(tx, &args.digest).await?;
    let (generation, keep) = match &there {
        Some(row) if matches!(row.state, BlobState::Staged | BlobState::Live) => {
            match args.judged {
                Some(judged) if judged.is_about(row) => {
                    (row.generation.saturating_add(1), judged.whole)
                }
                _ => return Ok(Committed::There(row.clone())),
            }
        }
        Some(row) => (row.generation.saturating_add(1), false),
        // Generations of a digest grow also over one that was collected: what remembers that one must not take this for it.
        None => (args.now.max(1), false),
    };
    if let Some((id, fence)) = &args.upload
        && !uploads::upload_finish(tx, id, *fence, &args.digest, args.size, args.now).await?
    {
        return Err(unknown(id));
    }
    let repo = opened(tx, &args.repo, args.now, args.follows).await?;
    if keep {
        blobs::link_put(tx, repo, &args.digest, args.now, Some(args.due)).await?;
        blobs::blob_lease(tx, &args.digest, args.lease).await?;
        return Ok(Committed::Kept);
    }
    if let Some(row) = &there {
        match Place::of(&row.location)? {
            Place::Row(id) => drop(bodies::body_delete(tx, id, &args.digest).await?),
            // What is being collected has a grave already.
            Place::Stored(_) if row.state == BlobState::Deleting => {}
            Place::Stored(_) => {
                let grave = Grave {
                    due: args.quarantine,
                    location: row.location.clone(),
                    digest: args.digest,
                    generation: row.generation,
                    size: row.size,
                    tries: 0,
                };
                graves::grave_put(tx, &grave).await?;
            }
        }
    }
    let location = match &args.brought {
        Brought::File(stored) => stored.location.to_string(),
        Brought::Body(bytes) => Place::row(bodies::body_put(tx, &args.digest, bytes).await?),
    };
    let row = BlobRow {
        size: args.size,
        location,
        generation,
        state: args.state,
    };
    blobs::blob_put(tx, &args.digest, &row, repo, args.lease.until, args.now).await?;
    blobs::link_put(tx, repo, &args.digest, args.now, Some(args.due)).await?;
    Ok(Committed::Installed {
        generation,
        replaced: there,
    })
}

#[cfg(test)]
mod tests {
    use longshore_meta::{Db, Durability as Power};
    use longshore_spec::digest::Algorithm;

    use super::*;

    const NOW: i64 = 1_800_000_000_000_000;

    /// A staged copy that was given up, and what is there when the one that came is to take its place.
    async fn after(now: BlobState) -> (Committed, BlobRow) {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open_file(&dir.path().join("meta.db")).unwrap();
        let digest = Digest::of(Algorithm::Sha256, b"content");
        let location = |end: u8| format!("blobs/2027/01/15/08/sha256-{}.{end:032x}", digest.hex());
        let row = BlobRow {
            size: 7,
            location: location(1),
            generation: 5,
            state: now,
        };
        let lease = Lease {
            least: NOW,
            until: NOW,
        };
        let commits = Commit {
            repo: "acme/app".parse().unwrap(),
            follows: false,
            digest,
            size: 7,
            brought: Brought::File(Stored {
                location: location(2).parse().unwrap(),
                size: 7,
            }),
            state: BlobState::Staged,
            judged: Some(Judged {
                generation: 5,
                state: BlobState::Staged,
                whole: false,
            }),
            upload: None,
            lease,
            due: NOW,
            quarantine: NOW,
            now: NOW,
        };
        let done = db.write(Power::Process, (row, commits), |tx, (row, commits)| {
            Box::pin(async move {
                blobs::blob_put(tx, &commits.digest, row, 0, NOW, NOW).await?;
                commit(tx, commits).await
            })
        });
        let done = done.await.unwrap();
        let read = db.read(&digest, |tx, digest| Box::pin(blobs::blob_get(tx, digest)));
        (done, read.await.unwrap().unwrap())
    }

    #[tokio::test]
    async fn what_was_thought_of_a_staged_copy_is_not_done_to_one_that_became_live() {
        let (done, row) = after(BlobState::Staged).await;
        assert!(matches!(done, Committed::Installed { generation: 6, .. }));
        assert_eq!((row.generation, row.state), (6, BlobState::Staged));
        // A manifest was acknowledged meanwhile that needs it.
        let (done, row) = after(BlobState::Live).await;
        assert!(matches!(done, Committed::There(_)));
        assert_eq!((row.generation, row.state), (5, BlobState::Live));
    }
}
