//! The certificate of the servers that speak TLS, made for the run and trusted by nobody else.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::config::Pair;

/// A certificate for this machine and its key, as PEM files.
#[derive(Debug)]
pub(crate) struct Certificate {
    cert: PathBuf,
    key: PathBuf,
}

impl Certificate {
    /// Makes one (ECDSA, P-256) and writes it to `dir`.
    ///
    /// # Errors
    /// When it cannot be made or written.
    pub(crate) fn new(dir: &Path) -> Result<Self> {
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let made =
            rcgen::generate_simple_self_signed(names).context("no certificate can be made")?;
        let this = Self {
            cert: dir.join("cert.pem"),
            key: dir.join("key.pem"),
        };
        fs::write(&this.cert, made.cert.pem()).context("a certificate cannot be written")?;
        fs::write(&this.key, made.signing_key.serialize_pem())
            .context("a key cannot be written")?;
        Ok(this)
    }

    /// What clients trust.
    pub(crate) fn path(&self) -> &Path {
        &self.cert
    }

    pub(super) fn pair(&self) -> Pair<'_> {
        Pair {
            cert: &self.cert,
            key: &self.key,
        }
    }
}
