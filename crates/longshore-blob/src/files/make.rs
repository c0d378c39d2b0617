//! Making files.
//!
//! To make one takes a file system anything from microseconds to as long as the disk takes, so it is done on the crew's
//! threads: a thousand uploads a second that come to nothing held up everybody whose request met one on a worker.

use std::fs::File;
use std::sync::Arc;
use std::time::SystemTime;

use longshore_core::Result;
use rustix::fs::{AtFlags, OFlags};
use rustix::io::Errno;

use super::hours::{self, Dir, Hours};
use super::root::{self, Root};
use super::syncs::Syncs;
use super::{fault, location_in};
use crate::location::Location;

/// Makes files in the directory of the hour.
pub(crate) struct Maker {
    pub(crate) root: Arc<Root>,
    pub(crate) hours: Hours,
    pub(crate) syncs: Arc<Syncs>,
}

/// A file that was just made. It goes again when it is dropped: whoever asked for it may be gone, or could not fill it.
pub(crate) struct Made {
    file: Option<File>,
    dir: Arc<Dir>,
    name: String,
    location: Location,
}

impl Made {
    /// The file.
    pub(crate) fn file(&self) -> Option<&File> {
        self.file.as_ref()
    }

    /// It stays.
    pub(crate) fn keep(mut self) -> (Location, Option<File>, Arc<Dir>) {
        (
            self.location.clone(),
            self.file.take(),
            Arc::clone(&self.dir),
        )
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        if self.file.is_some() {
            // One that cannot be removed is found by a check of the store.
            let _ = rustix::fs::unlinkat(self.dir.fd(), &self.name, AtFlags::empty());
        }
    }
}

impl Maker {
    /// Makes a file called `name` in the directory of what arrives at `now`.
    pub(crate) fn file(&self, name: String, now: SystemTime) -> Result<Made> {
        let mut again = true;
        loop {
            let (dir, new) = self.hours.at(&self.root, now).map_err(fault::storage)?;
            if new {
                self.ahead(&dir, now);
            }
            let flags =
                OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
            match rustix::fs::openat(dir.fd(), &name, flags, root::FILE_MODE) {
                Ok(file) => {
                    return Ok(Made {
                        location: location_in(&dir, &name)?,
                        file: Some(file.into()),
                        dir,
                        name,
                    });
                }
                Err(Errno::NOENT) if again => {
                    self.hours.forget(&dir);
                    again = false;
                }
                Err(error) => return Err(fault::storage(error)),
            }
        }
    }

    /// Begins to sync the name of a directory that has just come into use, and makes the one of the next hour.
    fn ahead(&self, dir: &Arc<Dir>, now: SystemTime) {
        self.syncs.ahead(Arc::clone(dir));
        match self.hours.at(&self.root, hours::next(now)) {
            Ok((next, true)) => self.syncs.ahead(next),
            Ok((_, false)) => {}
            // It is tried again when it is needed.
            Err(error) => tracing::warn!(%error, "the directory of the next hour cannot be made"),
        }
    }
}
