//! Reads over HTTP/2 on TLS: one thread, many connections, one request in flight on each.

use std::future::poll_fn;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use aws_lc_rs::digest::{Context, SHA256};
use bytes::Bytes;
use h2::client::{Connection, SendRequest};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::engine::{Route, Walk};
use super::requests::{Places, Prepared};
use super::run::{Phase, Run, Shared, Tally, Word, lock};
use super::tls::TlsDial;

/// Windows large enough that the server never waits for leave to send. Frames stay at 16 KiB, which clients leave them at.
const STREAM_WINDOW: u32 = 4 << 20;
const CONNECTION_WINDOW: u32 = 16 << 20;
/// How often a connection looks whether the job is further.
const TICK: Duration = Duration::from_millis(1);
/// How long a connection waits after an error.
const PAUSE: Duration = Duration::from_millis(10);

type Opened = (SendRequest<Bytes>, Connection<TlsStream<TcpStream>, Bytes>);

/// Starts one thread and says how many connections will speak for themselves.
///
/// # Errors
/// When there is no thread to be had.
pub(super) fn start(
    dial: &TlsDial,
    routes: Vec<Route>,
    walk: Walk,
    run: &Arc<Run>,
    shared: &Arc<Shared>,
    words: &Sender<Word>,
) -> Result<usize> {
    let connections = routes.len();
    let tally = shared.tally();
    let walkers: Vec<Walker> = routes
        .into_iter()
        .map(|route| Walker {
            dial: dial.clone(),
            next: route.from,
            places: Places::new(route.number),
            route,
            walk,
            sent: 0,
            held: false,
            started: None,
            run: Arc::clone(run),
            shared: Arc::clone(shared),
            tally: Arc::clone(&tally),
            words: words.clone(),
        })
        .collect();
    let words = words.clone();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    std::thread::Builder::new()
        .name("reads".to_owned())
        .spawn(move || {
            runtime.block_on(async {
                let mut all = JoinSet::new();
                for walker in walkers {
                    all.spawn(walker.work());
                }
                while let Some(ended) = all.join_next().await {
                    let result = ended.context("a connection").and_then(|result| result);
                    // The receiver is gone only when the process ends.
                    let _ = words.send(Word::Finished(result));
                }
            });
        })?;
    Ok(connections)
}

async fn open(dial: &TlsDial) -> Result<Opened> {
    let socket = TcpStream::connect(dial.address).await?;
    socket.set_nodelay(true)?;
    let connector = TlsConnector::from(Arc::clone(&dial.config));
    let stream = connector.connect(dial.name(), socket).await?;
    ensure!(
        stream.get_ref().1.alpn_protocol() == Some(b"h2"),
        "the server does not speak HTTP/2"
    );
    let opened = h2::client::Builder::new()
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .handshake(stream)
        .await?;
    Ok(opened)
}

/// One connection's way through its requests.
struct Walker {
    dial: TlsDial,
    route: Route,
    walk: Walk,
    next: usize,
    places: Places,
    /// Requests sent so far.
    sent: u64,
    /// It said that it waits for the measured part.
    held: bool,
    /// When the unit began.
    started: Option<Instant>,
    run: Arc<Run>,
    shared: Arc<Shared>,
    tally: Arc<Mutex<Tally>>,
    words: Sender<Word>,
}

impl Walker {
    /// Opens the connection, then does units until there are none left or the job is over.
    async fn work(mut self) -> Result<()> {
        let (mut client, mut connection) = open(&self.dial)
            .await
            .with_context(|| format!("connecting to {}", self.dial.address))?;
        let _ = self.words.send(Word::Ready);
        loop {
            let ended = tokio::select! {
                walked = self.converse(&mut client) => walked,
                ended = connection => ended
                    .map_err(anyhow::Error::from)
                    .and_then(|()| anyhow::bail!("the server closed the connection")),
            };
            let Err(error) = ended else { return Ok(()) };
            self.shared.error(&error);
            (client, connection) = loop {
                if self.shared.given_up() {
                    return Ok(());
                }
                tokio::time::sleep(PAUSE).await;
                match open(&self.dial).await {
                    Ok(opened) => break opened,
                    Err(error) => self.shared.error(&error),
                }
            };
        }
    }

