//! Keys and tokens of the services that tests start.
//!
//! Tokens are built by hand, on purpose: a service that used the server's own token library could not show a mistake that both share.

use std::time::SystemTime;

use anyhow::{Context, Result};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// A key of its own, with what verifies its signatures.
pub(crate) struct Signer {
    pair: EcdsaKeyPair,
    kid: String,
    jwks: Value,
}

impl Signer {
    /// One with a new key.
    ///
    /// # Errors
    /// When no key can be made.
    pub(crate) fn new() -> Result<Self> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
            .context("no key could be made")?;
        // An uncompressed point: one byte of form, then the two coordinates.
        let point = pair.public_key().as_ref();
        let coordinates = point.get(1..).context("a public key is empty")?;
        let (x, y) = coordinates.split_at(coordinates.len() / 2);
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        // RFC 7638: the hash of the required members, in this order and without spaces.
        let members = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
        let kid = URL_SAFE_NO_PAD.encode(Sha256::digest(members));
        let key = json!({"kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": kid, "use": "sig", "alg": "ES256"});
        let jwks = json!({ "keys": [key] });
        Ok(Self { pair, kid, jwks })
    }

    /// The public key as a JSON Web Key Set.
    pub(crate) fn jwks(&self) -> &Value {
        &self.jwks
    }

    /// A token that says `claims`.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub(crate) fn token(&self, claims: &Value) -> Result<String> {
        let header = json!({"typ": "JWT", "alg": "ES256", "kid": self.kid});
        let signed = [&header, claims]
            .map(|part| URL_SAFE_NO_PAD.encode(part.to_string()))
            .join(".");
        let signature = self
            .pair
            .sign(&SystemRandom::new(), signed.as_bytes())
            .context("signing failed")?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

/// The machine's clock, in seconds since 1970, as claims have it.
///
/// # Errors
/// When that clock stands before 1970.
pub(crate) fn now() -> Result<u64> {
    #[expect(
        clippy::disallowed_methods,
        reason = "these are services of their own, at the edge; their clock is the machine's"
    )]
    let now = SystemTime::now();
    Ok(now.duration_since(SystemTime::UNIX_EPOCH)?.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

    #[test]
    fn the_signature_of_a_token_fits_the_published_key() {
        let signer = Signer::new().unwrap();
        let token = signer.token(&json!({"sub": "x"})).unwrap();
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let key = &signer.jwks()["keys"][0];
        let part = |name: &str| URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap()).unwrap();
        let point = [vec![4], part("x"), part("y")].concat();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
            .verify(signed.as_bytes(), &signature)
            .unwrap();
    }
}
