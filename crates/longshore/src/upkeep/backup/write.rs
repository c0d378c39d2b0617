//! Making a backup, beside a running server or without one.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, bail};
use longshore_core::error::Chain;
use longshore_meta::blobs::{self, BlobRow, BlobState};
use longshore_meta::{Db, checks};
use longshore_spec::digest::Digest;
use longshore_store::file_of;
use serde::{Deserialize, Serialize};

use super::about::{self, About, COPIES, Copies, FORMAT, LIST, Listed, METADATA};
use super::transfer::{Moved, folders, settle, transfer};

/// How many rows are read at once.
const PAGE: usize = 500;

/// How far a backup came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Blobs that are done.
    pub blobs: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// What is backed up, and where to.
#[derive(Debug, Clone)]
pub struct Job {
    /// The metadata.
    pub db: Db,
    /// The data directory.
    pub data: PathBuf,
    /// The directory of the backup: empty, or not there.
    pub to: PathBuf,
    /// What is done about files.
    pub copies: Copies,
    /// The time.
    pub now: SystemTime,
}

impl Job {
    /// Makes the backup.
    ///
    /// # Errors
    /// It cannot be made; what is in the directory then is no backup.
    pub async fn run(&self, mut told: impl FnMut(Progress)) -> anyhow::Result<About> {
        if longshore_store::is_taking_over(&self.db).await? {
            bail!(
                "a Distribution tree is being taken over; back up when that is done (`longshore takeover` finishes it)"
            );
        }
        self.make_room()?;
        let metadata = self.to.join(METADATA);
        self.db
            .snapshot(&metadata)
            .await
            .map_err(|error| anyhow::anyhow!("the metadata cannot be copied: {}", Chain(&error)))?;
        let snapshot = Db::open_file(&metadata)?;
        let mut about = About {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            created: self
                .now
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| since.as_secs()),
            metadata: String::new(),
            blobs: 0,
            bytes: 0,
            copies: self.copies,
            collected: 0,
            lost: Vec::new(),
        };
        let copied = self.copy_all(&snapshot, &mut about, &mut told).await;
        snapshot.close().await?;
        drop(snapshot);
        copied?;
        let to = self.to.clone();
        tokio::task::spawn_blocking(move || {
            about.metadata = about::hash(&metadata)?.to_string();
            settle(&to)?;
            let text = serde_json::to_vec_pretty(&about)?;
            let new = to.join("backup.json.new");
            fs::write(&new, text)?;
            File::open(&new)?.sync_all()?;
            fs::rename(&new, to.join(about::ABOUT))?;
            File::open(&to)?.sync_all()?;
            Ok(about)
        })
        .await?
    }

    fn make_room(&self) -> anyhow::Result<()> {
        let shown = self.to.display();
        folders(&self.to).with_context(|| format!("{shown} cannot be made"))?;
        let mut entries = fs::read_dir(&self.to).with_context(|| shown.to_string())?;
        if entries.next().is_some() {
            bail!("{shown} is not empty; a backup needs a directory of its own");
        }
        Ok(())
    }

    async fn copy_all(
        &self,
        snapshot: &Db,
        about: &mut About,
        told: &mut impl FnMut(Progress),
    ) -> anyhow::Result<()> {
        let mut list = BufWriter::new(File::create_new(self.to.join(LIST))?);
        let mut after: Option<Digest> = None;
        loop {
            let page = snapshot
                .read(&after, |tx, after| {
                    Box::pin(checks::blob_page(tx, after.as_ref(), PAGE))
                })
                .await?;
            let Some((last, ..)) = page.last() else {
                list.into_inner()?.sync_all()?;
                return Ok(());
            };
            after = Some(*last);
            for (digest, row, _) in page {
                if !matches!(row.state, BlobState::Live | BlobState::Staged) {
                    continue;
                }
                let file = file_of(&row.location)?.map(|at| at.to_string());
                let listed = Listed {
                    digest: digest.to_string(),
                    size: row.size,
                    file,
                };
                match self.copy(&listed, &digest).await? {
                    Moved::Done => {
                        serde_json::to_writer(&mut list, &listed)?;
                        list.write_all(b"\n")?;
                        about.blobs += 1;
                        about.bytes += row.size;
                    }
                    Moved::Gone if !needed(snapshot, &digest).await? => about.collected += 1,
                    Moved::Gone | Moved::Wrong => about.lost.push(digest.to_string()),
                }
                told(Progress {
                    blobs: about.blobs,
                    bytes: about.bytes,
                });
            }
        }
    }

    /// Copies the file of a blob, from where it lies by now.
    async fn copy(&self, listed: &Listed, digest: &Digest) -> anyhow::Result<Moved> {
        let Some(file) = &listed.file else {
            return Ok(Moved::Done);
        };
        let moved = self.copy_from(file, listed, digest).await?;
        if moved == Moved::Done {
            return Ok(moved);
        }
        let now: Option<BlobRow> = self
            .db
            .read(digest, |tx, digest| Box::pin(blobs::blob_get(tx, digest)))
            .await?;
        match now.filter(|row| matches!(row.state, BlobState::Live | BlobState::Staged)) {
            Some(row) => match file_of(&row.location)? {
                Some(at) if at.as_str() != file => {
                    self.copy_from(at.as_str(), listed, digest).await
                }
                _ => Ok(moved),
            },
            None => Ok(moved),
        }
    }

    async fn copy_from(
        &self,
        from: &str,
        listed: &Listed,
        digest: &Digest,
    ) -> anyhow::Result<Moved> {
        let Some(name) = &listed.file else {
            return Ok(Moved::Done);
        };
        let (from, to) = (self.data.join(from), self.to.join(COPIES).join(name));
        let (size, digest, how) = (listed.size, *digest, self.copies);
        let shown = from.display().to_string();
        let moved = tokio::task::spawn_blocking(move || match how {
            Copies::None => look(&from, size),
            how => transfer(&from, &to, size, &digest, how),
        })
        .await?;
        moved.with_context(|| format!("{shown} cannot be backed up"))
    }
}

/// Whether a file is there in its length.
fn look(file: &Path, size: u64) -> std::io::Result<Moved> {
    match fs::metadata(file) {
        Ok(found) if found.len() == size => Ok(Moved::Done),
        Ok(_) => Ok(Moved::Wrong),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Moved::Gone),
        Err(error) => Err(error),
    }
}

async fn needed(snapshot: &Db, digest: &Digest) -> anyhow::Result<bool> {
    let needed = snapshot
        .read(digest, |tx, digest| {
            Box::pin(checks::blob_needed_by(tx, digest))
        })
        .await?;
    Ok(needed.is_some())
}
