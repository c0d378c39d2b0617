//! The certificate a server shows: read, checked, and exchanged while connections go on.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use arc_swap::ArcSwap;
use longshore_core::error::Chain;
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{self, ServerConfig};

use super::clients::Verifier;
use super::error::StartError;
use super::options::{Tls, TlsVersion};

/// The certificate in use, and the files it comes from.
#[derive(Debug)]
pub(super) struct Certificate {
    current: ArcSwap<CertifiedKey>,
    provider: Arc<CryptoProvider>,
    files: Tls,
    clients: Option<Arc<Verifier>>,
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.load_full())
    }
}

/// What tells that a file is another one now.
type Stamp = Option<(SystemTime, u64, u64)>;

impl Certificate {
    /// Reads the certificate and key.
    ///
    /// # Errors
    /// Files that cannot be read or parsed, or do not belong together.
    pub(super) fn load(files: Tls) -> Result<Arc<Self>, StartError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let current = ArcSwap::from_pointee(read(&files, &provider)?);
        let clients = files.clients.clone();
        let clients = clients
            .map(|clients| Verifier::load(clients, Arc::clone(&provider)))
            .transpose()?;
        Ok(Arc::new(Self {
            current,
            provider,
            files,
            clients,
        }))
    }

    /// The settings for every connection; they see a new certificate when there is one.
    ///
    /// # Errors
    /// The TLS library refuses the settings.
    pub(super) fn config(self: &Arc<Self>) -> Result<ServerConfig, StartError> {
        let versions: &[_] = match self.files.at_least {
            TlsVersion::V1_2 => &[&TLS13, &TLS12],
            TlsVersion::V1_3 => &[&TLS13],
        };
        let builder = ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_protocol_versions(versions)
            .map_err(StartError::Tls)?;
        let builder = match &self.clients {
            Some(clients) => builder.with_client_cert_verifier(Arc::<Verifier>::clone(clients)),
            None => builder.with_no_client_auth(),
        };
        let mut config = builder.with_cert_resolver(Arc::<Self>::clone(self));
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        if self.clients.is_some() {
            // A resumed handshake would bring back a certificate that nobody has verified since.
            config.session_storage = Arc::new(NoServerSessionStorage {});
            config.send_tls13_tickets = 0;
        } else {
            // A docker pull opens many connections; resumed handshakes need no signature, and no memory here.
            config.ticketer = aws_lc_rs::Ticketer::new().map_err(StartError::Tls)?;
        }
        Ok(config)
    }

    /// Who verifies certificates of clients, where they are asked for.
    pub(super) fn clients(&self) -> Option<Arc<Verifier>> {
        self.clients.clone()
    }

    /// Looks at the files every [`Tls::poll`], and takes what is new and good. Never returns.
    pub(super) async fn watch(self: Arc<Self>) {
        let mut seen = self.stamps();
        loop {
            tokio::time::sleep(self.files.poll).await;
            let (this, before) = (Arc::clone(&self), seen.clone());
            // A certificate on a network mount must not hold a worker.
            let looked = tokio::task::spawn_blocking(move || {
                let stamps = this.stamps();
                (stamps != before).then(|| this.reload());
                stamps
            });
            match looked.await {
                Ok(stamps) => seen = stamps,
                Err(error) => {
                    tracing::error!(error = %Chain(&error), "the certificate could not be looked at");
                }
            }
        }
    }

    fn reload(&self) {
        let path = self.files.certificate.display();
        match read(&self.files, &self.provider) {
            Ok(new) => {
                self.current.store(Arc::new(new));
                tracing::info!(certificate = %path, "the certificate was exchanged");
            }
            // The two files of a pair rarely change in the same instant: the next look finds the other one.
            Err(error) => {
                tracing::warn!(certificate = %path, error = %Chain(&error), "the new certificate is not used, the old one stays");
            }
        }
        if let Some(Err(error)) = self.clients.as_ref().map(|clients| clients.reload()) {
            tracing::error!(error = %Chain(&error), "the new authorities of clients, or the new list of what they revoked, are not used, the old ones stay");
        }
    }

    fn stamps(&self) -> Vec<Stamp> {
        use std::os::unix::fs::MetadataExt;
        let stamp = |path: &Path| {
            let metadata = std::fs::metadata(path).ok()?;
            Some((metadata.modified().ok()?, metadata.len(), metadata.ino()))
        };
        let clients = self.files.clients.iter();
        let clients = clients.flat_map(|it| Some(&it.authorities).into_iter().chain(&it.revoked));
        [&self.files.certificate, &self.files.key]
            .into_iter()
            .chain(clients)
            .map(|path| stamp(path))
            .collect()
    }
}

fn read(files: &Tls, provider: &CryptoProvider) -> Result<CertifiedKey, StartError> {
    let chain = CertificateDer::pem_slice_iter(&contents(&files.certificate)?)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| {
            wrong(
                &files.certificate,
                "a certificate in it is not PEM",
                Some(error.into()),
            )
        })?;
    if chain.is_empty() {
        return Err(wrong(
            &files.certificate,
            "there is no certificate in it (expected PEM, leaf first)",
            None,
        ));
    }
    let key = PrivateKeyDer::from_pem_slice(&contents(&files.key)?).map_err(|error| {
        wrong(
            &files.key,
            "there is no private key in it (expected PEM)",
            Some(error.into()),
        )
    })?;
    CertifiedKey::from_der(chain, key, provider).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => wrong(
            &files.key,
            "the key is not that of the certificate",
            Some(error.into()),
        ),
        rustls::Error::InvalidCertificate(_) => wrong(
            &files.certificate,
            "the certificate cannot be parsed",
            Some(error.into()),
        ),
        error => wrong(
            &files.key,
            "the key is of a kind that TLS cannot use",
            Some(error.into()),
        ),
    })
}

pub(super) fn contents(path: &Path) -> Result<Vec<u8>, StartError> {
    std::fs::read(path).map_err(|error| wrong(path, "the file cannot be read", Some(error.into())))
}

pub(super) fn wrong(
    path: &Path,
    why: &'static str,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
) -> StartError {
    StartError::Certificate {
        path: PathBuf::from(path),
        why,
        source,
    }
}
