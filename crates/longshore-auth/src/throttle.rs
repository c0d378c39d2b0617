//! Slowing down whoever guesses passwords.
//!
//! Failures are counted for the pair of account and address and for the address alone, never for the account alone: a
//! stranger who guesses at somebody's account must not lock its owner out elsewhere. Over the limit each further attempt
//! has to wait, 30 seconds at first and twice as long after each failure, up to 15 minutes.
//!
//! Attempts under way count as failures until they end, so that many at once buy no more than one after the other.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hash};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use crate::age::apart;

/// Failures for one account from one address before it has to wait.
const ACCOUNT_LIMIT: u32 = 10;
/// Failures from one address, over all accounts.
const ADDRESS_LIMIT: u32 = 100;
/// Failures are forgotten when so much time has passed without another.
const WINDOW: Duration = Duration::from_mins(15);
const FIRST_WAIT: Duration = Duration::from_secs(30);
const LONGEST_WAIT: Duration = Duration::from_mins(15);
/// Attempts under way from one address: half of what can wait for a hash, so that nobody fills the queue alone.
const MOST_AT_ONCE: u32 = 32;
/// Where only attempts under way are in the way.
const SHORT_WAIT: Duration = Duration::from_secs(1);
/// The most keys that are kept, some 100 bytes each.
const MAX_KEYS: usize = 65_536;

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    /// The account as a keyed hash: its name is a stranger's text of any length.
    Account(u64, IpAddr),
    Address(IpAddr),
}

impl Key {
    fn limit(self) -> u32 {
        match self {
            Key::Account(..) => ACCOUNT_LIMIT,
            Key::Address(_) => ADDRESS_LIMIT,
        }
    }
}

struct Count {
    failures: u32,
    under_way: u32,
    last: SystemTime,
    /// The end of the wait, and how long it was.
    wait: Option<(SystemTime, Duration)>,
}

impl Count {
    /// How much of a wait is left. A wall clock that was set back must not make it longer than any wait is.
    fn left(&self, now: SystemTime) -> Option<Duration> {
        let (until, _) = self.wait?;
        let left = until.duration_since(now).ok()?;
        (!left.is_zero() && left <= LONGEST_WAIT).then_some(left)
    }

    /// Whether nothing has happened for the window, counted from the end of the wait where there is one: whoever sits
    /// out a wait and fails again is not a newcomer.
    fn is_old(&self, now: SystemTime) -> bool {
        let quiet_since = self
            .wait
            .map_or(self.last, |(until, _)| until.max(self.last));
        self.under_way == 0 && self.left(now).is_none() && apart(now, quiet_since) >= WINDOW
    }
}

/// The failures of the last quarter of an hour.
pub(crate) struct Throttle {
    counts: Mutex<HashMap<Key, Count>>,
    hasher: RandomState,
}

/// An attempt under way. Dropped without [`Attempt::end`] it counts neither as failure nor as success: nobody learned
/// anything from it.
pub(crate) struct Attempt<'a> {
    throttle: &'a Throttle,
    keys: [Key; 2],
}

/// An IPv6 customer has at least 2^64 addresses, so these count together.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        v4 @ IpAddr::V4(_) => v4,
    }
}

impl Throttle {
    pub(crate) fn new() -> Self {
        Throttle {
            counts: Mutex::new(HashMap::new()),
            hasher: RandomState::new(),
        }
    }

