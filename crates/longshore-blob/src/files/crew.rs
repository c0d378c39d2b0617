//! Threads for work that would hold up others: hashing and writing large bodies, and waiting for the disk.
//!
//! Work comes in pieces of a few milliseconds that carry their own state, first come, first served. So a few threads serve
//! any number of uploads fairly, a sender that trickles holds none, and when nobody waits for a piece any more it is done
//! soon and leaves nothing behind.

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use longshore_core::{Error, Result};
use tokio::sync::oneshot;

/// How long a thread waits for work before it ends.
const IDLE: Duration = Duration::from_secs(10);

type Job = Box<dyn FnOnce() + Send>;

/// A bounded number of threads and the work that waits for them. Dropped, it ends when all work is done.
pub(crate) struct Crew(Arc<Shared>);

struct Shared {
    name: &'static str,
    most: usize,
    nice: i32,
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    threads: usize,
    idle: usize,
    closed: bool,
}

impl Crew {
    /// At most `most` threads, started when needed, at the priority `nice` (0 is that of the process, 19 the least).
    pub(crate) fn new(name: &'static str, most: usize, nice: i32) -> Self {
        let state = Mutex::default();
        Self(Arc::new(Shared {
            name,
            most,
            nice,
            state,
            wake: Condvar::new(),
        }))
    }

    /// Does `work` on one of the threads and returns what it gave. Work that has begun is finished also when the future is
    /// dropped.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        self.start(work)
            .await
            .map_err(|_| Error::internal("work on a storage thread was lost"))
    }

    /// Like [`Crew::run`], to be waited for later. The answer is an error when the work panicked or no thread can start.
    pub(crate) fn start<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> oneshot::Receiver<T> {
        let (answer, receiver) = oneshot::channel();
        // Nobody may be waiting any more.
        self.submit(Box::new(move || drop(answer.send(work()))));
        receiver
    }

    /// How many there are now.
    #[cfg(test)]
    pub(crate) fn threads(&self) -> usize {
        self.0.lock().threads
    }

    /// Does `work` some time soon, for nobody in particular.
    pub(crate) fn submit(&self, work: Job) {
        let mut state = self.0.lock();
        state.jobs.push_back(work);
        if state.idle >= state.jobs.len() || state.threads >= self.0.most {
            self.0.wake.notify_one();
            return;
        }
        state.threads += 1;
        let shared = Arc::clone(&self.0);
        let thread = thread::Builder::new()
            .name(self.0.name.to_owned())
            .spawn(move || shared.work());
        if let Err(error) = thread {
            state.threads -= 1;
            tracing::error!(%error, crew = self.0.name, "no thread can be started");
            if state.threads == 0 {
                // Nobody would ever do it: dropping it tells those who wait.
                let lost = std::mem::take(&mut state.jobs);
                drop(state);
                drop(lost);
            }
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        // Linux keeps a priority for each thread; asking for less of it is always allowed.
        if self.nice > 0
            && let Err(error) = rustix::process::setpriority_process(None, self.nice)
        {
            tracing::debug!(%error, "a thread keeps its priority");
        }
        let mut state = self.lock();
        loop {
            if let Some(job) = state.jobs.pop_front() {
                drop(state);
                // The panic is printed by the hook; the thread and what waits behind the job go on.
                let _ = catch_unwind(AssertUnwindSafe(job));
                state = self.lock();
                continue;
            }
            if state.closed {
                break;
            }
            state.idle += 1;
            let (woken, timeout) = self
                .wake
                .wait_timeout(state, IDLE)
                .unwrap_or_else(PoisonError::into_inner);
            state = woken;
            state.idle -= 1;
            if timeout.timed_out() && state.jobs.is_empty() {
                break;
            }
        }
        state.threads -= 1;
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.wake.notify_all();
    }
}

impl fmt::Debug for Crew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.0.lock();
        f.debug_struct("Crew")
            .field("name", &self.0.name)
            .field("threads", &state.threads)
            .field("waiting", &state.jobs.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn no_more_threads_than_allowed_do_all_the_work() {
        let crew = Crew::new("test", 3, 10);
        let (now, peak) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let work: Vec<_> = (0..50)
            .map(|n| {
                let (now, peak) = (Arc::clone(&now), Arc::clone(&peak));
                crew.start(move || {
                    peak.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    thread::sleep(Duration::from_millis(1));
                    now.fetch_sub(1, Ordering::SeqCst);
                    n
                })
            })
            .collect();
        for (n, answer) in work.into_iter().enumerate() {
            assert_eq!(answer.await.unwrap(), n);
        }
        assert!(
            (2..=3).contains(&peak.load(Ordering::SeqCst)),
            "{peak:?} at once"
        );
    }

    #[tokio::test]
    async fn a_panic_is_an_error_for_its_own_work_only() {
        let crew = Crew::new("test", 1, 0);
        let broken = crew.start(|| panic!("expected by the test"));
        let next = crew.start(|| 7);
        assert!(broken.await.is_err());
        assert_eq!(next.await.unwrap(), 7);
    }

    #[tokio::test]
    async fn threads_end_with_the_crew_and_what_was_begun_is_finished() {
        let crew = Crew::new("test", 2, 0);
        let shared = Arc::downgrade(&crew.0);
        let (last, _) = (
            crew.start(|| thread::sleep(Duration::from_millis(20))),
            crew.start(|| ()),
        );
        drop(crew);
        last.await.unwrap();
        while shared.strong_count() > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    #[tokio::test]
    async fn the_threads_of_a_nice_crew_are_nice_and_the_others_are_not() {
        let priority = || rustix::process::getpriority_process(None).unwrap();
        let before = priority();
        let nice = Crew::new("test", 1, 10).run(priority).await.unwrap();
        assert_eq!((nice, priority()), (10.max(before), before));
    }
}
