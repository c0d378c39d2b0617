//! Each blob's row to its bytes.

use async_trait::async_trait;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use longshore_blob::{Pace, Unpaced};
use longshore_core::{Code, Result};
use longshore_meta::blobs::{BlobRow, BlobState};
use longshore_meta::checks;
use longshore_spec::digest::Digest;

use super::{Finding, Grade, Ground, Mark, Page, Part, Which, repo_name};
use crate::examine::{Copy, examine, glance};
use crate::integrity::lose;
use crate::scrub::Slow;

const PAGE: usize = 64;

const LOSE: &str = "the blob becomes absent and its copy goes to the quarantine; pushing the content again heals it";

pub(crate) struct Blobs;

#[async_trait]
impl Part for Blobs {
    fn name(&self) -> &'static str {
        "blobs"
    }

    async fn page(&self, ground: &Ground<'_>, after: &Mark, which: Which<'_>) -> Result<Page> {
        let rows = ground
            .db
            .read(&after.digest, |tx, after| {
                Box::pin(checks::blob_page(tx, after.as_ref(), PAGE))
            })
            .await?;
        let looked = rows.len();
        let last = rows.last().map(|(digest, ..)| Mark {
            digest: Some(*digest),
            ..Mark::default()
        });
        let found: Vec<_> = stream::iter(rows)
            .filter(|(digest, ..)| std::future::ready(which.holds(&digest.to_string())))
            .map(|(digest, row, _)| look(ground, digest, row))
            .buffered(ground.options.jobs.max(1))
            .try_collect()
            .await?;
        Ok(Page::new(
            found.into_iter().flatten().collect(),
            looked,
            last,
        ))
    }
}

async fn look(ground: &Ground<'_>, digest: Digest, row: BlobRow) -> Result<Option<Finding>> {
    match row.state {
        BlobState::Live | BlobState::Staged => {}
        BlobState::Missing => return lost(ground, &digest).await,
        BlobState::Deleting => return Ok(None),
    }
    let (db, store) = (ground.db, ground.store);
    let slow = ground.options.rate.map(Slow);
    let pace: &dyn Pace = slow.as_ref().map_or(&Unpaced, |slow| slow);
    let copy = if ground.options.hash {
        examine(db, store, &digest, &row, pace).await
    } else {
        glance(db, store, &digest, &row).await
    };
    let copy = match copy {
        Err(error) if error.code() == Code::Internal => {
            let what = format!(
                "its row says it lies at {:?}, which is no place",
                row.location
            );
            let finding = Finding::new("blob-place", Grade::Damage, digest.to_string(), what, LOSE);
            return Ok(Some(finding));
        }
        copy => copy?,
    };
    let (code, what) = match &copy {
        Copy::Whole => return Ok(None),
        Copy::Unreadable(error) => {
            let what = format!(
                "the bytes at {} cannot be read: {}",
                row.location,
                longshore_core::error::Chain(error)
            );
            return Ok(Some(Finding::new(
                "blob-unreadable",
                Grade::Damage,
                digest.to_string(),
                what,
                "look at the disk; pushing the content again replaces the copy",
            )));
        }
        Copy::Gone => (
            "blob-missing",
            format!("there is nothing at {}", row.location),
        ),
        Copy::OfLength(found) => (
            "blob-length",
            format!(
                "there are {found} bytes at {} and not {}",
                row.location, row.size
            ),
        ),
        Copy::Wrong => (
            "blob-damaged",
            format!("the bytes at {} are not those of the digest", row.location),
        ),
    };
    // What no manifest asked for yet was not promised to survive a power cut.
    let needed = row.state == BlobState::Live || needed_by(ground, &digest).await?.is_some();
    let grade = if needed { Grade::Damage } else { Grade::Waste };
    let finding = Finding::new(code, grade, digest.to_string(), what, LOSE);
    Ok(Some(finding.fixed_by(move |fixer| async move {
        lose(&fixer.db, &*fixer.store, &digest, &row)
            .await
            .map(drop)
    })))
}

/// A blob that was found lost before and not pushed since is damage as long as somebody needs it.
async fn lost(ground: &Ground<'_>, digest: &Digest) -> Result<Option<Finding>> {
    let Some((repo, parent)) = needed_by(ground, digest).await? else {
        return Ok(None);
    };
    let repo = repo_name(ground.db, repo).await?;
    Ok(Some(Finding::new(
        "blob-lost",
        Grade::Damage,
        digest.to_string(),
        format!("it was found lost before, and the manifest {parent} of {repo} needs it"),
        "push the content again, or delete the manifest",
    )))
}

async fn needed_by(ground: &Ground<'_>, digest: &Digest) -> Result<Option<(i64, Digest)>> {
    ground
        .db
        .read(digest, |tx, digest| {
            Box::pin(checks::blob_needed_by(tx, digest))
        })
        .await
}
