//! A seat for all who ask the same question at once: one of them finds the answer, the others wait for it.

use std::sync::Arc;

use quick_cache::sync::{Cache, EntryAction, EntryResult};

/// What is kept under `key`, or an empty one in the place of nothing or of what is stale. All who ask at once get the same.
pub(crate) fn at<T: Default>(
    kept: &Cache<[u8; 32], Arc<T>>,
    key: &[u8; 32],
    is_stale: impl FnOnce(&T) -> bool,
) -> Arc<T> {
    let found = kept.entry(key, None, |_, seat| {
        if is_stale(seat) {
            *seat = Arc::default();
        }
        EntryAction::Retain(Arc::clone(seat))
    });
    match found {
        EntryResult::Retained(seat) | EntryResult::Removed(_, seat) => seat,
        EntryResult::Vacant(place) | EntryResult::Replaced(place, _) => {
            let seat = Arc::default();
            // Nobody else can have filled it; if it was pushed out meanwhile, this answer is not remembered.
            let _ = place.insert(Arc::clone(&seat));
            seat
        }
        EntryResult::Timeout => Arc::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::OnceLock;

    #[test]
    fn all_who_ask_at_once_have_one_seat_until_it_is_stale() {
        let kept: Cache<[u8; 32], Arc<OnceLock<u8>>> = Cache::new(100);
        let first = at(&kept, &[1; 32], |_| true);
        first.set(1).unwrap();
        let again = at(&kept, &[1; 32], |seat| seat.get() == Some(&2));
        assert!(Arc::ptr_eq(&first, &again));
        let fresh = at(&kept, &[1; 32], |seat| seat.get() == Some(&1));
        assert!(fresh.get().is_none());
        assert!(Arc::ptr_eq(&fresh, &at(&kept, &[1; 32], |_| false)));
        assert!(!Arc::ptr_eq(&fresh, &at(&kept, &[2; 32], |_| false)));
    }
}
