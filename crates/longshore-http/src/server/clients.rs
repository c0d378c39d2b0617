//! Certificates of clients: verified at the handshake, and again when authorities or the list of what was revoked change.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use arc_swap::ArcSwap;
use longshore_auth::certificate::{Presented, is_constrained};
use tokio_rustls::rustls::client::danger::HandshakeSignatureValid;
use tokio_rustls::rustls::crypto::CryptoProvider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use tokio_rustls::rustls::{
    DigitallySignedStruct, DistinguishedName, Error, RootCertStore, SignatureScheme,
};

use super::certificate::{contents, wrong};
use super::error::StartError;
use super::options::Clients;

/// Verifies certificates of clients by authorities that can change.
pub(super) struct Verifier {
    current: ArcSwap<Current>,
    provider: Arc<CryptoProvider>,
    files: Clients,
    /// How often they have changed.
    round: AtomicU64,
}

struct Current {
    verifier: Arc<dyn ClientCertVerifier>,
    /// Whether an authority may speak for some names only.
    constrained: bool,
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("files", &self.files)
            .finish_non_exhaustive()
    }
}

impl Verifier {
    /// Reads the authorities, and what was revoked.
    ///
    /// # Errors
    /// Files that cannot be read or parsed, or have nothing in them.
    pub(super) fn load(
        files: Clients,
        provider: Arc<CryptoProvider>,
    ) -> Result<Arc<Self>, StartError> {
        let current = ArcSwap::from_pointee(read(&files, &provider)?);
        Ok(Arc::new(Self {
            current,
            provider,
            files,
            round: AtomicU64::new(0),
        }))
    }

    /// Reads all of it again. What cannot be read leaves things as they are.
    ///
    /// # Errors
    /// See [`Verifier::load`].
    pub(super) fn reload(&self) -> Result<(), StartError> {
        let next = read(&self.files, &self.provider)?;
        self.current.store(Arc::new(next));
        self.round.fetch_add(1, Ordering::Release);
        Ok(())
    }

    /// What a connection's handshake has shown, if anything.
    pub(super) fn shown(
        self: &Arc<Self>,
        chain: Option<&[CertificateDer<'_>]>,
    ) -> Option<Arc<ClientCertificate>> {
        let chain = chain.filter(|chain| !chain.is_empty())?;
        let round = self.round.load(Ordering::Acquire);
        let ders: Vec<&[u8]> = chain.iter().map(AsRef::as_ref).collect();
        match Presented::read(&ders, self.current.load().constrained) {
            Ok(presented) => Some(Arc::new(ClientCertificate {
                chain: chain.iter().map(|it| it.clone().into_owned()).collect(),
                presented,
                verifier: Arc::clone(self),
                round: AtomicU64::new(round),
            })),
            Err(error) => {
                tracing::info!(%error, "a client's certificate is nobody's");
                None
            }
        }
    }
}

/// The certificate that a client has shown.
pub struct ClientCertificate {
    chain: Vec<CertificateDer<'static>>,
    presented: Presented,
    verifier: Arc<Verifier>,
    /// Of the authorities that it was last verified by.
    round: AtomicU64,
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCertificate")
            .field("presented", &self.presented)
            .finish_non_exhaustive()
    }
}

impl PartialEq for ClientCertificate {
    fn eq(&self, other: &Self) -> bool {
        self.chain == other.chain
    }
}

impl Eq for ClientCertificate {}

impl ClientCertificate {
    /// What it says, as long as it is good: a connection goes on while certificates end and are revoked.
    pub fn presented(&self, now: SystemTime) -> Option<&Presented> {
        if !self.presented.holds(now) {
            return None;
        }
        let round = self.verifier.round.load(Ordering::Acquire);
        if self.round.load(Ordering::Relaxed) != round {
            let (leaf, rest) = self.chain.split_first()?;
            let since = now.duration_since(SystemTime::UNIX_EPOCH).ok()?;
            let at = UnixTime::since_unix_epoch(since);
            let current = self.verifier.current.load();
            let verified = current.verifier.verify_client_cert(leaf, rest, at);
            if verified.is_err() {
                return None;
            }
            self.round.store(round, Ordering::Relaxed);
        }
        Some(&self.presented)
    }
}

impl ClientCertVerifier for Verifier {
    fn offer_client_auth(&self) -> bool {
        true
    }

    fn client_auth_mandatory(&self) -> bool {
        self.files.required
    }

    /// None: those of today would keep clients from showing what those of tomorrow have signed.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        rest: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let current = self.current.load();
        current.verifier.verify_client_cert(leaf, rest, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let current = self.current.load();
        current
            .verifier
            .verify_tls12_signature(message, leaf, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let current = self.current.load();
        current
            .verifier
            .verify_tls13_signature(message, leaf, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.current.load().verifier.supported_verify_schemes()
    }
}

fn read(files: &Clients, provider: &Arc<CryptoProvider>) -> Result<Current, StartError> {
    let path = &files.authorities;
    let mut roots = RootCertStore::empty();
    let mut constrained = false;
    for found in CertificateDer::pem_slice_iter(&contents(path)?) {
        let certificate = found
            .map_err(|error| wrong(path, "a certificate in it is not PEM", Some(error.into())))?;
        constrained |= is_constrained(&certificate);
        roots.add(certificate).map_err(|error| {
            wrong(
                path,
                "a certificate in it is no authority's",
                Some(error.into()),
            )
        })?;
    }
    if roots.is_empty() {
        let why = "there is no certificate in it (expected PEM)";
        return Err(wrong(path, why, None));
    }
    let builder =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
    let mut builder = match &files.revoked {
        Some(revoked) => builder
            .with_crls(lists(revoked)?)
            .only_check_end_entity_revocation(),
        None => builder,
    };
    if !files.required {
        builder = builder.allow_unauthenticated();
    }
    let verifier = builder.build().map_err(|error| {
        let blamed: &Path = files.revoked.as_deref().unwrap_or(path);
        wrong(blamed, "it cannot be used", Some(error.into()))
    })?;
    Ok(Current {
        verifier,
        constrained,
    })
}

fn lists(path: &Path) -> Result<Vec<CertificateRevocationListDer<'static>>, StartError> {
    let found = CertificateRevocationListDer::pem_slice_iter(&contents(path)?)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| wrong(path, "a list in it is not PEM", Some(error.into())))?;
    if found.is_empty() {
        let why = "there is no list of revoked certificates in it (expected PEM, `X509 CRL`)";
        return Err(wrong(path, why, None));
    }
    Ok(found)
}
