//! The schema, one numbered step after the other, each all or nothing.

use longshore_core::{Code, Error, Result};
use rusqlite::{Connection, TransactionBehavior};

/// The steps. Never edit one that was released: stores in the world have run it.
const STEPS: &[(i64, &str)] = &[
    (1, include_str!("../migrations/0001_registry.sql")),
    (2, include_str!("../migrations/0002_small_blobs.sql")),
    (3, include_str!("../migrations/0003_takeover.sql")),
    (4, include_str!("../migrations/0004_collection.sql")),
    (5, include_str!("../migrations/0005_index.sql")),
    (6, include_str!("../migrations/0006_search.sql")),
    (7, include_str!("../migrations/0007_people.sql")),
    (8, include_str!("../migrations/0008_deeds.sql")),
    (9, include_str!("../migrations/0009_devices.sql")),
    (10, include_str!("../migrations/0010_certificates.sql")),
    (11, include_str!("../migrations/0011_mail.sql")),
    (12, include_str!("../migrations/0012_artifact_parts.sql")),
    (13, include_str!("../migrations/0013_nearby.sql")),
];

const JOURNAL: &str = "CREATE TABLE IF NOT EXISTS schema_step (version BIGINT NOT NULL PRIMARY KEY, applied BIGINT NOT NULL)";

fn unusable(public: impl Into<String>) -> Error {
    Error::new(Code::Unavailable, public)
}

fn failed(error: rusqlite::Error) -> Error {
    unusable("the metadata database cannot be opened or its schema brought up to date")
        .because(error)
}

/// The text of a step for SQLite.
fn dialect(sql: &str) -> String {
    sql.replace("{BYTES}", "BLOB")
        .replace("{ID}", "INTEGER NOT NULL PRIMARY KEY")
        .replace(" {BYTEWISE}", "")
        .replace("{CLUSTERED}", "WITHOUT ROWID")
}

/// Brings the schema up to date.
///
/// # Errors
/// `Unavailable` when the database was written by a newer Longshore, or cannot be read or written.
pub(crate) fn up(conn: &mut Connection) -> Result<()> {
    run(conn, STEPS)
}

/// Takes each step that the database has not taken yet. A step and the record of it are one transaction, so whatever
/// interrupts this leaves a database between two steps, and the next start goes on from there.
fn run(conn: &mut Connection, steps: &[(i64, &str)]) -> Result<()> {
    conn.execute_batch(JOURNAL).map_err(failed)?;
    let newest = steps.last().map_or(0, |(version, _)| *version);
    loop {
        let tx = conn
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(failed)?;
        let at: i64 = tx
            .query_row(
                "SELECT coalesce(max(version), 0) FROM schema_step",
                [],
                |row| row.get(0),
            )
            .map_err(failed)?;
        if at > newest {
            return Err(unusable(format!(
                "the metadata was written by a newer Longshore (schema {at}; this one knows up to {newest}); \
                 start that version, or restore a backup made before the upgrade"
            )));
        }
        let Some((version, sql)) = steps.iter().find(|(version, _)| *version > at) else {
            return Ok(());
        };
        tx.execute_batch(&dialect(sql)).map_err(failed)?;
        tx.execute(
            "INSERT INTO schema_step (version, applied) VALUES (?1, unixepoch('subsec') * 1000000)",
            [version],
        )
        .map_err(failed)?;
        tx.commit().map_err(failed)?;
        tracing::info!(version, "metadata schema brought up to date");
    }
}

#[cfg(test)]
mod tests;
