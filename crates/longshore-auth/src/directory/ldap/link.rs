//! A connection to a directory: secured before anything is said, and guarded while answers come.
//!
//! TLS and the checks of what comes are ours; the library speaks LDAP over a pair of sockets inside this process, so that
//! it sees nothing that has not passed. Both its task and ours end when the connection is dropped.

use std::net::IpAddr;
use std::sync::Arc;

use ldap3::{Ldap, LdapConnAsync, LdapConnSettings, StdStream};
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use url::Url;

use super::guard::Guard;
use super::options::LdapOptions;
use crate::options::SetupError;
use crate::outbound::tls;

/// The request to secure a connection (RFC 4511, 4.14): message 1, an extended request of this name.
const START_TLS: &[u8] = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037";
/// What a directory that agrees answers begins with: an extended response with result 0.
const AGREED: [u8; 3] = [0x0a, 0x01, 0x00];

/// What to do where its certificates cannot be read.
const CA_HINT: &str =
    "give a PEM file with the certificate of the authority that signed the directory's";

/// How a directory is reached.
pub(super) struct Dial {
    host: String,
    port: u16,
    security: Security,
}

/// How what is said stays between us.
enum Security {
    /// By TLS from the first byte, or after asking for it.
    Tls {
        connector: TlsConnector,
        server: ServerName<'static>,
        ask_first: bool,
    },
    /// By not leaving this machine.
    Loopback,
}

/// A connection. Dropping it closes it.
pub(super) struct Connection {
    pub(super) ldap: Ldap,
    /// They are aborted with it.
    _tasks: JoinSet<()>,
}

impl Dial {
    /// # Errors
    /// The URL cannot be used, or the certificates cannot be read.
    pub(super) fn new(options: &LdapOptions) -> Result<Self, SetupError> {
        let wrong = |problem: String| SetupError::Option {
            option: "url",
            problem,
        };
        let url = Url::parse(&options.url)
            .map_err(|problem| wrong(format!("it is not a URL: {problem}")))?;
        let has_more = !matches!(url.path(), "" | "/")
            || url.query().is_some()
            || url.fragment().is_some()
            || !url.username().is_empty()
            || url.password().is_some();
        if has_more {
            return Err(wrong(
                "it must have a host, perhaps a port, and nothing else".to_owned(),
            ));
        }
        let host = url.host_str().unwrap_or_default();
        let host = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned();
        if host.is_empty() {
            return Err(wrong("it names no host".to_owned()));
        }
        let (port, tls) = match url.scheme() {
            "ldaps" => (636, true),
            "ldap" => (389, options.start_tls),
            _ => {
                return Err(wrong(
                    "it must begin with `ldaps://` or `ldap://`".to_owned(),
                ));
            }
        };
        let security = if tls {
            let server = ServerName::try_from(host.clone())
                .map_err(|_| wrong(format!("`{host}` is no name that a certificate can have")))?;
            Security::Tls {
                connector: TlsConnector::from(Arc::new(tls::client(
                    options.ca_file.as_deref(),
                    CA_HINT,
                )?)),
                server,
                ask_first: url.scheme() == "ldap",
            }
        } else if is_loopback(&host) {
            Security::Loopback
        } else {
            return Err(wrong(
                "passwords would travel in the clear: use `ldaps://`, or set `start_tls`"
                    .to_owned(),
            ));
        };
        Ok(Dial {
            port: url.port().unwrap_or(port),
            host,
            security,
        })
    }

