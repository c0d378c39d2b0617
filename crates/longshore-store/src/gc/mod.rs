//! Collection: what nobody needs any more is removed while the registry is used.
//!
//! Whatever takes a need away (a manifest leaves the trash, an upload ends without one) puts the link into a queue, in the
//! same transaction. A run looks at those that are due and at nothing else, so its cost is that of what was deleted:
//!
//! - **A** ([`review`]): in one transaction, is the link needed, was anybody promised that it is here; if not, it goes, and
//!   the blob with its last link, out of everybody's sight.
//! - **B** ([`burial`]): after a quarantine its bytes are removed, exactly those.
//! - **C**: its row goes, if it is still the same.
//!
//! `docs/decisions/0012-online-collection.md` says why nothing that is needed can be lost to this.

mod asked;
mod burial;
mod clock;
mod fence;
#[cfg(feature = "broken")]
mod hasty;
mod options;
mod orphans;
mod pace;
mod removed;
mod review;
mod run;
mod stats;
#[cfg(test)]
mod tests;
mod waste;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use longshore_core::Result;
use longshore_core::error::Chain;
use longshore_meta::time::micros;
use longshore_meta::{Durability, Tx, settings};
use longshore_spec::digest::Digest;

pub use asked::Collection;
pub use longshore_core::past::{Amount, Ask, Emptying, GcStats, Report, Shared};
pub use options::{GcOptions, Untagged};

pub(crate) use clock::{Watch, words};
use fence::MARK;
pub(crate) use orphans::{retire, succeed};
pub(crate) use review::{Verdict, judge};
use run::{Empty, Run};
use stats::Stats;

use crate::store::{Inner, Store};
use crate::takeover::is_taking_over;

/// After which time, and for how many more looks, the clock is not believed that this process found.
const WAITS: &str = "gc.waits";

/// What a store knows of its collection.
#[derive(Debug)]
pub(crate) struct Gc {
    /// One run at a time, and what it knows of the clock.
    turn: tokio::sync::Mutex<Watch>,
    /// The name of this process in the database.
    holder: Arc<str>,
    stats: Stats,
    /// Whether there may be a file that no row names, since the last look at what is to be looked through.
    orphans: AtomicBool,
    /// How many want that no bytes are removed just now.
    holds: Arc<AtomicUsize>,
    /// How many requests came.
    requests: AtomicU64,
    /// Leases that were promised and could not be written down: until when.
    pub(crate) owed: Mutex<HashMap<Digest, i64>>,
}

impl Gc {
    pub(crate) fn new() -> Self {
        Self {
            turn: tokio::sync::Mutex::default(),
            holder: uuid::Uuid::new_v4().to_string().into(),
            stats: Stats::default(),
            orphans: AtomicBool::new(false),
            holds: Arc::default(),
            requests: AtomicU64::new(0),
            owed: Mutex::default(),
        }
    }

    /// A request came.
    pub(crate) fn request_came(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    /// How many did.
    fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }
}

/// Keeps bytes from being removed; see [`Store::hold_bytes`].
#[derive(Debug)]
pub struct Hold(Arc<AtomicUsize>);

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Store {
    /// Collects what is due, now. Waits for a run that is under way. `told` is called after each piece of work with what was
    /// done so far. Dropped midway it has done what it told, and nothing by halves.
    ///
    /// # Errors
    /// `Unavailable` when the metadata cannot be read or written; what was not done is done by a later run. `NameUnknown`
    /// when the trash of a repository is to be emptied that does not exist.
    pub async fn gc(&self, ask: &Ask, told: &(dyn Fn(&Report) + Sync)) -> Result<Report> {
        self.0.gc(ask, false, told).await
    }

    /// Keeps all bytes that are there now, also those that nobody needs, until what is given is dropped: for whoever copies
    /// them by a list that was made before. What becomes needless meanwhile is taken out of sight as ever.
    pub fn hold_bytes(&self) -> Hold {
        self.0.gc.holds.fetch_add(1, Ordering::SeqCst);
        Hold(self.0.gc.holds.clone())
    }

    /// What collection did since this process began, and what waits.
    pub fn gc_stats(&self) -> GcStats {
        self.0.gc.stats.read()
    }
}

