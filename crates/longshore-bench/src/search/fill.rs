//! A store of many repositories that can be found.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, UNIX_EPOCH};

use anyhow::{Context as _, Result, ensure};
use longshore_blob::{Files, FilesOptions};
use longshore_hub::{Clerk, ClerkOptions};
use longshore_meta::artifact_parts::{self, Parts};
use longshore_meta::{Db, Durability, artifacts, manifests, repos, tags};
use longshore_store::{Options, Store};

use super::content::{Made, repository};

const BATCH: usize = 500;
/// When everything was pushed, in microseconds since the epoch.
const THEN: i64 = 1_760_000_000_000_000;

/// Writes the rows of as many repositories, each with as many tags, and has the clerk walk through them; gives how long that took.
///
/// # Errors
/// When it cannot be written.
pub(super) async fn fill(dir: &Path, repositories: usize, each: usize) -> Result<Duration> {
    let path = dir.join("meta.db");
    ensure!(
        !path.exists(),
        "{} is there already; name an empty directory",
        path.display()
    );
    let files = FilesOptions {
        unsafe_storage: true,
        ..FilesOptions::new(dir)
    };
    let blobs = Arc::new(Files::open(&files)?);
    let db = Db::open_file(&path)?;
    let store = Store::open(db.clone(), blobs, Options::default(), Arc::new(then)).await?;
    let numbers: Vec<_> = (0..repositories).collect();
    for part in numbers.chunks(BATCH) {
        let made = part
            .iter()
            .map(|i| repository(*i, each))
            .collect::<Result<Vec<_>>>()?;
        db.write(Durability::Process, made, |tx, made| {
            Box::pin(async move {
                for made in made {
                    write(tx, made).await?;
                }
                Ok(())
            })
        })
        .await?;
    }
    let begun = Instant::now();
    let clerk = Clerk::new(
        db.clone(),
        Arc::new(store.clone()),
        Arc::new(then),
        ClerkOptions::default(),
    );
    clerk.open().await?;
    while clerk.step().await? {}
    let took = begun.elapsed();
    store.close().await.context("closing the store")?;
    Ok(took)
}

/// The clock of what fills the store: it stands.
fn then() -> std::time::SystemTime {
    UNIX_EPOCH + Duration::from_micros(THEN.unsigned_abs())
}

async fn write(tx: &mut longshore_meta::Tx<'_>, made: &Made) -> longshore_core::Result<()> {
    let name = made.name.parse().map_err(longshore_core::Error::internal)?;
    let repo = repos::repo_open(tx, &name, THEN).await?;
    manifests::manifest_put(tx, repo, &made.row, &made.bytes, "user:fill", THEN).await?;
    artifacts::artifact_put(tx, &made.row.digest, &made.known).await?;
    artifact_parts::part_put(tx, &made.row.digest, &Parts::default()).await?;
    for tag in &made.tags {
        let tag = tag.parse().map_err(longshore_core::Error::internal)?;
        tags::tag_put(tx, repo, &tag, &made.row.digest, "user:fill", THEN).await?;
    }
    let count = i64::try_from(made.tags.len()).unwrap_or(0);
    repos::repo_count(tx, repo, 1, count).await.map(drop)
}
