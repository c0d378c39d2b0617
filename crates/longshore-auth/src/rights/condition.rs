//! When and from where a binding counts.

use std::net::IpAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// A network: an address and how many of its bits count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

/// Why a text is no condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConditionError {
    /// Not a network.
    #[error(
        "a network is written as 10.0.0.0/8 or fd00::/8; there are at most 64, parted by spaces"
    )]
    Network,
    /// Not hours.
    #[error(
        "hours are a list of {{\"days\": [\"mon\"], \"from\": \"08:00\", \"to\": \"18:00\", \"offset\": \"+01:00\"}}, at most 16"
    )]
    Hours,
}

/// The most networks of one binding.
const MAX_NETWORKS: usize = 64;
/// The most spans of hours of one binding.
const MAX_SPANS: usize = 16;
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const DAY_MINUTES: u16 = 24 * 60;

impl Network {
    /// Reads networks parted by spaces.
    ///
    /// # Errors
    /// One of them is none, or there are none or too many.
    pub fn list(text: &str) -> Result<Vec<Self>, ConditionError> {
        let list: Vec<Self> = text
            .split(' ')
            .filter(|word| !word.is_empty())
            .map(Self::parse)
            .collect::<Option<_>>()
            .ok_or(ConditionError::Network)?;
        if list.is_empty() || list.len() > MAX_NETWORKS {
            return Err(ConditionError::Network);
        }
        Ok(list)
    }

    fn parse(word: &str) -> Option<Self> {
        let (address, bits) = match word.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (word, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            None => most,
            Some(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok()?,
            Some(_) => return None,
        };
        (bits <= most).then_some(Self { address, bits })
    }

    /// Whether `address` is in it. One of IPv4 that is written as IPv6 is one of IPv4.
    pub fn has(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let apart = own.to_bits() ^ other.to_bits();
                apart.checked_shr(32 - u32::from(self.bits)).unwrap_or(0) == 0
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let apart = own.to_bits() ^ other.to_bits();
                apart.checked_shr(128 - u32::from(self.bits)).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

/// Hours of days. What ends before it begins goes on into the next day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hours(Vec<HourSpan>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct HourSpan {
    /// One bit for each day from Monday on.
    days: u8,
    /// Minutes since midnight.
    from: u16,
    to: u16,
    /// Minutes that the clock there is ahead of UTC.
    offset: i16,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    days: Vec<String>,
    from: String,
    to: String,
    #[serde(default)]
    offset: Option<String>,
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
        written
            .iter()
            .map(|span| {
                let mut days = 0;
                for day in &span.days {
                    days |= 1 << DAYS.iter().position(|known| known == day)?;
                }
                Some(HourSpan {
                    days,
                    from: clock(&span.from)?,
                    to: clock(&span.to)?,
                    offset: offset(span.offset.as_deref())?,
                })
            })
            .collect::<Option<_>>()
            .map(Self)
            .ok_or(ConditionError::Hours)
    }

    /// Whether `now` is one of them.
    pub fn has(&self, now: SystemTime) -> bool {
        let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let minutes = i64::try_from(since.as_secs() / 60).unwrap_or(i64::MAX);
        self.0.iter().any(|span| span.has(minutes))
    }
}

impl HourSpan {
    fn has(self, utc: i64) -> bool {
        let there = utc.saturating_add(i64::from(self.offset));
        let day = i64::from(DAY_MINUTES);
        let at = there.rem_euclid(day);
        // The first day of the epoch was a Thursday.
        let today = (there.div_euclid(day) + 3).rem_euclid(7);
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

    #[test]
    fn a_network_has_the_addresses_that_begin_as_it_does() {
        for (list, yes, no) in [
            (
                "10.0.0.0/8",
                &["10.1.2.3", "::ffff:10.0.0.1"][..],
                &["11.0.0.1", "::1"][..],
            ),
            ("192.0.2.7", &["192.0.2.7"], &["192.0.2.8"]),
            ("0.0.0.0/0", &["1.2.3.4"], &["::1"]),
            (
                "fd00::/8 ::1",
                &["fd12::1", "::1"],
                &["fe00::1", "127.0.0.1"],
            ),
            ("::/0", &["::1"], &["1.2.3.4"]),
        ] {
            let list = Network::list(list).unwrap();
            let has = |text: &&str| list.iter().any(|it| it.has(text.parse().unwrap()));
            assert!(yes.iter().all(has) && !no.iter().any(has), "{list:?}");
        }
        for text in [
            "",
            "10.0.0.0/33",
            "10.0.0/8",
            "x",
            "10.0.0.0/-1",
            "10.0.0.0/+8",
            "10.0.0.0/",
            "::/129",
        ] {
            assert!(Network::list(text).is_err(), "{text}");
        }
    }

    /// Days and minutes after Monday, 5 January 1970, at midnight UTC.
    fn at(day: u64, hour: u64, minute: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(((4 + day) * 24 * 60 + hour * 60 + minute) * 60)
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
            r#"[{"days":["mon"],"from":"08:00","to":"18:00","zone":"x"}]"#,
        ] {
            assert_eq!(Hours::parse(json), Err(ConditionError::Hours), "{json}");
        }
    }
}
