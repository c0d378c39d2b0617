//! Each tag to its manifest.

use async_trait::async_trait;
use longshore_core::{Error, Result};
use longshore_meta::time::micros;
use longshore_meta::{Durability, Tx, checks, manifests, tags};
use longshore_spec::name::Tag;

use super::{Finding, Grade, Ground, Mark, Page, Part, Which};

const PAGE: usize = 500;

pub(crate) struct Tags;

#[async_trait]
impl Part for Tags {
    fn name(&self) -> &'static str {
        "tags"
    }

    async fn page(&self, ground: &Ground<'_>, after: &Mark, which: Which<'_>) -> Result<Page> {
        let rows = ground
            .db
            .read(after, |tx, after| {
                Box::pin(checks::tag_page(tx, (after.id, &after.text), PAGE))
            })
            .await?;
        let looked = rows.len();
        let last = rows.last().map(|(id, tag, ..)| Mark {
            id: *id,
            text: tag.clone(),
            ..Mark::default()
        });
        let now = micros(ground.now);
        let mut findings = Vec::new();
        for (id, tag, digest, name, size) in rows {
            let what = match (&name, size) {
                (Some(_), Some(_)) => continue,
                (None, _) => "the repository is not there".to_owned(),
                (_, None) => format!("it points to {digest}, which is not in the repository"),
            };
            let repo = name.unwrap_or_else(|| format!("repository {id}"));
            let subject = format!("{repo}:{tag}");
            if !which.holds(&subject) {
                continue;
            }
            let finding = Finding::new(
                "tag-dangling",
                Grade::Damage,
                subject,
                what,
                "the tag is removed; pushing the image again brings it back",
            );
            findings.push(finding.fixed_by(move |fixer| async move {
                let tag: Tag = tag.parse().map_err(Error::internal)?;
                fixer
                    .db
                    .write(Durability::Power, (id, tag, now), |tx, (id, tag, now)| {
                        Box::pin(remove(tx, *id, tag, *now))
                    })
                    .await
            }));
        }
        Ok(Page::new(findings, looked, last))
    }
}

async fn remove(tx: &mut Tx<'_>, repo: i64, tag: &Tag, now: i64) -> Result<()> {
    let Some(digest) = tags::tag_get(tx, repo, tag).await? else {
        return Ok(());
    };
    if manifests::manifest_depth(tx, repo, &digest)
        .await?
        .is_none()
        && tags::tag_delete(tx, repo, tag, "job:fsck", now).await?
    {
        checks::recount(tx, repo).await?;
    }
    Ok(())
}
