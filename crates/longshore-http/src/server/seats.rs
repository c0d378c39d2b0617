//! How many connections there may be, in all and of one address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use super::options::Limits;

/// The places for connections.
#[derive(Debug)]
pub(super) struct Seats {
    total: usize,
    per_ip: Option<usize>,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by_ip: HashMap<IpAddr, usize>,
}

/// One place, free again when it is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    seats: Arc<Seats>,
    ip: Option<IpAddr>,
}

impl Seats {
    pub(super) fn new(limits: &Limits) -> Arc<Self> {
        Arc::new(Self {
            total: limits.connections,
            per_ip: limits.connections_per_ip,
            taken: Mutex::default(),
        })
    }

    /// A place for a connection from `ip`, if there is one.
    pub(super) fn take(self: &Arc<Self>, ip: Option<IpAddr>) -> Option<Seat> {
        let ip = ip.filter(|_| self.per_ip.is_some()).map(network);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.all >= self.total {
            return None;
        }
        if let (Some(ip), Some(limit)) = (ip, self.per_ip) {
            let count = taken.by_ip.entry(ip).or_default();
            if *count >= limit {
                return None;
            }
            *count += 1;
        }
        taken.all += 1;
        Some(Seat {
            seats: Arc::clone(self),
            ip,
        })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self
            .seats
            .taken
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        taken.all -= 1;
        if let Some(ip) = self.ip
            && let Some(count) = taken.by_ip.get_mut(&ip)
        {
            *count -= 1;
            if *count == 0 {
                taken.by_ip.remove(&ip);
            }
        }
    }
}

/// Who an address stands for: one IPv6 host has a /64 to choose from.
fn network(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64)),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seats(connections: usize, per_ip: usize) -> Arc<Seats> {
        Seats::new(&Limits {
            connections,
            connections_per_ip: Some(per_ip),
            ..Limits::default()
        })
    }

    fn take(seats: &Arc<Seats>, ip: &str) -> Option<Seat> {
        seats.take(Some(ip.parse().unwrap()))
    }

    #[test]
    fn a_seat_is_free_again_when_its_connection_is_gone() {
        let seats = seats(2, 2);
        let first = take(&seats, "10.0.0.1");
        let _second = take(&seats, "10.0.0.2");
        assert!(take(&seats, "10.0.0.3").is_none());
        drop(first);
        assert!(take(&seats, "10.0.0.3").is_some());
        assert_eq!(
            seats.taken.lock().unwrap().by_ip.len(),
            1,
            "addresses that left are forgotten"
        );
    }

    #[test]
    fn one_host_has_one_share_under_whatever_address_it_comes() {
        let seats = seats(100, 1);
        let _a = take(&seats, "2001:db8::1").unwrap();
        assert!(take(&seats, "2001:db8::2").is_none());
        let _b = take(&seats, "2001:db8:0:1::1").unwrap();
        let _c = take(&seats, "::ffff:10.0.0.1").unwrap();
        assert!(take(&seats, "10.0.0.1").is_none());
        assert!(seats.take(None).is_some(), "a unix socket has no address");
    }
}
