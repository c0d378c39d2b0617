//! Mistakes with files on purpose, as `longshore_core::broken` says.

use std::fs::File;
use std::thread;
use std::time::Duration;

pub use longshore_core::broken::is;

/// What makes files durable, or does not.
pub(crate) fn sync_file(file: &File) -> std::io::Result<()> {
    if is("no-fsync") {
        return Ok(());
    }
    file.sync_data()
}

/// What makes names durable, or does not.
pub(crate) fn sync_dir(dir: &File) -> std::io::Result<()> {
    if is("no-dir-sync") {
        return Ok(());
    }
    dir.sync_all()
}

/// Does it later, when its row has long been committed.
pub(crate) fn late(work: impl FnOnce() + Send + 'static) {
    thread::spawn(move || {
        thread::sleep(Duration::from_millis(30));
        work();
    });
}
