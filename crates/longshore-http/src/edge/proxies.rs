//! Whose word is taken about a request: the proxies in front of the registry, and nobody else.
//!
//! `X-Forwarded-*` and `X-Request-Id` are plain headers that any client can send. They count only when the connection
//! comes from an address the operator listed; a proxy on the list is trusted to overwrite what its own clients sent.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::time::SystemTime;

use http::{HeaderMap, HeaderName, header};
use longshore_auth::certificate::Presented;

use super::names;
use crate::server::{ClientCertificate, Peer};

/// A network as CIDR writes it: `10.0.0.0/8`, `2001:db8::/32`, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network {
    /// The network's address, its host bits zero.
    bits: u128,
    /// How many leading bits of the 128 count. IPv4 networks lie in the range that IPv6 maps them to.
    length: u8,
}

/// A text that is no network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a network is an address with an optional prefix length, such as 10.0.0.0/8 or 2001:db8::/32"
)]
pub struct NetworkError;

impl Network {
    /// Whether `address` lies in the network. An IPv4 address counts as itself in either spelling.
    pub fn contains(&self, address: IpAddr) -> bool {
        (spread(address) ^ self.bits) & mask(self.length) == 0
    }
}

/// An address as 128 bits; IPv4 as IPv6 maps it.
fn spread(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

const fn mask(length: u8) -> u128 {
    match length {
        0 => 0,
        length => u128::MAX << (128 - length),
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| NetworkError)?;
        let (offset, most) = if address.is_ipv4() {
            (96, 32)
        } else {
            (0, 128)
        };
        let length = match length {
            // `parse` alone would take a leading `+`.
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits
                .parse()
                .ok()
                .filter(|length| *length <= most)
                .ok_or(NetworkError)?,
            Some(_) => return Err(NetworkError),
            None => most,
        };
        let length = offset + length;
        Ok(Self {
            bits: spread(address) & mask(length),
            length,
        })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = std::net::Ipv6Addr::from_bits(self.bits);
        match address.to_ipv4_mapped() {
            Some(v4) if self.length >= 96 => write!(f, "{v4}/{}", self.length - 96),
            _ => write!(f, "{address}/{}", self.length),
        }
    }
}

/// What is believed about who sent a request, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sender<'a> {
    /// The client's address: the peer's, or what a trusted proxy says.
    pub(super) address: IpAddr,
    /// Whether the client's connection is encrypted.
    pub(super) secure: bool,
    /// The host the client asked for, where a trusted proxy says it.
    pub(super) host: Option<&'a str>,
    /// The id a trusted proxy gave the request.
    pub(super) request: Option<&'a str>,
    /// The certificate that the client itself has shown.
    pub(super) certificate: Option<&'a ClientCertificate>,
}

impl<'a> Sender<'a> {
    /// Reads the sender off a connection and, if that is one of a trusted proxy, off the headers.
    pub(super) fn of(peer: &'a Peer, headers: &'a HeaderMap, trusted: &[Network]) -> Self {
        let is_trusted = |address| trusted.iter().any(|network| network.contains(address));
        // Whoever can open our unix socket is on this machine.
        let own = peer
            .addr
            .map_or(Ipv4Addr::LOCALHOST.into(), |addr| addr.ip().to_canonical());
        if !is_trusted(own) {
            return Self {
                address: own,
                secure: peer.tls,
                host: None,
                request: None,
                certificate: certificate(peer, headers),
            };
        }
        // Each proxy appends the address it was called from, so the first from the right that is not one of ours is
        // the client; what stands left of it is what the client says about itself.
        let lines = headers.get_all(names::X_FORWARDED_FOR).iter().rev();
        let hops = lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
        let mut address = own;
        for hop in hops {
            match hop_address(hop.trim()) {
                Some(hop) if is_trusted(address) => address = hop,
                _ => break,
            }
        }
        Self {
            address,
            secure: first(headers, &names::X_FORWARDED_PROTO)
                .map_or(peer.tls, |scheme| scheme.eq_ignore_ascii_case("https")),
            host: first(headers, &names::X_FORWARDED_HOST),
            request: first(headers, &names::X_REQUEST_ID),
            // A proxy's certificate says who the proxy is, and nothing about whom it speaks for.
            certificate: None,
        }
    }

    /// What the client's certificate says of it, as long as that is good.
    pub(super) fn presented(&self, now: SystemTime) -> Option<&'a Presented> {
        self.certificate?.presented(now)
    }
}

