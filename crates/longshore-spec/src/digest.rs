//! Digests: what content is called, and how it is computed.
//!
//! A [`Digest`] keeps the value's bytes, not its text, so that it is `Copy`, compares fast and makes a short database
//! key. [`Hasher`] can be frozen between requests: an upload's hash goes on where the last chunk ended, on any node,
//! without reading anything again.

use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use sha2::digest::common::hazmat::SerializableState;
use sha2::{Digest as _, Sha256, Sha512};

/// A hash algorithm that this registry computes. Source: image-spec v1.1, "Registered algorithms".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Algorithm {
    /// SHA-256, which every client and registry knows.
    #[default]
    Sha256,
    /// SHA-512.
    Sha512,
}

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
        hex::encode(self.as_bytes())
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
        let in_grammar =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'=' | b'_' | b'-');
        if encoded.is_empty() || !encoded.bytes().all(in_grammar) {
            return Err(DigestError::Malformed);
        }
        let value = match algorithm.parse()? {
            Algorithm::Sha256 => Value::Sha256(unhex(encoded)?),
            Algorithm::Sha512 => Value::Sha512(unhex(encoded)?),
        };
        Ok(Self(value))
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

/// Lower-case hex of exactly `N` bytes. (`hex::decode` would take upper case, which the specification forbids.)
fn unhex<const N: usize>(text: &str) -> Result<[u8; N], DigestError> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err(DigestError::Malformed);
    }
    let mut value = [0; N];
    hex::decode_to_slice(text, &mut value).map_err(|_| DigestError::Malformed)?;
    Ok(value)
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Into a buffer on the stack: digests are printed into a header of every response.
        let mut buffer = [0; 128];
        let value = self.as_bytes();
        let text = buffer.get_mut(..value.len() * 2).ok_or(fmt::Error)?;
        hex::encode_to_slice(value, text).map_err(|_| fmt::Error)?;
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
        write!(f, "DigestKey({})", hex::encode(self))
    }
}

/// A hash under way.
#[derive(Clone)]
pub struct Hasher(State);

#[derive(Clone)]
enum State {
    Sha256(Sha256),
    Sha512(Sha512),
}

/// Bytes that [`Hasher::freeze`] did not write, or wrote for another algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the saved state of the hash cannot be read")]
pub struct ThawError;

impl Hasher {
    /// A hash of nothing yet.
    pub fn new(algorithm: Algorithm) -> Self {
        Self(match algorithm {
            Algorithm::Sha256 => State::Sha256(Sha256::new()),
            Algorithm::Sha512 => State::Sha512(Sha512::new()),
        })
    }

    /// The algorithm the hash is computed with.
    pub fn algorithm(&self) -> Algorithm {
        match self.0 {
            State::Sha256(_) => Algorithm::Sha256,
            State::Sha512(_) => Algorithm::Sha512,
        }
    }

    /// Adds `bytes` to the end of what is hashed.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::Sha256(state) => state.update(bytes),
            State::Sha512(state) => state.update(bytes),
        }
    }

    /// The digest of everything added so far.
    pub fn finish(self) -> Digest {
        Digest(match self.0 {
            State::Sha256(state) => Value::Sha256(state.finalize().into()),
            State::Sha512(state) => Value::Sha512(state.finalize().into()),
        })
    }

    /// The state as bytes (about 100 or 200), to be stored and given to [`Hasher::thaw`] later, on any machine.
    pub fn freeze(&self) -> Vec<u8> {
        match &self.0 {
            State::Sha256(state) => state.serialize().to_vec(),
            State::Sha512(state) => state.serialize().to_vec(),
        }
    }

    /// Goes on from a frozen state.
    ///
    /// # Errors
    /// [`ThawError`] when `frozen` has the wrong length or an impossible content.
    pub fn thaw(algorithm: Algorithm, frozen: &[u8]) -> Result<Self, ThawError> {
        let state = match algorithm {
            Algorithm::Sha256 => {
                let frozen = frozen.try_into().map_err(|_| ThawError)?;
                State::Sha256(Sha256::deserialize(frozen).map_err(|_| ThawError)?)
            }
            Algorithm::Sha512 => {
                let frozen = frozen.try_into().map_err(|_| ThawError)?;
                State::Sha512(Sha512::deserialize(frozen).map_err(|_| ThawError)?)
            }
        };
        Ok(Self(state))
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hasher({})", self.algorithm())
    }
}
