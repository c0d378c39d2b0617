//! Slowing down whoever guesses passwords.
//!
//! Failures are counted for the pair of account and address and for the address alone, never for the account alone: a
//! stranger who guesses at somebody's account must not lock its owner out elsewhere. Over the limit each further attempt
//! has to wait, and twice as long after each failure, up to a longest wait ([`Limits`]).
//!
//! Attempts under way count as failures until they end, so that many at once buy no more than one after the other.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hash};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use crate::age::apart;
use crate::options::Limits;

/// Where only attempts under way are in the way.
const SHORT_WAIT: Duration = Duration::from_secs(1);
/// A wait that nobody sits out. Longer ones would run off the end of the clock.
const FOR_EVER: Duration = Duration::from_hours(24 * 36_500);
/// The most keys that are kept, some 100 bytes each.
const MAX_KEYS: usize = 65_536;

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    /// The account as a keyed hash: its name is a stranger's text of any length.
    Account(u64, IpAddr),
    Address(IpAddr),
}

impl Key {
    /// The failures after which it has to wait.
    fn most(self, limits: &Limits) -> u32 {
        match self {
            Key::Account(..) => limits.failed_logins,
            Key::Address(_) => limits.failed_logins_per_ip,
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
    fn left(&self, now: SystemTime, limits: &Limits) -> Option<Duration> {
        let (until, _) = self.wait?;
        let left = until.duration_since(now).ok()?;
        (!left.is_zero() && left <= limits.failed_login_wait_max).then_some(left)
    }

    /// Whether nothing has happened for the window, counted from the end of the wait where there is one: whoever sits
    /// out a wait and fails again is not a newcomer.
    fn is_old(&self, now: SystemTime, limits: &Limits) -> bool {
        let quiet_since = self
            .wait
            .map_or(self.last, |(until, _)| until.max(self.last));
        self.under_way == 0
            && self.left(now, limits).is_none()
            && apart(now, quiet_since) >= limits.failed_logins_time
    }
}

/// The failures of the last while.
pub(crate) struct Throttle {
    counts: Mutex<HashMap<Key, Count>>,
    hasher: RandomState,
    limits: Limits,
    /// Attempts under way from one address: half of what can wait for a hash, so that nobody fills the queue alone.
    at_once: u32,
}

/// An attempt under way. Dropped without [`Attempt::end`] it counts neither as failure nor as success: nobody learned
/// anything from it.
pub(crate) struct Attempt<'a> {
    throttle: &'a Throttle,
    keys: [Key; 2],
}

/// An IPv6 customer has at least 2^64 addresses, so these count together.
pub(crate) fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        v4 @ IpAddr::V4(_) => v4,
    }
}

impl Throttle {
    pub(crate) fn new(limits: &Limits) -> Self {
        Throttle {
            counts: Mutex::new(HashMap::new()),
            hasher: RandomState::new(),
            limits: Limits {
                failed_login_wait_max: limits.failed_login_wait_max.min(FOR_EVER),
                ..limits.clone()
            },
            at_once: u32::try_from(limits.password_queue / 2).map_or(u32::MAX, |half| half.max(1)),
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
            .filter_map(|key| self.wait_of(&counts, *key, now))
            .max()
    }

    fn wait_of(&self, counts: &HashMap<Key, Count>, key: Key, now: SystemTime) -> Option<Duration> {
        let count = counts.get(&key)?;
        if let Some(left) = count.left(now, &self.limits) {
            return Some(left);
        }
        let failures = if count.is_old(now, &self.limits) {
            0
        } else {
            count.failures
        };
        // Past the limit one attempt at a time, below it as many as could all fail, if not all that can be queued.
        let room = key.most(&self.limits).saturating_sub(failures);
        let room = room.clamp(1, self.at_once);
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
            .filter_map(|key| self.wait_of(&counts, *key, now))
            .max()
        {
            return Err(wait);
        }
        for key in keys {
            make_room(&mut counts, key, now, &self.limits);
            let count = counts.entry(key).or_insert(Count {
                failures: 0,
                under_way: 0,
                last: now,
                wait: None,
            });
            if count.is_old(now, &self.limits) {
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
fn make_room(counts: &mut HashMap<Key, Count>, key: Key, now: SystemTime, limits: &Limits) {
    if counts.len() < MAX_KEYS || counts.contains_key(&key) {
        return;
    }
    let goal = MAX_KEYS / 8 * 7;
    counts.retain(|_, count| !count.is_old(now, limits));
    for spare_waiting in [true, false] {
        let mut surplus = counts.len().saturating_sub(goal);
        counts.retain(|_, count| {
            let stays = surplus == 0 || (spare_waiting && count.left(now, limits).is_some());
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
        let limits = &self.throttle.limits;
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
            if count.failures >= key.most(limits) {
                let wait = count.wait.map_or(limits.failed_login_wait, |(_, before)| {
                    before.saturating_mul(2)
                });
                let wait = wait.min(limits.failed_login_wait_max);
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
mod tests;
