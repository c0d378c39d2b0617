//! Each body of a small blob to the row that names it.

use async_trait::async_trait;
use longshore_core::Result;
use longshore_meta::{Durability, blobs, bodies, checks};

use super::{Finding, Grade, Ground, Mark, Page, Part, Which, by_number};
use crate::place::Place;

const PAGE: usize = 500;

pub(crate) struct Bodies;

#[async_trait]
impl Part for Bodies {
    fn name(&self) -> &'static str {
        "small blobs"
    }

    async fn page(&self, ground: &Ground<'_>, after: &Mark, which: Which<'_>) -> Result<Page> {
        let (rows, last) = by_number(
            ground,
            after,
            |tx, after| Box::pin(checks::body_page(tx, *after, PAGE)),
            |(id, ..)| *id,
        )
        .await?;
        let looked = rows.len();
        let mut findings = Vec::new();
        for (id, digest, location) in rows {
            let subject = format!("body {id} of {digest}");
            if location == Some(Place::row(id)) || !which.holds(&subject) {
                continue;
            }
            let finding = Finding::new(
                "body-stray",
                Grade::Waste,
                subject,
                "no blob names these bytes",
                "they are removed",
            );
            findings.push(finding.fixed_by(move |fixer| async move {
                fixer
                    .db
                    .write(Durability::Power, (id, digest), |tx, (id, digest)| {
                        Box::pin(async move {
                            let row = blobs::blob_get(tx, digest).await?;
                            if row.is_none_or(|row| row.location != Place::row(*id)) {
                                bodies::body_delete(tx, *id, digest).await?;
                            }
                            Ok(())
                        })
                    })
                    .await
            }));
        }
        Ok(Page::new(findings, looked, last))
    }
}
