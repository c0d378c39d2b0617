//! Each record that a manifest needs something to both its ends.

use async_trait::async_trait;
use longshore_core::Result;
use longshore_meta::blobs::BlobState;
use longshore_meta::checks::{self, Edge};
use longshore_meta::{Durability, manifests};

use super::{Finding, Grade, Ground, Mark, Page, Part, Which, repo_name};

const PAGE: usize = 500;

pub(crate) struct Edges;

#[async_trait]
impl Part for Edges {
    fn name(&self) -> &'static str {
        "edges"
    }

    async fn page(&self, ground: &Ground<'_>, after: &Mark, which: Which<'_>) -> Result<Page> {
        let rows = ground
            .db
            .read(after, |tx, after| {
                let key = (
                    after.id,
                    after.digest.as_ref(),
                    after.child.as_ref(),
                    after.kind,
                );
                Box::pin(checks::edge_page(tx, key, PAGE))
            })
            .await?;
        let looked = rows.len();
        let last = rows.last().map(|edge| Mark {
            id: edge.repo,
            digest: Some(edge.parent),
            child: Some(edge.child),
            kind: edge.kind,
            ..Mark::default()
        });
        let mut findings = Vec::new();
        for edge in rows {
            let orphan = !edge.has_parent;
            if !orphan && !lacks_blob(&edge, ground.options.sparse) {
                continue;
            }
            let repo = repo_name(ground.db, edge.repo).await?;
            let subject = format!("{repo}@{} to {}", edge.parent, edge.child);
            if !which.holds(&subject) {
                continue;
            }
            findings.push(if orphan {
                without_parent(subject, edge)
            } else {
                Finding::new(
                    "manifest-lacks-blob",
                    Grade::Damage,
                    subject,
                    "the manifest needs a blob that its repository does not hold",
                    "push the content again, or delete the manifest",
                )
            });
        }
        Ok(Page::new(findings, looked, last))
    }
}

/// Whether it is a blob that is needed and not there. One that is known to be lost was told of as such.
fn lacks_blob(edge: &Edge, sparse: bool) -> bool {
    let there = match edge.blob {
        Some(BlobState::Live | BlobState::Staged | BlobState::Missing) => edge.has_link,
        Some(BlobState::Deleting) | None => false,
    };
    edge.kind == 0 && !there && !sparse
}

fn without_parent(subject: String, edge: Edge) -> Finding {
    let finding = Finding::new(
        "edge-orphan",
        Grade::Fault,
        subject,
        "it is recorded that a manifest needs this, and the manifest is not there",
        "the record is removed",
    );
    finding.fixed_by(move |fixer| async move {
        fixer
            .db
            .write(Durability::Power, edge, |tx, edge| {
                Box::pin(async move {
                    let (repo, parent) = (edge.repo, &edge.parent);
                    if manifests::manifest_depth(tx, repo, parent).await?.is_none() {
                        checks::edge_drop(tx, repo, parent, &edge.child, edge.kind).await?;
                    }
                    Ok(())
                })
            })
            .await
    })
}
