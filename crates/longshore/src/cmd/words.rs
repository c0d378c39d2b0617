//! Numbers and times for people.

/// So many bytes, in the largest unit of which there is one.
pub fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let (mut tenths, mut unit) = (u128::from(bytes) * 10 / 1024, "KiB");
    for next in UNITS.into_iter().skip(1) {
        if tenths < 10_240 {
            break;
        }
        (tenths, unit) = (tenths / 1024, next);
    }
    format!("{}.{} {unit}", tenths / 10, tenths % 10)
}

/// A time in microseconds since the Unix epoch, to the second, in UTC.
pub fn time(micros: i64) -> String {
    let at = jiff::Timestamp::from_second(micros.div_euclid(1_000_000));
    at.map_or_else(|_| format!("{micros}"), |at| at.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_times_are_short() {
        for (number, said) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1 << 20, "1.0 MiB"),
            ((1 << 20) - 1, "1023.9 KiB"),
            (5 << 40, "5.0 TiB"),
            (5 << 50, "5120.0 TiB"),
        ] {
            assert_eq!(bytes(number), said);
        }
        assert_eq!(time(1_795_255_200_999_999), "2026-11-21T10:00:00Z");
    }
}
