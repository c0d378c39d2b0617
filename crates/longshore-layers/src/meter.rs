//! Counts what a registry does: operations by name and outcome, and how long they took.
//!
//! Plain atomics and no metrics crate, so that the cost of a call is known and whoever exports the numbers chooses
//! their form. Time comes from a clock given at construction.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use longshore_core::{Code, Cx, Op, Result};

use crate::gate::{Gate, Outcome};

/// Gives the time since some fixed moment; never goes back.
pub type Clock = Box<dyn Fn() -> Duration + Send + Sync>;

/// The upper bounds of the buckets of durations, in microseconds. What took longer is in one more bucket.
pub const BOUNDS_MICROS: [u64; 16] = [
    500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
    2_500_000, 5_000_000, 10_000_000, 30_000_000, 60_000_000,
];

const OPS: [&str; 19] = [
    "stat_blob",
    "get_blob",
    "locate_blob",
    "stat_manifest",
    "get_manifest",
    "repositories",
    "tags",
    "referrers",
    "put_blob",
    "mount_blob",
    "start_upload",
    "stat_upload",
    "append_upload",
    "finish_upload",
    "abort_upload",
    "put_manifest",
    "delete_blob",
    "delete_manifest",
    "delete_tag",
];

/// Counts operations. Share it as an `Arc`: one half goes into the tower, the other to whoever reads.
///
/// Placed outermost, it also counts what the gates inside refuse.
pub struct Meter {
    clock: Clock,
    ops: [Counters; OPS.len()],
}

struct Counters {
    running: AtomicU64,
    done: AtomicU64,
    dropped: AtomicU64,
    failed: [AtomicU64; Code::ALL.len()],
    micros: AtomicU64,
    buckets: [AtomicU64; BOUNDS_MICROS.len() + 1],
}

/// The counters of one operation at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The operation, by the name of the trait's method.
    pub op: &'static str,
    /// How many calls are under way.
    pub running: u64,
    /// How many calls ended, by outcome; outcomes that never happened are left out.
    pub outcomes: Vec<(Outcome, u64)>,
    /// The sum of all durations.
    pub total: Duration,
    /// How many calls took at most the bound of [`BOUNDS_MICROS`] at the same place and more than the one before; the
    /// last has those above every bound.
    pub buckets: Vec<u64>,
}

impl Meter {
    /// A meter that has seen nothing.
    pub fn new(clock: Clock) -> Self {
        Self {
            clock,
            ops: std::array::from_fn(|_| Counters::new()),
        }
    }

    /// All counters, operation by operation. Taken one after another: calls that end meanwhile may be in some only.
    pub fn read(&self) -> Vec<Reading> {
        OPS.iter()
            .zip(&self.ops)
            .map(|(op, counters)| counters.read(op))
            .collect()
    }

    fn of(&self, op: &Op<'_>) -> Option<&Counters> {
        OPS.iter()
            .position(|name| *name == op.name())
            .and_then(|at| self.ops.get(at))
    }
}

impl Counters {
    fn new() -> Self {
        Self {
            running: AtomicU64::new(0),
            done: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            failed: std::array::from_fn(|_| AtomicU64::new(0)),
            micros: AtomicU64::new(0),
            buckets: std::array::from_fn(|_| AtomicU64::new(0)),
        }
    }

    fn count(&self, took: Duration, outcome: Outcome) {
        let counter = match outcome {
            Outcome::Done => Some(&self.done),
            Outcome::Dropped => Some(&self.dropped),
            Outcome::Failed(code) => self.failed.get(code as usize),
        };
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS_MICROS.partition_point(|bound| *bound < micros);
        for counter in counter.into_iter().chain(self.buckets.get(bucket)) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        self.micros.fetch_add(micros, Ordering::Relaxed);
    }

    fn read(&self, op: &'static str) -> Reading {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let failed = Code::ALL
            .iter()
            .zip(&self.failed)
            .map(|(code, n)| (Outcome::Failed(*code), get(n)));
        let mut outcomes = vec![
            (Outcome::Done, get(&self.done)),
            (Outcome::Dropped, get(&self.dropped)),
        ];
        outcomes.extend(failed);
        outcomes.retain(|(_, count)| *count > 0);
        Reading {
            op,
            running: get(&self.running),
            outcomes,
            total: Duration::from_micros(get(&self.micros)),
            buckets: self.buckets.iter().map(get).collect(),
        }
    }
}

impl Gate for Meter {
    /// When the call began, by the meter's clock.
    type Ticket = Duration;

    async fn enter(&self, _: &Cx, op: &Op<'_>) -> Result<Duration> {
        if let Some(counters) = self.of(op) {
            counters.running.fetch_add(1, Ordering::Relaxed);
        }
        Ok((self.clock)())
    }

    fn leave(&self, _: &Cx, op: &Op<'_>, began: Duration, outcome: Outcome) {
        if let Some(counters) = self.of(op) {
            counters.running.fetch_sub(1, Ordering::Relaxed);
            counters.count((self.clock)().saturating_sub(began), outcome);
        }
    }
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meter").finish_non_exhaustive()
    }
}
