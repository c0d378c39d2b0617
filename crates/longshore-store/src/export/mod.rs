//! What a store holds, written as other programs keep it: the tree of a Distribution registry, an OCI image layout.
//!
//! Files are hard links where that is possible, since what is published never changes. An export beside a running server sees
//! each part of a repository at another moment: tags first, blobs last, so that whatever a tag pointed to is there unless it
//! was deleted meanwhile; that is told.

mod fallback;
mod layout;
mod tree;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use longshore_core::{Error, Result};
use longshore_layout::content::{Content, Placed, Placing};
use longshore_layout::distribution::TreeWriteError;
use longshore_layout::oci::LayoutError;
use longshore_meta::walks;
use longshore_spec::digest::Digest;
use longshore_spec::name::RepoName;
use longshore_spec::reference::Reference;

use crate::place::Place;
use crate::store::{Inner, Store};

/// How many rows are read at once.
const PAGE: usize = 500;

/// Why an export failed.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The tree cannot be written.
    #[error(transparent)]
    Tree(#[from] TreeWriteError),
    /// The layout cannot be written.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// A file cannot be written.
    #[error("cannot write to {}", path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The metadata cannot be read, or an image that was asked for is not there.
    #[error(transparent)]
    Store(#[from] Error),
}

/// What an export wrote.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exported {
    /// Repositories.
    pub repos: u64,
    /// Manifests, once for each repository.
    pub manifests: u64,
    /// Tags.
    pub tags: u64,
    /// Blobs, once for each repository.
    pub blobs: u64,
    /// Files that are hard links.
    pub linked: u64,
    /// Bytes that were copied.
    pub copied: u64,
    /// What could not be written, and what the other side will not serve.
    pub notes: Vec<String>,
}

impl Exported {
    fn placed(&mut self, placed: Placed) {
        match placed {
            Placed::There => {}
            Placed::Linked => self.linked += 1,
            Placed::Copied(bytes) => self.copied += bytes,
        }
    }

    fn add(&mut self, more: Self) {
        self.repos += more.repos;
        self.manifests += more.manifests;
        self.tags += more.tags;
        self.blobs += more.blobs;
        self.linked += more.linked;
        self.copied += more.copied;
        self.notes.extend(more.notes);
    }
}

/// An image to export, or all tags of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// The repository.
    pub repo: RepoName,
    /// Which of its manifests; all that have a tag when nothing is said.
    pub at: Option<Reference>,
}

/// Writes what a store holds.
#[derive(Clone)]
pub struct Exporter {
    store: Arc<Inner>,
    data: PathBuf,
    placing: Placing,
}

impl std::fmt::Debug for Exporter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Exporter")
            .field("data", &self.data)
            .field("placing", &self.placing)
            .finish_non_exhaustive()
    }
}

/// Where the bytes of a blob are.
enum Source {
    File(PathBuf),
    Bytes(Vec<u8>),
    /// They are not to be had.
    Gone,
}

impl Source {
    fn content(&self) -> Option<Content<'_>> {
        match self {
            Source::File(path) => Some(Content::File(path)),
            Source::Bytes(bytes) => Some(Content::Bytes(bytes)),
            Source::Gone => None,
        }
    }

    /// Puts it somewhere by `put`; false when it is not to be had.
    fn put(
        &self,
        put: impl FnOnce(Content<'_>) -> io::Result<Placed>,
        tally: &mut Exported,
    ) -> io::Result<bool> {
        let Some(content) = self.content() else {
            return Ok(false);
        };
        match put(content) {
            Ok(placed) => {
                tally.placed(placed);
                Ok(true)
            }
            Err(_) if matches!(self, Source::File(path) if !path.exists()) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl Exporter {
    /// An exporter of a store whose blobs lie below `data`.
    pub fn new(store: &Store, data: &Path, placing: Placing) -> Self {
        Self {
            store: store.0.clone(),
            data: data.to_owned(),
            placing,
        }
    }

    /// The next repositories in the order of their names, behind the one that `after` names, which moves on; `None` at the end.
    async fn repos(&self, after: &mut String) -> Result<Option<Vec<(i64, RepoName)>>> {
        let page = self.store.db.read(after, |tx, after| {
            Box::pin(walks::walk_repos(tx, after, PAGE))
        });
        let page = page.await?;
        let Some((_, last)) = page.last() else {
            return Ok(None);
        };
        after.clone_from(last);
        let named = page
            .into_iter()
            .map(|(id, name)| Ok((id, name.parse().map_err(Error::internal)?)));
        named.collect::<Result<_>>().map(Some)
    }

    async fn source(&self, digest: &Digest, location: &str) -> Result<Source> {
        Ok(match Place::of(location)? {
            Place::Stored(at) => Source::File(self.data.join(at.as_str())),
            Place::Row(id) => match self.store.body(id, digest).await? {
                Some(bytes) => Source::Bytes(bytes.to_vec()),
                None => Source::Gone,
            },
        })
    }
}

/// Runs work on files where it may take its time.
async fn blocking<T: Send + 'static>(
    at: &Path,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, ExportError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(Error::internal)?
        .map_err(|source| ExportError::Io {
            path: at.to_owned(),
            source,
        })
}
