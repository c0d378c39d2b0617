//! Writing a tree that a Distribution registry serves.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use longshore_spec::digest::Digest;
use longshore_spec::name::{RepoName, Tag};

use super::{ROOT, Tree};
use crate::content::{Content, Placed, Placing, place};

/// Lies in a directory until all of it is written.
const UNFINISHED: &str = "longshore-export-unfinished";

/// A tree that is being written. Repeating a call changes nothing, so an export that broke off can go on in its directory.
#[derive(Debug)]
pub struct TreeWriter {
    data: PathBuf,
    placing: Placing,
}

/// Why a tree cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum TreeWriteError {
    /// Something is there that this did not write.
    #[error("{} is not empty; name a directory that is empty or not there yet", .0.display())]
    NotEmpty(PathBuf),
    /// It cannot be written.
    #[error("cannot write {}", path.display())]
    Io {
        /// What.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl TreeWriter {
    /// Begins a tree below `data`, which is empty, not there, or what an export left that broke off.
    ///
    /// # Errors
    /// [`TreeWriteError`].
    pub fn create(data: &Path, placing: Placing) -> Result<Self, TreeWriteError> {
        let failed = |source| TreeWriteError::Io {
            path: data.to_owned(),
            source,
        };
        fs::create_dir_all(data).map_err(failed)?;
        let mark = data.join(UNFINISHED);
        let first = fs::read_dir(data).and_then(|mut entries| entries.next().transpose());
        if first.map_err(failed)?.is_some() && !mark.exists() {
            return Err(TreeWriteError::NotEmpty(data.to_owned()));
        }
        File::create(&mark).map_err(failed)?;
        let root = data.join(ROOT);
        for part in ["repositories", "blobs"] {
            fs::create_dir_all(root.join(part)).map_err(failed)?;
        }
        Ok(Self {
            data: data.to_owned(),
            placing,
        })
    }

    /// Puts a blob's or a manifest's bytes into the tree.
    ///
    /// # Errors
    /// The content cannot be read or the file not be written.
    pub fn blob(&self, digest: &Digest, content: Content<'_>) -> io::Result<Placed> {
        place(
            &self.data.join(Tree::location(digest)),
            content,
            self.placing,
        )
    }

    /// Makes a blob part of a repository.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn layer(&self, repo: &RepoName, digest: &Digest) -> io::Result<()> {
        self.link(repo, &format!("_layers/{}", place_of(digest)), digest)
    }

    /// Makes a manifest part of a repository.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn revision(&self, repo: &RepoName, digest: &Digest) -> io::Result<()> {
        self.link(
            repo,
            &format!("_manifests/revisions/{}", place_of(digest)),
            digest,
        )
    }

    /// Points a tag to a manifest.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn tag(&self, repo: &RepoName, tag: &Tag, digest: &Digest) -> io::Result<()> {
        let index = format!("_manifests/tags/{tag}/index/{}", place_of(digest));
        self.link(repo, &index, digest)?;
        self.link(repo, &format!("_manifests/tags/{tag}/current"), digest)
    }

    fn link(&self, repo: &RepoName, at: &str, digest: &Digest) -> io::Result<()> {
        let dir = self
            .data
            .join(ROOT)
            .join("repositories")
            .join(repo.as_str())
            .join(at);
        fs::create_dir_all(&dir)?;
        fs::write(dir.join("link"), digest.to_string())
    }

    /// Ends the tree: it survives a power cut, and no export goes on in it.
    ///
    /// # Errors
    /// The disk fails.
    pub fn finish(self) -> Result<(), TreeWriteError> {
        let end = || {
            rustix::fs::syncfs(File::open(&self.data)?)?;
            fs::remove_file(self.data.join(UNFINISHED))
        };
        end().map_err(|source| TreeWriteError::Io {
            path: self.data.clone(),
            source,
        })
    }
}

fn place_of(digest: &Digest) -> String {
    format!("{}/{}", digest.algorithm(), digest.hex())
}
