//! Each file to the row that names it.

use std::collections::HashSet;

use async_trait::async_trait;
use longshore_blob::{Location, arrivals};
use longshore_core::Result;
use longshore_meta::{Db, blobs, checks, graves};

use super::{Finding, Grade, Ground, Mark, Page, Part, Which};
use crate::small::stage_of;

const PAGE: usize = 500;

pub(crate) struct Strays;

#[async_trait]
impl Part for Strays {
    fn name(&self) -> &'static str {
        "files"
    }

    async fn page(&self, ground: &Ground<'_>, after: &Mark, which: Which<'_>) -> Result<Page> {
        let files = ground.store.walk(after.at.as_ref(), PAGE).await?;
        let looked = files.len();
        let last = files.last().map(|(at, _)| Mark {
            at: Some(at.clone()),
            ..Mark::default()
        });
        let grace = Some(ground.options.grace).filter(|grace| !grace.is_zero());
        let young = grace.and_then(|grace| ground.now.checked_sub(grace));
        let young = young.map(arrivals).transpose()?;
        let (mut stages, mut buried) = (None, None);
        let mut findings = Vec::new();
        for (at, size) in files {
            // The place tells the hour of arrival, and places are in the order of arrival.
            let is_young = young.as_ref().is_some_and(|young| at >= *young);
            if is_young || !which.holds(at.as_str()) {
                continue;
            }
            let known = if let Some(digest) = at.digest() {
                let row = ground
                    .db
                    .read(&digest, |tx, digest| Box::pin(blobs::blob_get(tx, digest)))
                    .await?;
                let named = row.is_some_and(|row| row.location == at.as_str());
                named || {
                    let buried = match &mut buried {
                        Some(buried) => buried,
                        none => none.insert(to_be_removed(ground.db).await?),
                    };
                    buried.contains(at.as_str())
                }
            } else {
                let stages = match &mut stages {
                    Some(stages) => stages,
                    none => none.insert(open_stages(ground.db).await?),
                };
                stages.contains(&at)
            };
            if known {
                continue;
            }
            let finding = Finding::new(
                "file-stray",
                Grade::Waste,
                at.to_string(),
                format!("no row names this file of {size} bytes"),
                "it goes to the quarantine",
            );
            findings.push(
                finding.fixed_by(move |fixer| async move {
                    fixer.store.quarantine(&at).await.map(drop)
                }),
            );
        }
        Ok(Page::new(findings, looked, last))
    }
}

/// Where bytes are that collection removes when their quarantine is over.
async fn to_be_removed(db: &Db) -> Result<HashSet<String>> {
    let (mut places, mut after) = (HashSet::new(), None);
    loop {
        let page = db
            .read(&after, |tx, after| {
                Box::pin(graves::grave_locations(tx, after.as_ref(), PAGE))
            })
            .await?;
        let Some(last) = page.last() else {
            return Ok(places);
        };
        after = Some(last.clone());
        places.extend(page.into_iter().map(|(_, place)| place));
    }
}

/// Where the bytes of open uploads are; there are few of them at a time.
async fn open_stages(db: &Db) -> Result<HashSet<Location>> {
    let mut stages = HashSet::new();
    let mut after = Vec::new();
    loop {
        let page = db
            .read(&after, |tx, after| {
                Box::pin(checks::upload_page(tx, after, PAGE))
            })
            .await?;
        let Some((last, ..)) = page.last() else {
            return Ok(stages);
        };
        after.clone_from(last);
        let open = page.iter().filter(|(.., finished)| finished.is_none());
        let staged = open.filter_map(|(_, stage, _)| stage_of(stage).ok().flatten());
        stages.extend(staged.map(|stage| stage.key().clone()));
    }
}
