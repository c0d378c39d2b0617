//! Each manifest in the trash to what its restoring needs.

use async_trait::async_trait;
use longshore_core::Result;
use longshore_meta::checks;

use super::{Finding, Grade, Ground, Mark, Page, Part, Which, of_repositories};

const PAGE: usize = 500;

pub(crate) struct Trash;

#[async_trait]
impl Part for Trash {
    fn name(&self) -> &'static str {
        "deleted manifests"
    }

    async fn page(&self, ground: &Ground<'_>, after: &Mark, which: Which<'_>) -> Result<Page> {
        let (rows, last) = of_repositories(
            ground,
            after,
            |tx, (id, digest)| Box::pin(checks::trash_page(tx, (*id, digest.as_ref()), PAGE)),
            |(id, digest, ..)| (*id, *digest),
        )
        .await?;
        let looked = rows.len();
        let mut findings = Vec::new();
        for (id, digest, name, there) in rows {
            let what = match (&name, there) {
                (Some(_), Some(_)) => continue,
                (None, _) => "its repository is not there",
                (_, None) => "its bytes are not there, so that it cannot be restored",
            };
            let repo = name.unwrap_or_else(|| format!("repository {id}"));
            let subject = format!("{repo}@{digest}");
            if which.holds(&subject) {
                findings.push(Finding::new(
                    "trash-lost",
                    Grade::Fault,
                    subject,
                    what,
                    "it leaves the trash when its time is over; push the image again if it is wanted",
                ));
            }
        }
        Ok(Page::new(findings, looked, last))
    }
}
