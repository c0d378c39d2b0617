//! How often one address may ask for what strangers may ask for: accounts, mail, new passwords.
//!
//! Counted by address alone, never by whom it is about: whoever asks in somebody's name uses up nothing of theirs.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use crate::throttle::network;

/// The most addresses that are remembered.
const MOST: usize = 65_536;

/// So many times in so long, for each address.
#[derive(Debug)]
pub struct Pace {
    most: u32,
    within: Duration,
    counts: Mutex<HashMap<IpAddr, (SystemTime, u32)>>,
}

impl Pace {
    /// At most `most` times within `within`.
    pub fn new(most: u32, within: Duration) -> Self {
        Pace {
            most,
            within,
            counts: Mutex::new(HashMap::new()),
        }
    }

    /// Counts one. An IPv6 customer's addresses count together.
    ///
    /// # Errors
    /// How long to wait: it was too often.
    pub fn take(&self, peer: IpAddr, now: SystemTime) -> Result<(), Duration> {
        let key = network(peer);
        // A clock that was set back begins anew, and does not keep anybody waiting until it has caught up.
        let age = |since: SystemTime| {
            now.duration_since(since)
                .ok()
                .filter(|it| *it < self.within)
        };
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= MOST && !counts.contains_key(&key) {
            counts.retain(|_, (since, _)| age(*since).is_some());
            // Whoever has so many addresses gets more tries by them anyway; what is bounded is the memory.
            let mut surplus = counts.len().saturating_sub(MOST / 8 * 7);
            counts.retain(|_, _| {
                let stays = surplus == 0;
                surplus = surplus.saturating_sub(1);
                stays
            });
        }
        let count = counts.entry(key).or_insert((now, 0));
        match age(count.0) {
            Some(age) if count.1 >= self.most => Err(self.within.saturating_sub(age)),
            Some(_) => {
                count.1 += 1;
                Ok(())
            }
            None => {
                *count = (now, 1);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn an_address_waits_when_it_asked_too_often_and_no_other_does() {
        let pace = Pace::new(3, Duration::from_hours(1));
        let now = SystemTime::UNIX_EPOCH + Duration::from_hours(500_000);
        let (one, two): (IpAddr, IpAddr) = ([10, 0, 0, 1].into(), [10, 0, 0, 2].into());
        for _ in 0..3 {
            assert!(pace.take(one, now).is_ok());
        }
        let later = now + Duration::from_mins(20);
        assert_eq!(pace.take(one, later), Err(Duration::from_mins(40)));
        assert!(pace.take(two, later).is_ok());
        assert!(pace.take(one, now + Duration::from_hours(1)).is_ok());
        // An IPv6 customer is one; a clock that was set back forgives.
        let six = |last: u16| IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, last]);
        for last in 0..3 {
            assert!(pace.take(six(last), now).is_ok());
        }
        assert!(pace.take(six(9), now).is_err());
        assert!(pace.take(six(9), now - Duration::from_mins(5)).is_ok());
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let pace = Pace::new(1, Duration::from_hours(1));
        let now = SystemTime::UNIX_EPOCH + Duration::from_hours(500_000);
        for at in 0..200_000_u32 {
            pace.take(Ipv4Addr::from_bits(at).into(), now).unwrap();
        }
        assert!(pace.counts.lock().unwrap().len() <= MOST);
    }
}
