//! What the threads of one job share: how far the job is, and what each counted.
//!
//! Nobody waits for a thread at the end: what it counted lies here, and the process ends with its pushes half way. Waiting for them would
//! add work to the server that belongs to no measured second.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use super::histogram::Histogram;
use crate::job::{Done, Work};

/// How many errors a work may have before it gives up.
const ERROR_LIMIT: u64 = 1_000;

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    Connecting,
    WarmUp,
    /// Works with a number of units finish what they have and wait; others go on.
    Hold,
    Measured,
    Over,
}

impl Phase {
    const ALL: [Self; 5] = [
        Self::Connecting,
        Self::WarmUp,
        Self::Hold,
        Self::Measured,
        Self::Over,
    ];
}

/// What a thread tells whoever runs the job.
#[derive(Debug)]
pub(super) enum Word {
    /// Its connections stand.
    Ready,
    /// It has nothing in flight and waits for the measured part.
    Holding,
    /// It has nothing left to do, or cannot go on.
    Finished(anyhow::Result<()>),
}

/// How far the job is, for all threads.
#[derive(Debug)]
pub(super) struct Run {
    phase: AtomicU8,
    changed: Condvar,
    lock: Mutex<()>,
    began: OnceLock<Instant>,
}

impl Run {
    pub(super) fn new() -> Self {
        Self {
            phase: AtomicU8::new(0),
            changed: Condvar::new(),
            lock: Mutex::new(()),
            began: OnceLock::new(),
        }
    }

    pub(super) fn phase(&self) -> Phase {
        let at = usize::from(self.phase.load(Ordering::Acquire));
        Phase::ALL.get(at).copied().unwrap_or(Phase::Over)
    }

    pub(super) fn measured(&self) -> bool {
        self.phase() == Phase::Measured
    }

    /// Goes on to `phase` and says when.
    pub(super) fn enter(&self, phase: Phase) -> Instant {
        let _held = lock(&self.lock);
        let now = Instant::now();
        if phase == Phase::Measured {
            let _ = self.began.set(now);
        }
        self.phase.store(phase as u8, Ordering::Release);
        self.changed.notify_all();
        now
    }

    /// Waits until the job is at `phase` or beyond.
    pub(super) fn wait(&self, phase: Phase) {
        let mut held = lock(&self.lock);
        while self.phase() < phase {
            held = self
                .changed
                .wait(held)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// How long the measured part has run.
    pub(super) fn since_begin(&self) -> Duration {
        self.began.get().map_or(Duration::ZERO, Instant::elapsed)
    }
}

/// What one thread counted.
#[derive(Debug)]
pub(super) struct Tally {
    pub(super) units: u64,
    pub(super) bytes: u64,
    pub(super) verified: u64,
    pub(super) latency: Histogram,
    pub(super) finished: Vec<f64>,
}

impl Tally {
    fn new() -> Self {
        Self {
            units: 0,
            bytes: 0,
            verified: 0,
            latency: Histogram::new(),
            finished: Vec::new(),
        }
    }
}

/// One work as its threads see it.
#[derive(Debug)]
pub(super) struct Shared {
    name: String,
    /// Units that nobody has begun yet, where their number is given.
    left: Option<AtomicU64>,
    errors: AtomicU64,
    first: OnceLock<String>,
    tallies: Mutex<Vec<Arc<Mutex<Tally>>>>,
}

impl Shared {
    pub(super) fn new(work: &Work) -> Self {
        Self {
            name: work.name.clone(),
            left: work.units.map(AtomicU64::new),
            errors: AtomicU64::new(0),
            first: OnceLock::new(),
            tallies: Mutex::new(Vec::new()),
        }
    }

    /// A tally for one more thread.
    pub(super) fn tally(&self) -> Arc<Mutex<Tally>> {
        let tally = Arc::new(Mutex::new(Tally::new()));
        lock(&self.tallies).push(Arc::clone(&tally));
        tally
    }

    /// Whether the work has a number of units.
    pub(super) fn limited(&self) -> bool {
        self.left.is_some()
    }

    /// Takes one of the units that are left; always one where their number is not given.
    pub(super) fn claim(&self) -> bool {
        self.left.as_ref().is_none_or(|left| {
            left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                left.checked_sub(1)
            })
            .is_ok()
        })
    }

    /// Counts an error.
    pub(super) fn error(&self, error: &anyhow::Error) {
        self.errors.fetch_add(1, Ordering::Relaxed);
        self.first.get_or_init(|| format!("{error:#}"));
    }

    /// Whether so much went wrong that going on says nothing.
    pub(super) fn given_up(&self) -> bool {
        self.errors.load(Ordering::Relaxed) >= ERROR_LIMIT
    }

    pub(super) fn done(&self) -> Done {
        let mut sum = Tally::new();
        for tally in lock(&self.tallies).iter() {
            let tally = lock(tally);
            sum.units += tally.units;
            sum.bytes += tally.bytes;
            sum.verified += tally.verified;
            sum.latency.merge(&tally.latency);
            sum.finished.extend_from_slice(&tally.finished);
        }
        sum.finished.sort_by(f64::total_cmp);
        Done {
            name: self.name.clone(),
            units: sum.units,
            bytes: sum.bytes,
            errors: self.errors.load(Ordering::Relaxed),
            error: self.first.get().cloned(),
            verified: sum.verified,
            latency: sum.latency.latency(),
            finished: sum.finished,
        }
    }
}

/// Locks, also when a thread panicked with it: its counts are as good as any.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
