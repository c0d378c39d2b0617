//! A token server in a few lines: one key, and tokens for whatever the test says.

use std::fmt;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde_json::{Value, json};

/// The registry's name at the issuer: `aud`.
pub const SERVICE: &str = "registry.example";
/// The issuer's name: `iss`.
pub const ISSUER: &str = "issuer.example";

/// What a token is for: the name of a repository, or `*` for the catalog, and what may be done there.
pub type Access<'a> = (&'a str, &'a [&'a str]);

/// An issuer of tokens with a key of its own.
pub struct Issuer {
    key: EcdsaKeyPair,
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Issuer(..)")
    }
}

impl Default for Issuer {
    fn default() -> Self {
        Self::new()
    }
}

impl Issuer {
    /// An issuer with a new key.
    pub fn new() -> Self {
        Self {
            key: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap(),
        }
    }

    /// Its key, as a JSON Web Key Set.
    pub fn jwks(&self) -> String {
        let point = self.key.public_key().as_ref();
        let keys = json!({"keys": [{
            "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "k1",
            "x": BASE64.encode(&point[1..33]), "y": BASE64.encode(&point[33..65]),
        }]});
        keys.to_string()
    }

    /// A token of `subject` for `access`, good for `secs` seconds from `now`, in seconds since 1970.
    pub fn token(&self, subject: &str, access: &[Access<'_>], now: u64, secs: u64) -> String {
        let access: Vec<_> = access
            .iter()
            .map(|(name, actions)| match *name {
                "*" => json!({"type": "registry", "name": "catalog", "actions": actions}),
                name => json!({"type": "repository", "name": name, "actions": actions}),
            })
            .collect();
        let header = json!({"typ": "JWT", "alg": "ES256", "kid": "k1"});
        let claims = json!({
            "iss": ISSUER, "sub": subject, "aud": SERVICE,
            "exp": now + secs, "nbf": now, "iat": now, "jti": "1", "access": access,
        });
        self.sign(&header, &claims)
    }

    /// A token that says just this, signed with the key whatever the header says of it.
    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        let signed = format!(
            "{}.{}",
            BASE64.encode(header.to_string()),
            BASE64.encode(claims.to_string())
        );
        let signature = self
            .key
            .sign(&SystemRandom::new(), signed.as_bytes())
            .unwrap();
        format!("{signed}.{}", BASE64.encode(signature.as_ref()))
    }
}
