//! A tree, found and looked over: what must hold before any of it is read.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use longshore_spec::digest::Digest;
use longshore_spec::name::RepoName;

use super::ROOT;

/// A tree on the disk. It is only read; every method may block.
#[derive(Debug)]
pub struct Tree {
    /// The directory that holds `docker/`.
    data: PathBuf,
    /// What hashing said about blobs that were hashed, so that a blob of many repositories is hashed once.
    pub(super) hashed: Mutex<HashMap<Digest, bool>>,
}

/// Why a tree cannot be used at all. For whoever starts the registry, so it names paths.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    /// Blobs are opened without following symbolic links, so those behind one could not be served.
    #[error(
        "{} is a symbolic link, and content behind one is not served; put what it leads to in its place, or mount it there (mount --bind)",
        .0.display()
    )]
    SymbolicLink(PathBuf),
    /// Something cannot be read.
    #[error("cannot read {}", path.display())]
    Io {
        /// What.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Tree {
    /// The tree below `data`, the directory that Distribution calls `rootdirectory`; `None` where there is none, or an
    /// empty one.
    ///
    /// # Errors
    /// [`TreeError`].
    pub fn open(data: &Path) -> Result<Option<Self>, TreeError> {
        let tree = Self {
            data: data.to_owned(),
            hashed: Mutex::default(),
        };
        let mut any = false;
        for part in ["repositories", "blobs"] {
            any |= tree.begins(&format!("{ROOT}/{part}"))?;
        }
        if !any {
            return Ok(None);
        }
        tree.begins(&format!("{ROOT}/blobs/sha256"))?;
        Ok(Some(tree))
    }

    /// The directory that holds the tree.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// A path below the directory that holds the tree.
    pub(super) fn at(&self, path: &str) -> PathBuf {
        self.data.join(path)
    }

    /// Whether the directory `path` is there and holds anything. No part of it may be a symbolic link.
    fn begins(&self, path: &str) -> Result<bool, TreeError> {
        let mut at = self.data.clone();
        for part in path.split('/') {
            at.push(part);
            match at.symlink_metadata() {
                Ok(found) if found.is_symlink() => return Err(TreeError::SymbolicLink(at)),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
                Err(source) => return Err(TreeError::Io { path: at, source }),
            }
        }
        let first = std::fs::read_dir(&at).and_then(|mut entries| entries.next().transpose());
        match first {
            Ok(first) => Ok(first.is_some()),
            Err(source) => Err(TreeError::Io { path: at, source }),
        }
    }

    /// Whether manifests, tags or blobs were added to a repository or removed from it since.
    pub fn changed_since(&self, repo: &RepoName, since: SystemTime) -> bool {
        let at = self.repository_path(repo);
        let parts = [
            "_manifests/revisions/sha256",
            "_manifests/tags",
            "_layers/sha256",
        ];
        parts.iter().any(|part| {
            let found = at.join(part).metadata();
            found
                .and_then(|found| found.modified())
                .is_ok_and(|at| at > since)
        })
    }

    /// Makes what the other registry wrote survive a power cut. It may have been stopped a moment ago, and it does not sync
    /// all that it writes.
    ///
    /// # Errors
    /// The disk fails.
    pub fn sync(&self) -> io::Result<()> {
        rustix::fs::syncfs(std::fs::File::open(&self.data)?)?;
        Ok(())
    }

    /// What hashing said about a blob, and `hash` where it was not hashed yet.
    pub(super) fn once(
        &self,
        digest: &Digest,
        hash: impl FnOnce() -> io::Result<bool>,
    ) -> io::Result<bool> {
        let known = || self.hashed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(good) = known().get(digest) {
            return Ok(*good);
        }
        let good = hash()?;
        known().insert(*digest, good);
        Ok(good)
    }
}
