//! The key outside the database: what is sealed or hashed with it is worth nothing to whoever has only the database.
//!
//! It is a file of one line, 32 random bytes in hexadecimal, that only its owner may read. Keys for each purpose are
//! derived from it (HKDF, RFC 5869), so that none is used for two things.

use std::fmt;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use aws_lc_rs::aead::{
    AES_256_GCM, AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, RandomizedNonceKey,
    UnboundKey,
};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use zeroize::Zeroizing;

use crate::options::SetupError;

/// How many random bytes the file holds.
const BYTES: usize = 32;

/// What keys are derived from.
pub struct SealingKey {
    prk: Prk,
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealingKey(..)")
    }
}

/// A key of 32 bytes, which is all that is derived here.
struct Thirty2;

impl KeyType for Thirty2 {
    fn len(&self) -> usize {
        BYTES
    }
}

impl SealingKey {
    /// Reads the key from `path`. Where there is no file it is made if `make` says that nothing was sealed before.
    ///
    /// # Errors
    /// The file is missing, unreadable, open to others, or not such a key.
    pub fn open(path: &Path, make: bool) -> Result<Self, SetupError> {
        let unreadable = |source| SetupError::Unreadable {
            path: path.to_owned(),
            hint: "it is the key that accounts, tokens and signing keys are protected with: put it back from where you \
                   keep it beside your backups",
            source,
        };
        let broken = |problem: &str| SetupError::Broken {
            path: path.to_owned(),
            problem: problem.to_owned(),
        };
        let file = match std::fs::File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound && make => {
                return Self::make(path).map_err(|source| SetupError::Unreadable {
                    path: path.to_owned(),
                    hint: "the key of the index is kept there, and cannot be written; set `index.key_file` to another place",
                    source,
                });
            }
            Err(error) => return Err(unreadable(error)),
        };
        let mode = file.metadata().map_err(unreadable)?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(broken(
                "others than its owner may read it; make it private with `chmod 600`",
            ));
        }
        let mut text = Zeroizing::new(String::new());
        file.take(1024)
            .read_to_string(&mut text)
            .map_err(unreadable)?;
        let bytes = decode(text.trim()).ok_or_else(|| {
            broken("it is not the key of an index, which is one line of 64 hexadecimal digits")
        })?;
        Ok(Self::from_bytes(&bytes))
    }

    fn make(path: &Path) -> io::Result<Self> {
        let mut bytes = Zeroizing::new([0; BYTES]);
        SystemRandom::new()
            .fill(bytes.as_mut())
            .map_err(|_| io::Error::other("the system gives no random numbers"))?;
        let mut text = Zeroizing::new(String::with_capacity(2 * BYTES + 1));
        for byte in bytes.iter() {
            for half in [byte >> 4, byte & 15] {
                text.push(char::from_digit(half.into(), 16).unwrap_or('0'));
            }
        }
        text.push('\n');
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        if let Some(folder) = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
        {
            std::fs::File::open(folder)?.sync_all()?;
        }
        Ok(Self::from_bytes(&bytes))
    }

    /// From the bytes themselves.
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        SealingKey {
            prk: Salt::new(HKDF_SHA256, b"longshore index").extract(bytes),
        }
    }

    /// A key of 32 bytes for `purpose`, the same on every node that has this key.
    ///
    /// # Errors
    /// Never in practice.
    pub fn derive(&self, purpose: &str) -> Result<Zeroizing<[u8; 32]>, SealError> {
        let mut key = Zeroizing::new([0; BYTES]);
        self.prk
            .expand(&[purpose.as_bytes()], Thirty2)
            .and_then(|okm| okm.fill(key.as_mut()))
            .map_err(|_| SealError)?;
        Ok(key)
    }

    /// The key for hashes of `purpose`.
    ///
    /// # Errors
    /// Never in practice.
    pub fn hashing(&self, purpose: &str) -> Result<hmac::Key, SealError> {
        let key = self.derive(purpose)?;
        Ok(hmac::Key::new(hmac::HMAC_SHA256, key.as_ref()))
    }

    /// Seals `plain` for `purpose`, by AES-256-GCM: a random nonce, then what is encrypted, then its tag.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub fn seal(&self, purpose: &str, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        let key = self.derive("seal")?;
        let key = RandomizedNonceKey::new(&AES_256_GCM, key.as_ref()).map_err(|_| SealError)?;
        let mut text = plain.to_vec();
        let nonce = key
            .seal_in_place_append_tag(Aad::from(purpose.as_bytes()), &mut text)
            .map_err(|_| SealError)?;
        Ok([nonce.as_ref().as_slice(), &text].concat())
    }

    /// What was sealed for `purpose`.
    ///
    /// # Errors
    /// It was sealed with another key, for another purpose, or changed.
    pub fn unseal(&self, purpose: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let key = self.derive("seal")?;
        let key = RandomizedNonceKey::new(&AES_256_GCM, key.as_ref()).map_err(|_| SealError)?;
        let (nonce, text) = sealed.split_at_checked(NONCE_LEN).ok_or(SealError)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError)?;
        let mut text = Zeroizing::new(text.to_vec());
        let length = key
            .open_in_place(nonce, Aad::from(purpose.as_bytes()), &mut text)
            .map_err(|_| SealError)?
            .len();
        text.truncate(length);
        Ok(text)
    }

    /// Seals `plain` for `purpose` so that the same gives the same, for what is handed out often and never kept: by AES-256-GCM-SIV
    /// (RFC 8452), which needs no nonce for that, with a key of each purpose's own. Whoever has two sees whether they are equal.
    ///
    /// # Errors
    /// Never in practice.
    pub fn seal_same(&self, purpose: &str, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        let mut text = plain.to_vec();
        self.same(purpose)?
            .seal_in_place_append_tag(same_nonce(), Aad::empty(), &mut text)
            .map_err(|_| SealError)?;
        Ok(text)
    }

    /// What [`Self::seal_same`] sealed for `purpose`.
    ///
    /// # Errors
    /// It was sealed with another key, for another purpose, or changed.
    pub fn unseal_same(&self, purpose: &str, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let mut text = sealed.to_vec();
        let length = self
            .same(purpose)?
            .open_in_place(same_nonce(), Aad::empty(), &mut text)
            .map_err(|_| SealError)?
            .len();
        text.truncate(length);
        Ok(text)
    }

    fn same(&self, purpose: &str) -> Result<LessSafeKey, SealError> {
        let key = self.derive(&format!("same for {purpose}"))?;
        let key = UnboundKey::new(&AES_256_GCM_SIV, key.as_ref()).map_err(|_| SealError)?;
        Ok(LessSafeKey::new(key))
    }
}

