//! Digests: what content is called, and how it is computed.
//!
//! A [`Digest`] keeps the value's bytes, not its text, so that it is `Copy`, compares fast and makes a short database
//! key. [`Hasher`] can be frozen between requests: an upload's hash goes on where the last chunk ended, on any node,
//! without reading anything again.

mod digits;
mod hasher;

use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use digits::{hex, unhex};
pub use hasher::{Hasher, ThawError};

/// A hash algorithm that this registry computes. Source: image-spec v1.1, "Registered algorithms".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Algorithm {
    /// SHA-256, which every client and registry knows.
    #[default]
    Sha256,
    /// SHA-512.
    Sha512,
}

/// The longest value, in bytes.
const MOST_BYTES: usize = Algorithm::Sha512.value_bytes();

impl Algorithm {
    /// The algorithm's name in digests and in `digest-algorithm=`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// The length of a value, in bytes.
    pub const fn value_bytes(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    /// The byte that stands for the algorithm in [`Digest::to_key`]. Stored in databases: never reassign one.
    const fn code(self) -> u8 {
        match self {
            Self::Sha256 => 1,
            Self::Sha512 => 2,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Algorithm {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        match text {
            "sha256" => Ok(Self::Sha256),
            "sha512" => Ok(Self::Sha512),
            _ if !is_algorithm(text) => Err(DigestError::Malformed),
            _ if REFUSED.contains(&text) => Err(DigestError::Unsupported),
            _ => Err(DigestError::Unregistered),
        }
    }
}

serde_as_text!(Algorithm, "a digest algorithm");

/// Algorithms that are known by name and not computed here: too weak, or not asked for by any client so far.
const REFUSED: [&str; 9] = [
    "md4",
    "md5",
    "sha1",
    "sha224",
    "sha384",
    "blake2b",
    "blake3",
    "ripemd160",
    "crc32",
];

/// The name of content: an algorithm and the value it gives. Written `sha256:<64 lower-case hex digits>`.
///
/// Ordered by algorithm, then value, which is also the order of [`Digest::to_key`].
/// Source: image-spec v1.1, "Digests".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(Value);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Value {
    Sha256([u8; 32]),
    Sha512([u8; 64]),
}

/// Why a text is no digest that content here could have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DigestError {
    /// The grammar is broken, or a supported algorithm's value is not lower-case hex of the right length.
    #[error("a digest is an algorithm, ':' and its value, as in sha256:<64 lower-case hex digits>")]
    Malformed,
    /// An algorithm that is known and not supported, such as `md5`.
    #[error("the digest algorithm is not supported; use sha256 or sha512")]
    Unsupported,
    /// Well-formed, with an algorithm nobody registered. Such content can be asked for; it cannot exist here.
    #[error("the digest algorithm is not registered; use sha256 or sha512")]
    Unregistered,
}

impl Digest {
    /// Hashes `bytes` at once.
    pub fn of(algorithm: Algorithm, bytes: &[u8]) -> Self {
        let mut hasher = Hasher::new(algorithm);
        hasher.update(bytes);
        hasher.finish()
    }

    /// A digest with this value; `None` when the length is not the algorithm's.
    pub fn from_bytes(algorithm: Algorithm, value: &[u8]) -> Option<Self> {
        let value = match algorithm {
            Algorithm::Sha256 => Value::Sha256(value.try_into().ok()?),
            Algorithm::Sha512 => Value::Sha512(value.try_into().ok()?),
        };
        Some(Self(value))
    }

    /// The algorithm the value was computed with.
    pub const fn algorithm(&self) -> Algorithm {
        match self.0 {
            Value::Sha256(_) => Algorithm::Sha256,
            Value::Sha512(_) => Algorithm::Sha512,
        }
    }

    /// The value: 32 or 64 bytes.
    pub const fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Value::Sha256(value) => value,
            Value::Sha512(value) => value,
        }
    }

    /// The value in lower-case hex: 64 or 128 characters.
    pub fn hex(&self) -> String {
        ::hex::encode(self.as_bytes())
    }

    /// Adds the digest as text, `sha256:<hex>`, to the end of `out`: what [`fmt::Display`] does, for where it is done for every request.
    pub fn append_to(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.algorithm().as_str().as_bytes());
        out.push(b':');
        out.extend_from_slice(hex(self.as_bytes(), &mut [0; 2 * MOST_BYTES]));
    }

    /// The database key: one byte for the algorithm, then the value; 33 or 65 bytes.
    pub fn to_key(&self) -> DigestKey {
        let mut bytes = [0; 65];
        let value = self.as_bytes();
        let [code, rest @ ..] = &mut bytes;
        *code = self.algorithm().code();
        for (to, from) in rest.iter_mut().zip(value) {
            *to = *from;
        }
        DigestKey {
            bytes,
            len: 1 + value.len(),
        }
    }

    /// Reads what [`Digest::to_key`] wrote; `None` for anything else.
    pub fn from_key(key: &[u8]) -> Option<Self> {
        let (code, value) = key.split_first()?;
        let algorithm = [Algorithm::Sha256, Algorithm::Sha512]
            .into_iter()
            .find(|algorithm| algorithm.code() == *code)?;
        Self::from_bytes(algorithm, value)
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let (algorithm, encoded) = text.split_once(':').ok_or(DigestError::Malformed)?;
        let value = match algorithm {
            "sha256" => unhex(encoded).map(Value::Sha256),
            "sha512" => unhex(encoded).map(Value::Sha512),
            _ => None,
        };
        value.map(Self).ok_or_else(|| why_not(algorithm, encoded))
    }
}

