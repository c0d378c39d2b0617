//! Moving the log into the database, beside the writer and not in its way.

use std::path::Path;
use std::sync::mpsc;

use rusqlite::{Connection, OpenFlags};

use super::{connect, sync};

/// The log is checkpointed when it is longer than this; the writer goes on meanwhile.
const START: u64 = 4 << 20;
/// Beyond this the writer is made to wait for a moment, so that the log can start again at its beginning.
const RESTART: u64 = 64 << 20;
/// Beyond this the writer sees to it itself: one that never rests is not to be waited for from beside. A start after a kill reads the
/// whole log before anything is answered, so what this bounds is the time of a start.
const CEILING: u64 = 2 * RESTART;

/// By how much the log has to grow before it is asked for again.
const STEP: u64 = 1 << 20;

/// Decides when to ask for a checkpoint. When the log starts again at its beginning it keeps its length, so to be long is
/// no reason by itself: every commit would be followed by the syncs of a checkpoint. To have grown is one.
#[derive(Debug, Default)]
pub(super) struct Watch {
    asked_at: u64,
}

impl Watch {
    /// Asks for a checkpoint when the log has grown long enough; one request waits at the most.
    pub(super) fn consider(&mut self, log: &sync::Log, kick: &mpsc::SyncSender<()>) {
        if self.is_due(log.len()) {
            let _ = kick.try_send(());
        }
    }

    fn is_due(&mut self, len: u64) -> bool {
        if len < self.asked_at {
            self.asked_at = 0;
        }
        let due = len > START && len >= self.asked_at + STEP;
        if due {
            self.asked_at = len;
        }
        due
    }
}

/// Checkpoints whenever it is asked to, until the writer is gone.
pub(super) fn run(log: &sync::Log, path: &Path, asked: &mpsc::Receiver<()>) {
    let mut conn: Option<Connection> = None;
    while asked.recv().is_ok() {
        if conn.is_none() {
            conn = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
                .inspect_err(|error| tracing::warn!(error = %longshore_core::error::Chain(error), "no checkpoint"))
                .ok();
        }
        let Some(open) = &conn else { continue };
        // Whatever can be moved without holding the writer up is moved first, so that it waits for little.
        move_log(open, log, PASSIVE);
        if log.len() > RESTART {
            move_log(open, log, TRUNCATE);
        }
    }
}

/// In the writer's own thread: empties a log that the checkpoints beside it could not keep short.
pub(super) fn bound(conn: &Connection, log: &sync::Log) {
    if log.len() > CEILING {
        move_log(conn, log, TRUNCATE);
    }
}

/// In the writer's own thread, when it ends: leaves no log for the next start to read.
pub(super) fn end(conn: &Connection, log: &sync::Log) {
    move_log(conn, log, TRUNCATE);
}

const PASSIVE: &str = "PRAGMA wal_checkpoint(PASSIVE)";
const TRUNCATE: &str = "PRAGMA wal_checkpoint(TRUNCATE)";

fn move_log(conn: &Connection, log: &sync::Log, how: &str) {
    if let Err(error) = conn.query_row(how, [], |_| Ok(())) {
        if is_failed_sync(&error) {
            log.distrust();
        }
        tracing::warn!(%error, "the metadata log could not be moved into the database; it will be tried again");
    }
}

/// Whether SQLite's own sync failed: the kernel may have dropped the pages, as with a sync of ours.
fn is_failed_sync(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error().map(|error| error.extended_code);
    matches!(
        code,
        Some(rusqlite::ffi::SQLITE_IOERR_FSYNC | rusqlite::ffi::SQLITE_IOERR_DIR_FSYNC)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_sync_is_told_from_a_busy_database() {
        let failure = |code| rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None);
        assert!(is_failed_sync(&failure(rusqlite::ffi::SQLITE_IOERR_FSYNC)));
        assert!(!is_failed_sync(&failure(rusqlite::ffi::SQLITE_BUSY)));
    }

    #[test]
    fn a_log_that_nobody_kept_short_is_emptied_by_the_writer() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("meta.db");
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let conn = connect(&path, flags).unwrap();
        conn.execute_batch("CREATE TABLE t (a)").unwrap();
        let log = sync::Log::open(&path).unwrap();
        let fill = |mib: i64| {
            conn.execute("INSERT INTO t VALUES (zeroblob(?1))", [mib << 20])
                .unwrap();
        };
        fill(100);
        bound(&conn, &log);
        assert!(log.len() > 100 << 20, "it is not long yet");
        fill(40);
        bound(&conn, &log);
        assert_eq!(log.len(), 0);
    }

    #[test]
    fn a_long_log_that_starts_again_at_its_beginning_is_no_reason_for_a_checkpoint() {
        let mut watch = Watch::default();
        for (len, due) in [
            (START / 2, false),
            (START + 1, true),
            (START + 1, false),
            (START + 1, false),
            (START + 2, false),
            (START + 1 + STEP, true),
            (0, false),
            (START + 1, true),
        ] {
            assert_eq!(watch.is_due(len), due, "{len}");
        }
    }
}
