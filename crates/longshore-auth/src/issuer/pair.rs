//! Private keys, one kind for each algorithm, all of the one cryptographic library.

use std::fmt;

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RsaKeyPair,
};
use zeroize::Zeroizing;

/// How tokens are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum SigningAlgorithm {
    /// ECDSA on P-256, which every verifier knows.
    #[default]
    Es256,
    /// Ed25519: the fastest to make.
    EdDsa,
    /// RSA of 2048 bits, for old verifiers: forty times slower to make.
    Rs256,
}

impl SigningAlgorithm {
    /// All of them.
    pub const ALL: [SigningAlgorithm; 3] = [Self::Es256, Self::EdDsa, Self::Rs256];

    /// Its name in `alg` (RFC 7518, 3.1; RFC 8037).
    pub const fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
            Self::Rs256 => "RS256",
        }
    }

    /// By its exact name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }
}

/// A private key could not be made, read or used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the cryptographic library refused a signing key")]
pub struct KeyError;

/// A private key.
pub(super) enum Pair {
    Es256(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
    Rs256(RsaKeyPair),
}

impl fmt::Debug for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pair").field(&self.algorithm()).finish()
    }
}

impl Pair {
    /// A new key. An RSA one takes some tenths of a second.
    pub(super) fn generate(algorithm: SigningAlgorithm) -> Result<Self, KeyError> {
        Ok(match algorithm {
            SigningAlgorithm::Es256 => Pair::Es256(
                EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(|_| KeyError)?,
            ),
            SigningAlgorithm::EdDsa => {
                Pair::EdDsa(Ed25519KeyPair::generate().map_err(|_| KeyError)?)
            }
            SigningAlgorithm::Rs256 => {
                Pair::Rs256(RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| KeyError)?)
            }
        })
    }

    /// From what [`Pair::pkcs8`] gave.
    pub(super) fn from_pkcs8(algorithm: SigningAlgorithm, der: &[u8]) -> Result<Self, KeyError> {
        Ok(match algorithm {
            SigningAlgorithm::Es256 => Pair::Es256(
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der)
                    .map_err(|_| KeyError)?,
            ),
            SigningAlgorithm::EdDsa => {
                Pair::EdDsa(Ed25519KeyPair::from_pkcs8(der).map_err(|_| KeyError)?)
            }
            SigningAlgorithm::Rs256 => {
                Pair::Rs256(RsaKeyPair::from_pkcs8(der).map_err(|_| KeyError)?)
            }
        })
    }

    pub(super) fn algorithm(&self) -> SigningAlgorithm {
        match self {
            Pair::Es256(_) => SigningAlgorithm::Es256,
            Pair::EdDsa(_) => SigningAlgorithm::EdDsa,
            Pair::Rs256(_) => SigningAlgorithm::Rs256,
        }
    }

    /// The private key as PKCS#8.
    pub(super) fn pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let bytes = match self {
            Pair::Es256(pair) => pair.to_pkcs8v1().map_err(|_| KeyError)?.as_ref().to_vec(),
            Pair::EdDsa(pair) => pair.to_pkcs8v1().map_err(|_| KeyError)?.as_ref().to_vec(),
            Pair::Rs256(pair) => {
                let der: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| KeyError)?;
                der.as_ref().to_vec()
            }
        };
        Ok(Zeroizing::new(bytes))
    }

    /// The public half as a DER `SubjectPublicKeyInfo`.
    pub(super) fn spki(&self) -> Result<Vec<u8>, KeyError> {
        let der: PublicKeyX509Der<'_> = match self {
            Pair::Es256(pair) => pair.public_key().as_der(),
            Pair::EdDsa(pair) => pair.public_key().as_der(),
            Pair::Rs256(pair) => pair.public_key().as_der(),
        }
        .map_err(|_| KeyError)?;
        Ok(der.as_ref().to_vec())
    }

    /// The signature of `message`, in the form of JWS (RFC 7518, 3.4).
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let random = SystemRandom::new();
        Ok(match self {
            Pair::Es256(pair) => pair
                .sign(&random, message)
                .map_err(|_| KeyError)?
                .as_ref()
                .to_vec(),
            Pair::EdDsa(pair) => pair
                .try_sign(message)
                .map_err(|_| KeyError)?
                .as_ref()
                .to_vec(),
            Pair::Rs256(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .map_err(|_| KeyError)?;
                signature
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::key::Key;

    #[test]
    fn every_kind_signs_what_its_public_half_verifies_also_after_it_was_put_away() {
        for algorithm in SigningAlgorithm::ALL {
            let made = Pair::generate(algorithm).unwrap();
            let read = Pair::from_pkcs8(algorithm, &made.pkcs8().unwrap()).unwrap();
            let key = Key::from_spki(&read.spki().unwrap()).unwrap();
            for pair in [&made, &read] {
                let signature = pair.sign(b"message").unwrap();
                assert!(key.verify(b"message", &signature), "{algorithm:?}");
                assert!(!key.verify(b"massage", &signature), "{algorithm:?}");
            }
            assert_eq!(SigningAlgorithm::by_name(algorithm.name()), Some(algorithm));
            assert!(!format!("{made:?}").contains("30"), "a key never shows");
        }
        assert_eq!(SigningAlgorithm::by_name("none"), None);
    }
}
