//! Addresses to listen on, and ranges of addresses to trust.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::path::PathBuf;

use super::key::Kind;
use super::node::{Datum, Node};
use super::show::quoted;
use super::value::{Fault, Value};

/// Where to listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    /// `:5000`: every address of this machine, IPv6 too where there is any.
    Everywhere(u16),
    /// `127.0.0.1:5000`, `[::1]:5000`.
    Address(SocketAddr),
    /// `localhost:5000`: a name, looked up when the server starts.
    Name(String, u16),
    /// `unix:/run/longshore.sock`.
    Unix(PathBuf),
}

impl Listen {
    /// Whether only this machine can reach it. A name other than `localhost` may mean anything, so
    /// it counts as reachable from elsewhere.
    pub fn is_local(&self) -> bool {
        match self {
            Self::Everywhere(_) => false,
            Self::Address(address) => address.ip().to_canonical().is_loopback(),
            Self::Name(name, _) => name.eq_ignore_ascii_case("localhost"),
            Self::Unix(_) => true,
        }
    }

    /// The socket addresses to try, best first; the first that can be bound is enough. None for a
    /// Unix socket. Looks names up, so it may block.
    ///
    /// # Errors
    /// The name cannot be looked up.
    pub fn addresses(&self) -> io::Result<Vec<SocketAddr>> {
        match self {
            Self::Everywhere(port) => Ok(vec![
                // On a machine without IPv6 the first cannot be bound.
                SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), *port),
                SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), *port),
            ]),
            Self::Address(address) => Ok(vec![*address]),
            Self::Name(name, port) => {
                let mut found: Vec<_> = (name.as_str(), *port).to_socket_addrs()?.collect();
                // "localhost" is ::1 and 127.0.0.1; clients try the latter more often.
                found.sort_by_key(SocketAddr::is_ipv6);
                Ok(found)
            }
            Self::Unix(_) => Ok(Vec::new()),
        }
    }

    /// Reads the forms documented on the variants.
    pub fn read(text: &str) -> Option<Self> {
        if let Some(path) = text.strip_prefix("unix:") {
            return (!path.is_empty()).then(|| Self::Unix(path.into()));
        }
        if let Ok(address) = text.parse() {
            return Some(Self::Address(address));
        }
        let (host, port) = text.rsplit_once(':')?;
        let port = port
            .parse()
            .ok()
            .filter(|_| port.bytes().all(|byte| byte.is_ascii_digit()))?;
        if host.is_empty() {
            return Some(Self::Everywhere(port));
        }
        let is_name = host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
        // A name of digits and dots only is an IPv4 address with a slip in it.
        let is_slip = host
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.');
        (is_name && !is_slip).then(|| Self::Name(host.to_owned(), port))
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everywhere(port) => write!(f, ":{port}"),
            Self::Address(address) => address.fmt(f),
            Self::Name(name, port) => write!(f, "{name}:{port}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl Value for Listen {
    fn kind() -> Kind {
        Kind::Listen
    }

    fn parse(node: &Node) -> Result<Self, Fault> {
        match &node.datum {
            Datum::Text(text) => Self::read(text).ok_or_else(|| Fault::of(node, &Self::kind())),
            Datum::Integer(port) => {
                Err(Fault::of(node, &Self::kind())
                    .hint(format!("did you mean \"127.0.0.1:{port}\"?")))
            }
            _ => Err(Fault::of(node, &Self::kind())),
        }
    }

    fn show(&self) -> Option<String> {
        Some(quoted(&self.to_string()))
    }
}

/// A range of IP addresses, `10.0.0.0/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    /// The first address of the range.
    first: IpAddr,
    /// How many leading bits all addresses of the range share.
    bits: u8,
}

impl Network {
    /// Whether `address` is in the range; an IPv4 address mapped into IPv6 counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.first, address.to_canonical()) {
            (IpAddr::V4(first), IpAddr::V4(address)) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.bits)).unwrap_or(0);
                first.to_bits() == address.to_bits() & mask
            }
            (IpAddr::V6(first), IpAddr::V6(address)) => {
                let mask = u128::MAX
                    .checked_shl(128 - u32::from(self.bits))
                    .unwrap_or(0);
                first.to_bits() == address.to_bits() & mask
            }
            _ => false,
        }
    }

    /// Reads `10.0.0.0/8` or a lone address. Bits past the prefix are refused: `10.0.0.7/8` is a slip.
    fn read(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let first: IpAddr = address.parse().ok()?;
        let width = if first.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Some(width), |bits| bits.parse().ok())?;
        let network = Self { first, bits };
        (bits <= width && network.contains(first)).then_some(network)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.bits)
    }
}

impl Value for Network {
    fn kind() -> Kind {
        Kind::Network
    }

    fn parse(node: &Node) -> Result<Self, Fault> {
        let read = match &node.datum {
            Datum::Text(text) => Self::read(text),
            _ => None,
        };
        read.ok_or_else(|| Fault::of(node, &Self::kind()))
    }

    fn show(&self) -> Option<String> {
        Some(quoted(&self.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_address_is_read_and_written_back() {
        for (text, local) in [
            ("127.0.0.1:5000", true),
            ("[::1]:5000", true),
            ("[::ffff:127.0.0.1]:5000", true),
            ("localhost:5000", true),
            ("unix:/run/longshore.sock", true),
            (":5000", false),
            ("0.0.0.0:5000", false),
            ("reg.example:5000", false),
        ] {
            let listen = Listen::read(text).unwrap();
            assert_eq!(listen.to_string(), text);
            assert_eq!(listen.is_local(), local, "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            "5000",
            "127.0.0.1",
            "127.0.0:5000",
            "::1:5000",
            "host:",
            "host:65536",
            "host:+1",
            "unix:",
            "a b:1",
        ] {
            assert_eq!(Listen::read(text), None, "{text}");
        }
    }

    #[test]
    fn a_network_holds_its_own_addresses_only() {
        let holds = |network, address: &str| {
            Network::read(network)
                .unwrap()
                .contains(address.parse().unwrap())
        };
        assert!(holds("10.0.0.0/8", "10.255.1.2"));
        assert!(holds("10.0.0.0/8", "::ffff:10.1.1.1"));
        assert!(!holds("10.0.0.0/8", "11.0.0.1"));
        assert!(holds("0.0.0.0/0", "192.0.2.1"));
        assert!(!holds("0.0.0.0/0", "2001:db8::1"));
        assert!(holds("2001:db8::/32", "2001:db8:1::1"));
        assert!(!holds("192.0.2.7", "192.0.2.8"));
        for wrong in ["10.0.0.7/8", "10.0.0.0/33", "10.0.0.0/", "ten"] {
            assert_eq!(Network::read(wrong), None, "{wrong}");
        }
    }
}