    fn keys(&self, account: &str, peer: IpAddr) -> [Key; 2] {
        let address = network(peer);
        [
            Key::Account(self.hasher.hash_one(account), address),
            Key::Address(address),
        ]
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Count>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long `account` at `peer` has to wait before the next attempt; none when it may try.
    pub(crate) fn wait(&self, account: &str, peer: IpAddr, now: SystemTime) -> Option<Duration> {
        let keys = self.keys(account, peer);
        let counts = self.lock();
        keys.iter()
            .filter_map(|key| Self::wait_of(&counts, *key, now))
            .max()
    }

    fn wait_of(counts: &HashMap<Key, Count>, key: Key, now: SystemTime) -> Option<Duration> {
        let count = counts.get(&key)?;
        if let Some(left) = count.left(now) {
            return Some(left);
        }
        let failures = if count.is_old(now) { 0 } else { count.failures };
        // Past the limit one attempt at a time, below it as many as could all fail, if not all that can be queued.
        let room = key.limit().saturating_sub(failures).clamp(1, MOST_AT_ONCE);
        (count.under_way >= room).then_some(SHORT_WAIT)
    }

    /// Takes a seat for one attempt.
    ///
    /// # Errors
    /// How long to wait.
    pub(crate) fn begin(
        &self,
        account: &str,
        peer: IpAddr,
        now: SystemTime,
    ) -> Result<Attempt<'_>, Duration> {
        let keys = self.keys(account, peer);
        let mut counts = self.lock();
        if let Some(wait) = keys
            .iter()
            .filter_map(|key| Self::wait_of(&counts, *key, now))
            .max()
        {
            return Err(wait);
        }
        for key in keys {
            make_room(&mut counts, key, now);
            let count = counts.entry(key).or_insert(Count {
                failures: 0,
                under_way: 0,
                last: now,
                wait: None,
            });
            if count.is_old(now) {
                (count.failures, count.wait) = (0, None);
            }
            count.under_way += 1;
        }
        drop(counts);
        Ok(Attempt {
            throttle: self,
            keys,
        })
    }
}

/// Keeps the table within its bound. What is old goes first, then part of what does not wait, then part of the rest: a
/// stranger with so many addresses pushes out little but his own. Each pass frees an eighth, so that its cost is shared
/// by the thousands of attempts until the next.
fn make_room(counts: &mut HashMap<Key, Count>, key: Key, now: SystemTime) {
    if counts.len() < MAX_KEYS || counts.contains_key(&key) {
        return;
    }
    let goal = MAX_KEYS / 8 * 7;
    counts.retain(|_, count| !count.is_old(now));
    for spare_waiting in [true, false] {
        let mut surplus = counts.len().saturating_sub(goal);
        counts.retain(|_, count| {
            let stays = surplus == 0 || (spare_waiting && count.left(now).is_some());
            surplus -= usize::from(!stays);
            stays
        });
    }
}

