//! The log's syncs: one at a time, each for everybody who waits when it begins.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use longshore_core::{Code, Error, Result};
use rustix::fs;

/// The write-ahead log's file, and whether its syncs can be trusted.
///
/// The descriptor is our own. That is safe for the log: SQLite's locks are on the database and the shared-memory file,
/// which this never opens.
#[derive(Debug)]
pub(super) struct Log {
    file: File,
    failed: AtomicBool,
}

impl Log {
    /// Opens the log of the database at `path`, which must have been opened and written to, and makes its name durable.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let open = || -> io::Result<File> {
            let file = File::open(wal(path))?;
            let folder = path
                .parent()
                .filter(|folder| !folder.as_os_str().is_empty())
                .unwrap_or(Path::new("."));
            File::open(folder)?.sync_all()?;
            Ok(file)
        };
        let file = open().map_err(|error| {
            Error::new(
                Code::Unavailable,
                "the log of the metadata database cannot be opened",
            )
            .because(error)
        })?;
        Ok(Self {
            file,
            failed: AtomicBool::new(false),
        })
    }

    /// Puts everything committed before this call on disk.
    ///
    /// After one failure nothing is trusted any more: the kernel may have dropped the pages it could not write and call
    /// the next sync a success. Writes are refused until a restart, which reads what is really there.
    pub(super) fn sync(&self) -> Result<()> {
        if self.failed.load(Ordering::Acquire) {
            return Err(lost());
        }
        self.put().map_err(|error| {
            self.failed.store(true, Ordering::Release);
            lost().because(error)
        })
    }

    fn put(&self) -> io::Result<()> {
        #[cfg(feature = "broken")]
        if longshore_core::broken::is("no-log-sync") {
            return Ok(());
        }
        fs::fdatasync(&self.file)?;
        // Removed or replaced under us, by a restored backup or a tidy hand: SQLite goes on in the file that nobody will
        // ever open again.
        if fs::fstat(&self.file)?.st_nlink == 0 {
            return Err(io::Error::other(
                "the log of the database was removed while it was in use",
            ));
        }
        Ok(())
    }

    /// Takes no writes any more: a sync of somebody else's failed.
    pub(super) fn distrust(&self) {
        self.failed.store(true, Ordering::Release);
    }

    /// Whether a sync has failed.
    pub(super) fn failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }

    /// The length of the log's file in bytes.
    #[cfg(test)]
    pub(super) fn len(&self) -> u64 {
        self.file.metadata().map_or(0, |about| about.len())
    }
}

/// The answer to writes that cannot be made durable.
pub(super) fn lost() -> Error {
    Error::new(
        Code::Unavailable,
        "the registry could not write its metadata to disk and takes no writes until it is restarted",
    )
}

fn wal(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}
