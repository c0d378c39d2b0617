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
use crate::options::Limits;

/// The longest scheme with the blanks around it, in bytes.
const SCHEME_BYTES: usize = 64;
/// The longest user name, in bytes.
pub(crate) const MAX_USER_BYTES: usize = 255;

/// Clients differ in whether they pad; trailing bits must be zero either way.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What a request brought.
#[derive(PartialEq, Eq)]
pub(crate) enum Credentials<'a> {
    /// Nothing, or an empty user name and password: some clients send `Basic Og==` for "nobody".
    None,
    /// A user name and a password, neither of them checked.
    Basic {
        /// 1 to [`MAX_USER_BYTES`] bytes without control characters.
        user: String,
        /// 1 to [`Limits::password_bytes`] bytes without NUL, or what [`is_assertion`] of 1 to
        /// [`Limits::assertion_bytes`].
        password: Zeroizing<Vec<u8>>,
    },
    /// A token: 1 to [`Limits::token_bytes`] bytes of anything.
    Bearer(&'a [u8]),
}

impl fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Credentials::None => "None",
            Credentials::Basic { .. } => "Basic(..)",
            Credentials::Bearer(_) => "Bearer(..)",
        })
    }
}

impl<'a> Credentials<'a> {
    /// Reads the values of all `Authorization` headers of a request.
    pub(crate) fn parse(
        values: impl IntoIterator<Item = &'a [u8]>,
        limits: &Limits,
    ) -> Result<Self, Refusal> {
        let mut values = values.into_iter();
        let Some(value) = values.next() else {
            return Ok(Credentials::None);
        };
        if values.next().is_some() {
            return Err(Refusal::malformed("more than one Authorization header"));
        }
        let longest = limits.token_bytes.max(longest_basic(limits));
        if value.len() > longest.saturating_add(SCHEME_BYTES) {
            return Err(Refusal::malformed("Authorization is too long"));
        }
        let value = value.trim_ascii();
        let (scheme, rest) = match value.iter().position(|&byte| byte == b' ') {
            Some(at) => value.split_at(at),
            None => (value, &[][..]),
        };
        let rest = rest.trim_ascii_start();
        if scheme.eq_ignore_ascii_case(b"basic") {
            basic(rest, limits)
        } else if scheme.eq_ignore_ascii_case(b"bearer") {
            bearer(rest, limits)
        } else {
            Err(Refusal::wrong_scheme("neither Basic nor Bearer"))
        }
    }
}

/// The longest Basic credentials, encoded: 4 characters carry 3 bytes.
fn longest_basic(limits: &Limits) -> usize {
    let password = limits.password_bytes.max(limits.assertion_bytes);
    let plain = password.saturating_add(MAX_USER_BYTES + 1);
    plain.div_ceil(3).saturating_mul(4)
}

