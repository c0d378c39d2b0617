//! Whether the clock can be believed.
//!
//! Leases and the trash end by the clock. One that is set forward would end them all at once, one that is set back would be
//! set forward again. So time that has passed is compared with time that should have, and the latest time ever seen is kept
//! in the database. While the clock is not believed nothing is collected, which costs disk space and nothing else.
//!
//! Across a restart nobody can tell a clock that was set forward from a store that was closed for a while. So such a gap is
//! believed by itself, however long it is, but only after as much time as a lease lasts: whoever was promised something
//! before the restart is given that time again.

use std::time::Duration;

use longshore_meta::time::span;

/// How far the clock may be behind the latest time that was seen.
const BACK: Duration = Duration::from_secs(5);
/// How much more time than expected may have passed between two looks.
const AHEAD: Duration = Duration::from_hours(1);
/// A jump that is longer is not believed until an operator says so.
const LONG: Duration = Duration::from_hours(48);

/// What is known of the clock. Times are microseconds since the Unix epoch.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    /// The latest time that was believed.
    pub(crate) mark: Option<i64>,
    /// When it was looked at last, by a clock that is believed.
    last: Option<i64>,
    /// For how many more looks a jump is not believed.
    doubt: Option<u64>,
    /// How long nobody looked, before this process did: that much of a jump may have been a long night.
    slept: Option<i64>,
}

impl Watch {
    /// Believes the clock as it is.
    pub(crate) fn accept(&mut self, now: i64) {
        self.mark = Some(now);
        self.last = Some(now);
        self.doubt = None;
        self.slept = None;
    }

    /// Takes up at `now` what an earlier process left: the time that was believed last, and for how many more looks it did not
    /// believe what came after.
    pub(crate) fn wake(&mut self, mark: i64, doubt: Option<u64>, now: i64) {
        self.mark = Some(mark);
        self.last = Some(mark);
        self.doubt = doubt;
        self.slept = Some(now.saturating_sub(mark).max(0));
    }

    /// For how many more looks a gap before this process is not believed, for the one after it to go on with.
    pub(crate) fn waits(&self) -> Option<u64> {
        self.doubt.filter(|_| self.slept.is_some())
    }

    /// Looks at the clock: why it is not believed, if it is not. `every` is how often this is called with `tick`; `patience` is
    /// how long a jump has to have lasted to be believed.
    pub(crate) fn look(
        &mut self,
        now: i64,
        tick: bool,
        every: Duration,
        patience: Duration,
    ) -> Option<String> {
        let mark = self.mark.unwrap_or(i64::MIN);
        if now < mark.saturating_sub(span(BACK)) {
            return Some(format!(
                "the clock is {} behind the latest time that was seen; correct it, or accept it with `longshore gc --now --accept-clock`",
                words(mark.saturating_sub(now))
            ));
        }
        let expected = self
            .last
            .map_or(now, |last| last.saturating_add(span(every)));
        let ahead = now.saturating_sub(expected);
        if ahead <= span(AHEAD) {
            self.accept(mark.max(now));
            self.last = Some(now);
            return None;
        }
        if self
            .slept
            .is_some_and(|slept| ahead > slept.saturating_add(span(AHEAD)))
        {
            // It jumped since as well.
            (self.slept, self.doubt) = (None, None);
        }
        let doubt = self.doubt.get_or_insert_with(|| looks(patience, every));
        if tick {
            *doubt = doubt.saturating_sub(1);
            // So much time has passed in truth, whatever the clock says.
            self.last = Some(expected);
        }
        let long = ahead > span(LONG) && self.slept.is_none();
        if *doubt == 0 && !long {
            self.accept(now);
            return None;
        }
        let until = if long {
            "correct it, or accept it with `longshore gc --now --accept-clock`".to_owned()
        } else {
            format!(
                "it is believed when it has stayed so for {}, or with `longshore gc --now --accept-clock`",
                words(span(patience))
            )
        };
        let ahead = words(ahead);
        Some(if self.slept.is_some() {
            format!(
                "the clock is {ahead} ahead of when this store was last seen in use; if it was closed for so long nothing has to be done: {until}"
            )
        } else {
            format!("the clock jumped ahead by {ahead}; {until}")
        })
    }
}

/// How many looks every so often take that long.
fn looks(patience: Duration, every: Duration) -> u64 {
    let looks = patience.as_micros().div_ceil(every.as_micros().max(1));
    u64::try_from(looks).unwrap_or(u64::MAX)
}

