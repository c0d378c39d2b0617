//! Watches an HTTP/2 connection from outside.
//!
//! hyper has no limit for a client that finishes the TLS handshake and never sends a preface, none for one that opens
//! no stream, and none for one whose streams stand still with a closed window. (Over HTTP/1 the screen and hyper's own
//! header timer see to it.) The watch keeps one stamp of the last thing that happened, and looks at it seldom.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::options::Timeouts;

/// What happens on one connection.
#[derive(Debug)]
pub(super) struct Activity {
    start: Instant,
    /// Milliseconds from `start` to the last event.
    last: AtomicU64,
    in_flight: AtomicUsize,
    any_request: AtomicBool,
}

/// What the guard finds wrong with a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// There never was a request.
    Mute,
    /// There is no request now, and was none for long.
    Idle,
    /// There are requests, and none of them moves.
    Stuck,
}

impl Activity {
    pub(super) fn new() -> Self {
        Self {
            start: Instant::now(),
            last: AtomicU64::new(0),
            in_flight: AtomicUsize::new(0),
            any_request: AtomicBool::new(false),
        }
    }

    /// Something happened.
    pub(super) fn touch(&self) {
        let since = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.store(since, Ordering::Relaxed);
    }

    /// A request came in; it is in flight until the result is dropped.
    pub(super) fn takes_off(self: &Arc<Self>) -> Flight {
        self.any_request.store(true, Ordering::Relaxed);
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        self.touch();
        Flight(Arc::clone(self))
    }

    /// Waits until there is something wrong.
    pub(super) async fn watch(&self, timeouts: &Timeouts) -> Fault {
        loop {
            let quiet = self
                .start
                .elapsed()
                .saturating_sub(Duration::from_millis(self.last.load(Ordering::Relaxed)));
            let (limit, fault) = if !self.any_request.load(Ordering::Relaxed) {
                (timeouts.head, Fault::Mute)
            } else if self.in_flight.load(Ordering::Relaxed) == 0 {
                (timeouts.idle, Fault::Idle)
            } else {
                (timeouts.stuck, Fault::Stuck)
            };
            if quiet >= limit {
                return fault;
            }
            // A shorter limit may begin to hold meanwhile: never sleep longer than the shortest.
            let rest = limit
                .saturating_sub(quiet)
                .min(timeouts.idle)
                .max(Duration::from_millis(1));
            tokio::time::sleep(rest).await;
        }
    }
}

/// One request in flight.
#[derive(Debug)]
pub(super) struct Flight(Arc<Activity>);

impl Flight {
    pub(super) fn touch(&self) {
        self.0.touch();
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.0.touch();
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_mute_then_idle_then_stuck_after_the_limit_of_each() {
        let timeouts = Timeouts::default();
        let activity = Arc::new(Activity::new());
        let start = Instant::now();
        assert_eq!(activity.watch(&timeouts).await, Fault::Mute);
        assert_eq!(start.elapsed().as_secs(), 10);

        drop(activity.takes_off());
        let start = Instant::now();
        assert_eq!(activity.watch(&timeouts).await, Fault::Idle);
        assert_eq!(start.elapsed().as_secs(), 75);

        let _flight = activity.takes_off();
        let start = Instant::now();
        assert_eq!(activity.watch(&timeouts).await, Fault::Stuck);
        assert_eq!(start.elapsed().as_secs(), 600);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_moves_keeps_its_connection_alive() {
        let timeouts = Timeouts::default();
        let activity = Arc::new(Activity::new());
        let flight = activity.takes_off();
        for _ in 0..10 {
            let quiet = Duration::from_secs(500);
            assert!(
                tokio::time::timeout(quiet, activity.watch(&timeouts))
                    .await
                    .is_err()
            );
            flight.touch();
        }
    }
}
