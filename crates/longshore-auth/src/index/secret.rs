//! Secrets that are shown once: personal access tokens, secrets of robots, refresh tokens.
//!
//! Each is 256 random bits in base 62, after a prefix that scanners of leaked secrets can look for, with a checksum that
//! tells a mistyped one without asking anybody. What is kept is a keyed hash: 256 bits cannot be guessed, so the hash
//! need not be slow, and the key is not in the database, so the database alone gives nothing to try secrets against.

use std::fmt;

use aws_lc_rs::hmac;
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use longshore_meta::secrets::Kind;
use zeroize::Zeroizing;

/// The letters of base 62.
const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// How many letters 256 bits take.
const RANDOM: usize = 43;
/// How many letters the checksum takes.
const CHECKSUM: usize = 6;

/// A secret in the clear, on its way to whoever asked for it.
#[derive(Clone)]
pub struct ShownSecret(Zeroizing<String>);

impl fmt::Debug for ShownSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ShownSecret(..)")
    }
}

impl ShownSecret {
    /// A new secret of this kind.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub fn make(kind: Kind) -> Result<Self, NoRandom> {
        let mut bytes = Zeroizing::new([0; 32]);
        SystemRandom::new()
            .fill(bytes.as_mut())
            .map_err(|_| NoRandom)?;
        let mut text = Zeroizing::new(String::with_capacity(4 + RANDOM + CHECKSUM));
        text.push_str(prefix(kind));
        push_base62(&mut text, bytes.as_ref());
        let sum = checksum(text.as_bytes());
        push_number(&mut text, sum);
        Ok(ShownSecret(text))
    }

    /// The secret itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The system gives no random numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system gives no random numbers")]
pub struct NoRandom;

/// What secrets of this kind begin with.
pub const fn prefix(kind: Kind) -> &'static str {
    match kind {
        Kind::Personal => "lsp_",
        Kind::Robot => "lsr_",
        Kind::Refresh => "lsf_",
        Kind::Session => "lss_",
        Kind::Invitation | Kind::Confirmation | Kind::Reset | Kind::Setup => "lsi_",
    }
}

/// What a text is as a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Looks {
    /// It has the form of none, so it may be a password.
    Other,
    /// It begins like one, and is mistyped or cut short.
    Broken,
    /// It has the form of one of this prefix.
    Like(&'static str),
}

/// Whether `text` has the form of a secret. Says nothing about whether there is such a one.
pub fn looks(text: &[u8]) -> Looks {
    let known = ["lsp_", "lsr_", "lsf_", "lss_", "lsi_"];
    let Some(prefix) = known
        .into_iter()
        .find(|prefix| text.starts_with(prefix.as_bytes()))
    else {
        return Looks::Other;
    };
    let Some((body, sum)) = text.split_at_checked(prefix.len() + RANDOM) else {
        return Looks::Broken;
    };
    let mut expected = String::new();
    push_number(&mut expected, checksum(body));
    if sum == expected.as_bytes() {
        Looks::Like(prefix)
    } else {
        Looks::Broken
    }
}

/// What is kept of a secret.
pub fn hash(key: &hmac::Key, text: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    for (to, from) in hash.iter_mut().zip(hmac::sign(key, text).as_ref()) {
        *to = *from;
    }
    hash
}

/// Appends 32 bytes in base 62, the most significant letter first, at full length.
fn push_base62(text: &mut String, bytes: &[u8]) {
    let mut number = Zeroizing::new(bytes.to_vec());
    let mut letters = Zeroizing::new([0_u8; RANDOM]);
    for letter in letters.iter_mut().rev() {
        let mut rest: u32 = 0;
        for byte in number.iter_mut() {
            let value = rest << 8 | u32::from(*byte);
            *byte = u8::try_from(value / 62).unwrap_or(u8::MAX);
            rest = value % 62;
        }
        *letter = LETTERS.get(rest as usize).copied().unwrap_or(b'0');
    }
    text.extend(letters.iter().map(|letter| char::from(*letter)));
}

fn push_number(text: &mut String, mut number: u32) {
    let mut letters = [b'0'; CHECKSUM];
    for letter in letters.iter_mut().rev() {
        *letter = LETTERS.get((number % 62) as usize).copied().unwrap_or(b'0');
        number /= 62;
    }
    text.extend(letters.iter().map(|letter| char::from(*letter)));
}

/// CRC-32 (ISO-HDLC), as scanners of secrets use it.
fn checksum(bytes: &[u8]) -> u32 {
    let mut sum = u32::MAX;
    for byte in bytes {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            let low = sum & 1;
            sum >>= 1;
            if low == 1 {
                sum ^= 0xEDB8_8320;
            }
        }
    }
    !sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_one_that_everybody_means_by_crc_32() {
        assert_eq!(checksum(b"123456789"), 0xCBF4_3926);
    }

    #[test]
    fn a_secret_is_prefix_random_letters_and_checksum_and_fits_a_command_line_unquoted() {
        for kind in [Kind::Personal, Kind::Robot, Kind::Refresh, Kind::Setup] {
            let (one, two) = (
                ShownSecret::make(kind).unwrap(),
                ShownSecret::make(kind).unwrap(),
            );
            assert_ne!(one.as_str(), two.as_str());
            assert_eq!(one.as_str().len(), 53);
            assert!(
                one.as_str()
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'_')
            );
            assert_eq!(looks(one.as_str().as_bytes()), Looks::Like(prefix(kind)));
            assert_eq!(format!("{one:?}"), "ShownSecret(..)");
        }
    }

    #[test]
    fn all_256_bits_reach_the_letters() {
        let mut zero = String::new();
        push_base62(&mut zero, &[0; 32]);
        assert_eq!(zero, "0".repeat(43));
        let mut most = String::new();
        push_base62(&mut most, &[255; 32]);
        assert_eq!(most.len(), 43);
        assert!(!most.starts_with('0'), "{most}");
        let mut seen = std::collections::HashSet::new();
        for bit in 0..256 {
            let mut bytes = [0; 32];
            bytes[bit / 8] = 1 << (bit % 8);
            let mut text = String::new();
            push_base62(&mut text, &bytes);
            assert!(seen.insert(text));
        }
    }

    #[test]
    fn a_mistyped_or_shortened_secret_is_told_from_a_wrong_one_and_from_a_password() {
        let secret = ShownSecret::make(Kind::Personal).unwrap();
        let text = secret.as_str().as_bytes();
        for at in 4..text.len() {
            let mut typo = text.to_vec();
            typo[at] = if typo[at] == b'x' { b'y' } else { b'x' };
            assert_eq!(looks(&typo), Looks::Broken, "letter {at}");
            assert_eq!(looks(&text[..at]), Looks::Broken, "cut at {at}");
        }
        assert_eq!(looks(&[text, b"a"].concat()), Looks::Broken);
        for other in [&b""[..], b"lsp", b"correct horse", b"LSP_x"] {
            assert_eq!(looks(other), Looks::Other);
        }
    }

    #[test]
    fn hashes_depend_on_the_key_and_on_every_letter() {
        let key = |byte| hmac::Key::new(hmac::HMAC_SHA256, &[byte; 32]);
        assert_eq!(hash(&key(1), b"a"), hash(&key(1), b"a"));
        assert_ne!(hash(&key(1), b"a"), hash(&key(2), b"a"));
        assert_ne!(hash(&key(1), b"a"), hash(&key(1), b"b"));
    }
}