/// A span of time, in microseconds, for a person.
pub(crate) fn words(micros: i64) -> String {
    let seconds = micros.max(0) / 1_000_000;
    match seconds {
        0..120 => format!("{seconds} seconds"),
        120..7200 => format!("{} minutes", seconds / 60),
        7200..172_800 => format!("{} hours", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);
    const HOUR: i64 = 3_600_000_000;

    fn look(watch: &mut Watch, now: i64) -> Option<String> {
        watch.look(now, true, MINUTE, Duration::from_hours(6))
    }

    #[test]
    fn a_clock_that_goes_on_is_believed_and_so_is_one_that_stands() {
        let mut watch = Watch::default();
        for minute in [0, 1, 2, 2, 2, 3] {
            assert_eq!(look(&mut watch, minute * HOUR / 60), None);
        }
        assert_eq!(watch.mark, Some(3 * HOUR / 60));
    }

    #[test]
    fn a_clock_behind_the_mark_is_not_believed_until_it_has_caught_up() {
        let mut watch = Watch {
            mark: Some(10 * HOUR),
            ..Watch::default()
        };
        let said = look(&mut watch, 9 * HOUR).unwrap();
        assert!(said.contains("60 minutes behind"), "{said}");
        assert_eq!(look(&mut watch, 10 * HOUR - 4_000_000), None);
        watch.accept(HOUR);
        assert_eq!(look(&mut watch, HOUR), None);
    }

    #[test]
    fn a_jump_ahead_is_believed_when_it_has_lasted_and_its_mark_is_not_kept_before() {
        let mut watch = Watch::default();
        assert_eq!(look(&mut watch, 0), None);
        let mut minutes = 0;
        while look(&mut watch, 24 * HOUR + minutes * HOUR / 60).is_some() {
            assert_eq!(watch.mark, Some(0));
            minutes += 1;
            assert!(minutes < 1000, "it is never believed");
        }
        assert_eq!(minutes, 359, "six hours of looks");
    }

    #[test]
    fn a_jump_of_years_is_never_believed_by_itself_and_forgotten_when_it_is_undone() {
        let mut watch = Watch::default();
        assert_eq!(look(&mut watch, 0), None);
        for minute in 1..10_000 {
            assert!(look(&mut watch, 90_000 * HOUR + minute * HOUR / 60).is_some());
        }
        assert_eq!(look(&mut watch, 10_000 * HOUR / 60), None, "set right");
        watch.look(90_000 * HOUR, true, MINUTE, MINUTE).unwrap();
        watch.accept(90_000 * HOUR);
        assert_eq!(look(&mut watch, 90_000 * HOUR), None);
    }

    #[test]
    fn a_gap_before_the_start_is_believed_after_a_lease_however_long_it_is_and_over_several_starts()
    {
        let mut watch = Watch::default();
        watch.wake(0, None, 90_000 * HOUR);
        let mut minutes = 0;
        let said = look(&mut watch, 90_000 * HOUR).unwrap();
        assert!(said.contains("closed for so long"), "{said}");
        while minutes < 100 && look(&mut watch, 90_000 * HOUR + minutes * HOUR / 60).is_some() {
            minutes += 1;
        }
        assert_eq!(minutes, 100);
        let (mut next, left) = (Watch::default(), watch.waits());
        next.wake(0, left, 90_002 * HOUR);
        while look(&mut next, 90_002 * HOUR + (minutes - 100) * HOUR / 60).is_some() {
            minutes += 1;
            assert!(minutes < 1000, "it is never believed");
        }
        assert_eq!(
            minutes, 358,
            "six hours of looks, with the two that began and ended it"
        );
        assert_eq!(next.waits(), None);
    }

    #[test]
    fn a_short_night_is_believed_at_once_and_a_jump_after_the_start_is_no_night() {
        let mut watch = Watch::default();
        watch.wake(0, None, HOUR / 2);
        assert_eq!(look(&mut watch, HOUR / 2), None);
        let mut watch = Watch::default();
        watch.wake(0, None, 2 * HOUR);
        assert!(look(&mut watch, 2 * HOUR).is_some());
        for minute in 1..10_000 {
            let said = look(&mut watch, 90_000 * HOUR + minute * HOUR / 60).unwrap();
            assert!(said.contains("jumped ahead"), "{said}");
        }
    }
}
