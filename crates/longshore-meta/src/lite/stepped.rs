//! SQLite without threads, for a simulation: each write runs where it is asked for, at the moment somebody decides.
//!
//! The transactions, the statements and the files are those of the product. What is left out is what makes a run differ from the next:
//! the writer's queue, the syncs and the checkpoints, and with them the moment at which they happen.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use longshore_core::Result;
use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::{exec, failed, lock, run};
use crate::db::{Body, Durability, Steps};

#[derive(Debug)]
pub(super) struct Stepped {
    conn: Mutex<Connection>,
    log: PathBuf,
    steps: Arc<dyn Steps>,
}

impl Stepped {
    pub(super) fn new(conn: Connection, path: &Path, steps: Arc<dyn Steps>) -> Result<Self> {
        // A process that is killed moves nothing: the log stays as it is when the last connection goes.
        conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
            .map_err(failed)?;
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        Ok(Self {
            conn: Mutex::new(conn),
            log: log.into(),
            steps,
        })
    }

    pub(super) async fn write<A, T>(
        &self,
        durability: Durability,
        args: A,
        body: Body<A, T>,
    ) -> Result<T>
    where
        A: Send + Sync + 'static,
        T: Send + 'static,
    {
        self.steps.before().await?;
        let answer = self.commit(&args, body)?;
        let length = std::fs::metadata(&self.log).map_or(0, |about| about.len());
        self.steps.committed(length, durability).await?;
        Ok(answer)
    }

    fn commit<A, T>(&self, args: &A, body: Body<A, T>) -> Result<T> {
        let mut conn = lock(&self.conn);
        exec(&conn, "BEGIN IMMEDIATE", &[])?;
        let answer = run(&mut conn, args, body);
        exec(
            &conn,
            if answer.is_ok() { "COMMIT" } else { "ROLLBACK" },
            &[],
        )?;
        answer
    }
}
