//! Each open upload to the bytes it holds.

use async_trait::async_trait;

use longshore_core::Result;
use longshore_meta::{Durability, checks, uploads};

use super::{Finding, Grade, Ground, Mark, Page, Part, Which};
use crate::small::stage_of;

const PAGE: usize = 500;

pub(crate) struct Uploads;

#[async_trait]
impl Part for Uploads {
    fn name(&self) -> &'static str {
        "uploads"
    }

    async fn page(&self, ground: &Ground<'_>, after: &Mark, which: Which<'_>) -> Result<Page> {
        let rows = ground
            .db
            .read(&after.bytes, |tx, after| {
                Box::pin(checks::upload_page(tx, after, PAGE))
            })
            .await?;
        let looked = rows.len();
        let last = rows.last().map(|(id, ..)| Mark {
            bytes: id.clone(),
            ..Mark::default()
        });
        let mut findings = Vec::new();
        for (id, stage, finished) in rows {
            let subject = format!("upload {}", name_of(&id));
            if finished.is_some() || !which.holds(&subject) {
                continue;
            }
            let what = match stage_of(&stage) {
                Err(_) => "the state of the upload cannot be read".to_owned(),
                // Its bytes are in the row.
                Ok(None) => continue,
                Ok(Some(stage)) => match ground.store.size(stage.key()).await? {
                    Some(size) if size >= stage.offset() => continue,
                    Some(size) => format!(
                        "{} holds {size} bytes and not {}",
                        stage.key(),
                        stage.offset()
                    ),
                    // It is made when the first byte comes.
                    None if stage.offset() == 0 => continue,
                    None => format!("{} is not there", stage.key()),
                },
            };
            let finding = Finding::new(
                "upload-lost",
                Grade::Waste,
                subject,
                what,
                "the upload is forgotten; its client begins again",
            );
            findings.push(finding.fixed_by(move |fixer| async move {
                fixer
                    .db
                    .write(Durability::Process, id, |tx, id| {
                        Box::pin(uploads::upload_delete(tx, id))
                    })
                    .await
            }));
        }
        Ok(Page::new(findings, looked, last))
    }
}

/// The session's id as clients see it.
fn name_of(id: &[u8]) -> String {
    match <[u8; 16]>::try_from(id) {
        Ok(id) => uuid::Uuid::from_bytes(id).to_string(),
        Err(_) => format!("{id:?}"),
    }
}
