//! Writing a layout.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use longshore_spec::descriptor::Descriptor;
use longshore_spec::digest::Digest;
use longshore_spec::index::ImageIndex;
use rustix::fs::FlockOperation;

use super::read::{images, is_marked};
use super::{INDEX, LayoutError, MARK, VERSION, blob_at, ref_name};
use crate::content::{Content, Placed, Placing, place, replace};

/// A layout that is being written. Others wait until it is dropped; what is in the layout already stays.
#[derive(Debug)]
pub struct LayoutWriter {
    dir: PathBuf,
    placing: Placing,
    /// The lock is on the directory itself, so that nothing is left of it.
    _lock: File,
}

impl LayoutWriter {
    /// Makes a layout in `dir`, or goes on with the one that is there.
    ///
    /// # Errors
    /// [`LayoutError`]; a directory that holds something else is refused.
    pub fn open(dir: &Path, placing: Placing) -> Result<Self, LayoutError> {
        let failed = |source| LayoutError::Io {
            path: dir.to_owned(),
            source,
        };
        fs::create_dir_all(dir).map_err(failed)?;
        let lock = File::open(dir).map_err(failed)?;
        rustix::fs::flock(&lock, FlockOperation::LockExclusive)
            .map_err(|error| failed(error.into()))?;
        if !is_marked(dir)? {
            let first = fs::read_dir(dir).and_then(|mut entries| entries.next().transpose());
            if first.map_err(failed)?.is_some() {
                return Err(LayoutError::NotALayout(dir.to_owned()));
            }
            let mark = format!(r#"{{"imageLayoutVersion":"{VERSION}"}}"#);
            replace(&dir.join(MARK), mark.as_bytes()).map_err(failed)?;
        }
        Ok(Self {
            dir: dir.to_owned(),
            placing,
            _lock: lock,
        })
    }

    /// Puts a blob's or a manifest's bytes into the layout.
    ///
    /// # Errors
    /// The content cannot be read or the file not be written.
    pub fn blob(&self, digest: &Digest, content: Content<'_>) -> io::Result<Placed> {
        place(&self.dir.join(blob_at(digest)), content, self.placing)
    }

    /// Names these images, in place of those of the same names; everybody sees the list as it was or as it is then. What they
    /// need must be in the layout.
    ///
    /// # Errors
    /// [`LayoutError`].
    pub fn finish(self, new: Vec<Descriptor>) -> Result<(), LayoutError> {
        let path = self.dir.join(INDEX);
        let mut all = if path.exists() {
            images(&self.dir)?
        } else {
            Vec::new()
        };
        // A name is one image's; an image without one is there once.
        all.retain(|old| {
            let replaced = |new: &Descriptor| match ref_name(old) {
                Some(name) => ref_name(new) == Some(name),
                None => new.digest == old.digest && ref_name(new).is_none(),
            };
            !new.iter().any(replaced)
        });
        all.extend(new);
        let end = || {
            let json = serde_json::to_vec(&ImageIndex::new(&all))?;
            replace(&path, &json)?;
            rustix::fs::syncfs(File::open(&self.dir)?)?;
            Ok(())
        };
        end().map_err(|source| LayoutError::Io {
            path: path.clone(),
            source,
        })
    }
}
