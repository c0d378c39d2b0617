//! Certificate chains that tokens bring along (`x5c`, RFC 7515, 4.1.6).
//!
//! Such a chain is worth something only under roots that the operator named; without roots it is refused, also where
//! the token names a trusted key besides.

use std::collections::HashSet;
use std::fmt;
use std::time::{Duration, SystemTime};

use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime};
use webpki::{EndEntityCert, ExtendedKeyUsageValidator, KeyPurposeIdIter};
use x509_cert::Certificate;
use x509_cert::der::{Decode as _, Encode as _};

use super::key::Key;

/// The longest chain.
pub(crate) const MAX_CHAIN: usize = 10;

/// The certificates that chains may end in.
#[derive(Default)]
pub(crate) struct Roots {
    anchors: Vec<TrustAnchor<'static>>,
    certificates: HashSet<Vec<u8>>,
}

impl fmt::Debug for Roots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Roots")
            .field(&self.certificates.len())
            .finish()
    }
}

/// Signing tokens has no extended key usage of its own, so none is asked for.
struct AnyUsage;

impl ExtendedKeyUsageValidator for AnyUsage {
    fn validate(&self, _: KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        Ok(())
    }
}

impl Roots {
    /// Trusts one more certificate. One that cannot be the end of a chain is still trusted as itself.
    pub(crate) fn trust(&mut self, certificate: &CertificateDer<'_>) {
        if let Ok(anchor) = webpki::anchor_from_trusted_cert(certificate) {
            self.anchors.push(anchor.to_owned());
        }
        self.certificates.insert(certificate.as_ref().to_vec());
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.certificates.is_empty()
    }

    /// The key of the first certificate of `chain`, and the time until which the chain holds.
    ///
    /// # Errors
    /// The chain is malformed, not valid at `now`, or ends in none of the roots.
    pub(crate) fn key_of(
        &self,
        chain: &[Vec<u8>],
        now: SystemTime,
    ) -> Result<(Key, SystemTime), &'static str> {
        let since_epoch = now
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_err(|_| "the clock is before 1970")?;
        let (leaf, rest) = chain.split_first().ok_or("the chain is empty")?;
        let certificate =
            Certificate::from_der(leaf).map_err(|_| "a certificate of the chain is malformed")?;
        let mut until = valid_until(&certificate, since_epoch)?;
        // A self-signed certificate that the operator put into the bundle, as most guides do. It is often marked as an
        // authority, which path validation would not accept as the end of a path.
        if !self.certificates.contains(leaf) {
            for der in rest {
                let other = Certificate::from_der(der)
                    .map_err(|_| "a certificate of the chain is malformed")?;
                until = until.min(
                    other
                        .tbs_certificate()
                        .validity()
                        .not_after
                        .to_unix_duration(),
                );
            }
            self.walk(leaf, rest, since_epoch)?;
        }
        let spki = certificate
            .tbs_certificate()
            .subject_public_key_info()
            .to_der()
            .map_err(|_| "a key is malformed")?;
        let key = Key::from_spki(&spki)
            .map_err(|_| "the certificate's key is of a kind that is not accepted")?;
        let until = SystemTime::UNIX_EPOCH
            .checked_add(until)
            .ok_or("the chain's time cannot be kept")?;
        Ok((key, until))
    }

    fn walk(
        &self,
        leaf: &[u8],
        rest: &[Vec<u8>],
        since_epoch: Duration,
    ) -> Result<(), &'static str> {
        let leaf = CertificateDer::from(leaf);
        let rest: Vec<_> = rest
            .iter()
            .map(|der| CertificateDer::from(der.as_slice()))
            .collect();
        let time = UnixTime::since_unix_epoch(since_epoch);
        let end = EndEntityCert::try_from(&leaf)
            .map_err(|_| "the chain's first certificate cannot be used")?;
        end.verify_for_usage(
            webpki::ALL_VERIFICATION_ALGS,
            &self.anchors,
            &rest,
            time,
            AnyUsage,
            None,
            None,
        )
        .map(|_| ())
        .map_err(|_| "the chain does not lead to a trusted root, or is not valid now")
    }
}

/// The end of a certificate's validity, which must contain `since_epoch`.
fn valid_until(certificate: &Certificate, since_epoch: Duration) -> Result<Duration, &'static str> {
    let validity = certificate.tbs_certificate().validity();
    let (from, until) = (
        validity.not_before.to_unix_duration(),
        validity.not_after.to_unix_duration(),
    );
    if from <= since_epoch && since_epoch <= until {
        Ok(until)
    } else {
        Err("the certificate is not valid now")
    }
}