fn same_nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; NONCE_LEN])
}

fn decode(text: &str) -> Option<Zeroizing<[u8; BYTES]>> {
    let mut bytes = Zeroizing::new([0; BYTES]);
    if text.len() != 2 * BYTES || !text.is_ascii() {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

/// Something cannot be sealed, or was not sealed here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it was not sealed with this key, or has been changed since")]
pub struct SealError;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_with_the_same_key_for_the_same_purpose_only() {
        let (key, other) = (
            SealingKey::from_bytes(&[1; 32]),
            SealingKey::from_bytes(&[2; 32]),
        );
        let sealed = key.seal("a", b"secret").unwrap();
        assert_eq!(key.unseal("a", &sealed).unwrap().as_slice(), b"secret");
        assert!(!sealed.windows(6).any(|part| part == b"secret"));
        assert_ne!(
            sealed,
            key.seal("a", b"secret").unwrap(),
            "a nonce of its own each time"
        );
        assert!(key.unseal("b", &sealed).is_err());
        assert!(other.unseal("a", &sealed).is_err());
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(key.unseal("a", &changed).is_err(), "byte {at}");
        }
        assert!(key.unseal("a", &sealed[..5]).is_err());
    }

    #[test]
    fn what_is_sealed_to_be_the_same_opens_on_every_node_for_the_same_purpose_only() {
        let [key, node, other] = [1, 1, 2].map(|byte| SealingKey::from_bytes(&[byte; 32]));
        let sealed = key.seal_same("a", b"secret").unwrap();
        assert_eq!(sealed, node.seal_same("a", b"secret").unwrap());
        assert_eq!(node.unseal_same("a", &sealed).unwrap(), b"secret");
        assert!(!sealed.windows(6).any(|part| part == b"secret"));
        assert_ne!(sealed, key.seal_same("b", b"secret").unwrap());
        assert!(key.unseal_same("b", &sealed).is_err());
        assert!(other.unseal_same("a", &sealed).is_err());
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(key.unseal_same("a", &changed).is_err(), "byte {at}");
        }
        for short in 0..sealed.len() {
            assert!(key.unseal_same("a", &sealed[..short]).is_err(), "{short}");
        }
    }

    #[test]
    fn the_file_is_made_once_private_and_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index.key");
        assert!(
            SealingKey::open(&path, false).is_err(),
            "nobody makes it where something was sealed"
        );
        let sealed = SealingKey::open(&path, true)
            .unwrap()
            .seal("a", b"x")
            .unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let again = SealingKey::open(&path, true).unwrap();
        assert_eq!(again.unseal("a", &sealed).unwrap().as_slice(), b"x");
    }

    #[test]
    fn a_file_that_others_may_read_or_that_is_no_key_is_refused_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index.key");
        SealingKey::open(&path, true).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let open = SealingKey::open(&path, true).unwrap_err().to_string();
        assert!(open.contains("chmod 600"), "{open}");
        for text in ["", "abc", &"g".repeat(64), &"0".repeat(63), &"é".repeat(32)] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
            std::fs::write(&path, text).unwrap();
            let broken = SealingKey::open(&path, true).unwrap_err().to_string();
            assert!(broken.contains("64 hexadecimal digits"), "{broken}");
        }
    }
}
