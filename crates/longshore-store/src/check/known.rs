//! Each manifest to what is known of it for search, where somebody keeps that up.

use async_trait::async_trait;
use longshore_core::Result;
use longshore_meta::artifacts::{self, Unknown};
use longshore_meta::news::{self, Kind};
use longshore_meta::time::micros;
use longshore_meta::{Durability, Tx};

use super::{Finding, Grade, Ground, Mark, Page, Part, Which, of_repositories, repo_name};

const PAGE: usize = 500;
/// Who keeps it up, by its name among the readers of news.
const READER: &str = "index";

pub(crate) struct Known;

#[async_trait]
impl Part for Known {
    fn name(&self) -> &'static str {
        "metadata"
    }

    async fn page(&self, ground: &Ground<'_>, after: &Mark, which: Which<'_>) -> Result<Page> {
        let is_kept = ground.db.read(&(), |tx, ()| Box::pin(is_kept(tx))).await?;
        if !is_kept {
            return Ok(Page::new(Vec::new(), 0, None));
        }
        let (rows, last) = of_repositories(
            ground,
            after,
            |tx, (repo, digest)| {
                Box::pin(artifacts::unknown_page(tx, *repo, digest.as_ref(), PAGE))
            },
            |row| (row.repo, row.digest),
        )
        .await?;
        let (looked, now) = (rows.len(), micros(ground.now));
        let mut findings = Vec::new();
        for row in rows
            .into_iter()
            .filter(|row| !row.is_known || !row.is_found)
        {
            let repo = repo_name(ground.db, row.repo).await?;
            let subject = format!("{repo}@{}", row.digest);
            if which.holds(&subject) {
                findings.push(unknown(subject, row, now));
            }
        }
        Ok(Page::new(findings, looked, last))
    }
}

/// Whether all that is here should be known: not while whoever keeps it up is behind.
async fn is_kept(tx: &mut Tx<'_>) -> Result<bool> {
    let last = news::news_last(tx).await?;
    let reading = news::news_reading(tx, READER).await?;
    Ok(reading.is_some_and(|reading| reading.walk.is_none() && reading.seen >= last))
}

fn unknown(subject: String, row: Unknown, now: i64) -> Finding {
    let what = if row.is_known {
        "its repository is not found by search"
    } else {
        "what it says is not known, so search does not find it"
    };
    let finding = Finding::new(
        "metadata-missing",
        Grade::Fault,
        subject,
        what,
        "the server reads it once more, a moment after it runs",
    );
    finding.fixed_by(move |fixer| async move {
        fixer
            .db
            .write(Durability::Power, (row, now), |tx, (row, now)| {
                Box::pin(async move {
                    let by = ("job:fsck", *now);
                    let digest = Some(&row.digest);
                    news::news_put(tx, by, Kind::Manifest, row.repo, digest, None).await
                })
            })
            .await
    })
}
