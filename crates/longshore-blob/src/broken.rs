//! Mistakes on purpose, for builds that the proof must catch (`cargo xtask crash controls`). Never part of a build that is
//! shipped: without the feature `broken` this file is not compiled, and with it no optimised build compiles.

use std::fs::File;
use std::thread;
use std::time::Duration;

#[cfg(not(debug_assertions))]
compile_error!("the feature `broken` is for tests; nothing that is shipped may have it");

/// The variable that names a mistake. No operator has anything to do with it.
const VARIABLE: &str = "MISTAKE_ON_PURPOSE";

/// Whether the mistake `name` is to be made.
pub fn is(name: &str) -> bool {
    std::env::var(VARIABLE).is_ok_and(|chosen| chosen == name)
}

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
