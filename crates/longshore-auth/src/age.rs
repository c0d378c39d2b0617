//! Ages by the wall clock.
//!
//! Requests carry the time at which they came in, so a later one may be looked at first, and an administrator may set
//! the clock back. Both are met by asking how far two times are apart, whichever comes first: a moment's disorder changes
//! nothing, and what lies an hour in the future is as far away as what lies an hour in the past.

use std::time::{Duration, SystemTime};

/// How far apart two times are.
pub(crate) fn apart(a: SystemTime, b: SystemTime) -> Duration {
    a.duration_since(b)
        .unwrap_or_else(|turned| turned.duration())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_two_times_does_not_matter() {
        let late = SystemTime::UNIX_EPOCH + Duration::from_secs(5);
        assert_eq!(apart(late, SystemTime::UNIX_EPOCH), Duration::from_secs(5));
        assert_eq!(apart(SystemTime::UNIX_EPOCH, late), Duration::from_secs(5));
    }
}
