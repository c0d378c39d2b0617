//! What a server is told before it starts. Plain values with the published defaults; reading them from files and
//! flags is the configuration's work.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Everything a [`Server`](super::Server) can be told.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where to listen. Not used when systemd hands sockets over and [`Options::inherit`] is on.
    pub listen: Vec<Address>,
    /// Certificate and key; `None` speaks plain HTTP. It holds for every listener of this server.
    pub tls: Option<Tls>,
    /// Whether a plain listener also takes HTTP/2 from clients that begin with its preface ("prior knowledge").
    pub h2c: bool,
    /// Whether sockets that systemd hands over (`LISTEN_FDS`, `LISTEN_PID`) take the place of [`Options::listen`].
    pub inherit: bool,
    /// Whether systemd is told of readiness and of stopping (`NOTIFY_SOCKET`).
    pub announce: bool,
    /// How long things may take.
    pub timeouts: Timeouts,
    /// How much there may be.
    pub limits: Limits,
    /// What is particular to HTTP/2.
    pub h2: H2,
    /// How long requests in flight may go on after the order to stop; what remains is cut.
    pub drain: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: vec![Address::Tcp(SocketAddr::from(([127, 0, 0, 1], 5000)))],
            tls: None,
            h2c: false,
            inherit: false,
            announce: false,
            timeouts: Timeouts::default(),
            limits: Limits::default(),
            h2: H2::default(),
            drain: Duration::from_secs(30),
        }
    }
}

/// A place to listen at.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Address {
    /// An IP address and port; port 0 lets the system choose one, see [`Server::addresses`](super::Server::addresses).
    Tcp(SocketAddr),
    /// A unix socket. A file left behind by a server that is gone is replaced.
    Unix(PathBuf),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Tcp(addr) => write!(f, "{addr}"),
            Address::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// The certificate a server shows, and the least it speaks.
#[derive(Debug, Clone)]
pub struct Tls {
    /// PEM file with the certificate and its intermediates, leaf first.
    pub certificate: PathBuf,
    /// PEM file with the private key (PKCS #8, PKCS #1 or SEC 1).
    pub key: PathBuf,
    /// The oldest version spoken.
    pub at_least: TlsVersion,
    /// How often the files are looked at for a change.
    pub poll: Duration,
    /// Certificates that clients may show; none: they are not asked for one.
    pub clients: Option<Clients>,
}

/// Whose certificates of clients are believed.
#[derive(Debug, Clone)]
pub struct Clients {
    /// PEM file with the authorities.
    pub authorities: PathBuf,
    /// PEM file with lists of what they have revoked. A certificate of an authority without a list in it is refused.
    pub revoked: Option<PathBuf>,
    /// Whether a client without one is turned away.
    pub required: bool,
}

impl Tls {
    /// A certificate and its key, with TLS 1.2 and 1.3, looked at every 5 seconds.
    pub fn new(certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        Self {
            certificate: certificate.into(),
            key: key.into(),
            at_least: TlsVersion::V1_2,
            poll: Duration::from_secs(5),
            clients: None,
        }
    }
}

/// A version of TLS. Older ones are not spoken at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsVersion {
    /// TLS 1.2 (RFC 5246).
    V1_2,
    /// TLS 1.3 (RFC 8446).
    V1_3,
}

/// How long things may take.
#[derive(Debug, Clone)]
pub struct Timeouts {
    /// From the first byte of a request's head to its last; also from connecting to the end of the first head.
    pub head: Duration,
    /// The TLS handshake.
    pub handshake: Duration,
    /// A connection without a request.
    pub idle: Duration,
    /// The pace a sender of a request body must keep.
    pub body: Floor,
    /// The pace a reader of a response must keep.
    pub write: Floor,
    /// How long an HTTP/2 connection may have requests in flight without one byte of any body moving.
    pub stuck: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(10),
            handshake: Duration::from_secs(10),
            idle: Duration::from_secs(75),
            body: Floor {
                idle: Duration::from_secs(30),
                grace: Duration::from_secs(30),
                ..Floor::default()
            },
            write: Floor::default(),
            stuck: Duration::from_mins(10),
        }
    }
}

/// The least pace of a peer: some progress every `idle`, and `bytes` in every `window`. Only the time during which we
/// wait for the peer counts, never the time it waits for us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Floor {
    /// The longest wait for a single byte.
    pub idle: Duration,
    /// Waiting that is forgiven before the first window begins.
    pub grace: Duration,
    /// The span over which the rate is taken.
    pub window: Duration,
    /// The bytes that must move in a window.
    pub bytes: u64,
}

impl Default for Floor {
    fn default() -> Self {
        Self {
            idle: Duration::from_mins(1),
            grace: Duration::ZERO,
            window: Duration::from_mins(1),
            bytes: 60 * 1024,
        }
    }
}

/// How much there may be of something.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of a request line; more is answered 414.
    pub request_line: usize,
    /// Bytes of all header lines together; more is answered 431. The same holds for a chunked body's trailers.
    pub headers: usize,
    /// Bytes of one header line; more is answered 431.
    pub header: usize,
    /// Number of header lines; more is answered 431.
    pub header_count: usize,
    /// Open connections; one more is answered 503 and closed.
    pub connections: usize,
    /// Open connections of one IP address; one more is answered 503 and closed. `None` where a proxy stands in front
    /// of everybody.
    pub connections_per_ip: Option<usize>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            request_line: 8 * 1024,
            headers: 32 * 1024,
            header: 16 * 1024,
            header_count: 100,
            connections: 10_000,
            connections_per_ip: Some(256),
        }
    }
}

/// What is particular to HTTP/2.
#[derive(Debug, Clone)]
pub struct H2 {
    /// Requests at a time on one connection.
    pub streams: u32,
    /// Streams that were reset before they were looked at; more ends the connection (rapid reset, CVE-2023-44487).
    pub pending_resets: usize,
    /// Bytes of a request's headers after decoding, 32 more for each as RFC 9113 counts.
    pub header_list: u32,
    /// Bytes a client may send on one stream before we have read them.
    pub stream_window: u32,
    /// Bytes a client may send on a connection before we have read them.
    pub connection_window: u32,
    /// Bytes of one response held for sending.
    pub send_buffer: usize,
}

impl Default for H2 {
    fn default() -> Self {
        Self {
            streams: 128,
            pending_resets: 20,
            header_list: 16 * 1024,
            stream_window: 2 << 20,
            connection_window: 16 << 20,
            send_buffer: 1 << 20,
        }
    }
}
