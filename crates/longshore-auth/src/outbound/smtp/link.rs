//! The connection to a mail server.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::{Security, SmtpError, SmtpOptions};
use crate::options::SetupError;
use crate::outbound::addresses::is_public;
use crate::outbound::tls;

/// The longest that a name, one address or TLS may take.
const STEP: Duration = Duration::from_secs(8);
/// How many addresses of a name are tried.
const ADDRESSES: usize = 4;
const CA_HINT: &str =
    "give a PEM file with the certificate of the authority that signed the mail server's";

/// Bytes in and out, whatever carries them.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// How a server is reached.
pub(super) struct Dial {
    host: String,
    port: u16,
    pub(super) security: Security,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

impl fmt::Debug for Dial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// Whether a host is this machine, by what it is called.
pub(super) fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// An address as hello has it (RFC 5321, 4.1.3).
pub(super) fn literal(ip: IpAddr) -> String {
    match ip.to_canonical() {
        IpAddr::V4(ip) => format!("[{ip}]"),
        IpAddr::V6(ip) => format!("[IPv6:{ip}]"),
    }
}

impl Dial {
    /// # Errors
    /// The host is none, or the certificates cannot be read.
    pub(super) fn new(options: &SmtpOptions) -> Result<Self, SetupError> {
        let host = options.host.trim_matches(['[', ']']).to_owned();
        let wrong = |problem: String| SetupError::Option {
            option: "server",
            problem,
        };
        if options.port == 0 {
            return Err(wrong("port 0 is no port".to_owned()));
        }
        let server = ServerName::try_from(host.clone())
            .map_err(|_| wrong(format!("`{host}` is no name or address of a server")))?;
        let tls = if options.security == Security::None {
            None
        } else {
            let client = tls::client(options.ca_file.as_deref(), CA_HINT)?;
            Some((TlsConnector::from(Arc::new(client)), server))
        };
        Ok(Dial {
            host,
            port: options.port,
            security: options.security,
            tls,
        })
    }

    /// Opens a connection; gives our own address, too.
    pub(super) async fn open(&self) -> Result<(TcpStream, IpAddr), SmtpError> {
        let name = |why: String| SmtpError::Name {
            host: self.host.clone(),
            why,
        };
        let found = timeout(
            STEP,
            tokio::net::lookup_host((self.host.as_str(), self.port)),
        );
        let found = found
            .await
            .map_err(|_| name("the name service does not answer".to_owned()))?
            .map_err(|error| name(error.to_string()))?;
        let all: Vec<SocketAddr> = found.take(ADDRESSES).collect();
        if all.is_empty() {
            return Err(name("it has no address".to_owned()));
        }
        if self.security == Security::None && all.iter().any(|at| is_public(at.ip())) {
            return Err(SmtpError::Outside {
                host: self.host.clone(),
            });
        }
        let mut why = String::new();
        for at in all {
            match timeout(STEP, TcpStream::connect(at)).await {
                Ok(Ok(stream)) => {
                    // Commands are small and each waits for its answer.
                    stream.set_nodelay(true).ok();
                    let local = stream.local_addr().map_or(at.ip(), |local| local.ip());
                    return Ok((stream, local));
                }
                Ok(Err(error)) => why = error.to_string(),
                Err(_) => "it does not answer".clone_into(&mut why),
            }
        }
        Err(SmtpError::Connect {
            at: format!("{}:{}", self.host, self.port),
            why,
        })
    }

    /// Secures a connection.
    pub(super) async fn secure(
        &self,
        stream: Box<dyn Stream>,
    ) -> Result<Box<dyn Stream>, SmtpError> {
        let Some((connector, server)) = &self.tls else {
            return Err(SmtpError::NoTls);
        };
        match timeout(STEP, connector.connect(server.clone(), stream)).await {
            Ok(Ok(stream)) => Ok(Box::new(stream)),
            Ok(Err(error)) => Err(SmtpError::Tls(error.to_string())),
            Err(_) => Err(SmtpError::Tls("it does not answer".to_owned())),
        }
    }
}
