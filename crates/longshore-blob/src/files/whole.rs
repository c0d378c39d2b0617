//! Small content that is here as a whole: one file, made under its final name and written once.
//!
//! An image of small blobs is bound by what each of its blobs costs. Without a stage there is no file to make ahead, to open
//! again, to measure and to rename; what is left is to make it, to write it and to sync it, on one descriptor. A kill amid
//! that leaves a file that no row names: waste, as after any kill between bytes and row.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::time::SystemTime;

use bytes::Bytes;
use longshore_core::Result;
use longshore_spec::{Digest, Hasher};
use rustix::fs::AtFlags;

use super::publish::{name_of, same};
use super::{Files, fault, location_in, new_id};
use crate::store::Stored;

impl Files {
    pub(crate) async fn put_whole(
        &self,
        content: &[Bytes],
        digest: &Digest,
        now: SystemTime,
    ) -> Result<Stored> {
        self.syncs.writable()?;
        let room = self.syncs.room().await?;
        let mut hasher = Hasher::new(digest.algorithm());
        for part in content {
            hasher.update(part);
        }
        same(&hasher.finish(), digest)?;
        // No await from here on, so that nothing half done is left when the caller is gone.
        let name = name_of(digest, &new_id(now));
        let (file, dir) = self.create_in(&name, now)?;
        let location = location_in(&dir, &name)?;
        let size = write(&file, content).map_err(|error| {
            // A full disk is told as such; what was written of the file goes with it.
            let _ = rustix::fs::unlinkat(dir.fd(), &name, AtFlags::empty());
            fault::storage(error)
        })?;
        self.syncs.start(&location, file, dir, room);
        Ok(Stored { location, size })
    }
}

/// Writes all parts, one behind the other, and says how many bytes they are.
fn write(file: &File, content: &[Bytes]) -> io::Result<u64> {
    let mut offset = 0;
    for part in content {
        file.write_all_at(part, offset)?;
        offset += part.len() as u64;
    }
    Ok(offset)
}
