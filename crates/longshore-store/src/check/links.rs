//! Each blob of a repository to the blob.

use async_trait::async_trait;
use longshore_core::Result;
use longshore_meta::{Durability, blobs, checks};
use longshore_spec::digest::Digest;

use super::{Finding, Grade, Ground, Mark, Page, Part, Which, of_repositories};

const PAGE: usize = 500;

pub(crate) struct Links;

#[async_trait]
impl Part for Links {
    fn name(&self) -> &'static str {
        "blobs of repositories"
    }

    async fn page(&self, ground: &Ground<'_>, after: &Mark, which: Which<'_>) -> Result<Page> {
        let (rows, last) = of_repositories(
            ground,
            after,
            |tx, (id, digest)| Box::pin(checks::link_page(tx, (*id, digest.as_ref()), PAGE)),
            |(id, digest, ..)| (*id, *digest),
        )
        .await?;
        let looked = rows.len();
        let mut findings = Vec::new();
        for (id, digest, name, state, found) in rows {
            let what = match (&name, state) {
                (Some(_), Some(_)) if found == Some(0) => HIDDEN,
                (Some(_), Some(_)) => continue,
                (None, _) => "the repository is not there",
                (_, None) => "the blob is not there",
            };
            let repo = name.unwrap_or_else(|| format!("repository {id}"));
            let subject = format!("{repo}@{digest}");
            if !which.holds(&subject) {
                continue;
            }
            findings.push(if what == HIDDEN {
                hidden(subject, id, digest)
            } else {
                dangling(subject, what, id, digest)
            });
        }
        Ok(Page::new(findings, looked, last))
    }
}

const HIDDEN: &str = "the blob does not know that the repository holds it";

/// Collection would take the blob when nobody else holds it.
fn hidden(subject: String, id: i64, digest: Digest) -> Finding {
    let finding = Finding::new(
        "link-hidden",
        Grade::Fault,
        subject,
        HIDDEN,
        "the repository is recorded among those that hold it",
    );
    finding.fixed_by(move |fixer| async move {
        fixer
            .db
            .write(Durability::Power, (id, digest), |tx, (id, digest)| {
                Box::pin(checks::link_share(tx, *id, digest))
            })
            .await
    })
}

fn dangling(subject: String, what: &'static str, id: i64, digest: Digest) -> Finding {
    let finding = Finding::new(
        "link-dangling",
        Grade::Fault,
        subject,
        what,
        "the record that the repository holds the blob is removed",
    );
    finding.fixed_by(move |fixer| async move {
        fixer
            .db
            .write(Durability::Power, (id, digest), |tx, (id, digest)| {
                Box::pin(async move {
                    let known = checks::repo_name(tx, *id).await?.is_some();
                    if !known || blobs::blob_get(tx, digest).await?.is_none() {
                        blobs::link_delete(tx, *id, digest).await?;
                    }
                    Ok(())
                })
            })
            .await
    })
}
