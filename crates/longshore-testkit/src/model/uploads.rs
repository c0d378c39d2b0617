//! Steps that are about upload sessions, whose ids are different in each registry.

use bytes::Bytes;
use longshore_core::{Chunk, Code, Cx, Registry, Result, Upload, body};
use longshore_spec::digest::Algorithm;
use longshore_spec::name::RepoName;
use longshore_spec::upload::UploadId;

use super::answer;
use super::step::{At, Step};
use super::world::World;
use crate::content::Piece;
use crate::faults;
use crate::suite::bench::{alice, someone};

/// The uploads under way, in both registries.
#[derive(Debug, Default)]
pub(super) struct Slots(Vec<Slot>);

#[derive(Debug, Clone)]
struct Slot {
    repo: usize,
    blob: usize,
    of_alice: bool,
    ids: [UploadId; 2],
}

impl Slot {
    /// Its owner, or somebody else.
    fn caller(&self, owner: bool) -> Cx {
        if self.of_alice == owner {
            alice()
        } else {
            someone("bob")
        }
    }
}

impl Slots {
    /// Takes a step that is about an upload; without any upload there is nothing to do.
    pub(super) async fn take(
        &mut self,
        step: &Step,
        world: &World,
        both: [&dyn Registry; 2],
    ) -> Result<(), String> {
        if let Step::Start { repo, blob, owner } = step {
            return self.start(world, both, *repo, *blob, *owner).await;
        }
        let (Step::Append { slot, .. } | Step::Finish { slot, .. } | Step::Abort { slot, .. }) =
            step
        else {
            return Ok(());
        };
        if self.0.is_empty() {
            return Ok(());
        }
        let place = slot % self.0.len();
        let slot = self.0[place].clone();
        let (repo, blob) = (&world.repos[slot.repo], &world.blobs[slot.blob]);
        let held = held(both[0], &slot, 0, repo)
            .await
            .map_or(0, |upload| upload.offset);
        let mut said = Vec::new();
        let mut is_over = false;
        for (n, r) in both.into_iter().enumerate() {
            let id = &slot.ids[n];
            said.push(match step {
                Step::Append {
                    most,
                    at,
                    breaks,
                    owner,
                    ..
                } => {
                    let chunk = chunk(blob, held, *most, *at, *breaks);
                    let answer = r.append_upload(&slot.caller(*owner), repo, id, chunk).await;
                    if answer
                        .as_ref()
                        .is_err_and(|error| error.code() == Code::BodyLost)
                    {
                        // How much of a broken chunk is kept is the registry's choice; from here on they may differ.
                        let now = held_between(r, &slot, n, repo, held, held + *most as u64).await;
                        now.map_err(|now| {
                            format!("{step:?}: after a broken chunk the upload is at {now}")
                        })?;
                        is_over = true;
                    }
                    answer::upload(&answer)
                }
                Step::Finish {
                    rest, digest_of, ..
                } => {
                    let digest = &world.blobs[digest_of.unwrap_or(slot.blob)].digest;
                    let last = if *rest {
                        chunk(blob, held, usize::MAX, At::Right, false)
                    } else {
                        Chunk::nothing()
                    };
                    let answer = r
                        .finish_upload(&slot.caller(true), repo, id, last, digest)
                        .await;
                    is_over |= answer.is_ok();
                    answer::shown(&answer)
                }
                Step::Abort { owner, .. } => {
                    answer::shown(&r.abort_upload(&slot.caller(*owner), repo, id).await)
                }
                _ => String::new(),
            });
        }
        if is_over {
            self.0.remove(place);
        }
        match said.as_slice() {
            [a, b] if a != b => Err(format!("{step:?}: the reference says {a}, the other {b}")),
            _ => Ok(()),
        }
    }

    async fn start(
        &mut self,
        world: &World,
        both: [&dyn Registry; 2],
        repo: usize,
        blob: usize,
        of_alice: bool,
    ) -> Result<(), String> {
        let cx = if of_alice { alice() } else { someone("bob") };
        let mut ids = Vec::new();
        for r in both {
            let upload = r
                .start_upload(&cx, &world.repos[repo], Algorithm::Sha256)
                .await;
            ids.push(
                upload
                    .map_err(|error| format!("an upload cannot start: {error:?}"))?
                    .id,
            );
        }
        self.0.extend(ids.try_into().ok().map(|ids| Slot {
            repo,
            blob,
            of_alice,
            ids,
        }));
        Ok(())
    }
}

async fn held(r: &dyn Registry, slot: &Slot, n: usize, repo: &RepoName) -> Result<Upload> {
    r.stat_upload(&slot.caller(true), repo, &slot.ids[n]).await
}

/// Whether an upload is open and holds between `least` and `most` bytes; else what it says.
async fn held_between(
    r: &dyn Registry,
    slot: &Slot,
    n: usize,
    repo: &RepoName,
    least: u64,
    most: u64,
) -> Result<(), String> {
    match held(r, slot, n, repo).await {
        Ok(upload) if (least..=most).contains(&upload.offset) => Ok(()),
        other => Err(answer::upload(&other)),
    }
}

/// The content that comes after the first `held` bytes, at most so much of it.
fn chunk(blob: &Piece, held: u64, most: usize, at: At, breaks: bool) -> Chunk {
    let from = usize::try_from(held)
        .unwrap_or(usize::MAX)
        .min(blob.bytes.len());
    let part: Bytes = blob
        .bytes
        .slice(from..from.saturating_add(most).min(blob.bytes.len()));
    let at = match at {
        At::Unsaid => None,
        At::Right => Some(held),
        At::Off => Some(held + 7),
    };
    Chunk {
        at,
        size: None,
        body: if breaks {
            faults::breaks_after(part)
        } else {
            body::once(part)
        },
    }
}
