//! TLS to a server whose certificate is in a file: the measured loop's channel, and a blocking stream for pushes.

use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use rustix::net::RecvFlags;
use rustls::client::UnbufferedClientConnection;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::unbuffered::ConnectionState;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::answer::Answer;
use super::channel::{Channel, Scratch, connect, receive_some, send_whole};

/// Bytes of encrypted answers read at once.
const READ: usize = 256 << 10;
/// Room for what is encrypted: a request or a flight of the handshake.
const OUT: usize = 64 << 10;
/// After so many reads it is another connection's turn.
const TURNS: usize = 16;
/// Nobody waits longer than this for the bytes of a handshake or a push.
const PATIENCE: Duration = Duration::from_mins(2);

/// Where TLS connections go.
#[derive(Debug, Clone)]
pub(crate) struct TlsDial {
    pub(crate) address: SocketAddr,
    pub(crate) config: Arc<ClientConfig>,
}

impl TlsDial {
    /// Trusts the certificates in the file `certificate` and nothing else.
    pub(crate) fn new(address: SocketAddr, certificate: &Path, alpn: &[u8]) -> Result<Self> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(certificate)? {
            roots.add(certificate?)?;
        }
        ensure!(
            !roots.is_empty(),
            "no certificate in {}",
            certificate.display()
        );
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![alpn.to_vec()];
        Ok(Self {
            address,
            config: Arc::new(config),
        })
    }

    pub(crate) fn name(&self) -> ServerName<'static> {
        ServerName::from(self.address.ip())
    }

    /// A blocking stream.
    pub(crate) fn stream(&self) -> Result<StreamOwned<ClientConnection, TcpStream>> {
        let socket = connect(self.address)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.set_write_timeout(Some(PATIENCE))?;
        let connection = ClientConnection::new(Arc::clone(&self.config), self.name())?;
        Ok(StreamOwned::new(connection, socket))
    }
}

/// TLS without rustls' own buffers, which would read 4 KiB at once.
pub(super) struct Tls {
    socket: TcpStream,
    connection: UnbufferedClientConnection,
    /// Encrypted bytes, of which those in `from..to` have yet to be looked at.
    incoming: Vec<u8>,
    from: usize,
    to: usize,
    outgoing: Vec<u8>,
    /// How much of `outgoing` has yet to be sent.
    pending: usize,
}

/// What TLS can do next.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    /// Something was done; look again.
    Again,
    /// Nothing is left to do; the request, if there was one, is sent.
    Ready,
    /// More has to come.
    Starved,
}

impl Channel for Tls {
    type Dial = TlsDial;

    fn open(dial: &TlsDial) -> Result<Self> {
        let socket = connect(dial.address)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        let connection = UnbufferedClientConnection::new(Arc::clone(&dial.config), dial.name())?;
        let mut tls = Self {
            socket,
            connection,
            incoming: vec![0; READ],
            from: 0,
            to: 0,
            outgoing: vec![0; OUT],
            pending: 0,
        };
        while !tls.ready()? {
            ensure!(tls.fill()?, "the server is silent in the TLS handshake");
        }
        tls.socket.set_nonblocking(true)?;
        Ok(tls)
    }

    fn fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    fn send(&mut self, request: &[u8]) -> Result<()> {
        loop {
            match self.step(Some(request), &mut |_| bail!("bytes between two answers"))? {
                Step::Again => {}
                Step::Ready => return Ok(()),
                Step::Starved => bail!("TLS takes no request"),
            }
        }
    }

    fn receive(&mut self, answer: &mut Answer, _: &mut Scratch) -> Result<()> {
        for _ in 0..TURNS {
            if !self.fill()? {
                break;
            }
            while self.step(None, &mut |plain| answer.feed(plain))? == Step::Again {}
            if answer.complete() {
                break;
            }
        }
        Ok(())
    }
}

impl Tls {
    /// Goes through the handshake as far as it can; whether it is over.
    fn ready(&mut self) -> Result<bool> {
        loop {
            match self.step(None, &mut |_| bail!("bytes before the first request"))? {
                Step::Again => {}
                Step::Ready => return Ok(true),
                Step::Starved => return Ok(false),
            }
        }
    }

    /// Does the next thing that TLS has to do: decrypts for `sink`, answers the peer, or sends `request` when nothing else is left.
    fn step(
        &mut self,
        request: Option<&[u8]>,
        sink: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<Step> {
        let unseen = self.incoming.get_mut(self.from..self.to);
        let status = self
            .connection
            .process_tls_records(unseen.unwrap_or_default());
        let mut used = status.discard;
        let mut step = Step::Again;
        match status.state? {
            ConnectionState::ReadTraffic(mut traffic) => {
                while let Some(record) = traffic.next_record() {
                    let record = record?;
                    used += record.discard;
                    sink(record.payload)?;
                }
            }
            ConnectionState::EncodeTlsData(mut data) => {
                let (_, room) = self.outgoing.split_at_mut(self.pending);
                self.pending += data.encode(room).context("a TLS handshake")?;
            }
            ConnectionState::TransmitTlsData(data) => {
                let flight = self.outgoing.get(..self.pending);
                send_whole(&self.socket, flight.unwrap_or_default())?;
                self.pending = 0;
                data.done();
            }
            ConnectionState::WriteTraffic(mut traffic) => {
                if let Some(request) = request {
                    let n = traffic
                        .encrypt(request, &mut self.outgoing)
                        .context("encrypting a request")?;
                    send_whole(&self.socket, self.outgoing.get(..n).unwrap_or_default())?;
                }
                step = Step::Ready;
            }
            ConnectionState::BlockedHandshake => step = Step::Starved,
            _ => bail!("the server ended TLS"),
        }
        self.from += used;
        if self.from >= self.to {
            (self.from, self.to) = (0, 0);
        }
        Ok(step)
    }

    /// Reads what has come, if anything has.
    fn fill(&mut self) -> Result<bool> {
        if self.from > 0 {
            self.incoming.copy_within(self.from..self.to, 0);
            (self.from, self.to) = (0, self.to - self.from);
        }
        let (_, room) = self.incoming.split_at_mut(self.to);
        ensure!(!room.is_empty(), "a TLS record without end");
        let n = receive_some(&self.socket, room, RecvFlags::empty())?;
        self.to += n.unwrap_or(0);
        Ok(n.is_some())
    }
}
