//! The keys at one moment: which one signs, which ones are shown and trusted.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use serde_json::{Value, json};

use super::pair::{KeyError, Pair};
use crate::token::key::{Key, Numbers};
use crate::token::keys::Keys;

/// By which name tokens call their key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum KidForm {
    /// The thumbprint of its public half (RFC 7638): what Distribution 3 and most others know it by.
    #[default]
    Thumbprint,
    /// The identifier of libtrust: what Distribution 2 knows it by.
    Libtrust,
}

/// A key that signs, or will, or did.
pub(super) struct Signer {
    pub(super) pair: Pair,
    pub(super) key: Key,
    /// As PEM.
    pub(super) certificate: String,
    pub(super) since: SystemTime,
    pub(super) until: Option<SystemTime>,
    pub(super) verify_until: Option<SystemTime>,
    /// The first part of each token it signs.
    header: String,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Signer").field(&self.key.thumbprint).finish()
    }
}

impl Signer {
    pub(super) fn new(
        pair: Pair,
        certificate: String,
        (since, until, verify_until): (SystemTime, Option<SystemTime>, Option<SystemTime>),
        (form, x5c): (KidForm, bool),
    ) -> Result<Self, KeyError> {
        let key = Key::from_spki(&pair.spki()?).map_err(|_| KeyError)?;
        let kid = match form {
            KidForm::Thumbprint => &key.thumbprint,
            KidForm::Libtrust => &key.libtrust,
        };
        let mut header = json!({"typ": "JWT", "alg": pair.algorithm().name(), "kid": kid});
        if x5c && let Some(members) = header.as_object_mut() {
            let der =
                CertificateDer::from_pem_slice(certificate.as_bytes()).map_err(|_| KeyError)?;
            members.insert("x5c".to_owned(), json!([STANDARD.encode(der.as_ref())]));
        }
        let header = URL_SAFE_NO_PAD.encode(header.to_string());
        Ok(Signer {
            pair,
            key,
            certificate,
            since,
            until,
            verify_until,
            header,
        })
    }

    /// A token with these claims.
    pub(super) fn token(&self, claims: &[u8]) -> Result<String, KeyError> {
        let mut token = String::with_capacity(self.header.len() + claims.len() * 4 / 3 + 128);
        token.push_str(&self.header);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(claims, &mut token);
        let signature = self.pair.sign(token.as_bytes())?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }

    fn is_trusted(&self, now: SystemTime) -> bool {
        self.verify_until.is_none_or(|until| now < until)
    }
}

/// All keys of an issuer.
#[derive(Debug)]
pub(super) struct Ring {
    signers: Vec<Signer>,
    /// What is trusted, in the form that tokens are checked with.
    pub(super) trusted: Keys,
    /// Grows with each change.
    pub(super) generation: u64,
    /// The certificate of the authority.
    authority: String,
}

impl Ring {
    pub(super) fn new(
        mut signers: Vec<Signer>,
        authority: String,
        generation: u64,
        now: SystemTime,
    ) -> Self {
        signers.retain(|signer| signer.is_trusted(now));
        // The one that no other follows comes first.
        signers.sort_by_key(|signer| (signer.until.is_some(), std::cmp::Reverse(signer.since)));
        let mut trusted = Keys::default();
        for signer in &signers {
            trusted.add(signer.key.clone(), None);
        }
        Ring {
            signers,
            trusted,
            generation,
            authority,
        }
    }

    /// The key that signs at `now`: the latest whose time has come. Should the clock have been set back before all of
    /// them, the one that is meant to sign next.
    pub(super) fn signer(&self, now: SystemTime) -> Option<&Signer> {
        let has_begun = |signer: &&Signer| signer.since <= now;
        let signs =
            |signer: &&Signer| has_begun(signer) && signer.until.is_none_or(|until| now < until);
        let mut all = self.signers.iter();
        all.find(signs)
            .or_else(|| self.signers.iter().find(has_begun))
            .or(self.signers.last())
    }

    /// The latest key, which signs or will.
    pub(super) fn latest(&self) -> Option<&Signer> {
        self.signers.first()
    }

    pub(super) fn all(&self) -> &[Signer] {
        &self.signers
    }

    /// The public halves as a JWK set (RFC 7517), each under every name that tokens may call it by.
    pub(super) fn jwks(&self) -> Arc<str> {
        let keys: Vec<Value> = self
            .signers
            .iter()
            .flat_map(|signer| {
                [&signer.key.thumbprint, &signer.key.libtrust].map(|kid| jwk(signer, kid))
            })
            .collect();
        json!({ "keys": keys }).to_string().into()
    }

    /// The certificates of the authority and of each key, as PEM.
    pub(super) fn certificates(&self) -> Arc<str> {
        let mut text = self.authority.clone();
        for signer in &self.signers {
            text.push_str(&signer.certificate);
        }
        text.into()
    }
}

fn jwk(signer: &Signer, kid: &str) -> Value {
    let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let mut jwk = match signer.key.numbers() {
        Some(Numbers::Point { curve, x, y }) => {
            json!({"kty": "EC", "crv": curve, "x": text(&x), "y": text(&y)})
        }
        Some(Numbers::Rsa { n, e }) => json!({"kty": "RSA", "n": text(&n), "e": text(&e)}),
        Some(Numbers::Ed25519(x)) => json!({"kty": "OKP", "crv": "Ed25519", "x": text(&x)}),
        None => json!({}),
    };
    if let Some(members) = jwk.as_object_mut() {
        members.insert("kid".to_owned(), json!(kid));
        members.insert("use".to_owned(), json!("sig"));
        members.insert("alg".to_owned(), json!(signer.pair.algorithm().name()));
    }
    jwk
}
