//! What repositories say they hold to what they hold.

use async_trait::async_trait;
use longshore_core::Result;
use longshore_meta::{Durability, checks};

use super::{Finding, Grade, Ground, Mark, Page, Part, Which, by_number};

const PAGE: usize = 100;

pub(crate) struct Counts;

#[async_trait]
impl Part for Counts {
    fn name(&self) -> &'static str {
        "repositories"
    }

    async fn page(&self, ground: &Ground<'_>, after: &Mark, which: Which<'_>) -> Result<Page> {
        let (rows, last) = by_number(
            ground,
            after,
            |tx, after| Box::pin(checks::count_page(tx, *after, PAGE)),
            |(id, ..)| *id,
        )
        .await?;
        let looked = rows.len();
        let mut findings = Vec::new();
        for (id, name, manifests, tags, true_manifests, true_tags) in rows {
            if (manifests, tags) == (true_manifests, true_tags) || !which.holds(&name) {
                continue;
            }
            let finding = Finding::new(
                "count-wrong",
                Grade::Fault,
                name,
                format!(
                    "it says it has {manifests} manifests and {tags} tags, and has {true_manifests} and {true_tags}"
                ),
                "they are counted anew",
            );
            findings.push(finding.fixed_by(move |fixer| async move {
                fixer
                    .db
                    .write(Durability::Power, id, |tx, id| {
                        Box::pin(checks::recount(tx, *id))
                    })
                    .await
            }));
        }
        Ok(Page::new(findings, looked, last))
    }
}
