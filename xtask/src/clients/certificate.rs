//! A certificate for a registry on this machine, and the authority that signed it, which nobody trusts until told to.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::process;
use crate::server::Identity;

/// The names a registry of this machine is called by. `0.0.0.0` leads here like 127.0.0.1, but engines that are lenient with loopback
/// addresses do not take it for one.
const NAMES: &str = "DNS:localhost,IP:127.0.0.1,IP:0.0.0.0";

/// A certificate with its authority.
#[derive(Clone, Debug)]
pub(super) struct Certificate {
    pub(super) identity: Identity,
    /// The certificate of the authority, PEM.
    pub(super) authority: PathBuf,
}

impl Certificate {
    /// Has `openssl` make both in `folder`, good for a day.
    pub(super) fn make(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder)
            .with_context(|| format!("{} cannot be made", folder.display()))?;
        let at = |name: &str| folder.join(name);
        let (authority, authority_key) = (at("ca.crt"), at("ca.key"));
        let identity = Identity {
            cert: at("registry.crt"),
            key: at("registry.key"),
        };
        let mut root = request("/CN=an authority of the tests", &authority, &authority_key);
        root.args(["-addext", "keyUsage=critical,keyCertSign"]);
        process::output(&mut root)?;
        let mut leaf = request("/CN=a registry of the tests", &identity.cert, &identity.key);
        leaf.arg("-CA").arg(&authority);
        leaf.arg("-CAkey").arg(&authority_key);
        leaf.args(["-addext", &format!("subjectAltName={NAMES}")]);
        leaf.args(["-addext", "basicConstraints=critical,CA:FALSE"]);
        leaf.args(["-addext", "extendedKeyUsage=serverAuth"]);
        process::output(&mut leaf)?;
        Ok(Self {
            identity,
            authority,
        })
    }
}

/// A new key and a certificate for it, signed with itself unless told otherwise.
fn request(subject: &str, cert: &Path, key: &Path) -> Command {
    let mut command = Command::new("openssl");
    command.args(["req", "-x509", "-days", "1", "-nodes", "-subj", subject]);
    command.args(["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]);
    command.arg("-out").arg(cert).arg("-keyout").arg(key);
    command
}
