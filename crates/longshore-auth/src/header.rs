//! Reading the `Authorization` header.
//!
//! The scheme is compared without case (RFC 9110, 11.1). Everything is bounded before it is decoded, and what is not
//! understood is refused rather than taken for "no credentials": a client that meant to log in should hear that it did
//! not.

use std::fmt;

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use crate::identity::Refusal;

/// The longest header value that is looked at, in bytes: the largest token and its scheme.
const MAX_VALUE_BYTES: usize = crate::header::MAX_TOKEN_BYTES + 64;
/// The largest token, in bytes.
pub(crate) const MAX_TOKEN_BYTES: usize = 16 * 1024;
/// The longest user name, in bytes.
pub(crate) const MAX_USER_BYTES: usize = 255;
/// The longest password, in bytes.
pub(crate) const MAX_PASSWORD_BYTES: usize = 1024;

/// Clients differ in whether they pad; trailing bits must be zero either way.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What a request brought.
#[derive(PartialEq, Eq)]
pub(crate) enum Credentials {
    /// Nothing, or an empty user name and password: some clients send `Basic Og==` for "nobody".
    None,
    /// A user name and a password, neither of them checked.
    Basic {
        /// 1 to [`MAX_USER_BYTES`] bytes without control characters.
        user: String,
        /// 1 to [`MAX_PASSWORD_BYTES`] bytes without NUL.
        password: Zeroizing<Vec<u8>>,
    },
    /// A token: 1 to [`MAX_TOKEN_BYTES`] bytes of anything.
    Bearer(Zeroizing<Vec<u8>>),
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Credentials::None => "None",
            Credentials::Basic { .. } => "Basic(..)",
            Credentials::Bearer(_) => "Bearer(..)",
        })
    }
}

impl Credentials {
    /// Reads the values of all `Authorization` headers of a request.
    pub(crate) fn parse<'a>(values: impl IntoIterator<Item = &'a [u8]>) -> Result<Self, Refusal> {
        let mut values = values.into_iter();
        let Some(value) = values.next() else {
            return Ok(Credentials::None);
        };
        if values.next().is_some() {
            return Err(Refusal::malformed("more than one Authorization header"));
        }
        if value.len() > MAX_VALUE_BYTES {
            return Err(Refusal::malformed("Authorization is too long"));
        }
        let value = value.trim_ascii();
        let (scheme, rest) = match value.iter().position(|&byte| byte == b' ') {
            Some(at) => value.split_at(at),
            None => (value, &[][..]),
        };
        let rest = rest.trim_ascii_start();
        if scheme.eq_ignore_ascii_case(b"basic") {
            basic(rest)
        } else if scheme.eq_ignore_ascii_case(b"bearer") {
            bearer(rest)
        } else {
            Err(Refusal::wrong_scheme("neither Basic nor Bearer"))
        }
    }
}

fn basic(encoded: &[u8]) -> Result<Credentials, Refusal> {
    // Before decoding, so that a long value costs nothing: 4 characters carry 3 bytes.
    if encoded.len() > (MAX_USER_BYTES + 1 + MAX_PASSWORD_BYTES).div_ceil(3) * 4 {
        return Err(Refusal::malformed("Basic credentials are too long"));
    }
    let decoded = Zeroizing::new(
        BASE64
            .decode(encoded)
            .map_err(|_| Refusal::malformed("Basic credentials are not base64"))?,
    );
    let Some(colon) = decoded.iter().position(|&byte| byte == b':') else {
        return Err(Refusal::malformed("Basic credentials have no colon"));
    };
    let (user, password) = decoded.split_at(colon);
    let password = password.get(1..).unwrap_or_default();
    if user.is_empty() && password.is_empty() {
        return Ok(Credentials::None);
    }
    let user =
        std::str::from_utf8(user).map_err(|_| Refusal::malformed("the user name is not UTF-8"))?;
    if user.is_empty() || user.len() > MAX_USER_BYTES || user.chars().any(char::is_control) {
        return Err(Refusal::password(
            "the user name is empty, too long or has control characters",
        ));
    }
    if password.is_empty() || password.len() > MAX_PASSWORD_BYTES || password.contains(&0) {
        return Err(Refusal::password(
            "the password is empty, too long or has a NUL",
        ));
    }
    Ok(Credentials::Basic {
        user: user.to_owned(),
        password: Zeroizing::new(password.to_vec()),
    })
}

