//! Tokens for Longshore, which is measured with logins on: a key made for the run and what it signs.

use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// Who issues the tokens.
pub(crate) const ISSUER: &str = "longshore-bench";
/// Whom they are for.
pub(crate) const SERVICE: &str = "bench";
/// Longer than any run.
const LIFE: Duration = Duration::from_hours(12);

/// Somebody whom the measured registry trusts.
#[derive(Debug)]
pub(crate) struct Issuer {
    pair: EcdsaKeyPair,
    x: String,
    y: String,
}

impl Issuer {
    /// Makes a key.
    ///
    /// # Errors
    /// When no key can be made.
    pub(crate) fn new() -> Result<Self> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
            .context("no key can be made")?;
        // An uncompressed point: one byte of form, then the two coordinates.
        let point = pair.public_key().as_ref();
        let coordinates = point.get(1..).context("a public key is empty")?;
        let (x, y) = coordinates.split_at(coordinates.len() / 2);
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        Ok(Self { pair, x, y })
    }

    /// The public key as a JSON Web Key Set.
    pub(crate) fn keys(&self) -> Value {
        json!({"keys": [{"kty": "EC", "crv": "P-256", "x": self.x, "y": self.y, "kid": "bench", "use": "sig", "alg": "ES256"}]})
    }

    /// A token that may pull from and push to `repositories`, and list all of them.
    ///
    /// # Errors
    /// When signing fails.
    pub(crate) fn token(&self, repositories: &[String]) -> Result<String> {
        #[expect(clippy::disallowed_methods, reason = "a token is good from now on")]
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)?
            .as_secs();
        let mut access: Vec<Value> = repositories
            .iter()
            .map(|name| json!({"type": "repository", "name": name, "actions": ["pull", "push"]}))
            .collect();
        access.push(json!({"type": "registry", "name": "catalog", "actions": ["*"]}));
        let header = json!({"typ": "JWT", "alg": "ES256", "kid": "bench"});
        let claims = json!({
            "iss": ISSUER, "sub": "bench", "aud": SERVICE, "iat": now, "nbf": now, "exp": now + LIFE.as_secs(),
            "jti": "bench", "access": access,
        });
        let signed = [header, claims]
            .map(|part| URL_SAFE_NO_PAD.encode(part.to_string()))
            .join(".");
        let signature = self
            .pair
            .sign(&SystemRandom::new(), signed.as_bytes())
            .context("signing failed")?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_names_what_it_is_good_for() {
        let token = Issuer::new()
            .unwrap()
            .token(&["bench/app".to_owned()])
            .unwrap();
        let claims = URL_SAFE_NO_PAD
            .decode(token.split('.').nth(1).unwrap())
            .unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        assert_eq!(claims["access"][0]["name"], "bench/app");
        assert_eq!(claims["access"][0]["actions"], json!(["pull", "push"]));
    }
}
