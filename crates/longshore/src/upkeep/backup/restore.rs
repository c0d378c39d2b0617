//! Making a registry from a backup.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use longshore_blob::{Files, FilesOptions};
use longshore_core::error::Chain;
use longshore_meta::{Db, Durability, checks};
use longshore_spec::digest::Digest;
use longshore_store::check::{Check, CheckOptions, Report, Summary};
use longshore_store::forget_run;

use super::about::{self, About, COPIES, Copies, List, METADATA};
use super::transfer::{Moved, folders, pour, settle, transfer};
use crate::assemble;
use crate::config::{Config, Sparse};

/// What a restore came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// What the backup says of itself.
    pub about: About,
    /// Blobs whose copies were not in the backup, or not as they should be.
    pub lost: Vec<String>,
    /// What the check of all of it came to.
    pub summary: Summary,
}

/// Makes a registry of the backup in `from`, where the configuration says, and checks it. `how` the copies of blobs come.
///
/// # Errors
/// The backup is not whole, or there is a registry already, or it cannot be made.
pub async fn restore(
    from: &Path,
    config: &Config,
    how: Copies,
    hash: bool,
    report: &mut dyn Report,
) -> anyhow::Result<Restored> {
    let about = about::read(from)?;
    empty(config, &about)?;
    let options = FilesOptions {
        unsafe_storage: config.storage.unsafe_storage,
        ..FilesOptions::new(&config.data)
    };
    let files = Arc::new(Files::open(&options)?);
    let lost = match about.copies {
        Copies::None => Vec::new(),
        Copies::Copy | Copies::Link => put_back(from, &config.data, how)?,
    };
    metadata(from, config).await?;
    settle(&config.data)?;

    let db = Db::open_file(&config.database)?;
    let options = CheckOptions {
        hash,
        sparse: config.manifests.sparse == Sparse::All,
        ..CheckOptions::default()
    };
    let check = Check::of(db.clone(), files, options, assemble::now());
    let summary = check
        .run(report)
        .await
        .map_err(|error| anyhow::anyhow!("it cannot be checked: {}", Chain(&error)))?;
    db.close().await?;
    Ok(Restored {
        about,
        lost,
        summary,
    })
}

/// Makes sure that nothing is in the way.
fn empty(config: &Config, about: &About) -> anyhow::Result<()> {
    if config.database.exists() {
        bail!(
            "there is a registry already: {} is there; restore into a directory of its own, named with --data",
            config.database.display()
        );
    }
    let blobs = config.data.join("blobs");
    let holds = fs::read_dir(&blobs).is_ok_and(|mut entries| entries.next().is_some());
    if holds && about.copies != Copies::None {
        bail!(
            "{} is not empty; restore into a directory of its own, named with --data",
            blobs.display()
        );
    }
    Ok(())
}

/// Brings the files of blobs to their places, and says which could not be.
fn put_back(from: &Path, data: &Path, how: Copies) -> anyhow::Result<Vec<String>> {
    let mut lost = Vec::new();
    for listed in List::open(from)? {
        let listed = listed?;
        let Some(file) = &listed.file else { continue };
        let digest: Digest = listed.digest.parse()?;
        let (copy, place) = (from.join(COPIES).join(file), place(data, file)?);
        let moved = transfer(&copy, &place, listed.size, &digest, how)
            .with_context(|| format!("{} cannot be put back", copy.display()))?;
        if moved != Moved::Done {
            lost.push(listed.digest);
        }
    }
    Ok(lost)
}

/// A path of the list under the data directory: what was written to a backup is read as if a stranger had written it.
fn place(data: &Path, file: &str) -> anyhow::Result<PathBuf> {
    let at: longshore_blob::Location = file.parse()?;
    Ok(data.join(at.as_str()))
}

/// Puts the metadata back, under its name only when it is whole. What belonged to the process that was backed up is left out.
async fn metadata(from: &Path, config: &Config) -> anyhow::Result<()> {
    if let Some(folder) = config.database.parent() {
        folders(folder)?;
    }
    let mut new = config.database.clone().into_os_string();
    new.push(".restoring");
    let new = PathBuf::from(new);
    let mut copy = File::create(&new)?;
    pour(&mut File::open(from.join(METADATA))?, &mut copy)?;
    copy.sync_all()?;
    drop(copy);
    let db = Db::open_file(&new)?;
    db.write(Durability::Power, (), |tx, ()| {
        Box::pin(async move {
            // Their bytes were not copied, and their clients begin again.
            checks::upload_drop_all(tx).await?;
            forget_run(tx).await
        })
    })
    .await?;
    db.close().await?;
    drop(db);
    fs::rename(&new, &config.database)?;
    Ok(())
}
