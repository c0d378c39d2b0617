//! A transaction: where statements are run, whatever the engine.

use longshore_core::Result;

use crate::lite;
use crate::value::{FromRow, Value};

/// A transaction, or a consistent view for reading, on one of the engines.
///
/// Statements are written once, with `?1`, `?2` ... for their parameters. On SQLite nothing here ever waits.
#[derive(Debug)]
pub enum Tx<'c> {
    /// On SQLite, in the writer's thread or on a reader's connection.
    Lite(&'c mut rusqlite::Connection),
}

#[expect(
    clippy::unused_async,
    reason = "SQLite never waits; the engine that is to come beside it does"
)]
impl Tx<'_> {
    /// The statement's first row.
    ///
    /// # Errors
    /// `Unavailable` when the database cannot be read or written.
    pub async fn one<T: FromRow>(
        &mut self,
        sql: &'static str,
        values: &[Value],
    ) -> Result<Option<T>> {
        match self {
            Tx::Lite(conn) => Ok(lite::query(conn, sql, values, 1)?.pop()),
        }
    }

    /// All rows of the statement. Say `LIMIT` in the statement: what it gives is held in memory.
    ///
    /// # Errors
    /// `Unavailable` when the database cannot be read or written.
    pub async fn all<T: FromRow>(&mut self, sql: &'static str, values: &[Value]) -> Result<Vec<T>> {
        match self {
            Tx::Lite(conn) => lite::query(conn, sql, values, usize::MAX),
        }
    }

    /// Runs the statement and tells how many rows it changed.
    ///
    /// # Errors
    /// `Unavailable` when the database cannot be written.
    pub async fn exec(&mut self, sql: &'static str, values: &[Value]) -> Result<usize> {
        match self {
            Tx::Lite(conn) => lite::exec(conn, sql, values),
        }
    }

    /// Holds other transactions that lock the same `key` back until this one ends. On SQLite there is one writer, so
    /// there is nothing to do.
    ///
    /// # Errors
    /// `Unavailable` when the database cannot be reached.
    pub async fn lock(&mut self, _key: i64) -> Result<()> {
        match self {
            Tx::Lite(_) => Ok(()),
        }
    }
}
