//! Hours at which a binding counts, by the clocks of a place.

use std::time::SystemTime;

use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use serde::{Deserialize, Serialize};

use super::ConditionError;

/// The most spans of hours of one binding.
const MAX_SPANS: usize = 16;
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const DAY_MINUTES: u16 = 24 * 60;

/// Hours of days. What ends before it begins goes on into the next day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hours(Vec<HourSpan>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct HourSpan {
    /// One bit for each day from Monday on.
    days: u8,
    /// Minutes since midnight.
    from: u16,
    to: u16,
    clocks: Clocks,
}

/// How the clocks go where the hours are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Clocks {
    /// So many minutes ahead of UTC, all year.
    Offset(i16),
    /// As the IANA says of a place.
    Zone(TimeZone),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    days: Vec<String>,
    from: String,
    to: String,
    #[serde(default)]
    offset: Option<String>,
    #[serde(default)]
    zone: Option<String>,
}

fn clock(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let digits = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(hours) || !digits(minutes) {
        return None;
    }
    let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
    let at = hours * 60 + minutes;
    (minutes < 60 && at <= DAY_MINUTES).then_some(at)
}

fn offset(text: Option<&str>) -> Option<i16> {
    match text {
        None | Some("Z") => Some(0),
        Some(text) => {
            let (sign, rest) = match text.split_at_checked(1)? {
                ("+", rest) => (1, rest),
                ("-", rest) => (-1, rest),
                _ => return None,
            };
            let minutes = clock(rest)?;
            (minutes <= 14 * 60).then(|| sign * i16::try_from(minutes).unwrap_or(0))
        }
    }
}

impl Hours {
    /// Reads the JSON that people write.
    ///
    /// # Errors
    /// It is something else.
    pub fn parse(json: &str) -> Result<Self, ConditionError> {
        let written: Vec<Written> =
            serde_json::from_str(json).map_err(|_| ConditionError::Hours)?;
        if written.is_empty() || written.len() > MAX_SPANS {
            return Err(ConditionError::Hours);
        }
        let spans = written.iter().map(HourSpan::read);
        spans.collect::<Result<_, _>>().map(Self)
    }

    /// Whether `now` is one of them.
    pub fn has(&self, now: SystemTime) -> bool {
        let now = Timestamp::try_from(now).unwrap_or_default();
        self.0.iter().any(|span| span.has(now))
    }
}

impl Clocks {
    fn read(written: &Written) -> Result<Self, ConditionError> {
        match (&written.zone, &written.offset) {
            (Some(_), Some(_)) => Err(ConditionError::ZoneAndOffset),
            (Some(name), None) => zone(name).map(Self::Zone),
            (None, text) => offset(text.as_deref())
                .map(Self::Offset)
                .ok_or(ConditionError::Hours),
        }
    }

    /// The day there, from Monday on, and the minutes since midnight that its clocks show.
    fn show(&self, now: Timestamp) -> (i64, i64) {
        let minutes = match self {
            Clocks::Offset(ahead) => now.as_second().div_euclid(60) + i64::from(*ahead),
            Clocks::Zone(zone) => {
                let ahead = i64::from(zone.to_offset(now).seconds());
                (now.as_second() + ahead).div_euclid(60)
            }
        };
        let day = i64::from(DAY_MINUTES);
        // The first day of the epoch was a Thursday.
        let today = (minutes.div_euclid(day) + 3).rem_euclid(7);
        (today, minutes.rem_euclid(day))
    }
}

/// What the IANA says of a place. It is in the program, never the machine's: each node must decide alike.
fn zone(name: &str) -> Result<TimeZone, ConditionError> {
    let found = TimeZoneDatabase::bundled().get(name);
    let found = found.ok().filter(|zone| !zone.is_unknown());
    found.ok_or_else(|| {
        let shown = name.chars().filter(|letter| !letter.is_control());
        ConditionError::Zone(shown.take(64).collect())
    })
}

