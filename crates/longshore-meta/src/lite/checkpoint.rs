//! Moving the log into the database, beside the writer and not in its way.

use std::path::Path;
use std::sync::mpsc;

use rusqlite::{Connection, OpenFlags};

use super::{connect, sync};

/// The log is checkpointed when it is longer than this; the writer goes on meanwhile.
const START: u64 = 4 << 20;
/// Beyond this the writer is made to wait for a moment, so that the log can start again at its beginning.
const RESTART: u64 = 64 << 20;

/// Asks for a checkpoint when the log has grown long enough; one request waits at the most.
pub(super) fn consider(log: &sync::Log, kick: &mpsc::SyncSender<()>) {
    if log.len() > START {
        let _ = kick.try_send(());
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
        let mode = if log.len() > RESTART {
            "PRAGMA wal_checkpoint(TRUNCATE)"
        } else {
            "PRAGMA wal_checkpoint(PASSIVE)"
        };
        if let Err(error) = open.query_row(mode, [], |_| Ok(())) {
            tracing::warn!(%error, "the metadata log could not be moved into the database; it will be tried again");
        }
    }
}
