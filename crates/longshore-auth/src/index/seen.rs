//! When people were last seen who log in by a password, a directory or a provider.
//!
//! Docker sends a password with each request, some hundred times in a push, so a login only notes it in memory; what was noted is
//! written once a minute, an account at most once. No answer waits for it, and a killed server loses the last minute. Secrets, rules
//! and certificates have a row of their own that is written at most once an hour, and their account with it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use longshore_core::error::Chain;
use longshore_meta::Durability;
use longshore_meta::logins::login_seen;
use longshore_meta::time::micros;

use super::Index;
use super::known::{Known, Proof};

/// How many accounts are written in one transaction.
const PART: usize = 500;

/// Who was seen since it was last written, and when.
#[derive(Default)]
pub(super) struct SeenLately(Mutex<BTreeMap<i64, i64>>);

impl fmt::Debug for SeenLately {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SeenLately(..)")
    }
}

impl SeenLately {
    fn note(&self, principal: i64, at: i64) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let last = seen.entry(principal).or_insert(at);
        *last = at.max(*last);
    }

    fn take(&self) -> Vec<(i64, i64)> {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *seen).into_iter().collect()
    }
}

impl Index {
    /// Notes that somebody has logged in, where nothing else does.
    pub(super) fn saw(&self, known: &Known, now: SystemTime) {
        if matches!(known.proof, Proof::Password | Proof::Source) {
            self.0.seen.note(known.principal, micros(now));
        }
    }

    /// Writes down who was seen since the last time. To be called every minute or so, and at the end.
    pub async fn seen_write(&self) {
        for part in self.0.seen.take().chunks(PART) {
            let written = self
                .0
                .db
                .write(Durability::Process, part.to_vec(), |tx, part| {
                    Box::pin(async move {
                        for (principal, at) in part {
                            login_seen(tx, *principal, *at).await?;
                        }
                        Ok(())
                    })
                })
                .await;
            if let Err(error) = written {
                tracing::warn!(error = %Chain(&error), "when people last logged in could not be noted");
            }
        }
    }
}
