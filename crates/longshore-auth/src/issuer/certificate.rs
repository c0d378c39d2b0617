//! Certificates of signing keys, for verifiers that trust certificates and not keys (`rootcertbundle`).
//!
//! One authority of long life certifies each signing key. Whoever trusts it follows every rotation without being told,
//! as long as tokens bring their certificate (`x5c`). It certifies nothing but our keys and its private half is sealed
//! like theirs.

use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_ED25519, PKCS_RSA_SHA256,
};
use rustls_pki_types::PrivatePkcs8KeyDer;

use super::pair::{KeyError, Pair, SigningAlgorithm};

/// How long an authority holds.
const AUTHORITY: Duration = Duration::from_hours(24 * 365 * 20);
/// Verifiers' clocks may be behind.
const BEFORE: Duration = Duration::from_hours(1);

fn key_of(pair: &Pair) -> Result<KeyPair, KeyError> {
    let algorithm = match pair.algorithm() {
        SigningAlgorithm::Es256 => &PKCS_ECDSA_P256_SHA256,
        SigningAlgorithm::EdDsa => &PKCS_ED25519,
        SigningAlgorithm::Rs256 => &PKCS_RSA_SHA256,
    };
    let der = pair.pkcs8()?;
    KeyPair::from_pkcs8_der_and_sign_algo(&PrivatePkcs8KeyDer::from(der.as_slice()), algorithm)
        .map_err(|_| KeyError)
}

fn params(
    name: &str,
    now: SystemTime,
    lives: Duration,
    (usage, is_ca): (KeyUsagePurpose, IsCa),
) -> CertificateParams {
    let mut params = CertificateParams::default();
    let mut names = DistinguishedName::new();
    names.push(DnType::CommonName, name);
    params.distinguished_name = names;
    let since = now
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    params.not_before = epoch + since.saturating_sub(BEFORE);
    params.not_after = epoch + since + lives;
    params.key_usages = vec![usage];
    params.is_ca = is_ca;
    params
}

/// The certificate of an authority, as PEM.
pub(super) fn authority(pair: &Pair, now: SystemTime) -> Result<String, KeyError> {
    let certificate = of_authority(now)
        .self_signed(&key_of(pair)?)
        .map_err(|_| KeyError)?;
    Ok(certificate.pem())
}

fn of_authority(now: SystemTime) -> CertificateParams {
    let is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let usage = (KeyUsagePurpose::KeyCertSign, is_ca);
    params("Longshore token authority", now, AUTHORITY, usage)
}

/// The certificate of a signing key under an authority, as PEM.
pub(super) fn certify(pair: &Pair, authority: &Pair, now: SystemTime) -> Result<String, KeyError> {
    // Of the authority only its name and key go into what it certifies, and they are always the same.
    let by = of_authority(now);
    let by = Issuer::from_params(&by, key_of(authority)?);
    // As long as the authority: when a key ends is said by the index, and a key that signs no more signs no more.
    let usage = (KeyUsagePurpose::DigitalSignature, IsCa::ExplicitNoCa);
    let certificate = params("Longshore token signing key", now, AUTHORITY, usage)
        .signed_by(&key_of(pair)?, &by)
        .map_err(|_| KeyError)?;
    Ok(certificate.pem())
}
