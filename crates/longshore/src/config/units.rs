//! Amounts of bytes and lengths of time, written the way people write them.

use std::fmt;
use std::time::Duration;

use super::key::Kind;
use super::node::{Datum, Node};
use super::show::quoted;
use super::value::{Fault, Value};

const BINARY: [(&str, u64); 4] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
];
const DECIMAL: [(&str, u64); 4] = [
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("KB", 1_000),
];
const MILLIS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// An amount of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(u64);

impl ByteSize {
    /// `count` bytes.
    pub const fn bytes(count: u64) -> Self {
        Self(count)
    }

    /// `count` times 1,024 bytes.
    pub const fn kib(count: u64) -> Self {
        Self(count << 10)
    }

    /// `count` times 1,048,576 bytes.
    pub const fn mib(count: u64) -> Self {
        Self(count << 20)
    }

    /// `count` times 1,073,741,824 bytes.
    pub const fn gib(count: u64) -> Self {
        Self(count << 30)
    }

    /// The amount in bytes.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The amount in bytes, as much of it as an address space holds.
    pub fn as_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }

    /// Reads "4 MiB", "500GB" or "4096"; units of 1,024 carry an `i`. No signs, no fractions.
    fn read(text: &str) -> Option<Self> {
        let digits = text
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len());
        let (number, unit) = text.split_at_checked(digits)?;
        let number: u64 = number.parse().ok()?;
        let unit = unit.trim_start();
        let factor = match unit {
            "" | "B" => 1,
            _ => {
                BINARY
                    .iter()
                    .chain(&DECIMAL)
                    .find(|(name, _)| name.eq_ignore_ascii_case(unit))?
                    .1
            }
        };
        // Some readers of configurations hold numbers in 63 bits; no real amount needs the last one.
        number
            .checked_mul(factor)
            .filter(|bytes| i64::try_from(*bytes).is_ok())
            .map(Self)
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match BINARY
            .iter()
            .find(|(_, factor)| self.0 >= *factor && self.0.is_multiple_of(*factor))
        {
            Some((unit, factor)) => write!(f, "{} {unit}", self.0 / factor),
            None => write!(f, "{} B", self.0),
        }
    }
}

impl Value for ByteSize {
    fn kind() -> Kind {
        Kind::Size
    }

    fn parse(node: &Node) -> Result<Self, Fault> {
        let read = match &node.datum {
            Datum::Integer(bytes) => u64::try_from(*bytes).ok().map(Self),
            Datum::Text(text) => Self::read(text),
            _ => None,
        };
        read.ok_or_else(|| {
            Fault::of(node, &Self::kind())
                .hint("units are B, KiB, MiB, GiB, TiB (of 1,024) and KB, MB, GB, TB (of 1,000)")
        })
    }

    fn show(&self) -> Option<String> {
        Some(quoted(&self.to_string()))
    }
}

impl Value for Duration {
    fn kind() -> Kind {
        Kind::Duration
    }

    fn parse(node: &Node) -> Result<Self, Fault> {
        match &node.datum {
            Datum::Text(text) => read_duration(text).ok_or_else(|| {
                Fault::of(node, &Self::kind())
                    .hint("units are ms, s, m, h and d, the greater first")
            }),
            // A bare number is refused, not guessed: half the world means seconds by it, half milliseconds.
            Datum::Integer(number) => {
                Err(Fault::of(node, &Self::kind())
                    .hint(format!("say the unit, as in \"{number}s\"")))
            }
            _ => Err(Fault::of(node, &Self::kind())),
        }
    }

    fn show(&self) -> Option<String> {
        Some(quoted(&write_duration(*self)))
    }
}

/// Reads "1h30m" or "250ms": whole numbers, each unit at most once, the greater first.
pub fn read_duration(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut rest = text;
    let mut units = MILLIS.iter();
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, tail) = rest.split_at_checked(digits)?;
        let unit = tail
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at_checked(unit)?;
        let factor = units.find(|(name, _)| *name == unit)?.1;
        total = number
            .parse::<u64>()
            .ok()?
            .checked_mul(factor)?
            .checked_add(total)?;
        rest = tail.trim_start();
    }
    (!text.is_empty()).then_some(Duration::from_millis(total))
}

/// The duration in the shortest form [`read_duration`] reads back to the same value, to the millisecond.
pub fn write_duration(duration: Duration) -> String {
    let mut rest = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    if rest == 0 {
        return "0s".to_owned();
    }
    // Whole days read well; 90 minutes as a share of a day would not.
    let mut written = String::new();
    for (unit, factor) in MILLIS {
        if rest >= factor {
            written.extend([format!("{}{unit}", rest / factor)]);
            rest %= factor;
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_in_both_families_of_units() {
        assert_eq!(ByteSize::read("4 MiB"), Some(ByteSize::mib(4)));
        assert_eq!(ByteSize::read("4mib"), Some(ByteSize::mib(4)));
        assert_eq!(ByteSize::read("5 MB"), Some(ByteSize::bytes(5_000_000)));
        assert_eq!(ByteSize::read("0"), Some(ByteSize::bytes(0)));
        for wrong in [
            "",
            "MiB",
            "-1",
            "1.5 MiB",
            "4 Mibs",
            "99999999999 TiB",
            "4 MiB 2",
        ] {
            assert_eq!(ByteSize::read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn sizes_are_written_in_the_greatest_unit_that_divides_them() {
        assert_eq!(ByteSize::mib(4).to_string(), "4 MiB");
        assert_eq!(ByteSize::bytes(4_097).to_string(), "4097 B");
        assert_eq!(ByteSize::gib(500).to_string(), "500 GiB");
    }

    #[test]
    fn durations_are_read_with_units_only() {
        assert_eq!(read_duration("1h30m"), Some(Duration::from_mins(90)));
        assert_eq!(read_duration("250ms"), Some(Duration::from_millis(250)));
        assert_eq!(read_duration("7d"), Some(Duration::from_hours(168)));
        for wrong in [
            "", "30", "m", "30 s", "1m1h", "1s1s", "1y", "-1s", "1.5h", "s30",
        ] {
            assert_eq!(read_duration(wrong), None, "{wrong}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_written_duration_reads_back(millis in 0..u64::MAX / 2) {
            let duration = Duration::from_millis(millis);
            proptest::prop_assert_eq!(read_duration(&write_duration(duration)), Some(duration));
        }

        #[test]
        fn a_written_size_reads_back(bytes in 0..=i64::MAX.unsigned_abs()) {
            let size = ByteSize::bytes(bytes);
            proptest::prop_assert_eq!(ByteSize::read(&size.to_string()), Some(size));
        }
    }
}
