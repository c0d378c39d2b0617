//! What is written of a repository that is taken over.

use longshore_core::Result;
use longshore_layout::distribution::{Batch, Finding, Found, Tree};
use longshore_meta::manifests::{self, ManifestPut, ManifestRow};
use longshore_meta::takeovers::{self, Adopted, FoundRow};
use longshore_meta::time::micros;
use longshore_meta::untagged::{self, Why};
use longshore_meta::{Tx, blobs, repos, tags};
use longshore_spec::digest::Digest;
use longshore_spec::manifest::View;
use longshore_spec::name::RepoName;

use crate::row::edges_put;

/// Who has set the tags of a takeover.
const BY: &str = "job:takeover";

/// A part of a repository, and the time.
pub(super) struct Part {
    pub(super) repo: RepoName,
    pub(super) batch: Batch,
    /// How many findings of the repository are written already.
    pub(super) before: i64,
    pub(super) now: i64,
    /// Until when its blobs are not collected.
    pub(super) lease_until: i64,
}

/// Writes a part. Repeatable: what is there stays, also where it is not from the tree.
pub(super) async fn part(tx: &mut Tx<'_>, part: &Part) -> Result<()> {
    let (batch, now) = (&part.batch, part.now);
    let repo = repos::repo_open(tx, &part.repo, now).await?;
    let mut manifests = 0;
    for found in &batch.manifests {
        manifests += i64::from(manifest(tx, repo, found, now).await?);
    }
    for held in &batch.blobs {
        let blob = Adopted {
            digest: held.digest,
            size: held.size,
            location: Tree::location(&held.digest),
            lease_until: part.lease_until,
            verified: if held.verified { now } else { 0 },
            created: micros(held.written),
            generation: now.max(1),
        };
        takeovers::blob_adopt(tx, &blob).await?;
        let due = Some(part.lease_until);
        blobs::link_put(tx, repo, &held.digest, micros(held.linked), due).await?;
    }
    for digest in &batch.damaged {
        takeovers::blob_condemn(tx, digest, &Tree::location(digest), now).await?;
    }
    let mut new_tags = 0;
    for tagged in &batch.tags {
        if tags::tag_get(tx, repo, &tagged.tag).await?.is_none() {
            let moved = micros(tagged.moved);
            tags::tag_put(tx, repo, &tagged.tag, &tagged.digest, BY, moved).await?;
            new_tags += 1;
        }
    }
    if (manifests, new_tags) != (0, 0) {
        repos::repo_count(tx, repo, manifests, new_tags).await?;
    }
    findings(tx, &batch.findings, part.before).await
}

/// Writes a manifest; true when the repository did not have it.
async fn manifest(tx: &mut Tx<'_>, repo: i64, found: &Found, now: i64) -> Result<bool> {
    let mut row = ManifestRow::of(&found.view, found.digest, found.bytes.len() as u64)?;
    row.depth = found.depth;
    let pushed = micros(found.pushed);
    let put = manifests::manifest_put(tx, repo, &row, &found.bytes, BY, pushed).await?;
    if put == ManifestPut::New {
        // Whether it has a tag is looked at where manifests without one are collected.
        untagged::untagged_put(tx, repo, &found.digest, Why::LostTag, now).await?;
        let (blobs, children) = needs(&found.view);
        edges_put(tx, repo, &found.digest, &blobs, &children).await?;
    }
    Ok(put == ManifestPut::New)
}

/// The blobs and the manifests that a manifest needs.
fn needs(view: &View) -> (Vec<Digest>, Vec<Digest>) {
    let blobs = view.blobs().filter(|blob| blob.must_exist());
    let children = view.children.iter().map(|child| child.digest);
    (blobs.map(|blob| blob.digest).collect(), children.collect())
}

/// Writes findings, numbered from the one after `before`.
pub(super) async fn findings(tx: &mut Tx<'_>, findings: &[Finding], before: i64) -> Result<()> {
    for (number, finding) in (before.saturating_add(1)..).zip(findings) {
        let row = FoundRow {
            repo: finding
                .repo
                .as_ref()
                .map_or_else(String::new, |repo| repo.as_str().to_owned()),
            number,
            kind: finding.kind.as_str().to_owned(),
            what: finding.what.clone(),
            why: finding.why.clone(),
        };
        takeovers::finding_put(tx, &row).await?;
    }
    Ok(())
}