fn basic<'a>(encoded: &[u8], limits: &Limits) -> Result<Credentials<'a>, Refusal> {
    // Before decoding, so that a long value costs nothing.
    if encoded.len() > longest_basic(limits) {
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
    let (user, password) = check_basic(user, Zeroizing::new(password.to_vec()), limits)?;
    Ok(Credentials::Basic { user, password })
}

/// A name and a password within their bounds.
pub(crate) fn check_basic(
    user: &str,
    password: Zeroizing<Vec<u8>>,
    limits: &Limits,
) -> Result<(String, Zeroizing<Vec<u8>>), Refusal> {
    if user.is_empty() || user.len() > MAX_USER_BYTES || user.chars().any(char::is_control) {
        return Err(Refusal::password(
            "the user name is empty, too long or has control characters",
        ));
    }
    let fits = password.len() <= limits.password_bytes
        || (password.len() <= limits.assertion_bytes && is_assertion(&password));
    if password.is_empty() || !fits || password.contains(&0) {
        return Err(Refusal::password(
            "the password is empty, too long or has a NUL",
        ));
    }
    Ok((user.to_owned(), password))
}

/// Whether a password has the form of a signed token: three parts in the letters of base64, of which the first begins as an
/// object of JSON does.
pub(crate) fn is_assertion(password: &[u8]) -> bool {
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    password.starts_with(b"eyJ")
        && password.split(|byte| *byte == b'.').count() == 3
        && password.iter().all(is_letter)
}

fn bearer<'a>(token: &'a [u8], limits: &Limits) -> Result<Credentials<'a>, Refusal> {
    if token.is_empty() {
        return Err(Refusal::token("the token is empty"));
    }
    if token.len() > limits.token_bytes {
        return Err(Refusal::token("the token is too long"));
    }
    Ok(Credentials::Bearer(token))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(value: &str) -> Result<Credentials<'_>, Refusal> {
        parse_within(value, &Limits::default())
    }

    fn parse_within<'a>(value: &'a str, limits: &Limits) -> Result<Credentials<'a>, Refusal> {
        Credentials::parse([value.as_bytes()], limits)
    }

    fn encoded(plain: impl AsRef<[u8]>) -> String {
        format!(
            "Basic {}",
            base64::engine::general_purpose::STANDARD.encode(plain)
        )
    }

    fn alice() -> Credentials<'static> {
        Credentials::Basic {
            user: "alice".to_owned(),
            password: Zeroizing::new(b"s:3cret".to_vec()),
        }
    }

    #[test]
    fn no_header_and_empty_credentials_are_nobody() {
        assert_eq!(
            Credentials::parse([], &Limits::default()),
            Ok(Credentials::None)
        );
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
        assert_eq!(parse("bearer abc"), Ok(Credentials::Bearer(b"abc")));
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
                format!("Basic {}", "A".repeat(22_200)),
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
        let twice = Credentials::parse(
            [b"Basic Og==".as_slice(), b"Basic Og==".as_slice()],
            &Limits::default(),
        );
        assert_eq!(twice.unwrap_err().why, "more than one Authorization header");
    }

    #[test]
    fn names_and_passwords_outside_their_bounds_never_reach_a_hash() {
        let long = "p".repeat(1024 + 1);
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
        assert!(parse(&encoded(format!("alice:{}", "p".repeat(1024)))).is_ok());
    }

    #[test]
    fn a_token_in_the_place_of_a_password_may_be_longer_than_one_and_nothing_else_may() {
        let token = |bytes: usize| format!("eyJ{}.e30.c2ln", "a".repeat(bytes - 12));
        let none = Limits {
            assertion_bytes: 0,
            ..Limits::default()
        };
        let basic = |password: &str, limits: &Limits| {
            parse_within(&encoded(format!("ci:{password}")), limits).map(|_| ())
        };
        let limits = Limits::default();
        assert!(
            basic(&token(1024), &none).is_ok(),
            "no longer than a password"
        );
        assert!(basic(&token(1025), &none).is_err());
        assert!(basic(&token(3000), &limits).is_ok());
        assert!(basic(&token(16 * 1024), &limits).is_ok());
        assert!(basic(&token(16 * 1024 + 1), &limits).is_err());
        for other in [
            "p".repeat(3000),
            format!("eyJ{}", "a".repeat(3000)),
            format!("{}.", token(3000)),
            format!("{} ", token(3000)),
            token(3000).replacen("aaa", "a+a", 1),
            token(3000).replacen("eyJ", "eyK", 1),
        ] {
            assert!(basic(&other, &limits).is_err(), "{}", &other[..8]);
        }
    }

    #[test]
    fn g18_an_empty_or_huge_token_is_refused() {
        for value in ["Bearer", "Bearer ", "bearer   "] {
            assert_eq!(parse(value).unwrap_err().error, Some("invalid_token"));
        }
        assert_eq!(
            parse(&format!("Bearer {}", "a".repeat(16 * 1024 + 1)))
                .unwrap_err()
                .why,
            "the token is too long"
        );
        assert!(parse(&format!("Bearer {}", "a".repeat(16 * 1024))).is_ok());
    }

    #[test]
    fn longer_passwords_and_tokens_are_taken_where_the_limits_say_so_and_shorter_ones_only() {
        for (password_bytes, token_bytes) in [(8, 40), (40_000, 16), (16, 40_000)] {
            let limits = Limits {
                token_bytes,
                password_bytes,
                ..Limits::default()
            };
            let basic = |bytes| {
                parse_within(&encoded(format!("a:{}", "p".repeat(bytes))), &limits).map(|_| ())
            };
            assert!(basic(password_bytes).is_ok());
            assert!(basic(password_bytes + 1).is_err());
            let bearer =
                |bytes| parse_within(&format!("Bearer {}", "t".repeat(bytes)), &limits).map(|_| ());
            assert!(bearer(token_bytes).is_ok());
            assert!(bearer(token_bytes + 1).is_err());
        }
        let endless = Limits {
            password_bytes: usize::MAX,
            token_bytes: usize::MAX,
            ..Limits::default()
        };
        assert!(parse_within("Bearer a", &endless).is_ok());
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
