//! TLS to a place that the operator named: what it trusts.

use std::path::Path;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use rustls_platform_verifier::BuilderVerifierExt as _;

use crate::options::SetupError;

/// TLS that trusts the certificates of `ca_file` alone, or those the system trusts.
///
/// # Errors
/// The file cannot be read or has no certificate; or the system's cannot be read.
pub(crate) fn client(
    ca_file: Option<&Path>,
    hint: &'static str,
) -> Result<ClientConfig, SetupError> {
    let failed = |problem: String| SetupError::Option {
        option: "ca_file",
        problem,
    };
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(error.to_string()))?;
    let Some(path) = ca_file else {
        return Ok(builder
            .with_platform_verifier()
            .map_err(|error| failed(format!("the system's certificates cannot be read: {error}")))?
            .with_no_client_auth());
    };
    let bytes = std::fs::read(path).map_err(|source| SetupError::Unreadable {
        path: path.to_owned(),
        hint,
        source,
    })?;
    let broken = |problem: String| SetupError::Broken {
        path: path.to_owned(),
        problem,
    };
    let mut roots = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&bytes) {
        certificate
            .map_err(|error| error.to_string())
            .and_then(|certificate| roots.add(certificate).map_err(|error| error.to_string()))
            .map_err(broken)?;
    }
    if roots.is_empty() {
        return Err(broken("it has no PEM certificate".to_owned()));
    }
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