    /// Opens a connection. Nobody is logged in on it.
    ///
    /// # Errors
    /// What went wrong, for the log.
    pub(super) async fn open(&self) -> Result<Connection, String> {
        let mut stream = TcpStream::connect((self.host.as_str(), self.port))
            .await
            .map_err(|error| format!("no connection to {}: {error}", self.host))?;
        // Requests are small and each waits for its answer.
        stream.set_nodelay(true).ok();
        let mut tasks = JoinSet::new();
        let (ours, theirs) = UnixStream::pair().map_err(|error| error.to_string())?;
        match &self.security {
            Security::Loopback => {
                tasks.spawn(relay(stream, ours));
            }
            Security::Tls {
                connector,
                server,
                ask_first,
            } => {
                if *ask_first {
                    start_tls(&mut stream).await?;
                }
                let stream = connector
                    .connect(server.clone(), stream)
                    .await
                    .map_err(|error| format!("TLS with {}: {error}", self.host))?;
                tasks.spawn(relay(stream, ours));
            }
        }
        let theirs = theirs.into_std().map_err(|error| error.to_string())?;
        let settings = LdapConnSettings::new().set_std_stream(StdStream::Unix(theirs));
        let (driver, ldap) = LdapConnAsync::with_settings(settings, "ldapi:///")
            .await
            .map_err(|error| error.to_string())?;
        tasks.spawn(async move {
            if let Err(error) = driver.drive().await {
                tracing::debug!("a connection to a directory ended: {error}");
            }
        });
        Ok(Connection {
            ldap,
            _tasks: tasks,
        })
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Asks for TLS. The answer must come alone: what follows it in the clear was put there by somebody else.
async fn start_tls(stream: &mut TcpStream) -> Result<(), String> {
    let lost = |error: std::io::Error| format!("it does not answer to StartTLS: {error}");
    stream.write_all(START_TLS).await.map_err(lost)?;
    let mut guard = Guard::default();
    let mut byte = [0];
    let mut answer = Vec::new();
    // By single bytes, so that nothing of what comes after the answer is taken.
    while answer.is_empty() {
        stream.read_exact(&mut byte).await.map_err(lost)?;
        answer = guard.take(&byte)?;
    }
    // 0x30, its length, message 1, 0x78, its length, the result code.
    let id = [0x02, 0x01, 0x01, 0x78];
    let at = answer.windows(id.len()).position(|window| window == id);
    let agreed = at.is_some_and(|at| {
        let rest = answer.get(at + id.len()..).unwrap_or_default();
        // The length takes one byte, or is told in up to four more.
        let skip = match rest.first() {
            Some(length) if *length & 0x80 != 0 => 1 + usize::from(*length & 0x7f),
            _ => 1,
        };
        at <= 6
            && rest
                .get(skip..)
                .is_some_and(|rest| rest.starts_with(&AGREED))
    });
    if agreed {
        Ok(())
    } else {
        Err("it refuses StartTLS".to_owned())
    }
}

/// Carries requests out and answers in until either side ends.
async fn relay(server: impl AsyncRead + AsyncWrite + Send + Unpin, ours: UnixStream) {
    let (mut from_server, mut to_server) = tokio::io::split(server);
    let (mut from_us, mut to_us) = ours.into_split();
    let mut guard = Guard::default();
    let (mut out, mut back) = (vec![0; 8 * 1024], vec![0; 32 * 1024]);
    loop {
        let carried = tokio::select! {
            read = from_us.read(&mut out) => match read {
                Ok(0) | Err(_) => break,
                Ok(length) => {
                    guard.asked();
                    let bytes = out.get(..length).unwrap_or_default();
                    match to_server.write_all(bytes).await {
                        Ok(()) => to_server.flush().await,
                        failed => failed,
                    }
                }
            },
            read = from_server.read(&mut back) => match read {
                Ok(0) | Err(_) => break,
                Ok(length) => match guard.take(back.get(..length).unwrap_or_default()) {
                    Ok(whole) => to_us.write_all(&whole).await,
                    Err(problem) => {
                        tracing::warn!("the connection to a directory is cut: {problem}");
                        break;
                    }
                },
            },
        };
        if carried.is_err() {
            break;
        }
    }
    to_server.shutdown().await.ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_do_not_travel_in_the_clear() {
        let dial = |url: &str, start_tls: bool| {
            Dial::new(&LdapOptions {
                start_tls,
                ..LdapOptions::new("corp", url, "dc=example")
            })
        };
        for (url, start_tls) in [
            ("ldaps://ldap.example", false),
            ("ldaps://ldap.example:1636/", false),
            ("ldap://ldap.example", true),
            ("ldap://127.0.0.1:3389", false),
            ("ldap://[::1]:3389", false),
            ("ldap://localhost", false),
        ] {
            assert!(dial(url, start_tls).is_ok(), "{url}");
        }
        for url in [
            "ldap://ldap.example",
            "ldap://10.0.0.1",
            "ldap://localhost.example",
            "ldap://127.0.0.1.example",
            "ldap://",
            "ldaps:///dc=example",
            "ldaps://ldap.example/dc=example",
            "ldaps://user:secret@ldap.example",
            "https://ldap.example",
            "ldapi:///",
            "ldap.example",
        ] {
            assert!(dial(url, false).is_err(), "{url}");
        }
        assert_eq!(dial("ldaps://ldap.example", false).unwrap().port, 636);
        assert_eq!(dial("ldap://ldap.example", true).unwrap().port, 389);
    }

    #[test]
    fn the_request_for_tls_is_as_long_as_it_says() {
        assert_eq!(START_TLS.len(), 2 + usize::from(START_TLS[1]));
        assert_eq!(START_TLS.len(), 7 + 2 + usize::from(START_TLS[8]));
    }
}
