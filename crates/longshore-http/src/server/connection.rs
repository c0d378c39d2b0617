//! One connection from accept to close.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper::rt::Executor;
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioIo, TokioTimer};
use longshore_core::error::Chain;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::clients::Verifier;
use super::front::Front;
use super::guard::{Activity, Fault};
use super::handler::Handler;
use super::linger::Discard;
use super::options::{Limits, Options};
use super::peer::Peer;
use super::refusal::Refusal;
use super::screen::{Screen, Verdict};
use super::sendfile::SendFile;
use super::socket::Socket;
use super::stall::Stall;
use super::stats::ServerStats;

/// The largest piece of a request body: more would be kept in memory for nothing.
const PIECE: usize = 256 * 1024;

/// The largest frame an HTTP/2 client may send. Clients that take it up (Go's do) push with a quarter of the frames.
const FRAME: u32 = 64 * 1024;

/// The headers that hyper has room for by itself; for more it clears a vector at each request.
const HEADERS: usize = 100;

/// How long an HTTP/2 client has to go away after it was told to.
const GOODBYE: Duration = Duration::from_secs(5);

/// What all connections of a server share.
#[derive(Debug)]
pub(super) struct Shared<H> {
    pub(super) handler: Arc<H>,
    pub(super) options: Options,
    pub(super) limits: Arc<Limits>,
    pub(super) tls: Option<Arc<ServerConfig>>,
    /// Who verifies certificates of clients, where they are asked for.
    pub(super) clients: Option<Arc<Verifier>>,
    pub(super) stats: Arc<ServerStats>,
    /// No more requests; those in flight go on.
    pub(super) stop: CancellationToken,
    /// Everything ends now.
    pub(super) cut: CancellationToken,
    pub(super) tasks: TaskTracker,
}

/// Runs the streams of HTTP/2 connections where the end of the server finds them.
#[derive(Debug, Clone)]
struct Tracked {
    tasks: TaskTracker,
    cut: CancellationToken,
}

impl<F> Executor<F> for Tracked
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, stream: F) {
        let cut = self.cut.clone();
        self.tasks.spawn(async move {
            let _ = cut.run_until_cancelled(stream).await;
        });
    }
}

