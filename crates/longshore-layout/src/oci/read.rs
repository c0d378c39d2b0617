//! Reading a layout.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use longshore_spec::descriptor::Descriptor;
use longshore_spec::digest::Digest;
use longshore_spec::manifest::{Limits, ManifestError, View};
use longshore_spec::media::MediaType;

use super::{INDEX, MARK, VERSION, blob_at};

/// The longest `index.json` and the longest manifest, in bytes.
const LONGEST: usize = 64 << 20;

/// A layout on the disk. It is only read.
#[derive(Debug, Clone)]
pub struct Layout {
    dir: PathBuf,
}

/// Why a layout, or something in it, cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LayoutError {
    /// The directory is no layout.
    #[error(
        "{} is no OCI image layout: it has no file oci-layout that says version {VERSION}",
        .0.display()
    )]
    NotALayout(PathBuf),
    /// The list of images cannot be understood.
    #[error("{} cannot be understood", path.display())]
    Index {
        /// The file.
        path: PathBuf,
        /// Why.
        source: ManifestError,
    },
    /// A blob's bytes are not those of its digest.
    #[error("the bytes of {0} in the layout are not those of the digest")]
    Damaged(Digest),
    /// Something cannot be read or written.
    #[error("{} cannot be read or written", path.display())]
    Io {
        /// What.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Layout {
    /// The layout in `dir`.
    ///
    /// # Errors
    /// [`LayoutError`].
    pub fn open(dir: &Path) -> Result<Self, LayoutError> {
        if !is_marked(dir)? {
            return Err(LayoutError::NotALayout(dir.to_owned()));
        }
        Ok(Self {
            dir: dir.to_owned(),
        })
    }

    /// The images that `index.json` names.
    ///
    /// # Errors
    /// [`LayoutError`].
    pub fn images(&self) -> Result<Vec<Descriptor>, LayoutError> {
        images(&self.dir)
    }

    /// Where a blob's bytes lie.
    pub fn path(&self, digest: &Digest) -> PathBuf {
        self.dir.join(blob_at(digest))
    }

    /// A manifest's bytes; `None` when the layout does not have it.
    ///
    /// # Errors
    /// [`LayoutError`].
    pub fn manifest(&self, digest: &Digest) -> Result<Option<Vec<u8>>, LayoutError> {
        let path = self.path(digest);
        let mut bytes = Vec::new();
        let read =
            File::open(&path).and_then(|file| file.take(LONGEST as u64).read_to_end(&mut bytes));
        match read {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(LayoutError::Io { path, source }),
            Ok(_) => {}
        }
        if Digest::of(digest.algorithm(), &bytes) != *digest {
            return Err(LayoutError::Damaged(*digest));
        }
        Ok(Some(bytes))
    }
}

/// Whether the directory says that it is a layout.
pub(super) fn is_marked(dir: &Path) -> Result<bool, LayoutError> {
    let path = dir.join(MARK);
    match fs::read_to_string(&path) {
        Ok(text) => {
            let said = text.split_whitespace().collect::<String>();
            Ok(said.contains(&format!(r#""imageLayoutVersion":"{VERSION}""#)))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(source) => Err(LayoutError::Io { path, source }),
    }
}

pub(super) fn images(dir: &Path) -> Result<Vec<Descriptor>, LayoutError> {
    let path = dir.join(INDEX);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(source) => return Err(LayoutError::Io { path, source }),
    };
    let limits = Limits {
        bytes: LONGEST,
        values: 10_000_000,
        children: 1_000_000,
        ..Limits::default()
    };
    // Older writers leave the media type out.
    View::parse(&bytes, Some(&MediaType::OCI_INDEX), &limits)
        .map(|view| view.children)
        .map_err(|source| LayoutError::Index { path, source })
}
