//! Reading a file for no other reason than to know whether it is whole.

use std::fs::File;
use std::num::NonZeroU64;
use std::sync::Arc;

use longshore_core::{Error, Result};
use longshore_spec::{Algorithm, Digest, Hasher};
use rustix::fs::Advice;
use rustix::io::Errno;

use super::Files;
use super::fault;
use super::writer::hash_range;
use crate::location::Location;
use crate::store::Pace;

/// How much is read in one piece of work, in bytes: a few milliseconds, after which others get their turn.
const PIECE: u64 = 4 << 20;

impl Files {
    /// Reads all of the file at `at`. What of it is in memory is dropped before, so that it is the disk that is asked, and
    /// after, so that an examination of everything does not push out what is in use.
    pub(crate) async fn examine(
        &self,
        at: &Location,
        algorithm: Algorithm,
        pace: &dyn Pace,
    ) -> Result<Option<(u64, Digest)>> {
        let (root, place) = (Arc::clone(&self.maker.root), at.clone());
        let opened = tokio::task::spawn_blocking(move || root.open_file(&place));
        let file = match opened.await.map_err(Error::internal)? {
            Ok(file) => Arc::new(File::from(file)),
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
            Err(error) => return Err(fault::storage(error)),
        };
        let len = file.metadata().map_err(fault::storage)?.len();
        forget(&file, 0, len);
        let mut hasher = Hasher::new(algorithm);
        let mut offset = 0;
        while offset < len {
            let (part, end) = (Arc::clone(&file), len.min(offset + PIECE));
            hasher = self
                .hashing
                .run(move || hash_range(&part, offset, end, hasher))
                .await?
                .map_err(fault::storage)?;
            forget(&file, offset, end - offset);
            pace.took(end - offset).await;
            offset = end;
        }
        Ok(Some((len, hasher.finish())))
    }
}

/// Asks the kernel to drop what it holds of the file in memory and has written. It only matters for how good the
/// examination is; what cannot be dropped is read from where it is.
fn forget(file: &File, offset: u64, len: u64) {
    if let Some(len) = NonZeroU64::new(len) {
        let _ = rustix::fs::fadvise(file, offset, Some(len), Advice::DontNeed);
    }
}
