//! Blobs of the tree: where they lie, how long they are, and whether they are what their name says.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::time::SystemTime;

use longshore_spec::digest::{Digest, Hasher};

use super::{ROOT, Tree};

/// How much is read and hashed in one go, in bytes.
const PIECE: usize = 256 << 10;

/// A blob's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredBlob {
    /// Its length in bytes.
    pub size: u64,
    /// When it was written last.
    pub written: SystemTime,
}

/// Why a blob of the tree cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// There is no file.
    #[error("its bytes are not there")]
    Gone,
    /// The file has no bytes, and the digest is not that of nothing.
    #[error("its file is empty")]
    Empty,
    /// The bytes are others.
    #[error("its bytes are not those of the digest")]
    Damaged,
    /// A symbolic link leads to it.
    #[error("it lies behind a symbolic link, which is not followed")]
    Link,
    /// The file cannot be opened or read.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
}

impl Flaw {
    pub(super) fn of(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Flaw::Gone,
            _ => Flaw::Unreadable(error.to_string()),
        }
    }
}

impl Tree {
    /// Where the tree keeps a blob, from the directory that holds the tree: what a metadata row says as its location.
    pub fn location(digest: &Digest) -> String {
        let hex = digest.hex();
        let fan = hex.get(..2).unwrap_or_default();
        format!("{ROOT}/blobs/{}/{fan}/{hex}/data", digest.algorithm())
    }

    /// Looks at a blob without reading it. Its file is opened, so that what may not be read is found.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub fn blob(&self, digest: &Digest) -> Result<StoredBlob, Flaw> {
        let (_, blob) = self.open_blob(digest)?;
        if blob.size == 0 && Hasher::new(digest.algorithm()).finish() != *digest {
            return Err(Flaw::Empty);
        }
        Ok(blob)
    }

    /// Whether the blob's bytes are those of its digest: all of them are read, once however often this is asked.
    ///
    /// # Errors
    /// [`Flaw::Damaged`], or what keeps it from being read.
    pub fn verify(&self, digest: &Digest) -> Result<(), Flaw> {
        let good = self.once(digest, || {
            let (mut file, _) = match self.open_blob(digest) {
                Ok(found) => found,
                Err(Flaw::Gone) => return Err(io::ErrorKind::NotFound.into()),
                Err(flaw) => return Err(io::Error::other(flaw)),
            };
            let mut hasher = Hasher::new(digest.algorithm());
            let mut piece = vec![0; PIECE];
            loop {
                match file.read(&mut piece)? {
                    0 => return Ok(hasher.finish() == *digest),
                    read => hasher.update(piece.get(..read).unwrap_or_default()),
                }
            }
        });
        match good {
            Ok(true) => Ok(()),
            Ok(false) => Err(Flaw::Damaged),
            Err(error) => Err(Flaw::of(&error)),
        }
    }

    /// A manifest's bytes, at most `most` of them and one more.
    pub(super) fn small_blob(&self, digest: &Digest, most: u64) -> Result<Vec<u8>, Flaw> {
        let (file, blob) = self.open_blob(digest)?;
        let mut bytes =
            Vec::with_capacity(usize::try_from(blob.size.min(most)).unwrap_or_default());
        file.take(most.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(|error| Flaw::of(&error))?;
        Ok(bytes)
    }

    fn open_blob(&self, digest: &Digest) -> Result<(File, StoredBlob), Flaw> {
        let path = self.at(&Self::location(digest));
        // The two directories above are the blob's own and that of its first digits; all further up was looked at when the
        // tree was opened.
        let parents = path.ancestors().skip(1).take(2);
        for path in std::iter::once(path.as_path()).chain(parents) {
            let found = path.symlink_metadata().map_err(|error| Flaw::of(&error))?;
            if found.is_symlink() {
                return Err(Flaw::Link);
            }
        }
        let opened = File::open(&path).and_then(|file| Ok((file.metadata()?, file)));
        let (found, file) = opened.map_err(|error| Flaw::of(&error))?;
        if !found.is_file() {
            return Err(Flaw::Unreadable("it is no file".to_owned()));
        }
        let blob = StoredBlob {
            size: found.len(),
            written: found.modified().unwrap_or(SystemTime::UNIX_EPOCH),
        };
        Ok((file, blob))
    }

    /// The blob's file, for whoever writes it elsewhere.
    pub fn blob_path(&self, digest: &Digest) -> PathBuf {
        self.at(&Self::location(digest))
    }
}
