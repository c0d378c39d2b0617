//! A token server of one's own.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::super::*;

pub(crate) const ISSUER: &str = "https://auth.example";
pub(crate) const SERVICE: &str = "registry.example";
const NOW: u64 = 1_900_000_000;

/// A moment, in seconds after the tests' usual one.
pub(crate) fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(NOW + seconds)
}

pub(crate) fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

enum Pair {
    Es256(EcdsaKeyPair),
    Es384(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
    Rsa(RsaKeyPair),
}

/// A private key and the names of its public half.
pub(crate) struct Signer {
    pair: Pair,
    pub(crate) spki: Vec<u8>,
    pub(crate) key: Key,
}

impl Signer {
    fn new(pair: Pair) -> Self {
        let spki: PublicKeyX509Der<'_> = match &pair {
            Pair::Es256(pair) | Pair::Es384(pair) => pair.public_key().as_der().unwrap(),
            Pair::Ed(pair) => pair.public_key().as_der().unwrap(),
            Pair::Rsa(pair) => pair.public_key().as_der().unwrap(),
        };
        let spki = spki.as_ref().to_vec();
        let key = Key::from_spki(&spki).unwrap();
        Signer { pair, spki, key }
    }

    pub(crate) fn es256() -> Self {
        Self::new(Pair::Es256(
            EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap(),
        ))
    }

    pub(crate) fn es256_from(pkcs8: &[u8]) -> Self {
        Self::new(Pair::Es256(
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).unwrap(),
        ))
    }

    pub(crate) fn es384() -> Self {
        Self::new(Pair::Es384(
            EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap(),
        ))
    }

    pub(crate) fn ed25519() -> Self {
        Self::new(Pair::Ed(Ed25519KeyPair::generate().unwrap()))
    }

    pub(crate) fn rsa() -> Self {
        Self::new(Pair::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap()))
    }

    pub(crate) fn pkcs8(&self) -> Vec<u8> {
        let Pair::Es256(pair) = &self.pair else {
            panic!("only ES256 keys are taken out")
        };
        pair.to_pkcs8v1().unwrap().as_ref().to_vec()
    }

    pub(crate) fn alg(&self) -> &'static str {
        match self.pair {
            Pair::Es256(_) => "ES256",
            Pair::Es384(_) => "ES384",
            Pair::Ed(_) => "EdDSA",
            Pair::Rsa(_) => "RS256",
        }
    }

    pub(crate) fn kid(&self) -> &str {
        &self.key.thumbprint
    }

    pub(crate) fn pem(&self) -> String {
        pem("PUBLIC KEY", &self.spki)
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Es256(pair) | Pair::Es384(pair) => {
                pair.sign(&random, message).unwrap().as_ref().to_vec()
            }
            Pair::Ed(pair) => pair.sign(message).as_ref().to_vec(),
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .unwrap();
                signature
            }
        }
    }

    /// The usual header.
    pub(crate) fn header(&self) -> String {
        format!(
            r#"{{"typ":"JWT","alg":"{}","kid":"{}"}}"#,
            self.alg(),
            self.kid()
        )
    }

    /// A token of exactly these texts, signed.
    pub(crate) fn token(&self, header: &str, claims: &str) -> String {
        let signed = format!("{}.{}", base64url(header), base64url(claims));
        let signature = self.sign(signed.as_bytes());
        format!("{signed}.{}", base64url(signature))
    }

    /// A token that is good for five minutes.
    pub(crate) fn good(&self) -> String {
        self.token(&self.header(), &claims(&[]))
    }

    /// This key in a JWK set, under `kid`.
    pub(crate) fn jwk(&self, kid: &str) -> String {
        let point = |half: usize| {
            let point = &self.spki[self.spki.len() - 2 * half..];
            (base64url(&point[..half]), base64url(&point[half..]))
        };
        match self.pair {
            Pair::Es256(_) => {
                let (x, y) = point(32);
                format!(
                    r#"{{"kty":"EC","crv":"P-256","x":"{x}","y":"{y}","kid":"{kid}","use":"sig","alg":"ES256"}}"#
                )
            }
            Pair::Es384(_) => {
                let (x, y) = point(48);
                format!(r#"{{"kty":"EC","crv":"P-384","x":"{x}","y":"{y}","kid":"{kid}"}}"#)
            }
            Pair::Ed(_) => {
                let x = base64url(&self.spki[self.spki.len() - 32..]);
                format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}","kid":"{kid}","alg":"EdDSA"}}"#)
            }
            Pair::Rsa(_) => {
                // The last 5 bytes are the exponent, 65537, and its DER length.
                let end = self.spki.len() - 5;
                let n = base64url(&self.spki[end - 256..end]);
                format!(r#"{{"kty":"RSA","n":"{n}","e":"AQAB","kid":"{kid}","alg":"RS256"}}"#)
            }
        }
    }
}

pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        STANDARD.encode(der)
    )
}

/// The claims of a good token as JSON text, with some replaced by raw values; an empty value leaves the claim out.
pub(crate) fn claims(edits: &[(&str, &str)]) -> String {
    let (from, until) = (NOW - 10, NOW + 300);
    let usual = [
        ("iss", format!("{ISSUER:?}")),
        ("aud", format!("{SERVICE:?}")),
        ("sub", r#""alice""#.to_owned()),
        ("exp", until.to_string()),
        ("nbf", from.to_string()),
        ("iat", from.to_string()),
        ("jti", r#""one""#.to_owned()),
        (
            "access",
            r#"[{"type":"repository","name":"acme/app","actions":["pull","push"]}]"#.to_owned(),
        ),
    ];
    let members: Vec<String> = usual
        .iter()
        .map(|(name, value)| {
            (
                *name,
                edits
                    .iter()
                    .find(|(edit, _)| edit == name)
                    .map_or(value.as_str(), |(_, raw)| raw),
            )
        })
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!(r#""{name}":{value}"#))
        .collect();
    format!("{{{}}}", members.join(","))
}

/// A directory with the files of a configuration.
pub(crate) struct Files(tempfile::TempDir);

impl Files {
    pub(crate) fn new() -> Self {
        Files(tempfile::tempdir().unwrap())
    }

    pub(crate) fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }
}

pub(crate) fn options() -> TokenOptions {
    TokenOptions::new("https://auth.example/token", SERVICE, ISSUER)
}

pub(crate) async fn with_bundle(path: &Path) -> Tokens {
    let options = TokenOptions {
        root_bundle: Some(path.to_owned()),
        ..options()
    };
    Tokens::open(&options, at(0)).await.unwrap()
}

/// Tokens that trust `signers` by a bundle of bare public keys.
pub(crate) async fn trusting(signers: &[&Signer]) -> (Files, Tokens) {
    let files = Files::new();
    let bundle: String = signers.iter().map(|signer| signer.pem()).collect();
    let path = files.write("bundle.pem", &bundle);
    let tokens = with_bundle(&path).await;
    (files, tokens)
}

/// Why a token is refused, or `""` where it passes.
pub(crate) async fn why(tokens: &Tokens, token: impl AsRef<[u8]>, now: SystemTime) -> &'static str {
    match tokens.identify(token.as_ref(), now).await {
        Ok(_) => "",
        Err(refusal) => {
            assert_eq!(
                (refusal.error, refusal.retry_after),
                (Some("invalid_token"), None)
            );
            refusal.why
        }
    }
}
