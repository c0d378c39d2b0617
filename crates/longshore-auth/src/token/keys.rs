//! Sets of trusted keys: PEM bundles and JWK sets.
//!
//! Each key answers to three names: its libtrust identifier (Distribution 2), its JWK thumbprint (Distribution 3) and,
//! from a JWK set, the `kid` it has there. So token servers of all ages work with the same file.

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::{PemObject as _, SectionKind};
use x509_cert::der::{Decode as _, Encode as _};

use super::chain::Roots;
use super::json::{Json, Object};
use super::key::{Algorithm, Key};
use crate::watched::Parsed;

/// The most keys of one source.
const MAX_KEYS: usize = 1000;
/// The longest `kid`, in bytes.
pub(crate) const MAX_KID_BYTES: usize = 1024;

/// Trusted keys by their names, and roots where certificates are trusted too.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    by_name: HashMap<String, Vec<Arc<Key>>>,
    pub(crate) roots: Roots,
    warnings: Vec<String>,
    count: usize,
}

impl Keys {
    /// The keys that go by `name`. Mostly one; two servers may have chosen the same name.
    pub(crate) fn named(&self, name: &str) -> &[Arc<Key>] {
        self.by_name.get(name).map_or(&[], Vec::as_slice)
    }

    /// Trusts one more key, by the names that are made from it and by `kid`.
    pub(crate) fn add(&mut self, key: Key, kid: Option<&str>) {
        let key = Arc::new(key);
        self.count += 1;
        let mut names = vec![key.libtrust.as_str(), key.thumbprint.as_str()];
        names.extend(kid.filter(|kid| *kid != key.libtrust && *kid != key.thumbprint));
        for name in names {
            let keys = self.by_name.entry(name.to_owned()).or_default();
            if !keys.iter().any(|known| known.thumbprint == key.thumbprint) {
                keys.push(Arc::clone(&key));
            }
        }
    }
}

/// A PEM file of certificates and public keys.
#[derive(Debug)]
pub(crate) struct Bundle(pub(crate) Keys);

impl Parsed for Bundle {
    fn parse(bytes: &[u8]) -> Result<Self, String> {
        let mut keys = Keys::default();
        for (section, number) in <(SectionKind, Vec<u8>)>::pem_slice_iter(bytes).zip(1..) {
            let (kind, der) =
                section.map_err(|problem| format!("PEM block {number}: {problem}"))?;
            let spki = match kind {
                SectionKind::PublicKey => der,
                SectionKind::Certificate => {
                    let spki = x509_cert::Certificate::from_der(&der)
                        .and_then(|certificate| {
                            certificate
                                .tbs_certificate()
                                .subject_public_key_info()
                                .to_der()
                        })
                        .map_err(|_| format!("PEM block {number}: the certificate is malformed"))?;
                    keys.roots.trust(&CertificateDer::from(der));
                    spki
                }
                SectionKind::PrivateKey
                | SectionKind::RsaPrivateKey
                | SectionKind::EcPrivateKey => {
                    return Err(format!(
                        "PEM block {number} is a private key; only the token server should have it, so take it out"
                    ));
                }
                other => {
                    return Err(format!(
                        "PEM block {number} is {other:?}; certificates and public keys belong here"
                    ));
                }
            };
            match Key::from_spki(&spki) {
                Ok(key) => keys.add(key, None),
                // A root that signs certificates with a key that tokens cannot be signed with is still a root.
                Err(problem) if kind == SectionKind::Certificate => keys.warnings.push(format!(
                    "PEM block {number}: tokens cannot be signed with this certificate's own key: {problem}"
                )),
                Err(problem) => return Err(format!("PEM block {number}: the key cannot be used: {problem}")),
            }
            if number > MAX_KEYS {
                return Err(format!("it has more than {MAX_KEYS} PEM blocks"));
            }
        }
        if keys.count == 0 && keys.roots.is_empty() {
            return Err("it has no PEM certificate and no PEM public key".to_owned());
        }
        Ok(Bundle(keys))
    }

    fn warnings(&self) -> &[String] {
        &self.0.warnings
    }
}

