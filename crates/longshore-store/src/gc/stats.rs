//! Numbers of collection, for metrics.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use longshore_core::past::{GcStats, Report};

/// [`GcStats`], while they grow.
#[derive(Debug, Default)]
pub(crate) struct Stats {
    runs: AtomicU64,
    broken: AtomicU64,
    freed_blobs: AtomicU64,
    freed_bytes: AtomicU64,
    collected: AtomicU64,
    expired: AtomicU64,
    orphans: AtomicU64,
    failed: AtomicU64,
    waiting_blobs: AtomicU64,
    waiting_bytes: AtomicU64,
    trash: AtomicU64,
    paused: AtomicBool,
}

impl Stats {
    pub(crate) fn read(&self) -> GcStats {
        GcStats {
            runs: self.runs.load(Relaxed),
            broken: self.broken.load(Relaxed),
            freed_blobs: self.freed_blobs.load(Relaxed),
            freed_bytes: self.freed_bytes.load(Relaxed),
            collected: self.collected.load(Relaxed),
            expired: self.expired.load(Relaxed),
            orphans: self.orphans.load(Relaxed),
            failed: self.failed.load(Relaxed),
            waiting_blobs: self.waiting_blobs.load(Relaxed),
            waiting_bytes: self.waiting_bytes.load(Relaxed),
            trash: self.trash.load(Relaxed),
            paused: self.paused.load(Relaxed),
        }
    }

    /// It does nothing, for this reason; said once. What `passes` by itself is nobody's mistake.
    pub(crate) fn pause(&self, why: &str, passes: bool) {
        match (self.paused.swap(true, Relaxed), passes) {
            (true, _) => {}
            (false, true) => tracing::warn!("collection waits: {why}"),
            (false, false) => tracing::error!("collection is paused: {why}"),
        }
    }

    pub(crate) fn go_on(&self) {
        if self.paused.swap(false, Relaxed) {
            tracing::info!("collection goes on: the clock is believed again");
        }
    }

    pub(crate) fn ran(&self, report: &Report, whole: bool) {
        let runs = if whole { &self.runs } else { &self.broken };
        runs.fetch_add(1, Relaxed);
        self.freed_blobs.fetch_add(report.freed.count, Relaxed);
        self.freed_bytes.fetch_add(report.freed.bytes, Relaxed);
        self.collected.fetch_add(report.collected, Relaxed);
        self.expired.fetch_add(report.expired, Relaxed);
        self.orphans.fetch_add(report.orphans.count, Relaxed);
        self.failed.fetch_add(report.failed, Relaxed);
        self.waiting_blobs.store(report.waiting.count, Relaxed);
        self.waiting_bytes.store(report.waiting.bytes, Relaxed);
        self.trash.store(report.trash, Relaxed);
    }
}
