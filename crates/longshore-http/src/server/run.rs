//! The accept loop, and its end.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use longshore_core::error::Chain;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_rustls::rustls::ServerConfig;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::certificate::Certificate;
use super::connection::{Shared, answer};
use super::error::StartError;
use super::handler::Handler;
use super::listen::Listener;
use super::notify::{self, State};
use super::options::{Address, Options};
use super::refusal::Refusal;
use super::seats::Seats;
use super::socket::Socket;
use super::stats::ServerStats;

/// Rest after an accept that failed because the process or the system has no descriptors left.
const BREATH: Duration = Duration::from_millis(50);

/// How many refused connections are told why at a time; beyond that they are just closed.
const TOLD: usize = 256;

/// A server that listens and does not yet serve. Connections wait in the kernel till [`Server::run`].
#[derive(Debug)]
pub struct Server {
    options: Options,
    listeners: Vec<Listener>,
    certificate: Option<Arc<Certificate>>,
    tls: Option<Arc<ServerConfig>>,
    stats: Arc<ServerStats>,
}

/// How a server ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drained {
    /// Connections with requests that did not end within [`Options::drain`].
    pub cut: u64,
}

impl Server {
    /// Reads the certificate, then opens all listeners.
    ///
    /// # Errors
    /// Whatever keeps it from serving at each of its addresses; nothing is left open then.
    pub async fn bind(options: Options) -> Result<Self, StartError> {
        let certificate = options.tls.clone().map(Certificate::load).transpose()?;
        let tls = match &certificate {
            Some(certificate) => Some(Arc::new(certificate.config()?)),
            None => None,
        };
        let listeners = Listener::all(&options).await?;
        Ok(Self {
            options,
            listeners,
            certificate,
            tls,
            stats: Arc::default(),
        })
    }

    /// Where it listens, with the ports the system chose.
    pub fn addresses(&self) -> Vec<Address> {
        self.listeners
            .iter()
            .filter_map(Listener::address)
            .collect()
    }

    /// What it counts.
    pub fn stats(&self) -> Arc<ServerStats> {
        Arc::clone(&self.stats)
    }

    /// Serves until `stop` is cancelled; then takes no more connections, closes idle ones at once, lets requests in
    /// flight go on for [`Options::drain`], and cuts what is left. Dropped midway, it cuts everything at once.
    pub async fn run<H: Handler>(self, handler: H, stop: CancellationToken) -> Drained {
        let shared = Arc::new(Shared {
            handler: Arc::new(handler),
            limits: Arc::new(self.options.limits.clone()),
            options: self.options,
            tls: self.tls,
            clients: self.certificate.as_ref().and_then(|it| it.clients()),
            stats: self.stats,
            stop: stop.child_token(),
            cut: CancellationToken::new(),
            tasks: TaskTracker::new(),
        });
        // The tasks are not ours by ownership: without this they would outlive a `run` that is dropped.
        let _ends = (
            shared.stop.clone().drop_guard(),
            shared.cut.clone().drop_guard(),
        );
        let seats = Seats::new(&shared.limits);
        let told = Arc::new(Semaphore::new(TOLD));
        if let Some(certificate) = self.certificate {
            let stop = shared.stop.clone();
            shared
                .tasks
                .spawn(async move { stop.run_until_cancelled(certificate.watch()).await });
        }
        for listener in self.listeners {
            shared.tasks.spawn(accept(
                Arc::clone(&shared),
                listener,
                Arc::clone(&seats),
                Arc::clone(&told),
            ));
        }
        shared.announce(State::Ready);
        shared.stop.cancelled().await;
        shared.announce(State::Stopping);
        shared.tasks.close();
        if timeout(shared.options.drain, shared.tasks.wait())
            .await
            .is_ok()
        {
            return Drained { cut: 0 };
        }
        let cut = shared.stats.open();
        shared.cut.cancel();
        shared.tasks.wait().await;
        Drained { cut }
    }
}

impl<H> Shared<H> {
    fn announce(&self, state: State) {
        if !self.options.announce {
            return;
        }
        if let Some(socket) = std::env::var_os("NOTIFY_SOCKET")
            && let Err(error) = notify::send(&socket, state)
        {
            tracing::warn!(error = %Chain(&error), "systemd could not be told: {state:?}");
        }
    }
}

async fn accept<H: Handler>(
    shared: Arc<Shared<H>>,
    listener: Listener,
    seats: Arc<Seats>,
    told: Arc<Semaphore>,
) {
    let mut failing = false;
    while let Some(accepted) = shared.stop.run_until_cancelled(listener.accept()).await {
        let socket = match accepted {
            Ok(socket) => socket,
            Err(error) if is_of_one_connection(&error) => continue,
            Err(error) => {
                // It fails twenty times a second until somebody closes something; once is enough for the log.
                if !std::mem::replace(&mut failing, true) {
                    tracing::warn!(error = %Chain(&error), "connections cannot be accepted just now");
                }
                tokio::time::sleep(BREATH).await;
                continue;
            }
        };
        if std::mem::take(&mut failing) {
            tracing::info!("connections are accepted again");
        }
        shared.stats.add_accepted(1);
        let Some(seat) = seats.take(socket.peer().map(|peer| peer.ip())) else {
            refuse(&shared, socket, &told);
            continue;
        };
        let shared = Arc::clone(&shared);
        shared.tasks.clone().spawn(async move {
            let open = Open::new(Arc::clone(&shared.stats));
            // What is cut ends right here: the socket is dropped with the future.
            let _ = shared.cut.run_until_cancelled(shared.serve(socket)).await;
            drop(open);
            drop(seat);
        });
    }
}

/// Closes a connection for which there is no seat; a plain one is told why, if not too many are being told.
fn refuse<H: Handler>(shared: &Arc<Shared<H>>, socket: Socket, told: &Arc<Semaphore>) {
    shared.stats.add_refused(1);
    if shared.tls.is_some() {
        return;
    }
    if let Ok(permit) = Arc::clone(told).try_acquire_owned() {
        shared.tasks.spawn(async move {
            answer(socket, Refusal::Busy).await;
            drop(permit);
        });
    }
}

/// The client was gone before we looked: no reason to rest.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
    )
}

/// One connection in the count of open ones, also when its task panics.
struct Open(Arc<ServerStats>);

impl Open {
    fn new(stats: Arc<ServerStats>) -> Self {
        stats.add_open(1);
        Self(stats)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.closed();
    }
}
