//! A public key that tokens may be signed with, under the names that tokens call it by.
//!
//! The key decides the algorithm, one for each kind of key, and the token's header can only agree. There is no symmetric
//! algorithm here, so a public key can never be taken for a shared secret.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, ParsedPublicKey,
    RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, VerificationAlgorithm,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use x509_cert::der::asn1::{ObjectIdentifier, UintRef};
use x509_cert::der::{Decode as _, Reader as _, SliceReader};
use x509_cert::spki::SubjectPublicKeyInfoRef;

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const ED25519_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// The shortest modulus, in bytes.
const MIN_RSA_BYTES: usize = 256;

/// How a token is signed (RFC 7518, 3.1; RFC 8037).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Rs256,
    Es256,
    Es384,
    EdDsa,
}

impl Algorithm {
    /// By its exact name in `alg`.
    pub(crate) fn by_name(name: &str) -> Option<Self> {
        Some(match name {
            "RS256" => Algorithm::Rs256,
            "ES256" => Algorithm::Es256,
            "ES384" => Algorithm::Es384,
            "EdDSA" => Algorithm::EdDsa,
            _ => return None,
        })
    }

    fn verification(self) -> &'static dyn VerificationAlgorithm {
        match self {
            Algorithm::Rs256 => &RSA_PKCS1_2048_8192_SHA256,
            // "Fixed" is the form of JWS: both numbers at full length, no DER. Zeros are refused, high S is not.
            Algorithm::Es256 => &ECDSA_P256_SHA256_FIXED,
            Algorithm::Es384 => &ECDSA_P384_SHA384_FIXED,
            Algorithm::EdDsa => &ED25519,
        }
    }
}

/// A trusted public key.
#[derive(Clone)]
pub(crate) struct Key {
    algorithm: Algorithm,
    public: ParsedPublicKey,
    /// The identifiers that are made from the key itself.
    pub(crate) libtrust: String,
    pub(crate) thumbprint: String,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Key")
            .field(&self.algorithm)
            .field(&self.thumbprint)
            .finish()
    }
}

impl Key {
    /// From a DER `SubjectPublicKeyInfo` (RFC 5280, 4.1.2.7).
    ///
    /// # Errors
    /// The key is malformed, too short, or of a kind that no accepted algorithm uses.
    pub(crate) fn from_spki(der: &[u8]) -> Result<Self, &'static str> {
        let spki = SubjectPublicKeyInfoRef::from_der(der).map_err(|_| "it is malformed")?;
        let algorithm = match spki.algorithm.oid {
            RSA => Algorithm::Rs256,
            ED25519_KEY => Algorithm::EdDsa,
            EC => match spki.algorithm.parameters_oid() {
                Ok(P256) => Algorithm::Es256,
                Ok(P384) => Algorithm::Es384,
                _ => return Err("its curve is none of P-256 and P-384"),
            },
            _ => return Err("it is none of RSA, EC (P-256, P-384) and Ed25519"),
        };
        Self::new(algorithm, der)
    }

    /// From the modulus and exponent of an RSA key, both big-endian.
    ///
    /// # Errors
    /// As [`Key::from_spki`].
    pub(crate) fn from_rsa(n: &[u8], e: &[u8]) -> Result<Self, &'static str> {
        let der: PublicKeyX509Der<'_> = RsaPublicKeyComponents { n, e }
            .as_der()
            .map_err(|_| "it is malformed")?;
        Self::new(Algorithm::Rs256, der.as_ref())
    }

    /// From the two coordinates of a point, each at full length.
    ///
    /// # Errors
    /// As [`Key::from_spki`]; a point that is not on the curve is malformed.
    pub(crate) fn from_point(
        algorithm: Algorithm,
        x: &[u8],
        y: &[u8],
    ) -> Result<Self, &'static str> {
        let length = if algorithm == Algorithm::Es384 {
            48
        } else {
            32
        };
        if x.len() != length || y.len() != length {
            return Err("its coordinates are not of the curve's length");
        }
        Self::new(algorithm, &[&[4], x, y].concat())
    }

    /// From the 32 bytes of an Ed25519 key.
    ///
    /// # Errors
    /// As [`Key::from_spki`].
    pub(crate) fn from_ed25519(x: &[u8]) -> Result<Self, &'static str> {
        if x.len() != 32 {
            return Err("an Ed25519 key has 32 bytes");
        }
        Self::new(Algorithm::EdDsa, x)
    }

    fn new(algorithm: Algorithm, bytes: &[u8]) -> Result<Self, &'static str> {
        let public = ParsedPublicKey::new(algorithm.verification(), bytes)
            .map_err(|_| "it is malformed or too short")?;
        let der: PublicKeyX509Der<'_> = public.as_der().map_err(|_| "it is malformed")?;
        let thumbprint = thumbprint(algorithm, der.as_ref())
            .ok_or("it is malformed, or an RSA key of less than 2048 bits")?;
        Ok(Key {
            algorithm,
            libtrust: libtrust_id(der.as_ref()),
            thumbprint,
            public,
        })
    }

    /// The one algorithm this key is for.
    pub(crate) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// What the key is made of, as a JWK has it.
    pub(crate) fn numbers(&self) -> Option<Numbers> {
        let der: PublicKeyX509Der<'_> = self.public.as_der().ok()?;
        numbers(self.algorithm, der.as_ref())
    }

    /// Whether `signature` is this key's signature of `message`.
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.public.verify_sig(message, signature).is_ok()
    }
}

