//! The HTTP server: sockets, TLS, HTTP/1.1 and HTTP/2, limits, and an orderly end.
//!
//! It serves any [`Handler`] and knows nothing of registries. The accept loop is our own because the ready-made ones
//! have no limits where it matters: no timer on the first head, no cap on connections, no reload of certificates; and
//! because a pull is to leave by `sendfile(2)` ([`Body`]).
//!
//! ```text
//! accept -> seats -> TLS, ALPN -> screen (HTTP/1) -> hyper -> front -> the handler
//!                                 sendfile, stall  <-      <- Body <-
//! ```
//!
//! Absent on purpose: routes, forwarded headers, request ids, access logs; all those are the edge's.

mod body;
mod buffers;
mod certificate;
mod chunks;
mod clients;
mod connection;
mod copied;
mod error;
mod front;
mod guard;
mod handler;
mod head;
mod inherited;
mod intake;
mod linger;
mod listen;
mod notify;
mod options;
mod pace;
mod peer;
#[cfg(target_os = "linux")]
mod piped;
mod refusal;
mod resident;
mod run;
mod screen;
mod seats;
mod sendfile;
mod socket;
mod stall;
mod stats;
#[cfg(test)]
mod tests;
mod window;

pub use body::{Body, Sent};
pub use clients::ClientCertificate;
pub use error::StartError;
pub use handler::{Answering, Handler};
pub use intake::BodyFault;
pub use options::{Address, Clients, Floor, H2, Limits, Options, Timeouts, Tls, TlsVersion};
pub use peer::Peer;
pub use run::{Drained, Server};
pub use stats::ServerStats;
