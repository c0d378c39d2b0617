//! Rests between pieces of work: requests come first.
//!
//! A piece takes a processor, and sometimes the writer's turn, from requests that come just then. How much later those are answered
//! depends on how long a piece is, and how many of them there are on how many pieces: so pieces are short, and while there are requests
//! they are a hundredth of the time, so that about one request in a hundred meets one, and the slowest of a hundred is as it was. (With
//! rests of 100 ms, a twenty-fifth of the time, it was 1.2 times that.) Where nobody asks for anything, only the share counts.

use std::time::Duration;

/// So much work is a piece, in microseconds.
const PIECE: i64 = 4_000;
/// The shortest rest while there are requests, in microseconds.
const BREATH: i64 = 400_000;
/// The longest rest, in microseconds.
const REST: i64 = 2_000_000;

/// When one run rests, and for how long.
#[derive(Debug)]
pub(super) struct Pace {
    /// The share of the time that may be worked, in thousandths; none: all of it.
    share: Option<u32>,
    /// What was worked since the last rest, in microseconds.
    worked: i64,
    /// How many requests there had been by then.
    requests: u64,
}

impl Pace {
    pub(super) fn new(share: Option<u32>, requests: u64) -> Self {
        Self {
            share,
            worked: 0,
            requests,
        }
    }

    /// The rest that is due after another `worked` microseconds, if one is; so many `requests` have come in all.
    pub(super) fn after(&mut self, worked: i64, requests: u64) -> Option<Duration> {
        let share = i64::from(self.share?.clamp(1, 1000));
        self.worked = self.worked.saturating_add(worked.max(0));
        if self.worked < PIECE {
            return None;
        }
        let of_share = self.worked.saturating_mul(1000 - share) / share;
        let is_busy = self.requests != requests;
        let least = if is_busy { BREATH } else { 0 };
        (self.worked, self.requests) = (0, requests);
        let rest = of_share.max(least).min(REST);
        (rest > 0).then(|| Duration::from_micros(rest.unsigned_abs()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alone_it_works_for_its_share_of_the_time() {
        let mut pace = Pace::new(Some(250), 7);
        assert_eq!(pace.after(3_400, 7), None, "no piece yet");
        assert_eq!(pace.after(600, 7), Some(Duration::from_millis(12)));
        assert_eq!(pace.after(5_000_000, 7), Some(Duration::from_secs(2)));
        assert_eq!(Pace::new(Some(1000), 0).after(9_000, 0), None);
    }

    #[test]
    fn beside_requests_it_rests_longer() {
        let mut pace = Pace::new(Some(1000), 0);
        assert_eq!(pace.after(3_999, 5), None);
        assert_eq!(pace.after(1, 6), Some(Duration::from_millis(400)));
        assert_eq!(pace.after(4_000, 6), None, "they have gone");
        let mut pace = Pace::new(Some(5), 0);
        assert_eq!(pace.after(4_000, 1), Some(Duration::from_millis(796)));
    }

    #[test]
    fn who_is_in_a_hurry_does_not_rest() {
        assert_eq!(Pace::new(None, 0).after(9_000_000, 4), None);
    }
}
