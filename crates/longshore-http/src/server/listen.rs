//! Listening sockets, opened here or handed over.

use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpSocket, UnixListener, UnixStream};

use super::error::StartError;
use super::inherited::{self, Inherited};
use super::options::{Address, Options};
use super::socket::Socket;

/// Connections the kernel keeps for us while we are busy.
const BACKLOG: u32 = 1024;

/// How long a silent TCP peer is believed to be there.
const KEEPALIVE: Duration = Duration::from_mins(1);

/// A listening socket.
#[derive(Debug)]
pub(super) enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Listener {
    /// All listeners of a server.
    ///
    /// # Errors
    /// One that cannot be opened; those opened before it are closed again.
    pub(super) async fn all(options: &Options) -> Result<Vec<Self>, StartError> {
        let handed = if options.inherit {
            inherited::count(|name| std::env::var_os(name), std::process::id())
        } else {
            0
        };
        if handed > 0 {
            let sockets = inherited::take(handed).map_err(StartError::Inherit)?;
            return sockets
                .into_iter()
                .map(Self::inherit)
                .collect::<io::Result<_>>()
                .map_err(StartError::Inherit);
        }
        if options.listen.is_empty() {
            return Err(StartError::NoAddress);
        }
        let mut listeners = Vec::with_capacity(options.listen.len());
        for address in &options.listen {
            let opened = match address {
                Address::Tcp(addr) => open(*addr).map(Self::Tcp),
                Address::Unix(path) => open_unix(path).await.map(Self::Unix),
            };
            listeners.push(opened.map_err(|source| StartError::Listen {
                address: address.clone(),
                source,
            })?);
        }
        Ok(listeners)
    }

    fn inherit(socket: Inherited) -> io::Result<Self> {
        Ok(match socket {
            Inherited::Tcp(listener) => Self::Tcp(TcpListener::from_std(listener)?),
            Inherited::Unix(listener) => Self::Unix(UnixListener::from_std(listener)?),
        })
    }

    /// Where it listens in truth: the port is known even if the system chose it.
    pub(super) fn address(&self) -> Option<Address> {
        match self {
            Self::Tcp(listener) => listener.local_addr().ok().map(Address::Tcp),
            Self::Unix(listener) => Some(Address::Unix(
                listener.local_addr().ok()?.as_pathname()?.to_owned(),
            )),
        }
    }

    /// The next connection, ready for use.
    ///
    /// # Errors
    /// Those of accept(2): of one connection, or because the process is out of descriptors.
    pub(super) async fn accept(&self) -> io::Result<Socket> {
        match self {
            Self::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                // Answers are written whole; waiting for more of them only adds 40 ms.
                stream.set_nodelay(true)?;
                SockRef::from(&stream)
                    .set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE))?;
                Ok(Socket::Tcp(stream))
            }
            Self::Unix(listener) => Ok(Socket::Unix(listener.accept().await?.0)),
        }
    }
}

fn open(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = if addr.is_ipv4() {
        TcpSocket::new_v4()
    } else {
        TcpSocket::new_v6()
    }?;
    // A restart must not wait for the connections of the process before it to be forgotten.
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    socket.listen(BACKLOG)
}

/// Opens a unix socket; one that nobody answers at is left from a process that is gone, and replaced.
async fn open_unix(path: &Path) -> io::Result<UnixListener> {
    match UnixListener::bind(path) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            let is_socket = std::fs::symlink_metadata(path)
                .is_ok_and(|metadata| metadata.file_type().is_socket());
            if !is_socket || UnixStream::connect(path).await.is_ok() {
                return Err(error);
            }
            std::fs::remove_file(path)?;
            UnixListener::bind(path)
        }
        opened => opened,
    }
}
