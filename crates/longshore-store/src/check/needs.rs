//! What each manifest says it needs to the edges that say so: what has no edge is not kept for it.

use std::collections::BTreeSet;

use async_trait::async_trait;
use longshore_core::Result;
use longshore_meta::manifests::{self, EdgeKind};
use longshore_meta::{Durability, checks};
use longshore_spec::digest::Digest;
use longshore_spec::manifest::{Limits, View};

use super::{Finding, Grade, Ground, Mark, Page, Part, Which, of_repositories, repo_name};

const PAGE: usize = 100;

pub(crate) struct Needs;

type Edge = (Digest, i64);

#[async_trait]
impl Part for Needs {
    fn name(&self) -> &'static str {
        "needs of manifests"
    }

    async fn page(&self, ground: &Ground<'_>, after: &Mark, which: Which<'_>) -> Result<Page> {
        let (rows, last) = of_repositories(
            ground,
            after,
            |tx, (id, digest)| Box::pin(checks::manifest_page(tx, (*id, digest.as_ref()), PAGE)),
            |(id, digest, ..)| (*id, *digest),
        )
        .await?;
        let looked = rows.len();
        let mut findings = Vec::new();
        for (repo, digest, ..) in rows {
            let Some((said, recorded)) = compare(ground, repo, &digest).await? else {
                continue;
            };
            for (child, kind) in said.symmetric_difference(&recorded) {
                let name = repo_name(ground.db, repo).await?;
                let subject = format!("{name}@{digest} to {child}");
                if !which.holds(&subject) {
                    continue;
                }
                let is_missing = said.contains(&(*child, *kind));
                findings.push(finding(is_missing, subject, (repo, digest, *child, *kind)));
            }
        }
        Ok(Page::new(findings, looked, last))
    }
}

/// What the manifest says it needs, and what is recorded; `None` when it cannot be read, which others find.
async fn compare(
    ground: &Ground<'_>,
    repo: i64,
    digest: &Digest,
) -> Result<Option<(BTreeSet<Edge>, BTreeSet<Edge>)>> {
    let found = ground
        .db
        .read(&(repo, *digest), |tx, (repo, digest)| {
            Box::pin(async move {
                let found = manifests::manifest_get(tx, *repo, digest).await?;
                let edges = checks::edges_of(tx, *repo, digest).await?;
                Ok(found.map(|(media_type, bytes)| (media_type, bytes, edges)))
            })
        })
        .await?;
    let Some((media_type, bytes, recorded)) = found else {
        return Ok(None);
    };
    let limits = Limits {
        unknown_types: true,
        ..Limits::default()
    };
    let Ok(media_type) = media_type.parse() else {
        return Ok(None);
    };
    let Ok(view) = View::parse(&bytes, Some(&media_type), &limits) else {
        return Ok(None);
    };
    let blobs = view.blobs().filter(|blob| blob.must_exist());
    let blobs = blobs.map(|blob| (blob.digest, EdgeKind::Blob as i64));
    let children = view.children.iter();
    let children = children.map(|child| (child.digest, EdgeKind::Manifest as i64));
    let said = blobs.chain(children).collect();
    Ok(Some((said, recorded.into_iter().collect())))
}

fn finding(is_missing: bool, subject: String, edge: (i64, Digest, Digest, i64)) -> Finding {
    let finding = if is_missing {
        Finding::new(
            "edge-missing",
            Grade::Fault,
            subject,
            "the manifest needs this and it is not recorded, so that it could be collected",
            "it is recorded",
        )
    } else {
        Finding::new(
            "edge-extra",
            Grade::Fault,
            subject,
            "it is recorded that the manifest needs this, and it does not",
            "the record is removed",
        )
    };
    finding.fixed_by(move |fixer| async move {
        fixer
            .db
            .write(Durability::Power, (edge, is_missing), |tx, (edge, add)| {
                let (repo, parent, child, kind) = edge;
                Box::pin(async move {
                    if !*add {
                        return checks::edge_drop(tx, *repo, parent, child, *kind).await;
                    }
                    if manifests::manifest_depth(tx, *repo, parent)
                        .await?
                        .is_none()
                    {
                        return Ok(());
                    }
                    let kind = match *kind {
                        0 => EdgeKind::Blob,
                        _ => EdgeKind::Manifest,
                    };
                    manifests::edge_put(tx, *repo, parent, child, kind).await
                })
            })
            .await
    })
}
