//! Signing what is no token: hashes that somebody may check years later, when the key that signed them was erased long ago.

use std::collections::HashMap;
use std::time::SystemTime;

use longshore_meta::signing_keys::signing_key_list;
use rustls_pki_types::SubjectPublicKeyInfoDer;
use rustls_pki_types::pem::PemObject as _;

use super::pair::KeyError;
use super::{AUTHORITY, Issuer, IssuerError};
use crate::token::key::Key;

/// The public halves of all keys that an issuer ever signed with, by their names.
#[derive(Debug, Default)]
pub struct Witnesses(HashMap<String, Key>);

impl Witnesses {
    /// Whether `signature` is that of `bytes` by the key `kid`; `None` when there was never such a key here.
    pub fn verify(&self, kid: &str, bytes: &[u8], signature: &[u8]) -> Option<bool> {
        let key = self.0.get(kid)?;
        Some(key.verify(bytes, signature))
    }
}

impl Issuer {
    /// Signs `bytes` with the key that signs tokens at `now`, and gives the key's name with it. They must not be such that they
    /// could be taken for the signed part of a token, which has letters, digits, `-`, `_` and one dot only: let them have a line
    /// feed.
    ///
    /// # Errors
    /// There is no key, or the library refuses.
    pub fn attest(&self, bytes: &[u8], now: SystemTime) -> Result<(String, Vec<u8>), IssuerError> {
        let ring = self.ring.load();
        let signer = ring.signer(now).ok_or(KeyError)?;
        Ok((signer.key.thumbprint.clone(), signer.pair.sign(bytes)?))
    }

    /// What checks all that [`Issuer::attest`] ever signed.
    ///
    /// # Errors
    /// The keys cannot be read.
    pub async fn witnesses(&self) -> Result<Witnesses, IssuerError> {
        let rows = self
            .db
            .read(&i64::MIN, |tx, ever| Box::pin(signing_key_list(tx, *ever)))
            .await?;
        let mut keys = HashMap::new();
        for row in rows.iter().filter(|row| row.algorithm != AUTHORITY) {
            let der = SubjectPublicKeyInfoDer::from_pem_slice(row.public.as_bytes());
            let der = der.map_err(|_| KeyError)?;
            let key = Key::from_spki(der.as_ref()).map_err(|_| KeyError)?;
            keys.insert(row.kid.clone(), key);
        }
        Ok(Witnesses(keys))
    }
}
