//! Why a server does not start.

use std::io;
use std::path::PathBuf;

use super::options::Address;

/// Why a server does not start. `Display` ends with what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Nothing to listen at.
    #[error("there is no address to listen at; give one with --listen ADDRESS:PORT")]
    NoAddress,
    /// An address cannot be listened at.
    #[error("cannot listen at {address}: {}", hint(source))]
    Listen {
        /// The address.
        address: Address,
        /// What the system said.
        source: io::Error,
    },
    /// The sockets that systemd hands over cannot be used.
    #[error(
        "cannot use the sockets that systemd hands over; look at the .socket unit (ListenStream= is what is needed)"
    )]
    Inherit(#[source] io::Error),
    /// A certificate or key file cannot be used.
    #[error("cannot use {}: {why}", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and what is expected.
        why: &'static str,
        /// The cause, where there is one beneath.
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// The TLS library refuses the settings.
    #[error("TLS cannot be set up")]
    Tls(#[source] tokio_rustls::rustls::Error),
}

fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            "the address is in use; is another registry running? Stop it, or choose another address with --listen"
        }
        io::ErrorKind::AddrNotAvailable => {
            "this machine does not have that address; 0.0.0.0 and [::] stand for all it has"
        }
        io::ErrorKind::PermissionDenied => {
            "not permitted; ports below 1024 need root or CAP_NET_BIND_SERVICE, and systemd can hand over the socket"
        }
        io::ErrorKind::NotFound => "the directory for the socket does not exist",
        _ => "the system refuses it",
    }
}
