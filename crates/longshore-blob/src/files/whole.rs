//! Small content that is here as a whole: one file, made under its final name and written once.
//!
//! An image of small blobs is bound by what each of its blobs costs. Without a stage there is no file to make ahead, to open
//! again, to measure and to rename; what is left is to make it, to write it and to sync it, on one descriptor. A kill amid
//! that leaves a file that no row names: waste, as after any kill between bytes and row.

use std::os::unix::fs::FileExt as _;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use longshore_core::Result;
use longshore_spec::{Digest, Hasher};

use super::make::{Made, Maker};
use super::publish::{name_of, same};
use super::{Files, fault, new_id};
use crate::store::Stored;

impl Files {
    pub(crate) async fn put_whole(
        &self,
        content: &[Bytes],
        digest: &Digest,
        now: SystemTime,
    ) -> Result<Stored> {
        self.maker.syncs.writable()?;
        let room = self.maker.syncs.room().await?;
        let (maker, content, digest) = (Arc::clone(&self.maker), content.to_vec(), *digest);
        let made = self
            .hashing
            .run(move || make(&maker, &content, &digest, now));
        let (made, size) = made.await??;
        // No await from here on, so that nothing half done is left when the caller is gone.
        let (location, file, dir) = made.keep();
        if let Some(file) = file {
            self.maker.syncs.start(&location, file, dir, room);
        }
        Ok(Stored { location, size })
    }
}

/// The file of this content, and its length in bytes; nothing is left of it when it is not what the digest says or does not
/// fit on the disk.
fn make(maker: &Maker, content: &[Bytes], digest: &Digest, now: SystemTime) -> Result<(Made, u64)> {
    let mut hasher = Hasher::new(digest.algorithm());
    for part in content {
        hasher.update(part);
    }
    same(&hasher.finish(), digest)?;
    let made = maker.file(name_of(digest, &new_id(now)), now)?;
    let mut offset = 0;
    for part in content {
        if let Some(file) = made.file() {
            file.write_all_at(part, offset).map_err(fault::storage)?;
        }
        offset += part.len() as u64;
    }
    Ok((made, offset))
}
