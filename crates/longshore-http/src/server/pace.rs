//! Tells a peer that is slow from one that is waiting for us.
//!
//! A wall-clock limit would cut a push whenever our disk is slow, and a plain "time since the last byte" lets a client
//! hold a connection for ever with a byte a minute. So the clock runs only between a poll that found nothing to do
//! and the next one, and it is held against the bytes that moved meanwhile.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

use super::options::Floor;

/// The pace of one peer against its [`Floor`].
#[derive(Debug)]
pub(super) struct Pace {
    floor: Floor,
    grace: Duration,
    /// Waited since the last byte.
    quiet: Duration,
    /// Waited in this window.
    waited: Duration,
    /// Moved in this window.
    moved: u64,
    waiting_since: Option<Instant>,
    alarm: Option<Pin<Box<Sleep>>>,
}

/// The peer is below its [`Floor`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooSlow;

impl Pace {
    pub(super) fn new(floor: Floor) -> Self {
        Self {
            floor,
            grace: floor.grace,
            quiet: Duration::ZERO,
            waited: Duration::ZERO,
            moved: 0,
            waiting_since: None,
            alarm: None,
        }
    }

    /// The peer took or gave `bytes`.
    pub(super) fn moved(&mut self, bytes: usize) {
        self.count();
        self.quiet = Duration::ZERO;
        self.moved = self.moved.saturating_add(bytes as u64);
    }

    /// There is nothing to do until the peer does something: starts or goes on counting, and is ready when the peer
    /// has been too slow.
    pub(super) fn poll_wait(&mut self, cx: &mut Context<'_>) -> Poll<TooSlow> {
        loop {
            let now = self.count().unwrap_or_else(Instant::now);
            if self.is_too_slow() {
                return Poll::Ready(TooSlow);
            }
            self.waiting_since = Some(now);
            let rest = (self.floor.idle.saturating_sub(self.quiet))
                .min((self.floor.window + self.grace).saturating_sub(self.waited));
            let deadline = now + rest;
            let alarm = match &mut self.alarm {
                Some(alarm) => {
                    // Moving the alarm costs a lock in the timer wheel; an early ring only comes back here.
                    if alarm.deadline() > deadline || alarm.is_elapsed() {
                        alarm.as_mut().reset(deadline);
                    }
                    alarm
                }
                None => self
                    .alarm
                    .insert(Box::pin(tokio::time::sleep_until(deadline))),
            };
            match alarm.as_mut().poll(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(()) => {}
            }
        }
    }

    /// Adds the wait that ends now, if there was one.
    fn count(&mut self) -> Option<Instant> {
        let since = self.waiting_since.take()?;
        let now = Instant::now();
        let wait = now.saturating_duration_since(since);
        self.quiet += wait;
        self.waited += wait;
        Some(now)
    }

    fn is_too_slow(&mut self) -> bool {
        if self.quiet >= self.floor.idle {
            return true;
        }
        if self.waited < self.floor.window + self.grace {
            return false;
        }
        let slow = self.moved < self.floor.bytes;
        self.grace = Duration::ZERO;
        self.waited = Duration::ZERO;
        self.moved = 0;
        slow
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    const FLOOR: Floor = Floor {
        idle: Duration::from_secs(30),
        grace: Duration::from_secs(30),
        window: Duration::from_mins(1),
        bytes: 60 * 1024,
    };

    /// Waits for the peer for `secs`; says after how many it was found too slow.
    async fn wait(pace: &mut Pace, secs: u64) -> Option<u64> {
        let start = Instant::now();
        tokio::time::timeout(Duration::from_secs(secs), poll_fn(|cx| pace.poll_wait(cx)))
            .await
            .ok()
            .map(|TooSlow| start.elapsed().as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_says_nothing_is_slow_after_the_idle_limit() {
        let mut pace = Pace::new(FLOOR);
        assert_eq!(wait(&mut pace, 100).await, Some(30));
    }

    #[tokio::test(start_paused = true)]
    async fn a_byte_a_second_is_slow_once_grace_and_window_are_over() {
        let mut pace = Pace::new(FLOOR);
        for second in 0..200 {
            if wait(&mut pace, 1).await.is_some() {
                assert!((89..=90).contains(&second), "{second}");
                return;
            }
            pace.moved(1);
        }
        panic!("never found slow");
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_at_twice_the_rate_is_never_slow() {
        let mut pace = Pace::new(FLOOR);
        for _ in 0..1000 {
            assert_eq!(wait(&mut pace, 1).await, None);
            pace.moved(2048);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_a_peer_waits_for_us_is_not_held_against_it() {
        let mut pace = Pace::new(FLOOR);
        for _ in 0..100 {
            assert_eq!(wait(&mut pace, 1).await, None);
            pace.moved(2048);
            tokio::time::sleep(Duration::from_mins(5)).await;
        }
    }
}