/// The identifier of libtrust, which token servers of Distribution 2 use: the first 240 bits of the SHA-256 of the DER
/// `SubjectPublicKeyInfo` in base32, twelve groups of four letters joined by colons.
fn libtrust_id(spki: &[u8]) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let hash = digest(&SHA256, spki);
    let mut id = String::with_capacity(59);
    let mut bits: u32 = 0;
    let mut held = 0;
    let mut letters = 0;
    for byte in hash.as_ref().iter().take(30) {
        bits = bits << 8 | u32::from(*byte);
        held += 8;
        while held >= 5 {
            held -= 5;
            if letters > 0 && letters % 4 == 0 {
                id.push(':');
            }
            letters += 1;
            let index = (bits >> held & 31) as usize;
            id.push(LETTERS.get(index).copied().map_or('A', char::from));
        }
    }
    id
}

/// Modulus and exponent of an RSA key (RFC 8017, A.1.1).
fn rsa_numbers(key: &[u8]) -> Option<(UintRef<'_>, UintRef<'_>)> {
    let mut reader = SliceReader::new(key).ok()?;
    reader
        .sequence(|inner| {
            Ok::<_, x509_cert::der::Error>((UintRef::decode(inner)?, UintRef::decode(inner)?))
        })
        .ok()
}

/// What a public key is made of; numbers are big-endian.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Numbers {
    Point {
        curve: &'static str,
        x: Vec<u8>,
        y: Vec<u8>,
    },
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    Ed25519(Vec<u8>),
}

fn numbers(algorithm: Algorithm, spki: &[u8]) -> Option<Numbers> {
    let spki = SubjectPublicKeyInfoRef::from_der(spki).ok()?;
    let key = spki.subject_public_key.as_bytes()?;
    Some(match algorithm {
        Algorithm::Rs256 => {
            let (n, e) = rsa_numbers(key)?;
            // Shorter ones would fail at each check; better to hear it when the key is read.
            if n.as_bytes().len() < MIN_RSA_BYTES {
                return None;
            }
            Numbers::Rsa {
                n: n.as_bytes().to_vec(),
                e: e.as_bytes().to_vec(),
            }
        }
        Algorithm::Es256 | Algorithm::Es384 => {
            let (form, point) = key.split_first()?;
            let (x, y) = point.split_at_checked(point.len() / 2)?;
            let curve = if algorithm == Algorithm::Es256 {
                "P-256"
            } else {
                "P-384"
            };
            (*form == 4).then(|| Numbers::Point {
                curve,
                x: x.to_vec(),
                y: y.to_vec(),
            })?
        }
        Algorithm::EdDsa => Numbers::Ed25519(key.to_vec()),
    })
}

/// The JWK thumbprint by SHA-256 (RFC 7638): of the required members only, in order, without spaces.
fn thumbprint(algorithm: Algorithm, spki: &[u8]) -> Option<String> {
    let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let jwk = match numbers(algorithm, spki)? {
        Numbers::Rsa { n, e } => {
            format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, text(&e), text(&n))
        }
        Numbers::Point { curve, x, y } => format!(
            r#"{{"crv":"{curve}","kty":"EC","x":"{}","y":"{}"}}"#,
            text(&x),
            text(&y)
        ),
        Numbers::Ed25519(x) => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, text(&x)),
    };
    Some(text(digest(&SHA256, jwk.as_bytes()).as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(text: &str) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(text).unwrap()
    }

    #[test]
    fn the_thumbprints_of_the_standards_examples_come_out() {
        // RFC 7638, 3.1.
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        let rsa = Key::from_rsa(&bytes(n), &bytes("AQAB")).unwrap();
        assert_eq!(
            rsa.thumbprint,
            "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
        );
        // RFC 8037, A.3.
        let ed = Key::from_ed25519(&bytes("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")).unwrap();
        assert_eq!(ed.thumbprint, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    #[test]
    fn a_libtrust_identifier_is_twelve_groups_of_four_of_240_bits() {
        // SHA-256 of nothing: e3b0c442 98fc1c14 9afbf4c8 996fb924 27ae41e4 649b934c a495991b 7852 b855.
        assert_eq!(
            libtrust_id(b""),
            "4OYM:IQUY:7QOB:JGX3:6TEJ:S35Z:EQT2:4QPE:MSNZ:GTFE:SWMR:W6CS"
        );
    }

    #[test]
    fn keys_that_are_short_off_the_curve_or_of_another_kind_are_refused() {
        assert!(
            Key::from_rsa(&[0xff; 128], &[1, 0, 1]).is_err(),
            "1024 bits"
        );
        assert!(Key::from_point(Algorithm::Es256, &[1; 32], &[1; 32]).is_err());
        assert!(Key::from_point(Algorithm::Es256, &[1; 48], &[1; 48]).is_err());
        assert!(Key::from_ed25519(&[1; 31]).is_err());
        assert!(Key::from_spki(b"").is_err());
        assert!(Key::from_spki(&[0x30, 0]).is_err());
    }

    #[test]
    fn names_of_algorithms_are_exact_and_none_is_symmetric() {
        for name in [
            "none", "NONE", "HS256", "HS512", "PS256", "RS384", "RS512", "ES512", "es256", "",
            "EdDSA ",
        ] {
            assert_eq!(Algorithm::by_name(name), None, "{name}");
        }
    }
}
