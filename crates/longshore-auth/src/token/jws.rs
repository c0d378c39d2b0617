//! Taking a signed token apart (RFC 7515, compact serialisation; nothing else).
//!
//! The number of dots is checked before anything is split or decoded, for it tells a JWS from a JWE. Header members by
//! which a token would choose its own key, compression or rules are refused, known or not to work here.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::chain::MAX_CHAIN;
use super::json::{Json, Object};
use super::key::Algorithm;
use super::keys::MAX_KID_BYTES;

/// Members that no header may have.
const REFUSED: [&str; 9] = [
    "jwk", "jku", "x5u", "crit", "zip", "b64", "enc", "epk", "p2c",
];

/// A token taken apart; nothing of it is true yet.
pub(crate) struct Jws<'a> {
    /// The algorithm the header claims.
    pub(crate) algorithm: Algorithm,
    /// The name of the key.
    pub(crate) kid: Option<String>,
    /// The DER certificates the token brings, the signer's first.
    pub(crate) chain: Option<Vec<Vec<u8>>>,
    /// What is signed.
    pub(crate) signed: &'a [u8],
    /// The signature over it.
    pub(crate) signature: Vec<u8>,
    payload: &'a [u8],
}

impl<'a> Jws<'a> {
    /// Takes `token` apart, whose length the caller has checked.
    ///
    /// # Errors
    /// What is wrong with its form or header.
    pub(crate) fn parse(token: &'a [u8]) -> Result<Self, &'static str> {
        let mut dots = token
            .iter()
            .enumerate()
            .filter(|(_, byte)| **byte == b'.')
            .map(|(at, _)| at);
        let (Some(first), Some(second), None) = (dots.next(), dots.next(), dots.next()) else {
            return Err("the token does not have exactly two dots");
        };
        let header = token.get(..first).unwrap_or_default();
        let signed = token.get(..second).unwrap_or_default();
        let payload = token.get(first + 1..second).unwrap_or_default();
        let signature = token.get(second + 1..).unwrap_or_default();

        let header = URL_SAFE_NO_PAD
            .decode(header)
            .map_err(|_| "the header is not base64url")?;
        let header =
            Json::object(&header).map_err(|_| "the header is not an object of strict JSON")?;
        if REFUSED.iter().any(|name| header.contains_key(*name)) {
            return Err("the header has a member that is refused");
        }
        let algorithm = header
            .get("alg")
            .and_then(Json::text)
            .and_then(Algorithm::by_name)
            .ok_or("the header's `alg` is not one that is accepted")?;
        check_type(&header)?;
        Ok(Jws {
            algorithm,
            kid: kid(&header)?,
            chain: chain(&header)?,
            signed,
            signature: URL_SAFE_NO_PAD
                .decode(signature)
                .map_err(|_| "the signature is not base64url")?,
            payload,
        })
    }

    /// The bytes of the claims. To be read only once the signature has been checked.
    ///
    /// # Errors
    /// They are not base64url.
    pub(crate) fn payload(&self) -> Result<Vec<u8>, &'static str> {
        URL_SAFE_NO_PAD
            .decode(self.payload)
            .map_err(|_| "the claims are not base64url")
    }
}

/// A token that says it is something else is something else.
fn check_type(header: &Object) -> Result<(), &'static str> {
    match header.get("typ").map(Json::text) {
        None => Ok(()),
        Some(Some(name))
            if name.eq_ignore_ascii_case("jwt") || name.eq_ignore_ascii_case("at+jwt") =>
        {
            Ok(())
        }
        Some(_) => Err("the header's `typ` is not `JWT`"),
    }
}

fn kid(header: &Object) -> Result<Option<String>, &'static str> {
    match header.get("kid") {
        None => Ok(None),
        Some(Json::Text(kid)) if (1..=MAX_KID_BYTES).contains(&kid.len()) => Ok(Some(kid.clone())),
        Some(_) => Err("the header's `kid` is not a text of acceptable length"),
    }
}

fn chain(header: &Object) -> Result<Option<Vec<Vec<u8>>>, &'static str> {
    let list = match header.get("x5c") {
        None => return Ok(None),
        Some(Json::List(list)) if (1..=MAX_CHAIN).contains(&list.len()) => list,
        Some(_) => return Err("the header's `x5c` is not a list of acceptable length"),
    };
    // Standard base64, unlike all the rest of a JWS (RFC 7515, 4.1.6).
    let decode = |item: &Json| item.text().and_then(|text| STANDARD.decode(text).ok());
    list.iter()
        .map(decode)
        .collect::<Option<Vec<_>>>()
        .map(Some)
        .ok_or("the header's `x5c` is not base64")
}