/// What is wrong with a digest that cannot be read.
fn why_not(algorithm: &str, encoded: &str) -> DigestError {
    let in_grammar = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'=' | b'_' | b'-');
    if encoded.is_empty() || !encoded.bytes().all(in_grammar) {
        return DigestError::Malformed;
    }
    match algorithm.parse::<Algorithm>() {
        // Its value is what is wrong.
        Ok(_) => DigestError::Malformed,
        Err(error) => error,
    }
}

/// `[a-z0-9]+([+._-][a-z0-9]+)*`
pub(crate) fn is_algorithm(text: &str) -> bool {
    text.split(['+', '.', '_', '-']).all(|component| {
        !component.is_empty()
            && component
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    })
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut buffer = [0; 2 * MOST_BYTES];
        let text = hex(self.as_bytes(), &mut buffer);
        f.write_str(self.algorithm().as_str())?;
        f.write_str(":")?;
        f.write_str(std::str::from_utf8(text).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl TryFrom<&str> for Digest {
    type Error = DigestError;

    fn try_from(text: &str) -> Result<Self, DigestError> {
        text.parse()
    }
}

serde_as_text!(Digest, "a digest");

/// A [`Digest`] as a database key; dereferences to its 33 or 65 bytes.
#[derive(Clone, Copy)]
pub struct DigestKey {
    bytes: [u8; 65],
    len: usize,
}

impl Deref for DigestKey {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

impl AsRef<[u8]> for DigestKey {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl fmt::Debug for DigestKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DigestKey({})", ::hex::encode(self))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const EMPTY_256: &str =
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    const ABC_512: &str = "sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";

    #[test]
    fn a_digest_is_appended_as_it_is_printed() {
        for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
            let digest = Digest::of(algorithm, b"x");
            let mut out = vec![b'"'];
            digest.append_to(&mut out);
            assert_eq!(String::from_utf8(out).unwrap(), format!("\"{digest}"));
        }
    }

    #[test]
    fn digests_are_those_of_the_published_examples() {
        assert_eq!(Digest::of(Algorithm::Sha256, b"").to_string(), EMPTY_256);
        assert_eq!(Digest::of(Algorithm::Sha512, b"abc").to_string(), ABC_512);
        assert_eq!(
            EMPTY_256.parse::<Digest>().unwrap().algorithm(),
            Algorithm::Sha256
        );
        assert_eq!(
            ABC_512.parse::<Digest>().unwrap().hex(),
            ABC_512["sha512:".len()..]
        );
    }

    #[test]
    fn what_is_no_digest_is_told_apart_from_what_cannot_exist_here() {
        use DigestError::{Malformed, Unregistered, Unsupported};
        let upper = EMPTY_256.replace("e3b0", "E3B0");
        let long = format!("{EMPTY_256}0");
        let other_length = format!("sha512:{}", &EMPTY_256["sha256:".len()..]);
        for (text, error) in [
            ("", Malformed),
            ("sha256", Malformed),
            ("sha256:", Malformed),
            (":abc", Malformed),
            ("sha256:baddigeststring", Malformed),
            (&EMPTY_256[..EMPTY_256.len() - 1], Malformed),
            (&long, Malformed),
            (&upper, Malformed),
            (&other_length, Malformed),
            ("SHA256:e3b0", Malformed),
            ("sha256:../../x", Malformed),
            ("foo++bar:abc", Malformed),
            ("md5:d41d8cd98f00b204e9800998ecf8427e", Unsupported),
            ("sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709", Unsupported),
            ("sha384:00", Unsupported),
            ("foo+bar:abc", Unregistered),
            (
                "sha256+b64u:LCa0a2j_xo_5m0U8HTBBNBNCLXBkg7-g-YpeiGJm564",
                Unregistered,
            ),
        ] {
            assert_eq!(text.parse::<Digest>(), Err(error), "{text:?}");
        }
    }

    #[test]
    fn a_key_is_one_byte_of_algorithm_and_the_value() {
        let digest = Digest::of(Algorithm::Sha256, b"");
        let key = digest.to_key();
        assert_eq!((key.len(), key[0]), (33, 1));
        assert_eq!(&key[1..], digest.as_bytes());
        let digest = Digest::of(Algorithm::Sha512, b"");
        assert_eq!((digest.to_key().len(), digest.to_key()[0]), (65, 2));
        assert_eq!(Digest::from_key(&digest.to_key()), Some(digest));
        assert_eq!(Digest::from_key(&key[..32]), None);
        assert_eq!(Digest::from_key(&[3; 33]), None);
        assert_eq!(Digest::from_key(&[]), None);
    }

    proptest! {
        #[test]
        fn a_digest_is_printed_as_it_was_read_and_survives_as_a_key(text in "(sha256|sha512|md5|a+b):([0-9a-f]{64}|[0-9a-f]{128}|\\PC{0,70})") {
            crate::fuzzing::digests(text.as_bytes());
        }

        #[test]
        fn keys_sort_as_digests_do(a in any::<[u8; 32]>(), b in any::<[u8; 32]>(), c in any::<bool>()) {
            let (a, b) = (Digest(Value::Sha256(a)), if c { Digest(Value::Sha256(b)) } else { Digest::of(Algorithm::Sha512, &b) });
            prop_assert_eq!(a.cmp(&b), a.to_key().cmp(&*b.to_key()));
        }
    }
}