impl HourSpan {
    fn read(written: &Written) -> Result<Self, ConditionError> {
        let bit = |day: &String| {
            let at = DAYS.iter().position(|known| known == day);
            at.map(|at| 1_u8 << at)
        };
        let days: Option<Vec<u8>> = written.days.iter().map(bit).collect();
        let (from, to) = (clock(&written.from), clock(&written.to));
        let (Some(days), Some(from), Some(to)) = (days, from, to) else {
            return Err(ConditionError::Hours);
        };
        Ok(Self {
            days: days.into_iter().fold(0, |all, day| all | day),
            from,
            to,
            clocks: Clocks::read(written)?,
        })
    }

    /// Whether the clocks there show such an hour. An hour that they show twice counts twice, and one that they leave out never comes.
    fn has(&self, now: Timestamp) -> bool {
        let (today, at) = self.clocks.show(now);
        let on = |day: i64| self.days & (1 << day.rem_euclid(7)) != 0;
        let (from, to) = (i64::from(self.from), i64::from(self.to));
        if from <= to {
            on(today) && (from..to).contains(&at)
        } else {
            (on(today) && at >= from) || (on(today - 1) && at < to)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Days and minutes after Monday, 5 January 1970, at midnight UTC.
    fn at(day: u64, hour: u64, minute: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH
            + Duration::from_secs(((4 + day) * 24 * 60 + hour * 60 + minute) * 60)
    }

    #[test]
    fn office_hours_begin_and_end_where_the_office_is() {
        let hours = Hours::parse(
            r#"[{"days":["mon","fri"],"from":"08:00","to":"18:00","offset":"+01:00"}]"#,
        )
        .unwrap();
        assert!(!hours.has(at(0, 6, 59)) && hours.has(at(0, 7, 0)));
        assert!(hours.has(at(0, 16, 59)) && !hours.has(at(0, 17, 0)));
        assert!(!hours.has(at(1, 12, 0)) && hours.has(at(4, 12, 0)));
    }

    #[test]
    fn a_night_belongs_to_the_day_on_which_it_begins() {
        let hours = Hours::parse(r#"[{"days":["sun"],"from":"22:00","to":"06:00"}]"#).unwrap();
        assert!(hours.has(at(6, 23, 0)) && hours.has(at(7, 5, 59)));
        assert!(!hours.has(at(7, 6, 0)) && !hours.has(at(6, 5, 0)) && !hours.has(at(7, 23, 0)));
    }

    #[test]
    fn what_are_no_hours_is_refused() {
        for json in [
            "",
            "[]",
            "{}",
            r#"[{"days":["Mon"],"from":"08:00","to":"18:00"}]"#,
            r#"[{"days":["mon"],"from":"8:00","to":"18:00"}]"#,
            r#"[{"days":["mon"],"from":"08:60","to":"18:00"}]"#,
            r#"[{"days":["mon"],"from":"08:00","to":"24:01"}]"#,
            r#"[{"days":["mon"],"from":"08:00","to":"18:00","offset":"01:00"}]"#,
            r#"[{"days":["mon"],"from":"08:00","to":"18:00","offset":"+15:00"}]"#,
            r#"[{"days":["mon"],"from":"08:00","to":"18:00","zone":7}]"#,
            r#"[{"days":["mon"],"from":"08:00","to":"18:00","place":"x"}]"#,
        ] {
            assert_eq!(Hours::parse(json), Err(ConditionError::Hours), "{json}");
        }
    }
    /// Whether hours have a moment of UTC.
    fn has(hours: &str, moment: &str) -> bool {
        let moment: Timestamp = moment.parse().unwrap();
        Hours::parse(hours).unwrap().has(moment.into())
    }

    #[test]
    fn a_place_that_nobody_knows_is_named_and_hours_say_once_how_its_clocks_go() {
        let at = |more: &str| {
            let json = format!(r#"[{{"days":["mon"],"from":"08:00","to":"18:00",{more}}}]"#);
            Hours::parse(&json).map(drop)
        };
        for good in ["Europe/Berlin", "America/New_York", "UTC", "Asia/Kolkata"] {
            assert_eq!(at(&format!(r#""zone":"{good}""#)), Ok(()), "{good}");
        }
        for bad in [
            "Europe/Berln",
            "",
            "+01:00",
            "CEST",
            "Etc/Unknown",
            "../zoneinfo/UTC",
        ] {
            let error = at(&format!(r#""zone":"{bad}""#)).unwrap_err();
            assert_eq!(error, ConditionError::Zone(bad.to_owned()));
        }
        let said = at(r#""zone":"Europe/Berln""#).unwrap_err().to_string();
        assert!(
            said.contains("no time zone `Europe/Berln`") && said.contains("IANA"),
            "{said}"
        );
        let both = at(r#""zone":"Europe/Berlin","offset":"+01:00""#);
        assert_eq!(both, Err(ConditionError::ZoneAndOffset));
    }

    #[test]
    fn the_hours_of_a_place_go_with_its_clocks_in_summer_and_in_winter() {
        let berlin = r#"[{"days":["mon"],"from":"08:00","to":"18:00","zone":"Europe/Berlin"}]"#;
        for (moment, yes) in [
            // The Mondays around 29 March 2026, when the clocks went from 02:00 to 03:00.
            ("2026-03-23T06:59:00Z", false),
            ("2026-03-23T07:00:00Z", true),
            ("2026-03-23T16:59:59Z", true),
            ("2026-03-23T17:00:00Z", false),
            ("2026-03-30T05:59:00Z", false),
            ("2026-03-30T06:00:00Z", true),
            ("2026-03-30T15:59:59Z", true),
            ("2026-03-30T16:00:00Z", false),
            // And around 25 October, when they went from 03:00 to 02:00.
            ("2026-10-19T06:00:00Z", true),
            ("2026-10-26T06:59:00Z", false),
            ("2026-10-26T07:00:00Z", true),
        ] {
            assert_eq!(has(berlin, moment), yes, "{moment}");
        }
        // An offset stays what it is.
        let fixed = r#"[{"days":["mon"],"from":"08:00","to":"18:00","offset":"+01:00"}]"#;
        assert!(!has(fixed, "2026-03-30T06:00:00Z") && has(fixed, "2026-03-30T16:00:00Z"));
        // West of Greenwich it is still Sunday.
        let sunday = r#"[{"days":["sun"],"from":"20:00","to":"24:00","zone":"America/New_York"}]"#;
        assert!(has(sunday, "2026-11-23T03:00:00Z") && !has(sunday, "2026-11-22T23:00:00Z"));
        let half = r#"[{"days":["mon"],"from":"08:00","to":"18:00","zone":"Asia/Kolkata"}]"#;
        assert!(!has(half, "2026-11-23T02:29:00Z") && has(half, "2026-11-23T02:30:00Z"));
    }

    #[test]
    fn an_hour_that_clocks_leave_out_never_comes_and_one_that_they_show_twice_comes_twice() {
        let gap = r#"[{"days":["sun"],"from":"02:00","to":"03:00","zone":"Europe/Berlin"}]"#;
        let minutes = |day: &str| {
            let begin: Timestamp = format!("{day}T00:00:00Z").parse().unwrap();
            let at = |minute: i64| begin.as_second() + minute * 60;
            let moments = (0..180).map(|minute| Timestamp::from_second(at(minute)).unwrap());
            let hours = Hours::parse(gap).unwrap();
            moments.filter(|at| hours.has((*at).into())).count()
        };
        assert_eq!(minutes("2026-03-29"), 0);
        assert_eq!(minutes("2026-10-25"), 120);
        assert_eq!(minutes("2026-11-22"), 60);
    }

    #[test]
    fn a_night_in_which_clocks_change_is_an_hour_shorter_or_longer() {
        let night = r#"[{"days":["sat"],"from":"22:00","to":"06:00","zone":"Europe/Berlin"}]"#;
        for (moment, yes) in [
            ("2026-03-28T20:59:00Z", false),
            ("2026-03-28T21:00:00Z", true),
            ("2026-03-29T00:59:00Z", true),
            ("2026-03-29T01:00:00Z", true),
            ("2026-03-29T03:59:00Z", true),
            ("2026-03-29T04:00:00Z", false),
            ("2026-10-24T19:59:00Z", false),
            ("2026-10-24T20:00:00Z", true),
            ("2026-10-25T01:30:00Z", true),
            ("2026-10-25T04:59:00Z", true),
            ("2026-10-25T05:00:00Z", false),
            // The night of Sunday is another.
            ("2026-10-25T22:00:00Z", false),
        ] {
            assert_eq!(has(night, moment), yes, "{moment}");
        }
    }
}
