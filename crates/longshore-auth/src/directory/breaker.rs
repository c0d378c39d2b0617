//! Leaving a directory alone for a while that does not answer.
//!
//! Each login that waits for a dead directory waits for the whole time limit. So after a failure others are told at once,
//! for a few seconds that double with each failure in a row; then one may try.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// The first pause.
const PAUSE: Duration = Duration::from_secs(5);
/// The longest.
const PAUSE_MAX: Duration = Duration::from_mins(1);

/// Whether a directory may be asked.
#[derive(Debug, Default)]
pub(crate) struct Breaker(Mutex<Option<Open>>);

/// What is known of a directory that failed.
#[derive(Debug, Clone, Copy)]
struct Open {
    failed: SystemTime,
    pause: Duration,
}

impl Open {
    /// Whether its pause goes on. A login that began before the failure, and comes to it after, is in the pause as well; a clock that was
    /// set back makes that no longer.
    fn rests(self, now: SystemTime) -> bool {
        match now.duration_since(self.failed) {
            Ok(since) => since < self.pause,
            Err(early) => early.duration() <= self.pause,
        }
    }
}

impl Breaker {
    /// Whether it is left alone now; nothing is changed by looking.
    pub(crate) fn pauses(&self, now: SystemTime) -> bool {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.is_some_and(|open| open.rests(now))
    }

    /// Whether it may be asked. Of those that come after a pause the first may, and the next when that one failed or a
    /// further pause is over.
    pub(crate) fn lets(&self, now: SystemTime) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match state.as_mut() {
            None => true,
            Some(open) if open.rests(now) => false,
            Some(open) => {
                open.failed = now;
                true
            }
        }
    }

    /// It answered.
    pub(crate) fn answered(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// It did not answer.
    pub(crate) fn failed(&self, now: SystemTime) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let pause = state.map_or(PAUSE, |open| (open.pause * 2).min(PAUSE_MAX));
        *state = Some(Open { failed: now, pause });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_900_000_000 + seconds)
    }

    #[test]
    fn after_a_failure_nobody_asks_for_a_while_and_then_one_does() {
        let breaker = Breaker::default();
        assert!(breaker.lets(at(0)) && breaker.lets(at(0)));
        breaker.failed(at(0));
        assert!(!breaker.lets(at(0)) && !breaker.lets(at(4)));
        assert!(breaker.pauses(at(4)) && !breaker.pauses(at(5)));
        assert!(breaker.lets(at(5)), "one tries");
        assert!(!breaker.lets(at(5)), "and the others wait for it");
        breaker.failed(at(6));
        assert!(
            !breaker.lets(at(15)) && breaker.lets(at(16)),
            "the pause doubles"
        );
        breaker.answered();
        assert!(breaker.lets(at(16)) && breaker.lets(at(16)));
    }

    #[test]
    fn the_pause_has_an_end_and_a_clock_that_was_set_back_does_not_make_it_longer() {
        let breaker = Breaker::default();
        for _ in 0..100 {
            breaker.failed(at(1000));
        }
        assert!(!breaker.lets(at(1059)) && breaker.lets(at(1060)));
        breaker.failed(at(1060));
        assert!(breaker.lets(at(0)));
    }
}
