//! Whether a principal is still what it was when a token was issued, from memory that is a few seconds old at most.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use longshore_core::Result;
use longshore_meta::Db;
use longshore_meta::logins::login_version;
use longshore_meta::time::micros;
use quick_cache::sync::Cache;

use super::options::REVOKED_WITHIN;
use crate::age::apart;

/// The most principals that are remembered.
const MOST: usize = 100_000;

/// The version of a principal that may act; none when it may not.
type Version = Option<i64>;

#[derive(Debug)]
pub(crate) struct Versions {
    known: Cache<i64, Arc<(SystemTime, Version)>>,
    /// How often something was forgotten.
    forgotten: AtomicU64,
}

impl Versions {
    pub(crate) fn new() -> Self {
        Versions {
            known: Cache::new(MOST),
            forgotten: AtomicU64::new(0),
        }
    }

    /// Whether `version` of a principal still holds. `fresh`: as the database has it now.
    ///
    /// # Errors
    /// The database cannot be read.
    pub(crate) async fn holds(
        &self,
        db: &Db,
        (principal, version): (i64, i64),
        fresh: bool,
        now: SystemTime,
    ) -> Result<bool> {
        if !fresh
            && let Some(known) = self.known.get(&principal)
            && apart(now, known.0) < REVOKED_WITHIN
        {
            return Ok(known.1 == Some(version));
        }
        let before = self.forgotten.load(Ordering::SeqCst);
        let found = db
            .read(&principal, |tx, id| Box::pin(login_version(tx, *id)))
            .await?;
        let at = micros(now);
        let current = found
            .filter(|(state, _, expires)| *state == 0 && expires.is_none_or(|end| at < end))
            .map(|(_, version, _)| version);
        self.known.insert(principal, Arc::new((now, current)));
        if self.forgotten.load(Ordering::SeqCst) != before {
            // What was read may be of before a change whose news came before it was kept.
            self.known.remove(&principal);
        }
        Ok(current == Some(version))
    }

    /// Forgets everything: something was just taken away in this process, from whoever it was.
    pub(crate) fn forget_all(&self) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        self.known.clear();
    }

    /// Forgets what is known of a principal, of which something was just taken away in this process.
    pub(crate) fn forget(&self, principal: i64) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        self.known.remove(&principal);
    }
}
