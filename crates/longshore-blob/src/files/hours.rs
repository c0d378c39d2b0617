//! The directories blobs lie in, one for each hour of arrival: `blobs/2026-11-21/10`.
//!
//! All uploads of a moment share a directory, from the first byte to the published name, so one sync of it makes all their
//! names durable (decision 0002). Each directory's own name is synced with it the first time, which is started as soon as
//! it is made, and the directory of the next hour is made when the first upload of an hour comes.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::io::Errno;

use super::gather::Gather;
use super::root::{DIR_MODE, Root};

/// How many directories stay open while nobody uses them.
const KEPT: usize = 64;

/// A directory of the store, open.
pub(crate) struct Dir {
    path: String,
    fd: File,
    gather: Gather,
    /// Whether the names of this directory and its parents are durable.
    named: AtomicBool,
}

impl Dir {
    /// Its path from the root.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    pub(crate) fn fd(&self) -> &File {
        &self.fd
    }

    pub(crate) fn gather(&self) -> &Gather {
        &self.gather
    }

    /// Syncs the directory, and the first time all above it. `sync` is the system call.
    pub(crate) fn sync(
        &self,
        root: &Root,
        sync: impl Fn(&File) -> io::Result<()>,
    ) -> Result<(), Trouble> {
        if !self.named.load(Ordering::Acquire) {
            let mut path = self.path.as_str();
            while !path.is_empty() {
                path = path.rsplit_once('/').map_or("", |(parent, _)| parent);
                match root.open_dir(path) {
                    Ok(dir) => sync(&File::from(dir)).map_err(Trouble::Sync)?,
                    // Only what is empty can be tidied away; there is no name to keep.
                    Err(Errno::NOENT) => {}
                    Err(error) => return Err(Trouble::Open(error.into())),
                }
            }
            self.named.store(true, Ordering::Release);
        }
        sync(&self.fd).map_err(Trouble::Sync)
    }
}

/// Why a directory is not durable.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// Something above it could not be opened, so nothing was tried.
    Open(io::Error),
    /// It was tried, and nothing is known of what is on the disk.
    Sync(io::Error),
}

/// The directories in use.
#[derive(Default)]
pub(crate) struct Hours(Mutex<HashMap<String, Arc<Dir>>>);

impl Hours {
    /// The directory for what arrives at `now`, made when it is not there; `true` when this is the first time it is asked
    /// for.
    pub(crate) fn at(&self, root: &Root, now: SystemTime) -> io::Result<(Arc<Dir>, bool)> {
        let path = path_of(now);
        match self.existing(root, &path) {
            Err(Errno::NOENT) => {}
            other => return Ok(other?),
        }
        let mut made = String::new();
        for part in path.split('/') {
            let parent = root.open_dir(&made)?;
            match rustix::fs::mkdirat(&parent, part, DIR_MODE) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
            made = if made.is_empty() {
                part.to_owned()
            } else {
                format!("{made}/{part}")
            };
        }
        Ok(self.existing(root, &path)?)
    }

    /// The directory `path`, which has to be there.
    pub(crate) fn existing(&self, root: &Root, path: &str) -> Result<(Arc<Dir>, bool), Errno> {
        let mut dirs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(dir) = dirs.get(path) {
            return Ok((Arc::clone(dir), false));
        }
        let fd: OwnedFd = root.open_dir(path)?;
        if dirs.len() >= KEPT {
            // One that is in use must stay the only one of its path, or two syncs of it would not know of each other.
            dirs.retain(|_, dir| Arc::strong_count(dir) > 1);
        }
        let dir = Dir {
            path: path.to_owned(),
            fd: fd.into(),
            gather: Gather::default(),
            named: AtomicBool::new(false),
        };
        let dir = Arc::new(dir);
        dirs.insert(path.to_owned(), Arc::clone(&dir));
        Ok((dir, true))
    }

    /// Forgets a directory that turned out to be gone: somebody tidied up an empty one.
    pub(crate) fn forget(&self, dir: &Dir) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&dir.path);
    }
}

/// An hour after `now`: the next directory.
pub(crate) fn next(now: SystemTime) -> SystemTime {
    now.checked_add(Duration::from_hours(1)).unwrap_or(now)
}

/// The directory for what arrives at `now`, in UTC. A clock before 1970 or after 9999 is broken; its uploads are as good as
/// any, so they go where such a clock points without breaking the order of paths.
pub(crate) fn path_of(now: SystemTime) -> String {
    const LAST: u64 = 253_402_300_799;
    let secs = now
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
        .min(LAST);
    let (year, month, day) = civil(secs / 86_400);
    format!(
        "blobs/{year:04}-{month:02}-{day:02}/{:02}",
        secs / 3600 % 24
    )
}

/// Year, month and day of a day counted from 1970-01-01. Source: Howard Hinnant, "chrono-Compatible Low-Level Date
/// Algorithms", `civil_from_days`: years begin in March there, so that the leap day is the last one.
const fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (year, month) = (
        year + era * 400,
        if month < 10 { month + 3 } else { month - 9 },
    );
    (if month <= 2 { year + 1 } else { year }, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_has_its_directory_in_utc() {
        let at = |secs: u64| path_of(UNIX_EPOCH + Duration::from_secs(secs));
        for (secs, path) in [
            (0, "blobs/1970-01-01/00"),
            (951_782_399, "blobs/2000-02-28/23"),
            (951_782_400, "blobs/2000-02-29/00"),
            (1_709_251_199, "blobs/2024-02-29/23"),
            (1_709_251_200, "blobs/2024-03-01/00"),
            (1_795_256_760, "blobs/2026-11-21/10"),
            (4_107_542_400, "blobs/2100-03-01/00"),
            (u64::MAX >> 2, "blobs/9999-12-31/23"),
        ] {
            assert_eq!(at(secs), path, "{secs}");
        }
        assert_eq!(
            path_of(UNIX_EPOCH - Duration::from_secs(5)),
            "blobs/1970-01-01/00"
        );
    }

    #[test]
    fn a_directory_is_made_once_and_its_parents_are_synced_once() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::new(dir.path()).unwrap();
        let hours = Hours::default();
        let (first, new) = hours.at(&root, UNIX_EPOCH).unwrap();
        let (second, old) = hours
            .at(&root, UNIX_EPOCH + Duration::from_mins(59))
            .unwrap();
        assert!(new && !old && Arc::ptr_eq(&first, &second));
        let count = Mutex::new(0);
        let sync = |_: &File| {
            *count.lock().unwrap() += 1;
            Ok(())
        };
        first.sync(&root, sync).unwrap();
        assert_eq!(
            *count.lock().unwrap(),
            4,
            "the root, blobs, the day and the hour"
        );
        first.sync(&root, sync).unwrap();
        assert_eq!(*count.lock().unwrap(), 5);
    }

    #[test]
    fn a_parent_that_was_not_synced_is_synced_the_next_time() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::new(dir.path()).unwrap();
        let (hour, _) = Hours::default().at(&root, UNIX_EPOCH).unwrap();
        hour.sync(&root, |_| Err(Errno::IO.into())).unwrap_err();
        let count = Mutex::new(0);
        hour.sync(&root, |_| {
            *count.lock().unwrap() += 1;
            Ok(())
        })
        .unwrap();
        assert_eq!(*count.lock().unwrap(), 4);
    }
}
