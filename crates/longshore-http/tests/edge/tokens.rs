//! A token server in a few lines: one key, and tokens for whatever the test says.

use std::io::Write as _;
use std::time::SystemTime;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use longshore_auth::{AnonymousAccess, Authenticator, TokenOptions};
use serde_json::json;

use super::house::NOW_SECS;

const SERVICE: &str = "registry.example";
const ISSUER: &str = "issuer.example";

pub(crate) struct Issuer {
    key: EcdsaKeyPair,
}

impl Issuer {
    pub(crate) fn new() -> Self {
        Self {
            key: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap(),
        }
    }

    /// An authenticator that trusts this issuer.
    pub(crate) async fn trusted(
        &self,
        anonymous: AnonymousAccess,
        now: SystemTime,
    ) -> Authenticator {
        let point = self.key.public_key().as_ref();
        let keys = json!({"keys": [{
            "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "k1",
            "x": BASE64.encode(&point[1..33]), "y": BASE64.encode(&point[33..65]),
        }]});
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(keys.to_string().as_bytes()).unwrap();
        let options = TokenOptions {
            realm: "https://auth.example/token".to_owned(),
            service: SERVICE.to_owned(),
            issuer: ISSUER.to_owned(),
            root_bundle: None,
            jwks_file: Some(file.path().to_owned()),
            jwks_url: None,
            anonymous,
        };
        Authenticator::token(options, now).await.unwrap()
    }

    /// A token of `subject` for `access`: pairs of a repository and its actions, the catalog being `*`.
    pub(crate) fn token(&self, subject: &str, access: &[(&str, &[&str])]) -> String {
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
            "exp": NOW_SECS + 300, "nbf": NOW_SECS, "iat": NOW_SECS, "jti": "1", "access": access,
        });
        let signed = format!(
            "{}.{}",
            BASE64.encode(header.to_string()),
            BASE64.encode(claims.to_string())
        );
        let signature = self
            .key
            .sign(&SystemRandom::new(), signed.as_bytes())
            .unwrap();
        format!("Bearer {signed}.{}", BASE64.encode(signature.as_ref()))
    }
}
