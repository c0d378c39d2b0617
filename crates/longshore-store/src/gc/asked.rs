//! Runs that somebody asked for and does not wait for: one after the other, beside those that nobody asked for.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use longshore_core::error::Chain;
use longshore_core::past::{Ask, Collector, GcStats, Report, Run, RunState};
use longshore_core::{Code, Error, Result};
use longshore_meta::time::micros;
use tokio::sync::Notify;

use crate::store::Store;

/// How many runs are remembered.
const KEPT: usize = 20;
/// How many may wait.
const WAITING: usize = 10;

/// Collection, as it can be asked for. Cheap to clone; all clones are one.
#[derive(Debug, Clone)]
pub struct Collection {
    store: Store,
    refused: Option<&'static str>,
    seen: Arc<Mutex<Seen>>,
    wake: Arc<Notify>,
}

/// The runs, the oldest first.
#[derive(Debug, Default)]
struct Seen {
    last: u64,
    runs: VecDeque<Run>,
}

impl Collection {
    /// Collection of a store; `refused` says why nothing may be removed, where that is so.
    pub fn new(store: Store, refused: Option<&'static str>) -> Self {
        Self {
            store,
            refused,
            seen: Arc::default(),
            wake: Arc::default(),
        }
    }

    /// Makes the runs that are asked for, until `stop` ends. A run that is under way then has done what it told, and no other is made:
    /// what they were to do is done by whoever asks again.
    pub async fn tend(&self, stop: impl Future<Output = ()> + Send) {
        tokio::select! {
            () = stop => {}
            () = self.work() => {}
        }
    }

    async fn work(&self) {
        loop {
            let Some((id, ask)) = self.next() else {
                self.wake.notified().await;
                continue;
            };
            let told = |report: &Report| self.note(id, |run| run.report = report.clone());
            let done = self.store.gc(&ask, &told).await;
            let now = self.now();
            self.note(id, |run| {
                run.ended = Some(now);
                match &done {
                    Ok(report) => {
                        run.report = report.clone();
                        run.state = RunState::Done;
                    }
                    Err(error) => {
                        run.failure = Some(error.public().to_owned());
                        run.state = RunState::Failed;
                    }
                }
            });
            if let Err(error) = &done {
                tracing::warn!(run = id, error = %Chain(error), "a run of collection that was asked for broke off");
            }
        }
    }

    /// The run that has waited longest, which begins now.
    fn next(&self) -> Option<(u64, Ask)> {
        let mut seen = self.seen();
        let run = seen.runs.iter_mut();
        let run = run.into_iter().find(|run| run.state == RunState::Waiting)?;
        run.state = RunState::Running;
        Some((run.id, run.ask.clone()))
    }

    fn note(&self, id: u64, change: impl FnOnce(&mut Run)) {
        if let Some(run) = self.seen().runs.iter_mut().find(|run| run.id == id) {
            change(run);
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        // Each change of it is whole by itself.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> i64 {
        micros((self.store.0.clock)())
    }
}

impl Collector for Collection {
    fn check(&self, ask: &Ask) -> Result<()> {
        if let Some(why) = self.refused
            && !ask.dry_run
        {
            return Err(Error::new(Code::Unsupported, why));
        }
        let waiting = |run: &&Run| run.state == RunState::Waiting;
        if self.seen().runs.iter().filter(waiting).count() >= WAITING {
            return Err(Error::new(
                Code::TooManyRequests,
                "many runs of collection wait already; ask again when some of them are done",
            ));
        }
        Ok(())
    }

    fn ask(&self, ask: Ask, by: &str) -> Run {
        let asked = self.now();
        let mut seen = self.seen();
        seen.last += 1;
        let run = Run {
            id: seen.last,
            ask,
            by: by.to_owned(),
            asked,
            state: RunState::Waiting,
            ended: None,
            report: Report::default(),
            failure: None,
        };
        seen.runs.push_back(run.clone());
        let over = seen.runs.len().saturating_sub(KEPT);
        for _ in 0..over {
            seen.runs.pop_front_if(|run| run.ended.is_some());
        }
        drop(seen);
        self.wake.notify_one();
        run
    }

    fn runs(&self) -> Vec<Run> {
        self.seen().runs.iter().rev().cloned().collect()
    }

    fn stats(&self) -> GcStats {
        self.store.gc_stats()
    }
}
