//! What a handler may know of the connection its request came by.

use std::error::Error as StdError;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use longshore_core::ByteStream;

use super::clients::ClientCertificate;
use super::guard::Activity;
use super::intake;
use super::options::{Floor, Timeouts};

/// The connection a request came by.
#[derive(Debug, Clone)]
pub struct Peer {
    /// Who is at the other end: the client or the proxy before it. `None` at a unix socket.
    pub addr: Option<SocketAddr>,
    /// The address of ours it connected to.
    pub local: Option<SocketAddr>,
    /// Whether the connection is encrypted.
    pub tls: bool,
    /// Whether regions of files leave by sendfile here. Elsewhere they are copied; the handler need not care.
    pub sendfile: bool,
    /// The certificate that it has shown, whose chain was verified.
    pub certificate: Option<Arc<ClientCertificate>>,
    pub(super) floor: Floor,
    pub(super) activity: Option<Arc<Activity>>,
}

impl Default for Peer {
    /// A peer of no connection, for tests of handlers.
    fn default() -> Self {
        Self {
            addr: None,
            local: None,
            tls: false,
            sendfile: false,
            certificate: None,
            floor: Timeouts::default().body,
            activity: None,
        }
    }
}

impl Peer {
    /// The body of a request as a stream that holds the client to the least pace. Every failure is a
    /// [`BodyFault`](super::BodyFault), and the last item. `Expect: 100-continue` is answered when the stream is first
    /// polled: check the caller's rights before.
    pub fn receive<B>(&self, body: B) -> ByteStream
    where
        B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
        intake::receive(body, self.floor, self.activity.clone())
    }
}
