//! Addresses for programs that are started.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

use anyhow::{Result, bail};

/// The system gives its own connections numbers above these (`net.ipv4.ip_local_port_range`): under load it has given nearly all of
/// them, so that the next two that are free are often one, and what was free a moment ago is a client's a moment later.
const FIRST: u16 = 10_240;
const LAST: u16 = 32_767;

/// How many have been tried by this process.
static TRIED: AtomicU16 = AtomicU16::new(0);

/// An address of this machine where nobody listens, another one at each call.
///
/// # Errors
/// When none is left.
pub(crate) fn free() -> Result<SocketAddr> {
    let count = LAST - FIRST + 1;
    // Two processes at once begin at different ones.
    let begin = u16::try_from(std::process::id() % u32::from(count))?;
    for _ in 0..count {
        let step = (begin + TRIED.fetch_add(1, Ordering::Relaxed) % count) % count;
        let address = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), FIRST + step);
        if TcpListener::bind(address).is_ok() {
            return Ok(address);
        }
    }
    bail!("no port from {FIRST} to {LAST} is free")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn none_is_given_twice_nor_is_one_the_systems() {
        let given: HashSet<_> = (0..500).map(|_| free().unwrap()).collect();
        assert_eq!(given.len(), 500);
        assert!(given.iter().all(|at| at.port() <= LAST));
    }
}