impl<H: Handler> Shared<H> {
    /// Serves `socket` until either side closes it.
    ///
    /// Each protocol is a box of its own: a connection takes what its protocol needs and not what the largest of them does, and
    /// what is large is not moved on the way to where it runs.
    pub(super) async fn serve(&self, socket: Socket) {
        let mut peer = Peer {
            addr: socket.peer(),
            local: socket.local(),
            tls: self.tls.is_some(),
            sendfile: false,
            certificate: None,
            floor: self.options.timeouts.body,
            activity: None,
        };
        let Some(tls) = &self.tls else {
            if self.options.h2c && self.begins_with_preface(&socket).await {
                return Box::pin(self.http2(socket, peer)).await;
            }
            peer.sendfile = SendFile::AVAILABLE;
            let io = SendFile::new(socket, Arc::clone(&self.stats));
            return Box::pin(self.http1(io, peer)).await;
        };
        let handshake = async {
            let mut first = [0];
            if socket.peek(&mut first).await? == 1 && first.is_ascii() && first != [0x16] {
                answer(socket, Refusal::PlainOnTls).await;
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "the client began with plain HTTP",
                ));
            }
            TlsAcceptor::from(Arc::clone(tls)).accept(socket).await
        };
        let handshake = Box::pin(timeout(self.options.timeouts.handshake, handshake));
        let stream = match self.stop.run_until_cancelled(handshake).await {
            None => return,
            Some(Ok(Ok(stream))) => stream,
            Some(Ok(Err(error))) => return self.tls_failed(&peer, &error),
            Some(Err(late)) => return self.tls_failed(&peer, &late.into()),
        };
        if let Some(clients) = &self.clients {
            peer.certificate = clients.shown(stream.get_ref().1.peer_certificates());
        }
        if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
            Box::pin(self.http2(stream, peer)).await;
        } else {
            Box::pin(self.http1(stream, peer)).await;
        }
    }

    fn tls_failed(&self, peer: &Peer, error: &io::Error) {
        self.stats.add_tls_failures(1);
        // Scanners make many of these; the counter is what an operator watches.
        tracing::debug!(peer = ?peer.addr, error = %Chain(error), "TLS handshake failed");
    }

    async fn http1<T>(&self, io: T, peer: Peer)
    where
        T: AsyncRead + AsyncWrite + Discard + Unpin + Send + 'static,
    {
        let timeouts = &self.options.timeouts;
        let io = Screen::new(
            Stall::new(io, timeouts.write),
            Arc::clone(&self.limits),
            (timeouts.head, timeouts.idle),
        );
        let addr = peer.addr;
        let front = self.front(peer, io.verdict());
        // Without upgrades: that variant waits for a first byte with no limit.
        let mut builder = http1::Builder::new();
        builder
            // The screen has the limits of time: hyper makes a new timer for each request.
            .header_read_timeout(None)
            .max_buf_size(PIECE)
            // A client that has said all it has to say may close its half and still wants the answer. One that is gone
            // shows when the answer is written; what a push has begun is to be finished in any case.
            .half_close(true)
            .writev(true);
        if self.limits.header_count > HEADERS {
            builder.max_headers(self.limits.header_count);
        }
        let connection = builder.serve_connection(TokioIo::new(io), front);
        tokio::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = self.stop.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(peer = ?addr, error = %Chain(&error), "connection ended");
        }
    }

    async fn http2<T>(&self, io: T, mut peer: Peer)
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (timeouts, limits) = (&self.options.timeouts, &self.options.h2);
        let activity = Arc::new(Activity::new());
        peer.activity = Some(Arc::clone(&activity));
        let addr = peer.addr;
        let front = self.front(peer, Verdict::default());
        let executor = Tracked {
            tasks: self.tasks.clone(),
            cut: self.cut.clone(),
        };
        let connection = http2::Builder::new(executor)
            .timer(TokioTimer::new())
            .max_concurrent_streams(limits.streams)
            .max_pending_accept_reset_streams(limits.pending_resets)
            .max_header_list_size(limits.header_list)
            .initial_stream_window_size(limits.stream_window)
            .initial_connection_window_size(limits.connection_window)
            .max_frame_size(FRAME)
            .max_send_buf_size(limits.send_buffer)
            .serve_connection(TokioIo::new(Stall::new(io, timeouts.write)), front);
        tokio::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = self.stop.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
            fault = activity.watch(timeouts) => {
                tracing::debug!(peer = ?addr, ?fault, "HTTP/2 connection is closed");
                if fault != Fault::Idle {
                    return;
                }
                connection.as_mut().graceful_shutdown();
                match timeout(GOODBYE, connection).await {
                    Ok(ended) => ended,
                    Err(_) => return,
                }
            }
        };
        if let Err(error) = ended {
            tracing::debug!(peer = ?addr, error = %Chain(&error), "connection ended");
        }
    }

    fn front(&self, peer: Peer, verdict: Verdict) -> Front<H> {
        Front {
            handler: Arc::clone(&self.handler),
            peer,
            verdict,
            limits: Arc::clone(&self.limits),
            stop: self.stop.clone(),
            stats: Arc::clone(&self.stats),
        }
    }

    /// Whether the client speaks HTTP/2 without being asked. `PRI` is not the beginning of any method of HTTP/1.
    async fn begins_with_preface(&self, socket: &Socket) -> bool {
        const PREFACE: &[u8] = b"PRI";
        let look = async {
            loop {
                let mut begin = [0; PREFACE.len()];
                let seen = socket.peek(&mut begin).await.unwrap_or(0);
                match begin.get(..seen) {
                    Some(seen) if seen == PREFACE => return true,
                    Some(seen) if !seen.is_empty() && PREFACE.starts_with(seen) => {
                        // There is no waiting for "more than this": look again soon.
                        tokio::time::sleep(Duration::from_millis(5)).await;
                    }
                    _ => return false,
                }
            }
        };
        let look = timeout(self.options.timeouts.head, look);
        matches!(self.stop.run_until_cancelled(look).await, Some(Ok(true)))
    }
}

/// Writes an answer to a connection that does not get to HTTP, and waits a moment for the client to have read it:
/// closing on unread bytes would make its system drop the answer.
pub(super) async fn answer(mut socket: Socket, refusal: Refusal) {
    let write_and_linger = async {
        socket.write_all(&refusal.bytes()).await?;
        socket.shutdown().await?;
        let mut scratch = [0; 1024];
        for _ in 0..64 {
            if socket.read(&mut scratch).await? == 0 {
                break;
            }
        }
        io::Result::Ok(())
    };
    // Whether the client got it or not, there is nothing to do about it.
    let _ = timeout(Duration::from_secs(1), write_and_linger).await;
}