    /// All that is to be said, from where a broken connection left off.
    async fn converse(&mut self, client: &mut SendRequest<Bytes>) -> Result<()> {
        self.until(Phase::WarmUp).await;
        let limited = self.shared.limited();
        if limited || self.walk == Walk::Once {
            while self.walk == Walk::Round && !self.held && self.run.phase() == Phase::WarmUp {
                self.request(client).await?;
            }
            if !self.held {
                self.held = true;
                let _ = self.words.send(Word::Holding);
            }
            self.until(Phase::Measured).await;
        }
        while self.run.phase() < Phase::Over && !self.shared.given_up() {
            let more = match self.walk {
                Walk::Round => !limited || self.shared.claim(),
                Walk::Once => self.next < self.route.requests.len(),
            };
            if !more {
                break;
            }
            self.request(client).await?;
        }
        Ok(())
    }

    async fn until(&self, phase: Phase) {
        while self.run.phase() < phase {
            tokio::time::sleep(TICK).await;
        }
    }

    /// Sends the next request and reads its answer. An error means that the connection is of no more use.
    async fn request(&mut self, client: &mut SendRequest<Bytes>) -> Result<()> {
        let requests = Arc::clone(&self.route.requests);
        let Some(prepared) = requests.get(self.next) else {
            return Ok(());
        };
        let begun = match (self.walk, self.started) {
            (Walk::Once, Some(begun)) => begun,
            _ => Instant::now(),
        };
        self.started = Some(begun);
        let hashed = prepared.sampled(self.sent, self.run.phase() < Phase::Measured);
        self.sent += 1;
        let message = self.message(prepared)?;
        poll_fn(|cx| client.poll_ready(cx)).await?;
        let (answer, _) = client.send_request(message, true)?;
        let (head, mut body) = answer.await?.into_parts();
        let mut digest = hashed.then(|| Context::new(&SHA256));
        let mut length = 0;
        while let Some(piece) = body.data().await {
            let piece = piece?;
            length += piece.len() as u64;
            body.flow_control().release_capacity(piece.len())?;
            if let Some(digest) = &mut digest {
                digest.update(&piece);
            }
            if self.run.measured() {
                lock(&self.tally).bytes += piece.len() as u64;
            }
        }
        let told = if prepared.bodyless {
            let value = head.headers.get("content-length");
            value.and_then(|value| value.to_str().ok()?.parse().ok())
        } else {
            Some(length)
        };
        let checked = prepared.judge(head.status.as_u16(), told, digest.map(Context::finish));
        self.next += 1;
        let last = self.next >= requests.len();
        if last && self.walk == Walk::Round {
            self.next = 0;
        }
        match checked {
            Err(error) => self.shared.error(&error),
            Ok(verified) => {
                let mut tally = lock(&self.tally);
                tally.verified += u64::from(verified);
                if self.run.measured() && (last || self.walk == Walk::Round) {
                    tally.units += 1;
                    tally.latency.record(begun.elapsed());
                    if self.walk == Walk::Once {
                        tally.finished.push(self.run.since_begin().as_secs_f64());
                    }
                }
            }
        }
        Ok(())
    }

    fn message(&mut self, prepared: &Prepared) -> Result<http::Request<()>> {
        let method = if prepared.bodyless { "HEAD" } else { "GET" };
        let uri = format!("https://{}{}", self.dial.address, prepared.path);
        let mut builder = http::Request::builder().method(method).uri(uri);
        for (name, value) in &prepared.headers {
            builder = builder.header(name, value);
        }
        if let Some((first, last)) = prepared.stretch(&mut self.places) {
            builder = builder.header("range", format!("bytes={first}-{last}"));
        }
        Ok(builder.body(())?)
    }
}
