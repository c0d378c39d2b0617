//! Mail addresses.

use std::fmt;

use longshore_core::{Code, Error, Result};

/// The longest address (RFC 5321, 4.5.3.1.3, without the angle brackets).
const LONGEST: usize = 254;

/// An address that mail can be sent to, as rows have it: ASCII, the host in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address(String);

impl Address {
    /// Reads an address. The library knows the grammar; what of it most servers do not take (quotes, numbers for hosts, other
    /// letters than ASCII) is refused too.
    ///
    /// # Errors
    /// `QueryInvalid`.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = || {
            Error::new(
                Code::QueryInvalid,
                "that is no mail address: it looks like name@host.example, in ASCII",
            )
        };
        if text.len() > LONGEST || !text.is_ascii() {
            return Err(wrong());
        }
        let address: lettre::Address = text.parse().map_err(|_| wrong())?;
        let (user, domain) = (address.user(), address.domain());
        let in_user =
            |byte: u8| byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&byte);
        let in_domain = |byte: u8| byte.is_ascii_alphanumeric() || b".-".contains(&byte);
        if !user.bytes().all(in_user) || !domain.bytes().all(in_domain) || user.len() > 64 {
            return Err(wrong());
        }
        Ok(Self(format!("{user}@{}", domain.to_ascii_lowercase())))
    }

    /// Reads an address where there is one; empty stays empty.
    ///
    /// # Errors
    /// `QueryInvalid`.
    pub(crate) fn of(text: &str) -> Result<String> {
        if text.is_empty() {
            return Ok(String::new());
        }
        Self::parse(text).map(|it| it.0)
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Enough of it for its owner to know it by, and too little for others.
    pub(crate) fn hint(text: &str) -> String {
        match text.split_once('@') {
            Some((user, domain)) => {
                let first: String = user.chars().take(1).collect();
                format!("{first}***@{domain}")
            }
            None => "***".to_owned(),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_ascii_and_has_nothing_that_ends_a_line_or_a_command() {
        for (good, kept) in [
            ("ann@example.org", "ann@example.org"),
            ("Ann.Lee+reg@EXAMPLE.org", "Ann.Lee+reg@example.org"),
            ("o'hara@mail.example.org", "o'hara@mail.example.org"),
            ("root@localhost", "root@localhost"),
        ] {
            assert_eq!(Address::parse(good).unwrap().as_str(), kept);
        }
        let long = format!("{}@example.org", "x".repeat(300));
        for bad in [
            "",
            "ann",
            "@example.org",
            "ann@",
            "ann@example.org\r\nBcc: all@example.org",
            "ann@example.org\n",
            "ann@example.org\0",
            "ann@example.org>",
            "<ann@example.org>",
            "Ann <ann@example.org>",
            "ann@example.org,bob@example.org",
            "ann@example.org bob@example.org",
            "\"ann bob\"@example.org",
            "ann@[127.0.0.1]",
            "ann@[IPv6:::1]",
            "änn@example.org",
            "ann@exämple.org",
            "ann@@example.org",
            ".ann@example.org",
            "ann..lee@example.org",
            "ann@-example.org",
            "ann%0aRCPT@exa mple.org",
            &long,
        ] {
            assert!(Address::parse(bad).is_err(), "{bad:?}");
        }
        assert_eq!(Address::hint("ann@example.org"), "a***@example.org");
    }
}
