//! The host part of an image reference, and of the `ns` parameter that proxies read.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;
use std::sync::Arc;

/// A registry's host with its optional port, such as `registry.example:5000` or `[::1]:5000`.
///
/// Compared by bytes, as written. Safe to repeat in a header (`OCI-Namespace`); it says nothing about whether the
/// place may be contacted.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Host(Arc<str>);

/// A text that is no host with optional port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a registry host is a domain name or an address, with an optional port")]
pub struct HostError;

impl Host {
    /// The longest host with its port, in bytes: a domain name of 253, a colon, a port.
    pub const MAX_BYTES: usize = 259;

    /// The host with its port, as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `text` is a host with optional port: what parsing finds out, without keeping it.
    pub fn is_one(text: &str) -> bool {
        is_host(text).unwrap_or(false)
    }

    /// Whether the first component of a Docker-style reference is meant as a host: it has a dot, a colon or an
    /// upper-case letter, or is `localhost`. Everything else is the first component of a repository name.
    pub(crate) fn is_meant(component: &str) -> bool {
        component == "localhost"
            || component.contains(['.', ':'])
            || component.bytes().any(|byte| byte.is_ascii_uppercase())
    }
}

impl FromStr for Host {
    type Err = HostError;

    fn from_str(text: &str) -> Result<Self, HostError> {
        if Self::is_one(text) {
            Ok(Self(text.into()))
        } else {
            Err(HostError)
        }
    }
}

/// Whether `text` is a domain name or an address, with an optional port.
fn is_host(text: &str) -> Option<bool> {
    if text.len() > Host::MAX_BYTES {
        return None;
    }
    let port = if let Some(rest) = text.strip_prefix('[') {
        let (address, after) = rest.split_once(']')?;
        address.parse::<Ipv6Addr>().ok()?;
        match after {
            "" => None,
            _ => Some(after.strip_prefix(':')?),
        }
    } else {
        let (name, port) = match text.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (text, None),
        };
        if !name.split('.').all(is_label) {
            return None;
        }
        port
    };
    Some(port.is_none_or(is_port))
}

fn is_label(label: &str) -> bool {
    !label.is_empty()
        && label.len() <= 63
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn is_port(digits: &str) -> bool {
    digits.bytes().all(|byte| byte.is_ascii_digit())
        && digits.parse::<u16>().is_ok_and(|port| port != 0)
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Host({})", &self.0)
    }
}

serde_as_text!(Host, "a registry host with optional port");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_domains_or_addresses_with_a_port_or_without() {
        for host in [
            "localhost",
            "registry.example",
            "registry.example:5000",
            "127.0.0.1:443",
            "[::1]",
            "[2001:db8::1]:5000",
            "EXAMPLE.com",
        ] {
            assert_eq!(
                host.parse::<Host>().map(|host| host.to_string()),
                Ok(host.to_owned())
            );
        }
    }

    #[test]
    fn what_could_leave_a_header_or_a_url_is_no_host() {
        let too_long = "a.".repeat(130);
        for host in [
            "",
            ".",
            "a..b",
            "-a",
            "a-",
            "a_b",
            "a:",
            "a:0",
            "a:65536",
            "a:+1",
            "a:1:2",
            "::1",
            "[::1",
            "[::1]5",
            "[::1]:",
            "[fe80::1%eth0]",
            "a/b",
            "a\r\nb",
            "user@host",
            &too_long,
        ] {
            assert_eq!(host.parse::<Host>(), Err(HostError), "{host:?}");
        }
    }
}
