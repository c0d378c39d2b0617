//! How long things took, kept small however many there were.

use std::time::Duration;

use crate::job::Latency;

/// Steps within each power of two: a value is known to within 1/64.
const STEPS: u64 = 64;
/// Steps as a power of two.
const STEP_BITS: u32 = 6;
/// Powers of two of nanoseconds above the first `STEPS`: enough for 18 minutes.
const POWERS: usize = 34;

/// Counts of durations in steps that grow with the duration.
#[derive(Debug, Clone)]
pub(super) struct Histogram {
    counts: Vec<u64>,
    total: u64,
    max: Duration,
}

impl Histogram {
    pub(super) fn new() -> Self {
        Self {
            counts: vec![0; (POWERS + 1) << STEP_BITS],
            total: 0,
            max: Duration::ZERO,
        }
    }

    pub(super) fn record(&mut self, took: Duration) {
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        let last = self.counts.len() - 1;
        if let Some(count) = self.counts.get_mut(step(nanos).min(last)) {
            *count += 1;
        }
        self.total += 1;
        self.max = self.max.max(took);
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.total += other.total;
        self.max = self.max.max(other.max);
    }

    pub(super) fn latency(&self) -> Latency {
        Latency {
            p50: self.quantile(50),
            p90: self.quantile(90),
            p99: self.quantile(99),
            max: self.max.as_secs_f64() * 1e6,
        }
    }

    /// The microseconds that `percent` of all stayed within.
    fn quantile(&self, percent: u64) -> f64 {
        let wanted = (self.total * percent).div_ceil(100);
        let mut seen = 0;
        for (at, count) in self.counts.iter().enumerate() {
            seen += count;
            if *count > 0 && seen >= wanted {
                return middle(at).min(self.max).as_secs_f64() * 1e6;
            }
        }
        0.0
    }
}

/// The step that holds a number of nanoseconds.
fn step(nanos: u64) -> usize {
    let power = (nanos / STEPS).checked_ilog2().map_or(0, |log| log + 1);
    let within = if power == 0 {
        nanos
    } else {
        (nanos >> (power - 1)) - STEPS
    };
    // Both parts are below 2^12.
    usize::try_from((u64::from(power) << STEP_BITS) + within).unwrap_or(usize::MAX)
}

/// The middle of a step.
fn middle(at: usize) -> Duration {
    let at = at as u64;
    let (power, within) = (at >> STEP_BITS, at & (STEPS - 1));
    Duration::from_nanos(match power {
        0 => within,
        _ => ((STEPS + within) << (power - 1)) + (1 << (power - 1)) / 2,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_duration_is_told_within_two_percent() {
        for nanos in [
            1,
            63,
            64,
            65,
            127,
            128,
            1_000,
            20_345,
            1_000_000,
            3_000_000_000,
            600_000_000_000,
        ] {
            let told = u64::try_from(middle(step(nanos)).as_nanos()).unwrap();
            assert!(told.abs_diff(nanos) * 50 <= nanos, "{nanos} told as {told}");
        }
    }

    #[test]
    fn steps_grow_with_the_duration_and_leave_no_gap() {
        let mut last = 0;
        for nanos in 0..100_000 {
            let at = step(nanos);
            assert!(at == last || at == last + 1, "{nanos}");
            last = at;
        }
    }

    #[test]
    fn quantiles_come_from_all_parts_of_a_merge() {
        let (mut one, mut two) = (Histogram::new(), Histogram::new());
        for millis in 1..=90 {
            one.record(Duration::from_millis(millis));
        }
        for millis in 91..=100 {
            two.record(Duration::from_millis(millis));
        }
        one.merge(&two);
        let latency = one.latency();
        assert!((latency.p50 - 50_000.0).abs() < 1_000.0, "{latency:?}");
        assert!((latency.p90 - 90_000.0).abs() < 2_000.0, "{latency:?}");
        assert!((latency.p99 - 99_000.0).abs() < 2_000.0, "{latency:?}");
        assert!((latency.max - 100_000.0).abs() < 1.0, "{latency:?}");
    }

    #[test]
    fn nothing_recorded_is_nothing_told_and_too_long_goes_to_the_end() {
        assert!(Histogram::new().latency().p99.abs() < f64::EPSILON);
        let mut one = Histogram::new();
        one.record(Duration::from_hours(1));
        assert!(one.latency().max > 3.5e9);
    }
}