fn bearer(token: &[u8]) -> Result<Credentials, Refusal> {
    if token.is_empty() {
        return Err(Refusal::token("the token is empty"));
    }
    if token.len() > MAX_TOKEN_BYTES {
        return Err(Refusal::token("the token is too long"));
    }
    Ok(Credentials::Bearer(Zeroizing::new(token.to_vec())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(value: &str) -> Result<Credentials, Refusal> {
        Credentials::parse([value.as_bytes()])
    }

    fn encoded(plain: impl AsRef<[u8]>) -> String {
        format!(
            "Basic {}",
            base64::engine::general_purpose::STANDARD.encode(plain)
        )
    }

    fn alice() -> Credentials {
        Credentials::Basic {
            user: "alice".to_owned(),
            password: Zeroizing::new(b"s:3cret".to_vec()),
        }
    }

    #[test]
    fn no_header_and_empty_credentials_are_nobody() {
        assert_eq!(Credentials::parse([]), Ok(Credentials::None));
        assert_eq!(parse("Basic Og=="), Ok(Credentials::None));
        assert_eq!(parse("Basic Og"), Ok(Credentials::None));
    }

    #[test]
    fn the_scheme_is_read_without_case_and_the_password_may_have_colons() {
        for scheme in ["Basic", "basic", "BASIC", "bAsIc  "] {
            assert_eq!(
                parse(&encoded("alice:s:3cret").replace("Basic", scheme)),
                Ok(alice()),
                "{scheme}"
            );
        }
        assert_eq!(
            parse("bearer abc"),
            Ok(Credentials::Bearer(Zeroizing::new(b"abc".to_vec())))
        );
    }

    #[test]
    fn g17_malformed_basic_credentials_are_refused_and_not_taken_for_nobody() {
        for (value, why) in [
            ("Basic !!!".to_owned(), "Basic credentials are not base64"),
            ("Basic".to_owned(), "Basic credentials have no colon"),
            (encoded("nocolon"), "Basic credentials have no colon"),
            (
                encoded([b'a', 0xff, b':', b'x']),
                "the user name is not UTF-8",
            ),
            ("Basic YTpiZ".to_owned(), "Basic credentials are not base64"),
            (
                format!("Basic {}", "A".repeat(2000)),
                "Basic credentials are too long",
            ),
            (
                format!("Basic {}", "A".repeat(1 << 20)),
                "Authorization is too long",
            ),
            (
                "Digest username=\"x\"".to_owned(),
                "neither Basic nor Bearer",
            ),
            (String::new(), "neither Basic nor Bearer"),
        ] {
            assert_eq!(
                parse(&value).unwrap_err().why,
                why,
                "{}",
                &value[..value.len().min(40)]
            );
        }
        let twice = Credentials::parse([b"Basic Og==".as_slice(), b"Basic Og==".as_slice()]);
        assert_eq!(twice.unwrap_err().why, "more than one Authorization header");
    }

    #[test]
    fn names_and_passwords_outside_their_bounds_never_reach_a_hash() {
        let long = "p".repeat(MAX_PASSWORD_BYTES + 1);
        for plain in [
            ":secret",
            "alice:",
            "a\nb:secret",
            "alice:a\0b",
            &format!("alice:{long}"),
        ] {
            assert_eq!(
                parse(&encoded(plain)).unwrap_err().public,
                Refusal::password("").public,
                "{plain:?}"
            );
        }
        assert!(
            parse(&encoded(format!(
                "alice:{}",
                "p".repeat(MAX_PASSWORD_BYTES)
            )))
            .is_ok()
        );
    }

    #[test]
    fn g18_an_empty_or_huge_token_is_refused() {
        for value in ["Bearer", "Bearer ", "bearer   "] {
            assert_eq!(parse(value).unwrap_err().error, Some("invalid_token"));
        }
        assert_eq!(
            parse(&format!("Bearer {}", "a".repeat(MAX_TOKEN_BYTES + 1)))
                .unwrap_err()
                .why,
            "the token is too long"
        );
        assert!(parse(&format!("Bearer {}", "a".repeat(MAX_TOKEN_BYTES))).is_ok());
    }

    #[test]
    fn secrets_never_show() {
        let shown = format!("{:?}", alice());
        assert!(
            !shown.contains("alice") && !shown.contains("3cret"),
            "{shown}"
        );
    }
}
