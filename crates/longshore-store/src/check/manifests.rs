//! The bytes of manifests to their digests, and each manifest of a repository to its bytes.

use async_trait::async_trait;
use longshore_core::Result;
use longshore_meta::{Durability, checks};
use longshore_spec::digest::Digest;

use super::{Finding, Grade, Ground, Mark, Page, Part, Which, of_repositories};

/// Manifests may be long.
const FEW: usize = 20;
const PAGE: usize = 500;

/// The bytes.
pub(crate) struct Bytes;

#[async_trait]
impl Part for Bytes {
    fn name(&self) -> &'static str {
        "bytes of manifests"
    }

    async fn page(&self, ground: &Ground<'_>, after: &Mark, which: Which<'_>) -> Result<Page> {
        let rows = ground
            .db
            .read(&after.digest, |tx, after| {
                Box::pin(checks::manifest_body_page(tx, after.as_ref(), FEW))
            })
            .await?;
        let looked = rows.len();
        let last = rows.last().map(|(digest, ..)| Mark {
            digest: Some(*digest),
            ..Mark::default()
        });
        let mut findings = Vec::new();
        for (digest, bytes, held) in rows {
            let subject = digest.to_string();
            if !which.holds(&subject) {
                continue;
            }
            let wrong = Digest::of(digest.algorithm(), &bytes) != digest;
            let finding = if wrong {
                Finding::new(
                    "manifest-damaged",
                    Grade::Damage,
                    subject,
                    "the bytes of the manifest are not those of its digest",
                    "the manifest becomes absent; pushing it again heals it",
                )
            } else if held.is_none() {
                Finding::new(
                    "manifest-stray",
                    Grade::Waste,
                    subject,
                    "no repository holds this manifest",
                    "its bytes are removed",
                )
            } else {
                continue;
            };
            findings.push(finding.fixed_by(move |fixer| async move {
                fixer
                    .db
                    .write(Durability::Power, digest, |tx, digest| {
                        Box::pin(checks::manifest_body_clean(tx, digest))
                    })
                    .await
            }));
        }
        Ok(Page::new(findings, looked, last))
    }
}

/// The manifests of repositories.
pub(crate) struct Rows;

#[async_trait]
impl Part for Rows {
    fn name(&self) -> &'static str {
        "manifests"
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
        for (id, digest, size, name, there) in rows {
            let known = name.is_some();
            let repo = name.unwrap_or_else(|| format!("repository {id}"));
            let subject = format!("{repo}@{digest}");
            if !which.holds(&subject) {
                continue;
            }
            let found = match there {
                _ if !known => Some((
                    "manifest-orphan",
                    "its repository is not there".to_owned(),
                    "report this; nothing reads it",
                )),
                None => Some((
                    "manifest-missing",
                    "its bytes are not there".to_owned(),
                    "push the manifest again, or delete the tags that point to it",
                )),
                Some(there) if there != size => Some((
                    "manifest-length",
                    format!("it has {there} bytes and its row says {size}"),
                    "push the manifest again",
                )),
                Some(_) => None,
            };
            findings.extend(found.map(|(code, what, remedy)| {
                Finding::new(code, Grade::Damage, subject, what, remedy)
            }));
        }
        Ok(Page::new(findings, looked, last))
    }
}
