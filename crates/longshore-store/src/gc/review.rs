//! Phase A: who still needs a blob, decided and acted upon in one transaction.
//!
//! Everything that can make a blob needed again is a transaction too: a manifest's push, a mount, an upload's end, a lease.
//! SQLite runs one writer at a time, so each of them is before this one, which then sees it, or after it, and then it sees a
//! blob that is not there. An engine with several writers has to lock the blob's row here before anything is asked about it,
//! and in the others too, in the order of digests.

use longshore_core::Result;
use longshore_core::past::{Report, Shared};
use longshore_meta::blobs::{self, BlobRow, BlobState};
use longshore_meta::candidates::{self, Candidate};
use longshore_meta::graves::{self, Grave};
use longshore_meta::{Tx, repos};
use longshore_spec::digest::Digest;
use longshore_spec::name::RepoName;

/// How many repositories are named that share a blob.
const NAMES: u64 = 3;
/// How long a blob is left alone whose bytes are on their way to the disk, in microseconds.
const SETTLING: i64 = 1_000_000;

/// What becomes of a link and its blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// A manifest of the repository needs it.
    Needed,
    /// It is looked at again then.
    Later { size: u64, until: i64 },
    /// The repository loses it; others have it.
    Shared { size: u64, with: Vec<String> },
    /// Nobody needs it.
    Take(BlobRow),
    /// There is nothing to take.
    Nothing,
}

/// Decides. Changes nothing, so that a dry run decides in the same words.
pub(crate) async fn judge(tx: &mut Tx<'_>, at: &Candidate, now: i64) -> Result<Verdict> {
    let linked = candidates::link_is(tx, at.repo, &at.digest).await?;
    if linked && candidates::link_is_needed(tx, at.repo, &at.digest).await? {
        return Ok(Verdict::Needed);
    }
    let Some((row, lease)) = candidates::blob_reviewed(tx, &at.digest).await? else {
        return Ok(Verdict::Nothing);
    };
    #[cfg(feature = "broken")]
    let lease = super::hasty::lease(lease);
    let size = row.size;
    match row.state {
        BlobState::Deleting => return Ok(Verdict::Nothing),
        // What checks its bytes may still use its place.
        BlobState::Staged => {
            let until = now.saturating_add(SETTLING);
            return Ok(Verdict::Later { size, until });
        }
        BlobState::Live | BlobState::Missing => {}
    }
    // Somebody who may push was told that this repository has it. Without a link nobody was, or somebody deleted it since.
    if linked && lease > now {
        return Ok(Verdict::Later { size, until: lease });
    }
    let mut with = candidates::blob_holders(tx, &at.digest, at.repo, NAMES).await?;
    if let (true, Some(repo)) = (
        with.is_empty(),
        candidates::blob_pinned(tx, &at.digest).await?,
    ) {
        let name = repos::repo_name(tx, repo).await?;
        with.push(format!(
            "the trash of {}",
            name.as_ref().map_or("?", RepoName::as_str)
        ));
    }
    Ok(if with.is_empty() {
        Verdict::Take(row)
    } else {
        Verdict::Shared { size, with }
    })
}

/// What one look did.
#[derive(Debug)]
pub(crate) struct Looked {
    pub(crate) digest: Digest,
    pub(crate) verdict: Verdict,
    /// The repository that lost the blob.
    pub(crate) left: Option<RepoName>,
}

/// Decides and acts. Nothing is deleted here: bytes stay where they are until `quarantine` is over, because bodies are being
/// read, and caches may be believed for a moment longer.
pub(crate) async fn look(
    tx: &mut Tx<'_>,
    at: &Candidate,
    now: i64,
    quarantine: i64,
) -> Result<Looked> {
    #[cfg(feature = "broken")]
    let early = super::hasty::verdict(at);
    #[cfg(not(feature = "broken"))]
    let early = None;
    let verdict = match early {
        Some(verdict) => verdict,
        None => judge(tx, at, now).await?,
    };
    candidates::candidate_delete(tx, at).await?;
    let mut left = None;
    match &verdict {
        // Whoever takes the need away puts the link into the queue again, in the same transaction.
        Verdict::Needed => {}
        Verdict::Later { until, .. } => {
            let again = Candidate { due: *until, ..*at };
            candidates::candidate_put(tx, &again).await?;
        }
        Verdict::Shared { .. } | Verdict::Nothing => left = unlink(tx, at).await?,
        Verdict::Take(row) => {
            left = unlink(tx, at).await?;
            // The generation tells it from a blob of the same digest that is pushed meanwhile.
            if let Some(generation) = candidates::blob_take(tx, &at.digest, row.generation).await? {
                let grave = Grave {
                    due: now.saturating_add(quarantine),
                    location: row.location.clone(),
                    digest: at.digest,
                    generation,
                    size: row.size,
                    tries: 0,
                };
                graves::grave_put(tx, &grave).await?;
            }
        }
    }
    Ok(Looked {
        digest: at.digest,
        verdict,
        left,
    })
}

async fn unlink(tx: &mut Tx<'_>, at: &Candidate) -> Result<Option<RepoName>> {
    if blobs::link_delete(tx, at.repo, &at.digest).await? {
        repos::repo_name(tx, at.repo).await
    } else {
        Ok(None)
    }
}

/// How many shared blobs a report names.
const NAMED: usize = 20;

/// Adds what one look did, or would do.
pub(super) fn noted(report: &mut Report, digest: Digest, verdict: Verdict) {
    match verdict {
        Verdict::Needed => report.needed += 1,
        Verdict::Later { size, until } => {
            report.leased.add(size);
            report.leased_until = report.leased_until.max(Some(until));
        }
        Verdict::Shared { size, with } => {
            report.shared.add(size);
            if report.shared_with.len() < NAMED {
                report.shared_with.push(Shared { digest, size, with });
            }
        }
        Verdict::Take(row) => report.taken.add(row.size),
        Verdict::Nothing => {}
    }
}
