//! How many requests one user may have under way.
//!
//! One login with many connections must not take the registry from everybody else. Callers without a name are not
//! counted: only their address tells one from another, and the server bounds the connections of an address.
//!
//! Whoever comes when all places are taken waits for a second. Common clients try again at once when they are told 429,
//! and give up after a few times, so a short wait is what gets a pull of many small layers through. As many may wait as
//! may be under way, which bounds what is held for a user in all; a user without requests is not remembered.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// How long a request waits for a place.
const PATIENCE: Duration = Duration::from_secs(1);

/// The places of all users.
pub(super) struct Places {
    each: usize,
    users: Mutex<HashMap<Arc<str>, User>>,
}

struct User {
    /// Requests that have a place or wait for one.
    here: usize,
    free: Arc<Semaphore>,
}

/// The place of one request, free again when it is dropped.
pub(super) struct Place {
    /// Before the stay: a place is given back to a user who is still known.
    _permit: OwnedSemaphorePermit,
    _stay: Stay,
}

/// A request that is counted among those of its user.
struct Stay {
    places: Arc<Places>,
    name: Arc<str>,
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Place(..)")
    }
}

impl Places {
    /// Places for `each` requests of every user; at least one.
    pub(super) fn new(each: usize) -> Arc<Self> {
        Arc::new(Self {
            each: each.clamp(1, Semaphore::MAX_PERMITS),
            users: Mutex::default(),
        })
    }

    /// How many requests each user may have under way.
    pub(super) fn each(&self) -> usize {
        self.each
    }

    /// A place for a request of the user called `name`; none where there was none for a second, or too many wait
    /// already. Dropped midway, nothing stays taken.
    pub(super) async fn take(self: &Arc<Self>, name: &Arc<str>) -> Option<Place> {
        let (stay, free) = self.come(name)?;
        let permit = match Arc::clone(&free).try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => timeout(PATIENCE, free.acquire_owned()).await.ok()?.ok()?,
        };
        Some(Place {
            _permit: permit,
            _stay: stay,
        })
    }

    fn come(self: &Arc<Self>, name: &Arc<str>) -> Option<(Stay, Arc<Semaphore>)> {
        let mut users = self.lock();
        let user = users.entry(Arc::clone(name)).or_insert_with(|| User {
            here: 0,
            free: Arc::new(Semaphore::new(self.each)),
        });
        if user.here >= self.each.saturating_mul(2) {
            return None;
        }
        user.here += 1;
        let stay = Stay {
            places: Arc::clone(self),
            name: Arc::clone(name),
        };
        Some((stay, Arc::clone(&user.free)))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<str>, User>> {
        self.users.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Stay {
    fn drop(&mut self) {
        let mut users = self.places.lock();
        if let Entry::Occupied(mut user) = users.entry(Arc::clone(&self.name)) {
            user.get_mut().here -= 1;
            if user.get().here == 0 {
                user.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{Instant, sleep};

    use super::*;

    fn known(places: &Places) -> usize {
        places.lock().len()
    }

    #[tokio::test(start_paused = true)]
    async fn one_more_than_the_bound_waits_for_a_second_and_is_turned_away() {
        let (places, alice) = (Places::new(2), Arc::from("alice"));
        let first = places.take(&alice).await.unwrap();
        let _second = places.take(&alice).await.unwrap();
        let asked = Instant::now();
        assert!(places.take(&alice).await.is_none());
        assert_eq!(asked.elapsed(), PATIENCE);
        assert!(
            places.take(&Arc::from("bob")).await.is_some(),
            "one user's places are nobody else's"
        );
        drop(first);
        assert!(places.take(&alice).await.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_gets_the_place_that_becomes_free() {
        let (places, alice) = (Places::new(1), Arc::from("alice"));
        let first = places.take(&alice).await.unwrap();
        let free_soon = async {
            sleep(Duration::from_millis(900)).await;
            drop(first);
        };
        let asked = Instant::now();
        let (second, ()) = tokio::join!(places.take(&alice), free_soon);
        assert!(second.is_some());
        assert_eq!(asked.elapsed(), Duration::from_millis(900));
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_wait_than_may_be_under_way() {
        let (places, alice) = (Places::new(2), Arc::from("alice"));
        let mut under_way = Vec::new();
        for _ in 0..2 {
            under_way.push(places.take(&alice).await.unwrap());
        }
        let two_wait = async { tokio::join!(places.take(&alice), places.take(&alice)) };
        let asked = async {
            tokio::task::yield_now().await;
            let start = Instant::now();
            let third = places.take(&alice).await;
            drop(under_way);
            (third.is_none(), start.elapsed())
        };
        let ((one, other), third) = tokio::join!(two_wait, asked);
        assert_eq!(third, (true, Duration::ZERO), "it is told so at once");
        assert!(one.is_some() && other.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_user_whose_requests_have_ended_is_forgotten_also_where_one_gave_up_waiting() {
        let (places, alice) = (Places::new(1), Arc::from("alice"));
        let place = places.take(&alice).await.unwrap();
        assert!(
            timeout(Duration::from_millis(10), places.take(&alice))
                .await
                .is_err(),
            "the client hung up"
        );
        assert_eq!(known(&places), 1);
        drop(place);
        assert_eq!(known(&places), 0);
        assert!(places.take(&alice).await.is_some());
    }
}