/// A JWK set (RFC 7517, 5).
#[derive(Debug)]
pub(crate) struct JwkSet(pub(crate) Keys);

impl Parsed for JwkSet {
    /// Keys that are for something else (encryption, other algorithms) are left out with a warning; a set without any
    /// other is an error.
    fn parse(bytes: &[u8]) -> Result<Self, String> {
        let set = Json::object(bytes).map_err(|problem| format!("it is no JWK set: {problem}"))?;
        let Some(Json::List(members)) = set.get("keys") else {
            return Err("it is no JWK set: it has no list `keys`".to_owned());
        };
        if members.len() > MAX_KEYS {
            return Err(format!("it has more than {MAX_KEYS} keys"));
        }
        let mut keys = Keys::default();
        for (member, number) in members.iter().zip(1..) {
            let Json::Object(jwk) = member else {
                return Err(format!("key {number} is no object"));
            };
            match read_jwk(jwk) {
                Ok((key, kid)) => keys.add(key, kid),
                Err(problem) => keys
                    .warnings
                    .push(format!("key {number} is left out: {problem}")),
            }
        }
        if keys.count == 0 {
            return Err(match keys.warnings.first() {
                Some(first) => format!("it has no key that tokens can be checked with; {first}"),
                None => "it has no keys".to_owned(),
            });
        }
        Ok(JwkSet(keys))
    }

    fn warnings(&self) -> &[String] {
        &self.0.warnings
    }
}

/// One key of a set, and its `kid`.
fn read_jwk(jwk: &Object) -> Result<(Key, Option<&str>), &'static str> {
    let text = |name: &str| match jwk.get(name) {
        None => Ok(None),
        Some(value) => value
            .text()
            .map(Some)
            .ok_or("a member that should be text is not"),
    };
    let bytes = |name: &str, missing: &'static str| {
        text(name)?
            .and_then(|text| URL_SAFE_NO_PAD.decode(text).ok())
            .ok_or(missing)
    };
    let kid = text("kid")?;
    if kid.is_some_and(|kid| kid.is_empty() || kid.len() > MAX_KID_BYTES) {
        return Err("its `kid` is empty or too long");
    }
    if text("use")?.is_some_and(|purpose| purpose != "sig") {
        return Err("its `use` is not `sig`");
    }
    if let Some(operations) = jwk.get("key_ops") {
        let verifies = matches!(operations, Json::List(list) if list.iter().any(|item| item.text() == Some("verify")));
        if !verifies {
            return Err("its `key_ops` are without `verify`");
        }
    }
    let key = match (
        text("kty")?.unwrap_or_default(),
        text("crv")?.unwrap_or_default(),
    ) {
        ("RSA", _) => Key::from_rsa(
            &bytes("n", "its `n` is not base64url")?,
            &bytes("e", "its `e` is not base64url")?,
        )?,
        ("EC", curve @ ("P-256" | "P-384")) => {
            let algorithm = if curve == "P-256" {
                Algorithm::Es256
            } else {
                Algorithm::Es384
            };
            Key::from_point(
                algorithm,
                &bytes("x", "its `x` is not base64url")?,
                &bytes("y", "its `y` is not base64url")?,
            )?
        }
        ("OKP", "Ed25519") => Key::from_ed25519(&bytes("x", "its `x` is not base64url")?)?,
        ("oct", _) => {
            return Err(
                "it is a shared secret, which must never be in a key set that is handed out",
            );
        }
        _ => return Err("its kind is none of RSA, EC (P-256, P-384) and Ed25519"),
    };
    match text("alg")? {
        // RFC 9864 gives EdDSA on this curve a name of its own.
        None | Some("Ed25519") if key.algorithm() == Algorithm::EdDsa => Ok((key, kid)),
        None => Ok((key, kid)),
        Some(name) if Algorithm::by_name(name) == Some(key.algorithm()) => Ok((key, kid)),
        Some(_) => {
            Err("its `alg` is none of RS256, ES256, ES384 and EdDSA, or not one for such a key")
        }
    }
}