impl Inner {
    /// A run that nobody asked for.
    pub(crate) async fn gc_tick(&self) -> Result<()> {
        let report = self.gc(&Ask::default(), true, &|_| {}).await?;
        if !report.is_idle() {
            tracing::info!(
                freed_bytes = report.freed.bytes,
                freed_blobs = report.freed.count,
                taken_bytes = report.taken.bytes,
                taken_blobs = report.taken.count,
                shared_bytes = report.shared.bytes,
                waiting_bytes = report.waiting.bytes,
                expired = report.expired,
                collected = report.collected,
                orphans = report.orphans.count,
                failed = report.failed,
                "collection: {} bytes are free now, {} more when their quarantine ends, {} stay because others have them",
                report.freed.bytes,
                report.waiting.bytes,
                report.shared.bytes,
            );
            for shared in &report.shared_with {
                tracing::info!(digest = %shared.digest, size = shared.size, with = shared.with.join(", "), "a blob left a repository and stays because others have it");
            }
        }
        Ok(())
    }

    /// Whether somebody wants all bytes to stay just now.
    pub(crate) fn bytes_are_held(&self) -> bool {
        self.gc.holds.load(Ordering::SeqCst) > 0
    }

    async fn gc(&self, ask: &Ask, tick: bool, told: &(dyn Fn(&Report) + Sync)) -> Result<Report> {
        let empty = match &ask.empty {
            None => None,
            Some(Emptying { repo, digest }) => Some(Empty {
                repo: match repo {
                    Some(name) => Some(self.repo(name).await?.id),
                    None => None,
                },
                digest: *digest,
            }),
        };
        let now = micros((self.clock)());
        if ask.dry_run {
            return self.plan(now).await;
        }
        let mut watch = self.gc.turn.lock().await;
        if let Some(why) = self.doubt(&mut watch, ask, tick, now).await? {
            self.gc.stats.pause(&why, watch.waits().is_some());
            let mut report = Report {
                paused: Some(why),
                ..Report::default()
            };
            self.standing(&mut report).await?;
            return Ok(report);
        }
        self.gc.stats.go_on();
        let Some(fence) = self.lead(now, watch.mark.unwrap_or(now)).await? else {
            return Ok(elsewhere());
        };
        let mut run = Run::new(self, fence, now, !ask.hurry, told);
        let done = run.all(empty.as_ref()).await;
        let mut report = std::mem::take(&mut run.report);
        // What was done counts, however the run ended.
        let standing = self.standing(&mut report).await;
        self.gc.stats.ran(&report, done.is_ok());
        match done {
            Ok(Some(())) => standing.map(|()| report),
            Ok(None) => {
                report.paused = elsewhere().paused;
                Ok(report)
            }
            Err(error) => {
                tracing::warn!(error = %Chain(&error), "collection broke off; the next run goes on");
                Err(error)
            }
        }
    }

    /// Why nothing is collected now: the clock is not believed, or it is not known yet who needs what.
    async fn doubt(
        &self,
        watch: &mut Watch,
        ask: &Ask,
        tick: bool,
        now: i64,
    ) -> Result<Option<String>> {
        if is_taking_over(&self.db).await? {
            return Ok(Some(
                "a Distribution tree is being taken over, and nobody knows yet what its repositories need".to_owned(),
            ));
        }
        if watch.mark.is_none() {
            let (mark, waits) = self.db.read(&(), |tx, ()| Box::pin(clock_left(tx))).await?;
            match mark {
                Some(mark) => watch.wake(mark, waits, now),
                None => watch.accept(now),
            }
        }
        if ask.accept_clock {
            watch.accept(now);
        }
        let options = &self.options;
        let why = watch.look(now, tick, options.gc.interval, options.push_lease);
        if let (true, Some(mark), Some(looks)) = (tick, watch.mark, watch.waits()) {
            let waits = format!("{mark} {looks}");
            self.db
                .write(Durability::Process, waits, |tx, waits| {
                    Box::pin(settings::setting_put(tx, WAITS, waits))
                })
                .await?;
        }
        Ok(why)
    }
}

/// The time that was believed last, and for how many more looks the time since is not.
async fn clock_left(tx: &mut Tx<'_>) -> Result<(Option<i64>, Option<u64>)> {
    let mark = settings::setting_get(tx, MARK).await?;
    let waits = settings::setting_get(tx, WAITS).await?;
    let mark: Option<i64> = mark.and_then(|mark| mark.parse().ok());
    // What was waited for after another time says nothing.
    let waits = waits.and_then(|text| {
        let (after, looks) = text.split_once(' ')?;
        (after.parse().ok() == mark).then(|| looks.parse().ok())?
    });
    Ok((mark, waits))
}

fn elsewhere() -> Report {
    Report {
        paused: Some("another process collects just now".to_owned()),
        ..Report::default()
    }
}
