//! Room that is kept for when the disk is full.
//!
//! To delete takes space first: a transaction is written to the log before anything is freed. So a file of some length lies
//! beside the database and is given up when a commit finds the disk full; then the commit is tried once more. As long as it is
//! given up, what takes space is refused ([`Room`]), and it is taken back when there is
//! room for it and a quarter more.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use longshore_core::Room;
use rustix::fs::FallocateFlags;
use rustix::io::Errno;

use super::lock;

/// Less free space than this is none: a commit may need more.
const NONE: u64 = 1 << 20;

/// The file, and whether it holds its space.
#[derive(Debug)]
pub(super) struct Reserve {
    path: PathBuf,
    bytes: u64,
    room: Room,
    held: Mutex<bool>,
    /// Whether it was given up since the start.
    given: AtomicBool,
}

impl Reserve {
    /// Keeps `bytes` beside the database at `path`. A disk that has no room for them now is asked again later.
    pub(super) fn new(path: &Path, bytes: u64, room: Room) -> Self {
        let mut name = path.as_os_str().to_owned();
        name.push(".reserve");
        let reserve = Self {
            path: name.into(),
            bytes,
            room,
            held: Mutex::new(false),
            given: AtomicBool::new(false),
        };
        if let Err(error) = reserve.take() {
            tracing::warn!(%error, path = %reserve.path.display(), "no room can be kept for when the disk is full; deletes may fail then");
        }
        reserve
    }

    fn take(&self) -> io::Result<()> {
        let mut held = lock(&self.held);
        if *held || self.bytes == 0 {
            return Ok(());
        }
        let taken = allocate(&self.path, self.bytes);
        if taken.is_err() {
            // Half of it would only be in the way.
            let _ = File::options()
                .write(true)
                .open(&self.path)
                .and_then(|file| file.set_len(0));
        }
        *held = taken.is_ok();
        taken
    }

    /// Gives the space up if the disk is full; true when a commit that failed may succeed now.
    pub(super) fn give_up(&self) -> bool {
        if self.free().is_none_or(|free| free >= NONE) {
            return false;
        }
        self.room.ran_out();
        let mut held = lock(&self.held);
        if !*held {
            return false;
        }
        let given = File::options()
            .write(true)
            .open(&self.path)
            .and_then(|file| file.set_len(0));
        *held = false;
        self.given.store(true, Ordering::Release);
        match given {
            Ok(()) => tracing::error!(
                bytes = self.bytes,
                "the disk is full: pushes are refused until there is room again; what was kept for deletes is in use now"
            ),
            Err(error) => {
                tracing::error!(%error, "the disk is full, and what was kept for that cannot be had");
            }
        }
        true
    }

    /// Takes the space back if there is plenty, and says whether there is room to push.
    pub(super) fn regain(&self) -> bool {
        let more = (self.bytes / 4).max(NONE);
        let enough = self.bytes.saturating_add(more);
        // Where nobody can tell there is room: a push finds out.
        let free = self.free().unwrap_or(u64::MAX);
        if free >= enough
            && let Err(error) = self.take()
        {
            tracing::warn!(%error, "the room kept for when the disk is full cannot be had yet");
        }
        let held = *lock(&self.held);
        // A disk on which it could never be had is full when it is full.
        if free
            < if held || !self.given.load(Ordering::Acquire) {
                NONE
            } else {
                enough
            }
        {
            return false;
        }
        if self.room.is_out() {
            self.room.is_back();
            tracing::info!("there is room on the disk again; pushes are taken");
        }
        true
    }

    /// How many bytes may be written.
    fn free(&self) -> Option<u64> {
        let folder = self
            .path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let about = rustix::fs::statvfs(folder.unwrap_or(Path::new("."))).ok()?;
        Some(about.f_bavail.saturating_mul(about.f_frsize))
    }
}

fn allocate(path: &Path, bytes: u64) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(path)?;
    match rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, bytes) {
        // File systems that do not know of it.
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => {
            let piece = vec![0; 1 << 16];
            let mut left = bytes;
            while left > 0 {
                let len = usize::try_from(left)
                    .unwrap_or(piece.len())
                    .min(piece.len());
                file.write_all(piece.get(..len).unwrap_or_default())?;
                left -= len as u64;
            }
            file.sync_all()
        }
        done => Ok(done?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_takes_its_space_once_and_a_disk_with_room_is_not_full() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("meta.db");
        let room = Room::default();
        let reserve = Reserve::new(&path, 100_000, room.clone());
        let file = dir.path().join("meta.db.reserve");
        assert_eq!(std::fs::metadata(&file).unwrap().len(), 100_000);
        assert!(!reserve.give_up(), "there is room");
        assert!(!room.is_out());
        room.ran_out();
        assert!(reserve.regain());
        assert!(!room.is_out());
        drop(Reserve::new(&path, 100_000, room));
        assert_eq!(std::fs::metadata(&file).unwrap().len(), 100_000);
    }
}
