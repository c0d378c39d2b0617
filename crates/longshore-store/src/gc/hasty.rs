//! Mistakes of collection on purpose, for builds that the proof must catch. Never part of a build that is shipped.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use longshore_blob::broken;
use longshore_core::Result;
use longshore_meta::Db;
use longshore_meta::candidates::Candidate;
use longshore_spec::digest::Digest;

use super::review::{Verdict, judge};

/// What was decided before anything was locked.
static DECIDED: Mutex<BTreeMap<(i64, Digest), Verdict>> = Mutex::new(BTreeMap::new());

/// A lease that nobody heeds, if that is the mistake.
pub(super) fn lease(until: i64) -> i64 {
    if broken::is("gc-without-lease") {
        0
    } else {
        until
    }
}

/// Decides in one transaction what is done in another, if that is the mistake.
pub(super) async fn look(db: &Db, due: &[Candidate], now: i64) -> Result<()> {
    if !broken::is("check-before-lock") {
        return Ok(());
    }
    for at in due {
        let verdict = db
            .read(&(*at, now), |tx, (at, now)| Box::pin(judge(tx, at, *now)))
            .await?;
        let mut decided = DECIDED.lock().unwrap_or_else(PoisonError::into_inner);
        decided.insert((at.repo, at.digest), verdict);
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    Ok(())
}

/// What was decided too early.
pub(super) fn verdict(at: &Candidate) -> Option<Verdict> {
    let mut decided = DECIDED.lock().unwrap_or_else(PoisonError::into_inner);
    decided.remove(&(at.repo, at.digest))
}
