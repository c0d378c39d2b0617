//! What lies in the directory of a backup.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Lines};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::ValueEnum;
use longshore_spec::digest::Digest;
use serde::{Deserialize, Serialize};

/// The form of backups this program writes and reads.
pub const FORMAT: u32 = 1;
/// What says that the backup is complete, and what is in it.
pub const ABOUT: &str = "backup.json";
/// The copy of the metadata.
pub const METADATA: &str = "meta.db";
/// One line for each blob.
pub const LIST: &str = "blobs.jsonl";
/// The directory of copies, each under the path it has in the data directory.
pub const COPIES: &str = "files";

/// What is done about the files of blobs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Copies {
    /// They are copied, and hashed on the way.
    #[default]
    Copy,
    /// They are given a second name: at once and without space, on the same file system only. Damage to one is damage to the
    /// other.
    Link,
    /// They are left where they are: something else keeps them.
    None,
}

impl fmt::Display for Copies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Copies::Copy => "copy",
            Copies::Link => "link",
            Copies::None => "none",
        })
    }
}

/// What a backup says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// [`FORMAT`].
    pub format: u32,
    /// The version that wrote it.
    pub version: String,
    /// When the metadata was copied, in seconds since the Unix epoch.
    pub created: u64,
    /// The digest of the copy of the metadata.
    pub metadata: String,
    /// How many blobs the metadata names.
    pub blobs: u64,
    /// How many bytes they are.
    pub bytes: u64,
    /// What was done about their files.
    pub copies: Copies,
    /// How many were collected while the backup was made; nobody needed them.
    pub collected: u64,
    /// Blobs that are needed and were not there, or not as they should be.
    pub lost: Vec<String>,
}

/// A line of the list of blobs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// Its digest.
    pub digest: String,
    /// Its length in bytes.
    pub size: u64,
    /// Where it lies under the data directory; absent when its bytes are part of the metadata.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}

/// Reads what the backup in `from` says of itself, and makes sure that it is whole and the copy of the metadata as it was
/// written.
///
/// # Errors
/// It is no backup, not a whole one, or of a form this program does not know.
pub fn read(from: &Path) -> anyhow::Result<About> {
    let path = from.join(ABOUT);
    let text = match std::fs::read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => bail!(
            "{} is not a backup, or one that was not finished: it has no {ABOUT}",
            from.display()
        ),
        text => text.with_context(|| path.display().to_string())?,
    };
    let about: About = serde_json::from_slice(&text)
        .with_context(|| format!("{} is not understood", path.display()))?;
    if about.format != FORMAT {
        bail!(
            "the backup was written by Longshore {} in a form this program does not know; use that version",
            about.version
        );
    }
    let metadata = from.join(METADATA);
    if hash(&metadata)?.to_string() != about.metadata {
        bail!(
            "{} is not what was written: its digest is another; use another backup",
            metadata.display()
        );
    }
    Ok(about)
}

/// The digest of a file.
///
/// # Errors
/// It cannot be read.
pub fn hash(path: &Path) -> anyhow::Result<Digest> {
    let mut file = File::open(path).with_context(|| path.display().to_string())?;
    let done = super::transfer::pour(&mut file, &mut io::sink());
    Ok(done.with_context(|| path.display().to_string())?.1)
}

/// The lines of the list of blobs.
#[derive(Debug)]
pub struct List {
    lines: Lines<BufReader<File>>,
    path: PathBuf,
}

impl List {
    /// Opens the list of the backup in `from`.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn open(from: &Path) -> anyhow::Result<Self> {
        let path = from.join(LIST);
        let file = File::open(&path).with_context(|| path.display().to_string())?;
        Ok(Self {
            lines: BufReader::new(file).lines(),
            path,
        })
    }
}

impl Iterator for List {
    type Item = anyhow::Result<Listed>;

    fn next(&mut self) -> Option<Self::Item> {
        let line = self.lines.next()?;
        let read = line
            .map_err(anyhow::Error::from)
            .and_then(|line| Ok(serde_json::from_str(&line)?));
        Some(read.with_context(|| self.path.display().to_string()))
    }
}