impl Attempt<'_> {
    /// Counts how the attempt went. A success clears the account's failures at this address, but not the address's:
    /// one valid account would buy guesses at all others.
    pub(crate) fn end(self, good: bool, now: SystemTime) {
        let [account, _] = self.keys;
        let mut counts = self.throttle.lock();
        if good {
            if let Some(count) = counts.get_mut(&account) {
                (count.failures, count.wait) = (0, None);
            }
            return;
        }
        for key in self.keys {
            let Some(count) = counts.get_mut(&key) else {
                continue;
            };
            count.failures = count.failures.saturating_add(1);
            count.last = now;
            if count.failures >= key.limit() {
                let wait = count
                    .wait
                    .map_or(FIRST_WAIT, |(_, before)| (before * 2).min(LONGEST_WAIT));
                count.wait = Some((now + wait, wait));
            }
        }
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        let mut counts = self.throttle.lock();
        for key in self.keys {
            if let Some(count) = counts.get_mut(&key) {
                count.under_way = count.under_way.saturating_sub(1);
                if count.under_way == 0 && count.failures == 0 {
                    counts.remove(&key);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const AWAY: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 + seconds)
    }

    fn fail(throttle: &Throttle, account: &str, peer: IpAddr, now: SystemTime) -> Result<(), u64> {
        throttle
            .begin(account, peer, now)
            .map(|attempt| attempt.end(false, now))
            .map_err(|wait| wait.as_secs())
    }

    #[test]
    fn after_ten_failures_the_wait_doubles_from_thirty_seconds_to_fifteen_minutes() {
        let throttle = Throttle::new();
        for _ in 0..10 {
            assert_eq!(fail(&throttle, "alice", HOME, at(0)), Ok(()));
        }
        let mut now = 0;
        for wait in [30, 60, 120, 240, 480, 900, 900] {
            assert_eq!(fail(&throttle, "alice", HOME, at(now)), Err(wait));
            assert_eq!(fail(&throttle, "alice", HOME, at(now + wait - 1)), Err(1));
            now += wait;
            assert_eq!(
                fail(&throttle, "alice", HOME, at(now)),
                Ok(()),
                "one attempt after the wait"
            );
        }
    }

    #[test]
    fn the_victim_still_logs_in_from_another_address_and_others_from_the_same_one() {
        let throttle = Throttle::new();
        for _ in 0..10 {
            fail(&throttle, "alice", HOME, at(0)).unwrap();
        }
        assert!(fail(&throttle, "alice", HOME, at(1)).is_err());
        assert!(throttle.begin("alice", AWAY, at(1)).is_ok());
        assert!(throttle.begin("bob", HOME, at(1)).is_ok());
    }

    #[test]
    fn spraying_over_accounts_stops_at_a_hundred_and_a_success_buys_no_more() {
        let throttle = Throttle::new();
        for number in 0..100 {
            fail(&throttle, &format!("user{number}"), HOME, at(0)).unwrap();
            throttle
                .begin("mine", HOME, at(0))
                .map(|attempt| attempt.end(true, at(0)))
                .ok();
        }
        assert_eq!(fail(&throttle, "another", HOME, at(0)), Err(30));
        assert_eq!(fail(&throttle, "another", AWAY, at(0)), Ok(()));
    }

    #[test]
    fn attempts_at_once_buy_no_more_than_attempts_in_turn() {
        let throttle = Throttle::new();
        let open: Vec<_> = (0..10)
            .map(|_| throttle.begin("alice", HOME, at(0)).ok().unwrap())
            .collect();
        assert_eq!(fail(&throttle, "alice", HOME, at(0)), Err(1));
        drop(open);
        assert_eq!(
            fail(&throttle, "alice", HOME, at(0)),
            Ok(()),
            "those that broke off count for nothing"
        );
    }

    #[test]
    fn one_address_never_fills_the_queue_for_hashes() {
        let throttle = Throttle::new();
        let open: Vec<_> = (0..MOST_AT_ONCE)
            .map(|n| {
                throttle
                    .begin(&format!("user{n}"), HOME, at(0))
                    .ok()
                    .unwrap()
            })
            .collect();
        assert_eq!(throttle.begin("alice", HOME, at(0)).err(), Some(SHORT_WAIT));
        assert!(throttle.begin("alice", AWAY, at(0)).is_ok());
        drop(open);
        assert!(throttle.begin("alice", HOME, at(0)).is_ok());
    }

    #[test]
    fn failures_are_forgotten_after_a_quiet_quarter_of_an_hour_and_after_a_success() {
        let throttle = Throttle::new();
        for _ in 0..9 {
            fail(&throttle, "alice", HOME, at(0)).unwrap();
        }
        throttle
            .begin("alice", HOME, at(0))
            .ok()
            .unwrap()
            .end(true, at(0));
        for _ in 0..10 {
            fail(&throttle, "alice", HOME, at(0)).unwrap();
        }
        assert_eq!(fail(&throttle, "alice", HOME, at(0)), Err(30));
        for _ in 0..10 {
            assert_eq!(fail(&throttle, "alice", HOME, at(30 + 15 * 60)), Ok(()));
        }
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_lock_anybody_out() {
        let throttle = Throttle::new();
        for _ in 0..10 {
            fail(&throttle, "alice", HOME, at(100_000)).unwrap();
        }
        assert_eq!(fail(&throttle, "alice", HOME, at(0)), Ok(()));
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one_and_a_mapped_address_as_ipv4() {
        let one: IpAddr = "2001:db8::1".parse().unwrap();
        let other: IpAddr = "2001:db8::ffff:2".parse().unwrap();
        assert_eq!(network(one), network(other));
        assert_ne!(network(one), network("2001:db8:0:1::1".parse().unwrap()));
        assert_eq!(network("::ffff:192.0.2.1".parse().unwrap()), HOME);
    }

    #[test]
    fn the_table_stays_within_its_bound_whoever_comes() {
        let throttle = Throttle::new();
        for number in 0..70_000 {
            let peer = IpAddr::V4(std::net::Ipv4Addr::from_bits(number));
            fail(&throttle, "alice", peer, at(0)).unwrap();
        }
        assert!(throttle.lock().len() <= MAX_KEYS);
    }
}
