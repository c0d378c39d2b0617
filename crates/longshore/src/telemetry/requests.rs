//! Counts of requests: by route, method and status class, with durations and bytes.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The upper bounds of the buckets of durations, in microseconds.
pub const BOUNDS_MICROS: [u64; 14] = [
    100,
    250,
    500,
    1_000,
    2_500,
    5_000,
    10_000,
    50_000,
    100_000,
    500_000,
    1_000_000,
    10_000_000,
    60_000_000,
    600_000_000,
];

/// The statuses that are counted by themselves; others count as the last of their hundred.
const STATUSES: [u16; 24] = [
    200, 201, 202, 204, 206, 299, 301, 304, 307, 399, 400, 401, 403, 404, 405, 409, 413, 416, 429,
    499, 500, 502, 503, 599,
];

/// The methods that are counted by themselves; others count as the last.
const METHODS: [&str; 7] = ["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "other"];

/// The counters of one route.
#[derive(Debug)]
struct Route {
    name: &'static str,
    counts: [[AtomicU64; STATUSES.len()]; METHODS.len()],
    buckets: [AtomicU64; BOUNDS_MICROS.len() + 1],
    micros: AtomicU64,
}

/// Counters of requests. Label values are a closed set: nothing a client sends can make a new one.
#[derive(Debug)]
pub struct Requests {
    routes: Vec<Route>,
    received: AtomicU64,
    sent: AtomicU64,
    cut: AtomicU64,
}

/// A request that has come to its end.
#[derive(Debug, Clone, Copy)]
pub struct Ended<'a> {
    /// The route's name, one of those given at construction.
    pub route: &'a str,
    /// The method.
    pub method: &'a str,
    /// The status of the answer.
    pub status: u16,
    /// From the head of the request to the end of the answer's body.
    pub duration: Duration,
    /// Bytes of the request's body.
    pub received: u64,
    /// Bytes of the answer's body.
    pub sent: u64,
    /// Whether the answer was cut short.
    pub cut: bool,
}

/// One number of requests with its labels: route, method, status, count.
pub type Count = (&'static str, &'static str, u16, u64);

fn zeros<const N: usize>() -> [AtomicU64; N] {
    std::array::from_fn(|_| AtomicU64::new(0))
}

fn add(counter: Option<&AtomicU64>, by: u64) {
    if let Some(counter) = counter {
        counter.fetch_add(by, Ordering::Relaxed);
    }
}

impl Requests {
    /// Counters for these routes; a request on any other counts under the last.
    pub fn new(routes: &[&'static str]) -> Self {
        let routes = routes
            .iter()
            .map(|name| Route {
                name,
                counts: std::array::from_fn(|_| zeros()),
                buckets: zeros(),
                micros: AtomicU64::new(0),
            })
            .collect();
        Self {
            routes,
            received: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            cut: AtomicU64::new(0),
        }
    }

    /// Counts a request.
    pub fn count(&self, ended: &Ended<'_>) {
        add(Some(&self.received), ended.received);
        add(Some(&self.sent), ended.sent);
        add(Some(&self.cut), u64::from(ended.cut));
        let Some(route) = self
            .routes
            .iter()
            .find(|route| route.name == ended.route)
            .or(self.routes.last())
        else {
            return;
        };
        let method = METHODS
            .iter()
            .position(|name| *name == ended.method)
            .unwrap_or(METHODS.len() - 1);
        let status = STATUSES
            .iter()
            .position(|status| *status == ended.status)
            .or_else(|| {
                STATUSES
                    .iter()
                    .position(|last| *last == ended.status / 100 * 100 + 99)
            })
            .unwrap_or(STATUSES.len() - 1);
        add(
            route
                .counts
                .get(method)
                .and_then(|counts| counts.get(status)),
            1,
        );
        let micros = u64::try_from(ended.duration.as_micros()).unwrap_or(u64::MAX);
        add(Some(&route.micros), micros);
        let bucket = BOUNDS_MICROS
            .iter()
            .position(|bound| micros <= *bound)
            .unwrap_or(BOUNDS_MICROS.len());
        add(route.buckets.get(bucket), 1);
    }

    /// All numbers of requests that are not zero.
    pub fn counts(&self) -> Vec<Count> {
        let mut all = Vec::new();
        for route in &self.routes {
            for (method, counts) in METHODS.iter().zip(&route.counts) {
                for (status, count) in STATUSES.iter().zip(counts) {
                    match count.load(Ordering::Relaxed) {
                        0 => {}
                        count => all.push((route.name, *method, *status, count)),
                    }
                }
            }
        }
        all
    }

    /// The durations of each route that was used: its name, the sum, and how many took at most the bound at the same
    /// place and more than the one before; the last has those above every bound.
    pub fn durations(&self) -> Vec<(&'static str, Duration, Vec<u64>)> {
        self.routes
            .iter()
            .map(|route| {
                let buckets: Vec<_> = route
                    .buckets
                    .iter()
                    .map(|count| count.load(Ordering::Relaxed))
                    .collect();
                (
                    route.name,
                    Duration::from_micros(route.micros.load(Ordering::Relaxed)),
                    buckets,
                )
            })
            .filter(|(.., buckets)| buckets.iter().any(|count| *count > 0))
            .collect()
    }

    /// Bytes of request bodies.
    pub fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Bytes of answers' bodies.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Answers that were cut short.
    pub fn cut(&self) -> u64 {
        self.cut.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(route: &'static str, method: &'static str, status: u16) -> Ended<'static> {
        Ended {
            route,
            method,
            status,
            duration: Duration::from_millis(3),
            received: 1,
            sent: 2,
            cut: false,
        }
    }

    #[test]
    fn nothing_a_client_sends_makes_a_new_label() {
        let requests = Requests::new(&["blob", "other"]);
        requests.count(&ended("blob", "GET", 200));
        requests.count(&ended("made-up", "BREW", 418));
        requests.count(&ended("blob", "GET", 777));
        assert_eq!(
            requests.counts(),
            [
                ("blob", "GET", 200, 1),
                ("blob", "GET", 599, 1),
                ("other", "other", 499, 1)
            ]
        );
    }

    #[test]
    fn a_duration_lands_in_the_bucket_of_its_bound() {
        let requests = Requests::new(&["blob"]);
        requests.count(&ended("blob", "GET", 200));
        let (_, sum, buckets) = requests.durations().remove(0);
        assert_eq!(sum, Duration::from_millis(3));
        assert_eq!(
            buckets[BOUNDS_MICROS
                .iter()
                .position(|bound| *bound == 5_000)
                .unwrap()],
            1
        );
        assert_eq!(buckets.iter().sum::<u64>(), 1);
    }
}
