//! Networks from which a binding counts.

use std::net::IpAddr;

use super::ConditionError;

/// A network: an address and how many of its bits count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

/// The most networks of one binding.
const MAX_NETWORKS: usize = 64;

impl Network {
    /// Reads networks parted by spaces.
    ///
    /// # Errors
    /// One of them is none, or there are none or too many.
    pub fn list(text: &str) -> Result<Vec<Self>, ConditionError> {
        let list: Vec<Self> = text
            .split(' ')
            .filter(|word| !word.is_empty())
            .map(Self::parse)
            .collect::<Option<_>>()
            .ok_or(ConditionError::Network)?;
        if list.is_empty() || list.len() > MAX_NETWORKS {
            return Err(ConditionError::Network);
        }
        Ok(list)
    }

    fn parse(word: &str) -> Option<Self> {
        let (address, bits) = match word.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (word, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            None => most,
            Some(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok()?,
            Some(_) => return None,
        };
        (bits <= most).then_some(Self { address, bits })
    }

    /// Whether `address` is in it. One of IPv4 that is written as IPv6 is one of IPv4.
    pub fn has(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let apart = own.to_bits() ^ other.to_bits();
                apart.checked_shr(32 - u32::from(self.bits)).unwrap_or(0) == 0
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let apart = own.to_bits() ^ other.to_bits();
                apart.checked_shr(128 - u32::from(self.bits)).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_the_addresses_that_begin_as_it_does() {
        for (list, yes, no) in [
            (
                "10.0.0.0/8",
                &["10.1.2.3", "::ffff:10.0.0.1"][..],
                &["11.0.0.1", "::1"][..],
            ),
            ("192.0.2.7", &["192.0.2.7"], &["192.0.2.8"]),
            ("0.0.0.0/0", &["1.2.3.4"], &["::1"]),
            (
                "fd00::/8 ::1",
                &["fd12::1", "::1"],
                &["fe00::1", "127.0.0.1"],
            ),
            ("::/0", &["::1"], &["1.2.3.4"]),
        ] {
            let list = Network::list(list).unwrap();
            let has = |text: &&str| list.iter().any(|it| it.has(text.parse().unwrap()));
            assert!(yes.iter().all(has) && !no.iter().any(has), "{list:?}");
        }
        for text in [
            "",
            "10.0.0.0/33",
            "10.0.0/8",
            "x",
            "10.0.0.0/-1",
            "10.0.0.0/+8",
            "10.0.0.0/",
            "::/129",
        ] {
            assert!(Network::list(text).is_err(), "{text}");
        }
    }
}
