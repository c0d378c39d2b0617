//! A bound on the work that strangers can cause by sending passwords.
//!
//! A password hash is slow on purpose. A few run at a time, on threads that block; a queue of fixed length waits for
//! them; whoever comes after that is told to come back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Semaphore;

use crate::options::Limits;

/// The queue is full, or the process is stopping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Busy;

/// Runs hashes, a few at a time.
#[derive(Debug)]
pub(crate) struct Hashing {
    running: Arc<Semaphore>,
    admitted: Arc<Semaphore>,
    started: AtomicU64,
}

impl Hashing {
    pub(crate) fn new(limits: &Limits) -> Self {
        let running = limits.password_checks.clamp(1, Semaphore::MAX_PERMITS);
        let admitted = running
            .saturating_add(limits.password_queue)
            .min(Semaphore::MAX_PERMITS);
        Hashing {
            running: Arc::new(Semaphore::new(running)),
            admitted: Arc::new(Semaphore::new(admitted)),
            started: AtomicU64::new(0),
        }
    }

    /// How many hashes were started so far.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "what the tests of work done for strangers count")
    )]
    pub(crate) fn started(&self) -> u64 {
        self.started.load(Ordering::Relaxed)
    }

    /// Runs `work` on a thread that may block. Dropped midway, work that was started goes on and keeps its place, so
    /// hanging up does not buy more.
    ///
    /// # Errors
    /// The queue is full.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Busy> {
        let admitted = Arc::clone(&self.admitted)
            .try_acquire_owned()
            .map_err(|_| Busy)?;
        let running = Arc::clone(&self.running)
            .acquire_owned()
            .await
            .map_err(|_| Busy)?;
        self.started.fetch_add(1, Ordering::Relaxed);
        tokio::task::spawn_blocking(move || {
            let done = work();
            drop((running, admitted));
            done
        })
        .await
        .map_err(|_| Busy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;
    use std::sync::mpsc;

    #[tokio::test]
    async fn some_run_some_wait_and_the_next_is_told_to_come_back() {
        for (running, waiting) in [(4, 64), (2, 3), (1, 0)] {
            let limits = Limits {
                password_checks: running,
                password_queue: waiting,
                ..Limits::default()
            };
            fill(Arc::new(Hashing::new(&limits)), running, waiting).await;
        }
    }

    async fn fill(hashing: Arc<Hashing>, running: usize, waiting: usize) {
        let (release, gate) = mpsc::channel::<()>();
        let gate = Arc::new(Mutex::new(gate));
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..running + waiting {
            let (hashing, gate) = (Arc::clone(&hashing), Arc::clone(&gate));
            tasks.spawn(async move {
                hashing
                    .run(move || gate.lock().unwrap().recv().is_ok())
                    .await
            });
        }
        while hashing.admitted.available_permits() > 0 || hashing.started() < running as u64 {
            tokio::task::yield_now().await;
        }
        assert_eq!(hashing.started(), running as u64);
        assert_eq!(hashing.run(|| ()).await, Err(Busy));
        drop(release);
        while let Some(done) = tasks.join_next().await {
            assert_eq!(done.unwrap(), Ok(false));
        }
        assert_eq!(hashing.run(|| 7).await, Ok(7));
        assert_eq!(hashing.started(), (running + waiting + 1) as u64);
    }
}