/// The certificate that counts for a request. Browsers show theirs for whatever page sends them: with what they send for a page
/// (Fetch Metadata, `Origin`) it counts for nothing.
fn certificate<'a>(peer: &'a Peer, headers: &HeaderMap) -> Option<&'a ClientCertificate> {
    let by_page = || headers.contains_key("sec-fetch-site") || headers.contains_key(header::ORIGIN);
    peer.certificate.as_deref().filter(|_| !by_page())
}

/// The address of a hop; some proxies add the port.
fn hop_address(hop: &str) -> Option<IpAddr> {
    let with_port = || Some(hop.parse::<SocketAddr>().ok()?.ip());
    let address = hop.parse().ok().or_else(with_port)?;
    Some(address.to_canonical())
}

/// The first element of a list that proxies append to: what the outermost of them was asked.
fn first<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let list = headers.get(name)?.to_str().ok()?;
    let first = list.split(',').next()?.trim();
    (!first.is_empty()).then_some(first)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn network(text: &str) -> Network {
        text.parse().unwrap()
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_network_holds_its_addresses_in_either_spelling_and_no_others() {
        for (net, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.0"),
            ("10.1.2.3", "10.1.2.3", "10.1.2.4"),
            ("10.1.2.3/31", "::ffff:10.1.2.2", "10.1.2.4"),
            ("0.0.0.0/0", "203.0.113.9", "2001:db8::1"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"),
            ("::/0", "127.0.0.1", "not asked"),
        ] {
            assert!(network(net).contains(address(inside)), "{net} {inside}");
            if let Ok(outside) = outside.parse() {
                assert!(!network(net).contains(outside), "{net} {outside}");
            }
        }
        assert_eq!(network("10.1.2.3/8").to_string(), "10.0.0.0/8");
        assert_eq!(network("2001:db8::1").to_string(), "2001:db8::1/128");
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in [
            "",
            "10.0.0.0/33",
            "10.0.0/8",
            "10.0.0.0/",
            "10.0.0.0/+8",
            "::/129",
            "x",
            "1.2.3.4/8/8",
        ] {
            assert_eq!(text.parse::<Network>(), Err(NetworkError), "{text}");
        }
    }

    fn forwarded(lines: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(names::X_FORWARDED_FOR, HeaderValue::from_static(line));
        }
        headers.insert(names::X_FORWARDED_PROTO, HeaderValue::from_static("https"));
        headers.insert(
            names::X_FORWARDED_HOST,
            HeaderValue::from_static("reg.example, inner"),
        );
        headers.insert(names::X_REQUEST_ID, HeaderValue::from_static("abc"));
        headers
    }

    fn peer(text: &str) -> Peer {
        let mut peer = Peer::default();
        peer.addr = Some((address(text), 12345).into());
        peer
    }

    #[test]
    fn g16_a_peer_that_is_not_listed_says_nothing_about_itself() {
        let peer = peer("203.0.113.9");
        let headers = forwarded(&["198.51.100.1"]);
        let expected = Sender {
            address: address("203.0.113.9"),
            secure: false,
            host: None,
            request: None,
            certificate: None,
        };
        assert_eq!(Sender::of(&peer, &headers, &[]), expected);
        assert_eq!(
            Sender::of(&peer, &headers, &[network("10.0.0.0/8")]),
            expected
        );
    }

    #[test]
    fn the_client_is_the_first_address_from_the_right_that_is_no_proxy_of_ours() {
        let peer = peer("10.0.0.1");
        let ours = [network("10.0.0.0/8")];
        for (lines, client) in [
            (&["198.51.100.1"][..], "198.51.100.1"),
            (&["6.6.6.6, 198.51.100.1, 10.0.0.2"], "198.51.100.1"),
            (
                &["6.6.6.6", "198.51.100.1", "10.0.0.3,10.0.0.2"],
                "198.51.100.1",
            ),
            (&["10.0.0.3"], "10.0.0.3"),
            (&["198.51.100.1, rubbish"], "10.0.0.1"),
            (&["198.51.100.1:4711"], "198.51.100.1"),
            (&["[2001:db8::1]:4711, ::ffff:10.0.0.2"], "2001:db8::1"),
            (&[], "10.0.0.1"),
        ] {
            let headers = forwarded(lines);
            let sender = Sender::of(&peer, &headers, &ours);
            assert_eq!(sender.address, address(client), "{lines:?}");
            assert!(sender.secure);
            assert_eq!(
                (sender.host, sender.request),
                (Some("reg.example"), Some("abc"))
            );
        }
    }
}
