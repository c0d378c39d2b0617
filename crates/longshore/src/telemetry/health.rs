//! Whether the server is alive, and whether it should be given work.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use longshore_meta::{Db, Durability, settings};

use crate::config::sections::Health as Config;

/// The server's health. It is alive as long as it answers; it is ready while its storage takes a write, no drain file
/// exists, and it has not been told to stop.
#[derive(Debug)]
pub struct Health {
    db: Db,
    drain_files: Vec<PathBuf>,
    threshold: u32,
    failures: AtomicU32,
    stopping: AtomicBool,
}

impl Health {
    /// Health that asks `db`.
    pub fn new(db: Db, config: &Config) -> Arc<Self> {
        Arc::new(Self {
            db,
            drain_files: config.drain_files.clone(),
            threshold: config.threshold.get(),
            failures: AtomicU32::new(0),
            stopping: AtomicBool::new(false),
        })
    }

    /// Takes the server out of service: it is about to stop.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    /// Tries storage and database once, and remembers how it went.
    pub async fn probe(&self) {
        let tried = self
            .db
            .write(Durability::Power, (), |tx, ()| {
                Box::pin(settings::setting_put(tx, "probe", ""))
            })
            .await;
        match tried {
            Ok(()) => self.failures.store(0, Ordering::Release),
            Err(error) => {
                let count = self.failures.fetch_add(1, Ordering::AcqRel) + 1;
                tracing::warn!(count, error = %longshore_core::error::Chain(&error), "a health probe failed");
            }
        }
    }

    /// Why the server is not ready; `None` when it is.
    pub fn unready(&self) -> Option<String> {
        if self.stopping.load(Ordering::Acquire) {
            return Some("the server is stopping".to_owned());
        }
        if let Some(file) = self.drain_files.iter().find(|file| file.exists()) {
            return Some(format!("the drain file {} exists", file.display()));
        }
        let failures = self.failures.load(Ordering::Acquire);
        (failures >= self.threshold)
            .then(|| format!("the last {failures} probes of the database failed"))
    }
}
