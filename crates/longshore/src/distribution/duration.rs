//! Durations as Go writes them: `168h`, `1h30m`, `1.5s`, `500us`; a bare number is nanoseconds.

use std::time::Duration;

/// Units and their nanoseconds; the micro sign is written in two ways.
const UNITS: [(&str, u128); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// Reads a Go duration, rounded down to the nanosecond; negative ones and overflow are not understood.
pub(super) fn read(text: &str) -> Option<Duration> {
    let text = text.strip_prefix('+').unwrap_or(text);
    if let Ok(nanos) = text.parse::<u64>() {
        return Some(Duration::from_nanos(nanos));
    }
    let mut rest = text;
    let mut nanos: u128 = 0;
    while !rest.is_empty() {
        let number_ends = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at_checked(number_ends)?;
        let unit_ends = tail
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at_checked(unit_ends)?;
        nanos = nanos.checked_add(scaled(number, unit)?)?;
        rest = tail;
    }
    u64::try_from(nanos)
        .ok()
        .filter(|_| !text.is_empty())
        .map(Duration::from_nanos)
}

/// `number`, which may have a fraction, times `unit` in nanoseconds.
fn scaled(number: &str, unit: &str) -> Option<u128> {
    let unit = UNITS.iter().find(|(name, _)| *name == unit)?.1;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    // More digits than a nanosecond can show are of no account.
    let fraction = fraction.get(..fraction.len().min(18))?;
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let digits = |text: &str| {
        if text.is_empty() {
            Some(0)
        } else {
            text.parse::<u128>().ok()
        }
    };
    let power = 10_u128.pow(u32::try_from(fraction.len()).ok()?);
    digits(whole)?
        .checked_mul(unit)?
        .checked_add(digits(fraction)?.checked_mul(unit)? / power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_go_writes_is_read() {
        for (text, nanos) in [
            ("168h", 604_800_000_000_000),
            ("1h30m", 5_400_000_000_000),
            ("1.5s", 1_500_000_000),
            (".5s", 500_000_000),
            ("500us", 500_000),
            ("10ms", 10_000_000),
            ("1m0.25s", 60_250_000_000),
            ("60000000000", 60_000_000_000),
            ("0", 0),
            ("+1s", 1_000_000_000),
        ] {
            assert_eq!(read(text), Some(Duration::from_nanos(nanos)), "{text}");
        }
    }

    #[test]
    fn what_go_would_refuse_is_refused() {
        for text in [
            "",
            "s",
            "-1s",
            "1d",
            "1.2.3s",
            ".s",
            "1h30",
            "99999999999h",
            "1 s",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
