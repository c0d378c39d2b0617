//! Moving the log into the database: one thread does it, beside the writer, and holds it only to let the log start again.
//!
//! The log is reused from its beginning once all of it is in the database and nobody reads from it. Under a writer that never
//! rests that moment does not come by itself, so when the log is long the writer is held between two commits until the little
//! that is left has been moved. A program that keeps reading from an old state (a backup) can prevent that; then the log
//! grows, and a warning says so.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::{connect, lock, sync};

/// The log is moved when it holds more than this, in bytes; the writer goes on meanwhile.
const START: u64 = 8 << 20;
/// By how much it has to grow before it is moved again.
const STEP: u64 = 8 << 20;
/// Beyond this the writer is held. A start after a kill reads the whole log before anything is answered, so this bounds the
/// time of a start; the file keeps about this length, so that the syncs of the log need not record a new one.
const RESTART: u64 = 64 << 20;
/// For how long the writer is held at most for somebody who reads an old state or writes from outside.
const PATIENCE: Duration = Duration::from_millis(100);
/// The length of a page of the database.
const PAGE: u64 = 4096;

/// How much the log holds, in bytes; not the length of its file, which is reused.
#[derive(Debug, Clone, Default)]
pub(super) struct Held(Arc<AtomicU64>);

impl Held {
    /// Counts what `conn` commits.
    pub(super) fn count(&self, conn: &mut Connection) -> rusqlite::Result<()> {
        let held = Arc::clone(&self.0);
        conn.wal_hook(Some(move |_: &mut _, pages: i32| {
            let pages = u64::try_from(pages).unwrap_or_default();
            held.store(pages * PAGE, Ordering::Relaxed);
            Ok(())
        }))
    }

    fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What the writer asks for.
pub(super) enum Ask {
    /// The log has grown.
    Due,
    /// There will be no more writes: leave no log for the next start to read, and say so.
    End(mpsc::Sender<()>),
}

/// Decides when to ask.
#[derive(Debug, Default)]
pub(super) struct Watch {
    asked_at: u64,
}

impl Watch {
    /// Asks when the log has grown long enough; one request waits at the most.
    pub(super) fn consider(&mut self, held: &Held, asks: &mpsc::SyncSender<Ask>) {
        if self.is_due(held.bytes()) {
            let _ = asks.try_send(Ask::Due);
        }
    }

    fn is_due(&mut self, bytes: u64) -> bool {
        if bytes < self.asked_at {
            self.asked_at = 0;
        }
        let due = bytes > START && bytes >= self.asked_at + STEP;
        if due {
            self.asked_at = bytes;
        }
        due
    }
}

/// Where the writer is held between two commits.
#[derive(Debug, Default)]
pub(super) struct Gate {
    closed: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    /// Waits as long as the gate is closed.
    pub(super) fn pass(&self) {
        let mut closed = lock(&self.closed);
        while *closed {
            closed = self
                .opened
                .wait(closed)
                .unwrap_or_else(std::sync::PoisonError::into_inner);
        }
    }

    fn close(&self) -> Closed<'_> {
        *lock(&self.closed) = true;
        Closed(self)
    }
}

/// A closed gate; dropped, it opens.
struct Closed<'a>(&'a Gate);

impl Drop for Closed<'_> {
    fn drop(&mut self) {
        *lock(&self.0.closed) = false;
        self.0.opened.notify_all();
    }
}

/// Moves the log whenever it is asked to, until the writer is gone.
pub(super) fn run(
    log: &sync::Log,
    held: &Held,
    gate: &Gate,
    path: &Path,
    asked: &mpsc::Receiver<Ask>,
) {
    let mut conn: Option<Connection> = None;
    while let Ok(ask) = asked.recv() {
        if conn.is_none() {
            conn = open(path)
                .inspect_err(|error| tracing::warn!(error = %longshore_core::error::Chain(error), "no checkpoint"))
                .ok();
        }
        match (&conn, ask) {
            (Some(conn), Ask::Due) => shorten(conn, log, held, gate),
            (None, Ask::Due) => {}
            (conn, Ask::End(done)) => {
                if let Some(conn) = conn {
                    move_log(conn, log, TRUNCATE);
                }
                let _ = done.send(());
            }
        }
    }
}

fn open(path: &Path) -> longshore_core::Result<Connection> {
    let conn = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    conn.busy_timeout(PATIENCE).map_err(super::failed)?;
    Ok(conn)
}

