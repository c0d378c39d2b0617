//! When something ends of which the operator says how long it lives.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;

/// The last second of the year 9999, since the Unix epoch: no later time can be written down in the answers.
const LAST: u64 = 253_402_300_799;

/// When what lives for so many seconds from `now` on ends; none: never.
///
/// # Errors
/// As [`after`].
pub(super) fn ends(now: SystemTime, lives: Option<u64>) -> anyhow::Result<Option<SystemTime>> {
    lives.map(|secs| after(now, secs)).transpose()
}

/// The time so many seconds after `now`.
///
/// # Errors
/// It is so far away that it cannot be told. It is not taken for never: that has a word of its own.
pub(super) fn after(now: SystemTime, secs: u64) -> anyhow::Result<SystemTime> {
    let end = now.checked_add(Duration::from_secs(secs));
    let since = end.and_then(|end| end.duration_since(UNIX_EPOCH).ok());
    let is_told = since.is_some_and(|since| since.as_secs() <= LAST);
    end.filter(|_| is_told)
        .context("that ends after the year 9999: give a shorter time, or `never`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_too_late_is_refused_and_never_is_said() {
        let at = |secs| UNIX_EPOCH + Duration::from_secs(secs);
        let now = at(1_000);
        assert_eq!(ends(now, None).unwrap(), None);
        assert_eq!(ends(now, Some(5)).unwrap(), Some(at(1_005)));
        assert_eq!(after(now, LAST - 1_000).unwrap(), at(LAST));
        for secs in [LAST - 999, u64::MAX / 1_000_000, u64::MAX] {
            let said = ends(now, Some(secs)).unwrap_err().to_string();
            assert!(said.contains("the year 9999"), "{secs}: {said}");
        }
    }
}
