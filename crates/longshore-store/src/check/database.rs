//! The metadata's own structure, by the database's own check.

use async_trait::async_trait;
use longshore_core::Result;

use super::{Finding, Grade, Ground, Mark, Page, Part, Which};

pub(crate) struct Database;

#[async_trait]
impl Part for Database {
    fn name(&self) -> &'static str {
        "database"
    }

    async fn page(&self, ground: &Ground<'_>, _after: &Mark, _which: Which<'_>) -> Result<Page> {
        let wrong = ground.db.problems(!ground.options.hash).await?;
        let findings = wrong.into_iter().map(|what| {
            Finding::new(
                "database-damaged",
                Grade::Damage,
                "the metadata database",
                what,
                "restore it from a backup",
            )
        });
        Ok(Page::new(findings.collect(), 1, None))
    }
}