fn shorten(conn: &Connection, log: &sync::Log, held: &Held, gate: &Gate) {
    // Whatever can be moved without holding the writer is moved first, so that it waits for little.
    move_log(conn, log, PASSIVE);
    if held.bytes() <= RESTART {
        return;
    }
    let _closed = gate.close();
    if move_log(conn, log, RESTARTED) == Moved::Hindered {
        tracing::warn!(
            bytes = held.bytes(),
            "the metadata log cannot start again, because another program reads an old state of the database; it grows until that ends"
        );
    }
}

const PASSIVE: &str = "PRAGMA wal_checkpoint(PASSIVE)";
const RESTARTED: &str = "PRAGMA wal_checkpoint(RESTART)";
const TRUNCATE: &str = "PRAGMA wal_checkpoint(TRUNCATE)";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moved {
    /// As far as was asked for.
    Done,
    /// Somebody reads or writes who did not leave in time.
    Hindered,
    /// SQLite could not.
    Failed,
}

fn move_log(conn: &Connection, log: &sync::Log, how: &str) -> Moved {
    match conn.query_row(how, [], |row| row.get::<_, i64>(0)) {
        Ok(0) => Moved::Done,
        Ok(_) => Moved::Hindered,
        Err(error) => {
            if is_failed_sync(&error) {
                log.distrust();
            }
            tracing::warn!(%error, "the metadata log could not be moved into the database; it will be tried again");
            Moved::Failed
        }
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
    use std::time::Instant;

    use super::*;

    #[test]
    fn a_failed_sync_is_told_from_a_busy_database() {
        let failure = |code| rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None);
        assert!(is_failed_sync(&failure(rusqlite::ffi::SQLITE_IOERR_FSYNC)));
        assert!(!is_failed_sync(&failure(rusqlite::ffi::SQLITE_BUSY)));
    }

    #[test]
    fn a_long_log_starts_again_and_one_that_is_read_from_outside_does_not_hold_the_writer_for_long()
    {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("meta.db");
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let mut writer = connect(&path, flags).unwrap();
        let held = Held::default();
        held.count(&mut writer).unwrap();
        writer.execute_batch("CREATE TABLE t (a)").unwrap();
        let (log, gate) = (sync::Log::open(&path).unwrap(), Gate::default());
        let fill = |mib: i64| {
            writer
                .execute("INSERT INTO t VALUES (zeroblob(?1))", [mib << 20])
                .unwrap();
        };
        let beside = open(&path).unwrap();
        let reader = connect(&path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        reader
            .execute_batch("BEGIN; SELECT count(*) FROM t")
            .unwrap();

        fill(70);
        let begun = Instant::now();
        shorten(&beside, &log, &held, &gate);
        assert!(begun.elapsed() < Duration::from_secs(3));
        gate.pass();
        fill(1);
        assert!(held.bytes() > 70 << 20, "it is read: {}", held.bytes());

        reader.execute_batch("COMMIT").unwrap();
        shorten(&beside, &log, &held, &gate);
        fill(1);
        assert!(held.bytes() < 2 << 20, "{}", held.bytes());
        assert!(log.len() > 70 << 20, "the file is kept to be reused");
        assert_eq!(move_log(&beside, &log, TRUNCATE), Moved::Done);
        assert_eq!(log.len(), 0);
    }

    #[test]
    fn the_writer_waits_at_a_closed_gate() {
        let gate = Arc::new(Gate::default());
        gate.pass();
        let closed = gate.close();
        let (heard, passed) = mpsc::channel();
        let waiting = Arc::clone(&gate);
        let thread = std::thread::spawn(move || {
            waiting.pass();
            heard.send(()).unwrap();
        });
        assert!(passed.recv_timeout(Duration::from_millis(50)).is_err());
        drop(closed);
        passed.recv().unwrap();
        thread.join().unwrap();
    }

    #[test]
    fn a_log_is_moved_when_it_has_grown_and_again_after_it_started_at_its_beginning() {
        let mut watch = Watch::default();
        for (bytes, due) in [
            (START / 2, false),
            (START + 1, true),
            (START + 1, false),
            (START + STEP, false),
            (START + 1 + STEP, true),
            (0, false),
            (START + 1, true),
        ] {
            assert_eq!(watch.is_due(bytes), due, "{bytes}");
        }
    }
}
